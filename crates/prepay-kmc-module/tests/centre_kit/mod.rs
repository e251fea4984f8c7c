//! Both sides for tests of a centre: a test centre in memory, and a module's side made of the profile.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::sync::{Arc, Mutex};

use prepay_basics::{Clock, Identifier, Moment};
use prepay_kmc_module::{
    CentreEntry, CentreError, CentreModule, CentreSession, CentreSetup, CentreVault, KeyLoadItem,
    KeyLoadOrder,
};
use prepay_kmp::attribute::{GroupName, RegisterNumber, UnitLimit};
use prepay_kmp::{
    CentreEnrolment, CentreId, Identity, KeyLoad, KeyLoadRequest, ModuleEnrolment, Nonce,
    PartyKind, PublicIdentity, SlotKeys, SlotNumber, VendingKeyAttributes, open_kmp,
};
use prepay_testkit::ceremony;
use prepay_testkit::documents::{AnswerText, accept_agreement, document, read_key_load};
pub(crate) use prepay_testkit::{Foreseeable, SetClock};
use prepay_token::element::{DecoderKeyGenerationAlgorithm, KeyRevisionNumber, SupplyGroupCode};
use prepay_vault::{
    By, Entries as _, KeyFile, MemoryStorage, NewUser, Place, Quorum, Record, Role, Secret, Unlock,
};

pub(crate) fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

/// When every test begins.
pub(crate) fn begin() -> Moment {
    moment("2026-03-01T12:00:00Z")
}

pub(crate) fn identifier(text: &str) -> Identifier {
    text.parse().unwrap()
}

pub(crate) fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

pub(crate) fn group(code: u32) -> SupplyGroupCode {
    SupplyGroupCode::try_from(code).unwrap()
}

pub(crate) fn revision(number: u8) -> KeyRevisionNumber {
    KeyRevisionNumber::try_from(number).unwrap()
}

/// The people of every centre here: passphrase and role by name.
const PEOPLE: [(&str, &str, Role); 4] = [
    ("ada", "passphrase of ada", Role::Custodian),
    ("ben", "passphrase of ben", Role::Custodian),
    ("olu", "passphrase of olu", Role::Operator),
    ("uma", "passphrase of uma", Role::Auditor),
];

/// What a centre in memory needs around it.
pub(crate) fn place(
    storage: &Arc<Mutex<MemoryStorage>>,
    seed: &str,
    clock: &(impl Clock + Clone + 'static),
) -> Place {
    Place {
        storage: Box::new(storage.clone()),
        entropy: Box::new(Foreseeable::named(seed)),
        clock: Box::new(clock.clone()),
    }
}

/// A centre in memory, with the places to look at.
pub(crate) struct Centre {
    pub(crate) vault: CentreVault,
    pub(crate) storage: Arc<Mutex<MemoryStorage>>,
    pub(crate) clock: SetClock,
    pub(crate) key_file: KeyFile,
}

impl Centre {
    pub(crate) fn test(name: &str) -> Self {
        Self::make(name, name, true)
    }

    pub(crate) fn make(name: &str, seed: &str, insecure_test: bool) -> Self {
        let storage = Arc::new(Mutex::new(MemoryStorage::default()));
        let clock = SetClock::at(begin());
        let key_file =
            KeyFile::generate(&mut Foreseeable::named(&format!("key file {seed}"))).unwrap();
        let names = PEOPLE.map(|(name, _, _)| identifier(name));
        let passphrases = PEOPLE.map(|(_, passphrase, _)| secret(passphrase));
        let users: Vec<NewUser<'_>> = (0..PEOPLE.len())
            .map(|n| NewUser { name: &names[n], role: PEOPLE[n].2, passphrase: &passphrases[n] })
            .collect();
        let centre: CentreId = name.parse().unwrap();
        let setup = CentreSetup {
            centre: &centre,
            unlock: Unlock::KeyFile(&key_file),
            users: &users,
            valid_days: CentreSetup::VALID_DAYS,
            insecure_test,
        };
        let vault = setup.make(place(&storage, seed, &clock)).unwrap();
        Self { vault, storage, clock, key_file }
    }

    /// The same centre, after its process ended without a word.
    pub(crate) fn reopened(self) -> Self {
        let Self { vault, storage, clock, key_file } = self;
        drop(vault);
        let place = place(&storage, "centre again", &clock);
        let vault = CentreVault::open(place, Unlock::KeyFile(&key_file)).unwrap();
        Self { vault, storage, clock, key_file }
    }

    pub(crate) fn session(&self, name: &str) -> prepay_vault::Session {
        let (_, passphrase, _) = PEOPLE.iter().find(|person| person.0 == name).unwrap();
        self.vault.sign_in(&identifier(name), &secret(passphrase)).unwrap()
    }

    pub(crate) fn one(&self, name: &str) -> CentreSession<'_> {
        CentreSession::new(&self.vault, self.session(name))
    }

    pub(crate) fn quorum(&self) -> Quorum {
        Quorum::new(self.session("ada"), self.session("ben")).unwrap()
    }

    pub(crate) fn two(&self) -> CentreSession<'_> {
        CentreSession::new(&self.vault, self.quorum())
    }

    /// The audit log, but for who signed in: reading it takes that too.
    pub(crate) fn audit(&self) -> Vec<Record<CentreEntry>> {
        let mut records = self.vault.audit(By::Two(&self.quorum()), 1, 1000).unwrap();
        records.retain(|record| record.entry.name() != "signed_in");
        records
    }

    /// What lies in the storage now.
    pub(crate) fn kept(&self) -> MemoryStorage {
        self.storage.lock().unwrap().clone()
    }

    /// The centre's public keys, as its enrolment shows them.
    pub(crate) fn party(&self) -> PublicIdentity {
        let text = self.one("uma").enrolment().unwrap();
        document::<CentreEnrolment>(text).party
    }
}

/// A module's side.
pub(crate) struct Module {
    pub(crate) identity: Identity,
    pub(crate) entropy: Foreseeable,
    /// Those of its newest agreement.
    pub(crate) keys: SlotKeys,
}

impl Module {
    pub(crate) fn new(name: &str, seed: &str) -> Self {
        let mut entropy = Foreseeable::named(seed);
        let identity =
            Identity::generate(PartyKind::Module, identifier(name), &mut entropy).unwrap();
        // Until it agrees with a centre, nothing that one knows.
        let keys = SlotKeys::from_bytes(&[0xA5; 112]).unwrap();
        Self { identity, entropy, keys }
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.identity.public().fingerprint().to_string()
    }

    pub(crate) fn enrolment(&self) -> String {
        self.enrolment_of(true)
    }

    /// An enrolment that is marked as that of a test module, or is not.
    pub(crate) fn enrolment_of(&self, is_test: bool) -> String {
        let enrolment = ModuleEnrolment {
            party: self.identity.public().clone(),
            created: begin(),
            is_test,
            maker: "Maker".parse().unwrap(),
            model: "Model 1".parse().unwrap(),
            firmware: "1.0".parse().unwrap(),
        };
        open_kmp::write_module_enrolment(&self.identity, &enrolment).unwrap()
    }

    /// An agreement request, and the slot keys that come of an answer to it.
    pub(crate) fn request_agreement(
        &mut self,
        centre: &PublicIdentity,
        slot: u16,
        created: Moment,
    ) -> (String, impl Fn(&Self, &str) -> SlotKeys + use<>) {
        let slot = SlotNumber::try_from(slot).unwrap();
        let centre = centre.clone();
        let entropy = &mut self.entropy;
        let (text, pending) =
            open_kmp::request_agreement(&self.identity, &centre, slot, created, entropy).unwrap();
        let accept = move |module: &Self, confirmation: &str| {
            accept_agreement(&module.identity, &centre, &pending, confirmation).unwrap().1
        };
        (text, accept)
    }

    pub(crate) fn request_load(
        &mut self,
        centre: &PublicIdentity,
        slot: u16,
        created: Moment,
        expires: Moment,
    ) -> String {
        let request = KeyLoadRequest {
            module: self.identity.name().clone(),
            centre: centre.name().clone(),
            slot: SlotNumber::try_from(slot).unwrap(),
            nonce: Nonce::generate(&mut self.entropy).unwrap(),
            created,
            expires,
            confirmation: self.keys.confirmation(),
        };
        open_kmp::write_key_load_request(&self.identity, &request).unwrap()
    }

    pub(crate) fn read_load(
        &self,
        centre: &PublicIdentity,
        keys: &SlotKeys,
        file: &str,
    ) -> Result<KeyLoad, prepay_kmp::DocumentError> {
        read_key_load(self.identity.name(), centre, keys, file)
    }

    /// Accepted by the centre, with an agreement on a slot.
    pub(crate) fn enrol(&mut self, centre: &Centre, slot: u16) -> SlotKeys {
        centre.two().accept_module(&document(self.enrolment()), &self.fingerprint()).unwrap();
        self.agree(centre, slot, begin())
    }

    pub(crate) fn agree(&mut self, centre: &Centre, slot: u16, created: Moment) -> SlotKeys {
        let (request, accept) = self.request_agreement(&centre.party(), slot, created);
        let answer = centre.one("olu").agree_to(&request).unwrap();
        assert_eq!(answer.slot, slot);
        self.keys = accept(self, &answer.confirmation);
        self.keys.clone()
    }
}

/// Attributes of a key that anybody would take.
pub(crate) fn attributes(
    code: u32,
    krn: u8,
    algorithm: DecoderKeyGenerationAlgorithm,
) -> VendingKeyAttributes {
    VendingKeyAttributes {
        activation: begin(),
        issued_until: begin().plus_days(365),
        unit_limit: UnitLimit(Some(1000)),
        name: "Hill Town".parse::<GroupName>().unwrap(),
        ..ceremony::attributes(code, krn, algorithm)
    }
}

pub(crate) fn item(code: u32, krn: u8, algorithm: DecoderKeyGenerationAlgorithm) -> KeyLoadItem {
    KeyLoadItem { attributes: attributes(code, krn, algorithm), register: None }
}

pub(crate) fn order(keys: Vec<KeyLoadItem>) -> KeyLoadOrder {
    KeyLoadOrder { expires: begin().plus_days(10), transactions: None, keys }
}

pub(crate) fn register(number: u16) -> Option<RegisterNumber> {
    Some(RegisterNumber::try_from(number).unwrap())
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(answer: Result<T, CentreError>) -> &'static str {
    answer.unwrap_err().code()
}
