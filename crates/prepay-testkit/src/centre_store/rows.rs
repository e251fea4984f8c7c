//! Example rows of a key management centre, told apart by few arguments.

use prepay_basics::Moment;
use prepay_kmc::entity::{
    AgreementRecord, Authorisation, CentreRecord, Customer, CustomerNumber, FormNumber, FormRecord,
    FormStep, KeyLoadRecord, KeyState, LeftOut, LeftOutReason, Line, LoadedKey, ModuleRecord,
    Ownership, Signatory, SupplyGroup, VendingKeyId, VendingKeyRecord,
};
use prepay_kmc::form::{FormKind, FormState};
use prepay_kmp::attribute::{
    Cluster, CurrencyLimit, KeyCheckValue, SubClassSet, UnitLimit, VendingKeyType,
};
use prepay_token::element::{BaseDate, DecoderKeyGenerationAlgorithm, Service};

/// A value from its text.
fn value<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("an example is well formed")
}

/// A line of text.
pub fn line(text: &str) -> Line {
    value(text)
}

/// The moment so many seconds into 2026.
pub fn moment(seconds: u64) -> Moment {
    value::<Moment>("2026-01-01T00:00:00Z").plus_seconds(seconds)
}

/// The centre.
pub fn centre() -> CentreRecord {
    CentreRecord {
        id: value("KMC-1"),
        created: moment(0),
        next_customer: value::<CustomerNumber>("1").next(),
        next_authorisation: None,
        next_form: Some(FormNumber::FIRST),
    }
}

/// A customer.
pub fn customer(number: u32) -> Customer {
    Customer {
        number: CustomerNumber::try_from(number).expect("an example is well formed"),
        organisation: line(&format!("Utility {number}")),
        contact: line("Ms Example"),
        address: line("+49 30 0000000"),
        created: moment(1),
        form: None,
    }
}

/// A signatory of a customer.
pub fn signatory(name: &str, customer: u32) -> Signatory {
    Signatory {
        name: value(name),
        customer: self::customer(customer).number,
        public_key: format!("key of {name}").into(),
        fingerprint: line("0123 4567"),
        registered: moment(2),
        revoked: None,
    }
}

/// A supply group of a customer.
pub fn group(code: &str, owner: u32) -> SupplyGroup {
    SupplyGroup {
        code: value(code),
        key_type: VendingKeyType::UNIQUE,
        owner: customer(owner).number,
        name: value("North town"),
        area: line("North"),
        service: Service::Electricity,
        cluster: Cluster(0),
        created: moment(3),
    }
}

/// An owner of a group.
pub fn ownership(code: &str, sequence: u32, owner: u32) -> Ownership {
    Ownership {
        group: value(code),
        sequence,
        owner: customer(owner).number,
        since: moment(3),
        form: None,
    }
}

/// A live vending key.
pub fn vending_key(code: &str, revision: u8, generation: u32) -> VendingKeyRecord {
    let revision = revision.try_into().expect("an example is well formed");
    VendingKeyRecord {
        id: VendingKeyId { group: value(code), revision, generation },
        state: KeyState::Live,
        key_type: VendingKeyType::UNIQUE,
        algorithm: DecoderKeyGenerationAlgorithm::Dkga04,
        expiry: 255.into(),
        base_date: BaseDate::Y2014,
        activation: moment(4),
        expires: moment(4).plus_days(3650),
        refresh_days: 90,
        unit_limit: UnitLimit(None),
        currency_limit: CurrencyLimit(Some(1_000_000)),
        sub_classes: SubClassSet::ALL,
        check_value: Some(KeyCheckValue::from_bytes([1, 2, 3])),
        created: moment(4),
        ended: None,
        form: None,
    }
}

/// An authorisation.
pub fn authorisation(number: u32, code: &str, module: &str, signatory: &str) -> Authorisation {
    Authorisation {
        number: number.try_into().expect("an example is well formed"),
        group: value(code),
        module: value(module),
        module_fingerprint: None,
        granted_by: value(signatory),
        granted: moment(5),
        valid_until: moment(5).plus_days(365),
        location: line("Computer room"),
        revoked: None,
        form: None,
    }
}

/// A module.
pub fn module(name: &str) -> ModuleRecord {
    ModuleRecord {
        id: value(name),
        fingerprint: line(&format!("fingerprint of {name}")),
        maker: line("Prepay"),
        model: line("software"),
        firmware: line("1"),
        enrolled: moment(6),
        revoked: None,
    }
}

/// An answered agreement request.
pub fn agreement(module: &str, digest: u8) -> AgreementRecord {
    AgreementRecord {
        module: value(module),
        request_digest: [digest; 32],
        slot: 1,
        answered: moment(7),
    }
}

/// A key in a key-load file.
pub fn load_key(code: &str, revision: u8) -> LoadedKey {
    LoadedKey {
        key: vending_key(code, revision, 1).id,
        check_value: KeyCheckValue::from_bytes([1, 2, 3]),
        issued_until: moment(8).plus_days(90),
        unit_limit: UnitLimit(None),
        currency_limit: CurrencyLimit(Some(50_000)),
    }
}

/// A key-load file with the first key of a group, which also stands among those left out.
pub fn key_load(serial: u64, module: &str, code: &str) -> KeyLoadRecord {
    KeyLoadRecord {
        serial,
        module: value(module),
        slot: 1,
        nonce: format!("{serial:032X}").into(),
        request_digest: [9; 32],
        created: moment(8),
        expires: moment(8).plus_days(7),
        groups: None,
        transactions: None,
        file: "VKL;…\n".into(),
        keys: vec![load_key(code, 1)],
        left_out: vec![LeftOut {
            key: vending_key(code, 1, 1).id,
            reason: LeftOutReason::NotAsked,
        }],
    }
}

/// A received form.
pub fn form(number: u32) -> FormRecord {
    let number = FormNumber::try_from(number).expect("an example is well formed");
    let step = FormStep {
        state: FormState::Received,
        at: moment(9),
        by: line("anna"),
        note: Line::default(),
    };
    FormRecord {
        number,
        kind: FormKind::GroupApplication,
        state: FormState::Received,
        digest: [u8::try_from(number.value()).unwrap_or(0); 48],
        document: "open-form-1\n".into(),
        customer: None,
        steps: vec![step],
    }
}
