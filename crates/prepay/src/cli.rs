//! The command line: the commands and their help. Each command's own flags are with its code.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueHint};
use clap_complete::Shell;

/// Open prepayment metering by the Standard Transfer Specification (STS, IEC 62055-41).
///
/// Independent software: neither certified nor endorsed by the STS Association.
///
/// Exit status: 0 done, 1 something broke on the way, 2 the command could not run, 3 the answer was no.
#[derive(Parser)]
#[command(name = "prepay", version)]
pub(crate) struct Cli {
    /// Print JSON, one object per line, instead of text; errors too.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// All commands.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Demonstrate everything with test keys: key, token, refusal, currency, key change, trace.
    Demo,
    /// Make, read and explain tokens under raw TEST keys. Never use production keys here.
    Lab {
        #[command(subcommand)]
        command: Box<crate::lab::command::LabCommand>,
    },
    /// Virtual meters under TEST keys: make one, enter tokens, use credit, show its state.
    Meter {
        #[command(subcommand)]
        command: Box<crate::meter::flags::MeterCommand>,
    },
    /// A security module: holds vending keys under dual control, issues tokens, writes an audit log.
    ///
    /// You type secrets on the terminal, without echo, or give them in files: --secret NAME=FILE, where NAME is
    /// `seal` for the sealing passphrase, `pin` for a hardware token, or the name of a person. A new passphrase
    /// goes in NAME.new, that of a back-up in NAME.backup. Secrets are never arguments.
    ///
    /// Exit status: 0 done, 1 something broke on the way or nobody read the answer, 2 the command could not run,
    /// 3 the module answered no.
    Module(Box<crate::module::flags::ModuleFlags>),
    /// A key management centre: customers, supply groups, vending keys, and key-load files for modules.
    Kmc(Box<crate::kmc::KmcFlags>),
    /// Vending: tariff files, and what a purchase buys under them.
    Vend(Box<crate::vend::VendFlags>),
    /// Explain the code of an error, or of a meter's answer to a token: meaning, cause, who has to act, what to do.
    ExplainCode {
        /// The code, such as used_error; all codes if there is none.
        code: Option<String>,
    },
    /// Print the completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the man pages, one per command.
    Man {
        /// Where to write them.
        #[arg(value_hint = ValueHint::DirPath)]
        directory: PathBuf,
    },
}
