//! Supply groups: allocation, names, owners.

use prepay_kmc_module::Authority;
use prepay_kmp::attribute::{Cluster, GroupName, VendingKeyType};
use prepay_token::element::{Service, SupplyGroupCode};

use super::batch::Batch;
use super::{Answer, Centre, CommandError};
use crate::entity::{Action, Customer, CustomerNumber, FormNumber, Line, Ownership, SupplyGroup};
use crate::store::{CentreStore, Filter, Versioned};

/// A supply group to allocate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGroup {
    /// Its code; `None` for the lowest free one, from 000001.
    pub code: Option<SupplyGroupCode>,
    /// Default, unique or common.
    pub key_type: VendingKeyType,
    /// Who owns it.
    pub owner: CustomerNumber,
    /// Its name.
    pub name: GroupName,
    /// Where its meters are.
    pub area: Line,
    /// What its meters measure.
    pub service: Service,
    /// Its cluster.
    pub cluster: Cluster,
}

impl<S: CentreStore> Centre<'_, S> {
    /// Allocates a supply group by hand, without a form. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`] for the owner, [`CommandError::GroupTaken`].
    pub fn allocate_group(&mut self, new: NewGroup) -> Answer<SupplyGroupCode> {
        self.needs("allocate a supply group", Authority::DualControl)?;
        let mut batch = self.batch()?;
        let code = self.put_group(&mut batch, new, None)?;
        self.commit(batch)?;
        Ok(code)
    }

    /// Renames a supply group. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`].
    pub fn rename_group(&mut self, code: SupplyGroupCode, name: GroupName) -> Answer<()> {
        self.needs("rename a supply group", Authority::DualControl)?;
        let mut batch = self.batch()?;
        self.put_name(&mut batch, code, name)?;
        self.commit(batch)
    }

    /// Transfers a supply group to another customer. The former owner's authorisations for it end. Needs two
    /// custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`], [`CommandError::Value`] if that customer
    /// already owns it.
    pub fn transfer_group(&mut self, code: SupplyGroupCode, to: CustomerNumber) -> Answer<()> {
        self.needs("transfer a supply group", Authority::DualControl)?;
        let mut batch = self.batch()?;
        self.put_owner(&mut batch, code, to, None)?;
        self.commit(batch)
    }

    /// The group, if this customer owns it.
    pub(super) fn owned_group(
        &self,
        code: SupplyGroupCode,
        customer: CustomerNumber,
    ) -> Answer<Versioned<SupplyGroup>> {
        let group = self.row::<SupplyGroup>(&code)?;
        let owner = group.row.owner;
        if owner == customer {
            Ok(group)
        } else {
            Err(CommandError::NotOwner { group: code, owner, found: customer })
        }
    }

    /// The lowest free code.
    fn free_code(&self) -> Answer<SupplyGroupCode> {
        let taken = self.rows::<SupplyGroup>(Filter::all())?;
        let mut taken = taken.iter().map(|group| group.code.value()).peekable();
        taken.next_if_eq(&0);
        let free = (1..=999_999).find(|code| taken.next_if_eq(code).is_none());
        let free = free.and_then(|code| SupplyGroupCode::try_from(code).ok());
        free.ok_or(CommandError::NumbersUsedUp { what: "supply groups" })
    }

    pub(super) fn put_group(
        &self,
        batch: &mut Batch,
        new: NewGroup,
        form: Option<FormNumber>,
    ) -> Answer<SupplyGroupCode> {
        let NewGroup { code, key_type, owner, name, area, service, cluster } = new;
        self.row::<Customer>(&owner)?;
        let code = match code {
            Some(code) => code,
            None => self.free_code()?,
        };
        if self.store.get::<SupplyGroup>(&code)?.is_some() {
            return Err(CommandError::GroupTaken { group: code });
        }
        let created = batch.at;
        let note = format!("customer {owner}, {} key", key_type.key_type().decoder_key_name());
        batch.journal(Action::GroupAllocated, &format!("group {code}"), &note);
        batch.insert(SupplyGroup { code, key_type, owner, name, area, service, cluster, created });
        batch.insert(Ownership { group: code, sequence: 1, owner, since: created, form });
        Ok(code)
    }

    pub(super) fn put_name(
        &self,
        batch: &mut Batch,
        code: SupplyGroupCode,
        name: GroupName,
    ) -> Answer<()> {
        let Versioned { mut row, version } = self.row::<SupplyGroup>(&code)?;
        batch.journal(Action::GroupRenamed, &format!("group {code}"), name.as_str());
        row.name = name;
        batch.update(row, version);
        Ok(())
    }

    pub(super) fn put_owner(
        &self,
        batch: &mut Batch,
        code: SupplyGroupCode,
        to: CustomerNumber,
        form: Option<FormNumber>,
    ) -> Answer<()> {
        let Versioned { mut row, version } = self.row::<SupplyGroup>(&code)?;
        self.row::<Customer>(&to)?;
        if row.owner == to {
            let expected = "another customer".to_owned();
            let found = to.to_string();
            return Err(CommandError::Value { what: "new owner", expected, found });
        }
        let sequence =
            self.rows(Ownership::of_group(code))?.last().map_or(0, |last| last.sequence) + 1;
        let note = format!("from customer {} to customer {to}", row.owner);
        batch.journal(Action::GroupTransferred, &format!("group {code}"), &note);
        row.owner = to;
        batch.update(row, version);
        let since = batch.at;
        batch.insert(Ownership { group: code, sequence, owner: to, since, form });
        Ok(())
    }
}
