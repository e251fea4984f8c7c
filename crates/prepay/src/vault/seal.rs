//! `seal`: what unlocks a vault.

use super::{Installation, Needs};
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::people::vault_failure;
use crate::sealing::NewSealFlags;
use prepay_vault::VaultHeader;

/// Changes what unlocks the vault. The new passphrase is the secret seal.new.
pub(crate) fn run(site: &impl Installation, flags: &NewSealFlags, out: &Out) -> Done<()> {
    let ask = |header: &VaultHeader| {
        flags.ask_ahead(header.name.as_str(), ".new", &site.flags().secrets)
    };
    site.with_vault(out, Some(Needs::Custodians), ask, |vault| {
        let by = site.flags().two(vault)?;
        let (what, name) = (site.what(), vault.header().name.as_str());
        let seal = flags.make(name, ".new", &site.flags().unlock, &site.flags().secrets)?;
        vault
            .change_protector(&by, seal.unlock())
            .map_err(|error| flags.undo(error.may_be_done(), vault_failure(&error)))?;
        let kind = seal.unlock().protector().to_string();
        let record = Record::new().text(what, name).text("seal", &kind);
        out.done(format_args!("{what} {name} is now sealed by the new {kind}"), &record)?;
        out.remark(
            "back-ups keep their own passphrases; older copies of the store still open as before",
        );
        Ok(())
    })
}
