//! Values in our own records: how each is written, read, and shown to people.
//!
//! A record of the audit log is a list of such values. None is secret.

use std::fmt::Write;

use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};

use crate::codec::{DecodeError, Reader, Writer};
use crate::{Identifier, Moment};

/// The longest text in a record, in bytes. Longer texts are truncated when written.
const LONGEST_TEXT: usize = 1024;

/// A value that a record can contain.
pub trait Field: Sized {
    /// Writes it.
    fn write(&self, writer: &mut Writer);

    /// Reads what [`Field::write`] wrote.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for anything else.
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// The value for people to read.
    fn show(&self) -> String;
}

/// Stores a type as its text. The second argument is its name in errors.
#[macro_export]
macro_rules! field_as_text {
    ($($type:ty, $what:literal;)*) => {$(
        impl $crate::Field for $type {
            fn write(&self, writer: &mut $crate::codec::Writer) {
                writer.text(&self.to_string());
            }

            fn read(
                reader: &mut $crate::codec::Reader<'_>,
            ) -> Result<Self, $crate::codec::DecodeError> {
                reader.parse($what)
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

field_as_text! {
    Identifier, "an identifier";
    SupplyGroupCode, "a supply group code";
}

/// Stores a type as a number.
macro_rules! as_number {
    ($($type:ty, $number:ident, $what:literal, $to:expr, $from:expr;)*) => {$(
        impl Field for $type {
            fn write(&self, writer: &mut Writer) {
                let to: fn(&Self) -> $number = $to;
                writer.$number(to(self));
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let error = reader.error($what);
                let from: fn($number) -> Option<Self> = $from;
                from(reader.$number()?).ok_or(error)
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

as_number! {
    u8, u8, "a number", |value| *value, Some;
    u16, u16, "a number", |value| *value, Some;
    u32, u32, "a number", |value| *value, Some;
    u64, u64, "a number", |value| *value, Some;
    Moment, u64, "a moment", |value| value.unix_seconds(), Moment::from_unix_seconds;
    KeyRevisionNumber, u8, "a key revision", |value| value.value(), |value| value.try_into().ok();
}

impl Field for bool {
    fn write(&self, writer: &mut Writer) {
        writer.bool(*self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.bool()
    }

    fn show(&self) -> String {
        if *self { "yes" } else { "no" }.to_owned()
    }
}

impl Field for String {
    /// Truncates a long text and replaces control characters, which could deceive a reader of the log.
    fn write(&self, writer: &mut Writer) {
        let mut text = String::new();
        for character in self.chars() {
            let character = if character.is_control() { '\u{FFFD}' } else { character };
            if text.len() + character.len_utf8() > LONGEST_TEXT {
                break;
            }
            text.push(character);
        }
        writer.text(&text);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error = reader.error("a text of at most 1024 bytes without control characters");
        let text = reader.text()?;
        if text.len() > LONGEST_TEXT || text.contains(char::is_control) {
            return Err(error);
        }
        Ok(text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl<const N: usize> Field for [u8; N] {
    fn write(&self, writer: &mut Writer) {
        writer.array(self);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array()
    }

    fn show(&self) -> String {
        self.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl<T: Field> Field for Option<T> {
    fn write(&self, writer: &mut Writer) {
        writer.option(self.as_ref(), |writer, value| value.write(writer));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.option(T::read)
    }

    fn show(&self) -> String {
        self.as_ref().map_or_else(|| "-".to_owned(), Field::show)
    }
}

impl<T: Field> Field for Vec<T> {
    fn write(&self, writer: &mut Writer) {
        writer.list(self, |writer, item| item.write(writer));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.list(T::read)
    }

    fn show(&self) -> String {
        self.iter().map(T::show).collect::<Vec<_>>().join(", ")
    }
}
