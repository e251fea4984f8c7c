//! `prepay kmc init`: makes a centre.

use std::path::Path;

use clap::Args;
use prepay_kmc::centre::Centre;
use prepay_kmc_module::{CentreModule, CentreSession, CentreSetup};
use prepay_kmp::CentreId;

use super::place::{PlaceFlags, store_path, test_time, vault_path, without_store};
use super::{refusal, store};
use crate::failure::{Done, Failure};
use crate::file;
use crate::out::{Out, Record};
use crate::people::vault_failure;
use crate::vault::new::{NewVaultFlags, make};
use crate::vault::{Installation, SiteClock};

/// A centre to make. Name its custodians with --custodian.
#[derive(Args)]
pub(super) struct InitFlags {
    /// The name of the centre: 1 to 40 letters, digits or "_-.,".
    #[arg(long, value_name = "NAME")]
    id: String,
    /// For how many days its public keys are valid.
    #[arg(long, value_name = "DAYS", default_value_t = CentreSetup::VALID_DAYS, value_parser = clap::value_parser!(u32).range(1..))]
    valid_days: u32,
    /// A TEST centre, for training: short passphrases, keys that others know, a fixed clock. It says so in every
    /// answer, and can never become a real one.
    #[arg(long)]
    test: bool,
    #[command(flatten)]
    new: NewVaultFlags,
}

/// Makes the centre.
pub(super) fn run(place: &PlaceFlags, flags: &InitFlags, out: &Out) -> Done<()> {
    out.set_test(flags.test);
    let centre: CentreId =
        flags.id.parse().map_err(|error| Failure::flag("--id", format_args!("{error}")))?;
    let clock = place.clock_of_new(flags.test)?;
    let dir = place.dir()?;
    let valid_days = flags.valid_days;
    let made =
        make(place, &flags.new, centre.as_str(), flags.test, clock, |around, unlock, users| {
            let insecure_test = flags.test;
            CentreSetup { centre: &centre, unlock, users, valid_days, insecure_test }.make(around)
        })
        .map_err(|failure| {
            match is_there(&vault_path(dir)) && !is_there(&store_path(dir)) {
                true => failure.next(without_store(dir)),
                false => failure,
            }
        })?;
    if let (true, SiteClock::Fixed(moment)) = (flags.test, clock) {
        file::write(&test_time(dir), format!("{moment}\n").as_bytes(), false)?;
    }
    let store = store::create(&store_path(dir)).map_err(|failure| {
        failure.next(format!("remove {}, and make the centre again", dir.display()))
    })?;
    let record = {
        let centre_module = CentreSession::new(&made.vault, made.quorum(&made.vault)?);
        let mut rows = Centre::new(store, &centre_module, &clock);
        rows.set_up().map_err(|error| refusal::command(&error))?;
        let identity = centre_module.identify().map_err(refusal::module)?;
        let record = Record::new()
            .text("centre", identity.centre)
            .text("fingerprint", identity.fingerprint)
            .text("valid_from", identity.activation)
            .text("valid_until", identity.expires);
        made.put(record)
    };
    made.vault.close().map_err(|error| vault_failure(&error))?;
    out.done_with(format_args!("made centre {}", flags.id), &record)?;
    made.advise(out);
    Ok(())
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
