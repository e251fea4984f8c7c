//! A centre for tests: a model of the centre's module, a store that fails on demand, a clock to set.
#![allow(dead_code, reason = "each test uses its part")]

mod module;
mod store;

use prepay_basics::{Clock, Moment};
use prepay_kmc::centre::{Centre, Decision, KeyTerms, NewKey};
use prepay_kmc::entity::{CustomerNumber, FormNumber, VendingKeyRecord};
use prepay_kmc::form::{Addressee, Draft, FormKind, SignedForm, VALID_DAYS};
use prepay_kmc::store::MemoryStore;
use prepay_kmc_module::CentreModule;
use prepay_kmp::Signatory;
use prepay_kmp::attribute::{CurrencyLimit, UnitLimit};
use prepay_testkit::{Foreseeable, SetClock};
use prepay_token::element::{BaseDate, DecoderKeyGenerationAlgorithm};

#[allow(unused_imports, reason = "each test uses its part")]
pub(crate) use module::{DatabaseStep, text};
pub(crate) use module::{ModelModule, document, fingerprint};
#[allow(unused_imports, reason = "each test uses its part")]
pub(crate) use store::{FailingStore, Failure};

pub(crate) fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

/// The day on which tests start.
pub(crate) fn today() -> Moment {
    moment("2026-03-01T12:00:00Z")
}

/// The parts of a centre.
pub(crate) struct Bench {
    pub(crate) module: ModelModule,
    pub(crate) clock: SetClock,
    pub(crate) anna: Signatory,
    pub(crate) berta: Signatory,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self {
            module: ModelModule::default(),
            clock: SetClock::at(today()),
            anna: Signatory::generate("anna".parse().unwrap(), &mut Foreseeable::new(1)).unwrap(),
            berta: Signatory::generate("berta".parse().unwrap(), &mut Foreseeable::new(2)).unwrap(),
        }
    }

    pub(crate) fn centre(&self) -> Centre<'_, MemoryStore> {
        let mut centre = Centre::new(MemoryStore::new(), &self.module, &self.clock);
        centre.set_up().unwrap();
        centre
    }

    pub(crate) fn sign(
        &self,
        by: &Signatory,
        kind: FormKind,
        values: &[(&str, &str)],
    ) -> SignedForm {
        let mut draft = Draft::new(kind);
        values.iter().for_each(|(name, value)| draft.set(name, value).unwrap());
        SignedForm::sign(draft.check().unwrap(), by, self.addressee(), self.clock.now()).unwrap()
    }

    /// This centre, for as long as a form lasts.
    pub(crate) fn addressee(&self) -> Addressee {
        let own = self.module.identify().unwrap();
        Addressee {
            centre: own.centre,
            fingerprint: own.fingerprint.parse().unwrap(),
            is_test: own.is_test,
            expires: self.clock.now().plus_days(VALID_DAYS),
        }
    }

    /// A centre with customer 1 (signatory anna), customer 2 (berta), group 000123 of customer 1 with a live
    /// key, and module SM-1 enrolled.
    pub(crate) fn furnished(&self) -> Centre<'_, MemoryStore> {
        let mut centre = self.centre();
        for (signatory, name) in [(&self.anna, "North"), (&self.berta, "South")] {
            let form = self.sign(
                signatory,
                FormKind::NewCustomer,
                &[("organisation", name), ("contact", "Ms Example"), ("address", "a@example.org")],
            );
            let number = centre.receive_form(&form).unwrap();
            let fingerprint = Some(signatory.key().fingerprint().to_string());
            centre.accept_form(number, &Decision { fingerprint, ..Decision::default() }).unwrap();
        }
        self.accepted(&mut centre, FormKind::GroupApplication, GROUP);
        centre.request_key(&new_key()).unwrap();
        centre.enrol_module(&document("enrol:SM-1"), &fingerprint("SM-1")).unwrap();
        centre
    }

    /// Receives and accepts a form signed by anna.
    pub(crate) fn accepted(
        &self,
        centre: &mut Centre<'_, MemoryStore>,
        kind: FormKind,
        values: &[(&str, &str)],
    ) -> FormNumber {
        let number = centre.receive_form(&self.sign(&self.anna, kind, values)).unwrap();
        centre.accept_form(number, &Decision::default()).unwrap();
        number
    }
}

/// An application for group 000123.
pub(crate) const GROUP: &[(&str, &str)] = &[
    ("customer", "1"),
    ("name", "North town"),
    ("area", "North"),
    ("service", "electricity"),
    ("key_type", "unique"),
    ("group", "000123"),
];

/// The fingerprint of module SM-1.
pub(crate) const MODULE_FINGERPRINT: &str = "8051 6AF4 AE30 A607 B548 A996 1006 ED10";

/// An authorisation of module SM-1 for group 000123.
pub(crate) const AUTHORISATION: &[(&str, &str)] = &[
    ("customer", "1"),
    ("module", "SM-1"),
    ("module_fingerprint", MODULE_FINGERPRINT),
    ("groups", "000123"),
    ("valid_until", "2027-03-01T12:00:00Z"),
    ("location", "Computer room"),
];

/// A request for a vending key of group 000123.
pub(crate) const KEY: &[(&str, &str)] = &[
    ("customer", "1"),
    ("group", "000123"),
    ("algorithm", "04"),
    ("base_date", "2014"),
    ("key_expiry", "255"),
    ("activation", "2026-03-01T12:00:00Z"),
    ("expires", "2030-01-01T00:00:00Z"),
    ("refresh_days", "90"),
];

pub(crate) fn terms() -> KeyTerms {
    KeyTerms {
        expires: moment("2030-01-01T00:00:00Z"),
        refresh_days: 90,
        unit_limit: UnitLimit(None),
        currency_limit: CurrencyLimit(Some(1_000_000)),
    }
}

/// A key of group 000123.
pub(crate) fn new_key() -> NewKey {
    NewKey {
        group: "000123".parse().unwrap(),
        revision: None,
        algorithm: DecoderKeyGenerationAlgorithm::Dkga04,
        expiry: 255.into(),
        base_date: BaseDate::Y2014,
        activation: today(),
        terms: terms(),
        sub_classes: None,
    }
}

pub(crate) fn customer(number: u32) -> CustomerNumber {
    CustomerNumber::try_from(number).unwrap()
}

/// The revisions of keys.
pub(crate) fn revisions<'a>(keys: impl IntoIterator<Item = &'a VendingKeyRecord>) -> Vec<u8> {
    keys.into_iter().map(|key| key.id.revision.value()).collect()
}
