//! `clock`: a vault's clock that is behind the time that the vault has seen.

use clap::Subcommand;
use prepay_session::ClockAccepted;

use super::{Installation, Needs};
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

/// Runs one command at a vault.
pub(crate) fn run(site: &impl Installation, command: &ClockCommand, out: &Out) -> Done<()> {
    let ClockCommand::Accept = command;
    site.with_vault(out, Needs::Custodians, |vault| {
        let by = site.flags().two(vault)?;
        let latest = vault.accept_clock(&by).map_err(|error| vault_failure(&error))?;
        let latest = latest.map(|latest| latest.to_string());
        print(&ClockAccepted { time: vault.now().to_string(), latest }, out)
    })
}

/// Says what was accepted.
pub(crate) fn print(accepted: &ClockAccepted, out: &Out) -> Done<()> {
    let ClockAccepted { time, latest } = accepted;
    let record = Record::new().text("time", time).option("latest", latest.as_ref());
    match latest {
        Some(latest) => {
            out.done(format_args!("{time} is accepted; the latest time was {latest}"), &record)
        }
        None => out.done("the clock is not behind: nothing to accept", &record),
    }
}
