//! `prepay kmc audit`: the audit log of the centre's module.

use clap::Subcommand;
use prepay_kmc_module::{CentreContents, CentreEntry};
use prepay_vault::{AuditMark, verify};

use super::out::Out;
use super::place::{Needs, PlaceFlags, vault_path};
use crate::audit::{failure, print, print_report, prove_noted};
use crate::failure::Done;
use crate::people::vault_failure;

/// What can be done with the audit log.
#[derive(Subcommand)]
pub(super) enum AuditCommand {
    /// Prove that no entry was changed, cut off, moved or put in, and name the first that was.
    ///
    /// Without --as the centre stays locked, and only the chain of the entries is proved: whoever can write the
    /// files could have made another chain.
    Verify {
        /// An entry that was noted earlier, as `audit verify` printed it: the log must still have it.
        #[arg(long, value_name = "N-HASH")]
        noted: Option<AuditMark>,
    },
    /// List entries. Somebody of the centre signs in.
    List {
        /// The number of the first entry.
        #[arg(long, value_name = "N", default_value_t = 1)]
        from: u64,
        /// How many entries at most.
        #[arg(long, value_name = "N", default_value_t = 1000)]
        count: usize,
    },
}

/// Runs one command.
pub(super) fn run(place: &PlaceFlags, command: &AuditCommand, out: &Out) -> Done<()> {
    let path = vault_path(place.dir()?);
    match command {
        AuditCommand::Verify { noted } if !place.is_anybody_named() => {
            let (mut directory, header, _) = place.wait.open::<CentreContents>(&path)?;
            out.set_test(header.insecure_test);
            if let Some(noted) = noted {
                prove_noted::<CentreEntry>(&path, &mut directory, *noted)?;
            }
            let report =
                verify::<CentreEntry>(&mut directory).map_err(|error| failure(&path, &error))?;
            print_report(&report, out.is_json(), out.is_test())
        }
        AuditCommand::Verify { noted } => {
            if let Some(noted) = noted {
                let (mut directory, ..) = place.wait.open::<CentreContents>(&path)?;
                prove_noted::<CentreEntry>(&path, &mut directory, *noted)?;
            }
            let (vault, _, _) = place.open_vault(out)?;
            let by = place.actor(&vault, Needs::Reader)?;
            let report = vault.verify_audit(by.by()).map_err(|error| failure(&path, &error))?;
            vault.close().map_err(|error| vault_failure(&error))?;
            print_report(&report, out.is_json(), out.is_test())
        }
        AuditCommand::List { from, count } => {
            let (vault, _, _) = place.open_vault(out)?;
            let by = place.actor(&vault, Needs::Reader)?;
            let entries =
                vault.audit(by.by(), *from, *count).map_err(|error| failure(&path, &error))?;
            vault.close().map_err(|error| vault_failure(&error))?;
            out.begin_text()?;
            print(&entries, out.is_json(), out.is_test())
        }
    }
}
