//! The commands and flags of `prepay kmc`.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

use super::place::PlaceFlags;
use super::{
    answer, backup, customer, database, enrol, form, grant, group, init, key, renew, report,
};
use crate::sealing::NewSealFlags;
use crate::vault::{audit, clock, repair, user, witness};

/// A key management centre: the directory, the people, and the command.
#[derive(Args)]
pub(crate) struct KmcFlags {
    #[command(flatten)]
    pub(super) place: PlaceFlags,
    #[command(subcommand)]
    pub(super) command: KmcCommand,
}

/// The commands.
#[derive(Subcommand)]
pub(super) enum KmcCommand {
    /// Make a centre: its own module with keys, its people, and an empty store.
    ///
    /// Example: prepay kmc init --dir kmc --id KC-1 --custodian ann --custodian ben --operator olga
    Init(init::InitFlags),
    /// Customers and their signatories.
    #[command(subcommand)]
    Customer(customer::CustomerCommand),
    /// Supply groups: codes, names, owners.
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Vending keys: make, roll, refresh, revoke, retire. Nobody ever sees one.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Key-use authorisations: which module may hold the keys of which group.
    #[command(subcommand)]
    Authorise(grant::GrantCommand),
    /// The centre's own enrolment, and the enrolments of modules.
    #[command(subcommand)]
    Enrol(enrol::EnrolCommand),
    /// Renew the centre's own public keys before they expire. Every module must enrol the centre again. Two
    /// custodians.
    Renew(renew::RenewFlags),
    /// Answer a module: its agreement request, or its key-load request.
    Answer(answer::AnswerFlags),
    /// Reports: who holds what, what expires when, what was done.
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// Forms: customers fill them in and sign them, the centre receives and accepts them.
    #[command(subcommand)]
    Form(form::FormCommand),
    /// Import a key that others know, such as a published test key. Test centres only.
    ImportTestKey(key::ImportFlags),
    /// Finish interrupted commands: requested keys, accepted forms.
    Finish,
    /// The audit log of the centre's module.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// The clock, when it was put back.
    #[command(subcommand)]
    Clock(clock::ClockCommand),
    /// Check the whole database: its structure, every row, and that it agrees with the vault. Other commands check what
    /// they read.
    Verify,
    /// Adopt the database as it is. Two custodians; for a centre of an earlier version, or when nothing else is left.
    ///
    /// Without --accept this shows what gives rights, and the digest of everything, and changes nothing. Compare it with
    /// your papers, then give the digest.
    Adopt(database::AdoptFlags),
    /// The witness: a file elsewhere that shows when an older copy of the centre's vault was put back.
    #[command(subcommand)]
    Witness(witness::WitnessCommand),
    /// Repair the audit log or its head after loss or damage. Two custodians; the log says what they accepted.
    ///
    /// The log goes on after its last right entry. If entries are known to be missing, Prepay names their number and
    /// refuses until the custodians accept it. Copies of the files are kept first.
    Repair(repair::RepairFlags),
    /// Write a back-up of the whole centre, under dual control, into a new directory.
    Backup {
        /// The directory to create.
        #[arg(value_name = "BACKUP", value_hint = ValueHint::DirPath)]
        backup: PathBuf,
    },
    /// Restore a centre from a back-up, in an empty directory.
    Restore(backup::RestoreFlags),
    /// Change what unlocks the centre. Two custodians; a new passphrase is the secret seal.new.
    Seal(NewSealFlags),
    /// The people of the centre.
    #[command(subcommand)]
    User(user::UserCommand),
}
