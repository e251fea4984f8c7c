//! Security modules: enrol them, answer them, revoke them.

use prepay_kmc_module::{AgreementAnswer, Authority, CentreError};
use prepay_kmp::{AgreementRequest, ModuleEnrolment, ModuleId, Unverified};

use super::{Answer, Centre, CommandError};
use crate::entity::{Action, AgreementRecord, Line, ModuleRecord};
use crate::store::{CentreStore, RowKey, Versioned};

impl<S: CentreStore> Centre<'_, S> {
    /// Enrols a module. `fingerprint` is what its custodians read out, by phone or in person. Repeating it
    /// changes nothing. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::Module`] with all that
    /// [`accept_module`](prepay_kmc_module::CentreModule::accept_module) refuses.
    pub fn enrol_module(
        &mut self,
        enrolment: &ModuleEnrolment,
        fingerprint: &str,
    ) -> Answer<ModuleRecord> {
        self.needs("enrol a module", Authority::DualControl)?;
        let mut batch = self.batch()?;
        let report = self.module.accept_module(enrolment, fingerprint)?;
        if let Some(found) = self.store.get::<ModuleRecord>(&report.details.module)? {
            return Ok(found.row);
        }
        let details = report.details;
        let row = ModuleRecord {
            id: details.module,
            fingerprint: Line::lossy(&details.fingerprint),
            maker: Line::lossy(&details.maker),
            model: Line::lossy(&details.model),
            firmware: Line::lossy(&details.firmware),
            enrolled: batch.at,
            revoked: None,
        };
        batch.insert(row.clone());
        let subject = format!("module {}", row.id);
        batch.journal(Action::ModuleEnrolled, &subject, row.fingerprint.as_str());
        self.commit(batch)?;
        Ok(row)
    }

    /// Revokes a module: the centre no longer answers it. If interrupted, repeat it. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`], [`CommandError::Module`].
    pub fn revoke_module(&mut self, id: &ModuleId) -> Answer<()> {
        self.needs("revoke a module", Authority::DualControl)?;
        if let Some(Versioned { mut row, version }) = self.store.get::<ModuleRecord>(id)?
            && row.revoked.is_none()
        {
            let mut batch = self.batch()?;
            row.revoked = Some(batch.at);
            batch.update(row, version);
            batch.journal(Action::ModuleRevoked, &format!("module {id}"), "");
            self.commit(batch)?;
        }
        // An interrupted enrolment leaves a module without a row: the module alone revokes it.
        match self.module.revoke_module(id) {
            Err(CentreError::ModuleUnknown { module }) => {
                Err(CommandError::NotThere { row: RowKey::Module(module) })
            }
            other => Ok(other?),
        }
    }

    /// Answers a module's agreement request. Repeating the request gives the same answer. Needs an operator.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::Module`], [`CommandError::NotThere`] if the module has no
    /// row (enrol it again), [`CommandError::Ended`] if it is revoked.
    pub fn answer_agreement(
        &mut self,
        request: &Unverified<AgreementRequest>,
    ) -> Answer<AgreementAnswer> {
        self.needs("answer an agreement request", Authority::Operating)?;
        let mut batch = self.batch()?;
        let asked = self.module.read_agreement_request(request)?;
        self.serving(&asked.module.id().clone().into())?;
        let answer = self.module.answer_agreement(&asked)?;
        let request_digest = asked.digest();
        if self.store.get::<AgreementRecord>(&(answer.module.clone(), request_digest))?.is_some() {
            return Ok(answer);
        }
        let (module, slot, answered) = (answer.module.clone(), answer.slot, batch.at);
        let note = format!("slot {slot}");
        batch.journal(Action::AgreementAnswered, &format!("module {module}"), &note);
        batch.insert(AgreementRecord { module, request_digest, slot, answered });
        self.commit(batch)?;
        Ok(answer)
    }

    /// The row of an enrolled module that is not revoked.
    pub(super) fn serving(&self, id: &ModuleId) -> Answer<ModuleRecord> {
        let row = self.row::<ModuleRecord>(id)?.row;
        match row.revoked {
            Some(since) => Err(CommandError::Ended { row: RowKey::Module(row.id), since }),
            None => Ok(row),
        }
    }
}
