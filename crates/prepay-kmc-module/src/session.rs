//! The centre's module, as used by the people signed in.
//!
//! Every operation first checks the people, then the request, and last changes contents and audit log in one step. A
//! refusal to people signed in is recorded in the audit log and changes nothing else.
//!
//! Elsewhere: answers to modules (`answer.rs`), the contents (`contents.rs`).

use prepay_token::element::{DecoderKeyGenerationAlgorithm, KeyRevisionNumber, SupplyGroupCode};
use prepay_token::key::VendingKey;
use subtle::ConstantTimeEq;

use super::contents::{CentreContents, HeldKey, KeyName, KnownModule};
use super::vault::CentreVault;
use super::{
    AgreementAnswer, Authority, CentreEntry, CentreError, CentreIdentity, CentreModule,
    DatabaseState, ExpectedDatabase, GeneratedKey, KeyLoad, KeyLoadOrder, ModuleReport,
    VendingKeyReport, answer, generate,
};
use prepay_basics::{Identifier, Moment};
use prepay_kmp::attribute::KeyCheckValue;
use prepay_kmp::{
    AgreementRequest, CentreEnrolment, Identity, KeyLoadRequest, KeyNote, ModuleEnrolment,
    ModuleId, PartyKind, Unverified, Verified, open_kmp,
};
use prepay_vault::{Actor, By, Role, Vault};

/// The centre's module, as used by one person, or by two custodians together.
pub struct CentreSession<'a> {
    centre: &'a CentreVault,
    who: Actor,
}

type OpenVault = Vault<CentreContents>;

impl<'a> CentreSession<'a> {
    /// What the centre does at the request of one person, or of two custodians.
    pub fn new(centre: &'a CentreVault, who: impl Into<Actor>) -> Self {
        Self { centre, who: who.into() }
    }

    fn by(&self) -> By<'_> {
        self.who.by()
    }

    /// Does one thing for whoever is still signed in and has the authority, and notes a refusal.
    fn act<T>(
        &self,
        operation: &'static str,
        needs: Authority,
        act: impl FnOnce(&mut OpenVault, Moment) -> Result<T, CentreError>,
    ) -> Result<T, CentreError> {
        let now = self.centre.now();
        self.centre.with(|vault| {
            vault.authorize(self.by(), &Role::ALL)?;
            let found = self.authority();
            let done = if found < needs {
                Err(CentreError::Forbidden { operation, needs, found })
            } else {
                act(vault, now)
            };
            if let Err(refusal) = &done
                && refusal.is_refusal()
            {
                let reason = format!("{}: {refusal}", refusal.code());
                let entry = CentreEntry::RequestRefused { operation: operation.to_owned(), reason };
                vault.stage(self.by(), &entry, now)?;
                vault.flush()?;
            }
            done
        })?
    }
}

/// Who the centre is.
fn identity(vault: &OpenVault) -> CentreIdentity {
    let contents = vault.contents();
    CentreIdentity {
        centre: contents.centre(),
        fingerprint: contents.identity.public().fingerprint().to_string(),
        activation: contents.activation,
        expires: contents.expires,
        is_test: vault.header().insecure_test,
    }
}

fn unexpected(state: DatabaseState) -> CentreError {
    let number = state.number;
    CentreError::Fault {
        problem: format!("state {number} of the database does not follow the last"),
    }
}

fn note(group: SupplyGroupCode, revision: KeyRevisionNumber, held: &HeldKey) -> KeyNote {
    KeyNote {
        register: None,
        supply_group: group,
        key_revision: revision,
        check_value: held.check_value,
    }
}

impl CentreModule for CentreSession<'_> {
    fn acting(&self) -> Vec<Identifier> {
        self.who.names().cloned().collect()
    }

    fn authority(&self) -> Authority {
        match &self.who {
            Actor::One(session) if session.role() == Role::Auditor => Authority::Reading,
            Actor::One(_) => Authority::Operating,
            Actor::Two(_) => Authority::DualControl,
        }
    }

    fn identify(&self) -> Result<CentreIdentity, CentreError> {
        self.act("read who the centre is", Authority::Reading, |vault, _| Ok(identity(vault)))
    }

    fn enrolment(&self) -> Result<String, CentreError> {
        self.act("write the centre's enrolment", Authority::Reading, |vault, _| {
            let contents = vault.contents();
            let enrolment = CentreEnrolment {
                party: contents.identity.public().clone(),
                created: contents.created,
                is_test: vault.header().insecure_test,
                activation: contents.activation,
                expires: contents.expires,
            };
            Ok(open_kmp::write_centre_enrolment(&contents.identity, &enrolment)?)
        })
    }

    fn renew_keys(&self, valid_days: u32) -> Result<CentreIdentity, CentreError> {
        self.act("renew the centre's keys", Authority::DualControl, |vault, now| {
            let expires = now.plus_days(valid_days);
            if expires <= now {
                let problem = "the keys would never be in force: expected at least 1 day, found 0";
                return Err(CentreError::Dates { problem: problem.to_owned() });
            }
            let name = vault.contents().identity.name().id().clone();
            let renewed = Box::new(Identity::generate(PartyKind::Centre, name, vault.entropy())?);
            let entry = CentreEntry::CentreRenewed {
                former: vault.contents().identity.public().fingerprint().to_string(),
                fingerprint: renewed.public().fingerprint().to_string(),
                expires,
            };
            vault
                .commit(self.by(), &entry, now, |contents| contents.renew(renewed, now, expires))?;
            Ok(identity(vault))
        })
    }

    fn modules(&self) -> Result<Vec<ModuleReport>, CentreError> {
        self.act("list modules", Authority::Reading, |vault, _| {
            let is_test = vault.header().insecure_test;
            Ok(vault.contents().modules.values().map(|module| module.report(is_test)).collect())
        })
    }

    fn accept_module(
        &self,
        enrolment: &ModuleEnrolment,
        fingerprint: &str,
    ) -> Result<ModuleReport, CentreError> {
        self.act("accept a module", Authority::DualControl, |vault, now| {
            let is_test = vault.header().insecure_test;
            let module = ModuleId::from(enrolment.party.id().clone());
            if enrolment.is_test != is_test {
                return Err(CentreError::TestMark { expected: is_test, found: enrolment.is_test });
            }
            let found = enrolment.party.fingerprint();
            if !found.matches(fingerprint) {
                let (expected, found) = (fingerprint.to_owned(), found.to_string());
                return Err(CentreError::Fingerprint { module, expected, found });
            }
            if let Some(there) = vault.contents().modules.get(&module) {
                if let Some(since) = there.revoked {
                    return Err(CentreError::ModuleRevoked { module, since });
                }
                if there.party != enrolment.party {
                    let accepted = there.party.fingerprint().to_string();
                    return Err(CentreError::ModuleConflict {
                        module,
                        accepted,
                        found: found.to_string(),
                    });
                }
                return Ok(there.report(is_test));
            }
            let known = KnownModule::new(enrolment.clone(), now);
            let report = known.report(is_test);
            let entry = CentreEntry::ModuleConfirmed {
                module: module.clone(),
                fingerprint: found.to_string(),
            };
            vault.commit(self.by(), &entry, now, |contents| {
                contents.modules.insert(module, known);
            })?;
            Ok(report)
        })
    }

    fn revoke_module(&self, module: &ModuleId) -> Result<(), CentreError> {
        self.act("revoke a module", Authority::DualControl, |vault, now| {
            match vault.contents().modules.get(module) {
                None => return Err(CentreError::ModuleUnknown { module: module.clone() }),
                Some(known) if known.revoked.is_some() => return Ok(()),
                Some(_) => {}
            }
            let entry = CentreEntry::ModuleRevoked { module: module.clone() };
            vault.commit(self.by(), &entry, now, |contents| {
                if let Some(known) = contents.modules.get_mut(module) {
                    known.revoked = Some(now);
                    known.slots.clear();
                }
            })?;
            Ok(())
        })
    }

    fn read_agreement_request(
        &self,
        request: &Unverified<AgreementRequest>,
    ) -> Result<Verified<AgreementRequest>, CentreError> {
        self.act("read an agreement request", Authority::Reading, |vault, now| {
            answer::read_agreement(vault.contents(), now, request)
        })
    }

    fn answer_agreement(
        &self,
        request: &Verified<AgreementRequest>,
    ) -> Result<AgreementAnswer, CentreError> {
        self.act("answer an agreement request", Authority::Operating, |vault, now| {
            answer::agreement(vault, self.by(), now, request)
        })
    }

    fn vending_keys(&self) -> Result<Vec<VendingKeyReport>, CentreError> {
        self.act("list vending keys", Authority::Reading, |vault, _| {
            Ok(vault.contents().key_reports(vault.header().insecure_test))
        })
    }

    fn generate_vending_key(
        &self,
        group: SupplyGroupCode,
        revision: KeyRevisionNumber,
        algorithm: DecoderKeyGenerationAlgorithm,
    ) -> Result<GeneratedKey, CentreError> {
        self.act("make a vending key", Authority::DualControl, |vault, now| {
            let is_test = vault.header().insecure_test;
            let name = KeyName::new(group, revision);
            if let Some(held) = vault.contents().keys.get(&name) {
                let (held, check_value) = (held.key.algorithm(), held.check_value);
                if held != algorithm {
                    let asked = algorithm;
                    return Err(CentreError::AlgorithmConflict { group, revision, held, asked });
                }
                return Ok(GeneratedKey { check_value, is_new: false, is_test });
            }
            let held =
                HeldKey::new(&generate::vending_key(algorithm, vault.entropy())?, now, false);
            let check_value = held.check_value;
            let key = note(group, revision, &held);
            let entry = CentreEntry::VendingKeyGenerated { key, algorithm: algorithm.code() };
            vault.commit(self.by(), &entry, now, |contents| {
                contents.keys.insert(name, held);
            })?;
            Ok(GeneratedKey { check_value, is_new: true, is_test })
        })
    }

    fn destroy_vending_key(
        &self,
        group: SupplyGroupCode,
        revision: KeyRevisionNumber,
    ) -> Result<KeyCheckValue, CentreError> {
        self.act("destroy a vending key", Authority::DualControl, |vault, now| {
            let name = KeyName::new(group, revision);
            let held = vault.contents().keys.get(&name);
            let held = held.ok_or(CentreError::NoVendingKey { group, revision })?;
            let check_value = held.check_value;
            let entry = CentreEntry::VendingKeyDestroyed { key: note(group, revision, held) };
            vault.commit(self.by(), &entry, now, |contents| {
                contents.keys.remove(&name);
            })?;
            Ok(check_value)
        })
    }

    fn import_test_key(
        &self,
        group: SupplyGroupCode,
        revision: KeyRevisionNumber,
        key: &VendingKey,
    ) -> Result<GeneratedKey, CentreError> {
        self.act("import a test key", Authority::DualControl, |vault, now| {
            if !vault.header().insecure_test {
                return Err(CentreError::NotTestCentre);
            }
            let name = KeyName::new(group, revision);
            if let Some(held) = vault.contents().keys.get(&name) {
                let (there, asked) = (held.key.algorithm(), key.algorithm());
                if there != asked {
                    let held = there;
                    return Err(CentreError::AlgorithmConflict { group, revision, held, asked });
                }
                if !bool::from(held.key.expose_bytes().ct_eq(key.expose_bytes())) {
                    return Err(CentreError::KeyConflict { group, revision });
                }
                let check_value = held.check_value;
                return Ok(GeneratedKey { check_value, is_new: false, is_test: true });
            }
            let held = HeldKey::new(key, now, true);
            let check_value = held.check_value;
            let note = note(group, revision, &held);
            let entry =
                CentreEntry::VendingKeyImported { key: note, algorithm: key.algorithm().code() };
            vault.commit(self.by(), &entry, now, |contents| {
                contents.keys.insert(name, held);
            })?;
            Ok(GeneratedKey { check_value, is_new: true, is_test: true })
        })
    }

    fn read_key_load_request(
        &self,
        request: &Unverified<KeyLoadRequest>,
    ) -> Result<Verified<KeyLoadRequest>, CentreError> {
        self.act("read a key-load request", Authority::Reading, |vault, now| {
            answer::read_key_load(vault.contents(), now, request)
        })
    }

    fn build_key_load(
        &self,
        request: &Verified<KeyLoadRequest>,
        order: &KeyLoadOrder,
    ) -> Result<KeyLoad, CentreError> {
        self.act("build a key-load file", Authority::Operating, |vault, now| {
            answer::key_load(vault, self.by(), now, request, order)
        })
    }

    fn database(&self) -> Result<ExpectedDatabase, CentreError> {
        self.act("read the state of the database", Authority::Reading, |vault, _| {
            Ok(vault.contents().database)
        })
    }

    fn announce_database(&self, next: DatabaseState) -> Result<(), CentreError> {
        self.act("change the database", Authority::Operating, |vault, now| {
            let mut database = vault.contents().database;
            if !database.announce(next) {
                return Err(unexpected(next));
            }
            let DatabaseState { number, digest } = next;
            let entry = CentreEntry::DatabaseWritten { number, digest };
            vault.stage(self.by(), &entry, now)?;
            vault.contents_mut().database = database;
            Ok(vault.flush()?)
        })
    }

    fn adopt_database(&self, next: DatabaseState) -> Result<(), CentreError> {
        self.act("adopt the database", Authority::DualControl, |vault, now| {
            let DatabaseState { number, digest } = next;
            let entry = CentreEntry::DatabaseAdopted { number, digest };
            vault.stage(self.by(), &entry, now)?;
            vault.contents_mut().database.next = Some(next);
            Ok(vault.flush()?)
        })
    }

    fn settle_database(&self, state: DatabaseState) -> Result<(), CentreError> {
        self.act("note the state of the database", Authority::Reading, |vault, _| {
            if !vault.contents().database.allows(state) {
                return Err(unexpected(state));
            }
            vault.contents_mut().database = ExpectedDatabase { current: Some(state), next: None };
            Ok(vault.save()?)
        })
    }
}
