//! `cargo xtask mutants`: changes the sources in one place at a time, and shows which changes the tests notice.
//!
//! cargo-mutants makes the changes and runs the tests of the changed crate. This chore chooses which mutants are still to be
//! run, in batches, and keeps the results in `mutants/`, so that a run may be stopped and continued at any time:
//!
//! ```text
//!  sources ──> target/mutants/tree ── cargo-mutants, in place ──> target/mutants/mutants.out ──> mutants/CRATE.txt
//! ```
//!
//! The copy keeps its build results, and the sources may be edited meanwhile. A result holds for the file as it was: once
//! the file changes, its mutants are to be run again.
//!
//! `tidy` checks that each mutant that was missed has its reason, and each reason its mutant.

pub(crate) mod results;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Deserialize;

use crate::repository::Tree;
use crate::setup::{self, Install, Need, Source};
use crate::step::{Failure, Step, announce, output, passed};
use results::{CRATES, Fate, REASONS, Reason, Reasons, Results, results_file};

const MUTANTS: Need = Need {
    name: "cargo-mutants",
    source: Source::CratesIo("27.1.0"),
    why: "makes the mutants; compiled once, in three to eight minutes",
    left_out: &["mutation testing"],
};

const FOLDER: &str = "target/mutants";
/// Little is built, and few cases of each property are drawn.
const ENVIRONMENT: [(&str, &str); 2] = [("CARGO_PROFILE_DEV_DEBUG", "0"), ("PROPTEST_CASES", "24")];
/// Mutants that are run between two writings of the results.
const BATCH: usize = 12;

/// Which mutants `cargo xtask mutants` runs.
#[derive(Args)]
pub(crate) struct Options {
    /// The crate to change; all that carry keys, money and tokens if not given.
    #[arg(long = "crate", value_name = "CRATE")]
    crate_name: Option<String>,

    /// Every Nth mutant only, from the Kth on: `0/4` is the first quarter.
    #[arg(long, value_name = "K/N", value_parser = Shard::parse, default_value = "0/1")]
    shard: Shard,

    /// Start no batch after so many minutes.
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,

    /// Run those again that were missed.
    #[arg(long)]
    again: bool,

    /// Run nothing: print the mutants that have no result yet.
    #[arg(long)]
    list_missing: bool,
}

/// A part of the mutants, evenly spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shard {
    place: usize,
    parts: usize,
}

impl Shard {
    fn parse(text: &str) -> Result<Self, String> {
        let numbers =
            text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match numbers {
            Some((place, parts)) if place < parts => Ok(Self { place, parts }),
            _ => Err(format!("expected K/N with K below N, as in 0/4, found {text:?}")),
        }
    }

    fn has(self, index: usize) -> bool {
        index % self.parts == self.place
    }
}

/// A mutant as cargo-mutants lists it.
#[derive(Deserialize)]
struct Mutant {
    /// File, line, column, and what is replaced.
    name: String,
    file: String,
}

/// What cargo-mutants writes about a batch.
#[derive(Deserialize)]
struct Outcomes {
    outcomes: Vec<Outcome>,
}

#[derive(Deserialize)]
struct Outcome {
    scenario: serde_json::Value,
    summary: String,
}

/// Runs the mutants that have no result yet, and writes the results.
///
/// # Errors
///
/// [`Failure`] if the tests fail without any change, a reason names a mutant that is no more, or a file cannot be written.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    setup::provide(root, &[MUTANTS], Install::default())?;
    let program = MUTANTS.tool(root).ok_or_else(|| Failure::new("cargo-mutants is missing"))?;
    let crates = match &options.crate_name {
        None => CRATES,
        Some(name) => {
            let known = CRATES.iter().position(|known| known == name).ok_or_else(|| {
                Failure::new(format!(
                    "--crate: expected one of {}, found {name}",
                    CRATES.join(", ")
                ))
            })?;
            &CRATES[known..=known]
        }
    };
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| cannot("create", FOLDER, &error))?;
    let lock =
        fs::File::create(folder.join("lock")).map_err(|error| cannot("create", FOLDER, &error))?;
    if lock.try_lock().is_err() {
        return Err(Failure::new(format!("{FOLDER} is used by another run: wait until it ends")));
    }
    let tree = copy(root, &folder.join("tree"))?;
    let reasons =
        Reasons::read(tree.text(REASONS).unwrap_or_default()).map_err(|(line, expected)| {
            Failure::new(format!("{REASONS}:{line}: expected {expected}"))
        })?;
    let started = Instant::now();
    for crate_name in crates {
        run_crate(root, &program, crate_name, &tree, &reasons, options, started)?;
    }
    passed("mutants", started);
    Ok(())
}

fn run_crate(
    root: &Path,
    program: &str,
    crate_name: &str,
    tree: &Tree,
    reasons: &Reasons,
    options: &Options,
    started: Instant,
) -> Result<(), Failure> {
    let copied = root.join(FOLDER).join("tree");
    let listing = output(&copied, program, &["mutants", "-p", crate_name, "--list", "--json"])
        .ok_or_else(|| Failure::new(format!("cargo-mutants could not list {crate_name}")))?;
    let mutants: Vec<Mutant> = serde_json::from_slice(&listing)
        .map_err(|error| Failure::new(format!("unexpected list of mutants: {error}")))?;
    let is_there = |reason: &&Reason| {
        let is_it = |mutant: &Mutant| mutant.file == reason.path && reason.names(&mutant.name);
        !reason.path.starts_with(&format!("crates/{crate_name}/")) || mutants.iter().any(is_it)
    };
    if let Some(Reason { line, path, mutant, .. }) =
        reasons.0.iter().find(|reason| !is_there(reason))
    {
        let what =
            format!("{REASONS}:{line}: there is no mutant `{path}: {mutant}`: remove the reason");
        return Err(Failure::new(what));
    }
    let path = results_file(crate_name);
    let mut results = Results::read(tree.text(&path).unwrap_or_default())
        .map_err(|problem| Failure::new(format!("{path}: {problem}")))?;
    results
        .refresh(tree, mutants.iter().map(|mutant| (mutant.file.as_str(), mutant.name.as_str())));
    if options.again {
        results.forget_missed();
    }
    let missing: Vec<&Mutant> = mutants
        .iter()
        .enumerate()
        .filter(|(index, mutant)| options.shard.has(*index) && results.fate(&mutant.name).is_none())
        .map(|(_, mutant)| mutant)
        .collect();
    announce("mutants", &format!("{crate_name}: {} of {} to run", missing.len(), mutants.len()));
    if options.list_missing {
        missing.iter().for_each(|mutant| println!("{}", mutant.name));
        return Ok(());
    }
    if !missing.is_empty() {
        let test = ["-n", "15", "cargo", "test", "--quiet", "-p", crate_name, "--tests"];
        let step = Step::new("without a change", "nice", &test);
        ENVIRONMENT.iter().fold(step, |step, (name, value)| step.with(name, value)).run(&copied)?;
    }
    for batch in missing.chunks(BATCH) {
        if options.minutes.is_some_and(|most| started.elapsed() > Duration::from_secs(60 * most)) {
            announce("mutants", "the time is up; the same command continues");
            break;
        }
        // Most are caught by the tests beside the sources, which build faster than all.
        let names = batch.iter().map(|mutant| mutant.name.clone()).collect::<Vec<_>>();
        let (left, done) = split(run_batch(root, program, crate_name, "--lib", &names)?);
        done.iter().for_each(|(name, fate)| results.record(name, *fate));
        let (missed, done) = split(run_batch(root, program, crate_name, "--tests", &left)?);
        done.iter().for_each(|(name, fate)| results.record(name, *fate));
        for name in missed {
            println!("missed: {name}");
            results.record(&name, Fate::Missed);
        }
        fs::write(root.join(&path), results.to_string())
            .map_err(|error| cannot("write", &path, &error))?;
    }
    println!("{crate_name}: {}", results.summary(reasons));
    Ok(())
}

/// Those that were missed, and the others.
fn split(outcomes: Vec<(String, Fate)>) -> (Vec<String>, Vec<(String, Fate)>) {
    let (missed, others): (Vec<_>, Vec<_>) =
        outcomes.into_iter().partition(|(_, fate)| *fate == Fate::Missed);
    (missed.into_iter().map(|(name, _)| name).collect(), others)
}

/// Runs a few mutants in the copy, under the tests that `target` of cargo selects.
fn run_batch(
    root: &Path,
    program: &str,
    crate_name: &str,
    target: &str,
    names: &[String],
) -> Result<Vec<(String, Fate)>, Failure> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let folder = root.join(FOLDER);
    let mut command = Command::new("nice");
    command.args(["-n", "15", program, "mutants", "--in-place", "-p", crate_name, "--output"]);
    // The tests without a change have passed already.
    command.arg(&folder).args(["--baseline", "skip", "--timeout", "40", "--build-timeout", "600"]);
    command.arg(format!("--cargo-arg={target}"));
    for name in names {
        command.arg("--re").arg(format!("^{}$", escaped(name)));
    }
    command.envs(ENVIRONMENT).current_dir(folder.join("tree"));
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .map_err(|error| cannot("start", program, &error))?;
    // 2: some were missed; 3: some ran too long.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        let logs = format!("{FOLDER}/mutants.out/log");
        return Err(Failure::new(format!(
            "cargo-mutants failed ({status}); its logs are in {logs}"
        )));
    }
    let path = folder.join("mutants.out/outcomes.json");
    let bytes =
        fs::read(&path).map_err(|error| cannot("read", &path.display().to_string(), &error))?;
    let outcomes: Outcomes = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::new(format!("unexpected outcomes of mutants: {error}")))?;
    Ok(outcomes.outcomes.iter().filter_map(named).collect())
}

/// The mutant of an outcome and what became of it; nothing for the run without a change.
fn named(outcome: &Outcome) -> Option<(String, Fate)> {
    let name = outcome.scenario.get("Mutant")?.get("name")?.as_str()?;
    let fate = match outcome.summary.as_str() {
        "CaughtMutant" => Fate::Caught,
        "Timeout" => Fate::Timeout,
        "Unviable" => Fate::Unviable,
        _ => Fate::Missed,
    };
    Some((name.to_string(), fate))
}

/// A regular expression that matches just this text.
fn escaped(text: &str) -> String {
    let mut pattern = String::new();
    for sign in text.chars() {
        if "\\.+*?()|[]{}^$#&-~".contains(sign) {
            pattern.push('\\');
        }
        pattern.push(sign);
    }
    pattern
}

/// Brings the copy up to date. Only files that differ are written, so that little is compiled again; a mutant that an
/// interrupted run left behind differs.
fn copy(root: &Path, target: &Path) -> Result<Tree, Failure> {
    let tree = Tree::read(root)?;
    for (path, bytes) in tree.files() {
        let file = target.join(path);
        if fs::read(&file).is_ok_and(|found| found == bytes) {
            continue;
        }
        let folder = file.parent().unwrap_or(target);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&file, bytes))
            .map_err(|error| cannot("write", path, &error))?;
    }
    let copied =
        output(target, "find", &[".", "-path", "./target", "-prune", "-o", "-type", "f", "-print"]);
    for path in String::from_utf8_lossy(&copied.unwrap_or_default()).lines() {
        let path = path.trim_start_matches("./");
        if tree.bytes(path).is_none() {
            fs::remove_file(target.join(path)).map_err(|error| cannot("remove", path, &error))?;
        }
    }
    Ok(tree)
}

fn cannot(what: &str, path: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {what} {path}: {error}"))
}
