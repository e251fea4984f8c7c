//! Which crate stands on which floor. Data only; what follows from it is in the rules.
//!
//! A new crate gets a line here first. The map with reasons is `ARCHITECTURE.md`.

/// Where a crate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On a floor: it may use crates of every lower floor.
    Floor(u8),
    /// Beside the house, for tests: others may use it as a dev-dependency only.
    Testkit,
    /// Beside the house, for chores: nobody may use it.
    Chores,
}

/// Every crate of the workspace, from the ground up.
const PLACES: &[(&str, Place)] = &[
    // Ciphers.
    ("prepay-cipher", Place::Floor(0)),
    // The standard: data elements, keys and tokens.
    ("prepay-token", Place::Floor(1)),
    // Domain and codecs.
    ("prepay-meter", Place::Floor(2)),
    ("prepay-module", Place::Floor(2)),
    ("prepay-dlms", Place::Floor(2)),
    // Flows.
    ("prepay-vend", Place::Floor(3)),
    ("prepay-kmc", Place::Floor(3)),
    ("prepay-conform", Place::Floor(3)),
    // Doors and storage.
    ("prepay-http", Place::Floor(4)),
    ("prepay-store", Place::Floor(4)),
    ("prepay-vault", Place::Floor(4)),
    ("prepay-forms", Place::Floor(4)),
    ("prepay-lab", Place::Floor(4)),
    ("prepay-thrift", Place::Floor(4)),
    ("prepay-smlink", Place::Floor(4)),
    ("prepay-dlms-net", Place::Floor(4)),
    ("prepay-xmlvend", Place::Floor(4)),
    // Programs.
    ("prepay", Place::Floor(5)),
    // Beside the house.
    ("prepay-testkit", Place::Testkit),
    ("xtask", Place::Chores),
];

/// Where the crate with this name stands, when the table knows it.
pub(super) fn place(name: &str) -> Option<Place> {
    PLACES.iter().find(|(known, _)| *known == name).map(|(_, place)| *place)
}

/// The floor of the crate with this name, when it stands on one.
pub(super) fn floor(name: &str) -> Option<u8> {
    match place(name)? {
        Place::Floor(floor) => Some(floor),
        Place::Testkit | Place::Chores => None,
    }
}
