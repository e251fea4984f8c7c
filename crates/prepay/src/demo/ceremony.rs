//! The first part of the demonstration: a key goes from a management centre into a register of a security module.
//!
//! Centre and module are test installations, in memory, with new keys of their own. They exchange the same texts that
//! people would carry between two rooms. The vending key is public; only a test centre can import it.

use std::io::{self, Write};

use prepay_basics::{Identifier, Moment};
use prepay_host::SystemEntropy;
use prepay_kmc::centre::{
    Centre, KeyTerms, LoadOptions, NewAuthorisation, NewCustomer, NewGroup, NewKey,
};
use prepay_kmc::store::MemoryStore;
use prepay_kmc_module::{CentreModule, CentreSession, CentreSetup, CentreVault};
use prepay_kmp::attribute::{
    Cluster, CurrencyLimit, KeyCheckValue, RegisterNumber, UnitLimit, VendingKeyType,
};
use prepay_kmp::{Signatory, read_as};
use prepay_module::software::{
    Custodians, ModulePolicy, NewModule, Operator, SoftwareModule, TestMode,
};
use prepay_module::{MeterConfiguration, ModuleError, SecurityModule, TokenRequest, VerifyRequest};
use prepay_token::element::{
    Amount, EncryptionAlgorithm, KeyExpiryNumber, MeterPan, RandomNumber, Service, TariffIndex,
    TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::VendingKey;
use prepay_token::{Instruction, TokenData};
use prepay_vault::{
    By, Contents, MemoryStorage, NewUser, Place, Quorum, Role, Secret, SharedVault, Unlock,
};
use serde_json::{Value, json};

use super::{BASE_DATE, Failure, heading, revision, supply_group};
use crate::paint::{RESULT, WRONG, styled};

/// Two custodians and an operator for each side.
const PEOPLE: [(&str, Role); 3] =
    [("alice", Role::Custodian), ("bob", Role::Custodian), ("olga", Role::Operator)];

/// The results.
pub(super) struct Ceremony {
    /// Name and fingerprint of the centre and of the module.
    pub(super) parties: [(String, String); 2],
    /// One line per document: what it is, where it goes, how many bytes it has.
    pub(super) documents: Vec<(&'static str, &'static str, usize)>,
    /// The register of the key, and its check value.
    pub(super) register: (RegisterNumber, KeyCheckValue),
    /// What was refused, with the message.
    pub(super) refusals: Vec<(&'static str, String)>,
    /// A token that the module issued with the key.
    pub(super) token: TokenData,
    /// How many entries the module's audit log has. It was verified.
    pub(super) audit_entries: u64,
}

/// Does everything at one moment. The token is 25.6 kWh for a meter.
pub(super) fn hold(
    now: Moment,
    key: &VendingKey,
    pan: MeterPan,
    identifier: TokenIdentifier,
) -> Result<Ceremony, Failure> {
    let vault = centre_vault(now)?;
    let centre_module = CentreSession::new(&vault, two(&vault)?);
    let module = security_module("SM-DEMO", now)?;
    let custodians = custodians(&module)?;

    let mut documents = Vec::new();
    let mut carried = |what, way, text: &str| documents.push((what, way, text.len()));

    // Both learn each other's public keys; people compare the fingerprints.
    let (centre_enrolment, module_enrolment) =
        (centre_module.enrolment()?, custodians.reader().enrolment()?);
    carried("enrolment of the centre", "centre to module", &centre_enrolment);
    carried("enrolment of the module", "module to centre", &module_enrolment);
    let identity = centre_module.identify()?;
    let fingerprint = custodians.reader().identify()?.fingerprint;
    custodians.enrol_centre(&read_as(centre_enrolment.as_bytes())?)?;
    custodians.confirm_centre(&identity.centre, &identity.fingerprint)?;
    let mut centre = Centre::new(MemoryStore::default(), &centre_module, &now);
    centre.set_up()?;
    centre.enrol_module(&read_as(module_enrolment.as_bytes())?, &fingerprint)?;

    // They agree on a key that nobody carries.
    let request = custodians.request_agreement(&identity.centre)?;
    carried("agreement request", "module to centre", &request);
    let confirmation = centre.answer_agreement(&read_as(request.as_bytes())?)?.confirmation;
    carried("agreement confirmation", "centre to module", &confirmation);
    custodians.accept_confirmation(&read_as(confirmation.as_bytes())?)?;

    // A supply group gets a vending key, and its owner authorises the module to hold it.
    set_up_group(&mut centre, &centre_module, key, now)?;
    let request = custodians.request_key_load(&identity.centre)?;
    carried("key-load request", "module to centre", &request);
    let file =
        centre.answer_key_load(&read_as(request.as_bytes())?, &LoadOptions::default())?.load.file;
    carried("key-load file", "centre to module", &file);

    let other = security_module("SM-OTHER", now)?;
    let mut refusals = Vec::new();
    let document = read_as(file.as_bytes())?;
    let mut refused = |what, by: &Custodians| match by.load_keys(&document) {
        Ok(_) => Err(format!("{what} was loaded")),
        Err(refusal) => {
            refusals.push((what, refusal.to_string()));
            Ok(())
        }
    };
    refused("the file in another module", &self::custodians(&other)?)?;
    let loaded = custodians.load_keys(&document)?;
    refused("the file a second time", &custodians)?;
    let loaded = loaded.keys.first().ok_or("the file had a key")?;

    let operator = operator(&module)?;
    let meter = MeterConfiguration {
        pan,
        tariff_index: TariffIndex::try_from(1)?,
        encryption: EncryptionAlgorithm::Sta,
        carrier: TokenCarrierType::try_from(2)?,
    };
    let token = issue(&operator, loaded.register, meter, identifier)?;
    operator.verify(&VerifyRequest { register: loaded.register, meter, token })?;

    let report = module.vault().verify_audit(By::Two(&two(module.vault())?))?;
    if report.first_bad.is_some() {
        return Err("the audit log does not verify".into());
    }
    Ok(Ceremony {
        parties: [
            (identity.centre.to_string(), identity.fingerprint),
            (module.module().to_string(), fingerprint),
        ],
        documents,
        register: (loaded.register, loaded.check_value),
        refusals,
        token,
        audit_entries: report.entries,
    })
}

impl Ceremony {
    /// Prints the results for people.
    pub(super) fn print(&self, out: &mut impl Write) -> io::Result<()> {
        heading(out, 1, "A centre and a security module agree on a key that nobody carries")?;
        for (name, fingerprint) in &self.parties {
            writeln!(out, "  {name:<9} fingerprint {}", styled(RESULT, fingerprint))?;
        }
        for (what, way, bytes) in &self.documents {
            writeln!(out, "  {what:<23}  {way:<16} {bytes:>5} bytes")?;
        }
        heading(out, 2, "A key-load file loads a vending key into a register, once")?;
        let (register, check_value) = self.register;
        writeln!(
            out,
            "  register {register}   SGC 201457  KRN 1  KT 2  DKGA04   check value {}",
            styled(RESULT, check_value)
        )?;
        for (what, refusal) in &self.refusals {
            writeln!(out, "  {what:<27} {}  {refusal}", styled(WRONG, "refused"))?;
        }
        writeln!(out, "  audit log: {} entries, verified", self.audit_entries)
    }

    /// The results as JSON.
    pub(super) fn as_value(&self) -> Value {
        let party = |(name, fingerprint): &(String, String)| json!({"name": name, "fingerprint": fingerprint});
        let document = |(what, way, bytes): &(&str, &str, usize)| json!({"what": what, "way": way, "bytes": bytes});
        let refusal = |(what, refusal): &(&str, String)| json!({"what": what, "refusal": refusal});
        let (register, check_value) = self.register;
        json!({
            "test": true,
            "parties": self.parties.iter().map(party).collect::<Vec<_>>(),
            "documents": self.documents.iter().map(document).collect::<Vec<_>>(),
            "register": register.value(),
            "check_value": check_value.to_string(),
            "refused": self.refusals.iter().map(refusal).collect::<Vec<_>>(),
            "number": self.token.to_string(),
            "audit_entries": self.audit_entries,
        })
    }
}

/// 25.6 kWh.
fn issue(
    operator: &Operator,
    register: RegisterNumber,
    meter: MeterConfiguration,
    identifier: TokenIdentifier,
) -> Result<TokenData, Failure> {
    let amount = Amount::from_tenths(256)?;
    let instruction = Instruction::Credit { service: Service::Electricity, amount };
    let credit = TokenRequest { id: None, register, meter, instruction, identifier };
    let issued: Result<_, ModuleError> = operator.issue_token(credit);
    Ok(issued?.token)
}

/// Adds a customer, its signatory, a group and its vending key, and authorises the module to hold the key.
fn set_up_group(
    centre: &mut Centre<'_, MemoryStore>,
    centre_module: &CentreSession<'_>,
    key: &VendingKey,
    now: Moment,
) -> Result<(), Failure> {
    let owner = centre.add_customer(NewCustomer {
        organisation: "Demonstration Power".parse()?,
        contact: "power@example.org".parse()?,
        address: "1 Long Street".parse()?,
    })?;
    let signatory = Signatory::generate(name("grace")?, &mut SystemEntropy)?;
    let fingerprint = signatory.key().fingerprint().to_string();
    centre.register_signatory(owner, signatory.key(), &fingerprint)?;
    let group = centre.allocate_group(NewGroup {
        code: Some(supply_group()?),
        key_type: VendingKeyType::UNIQUE,
        owner,
        name: "Demonstration".parse()?,
        area: "everywhere".parse()?,
        service: Service::Electricity,
        cluster: Cluster::default(),
    })?;
    centre_module.import_test_key(group, revision()?, key)?;
    centre.request_key(&NewKey {
        group,
        revision: Some(revision()?),
        algorithm: key.algorithm(),
        expiry: KeyExpiryNumber::NEVER,
        base_date: BASE_DATE,
        activation: now,
        terms: KeyTerms {
            expires: now.plus_days(3650),
            refresh_days: 365,
            unit_limit: UnitLimit::default(),
            currency_limit: CurrencyLimit::default(),
        },
        sub_classes: None,
    })?;
    centre.grant(NewAuthorisation {
        group,
        module: "SM-DEMO".parse()?,
        module_fingerprint: None,
        granted_by: name("grace")?,
        valid_until: now.plus_days(365),
        location: "the vending room".parse()?,
    })?;
    Ok(())
}

fn centre_vault(now: Moment) -> Result<CentreVault, Failure> {
    let (names, secret) = (names()?, passphrase());
    let users = people(&names, &secret);
    let setup = CentreSetup {
        centre: &"KMC-DEMO".parse()?,
        unlock: Unlock::Passphrase(&secret),
        users: &users,
        valid_days: CentreSetup::VALID_DAYS,
        insecure_test: true,
    };
    Ok(setup.make(place(now))?)
}

/// In memory, at one moment.
fn place(now: Moment) -> Place {
    Place {
        storage: Box::new(MemoryStorage::default()),
        entropy: Box::new(SystemEntropy),
        clock: Box::new(now),
    }
}

fn security_module(id: &str, now: Moment) -> Result<SoftwareModule, Failure> {
    let (names, secret) = (names()?, passphrase());
    let users = people(&names, &secret);
    let new = NewModule {
        module: id.parse()?,
        unlock: Unlock::Passphrase(&secret),
        users: &users,
        policy: ModulePolicy::default(),
    };
    let test = TestMode {
        fixed_time: Some(now),
        fixed_random: Some(RandomNumber::try_from(5)?),
        ..TestMode::default()
    };
    Ok(SoftwareModule::create_insecure_test(place(now), new, test)?)
}

fn custodians(module: &SoftwareModule) -> Result<Custodians, Failure> {
    Ok(module.custodians(two(module.vault())?)?)
}

/// Signs both custodians in.
fn two<C: Contents>(vault: &SharedVault<C>) -> Result<Quorum, Failure> {
    let [alice, bob] = [name("alice")?, name("bob")?];
    let sign_in = |name| vault.sign_in(name, &passphrase());
    Ok(Quorum::new(sign_in(&alice)?, sign_in(&bob)?)?)
}

fn operator(module: &SoftwareModule) -> Result<Operator, Failure> {
    let session = module.vault().sign_in(&name("olga")?, &passphrase())?;
    Ok(module.operator(&session)?)
}

fn name(text: &str) -> Result<Identifier, Failure> {
    Ok(text.parse()?)
}

fn names() -> Result<Vec<Identifier>, Failure> {
    PEOPLE.iter().map(|(text, _)| name(text)).collect()
}

/// The people of one side. They share one passphrase, which only a test vault accepts.
fn people<'a>(names: &'a [Identifier], passphrase: &'a Secret) -> Vec<NewUser<'a>> {
    let user = |(name, (_, role)): (&'a Identifier, &(&str, Role))| NewUser {
        name,
        role: *role,
        passphrase,
    };
    names.iter().zip(&PEOPLE).map(user).collect()
}

fn passphrase() -> Secret {
    Secret::from("demonstration".to_owned())
}
