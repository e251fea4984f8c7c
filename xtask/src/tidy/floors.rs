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

/// The highest floor below the doors: domain and flows. No serialisation of their types, no floats, no network.
pub(super) const FLOWS: u8 = 6;

/// Every crate of the workspace, from the ground up.
const PLACES: &[(&str, Place)] = &[
    // Ciphers.
    ("prepay-cipher", Place::Floor(0)),
    // The standard: data elements, keys and tokens.
    ("prepay-token", Place::Floor(1)),
    // Domain: the meter, and what the vault and key management share.
    ("prepay-basics", Place::Floor(2)),
    ("prepay-meter", Place::Floor(2)),
    // Key management texts, and the vault over them.
    ("prepay-kmp", Place::Floor(3)),
    ("prepay-vault", Place::Floor(4)),
    // Security modules.
    ("prepay-module", Place::Floor(5)),
    ("prepay-kmc-module", Place::Floor(5)),
    // Flows.
    ("prepay-kmc", Place::Floor(6)),
    // What doors share.
    ("prepay-records", Place::Floor(7)),
    // Doors and storage.
    ("prepay-lab", Place::Floor(8)),
    ("prepay-forms", Place::Floor(8)),
    ("prepay-store", Place::Floor(8)),
    ("prepay-host", Place::Floor(8)),
    // Programs.
    ("prepay", Place::Floor(9)),
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
