//! The whole workflow with the real centre module: signed forms alone lead from an unknown customer to a
//! key-load file that exactly one module can open.

use prepay_basics::{Identifier, Moment};
use prepay_kmc::centre::{Centre, Decision, LoadOptions};
use prepay_kmc::entity::FormNumber;
use prepay_kmc::form::{Addressee, Draft, FormKind, FormState, SignedForm, VALID_DAYS};
use prepay_kmc::store::MemoryStore;
use prepay_kmc_module::{CentreIdentity, CentreModule, CentreSession, CentreSetup, CentreVault};
use prepay_kmp::{
    CentreEnrolment, Identity, KeyLoadRequest, ModuleEnrolment, Nonce, PartyKind, PublicIdentity,
    Signatory, SlotKeys, SlotNumber, Unverified, open_kmp, read_as,
};
use prepay_testkit::Foreseeable;
use prepay_testkit::documents::{accept_agreement, document, read_key_load};
use prepay_vault::{KeyFile, MemoryStorage, NewUser, Place, Quorum, Role, Secret, Unlock};

const PEOPLE: [(&str, Role); 3] =
    [("ada", Role::Custodian), ("ben", Role::Custodian), ("olu", Role::Operator)];

fn today() -> Moment {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn passphrase(name: &str) -> Secret {
    Secret::from(format!("passphrase of {name}"))
}

fn vault() -> CentreVault {
    let key_file = KeyFile::generate(&mut Foreseeable::named("key file")).unwrap();
    let names = PEOPLE.map(|(name, _)| name.parse::<Identifier>().unwrap());
    let secrets = PEOPLE.map(|(name, _)| passphrase(name));
    let users: Vec<NewUser<'_>> = (0..PEOPLE.len())
        .map(|n| NewUser { name: &names[n], role: PEOPLE[n].1, passphrase: &secrets[n] })
        .collect();
    let setup = CentreSetup {
        centre: &"KMC-1".parse().unwrap(),
        unlock: Unlock::KeyFile(&key_file),
        users: &users,
        valid_days: CentreSetup::VALID_DAYS,
        insecure_test: true,
    };
    let place = Place {
        storage: Box::new(MemoryStorage::default()),
        entropy: Box::new(Foreseeable::named("centre")),
        clock: Box::new(today()),
    };
    setup.make(place).unwrap()
}

fn sign_in(vault: &CentreVault, name: &str) -> prepay_vault::Session {
    vault.sign_in(&name.parse().unwrap(), &passphrase(name)).unwrap()
}

fn signed(
    by: &Signatory,
    own: &CentreIdentity,
    kind: FormKind,
    values: &[(&str, &str)],
) -> SignedForm {
    let mut draft = Draft::new(kind);
    values.iter().for_each(|(name, value)| draft.set(name, value).unwrap());
    let addressee = Addressee {
        centre: own.centre.clone(),
        fingerprint: own.fingerprint.parse().unwrap(),
        is_test: own.is_test,
        expires: today().plus_days(VALID_DAYS),
    };
    SignedForm::sign(draft.check().unwrap(), by, addressee, today()).unwrap()
}

fn process(centre: &mut Centre<'_, MemoryStore>, form: &SignedForm) -> FormNumber {
    let number = centre.receive_form(form).unwrap();
    let fingerprint = Some(form.signature().key().fingerprint().to_string());
    let decision = Decision { fingerprint, ..Decision::default() };
    assert_eq!(centre.accept_form(number, &decision).unwrap().form.state, FormState::Done);
    number
}

fn load_request(
    module: &Identity,
    centre: &PublicIdentity,
    keys: &SlotKeys,
    entropy: &mut Foreseeable,
) -> String {
    let request = KeyLoadRequest {
        module: module.name().clone(),
        centre: centre.name().clone(),
        slot: SlotNumber::try_from(1).unwrap(),
        nonce: Nonce::generate(entropy).unwrap(),
        created: today(),
        expires: today().plus_days(7),
        confirmation: keys.confirmation(),
    };
    open_kmp::write_key_load_request(module, &request).unwrap()
}

#[test]
fn forms_lead_from_an_unknown_customer_to_a_file_for_one_module() {
    let vault = vault();
    let clock = today();
    let two = Quorum::new(sign_in(&vault, "ada"), sign_in(&vault, "ben")).unwrap();
    let custodians = CentreSession::new(&vault, two);
    let mut centre = Centre::new(MemoryStore::new(), &custodians, &clock);
    centre.set_up().unwrap();
    let mut entropy = Foreseeable::named("people");
    let anna = Signatory::generate("anna".parse().unwrap(), &mut entropy).unwrap();
    let own = custodians.identify().unwrap();
    let module =
        Identity::generate(PartyKind::Module, "SM-1".parse().unwrap(), &mut entropy).unwrap();
    let told = module.public().fingerprint().to_string();
    for (kind, values) in [
        (
            FormKind::NewCustomer,
            &[("organisation", "North"), ("contact", "Ms Example"), ("address", "1")][..],
        ),
        (
            FormKind::GroupApplication,
            &[
                ("customer", "1"),
                ("name", "North town"),
                ("area", "North"),
                ("service", "electricity"),
                ("key_type", "unique"),
            ],
        ),
        (
            FormKind::VendingKeyRequest,
            &[
                ("customer", "1"),
                ("group", "000001"),
                ("algorithm", "04"),
                ("base_date", "2014"),
                ("key_expiry", "255"),
                ("activation", "2026-03-01T12:00:00Z"),
                ("expires", "2030-01-01T00:00:00Z"),
                ("refresh_days", "90"),
                ("unit_limit", "5000"),
            ],
        ),
        (
            FormKind::KeyUseAuthorisation,
            &[
                ("customer", "1"),
                ("module", "SM-1"),
                ("module_fingerprint", &told),
                ("groups", "000001"),
                ("valid_until", "2027-03-01T12:00:00Z"),
                ("location", "Computer room"),
            ],
        ),
    ] {
        process(&mut centre, &signed(&anna, &own, kind, values));
    }

    let party = document::<CentreEnrolment>(custodians.enrolment().unwrap()).party;
    let enrolment = ModuleEnrolment {
        party: module.public().clone(),
        created: today(),
        is_test: true,
        maker: "Maker".parse().unwrap(),
        model: "Model".parse().unwrap(),
        firmware: "1".parse().unwrap(),
    };
    let enrolment = open_kmp::write_module_enrolment(&module, &enrolment).unwrap();
    assert_eq!(
        centre.enrol_module(&document(&enrolment), "0000").unwrap_err().code(),
        "fingerprint"
    );
    centre.enrol_module(&document(&enrolment), &told).unwrap();
    centre.enrol_module(&document(&enrolment), &told).unwrap();
    let slot = SlotNumber::try_from(1).unwrap();
    let (request, pending) =
        open_kmp::request_agreement(&module, &party, slot, today(), &mut entropy).unwrap();
    let answer = centre.answer_agreement(&document(&request)).unwrap();
    assert_eq!(
        centre.answer_agreement(&document(&request)).unwrap().confirmation,
        answer.confirmation
    );
    let (_, keys) = accept_agreement(&module, &party, &pending, &answer.confirmation).unwrap();

    // From here on, one operator is enough.
    let operator = CentreSession::new(&vault, sign_in(&vault, "olu"));
    let mut centre = Centre::new(centre.into_store(), &operator, &clock);
    let request = load_request(&module, &party, &keys, &mut entropy);
    let values = [
        ("customer", "1"),
        ("module", "SM-1"),
        ("module_fingerprint", told.as_str()),
        ("request", request.as_str()),
    ];
    process(&mut centre, &signed(&anna, &own, FormKind::KeyLoadRequest, &values));
    let again = centre.answer_key_load(&document(&request), &LoadOptions::default()).unwrap();
    assert!(again.is_repeated, "the form built the file");
    let load = read_key_load(module.name(), &party, &keys, again.load.file.as_bytes()).unwrap();
    assert_eq!(load.keys.len(), 1);
    let attributes = &load.keys[0].attributes;
    assert_eq!(attributes.supply_group.to_string(), "000001");
    assert_eq!(attributes.unit_limit.0, Some(5000));
    assert_eq!(attributes.issued_until, today().plus_days(90));
    let row = centre.newest_key(attributes.supply_group).unwrap().unwrap();
    assert_eq!(row.check_value, Some(load.keys[0].check_value));
    assert_eq!(row.check_value, Some(prepay_kmp::check_value(&load.keys[0].key)));
    assert_eq!(centre.orphans().unwrap(), []);

    // An operator alone cannot retire a key, and a changed request is refused.
    assert_eq!(centre.retire_key(row.id).unwrap_err().code(), "forbidden");
    let changed = request.replace("SM-1", "SM-2");
    let changed = read_as::<Unverified<KeyLoadRequest>>(changed.as_bytes());
    assert_eq!(changed.unwrap_err().code(), "checksum");
}
