//! Builds the library for firmware, without an operating system.
//!
//! - Always: for this machine's processor, with neither `std` nor an allocator, linked only with a few functions of
//!   a C program. That shows what the crates need, not that they run on a meter's processor.
//! - For each installed target without an operating system: the crates are built for it.

use std::path::Path;

use crate::step::{Failure, Step, announce, output};

/// Crates that firmware uses.
const CRATES: &[&str] = &["prepay-cipher", "prepay-token", "prepay-meter"];

/// Targets without an operating system.
const TARGETS: &[&str] = &[
    "thumbv6m-none-eabi",
    "thumbv7m-none-eabi",
    "thumbv7em-none-eabi",
    "thumbv7em-none-eabihf",
    "thumbv8m.main-none-eabi",
    "riscv32imac-unknown-none-elf",
    "riscv32imc-unknown-none-elf",
    "x86_64-unknown-none",
];

/// The program to link the library with. It has the memory functions that compilers always expect.
const PROGRAM: &str = "bindings/c/tests/freestanding.c";

/// The folder for this build, so that other builds for this machine need no rebuilding.
const FOLDER: &str = "target/freestanding";

/// Builds without an operating system, for this machine and for the installed targets.
///
/// # Errors
///
/// [`Failure`] of the first step that fails.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    freestanding(root)?;
    let (installed, absent): (Vec<&str>, Vec<&str>) =
        TARGETS.iter().partition(|target| is_installed(root, target));
    for target in installed {
        let mut arguments = vec!["build", "--locked", "--target", target];
        arguments.extend(CRATES.iter().flat_map(|name| ["--package", name]));
        Step::cargo("bare metal", &arguments).run(root)?;
    }
    if !absent.is_empty() {
        announce("not built", &format!("target not installed: {}", absent.join(", ")));
    }
    Ok(())
}

/// Links the library with the C program only. The library is one object, so one call links all of it.
fn freestanding(root: &Path) -> Result<(), Failure> {
    let build = ["rustc", "--locked", "--release", "--package", "prepay-meter-c", "--lib"];
    let kind = ["--crate-type", "staticlib", "--target-dir", FOLDER, "--", "--cfg", "freestanding"];
    Step::cargo("freestanding", &[&build[..], &kind].concat())
        .with("CARGO_PROFILE_RELEASE_LTO", "fat")
        .with("CARGO_PROFILE_RELEASE_PANIC", "abort")
        .run(root)?;
    let alone =
        ["-std=c99", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-static"];
    let library = format!("{FOLDER}/release/libprepay_meter_c.a");
    let program = format!("{FOLDER}/meter");
    let files = ["-I", "bindings/c/include", PROGRAM, &library, "-o", &program];
    Step::new("freestanding link", "cc", &[&alone[..], &files].concat()).run(root)
}

/// Whether the core library for `target` is installed.
fn is_installed(root: &Path, target: &str) -> bool {
    let place = output(root, "rustc", &["--print", "target-libdir", "--target", target]);
    place.is_some_and(|place| Path::new(String::from_utf8_lossy(&place).trim()).is_dir())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{TARGETS, is_installed};

    #[test]
    fn targets_are_known_to_the_compiler_and_told_from_the_own_one() {
        let root = Path::new(".");
        assert!(!is_installed(root, "no-such-target"));
        let own = crate::step::output(root, "rustc", &["--print", "host-tuple"]).unwrap();
        assert!(is_installed(root, String::from_utf8(own).unwrap().trim()));
        for target in TARGETS {
            let known = ["--print", "target-libdir", "--target", target];
            assert!(crate::step::succeeds("rustc", &known), "{target}");
        }
    }
}
