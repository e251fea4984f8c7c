//! `cargo xtask power-loss`: shows that acknowledged work survives a loss of power, and that every sync is needed for it.
//!
//! The long form of `crates/prepay-host/tests/power_loss` does the work. It records what a module and a centre ask of the
//! system, replays that on a model of a disk, and checks every state that a cut may leave. Then it leaves out one sync
//! after the other: for each it prints what is lost without it.

use std::path::Path;

use clap::Args;

use crate::step::{Failure, Step};

/// How many cuts `cargo xtask power-loss` takes.
#[derive(Args)]
pub(crate) struct Options {
    /// After how many calls, spread evenly, power fails while every sync works; all of them if not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    cuts: Option<u32>,
}

/// The test. Its build is its own, in which the recorder sees every system call.
const TEST: [&str; 8] =
    ["test", "--locked", "-p", "prepay-host", "--features", "recorded", "--test", "power_loss"];

/// Runs the short form, which samples the cuts.
///
/// # Errors
///
/// [`Failure`] if something acknowledged is lost, or the test does not build.
pub(crate) fn sample(root: &Path) -> Result<(), Failure> {
    Step::cargo("power loss", &TEST).run(root)
}

/// Runs the long form.
///
/// # Errors
///
/// [`Failure`] if something acknowledged is lost, a sync is not needed, or the test does not build.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let arguments = ["--", "--ignored", "--nocapture", "proof_"];
    let mut step = Step::cargo("power loss", &[&TEST[..], &arguments].concat());
    if let Some(cuts) = options.cuts {
        step = step.with("PREPAY_POWER_CUTS", &cuts.to_string());
    }
    step.run(root)
}
