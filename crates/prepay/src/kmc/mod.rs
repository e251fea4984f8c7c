//! `prepay kmc`: a key management centre from the command line.
//!
//! Each command opens the centre, signs people in, does one thing and closes it. The centre's module holds the keys; this
//! program handles names, numbers, forms and sealed files.

mod answer;
mod backup;
mod customer;
mod database;
mod enrol;
mod flags;
mod form;
mod form_at_centre;
mod form_file;
mod grant;
mod group;
mod init;
mod key;
mod place;
mod refusal;
mod renew;
mod report;
mod signatory;
mod store;

use std::io;

use flags::KmcCommand;
pub(crate) use flags::KmcFlags;
use place::Needs;

use crate::Ending;
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::vault::{audit, clock, repair, seal, user, witness};

/// Runs one command.
pub(crate) fn run(flags: &KmcFlags, json: bool) -> io::Result<Ending> {
    let out = Out::new(json, "TEST centre: no key of it is for a real meter");
    match dispatch(flags, &out) {
        Ok(()) => Ok(Ending::Done),
        Err(failure) => out.failure(&failure),
    }
}

fn dispatch(flags: &KmcFlags, out: &Out) -> Done<()> {
    let place = &flags.place;
    match &flags.command {
        KmcCommand::Init(flags) => init::run(place, flags, out),
        KmcCommand::Customer(command) => customer::run(place, command, out),
        KmcCommand::Group(command) => group::run(place, command, out),
        KmcCommand::Key(command) => key::run(place, command, out),
        KmcCommand::Authorise(command) => grant::run(place, command, out),
        KmcCommand::Enrol(command) => enrol::run(place, command, out),
        KmcCommand::Renew(flags) => renew::run(place, flags, out),
        KmcCommand::Answer(flags) => answer::run(place, flags, out),
        KmcCommand::Report(command) => report::run(place, command, out),
        KmcCommand::Form(command) => form::run(place, command, out),
        KmcCommand::ImportTestKey(flags) => key::import(place, flags, out),
        KmcCommand::Finish => finish(place, out),
        KmcCommand::Audit(command) => audit::run(place, command, out),
        KmcCommand::Clock(command) => clock::run(place, command, out),
        KmcCommand::Verify => database::verify(place, out),
        KmcCommand::Adopt(flags) => database::adopt(place, flags, out),
        KmcCommand::Witness(command) => witness::run(place, command, out),
        KmcCommand::Repair(flags) => repair::run(place, flags, out),
        KmcCommand::Backup { backup } => backup::backup(place, backup, out),
        KmcCommand::Restore(flags) => backup::restore(place, flags, out),
        KmcCommand::Seal(flags) => seal::run(place, flags, out),
        KmcCommand::User(command) => user::run(place, command, out),
    }
}

/// Finishes interrupted commands.
fn finish(place: &place::PlaceFlags, out: &Out) -> Done<()> {
    place.work(out, Needs::Custodians, |centre, _| {
        let rows = centre.finish().map_err(|error| refusal::command(&error))?;
        let rows: Vec<Record> =
            rows.iter().map(|row| Record::new().text("finished", row)).collect();
        out.table("command was unfinished", &rows)
    })
}
