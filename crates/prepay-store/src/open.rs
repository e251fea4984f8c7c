//! Opens a database file, or says why not.
//!
//! - `application_id` says which application the file belongs to, `user_version` how many migrations it has
//!   had. Migrations only go forward; a file written by a later version is refused.
//! - Both numbers are checked before anything is written, so a refused file stays as it was. Rows and structure are not
//!   checked here: whoever reads a row compares it with what the centre's module expects, and `kmc verify` checks all.
//! - An empty file is an empty store: its creation was interrupted. The caller decides what to do then.
//! - New files are readable by their owner only (mode 0600 on Unix), and so are SQLite's two files beside
//!   them. The caller checks the mode of existing files before opening them.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

/// `PpKm`: marks the database of a key management centre.
const APPLICATION: i32 = 0x5070_4B6D;

/// The migrations that bring an empty file to the current schema, in order.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001-centre.sql"),
    include_str!("../migrations/0002-module-fingerprint.sql"),
    include_str!("../migrations/0003-digests.sql"),
    include_str!("../migrations/0004-retiring-keys.sql"),
];

/// How long a commit waits for another process to finish.
const BUSY: Duration = Duration::from_secs(10);

/// Why a database was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// There is no such file.
    NotThere {
        /// The file.
        path: PathBuf,
    },
    /// There is a file already, and the caller asked for a new one.
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// The file is not an SQLite database.
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The database belongs to another application.
    OtherApplication {
        /// The file.
        path: PathBuf,
        /// The application number found.
        found: i32,
    },
    /// A later version of this program wrote it.
    Newer {
        /// The file.
        path: PathBuf,
        /// The highest schema version that this version knows.
        expected: usize,
        /// The schema version found.
        found: i64,
    },
    /// Its structure or its references are damaged. Restore it from a back-up.
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first problem found.
        problem: String,
    },
    /// The file is not writable.
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The operating system or SQLite failed.
    Fault {
        /// The file.
        path: PathBuf,
        /// What it reported.
        problem: String,
    },
}

prepay_basics::codes! {
    OpenStoreError {
        NotThere = "not_there",
        AlreadyThere = "file_exists",
        NotADatabase = "store_not_a_database",
        OtherApplication = "store_other_application",
        Newer = "version",
        Damaged = "damaged",
        ReadOnly = "store_read_only",
        Fault = "storage",
    }
}

impl OpenStoreError {
    fn of(path: &Path, error: &rusqlite::Error) -> Self {
        let (path, problem) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, problem },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { path },
            _ => Self::Fault { path, problem },
        }
    }
}

/// Creates a new database.
pub(crate) fn create(path: &Path) -> Result<Connection, OpenStoreError> {
    create_file(path)?;
    connect(path)
}

/// Opens an existing database and brings it to the current schema.
pub(crate) fn open(path: &Path) -> Result<Connection, OpenStoreError> {
    match path.try_exists() {
        Ok(true) => connect(path),
        Ok(false) => Err(OpenStoreError::NotThere { path: path.to_owned() }),
        Err(error) => Err(system_fault(path, &error)),
    }
}

/// Opens an existing file only to read it, such as that of a back-up. Nothing is written, neither in the file nor beside
/// it, and what SQLite may have left beside it is not read. An empty file is an empty store.
pub(crate) fn look(path: &Path) -> Result<Connection, OpenStoreError> {
    let fault = |error: rusqlite::Error| OpenStoreError::of(path, &error);
    if !path.try_exists().map_err(|error| system_fault(path, &error))? {
        return Err(OpenStoreError::NotThere { path: path.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let mut address = String::from("file:");
    for character in utf8(&plain(path))?.chars() {
        match character {
            '%' => address.push_str("%25"),
            '?' => address.push_str("%3F"),
            '#' => address.push_str("%23"),
            other => address.push(other),
        }
    }
    address.push_str("?immutable=1");
    let connection = Connection::open_with_flags(address, flags).map_err(fault)?;
    let seen = seen(&connection, path)?;
    if seen == 0 { in_memory() } else { Ok(connection) }
}

/// Writes everything committed to a new file, which is on the disk when this returns.
pub(crate) fn copy(connection: &Connection, path: &Path) -> Result<(), OpenStoreError> {
    let name = plain(path);
    let text = utf8(&name)?;
    create_file(path)?;
    let written = connection
        .execute("VACUUM INTO ?1", [text])
        .map_err(|error| OpenStoreError::of(path, &error))
        .and_then(|_| sync(path).map_err(|error| system_fault(path, &error)));
    if written.is_err() {
        let _ = fs::remove_file(path); // The first failure is the one to report.
    }
    written
}

/// Creates an empty file that only its owner may read or write.
fn create_file(path: &Path) -> Result<(), OpenStoreError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(OpenStoreError::AlreadyThere { path: path.to_owned() })
        }
        Err(error) => Err(system_fault(path, &error)),
    }
}

/// Flushes a file and its directory entry to the disk.
fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    File::open(above.unwrap_or(Path::new(".")))?.sync_all()
}

/// The path written so that SQLite takes it for a path, whatever its name begins with (`file:`, `:memory:`).
fn plain(path: &Path) -> PathBuf {
    if path.is_relative() { Path::new(".").join(path) } else { path.to_owned() }
}

/// The path as SQLite wants it.
fn utf8(path: &Path) -> Result<&str, OpenStoreError> {
    path.to_str().ok_or_else(|| {
        let problem = "expected a name in UTF-8".to_owned();
        OpenStoreError::Fault { path: path.to_owned(), problem }
    })
}

fn system_fault(path: &Path, error: &io::Error) -> OpenStoreError {
    OpenStoreError::Fault { path: path.to_owned(), problem: error.to_string() }
}

fn connect(path: &Path) -> Result<Connection, OpenStoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let fault = |error: rusqlite::Error| OpenStoreError::of(path, &error);
    let mut connection = Connection::open_with_flags(plain(path), flags).map_err(fault)?;
    if connection.is_readonly("main").map_err(fault)? {
        return Err(OpenStoreError::ReadOnly { path: path.to_owned() });
    }
    connection.busy_timeout(BUSY).map_err(fault)?;
    seen(&connection, path)?;
    prepare(&connection).map_err(fault)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// A database in memory, for tests.
pub(crate) fn in_memory() -> Result<Connection, OpenStoreError> {
    let path = Path::new(":memory:");
    let fault = |error: rusqlite::Error| OpenStoreError::of(path, &error);
    let mut connection = Connection::open_in_memory().map_err(fault)?;
    prepare(&connection).map_err(fault)?;
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// Sets up a connection. The journal mode is stored in the file.
fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(64); // Every statement that a commit needs.
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")
}

/// How many migrations the file has had. Refuses files of other applications and later versions. Writes nothing.
fn seen(connection: &Connection, path: &Path) -> Result<usize, OpenStoreError> {
    let fault = |error: rusqlite::Error| OpenStoreError::of(path, &error);
    let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (application, version) =
        (number("application_id").map_err(fault)?, number("user_version").map_err(fault)?);
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(fault)?;
    let is_empty = application == 0 && version == 0 && tables == 0;
    if !is_empty && application != i64::from(APPLICATION) {
        let found = i32::try_from(application).unwrap_or_default();
        return Err(OpenStoreError::OtherApplication { path: path.to_owned(), found });
    }
    let expected = MIGRATIONS.len();
    match usize::try_from(version) {
        Ok(seen) if seen <= expected => Ok(seen),
        _ => Err(OpenStoreError::Newer { path: path.to_owned(), expected, found: version }),
    }
}

/// Runs the migrations that the file has not had yet, each in one transaction.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenStoreError> {
    let fault = |error: rusqlite::Error| OpenStoreError::of(path, &error);
    loop {
        // Asked again under the lock: another process may have migrated the file meanwhile.
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fault)?;
        let seen = seen(&transaction, path)?;
        let Some(migration) = MIGRATIONS.get(seen) else { return Ok(()) };
        transaction.execute_batch(migration).map_err(fault)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(fault)?;
        transaction.pragma_update(None, "user_version", (seen + 1).cast_signed()).map_err(fault)?;
        transaction.commit().map_err(fault)?;
    }
}

/// Checks the structure of the file and the references between rows.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<(), OpenStoreError> {
    let fault = |error: rusqlite::Error| OpenStoreError::of(path, &error);
    let damaged = |problem: String| OpenStoreError::Damaged { path: path.to_owned(), problem };
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(fault)?;
    if verdict != "ok" {
        return Err(damaged(verdict));
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check").map_err(fault)?;
    let mut rows = statement.query([]).map_err(fault)?;
    match rows.next().map_err(fault)? {
        None => Ok(()),
        Some(row) => {
            let table: String = row.get(0).map_err(fault)?;
            Err(damaged(format!("a row of {table} refers to a missing row")))
        }
    }
}

impl fmt::Display for OpenStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere { path } => {
                write!(f, "{}: expected a database, found no file", path.display())
            }
            Self::AlreadyThere { path } => write!(f, "{}: the file exists already", path.display()),
            Self::NotADatabase { path } => {
                write!(f, "{}: expected a database, found another kind of file", path.display())
            }
            Self::OtherApplication { path, found } => write!(
                f,
                "{}: expected the database of a key management centre, found one of application \
                 {found:#010x}",
                path.display()
            ),
            Self::Newer { path, expected, found } => write!(
                f,
                "{}: expected schema {expected} or earlier, found {found}, written by a later version",
                path.display()
            ),
            Self::Damaged { path, problem } => {
                write!(f, "{}: damaged, restore it from a back-up: {problem}", path.display())
            }
            Self::ReadOnly { path } => write!(f, "{}: the file is not writable", path.display()),
            Self::Fault { path, problem } => write!(f, "{}: {problem}", path.display()),
        }
    }
}

impl std::error::Error for OpenStoreError {}
