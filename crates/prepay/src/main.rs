//! The program: reads the command line, calls the crates that do the work, prints what they answer.
//!
//! - Results go to standard output, talk to standard error.
//! - Exit: 0 done, 3 a request was answered with an error, 2 the program could not run.

mod cli;
mod demo;
mod failure;
mod file;
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

use std::io;
use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

/// How a command ended, short of failing to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// Everything that was asked for succeeded.
    Done,
    /// Something that was asked for was answered with an error.
    Refused,
    /// What was asked for could not be put to anybody; why was printed.
    Unable,
    /// Nobody reads the answer any more, so there is nothing to print.
    Unread,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let of_a_vault = matches!(cli.command, Command::Kmc(_) | Command::Module(_));
    let ended = match cli.command {
        Command::Demo => demo::run(cli.json),
        Command::Lab { command } => {
            lab::run(&command, cli.json).or_else(|failure| failure.print(cli.json, false))
        }
        Command::Meter { command } => {
            meter::run(&command, cli.json).or_else(|failure| failure.print(cli.json, false))
        }
        Command::Kmc(command) => kmc::run(&command, cli.json),
        Command::Module(command) => module::run(&command, cli.json),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { directory } => manual::pages(&directory),
    };
    match ended {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Refused) => ExitCode::from(3),
        Ok(Ending::Unread) if !of_a_vault => ExitCode::SUCCESS,
        Ok(Ending::Unable | Ending::Unread) => ExitCode::from(2),
        // Whoever read our output has seen enough, as `head` does. What a vault did, somebody must hear.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && of_a_vault => ExitCode::from(2),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("{}prepay:{} {error}", paint::WRONG, paint::WRONG.render_reset());
            ExitCode::from(2)
        }
    }
}
