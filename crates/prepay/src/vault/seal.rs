//! `seal`: what unlocks a vault.

use super::{Installation, Needs, VaultFlags};
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::people::vault_failure;
use crate::sealing::NewSealFlags;
use prepay_vault::VaultHeader;

/// Changes what unlocks the vault. A new passphrase is the secret seal.new.
pub(crate) fn run(site: &impl Installation, flags: &NewSealFlags, out: &Out) -> Done<()> {
    let ask = |header: &VaultHeader| {
        flags.check(header.insecure_test)?;
        let (name, secrets) = (header.name.as_str(), &site.flags().secrets);
        flags.ask_ahead(name, ".new", header.insecure_test, secrets)
    };
    site.with_vault_after(out, Some(Needs::Custodians), ask, |vault| {
        let by = site.flags().two(vault)?;
        let (what, name) = (site.what(), vault.header().name.as_str());
        let VaultFlags { unlock, secrets, .. } = site.flags();
        let is_test = vault.header().insecure_test;
        let seal = flags.make(name, ".new", is_test, unlock, secrets)?;
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
