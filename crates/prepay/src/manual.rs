//! Shell completions and man pages, made from the command line's own definition.

use std::fs;
use std::io;
use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::failure::{Done, Ending, Failure};

/// Prints the completions of a shell.
pub(crate) fn completions(shell: Shell) -> Done<Ending> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "prepay", &mut script);
    io::Write::write_all(&mut io::stdout(), &script)?;
    Ok(Ending::Done)
}

/// Writes one man page a command into a directory, which is made if it is not there.
pub(crate) fn pages(directory: &Path) -> Done<Ending> {
    let failed = |error| Failure::file(directory, &error);
    fs::create_dir_all(directory).map_err(failed)?;
    clap_mangen::generate_to(Cli::command(), directory).map_err(failed)?;
    Ok(Ending::Done)
}
