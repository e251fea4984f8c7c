//! Forms at the centre: received, accepted or refused, carried out.

use prepay_kmc_module::Authority;
use prepay_kmp::CentreId;
use prepay_token::element::SupplyGroupCode;

use super::batch::Batch;
use super::people::compare_fingerprint;
use super::{Answer, Centre, CommandError, LoadAnswer};
use crate::entity::{
    Action, Customer, CustomerNumber, FormNumber, FormRecord, FormStep, KeyState, Line, Signatory,
    VendingKeyRecord,
};
use crate::form::{FormKind, FormState, SignedForm};
use crate::store::{CentreStore, Filter, RowKey, Versioned};

/// How far ahead of the centre's clock a time of signing may be, in seconds: one day.
const CLOCK_SKEW_SECONDS: u64 = 86_400;

/// What the centre adds when it accepts a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// New customer: the fingerprint that the customer read out, by phone or in person.
    pub fingerprint: Option<String>,
    /// Applications: the code to allocate. `None` for the one asked for, or else the lowest free one.
    pub group: Option<SupplyGroupCode>,
    /// Key-load file request: how many more tokens the module may issue.
    pub transactions: Option<u64>,
}

/// What accepting a form did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The form after this.
    pub form: FormRecord,
    /// The rows that it added or changed.
    pub rows: Vec<RowKey>,
    /// The key-load file, if the form asked for one.
    pub load: Option<LoadAnswer>,
}

impl<S: CentreStore> Centre<'_, S> {
    /// Receives a signed form and gives it a number. Needs an operator.
    ///
    /// # Errors
    ///
    /// [`CommandError::FormPurpose`], [`CommandError::FormCentre`] and [`CommandError::FormExpired`] for a form that
    /// was not signed for this centre, or too long ago; [`CommandError::FormReceived`] for the same form a second time; [`CommandError::NotThere`],
    /// [`CommandError::SignatoryTaken`], [`CommandError::SignatoryKey`],
    /// [`CommandError::SignatoryCustomer`] and [`CommandError::Ended`] for its signatory;
    /// [`CommandError::Value`] for a signature from the future.
    pub fn receive_form(&mut self, form: &SignedForm) -> Answer<FormNumber> {
        self.needs("receive a form", Authority::Operating)?;
        let mut batch = self.batch()?;
        self.check_addressee(form)?;
        let digest = form.digest();
        if let Some(Versioned { row, .. }) = self.store.find(&FormRecord::with_digest(&digest))? {
            return Err(CommandError::FormReceived { number: row.number, state: row.state });
        }
        let signed = form.signature().signed();
        if signed > batch.at.plus_seconds(CLOCK_SKEW_SECONDS) {
            let expected = format!("at most a day after {}", batch.at);
            let found = signed.to_string();
            return Err(CommandError::Value { what: "time of signing", expected, found });
        }
        let customer = self.check_signature(form)?;
        let number = batch.form_number()?;
        let mut record = FormRecord {
            number,
            kind: form.kind(),
            state: FormState::Signed,
            digest,
            document: form.text().into(),
            customer,
            steps: Vec::new(),
        };
        let note = format!("signed by {} at {signed}", form.signature().key().name());
        step(&batch, &mut record, FormState::Received, &note)?;
        batch.journal(Action::FormReceived, &format!("form {number}"), form.kind().code());
        batch.insert(record);
        self.commit(batch)?;
        Ok(number)
    }

    /// Accepts a form and does what it asks for, once. Needs an operator; two custodians for a new customer, a
    /// vending key or a transfer of ownership.
    ///
    /// # Errors
    ///
    /// [`CommandError::Transition`] unless it is received; [`CommandError::FormCentre`] and
    /// [`CommandError::FormExpired`] if the centre's keys were renewed or its time has passed meanwhile; any error of what it asks for. If the module fails
    /// to make a vending key, the form stays accepted, and [`Centre::finish_form`] tries again.
    pub fn accept_form(&mut self, number: FormNumber, decision: &Decision) -> Answer<Accepted> {
        let Versioned { row: mut record, version } = self.row::<FormRecord>(&number)?;
        self.needs("accept this form", authority(record.kind))?;
        can_step(&record, FormState::Accepted)?;
        let form = SignedForm::from_text(&record.document)?;
        self.check_addressee(&form)?;
        match self.check_signature(&form)? {
            Some(_) => {}
            None => compare_fingerprint(form.signature().key(), decision.fingerprint.as_deref())?,
        }
        let mut batch = self.batch()?;
        let effect = self.put_effect(&mut batch, &mut record, &form, decision)?;
        let names: Vec<String> = effect.rows.iter().map(ToString::to_string).collect();
        step(&batch, &mut record, FormState::Accepted, &names.join(", "))?;
        batch.journal(Action::FormAccepted, &format!("form {number}"), &names.join(", "));
        if effect.is_complete {
            step(&batch, &mut record, FormState::Done, "")?;
            batch.journal(Action::FormDone, &format!("form {number}"), "");
        }
        batch.update(record.clone(), version);
        self.commit(batch)?;
        if !effect.is_complete {
            record = self.finish_form(number)?;
        }
        Ok(Accepted { form: record, rows: effect.rows, load: effect.load })
    }

    /// Carries out an accepted form. Does nothing if the form is already done; otherwise needs the people who
    /// may accept it.
    ///
    /// # Errors
    ///
    /// [`CommandError::Transition`] unless it is accepted or done, [`CommandError::Forbidden`],
    /// [`CommandError::Module`].
    pub fn finish_form(&mut self, number: FormNumber) -> Answer<FormRecord> {
        let Versioned { row: mut record, version } = self.row::<FormRecord>(&number)?;
        if record.state == FormState::Done {
            return Ok(record);
        }
        can_step(&record, FormState::Done)?;
        self.needs("finish this form", authority(record.kind))?;
        let mut batch = self.batch()?;
        for key in self.keys_of(number)? {
            if key.state == KeyState::Requested {
                let found = self.row::<VendingKeyRecord>(&key.id)?;
                self.put_made(&mut batch, found)?;
            }
        }
        step(&batch, &mut record, FormState::Done, "")?;
        batch.journal(Action::FormDone, &format!("form {number}"), "");
        batch.update(record.clone(), version);
        self.commit(batch)?;
        Ok(record)
    }

    /// Finishes every command that was interrupted between store and module: makes requested keys, wipes retired ones whose
    /// time has come, and carries out accepted forms. Returns what it finished. Needs two custodians if there is anything to do.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::Module`], [`CommandError::Store`]. What was finished before
    /// the error stays finished.
    pub fn finish(&mut self) -> Answer<Vec<RowKey>> {
        let mut done = Vec::new();
        for form in self.rows::<FormRecord>(Filter::all())? {
            if form.state == FormState::Accepted {
                self.finish_form(form.number)?;
                done.push(RowKey::Form(form.number));
            }
        }
        for key in self.rows::<VendingKeyRecord>(Filter::all())? {
            if key.state == KeyState::Requested {
                self.finish_key(key.id)?;
                done.push(RowKey::VendingKey(key.id));
            }
        }
        let wiped = self.wipe_retired_keys()?;
        done.extend(wiped.iter().map(|key| RowKey::VendingKey(key.id)));
        Ok(done)
    }

    /// Refuses a form for a reason. Needs an operator.
    ///
    /// # Errors
    ///
    /// [`CommandError::Transition`] unless it is received, [`CommandError::Value`] without a reason.
    pub fn refuse_form(&mut self, number: FormNumber, reason: &Line) -> Answer<FormRecord> {
        self.needs("refuse a form", Authority::Operating)?;
        let Versioned { row: mut record, version } = self.row::<FormRecord>(&number)?;
        if reason.is_empty() {
            let expected = "a reason".to_owned();
            return Err(CommandError::Value { what: "reason", expected, found: String::new() });
        }
        let mut batch = self.batch()?;
        step(&batch, &mut record, FormState::Refused, reason.as_str())?;
        batch.journal(Action::FormRefused, &format!("form {number}"), reason.as_str());
        batch.update(record.clone(), version);
        self.commit(batch)?;
        Ok(record)
    }

    /// Checks that the form was signed for this centre, and that its time has not passed.
    fn check_addressee(&self, form: &SignedForm) -> Answer<()> {
        let own = self.module.identify()?;
        let found = form.signature().addressee();
        if found.is_test != own.is_test {
            return Err(CommandError::FormPurpose { is_test: own.is_test });
        }
        if found.centre != own.centre || found.fingerprint.as_str() != own.fingerprint {
            let text = |centre: &CentreId, fingerprint: &str| format!("{centre} {fingerprint}");
            return Err(CommandError::FormCentre {
                expected: text(&own.centre, &own.fingerprint),
                found: text(&found.centre, found.fingerprint.as_str()),
            });
        }
        let (expires, now) = (found.expires, self.now());
        if now > expires {
            return Err(CommandError::FormExpired { expires, now });
        }
        Ok(())
    }

    /// Checks that the signatory may sign the form. Returns for which customer, unless it is a new one.
    fn check_signature(&self, form: &SignedForm) -> Answer<Option<CustomerNumber>> {
        let key = form.signature().key();
        let Some(customer) = form.form().content().customer() else {
            return match self.store.get::<Signatory>(key.id())? {
                Some(found) => Err(CommandError::SignatoryTaken { name: found.row.name }),
                None => Ok(None),
            };
        };
        self.row::<Customer>(&customer)?;
        self.check_signatory(key, customer)?;
        Ok(Some(customer))
    }

    /// The vending keys requested by a form.
    fn keys_of(&self, number: FormNumber) -> Answer<Vec<VendingKeyRecord>> {
        let mut keys = self.rows::<VendingKeyRecord>(Filter::all())?;
        keys.retain(|key| key.form == Some(number));
        Ok(keys)
    }
}

/// Who may accept a form.
const fn authority(kind: FormKind) -> Authority {
    match kind {
        FormKind::NewCustomer | FormKind::VendingKeyRequest | FormKind::OwnershipTransfer => {
            Authority::DualControl
        }
        _ => Authority::Operating,
    }
}

fn can_step(record: &FormRecord, to: FormState) -> Answer<()> {
    let number = record.number;
    record.state.to(to).map_err(|step| CommandError::Transition { number, step })?;
    Ok(())
}

/// Takes a step and records it.
fn step(batch: &Batch, record: &mut FormRecord, to: FormState, note: &str) -> Answer<()> {
    can_step(record, to)?;
    record.state = to;
    let (at, by) = (batch.at, batch.actor.clone());
    record.steps.push(FormStep { state: to, at, by, note: Line::lossy(note) });
    Ok(())
}
