//! `cargo xtask torture`: a module on disk whose process is killed again and again.
//!
//! The long form of `crates/prepay-host/tests/proof_killed` does the work; it tells what must hold after
//! each kill, and prints the seed that fixes the moments.

use std::path::Path;

use clap::Args;

use crate::step::{Failure, Step};

/// How often `cargo xtask torture` kills, and when.
#[derive(Args)]
pub(crate) struct Options {
    /// How often the module's process is killed.
    #[arg(long, value_name = "N", default_value_t = 500)]
    kills: u32,
    /// The seed of the moments.
    #[arg(long, value_name = "N", default_value_t = 2026)]
    seed: u64,
}

/// Runs the proof, optimised.
///
/// # Errors
///
/// [`Failure`] when something acknowledged was lost, or counted twice, or the test does not build.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let proof = ["test", "--locked", "--release", "-p", "prepay-host", "--test", "proof_killed"];
    let arguments = ["--", "--ignored", "--nocapture"];
    Step::cargo("torture", &[&proof[..], &arguments].concat())
        .with("PREPAY_TORTURE_KILLS", &options.kills.to_string())
        .with("PREPAY_TORTURE_SEED", &options.seed.to_string())
        .run(root)
}
