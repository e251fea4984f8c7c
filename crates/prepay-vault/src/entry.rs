//! What the audit log says: one typed entry for everything that a vault ever did.
//!
//! Each kind has a number that never changes its meaning, a name, and fields. A field is no secret and no
//! whole token. Kinds 1 to 99 are the vault's own, 100 to 199 a module's, 200 to 299 a centre's.
//!
//! - Form: `docs/formats/audit-log.md`.
//! - Elsewhere: time, people, order and chain (`record.rs`).

use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};

use super::field::Field;
use super::{IssuedRow, Kind, Role};
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Identifier, Moment};
use prepay_kmp::attribute::{KeyCheckValue, RegisterNumber};
use prepay_kmp::{CentreId, ModuleId};

/// Which key an entry is about, without the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyNote {
    /// The register that holds it, where that is known.
    pub register: Option<RegisterNumber>,
    /// SGC: the supply group.
    pub supply_group: SupplyGroupCode,
    /// KRN: the revision.
    pub key_revision: KeyRevisionNumber,
    /// KCV: the check value.
    pub check_value: KeyCheckValue,
}

macro_rules! entries {
    ($($(#[$doc:meta])* $kind:literal $variant:ident $name:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    })*) => {
        /// What happened.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Entry {
            $($(#[$doc])* $variant { $($(#[$field_doc])* $field: $type,)* },)*
        }

        impl Entry {
            /// The number and name of every kind, in rising order.
            pub const KINDS: &[(u16, &str)] = &[$(($kind, $name),)*];

            /// The number of its kind.
            pub const fn kind(&self) -> u16 {
                match self {
                    $(Self::$variant { .. } => $kind,)*
                }
            }

            /// The name of its kind.
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                }
            }

            /// Its fields, by name, as people read them.
            pub fn fields(&self) -> Vec<(&'static str, String)> {
                match self {
                    $(Self::$variant { $($field,)* } => {
                        vec![$((stringify!($field), Field::show($field)),)*]
                    })*
                }
            }

            /// Writes the fields, without the kind.
            pub(super) fn encode(&self, writer: &mut Writer) {
                match self {
                    $(Self::$variant { $($field,)* } => {
                        let _ = &writer;
                        $(Field::write($field, writer);)*
                    })*
                }
            }

            /// Reads the fields of a kind.
            pub(super) fn decode(kind: u16, reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                match kind {
                    $($kind => Ok(Self::$variant { $($field: Field::read(reader)?,)* }),)*
                    _ => Err(reader.error("a kind of entry that is known")),
                }
            }
        }
    };
}

entries! {
    /// The vault was made.
    1 Created "created" {
        /// Its name.
        name: Identifier,
        /// What it is.
        what: Kind,
        /// Whether it is for tests only.
        insecure_test: bool,
    }
    /// A person signed in.
    2 SignedIn "signed_in" {
        /// In which role.
        role: Role,
    }
    /// Somebody tried to sign in and failed.
    3 SignInFailed "sign_in_failed" {
        /// Whose name was used; nothing for a name that nobody has.
        user: Option<Identifier>,
        /// How many failures there are in a row.
        failures: u32,
        /// Until when nobody is asked under this name.
        wait_until: Moment,
    }
    /// A person was given a role.
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
        /// By what kind of thing.
        protector: String,
    }
    /// A back-up was handed out.
    8 BackedUp "backed_up" {
        /// The last entry before it, whose effects it holds.
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
    /// The end of the log was torn, by a stop in the middle of a write, and was cut off. It was never
    /// acknowledged.
    10 LogCut "log_cut" {
        /// How many bytes.
        bytes: u64,
    }
    /// Tokens were made.
    100 Issued "issued" {
        /// Which.
        rows: Vec<IssuedRow>,
    }
    /// The transaction counter was filled.
    101 Refilled "refilled" {
        /// By how much.
        added: u64,
        /// How much is now left.
        left: u64,
    }
    /// A centre's public keys were read.
    102 CentreEnrolled "centre_enrolled" {
        /// The centre.
        centre: CentreId,
        /// The slot.
        slot: u16,
        /// The fingerprint of its keys.
        fingerprint: String,
    }
    /// Two custodians confirmed a centre's fingerprint.
    103 CentreConfirmed "centre_confirmed" {
        /// The centre.
        centre: CentreId,
        /// The slot.
        slot: u16,
        /// The fingerprint of its keys.
        fingerprint: String,
    }
    /// An agreement request was written.
    104 AgreementRequested "agreement_requested" {
        /// The centre.
        centre: CentreId,
        /// The slot.
        slot: u16,
        /// The request's nonce.
        nonce: [u8; 16],
    }
    /// An agreement was confirmed by the centre.
    105 AgreementConfirmed "agreement_confirmed" {
        /// The centre.
        centre: CentreId,
        /// The slot.
        slot: u16,
        /// The request's nonce.
        nonce: [u8; 16],
    }
    /// A centre is trusted no more.
    106 CentreRevoked "centre_revoked" {
        /// The centre.
        centre: CentreId,
        /// The slot.
        slot: u16,
    }
    /// A key-load request was written.
    107 LoadRequested "load_requested" {
        /// The centre.
        centre: CentreId,
        /// The slot.
        slot: u16,
        /// The request's nonce.
        nonce: [u8; 16],
        /// Until when it may be answered.
        expires: Moment,
    }
    /// The keys of a key-load file were loaded.
    108 KeysLoaded "keys_loaded" {
        /// The centre.
        centre: CentreId,
        /// The slot.
        slot: u16,
        /// The file's serial number.
        serial: u64,
        /// The request's nonce.
        nonce: [u8; 16],
        /// How many tokens more the module may make.
        transactions_added: Option<u64>,
        /// Which keys.
        keys: Vec<KeyNote>,
    }
    /// A key was deleted.
    109 KeyDeleted "key_deleted" {
        /// Which.
        key: KeyNote,
    }
    /// A file was refused.
    110 LoadRefused "load_refused" {
        /// Why.
        reason: String,
    }
    /// Two custodians confirmed a module's fingerprint.
    201 ModuleConfirmed "module_confirmed" {
        /// The module.
        module: ModuleId,
        /// The fingerprint of its keys.
        fingerprint: String,
    }
    /// An agreement request was answered.
    202 AgreementAnswered "agreement_answered" {
        /// The module.
        module: ModuleId,
        /// Its slot.
        slot: u16,
        /// The request's nonce.
        nonce: [u8; 16],
    }
    /// A module is given keys no more.
    203 ModuleRevoked "module_revoked" {
        /// The module.
        module: ModuleId,
    }
    /// A vending key was made.
    204 VendingKeyGenerated "vending_key_generated" {
        /// Which.
        key: KeyNote,
        /// DKGA: the algorithm that it is for.
        algorithm: u8,
    }
    /// A vending key for tests was brought in from outside.
    205 VendingKeyImported "vending_key_imported" {
        /// Which.
        key: KeyNote,
        /// DKGA: the algorithm that it is for.
        algorithm: u8,
    }
    /// A vending key was destroyed.
    206 VendingKeyDestroyed "vending_key_destroyed" {
        /// Which.
        key: KeyNote,
    }
    /// A key-load file was made.
    207 KeyLoadBuilt "key_load_built" {
        /// The module.
        module: ModuleId,
        /// Its slot.
        slot: u16,
        /// The file's serial number.
        serial: u64,
        /// The request's nonce.
        nonce: [u8; 16],
        /// Which keys.
        keys: Vec<KeyNote>,
    }
    /// A request to the centre's module was refused.
    208 RequestRefused "request_refused" {
        /// What was asked for.
        operation: String,
        /// Why not: the stable name of the refusal, and a sentence.
        reason: String,
    }
    /// The centre's own keys were replaced by new ones.
    209 CentreRenewed "centre_renewed" {
        /// The fingerprint of the keys before.
        former: String,
        /// The fingerprint of the keys from now on.
        fingerprint: String,
        /// Until when those may be used.
        expires: Moment,
    }
    /// Something that no other kind covers.
    299 Noted "noted" {
        /// About what.
        subject: String,
        /// What is to be said.
        text: String,
    }
}
