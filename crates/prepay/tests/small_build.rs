//! The program without its features: what needs one says so. `cargo xtask test` builds and runs this.

#![cfg(not(any(feature = "pkcs11", feature = "tui")))]

mod module_kit;

use std::process::Command;

use module_kit::{PAIR, PEOPLE, Workplace};

const SEAL: &str = "--seal pkcs11 --pkcs11-library cryptoki.so --pkcs11-token safe";

#[test]
fn a_seal_in_a_hardware_token_is_refused_before_anything_is_made() {
    let workplace = Workplace::new("small-build");
    let init = format!("init --id SM-1 {PEOPLE} --test {SEAL}");
    assert_eq!(workplace.refused(2, &init), "pkcs11_absent");
    assert!(!workplace.path("module").exists());
    workplace.init("");
    assert_eq!(workplace.refused(2, &format!("seal {PAIR} {SEAL}")), "pkcs11_absent");
    workplace.succeed("unlock --as uwe");
}

#[test]
fn a_meter_on_the_screen_is_refused() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_prepay"));
    let output = program.args(["meter", "run"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("this build has no screen"), "{said}");
}
