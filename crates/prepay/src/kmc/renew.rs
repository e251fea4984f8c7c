//! `prepay kmc renew`: new keys of the centre's own.

use clap::Args;
use prepay_kmc_module::CentreSetup;

use super::place::{Needs, PlaceFlags};
use super::refusal;
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::people::SureFlags;

/// New keys of the centre's own. Vending keys, modules and everything in the store stay.
#[derive(Args)]
pub(super) struct RenewFlags {
    /// For how many days the new public keys may be used, from now on.
    #[arg(long, value_name = "DAYS", default_value_t = CentreSetup::VALID_DAYS, value_parser = clap::value_parser!(u32).range(1..))]
    valid_days: u32,
    #[command(flatten)]
    sure: SureFlags,
}

/// Renews the keys.
pub(super) fn run(place: &PlaceFlags, flags: &RenewFlags, out: &Out) -> Done<()> {
    flags.sure.ask(
        "the centre loses its present keys: every module must enrol it again, and agree again",
    )?;
    place.work(out, Needs::Custodians, |centre, _| {
        let renewed = centre.renew_keys(flags.valid_days);
        let identity = renewed.map_err(|error| refusal::command(&error))?;
        let record = Record::new()
            .text("centre", &identity.centre)
            .text("fingerprint", &identity.fingerprint)
            .text("valid_from", identity.activation)
            .text("valid_until", identity.expires);
        out.done_with(format_args!("renewed the keys of centre {}", identity.centre), &record)?;
        out.remark("make a back-up: one from before brings the old keys back");
        out.remark(
            "every module must import the new enrolment and renew the agreement: prepay kmc enrol write",
        );
        Ok(())
    })
}
