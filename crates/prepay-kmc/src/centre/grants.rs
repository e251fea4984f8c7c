//! Key-use authorisations.

use prepay_basics::{Identifier, Moment};
use prepay_kmc_module::Authority;
use prepay_kmp::ModuleId;
use prepay_token::element::SupplyGroupCode;

use super::batch::Batch;
use super::{Answer, Centre, CommandError};
use crate::entity::{
    Action, Authorisation, AuthorisationNumber, FormNumber, LeftOutReason, Line, ModuleRecord,
    Signatory, SupplyGroup,
};
use crate::form::FingerprintText;
use crate::store::{CentreStore, RowKey, Versioned};

/// An authorisation to grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAuthorisation {
    /// The group.
    pub group: SupplyGroupCode,
    /// The module.
    pub module: ModuleId,
    /// The fingerprint of the module's public keys; `None` if the owner named none.
    pub module_fingerprint: Option<FingerprintText>,
    /// The owner's signatory who signed it.
    pub granted_by: Identifier,
    /// Until when it is valid.
    pub valid_until: Moment,
    /// Where the module is.
    pub location: Line,
}

impl<S: CentreStore> Centre<'_, S> {
    /// Grants an authorisation by hand, from a document that a signatory of the owner signed on paper. Needs
    /// two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`] for the group or the signatory,
    /// [`CommandError::NotOwner`], [`CommandError::Ended`] for a revoked signatory or module,
    /// [`CommandError::ModuleKey`] if the module is enrolled with other keys,
    /// [`CommandError::Value`] for a time that has passed.
    pub fn grant(&mut self, new: NewAuthorisation) -> Answer<AuthorisationNumber> {
        self.needs("grant an authorisation", Authority::DualControl)?;
        let signatory = self.row::<Signatory>(&new.granted_by)?.row;
        if let Some(since) = signatory.revoked {
            return Err(CommandError::Ended { row: RowKey::Signatory(signatory.name), since });
        }
        self.owned_group(new.group, signatory.customer)?;
        let mut batch = self.batch()?;
        let number = self.put_authorisation(&mut batch, new, None)?;
        self.commit(batch)?;
        Ok(number)
    }

    /// Revokes an authorisation. Needs an operator.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`], [`CommandError::Ended`].
    pub fn revoke_authorisation(&mut self, number: AuthorisationNumber) -> Answer<()> {
        self.needs("revoke an authorisation", Authority::Operating)?;
        let Versioned { mut row, version } = self.row::<Authorisation>(&number)?;
        if let Some(since) = row.revoked {
            return Err(CommandError::Ended { row: RowKey::Authorisation(number), since });
        }
        let mut batch = self.batch()?;
        row.revoked = Some(batch.at);
        let note = format!("group {}, module {}", row.group, row.module);
        batch.update(row, version);
        batch.journal(Action::AuthorisationRevoked, &format!("authorisation {number}"), &note);
        self.commit(batch)
    }

    /// Why an authorisation is not valid now, unless it is.
    ///
    /// # Errors
    ///
    /// [`CommandError::Store`], [`CommandError::NotThere`] if the store has lost a row.
    pub fn why_not(&self, row: &Authorisation) -> Answer<Option<LeftOutReason>> {
        if row.revoked.is_some() {
            return Ok(Some(LeftOutReason::AuthorisationRevoked));
        }
        if self.now() >= row.valid_until {
            return Ok(Some(LeftOutReason::AuthorisationEnded));
        }
        let signatory = self.row::<Signatory>(&row.granted_by)?.row;
        if signatory.revoked.is_some() {
            return Ok(Some(LeftOutReason::SignatoryRevoked));
        }
        let module = self.store.get::<ModuleRecord>(&row.module)?;
        if let (Some(named), Some(module)) = (&row.module_fingerprint, module)
            && *named != module.row.fingerprint
        {
            return Ok(Some(LeftOutReason::OtherModuleKey));
        }
        let owner = self.row::<SupplyGroup>(&row.group)?.row.owner;
        Ok((owner != signatory.customer).then_some(LeftOutReason::OwnerChanged))
    }

    /// Adds an authorisation to a batch. The module need not be enrolled yet.
    pub(super) fn put_authorisation(
        &self,
        batch: &mut Batch,
        new: NewAuthorisation,
        form: Option<FormNumber>,
    ) -> Answer<AuthorisationNumber> {
        let NewAuthorisation {
            group,
            module,
            module_fingerprint,
            granted_by,
            valid_until,
            location,
        } = new;
        if valid_until <= batch.at {
            let expected = format!("a time after {}", batch.at);
            let found = valid_until.to_string();
            return Err(CommandError::Value { what: "valid until", expected, found });
        }
        if let Some(Versioned { row, .. }) = self.store.get::<ModuleRecord>(&module)? {
            if let Some(since) = row.revoked {
                return Err(CommandError::Ended { row: RowKey::Module(row.id), since });
            }
            if let Some(named) = &module_fingerprint {
                check_module_key(&module, named, row.fingerprint.as_str())?;
            }
        }
        let number = batch.authorisation_number()?;
        let note = format!("group {group}, module {module}, until {valid_until}");
        batch.journal(Action::AuthorisationGranted, &format!("authorisation {number}"), &note);
        batch.insert(Authorisation {
            number,
            group,
            module,
            module_fingerprint: module_fingerprint.map(|text| Line::lossy(text.as_str())),
            granted_by,
            granted: batch.at,
            valid_until,
            location,
            revoked: None,
            form,
        });
        Ok(number)
    }
}

/// Checks that a module has the keys that a form or a person named.
pub(super) fn check_module_key(
    module: &ModuleId,
    named: &FingerprintText,
    found: &str,
) -> Answer<()> {
    if named.as_str() == found {
        return Ok(());
    }
    let (module, expected, found) = (module.clone(), named.to_string(), found.to_owned());
    Err(CommandError::ModuleKey { module, expected, found })
}
