//! A centre: its database and its vault, while it makes a key and answers a key-load request.

use std::fs;
use std::path::Path;

use prepay_basics::Clock as _;
use prepay_host::{Directory, SystemClock};
use prepay_kmc::centre::{
    Centre, KeyTerms, LoadOptions, NewAuthorisation, NewCustomer, NewGroup, NewKey,
};
use prepay_kmc::entity::{Customer, CustomerNumber};
use prepay_kmc_module::{CentreModule as _, CentreSession, CentreVault};
use prepay_kmp::Signatory;
use prepay_kmp::attribute::{Cluster, CurrencyLimit, UnitLimit, VendingKeyType};
use prepay_module::software::{ModulePolicy, TestMode};
use prepay_store::SqliteCentreStore;
use prepay_testkit::Foreseeable;
use prepay_testkit::ceremony::{People, TestCentre, make_module, passphrase, value};
use prepay_testkit::child;
use prepay_testkit::documents::document;
use prepay_testkit::power_loss::acknowledge;
use prepay_token::element::{BaseDate, DecoderKeyGenerationAlgorithm, Service};
use prepay_vault::{By, MemoryStorage, Place, Quorum, Unlock};

use crate::{Scenario, key_file, require};

pub(crate) const ANSWER: Scenario =
    Scenario { name: "centre", prepare, work: "centre::case_answer", verify };

const REQUEST: &str = "request.txt";

fn key(group: u32) -> NewKey {
    let now = SystemClock.now();
    NewKey {
        group: group.try_into().unwrap(),
        revision: None,
        algorithm: DecoderKeyGenerationAlgorithm::Dkga04,
        expiry: 255.into(),
        base_date: BaseDate::Y2014,
        activation: now,
        terms: KeyTerms {
            expires: now.plus_days(1000),
            refresh_days: 90,
            unit_limit: UnitLimit(None),
            currency_limit: CurrencyLimit(None),
        },
        sub_classes: None,
    }
}

/// A centre with a customer, two groups, a key for the first, and a module that has asked for keys.
fn prepare(below: &Path) {
    let place = Directory::create(below.join("vault")).unwrap().into_place(SystemClock);
    let test_centre = TestCentre::make(place, &passphrase);
    let store = SqliteCentreStore::create(&below.join("centre.db")).unwrap();
    let centre_module = test_centre.centre_module();
    let mut centre = Centre::new(store, &centre_module, &SystemClock);
    centre.set_up().unwrap();
    let line = |text| value(text);
    let customer = NewCustomer {
        organisation: line("North"),
        contact: line("Ms Example"),
        address: line("a@example.org"),
    };
    let owner = centre.add_customer(customer).unwrap();
    let anna = Signatory::generate(value("anna"), &mut Foreseeable::named("anna")).unwrap();
    let fingerprint = anna.key().fingerprint().to_string();
    centre.register_signatory(owner, anna.key(), &fingerprint).unwrap();
    for code in [1, 2] {
        let group = NewGroup {
            code: Some(code.try_into().unwrap()),
            key_type: VendingKeyType::UNIQUE,
            owner,
            name: value("North town"),
            area: line("North"),
            service: Service::Electricity,
            cluster: Cluster(0),
        };
        centre.allocate_group(group).unwrap();
    }
    centre.request_key(&key(1)).unwrap();

    let memory = Place {
        storage: Box::new(MemoryStorage::default()),
        entropy: Box::new(Foreseeable::named("module")),
        clock: Box::new(SystemClock),
    };
    let policy = ModulePolicy::default();
    let module = make_module("SM-1", memory, policy, TestMode::default(), &passphrase);
    let people = People::of(&module, &passphrase);
    let fingerprint = people.auditor.identify().unwrap().fingerprint;
    centre.enrol_module(&document(people.auditor.enrolment().unwrap()), &fingerprint).unwrap();
    let granted = NewAuthorisation {
        group: 1.try_into().unwrap(),
        module: value("SM-1"),
        module_fingerprint: None,
        granted_by: value("anna"),
        valid_until: SystemClock.now().plus_days(100),
        location: line("Computer room"),
    };
    centre.grant(granted).unwrap();
    let custodians = &people.custodians;
    custodians.enrol_centre(&document(centre_module.enrolment().unwrap())).unwrap();
    let name = value(TestCentre::NAME);
    custodians.confirm_centre(&name, &centre_module.identify().unwrap().fingerprint).unwrap();
    let request = custodians.request_agreement(&name).unwrap();
    let answer = centre.answer_agreement(&document(&request)).unwrap();
    custodians.accept_confirmation(&document(&answer.confirmation)).unwrap();
    fs::write(below.join(REQUEST), custodians.request_key_load(&name).unwrap()).unwrap();

    drop(centre);
    drop(centre_module);
    let quorum = two(test_centre.vault());
    let key_file = key_file();
    test_centre.vault().change_protector(&quorum, Unlock::KeyFile(&key_file)).unwrap();
    test_centre.close();
}

fn two(vault: &CentreVault) -> Quorum {
    let sign_in = |name: &str| vault.sign_in(&value(name), &passphrase(name)).unwrap();
    Quorum::new(sign_in("alice"), sign_in("bob")).unwrap()
}

#[test]
#[ignore = "runs as a child of the tests in main.rs"]
fn case_answer() {
    let Some(below) = child::place() else { return };
    let place = Directory::open(below.join("vault")).unwrap().into_place(SystemClock);
    let vault = CentreVault::open(place, Unlock::KeyFile(&key_file())).unwrap();
    let store = SqliteCentreStore::open(&below.join("centre.db")).unwrap();
    let session = CentreSession::new(&vault, two(&vault));
    let mut centre = Centre::new(store, &session, &SystemClock);
    let made = centre.request_key(&key(2)).unwrap();
    acknowledge(&below, &format!("key {:?}", made.id));
    let request = fs::read_to_string(below.join(REQUEST)).unwrap();
    let answer = centre.answer_key_load(&document(&request), &LoadOptions::default()).unwrap();
    acknowledge(&below, &format!("answered {:?}", answer.load.file));
    let owner = CustomerNumber::FIRST;
    centre.change_contact(owner, value("Mr Other"), value("b@example.org")).unwrap();
    acknowledge(&below, "contact");
    drop(centre);
    drop(session);
    vault.close().unwrap();
    acknowledge(&below, "closed");
}

fn verify(below: &Path, acknowledged: &[String]) -> Result<(), String> {
    let has = |line: &str| acknowledged.iter().any(|found| found == line);
    let place = Directory::open(below.join("vault")).unwrap().into_place(SystemClock);
    let vault = CentreVault::open(place, Unlock::KeyFile(&key_file()));
    let vault = vault.map_err(|error| format!("the vault: {error}"))?;
    let store = SqliteCentreStore::open(&below.join("centre.db"));
    let store = store.map_err(|error| format!("the database: {error}"))?;
    let two = two(&vault);
    let report = vault.verify_audit(By::Two(&two)).unwrap();
    require(report.first_bad.is_none(), || format!("the log: {report:?}"))?;
    let session = CentreSession::new(&vault, two);
    let mut centre = Centre::new(store, &session, &SystemClock);
    let wrong = |error: prepay_kmc::centre::CommandError| error.to_string();
    centre.store().verify().map_err(|error| format!("the rows: {error}"))?;
    centre.finish().map_err(wrong)?;
    let newest = centre.newest_key(2.try_into().unwrap()).map_err(wrong)?;
    if let Some(key) = acknowledged.iter().find_map(|line| line.strip_prefix("key ")) {
        let found = newest.map(|key| format!("{:?}", key.id));
        require(found.as_deref() == Some(key), || format!("the key: {found:?}"))?;
    }
    let request = fs::read_to_string(below.join(REQUEST)).unwrap();
    let answer = centre.answer_key_load(&document(&request), &LoadOptions::default());
    let answer = answer.map_err(wrong)?;
    if let Some(file) = acknowledged.iter().find_map(|line| line.strip_prefix("answered ")) {
        let is_same = answer.is_repeated && format!("{:?}", answer.load.file) == file;
        require(is_same, || "the answer is another one".into())?;
    }
    let row = centre.row::<Customer>(&CustomerNumber::FIRST).map_err(wrong)?.row;
    require(row.contact.as_str() == "Mr Other" || !has("contact"), || "the contact".into())?;
    centre.store().verify().map_err(|error| format!("the rows at last: {error}"))?;
    drop(centre);
    drop(session);
    vault.close().map_err(|error| error.to_string())
}
