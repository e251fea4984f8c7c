//! What the long proofs share: a module and a centre on disk, requests that can be made again from their
//! number, and a model of what the module must count.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::path::Path;
use std::time::Duration;

use prepay_host::{Directory, SystemClock};
use prepay_kmc_module::KeyLoadItem;
use prepay_kmp::VendingKeyAttributes;
use prepay_kmp::attribute::{CurrencyLimit, RegisterNumber, UnitLimit};
use prepay_module::software::{ModulePolicy, SoftwareModule, TestMode, TidReuse};
use prepay_module::{IssueRequest, KeyChangeRequest, MeterConfiguration, RequestId, TokenRequest};
use prepay_testkit::ceremony::{
    People, TestCentre, attributes, make_module, open_module, passphrase, value,
};
use prepay_token::element::DecoderKeyGenerationAlgorithm::Dkga04;
use prepay_token::element::{
    Amount, CurrencyAmount, EncryptionAlgorithm, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::VendingKey;
use prepay_token::key_change::SetSize;
use prepay_token::{Instruction, ManagementFunction};
use prepay_vault::OpenError;

/// How many tokens a module may make at the beginning.
pub(crate) const TRANSACTIONS: u64 = 1_000_000_000;

/// The register with a limit in units, the one with a limit in currency, the one that is loaded afresh.
pub(crate) const REGISTERS: [u16; 3] = [1, 2, 3];

pub(crate) fn register(number: u16) -> RegisterNumber {
    RegisterNumber::try_from(number).unwrap()
}

/// The attributes of the key in a register.
pub(crate) fn key_attributes(number: u16, units: Option<u32>) -> VendingKeyAttributes {
    let mut attributes = attributes(100_000 + u32::from(number), 1, Dkga04);
    attributes.unit_limit = UnitLimit(units);
    attributes.currency_limit = CurrencyLimit(Some(u32::MAX));
    attributes
}

/// The key in a register. It is no secret.
pub(crate) fn vending_key(number: u16) -> VendingKey {
    let bytes: Vec<u8> = (0..20).map(|n| n * 7 + number as u8).collect();
    VendingKey::new(Dkga04, &bytes).unwrap()
}

pub(crate) fn item(number: u16, units: Option<u32>) -> KeyLoadItem {
    let attributes = key_attributes(number, units);
    KeyLoadItem { attributes, register: Some(register(number)) }
}

/// Makes a module and a centre in two directories, with a key in each register.
pub(crate) fn create(path: &Path, units: Option<u32>) {
    create_with(path, units, TestMode::default());
}

/// As [`create`], with other settings of the test.
pub(crate) fn create_with(path: &Path, units: Option<u32>, test: TestMode) {
    let policy = ModulePolicy {
        window_minutes: None,
        transactions: Some(TRANSACTIONS),
        tid_reuse: TidReuse::Allow,
        ..ModulePolicy::default()
    };
    let directory = Directory::create(path.join("module")).unwrap();
    let module = make_module("SM-1", directory.into_place(SystemClock), policy, test, &passphrase);
    let people = People::of(&module, &passphrase);
    let directory = Directory::create(path.join("centre")).unwrap();
    let centre = TestCentre::make(directory.into_place(SystemClock), &passphrase);
    centre.join(&people);
    for number in REGISTERS {
        centre.import(&key_attributes(number, units), &vending_key(number));
    }
    let items = REGISTERS.map(|number| item(number, units)).to_vec();
    centre.load(&people, items, None);
    centre.close();
    module.vault().close().unwrap();
}

pub(crate) fn open(path: &Path) -> Result<SoftwareModule, OpenError> {
    let directory = Directory::open_waiting(path.join("module"), Duration::from_secs(60)).unwrap();
    open_module(directory.into_place(SystemClock))
}

pub(crate) fn open_centre(path: &Path) -> Result<TestCentre, OpenError> {
    let directory = Directory::open_waiting(path.join("centre"), Duration::from_secs(60)).unwrap();
    TestCentre::open(directory.into_place(SystemClock), &passphrase)
}

/// Which request: everything about it follows from this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Number {
    pub(crate) round: u32,
    pub(crate) worker: u32,
    pub(crate) count: u64,
}

impl Number {
    pub(crate) fn id(self) -> RequestId {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&self.round.to_be_bytes());
        bytes[4..8].copy_from_slice(&self.worker.to_be_bytes());
        bytes[8..].copy_from_slice(&self.count.to_be_bytes());
        RequestId(bytes)
    }

    pub(crate) fn of(RequestId(bytes): RequestId) -> Self {
        Self {
            round: u32::from_be_bytes(bytes[..4].try_into().unwrap()),
            worker: u32::from_be_bytes(bytes[4..8].try_into().unwrap()),
            count: u64::from_be_bytes(bytes[8..].try_into().unwrap()),
        }
    }

    pub(crate) fn meter(self) -> MeterConfiguration {
        let pan =
            if self.count.is_multiple_of(2) { "600727000000000009" } else { "000001000000000082" };
        MeterConfiguration {
            pan: value(pan),
            tariff_index: 1.try_into().unwrap(),
            encryption: EncryptionAlgorithm::Misty1,
            carrier: TokenCarrierType::NUMERIC,
        }
    }

    pub(crate) fn identifier(self) -> TokenIdentifier {
        TokenIdentifier::from_low_bits((self.count as u32) * 13 + self.round * 7919 + self.worker)
    }

    /// Credit in units, of one to fifty tenths.
    pub(crate) fn units(self) -> IssueRequest {
        let tenths = 1 + (self.count % 50) as u32;
        let amount = Amount::from_tenths(tenths).unwrap();
        self.token(1, Instruction::Credit { service: Service::Electricity, amount })
    }

    /// One whole unit.
    pub(crate) fn one_unit(self) -> IssueRequest {
        let amount = Amount::from_tenths(10).unwrap();
        self.token(1, Instruction::Credit { service: Service::Electricity, amount })
    }

    /// One of every kind of request in turn.
    pub(crate) fn any(self) -> IssueRequest {
        match self.count % 4 {
            0 => self.units(),
            1 => {
                let amount = i128::from(self.count % 97 + 1) * 1000;
                let amount = CurrencyAmount::from_hundred_thousandths(amount).unwrap();
                let service = Service::Electricity;
                self.token(2, Instruction::CurrencyCredit { service, amount })
            }
            2 => {
                let rate = ManagementFunction::SetTariffRate((self.count % 1000) as u16);
                self.token(2, Instruction::Management(rate))
            }
            _ => IssueRequest::KeyChange(KeyChangeRequest {
                id: Some(self.id()),
                from: register(1),
                to: register(2),
                meter: self.meter(),
                new_tariff_index: 2.try_into().unwrap(),
                size: SetSize::Four,
            }),
        }
    }

    fn token(self, number: u16, instruction: Instruction) -> IssueRequest {
        IssueRequest::Token(TokenRequest {
            id: Some(self.id()),
            register: register(number),
            meter: self.meter(),
            instruction,
            identifier: self.identifier(),
        })
    }
}
