//! `examples/meter.c` is compiled with `cc`, linked with the static library, and run.
//!
//! Its tokens are made here, with public test keys, and checked against the committed `test_tokens.h`. To
//! regenerate that file: `PREPAY_UPDATE_HEADER=1 cargo test -p prepay-meter-c --test c_program`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use prepay_token::element::{
    Amount, EncryptionAlgorithm, KeyExpiryNumber, KeyType, RandomNumber, Service, TokenIdentifier,
};
use prepay_token::key::{DecoderKey, TokenCipher};
use prepay_token::key_change::{KeyChangeSet, NewKey, Rollover, SetSize};
use prepay_token::{ManagementFunction, Token, TokenData, seal};

/// The decoder key of a published conformance run: DKGA02 of vending key ABABABABABABABAB, EA07.
const KEY: u64 = 0xE653_341F_9D5B_F36F;
/// A key of this test alone.
const SECOND_KEY: u64 = 0x0123_4567_89AB_CDEF;
const PAN: &str = "600727000000000009";
/// The identifier of the published token of 0.1 kWh, and its digits.
const PUBLISHED: (u32, &str) = (5_871_715, "23716100501183194197");

const EXPECTED: &str = "\
commissioned: 600727000000000009, key revision 1, supply group 123456
0.1 kWh: accept, credit 1
the same again: used_error, credit 1
a wrong digit: crc_error, credit 1
cut short: format_error, credit 1
25.6 kWh: accept, credit 257
the maker's: accept, credit 257
first section: first_kct, credit 257
second section: accept, credit 257
new key: revision 2, type 2, tariff 2, supply group unknown
under the old key: crc_error, credit 257
power cut: 852 times, 852 without credit, then exactly once, credit 357
an hour of 36 kW: credit 0, switch 5
tampered with: switch 1
wiped
";

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn key(bytes: u64) -> DecoderKey {
    DecoderKey::new(EncryptionAlgorithm::Sta, &bytes.to_be_bytes()).unwrap()
}

fn tid(minutes: u32) -> TokenIdentifier {
    TokenIdentifier::try_from(minutes).unwrap()
}

fn credit(minutes: u32, random: u8, tenths: u32, under: u64) -> TokenData {
    let token = Token::Credit {
        service: Service::Electricity,
        random: RandomNumber::try_from(random).unwrap(),
        identifier: tid(minutes),
        amount: Amount::from_tenths(tenths).unwrap(),
    };
    seal(&token, &TokenCipher::new(&key(under)))
}

/// The header of the C program's tokens.
fn tokens() -> String {
    let (minutes, digits) = PUBLISHED;
    let new = NewKey {
        key: key(SECOND_KEY),
        key_type: KeyType::Unique,
        key_revision: Some("2".parse().unwrap()),
        expiry: KeyExpiryNumber::NEVER,
        tariff_index: "02".parse().unwrap(),
        supply_group: None,
    };
    let set = KeyChangeSet::new(&new, SetSize::Two, Rollover::Keep).unwrap();
    let cipher = TokenCipher::new(&key(KEY));
    let sections: Vec<String> = set
        .sections()
        .map(|section| seal(&Token::KeyChange(section.clone()), &cipher).to_string())
        .collect();
    let maker = Token::Management {
        random: RandomNumber::try_from(1).unwrap(),
        identifier: tid(minutes + 20),
        function: ManagementFunction::Proprietary { sub_class: 11.try_into().unwrap(), value: 42 },
    };
    let maker = seal(&maker, &cipher);
    assert_eq!(credit(minutes, 5, 1, KEY).to_string(), digits);
    let bytes: Vec<String> = KEY.to_be_bytes().iter().map(|byte| format!("0x{byte:02X}")).collect();
    format!(
        "\
/*
 * Made by tests/c_program.rs; do not edit. PUBLIC TEST KEYS, and tokens for no real meter.
 *
 * The key and the first token are those of published conformance runs.
 */

#ifndef TEST_TOKENS_H
#define TEST_TOKENS_H

#define TEST_PAN \"{PAN}\"
#define TEST_KEY {{{}}}
#define TEST_MANUFACTURED 1000000
#define TEST_CREDIT_1 \"{digits}\"
#define TEST_CREDIT_2 \"{}\"
#define TEST_MAKER \"{maker}\"
#define TEST_SECTION_1 \"{}\"
#define TEST_SECTION_2 \"{}\"
#define TEST_CREDIT_OLD_KEY \"{}\"
#define TEST_CREDIT_3 \"{}\"
#define TEST_CREDIT_3_TENTHS 100

#endif
",
        bytes.join(", "),
        credit(minutes + 10, 11, 256, KEY),
        sections[0],
        sections[1],
        credit(minutes + 30, 3, 50, KEY),
        credit(minutes + 40, 7, 100, SECOND_KEY),
    )
}

/// The newest static library beside this test: cargo builds it with the rlib.
fn library() -> PathBuf {
    let beside = env::current_exe().unwrap().parent().unwrap().to_path_buf();
    let files = fs::read_dir(beside).unwrap().map(|entry| entry.unwrap());
    let is_ours = |name: &str| name.starts_with("libprepay_meter_c") && name.ends_with(".a");
    files
        .filter(|file| is_ours(&file.file_name().to_string_lossy()))
        .max_by_key(|file| file.metadata().unwrap().modified().unwrap())
        .expect("cargo builds the static library with the tests")
        .path()
}

/// Runs a program to its end and returns what it printed.
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}\n{printed}{errors}", output.status);
    printed
}

/// The program, compiled into the folder that cargo gives to tests.
fn compiled(compiler: &str, language: &[&str]) -> PathBuf {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("meter-{compiler}"));
    let flags = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-g"];
    let libraries = ["-lpthread", "-ldl", "-lm"];
    let mut command = Command::new(compiler);
    command.args(language).args(flags).arg("-I").arg(folder().join("include"));
    command.arg(folder().join("examples/meter.c")).args(["-x", "none"]).arg(library());
    run(command.args(libraries).arg("-o").arg(&program));
    program
}

#[test]
fn the_tokens_of_the_c_program_are_made_with_public_keys() {
    let (path, made) = (folder().join("examples/test_tokens.h"), tokens());
    if env::var_os("PREPAY_UPDATE_HEADER").is_some_and(|value| value == "1") {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), made);
}

#[test]
fn a_meter_in_c_survives_a_power_cut_after_every_byte() {
    let program = compiled("cc", &["-std=c99", "-x", "c"]);
    assert_eq!(run(&mut Command::new(program)), EXPECTED);
}

#[test]
fn the_header_is_cpp_too() {
    let source = Path::new(env!("CARGO_TARGET_TMPDIR")).join("header.cpp");
    fs::write(&source, "#include \"prepay_meter.h\"\nprepay_meter meter;\n").unwrap();
    let mut command = Command::new("c++");
    command.args(["-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-I"]);
    run(command.arg(folder().join("include")).arg(source));
}
