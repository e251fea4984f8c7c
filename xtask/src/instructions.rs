//! `cargo xtask instructions`: counts the machine instructions that a meter needs to accept a token.
//!
//! Callgrind counts them, so the figures do not depend on the speed or load of a machine, only on the compiler and the
//! type of processor. The difference of two runs with different numbers of tokens leaves out the cost of starting; a
//! run that only seals gives the cost of the vending side, which is subtracted:
//!
//! ```text
//!  per token   (accept(M2) - accept(M1)) / (M2 - M1)  -  (seal(M2) - seal(M1)) / (M2 - M1)
//! ```
//!
//! No test needs Valgrind, so nothing installs it.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::step::{Failure, Step, announce, succeeds};

/// The two numbers of tokens. Both exceed the fifty identifiers that a meter remembers.
const TOKENS: [u64; 2] = [1_000, 3_000];

/// Builds the example and prints one row for each cipher.
///
/// # Errors
///
/// [`Failure`] if Valgrind is missing, building fails, or Valgrind prints no count.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    if !succeeds("valgrind", &["--version"]) {
        let command = "apt-get install valgrind";
        return Err(Failure::new(format!("counting instructions needs Valgrind: run `{command}`")));
    }
    let build = ["build", "--locked", "--release", "-p", "prepay-meter", "--example", "accept"];
    Step::cargo("accept build", &build).run(root)?;
    announce("instructions", "valgrind --tool=callgrind, example accept");
    println!("{:<8} {:>20} {:>20}", "cipher", "accepted token", "sealing (excluded)");
    for ea in ["07", "11"] {
        let sealed = a_token(root, ea, &["sealed"])?;
        let both = a_token(root, ea, &[])?;
        println!("EA{ea:<6} {:>20} {sealed:>20}", both.saturating_sub(sealed));
    }
    Ok(())
}

/// Instructions per token.
fn a_token(root: &Path, ea: &str, more: &[&str]) -> Result<u64, Failure> {
    let [few, many] = TOKENS;
    let difference = total(root, ea, many, more)?.saturating_sub(total(root, ea, few, more)?);
    Ok(difference / (many - few))
}

/// Instructions of a whole run.
fn total(root: &Path, ea: &str, tokens: u64, more: &[&str]) -> Result<u64, Failure> {
    let folder = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(root.join(folder).join("release/examples/accept"))
        .args([ea, &tokens.to_string()])
        .args(more)
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::new(format!("valgrind could not be started: {error}")))?;
    let told = String::from_utf8_lossy(&output.stderr);
    let counted = told.lines().find_map(collected).filter(|_| output.status.success());
    counted.ok_or_else(|| {
        let status = output.status;
        Failure::new(format!("valgrind ({status}) printed no count for EA{ea}: {}", told.trim()))
    })
}

/// The count in a line such as `==12== Collected : 123456`.
fn collected(line: &str) -> Option<u64> {
    line.split_once("Collected :")?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::collected;

    #[test]
    fn counts_are_read_from_callgrind() {
        for (line, expected) in [
            ("==12== Collected : 123456", Some(123_456)),
            ("==12== Events    : Ir", None),
            ("==12== Collected : 1 2", None),
        ] {
            assert_eq!(collected(line), expected, "line = {line:?}");
        }
    }
}
