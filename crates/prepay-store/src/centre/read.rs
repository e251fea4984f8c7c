//! How the rows of each table read: one column, one field.

use prepay_kmc::entity::{
    AgreementRecord, Authorisation, CentreRecord, Customer, FormNumber, FormRecord, FormStep,
    KeyLoadRecord, LeftOut, LoadedKey, ModuleRecord, Ownership, Signatory, SupplyGroup,
    VendingKeyId, VendingKeyRecord,
};
use prepay_kmc::store::StoreError;
use prepay_kmp::attribute::{Cluster, CurrencyLimit, SubClassSet, UnitLimit, VendingKeyType};
use prepay_token::element::{DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyType, Service};
use rusqlite::Connection;

use super::column::{Columns, long};
use super::table::{Table, parts};

impl Table for CentreRecord {
    const NAME: &'static str = "centre";
    const KEY: &'static str = "one";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: columns.text("id")?,
            created: columns.moment("created")?,
            next_customer: columns.number_or_none::<u32, _>("next_customer")?,
            next_authorisation: columns.number_or_none::<u32, _>("next_authorisation")?,
            next_form: columns.number_or_none::<u32, _>("next_form")?,
        })
    }
}

impl Table for Customer {
    const NAME: &'static str = "customer";
    const KEY: &'static str = "number";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            number: columns.number::<u32, _>("number")?,
            organisation: columns.text("organisation")?,
            contact: columns.text("contact")?,
            address: columns.text("address")?,
            created: columns.moment("created")?,
            form: columns.number_or_none::<u32, _>("form")?,
        })
    }
}

impl Table for Signatory {
    const NAME: &'static str = "signatory";
    const KEY: &'static str = "name";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            name: columns.text("name")?,
            customer: columns.number::<u32, _>("customer")?,
            public_key: columns.long_text("public_key")?,
            fingerprint: columns.text("fingerprint")?,
            registered: columns.moment("registered")?,
            revoked: columns.moment_or_none("revoked")?,
        })
    }
}

impl Table for SupplyGroup {
    const NAME: &'static str = "supply_group";
    const KEY: &'static str = "code";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        let service =
            |name: Box<str>| Service::ALL.into_iter().find(|service| service.name() == &*name);
        let name = columns.long_text("service")?;
        Ok(Self {
            code: columns.group("code")?,
            key_type: columns.coded("key_type", key_type)?,
            owner: columns.number::<u32, _>("owner")?,
            name: columns.text("name")?,
            area: columns.text("area")?,
            service: service(name).ok_or_else(|| StoreError::Damaged {
                problem: "supply_group.service: not the name of a service".to_owned(),
            })?,
            cluster: Cluster(columns.count("cluster")?),
            created: columns.moment("created")?,
        })
    }
}

impl Table for Ownership {
    const NAME: &'static str = "ownership";
    const KEY: &'static str = "supply_group, sequence";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            group: columns.group("supply_group")?,
            sequence: columns.count("sequence")?,
            owner: columns.number::<u32, _>("owner")?,
            since: columns.moment("since")?,
            form: columns.number_or_none::<u32, _>("form")?,
        })
    }
}

impl Table for VendingKeyRecord {
    const NAME: &'static str = "vending_key";
    const KEY: &'static str = "supply_group, revision, generation";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: vending_key_id(columns)?,
            state: columns.text("state")?,
            key_type: columns.coded("key_type", key_type)?,
            algorithm: columns.coded("algorithm", DecoderKeyGenerationAlgorithm::from_code)?,
            expiry: KeyExpiryNumber::from(columns.count::<u8>("expiry")?),
            base_date: columns.number::<u16, _>("base_date")?,
            activation: columns.moment("activation")?,
            expires: columns.moment("expires")?,
            refresh_days: columns.count("refresh_days")?,
            unit_limit: UnitLimit(columns.count_or_none("unit_limit")?),
            currency_limit: CurrencyLimit(columns.count_or_none("currency_limit")?),
            sub_classes: SubClassSet::from_bits(columns.count("sub_classes")?),
            check_value: columns.text_or_none("check_value")?,
            created: columns.moment("created")?,
            ended: columns.moment_or_none("ended")?,
            form: columns.number_or_none::<u32, _>("form")?,
        })
    }
}

impl Table for Authorisation {
    const NAME: &'static str = "authorisation";
    const KEY: &'static str = "number";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            number: columns.number::<u32, _>("number")?,
            group: columns.group("supply_group")?,
            module: columns.text("module")?,
            granted_by: columns.text("granted_by")?,
            granted: columns.moment("granted")?,
            valid_until: columns.moment("valid_until")?,
            location: columns.text("location")?,
            revoked: columns.moment_or_none("revoked")?,
            form: columns.number_or_none::<u32, _>("form")?,
        })
    }
}

impl Table for ModuleRecord {
    const NAME: &'static str = "module";
    const KEY: &'static str = "id";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: columns.text("id")?,
            fingerprint: columns.text("fingerprint")?,
            maker: columns.text("maker")?,
            model: columns.text("model")?,
            firmware: columns.text("firmware")?,
            enrolled: columns.moment("enrolled")?,
            revoked: columns.moment_or_none("revoked")?,
        })
    }
}

impl Table for AgreementRecord {
    const NAME: &'static str = "agreement";
    const KEY: &'static str = "module, request_digest";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            module: columns.text("module")?,
            request_digest: columns.bytes("request_digest")?,
            slot: columns.count("slot")?,
            answered: columns.moment("answered")?,
        })
    }
}

impl Table for KeyLoadRecord {
    const NAME: &'static str = "key_load";
    const KEY: &'static str = "serial";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            serial: columns.count("serial")?,
            module: columns.text("module")?,
            slot: columns.count("slot")?,
            nonce: columns.long_text("nonce")?,
            request_digest: columns.bytes("request_digest")?,
            created: columns.moment("created")?,
            expires: columns.moment("expires")?,
            groups: columns.groups_or_none("groups")?,
            transactions: columns.text_or_none("transactions")?,
            file: columns.long_text("file")?,
            keys: Vec::new(),
            left_out: Vec::new(),
        })
    }

    fn complete(&mut self, connection: &Connection) -> Result<(), StoreError> {
        let owner = ("serial", long("serial number", self.serial)?);
        self.keys = parts(connection, "loaded_key", owner, |columns| {
            Ok(LoadedKey {
                key: vending_key_id(columns)?,
                check_value: columns.text("check_value")?,
                issued_until: columns.moment("issued_until")?,
                unit_limit: UnitLimit(columns.count_or_none("unit_limit")?),
                currency_limit: CurrencyLimit(columns.count_or_none("currency_limit")?),
            })
        })?;
        self.left_out = parts(connection, "left_out_key", owner, |columns| {
            Ok(LeftOut { key: vending_key_id(columns)?, reason: columns.text("reason")? })
        })?;
        Ok(())
    }
}

impl Table for FormRecord {
    const NAME: &'static str = "form";
    const KEY: &'static str = "number";

    fn read(columns: &Columns<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            number: columns.number::<u32, _>("number")?,
            kind: columns.text("kind")?,
            state: columns.text("state")?,
            digest: columns.bytes("digest")?,
            document: columns.long_text("document")?,
            customer: columns.number_or_none::<u32, _>("customer")?,
            steps: Vec::new(),
        })
    }

    fn complete(&mut self, connection: &Connection) -> Result<(), StoreError> {
        self.steps = form_steps(connection, self.number)?;
        Ok(())
    }
}

/// The steps of a form, oldest first.
pub(super) fn form_steps(
    connection: &Connection,
    number: FormNumber,
) -> Result<Vec<FormStep>, StoreError> {
    parts(connection, "form_step", ("form", number.value().into()), |columns| {
        Ok(FormStep {
            state: columns.text("state")?,
            at: columns.moment("at")?,
            by: columns.text("by")?,
            note: columns.text("note")?,
        })
    })
}

fn vending_key_id(columns: &Columns<'_>) -> Result<VendingKeyId, StoreError> {
    Ok(VendingKeyId {
        group: columns.group("supply_group")?,
        revision: columns.number::<u8, _>("revision")?,
        generation: columns.count("generation")?,
    })
}

fn key_type(code: u8) -> Result<VendingKeyType, String> {
    let key_type = KeyType::try_from(code).map_err(|error| error.to_string())?;
    VendingKeyType::try_from(key_type).map_err(|error| error.to_string())
}
