//! The canonical text of a form: this is what is signed, and what the centre stores.
//!
//! ```text
//! open-form-2
//! form:11:new_customer          each line: name, length of the value in bytes, value
//! organisation:4:Acme           filled fields in the order of the schema
//! contact:10:Ms Example
//! address:12:a@example.org
//! centre:4:KC-1                 the centre that the form is for
//! centre_fingerprint:39:0123 …  that of the centre's public keys
//! purpose:4:real                whether that centre is a real one or a test centre
//! key:194:02…                   the signatory's public key, hexadecimal, upper case
//! signed:20:2026-03-01T13:55:00Z
//! expires:20:2026-03-31T13:55:00Z
//! ------------------------------- signed up to here
//! signature:192:3045…           hexadecimal, upper case
//! ```
//!
//! Because its length comes first, a value may contain anything, even line ends, and no two forms have the same
//! text. The reader accepts exactly what the writer writes.

use std::fmt;
use std::fmt::Write as _;

use super::field::number;
use super::{Draft, FormKind, MAX_TEXT, TAG};

/// The text is not the canonical text of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextError {
    /// It is too long.
    Length {
        /// Its length in bytes.
        found: usize,
    },
    /// It differs from what the writer writes.
    Form {
        /// The position, in bytes from 0.
        at: usize,
        /// What was expected there.
        expected: &'static str,
    },
}

/// Writes one item.
pub(super) fn write_item(text: &mut String, name: &str, value: &str) {
    writeln!(text, "{name}:{}:{value}", value.len()).expect("a string takes everything");
}

/// Writes the tag, the kind and the filled fields.
pub(super) fn write_fields(draft: &Draft) -> String {
    let mut text = format!("{TAG}\n");
    write_item(&mut text, "form", draft.kind().code());
    for (field, value) in draft.values() {
        write_item(&mut text, field.name, value);
    }
    text
}

/// Reads items one by one.
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// Reads the tag.
    pub(super) fn new(text: &'a str) -> Result<Self, TextError> {
        if text.len() > MAX_TEXT {
            return Err(TextError::Length { found: text.len() });
        }
        let mut reader = Self { text, at: 0 };
        reader.literal(TAG, "the tag open-form-2")?;
        reader.literal("\n", "a line end")?;
        Ok(reader)
    }

    fn error(&self, expected: &'static str) -> TextError {
        TextError::Form { at: self.at, expected }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn literal(&mut self, literal: &str, expected: &'static str) -> Result<(), TextError> {
        if !self.rest().starts_with(literal) {
            return Err(self.error(expected));
        }
        self.at += literal.len();
        Ok(())
    }

    /// The next item, if it has this name.
    fn item_if(&mut self, name: &str) -> Result<Option<&'a str>, TextError> {
        let begins = self.rest().strip_prefix(name).is_some_and(|behind| behind.starts_with(':'));
        if !begins {
            return Ok(None);
        }
        self.at += name.len() + 1;
        let digits: &str = self.rest().split(':').next().unwrap_or_default();
        let length = number::<usize>(digits).filter(|length| *length <= MAX_TEXT);
        let length = length.ok_or_else(|| self.error("a length"))?;
        self.at += digits.len();
        self.literal(":", "a colon")?;
        let value =
            self.rest().get(..length).ok_or_else(|| self.error("as many bytes as stated"))?;
        self.at += length;
        self.literal("\n", "a line end")?;
        Ok(Some(value))
    }

    /// The item with this name.
    pub(super) fn item(
        &mut self,
        name: &str,
        expected: &'static str,
    ) -> Result<&'a str, TextError> {
        self.item_if(name)?.ok_or_else(|| self.error(expected))
    }

    /// The value of the item with this name.
    pub(super) fn value<T>(
        &mut self,
        name: &str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, TextError> {
        let at = self.at;
        read(self.item(name, expected)?).ok_or(TextError::Form { at, expected })
    }

    /// The kind and the filled fields.
    pub(super) fn fields(&mut self) -> Result<Draft, TextError> {
        let at = self.at;
        let kind = self.item("form", "the item form")?.parse::<FormKind>();
        let kind = kind.map_err(|_| TextError::Form { at, expected: "a known form" })?;
        let mut draft = Draft::new(kind);
        for field in draft.schema().fields {
            if let Some(value) = self.item_if(field.name)? {
                let set = draft.set(field.name, value);
                set.map_err(|_| self.error("a field of the form"))?;
            }
        }
        Ok(draft)
    }

    /// Refuses anything that follows.
    pub(super) fn end(self) -> Result<(), TextError> {
        if self.rest().is_empty() { Ok(()) } else { Err(self.error("the end")) }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => {
                write!(f, "not a form: expected at most {MAX_TEXT} bytes, found {found}")
            }
            Self::Form { at, expected } => {
                write!(f, "not a form: expected {expected} at byte {at}, found something else")
            }
        }
    }
}

impl std::error::Error for TextError {}
