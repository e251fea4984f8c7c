//! What accepting each form does.

use prepay_kmc_module::CentreError;
use prepay_kmp::attribute::VendingKeyType;
use prepay_kmp::read_as;

use super::batch::Batch;
use super::grants::check_module_key;
use super::people::{put_customer, put_signatory};
use super::{
    Answer, Centre, CommandError, Decision, KeyTerms, LoadAnswer, LoadOptions, NewAuthorisation,
    NewCustomer, NewGroup, NewKey,
};
use crate::entity::FormRecord;
use crate::form::{Content, KeyLoadRequest, SignedForm, VendingKeyRequest};
use crate::store::{CentreStore, RowKey};

/// What accepting a form does.
#[derive(Default)]
pub(super) struct Effect {
    /// The rows that it adds or changes.
    pub(super) rows: Vec<RowKey>,
    /// The key-load file.
    pub(super) load: Option<LoadAnswer>,
    /// Whether the commit completes the form.
    pub(super) is_complete: bool,
}

impl Effect {
    fn complete(rows: Vec<RowKey>) -> Self {
        Self { rows, load: None, is_complete: true }
    }
}

impl<S: CentreStore> Centre<'_, S> {
    /// Adds what a form asks for to a batch.
    pub(super) fn put_effect(
        &self,
        batch: &mut Batch,
        record: &mut FormRecord,
        signed: &SignedForm,
        decision: &Decision,
    ) -> Answer<Effect> {
        let (key, number) = (signed.signature().key(), Some(record.number));
        match signed.form().content().clone() {
            Content::NewCustomer(form) => {
                let new = NewCustomer {
                    organisation: form.organisation,
                    contact: form.contact,
                    address: form.address,
                };
                let customer = put_customer(batch, new, number)?;
                put_signatory(batch, customer, key);
                record.customer = Some(customer);
                let signatory = RowKey::Signatory(key.id().clone());
                Ok(Effect::complete(vec![RowKey::Customer(customer), signatory]))
            }
            Content::GroupApplication(form) => {
                let new = NewGroup {
                    code: decision.group.or(form.group),
                    key_type: form.key_type,
                    owner: form.customer,
                    name: form.name,
                    area: form.area,
                    service: form.service,
                    cluster: form.cluster.unwrap_or_default(),
                };
                let code = self.put_group(batch, new, number)?;
                Ok(Effect::complete(vec![RowKey::Group(code)]))
            }
            Content::DefaultGroup(form) => {
                let new = NewGroup {
                    code: decision.group.or(form.group),
                    key_type: VendingKeyType::DEFAULT,
                    owner: form.customer,
                    name: form.name,
                    area: form.area,
                    service: form.service,
                    cluster: form.cluster.unwrap_or_default(),
                };
                let code = self.put_group(batch, new, number)?;
                Ok(Effect::complete(vec![RowKey::Group(code)]))
            }
            Content::VendingKeyRequest(form) => {
                self.owned_group(form.group, form.customer)?;
                let id = self.put_key(batch, &new_key(&form), number)?;
                Ok(Effect { rows: vec![RowKey::VendingKey(id)], ..Effect::default() })
            }
            Content::KeyUseAuthorisation(form) => {
                let mut rows = Vec::new();
                for group in form.groups {
                    self.owned_group(group, form.customer)?;
                    let new = NewAuthorisation {
                        group,
                        module: form.module.clone(),
                        module_fingerprint: Some(form.module_fingerprint.clone()),
                        granted_by: key.id().clone(),
                        valid_until: form.valid_until,
                        location: form.location.clone(),
                    };
                    rows.push(RowKey::Authorisation(self.put_authorisation(batch, new, number)?));
                }
                Ok(Effect::complete(rows))
            }
            Content::GroupNameChange(form) => {
                self.owned_group(form.group, form.customer)?;
                self.put_name(batch, form.group, form.name)?;
                Ok(Effect::complete(vec![RowKey::Group(form.group)]))
            }
            Content::OwnershipTransfer(form) => {
                self.owned_group(form.group, form.customer)?;
                self.put_owner(batch, form.group, form.new_owner, number)?;
                Ok(Effect::complete(vec![RowKey::Group(form.group)]))
            }
            Content::KeyLoadRequest(form) => self.put_requested_load(batch, form, decision),
        }
    }

    /// Builds the file at once. If no key may go into it, the form stays received and can be refused.
    fn put_requested_load(
        &self,
        batch: &mut Batch,
        form: KeyLoadRequest,
        decision: &Decision,
    ) -> Answer<Effect> {
        let request = read_as(form.request.0.as_bytes()).map_err(CentreError::from)?;
        let request = self.module.read_key_load_request(&request)?;
        let (expected, found) = (form.module, request.module.id().clone().into());
        if expected != found {
            return Err(CommandError::OtherModule { expected, found });
        }
        let fingerprint = request.sender().fingerprint().to_string();
        check_module_key(&found, &form.module_fingerprint, &fingerprint)?;
        let options = LoadOptions { groups: form.groups, transactions: decision.transactions };
        let load = self.put_load(batch, &request, &options)?;
        let rows = vec![RowKey::KeyLoad(load.load.serial)];
        Ok(Effect { rows, load: Some(load), is_complete: true })
    }
}

fn new_key(form: &VendingKeyRequest) -> NewKey {
    NewKey {
        group: form.group,
        revision: form.revision,
        algorithm: form.algorithm,
        expiry: form.key_expiry,
        base_date: form.base_date,
        activation: form.activation,
        terms: KeyTerms {
            expires: form.expires,
            refresh_days: form.refresh_days.0,
            unit_limit: form.unit_limit.unwrap_or_default(),
            currency_limit: form.currency_limit.unwrap_or_default(),
        },
        sub_classes: form.sub_classes,
    }
}
