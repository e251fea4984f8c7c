//! `prepay kmc init`: makes a centre.

use clap::Args;
use prepay_basics::Identifier;
use prepay_kmc::centre::Centre;
use prepay_kmc_module::{CentreModule, CentreSetup};
use prepay_kmp::CentreId;

use super::out::{Out, Record};
use super::place::{PlaceFlags, SiteClock, store_path, test_time, vault_path};
use super::{file, refusal, store};
use crate::failure::{Done, Failure};
use crate::people::{FirstPeopleFlags, person, vault_failure};
use crate::sealing::{NewSealFlags, create_failure, make_directory};

/// A centre to make. Its custodians are named with --custodian.
#[derive(Args)]
pub(super) struct InitFlags {
    /// The name of the centre: 1 to 40 letters, digits or "_-.,".
    #[arg(long, value_name = "NAME")]
    id: String,
    /// An operator, who receives forms and answers modules.
    #[arg(long = "operator", value_name = "NAME", value_parser = person)]
    operators: Vec<Identifier>,
    /// An auditor, who reads.
    #[arg(long = "auditor", value_name = "NAME", value_parser = person)]
    auditors: Vec<Identifier>,
    /// For how many days its public keys may be used.
    #[arg(long, value_name = "DAYS", default_value_t = CentreSetup::VALID_DAYS)]
    valid_days: u32,
    /// A TEST centre, for training: short passphrases, keys that are known outside, a clock that stands still.
    /// It says so in all it answers, and can never become a real one.
    #[arg(long)]
    test: bool,
    #[command(flatten)]
    seal: NewSealFlags,
}

/// Makes the centre.
pub(super) fn run(place: &PlaceFlags, flags: &InitFlags, out: &Out) -> Done<()> {
    out.set_test(flags.test);
    let centre: CentreId =
        flags.id.parse().map_err(|error| Failure::flag("--id", format_args!("{error}")))?;
    let clock = place.clock_of_new(flags.test)?;
    let dir = place.dir()?;
    if store_path(dir).symlink_metadata().is_ok() {
        let message = format!("{}: there is a centre already", dir.display());
        return Err(Failure::unable("not_empty", message).next("choose an empty directory"));
    }
    let people = FirstPeopleFlags {
        custodians: place.custodian.clone(),
        operators: flags.operators.clone(),
        auditors: flags.auditors.clone(),
    };
    let people = people.with_passphrases(&place.secrets)?;
    let path = vault_path(dir);
    let (directory, _new) = make_directory(&path)?;
    let seal = flags.seal.make(centre.as_str(), "", &place.unlock, &place.secrets)?;
    let users: Vec<_> = people.iter().map(|person| person.as_user()).collect();
    let valid_days = flags.valid_days;
    let (unlock, insecure_test) = (seal.unlock(), flags.test);
    let setup = CentreSetup { centre: &centre, unlock, users: &users, valid_days, insecure_test };
    let vault = setup
        .make(directory.into_place(clock))
        .map_err(|error| flags.seal.undo(error.may_be_done(), create_failure(&path, &error)))?;
    if let (true, SiteClock::Fixed(moment)) = (flags.test, clock) {
        file::write(&test_time(dir), format!("{moment}\n").as_bytes(), false)?;
    }
    let store = store::create(&store_path(dir)).map_err(|failure| {
        failure.next(format!("remove {}, and make the centre again", dir.display()))
    })?;
    let record = {
        let desk = place.desk(&vault, super::Needs::Custodians)?;
        let mut rows = Centre::new(store, &desk, &clock);
        rows.set_up().map_err(|error| refusal::command(&error))?;
        let identity = desk.identify().map_err(refusal::module)?;
        let of = |role: &str| -> Vec<String> {
            let people = people.iter().filter(|person| person.role.name() == role);
            people.map(|person| person.name.to_string()).collect()
        };
        Record::new()
            .text("centre", identity.centre)
            .text("fingerprint", identity.fingerprint)
            .text("valid_from", identity.activation)
            .text("valid_until", identity.expires)
            .text("unlocked_by", seal.unlock().protector())
            .value("custodians", of("custodian"))
            .value("operators", of("operator"))
            .value("auditors", of("auditor"))
    };
    vault.close().map_err(|error| vault_failure(&error))?;
    out.done_with(format_args!("made centre {}", flags.id), &record)
}
