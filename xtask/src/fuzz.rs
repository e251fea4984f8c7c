//! `cargo xtask fuzz`: runs the libFuzzer targets of the separate workspace `fuzz/`.
//!
//! cargo-fuzz and a nightly toolchain do the work. This chore runs several targets at once and prints a table of the
//! results. Logs are in `fuzz/target/logs`, inputs that crashed in `fuzz/artifacts`.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use clap::Args;

use crate::setup::{self, Install, Need, Source};
use crate::step::{Failure, Step, announce, output, passed, succeeds};

/// Selects the toolchain for cargo-fuzz, as `cargo +nightly` would.
const NIGHTLY: (&str, &str) = ("RUSTUP_TOOLCHAIN", "nightly");

const FUZZ: Need = Need {
    name: "cargo-fuzz",
    source: Source::CratesIo("0.13.2"),
    why: "builds and runs the targets; compiled once, in about a minute",
    left_out: &["fuzzing"],
};

/// What `cargo xtask fuzz` should run.
#[derive(Args)]
pub(crate) struct Options {
    /// How many inputs to try on each target.
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    runs: u64,

    /// How many targets to run at the same time, each in a process of its own.
    #[arg(long, value_name = "J", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,

    /// The targets to run; by default all in `fuzz/Cargo.toml`.
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// The result of one target.
#[derive(Debug, Default)]
struct Outcome {
    target: String,
    runs: u64,
    crashes: usize,
    /// Whether the fuzzer succeeded.
    is_complete: bool,
}

/// Builds and runs the targets, and prints a table of runs and crashes.
///
/// # Errors
///
/// [`Failure`] if a tool or a target is missing, or building fails; after the table, if a target crashed or did not
/// finish.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    if !succeeds("cargo", &["+nightly", "--version"]) {
        let command = "rustup toolchain install nightly --profile minimal";
        return Err(Failure::new(format!("fuzzing needs a nightly toolchain: run `{command}`")));
    }
    setup::provide(root, &[FUZZ], Install::default())?;
    let program = FUZZ.tool(root).ok_or_else(|| Failure::new("cargo-fuzz is missing"))?;
    let listing = output(root, &program, &["list"]).unwrap_or_default();
    let declared: Vec<String> =
        String::from_utf8_lossy(&listing).lines().map(str::to_string).collect();
    let targets = chosen(&declared, &options.targets)?;
    Step::new("fuzz build", &program, &["build"]).with(NIGHTLY.0, NIGHTLY.1).run(root)?;
    announce("fuzz", &format!("{} targets, {} runs each", targets.len(), options.runs));
    let started = Instant::now();
    let outcomes = run_all(root, &program, targets, options)?;
    print!("{}", table(&outcomes));
    let failed: Vec<&str> = outcomes
        .iter()
        .filter(|outcome| !outcome.is_complete)
        .map(|outcome| outcome.target.as_str())
        .collect();
    if failed.is_empty() {
        passed("fuzz", started);
        return Ok(());
    }
    let names = failed.join(" ");
    Err(Failure::new(format!(
        "fuzz failed ({names}): logs in fuzz/target/logs, inputs in fuzz/artifacts; \
         to repeat it: cargo xtask fuzz --runs {} {names}",
        options.runs
    )))
}

fn chosen(declared: &[String], wanted: &[String]) -> Result<Vec<String>, Failure> {
    if declared.is_empty() {
        return Err(Failure::new("`cargo fuzz list` lists no fuzz target"));
    }
    if let Some(unknown) = wanted.iter().find(|target| !declared.contains(target)) {
        let known = declared.join(", ");
        return Err(Failure::new(format!("no fuzz target {unknown:?}: expected one of {known}")));
    }
    Ok(if wanted.is_empty() { declared.to_vec() } else { wanted.to_vec() })
}

/// Runs the targets, `jobs` at a time.
fn run_all(
    root: &Path,
    program: &str,
    targets: Vec<String>,
    options: &Options,
) -> Result<Vec<Outcome>, Failure> {
    let queue = Mutex::new(VecDeque::from(targets));
    let work = || {
        let mut outcomes = Vec::new();
        loop {
            let next = queue.lock().expect("no worker panics while it holds the queue").pop_front();
            let Some(target) = next else { return Ok(outcomes) };
            outcomes.push(run_one(root, program, target, options)?);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.join().map_err(|_| Failure::new("a worker of fuzz panicked"))??);
        }
        all.sort_by(|left: &Outcome, right| left.target.cmp(&right.target));
        Ok(all)
    })
}

/// Runs one target to its end. Its output goes to a log and, if no other target runs, to standard error.
fn run_one(
    root: &Path,
    program: &str,
    target: String,
    options: &Options,
) -> Result<Outcome, Failure> {
    let fault = |what: &str, error| Failure::new(format!("fuzz target {target}: {what}: {error}"));
    let before = artifacts(root, &target);
    let mut child = Command::new(program)
        .args(["run", &target, "--", &format!("-runs={}", options.runs)])
        .env(NIGHTLY.0, NIGHTLY.1)
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| fault("could not be started", error))?;
    let folder = root.join("fuzz/target/logs");
    fs::create_dir_all(&folder)
        .map_err(|error| fault("cannot create the folder for logs", error))?;
    let mut log = fs::File::create(folder.join(format!("{target}.log")))
        .map_err(|error| fault("cannot create the log", error))?;
    let mut runs = 0;
    let stderr = child.stderr.take().expect("stderr is piped above");
    for line in BufReader::new(stderr).split(b'\n') {
        let line = line.map_err(|error| fault("cannot read its output", error))?;
        let line = String::from_utf8_lossy(&line);
        runs = runs_in(&line).unwrap_or(runs);
        writeln!(log, "{line}").map_err(|error| fault("cannot write the log", error))?;
        if options.jobs == 1 {
            eprintln!("{line}");
        }
    }
    let is_complete =
        child.wait().map_err(|error| fault("cannot wait for its end", error))?.success();
    let crashes = artifacts(root, &target).saturating_sub(before);
    Ok(Outcome { target, runs, crashes, is_complete })
}

/// The number of inputs that the fuzzer saved because they crashed the target.
fn artifacts(root: &Path, target: &str) -> usize {
    fs::read_dir(root.join("fuzz/artifacts").join(target)).map_or(0, Iterator::count)
}

/// The number of runs in a line of libFuzzer, such as `#4096 NEW …` or `Done 10000 runs in 2 second(s)`.
fn runs_in(line: &str) -> Option<u64> {
    let rest = line.strip_prefix('#').or_else(|| line.strip_prefix("Done "))?;
    rest.split_whitespace().next()?.trim_end_matches(':').parse().ok()
}

fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!("{:<32} {:>14} {:>8}\n", "target", "runs", "crashes");
    for Outcome { target, runs, crashes, is_complete } in outcomes {
        let remark = if *is_complete { "" } else { "  failed" };
        text.push_str(&format!("{target:<32} {runs:>14} {crashes:>8}{remark}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Outcome, chosen, runs_in, table};

    #[test]
    fn all_targets_run_unless_some_are_named() {
        let declared = ["a".to_string(), "b".to_string()];
        assert_eq!(chosen(&declared, &[]).unwrap(), declared);
        assert_eq!(chosen(&declared, &["b".into()]).unwrap(), ["b"]);
        let unknown = chosen(&declared, &["c".into()]).unwrap_err().to_string();
        assert!(unknown.contains("\"c\": expected one of a, b"), "{unknown}");
        assert!(chosen(&[], &[]).is_err());
    }

    #[test]
    fn runs_are_read_from_libfuzzer() {
        for (line, expected) in [
            ("#4096\tNEW    cov: 17 ft: 18 corp: 2/2b", Some(4_096)),
            ("#7: cov: 1", Some(7)),
            ("Done 10000000 runs in 12 second(s)", Some(10_000_000)),
            ("INFO: seed corpus: files: 1", None),
            ("#", None),
        ] {
            assert_eq!(runs_in(line), expected, "line = {line:?}");
        }
    }

    #[test]
    fn table_shows_which_target_failed() {
        let outcome = Outcome { target: "token".into(), runs: 12, crashes: 1, is_complete: false };
        let text = table(&[outcome]);
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words, ["target", "runs", "crashes", "token", "12", "1", "failed"]);
    }
}
