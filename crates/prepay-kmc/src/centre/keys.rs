//! Vending keys: request, roll, refresh, revoke, retire. Their bytes stay in the centre's module.

use prepay_basics::Moment;
use prepay_kmc_module::{Authority, CentreError};
use prepay_kmp::attribute::{CurrencyLimit, SubClassSet, UnitLimit};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber, SupplyGroupCode,
};

use super::batch::Batch;
use super::{Answer, Centre, CommandError};
use crate::entity::{
    Action, FormNumber, KeyState, SupplyGroup, VendingKeyId, VendingKeyRecord, life_faults,
};
use crate::store::{CentreStore, Filter, RowKey, Versioned};

/// How long after the command a retired key is wiped: 24 hours, in which two custodians can take it back.
pub const RETIRES_AFTER_SECONDS: u64 = 24 * 3600;

/// A vending key to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The group.
    pub group: SupplyGroupCode,
    /// The revision; `None` for the next one. The first key of a group may have any; later ones only the next,
    /// except in a test centre.
    pub revision: Option<KeyRevisionNumber>,
    /// DKGA.
    pub algorithm: DecoderKeyGenerationAlgorithm,
    /// KEN.
    pub expiry: KeyExpiryNumber,
    /// BDT.
    pub base_date: BaseDate,
    /// ACT.
    pub activation: Moment,
    /// The terms, which can be changed later.
    pub terms: KeyTerms,
    /// Which sub-classes of class 0 it may issue; `None` for all, or in a default group for none.
    pub sub_classes: Option<SubClassSet>,
}

/// The terms of a vending key, which can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyTerms {
    /// EXP.
    pub expires: Moment,
    /// Refresh period in days, 1 to 36 500.
    pub refresh_days: u16,
    /// ULM.
    pub unit_limit: UnitLimit,
    /// CLM.
    pub currency_limit: CurrencyLimit,
}

impl VendingKeyRecord {
    /// Its terms.
    pub const fn terms(&self) -> KeyTerms {
        KeyTerms {
            expires: self.expires,
            refresh_days: self.refresh_days,
            unit_limit: self.unit_limit,
            currency_limit: self.currency_limit,
        }
    }

    /// IUT of a load made now: the refresh period from now, but at most EXP.
    pub fn issued_until(&self, now: Moment) -> Moment {
        now.plus_days(self.refresh_days.into()).min(self.expires)
    }
}

impl<S: CentreStore> Centre<'_, S> {
    /// The vending key of a group and revision that is not retired.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotThere`].
    pub fn vending_key_of(
        &self,
        group: SupplyGroupCode,
        revision: KeyRevisionNumber,
    ) -> Answer<Versioned<VendingKeyRecord>> {
        let keys = self.rows(VendingKeyRecord::of_group(group))?;
        let found =
            keys.iter().find(|key| key.id.revision == revision && key.state != KeyState::Retired);
        let id = VendingKeyId { group, revision, generation: 1 };
        self.row::<VendingKeyRecord>(&found.map_or(id, |key| key.id))
    }

    /// The newest vending key of a group, retired or not: a roll starts from it.
    ///
    /// # Errors
    ///
    /// [`CommandError::Store`].
    pub fn newest_key(&self, group: SupplyGroupCode) -> Answer<Option<VendingKeyRecord>> {
        Ok(self
            .rows(VendingKeyRecord::of_group(group))?
            .into_iter()
            .max_by_key(|key| key.id.generation))
    }

    /// Makes a vending key by hand, without a form: the first of a group, or the next revision. Needs two
    /// custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`] for the group, [`CommandError::Revision`],
    /// [`CommandError::RevisionInUse`], [`CommandError::Value`] for dates that contradict each other. If the
    /// module or the second commit fails, the key stays requested, and [`Centre::finish_key`] tries again.
    pub fn request_key(&mut self, new: &NewKey) -> Answer<VendingKeyRecord> {
        self.needs("make a vending key", Authority::DualControl)?;
        let mut batch = self.batch()?;
        let id = self.put_key(&mut batch, new, None)?;
        self.commit(batch)?;
        self.finish_key(id)
    }

    /// Makes a requested key. Does nothing if the key is already live; otherwise needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::NotThere`], [`CommandError::KeyState`], [`CommandError::Forbidden`],
    /// [`CommandError::Module`].
    pub fn finish_key(&mut self, id: VendingKeyId) -> Answer<VendingKeyRecord> {
        let found = self.row::<VendingKeyRecord>(&id)?;
        match found.row.state {
            KeyState::Live => return Ok(found.row),
            KeyState::Requested => {}
            state => return Err(key_state(id, KeyState::Requested, state)),
        }
        self.needs("make a vending key", Authority::DualControl)?;
        let mut batch = self.batch()?;
        let row = self.put_made(&mut batch, found)?;
        self.commit(batch)?;
        Ok(row)
    }

    /// Refreshes a key: changes EXP, the refresh period and the limits for the next loads. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`], [`CommandError::KeyState`] unless it is live,
    /// [`CommandError::Value`].
    pub fn refresh_key(&mut self, id: VendingKeyId, terms: KeyTerms) -> Answer<VendingKeyRecord> {
        self.needs("refresh a vending key", Authority::DualControl)?;
        let Versioned { mut row, version } = self.row::<VendingKeyRecord>(&id)?;
        if row.state != KeyState::Live {
            return Err(key_state(id, KeyState::Live, row.state));
        }
        check_terms(&terms, row.activation)?;
        row.expires = terms.expires;
        row.refresh_days = terms.refresh_days;
        row.unit_limit = terms.unit_limit;
        row.currency_limit = terms.currency_limit;
        let mut batch = self.batch()?;
        let note = format!("until {}, {} days per load", row.expires, row.refresh_days);
        batch.journal(Action::KeyRefreshed, &id.to_string(), &note);
        batch.update(row.clone(), version);
        self.commit(batch)?;
        Ok(row)
    }

    /// Revokes a vending key: it no longer goes into key-load files. Modules that hold it can use it until IUT
    /// of their last load. Needs an operator.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`], [`CommandError::KeyState`] unless it is live.
    pub fn revoke_key(&mut self, id: VendingKeyId) -> Answer<()> {
        self.needs("revoke a vending key", Authority::Operating)?;
        let Versioned { mut row, version } = self.row::<VendingKeyRecord>(&id)?;
        if row.state != KeyState::Live {
            return Err(key_state(id, KeyState::Live, row.state));
        }
        let mut batch = self.batch()?;
        row.state = KeyState::Revoked;
        row.ended = Some(batch.at);
        batch.update(row, version);
        batch.journal(Action::KeyRevoked, &id.to_string(), "");
        self.commit(batch)
    }

    /// Retires a revoked vending key: after [`RETIRES_AFTER_SECONDS`] the centre's module wipes it and its revision is free.
    /// A key that was requested and never made is retired at once. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`], [`CommandError::KeyState`] unless it is revoked,
    /// [`CommandError::Ended`] if it is already retired, [`CommandError::Module`].
    pub fn retire_key(&mut self, id: VendingKeyId) -> Answer<VendingKeyRecord> {
        self.needs("retire a vending key", Authority::DualControl)?;
        let Versioned { mut row, version } = self.row::<VendingKeyRecord>(&id)?;
        let mut batch = self.batch()?;
        match row.state {
            KeyState::Revoked => {}
            KeyState::Requested => return self.wipe_key(Versioned { row, version }),
            KeyState::Retired => return Err(ended(&row)),
            state => return Err(key_state(id, KeyState::Revoked, state)),
        }
        let at = batch.at.plus_seconds(RETIRES_AFTER_SECONDS);
        row.state = KeyState::Retiring;
        row.ended = Some(at);
        batch.journal(Action::KeyRetiring, &id.to_string(), &format!("at {at}"));
        batch.update(row.clone(), version);
        self.commit(batch)?;
        Ok(row)
    }

    /// Takes back that a key is to be retired: it is revoked, as before. Needs two custodians.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::NotThere`], [`CommandError::KeyState`] unless it is retiring,
    /// [`CommandError::Ended`] if its time has come.
    pub fn unretire_key(&mut self, id: VendingKeyId) -> Answer<VendingKeyRecord> {
        self.needs("take back that a vending key is retired", Authority::DualControl)?;
        let Versioned { mut row, version } = self.row::<VendingKeyRecord>(&id)?;
        let mut batch = self.batch()?;
        match row.state {
            KeyState::Retiring if row.ended.is_some_and(|ended| batch.at < ended) => {}
            KeyState::Retiring | KeyState::Retired => return Err(ended(&row)),
            state => return Err(key_state(id, KeyState::Retiring, state)),
        }
        row.state = KeyState::Revoked;
        row.ended = Some(batch.at);
        batch.update(row.clone(), version);
        batch.journal(Action::KeyUnretired, &id.to_string(), "");
        self.commit(batch)?;
        Ok(row)
    }

    /// Wipes the retired keys whose time has come, and returns them. Needs two custodians if there are any.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::Module`], [`CommandError::Store`]. What was wiped before the error
    /// stays wiped.
    pub fn wipe_retired_keys(&mut self) -> Answer<Vec<VendingKeyRecord>> {
        let now = self.now();
        let mut due = self.rows::<VendingKeyRecord>(Filter::all())?;
        due.retain(|key| {
            key.state == KeyState::Retiring && key.ended.is_some_and(|ended| ended <= now)
        });
        due.into_iter().map(|key| self.wipe_key(self.row(&key.id)?)).collect()
    }

    /// Has the module wipe a key, and frees its revision.
    fn wipe_key(
        &mut self,
        Versioned { mut row, version }: Versioned<VendingKeyRecord>,
    ) -> Answer<VendingKeyRecord> {
        self.needs("wipe a vending key", Authority::DualControl)?;
        let mut batch = self.batch()?;
        match self.module.destroy_vending_key(row.id.group, row.id.revision) {
            // Already wiped by an interrupted command, or never made.
            Ok(_) | Err(CentreError::NoVendingKey { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        row.state = KeyState::Retired;
        row.ended = Some(batch.at);
        batch.update(row.clone(), version);
        batch.journal(Action::KeyRetired, &row.id.to_string(), "");
        self.commit(batch)?;
        Ok(row)
    }

    /// Group, revision and generation of a new key.
    fn next_id(&self, new: &NewKey) -> Answer<VendingKeyId> {
        let group = new.group;
        let keys = self.rows(VendingKeyRecord::of_group(group))?;
        let newest = keys.iter().max_by_key(|key| key.id.generation);
        let (revision, generation) = match (newest, new.revision) {
            (None, Some(revision)) => (revision, 1),
            (None, None) => (KeyRevisionNumber::try_from(1).expect("1 is a revision"), 1),
            (Some(newest), asked) => {
                let expected = newest.id.revision.next();
                let found = asked.unwrap_or(expected);
                if found != expected && !self.module.identify()?.is_test {
                    return Err(CommandError::Revision { group, expected, found });
                }
                (found, newest.id.generation + 1)
            }
        };
        let in_use =
            keys.iter().find(|key| key.id.revision == revision && key.state != KeyState::Retired);
        match in_use {
            Some(key) => Err(CommandError::RevisionInUse { key: key.id, state: key.state }),
            None => Ok(VendingKeyId { group, revision, generation }),
        }
    }

    /// Adds a requested key to a batch.
    pub(super) fn put_key(
        &self,
        batch: &mut Batch,
        new: &NewKey,
        form: Option<FormNumber>,
    ) -> Answer<VendingKeyId> {
        let group: SupplyGroup = self.row::<SupplyGroup>(&new.group)?.row;
        check_terms(&new.terms, new.activation)?;
        check_life(new)?;
        let id = self.next_id(new)?;
        let is_default = group.key_type == prepay_kmp::attribute::VendingKeyType::DEFAULT;
        let otherwise = if is_default { SubClassSet::NONE } else { SubClassSet::ALL };
        batch.insert(VendingKeyRecord {
            id,
            state: KeyState::Requested,
            key_type: group.key_type,
            algorithm: new.algorithm,
            expiry: new.expiry,
            base_date: new.base_date,
            activation: new.activation,
            expires: new.terms.expires,
            refresh_days: new.terms.refresh_days,
            unit_limit: new.terms.unit_limit,
            currency_limit: new.terms.currency_limit,
            sub_classes: new.sub_classes.unwrap_or(otherwise),
            check_value: None,
            created: batch.at,
            ended: None,
            form,
        });
        batch.journal(Action::KeyRequested, &id.to_string(), "");
        Ok(id)
    }

    /// Has the module make a requested key, and adds the live row to a batch.
    pub(super) fn put_made(
        &self,
        batch: &mut Batch,
        found: Versioned<VendingKeyRecord>,
    ) -> Answer<VendingKeyRecord> {
        let Versioned { mut row, version } = found;
        let VendingKeyId { group, revision, .. } = row.id;
        let made = self.module.generate_vending_key(group, revision, row.algorithm)?;
        row.state = KeyState::Live;
        row.check_value = Some(made.check_value);
        batch.update(row.clone(), version);
        batch.journal(Action::KeyMade, &row.id.to_string(), &made.check_value.to_string());
        Ok(row)
    }
}

fn check_life(new: &NewKey) -> Answer<()> {
    let [of_activation, of_expiry] = life_faults(new.base_date, new.activation, new.expiry);
    if let Some(expected) = of_activation {
        let found = new.activation.to_string();
        return Err(CommandError::Value { what: "ACT", expected, found });
    }
    if let Some(expected) = of_expiry {
        let found = new.expiry.to_string();
        return Err(CommandError::Value { what: "KEN", expected, found });
    }
    Ok(())
}

fn check_terms(terms: &KeyTerms, activation: Moment) -> Answer<()> {
    if terms.expires <= activation {
        let expected = format!("a time after the activation at {activation}");
        let found = terms.expires.to_string();
        return Err(CommandError::Value { what: "EXP", expected, found });
    }
    if !(1..=36_500).contains(&terms.refresh_days) {
        let expected = "1 to 36500 days".to_owned();
        let found = terms.refresh_days.to_string();
        return Err(CommandError::Value { what: "refresh period", expected, found });
    }
    Ok(())
}

fn ended(row: &VendingKeyRecord) -> CommandError {
    let since = row.ended.unwrap_or(row.created);
    CommandError::Ended { row: RowKey::VendingKey(row.id), since }
}

const fn key_state(key: VendingKeyId, expected: KeyState, found: KeyState) -> CommandError {
    CommandError::KeyState { key, expected, found }
}
