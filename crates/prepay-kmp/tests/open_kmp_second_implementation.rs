//! The profile against another implementation of everything: Python with the package `cryptography` (Debian:
//! python3-cryptography must be installed).
//!
//! `data/open_kmp_check.py` takes a file of an exchange, writes every text again from the inputs alone, and says
//! which differ.

mod open_kmp_kit;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use open_kmp_kit::{Exchange, Inputs, with_checksums};
use prepay_testkit::Random;

const CHECK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/open_kmp_check.py");
const KNOWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/open-kmp-2.txt");

/// Where the package may be: with the interpreter that comes first, or with that of the system.
const INTERPRETERS: [&str; 2] = ["python3", "/usr/bin/python3"];

/// How many exchanges are made up.
const FRESH: usize = 8;

fn interpreter() -> &'static str {
    let has_package = |python: &&&str| {
        let mut command = Command::new(python);
        command.args(["-c", "import cryptography"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let found = INTERPRETERS.iter().find(has_package);
    found.expect("Python has cryptography (Debian: apt-get install python3-cryptography)")
}

/// Whether the other implementation agrees with every file, and what it says.
fn check(files: &[PathBuf]) -> (bool, String) {
    let output = Command::new(interpreter()).arg(CHECK).args(files).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("Traceback"), "{errors}");
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

fn write(place: &Path, name: &str, text: &str) -> PathBuf {
    let path = place.join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_known_answers_are_those_of_the_other_implementation() {
    let (agrees, told) = check(&[KNOWN.into()]);
    assert!(agrees, "{told}");
    assert_eq!(told, format!("{KNOWN}: agrees\n"));
}

#[test]
fn fresh_exchanges_are_those_of_the_other_implementation() {
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let place = tempfile::tempdir().unwrap();
    let mut random = Random::new(seed);
    let mut files = Vec::new();
    for round in 0..FRESH {
        let inputs = Inputs::random(&mut random);
        let exchange = Exchange::of(&inputs);
        for kind in exchange.texts() {
            let taken = (kind.check)(kind.text.as_bytes());
            assert_eq!(taken, Ok(()), "seed {seed}, round {round}, {}: {}", kind.name, kind.text);
        }
        files.push(write(place.path(), &format!("exchange {round}"), &exchange.file(&inputs)));
    }
    let (agrees, told) = check(&files);
    assert!(agrees, "seed {seed}: {told}");
    assert_eq!(told.matches(": agrees\n").count(), FRESH, "seed {seed}: {told}");
}

#[test]
fn a_change_of_any_line_is_found() {
    let known = fs::read_to_string(KNOWN).unwrap();
    let place = tempfile::tempdir().unwrap();
    let mut expected = String::new();
    let mut files = Vec::new();
    let mut name = "";
    for (number, line) in known.lines().enumerate() {
        if let Some(text) = line.strip_prefix("== ") {
            name = text;
        } else if name != "inputs" {
            // One character of the last item before the checksum, and the checksum that fits it.
            let changed = changed(line);
            assert_eq!(changed.len(), line.len(), "line {}", number + 1);
            let path = write(place.path(), &number.to_string(), &known.replace(line, &changed));
            expected += &format!("{}: {name} differs, expected:\n", path.display());
            files.push(path);
        }
    }
    assert_eq!(files.len(), 17);
    let (agrees, told) = check(&files);
    assert!(!agrees);
    let told: String =
        told.split_inclusive('\n').filter(|line| line.ends_with(" differs, expected:\n")).collect();
    assert_eq!(told, expected);
}

/// The line with another character at the end of its last item, and its checksum right again.
fn changed(line: &str) -> String {
    let mut line = line.as_bytes().to_vec();
    let last = line.len() - "0;0000".len();
    line[last] = if line[last] == b'1' { b'2' } else { b'1' };
    let line = String::from_utf8(line).unwrap();
    with_checksums(&line).trim_end().to_owned()
}

#[test]
fn a_change_of_any_input_is_found() {
    let known = fs::read_to_string(KNOWN).unwrap();
    let place = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    // Numbers, names and bytes of every kind.
    for (from, to) in [
        (r#""request":"05""#, r#""request":"06""#),
        (r#""answer":"06""#, r#""answer":"07""#),
        (r#""agreement":"04""#, r#""agreement":"06""#),
        (r#""module-7""#, r#""module-8""#),
        (r#""file_until":"#, r#""file_until":1"#),
        (r#""slot":1"#, r#""slot":2"#),
        (r#""test":false"#, r#""test":true"#),
        (r#""transactions":100000"#, r#""transactions":null"#),
        (r#""register":null"#, r#""register":8"#),
        (r#""sub_classes":255"#, r#""sub_classes":127"#),
        (r#""key":"AB"#, r#""key":"AA"#),
    ] {
        assert!(known.contains(from), "{from}");
        files.push(write(place.path(), &files.len().to_string(), &known.replacen(from, to, 1)));
    }
    let (agrees, told) = check(&files);
    assert!(!agrees);
    assert_eq!(told.matches(" differs, expected:\n").count(), files.len(), "{told}");
    assert_eq!(told.matches(": agrees\n").count(), 0, "{told}");
}
