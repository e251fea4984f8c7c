//! No secret in any output: a module and a centre go through everything, from the first key to a restored
//! back-up, with every kind of refusal on the way. Then all that left them is searched for every secret, raw,
//! decimal, hexadecimal and base64: files, back-ups, texts, entries of the audit logs, errors, and what
//! values show of themselves.
//!
//! - Elsewhere: what commands print (tests of the program).

mod proof_secrets;

use std::error::Error;
use std::fmt::{Debug, Display};
use std::fs;
use std::path::Path;

use prepay_basics::{Identifier, Moment};
use prepay_host::{Directory, SystemEntropy};
use prepay_kmc_module::{CentreModule, KeyLoadItem};
use prepay_kmp::{
    AgreementAnswered, AgreementConfirmation, Identity, KeyLoadRequest, KeyToLoad, PartyKind,
    Signatory, SlotNumber, Unverified, VendingKeyAttributes, open_kmp, read_as,
};
use prepay_module::software::{ModulePolicy, SoftwareModule, TestMode};
use prepay_module::{IssueRequest, KeyChangeRequest, SecurityModule, TokenRequest, VerifyRequest};
use prepay_testkit::Random;
use prepay_testkit::ceremony::{People, TestCentre, attributes, make_module, value};
use prepay_testkit::documents::document;
use prepay_testkit::secrets::{Secrets, Watched};
use prepay_token::element::DecoderKeyGenerationAlgorithm::Dkga04;
use prepay_token::element::EncryptionAlgorithm;
use prepay_token::key::{DecoderKey, DecoderKeyGenerator, TokenCipher, VendingKey};
use prepay_token::key_change::SetSize;
use prepay_vault::{By, Entries, KeyFile, NewUser, Record, RestoredLimits, Role, Secret, Unlock};

use proof_secrets::{
    add_made_up, add_slot_keys, credit, decoder_key, import, item, key, key_change, passphrase,
    place,
};

/// Everything that left a module or a centre.
#[derive(Default)]
struct Seen(Vec<(String, Vec<u8>)>);

impl Seen {
    fn bytes(&mut self, what: &str, bytes: impl Into<Vec<u8>>) {
        self.0.push((what.to_owned(), bytes.into()));
    }

    fn value(&mut self, what: &str, value: &dyn Debug) {
        self.bytes(what, format!("{value:?}"));
    }

    /// An error, with all below it.
    fn error<E: Error + 'static>(&mut self, error: E) {
        self.text(&error);
        let mut below: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(error) = below {
            self.bytes("an error", format!("{error:?} {error}"));
            below = error.source();
        }
    }

    fn text(&mut self, shown: &(impl Debug + Display)) {
        self.bytes("a text", format!("{shown:?} {shown}"));
    }

    fn files(&mut self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            self.bytes(&path.display().to_string(), fs::read(&path).unwrap());
        }
    }

    fn search(&self, secrets: &Secrets) {
        for (what, bytes) in &self.0 {
            let found = secrets.found_in(bytes);
            assert!(found.is_empty(), "{what}: {found:?}");
        }
    }
}

/// Tokens, and refusals to make them.
fn issue(people: &People, seen: &mut Seen) {
    let operator = &people.operator;
    for number in 1..=3 {
        let issued = operator.issue_token(credit(number, 1)).unwrap();
        seen.value("a token", &issued);
        let TokenRequest { register, meter, .. } = credit(number, 1);
        let request = VerifyRequest { register, meter, token: issued.token };
        seen.value("a token read back", &operator.verify(&request).unwrap());
    }
    let request = key_change();
    seen.value("a key change", &operator.issue_key_change(request).unwrap());
    seen.error(
        operator.issue_key_change(KeyChangeRequest { size: SetSize::Two, ..request }).unwrap_err(),
    );
    for register in [9, 3] {
        let mut request = credit(register, 1);
        request.meter = credit(1, 1).meter;
        seen.error(operator.issue_one(IssueRequest::Token(request)).unwrap_err());
    }
}

/// Everything that can be read.
fn read(people: &People, centre: &TestCentre, seen: &mut Seen) {
    let auditor = &people.auditor;
    seen.value("identification", &auditor.identify().unwrap());
    seen.value("status", &auditor.status().unwrap());
    seen.value("registers", &auditor.registers().unwrap());
    seen.value("slots", &auditor.slots().unwrap());
    seen.value("users", &people.module.vault().users(By::Two(&people.quorum)).unwrap());
    seen.value("people", people);
    let centre_module = centre.centre_module();
    seen.value("centre", &centre_module.identify().unwrap());
    seen.value("modules", &centre_module.modules().unwrap());
    seen.value("vending keys", &centre_module.vending_keys().unwrap());
    seen.value("users", &centre.vault().users(centre.two()).unwrap());
    seen.value("header", &centre.vault().header());
    let mut entries = see_log(seen, &people.audit(1, usize::MAX));
    entries.extend(see_log(seen, &centre.audit(1, usize::MAX)));
    for name in ["issued", "keys_loaded", "sign_in_failed", "load_refused", "vending_key_imported"]
    {
        assert!(entries.contains(&name), "the logs have an entry {name}");
    }
}

/// Every entry of an audit log with its fields. Gives the names of the entries.
fn see_log<E: Entries + std::fmt::Debug>(
    seen: &mut Seen,
    records: &[Record<E>],
) -> Vec<&'static str> {
    let mut names = Vec::new();
    for record in records {
        seen.value("an entry", record);
        for (name, field) in record.entry.fields() {
            seen.bytes(&format!("{} {name}", record.entry.name()), field);
        }
        names.push(record.entry.name());
    }
    names
}

/// What custodians may not do.
fn refusals(people: &People, centre: &TestCentre, file: &str, seen: &mut Seen) {
    let custodians = &people.custodians;
    // The same file again; one with a wrong digit at every hundredth place; one for nobody.
    seen.error(custodians.load_keys(&document(file)).unwrap_err());
    for at in (0..file.len()).step_by(100) {
        let mut bytes = file.as_bytes().to_vec();
        bytes[at] ^= 1;
        if let Ok(text) = String::from_utf8(bytes) {
            seen.error(prepay_kmp::read(text.as_bytes()).map(drop).unwrap_err());
        }
    }
    seen.error(custodians.confirm_centre(&value(TestCentre::NAME), "0000").unwrap_err());
    let other = read_as::<Unverified<AgreementConfirmation>>(file.as_bytes());
    seen.error(other.unwrap_err());
    seen.error(custodians.delete_key(77.try_into().unwrap()).unwrap_err());
    let name: Identifier = value("new");
    let empty = Secret::from(String::new());
    let user = NewUser { name: &name, role: Role::Operator, passphrase: &empty };
    let (vault, by) = (people.module.vault(), &people.quorum);
    seen.error(vault.add_user(by, user).unwrap_err());
    seen.error(vault.set_passphrase(by, &name, &passphrase("nobody")).unwrap_err());
    // Another key under a group and revision that the centre knows.
    let VendingKeyAttributes { supply_group, key_revision, .. } = key(1).0;
    let centre_module = centre.centre_module();
    seen.error(centre_module.import_test_key(supply_group, key_revision, &key(2).1).unwrap_err());
    let other = read_as::<Unverified<KeyLoadRequest>>(file.as_bytes());
    seen.error(other.unwrap_err());
    // Key material that is none, or is shown by mistake.
    for length in [0, 7, 19, 21] {
        let bytes = Random::new(1).bytes(length);
        seen.error(VendingKey::new(Dkga04, &bytes).unwrap_err());
        seen.error(DecoderKey::new(EncryptionAlgorithm::Misty1, &bytes).unwrap_err());
        let identity = Identity::from_bytes(PartyKind::Module, value("SM-1"), &bytes);
        seen.error(identity.unwrap_err());
    }
}

/// Values that hold secrets show none.
fn shown(seen: &mut Seen, module: &SoftwareModule, entropy: &mut Watched<SystemEntropy>) {
    let (attributes, key) = key(1);
    seen.value("vending key", &key);
    seen.value("generator", &DecoderKeyGenerator::new(&key));
    seen.value("decoder key", &decoder_key(1));
    seen.value("cipher", &TokenCipher::new(&decoder_key(1)));
    seen.value("key to load", &KeyToLoad { attributes: &attributes, register: None, key: &key });
    seen.value("module", module);
    seen.value("entropy", entropy);
    let signatory = Signatory::generate(value("signatory"), entropy).unwrap();
    seen.value("signatory", &signatory);
    seen.bytes("signatory", open_kmp::write_signatory(&signatory, Moment::MIN));
    let mut file = KeyFile::generate(entropy).unwrap().encode();
    file[20] ^= 1;
    seen.error(KeyFile::decode(&file).map(drop).unwrap_err());
}

/// The centre's side of an agreement, and what a module holds until it has the confirmation.
fn agreement(identity: &Identity, answered: &AgreementAnswered, seen: &mut Seen) -> Secrets {
    seen.value("identity", identity);
    seen.value("agreement", answered);
    let slot = SlotNumber::try_from(1).unwrap();
    let mut entropy = Watched::new("of a request", SystemEntropy);
    let own = Identity::generate(PartyKind::Module, value("SM-2"), &mut entropy).unwrap();
    let centre = identity.public();
    let pending =
        open_kmp::request_agreement(&own, centre, slot, Moment::MIN, &mut entropy).unwrap();
    seen.value("pending agreement", &pending);
    entropy.given()
}

#[test]
fn no_secret_leaves_a_module_or_a_centre() {
    let directory = tempfile::tempdir().unwrap();
    let [one, other] = ["module", "centre"].map(|name| directory.path().join(name));
    let mut of_module = Watched::new("of the module", SystemEntropy);
    let of_centre = Watched::new("of the centre", SystemEntropy);
    let (mut seen, mut secrets) = (Seen::default(), Secrets::default());
    let names = ["vault", "alice", "bob", "olga", "anton", "nobody", "back-up 1", "back-up 2"];
    add_made_up(&mut secrets, &names, 3);

    let policy =
        ModulePolicy { window_minutes: None, transactions: Some(10), ..ModulePolicy::default() };
    let module =
        make_module("SM-1", place(&one, &of_module), policy, TestMode::default(), &passphrase);
    seen.files(&one);
    let people = People::of(&module, &passphrase);
    let centre = TestCentre::make(place(&other, &of_centre), &passphrase);
    let texts = centre.join(&people);
    import(&centre, 1..=3);
    let group = 200_000.try_into().unwrap();
    let made =
        centre.centre_module().generate_vending_key(group, 1.try_into().unwrap(), Dkga04).unwrap();
    seen.value("a generated key", &made);
    let mut items = vec![item(1), item(2), item(3)];
    items.push(KeyLoadItem { attributes: attributes(200_000, 1, Dkga04), register: None });
    let (report, files) = centre.load(&people, items, Some(1000));
    seen.value("a load", &report);
    texts.iter().chain(&files).for_each(|text| seen.bytes("an exchanged text", text.as_bytes()));
    let mut of_request = Secrets::default();
    add_slot_keys(&mut secrets, &of_centre.given(), &people, &texts[2], |identity, answered| {
        of_request = agreement(identity, answered, &mut seen);
    });
    secrets.add_all(of_request);

    issue(&people, &mut seen);
    for who in ["alice", "nobody"] {
        seen.error(module.vault().sign_in(&value(who), &passphrase("nobody")).unwrap_err());
    }
    refusals(&people, &centre, &files[1], &mut seen);
    shown(&mut seen, &module, &mut of_module);
    read(&people, &centre, &mut seen);

    let [first, second] = ["back-up 1", "back-up 2"].map(passphrase);
    let backup = module.vault().backup(&people.quorum, [&first, &second]).unwrap();
    seen.bytes("a back-up", backup.clone());
    let alice = || value::<Identifier>("alice");
    let (alice, bob) = (alice(), value::<Identifier>("bob"));
    let restore = |holders, path: &str, backup: &[u8]| {
        let vault = passphrase("vault");
        let place = place(&directory.path().join(path), &of_module);
        let unlock = Unlock::Passphrase(&vault);
        SoftwareModule::restore(place, backup, holders, unlock, RestoredLimits::Stopped)
    };
    seen.error(restore([(&alice, &second), (&bob, &first)], "a", &backup).unwrap_err());
    seen.error(restore([(&alice, &first), (&bob, &second)], "b", &backup[1..]).unwrap_err());
    let restored = restore([(&alice, &first), (&bob, &second)], "c", &backup).unwrap();
    restored.vault().close().unwrap();
    seen.files(&directory.path().join("c"));

    seen.error(Directory::open(&one).unwrap_err());
    seen.files(&one);
    seen.files(&other);
    module.vault().close().unwrap();
    seen.error(people.operator.issue_one(IssueRequest::Token(credit(1, 1))).unwrap_err());
    seen.error(people.custodians.load_keys(&document(&files[1])).unwrap_err());
    drop((people, module));
    centre.close();
    let nobody = passphrase("nobody");
    seen.error(
        SoftwareModule::open(place(&one, &of_module), Unlock::Passphrase(&nobody)).unwrap_err(),
    );
    let key_file = KeyFile::generate(&mut of_module).unwrap();
    seen.error(
        SoftwareModule::open(place(&one, &of_module), Unlock::KeyFile(&key_file)).unwrap_err(),
    );
    seen.files(&one);
    seen.files(&other);

    secrets.add_all(of_module.given());
    secrets.add_all(of_centre.given());
    assert!(secrets.count() > 30, "{secrets:?}");
    let length: usize = seen.0.iter().map(|(_, bytes)| bytes.len()).sum();
    println!("{} secrets, {} outputs of {length} bytes", secrets.count(), seen.0.len());
    seen.search(&secrets);
    // The search does find a key that somebody shows.
    let shown = format!("key: {:?}", key(1).1.expose_bytes());
    assert_eq!(secrets.found_in(shown.as_bytes()), ["vending key 1 (decimal)"]);
}
