//! The program: reads the command line, calls the crates that do the work, prints what they answer.
//!
//! - Results go to standard output, talk to standard error.
//! - Exit status: `failure.rs` decides.

/// Writes a line to standard error, for people. Where nobody can read it, the command goes on all the same.
macro_rules! tell {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(anstream::stderr(), $($text)*);
    }};
}

mod cli;
mod demo;
mod explain_code;
mod failure;
mod file;
mod json;
mod kmc;
mod lab;
mod manual;
mod meter;
mod module;
mod out;
mod paint;
mod people;
mod sealing;
mod secret;
mod terminal;
mod token_flags;
mod vault;
mod vend;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};
use failure::{Done, Ending, Failure};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return failure::unreadable(&error).status(false),
    };
    let of_a_vault = matches!(cli.command, Command::Kmc(_) | Command::Module(_));
    let ending =
        failure::guarded(|| run(&cli)).unwrap_or_else(|failure| failure.print(cli.json, false));
    ending.status(of_a_vault)
}

/// Runs one command.
fn run(cli: &Cli) -> Done<Ending> {
    let json = cli.json;
    prepay_host::forbid_dumps()?;
    match &cli.command {
        Command::Demo => demo::run(json).map_err(Failure::from),
        Command::Lab { command } => lab::run(command, json),
        Command::Meter { command } => meter::run(command, json),
        Command::Kmc(command) => kmc::run(command, json).map_err(Failure::from),
        Command::Module(command) => module::run(command, json).map_err(Failure::from),
        Command::Vend(flags) => vend::run(flags, json),
        Command::ExplainCode { code } => explain_code::run(code.as_deref(), json),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { directory } => manual::pages(directory),
    }
}
