//! `cargo xtask torture`: kills the process of a module on disk again and again.
//!
//! The long form of `crates/prepay-host/tests/proof_killed` does the work. It says what must be true after each
//! kill, and prints the seed that determines when to kill.

use std::path::Path;

use clap::Args;

use crate::step::{Failure, Step};

/// How often and when `cargo xtask torture` kills.
#[derive(Args)]
pub(crate) struct Options {
    /// How often to kill the module's process.
    #[arg(long, value_name = "N", default_value_t = 500)]
    kills: u32,
    /// The seed that determines when to kill.
    #[arg(long, value_name = "N", default_value_t = 2026)]
    seed: u64,
}

/// Runs the test, in a release build.
///
/// # Errors
///
/// [`Failure`] if something acknowledged was lost or counted twice, or the test does not build.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let proof = ["test", "--locked", "--release", "-p", "prepay-host", "--test", "proof_killed"];
    let arguments = ["--", "--ignored", "--nocapture"];
    Step::cargo("torture", &[&proof[..], &arguments].concat())
        .with("PREPAY_TORTURE_KILLS", &options.kills.to_string())
        .with("PREPAY_TORTURE_SEED", &options.seed.to_string())
        .run(root)
}
