//! Customers and their signatories.

use prepay_basics::Identifier;
use prepay_kmc_module::Authority;
use prepay_kmp::SignatoryKey;

use super::batch::Batch;
use super::{Answer, Centre, CommandError};
use crate::entity::{Action, Customer, CustomerNumber, FormNumber, Line, Signatory};
use crate::form::key_text;
use crate::store::{CentreStore, RowKey, Versioned};

/// A customer to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCustomer {
    /// Its name. Not empty.
    pub organisation: Line,
    /// Whom to call.
    pub contact: Line,
    /// A telephone number or an e-mail address.
    pub address: Line,
}

impl<S: CentreStore> Centre<'_, S> {
    /// Adds a customer by hand, without a form. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::Value`] for an empty organisation.
    pub fn add_customer(&mut self, new: NewCustomer) -> Answer<CustomerNumber> {
        self.needs("add a customer", Authority::DualControl)?;
        let mut batch = self.batch()?;
        let number = put_customer(&mut batch, new, None)?;
        self.commit(batch)?;
        Ok(number)
    }

    /// Changes a customer's contact and address. Needs an operator.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`].
    pub fn change_contact(
        &mut self,
        number: CustomerNumber,
        contact: Line,
        address: Line,
    ) -> Answer<()> {
        self.needs("change a customer's contact", Authority::Operating)?;
        let Versioned { row, version } = self.row::<Customer>(&number)?;
        let mut batch = self.batch()?;
        batch.update(Customer { contact, address, ..row }, version);
        batch.journal(Action::CustomerChanged, &format!("customer {number}"), "");
        self.commit(batch)
    }

    /// Registers a signatory. `fingerprint` is what the customer read out, by phone or in person; spaces and the
    /// case of letters do not matter. Repeating it changes nothing. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`] for the customer,
    /// [`CommandError::Fingerprint`], [`CommandError::SignatoryKey`] and
    /// [`CommandError::SignatoryCustomer`] if the name is registered otherwise, [`CommandError::Ended`].
    pub fn register_signatory(
        &mut self,
        customer: CustomerNumber,
        key: &SignatoryKey,
        fingerprint: &str,
    ) -> Answer<()> {
        self.needs("register a signatory", Authority::DualControl)?;
        self.row::<Customer>(&customer)?;
        compare_fingerprint(key, Some(fingerprint))?;
        if self.store.get::<Signatory>(key.id())?.is_some() {
            return self.check_signatory(key, customer);
        }
        let mut batch = self.batch()?;
        put_signatory(&mut batch, customer, key);
        self.commit(batch)
    }

    /// Revokes a signatory. Signatures and authorisations of that signatory are no longer valid. Needs an
    /// operator.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`], [`CommandError::Ended`].
    pub fn revoke_signatory(&mut self, name: &Identifier) -> Answer<()> {
        self.needs("revoke a signatory", Authority::Operating)?;
        let Versioned { mut row, version } = self.row::<Signatory>(name)?;
        if let Some(since) = row.revoked {
            return Err(CommandError::Ended { row: RowKey::Signatory(name.clone()), since });
        }
        let mut batch = self.batch()?;
        row.revoked = Some(batch.at);
        batch.update(row, version);
        batch.journal(Action::SignatoryRevoked, &format!("signatory {name}"), "");
        self.commit(batch)
    }

    /// Checks that a key belongs to a registered, unrevoked signatory of a customer.
    pub(super) fn check_signatory(
        &self,
        key: &SignatoryKey,
        customer: CustomerNumber,
    ) -> Answer<()> {
        let row = self.row::<Signatory>(key.id())?.row;
        if *row.public_key != *key_text(key) {
            return Err(CommandError::SignatoryKey { name: row.name });
        }
        if row.customer != customer {
            let (name, expected) = (row.name, row.customer);
            return Err(CommandError::SignatoryCustomer { name, expected, found: customer });
        }
        match row.revoked {
            Some(since) => Err(CommandError::Ended { row: RowKey::Signatory(row.name), since }),
            None => Ok(()),
        }
    }
}

/// Compares the fingerprint of a key with what the customer read out.
pub(super) fn compare_fingerprint(key: &SignatoryKey, expected: Option<&str>) -> Answer<()> {
    let found = key.fingerprint();
    if expected.is_some_and(|expected| found.matches(expected)) {
        return Ok(());
    }
    Err(CommandError::Fingerprint {
        name: key.id().clone(),
        expected: expected.map(str::to_owned),
        found: found.to_string(),
    })
}

/// Adds a customer to a batch.
pub(super) fn put_customer(
    batch: &mut Batch,
    new: NewCustomer,
    form: Option<FormNumber>,
) -> Answer<CustomerNumber> {
    let NewCustomer { organisation, contact, address } = new;
    if organisation.is_empty() {
        let expected = "a name".to_owned();
        return Err(CommandError::Value { what: "organisation", expected, found: String::new() });
    }
    let number = batch.customer_number()?;
    batch.journal(Action::CustomerAdded, &format!("customer {number}"), organisation.as_str());
    let created = batch.at;
    batch.insert(Customer { number, organisation, contact, address, created, form });
    Ok(number)
}

/// Adds a signatory to a batch.
pub(super) fn put_signatory(batch: &mut Batch, customer: CustomerNumber, key: &SignatoryKey) {
    let fingerprint = key.fingerprint().to_string();
    let subject = format!("signatory {}", key.id());
    batch.journal(Action::SignatoryRegistered, &subject, &format!("customer {customer}"));
    batch.insert(Signatory {
        name: key.id().clone(),
        customer,
        public_key: key_text(key).into(),
        fingerprint: Line::lossy(&fingerprint),
        registered: batch.at,
        revoked: None,
    });
}
