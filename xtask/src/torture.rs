//! `cargo xtask torture`: kills the process of a module on disk again and again.
//!
//! The long form of `crates/prepay-host/tests/proof_killed` does the work, or for a module's service that of
//! `crates/prepay/tests/module_service_killed.rs`. They say what must be true after each kill, and print the seed that
//! determines when to kill.

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
    /// Kill the service of a module, with its clients at work.
    #[arg(long)]
    service: bool,
}

/// Runs the test, in a release build.
///
/// # Errors
///
/// [`Failure`] if something acknowledged was lost or counted twice, or the test does not build.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let (package, proof) = match options.service {
        true => ("prepay", "module_service_killed"),
        false => ("prepay-host", "proof_killed"),
    };
    let test = ["test", "--locked", "--release", "-p", package, "--test", proof];
    let arguments = ["--", "--ignored", "--nocapture"];
    Step::cargo("torture", &[&test[..], &arguments].concat())
        .with("PREPAY_TORTURE_KILLS", &options.kills.to_string())
        .with("PREPAY_TORTURE_SEED", &options.seed.to_string())
        .run(root)
}
