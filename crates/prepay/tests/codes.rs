//! Every code that an error can have is explained, and every explanation is of a code that an error can have.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use common::{ends, succeed};
use prepay_records::RecordCode;
use prepay_records::explain::{explain, explanations};
use serde_json::Value;

/// The codes of error types, by type.
macro_rules! codes_of {
    ($($($part:ident)::+,)*) => {
        [$((last(stringify!($($part)::+)), $($part)::+::CODES),)*]
    };
}

fn last(path: &'static str) -> &'static str {
    path.rsplit("::").next().expect("a path has a last part").trim()
}

fn of_types() -> BTreeMap<&'static str, &'static [&'static str]> {
    let types = codes_of![
        prepay_forms::JsonError,
        prepay_host::DirectoryError,
        prepay_host::Pkcs11Error,
        prepay_host::SocketError,
        prepay_kmc::centre::CommandError,
        prepay_kmc::centre::Orphan,
        prepay_kmc::form::SignedFormError,
        prepay_kmc::store::StoreError,
        prepay_kmc_module::CentreError,
        prepay_kmc_module::signatory_file::SignatoryFileError,
        prepay_kmp::KeyError,
        prepay_kmp::DocumentError,
        prepay_kmp::SignatureError,
        prepay_lab::meter::MeterError,
        prepay_module::ModuleFault,
        prepay_module::Refusal,
        prepay_module::software::CustodianError,
        prepay_module::software::LoadRefusal,
        prepay_session::ServiceError,
        prepay_session::SessionError,
        prepay_store::OpenStoreError,
        prepay_vault::AccessError,
        prepay_vault::AuditError,
        prepay_vault::CreateError,
        prepay_vault::OpenError,
        prepay_vault::QuorumError,
        prepay_vault::RepairError,
        prepay_vault::RestoreError,
        prepay_vault::SignInError,
        prepay_vault::UserError,
        prepay_vault::VaultError,
        prepay_vault::WitnessError,
        prepay_vend::QuoteError,
    ];
    let all = BTreeMap::from(types);
    assert_eq!(all.len(), types.len(), "two types have one name");
    all
}

/// Every Rust file of the sources of all crates.
fn sources() -> Vec<(PathBuf, String)> {
    fn put(folder: &Path, sources: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                put(&path, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a text");
                sources.push((path, text));
            }
        }
    }
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of all crates");
    let mut sources = Vec::new();
    for entry in fs::read_dir(crates).expect("a folder") {
        put(&entry.expect("an entry").path().join("src"), &mut sources);
    }
    assert!(sources.len() > 200, "found {} files only", sources.len());
    sources
}

/// What stands behind a text, wherever it occurs at the head of a line's words.
fn behind<'a>(text: &'a str, what: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(what).skip(1).map(str::trim_start)
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// Codes that the program itself gives, as its sources spell them.
fn of_the_program(sources: &[(PathBuf, String)]) -> BTreeSet<&str> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let own = sources.iter().filter(|(path, _)| path.starts_with(&program));
    let calls = own.flat_map(|(_, text)| {
        ["::refused(", "::unable(", "::broken("].into_iter().flat_map(|call| behind(text, call))
    });
    calls.filter_map(|call| call.strip_prefix('"')).map(word).collect()
}

#[test]
fn the_list_of_error_types_is_complete() {
    let listed = of_types();
    let mut found = BTreeSet::new();
    for (path, text) in &sources() {
        if path.ends_with("prepay-basics/src/codes.rs") {
            continue; // Its example.
        }
        found.extend(behind(text, "prepay_basics::codes! {\n").map(|text| word(text).to_owned()));
        for (place, _) in text.match_indices("pub const CODES: &'static [&'static str] = &[\"") {
            let impls = text[..place].rsplit("\nimpl ").next().expect("the implementation");
            found.insert(word(impls).to_owned());
        }
    }
    let listed: BTreeSet<String> = listed.into_keys().map(str::to_owned).collect();
    assert_eq!(listed, found);
}

#[test]
fn every_code_is_explained_and_every_explanation_has_a_code() {
    let sources = sources();
    let mut given: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, codes) in of_types() {
        given.extend(codes.iter().map(|&code| (code, name)));
    }
    given.extend(RecordCode::ALL.iter().map(|code| (code.text(), "RecordCode")));
    given.extend(prepay_meter::TokenResult::ALL.map(|result| (result.name(), "TokenResult")));
    let program = of_the_program(&sources);
    assert!(program.contains("flag") && program.contains("file_exists"), "{program:?}");
    given.extend(program.into_iter().map(|code| (code, "the program")));

    for (code, name) in &given {
        assert!(explain(code).is_some(), "{code} of {name} is not in the table of codes");
    }
    for row in explanations() {
        assert!(given.contains_key(row.code), "nothing gives {}", row.code);
    }
}

#[test]
fn a_code_is_explained_to_people_and_programs() {
    let text = succeed("explain-code used_error");
    for part in ["used_error  The meter has accepted", "  cause  ", "  who    whoever", "  next   "]
    {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    let row: Value = serde_json::from_str(&succeed("--json explain-code pan_format")).unwrap();
    assert_eq!((&row["code"], &row["who"]), (&"pan_format".into(), &"client".into()));
    let all = succeed("--json explain-code");
    assert_eq!(all.lines().count(), explanations().count());
    assert!(succeed("explain-code").contains("Answers of a meter"));
}

#[test]
fn an_unknown_code_is_refused_with_near_ones() {
    let text = ends(3, "--json explain-code pan_formt", b"");
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["error"]["code"], "code_unknown");
    assert!(answer["error"]["next"].as_str().unwrap().contains("pan_format"), "{answer}");
    let text = ends(3, "--json explain-code zzzzzzzzzzzzzzzzzzzz", b"");
    assert!(text.contains("see all codes"), "{text}");
}
