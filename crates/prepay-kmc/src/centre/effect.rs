//! What accepting each form does.

use prepay_kmp::attribute::Cluster;

use super::batch::Batch;
use super::people::{put_customer, put_signatory};
use super::{
    Answer, Centre, CommandError, Decision, KeyTerms, LoadAnswer, LoadOptions, NewAuthorisation,
    NewCustomer, NewGroup, NewKey,
};
use crate::entity::{CustomerNumber, FormRecord};
use crate::form::{CheckedForm, FormKind, SignedForm, base_date, days, groups, number, service};
use crate::store::{CentreStore, RowKey};

/// What accepting a form does.
#[derive(Default)]
pub(super) struct Effect {
    /// The rows that it makes or changes.
    pub(super) rows: Vec<RowKey>,
    /// The key-load file.
    pub(super) load: Option<LoadAnswer>,
    /// Whether nothing is left to do after the commit.
    pub(super) is_complete: bool,
}

impl Effect {
    fn complete(rows: Vec<RowKey>) -> Self {
        Self { rows, load: None, is_complete: true }
    }
}

impl<S: CentreStore> Centre<'_, S> {
    /// Adds what a form asks to a batch.
    pub(super) fn put_effect(
        &self,
        batch: &mut Batch,
        record: &mut FormRecord,
        signed: &SignedForm,
        decision: &Decision,
    ) -> Answer<Effect> {
        let form = signed.form();
        match signed.kind() {
            FormKind::NewCustomer => {
                let new = NewCustomer {
                    organisation: form.get("organisation")?,
                    contact: form.get("contact")?,
                    address: form.get("address")?,
                };
                let key = signed.signature().key();
                let customer = put_customer(batch, new, Some(record.number))?;
                put_signatory(batch, customer, key);
                record.customer = Some(customer);
                let signatory = RowKey::Signatory(key.id().clone());
                Ok(Effect::complete(vec![RowKey::Customer(customer), signatory]))
            }
            FormKind::GroupApplication | FormKind::DefaultGroup => {
                let code =
                    self.put_group(batch, new_group(form, decision)?, Some(record.number))?;
                Ok(Effect::complete(vec![RowKey::Group(code)]))
            }
            FormKind::VendingKeyRequest => {
                let new = new_key(form)?;
                self.owned_group(new.group, form.get("customer")?)?;
                let id = self.put_key(batch, &new, Some(record.number))?;
                Ok(Effect { rows: vec![RowKey::VendingKey(id)], ..Effect::default() })
            }
            FormKind::KeyUseAuthorisation => self.put_authorisations(batch, record, signed),
            FormKind::GroupNameChange => {
                let code = form.get("group")?;
                self.owned_group(code, form.get("customer")?)?;
                self.put_name(batch, code, form.get("name")?)?;
                Ok(Effect::complete(vec![RowKey::Group(code)]))
            }
            FormKind::OwnershipTransfer => {
                let code = form.get("group")?;
                self.owned_group(code, form.get("customer")?)?;
                self.put_owner(batch, code, form.get("new_owner")?, Some(record.number))?;
                Ok(Effect::complete(vec![RowKey::Group(code)]))
            }
            FormKind::KeyLoadRequest => self.put_requested_load(batch, form, decision),
        }
    }

    fn put_authorisations(
        &self,
        batch: &mut Batch,
        record: &FormRecord,
        signed: &SignedForm,
    ) -> Answer<Effect> {
        let form = signed.form();
        let customer: CustomerNumber = form.get("customer")?;
        let mut rows = Vec::new();
        for group in form.get_by("groups", groups)? {
            self.owned_group(group, customer)?;
            let new = NewAuthorisation {
                group,
                module: form.get("module")?,
                granted_by: signed.signature().key().id().clone(),
                valid_until: form.get("valid_until")?,
                location: form.get("location")?,
            };
            let number = self.put_authorisation(batch, new, Some(record.number))?;
            rows.push(RowKey::Authorisation(number));
        }
        Ok(Effect::complete(rows))
    }

    /// Builds the file at once: when nothing may go into it, the form stays received and can be refused.
    fn put_requested_load(
        &self,
        batch: &mut Batch,
        form: &CheckedForm,
        decision: &Decision,
    ) -> Answer<Effect> {
        let request: String = form.get("request")?;
        let (expected, found) =
            (form.get("module")?, self.module.read_key_load_request(&request)?.module);
        if expected != found {
            return Err(CommandError::OtherModule { expected, found });
        }
        let options = LoadOptions {
            groups: form.draft().value("groups").and_then(groups),
            transactions: decision.transactions,
        };
        let load = self.put_load(batch, &request, &options)?;
        let rows = vec![RowKey::KeyLoad(load.load.serial)];
        Ok(Effect { rows, load: Some(load), is_complete: true })
    }
}

fn new_group(form: &CheckedForm, decision: &Decision) -> Answer<NewGroup> {
    Ok(NewGroup {
        code: decision.group.or(form.find("group")),
        key_type: form.key_type(),
        owner: form.get("customer")?,
        name: form.get("name")?,
        area: form.get("area")?,
        service: form.get_by("service", service)?,
        cluster: Cluster(form.draft().value("cluster").and_then(number).unwrap_or_default()),
    })
}

fn new_key(form: &CheckedForm) -> Answer<NewKey> {
    Ok(NewKey {
        group: form.get("group")?,
        revision: form.find("revision"),
        algorithm: form.get("algorithm")?,
        expiry: form.get_by("key_expiry", number::<u8>)?.into(),
        base_date: form.get_by("base_date", base_date)?,
        activation: form.get("activation")?,
        terms: KeyTerms {
            expires: form.get("expires")?,
            refresh_days: form.get_by("refresh_days", days)?,
            unit_limit: form.find("unit_limit").unwrap_or_default(),
            currency_limit: form.find("currency_limit").unwrap_or_default(),
        },
        sub_classes: form.find("sub_classes"),
    })
}
