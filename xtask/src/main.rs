//! The chores of this workspace, as one program: `cargo xtask --help`.
//!
//! Only the command line is here; each chore has a module. A chore prints what it does and stops at the first
//! failure, with a non-zero exit status and the command that repeats the failed step alone.

mod bare_metal;
mod finding;
mod flood;
mod fuzz;
mod instructions;
mod lint;
mod load;
mod mutants;
mod power_loss;
mod quotes;
mod repository;
mod setup;
mod step;
mod test;
mod tidy;
mod torture;
mod vectors;

use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use step::{Failure, Step};

/// The chores of the Prepay workspace.
///
/// `ci` is what every change must pass. The others are parts of it, or take longer.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run `lint` and then `test`: the checks of every change.
    Ci(setup::Install),
    /// Check format, spelling, links, dependencies, clippy, documentation and the rules of `tidy`.
    Lint(setup::Install),
    /// Run every test, and build the meter for firmware without an operating system.
    Test(test::Options),
    /// Check the rules of this project in the sources and the dependency graph.
    Tidy,
    /// Compare the test vectors with `vectors/DIGESTS`, and print the number of cases in each file.
    Vectors(vectors::Options),
    /// Run the fuzz targets of `fuzz/` with the nightly toolchain.
    Fuzz(fuzz::Options),
    /// Enter random numbers into a meter, and compare the counts with probability.
    Flood(flood::Options),
    /// Kill a module's process again and again, and check that nothing acknowledged is lost.
    Torture(torture::Options),
    /// Show that acknowledged work survives a loss of power, and that every sync is needed for it.
    PowerLoss(power_loss::Options),
    /// Issue tokens by eight operators at the service of a module, and watch refusals, waits and memory.
    Load(load::Options),
    /// Price purchases under generated tariffs by two solvers, and compare.
    Quotes(quotes::Options),
    /// Change the sources in one place at a time, and list the changes that no test notices.
    Mutants(mutants::Options),
    /// Count the machine instructions of an accepted token, with Valgrind (Debian package valgrind).
    Instructions,
    /// Run every benchmark.
    Bench,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli.chore) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: &Chore) -> Result<(), Failure> {
    let root = repository::root()?;
    match chore {
        Chore::Ci(install) => {
            lint::run(&root, *install)?;
            test::run(&root, &test::Options { install: *install, long: false })
        }
        Chore::Lint(install) => lint::run(&root, *install),
        Chore::Test(options) => test::run(&root, options),
        Chore::Tidy => tidy::run(&root),
        Chore::Vectors(options) => vectors::run(&root, options),
        Chore::Fuzz(options) => fuzz::run(&root, options),
        Chore::Flood(options) => flood::run(&root, options),
        Chore::Torture(options) => torture::run(&root, options),
        Chore::PowerLoss(options) => power_loss::run(&root, options),
        Chore::Load(options) => load::run(&root, options),
        Chore::Quotes(options) => quotes::run(&root, options),
        Chore::Mutants(options) => mutants::run(&root, options),
        Chore::Instructions => instructions::run(&root),
        Chore::Bench => bench(&root),
    }
}

fn bench(root: &Path) -> Result<(), Failure> {
    Step::cargo("bench", &["bench", "--workspace", "--locked"]).run(root)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
