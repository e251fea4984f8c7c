//! Debian packages and Rust components that the checks need, and how they get onto the machine.
//!
//! Nothing is installed while what a package brings is already there, so a developer on another system only needs
//! the commands and modules, by whatever means.

use std::fmt;
use std::path::Path;

use crate::step::{Failure, Step, succeeds};

/// A Debian package that some test cannot run without.
pub(crate) struct Package {
    name: &'static str,
    brings: Brings,
    why: &'static str,
}

/// What shows that a package is installed.
enum Brings {
    /// A command on the path.
    Command(&'static str),
    /// A module of Python, for the interpreter that comes first or that of the system.
    PythonModule(&'static str),
}

/// The interpreters that a test looks for a module with.
const PYTHONS: [&str; 2] = ["python3", "/usr/bin/python3"];

/// What tests need from the system. Each line costs every fresh machine a download: keep it short.
const PACKAGES: &[Package] = &[
    Package {
        name: "gcc",
        brings: Brings::Command("cc"),
        why: "links every test program, and compiles the C parts of dependencies",
    },
    Package {
        name: "g++",
        brings: Brings::Command("c++"),
        why: "proves that the header of the C interface is C++ too",
    },
    Package {
        name: "softhsm2",
        brings: Brings::Command("softhsm2-util"),
        why: "plays the PKCS#11 token that a vault may be sealed with",
    },
    Package {
        name: "bsdutils",
        brings: Brings::Command("script"),
        why: "makes the terminal on which secrets are typed",
    },
    Package {
        name: "python3-cryptography",
        brings: Brings::PythonModule("cryptography"),
        why: "is the other implementation of the texts of key management",
    },
];

/// The components of the Rust toolchain that `cargo xtask lint` needs, with the command that shows each.
const COMPONENTS: &[(&str, &[&str])] =
    &[("rustfmt", &["fmt", "--version"]), ("clippy", &["clippy", "--version"])];

/// Installs every package of the table that is missing.
///
/// # Errors
///
/// [`Failure`] with the command for a person to run, when we may not install or the installation fails.
pub(crate) fn install(root: &Path) -> Result<(), Failure> {
    let missing = missing(PACKAGES);
    if missing.is_empty() {
        return Ok(());
    }
    for package in &missing {
        println!("    {} is missing: {} {}", package.brings, package.name, package.why);
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let prefix = privilege(&names)?;
    apt(prefix, &["update", "-q"]).run(root)?;
    apt(prefix, &[&["install", "-y", "-q", "--no-install-recommends"], names.as_slice()].concat())
        .run(root)
}

/// Adds the components that are missing, through rustup.
///
/// # Errors
///
/// [`Failure`] when a component is missing and rustup cannot add it.
pub(crate) fn install_components(root: &Path) -> Result<(), Failure> {
    for (component, check) in COMPONENTS {
        if !succeeds("cargo", check) {
            Step::new("component", "rustup", &["component", "add", component]).run(root)?;
        }
    }
    Ok(())
}

fn missing(packages: &[Package]) -> Vec<&Package> {
    packages.iter().filter(|package| !package.brings.is_here()).collect()
}

impl Brings {
    fn is_here(&self) -> bool {
        match self {
            Self::Command(command) => on_path(command),
            Self::PythonModule(module) => {
                let import = format!("import {module}");
                PYTHONS.iter().any(|python| succeeds(python, &["-c", &import]))
            }
        }
    }
}

impl fmt::Display for Brings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => f.write_str(command),
            Self::PythonModule(module) => write!(f, "module {module} of Python"),
        }
    }
}

fn on_path(command: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(command).is_file())
}

/// The words before `apt-get`: none for root, `sudo -n` for whoever needs no password.
fn privilege(names: &[&str]) -> Result<&'static [&'static str], Failure> {
    let wanted = names.join(" ");
    if !on_path("apt-get") {
        return Err(Failure::new(format!("no apt-get here: install what Debian calls {wanted}")));
    }
    if is_root() {
        return Ok(&[]);
    }
    if succeeds("sudo", &["-n", "true"]) {
        return Ok(&["sudo", "-n"]);
    }
    Err(Failure::new(format!("may not install packages: run `sudo apt-get install {wanted}`")))
}

fn is_root() -> bool {
    let identity = crate::step::output(Path::new("."), "id", &["-u"]);
    identity.is_some_and(|number| number.trim_ascii() == b"0")
}

fn apt(prefix: &[&str], arguments: &[&str]) -> Step {
    let words = [prefix, &["apt-get"], arguments].concat();
    Step::new("packages", words[0], &words[1..]).with("DEBIAN_FRONTEND", "noninteractive")
}

#[cfg(test)]
mod tests {
    use super::{Brings, PACKAGES, Package, apt, missing};

    #[test]
    fn only_packages_that_bring_what_is_absent_are_missing() {
        let package = |name, brings| Package { name, brings, why: "" };
        let packages = [
            package("here", Brings::Command("sh")),
            package("away", Brings::Command("no-such-command-here")),
            package("no module", Brings::PythonModule("no_such_module_here")),
        ];
        let names: Vec<_> = missing(&packages).iter().map(|package| package.name).collect();
        assert_eq!(names, ["away", "no module"]);
    }

    #[test]
    fn every_package_says_why() {
        for package in PACKAGES {
            assert!(!package.why.is_empty(), "{}", package.name);
        }
    }

    #[test]
    fn installation_is_asked_for_without_questions() {
        let expected = "DEBIAN_FRONTEND=\"noninteractive\" sudo -n apt-get install -y gcc";
        let step = apt(&["sudo", "-n"], &["install", "-y", "gcc"]);
        assert_eq!(step.to_string(), expected);
    }
}
