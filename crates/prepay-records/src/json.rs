//! Reading JSON: records of named fields, each at most once, with scalars, keys or further records in them.
//!
//! A text is read in one pass without copying. Reading goes on after a field that is unknown or repeated, so that the
//! answer can carry the `id` wherever it stands; the first such defect is kept. Reading stops where the text is no
//! longer JSON; what was read before is kept.
//!
//! - Only whole numbers are accepted, and they are exact.
//! - Elsewhere: what a field means (`element.rs`, `token.rs`, and the doors).

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::{RecordCode, RecordError};

/// The longest piece of an unknown name that a message repeats, in characters.
const LONGEST_NAME: usize = 40;

/// A value that is neither an array nor an object, with its type kept so that messages can name it.
#[derive(Clone, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A whole number of at most 63 bits and its sign.
    Integer(i64),
    /// True or false.
    Boolean(bool),
    /// Any other number, which no field takes.
    Number,
    /// Null, which no field takes.
    Null,
    /// An array, which no scalar field takes.
    Array,
    /// An object, which no scalar field takes.
    Object,
}

impl<'a> From<&'a str> for Scalar<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Scalar<'_> {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u32> for Scalar<'_> {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl fmt::Debug for Scalar<'_> {
    /// The type alone: the text may be a key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::Integer(_) => "Integer(..)",
            Self::Boolean(_) => "Boolean(..)",
            Self::Number => "Number",
            Self::Null => "Null",
            Self::Array => "Array",
            Self::Object => "Object",
        })
    }
}

impl fmt::Display for Scalar<'_> {
    /// What was found, for a message. Never used on keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{}\"", shortened(text)),
            Self::Integer(number) => number.fmt(f),
            Self::Boolean(value) => value.fmt(f),
            Self::Number => f.write_str("a number that is no whole one of 63 bits"),
            Self::Null => f.write_str("null"),
            Self::Array => f.write_str("an array"),
            Self::Object => f.write_str("an object"),
        }
    }
}

/// The beginning of a text that a message may repeat.
pub fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// A value that a field can hold.
pub trait FieldValue<'de>: Sized {
    /// Reads the value into its place, and says what is wrong with its shape, if anything.
    ///
    /// # Errors
    ///
    /// Those of reading, when the text is no JSON.
    fn fill<D: Deserializer<'de>>(
        field: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<RecordError>, D::Error>;

    /// The same value in a line that a client writes. Null, which no field takes, for what clients never write.
    fn json(&self) -> Value {
        Value::Null
    }
}

/// Reads the value of a field into its place.
#[doc(hidden)]
#[derive(Debug)]
pub struct Place<'p, T> {
    pub field: &'static str,
    pub place: &'p mut Option<T>,
}

impl<'de, T: FieldValue<'de>> DeserializeSeed<'de> for Place<'_, T> {
    type Value = Option<RecordError>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        T::fill(self.field, self.place, value)
    }
}

impl<'de> FieldValue<'de> for Scalar<'de> {
    #[inline]
    fn fill<D: Deserializer<'de>>(
        field: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<RecordError>, D::Error> {
        let value = &*place.insert(value.deserialize_any(ScalarVisitor)?);
        let (Self::Array | Self::Object) = value else { return Ok(None) };
        let message = format!("{field}: expected a string or a number, found {value}");
        Ok(Some(RecordError::new(RecordCode::BadJson, message)))
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_ref()),
            Self::Integer(number) => (*number).into(),
            Self::Boolean(value) => (*value).into(),
            Self::Number | Self::Null | Self::Array | Self::Object => Value::Null,
        }
    }
}

/// The `id` of a request, kept as it was written.
impl<'de> FieldValue<'de> for &'de RawValue {
    fn fill<D: Deserializer<'de>>(
        field: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<RecordError>, D::Error> {
        let id = <&RawValue as serde::Deserialize>::deserialize(value)?;
        if id.get().starts_with(|c: char| "\"-0123456789".contains(c)) {
            *place = Some(id);
            return Ok(None);
        }
        let message = format!("{field}: expected a string or a number, found something else");
        Ok(Some(RecordError::new(RecordCode::BadJson, message)))
    }
}

/// Reads a [`Scalar`].
#[doc(hidden)]
#[derive(Debug)]
pub struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(number).map_or(Scalar::Number, Scalar::Integer))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(number))
    }

    #[expect(
        clippy::disallowed_types,
        reason = "named in order to refuse a number with a fraction"
    )]
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Scalar::Number)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Boolean(value))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Array)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Object)
    }
}

/// A value of any type, kept as it was written, for code that knows its form.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(&'a RawValue);

impl<'a> From<&'a RawValue> for Raw<'a> {
    fn from(value: &'a RawValue) -> Self {
        Self(value)
    }
}

impl<'a> Raw<'a> {
    /// The text of the value.
    pub fn text(self) -> &'a str {
        self.0.get()
    }

    /// The members of a list, all of one type.
    ///
    /// # Errors
    ///
    /// [`RecordError`]: `value_range` when it is no list, or has a member of another type.
    pub fn list<T: serde::de::DeserializeOwned>(
        self,
        field: &str,
        expected: &str,
    ) -> Result<Vec<T>, RecordError> {
        serde_json::from_str(self.text()).map_err(|_| {
            RecordError::new(RecordCode::ValueRange, format!("{field}: expected {expected}"))
        })
    }
}

impl<'de> FieldValue<'de> for Raw<'de> {
    fn fill<D: Deserializer<'de>>(
        _: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<RecordError>, D::Error> {
        *place = Some(Self(<&RawValue as serde::Deserialize>::deserialize(value)?));
        Ok(None)
    }
}

/// A list of texts.
#[derive(Clone, Debug)]
pub enum Texts {
    /// The texts.
    Listed(Vec<String>),
    /// Something else.
    Other,
}

impl Texts {
    /// The texts, or why they are none.
    ///
    /// # Errors
    ///
    /// [`RecordError`]: `value_range`.
    pub fn get(&self, field: &str, expected: &str) -> Result<&[String], RecordError> {
        match self {
            Self::Listed(texts) => Ok(texts),
            Self::Other => {
                let message = format!("{field}: expected {expected}");
                Err(RecordError::new(RecordCode::ValueRange, message))
            }
        }
    }
}

impl<'de> FieldValue<'de> for Texts {
    fn fill<D: Deserializer<'de>>(
        field: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<RecordError>, D::Error> {
        let mut raw = None::<Raw<'de>>;
        let defect = Raw::fill(field, &mut raw, value)?;
        let listed = |raw: Raw<'de>| serde_json::from_str(raw.text());
        *place = raw.map(|raw| listed(raw).map_or(Self::Other, Self::Listed));
        Ok(defect)
    }
}

/// Reads the name of a field.
#[doc(hidden)]
#[derive(Debug)]
pub struct NameVisitor<F>(pub F);

impl<'de, F: FnOnce(&str) -> R, R> DeserializeSeed<'de> for NameVisitor<F> {
    type Value = R;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<R, D::Error> {
        name.deserialize_identifier(self)
    }
}

impl<F: FnOnce(&str) -> R, R> Visitor<'_> for NameVisitor<F> {
    type Value = R;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    #[inline]
    fn visit_str<E>(self, name: &str) -> Result<R, E> {
        Ok((self.0)(name))
    }
}

/// Measures how deep arrays and objects nest in a value: 0 for a value that is neither.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Depth {
    /// How many levels an array counts as; where the format has no arrays, more than any format allows.
    pub array: usize,
}

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<usize, D::Error> {
        value.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, _: &str) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_u64<E>(self, _: u64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_i64<E>(self, _: i64) -> Result<usize, E> {
        Ok(0)
    }

    #[expect(
        clippy::disallowed_types,
        reason = "named in order to refuse a number with a fraction"
    )]
    fn visit_f64<E>(self, _: f64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_bool<E>(self, _: bool) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_unit<E>(self) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<usize, A::Error> {
        let mut deepest = 0;
        while let Some(depth) = seq.next_element_seed(self)? {
            deepest = deepest.max(depth);
        }
        Ok(deepest.saturating_add(self.array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
        let mut deepest = 0;
        while map.next_key::<IgnoredAny>()?.is_some() {
            deepest = deepest.max(map.next_value_seed(self)?);
        }
        Ok(deepest.saturating_add(1))
    }
}

/// The defect of a value that nests deeper than the format.
#[doc(hidden)]
pub fn too_deep() -> RecordError {
    RecordError::new(RecordCode::BadJson, "a value nests deeper than the format does")
}

/// Reads the text of an object into a record. Returns why the text is not an object, if it is not.
#[doc(hidden)]
pub fn read_into<'a, R>(record: &mut R, text: &'a str) -> Option<RecordError>
where
    for<'r> &'r mut R: Visitor<'a, Value = ()>,
{
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json.deserialize_any(&mut *record).and_then(|()| json.end());
    let error = read.err()?;
    let message = format!("expected one JSON object: {error}");
    Some(RecordError::new(RecordCode::BadJson, message))
}

/// Appends a line: the `id`, and the fields of a record.
pub fn write_line(out: &mut Vec<u8>, id: &RawValue, record: &impl Serialize) {
    out.extend_from_slice(b"{\"id\":");
    out.extend_from_slice(id.get().as_bytes());
    let start = out.len();
    serde_json::to_writer(&mut *out, record).expect("an answer is JSON and a vector takes it");
    out[start] = b',';
    out.push(b'\n');
}

/// What the macro [`record!`](crate::record!) names.
#[doc(hidden)]
pub mod parts {
    pub use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
    pub use serde_json::{Map, Value};

    pub use super::{
        Depth, FieldValue, NameVisitor, Place, Scalar, ScalarVisitor, read_into, shortened,
        too_deep,
    };
    pub use crate::error::{RecordCode, RecordError};
}

/// Declares a record: its fields once, with how they are read and listed, and how deep its values nest.
///
/// With `strict` after the depth, an array in an unknown field is `bad_json` too, and `bad_json` is reported before
/// any other defect.
#[macro_export]
macro_rules! record {
    (@array) => { 1 };
    (@array strict) => { usize::MAX };
    (@strict) => { false };
    (@strict strict) => { true };
    (
        $(#[$doc:meta])* $visibility:vis $record:ident ($deepest:literal $(, $strict:ident)?),
        $($(#[$field_doc:meta])* $field:ident ($name:literal): $type:ty,)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Default)]
        $visibility struct $record<'de> {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// What is wrong with the shape of the object, if it was read from text.
            pub defect: Option<$crate::json::parts::RecordError>,
        }

        impl<'de> $record<'de> {
            /// Reads the text of one object. Whatever is wrong with its shape is kept as a defect.
            pub fn read(text: &'de str) -> Self {
                let mut record = Self::default();
                if let Some(defect) = $crate::json::parts::read_into(&mut record, text) {
                    record.defect = Some(defect);
                }
                record
            }

            /// Reads one line, which need not be text.
            pub fn read_line(line: &'de [u8]) -> Self {
                // One check of the whole line is cheaper than one for each string.
                match std::str::from_utf8(line) {
                    Ok(text) => Self::read(text),
                    Err(error) => {
                        let at = error.valid_up_to();
                        let message = format!("the line is not UTF-8 from byte {at}");
                        let defect = $crate::json::parts::RecordError::new(
                            $crate::json::parts::RecordCode::BadJson,
                            message,
                        );
                        Self { defect: Some(defect), ..Self::default() }
                    }
                }
            }

            /// The names of the fields that are there.
            pub fn given(&self) -> impl Iterator<Item = &'static str> {
                [$(self.$field.is_some().then_some($name),)*].into_iter().flatten()
            }

            /// The record as a client writes it in a line.
            #[allow(dead_code, reason = "only few records have a client")]
            pub fn json_object(&self) -> $crate::json::parts::Map<String, $crate::json::parts::Value> {
                let mut object = $crate::json::parts::Map::new();
                $(if let Some(value) = &self.$field {
                    object.insert($name.to_owned(), $crate::json::parts::FieldValue::json(value));
                })*
                object
            }

            /// Keeps the first defect.
            fn note(&mut self, defect: $crate::json::parts::RecordError) {
                const STRICT: bool = $crate::record!(@strict $($strict)?);
                use $crate::json::parts::RecordCode::{BadJson, UnknownField};
                match &self.defect {
                    Some(known)
                        if STRICT && known.code == UnknownField && defect.code == BadJson =>
                    {
                        self.defect = Some(defect);
                    }
                    Some(_) => {}
                    None => self.defect = Some(defect),
                }
            }

            /// Keeps the defect of a value that is no object.
            fn refuse(&mut self, found: impl std::fmt::Display) {
                let message = format!("expected an object, found {found}");
                self.note($crate::json::parts::RecordError::new(
                    $crate::json::parts::RecordCode::BadJson,
                    message,
                ));
            }

            /// Reads all fields of an object.
            fn fill_fields<A: $crate::json::parts::MapAccess<'de>>(
                &mut self,
                mut map: A,
            ) -> Result<(), A::Error> {
                use $crate::json::parts::{
                    Depth, IgnoredAny, NameVisitor, Place, RecordCode, RecordError, shortened, too_deep,
                };
                #[allow(non_camel_case_types, reason = "the variants are the names of fields")]
                enum Name { $($field,)* Unknown(RecordError) }
                let name = |name: &str| match name {
                    $($name => Name::$field,)*
                    other => {
                        let message = format!("no field is called \"{}\"", shortened(other));
                        Name::Unknown(RecordError::new(RecordCode::UnknownField, message))
                    }
                };
                const DEPTH: Depth = Depth { array: $crate::record!(@array $($strict)?) };
                while let Some(name) = map.next_key_seed(NameVisitor(name))? {
                    let defect = match name {
                        $(Name::$field if self.$field.is_some() => {
                            map.next_value::<IgnoredAny>()?;
                            let message = format!("{} stands twice", $name);
                            Some(RecordError::new(RecordCode::BadJson, message))
                        }
                        Name::$field => {
                            map.next_value_seed(Place { field: $name, place: &mut self.$field })?
                        })*
                        Name::Unknown(defect) => {
                            let depth = map.next_value_seed(DEPTH)?;
                            Some(if depth > $deepest { too_deep() } else { defect })
                        }
                    };
                    if let Some(defect) = defect {
                        self.note(defect);
                    }
                }
                Ok(())
            }
        }

        impl std::fmt::Debug for $record<'_> {
            /// The names of the fields that are there: a value may be a key.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($record), " "))?;
                f.debug_set().entries(self.given()).finish()
            }
        }

        impl<'de> $crate::json::parts::Visitor<'de> for &mut $record<'de> {
            type Value = ();

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: $crate::json::parts::MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
                self.fill_fields(map)
            }

            fn visit_seq<A: $crate::json::parts::SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
                $crate::json::parts::ScalarVisitor.visit_seq(seq).map(|found| self.refuse(found))
            }

            fn visit_str<E>(self, _: &str) -> Result<(), E> {
                self.refuse("a string");
                Ok(())
            }

            fn visit_u64<E>(self, _: u64) -> Result<(), E> {
                self.refuse("a number");
                Ok(())
            }

            fn visit_i64<E>(self, _: i64) -> Result<(), E> {
                self.refuse("a number");
                Ok(())
            }

            #[expect(
                clippy::disallowed_types,
                reason = "named in order to refuse a number with a fraction"
            )]
            fn visit_f64<E>(self, _: f64) -> Result<(), E> {
                self.refuse("a number");
                Ok(())
            }

            fn visit_bool<E>(self, _: bool) -> Result<(), E> {
                self.refuse("true or false");
                Ok(())
            }

            fn visit_unit<E>(self) -> Result<(), E> {
                self.refuse("null");
                Ok(())
            }
        }

        impl<'de> $crate::json::parts::FieldValue<'de> for $record<'de> {
            fn fill<D: $crate::json::parts::Deserializer<'de>>(
                field: &'static str,
                place: &mut Option<Self>,
                value: D,
            ) -> Result<Option<$crate::json::parts::RecordError>, D::Error> {
                let record = place.insert(Self::default());
                value.deserialize_any(&mut *record)?;
                Ok(record.defect.take().map(|defect| defect.of(field)))
            }

            fn json(&self) -> $crate::json::parts::Value {
                self.json_object().into()
            }
        }
    };
}
