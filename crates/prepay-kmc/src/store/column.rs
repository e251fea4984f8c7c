//! How each type of value is stored in columns.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::vec::IntoIter;

use prepay_basics::{Identifier, Moment};
use prepay_kmp::attribute::{
    Cluster, CurrencyLimit, GroupName, KeyCheckValue, SubClassSet, UnitLimit, VendingKeyType,
};
use prepay_kmp::{CentreId, ModuleId};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber, KeyType, Service,
    SupplyGroupCode,
};

use super::{StoreError, Table, Value};
use crate::entity::{
    Action, AuthorisationNumber, CustomerNumber, FormNumber, KeyState, LeftOutReason, Line,
};
use crate::form::{FormKind, FormState};

/// The values of a row, to be read field by field.
#[derive(Debug)]
pub struct Columns {
    table: &'static Table,
    values: IntoIter<Value>,
}

impl Columns {
    pub(super) fn new(table: &'static Table, row: Vec<Value>) -> Self {
        Self { table, values: row.into_iter() }
    }

    /// Reads the next column. A value that is invalid for the type is damage, reported with table and column.
    fn next<T>(&mut self, read: impl FnOnce(Value) -> Result<T, String>) -> Result<T, StoreError> {
        let at = self.table.columns().count() - self.values.len();
        let value = self.values.next().ok_or_else(|| "no such column".to_owned());
        value.and_then(read).map_err(|problem| {
            let column = self.table.columns().nth(at).unwrap_or_default();
            StoreError::Damaged { problem: format!("{}.{column}: {problem}", self.table.name) }
        })
    }
}

/// A value stored in one or several columns.
pub trait Field: Sized {
    /// Appends its column values to a row.
    fn write(&self, row: &mut Vec<Value>);

    /// Reads it from the next columns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`].
    fn read(columns: &mut Columns) -> Result<Self, StoreError>;

    /// Its column values.
    fn values(&self) -> Vec<Value> {
        let mut values = Vec::new();
        self.write(&mut values);
        values
    }
}

/// A value stored in one column.
pub(super) trait Column: Sized {
    fn to_value(&self) -> Value;

    fn from_value(value: Value) -> Result<Self, String>;
}

impl<T: Column> Field for T {
    fn write(&self, row: &mut Vec<Value>) {
        row.push(self.to_value());
    }

    fn read(columns: &mut Columns) -> Result<Self, StoreError> {
        columns.next(Self::from_value)
    }
}

/// The key of a table with one row.
impl Field for () {
    fn write(&self, row: &mut Vec<Value>) {
        1_u32.write(row);
    }

    fn read(columns: &mut Columns) -> Result<Self, StoreError> {
        u32::read(columns).map(drop)
    }
}

impl<A: Field, B: Field> Field for (A, B) {
    fn write(&self, row: &mut Vec<Value>) {
        self.0.write(row);
        self.1.write(row);
    }

    fn read(columns: &mut Columns) -> Result<Self, StoreError> {
        Ok((A::read(columns)?, B::read(columns)?))
    }
}

impl<T: Column> Column for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn from_value(value: Value) -> Result<Self, String> {
        if value == Value::Null { Ok(None) } else { T::from_value(value).map(Some) }
    }
}

fn message(error: impl Display) -> String {
    error.to_string()
}

fn unexpected(expected: &str, found: &Value) -> String {
    let found = match found {
        Value::Null => "nothing",
        Value::Number(_) => "a number",
        Value::Text(_) => "a text",
        Value::Bytes(_) => "bytes",
    };
    format!("expected {expected}, found {found}")
}

fn text(value: Value) -> Result<String, String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(unexpected("a text", &other)),
    }
}

/// Values stored as text.
macro_rules! as_text {
    ($($type:ty),* $(,)?) => {$(
        impl Column for $type {
            fn to_value(&self) -> Value {
                Value::Text(self.to_string())
            }

            fn from_value(value: Value) -> Result<Self, String> {
                text(value)?.parse().map_err(message)
            }
        }
    )*};
}

as_text! {
    Action, CentreId, FormKind, FormState, GroupName, Identifier, KeyCheckValue, KeyState,
    LeftOutReason, Line, ModuleId,
}

/// Values stored as a number.
macro_rules! as_number {
    ($($type:ty: $number:ty, $to:expr, $of:expr;)*) => {$(
        impl Column for $type {
            fn to_value(&self) -> Value {
                let to: fn(&Self) -> $number = $to;
                Value::Number(to(self).into())
            }

            fn from_value(value: Value) -> Result<Self, String> {
                let Value::Number(number) = value else {
                    return Err(unexpected("a number", &value));
                };
                let of: fn($number) -> Result<Self, String> = $of;
                <$number>::try_from(number).map_err(message).and_then(of)
            }
        }
    )*};
}

as_number! {
    u16: u16, |number| *number, Ok;
    u32: u32, |number| *number, Ok;
    u64: u64, |number| *number, Ok;
    AuthorisationNumber: u32, |number| number.value(), |number| number.try_into().map_err(message);
    CustomerNumber: u32, |number| number.value(), |number| number.try_into().map_err(message);
    FormNumber: u32, |number| number.value(), |number| number.try_into().map_err(message);
    SupplyGroupCode: u32, |code| code.value(), |code| code.try_into().map_err(message);
    KeyRevisionNumber: u8, |number| number.value(), |number| number.try_into().map_err(message);
    BaseDate: u16, |base| base.year(), |year| year.try_into().map_err(message);
    DecoderKeyGenerationAlgorithm: u8, |algorithm| algorithm.code(), |code| Self::from_code(code).map_err(message);
    KeyExpiryNumber: u8, |number| number.value(), |number| Ok(number.into());
    SubClassSet: u8, |set| set.bits(), |bits| Ok(Self::from_bits(bits));
    Cluster: u16, |cluster| cluster.0, |number| Ok(Self(number));
    VendingKeyType: u8, |key_type| key_type.key_type().value(), |code| {
        KeyType::try_from(code).map_err(message)?.try_into().map_err(message)
    };
    Moment: u64, |moment| moment.unix_seconds(), |seconds| {
        Self::from_unix_seconds(seconds).ok_or_else(|| format!("{seconds} seconds is out of range"))
    };
}

/// A long text, stored as it is.
impl Column for Box<str> {
    fn to_value(&self) -> Value {
        Value::Text(self.to_string())
    }

    fn from_value(value: Value) -> Result<Self, String> {
        text(value).map(Into::into)
    }
}

impl<const N: usize> Column for [u8; N] {
    fn to_value(&self) -> Value {
        Value::Bytes(self.to_vec())
    }

    fn from_value(value: Value) -> Result<Self, String> {
        let Value::Bytes(bytes) = value else {
            return Err(unexpected("bytes", &value));
        };
        let found = bytes.len();
        bytes.try_into().map_err(|_| format!("expected {N} bytes, found {found}"))
    }
}

impl Column for UnitLimit {
    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn from_value(value: Value) -> Result<Self, String> {
        Column::from_value(value).map(Self)
    }
}

impl Column for CurrencyLimit {
    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn from_value(value: Value) -> Result<Self, String> {
        Column::from_value(value).map(Self)
    }
}

impl Column for Service {
    fn to_value(&self) -> Value {
        Value::Text(self.name().to_owned())
    }

    fn from_value(value: Value) -> Result<Self, String> {
        let name = text(value)?;
        let found = Self::ALL.into_iter().find(|service| service.name() == name);
        found.ok_or_else(|| format!("{name:?} is not the name of a service"))
    }
}

/// Codes in rising order, separated by commas.
impl Column for BTreeSet<SupplyGroupCode> {
    fn to_value(&self) -> Value {
        Value::Text(self.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
    }

    fn from_value(value: Value) -> Result<Self, String> {
        let codes = text(value)?;
        codes.split_terminator(',').map(|code| code.parse().map_err(message)).collect()
    }
}

/// A number stored as decimal text, because not every database has columns for unsigned 64 bits.
pub(super) struct Decimal(pub(super) u64);

impl Column for Decimal {
    fn to_value(&self) -> Value {
        Value::Text(self.0.to_string())
    }

    fn from_value(value: Value) -> Result<Self, String> {
        text(value)?.parse().map(Self).map_err(message)
    }
}
