//! A module: it is made; it issues, loads keys, and its people change.

use std::path::Path;

use prepay_host::{Directory, SystemClock};
use prepay_kmc_module::CentreVault;
use prepay_module::SecurityModule;
use prepay_module::software::{ModulePolicy, NewModule, SoftwareModule, TestMode};
use prepay_testkit::ceremony::{PEOPLE, People, TestCentre, passphrase, value};
use prepay_testkit::child;
use prepay_testkit::power_loss::acknowledge;
use prepay_vault::{By, Entries as _, NewUser, OpenError, Place, Role, Secret, Unlock};

use crate::proof_kit::{Number, create, create_with, item, open, open_centre};
use crate::{Scenario, key_file, require};

pub(crate) const CREATION: Scenario = Scenario {
    name: "creation",
    prepare: |_| (),
    work: "module::case_creation",
    verify: verify_creation,
};

pub(crate) const SESSION: Scenario = Scenario {
    name: "session",
    prepare: prepare_session,
    work: "module::case_session",
    verify: verify_session,
};

pub(crate) const NAMES: Scenario = Scenario {
    name: "names",
    prepare: prepare_names,
    work: "module::case_names",
    verify: verify_names,
};

pub(crate) const ROTATION: Scenario = Scenario {
    name: "rotation",
    prepare: prepare_session,
    work: "module::case_rotation",
    verify: verify_rotation,
};

fn place(path: &Path) -> Place {
    Directory::open(path).unwrap().into_place(SystemClock)
}

fn make(path: &Path) -> SoftwareModule {
    let secrets = PEOPLE.map(|(name, _)| passphrase(name));
    let names = PEOPLE.map(|(name, _)| value(name));
    let users: Vec<NewUser<'_>> = (0..PEOPLE.len())
        .map(|n| NewUser { name: &names[n], role: PEOPLE[n].1, passphrase: &secrets[n] })
        .collect();
    let key_file = key_file();
    let unlock = Unlock::KeyFile(&key_file);
    let policy = ModulePolicy::default();
    let new = NewModule { module: value("SM-1"), unlock, users: &users, policy };
    let place = Directory::create(path).unwrap().into_place(SystemClock);
    SoftwareModule::create_insecure_test(place, new, TestMode::default()).unwrap()
}

fn open_module(path: &Path) -> Result<SoftwareModule, OpenError> {
    SoftwareModule::open(place(path), Unlock::KeyFile(&key_file()))
}

#[test]
#[ignore = "runs as a child of the tests in main.rs"]
fn case_creation() {
    let Some(below) = child::place() else { return };
    let module = make(&below.join("new/module"));
    acknowledge(&below, "made");
    People::of(&module, &passphrase);
    acknowledge(&below, "signed in");
}

fn verify_creation(below: &Path, acknowledged: &[String]) -> Result<(), String> {
    let path = below.join("new/module");
    if acknowledged.is_empty() && !path.join("store").exists() {
        // Nothing was made: it can be made now, once what is left is out of the way.
        let _ = std::fs::remove_dir_all(below.join("new"));
        make(&path).vault().close().unwrap();
    }
    let module = open_module(&path).map_err(|error| error.to_string())?;
    let report = People::of(&module, &passphrase).verify_audit();
    require(report.first_bad.is_none(), || format!("the log: {report:?}"))
}

fn prepare_session(below: &Path) {
    create(below, None);
    seal_by_key_file(below);
}

fn seal_by_key_file(below: &Path) {
    let module = open(below).unwrap();
    let people = People::of(&module, &passphrase);
    module.vault().change_protector(&people.quorum, Unlock::KeyFile(&key_file())).unwrap();
    module.vault().close().unwrap();
}

const NEW_PASSPHRASE: &str = "another passphrase of olga";

fn number(count: u64) -> Number {
    Number { round: 1, worker: 0, count }
}

#[test]
#[ignore = "runs as a child of the tests in main.rs"]
fn case_session() {
    let Some(below) = child::place() else { return };
    let path = below.join("module");
    let module = open_module(&path).unwrap();
    let people = People::of(&module, &passphrase);
    let issue = |people: &People, count| {
        let issued = people.operator.issue_one(number(count).any()).unwrap();
        acknowledge(&below, &format!("issued {count} {issued:?}"));
    };
    (0..2).for_each(|count| issue(&people, count));
    let centre = open_centre(&below).unwrap();
    centre.load(&people, vec![item(3, Some(500))], None);
    acknowledge(&below, "loaded");
    centre.close();
    (2..4).for_each(|count| issue(&people, count));
    let secret = passphrase("dora");
    let dora = NewUser { name: &value("dora"), role: Role::Auditor, passphrase: &secret };
    module.vault().add_user(&people.quorum, dora).unwrap();
    acknowledge(&below, "added");
    let new = Secret::from(NEW_PASSPHRASE.to_owned());
    module.vault().set_passphrase(&people.quorum, &value("olga"), &new).unwrap();
    acknowledge(&below, "changed");
    module.vault().close().unwrap();
    drop((people, module));

    // Opened again, with a head that no sync made durable.
    let module = open_module(&path).unwrap();
    let people = People::of(&module, &|name| match name {
        "olga" => Secret::from(NEW_PASSPHRASE.to_owned()),
        other => passphrase(other),
    });
    (4..6).for_each(|count| issue(&people, count));
    module.vault().close().unwrap();
}

fn verify_session(below: &Path, acknowledged: &[String]) -> Result<(), String> {
    let path = below.join("module");
    let has = |line: &str| acknowledged.iter().any(|found| found == line);
    let check = |again: bool| -> Result<(), String> {
        let module = open_module(&path).map_err(|error| error.to_string())?;
        let old = module.vault().sign_in(&value("olga"), &passphrase("olga")).is_ok();
        require(!(old && has("changed")), || "the old passphrase is back".into())?;
        let people = People::of(&module, &|name| match name {
            "olga" if !old => Secret::from(NEW_PASSPHRASE.to_owned()),
            other => passphrase(other),
        });
        let report = people.verify_audit();
        require(report.first_bad.is_none(), || format!("the log: {report:?}"))?;
        for line in acknowledged {
            let Some(issued) = line.strip_prefix("issued ") else { continue };
            let (count, expected) = issued.split_once(' ').unwrap();
            let request = number(count.parse().unwrap()).any();
            let repeated = people.operator.issue_one(request).map_err(|error| error.to_string())?;
            require(format!("{repeated:?}") == expected, || format!("other digits: {line}"))?;
        }
        let loads = (people.audit(1, 10_000).iter())
            .filter(|record| record.entry.name() == "keys_loaded")
            .count();
        require(loads == 2 || !has("loaded") && loads == 1, || format!("{loads} loads"))?;
        let users = module.vault().users(By::Two(&people.quorum)).unwrap();
        let is_there = users.iter().any(|user| user.name.to_string() == "dora");
        require(is_there || !has("added"), || "dora is gone".into())?;
        let fresh = people.operator.issue_one(number(1000 + u64::from(again)).any());
        fresh.map_err(|error| error.to_string())?;
        module.vault().close().map_err(|error| error.to_string())
    };
    check(false)?;
    check(true)?;
    let centre =
        CentreVault::open(place(&below.join("centre")), Unlock::Passphrase(&passphrase("vault")));
    drop(centre.map_err(|error| format!("the centre: {error}"))?);
    let centre: TestCentre = open_centre(below).map_err(|error| error.to_string())?;
    let report = centre.vault().verify_audit(centre.two()).unwrap();
    require(report.first_bad.is_none(), || format!("the centre's log: {report:?}"))
}

/// One name in each file, so that eight tokens need a merge.
fn prepare_names(below: &Path) {
    create_with(below, None, TestMode { run_names: Some(1), ..TestMode::default() });
    seal_by_key_file(below);
}

#[test]
#[ignore = "runs as a child of the tests in main.rs"]
fn case_names() {
    let Some(below) = child::place() else { return };
    let module = open_module(&below.join("module")).unwrap();
    let people = People::of(&module, &passphrase);
    for count in 0..10 {
        let issued = people.operator.issue_one(number(count).any()).unwrap();
        module.wait_for_names();
        acknowledge(&below, &format!("issued {count} {issued:?}"));
    }
    module.vault().close().unwrap();
}

fn verify_names(below: &Path, acknowledged: &[String]) -> Result<(), String> {
    let module = open_module(&below.join("module")).map_err(|error| error.to_string())?;
    let people = People::of(&module, &passphrase);
    for (count, line) in acknowledged.iter().enumerate() {
        let request = number(count as u64).any();
        let repeated = people.operator.issue_one(request).map_err(|error| error.to_string())?;
        let expected = format!("issued {count} {repeated:?}");
        require(expected == *line, || format!("other digits: {line}"))?;
    }
    // A file that a store lists is whole: none had to be made anew.
    let mut entries = people.audit(1, 10_000).into_iter();
    let is_whole = !entries.any(|record| record.entry.name() == "names_rebuilt");
    require(is_whole, || "a file of names was not durable".into())?;
    module.vault().close().map_err(|error| error.to_string())
}

#[test]
#[ignore = "runs as a child of the tests in main.rs"]
fn case_rotation() {
    let Some(below) = child::place() else { return };
    let module = open_module(&below.join("module")).unwrap();
    let people = People::of(&module, &passphrase);
    let mut count = 0;
    for _ in 0..2 {
        for _ in 0..2 {
            let issued = people.operator.issue_one(number(count).any()).unwrap();
            acknowledge(&below, &format!("issued {count} {issued:?}"));
            count += 1;
        }
        module.vault().rotate(By::Two(&people.quorum)).unwrap();
        acknowledge(&below, "rotated");
    }
    let issued = people.operator.issue_one(number(count).any()).unwrap();
    acknowledge(&below, &format!("issued {count} {issued:?}"));
    module.vault().close().unwrap();
}

fn verify_rotation(below: &Path, acknowledged: &[String]) -> Result<(), String> {
    for again in 0..2 {
        let module = open_module(&below.join("module")).map_err(|error| error.to_string())?;
        let people = People::of(&module, &passphrase);
        let report = people.verify_audit();
        let is_whole = report.first_bad.is_none() && report.absent.is_empty();
        require(is_whole, || format!("the log: {report:?}"))?;
        let rotated = acknowledged.iter().filter(|line| *line == "rotated").count();
        let segments = module.vault().segments(By::Two(&people.quorum)).unwrap();
        require(segments.len() >= rotated, || format!("{} segments", segments.len()))?;
        let issued = acknowledged.iter().filter(|line| line.starts_with("issued"));
        for (count, line) in issued.enumerate() {
            let request = number(count as u64).any();
            let repeated = people.operator.issue_one(request).map_err(|error| error.to_string())?;
            let expected = format!("issued {count} {repeated:?}");
            require(expected == *line, || format!("other digits: {line}"))?;
        }
        let fresh = people.operator.issue_one(number(1000 + again).any());
        fresh.map_err(|error| error.to_string())?;
        module.vault().rotate(By::Two(&people.quorum)).map_err(|error| error.to_string())?;
        module.vault().close().map_err(|error| error.to_string())?;
    }
    Ok(())
}
