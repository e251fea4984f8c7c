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

/// Runs the test.
///
/// # Errors
///
/// [`Failure`] if something acknowledged is lost, a sync is not needed, or the test does not build.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let proof = ["test", "--locked", "-p", "prepay-host", "--test", "power_loss"];
    let arguments = ["--", "--ignored", "--nocapture", "proof_"];
    let mut step = Step::cargo("power loss", &[&proof[..], &arguments].concat());
    if let Some(cuts) = options.cuts {
        step = step.with("PREPAY_POWER_CUTS", &cuts.to_string());
    }
    step.run(root)
}
