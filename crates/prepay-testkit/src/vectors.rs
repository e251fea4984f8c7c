//! The files of `vectors/`: one case per line, each a JSON object.
//!
//! A case that cannot be read is a defect of the file, not of the code under test, so everything here panics with
//! the file and the line.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The folder of the vectors.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/");

/// A request to the laboratory, with what its answer must contain.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabCase {
    /// Unique in its file.
    pub id: String,
    /// Who published the case, or how it was made.
    pub origin: String,
    /// Why it exists. The published file does not say.
    #[serde(default)]
    pub comment: String,
    /// The request, as written.
    pub request: Box<RawValue>,
    /// Fields of the answer with their values. The answer may have more.
    pub expect: Map<String, Value>,
}

/// A request that the laboratory refuses.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusalCase {
    /// Unique in its file.
    pub id: String,
    /// How it was made.
    pub origin: String,
    /// Why it exists.
    pub comment: String,
    /// The request.
    request: Option<Box<RawValue>>,
    /// Instead of `request`: the line, if it is not JSON or its form matters.
    line: Option<String>,
    /// Instead of `request`: the bytes of the line in hexadecimal, if it is not text.
    line_hex: Option<String>,
    /// The expected answer.
    pub expect: Refused,
}

/// The answer to a request that is refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The code.
    pub code: String,
    /// The `id` of the answer, which may be null. By default, the `id` of the case.
    #[serde(default, deserialize_with = "present")]
    pub id: Option<Box<RawValue>>,
}

/// Reads a value, even null, as present.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(value).map(Some)
}

impl LabCase {
    /// The request as one line, without a line end.
    pub fn line(&self) -> &str {
        self.request.get()
    }

    /// The request as a value.
    pub fn value(&self) -> Value {
        serde_json::from_str(self.line()).unwrap_or_else(|error| panic!("{}: {error}", self.id))
    }
}

impl RefusalCase {
    /// The bytes of the line, without a line end.
    ///
    /// # Panics
    ///
    /// Unless the case has exactly one of `request`, `line` and `line_hex`.
    pub fn line(&self) -> Vec<u8> {
        match (&self.request, &self.line, &self.line_hex) {
            (Some(request), None, None) => request.get().into(),
            (None, Some(line), None) => line.as_str().into(),
            (None, None, Some(hex)) => from_hex(hex),
            _ => panic!("{}: expected one of request, line and line_hex", self.id),
        }
    }

    /// The `id` of the expected answer, as written.
    pub fn answered_id(&self) -> String {
        match &self.expect.id {
            Some(id) => id.get().to_string(),
            None => Value::from(self.id.as_str()).to_string(),
        }
    }
}

/// Reads a file of `vectors/`.
///
/// # Panics
///
/// If the file is missing or a line is not a case.
pub fn load<T: DeserializeOwned>(path: &str) -> Vec<T> {
    let text = std::fs::read_to_string(format!("{FOLDER}{path}"))
        .unwrap_or_else(|error| panic!("vectors/{path}: {error}"));
    let case = |(line, text): (usize, &str)| {
        serde_json::from_str(text)
            .unwrap_or_else(|error| panic!("vectors/{path}, line {}: {error}", line + 1))
    };
    text.lines().enumerate().map(case).collect()
}

/// The cases of all files in a folder of `vectors/`, each with the name of its file, in the order of names.
///
/// # Panics
///
/// If the folder or a file cannot be read. A missing folder has no cases.
pub fn load_folder<T: DeserializeOwned>(folder: &str) -> Vec<(String, T)> {
    let Ok(entries) = std::fs::read_dir(format!("{FOLDER}{folder}")) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry of the folder reads").file_name())
        .filter_map(|name| name.into_string().ok())
        .filter(|name| name.ends_with(".jsonl"))
        .collect();
    names.sort();
    let cases = |name: String| {
        let path = format!("{folder}/{name}");
        load(&path).into_iter().map(move |case| (path.clone(), case)).collect::<Vec<_>>()
    };
    names.into_iter().flat_map(cases).collect()
}

/// Reads hexadecimal digits.
///
/// # Panics
///
/// If the text is not hexadecimal.
pub fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match char::from(byte).to_digit(16) {
        Some(digit) => digit as u8,
        None => panic!("{text:?} is not hexadecimal"),
    };
    assert!(text.len().is_multiple_of(2), "{text:?} has half a byte");
    text.as_bytes().chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

#[cfg(test)]
mod tests {
    use super::from_hex;

    #[test]
    fn hexadecimal_reads_in_both_cases() {
        assert_eq!(from_hex("00aBfF"), [0x00, 0xAB, 0xFF]);
    }

    #[test]
    #[should_panic(expected = "vectors/derived/nothing.jsonl")]
    fn a_lost_file_is_named() {
        super::load::<super::LabCase>("derived/nothing.jsonl");
    }
}
