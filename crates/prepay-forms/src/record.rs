//! The records of the JSON: which members there are, not what they mean.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A form.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FormRecord {
    pub(crate) format: String,
    pub(crate) form: String,
    pub(crate) state: String,
    pub(crate) fields: Pairs,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signature: Option<SignatureRecord>,
}

/// A signature.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignatureRecord {
    pub(crate) signatory: String,
    pub(crate) fingerprint: String,
    pub(crate) key: String,
    pub(crate) signed: String,
    pub(crate) signature: String,
}

/// A form at the centre.
#[derive(Serialize)]
pub(crate) struct StatusRecord {
    pub(crate) number: u32,
    pub(crate) form: &'static str,
    pub(crate) state: &'static str,
    pub(crate) customer: Option<u32>,
    pub(crate) digest: String,
    pub(crate) steps: Vec<StepRecord>,
    pub(crate) document: FormRecord,
}

/// A step of a form at the centre.
#[derive(Serialize)]
pub(crate) struct StepRecord {
    pub(crate) state: &'static str,
    pub(crate) at: String,
    pub(crate) by: String,
    pub(crate) note: String,
}

/// What a form asks for.
#[derive(Serialize)]
pub(crate) struct SchemaRecord {
    pub(crate) form: &'static str,
    pub(crate) title: &'static str,
    pub(crate) purpose: &'static str,
    pub(crate) fields: Vec<FieldRecord>,
}

/// What a field asks for.
#[derive(Serialize)]
pub(crate) struct FieldRecord {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) required: bool,
    pub(crate) otherwise: Option<&'static str>,
    pub(crate) expected: &'static str,
    pub(crate) help: &'static str,
}

/// What is wrong with a field.
#[derive(Serialize)]
pub(crate) struct FaultRecord<'a> {
    pub(crate) field: &'static str,
    pub(crate) expected: &'a str,
    pub(crate) found: Option<&'a str>,
}

/// An object of strings, in the order written, without repeated names.
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

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
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
