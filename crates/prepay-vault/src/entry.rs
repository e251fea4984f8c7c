//! The entries of the audit log, typed: one for everything that a vault does.
//!
//! Each kind of entry has a number, whose meaning never changes, a name, and fields. A field is never a secret or a
//! whole token. Kinds 1 to 99 are the vault's own, listed here; the owner of a vault declares more with
//! [`entries!`](crate::entries).
//!
//! - Form: `docs/formats/audit-log.md`.
//! - Elsewhere: time, people, sequence and chain (`record.rs`).

use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Identifier, Moment};

use crate::Role;

/// The first kind that an owner may use.
const FIRST_OF_OWNER: u16 = 100;

/// Kinds of entries in an audit log.
pub trait Entries: Sized {
    /// The number of its kind.
    fn kind(&self) -> u16;

    /// The name of its kind.
    fn name(&self) -> &'static str;

    /// Its fields, by name, for people to read.
    fn fields(&self) -> Vec<(&'static str, String)>;

    /// Writes the fields, without the kind.
    fn encode(&self, writer: &mut Writer);

    /// Reads the fields of a kind.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the kind is unknown or the fields are wrong.
    fn decode(kind: u16, reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// What happened, to the vault itself or to its contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry<E> {
    /// To the vault itself.
    Vault(VaultEntry),
    /// To its contents.
    Owner(E),
}

impl<E: Entries> Entries for Entry<E> {
    fn kind(&self) -> u16 {
        match self {
            Self::Vault(entry) => entry.kind(),
            Self::Owner(entry) => entry.kind(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Vault(entry) => entry.name(),
            Self::Owner(entry) => entry.name(),
        }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Vault(entry) => entry.fields(),
            Self::Owner(entry) => entry.fields(),
        }
    }

    fn encode(&self, writer: &mut Writer) {
        match self {
            Self::Vault(entry) => entry.encode(writer),
            Self::Owner(entry) => entry.encode(writer),
        }
    }

    fn decode(kind: u16, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if kind < FIRST_OF_OWNER {
            VaultEntry::decode(kind, reader).map(Self::Vault)
        } else {
            E::decode(kind, reader).map(Self::Owner)
        }
    }
}

/// Declares kinds of entries, as an enum whose variants have a number, a name, and
/// [`Field`](prepay_basics::Field)s.
///
/// ```
/// prepay_vault::entries! {
///     /// What happened to a till.
///     pub enum TillEntry {
///         /// Money was put in.
///         100 PaidIn "paid_in" {
///             /// How much.
///             amount: u64,
///         }
///     }
/// }
/// ```
#[macro_export]
macro_rules! entries {
    ($(#[$enum_doc:meta])* $visibility:vis enum $name:ident {
        $($(#[$doc:meta])* $kind:literal $variant:ident $text:literal {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        })*
    }) => {
        $(#[$enum_doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        $visibility enum $name {
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl $crate::Entries for $name {
            fn kind(&self) -> u16 {
                match self {
                    $(Self::$variant { .. } => $kind,)*
                }
            }

            fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $text,)*
                }
            }

            fn fields(&self) -> Vec<(&'static str, String)> {
                match self {
                    $(Self::$variant { $($field,)* } => {
                        vec![$((stringify!($field), $crate::Field::show($field)),)*]
                    })*
                }
            }

            fn encode(&self, writer: &mut $crate::codec::Writer) {
                match self {
                    $(Self::$variant { $($field,)* } => {
                        let _ = &writer;
                        $($crate::Field::write($field, writer);)*
                    })*
                }
            }

            fn decode(
                kind: u16,
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                match kind {
                    $($kind => Ok(Self::$variant { $($field: $crate::Field::read(reader)?,)* }),)*
                    _ => Err(reader.error("a known kind of entry")),
                }
            }
        }
    };
}

entries! {
    /// What happened to the vault itself.
    pub enum VaultEntry {
        /// The vault was made.
        1 Created "created" {
            /// Its name.
            name: Identifier,
            /// What kind of vault it is.
            what: String,
            /// Whether it is for tests only.
            insecure_test: bool,
        }
        /// A person signed in.
        2 SignedIn "signed_in" {
            /// In which role.
            role: Role,
        }
        /// A sign-in failed.
        3 SignInFailed "sign_in_failed" {
            /// The name used; `None` for an unknown name.
            user: Option<Identifier>,
            /// How many failures in a row there are.
            failures: u32,
            /// Until when sign-in under this name is refused.
            wait_until: Moment,
        }
        /// A person was added.
        4 UserAdded "user_added" {
            /// Who.
            user: Identifier,
            /// Which role.
            role: Role,
        }
        /// A person was removed.
        5 UserRemoved "user_removed" {
            /// Who.
            user: Identifier,
            /// Which role it was.
            role: Role,
        }
        /// A person's passphrase was replaced.
        6 PassphraseChanged "passphrase_changed" {
            /// Whose.
            user: Identifier,
        }
        /// What unlocks the vault was replaced.
        7 ProtectorChanged "protector_changed" {
            /// The kind of the new protector.
            protector: String,
        }
        /// A back-up was made.
        8 BackedUp "backed_up" {
            /// The last entry before it, whose effect it has.
            sequence: u64,
        }
        /// The vault was made from a back-up.
        9 Restored "restored" {
            /// The vault that was backed up.
            vault: [u8; 16],
            /// When.
            backed_up: Moment,
            /// Whether two custodians accepted the limits as they were then.
            limits_accepted: bool,
        }
        /// The torn end of the log, from an interrupted write, was cut off. It was never acknowledged.
        10 LogCut "log_cut" {
            /// How many bytes.
            bytes: u64,
        }
        /// The clock was behind the latest time that the vault had seen. Waits that began later were shortened.
        11 ClockBack "clock_back" {
            /// The latest time seen.
            from: Moment,
            /// The time of the clock.
            to: Moment,
        }
        /// Two custodians accepted the time of a clock that was behind.
        12 ClockAccepted "clock_accepted" {
            /// The latest time seen.
            from: Moment,
            /// The time accepted.
            to: Moment,
        }
        /// The log or its head was damaged, and two custodians let the log go on after what was right.
        13 Repaired "repaired" {
            /// The last entry that was right.
            last: u64,
            /// How many entries after it were known and are lost.
            lost: u64,
            /// Whether nobody can know that no other entries were lost, because the head was.
            uncertain: bool,
            /// Whether they accepted the limits as they were.
            limits_accepted: bool,
        }
        /// Two custodians gave the vault a witness, or another one.
        14 WitnessSet "witness_set" {
            /// Its place.
            place: String,
            /// Whether nobody can know that the log had not gone back, because the witness before could not be asked.
            uncertain: bool,
            /// Whether they accepted the limits as they were.
            limits_accepted: bool,
        }
        /// Two custodians let the vault go on without a witness.
        15 WitnessRemoved "witness_removed" {
            /// Its place.
            place: String,
            /// Whether nobody can know that the log had not gone back, because the witness could not be asked.
            uncertain: bool,
            /// Whether they accepted the limits as they were.
            limits_accepted: bool,
        }
        /// The log was rotated: the entries before this one are in a closed segment.
        16 LogRotated "log_rotated" {
            /// Its first entry.
            first: u64,
            /// Its last entry.
            last: u64,
            /// Its length in bytes.
            bytes: u64,
        }
        /// Two custodians moved closed segments of the log to another place.
        17 LogArchived "log_archived" {
            /// The first entry of the first of them.
            first: u64,
            /// The last entry of the last of them.
            last: u64,
            /// How many.
            segments: u64,
            /// The place.
            place: String,
        }
    }
}
