//! The entries of a centre's audit log. Format: `docs/formats/audit-log.md`.

use prepay_basics::Moment;
use prepay_kmp::{KeyNote, KeyTermsNote, ModuleId};

prepay_vault::entries! {
    /// What happened to a centre's module.
    pub enum CentreEntry {
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
        /// A module was revoked.
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
        /// A key-load file was made. Written before entries had the terms of the keys.
        207 KeyLoadBuiltBrief "key_load_built" {
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
        /// A key-load file was made.
        210 KeyLoadBuilt "key_load_built" {
            /// The module.
            module: ModuleId,
            /// Its slot.
            slot: u16,
            /// The file's serial number.
            serial: u64,
            /// The request's nonce.
            nonce: [u8; 16],
            /// Until when it may be loaded.
            expires: Moment,
            /// How many more tokens it lets the module issue.
            transactions: Option<u64>,
            /// Which keys, with all their attributes.
            keys: Vec<KeyTermsNote>,
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
        /// A change of the centre's database begins. What the contents expect of the database follows from it.
        211 DatabaseWritten "database_written" {
            /// The number of the state after the change.
            number: u64,
            /// The digest of all rows after the change.
            digest: [u8; 32],
        }
        /// Two custodians took over a database as it is.
        212 DatabaseAdopted "database_adopted" {
            /// The number of its state.
            number: u64,
            /// The digest of all its rows.
            digest: [u8; 32],
        }
    }
}
