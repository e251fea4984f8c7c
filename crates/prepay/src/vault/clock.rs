//! `clock`: a vault's clock that is behind the time that the vault has seen.

use clap::Subcommand;

use super::Installation;
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::people::vault_failure;

/// Commands for the clock.
#[derive(Subcommand)]
pub(crate) enum ClockCommand {
    /// Accept the time of a clock that is behind the latest entry of the audit log. Two custodians.
    ///
    /// Only do this if the clock is right now and was ahead before. Keys that had expired may be valid again.
    Accept,
}

/// Runs one command.
pub(crate) fn run(site: &impl Installation, command: &ClockCommand, out: &Out) -> Done<()> {
    let ClockCommand::Accept = command;
    site.with_vault(out, |vault| {
        let by = site.flags().two(vault)?;
        let from = vault.accept_clock(&by).map_err(|error| vault_failure(&error))?;
        let now = vault.now();
        let record = Record::new().text("time", now).option("latest", from);
        match from {
            Some(from) => {
                out.done(format_args!("{now} is accepted; the latest time was {from}"), &record)
            }
            None => out.done(format_args!("the clock is not behind: nothing to accept"), &record),
        }
    })
}
