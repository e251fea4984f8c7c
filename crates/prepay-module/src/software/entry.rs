//! The entries of a module's audit log. Format: `docs/formats/audit-log.md`.

use prepay_basics::Moment;
use prepay_kmp::{CentreId, KeyNote, KeyTermsNote};

use super::issued_row::IssuedRow;

prepay_vault::entries! {
    /// What happened to a module.
    pub enum ModuleEntry {
        /// Tokens were issued.
        100 Issued "issued" {
            /// Which.
            rows: Vec<IssuedRow>,
        }
        /// The transaction counter was refilled.
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
        /// A centre was revoked.
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
        /// The keys of a key-load file were loaded. Written before entries had the terms of the keys.
        108 KeysLoadedBrief "keys_loaded" {
            /// The centre.
            centre: CentreId,
            /// The slot.
            slot: u16,
            /// The file's serial number.
            serial: u64,
            /// The request's nonce.
            nonce: [u8; 16],
            /// How many more tokens the module may issue.
            transactions_added: Option<u64>,
            /// Which keys.
            keys: Vec<KeyNote>,
        }
        /// A key was deleted.
        109 KeyDeleted "key_deleted" {
            /// Which.
            key: KeyNote,
        }
        /// The keys of a key-load file were loaded.
        111 KeysLoaded "keys_loaded" {
            /// The centre.
            centre: CentreId,
            /// The slot.
            slot: u16,
            /// The file's serial number.
            serial: u64,
            /// The request's nonce.
            nonce: [u8; 16],
            /// How many more tokens the module may issue.
            transactions_added: Option<u64>,
            /// Which keys, with all their attributes.
            keys: Vec<KeyTermsNote>,
        }
        /// A file with the names of requests was damaged, and was made anew from these entries.
        112 NamesRebuilt "names_rebuilt" {
            /// The first.
            first: u64,
            /// The last.
            last: u64,
            /// How many names they have.
            names: u64,
        }
        /// A file was refused.
        110 LoadRefused "load_refused" {
            /// Why.
            reason: String,
        }
    }
}
