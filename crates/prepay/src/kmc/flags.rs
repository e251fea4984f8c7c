//! The commands and flags of `prepay kmc`.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

use super::place::PlaceFlags;
use super::{answer, backup, customer, enrol, form, grant, group, init, key, renew, report};
use crate::sealing::NewSealFlags;
use crate::vault::{audit, user};

/// A key management centre: which one, who acts, and what is to be done.
#[derive(Args)]
pub(crate) struct KmcFlags {
    #[command(flatten)]
    pub(super) place: PlaceFlags,
    #[command(subcommand)]
    pub(super) command: KmcCommand,
}

/// What can be done at a centre.
#[derive(Subcommand)]
pub(super) enum KmcCommand {
    /// Make a centre: its own module with keys, its people, and an empty store.
    ///
    /// Example: prepay kmc init --dir kmc --id KC-1 --custodian ann --custodian ben --operator olga
    Init(init::InitFlags),
    /// Customers and those who sign for them.
    #[command(subcommand)]
    Customer(customer::CustomerCommand),
    /// Supply groups: codes, names, owners.
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Vending keys: made, rolled, refreshed, revoked, retired. Nobody ever sees one.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Key-use authorisations: which module may hold the keys of which group.
    #[command(subcommand)]
    Authorise(grant::GrantCommand),
    /// The centre's own enrolment, and the enrolments of modules.
    #[command(subcommand)]
    Enrol(enrol::EnrolCommand),
    /// Renew the centre's own public keys before they lapse. Every module enrols the centre afresh. Two custodians.
    Renew(renew::RenewFlags),
    /// Answer a module: its agreement request, or its key-load request.
    Answer(answer::AnswerFlags),
    /// What is where, what ends when, what was done.
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// Forms: filled in and signed by customers, received and accepted here.
    #[command(subcommand)]
    Form(form::FormCommand),
    /// Take in a key that is known outside, such as a published test key. Test centres only.
    ImportTestKey(key::ImportFlags),
    /// Make up for commands that were cut: keys that were asked for, forms that were accepted.
    Finish,
    /// The audit log of the centre's module.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Write a back-up of the whole centre, under dual control, into a new directory.
    Backup {
        /// The directory to make.
        #[arg(value_name = "BACKUP", value_hint = ValueHint::DirPath)]
        backup: PathBuf,
    },
    /// Make a centre from a back-up, in a place that is empty.
    Restore(backup::RestoreFlags),
    /// Change what unlocks the centre. Two custodians; the new passphrase is the secret seal.new.
    Seal(NewSealFlags),
    /// The people of the centre.
    #[command(subcommand)]
    User(user::UserCommand),
}
