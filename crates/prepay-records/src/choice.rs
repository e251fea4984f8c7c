//! Names out of a fixed list, as values: operations, kinds of token, ways of rounding.
//!
//! A name is matched once, when its field is read; from then on code uses the value.

use serde::de::Deserializer;
use serde_json::Value;

use crate::element::{needed, wrong};
use crate::error::{RecordCode, RecordError};
use crate::json::{FieldValue, Scalar};

/// A value that records write as a name.
pub trait Named: Copy + 'static {
    /// Every value, in the order of its reference page.
    const ALL: &'static [Self];

    /// What a field of this type takes, for messages.
    const EXPECTED: &'static str;

    /// The name.
    fn name(self) -> &'static str;

    /// The fields that belong to the name, beside those that every name has.
    fn fields(self) -> &'static [&'static str];

    /// The value with this name.
    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|value| value.name() == name)
    }
}

/// A field that holds a name.
#[derive(Clone, Debug)]
pub enum Choice<'a, T> {
    /// One of the list.
    Known(T),
    /// Another text, kept for the message.
    Other(Scalar<'a>),
}

impl<T> From<T> for Choice<'_, T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Named> Choice<'_, T> {
    /// The value, or why there is none.
    ///
    /// # Errors
    ///
    /// [`RecordError`] with this code.
    pub fn get(&self, code: RecordCode, field: &str) -> Result<T, RecordError> {
        match self {
            Self::Known(value) => Ok(*value),
            Self::Other(found) => Err(wrong(code, field, T::EXPECTED, found)),
        }
    }
}

/// The value of a field that has to be there.
///
/// # Errors
///
/// [`RecordError`]: `missing_field`, or this code.
pub fn needed_choice<T: Named>(
    code: RecordCode,
    field: &str,
    value: &Option<Choice<'_, T>>,
) -> Result<T, RecordError> {
    needed(field, value.as_ref())?.get(code, field)
}

impl<'de, T: Named> FieldValue<'de> for Choice<'de, T> {
    #[inline]
    fn fill<D: Deserializer<'de>>(
        field: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<RecordError>, D::Error> {
        let mut scalar = None;
        let defect = Scalar::fill(field, &mut scalar, value)?;
        *place = scalar.map(|scalar| match &scalar {
            Scalar::Text(text) => T::named(text).map_or(Self::Other(scalar), Self::Known),
            _ => Self::Other(scalar),
        });
        Ok(defect)
    }

    fn json(&self) -> Value {
        match self {
            Self::Known(value) => value.name().into(),
            Self::Other(scalar) => scalar.json(),
        }
    }
}

/// Declares a list of names: an enum, the text of each variant, and the fields that belong to it.
#[macro_export]
macro_rules! choices {
    (
        $(#[$doc:meta])* $visibility:vis enum $name:ident ($expected:literal) {
            $($(#[$variant_doc:meta])* $variant:ident = $text:literal [$($field:literal),* $(,)?],)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $crate::Named for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)*];
            const EXPECTED: &'static str = $expected;

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            fn fields(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => &[$($field),*],)*
                }
            }
        }
    };
}
