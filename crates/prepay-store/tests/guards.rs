//! The rules that the database itself enforces, whoever writes to it.

use prepay_kmc::store::{CentreStore, Change};
use prepay_store::SqliteCentreStore;
use prepay_testkit::centre_store;
use rusqlite::Connection;

/// Tables whose rows may be updated, each with a column of its primary key.
const UPDATED: &[(&str, &str)] = &[
    ("centre", "one"),
    ("customer", "number"),
    ("signatory", "name"),
    ("supply_group", "code"),
    ("vending_key", "generation"),
    ("authorisation", "number"),
    ("module", "id"),
    ("form", "number"),
];

/// Tables whose rows are only ever inserted, each with a column.
const INSERTED: &[(&str, &str)] = &[
    ("ownership", "since"),
    ("agreement", "slot"),
    ("key_load", "expires"),
    ("loaded_key", "issued_until"),
    ("left_out_key", "place"),
    ("form_step", "at"),
    ("journal", "at"),
];

/// The tables of the digests, whose rows have no version.
const DIGESTS: &[(&str, &str)] = &[("digest_node", "node")];

/// (statement, part of the error). Updates raise the version, so that nothing else is wrong with them.
const CASES: &[(&str, &str)] = &[
    ("UPDATE centre SET version = version + 1, next_form = 1000000", "CHECK"),
    ("UPDATE centre SET version = version + 1, created = -1", "CHECK"),
    ("UPDATE customer SET version = version + 1, created = 'now'", "cannot store TEXT"),
    ("UPDATE customer SET version = version + 1, contact = NULL", "NOT NULL"),
    ("UPDATE customer SET version = version + 1, form = 77", "FOREIGN KEY"),
    ("UPDATE customer SET version = version + 1, contact = printf('%201d', 1)", "CHECK"),
    ("UPDATE signatory SET version = version + 1, customer = 77", "FOREIGN KEY"),
    ("UPDATE signatory SET version = version + 1, public_key = printf('%8193d', 1)", "CHECK"),
    ("UPDATE supply_group SET version = version + 1, owner = 77", "FOREIGN KEY"),
    ("UPDATE supply_group SET version = version + 1, key_type = 0", "CHECK"),
    ("UPDATE supply_group SET version = version + 1, key_type = 4", "CHECK"),
    ("UPDATE supply_group SET version = version + 1, service = 'steam'", "CHECK"),
    ("UPDATE supply_group SET version = version + 1, cluster = 65536", "CHECK"),
    ("UPDATE vending_key SET version = version + 1, base_date = 2000", "CHECK"),
    ("UPDATE vending_key SET version = version + 1, state = 'lost'", "CHECK"),
    ("UPDATE vending_key SET version = version + 1, algorithm = 1", "CHECK"),
    ("UPDATE vending_key SET version = version + 1, expiry = 256", "CHECK"),
    ("UPDATE vending_key SET version = version + 1, refresh_days = 0", "CHECK"),
    ("UPDATE vending_key SET version = version + 1, refresh_days = 36501", "CHECK"),
    ("UPDATE vending_key SET version = version + 1, unit_limit = 4294967296", "CHECK"),
    ("UPDATE vending_key SET version = version + 1, check_value = 'AB'", "CHECK"),
    ("UPDATE vending_key SET version = version + 1, form = 77", "FOREIGN KEY"),
    ("UPDATE authorisation SET version = version + 1, granted_by = 'nobody'", "FOREIGN KEY"),
    ("UPDATE authorisation SET version = version + 1, supply_group = 77", "FOREIGN KEY"),
    ("UPDATE module SET version = version + 1, firmware = x'00'", "cannot store BLOB"),
    ("UPDATE form SET version = version + 1, digest = x'00'", "CHECK"),
    ("UPDATE form SET version = version + 1, state = 'lost'", "CHECK"),
    ("UPDATE form SET version = version + 1, document = printf('%65537d', 1)", "CHECK"),
    ("UPDATE form SET version = version + 1, document = char(0) || printf('%65536d', 1)", "CHECK"),
    ("INSERT INTO form_step VALUES (1, 9, 'lost', 0, 'a', '')", "CHECK"),
    ("INSERT INTO form_step VALUES (77, 0, 'done', 0, 'a', '')", "FOREIGN KEY"),
    ("INSERT INTO ownership VALUES (77, 1, 1, 1, 0, NULL)", "FOREIGN KEY"),
    ("INSERT INTO ownership VALUES (123, 0, 1, 1, 0, NULL)", "CHECK"),
    ("INSERT INTO ownership VALUES (123, 9, 2, 1, 0, NULL)", "CHECK"),
    ("INSERT INTO agreement VALUES ('nobody', zeroblob(32), 1, 0, 0)", "FOREIGN KEY"),
    ("INSERT INTO agreement VALUES ('SM-1', zeroblob(31), 1, 0, 0)", "CHECK"),
    ("INSERT INTO digest_node VALUES (-1, x'00')", "CHECK"),
    ("INSERT INTO journal VALUES (1, 0, 'a', 'b', 'c', 'd')", "no gap"),
    ("INSERT INTO journal VALUES (3, 0, 'a', 'b', 'c', 'd')", "no gap"),
    ("REPLACE INTO journal VALUES (1, 0, 'a', 'b', 'c', 'd')", "no gap"),
];

/// (table to copy a row of, what to change in the copy, columns that the error names)
const UNIQUE: &[(&str, &str, &str)] = &[
    ("signatory", "name = 'other'", "signatory.public_key"),
    ("module", "id = 'SM-9'", "module.fingerprint"),
    ("vending_key", "generation = 9", "vending_key.supply_group, vending_key.revision"),
    ("key_load", "serial = 9", "key_load.module, key_load.nonce"),
    ("loaded_key", "place = 9", "loaded_key.serial, loaded_key.supply_group"),
    ("form", "number = 9", "form.digest"),
];

/// A database with a row in every table, and foreign keys on, as our own connections have them.
fn filled() -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("centre.db");
    let mut store = SqliteCentreStore::create(&path).unwrap();
    let rows = centre_store::all_rows().into_iter().map(Change::Insert).collect::<Vec<_>>();
    store.commit(&rows).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "foreign_keys", true).unwrap();
    let more = "INSERT INTO journal VALUES (1, 0, 'a', 'centre_created', 'c', 'd');
        INSERT INTO left_out_key SELECT serial, 8, supply_group, revision, generation, 'no_room'
        FROM loaded_key WHERE NOT EXISTS (SELECT 1 FROM left_out_key) LIMIT 1;
        INSERT INTO digest_node VALUES (0, x'00');";
    connection.execute_batch(more).unwrap();
    (folder, connection)
}

fn refuses(connection: &Connection, statement: &str, expected: &str) {
    let said = connection.execute(statement, []).expect_err(statement).to_string();
    assert!(said.contains(expected), "{statement}: {said}");
}

#[test]
fn values_outside_the_schema_are_refused() {
    let (_folder, connection) = filled();
    for (statement, expected) in CASES {
        refuses(&connection, statement, expected);
    }
}

#[test]
fn nothing_is_deleted() {
    let (_folder, connection) = filled();
    for (table, _) in UPDATED.iter().chain(INSERTED).chain(DIGESTS) {
        let expected =
            if *table == "journal" { "only ever added to" } else { "nothing is deleted" };
        refuses(&connection, &format!("DELETE FROM {table}"), expected);
    }
}

#[test]
fn an_update_raises_the_version_by_one_and_keeps_the_key() {
    let (_folder, connection) = filled();
    for (table, key) in UPDATED {
        for version in ["version", "version + 2", "version - 1", "0"] {
            let statement = format!("UPDATE {table} SET version = {version}");
            refuses(&connection, &statement, "rises by 1");
        }
        let rename = format!("UPDATE {table} SET version = version + 1, {key} = 8");
        refuses(&connection, &rename, "a key stays");
        let update = format!("UPDATE {table} SET version = version + 1");
        assert!(connection.execute(&update, []).unwrap() > 0, "{table}");
    }
}

#[test]
fn insert_only_rows_are_neither_changed_nor_replaced() {
    let (_folder, connection) = filled();
    for (table, column) in INSERTED {
        refuses(&connection, &format!("UPDATE {table} SET {column} = 1"), "only ever added to");
        let expected = if *table == "journal" { "no gap" } else { "only ever added to" };
        refuses(&connection, &format!("REPLACE INTO {table} SELECT * FROM {table}"), expected);
    }
}

#[test]
fn unique_columns_refuse_a_second_row() {
    let (_folder, connection) = filled();
    for (table, other, expected) in UNIQUE {
        let make = format!("CREATE TEMP TABLE copied AS SELECT * FROM {table} LIMIT 1");
        connection.execute_batch(&make).unwrap();
        connection.execute(&format!("UPDATE copied SET {other}"), []).unwrap();
        let statement = format!("INSERT INTO {table} SELECT * FROM copied");
        refuses(&connection, &statement, &format!("UNIQUE constraint failed: {expected}"));
        connection.execute_batch("DROP TABLE copied").unwrap();
    }
}

#[test]
fn every_table_is_strict_and_tested_here() {
    let (_folder, connection) = filled();
    let sql =
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'";
    let tables = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    for table in tables(sql) {
        let tried = UPDATED.iter().chain(INSERTED).chain(DIGESTS).any(|(name, _)| *name == table);
        assert!(tried, "{table}");
        let rows = format!("SELECT count(*) FROM {table}");
        assert_ne!(connection.query_row(&rows, [], |row| row.get(0)), Ok(0), "{table}");
    }
    assert_eq!(tables(&format!("{sql} AND strict = 0")), Vec::<String>::new());
}
