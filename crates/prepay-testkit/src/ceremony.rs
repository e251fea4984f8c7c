//! A whole ceremony for tests: a software module and a test centre that gives it keys, as people would.
//!
//! Nothing gets into a module any other way: enrolment, fingerprints, agreement, request and key-load file.
//! Everything is made as a test module or a test centre, so that passphrases cost little.
//!
//! - Elsewhere: where vaults are kept, which comes in as an argument.

use crate::documents::document;
use prepay_basics::{Identifier, Moment};
use prepay_kmc_module::{
    CentreEntry, CentreModule, CentreSession, CentreSetup, CentreVault, KeyLoadItem, KeyLoadOrder,
};
use prepay_kmp::attribute::{Cluster, CurrencyLimit, SubClassSet, UnitLimit, VendingKeyType};
use prepay_kmp::{CentreId, VendingKeyAttributes};
use prepay_module::software::{
    Auditor, Custodians, LoadReport, ModuleEntry, ModulePolicy, NewModule, Operator,
    SoftwareModule, TestMode,
};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber, SupplyGroupCode,
};
use prepay_token::key::VendingKey;
use prepay_vault::{
    AuditReport, By, NewUser, OpenError, Place, Quorum, Record, Role, Secret, Session, Unlock,
};

/// The people of every module and centre here.
pub const PEOPLE: [(&str, Role); 4] = [
    ("alice", Role::Custodian),
    ("bob", Role::Custodian),
    ("olga", Role::Operator),
    ("anton", Role::Auditor),
];

/// The passphrase of one of them, and of the vault itself for the name `vault`.
pub fn passphrase(name: &str) -> Secret {
    Secret::from(format!("passphrase of {name}"))
}

/// Whose passphrases a vault is made with.
pub type Passphrases<'a> = &'a dyn Fn(&str) -> Secret;

/// A text that is known to be a value.
///
/// # Panics
///
/// When it is none.
pub fn value<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

/// Makes a test module with [`PEOPLE`].
///
/// # Panics
///
/// When it is not made.
pub fn make_module(
    name: &str,
    place: Place,
    policy: ModulePolicy,
    test: TestMode,
    passphrases: Passphrases<'_>,
) -> SoftwareModule {
    with_users(passphrases, |users, unlock| {
        let new = NewModule { module: value(name), unlock, users, policy };
        SoftwareModule::create_insecure_test(place, new, test).expect("a module")
    })
}

/// Opens a module that [`make_module`] made with the usual passphrases.
///
/// # Errors
///
/// [`OpenError`].
pub fn open_module(place: Place) -> Result<SoftwareModule, OpenError> {
    let secret = passphrase("vault");
    SoftwareModule::open(place, Unlock::Passphrase(&secret))
}

fn with_users<T>(
    passphrases: Passphrases<'_>,
    act: impl FnOnce(&[NewUser<'_>], Unlock<'_>) -> T,
) -> T {
    let people = PEOPLE.map(|(name, role)| (value::<Identifier>(name), role, passphrases(name)));
    let users =
        people.each_ref().map(|(name, role, passphrase)| NewUser { name, role: *role, passphrase });
    let secret = passphrases("vault");
    act(&users, Unlock::Passphrase(&secret))
}

/// The people of a module at work.
#[derive(Clone, Debug)]
pub struct People {
    /// Both custodians.
    pub custodians: Custodians,
    /// The operator.
    pub operator: Operator,
    /// The auditor.
    pub auditor: Auditor,
    /// The module.
    pub module: SoftwareModule,
    /// Both custodians, to the vault.
    pub quorum: Quorum,
    reader: Session,
}

impl People {
    /// Signs everybody in.
    ///
    /// # Panics
    ///
    /// When somebody cannot.
    pub fn of(module: &SoftwareModule, passphrases: Passphrases<'_>) -> Self {
        let sign_in = |name: &str| -> Session {
            module.vault().sign_in(&value(name), &passphrases(name)).expect("the right passphrase")
        };
        let quorum = Quorum::new(sign_in("alice"), sign_in("bob")).expect("two custodians");
        let reader = sign_in("anton");
        Self {
            custodians: module.custodians(quorum.clone()).expect("two custodians"),
            operator: module.operator(&sign_in("olga")).expect("an operator"),
            auditor: module.auditor(reader.clone()).expect("an auditor"),
            module: module.clone(),
            quorum,
            reader,
        }
    }

    /// Entries of the audit log, as the auditor reads them.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    pub fn audit(&self, from: u64, at_most: usize) -> Vec<Record<ModuleEntry>> {
        self.module.vault().audit(By::One(&self.reader), from, at_most).expect("entries")
    }

    /// What the auditor finds in the audit log.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    pub fn verify_audit(&self) -> AuditReport {
        self.module.vault().verify_audit(By::One(&self.reader)).expect("a log that can be read")
    }
}

/// A test centre with everybody signed in.
pub struct TestCentre {
    vault: CentreVault,
    two: Quorum,
}

impl TestCentre {
    /// The centre's name.
    pub const NAME: &str = "KMC-TEST";

    /// Makes a test centre with [`PEOPLE`].
    ///
    /// # Panics
    ///
    /// When it is not made.
    pub fn make(place: Place, passphrases: Passphrases<'_>) -> Self {
        let vault = with_users(passphrases, |users, unlock| {
            let centre: CentreId = value(Self::NAME);
            let valid_days = CentreSetup::VALID_DAYS;
            let setup =
                CentreSetup { centre: &centre, unlock, users, valid_days, insecure_test: true };
            setup.make(place).expect("a centre")
        });
        Self::with(vault, passphrases)
    }

    /// Opens a centre that [`TestCentre::make`] made with the same passphrases.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    ///
    /// # Panics
    ///
    /// When somebody cannot sign in.
    pub fn open(place: Place, passphrases: Passphrases<'_>) -> Result<Self, OpenError> {
        let secret = passphrases("vault");
        let vault = CentreVault::open(place, Unlock::Passphrase(&secret))?;
        Ok(Self::with(vault, passphrases))
    }

    fn with(vault: CentreVault, passphrases: Passphrases<'_>) -> Self {
        let sign_in = |name: &str| {
            vault.sign_in(&value(name), &passphrases(name)).expect("the right passphrase")
        };
        let two = Quorum::new(sign_in("alice"), sign_in("bob")).expect("two custodians");
        Self { two, vault }
    }

    /// The centre's vault.
    pub const fn vault(&self) -> &CentreVault {
        &self.vault
    }

    /// The centre in the hands of both custodians.
    pub fn centre_module(&self) -> CentreSession<'_> {
        CentreSession::new(&self.vault, self.two.clone())
    }

    /// Both custodians.
    pub const fn two(&self) -> By<'_> {
        By::Two(&self.two)
    }

    /// Entries of the audit log.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    pub fn audit(&self, from: u64, at_most: usize) -> Vec<Record<CentreEntry>> {
        self.vault.audit(self.two(), from, at_most).expect("entries")
    }

    /// Takes in a key that others know.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn import(&self, attributes: &VendingKeyAttributes, key: &VendingKey) {
        let VendingKeyAttributes { supply_group, key_revision, .. } = *attributes;
        self.centre_module()
            .import_test_key(supply_group, key_revision, key)
            .expect("an imported key");
    }

    /// Everything from both enrolments to an active slot: fingerprints are told from hand to hand. Returns
    /// every text that was exchanged.
    ///
    /// # Panics
    ///
    /// When somebody refuses.
    pub fn join(&self, people: &People) -> Vec<String> {
        let (centre, custodians, reader) =
            (self.centre_module(), &people.custodians, &people.auditor);
        let module_enrolment = reader.enrolment().expect("the module's enrolment");
        let fingerprint = reader.identify().expect("the module's name").fingerprint;
        centre
            .accept_module(&document(&module_enrolment), &fingerprint)
            .expect("an accepted module");
        let enrolment = centre.enrolment().expect("the centre's enrolment");
        let fingerprint = centre.identify().expect("the centre's name").fingerprint;
        custodians.enrol_centre(&document(&enrolment)).expect("a slot");
        custodians.confirm_centre(&value(Self::NAME), &fingerprint).expect("a confirmed centre");
        let request =
            custodians.request_agreement(&value(Self::NAME)).expect("an agreement request");
        let answer = centre.answer_agreement(&document(&request)).expect("an agreement");
        custodians.accept_confirmation(&document(&answer.confirmation)).expect("an active slot");
        vec![module_enrolment, enrolment, request, answer.confirmation]
    }

    /// Request, key-load file, and load. Returns what was loaded and both texts.
    ///
    /// # Panics
    ///
    /// When somebody refuses.
    pub fn load(
        &self,
        people: &People,
        keys: Vec<KeyLoadItem>,
        transactions: Option<u64>,
    ) -> (LoadReport, [String; 2]) {
        let custodians = &people.custodians;
        let request = custodians.request_key_load(&value(Self::NAME)).expect("a request");
        let read = self
            .centre_module()
            .read_key_load_request(&document(&request))
            .expect("an authentic request");
        let order = KeyLoadOrder { expires: read.expires, transactions, keys };
        let file = self
            .centre_module()
            .build_key_load(&document(&request), &order)
            .expect("a key-load file")
            .file;
        (custodians.load_keys(&document(&file)).expect("loaded keys"), [request, file])
    }

    /// Closes the centre.
    ///
    /// # Panics
    ///
    /// When that fails.
    pub fn close(self) {
        let Self { vault, two } = self;
        drop(two);
        vault.close().expect("a closed centre");
    }
}

/// Attributes that hinder nothing: unique, base date 2014, in force always, without limits.
///
/// # Panics
///
/// When group or revision is out of range.
pub fn attributes(
    group: u32,
    revision: u8,
    algorithm: DecoderKeyGenerationAlgorithm,
) -> VendingKeyAttributes {
    VendingKeyAttributes {
        supply_group: SupplyGroupCode::try_from(group).expect("a group"),
        key_revision: KeyRevisionNumber::try_from(revision).expect("a revision"),
        key_type: VendingKeyType::UNIQUE,
        algorithm,
        expiry: KeyExpiryNumber::NEVER,
        base_date: BaseDate::Y2014,
        activation: Moment::MIN,
        issued_until: Moment::MAX,
        unit_limit: UnitLimit(None),
        currency_limit: CurrencyLimit(None),
        cluster: Cluster(0),
        sub_classes: SubClassSet::ALL,
        name: value("test"),
    }
}
