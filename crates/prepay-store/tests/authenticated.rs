//! A database that something else wrote to: every row that is not the one that the centre's module expects is refused by
//! name.

use std::cell::Cell;
use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use prepay_kmc::entity::{Authorisation, Customer, FormRecord, VendingKeyRecord};
use prepay_kmc::store::{
    AuthenticatedStore, CentreStore, Change, Difference, Filter, Query, Row, StoreError, Table,
    Tables, Value, Versioned, WriteTables,
};
use prepay_kmc_module::CentreModule;
use prepay_store::SqliteCentreStore;
use prepay_testkit::centre_store::{self, contents};
use rusqlite::Connection;

/// A database in a file, and the module that authenticates it.
struct Site {
    _folder: tempfile::TempDir,
    path: PathBuf,
    module: &'static dyn CentreModule,
}

impl Site {
    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("centre.db");
        drop(SqliteCentreStore::create(&path).unwrap());
        Self { _folder: folder, path, module: centre_store::own_module() }
    }

    /// One row of each kind and a second customer, module and authorisation.
    fn filled() -> Self {
        let site = Self::empty();
        let mut changes: Vec<_> =
            centre_store::all_rows().into_iter().map(Change::Insert).collect();
        changes.push(Change::Insert(Row::Customer(centre_store::customer(2))));
        changes.push(Change::Insert(Row::Module(centre_store::module("SM-2"))));
        let second = centre_store::authorisation(2, "000123", "SM-1", "anna");
        changes.push(Change::Insert(Row::Authorisation(second)));
        changes.push(Change::Journal(centre_store::entry(1, "first")));
        changes.push(Change::Journal(centre_store::entry(2, "second")));
        site.store().commit(&changes).unwrap();
        site
    }

    fn store(&self) -> AuthenticatedStore<'static, SqliteCentreStore> {
        AuthenticatedStore::new(SqliteCentreStore::open(&self.path).unwrap(), self.module)
    }

    /// Writes to the file as somebody else would, without the rules of the schema.
    fn tamper(&self, sql: &str) {
        free(&self.path).execute_batch(sql).unwrap();
    }

    fn change_contact(&self, contact: &str) {
        let mut store = self.store();
        let Versioned { row, version } = customer(&store).unwrap().unwrap();
        let row = Row::Customer(Customer { contact: contact.parse().unwrap(), ..row });
        store.commit(&[Change::Update { row, version }]).unwrap();
    }
}

/// A connection that no rule of the schema binds.
fn free(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "ignore_check_constraints", true).unwrap();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    let triggers = texts(&connection, "SELECT name FROM sqlite_schema WHERE type = 'trigger'");
    for trigger in triggers {
        connection.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    connection
}

fn texts(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn customer(store: &impl CentreStore) -> Result<Option<Versioned<Customer>>, StoreError> {
    store.get(&1.try_into().unwrap())
}

fn differs(row: &str, difference: Difference) -> StoreError {
    StoreError::Differs { row: row.to_owned(), difference }
}

#[test]
fn every_column_of_every_table_that_somebody_else_wrote_to_is_refused() {
    let site = Site::filled();
    let right = contents(&site.store()).unwrap();
    let whole = fs::read(&site.path).unwrap();
    let tables =
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'";
    let connection = Connection::open(&site.path).unwrap();
    let mut columns = Vec::new();
    for table in texts(&connection, tables) {
        let sql = format!("SELECT name || ' ' || type FROM pragma_table_info('{table}')");
        columns.extend(texts(&connection, &sql).into_iter().map(|column| (table.clone(), column)));
    }
    drop(connection);
    assert!(columns.len() > 100, "{}", columns.len());
    for (table, column) in columns {
        let (column, kind) = column.split_once(' ').unwrap();
        let other = match kind {
            "INTEGER" => format!("coalesce({column} + 100, 7)"),
            "TEXT" => format!("coalesce({column} || 'x', 'x')"),
            _ => format!("x'00' || coalesce({column}, x'')"),
        };
        let other = if kind == "BLOB" { format!("CAST({other} AS BLOB)") } else { other };
        // One row of the table; the last, since the header of the digests is the first.
        let sql = format!(
            "UPDATE {table} SET {column} = {other} WHERE rowid = (SELECT max(rowid) FROM {table})"
        );
        site.tamper(&sql);
        let store = site.store();
        let code = contents(&store).expect_err(&sql).code();
        assert_eq!(code, "database_changed", "{sql}");
        assert_eq!(store.verify().expect_err(&sql).code(), code, "{sql}");
        drop(store);
        fs::write(&site.path, &whole).unwrap();
        assert_eq!(contents(&site.store()).as_ref(), Ok(&right));
    }
}

#[test]
fn a_limit_that_somebody_else_lifted_is_refused_wherever_the_key_is_read() {
    let site = Site::filled();
    site.tamper("UPDATE vending_key SET currency_limit = NULL");
    let mut store = site.store();
    let key = centre_store::vending_key("000123", 1, 1);
    let row = "vending_key supply_group 123, revision 1, generation 1";
    let expected = differs(row, Difference::Changed);
    assert_eq!(store.get::<VendingKeyRecord>(&key.id), Err(expected.clone()));
    let of_group = VendingKeyRecord::of_group(key.id.group);
    assert_eq!(store.list(&of_group, None, 10), Err(expected.clone()));
    let update = Change::Update { row: Row::VendingKey(key), version: 1 };
    assert_eq!(store.commit(&[update]), Err(expected.clone()));
    assert_eq!(
        expected.to_string(),
        "the row vending_key supply_group 123, revision 1, generation 1 was changed from outside"
    );
    // What was not touched can be read.
    assert!(customer(&store).unwrap().is_some());
}

#[test]
fn rows_that_changed_places_are_refused() {
    let site = Site::filled();
    site.tamper(
        "UPDATE customer SET number = 3 - number + 10; UPDATE customer SET number = number - 10",
    );
    assert_eq!(customer(&site.store()), Err(differs("customer number 1", Difference::Changed)));
}

#[test]
fn an_old_row_is_refused_with_both_versions() {
    let site = Site::filled();
    let old = "SELECT * FROM customer WHERE number = 1";
    site.tamper(&format!("CREATE TABLE kept AS {old}"));
    site.change_contact("Mr Other");
    site.tamper("REPLACE INTO customer SELECT * FROM kept");
    let difference = Difference::Older { expected: 2, found: 1 };
    assert_eq!(customer(&site.store()), Err(differs("customer number 1", difference)));
}

#[test]
fn a_row_that_somebody_else_removed_is_missing_from_every_list_that_should_have_it() {
    let site = Site::filled();
    site.tamper("DELETE FROM authorisation WHERE number = 1; DELETE FROM form_step");
    let store = site.store();
    let expected = differs("authorisation number 1", Difference::Missing);
    let number = 1.try_into().unwrap();
    assert_eq!(store.get::<Authorisation>(&number), Err(expected.clone()));
    let of_module = Authorisation::of_module(&centre_store::module("SM-1").id);
    assert_eq!(store.list(&of_module, None, 10), Err(expected.clone()));
    assert_eq!(store.list::<Authorisation>(&Filter::all(), None, 10), Err(expected));
    let step = differs("form_step form 1, place 0", Difference::Missing);
    assert_eq!(store.get::<FormRecord>(&number_of_form()), Err(step));
    // A list after the row does not have it anyway.
    assert_eq!(store.list(&of_module, Some(&number), 10).unwrap().len(), 1);
}

fn number_of_form() -> prepay_kmc::entity::FormNumber {
    centre_store::form(1).number
}

#[test]
fn a_row_that_somebody_else_added_is_refused() {
    let site = Site::filled();
    let columns = "version, supply_group, module, granted_by, granted, valid_until, location, revoked, form, module_fingerprint";
    let added = format!(
        "INSERT INTO authorisation (number, {columns}) SELECT 3, {columns} FROM authorisation WHERE number = 1"
    );
    site.tamper(&added);
    let store = site.store();
    let expected = differs("authorisation number 3", Difference::Added);
    assert_eq!(store.get::<Authorisation>(&3.try_into().unwrap()), Err(expected.clone()));
    let of_module = Authorisation::of_module(&centre_store::module("SM-1").id);
    assert_eq!(store.list(&of_module, None, 10), Err(expected.clone()));
    assert_eq!(store.verify(), Err(expected));
    site.tamper("INSERT INTO journal VALUES (3, 0, 'eve', 'key_made', 'c', 'd')");
    let mut store = site.store();
    let expected = differs("journal sequence 3", Difference::Added);
    let entry = Change::Journal(centre_store::entry(3, "third"));
    assert_eq!(store.commit(&[entry]), Err(expected));
}

#[test]
fn a_row_that_moved_to_another_module_is_in_no_list_of_either() {
    let site = Site::filled();
    site.tamper("UPDATE authorisation SET module = 'SM-2' WHERE number = 1");
    let store = site.store();
    for (module, difference) in [("SM-1", Difference::Missing), ("SM-2", Difference::Added)] {
        let list = Authorisation::of_module(&centre_store::module(module).id);
        let expected = differs("authorisation number 1", difference);
        assert_eq!(store.list(&list, None, 10), Err(expected), "{module}");
    }
}

#[test]
fn an_old_database_is_refused_as_such() {
    let site = Site::filled();
    let old = fs::read(&site.path).unwrap();
    site.change_contact("Mr Other");
    let new = fs::read(&site.path).unwrap();
    fs::write(&site.path, &old).unwrap();
    let expected = StoreError::OtherState { expected: 2, found: 1 };
    assert_eq!(customer(&site.store()), Err(expected.clone()));
    assert_eq!(site.store().commit(&[]), Err(expected.clone()));
    assert_eq!(
        expected.to_string(),
        "the database is older than the vault: expected state 2, found 1"
    );
    fs::write(&site.path, &new).unwrap();
    assert!(customer(&site.store()).is_ok());
    // An empty database, and one of another centre.
    let other = Site::filled();
    other.change_contact("Ms Third");
    fs::write(&site.path, fs::read(&other.path).unwrap()).unwrap();
    assert_eq!(customer(&site.store()), Err(StoreError::OtherState { expected: 2, found: 2 }));
    fs::remove_file(&site.path).unwrap();
    drop(SqliteCentreStore::create(&site.path).unwrap());
    assert_eq!(customer(&site.store()), Err(StoreError::OtherState { expected: 2, found: 0 }));
}

#[test]
fn sampled_bits_of_a_small_database_are_right_harmless_or_refused() {
    flip(2_003);
}

/// Set `PREPAY_BIT_STEP=1` for every bit, which takes about 25 minutes.
#[test]
#[ignore = "long: a bit of every byte; PREPAY_BIT_STEP for others"]
fn every_byte_of_a_small_database_is_right_harmless_or_refused() {
    let step = std::env::var("PREPAY_BIT_STEP");
    flip(step.map_or(7, |step| step.parse().expect("a number of bits")));
}

/// Flips one bit after the other, in steps, and reads everything each time. Small pages leave few bytes unused.
fn flip(step: usize) {
    let site = Site::filled();
    let shrink = "PRAGMA journal_mode = DELETE; PRAGMA page_size = 512; VACUUM";
    Connection::open(&site.path).unwrap().execute_batch(shrink).unwrap();
    let whole = fs::read(&site.path).unwrap();
    let memory = Path::new("/dev/shm");
    let folder =
        if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let other = folder.path().join("changed.db");
    let read = |bytes: &[u8]| {
        fs::write(&other, bytes).unwrap();
        let store = SqliteCentreStore::look(&other).map_err(|error| error.to_string())?;
        let store = AuthenticatedStore::new(store, site.module);
        contents(&store).map_err(|error| error.to_string())
    };
    let right = read(&whole);
    assert!(right.is_ok(), "{right:?}");
    let (mut refused, mut flipped) = (0, 0);
    for bit in (0..whole.len() * 8).step_by(step) {
        let mut changed = whole.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let found = read(&changed);
        refused += usize::from(found.is_err());
        flipped += 1;
        assert!(found.is_err() || found == right, "bit {bit} silently changed a row");
    }
    println!("{refused} of {flipped} bits refused, the others harmless");
    assert!(refused > flipped / 4, "{refused} of {flipped}");
}

#[test]
fn a_database_of_an_earlier_version_is_adopted_as_it_was_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("centre.db");
    let module = centre_store::own_module();
    let mut plain = SqliteCentreStore::create(&path).unwrap();
    plain
        .commit(&centre_store::all_rows().into_iter().map(Change::Insert).collect::<Vec<_>>())
        .unwrap();
    let right = contents(&plain).unwrap();
    let mut store = AuthenticatedStore::new(plain, module);
    assert_eq!(contents(&store).unwrap_err().code(), "database_changed", "the module knows no row");
    let shown = store.assess().unwrap();
    assert_eq!(shown.tables.iter().find(|(name, _)| *name == "customer"), Some(&("customer", 1)));
    let mut other = shown.state.digest;
    other[0] ^= 1;
    assert_eq!(store.adopt(&other).unwrap_err().code(), "database_other");
    free(&path).execute_batch("UPDATE vending_key SET currency_limit = NULL").unwrap();
    assert_eq!(store.adopt(&shown.state.digest).unwrap_err().code(), "database_other");
    free(&path).execute_batch("UPDATE vending_key SET currency_limit = 1000000").unwrap();
    assert_eq!(store.adopt(&shown.state.digest), Ok(shown.state));
    assert_eq!(contents(&store), Ok(right));
    assert_eq!(store.verify(), Ok(shown));
    store.commit(&[Change::Journal(centre_store::entry(1, "after"))]).unwrap();
}

/// Counts the rows that are read.
struct Counting<S> {
    store: S,
    rows: Cell<usize>,
}

struct Counted<'a, T> {
    tables: T,
    rows: &'a Cell<usize>,
}

impl<T: Deref<Target: Tables>> Tables for Counted<'_, T> {
    fn select(&self, table: &Table, query: &Query<'_>) -> Result<Vec<Vec<Value>>, StoreError> {
        let rows = self.tables.select(table, query)?;
        self.rows.set(self.rows.get() + rows.len());
        Ok(rows)
    }
}

impl<T: DerefMut<Target: WriteTables>> WriteTables for Counted<'_, T> {
    fn put(&mut self, table: &Table, row: &[Value]) -> Result<(), StoreError> {
        self.tables.put(table, row)
    }
}

impl<S: CentreStore> CentreStore for Counting<S> {
    fn read<T>(
        &self,
        act: impl FnOnce(&dyn Tables) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.store.read(|tables| act(&Counted { tables, rows: &self.rows }))
    }

    fn write(
        &mut self,
        act: impl FnOnce(&mut dyn WriteTables) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.store.write(|tables| act(&mut Counted { tables, rows: &self.rows }))
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.store.sync()
    }
}

#[test]
fn a_centre_with_ten_thousand_keys_reads_a_few_rows_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("centre.db");
    let mut plain = SqliteCentreStore::create(&path).unwrap();
    plain
        .commit(&centre_store::all_rows().into_iter().map(Change::Insert).collect::<Vec<_>>())
        .unwrap();
    // Each group has keys of three revisions.
    let many = |table: &str, columns: &str, of_number: &str, count: u32| {
        format!(
            "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})
             INSERT INTO {table} ({of_number}, {columns}) SELECT {}, {columns} FROM {table}, n;",
            if of_number == "code" { "1000 + n" } else { "1000 + (n + 2) / 3, (n - 1) % 3 + 1" },
        )
    };
    let groups = many(
        "supply_group",
        "version, key_type, owner, name, area, service, cluster, created",
        "code",
        3334,
    );
    let columns = "generation, version, state, key_type, algorithm, expiry, base_date, activation, expires, \
        refresh_days, unit_limit, currency_limit, sub_classes, check_value, created, ended, form";
    let keys = many("vending_key", columns, "supply_group, revision", 10_000);
    free(&path).execute_batch(&format!("{groups}{keys}")).unwrap();
    let counting = Counting { store: plain, rows: Cell::new(0) };
    let mut store = AuthenticatedStore::new(counting, centre_store::own_module());
    let shown = store.assess().unwrap();
    assert_eq!(
        shown.tables.iter().find(|(name, _)| *name == "vending_key"),
        Some(&("vending_key", 10_001))
    );
    store.adopt(&shown.state.digest).unwrap();
    let count = |store: &AuthenticatedStore<'_, Counting<_>>| store.unauthenticated().rows.take();
    count(&store);

    let mut key = centre_store::vending_key("002500", 2, 1);
    assert_eq!(store.get::<VendingKeyRecord>(&key.id).unwrap().unwrap().row, key);
    let read = count(&store);
    assert!(read < 8, "one row: {read} rows read");
    assert_eq!(store.list(&VendingKeyRecord::of_group(key.id.group), None, 1000).unwrap().len(), 3);
    let read = count(&store);
    assert!(read < 16, "the keys of a group: {read} rows read");
    let missing = centre_store::vending_key("009999", 1, 1);
    assert_eq!(store.get::<VendingKeyRecord>(&missing.id), Ok(None));
    let read = count(&store);
    assert!(read < 8, "a row that is not there: {read} rows read");
    key.refresh_days = 30;
    let changes = [
        Change::Update { row: Row::VendingKey(key), version: 1 },
        Change::Journal(centre_store::entry(1, "refreshed")),
    ];
    store.commit(&changes).unwrap();
    let read = count(&store);
    assert!(read < 40, "a change: {read} rows read");
}
