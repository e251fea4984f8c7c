//! A model of a centre's module: it stores what the real one stores and verifies documents, but has no keys.
//!
//! Words stand for the documents that a module writes: `enrol:MODULE`, `agree:MODULE:SLOT`,
//! `load:MODULE:SLOT:NONCE`. Spaces after a nonce make another request
//! with the same nonce.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use prepay_basics::{Identifier, Moment};
use prepay_kmc_module::{
    AgreementAnswer, Authority, CentreError, CentreIdentity, CentreModule, DatabaseState,
    ExpectedDatabase, GeneratedKey, KeyLoad, KeyLoadOrder, ModuleDetails, ModuleReport,
    ModuleState, VendingKeyReport,
};
use prepay_kmp::attribute::KeyCheckValue;
use prepay_kmp::{
    AgreementRequest, Document, DocumentError, Identity, KeyLoadRequest, ModuleEnrolment, ModuleId,
    Nonce, PartyKind, SlotKeys, SlotNumber, Unverified, Verified, open_kmp,
};
use prepay_testkit::Foreseeable;
use prepay_token::element::{DecoderKeyGenerationAlgorithm, KeyRevisionNumber, SupplyGroupCode};
use prepay_token::key::VendingKey;

use super::{Failure, today};

/// The model.
pub(crate) struct ModelModule {
    state: Mutex<State>,
}

struct State {
    authority: Authority,
    is_test: bool,
    keys: BTreeMap<(SupplyGroupCode, u8), (DecoderKeyGenerationAlgorithm, KeyCheckValue)>,
    made: u8,
    modules: BTreeMap<ModuleId, Option<Moment>>,
    slots: BTreeSet<(ModuleId, u16)>,
    serial: u64,
    orders: Vec<KeyLoadOrder>,
    fails: bool,
    database: ExpectedDatabase,
    cut: Option<(DatabaseStep, Failure)>,
}

/// What a module does for a change of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DatabaseStep {
    Announce,
    Settle,
}

impl Default for ModelModule {
    fn default() -> Self {
        let state = State {
            authority: Authority::DualControl,
            is_test: false,
            keys: BTreeMap::new(),
            made: 0,
            modules: BTreeMap::new(),
            slots: BTreeSet::new(),
            serial: 0,
            orders: Vec::new(),
            fails: false,
            database: ExpectedDatabase::NEW,
            cut: None,
        };
        Self { state: Mutex::new(state) }
    }
}

impl ModelModule {
    /// Those signed in have this authority from now on.
    pub(crate) fn act_as(&self, authority: Authority) {
        self.state.lock().unwrap().authority = authority;
    }

    /// From now on, every change fails, or none does.
    pub(crate) fn fail(&self, fails: bool) {
        self.state.lock().unwrap().fails = fails;
    }

    /// The database is of an earlier version.
    pub(crate) fn forget_database(&self) {
        self.state.lock().unwrap().database = ExpectedDatabase { current: None, next: None };
    }

    /// Power fails once, before or after this step.
    pub(crate) fn cut(&self, step: DatabaseStep, failure: Failure) {
        self.state.lock().unwrap().cut = Some((step, failure));
    }

    fn step(
        &self,
        step: DatabaseStep,
        act: impl FnOnce(&mut ExpectedDatabase),
    ) -> Result<(), CentreError> {
        let mut state = self.state.lock().unwrap();
        let failure = state.cut.take_if(|(at, _)| *at == step).map(|(_, failure)| failure);
        if failure != Some(Failure::Before) {
            act(&mut state.database);
        }
        match failure {
            Some(_) => Err(CentreError::Fault { problem: "power failed".to_owned() }),
            None => Ok(()),
        }
    }

    pub(crate) fn make_test_centre(&self) {
        self.state.lock().unwrap().is_test = true;
    }

    /// How many keys were ever made.
    pub(crate) fn made(&self) -> u8 {
        self.state.lock().unwrap().made
    }

    /// What was ordered for each file.
    pub(crate) fn orders(&self) -> Vec<KeyLoadOrder> {
        self.state.lock().unwrap().orders.clone()
    }

    fn changing(&self) -> Result<std::sync::MutexGuard<'_, State>, CentreError> {
        let state = self.state.lock().unwrap();
        if state.fails {
            return Err(CentreError::Fault { problem: "told to fail".to_owned() });
        }
        Ok(state)
    }
}

/// A party whose keys follow from its name.
fn party(kind: PartyKind, name: &str) -> Identity {
    static PARTIES: Mutex<BTreeMap<String, Identity>> = Mutex::new(BTreeMap::new());
    let mut parties = PARTIES.lock().unwrap();
    let made = || Identity::generate(kind, name.parse().unwrap(), &mut Foreseeable::named(name));
    parties.entry(name.to_owned()).or_insert_with(|| made().unwrap()).clone()
}

/// The fingerprint of a module.
pub(crate) fn fingerprint(module: &str) -> String {
    party(PartyKind::Module, module).public().fingerprint().to_string()
}

fn centre() -> Identity {
    party(PartyKind::Centre, "KMC-1")
}

/// The text that these words stand for.
pub(crate) fn text(words: &str) -> String {
    let parts: Vec<&str> = words.trim_end().split(':').collect();
    let module = party(PartyKind::Module, parts[1]);
    let slot = || parts[2].parse::<SlotNumber>().unwrap();
    match parts[0] {
        "enrol" => {
            let enrolment = ModuleEnrolment {
                party: module.public().clone(),
                created: today(),
                is_test: false,
                maker: "Prepay".parse().unwrap(),
                model: "model".parse().unwrap(),
                firmware: "1".parse().unwrap(),
            };
            open_kmp::write_module_enrolment(&module, &enrolment).unwrap()
        }
        "agree" => {
            let (party, entropy) = (centre(), &mut Foreseeable::named(words));
            let request =
                open_kmp::request_agreement(&module, party.public(), slot(), today(), entropy);
            request.unwrap().0
        }
        "load" => {
            let blanks = words.len() - words.trim_end().len();
            let request = KeyLoadRequest {
                module: module.name().clone(),
                centre: centre().name().clone(),
                slot: slot(),
                nonce: Nonce::from_bytes([u8::from_str_radix(parts[3], 16).unwrap(); 16]),
                created: today().plus_seconds(blanks as u64),
                expires: today().plus_days(3650),
                confirmation: SlotKeys::from_bytes(&[7; 112]).unwrap().confirmation(),
            };
            open_kmp::write_key_load_request(&module, &request).unwrap()
        }
        other => panic!("{other}"),
    }
}

/// The document that these words stand for.
pub(crate) fn document<D>(words: impl AsRef<str>) -> D
where
    D: TryFrom<Document, Error = DocumentError>,
{
    static TEXTS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let words = words.as_ref();
    let mut texts = TEXTS.lock().unwrap();
    prepay_testkit::documents::document(
        &*texts.entry(words.to_owned()).or_insert_with(|| text(words)),
    )
}

fn details(module: &ModuleId) -> ModuleDetails {
    ModuleDetails {
        module: module.clone(),
        fingerprint: fingerprint(module.as_str()),
        maker: "Prepay".to_owned(),
        model: "model".to_owned(),
        firmware: "1".to_owned(),
        created: today(),
    }
}

impl State {
    fn known(&self, module: &ModuleId) -> Result<(), CentreError> {
        match self.modules.get(module) {
            None => Err(CentreError::ModuleUnknown { module: module.clone() }),
            Some(Some(since)) => {
                Err(CentreError::ModuleRevoked { module: module.clone(), since: *since })
            }
            Some(None) => Ok(()),
        }
    }

    fn serves(&self, module: &ModuleId, slot: u16) -> Result<(), CentreError> {
        self.known(module)?;
        if self.slots.contains(&(module.clone(), slot)) {
            return Ok(());
        }
        Err(CentreError::NoSlot { module: module.clone(), slot })
    }

    fn report(&self, module: &ModuleId) -> ModuleReport {
        ModuleReport {
            details: details(module),
            accepted: today(),
            state: match self.modules[module] {
                None => ModuleState::Accepted,
                Some(since) => ModuleState::Revoked { since },
            },
            slots: Vec::new(),
            is_test: self.is_test,
        }
    }
}

impl CentreModule for ModelModule {
    fn acting(&self) -> Vec<Identifier> {
        vec!["carl".parse().unwrap(), "dora".parse().unwrap()]
    }

    fn authority(&self) -> Authority {
        self.state.lock().unwrap().authority
    }

    fn identify(&self) -> Result<CentreIdentity, CentreError> {
        Ok(CentreIdentity {
            centre: "KMC-1".parse().unwrap(),
            fingerprint: centre().public().fingerprint().to_string(),
            activation: today(),
            expires: today().plus_days(3650),
            is_test: self.state.lock().unwrap().is_test,
        })
    }

    fn renew_keys(&self, valid_days: u32) -> Result<CentreIdentity, CentreError> {
        self.changing()?.slots.clear();
        let expires = today().plus_days(valid_days);
        let fingerprint = party(PartyKind::Centre, "KMC-2").public().fingerprint().to_string();
        Ok(CentreIdentity { fingerprint, expires, ..self.identify()? })
    }

    fn enrolment(&self) -> Result<String, CentreError> {
        Ok("centre:KMC-1".to_owned())
    }

    fn modules(&self) -> Result<Vec<ModuleReport>, CentreError> {
        let state = self.state.lock().unwrap();
        Ok(state.modules.keys().map(|module| state.report(module)).collect())
    }

    fn accept_module(
        &self,
        enrolment: &ModuleEnrolment,
        told: &str,
    ) -> Result<ModuleReport, CentreError> {
        let module = ModuleId::from(enrolment.party.id().clone());
        let found = fingerprint(module.as_str());
        if told != found {
            return Err(CentreError::Fingerprint { module, expected: told.to_owned(), found });
        }
        let mut state = self.changing()?;
        state.modules.entry(module.clone()).or_default();
        state.known(&module)?;
        Ok(state.report(&module))
    }

    fn revoke_module(&self, module: &ModuleId) -> Result<(), CentreError> {
        let mut state = self.changing()?;
        let found = state.modules.get_mut(module);
        let found = found.ok_or(CentreError::ModuleUnknown { module: module.clone() })?;
        found.get_or_insert(today());
        Ok(())
    }

    fn read_agreement_request(
        &self,
        request: &Unverified<AgreementRequest>,
    ) -> Result<Verified<AgreementRequest>, CentreError> {
        let module = request.module().id();
        self.state.lock().unwrap().known(&module.clone().into())?;
        let party = party(PartyKind::Module, module.as_str());
        Ok(request.verify(centre().name(), party.public())?)
    }

    fn answer_agreement(
        &self,
        request: &Verified<AgreementRequest>,
    ) -> Result<AgreementAnswer, CentreError> {
        let (module, slot) = (ModuleId::from(request.module.id().clone()), request.slot.value());
        let mut state = self.changing()?;
        state.known(&module)?;
        state.slots.insert((module.clone(), slot));
        let is_test = state.is_test;
        Ok(AgreementAnswer {
            confirmation: format!("confirm:{module}:{slot}"),
            module,
            slot,
            is_test,
        })
    }

    fn vending_keys(&self) -> Result<Vec<VendingKeyReport>, CentreError> {
        let state = self.state.lock().unwrap();
        let report = |(&(group, revision), &(algorithm, check_value)): (&(_, u8), &(_, _))| {
            VendingKeyReport {
                group,
                revision: revision.try_into().unwrap(),
                algorithm,
                check_value,
                created: today(),
                is_imported: false,
                is_test: state.is_test,
            }
        };
        Ok(state.keys.iter().map(report).collect())
    }

    fn generate_vending_key(
        &self,
        group: SupplyGroupCode,
        revision: KeyRevisionNumber,
        algorithm: DecoderKeyGenerationAlgorithm,
    ) -> Result<GeneratedKey, CentreError> {
        let mut state = self.changing()?;
        let is_test = state.is_test;
        if let Some(&(held, check_value)) = state.keys.get(&(group, revision.value())) {
            if held != algorithm {
                return Err(CentreError::AlgorithmConflict {
                    group,
                    revision,
                    held,
                    asked: algorithm,
                });
            }
            return Ok(GeneratedKey { check_value, is_new: false, is_test });
        }
        state.made += 1;
        let check_value = KeyCheckValue::from_bytes([state.made, revision.value(), 0]);
        state.keys.insert((group, revision.value()), (algorithm, check_value));
        Ok(GeneratedKey { check_value, is_new: true, is_test })
    }

    fn destroy_vending_key(
        &self,
        group: SupplyGroupCode,
        revision: KeyRevisionNumber,
    ) -> Result<KeyCheckValue, CentreError> {
        let gone = self.changing()?.keys.remove(&(group, revision.value()));
        gone.map(|(_, value)| value).ok_or(CentreError::NoVendingKey { group, revision })
    }

    fn import_test_key(
        &self,
        _: SupplyGroupCode,
        _: KeyRevisionNumber,
        _: &VendingKey,
    ) -> Result<GeneratedKey, CentreError> {
        Err(CentreError::NotTestCentre)
    }

    fn read_key_load_request(
        &self,
        request: &Unverified<KeyLoadRequest>,
    ) -> Result<Verified<KeyLoadRequest>, CentreError> {
        let (module, slot) =
            (ModuleId::from(request.module().id().clone()), request.slot().value());
        let state = self.state.lock().unwrap();
        state.known(&module)?;
        let party = party(PartyKind::Module, module.as_str());
        let request = request.verify(centre().name(), party.public())?;
        state.serves(&module, slot)?;
        Ok(request)
    }

    fn build_key_load(
        &self,
        request: &Verified<KeyLoadRequest>,
        order: &KeyLoadOrder,
    ) -> Result<KeyLoad, CentreError> {
        let (module, slot) = (ModuleId::from(request.module.id().clone()), request.slot.value());
        let mut state = self.changing()?;
        state.serves(&module, slot)?;
        let mut check_values = Vec::new();
        for item in &order.keys {
            let (group, revision) = (item.attributes.supply_group, item.attributes.key_revision);
            let held = state.keys.get(&(group, revision.value()));
            let (_, value) = held.ok_or(CentreError::NoVendingKey { group, revision })?;
            check_values.push(*value);
        }
        state.serial += 1;
        state.orders.push(order.clone());
        let (serial, is_test, expires) = (state.serial, state.is_test, order.expires);
        let file = format!("file {serial} for {module}");
        Ok(KeyLoad { file, serial, module, slot, check_values, expires, is_test })
    }
    fn database(&self) -> Result<ExpectedDatabase, CentreError> {
        Ok(self.state.lock().unwrap().database)
    }

    fn announce_database(&self, next: DatabaseState) -> Result<(), CentreError> {
        self.step(DatabaseStep::Announce, |database| assert!(database.announce(next), "{next:?}"))
    }

    fn adopt_database(&self, next: DatabaseState) -> Result<(), CentreError> {
        self.state.lock().unwrap().database.next = Some(next);
        Ok(())
    }

    fn settle_database(&self, state: DatabaseState) -> Result<(), CentreError> {
        self.step(DatabaseStep::Settle, |database| {
            assert!(database.allows(state), "{state:?}");
            *database = ExpectedDatabase { current: Some(state), next: None };
        })
    }
}
