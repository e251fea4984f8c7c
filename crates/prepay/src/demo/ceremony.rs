//! The beginning of the story: a key comes from a management centre into a register of a security module.
//!
//! Centre and module are test ones, in memory, with keys of their own made here and now; they exchange the
//! same texts that people would carry between two rooms. The vending key is a public one, which only a test
//! centre takes in.

use std::io::{self, Write};

use prepay_basics::{Identifier, Moment};
use prepay_host::SystemEntropy;
use prepay_kmc::centre::{
    Centre, KeyTerms, LoadOptions, NewAuthorisation, NewCustomer, NewGroup, NewKey,
};
use prepay_kmc::store::MemoryStore;
use prepay_kmc_module::{CentreDesk, CentreModule, CentreSetup, CentreVault};
use prepay_kmp::{Signatory, read_as};
use prepay_kmp::attribute::{
    Cluster, CurrencyLimit, KeyCheckValue, RegisterNumber, UnitLimit, VendingKeyType,
};
use prepay_module::software::{
    Custodians, ModulePolicy, NewModule, Operator, Place, SoftwareModule, TestMode,
};
use prepay_module::{MeterConfiguration, ModuleError, SecurityModule, TokenRequest, VerifyRequest};
use prepay_token::element::{
    Amount, EncryptionAlgorithm, KeyExpiryNumber, MeterPan, RandomNumber, Service, TariffIndex,
    TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::VendingKey;
use prepay_token::{Instruction, TokenData};
use prepay_vault::MemoryStorage;
use prepay_vault::{NewUser, Quorum, Role, Secret, Unlock};
use serde_json::{Value, json};

use super::{BASE_DATE, Failure, heading, revision, supply_group};
use crate::paint::{RESULT, WRONG, styled};

/// Two custodians of each side, and the module's operator.
const PEOPLE: [(&str, Role); 3] =
    [("alice", Role::Custodian), ("bob", Role::Custodian), ("olga", Role::Operator)];

/// What happened.
pub(super) struct Ceremony {
    /// Name and fingerprint of the centre and of the module.
    pub(super) parties: [(String, String); 2],
    /// One line a document: what it is, who carries it where, and how many bytes it has.
    pub(super) documents: Vec<(&'static str, &'static str, usize)>,
    /// The register that the key came into, and its check value.
    pub(super) register: (RegisterNumber, KeyCheckValue),
    /// What was refused, and in which words.
    pub(super) refusals: Vec<(&'static str, String)>,
    /// A token that the module made with it.
    pub(super) token: TokenData,
    /// How many entries the module's audit log has; it was verified.
    pub(super) audit_entries: u64,
}

/// Lets everything happen at one moment. The token is 25.6 kWh for a meter.
pub(super) fn hold(
    now: Moment,
    key: &VendingKey,
    pan: MeterPan,
    identifier: TokenIdentifier,
) -> Result<Ceremony, Failure> {
    let vault = centre_vault(now)?;
    let centre_quorum = Quorum::new(
        vault.sign_in(&name("alice")?, &passphrase())?,
        vault.sign_in(&name("bob")?, &passphrase())?,
    )?;
    let desk = vault.desk_of_two(centre_quorum);
    let module = security_module("SM-DEMO", now)?;
    let custodians = custodians(&module)?;

    let mut documents = Vec::new();
    let mut carried = |what, way, text: &str| documents.push((what, way, text.len()));

    // Both learn each other's public keys; people compare the fingerprints.
    let (centre_enrolment, module_enrolment) =
        (desk.enrolment()?, custodians.reader().enrolment()?);
    carried("enrolment of the centre", "centre to module", &centre_enrolment);
    carried("enrolment of the module", "module to centre", &module_enrolment);
    let identity = desk.identify()?;
    let fingerprint = custodians.reader().identify()?.fingerprint;
    custodians.enrol_centre(&read_as(centre_enrolment.as_bytes())?)?;
    custodians.confirm_centre(&identity.centre, &identity.fingerprint)?;
    let mut centre = Centre::new(MemoryStore::default(), &desk, &now);
    centre.set_up()?;
    centre.enrol_module(&read_as(module_enrolment.as_bytes())?, &fingerprint)?;

    // They agree a key that nobody carries.
    let request = custodians.request_agreement(&identity.centre)?;
    carried("agreement request", "module to centre", &request);
    let confirmation = centre.answer_agreement(&read_as(request.as_bytes())?)?.confirmation;
    carried("agreement confirmation", "centre to module", &confirmation);
    custodians.accept_confirmation(&read_as(confirmation.as_bytes())?)?;

    // A supply group gets a vending key, and its owner lets the module have it.
    lay_down(&mut centre, &desk, key, now)?;
    let request = custodians.request_key_load(&identity.centre)?;
    carried("key-load request", "module to centre", &request);
    let file = centre.answer_key_load(&read_as(request.as_bytes())?, &LoadOptions::default())?.load.file;
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

    let report = custodians.reader().verify_audit()?;
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
    /// Prints the ceremony for a person.
    pub(super) fn tell(&self, out: &mut impl Write) -> io::Result<()> {
        heading(
            out,
            1,
            "A centre and a security module meet, and agree a key that nobody carries",
        )?;
        for (name, fingerprint) in &self.parties {
            writeln!(out, "  {name:<9} fingerprint {}", styled(RESULT, fingerprint))?;
        }
        for (what, way, bytes) in &self.documents {
            writeln!(out, "  {what:<23} {way:<17} {bytes:>5} bytes")?;
        }
        heading(out, 2, "The key-load file brings a vending key into a register, once")?;
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

    /// The ceremony for a program.
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

/// A customer, its signatory, a group, its vending key, and the leave for the module to hold it.
fn lay_down(
    centre: &mut Centre<'_, MemoryStore>,
    desk: &CentreDesk<'_>,
    key: &VendingKey,
    now: Moment,
) -> Result<(), Failure> {
    let owner = centre.add_customer(NewCustomer {
        organisation: "Demonstration Power".parse()?,
        contact: "power@example.org".parse()?,
        address: "1 Long Street".parse()?,
    })?;
    let signatory = Signatory::generate(name("grace")?, &mut SystemEntropy)?;
    let told = signatory.key().fingerprint().to_string();
    centre.register_signatory(owner, signatory.key(), &told)?;
    let group = centre.allocate_group(NewGroup {
        code: Some(supply_group()?),
        key_type: VendingKeyType::UNIQUE,
        owner,
        name: "Demonstration".parse()?,
        area: "everywhere".parse()?,
        service: Service::Electricity,
        cluster: Cluster::default(),
    })?;
    desk.import_test_key(group, revision()?, key)?;
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
        valid_days: CentreVault::VALID_DAYS,
    };
    let storage = Box::new(MemoryStorage::default());
    Ok(CentreVault::create_insecure_test(storage, Box::new(SystemEntropy), Box::new(now), &setup)?)
}

fn security_module(id: &str, now: Moment) -> Result<SoftwareModule, Failure> {
    let (names, secret) = (names()?, passphrase());
    let users = people(&names, &secret);
    let place = Place {
        storage: Box::new(MemoryStorage::default()),
        entropy: Box::new(SystemEntropy),
        clock: Box::new(now),
    };
    let new = NewModule {
        module: id.parse()?,
        unlock: Unlock::Passphrase(&secret),
        users: &users,
        policy: ModulePolicy::default(),
    };
    let test = TestMode { fixed_time: Some(now), fixed_random: Some(RandomNumber::try_from(5)?) };
    Ok(SoftwareModule::create_insecure_test(place, new, test)?)
}

fn custodians(module: &SoftwareModule) -> Result<Custodians, Failure> {
    let alice = module.sign_in(&name("alice")?, &passphrase())?;
    let bob = module.sign_in(&name("bob")?, &passphrase())?;
    Ok(module.custodians(Quorum::new(alice, bob)?)?)
}

fn operator(module: &SoftwareModule) -> Result<Operator, Failure> {
    let session = module.sign_in(&name("olga")?, &passphrase())?;
    Ok(module.operator(&session)?)
}

fn name(text: &str) -> Result<Identifier, Failure> {
    Ok(text.parse()?)
}

fn names() -> Result<Vec<Identifier>, Failure> {
    PEOPLE.iter().map(|(text, _)| name(text)).collect()
}

/// The people of one side. In the demonstration they share a passphrase, which no real vault would accept.
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
