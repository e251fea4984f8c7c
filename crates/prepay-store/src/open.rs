//! Opening a database file, or refusing it by name.
//!
//! - `application_id` says whose it is, `user_version` how many migrations it has seen. Migrations go forward
//!   only; a file that a later version wrote is refused.
//! - Whose it is and whether it is whole is asked first: a file that is refused is not written to.
//! - An empty file is an empty store: the making of it was cut. What that means is for the caller to say.
//! - A file is made for its owner alone (mode 0600 on Unix), and so are SQLite's two files beside it. Whether
//!   files that are there are so still is for the caller to ask, before opening.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

/// `PpKm`: the state of a key management centre.
const APPLICATION: i32 = 0x5070_4B6D;

/// What brings an empty file to the present schema, in order.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001-centre.sql")];

/// How long a commit waits for another process.
const BUSY: Duration = Duration::from_secs(10);

/// Why a database was not opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum OpenStoreError {
    /// There is no file, and none was to be made.
    NotThere {
        /// The file.
        path: PathBuf,
    },
    /// There is a file, and a new one was to be made.
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// The file is no SQLite database.
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// It is the database of another application.
    OtherApplication {
        /// The file.
        path: PathBuf,
        /// The application number found.
        found: i32,
    },
    /// A later version of this program made it.
    Newer {
        /// The file.
        path: PathBuf,
        /// The greatest schema version that is known here.
        expected: usize,
        /// The schema version found.
        found: i64,
    },
    /// Its structure or its references are damaged. Restore it from a back-up.
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first thing that is wrong.
        problem: String,
    },
    /// It cannot be written to.
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// The system or SQLite failed.
    Fault {
        /// The file.
        path: PathBuf,
        /// What was seen.
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

/// Makes a new database.
pub(crate) fn create(path: &Path) -> Result<Connection, OpenStoreError> {
    create_file(path)?;
    connect(path)
}

/// Opens a database that is there, and brings it to the present schema.
pub(crate) fn open(path: &Path) -> Result<Connection, OpenStoreError> {
    match path.try_exists() {
        Ok(true) => connect(path),
        Ok(false) => Err(OpenStoreError::NotThere { path: path.to_owned() }),
        Err(error) => Err(system_fault(path, &error)),
    }
}

/// Writes all that is committed into a new file. On return it is durable.
pub(crate) fn copy(connection: &Connection, path: &Path) -> Result<(), OpenStoreError> {
    let name = plain(path);
    let Some(text) = name.to_str() else {
        let problem = "expected a name in UTF-8".to_owned();
        return Err(OpenStoreError::Fault { path: path.to_owned(), problem });
    };
    create_file(path)?;
    let written = connection
        .execute("VACUUM INTO ?1", [text])
        .map_err(|error| OpenStoreError::of(path, &error))
        .and_then(|_| sync(path).map_err(|error| system_fault(path, &error)));
    if written.is_err() {
        let _ = fs::remove_file(path); // What failed first is what counts.
    }
    written
}

/// Makes an empty file for its owner alone.
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

/// Makes a file and its name durable.
fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    File::open(above.unwrap_or(Path::new(".")))?.sync_all()
}

/// The path in a form that SQLite takes for nothing but a path, whatever its name begins with.
fn plain(path: &Path) -> PathBuf {
    if path.is_relative() { Path::new(".").join(path) } else { path.to_owned() }
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
    check(&connection, path)?;
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

/// How a connection works from here on. The journal mode stays in the file.
fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.set_prepared_statement_cache_capacity(64); // Every statement that a commit needs.
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")
}

/// How many migrations the file has seen, when it is ours and not too new. Writes nothing.
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

/// Runs the migrations that the file has not seen. Each is one transaction.
fn migrate(connection: &mut Connection, path: &Path) -> Result<(), OpenStoreError> {
    let fault = |error: rusqlite::Error| OpenStoreError::of(path, &error);
    loop {
        // Asked again under the lock: another process may have been faster.
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

/// Looks through the structure and the references.
fn check(connection: &Connection, path: &Path) -> Result<(), OpenStoreError> {
    let fault = |error: rusqlite::Error| OpenStoreError::of(path, &error);
    let damaged = |problem: String| OpenStoreError::Damaged { path: path.to_owned(), problem };
    let verdict: String =
        connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(fault)?;
    if verdict != "ok" {
        return Err(damaged(verdict));
    }
    let mut statement = connection.prepare("PRAGMA foreign_key_check").map_err(fault)?;
    let mut rows = statement.query([]).map_err(fault)?;
    match rows.next().map_err(fault)? {
        None => Ok(()),
        Some(row) => {
            let table: String = row.get(0).map_err(fault)?;
            Err(damaged(format!("a row of {table} refers to one that is not there")))
        }
    }
}

impl fmt::Display for OpenStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotThere { path } => {
                write!(f, "{}: expected a database, found nothing", path.display())
            }
            Self::AlreadyThere { path } => {
                write!(f, "{}: expected no file, found one", path.display())
            }
            Self::NotADatabase { path } => {
                write!(f, "{}: expected a database, found another file", path.display())
            }
            Self::OtherApplication { path, found } => write!(
                f,
                "{}: expected the database of a key management centre, found one of application \
                 {found:#010x}",
                path.display()
            ),
            Self::Newer { path, expected, found } => write!(
                f,
                "{}: made by a later version: expected schema {expected} or before, found {found}",
                path.display()
            ),
            Self::Damaged { path, problem } => {
                write!(f, "{}: damaged, restore it from a back-up: {problem}", path.display())
            }
            Self::ReadOnly { path } => write!(f, "{}: cannot be written to", path.display()),
            Self::Fault { path, problem } => write!(f, "{}: {problem}", path.display()),
        }
    }
}

impl std::error::Error for OpenStoreError {}
