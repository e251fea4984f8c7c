//! The tree of digests: which rows there are, and the digest of each. It is stored beside the rows, in a table of its own;
//! the centre's module seals the digest of the whole.
//!
//! ```text
//!  sealed in the module:  state number, digest of the header
//!                                          │
//!  digest_node 0   header: state number, next free node, digest of the root
//!                                                              │
//!  digest_node 1   root: first key → (node, digest of the node), …
//!                                            │
//!  digest_node n   leaf: key → (version, digest of the row), …
//! ```
//!
//! - A key is the name of a table with the key columns of a row; or the name of an index with the digest of the indexed
//!   values and the key columns of a row. Keys are sorted as values are, so whatever a query selects lies side by side.
//! - A node has at most [`MOST`] entries. One that grows beyond is split in halves. Nodes are never merged.
//! - Every node is checked against the digest in the node above it when it is read. Reading one row takes as many nodes
//!   as the tree is high: four for 100 000 rows.
//!
//! Format of a node: `docs/formats/centre-database.md`.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::rc::Rc;

use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_kmc_module::{DatabaseState, ExpectedDatabase};
use sha2::{Digest as _, Sha256};

use super::schema::NODES;
use super::{Difference, Order, Query, StoreError, Tables, Value, WriteTables};

/// The most entries of a node.
const MOST: usize = 32;

const HEADER: u64 = 0;
const ROOT: u64 = 1;

type Digest = [u8; 32];

/// A key, and what it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: Vec<Value>,
    /// In a leaf: the version of the row, or 0. Above: the number of a node.
    pub(super) number: u64,
    /// Of the row or of the node.
    pub(super) digest: Digest,
}

/// A node, with its entries in the order of their keys.
#[derive(Clone, Debug, Default)]
struct Node {
    is_inner: bool,
    entries: Vec<Entry>,
}

/// The tree, as far as it was read, and its changes that are not written yet.
pub(super) struct Tree {
    number: u64,
    next_node: u64,
    root: Digest,
    nodes: RefCell<HashMap<u64, Rc<Node>>>,
    changed: BTreeSet<u64>,
}

/// Which keys to list.
#[derive(Default)]
pub(super) struct Span<'a> {
    /// Only keys that begin like this.
    pub(super) prefix: &'a [Value],
    /// Only keys after this one.
    pub(super) after: Option<&'a [Value]>,
    pub(super) order: Order,
    pub(super) limit: usize,
}

impl Tree {
    /// An empty tree, in the state with this number.
    pub(super) fn new(number: u64) -> Self {
        let root = Node::default();
        Self {
            number,
            next_node: ROOT + 1,
            root: root.digest(),
            nodes: RefCell::new([(ROOT, Rc::new(root))].into()),
            changed: BTreeSet::new(),
        }
    }

    /// The stored tree, if it is in a state that is expected.
    pub(super) fn open<T: Tables + ?Sized>(
        tables: &T,
        expected: &ExpectedDatabase,
    ) -> Result<(Self, DatabaseState), StoreError> {
        let Some(current) = expected.current else { return Err(StoreError::NotAdopted) };
        let (tree, state) = match contents(tables, HEADER)? {
            None => (Self::new(0), DatabaseState::EMPTY),
            Some(header) => {
                let digest = sha256(&header);
                let tree = Self::read_header(&header).map_err(|_| changed(HEADER))?;
                let number = tree.number;
                (tree, DatabaseState { number, digest })
            }
        };
        if expected.allows(state) {
            return Ok((tree, state));
        }
        Err(StoreError::OtherState { expected: current.number, found: state.number })
    }

    fn read_header(header: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(header);
        let (number, next_node, root) = (r.u64()?, r.u64()?, r.array()?);
        r.finish()?;
        let (nodes, changed) = (RefCell::default(), BTreeSet::new());
        Ok(Self { number, next_node, root, nodes, changed })
    }

    fn header(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u64(self.number);
        w.u64(self.next_node);
        w.array(&self.root);
        w.into_plain()
    }

    /// A node, read and checked unless it is known already.
    fn node<T: Tables + ?Sized>(
        &self,
        tables: &T,
        number: u64,
        digest: &Digest,
    ) -> Result<Rc<Node>, StoreError> {
        if let Some(node) = self.nodes.borrow().get(&number) {
            return Ok(Rc::clone(node));
        }
        let missing = || differs(number, Difference::Missing);
        let contents = contents(tables, number)?.ok_or_else(missing)?;
        if sha256(&contents) != *digest {
            return Err(changed(number));
        }
        let node = Rc::new(Node::read(&contents).map_err(|_| changed(number))?);
        self.nodes.borrow_mut().insert(number, Rc::clone(&node));
        Ok(node)
    }

    /// The entry with a key.
    pub(super) fn get<T: Tables + ?Sized>(
        &self,
        tables: &T,
        key: &[Value],
    ) -> Result<Option<Entry>, StoreError> {
        let mut node = self.node(tables, ROOT, &self.root)?;
        while node.is_inner {
            let Entry { number, digest, .. } = &node.entries[node.child(key)];
            let child = self.node(tables, *number, digest)?;
            node = child;
        }
        Ok(node.find(key).ok().map(|at| node.entries[at].clone()))
    }

    /// The entries within a span.
    pub(super) fn list<T: Tables + ?Sized>(
        &self,
        tables: &T,
        span: &Span<'_>,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut found = Vec::new();
        self.list_below(tables, (ROOT, &self.root), span, &mut found)?;
        Ok(found)
    }

    fn list_below<T: Tables + ?Sized>(
        &self,
        tables: &T,
        (number, digest): (u64, &Digest),
        span: &Span<'_>,
        found: &mut Vec<Entry>,
    ) -> Result<(), StoreError> {
        let node = self.node(tables, number, digest)?;
        let mut places = node.within(span);
        while found.len() < span.limit {
            let next = match span.order {
                Order::Rising => places.next(),
                Order::Falling => places.next_back(),
            };
            let Some(place) = next else { break };
            let entry = &node.entries[place];
            if node.is_inner {
                self.list_below(tables, (entry.number, &entry.digest), span, found)?;
            } else {
                found.push(entry.clone());
            }
        }
        Ok(())
    }

    /// Adds an entry, or replaces the one with its key.
    pub(super) fn put<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        entry: Entry,
    ) -> Result<(), StoreError> {
        let Some(right) = self.put_below(tables, ROOT, &self.root.clone(), entry)? else {
            return Ok(());
        };
        // The root was split. It keeps its number, so its left half takes a new one.
        let left = self.nodes.get_mut().remove(&ROOT).expect("the root was just changed");
        let first = left.entries[0].key.clone();
        let left = Entry { key: first, number: self.add(left), digest: [0; 32] };
        let root = Node { is_inner: true, entries: vec![left, right] };
        self.nodes.get_mut().insert(ROOT, Rc::new(root));
        Ok(())
    }

    /// Adds a new node and returns its number.
    fn add(&mut self, node: Rc<Node>) -> u64 {
        let number = self.next_node;
        self.next_node += 1;
        self.nodes.get_mut().insert(number, node);
        self.changed.insert(number);
        number
    }

    /// Puts an entry below a node. If that splits the node, returns the entry of its right half.
    fn put_below<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        number: u64,
        digest: &Digest,
        entry: Entry,
    ) -> Result<Option<Entry>, StoreError> {
        let mut node = Rc::unwrap_or_clone(self.take(tables, number, digest)?);
        if node.is_inner {
            let place = node.child(&entry.key);
            let Entry { number, digest, .. } = node.entries[place];
            if let Some(right) = self.put_below(tables, number, &digest, entry)? {
                node.entries.insert(place + 1, right);
            }
        } else {
            match node.find(&entry.key) {
                Ok(place) => node.entries[place] = entry,
                Err(place) => node.entries.insert(place, entry),
            }
        }
        let right = (node.entries.len() > MOST).then(|| {
            let entries = node.entries.split_off(node.entries.len() / 2);
            let key = entries[0].key.clone();
            let right = Node { is_inner: node.is_inner, entries };
            // The digests of changed nodes are filled in when they are written.
            Entry { key, number: self.add(Rc::new(right)), digest: [0; 32] }
        });
        self.nodes.get_mut().insert(number, Rc::new(node));
        Ok(right)
    }

    /// Takes a node out, to change it.
    fn take<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        number: u64,
        digest: &Digest,
    ) -> Result<Rc<Node>, StoreError> {
        let node = self.node(tables, number, digest)?;
        self.nodes.get_mut().remove(&number);
        self.changed.insert(number);
        Ok(node)
    }

    /// Removes the entry with a key.
    pub(super) fn remove<T: Tables + ?Sized>(
        &mut self,
        tables: &T,
        key: &[Value],
    ) -> Result<(), StoreError> {
        let (mut number, mut digest) = (ROOT, self.root);
        loop {
            let mut node = Rc::unwrap_or_clone(self.take(tables, number, &digest)?);
            let child = node.is_inner.then(|| node.entries[node.child(key)].clone());
            if let (None, Ok(place)) = (&child, node.find(key)) {
                node.entries.remove(place);
            }
            self.nodes.get_mut().insert(number, Rc::new(node));
            let Some(child) = child else { return Ok(()) };
            (number, digest) = (child.number, child.digest);
        }
    }

    /// Whether anything has changed since the stored state.
    pub(super) fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The next state, with the nodes to write for it.
    pub(super) fn finish(&mut self) -> (DatabaseState, Vec<[Value; 2]>) {
        let mut written = Vec::new();
        self.root = self.digest_changed(ROOT, &mut written);
        self.changed.clear();
        self.number += 1;
        let header = self.header();
        let state = DatabaseState { number: self.number, digest: sha256(&header) };
        written.push([Value::Number(HEADER), Value::Bytes(header)]);
        (state, written)
    }

    /// The digest of a changed node, after those of the changed nodes below it.
    fn digest_changed(&mut self, number: u64, written: &mut Vec<[Value; 2]>) -> Digest {
        let node = self.nodes.get_mut().remove(&number).expect("a changed node is known");
        let mut node = Rc::unwrap_or_clone(node);
        if node.is_inner {
            for entry in &mut node.entries {
                if self.changed.contains(&entry.number) {
                    entry.digest = self.digest_changed(entry.number, written);
                }
            }
        }
        let contents = node.contents();
        let digest = sha256(&contents);
        written.push([Value::Number(number), Value::Bytes(contents)]);
        self.nodes.get_mut().insert(number, Rc::new(node));
        digest
    }
}

/// Writes nodes.
pub(super) fn write(
    tables: &mut dyn WriteTables,
    nodes: Vec<[Value; 2]>,
) -> Result<(), StoreError> {
    nodes.iter().try_for_each(|node| tables.put(NODES, node))
}

/// The stored contents of a node.
fn contents<T: Tables + ?Sized>(tables: &T, number: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let equal = [("node", Value::Number(number))];
    let query = Query { equal: &equal, limit: 1, ..Query::default() };
    match tables.select(NODES, &query)?.pop().and_then(|mut row| row.pop()) {
        None => Ok(None),
        Some(Value::Bytes(contents)) => Ok(Some(contents)),
        Some(_) => Err(changed(number)),
    }
}

fn differs(number: u64, difference: Difference) -> StoreError {
    StoreError::Differs { row: format!("{} {number}", NODES.name), difference }
}

fn changed(number: u64) -> StoreError {
    differs(number, Difference::Changed)
}

fn sha256(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

impl Node {
    /// The place of a key in a leaf, or where it would be.
    fn find(&self, key: &[Value]) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.key.as_slice().cmp(key))
    }

    /// The place of the node below in which a key is. The first one also has all smaller keys.
    fn child(&self, key: &[Value]) -> usize {
        self.entries.partition_point(|entry| entry.key.as_slice() <= key).saturating_sub(1)
    }

    /// The places of the entries in a span, or of the nodes that may have some.
    fn within(&self, span: &Span<'_>) -> Range<usize> {
        let low = span.after.map_or(span.prefix, |after| after.max(span.prefix));
        let is_before =
            |key: &[Value]| key < span.prefix || span.after.is_some_and(|after| key <= after);
        let is_in = |key: &[Value]| key <= span.prefix || key.starts_with(span.prefix);
        let first = match self.is_inner {
            true => self.child(low),
            false => self.entries.partition_point(|entry| is_before(&entry.key)),
        };
        let end = self.entries.partition_point(|entry| is_in(&entry.key));
        first..end.max(first + usize::from(self.is_inner))
    }

    fn contents(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(4096);
        w.bool(self.is_inner);
        w.list(&self.entries, |w, entry| {
            w.list(&entry.key, write_value);
            w.u64(entry.number);
            w.array(&entry.digest);
        });
        w.into_plain()
    }

    fn digest(&self) -> Digest {
        sha256(&self.contents())
    }

    fn read(contents: &[u8]) -> Result<Self, DecodeError> {
        let mut r = Reader::new(contents);
        let is_inner = r.bool()?;
        let entries = r.list(|r| {
            Ok(Entry { key: r.list(read_value)?, number: r.u64()?, digest: r.array()? })
        })?;
        r.finish()?;
        Ok(Self { is_inner, entries })
    }
}

/// Writes a value, so that different values are different bytes.
pub(super) fn write_value(w: &mut Writer, value: &Value) {
    match value {
        Value::Null => w.u8(0),
        Value::Number(number) => {
            w.u8(1);
            w.u64(*number);
        }
        Value::Text(text) => {
            w.u8(2);
            w.bytes(text.as_bytes());
        }
        Value::Bytes(bytes) => {
            w.u8(3);
            w.bytes(bytes);
        }
    }
}

fn read_value(r: &mut Reader<'_>) -> Result<Value, DecodeError> {
    let error = r.error("a value");
    match r.u8()? {
        0 => Ok(Value::Null),
        1 => r.u64().map(Value::Number),
        2 => {
            let text = String::from_utf8(r.bytes()?.to_vec());
            text.map(Value::Text).map_err(|_| error)
        }
        3 => Ok(Value::Bytes(r.bytes()?.to_vec())),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use prepay_testkit::Foreseeable;

    use super::*;
    use crate::store::MemoryStore;

    /// A key of one of three tables, with two columns.
    fn key(table: u64, first: u64, second: u64) -> Vec<Value> {
        vec![
            Value::Text(format!("table {}", table % 3)),
            Value::Number(first % 9),
            Value::Text(second.to_string()),
        ]
    }

    fn entry(key: Vec<Value>, number: u64) -> Entry {
        Entry { key, number, digest: [number as u8; 32] }
    }

    /// A stream of numbers that follow from a name.
    struct Numbers(Foreseeable);

    impl Numbers {
        fn next(&mut self) -> u64 {
            let mut bytes = [0; 8];
            prepay_basics::Entropy::fill(&mut self.0, &mut bytes).unwrap();
            u64::from_be_bytes(bytes)
        }
    }

    /// A store with a tree of many entries, and the same entries in a map.
    fn grown() -> (MemoryStore, ExpectedDatabase, BTreeMap<Vec<Value>, Entry>) {
        let mut numbers = Numbers(Foreseeable::named("tree"));
        let (mut store, mut map) = (MemoryStore::new(), BTreeMap::new());
        let mut expected = ExpectedDatabase::NEW;
        for _ in 0..40 {
            let (mut tree, _) = Tree::open(&store, &expected).unwrap();
            for _ in 0..60 {
                let key = key(numbers.next(), numbers.next(), numbers.next() % 80);
                if numbers.next().is_multiple_of(8) {
                    tree.remove(&store, &key).unwrap();
                    map.remove(&key);
                } else {
                    let entry = entry(key.clone(), numbers.next());
                    tree.put(&store, entry.clone()).unwrap();
                    map.insert(key, entry);
                }
            }
            let (state, nodes) = tree.finish();
            write(&mut store, nodes).unwrap();
            assert!(expected.announce(state));
        }
        assert!(map.len() > 1000, "{}", map.len());
        (store, expected, map)
    }

    #[test]
    fn a_tree_lists_what_a_map_does() {
        let (store, expected, map) = grown();
        let (tree, _) = Tree::open(&store, &expected).unwrap();
        let mut numbers = Numbers(Foreseeable::named("queries"));
        for _ in 0..400 {
            let wanted = key(numbers.next(), numbers.next(), numbers.next() % 80);
            assert_eq!(tree.get(&store, &wanted).unwrap(), map.get(&wanted).cloned(), "{wanted:?}");
            let prefix = &wanted[..(numbers.next() % 4) as usize];
            // A key within the prefix or outside it, stored or not.
            let after = key(numbers.next(), numbers.next(), numbers.next() % 80);
            let after = [None, Some([prefix, &after[prefix.len()..]].concat()), Some(after)]
                [(numbers.next() % 3) as usize]
                .clone();
            let limit = [1, 7, usize::MAX][(numbers.next() % 3) as usize];
            let order = [Order::Rising, Order::Falling][(numbers.next() % 2) as usize];
            let fits = |key: &[Value]| {
                key.starts_with(prefix) && after.as_ref().is_none_or(|after| key > after.as_slice())
            };
            let mut right: Vec<Entry> =
                map.iter().filter(|(key, _)| fits(key)).map(|(_, entry)| entry.clone()).collect();
            if order == Order::Falling {
                right.reverse();
            }
            right.truncate(limit);
            let span = Span { prefix, after: after.as_deref(), order, limit };
            let found = tree.list(&store, &span).unwrap();
            assert_eq!(found, right, "{prefix:?} after {after:?} {order:?} {limit}");
        }
    }

    #[test]
    fn a_changed_node_is_refused_when_it_is_read() {
        let (store, expected, _) = grown();
        let everything = Span { limit: usize::MAX, ..Span::default() };
        let rows = Query { limit: usize::MAX, ..Query::default() };
        let nodes = store.select(NODES, &rows).unwrap();
        assert!(nodes.len() > 40, "{} nodes", nodes.len());
        for node in nodes {
            let Value::Bytes(contents) = &node[1] else { panic!("{node:?}") };
            for other in [contents.len() / 2, contents.len() - 1] {
                let mut bent = contents.clone();
                bent[other] ^= 1;
                let mut changed = store.clone();
                changed.put(NODES, &[node[0].clone(), Value::Bytes(bent)]).unwrap();
                let read = Tree::open(&changed, &expected)
                    .and_then(|(tree, _)| tree.list(&changed, &everything));
                let code = read.expect_err("a node was changed").code();
                let is_header = node[0] == Value::Number(HEADER);
                let right = if is_header { "database_state" } else { "database_changed" };
                assert_eq!(code, right, "{:?}", node[0]);
            }
        }
    }

    #[test]
    fn a_row_is_reached_by_few_nodes() {
        let mut store = MemoryStore::new();
        let mut expected = ExpectedDatabase::NEW;
        let (mut tree, _) = Tree::open(&store, &expected).unwrap();
        for number in 0..20_000 {
            let key = vec![Value::Text("journal".to_owned()), Value::Number(number)];
            tree.put(&store, entry(key, number)).unwrap();
        }
        let (state, nodes) = tree.finish();
        write(&mut store, nodes).unwrap();
        assert!(expected.announce(state));
        for number in [0, 9_999, 19_999, 20_000] {
            let (tree, _) = Tree::open(&store, &expected).unwrap();
            let key = [Value::Text("journal".to_owned()), Value::Number(number)];
            assert_eq!(tree.get(&store, &key).unwrap().is_some(), number < 20_000);
            assert_eq!(tree.nodes.borrow().len(), 4, "nodes read for {number}");
        }
    }
}
