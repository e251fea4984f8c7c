//! Columns read as values of the domain: what does not parse is damage, named by table and column.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use prepay_basics::Moment;
use prepay_kmc::store::StoreError;
use prepay_token::element::SupplyGroupCode;
use rusqlite::Row;
use rusqlite::types::{FromSql, Null, ToSqlOutput, Value};

/// One row of a result, whose columns are asked for by name.
pub(super) struct Columns<'a> {
    row: &'a Row<'a>,
    table: &'static str,
}

/// What SQLite said, as an error of the contract.
pub(super) fn fault(error: &rusqlite::Error) -> StoreError {
    let problem = error.to_string();
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            StoreError::Damaged { problem }
        }
        _ => StoreError::Fault { problem },
    }
}

impl<'a> Columns<'a> {
    pub(super) const fn new(table: &'static str, row: &'a Row<'a>) -> Self {
        Self { row, table }
    }

    /// The column as SQLite holds it.
    fn raw<T: FromSql>(&self, column: &str) -> Result<T, StoreError> {
        self.row.get(column).map_err(|error| self.damaged(column, &error))
    }

    fn damaged(&self, column: &str, problem: &dyn Display) -> StoreError {
        StoreError::Damaged { problem: format!("{}.{column}: {problem}", self.table) }
    }

    /// A text that parses.
    pub(super) fn text<T: FromStr<Err: Display>>(&self, column: &str) -> Result<T, StoreError> {
        let text: String = self.raw(column)?;
        text.parse().map_err(|error| self.damaged(column, &error))
    }

    /// A text that parses, or nothing.
    pub(super) fn text_or_none<T: FromStr<Err: Display>>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StoreError> {
        let text: Option<String> = self.raw(column)?;
        text.map(|text| text.parse().map_err(|error| self.damaged(column, &error))).transpose()
    }

    /// A text as it is.
    pub(super) fn long_text(&self, column: &str) -> Result<Box<str>, StoreError> {
        Ok(self.raw::<String>(column)?.into())
    }

    /// A number of the type `N`, and what the domain makes of it.
    pub(super) fn number<N: TryFrom<i64, Error: Display>, T: TryFrom<N, Error: Display>>(
        &self,
        column: &str,
    ) -> Result<T, StoreError> {
        self.made(column, self.raw(column)?)
    }

    /// A number, or nothing.
    pub(super) fn number_or_none<N: TryFrom<i64, Error: Display>, T: TryFrom<N, Error: Display>>(
        &self,
        column: &str,
    ) -> Result<Option<T>, StoreError> {
        let number: Option<i64> = self.raw(column)?;
        number.map(|number| self.made(column, number)).transpose()
    }

    fn made<N: TryFrom<i64, Error: Display>, T: TryFrom<N, Error: Display>>(
        &self,
        column: &str,
        number: i64,
    ) -> Result<T, StoreError> {
        let number = N::try_from(number).map_err(|error| self.damaged(column, &error))?;
        T::try_from(number).map_err(|error| self.damaged(column, &error))
    }

    /// A plain number.
    pub(super) fn count<N: TryFrom<i64, Error: Display>>(
        &self,
        column: &str,
    ) -> Result<N, StoreError> {
        N::try_from(self.raw(column)?).map_err(|error| self.damaged(column, &error))
    }

    /// A plain number, or nothing.
    pub(super) fn count_or_none<N: TryFrom<i64, Error: Display>>(
        &self,
        column: &str,
    ) -> Result<Option<N>, StoreError> {
        let number: Option<i64> = self.raw(column)?;
        let count = |number| N::try_from(number).map_err(|error| self.damaged(column, &error));
        number.map(count).transpose()
    }

    /// A number that a function makes a value of.
    pub(super) fn coded<N: TryFrom<i64, Error: Display>, T, E: Display>(
        &self,
        column: &str,
        make: impl Fn(N) -> Result<T, E>,
    ) -> Result<T, StoreError> {
        make(self.count(column)?).map_err(|error| self.damaged(column, &error))
    }

    pub(super) fn moment(&self, column: &str) -> Result<Moment, StoreError> {
        self.made_moment(column, self.raw(column)?)
    }

    pub(super) fn moment_or_none(&self, column: &str) -> Result<Option<Moment>, StoreError> {
        let seconds: Option<i64> = self.raw(column)?;
        seconds.map(|seconds| self.made_moment(column, seconds)).transpose()
    }

    fn made_moment(&self, column: &str, seconds: i64) -> Result<Moment, StoreError> {
        let moment = u64::try_from(seconds).ok().and_then(Moment::from_unix_seconds);
        moment.ok_or_else(|| self.damaged(column, &format_args!("{seconds} seconds is no moment")))
    }

    /// Exactly `N` bytes.
    pub(super) fn bytes<const N: usize>(&self, column: &str) -> Result<[u8; N], StoreError> {
        let bytes: Vec<u8> = self.raw(column)?;
        bytes.try_into().map_err(|bytes: Vec<u8>| {
            self.damaged(column, &format_args!("expected {N} bytes, found {}", bytes.len()))
        })
    }

    pub(super) fn group(&self, column: &str) -> Result<SupplyGroupCode, StoreError> {
        self.number::<u32, _>(column)
    }

    /// Groups in rising order with commas between, or nothing.
    pub(super) fn groups_or_none(
        &self,
        column: &str,
    ) -> Result<Option<BTreeSet<SupplyGroupCode>>, StoreError> {
        let text: Option<String> = self.raw(column)?;
        let code = |code: &str| code.parse().map_err(|error| self.damaged(column, &error));
        text.map(|text| text.split_terminator(',').map(code).collect()).transpose()
    }
}

/// A moment as a column holds it. Moments end with the year 9998, so none is too large.
pub(super) const fn seconds(moment: Moment) -> i64 {
    moment.unix_seconds().cast_signed()
}

/// A number of 64 bits as a column holds it.
///
/// # Errors
///
/// [`StoreError::Fault`] above 2⁶³ − 1, which no column can hold.
pub(super) fn long(what: &str, number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(|_| StoreError::Fault {
        problem: format!("{what}: expected at most {}, found {number}", i64::MAX),
    })
}

/// Groups as a column holds them.
pub(super) fn groups(groups: &BTreeSet<SupplyGroupCode>) -> String {
    groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

/// A text, or nothing.
pub(super) fn text_or_null(value: Option<impl Display>) -> ToSqlOutput<'static> {
    ToSqlOutput::Owned(value.map_or(Value::from(Null), |value| Value::Text(value.to_string())))
}
