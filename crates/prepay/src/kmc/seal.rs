//! `prepay kmc seal`: what unlocks a centre.

use prepay_kmc_module::CentreVault;

use super::out::{Out, Record};
use super::place::PlaceFlags;
use super::user::quorum;
use crate::failure::Done;
use crate::people::vault_failure;
use crate::sealing::NewSealFlags;

/// Changes what unlocks the centre. The new passphrase is the secret seal.new.
pub(super) fn run(place: &PlaceFlags, flags: &NewSealFlags, out: &Out) -> Done<()> {
    let (vault, _, _) = place.open_vault(out)?;
    let done = change(place, flags, out, &vault);
    let closed = vault.close().map_err(|error| vault_failure(&error));
    done?;
    closed
}

fn change(place: &PlaceFlags, flags: &NewSealFlags, out: &Out, vault: &CentreVault) -> Done<()> {
    let by = quorum(place, vault)?;
    let name = vault.header().name.to_string();
    let seal = flags.make(&name, ".new", &place.unlock, &place.secrets)?;
    vault
        .change_protector(&by, seal.unlock())
        .map_err(|error| flags.undo(error.may_be_done(), vault_failure(&error)))?;
    let kind = seal.unlock().protector().to_string();
    let record = Record::new().text("centre", &name).text("seal", &kind);
    out.done(format_args!("centre {name} is sealed by the new {kind}"), &record)
}
