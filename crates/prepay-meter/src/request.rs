//! A token whose checksum is right, and what is known about it even if a field is invalid.
//!
//! A token with an invalid field is refused in the end, but other refusals come first, and they need its
//! identifier, its maker or its key type.
//!
//! - Source: IEC 62055-41:2018, token definitions.
//! - Elsewhere: the checks themselves (`check.rs`).

use prepay_token::element::{KeyType, ManufacturerCode, TokenIdentifier};
use prepay_token::key_change::KeySection;
use prepay_token::layout::{self, FieldName};
use prepay_token::{Class, ClearBlock, ElementProblem, Token};

/// A token whose checksum is right.
pub(crate) enum Request {
    /// Every field is valid.
    Token(Token),
    /// A field is invalid.
    Malformed(Malformed),
    /// The sub-class is reserved.
    Reserved,
}

/// A token with an invalid field, and what is known about it.
pub(crate) struct Malformed {
    pub(crate) block: ClearBlock,
    pub(crate) identifier: Option<TokenIdentifier>,
    pub(crate) problem: ElementProblem,
}

/// What the checks need of a section of a key change.
#[derive(Clone, Copy)]
pub(crate) struct Section {
    pub(crate) number: u8,
    pub(crate) three_tokens: bool,
    pub(crate) key_type: Option<KeyType>,
}

impl Section {
    pub(crate) fn of(section: &KeySection) -> Self {
        let (three_tokens, key_type) = match section {
            KeySection::First { three_tokens, key_type, .. } => (*three_tokens, Some(*key_type)),
            _ => (false, None),
        };
        Self { number: section.number(), three_tokens, key_type }
    }
}

impl Request {
    pub(crate) fn class(&self) -> Option<Class> {
        match self {
            Self::Token(token) => Some(token.class()),
            Self::Malformed(malformed) => Some(malformed.block.class()),
            Self::Reserved => None,
        }
    }

    pub(crate) fn identifier(&self) -> Option<TokenIdentifier> {
        match self {
            Self::Token(token) => token.identifier(),
            Self::Malformed(malformed) => malformed.identifier,
            Self::Reserved => None,
        }
    }

    pub(crate) fn section(&self) -> Option<Section> {
        match self {
            Self::Token(Token::KeyChange(section)) => Some(Section::of(section)),
            Self::Malformed(malformed) => malformed.section(),
            _ => None,
        }
    }
}

impl Malformed {
    /// Whether a test is for a meter of this maker. Every other token is for one meter alone.
    pub(crate) fn is_addressed(&self, own: ManufacturerCode) -> bool {
        match self.problem {
            // An invalid code cannot be ours.
            ElementProblem::ManufacturerCode(_) => false,
            ElementProblem::Control(_) => {
                let code = self.field(FieldName::MfrCode) as u8;
                ManufacturerCode::two_digits(code).is_ok_and(|code| is_addressed(code, own))
            }
            _ => true,
        }
    }

    /// What the checks need of a section of a key change, if it is one.
    pub(crate) fn section(&self) -> Option<Section> {
        let number = match (self.block.class(), self.block.sub_class()) {
            (Class::Management, 3) => 1,
            (Class::Management, 4) => 2,
            (Class::Management, 8) => 3,
            (Class::Management, 9) => 4,
            _ => return None,
        };
        let is_first = number == 1;
        Some(Section {
            number,
            three_tokens: is_first && self.field(FieldName::ThreeKct) == 1,
            key_type: KeyType::try_from(self.field(FieldName::Kt) as u8).ok().filter(|_| is_first),
        })
    }

    /// A field of the block; zero when the token has none of that name.
    fn field(&self, name: FieldName) -> u64 {
        let fields = layout::fields(self.block.class(), self.block.sub_class(), false);
        let place = fields.iter().find(|place| place.name == name);
        place.map_or(0, |place| place.read(self.block.bits()))
    }
}

/// Whether a test with this code is for a meter of this maker. Codes of different length are different.
pub(crate) fn is_addressed(code: ManufacturerCode, own: ManufacturerCode) -> bool {
    code.is_any() || code == own
}
