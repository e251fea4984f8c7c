//! A module, a centre that gives it keys, and a storage that can die; all of it repeatable.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use prepay_basics::{Clock, Moment};
use prepay_kmp::attribute::RegisterNumber;
use prepay_kmp::{
    AgreementAnswered, CentreEnrolment, CentreId, Identity, KeyLoadHeader, KeyToLoad,
    ModuleEnrolment, Nonce, PartyKind, PublicIdentity, SlotKeys, SlotNumber, VendingKeyAttributes,
    open_kmp,
};
use prepay_module::software::{
    Auditor, Custodians, LoadReport, ModuleEntry, ModulePolicy, Operator, SoftwareModule, TestMode,
    TidReuse,
};
use prepay_module::{IssueRequest, KeyChangeRequest, MeterConfiguration, RequestId, TokenRequest};
pub(crate) use prepay_testkit::ceremony::{PEOPLE, passphrase, value};
use prepay_testkit::ceremony::{attributes, make_module, open_module};
use prepay_testkit::documents::{answer_agreement, document, read_key_load_request};
pub(crate) use prepay_testkit::{Foreseeable, SetClock};
use prepay_token::element::{
    Amount, BaseDate, DecoderKeyGenerationAlgorithm, EncryptionAlgorithm, Service,
    TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::VendingKey;
use prepay_token::key_change::SetSize;
use prepay_token::{Instruction, ManagementFunction};
use prepay_vault::{
    AuditReport, By, MemoryFiles, MemoryStorage, OpenError, Place, Quorum, Record, Session,
    VaultFiles, VaultStorage, check_end,
};

/// The time at which everything begins.
pub(crate) const START: &str = "2026-03-01T12:00:00Z";

/// The settings of most tests: their tokens may all have the same identifier.
pub(crate) fn policy() -> ModulePolicy {
    ModulePolicy { tid_reuse: TidReuse::Allow, ..ModulePolicy::default() }
}

pub(crate) fn moment(text: &str) -> Moment {
    text.parse().expect("a moment")
}

/// A storage in memory that dies at a given call that writes, after doing none or half of it, or all.
#[derive(Default)]
pub(crate) struct MortalStorage {
    pub(crate) memory: MemoryStorage,
    pub(crate) fate: Arc<Mutex<Fate>>,
}

/// When a storage dies.
#[derive(Default)]
pub(crate) struct Fate {
    /// Writing calls until death.
    pub(crate) lives: Option<usize>,
    /// What of the last call is done.
    pub(crate) last: Last,
    pub(crate) calls: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Last {
    #[default]
    Nothing,
    Half,
    All,
}

impl Fate {
    /// A writing call: how much of it is done, and what it returns.
    fn call(&mut self) -> (Last, io::Result<()>) {
        self.calls += 1;
        let dead = |last| (last, Err(io::Error::other("the storage is dead")));
        match &mut self.lives {
            None => (Last::All, Ok(())),
            Some(0) => dead(Last::Nothing),
            Some(1) => {
                self.lives = Some(0);
                dead(self.last)
            }
            Some(lives) => {
                *lives -= 1;
                (Last::All, Ok(()))
            }
        }
    }
}

impl MortalStorage {
    pub(crate) fn fate(&self) -> MutexGuard<'_, Fate> {
        self.fate.lock().expect("a fate")
    }

    fn write(
        &mut self,
        half: impl FnOnce(&mut MemoryStorage),
        all: impl FnOnce(&mut MemoryStorage),
    ) -> io::Result<()> {
        let (done, outcome) = self.fate().call();
        match done {
            Last::Nothing => {}
            Last::Half => half(&mut self.memory),
            Last::All => all(&mut self.memory),
        }
        outcome
    }
}

/// The files of a [`MortalStorage`]. Half of a write is an unfinished file under another name.
struct MortalFiles {
    memory: MemoryFiles,
    fate: Arc<Mutex<Fate>>,
}

impl VaultFiles for MortalFiles {
    fn write(
        &self,
        name: &str,
        fill: &mut dyn FnMut(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        fill(&mut bytes)?;
        let (done, outcome) = self.fate.lock().expect("a fate").call();
        match done {
            Last::Nothing => None,
            Last::Half => {
                let half = bytes[..bytes.len() / 2].to_vec();
                self.memory.all().insert(format!("{name}.new"), half)
            }
            Last::All => self.memory.all().insert(name.to_owned(), bytes),
        };
        outcome
    }

    fn read(&self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.memory.read(name, offset, buffer)
    }

    fn list(&self, prefix: &str) -> io::Result<Vec<String>> {
        self.memory.list(prefix)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let (done, outcome) = self.fate.lock().expect("a fate").call();
        if done == Last::All {
            self.memory.remove(name)?;
        }
        outcome
    }
}

impl VaultStorage for MortalStorage {
    fn read_store(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.memory.read_store()
    }

    fn replace_store(&mut self, contents: &[u8]) -> io::Result<()> {
        self.write(|_| {}, |memory| memory.store = Some(contents.to_vec()))
    }

    fn log_length(&mut self) -> io::Result<u64> {
        self.memory.log_length()
    }

    fn read_log(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.memory.read_log(offset, buffer)
    }

    fn append_log(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        check_end(offset, self.memory.log.len() as u64)?;
        let half = &bytes[..bytes.len() / 2];
        self.write(
            |memory| memory.log.extend_from_slice(half),
            |memory| memory.log.extend_from_slice(bytes),
        )
    }

    fn truncate_log(&mut self, length: u64) -> io::Result<()> {
        self.write(|_| {}, |memory| memory.log.truncate(length as usize))
    }

    fn close_log(&mut self, name: &str) -> io::Result<()> {
        let close = |memory: &mut MemoryStorage| {
            let log = std::mem::take(&mut memory.log);
            memory.files.all().insert(name.to_owned(), log);
        };
        self.write(|_| {}, close)
    }

    fn read_head(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.memory.read_head()
    }

    fn write_head(&mut self, head: &[u8]) -> io::Result<()> {
        self.write(|_| {}, |memory| memory.head = Some(head.to_vec()))
    }

    fn files(&mut self) -> io::Result<Arc<dyn VaultFiles>> {
        let (memory, fate) = (self.memory.files.handle(), Arc::clone(&self.fate));
        Ok(Arc::new(MortalFiles { memory, fate }))
    }

    fn read_witness(&mut self, place: &str) -> io::Result<Option<Vec<u8>>> {
        self.memory.read_witness(place)
    }

    fn write_witness(&mut self, place: &str, record: &[u8]) -> io::Result<()> {
        self.memory.write_witness(place, record)
    }
}

pub(crate) type SharedStorage = Arc<Mutex<MortalStorage>>;

/// A module with the place that it lies in.
pub(crate) struct World {
    pub(crate) storage: SharedStorage,
    pub(crate) clock: SetClock,
    pub(crate) module: SoftwareModule,
}

impl World {
    pub(crate) fn new(policy: ModulePolicy) -> Self {
        Self::with_test_mode(policy, TestMode::default())
    }

    /// Test modules, so that unlocking is quick; time and random numbers run.
    pub(crate) fn with_test_mode(policy: ModulePolicy, test: TestMode) -> Self {
        Self::named("SM-1", policy, test)
    }

    pub(crate) fn named(module: &str, policy: ModulePolicy, test: TestMode) -> Self {
        let clock = SetClock::at(moment(START));
        let storage = SharedStorage::default();
        let mut place = place(&storage, &clock);
        let seed = module.bytes().fold(1, |seed, byte| 31 * seed + u64::from(byte));
        place.entropy = Box::new(Foreseeable::new(seed));
        let module = make_module(module, place, policy, test, &passphrase);
        Self { storage, clock, module }
    }

    /// Forgets the module without a word to it, and opens what is stored.
    pub(crate) fn reopen(&mut self) {
        self.module.wait_for_names();
        self.module = self.try_open().expect("a module");
    }

    pub(crate) fn try_open(&self) -> Result<SoftwareModule, OpenError> {
        open_module(place(&self.storage, &self.clock))
    }

    pub(crate) fn session(&self, who: &str) -> Session {
        self.module.vault().sign_in(&value(who), &passphrase(who)).expect("a session")
    }

    pub(crate) fn operator(&self) -> Operator {
        self.module.operator(&self.session("olga")).expect("an operator")
    }

    pub(crate) fn auditor(&self) -> Auditor {
        self.module.auditor(self.session("anton")).expect("an auditor")
    }

    pub(crate) fn quorum(&self) -> Quorum {
        Quorum::new(self.session("alice"), self.session("bob")).expect("two")
    }

    pub(crate) fn custodians(&self) -> Custodians {
        self.module.custodians(self.quorum()).expect("custodians")
    }

    /// The whole audit log.
    pub(crate) fn audit(&self) -> Vec<Record<ModuleEntry>> {
        let session = self.session("anton");
        self.module.vault().audit(By::One(&session), 1, usize::MAX).expect("entries")
    }

    pub(crate) fn verify_audit(&self) -> AuditReport {
        let session = self.session("anton");
        self.module.vault().verify_audit(By::One(&session)).expect("a log that can be read")
    }

    /// What is left of a register's limits, in units, currency, and tokens.
    pub(crate) fn left(&self, number: u16) -> (Option<u64>, Option<u128>, Option<u64>) {
        let auditor = self.auditor();
        let registers = auditor.registers().expect("registers");
        let held = registers.iter().find(|held| held.register.value() == number).expect("a key");
        let left = auditor.status().expect("a status").transactions_left;
        (held.units_left_tenths, held.currency_left, left)
    }
}

fn place(storage: &SharedStorage, clock: &SetClock) -> Place {
    // Never the same numbers twice in the life of one module.
    let memory = storage.lock().expect("a storage").memory.clone();
    let segments: usize = memory.files.all().values().map(Vec::len).sum();
    let seed = clock.now().unix_seconds() + (memory.log.len() + segments) as u64;
    Place {
        storage: Box::new(Arc::clone(storage)),
        entropy: Box::new(Foreseeable::new(seed << 24)),
        clock: Box::new(clock.clone()),
    }
}

/// A centre that gives away whatever tests want.
pub(crate) struct TestCentre {
    pub(crate) identity: Identity,
    pub(crate) activation: Moment,
    pub(crate) expires: Moment,
    pub(crate) serial: u64,
    pub(crate) keys: Option<SlotKeys>,
    pub(crate) module: Option<PublicIdentity>,
}

impl TestCentre {
    pub(crate) fn new(id: &str) -> Self {
        let seed = id.bytes().fold(1, |seed, byte| 31 * seed + u64::from(byte));
        Self::with_seed(id, seed)
    }

    pub(crate) fn with_seed(id: &str, seed: u64) -> Self {
        let identity =
            Identity::generate(PartyKind::Centre, value(id), &mut Foreseeable::new(seed));
        Self {
            identity: identity.expect("an identity"),
            activation: moment("2020-01-01T00:00:00Z"),
            expires: moment("2040-01-01T00:00:00Z"),
            serial: 0,
            keys: None,
            module: None,
        }
    }

    pub(crate) fn id(&self) -> CentreId {
        self.identity.public().id().clone().into()
    }

    pub(crate) fn fingerprint(&self) -> String {
        self.identity.public().fingerprint().to_string()
    }

    pub(crate) fn enrolment(&self) -> String {
        self.enrolment_of(true)
    }

    /// An enrolment that is marked as that of a test centre, or is not.
    pub(crate) fn enrolment_of(&self, is_test: bool) -> String {
        let enrolment = CentreEnrolment {
            party: self.identity.public().clone(),
            created: moment(START),
            is_test,
            activation: self.activation,
            expires: self.expires,
        };
        open_kmp::write_centre_enrolment(&self.identity, &enrolment).expect("an enrolment")
    }

    pub(crate) fn answer(&mut self, module: &PublicIdentity, request: &str) -> String {
        let number = Nonce::from_bytes([0xC5; 16]);
        let answered = answer_agreement(&self.identity, module, request, moment(START), number);
        let AgreementAnswered { keys, confirmation } = answered.expect("an answer");
        self.keys = Some(keys);
        self.module = Some(module.clone());
        confirmation
    }

    /// The header that answers a key-load request.
    pub(crate) fn header(&mut self, request: &str) -> KeyLoadHeader {
        let module = self.module.as_ref().expect("an agreement");
        let request = read_key_load_request(self.identity.name(), module, request);
        let request = request.expect("a request");
        let keys = self.keys.as_ref().expect("an agreement");
        request.confirms(keys).expect("the module's proof that it has the keys");
        self.serial += 1;
        KeyLoadHeader {
            module: request.module.clone(),
            centre: request.centre.clone(),
            slot: request.slot,
            nonce: request.nonce,
            serial: self.serial,
            created: request.created,
            expires: request.expires,
            transactions: None,
        }
    }

    pub(crate) fn file(&self, header: &KeyLoadHeader, keys: &[TestKey]) -> String {
        let keys: Vec<_> = keys
            .iter()
            .map(|key| KeyToLoad {
                attributes: &key.attributes,
                register: key.register.map(register),
                key: &key.key,
            })
            .collect();
        let slot_keys = self.keys.as_ref().expect("an agreement");
        open_kmp::write_key_load(&self.identity, slot_keys, header, &keys).expect("a file")
    }

    /// Everything from the enrolment to an active slot.
    pub(crate) fn join(&mut self, world: &World) {
        let custodians = world.custodians();
        custodians.enrol_centre(&document(self.enrolment())).expect("a slot");
        custodians.confirm_centre(&self.id(), &self.fingerprint()).expect("a slot");
        self.agree(world);
    }

    /// An agreement.
    pub(crate) fn agree(&mut self, world: &World) {
        let custodians = world.custodians();
        let request = custodians.request_agreement(&self.id()).expect("a request");
        let confirmation = self.answer(&module_identity(world), &request);
        custodians.accept_confirmation(&document(&confirmation)).expect("an active slot");
    }

    /// A request, its answer, and the load.
    pub(crate) fn load(&mut self, world: &World, keys: &[TestKey]) -> LoadReport {
        let custodians = world.custodians();
        let request = custodians.request_key_load(&self.id()).expect("a request");
        let header = self.header(&request);
        custodians.load_keys(&document(self.file(&header, keys))).expect("loaded keys")
    }
}

/// A module in whose slot the centre `KMC-1` is active, and the centre.
pub(crate) fn joined(policy: ModulePolicy) -> (World, TestCentre) {
    let (world, mut centre) = (World::new(policy), TestCentre::new("KMC-1"));
    centre.join(&world);
    (world, centre)
}

/// A module with these keys, and the centre `KMC-1` that it has them from.
pub(crate) fn loaded(policy: ModulePolicy, keys: &[TestKey]) -> (World, TestCentre) {
    let (world, mut centre) = joined(policy);
    centre.load(&world, keys);
    (world, centre)
}

/// The public keys of a module, as a centre reads them.
pub(crate) fn module_identity(world: &World) -> PublicIdentity {
    let enrolment = world.auditor().enrolment().expect("an enrolment");
    document::<ModuleEnrolment>(enrolment).party
}

pub(crate) fn register(number: u16) -> RegisterNumber {
    number.try_into().expect("a register")
}

pub(crate) fn slot(number: u16) -> SlotNumber {
    number.try_into().expect("a slot")
}

/// A key as a centre knows it.
pub(crate) struct TestKey {
    pub(crate) attributes: VendingKeyAttributes,
    pub(crate) key: VendingKey,
    pub(crate) register: Option<u16>,
}

impl TestKey {
    /// A key of DKGA04 in a register: unique, base date 2014, without limits, for a year.
    pub(crate) fn new(number: u16) -> Self {
        let algorithm = DecoderKeyGenerationAlgorithm::Dkga04;
        let attributes = VendingKeyAttributes {
            activation: moment("2026-01-01T00:00:00Z"),
            issued_until: moment("2027-01-01T00:00:00Z"),
            ..attributes(100_000 + u32::from(number), 1, algorithm)
        };
        Self { attributes, key: vending_key(algorithm, number as u8), register: Some(number) }
    }

    /// The same with a key of DKGA02.
    pub(crate) fn des(number: u16) -> Self {
        let mut key = Self::new(number);
        key.attributes.algorithm = DecoderKeyGenerationAlgorithm::Dkga02;
        key.key = vending_key(key.attributes.algorithm, number as u8);
        key
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut VendingKeyAttributes)) -> Self {
        change(&mut self.attributes);
        self
    }
}

/// A vending key that is no secret.
pub(crate) fn vending_key(algorithm: DecoderKeyGenerationAlgorithm, seed: u8) -> VendingKey {
    let bytes: Vec<u8> =
        (0..algorithm.vending_key_bytes()).map(|n| seed.wrapping_mul(37) ^ n as u8).collect();
    VendingKey::new(algorithm, &bytes).expect("a key")
}

pub(crate) fn meter() -> MeterConfiguration {
    MeterConfiguration {
        pan: "600727000000000009".parse().expect("a PAN"),
        tariff_index: 1.try_into().expect("a tariff index"),
        encryption: EncryptionAlgorithm::Misty1,
        carrier: TokenCarrierType::NUMERIC,
    }
}

/// The identifier of a moment with the base date 2014.
pub(crate) fn identifier(now: Moment) -> TokenIdentifier {
    BaseDate::Y2014.identifier_at(now.minute()).expect("an identifier")
}

/// One unit of electricity.
pub(crate) fn credit(number: u16) -> TokenRequest {
    TokenRequest {
        id: None,
        register: register(number),
        meter: meter(),
        instruction: units(10),
        identifier: identifier(moment(START)),
    }
}

/// Tenths of a unit of electricity.
pub(crate) fn units(tenths: u32) -> Instruction {
    let amount = Amount::from_tenths(tenths).expect("an amount");
    Instruction::Credit { service: Service::Electricity, amount }
}

pub(crate) fn management(number: u16) -> TokenRequest {
    TokenRequest {
        id: None,
        register: register(number),
        meter: meter(),
        instruction: Instruction::Management(ManagementFunction::ClearTamperCondition),
        identifier: identifier(moment(START)),
    }
}

pub(crate) fn key_change(from: u16, to: u16) -> KeyChangeRequest {
    KeyChangeRequest {
        id: None,
        from: register(from),
        to: register(to),
        meter: meter(),
        new_tariff_index: 2.try_into().expect("a tariff index"),
        size: SetSize::Four,
    }
}

pub(crate) fn request_id(number: u64) -> RequestId {
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    RequestId(bytes)
}

/// A credit with a name.
pub(crate) fn named(request: TokenRequest, number: u64) -> IssueRequest {
    IssueRequest::Token(TokenRequest { id: Some(request_id(number)), ..request })
}
