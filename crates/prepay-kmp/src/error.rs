//! Why a document is refused. Nothing here ever holds a secret.

use std::fmt;

use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};

use super::{Nonce, PartyKind, PartyName, SlotNumber};
use crate::attribute::KeyCheckValue;

/// Why a text is refused. The checks are made in about this order: size, form, checksum, items, names, and
/// only then everything that takes a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentError {
    /// The text is longer than any good one.
    Size {
        /// The greatest number of bytes.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// It is a key-load file of edition 1, for legacy modules, which Prepay does not read.
    Edition1,
    /// The text is not written in lines of items. It may be cut, or be no text of this kind at all.
    Form {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A line was changed on its way, by accident or on purpose. Get the file again.
    Checksum {
        /// The line, from 1.
        line: usize,
        /// The checksum of what the line says.
        expected: String,
        /// The checksum that it carries.
        found: String,
    },
    /// The text belongs to another profile or another version of this one.
    Profile {
        /// The line, from 1.
        line: usize,
        /// What was found in place of the profile.
        found: String,
    },
    /// The text is of another kind, or a line is in the wrong place.
    Record {
        /// The line, from 1.
        line: usize,
        /// The record that belongs there.
        expected: &'static str,
        /// The record that is there; empty at the end of the text.
        found: String,
    },
    /// An item is missing, unknown, twice, or has a value that it cannot have.
    Item {
        /// The line, from 1.
        line: usize,
        /// The tag of the item.
        tag: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The name of a party does not fit the public keys beside it.
    Party {
        /// The name that fits the keys.
        expected: PartyName,
        /// The name in the text.
        found: PartyName,
    },
    /// A party is of the wrong kind for its place.
    Kind {
        /// The kind that belongs there.
        expected: PartyKind,
        /// The kind that is there.
        found: PartyKind,
    },
    /// The text is for, or from, another module.
    OtherModule {
        /// The module that it should name.
        expected: PartyName,
        /// The module that it names.
        found: PartyName,
    },
    /// The text is for, or from, another centre, or a centre whose keys have changed since.
    OtherCentre {
        /// The centre that it should name.
        expected: PartyName,
        /// The centre that it names.
        found: PartyName,
    },
    /// The confirmation is for another slot.
    OtherSlot {
        /// The slot of the open request.
        expected: SlotNumber,
        /// The slot in the text.
        found: SlotNumber,
    },
    /// The confirmation answers another request, probably an older one.
    OtherRequest {
        /// The number of the open request.
        expected: Nonce,
        /// The number in the text.
        found: Nonce,
    },
    /// The signature does not fit: the text is changed or forged.
    Signature {
        /// Who should have signed.
        party: PartyName,
    },
    /// The message authentication code does not fit: the two sides do not share these slot keys.
    Mac,
    /// The proof that a party derived the keys of the agreement does not fit: it has other keys. If the agreement was
    /// renewed, the module imports the newest confirmation and writes its request again; otherwise agree again.
    Confirmation {
        /// Whose proof it is.
        party: PartyName,
    },
    /// A wrapped key cannot be unwrapped with the slot's keys.
    Unwrap {
        /// The number of the key in the file, from 1.
        key: usize,
    },
    /// A key has the wrong length for its algorithm.
    KeyLength {
        /// The number of the key in the file, from 1.
        key: usize,
        /// The bytes that the algorithm takes.
        expected: usize,
        /// The bytes that were found.
        found: usize,
    },
    /// The check value in the file is not that of the key.
    CheckValue {
        /// The supply group.
        group: SupplyGroupCode,
        /// The revision.
        revision: KeyRevisionNumber,
        /// The check value in the text.
        expected: KeyCheckValue,
        /// That of the key.
        found: KeyCheckValue,
    },
    /// The file holds a key, or names a register, twice.
    Twice {
        /// What, as `key 000123 revision 1` or `register 7`.
        what: String,
    },
    /// Two dates are in the wrong order.
    Dates {
        /// The right order.
        problem: &'static str,
    },
    /// A file with no keys, or with more than a file may hold.
    Count {
        /// The greatest number.
        most: usize,
        /// How many there are.
        found: usize,
    },
}

prepay_basics::codes! {
    DocumentError {
        Size = "size",
        Edition1 = "edition_1",
        Form = "form",
        Checksum = "checksum",
        Profile = "profile",
        Record = "record",
        Item = "item",
        Party = "party",
        Kind = "kind",
        OtherModule = "other_module",
        OtherCentre = "other_centre",
        OtherSlot = "other_slot",
        OtherRequest = "request_unknown",
        Signature = "signature",
        Mac = "mac",
        Confirmation = "confirmation",
        Unwrap = "unwrap",
        KeyLength = "key_length",
        CheckValue = "check_value",
        Twice = "twice",
        Dates = "dates",
        Count = "count",
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size { most, found } => {
                write!(f, "text too long: expected at most {most} bytes, found {found}")
            }
            Self::Edition1 => f.write_str(
                "a key-load file of edition 1, whose format is not public: expected a file of the \
                 profile open-kmp",
            ),
            Self::Form { line, problem } => write!(f, "line {line}: {problem}"),
            Self::Checksum { line, expected, found } => write!(
                f,
                "line {line}: damaged, its checksum should be {expected} but is {found:?}"
            ),
            Self::Profile { line, found } => write!(
                f,
                "line {line}: another profile, expected \"PRF{}\", found {found:?}",
                super::key::PROFILE
            ),
            Self::Record { line, expected, found } if found.is_empty() => {
                write!(f, "line {line}: expected a record {expected}, found the end of the text")
            }
            Self::Record { line, expected, found } => {
                write!(f, "line {line}: expected a record {expected}, found {found:?}")
            }
            Self::Item { line, tag, problem } => write!(f, "line {line}, item {tag}: {problem}"),
            Self::Party { expected, found } => {
                write!(f, "name and public keys differ: the keys are of {expected}, found {found}")
            }
            Self::Kind { expected, found } => {
                write!(f, "wrong kind of party: expected a {expected}, found a {found}")
            }
            Self::OtherModule { expected, found } => {
                write!(f, "another module: expected {expected}, found {found}")
            }
            Self::OtherCentre { expected, found } => {
                write!(f, "another centre: expected {expected}, found {found}")
            }
            Self::OtherSlot { expected, found } => {
                write!(f, "another slot: expected {expected}, found {found}")
            }
            Self::OtherRequest { expected, found } => {
                write!(f, "answer to another request: expected number {expected}, found {found}")
            }
            Self::Signature { party } => write!(f, "wrong signature: {party} did not sign this"),
            Self::Mac => f.write_str(
                "wrong message authentication code: the module's slot and the centre do not share \
                 the keys that this was written with",
            ),
            Self::Confirmation { party } => write!(
                f,
                "{party} has not confirmed the keys of this slot: expected its proof for the newest agreement, found \
                 another; import the newest confirmation of an agreement and write the request again, or renew the \
                 agreement"
            ),
            Self::Unwrap { key } => {
                write!(f, "key {key} of the file cannot be unwrapped with the keys of the slot")
            }
            Self::KeyLength { key, expected, found } => write!(
                f,
                "key {key} of the file has a wrong length: expected {expected} bytes, found {found}"
            ),
            Self::CheckValue { group, revision, expected, found } => write!(
                f,
                "key {group} revision {revision} has a wrong check value: expected {expected}, \
                 found {found}"
            ),
            Self::Twice { what } => write!(f, "{what} is in the file twice"),
            Self::Dates { problem } => write!(f, "dates in the wrong order: {problem}"),
            Self::Count { most, found } => {
                write!(f, "wrong number of keys: expected 1 to {most}, found {found}")
            }
        }
    }
}

impl std::error::Error for DocumentError {}

/// Bytes that are no key, or no stored record of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// There are too few or too many.
    Length {
        /// How many are needed.
        expected: usize,
        /// How many were found.
        found: usize,
    },
    /// They are no key of the curve, or no name of a party.
    Value,
    /// The key for agreement and the key for signatures are one.
    SameKey,
}

prepay_basics::codes! {
    KeyError {
        Length = "key_length",
        Value = "key_value",
        SameKey = "same_key",
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { expected, found } => {
                write!(f, "wrong length of a key: expected {expected} bytes, found {found}")
            }
            Self::Value => f.write_str("no key of the curve P-384 in its one form"),
            Self::SameKey => f.write_str("one key for agreement and signatures, expected two"),
        }
    }
}

impl std::error::Error for KeyError {}

/// A signature does not fit its document and key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureError;

impl SignatureError {
    /// Every code of its own.
    pub const CODES: &'static [&'static str] = &["signature"];

    /// The stable name of the error, for programs.
    pub const fn code(self) -> &'static str {
        "signature"
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the signature does not fit the document and the key")
    }
}

impl std::error::Error for SignatureError {}
