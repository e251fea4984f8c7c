//! A store whose every row is authenticated: by a tree of digests beside the rows, whose own digest the centre's module
//! seals.
//!
//! Whatever is read is compared with the tree, lists too: a row that was changed, put back, removed or added by anybody
//! else is refused by name. Only what is read is compared; [`AuthenticatedStore::verify`] compares everything.
//!
//! # A change
//!
//! ```text
//!  module                             store
//!                                     changes and tree written in a transaction, not yet durable
//!  next state announced, durable
//!                                     transaction durable
//!  next state settled, durable
//! ```
//!
//! Between the announcement and the end both states are right, so that a crash leaves one of them: everything before the
//! change, or everything after. The first write after a crash settles on the one that it finds, once that is durable.
//!
//! - Elsewhere: the tree (`tree.rs`), what the module seals ([`ExpectedDatabase`]).

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::ops::{Deref, DerefMut};

use prepay_basics::codec::Writer;
use prepay_kmc_module::{CentreModule, DatabaseState, ExpectedDatabase};
use sha2::{Digest as _, Sha256};

use super::schema::TABLES;
use super::tree::{self, Entry, Span, Tree, write_value};
use super::{
    CentreStore, Difference, Order, PAGE, Query, StoreError, Table, Tables, Value, WriteTables,
};

/// A store whose every row is authenticated by a centre's module. Whatever is read is compared, lists too; how is in
/// `docs/formats/centre-database.md`.
pub struct AuthenticatedStore<'a, S> {
    rows: S,
    module: &'a dyn CentreModule,
}

/// What a store has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// Its state.
    pub state: DatabaseState,
    /// The tables, each with its name and how many rows it has.
    pub tables: Vec<(&'static str, u64)>,
}

impl<'a, S: CentreStore> AuthenticatedStore<'a, S> {
    /// Authenticates a store by a module.
    pub const fn new(rows: S, module: &'a dyn CentreModule) -> Self {
        Self { rows, module }
    }

    /// The store without authentication: what it says may be anything.
    pub const fn unauthenticated(&self) -> &S {
        &self.rows
    }

    /// The store without authentication.
    pub fn into_unauthenticated(self) -> S {
        self.rows
    }

    /// Settles on the state that an interrupted change left. Without one this does nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherState`], [`StoreError::NotAdopted`], [`StoreError::Module`], [`StoreError::Fault`].
    pub fn settle(&mut self) -> Result<(), StoreError> {
        let expected = self.module.database()?;
        if expected.next.is_none() {
            return Ok(());
        }
        self.rows.sync()?;
        let state = self.rows.read(|tables| Ok(Tree::open(tables, &expected)?.1))?;
        Ok(self.module.settle_database(state)?)
    }

    /// Compares every row with the tree, and the tree with the module.
    ///
    /// # Errors
    ///
    /// As [`verify`].
    pub fn verify(&self) -> Result<Inventory, StoreError> {
        verify(&self.rows, &self.module.database()?)
    }

    /// What the store would have if it were adopted as it is. Changes nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Fault`], [`StoreError::Damaged`], [`StoreError::Module`].
    pub fn assess(&self) -> Result<Inventory, StoreError> {
        let latest = self.latest_number()?;
        self.rows.read(|tables| Ok(grow(tables, latest)?.0))
    }

    /// Adopts the store as it is: from now on these rows are right. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`StoreError::OtherContents`] if the digest is not the one of [`AuthenticatedStore::assess`], so that nothing is
    /// adopted but what was looked at; [`StoreError::Fault`], [`StoreError::Damaged`], [`StoreError::Module`].
    pub fn adopt(&mut self, assessed: &[u8; 32]) -> Result<DatabaseState, StoreError> {
        let (module, latest) = (self.module, self.latest_number()?);
        let mut adopted = DatabaseState::EMPTY;
        self.rows.write(|tables| {
            let (Inventory { state, .. }, nodes) = grow(tables, latest)?;
            if state.digest != *assessed {
                let (expected, found) = (*assessed, state.digest);
                return Err(StoreError::OtherContents { expected, found });
            }
            tree::write(tables, nodes)?;
            adopted = state;
            Ok(module.adopt_database(state)?)
        })?;
        module.settle_database(adopted)?;
        Ok(adopted)
    }

    /// The number of the latest state that the module knows.
    fn latest_number(&self) -> Result<u64, StoreError> {
        let expected = self.module.database()?;
        let numbers = [expected.current, expected.next].into_iter().flatten();
        Ok(numbers.map(|state| state.number).max().unwrap_or_default())
    }
}

/// Compares every row of a store with its tree, and the tree with the states that are expected.
///
/// # Errors
///
/// [`StoreError::Differs`] for the first row that is not right; [`StoreError::OtherState`], [`StoreError::NotAdopted`],
/// [`StoreError::Damaged`], [`StoreError::Fault`].
pub fn verify(
    store: &impl CentreStore,
    expected: &ExpectedDatabase,
) -> Result<Inventory, StoreError> {
    store.read(|tables| {
        let (tree, state) = Tree::open(tables, expected)?;
        let verified = Verified { tree, tables };
        let (mut counts, mut right) = (Vec::new(), 0);
        for table in TABLES {
            let rows = each(&verified, table, |_| Ok(()))?;
            counts.push((table.name, rows));
            right += rows * (1 + table.indexes.len() as u64);
        }
        let everything = Span { limit: usize::MAX, ..Span::default() };
        let entries = verified.tree.list(tables, &everything)?.len() as u64;
        if entries == right {
            return Ok(Inventory { state, tables: counts });
        }
        let problem = format!("the tree of digests: expected {right} entries, found {entries}");
        Err(StoreError::Damaged { problem })
    })
}

impl<S: CentreStore> CentreStore for AuthenticatedStore<'_, S> {
    fn read<T>(
        &self,
        act: impl FnOnce(&dyn Tables) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let expected = self.module.database()?;
        self.rows.read(|tables| act(&Verified { tree: Tree::open(tables, &expected)?.0, tables }))
    }

    fn write(
        &mut self,
        act: impl FnOnce(&mut dyn WriteTables) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.settle()?;
        let module = self.module;
        let expected = module.database()?;
        let mut next = None;
        self.rows.write(|tables| {
            let mut verified = Verified { tree: Tree::open(tables, &expected)?.0, tables };
            act(&mut verified)?;
            let Verified { tables, mut tree } = verified;
            if tree.is_changed() {
                let (state, nodes) = tree.finish();
                tree::write(tables, nodes)?;
                module.announce_database(state)?;
                next = Some(state);
            }
            Ok(())
        })?;
        match next {
            None => Ok(()),
            Some(state) => Ok(module.settle_database(state)?),
        }
    }

    fn sync(&self) -> Result<(), StoreError> {
        self.rows.sync()
    }
}

/// The tables of a store, compared with their tree.
struct Verified<T> {
    tables: T,
    tree: Tree,
}

impl<T: Deref<Target: Tables>> Verified<T> {
    /// The entries of the rows that a query selects.
    fn selected(&self, table: &Table, query: &Query<'_>) -> Result<Vec<Entry>, StoreError> {
        let value = |column: &str| {
            query.equal.iter().find(|(name, _)| *name == column).map(|(_, value)| value.clone())
        };
        let of_key: Vec<Value> = table.columns().take(table.key).map_while(value).collect();
        let is_by_key = of_key.len() == query.equal.len();
        let (mut place, rest) = if is_by_key {
            (vec![name(table.name)], of_key)
        } else {
            let index = table.indexes.iter().find_map(|index| {
                let values: Vec<Value> = index.iter().copied().map_while(value).collect();
                let is_it = [index.len(), values.len()] == [query.equal.len(); 2];
                is_it.then(|| index_place(table, index, &values))
            });
            let no_index = || StoreError::Fault {
                problem: format!("{}: no index for this query", table.name),
            };
            (index.ok_or_else(no_index)?, Vec::new())
        };
        let skipped = place.len();
        let after = (!query.after.is_empty()).then(|| [&place, query.after].concat());
        place.extend(rest);
        let (order, limit) = (query.order, query.limit);
        let span = Span { prefix: &place, after: after.as_deref(), order, limit };
        let found = self.tree.list(&*self.tables, &span)?;
        if is_by_key {
            return Ok(found);
        }
        let row = |entry: Entry| {
            let key = [&[name(table.name)], &entry.key[skipped..]].concat();
            let row = self.tree.get(&*self.tables, &key)?;
            row.ok_or_else(|| differs(table, &key[1..], Difference::Missing))
        };
        found.into_iter().map(row).collect()
    }
}

impl<T: Deref<Target: Tables>> Tables for Verified<T> {
    fn select(&self, table: &Table, query: &Query<'_>) -> Result<Vec<Vec<Value>>, StoreError> {
        let expected = self.selected(table, query)?;
        let found = self.tables.select(table, query)?;
        let mut rows = found.iter();
        for entry in &expected {
            let key = &entry.key[1..];
            let missing = || differs(table, key, Difference::Missing);
            let row = rows.next().ok_or_else(missing)?;
            let found = &row[..table.key];
            match (found.cmp(key), query.order) {
                (Ordering::Equal, _) => check(table, row, entry)?,
                (Ordering::Less, Order::Rising) | (Ordering::Greater, Order::Falling) => {
                    return Err(differs(table, found, Difference::Added));
                }
                _ => return Err(missing()),
            }
        }
        match rows.next() {
            None => Ok(found),
            Some(row) => Err(differs(table, &row[..table.key], Difference::Added)),
        }
    }
}

impl<T: DerefMut<Target: WriteTables>> WriteTables for Verified<T> {
    fn put(&mut self, table: &Table, row: &[Value]) -> Result<(), StoreError> {
        if !table.indexes.is_empty() {
            let equal: Vec<_> = table.columns().take(table.key).zip(row.iter().cloned()).collect();
            let query = Query { equal: &equal, limit: 1, ..Query::default() };
            for before in self.select(table, &query)? {
                for entry in index_entries(table, &before) {
                    self.tree.remove(&*self.tables, &entry.key)?;
                }
            }
        }
        for entry in entries(table, row) {
            self.tree.put(&*self.tables, entry)?;
        }
        self.tables.put(table, row)
    }
}

/// Shows every row of a table to `act`, in the order of keys. Returns how many there are.
fn each<T: Tables + ?Sized>(
    tables: &T,
    table: &Table,
    mut act: impl FnMut(&[Value]) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let (mut count, mut after) = (0, Vec::new());
    loop {
        let query = Query { after: &after, limit: PAGE, ..Query::default() };
        let page = tables.select(table, &query)?;
        let Some(last) = page.last() else { return Ok(count) };
        after = last[..table.key].to_vec();
        count += page.len() as u64;
        page.iter().try_for_each(|row| act(row))?;
    }
}

/// What the tables have, in a state with the next number, and the nodes of its tree.
fn grow<T: Tables + ?Sized>(
    tables: &T,
    latest: u64,
) -> Result<(Inventory, Vec<[Value; 2]>), StoreError> {
    let mut tree = Tree::new(latest);
    let mut counts = Vec::new();
    for table in TABLES {
        let rows = each(tables, table, |row| {
            entries(table, row).try_for_each(|entry| tree.put(tables, entry))
        })?;
        counts.push((table.name, rows));
    }
    let (state, nodes) = tree.finish();
    Ok((Inventory { state, tables: counts }, nodes))
}

/// Compares a row with its entry.
fn check(table: &Table, row: &[Value], entry: &Entry) -> Result<(), StoreError> {
    if digest(table, row) == entry.digest {
        return Ok(());
    }
    let (expected, found) = (entry.number, version(table, row));
    let difference = match found < expected {
        true => Difference::Older { expected, found },
        false => Difference::Changed,
    };
    Err(differs(table, &row[..table.key], difference))
}

/// All entries of a row.
fn entries(table: &Table, row: &[Value]) -> impl Iterator<Item = Entry> {
    let key = [&[name(table.name)], &row[..table.key]].concat();
    let own = Entry { key, number: version(table, row), digest: digest(table, row) };
    [own].into_iter().chain(index_entries(table, row))
}

/// The entries of a row in the indexes of its table.
fn index_entries(table: &Table, row: &[Value]) -> impl Iterator<Item = Entry> {
    table.indexes.iter().map(move |index| {
        let place = |column: &&str| table.columns().position(|name| name == *column);
        let values = index.iter().filter_map(place).map(|place| row[place].clone());
        let values: Vec<Value> = values.collect();
        let key = [&index_place(table, index, &values), &row[..table.key]].concat();
        Entry { key, number: 0, digest: [0; 32] }
    })
}

/// Where the entries of an index with these values are.
fn index_place(table: &Table, index: &[&str], values: &[Value]) -> Vec<Value> {
    let mut w = Writer::new();
    values.iter().for_each(|value| write_value(&mut w, value));
    let digest = Sha256::digest(w.as_slice()).to_vec();
    vec![name(&format!("{}.{}", table.name, index.join("."))), Value::Bytes(digest)]
}

fn name(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The digest of a row: of each column that has a value, its name and its value. So a column that is added later changes
/// no digest.
fn digest(table: &Table, row: &[Value]) -> [u8; 32] {
    let mut w = Writer::with_capacity(1024);
    for (column, value) in table.columns().zip(row).filter(|(_, value)| **value != Value::Null) {
        w.text(column);
        write_value(&mut w, value);
    }
    Sha256::digest(w.as_slice()).into()
}

/// The version of a row; 0 in a table without versions.
fn version(table: &Table, row: &[Value]) -> u64 {
    match (table.columns().last(), row.last()) {
        (Some("version"), Some(Value::Number(version))) => *version,
        _ => 0,
    }
}

fn differs(table: &Table, key: &[Value], difference: Difference) -> StoreError {
    let mut row = table.name.to_owned();
    for (place, (column, value)) in table.columns().zip(key).enumerate() {
        let comma = if place == 0 { "" } else { "," };
        let _ = match value {
            Value::Null => write!(row, "{comma} {column}"),
            Value::Number(number) => write!(row, "{comma} {column} {number}"),
            Value::Text(text) => write!(row, "{comma} {column} {text}"),
            Value::Bytes(bytes) => {
                write!(row, "{comma} {column} {}", base16ct::lower::encode_string(bytes))
            }
        };
    }
    StoreError::Differs { row, difference }
}
