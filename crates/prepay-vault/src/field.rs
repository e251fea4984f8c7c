//! How each kind of value stands in an entry of the audit log, and how people read it.

use std::fmt::{Display, Write};

use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};

use super::{IssuedRow, KeyNote, Kind, Role};
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Identifier, Moment};
use prepay_kmp::attribute::{KeyCheckValue, RegisterNumber};
use prepay_kmp::{CentreId, ModuleId};

/// The longest text in an entry, in bytes. A longer one is cut when it is written.
const LONGEST_TEXT: usize = 1024;

/// A value that can stand in an entry.
pub(super) trait Field: Sized {
    fn write(&self, writer: &mut Writer);
    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
    fn show(&self) -> String;
}

/// Values that stand as their text.
macro_rules! as_text {
    ($($type:ty, $what:literal;)*) => {$(
        impl Field for $type {
            fn write(&self, writer: &mut Writer) {
                writer.text(&self.to_string());
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                reader.parse($what)
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

as_text! {
    Identifier, "an identifier";
    CentreId, "a centre";
    ModuleId, "a module";
    SupplyGroupCode, "a supply group code";
    Role, "a role";
    Kind, "a kind of vault";
}

/// Values that stand as a number.
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
    RegisterNumber, u16, "a register", |value| value.value(), |value| value.try_into().ok();
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
    /// Cuts what is too long and replaces control characters, which could lie to whoever reads the log.
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

impl Field for KeyCheckValue {
    fn write(&self, writer: &mut Writer) {
        writer.array(&self.bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array().map(Self::from_bytes)
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Field for KeyNote {
    fn write(&self, writer: &mut Writer) {
        let Self { register, supply_group, key_revision, check_value } = self;
        register.write(writer);
        supply_group.write(writer);
        key_revision.write(writer);
        check_value.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            register: Field::read(reader)?,
            supply_group: Field::read(reader)?,
            key_revision: Field::read(reader)?,
            check_value: Field::read(reader)?,
        })
    }

    fn show(&self) -> String {
        let Self { register, supply_group, key_revision, check_value } = self;
        let key = format!("{supply_group}/{key_revision} {check_value}");
        match register {
            Some(register) => format!("register {register}: {key}"),
            None => key,
        }
    }
}

impl Field for Vec<KeyNote> {
    fn write(&self, writer: &mut Writer) {
        writer.list(self, |writer, key| key.write(writer));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.list(KeyNote::read)
    }

    fn show(&self) -> String {
        joined(self.iter().map(Field::show))
    }
}

impl Field for Vec<IssuedRow> {
    fn write(&self, writer: &mut Writer) {
        writer.list(self, |writer, row| writer.array(&row.encode()));
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.list(|reader| {
            let error = reader.error("a row");
            IssuedRow::decode(&reader.array()?).ok_or(error)
        })
    }

    /// Each as meter, register, identifier and the last four digits.
    fn show(&self) -> String {
        joined(self.iter().map(|row| {
            let IssuedRow { pan, register, identifier, last_digits, .. } = row;
            format!("{pan:018} register {register} tid {identifier} ...{last_digits:04}")
        }))
    }
}

fn joined(items: impl Iterator<Item = impl Display>) -> String {
    let mut text = String::new();
    for item in items {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{item}");
    }
    text
}
