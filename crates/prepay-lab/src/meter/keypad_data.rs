//! Reads words and short codes of a keypad from data files: `docs/formats/keypad-data.md`.
//!
//! - What is read stays in memory until the program ends: a program reads one set of each.
//! - Elsewhere: what words and codes mean (`prepay_meter::keypad`).

use std::collections::BTreeMap;

use prepay_meter::keypad::ResultWords;
use prepay_meter::{CodeSyntax, CodeTarget, Register, ShortCodeMap, TokenResult};
use prepay_token::element::Service;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A file of words. Its head changes nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsFile {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "origin")]
    _origin: String,
    #[serde(rename = "mark")]
    _mark: Mark,
    words: BTreeMap<String, WordEntry>,
}

/// A file of short codes. Its head changes nothing, but for the syntax.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodesFile {
    #[serde(rename = "name")]
    _name: String,
    #[serde(rename = "origin")]
    _origin: String,
    #[serde(rename = "mark")]
    _mark: Mark,
    syntax: Syntax,
    info_digits: Option<u8>,
    codes: BTreeMap<String, CodeEntry>,
    #[serde(default)]
    unserved: BTreeMap<String, UnservedEntry>,
}

/// The evidence for a set or an entry.
#[derive(Deserialize)]
enum Mark {
    #[serde(rename = "verified")]
    Verified,
    #[serde(rename = "single source")]
    SingleSource,
    #[serde(rename = "own sample")]
    OwnSample,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Syntax {
    DigitsEnter,
    Enclosed,
    Either,
    InfoFirst,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WordEntry {
    word: String,
    #[serde(rename = "mark")]
    _mark: Mark,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeEntry {
    register: Option<u16>,
    emergency: Option<String>,
    #[serde(rename = "mark")]
    _mark: Mark,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnservedEntry {
    #[serde(rename = "shows")]
    _shows: String,
    #[serde(rename = "mark")]
    _mark: Mark,
}

/// The words that a file of words has.
///
/// # Errors
///
/// What is wrong with the text, and where.
pub fn read_words(text: &str) -> Result<ResultWords<'static>, String> {
    let mut entries = parse::<WordsFile>(text)?.words;
    let names = TokenResult::ALL.iter().map(|result| result.name()).chain([REFUSED, FAULT]);
    let names: Vec<&str> = names.collect();
    let mut words = Vec::new();
    for name in &names {
        let entry = entries.remove(*name).ok_or_else(|| format!("words: {name} is missing"))?;
        words.push(entry.word);
    }
    if let Some(unknown) = entries.keys().next() {
        return Err(format!("words: {unknown} is no result; expected {}", names.join(", ")));
    }
    let words: Vec<&'static str> = words.into_iter().map(leak).collect();
    let (results, others) = words.split_at(TokenResult::ALL.len());
    let results = results.try_into().expect("as many as there are results");
    ResultWords::new(results, others[0], others[1]).map_err(|error| {
        let (name, longest) = (names[error.index], ResultWords::LONGEST);
        format!(
            "words: {name}: expected 1 to {longest} printable ASCII characters, found {:?}",
            words[error.index]
        )
    })
}

/// What is not a result, but has a word.
const REFUSED: &str = "code_refused";
const FAULT: &str = "fault";

/// The short codes that a file of short codes has. The meter refuses those that it lists as unserved.
///
/// # Errors
///
/// What is wrong with the text, and where.
pub fn read_codes(text: &str) -> Result<ShortCodeMap<'static>, String> {
    let CodesFile { syntax, info_digits, codes, unserved, .. } = parse(text)?;
    let syntax = match (syntax, info_digits) {
        (Syntax::DigitsEnter, None) => CodeSyntax::DigitsEnter,
        (Syntax::Enclosed, None) => CodeSyntax::Enclosed,
        (Syntax::Either, None) => CodeSyntax::Either,
        (Syntax::InfoFirst, Some(digits)) => CodeSyntax::InfoFirst { digits },
        (Syntax::InfoFirst, None) => return Err("info_digits is missing".to_owned()),
        (_, Some(_)) => return Err("info_digits: expected only with info_first".to_owned()),
    };
    if let Some(both) = unserved.keys().find(|code| codes.contains_key(*code)) {
        return Err(format!("unserved: {both} is in codes, too"));
    }
    let mut entries: Vec<(&'static str, CodeTarget)> = Vec::new();
    for (code, entry) in codes {
        let target = match (entry.register, entry.emergency) {
            (Some(number), None) => Register::with_number(number).map(CodeTarget::Show),
            (None, Some(service)) => {
                service.parse::<Service>().ok().map(CodeTarget::StartEmergency)
            }
            _ => None,
        };
        let target = target.ok_or_else(|| {
            format!("codes: {code}: expected the number of a register, or emergency and a service")
        })?;
        entries.push((leak(code), target));
    }
    let entries: &'static [(&'static str, CodeTarget)] = Vec::leak(entries);
    ShortCodeMap::new(syntax, entries).map_err(|error| format!("codes: {error}"))
}

fn leak(text: String) -> &'static str {
    String::leak(text)
}

/// Reads a file of either kind.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        format!("line {}: {}", before.matches('\n').count() + 1, error.message())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use prepay_meter::keypad::{
        CODES_CONLOG, CODES_EASTERN, CODES_HEXING, CODES_INHE, CODES_LANDIS_GYR, CODES_LINYANG,
        CODES_PROJECT, CODES_WASION, WORDS_DE_FACTO, WORDS_ITRON, WORDS_PROJECT,
    };

    use super::*;

    fn sample(name: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../prepay-meter/data");
        std::fs::read_to_string(folder.join(format!("{name}.toml"))).expect(name)
    }

    /// One change to a file that is right is refused, and the refusal says this.
    fn assert_refused<T: std::fmt::Debug>(
        read: fn(&str) -> Result<T, String>,
        right: &str,
        old: &str,
        new: &str,
        said: &str,
    ) {
        let wrong = right.replacen(old, new, 1);
        assert_ne!(wrong, right, "{old}");
        let error = read(&wrong).expect_err(new);
        assert!(error.contains(said), "{new}: {error}");
    }

    #[test]
    fn every_sample_is_read_as_the_meter_knows_it() {
        for (name, words) in [
            ("words-project", WORDS_PROJECT),
            ("words-de-facto", WORDS_DE_FACTO),
            ("words-itron", WORDS_ITRON),
        ] {
            assert_eq!(read_words(&sample(name)), Ok(words), "{name}");
        }
        for (name, codes) in [
            ("conlog", CODES_CONLOG),
            ("eastern", CODES_EASTERN),
            ("hexing", CODES_HEXING),
            ("inhe", CODES_INHE),
            ("landis-gyr", CODES_LANDIS_GYR),
            ("linyang", CODES_LINYANG),
            ("project", CODES_PROJECT),
            ("wasion", CODES_WASION),
        ] {
            let read = read_codes(&sample(&format!("short-codes-{name}"))).expect(name);
            assert_eq!(read.syntax(), codes.syntax(), "{name}");
            let by_code = |map: ShortCodeMap<'static>| {
                let entries = map.entries().iter();
                entries
                    .map(|(code, target)| (*code, format!("{target:?}")))
                    .collect::<BTreeMap<_, _>>()
            };
            assert_eq!(by_code(read), by_code(codes), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_file_is_named() {
        let words = sample("words-project");
        let codes = sample("short-codes-project");
        // (file, to replace, by, what is said)
        for (old, new, said) in [
            ("name = ", "title = ", "line 4: unknown field `title`"),
            ("fault = { word = \"fault\", mark = \"own sample\" }", "", "words: fault is missing"),
            ("fault = {", "failure = {", "words: fault is missing"),
            (
                "[words]",
                "[words]\nodd = { word = \"x\", mark = \"own sample\" }",
                "words: odd is no result",
            ),
            ("\"reject\"", "\"\"", "words: crc_error: expected 1 to 16 printable"),
            (
                "word = \"reject\", mark = \"own sample\"",
                "word = \"reject\", mark = \"mine\"",
                "unknown variant `mine`",
            ),
            ("[words]", "[words", "line 8: "),
        ] {
            assert_refused(read_words, &words, old, new, said);
        }
        for (old, new, said) in [
            ("syntax = \"either\"", "syntax = \"neither\"", "unknown variant `neither`"),
            ("syntax = \"either\"", "syntax = \"info_first\"", "info_digits is missing"),
            ("syntax = \"either\"", "syntax = \"either\"\ninfo_digits = 3", "only with info_first"),
            (
                "\"002\" = { register = 2,",
                "\"002\" = { register = 9999,",
                "codes: 002: expected the number",
            ),
            (
                "\"002\" = { register = 2,",
                "\"002\" = { emergency = \"coal\",",
                "codes: 002: expected",
            ),
            ("\"002\" = {", "\"0x2\" = {", "expected digits alone"),
        ] {
            assert_refused(read_codes, &codes, old, new, said);
        }
        let unserved =
            format!("{codes}\n[unserved]\n\"002\" = {{ shows = \"x\", mark = \"own sample\" }}\n");
        assert_eq!(read_codes(&unserved).unwrap_err(), "unserved: 002 is in codes, too");
    }
}
