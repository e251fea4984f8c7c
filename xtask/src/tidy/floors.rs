//! The floor of each crate. Data only; the rules use it.
//!
//! Add a new crate here first. `ARCHITECTURE.md` gives the reasons.

/// The place of a crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On a floor: it may use crates of every lower floor.
    Floor(u8),
    /// Outside the floors, for tests: others may use it as a dev-dependency only.
    Testkit,
    /// Outside the floors, for chores: nobody may use it.
    Chores,
}

/// The highest floor below the doors: domain and flows. No serialisation of their types, no floats, no network.
pub(super) const FLOWS: u8 = 5;

/// Every crate of the workspace, from the ground up.
const PLACES: &[(&str, Place)] = &[
    // Ciphers.
    ("prepay-cipher", Place::Floor(0)),
    // The standard: data elements, keys and tokens.
    ("prepay-token", Place::Floor(1)),
    // Domain: the meter, and what the vault and key management share.
    ("prepay-basics", Place::Floor(2)),
    ("prepay-meter", Place::Floor(2)),
    // A sealed store over any entries, and the texts of key management.
    ("prepay-vault", Place::Floor(3)),
    ("prepay-kmp", Place::Floor(3)),
    // Security modules.
    ("prepay-module", Place::Floor(4)),
    ("prepay-kmc-module", Place::Floor(4)),
    // Flows.
    ("prepay-kmc", Place::Floor(5)),
    ("prepay-vend", Place::Floor(5)),
    // What doors share.
    ("prepay-records", Place::Floor(6)),
    ("prepay-pages", Place::Floor(6)),
    // Doors and storage.
    ("prepay-lab", Place::Floor(7)),
    ("prepay-session", Place::Floor(7)),
    ("prepay-forms", Place::Floor(7)),
    ("prepay-store", Place::Floor(7)),
    ("prepay-host", Place::Floor(7)),
    // Programs.
    ("prepay", Place::Floor(8)),
    // Outside the floors.
    ("prepay-testkit", Place::Testkit),
    ("xtask", Place::Chores),
];

/// The place of the crate with this name, if the table has it.
pub(super) fn place(name: &str) -> Option<Place> {
    PLACES.iter().find(|(known, _)| *known == name).map(|(_, place)| *place)
}

/// The floor of the crate with this name, if it is on one.
pub(super) fn floor(name: &str) -> Option<u8> {
    match place(name)? {
        Place::Floor(floor) => Some(floor),
        Place::Testkit | Place::Chores => None,
    }
}
