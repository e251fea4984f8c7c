//! The shape of a request: which fields there are, and nothing about what they mean.
//!
//! A line is read in one pass without copying. Reading goes on after a field that is unknown or repeated,
//! so that the answer can carry the `id` wherever it stands; the first such defect is kept. A line that is
//! no JSON at all ends the pass, and what was read before it is kept too.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::code::{ErrorCode, LabError};

/// The longest piece of an unknown name that a message repeats, in characters.
const LONGEST_NAME: usize = 40;

/// A value that is neither an array nor an object, with its type kept so that messages can name it.
#[derive(Clone, PartialEq, Eq)]
pub enum Scalar<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A whole number that fits in 64 bits.
    Integer(i64),
    /// Something that no field takes; its description.
    Other(&'static str),
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
            Self::Other(_) => "Other(..)",
        })
    }
}

impl fmt::Display for Scalar<'_> {
    /// What was found, for a message. Never used on keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{}\"", shortened(text)),
            Self::Integer(number) => number.fmt(f),
            Self::Other(description) => f.write_str(description),
        }
    }
}

/// The beginning of a text that a message may repeat.
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// A value that a field can hold.
pub(crate) trait FieldValue<'de>: Sized {
    /// Reads the value into its place, and says what is wrong with its shape, if anything.
    fn fill<D: Deserializer<'de>>(
        field: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<LabError>, D::Error>;
}

/// Reads the value of a field into its place.
pub(crate) struct Place<'p, T> {
    pub(crate) field: &'static str,
    pub(crate) place: &'p mut Option<T>,
}

impl<'de, T: FieldValue<'de>> DeserializeSeed<'de> for Place<'_, T> {
    type Value = Option<LabError>;

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
    ) -> Result<Option<LabError>, D::Error> {
        let value = place.insert(value.deserialize_any(ScalarVisitor)?);
        let Self::Other(kind @ ("an array" | "an object")) = value else { return Ok(None) };
        let message = format!("{field}: expected a string or a number, found {kind}");
        Ok(Some(LabError::new(ErrorCode::BadJson, message)))
    }
}

/// The `id` of a request, kept as it was written.
impl<'de> FieldValue<'de> for &'de RawValue {
    fn fill<D: Deserializer<'de>>(
        field: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<LabError>, D::Error> {
        let id = <&RawValue as serde::Deserialize>::deserialize(value)?;
        if id.get().starts_with(|c: char| "\"-0123456789".contains(c)) {
            *place = Some(id);
            return Ok(None);
        }
        let message = format!("{field}: expected a string or a number, found something else");
        Ok(Some(LabError::new(ErrorCode::BadJson, message)))
    }
}

/// A number that no field takes: a fraction, or one of more than 63 bits.
const NOT_WHOLE: Scalar<'static> = Scalar::Other("a number that is no whole one of 63 bits");

/// Reads a [`Scalar`].
pub(crate) struct ScalarVisitor;

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
        Ok(i64::try_from(number).map_or(NOT_WHOLE, Scalar::Integer))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Scalar::Integer(number))
    }

    #[expect(
        clippy::disallowed_types,
        reason = "named in order to refuse a number with a fraction"
    )]
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(NOT_WHOLE)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Other(if value { "true" } else { "false" }))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Other("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("an array"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("an object"))
    }
}

/// A key as it came: a line that names a key seen before need not have it read again.
#[derive(Clone)]
pub enum KeySource<'a> {
    /// The fields.
    Record(Box<KeyRecord<'a>>),
    /// The text of the object, not yet looked into.
    Text(&'a RawValue),
}

impl fmt::Debug for KeySource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySource(..)")
    }
}

impl<'de> FieldValue<'de> for KeySource<'de> {
    fn fill<D: Deserializer<'de>>(
        _: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<LabError>, D::Error> {
        *place = Some(Self::Text(<&RawValue as serde::Deserialize>::deserialize(value)?));
        Ok(None)
    }
}

impl<'a> From<KeyRecord<'a>> for KeySource<'a> {
    fn from(record: KeyRecord<'a>) -> Self {
        Self::Record(Box::new(record))
    }
}

/// Reads the name of a field.
pub(crate) struct NameVisitor<F>(pub(crate) F);

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
pub(crate) struct Depth;

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
        while let Some(depth) = seq.next_element_seed(Self)? {
            deepest = deepest.max(depth);
        }
        Ok(deepest + 1)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<usize, A::Error> {
        let mut deepest = 0;
        while map.next_key::<IgnoredAny>()?.is_some() {
            deepest = deepest.max(map.next_value_seed(Self)?);
        }
        Ok(deepest + 1)
    }
}

/// The defect of a value that nests deeper than the format.
pub(crate) fn too_deep() -> LabError {
    LabError::new(ErrorCode::BadJson, "a value nests deeper than the format does")
}

/// Declares a record: its fields once, with how they are read and listed, and how deep its values nest.
macro_rules! record {
    ($(#[$doc:meta])* $record:ident ($deepest:literal), $($(#[$field_doc:meta])* $field:ident ($name:literal): $type:ty,)*) => {
        $(#[$doc])*
        #[derive(Clone, Default)]
        pub struct $record<'de> {
            $($(#[$field_doc])* pub $field: Option<$type>,)*
            /// The first thing that is wrong with the shape of the object, if it was read from text.
            pub defect: Option<LabError>,
        }

        impl<'de> $record<'de> {
            /// The names of the fields that are there.
            pub fn given(&self) -> impl Iterator<Item = &'static str> {
                [$(self.$field.is_some().then_some($name),)*].into_iter().flatten()
            }

            /// Keeps the defect of a value that is no object.
            fn refuse(&mut self, found: &Scalar<'_>) {
                let message = format!("expected an object, found {found}");
                self.defect.get_or_insert(LabError::new(ErrorCode::BadJson, message));
            }

            /// Reads all fields of an object.
            fn fill_fields<A: MapAccess<'de>>(&mut self, mut map: A) -> Result<(), A::Error> {
                #[allow(non_camel_case_types, reason = "the variants are the names of fields")]
                enum Name { $($field,)* Unknown(LabError) }
                let name = |name: &str| match name {
                    $($name => Name::$field,)*
                    other => {
                        let message = format!("no field is called \"{}\"", shortened(other));
                        Name::Unknown(LabError::new(ErrorCode::UnknownField, message))
                    }
                };
                while let Some(name) = map.next_key_seed(NameVisitor(name))? {
                    let defect = match name {
                        $(Name::$field if self.$field.is_some() => {
                            map.next_value::<IgnoredAny>()?;
                            let message = format!("{} stands twice", $name);
                            Some(LabError::new(ErrorCode::BadJson, message))
                        }
                        Name::$field => {
                            map.next_value_seed(Place { field: $name, place: &mut self.$field })?
                        })*
                        Name::Unknown(defect) => {
                            let depth = map.next_value_seed(Depth)?;
                            Some(if depth > $deepest { too_deep() } else { defect })
                        }
                    };
                    if let Some(defect) = defect {
                        self.defect.get_or_insert(defect);
                    }
                }
                Ok(())
            }
        }

        impl fmt::Debug for $record<'_> {
            /// The names of the fields that are there: a value may be a key.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($record), " "))?;
                f.debug_set().entries(self.given()).finish()
            }
        }

        impl<'de> Visitor<'de> for &mut $record<'de> {
            type Value = ();

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
                self.fill_fields(map)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<(), A::Error> {
                ScalarVisitor.visit_seq(seq).map(|found| self.refuse(&found))
            }

            fn visit_str<E>(self, _: &str) -> Result<(), E> {
                self.refuse(&Scalar::Other("a string"));
                Ok(())
            }

            fn visit_u64<E>(self, _: u64) -> Result<(), E> {
                self.refuse(&Scalar::Other("a number"));
                Ok(())
            }

            fn visit_i64<E>(self, _: i64) -> Result<(), E> {
                self.refuse(&Scalar::Other("a number"));
                Ok(())
            }

            #[expect(
                clippy::disallowed_types,
                reason = "named in order to refuse a number with a fraction"
            )]
            fn visit_f64<E>(self, _: f64) -> Result<(), E> {
                self.refuse(&Scalar::Other("a number"));
                Ok(())
            }

            fn visit_bool<E>(self, _: bool) -> Result<(), E> {
                self.refuse(&Scalar::Other("true or false"));
                Ok(())
            }

            fn visit_unit<E>(self) -> Result<(), E> {
                self.refuse(&Scalar::Other("null"));
                Ok(())
            }
        }

        impl<'de> FieldValue<'de> for $record<'de> {
            fn fill<D: Deserializer<'de>>(
                field: &'static str,
                place: &mut Option<Self>,
                value: D,
            ) -> Result<Option<LabError>, D::Error> {
                let record = place.insert(Self::default());
                value.deserialize_any(&mut *record)?;
                Ok(record.defect.take().map(|mut defect| {
                    defect.message.insert_str(0, ": ");
                    defect.message.insert_str(0, field);
                    defect
                }))
            }
        }
    };
}

pub(crate) use record;

record! {
    /// One request.
    Request (1),
    /// Echoed in the answer: a string or a number.
    id ("id"): &'de RawValue,
    /// What is to be done.
    op ("op"): Scalar<'de>,
    /// The meter.
    pan ("pan"): Scalar<'de>,
    /// The encryption algorithm.
    ea ("ea"): Scalar<'de>,
    /// The key.
    key ("key"): KeySource<'de>,
    /// `issue`: what the token means.
    token ("token"): TokenRecord<'de>,
    /// `issue`: when.
    issued_at ("issued_at"): Scalar<'de>,
    /// `issue`: the identifier, instead of a time.
    tid ("tid"): Scalar<'de>,
    /// `issue`: the random number.
    rnd ("rnd"): Scalar<'de>,
    /// `issue`: what an amount gets that is finer than a token can carry.
    round ("round"): Scalar<'de>,
    /// `open`: the digits.
    number ("number"): Scalar<'de>,
    /// `key_change`: the current key.
    from ("from"): KeySource<'de>,
    /// `key_change`: the new key.
    to ("to"): KeySource<'de>,
    /// `key_change`: the size of the set.
    tokens ("tokens"): Scalar<'de>,
}

record! {
    /// A key: a decoder key as it is, or a vending key to derive one from.
    KeyRecord (0),
    /// The decoder key in hexadecimal.
    decoder_key ("decoder_key"): Scalar<'de>,
    /// The vending key in hexadecimal.
    vending_key ("vending_key"): Scalar<'de>,
    /// The key generation algorithm.
    dkga ("dkga"): Scalar<'de>,
    /// The supply group code.
    sgc ("sgc"): Scalar<'de>,
    /// The key revision number.
    krn ("krn"): Scalar<'de>,
    /// The key type.
    kt ("kt"): Scalar<'de>,
    /// The tariff index.
    ti ("ti"): Scalar<'de>,
    /// The key expiry number.
    ken ("ken"): Scalar<'de>,
    /// The base date.
    base_date ("base_date"): Scalar<'de>,
}

record! {
    /// What a token means.
    TokenRecord (0),
    /// Which token.
    kind ("type"): Scalar<'de>,
    /// The service.
    service ("service"): Scalar<'de>,
    /// The amount.
    amount ("amount"): Scalar<'de>,
    /// The control field.
    control ("control"): Scalar<'de>,
    /// The manufacturer code.
    mfr_code ("mfr_code"): Scalar<'de>,
    /// The sub-class, where the type does not say it.
    sub_class ("sub_class"): Scalar<'de>,
    /// A power limit.
    watts ("watts"): Scalar<'de>,
    /// The register to clear.
    register ("register"): Scalar<'de>,
    /// The tariff rate.
    rate ("rate"): Scalar<'de>,
    /// The water meter factor.
    factor ("factor"): Scalar<'de>,
    /// The index of an extended value.
    index ("index"): Scalar<'de>,
    /// The value of an extended or proprietary token.
    value ("value"): Scalar<'de>,
}

/// Reads the text of an object into a record. Answers what makes the text no object, if anything does.
pub(crate) fn fill_from_text<'a, R>(record: &mut R, text: &'a str) -> Option<LabError>
where
    for<'r> &'r mut R: Visitor<'a, Value = ()>,
{
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json.deserialize_any(&mut *record).and_then(|()| json.end());
    let error = read.err()?;
    let message = format!("expected one JSON object: {error}");
    Some(LabError::new(ErrorCode::BadJson, message))
}

impl<'a> KeyRecord<'a> {
    /// Reads the text of an object. Whatever is wrong with its shape is kept as a defect.
    pub(crate) fn parse(text: &'a RawValue) -> Self {
        let mut record = Self::default();
        let mut json = serde_json::Deserializer::from_str(text.get());
        // A raw value has the form of JSON, but may hold half a surrogate pair or a number beyond all bounds.
        if let Err(error) = json.deserialize_any(&mut record) {
            let message = format!("expected an object: {error}");
            record.defect = Some(LabError::new(ErrorCode::BadJson, message));
        }
        record
    }
}

impl<'a> Request<'a> {
    /// The first thing that is wrong with the shape of a key that has not been looked into.
    pub(crate) fn key_defect(&self) -> Option<LabError> {
        let keys = [("key", &self.key), ("from", &self.from), ("to", &self.to)];
        keys.into_iter().find_map(|(name, key)| {
            let Some(KeySource::Text(text)) = key else { return None };
            KeyRecord::parse(text).defect.map(|defect| defect.of(name))
        })
    }

    /// Reads one line. Whatever is wrong with its shape is kept as a defect beside what could be read.
    pub fn parse(line: &'a [u8]) -> Self {
        let mut request = Self::default();
        // One look at the whole line is cheaper than one at each string.
        let text = match std::str::from_utf8(line) {
            Ok(text) => text,
            Err(error) => {
                let message = format!("the line is not UTF-8 from byte {}", error.valid_up_to());
                request.defect = Some(LabError::new(ErrorCode::BadJson, message));
                return request;
            }
        };
        let mut json = serde_json::Deserializer::from_str(text);
        let read = json.deserialize_any(&mut request).and_then(|()| json.end());
        if let Err(error) = read {
            let message = format!("expected one JSON object on the line: {error}");
            request.defect = Some(LabError::new(ErrorCode::BadJson, message));
        }
        request
    }
}
