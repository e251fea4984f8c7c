//! The library for firmware, built where there is no operating system.
//!
//! Everywhere: for the processor of this machine, with neither `std` nor an allocator, and linked with nothing but a
//! few functions of a C program. That shows what the crates need, not that a meter's processor takes them. For every
//! target without an operating system that is installed: the crates are built for it.

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

/// What the library is linked with: the functions on memory that compilers expect everywhere.
const PROGRAM: &str = "bindings/c/tests/freestanding.c";

/// Where the build without an operating system goes, so that others of this machine are not rebuilt.
const FOLDER: &str = "target/freestanding";

/// Builds for this machine without an operating system, and for the targets that are installed.
///
/// # Errors
///
/// [`Failure`] of the first step that does not pass.
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

/// The library that needs nothing but what the C program brings. All of it is in one object, so one call links all.
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

/// Whether the core library for `target` is there.
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
