//! The records of the JSON: which members there are, not what they mean.

use std::fmt;

use prepay_records::json::FieldValue;
use prepay_records::{RecordError, Scalar, record};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

record! {
    /// A form as it is read.
    pub(crate) FormFields (2, strict),
    /// The name of the format.
    format ("format"): Scalar<'de>,
    /// Which form.
    form ("form"): Scalar<'de>,
    /// Draft or signed.
    state ("state"): Scalar<'de>,
    /// What is filled in.
    fields ("fields"): Pairs,
    /// The signature of a signed form.
    signature ("signature"): SignatureFields<'de>,
}

record! {
    /// A signature as it is read.
    pub(crate) SignatureFields (0, strict),
    /// Who signed.
    signatory ("signatory"): Scalar<'de>,
    /// The fingerprint of the signatory's key.
    fingerprint ("fingerprint"): Scalar<'de>,
    /// The key.
    key ("key"): Scalar<'de>,
    /// The centre that the form is for.
    centre ("centre"): Scalar<'de>,
    /// The fingerprint of the centre's keys.
    centre_fingerprint ("centre_fingerprint"): Scalar<'de>,
    /// Whether the centre is a real one or a test centre.
    purpose ("purpose"): Scalar<'de>,
    /// When it was signed.
    signed ("signed"): Scalar<'de>,
    /// Until when it may be accepted.
    expires ("expires"): Scalar<'de>,
    /// The signature.
    signature ("signature"): Scalar<'de>,
}

/// A form as it is written.
#[derive(serde::Serialize)]
pub(crate) struct FormRecord {
    pub(crate) format: &'static str,
    pub(crate) form: &'static str,
    pub(crate) state: &'static str,
    pub(crate) fields: Pairs,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<SignatureRecord>,
}

/// A signature as it is written.
#[derive(serde::Serialize)]
pub(crate) struct SignatureRecord {
    pub(crate) signatory: String,
    pub(crate) fingerprint: String,
    pub(crate) key: String,
    pub(crate) centre: String,
    pub(crate) centre_fingerprint: String,
    pub(crate) purpose: &'static str,
    pub(crate) signed: String,
    pub(crate) expires: String,
    pub(crate) signature: String,
}

/// A form at the centre, as it is written.
#[derive(serde::Serialize)]
pub struct StatusRecord {
    pub(crate) number: u32,
    pub(crate) form: &'static str,
    pub(crate) state: &'static str,
    pub(crate) customer: Option<u32>,
    pub(crate) digest: String,
    pub(crate) steps: Vec<StepRecord>,
    pub(crate) document: FormRecord,
}

/// A step of a form at the centre.
#[derive(serde::Serialize)]
pub(crate) struct StepRecord {
    pub(crate) state: &'static str,
    pub(crate) at: String,
    pub(crate) by: String,
    pub(crate) note: String,
}

/// An object of strings, in the order written, without repeated names.
#[derive(Clone)]
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

impl Serialize for Pairs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> FieldValue<'de> for Pairs {
    fn fill<D: Deserializer<'de>>(
        _: &'static str,
        place: &mut Option<Self>,
        value: D,
    ) -> Result<Option<RecordError>, D::Error> {
        *place = Some(value.deserialize_map(PairsVisitor)?);
        Ok(None)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of strings")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        while let Some((name, value)) = map.next_entry()? {
            if pairs.iter().any(|(other, _)| *other == name) {
                return Err(serde::de::Error::custom(format_args!("field {name:?} is repeated")));
            }
            // No form has as many fields. The limit keeps the search for repeated names cheap.
            if pairs.len() >= 64 {
                return Err(serde::de::Error::custom("expected at most 64 fields"));
            }
            pairs.push((name, value));
        }
        Ok(Pairs(pairs))
    }
}
