//! The shape of a request: which fields there are, not what they mean.

use std::fmt;

use prepay_records::json::FieldValue;
use prepay_records::{
    Choice, RecordError, Rounding, Scalar, TokenRecord, choices, element, record,
};
use prepay_token::element::KeyType;
use prepay_token::key_change::SetSize;
use serde::de::Deserializer;
use serde_json::value::RawValue;

use crate::search::dkga_of_length;

choices! {
    /// The operations, with the fields that each takes beside `id` and `op`.
    pub enum Operation ("issue, open, derive or key_change") {
        /// Issues a token.
        Issue = "issue" ["pan", "ea", "key", "token", "issued_at", "tid", "rnd", "round"],
        /// Reads a token.
        Open = "open" ["pan", "ea", "key", "number"],
        /// Derives a decoder key.
        Derive = "derive" ["pan", "ea", "key"],
        /// Issues the tokens that give a meter a new key.
        KeyChange = "key_change" ["pan", "ea", "from", "to", "tokens"],
    }
}

record! {
    /// One request.
    pub Request (1),
    /// Echoed in the answer: a string or a number.
    id ("id"): &'de RawValue,
    /// What is to be done.
    op ("op"): Choice<'de, Operation>,
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
    round ("round"): Choice<'de, Rounding>,
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
    pub KeyRecord (0),
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

/// A key as it came: a line that names a key seen before need not have it read again.
#[derive(Clone)]
pub enum KeySource<'a> {
    /// The fields.
    Record(Box<KeyRecord<'a>>),
    /// The text of the object, not yet looked into.
    Text(&'a RawValue),
}

impl KeySource<'_> {
    /// What is wrong with the shape of a key that has not been looked into.
    pub(crate) fn defect(&self, name: &str) -> Option<RecordError> {
        match self {
            Self::Record(_) => None,
            Self::Text(text) => KeyRecord::read(text.get()).defect.map(|defect| defect.of(name)),
        }
    }
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
    ) -> Result<Option<RecordError>, D::Error> {
        *place = Some(Self::Text(<&RawValue as serde::Deserialize>::deserialize(value)?));
        Ok(None)
    }
}

impl<'a> From<KeyRecord<'a>> for KeySource<'a> {
    fn from(record: KeyRecord<'a>) -> Self {
        Self::Record(Box::new(record))
    }
}

impl KeyRecord<'_> {
    /// The same with the usual values of a vending key where none were given: revision 1, a unique key, tariff index
    /// 01, and the derivation algorithm that takes keys of this length. A line of a batch says them all.
    #[must_use]
    pub fn with_usual_values(mut self) -> Self {
        if let Some(Scalar::Text(key)) = &self.vending_key {
            let by_length = dkga_of_length(key.len());
            self.dkga = self.dkga.or(by_length.map(Scalar::from));
            self.krn = self.krn.or(Some(Scalar::from(1_u32)));
            self.kt = self.kt.or(Some(Scalar::from(u32::from(KeyType::Unique.value()))));
            self.ti = self.ti.or(Some(Scalar::from("01")));
        }
        self
    }
}

impl Request<'_> {
    /// The same with the smallest set of key change tokens that suits the cipher, where no size was given. A line of a
    /// batch says it.
    #[must_use]
    pub fn with_usual_size(mut self) -> Self {
        // A cipher that is none is refused when the request is read.
        if let (None, Ok(Some(ea))) = (&self.tokens, element::ea(&self.ea)) {
            self.tokens = Some(Scalar::from(u32::from(SetSize::smallest(ea).count())));
        }
        self
    }

    /// The first thing that is wrong with the shape of a key that has not been looked into.
    pub(crate) fn key_defect(&self) -> Option<RecordError> {
        let keys = [("key", &self.key), ("from", &self.from), ("to", &self.to)];
        keys.into_iter().find_map(|(name, key)| key.as_ref()?.defect(name))
    }
}
