//! Key-load files, with exactly the keys that a module is authorised for.

use std::collections::{BTreeMap, BTreeSet};

use prepay_basics::Moment;
use prepay_kmc_module::{Authority, KeyLoadItem, KeyLoadOrder};
use prepay_kmp::attribute::{KeyCheckValue, VendingKeyAttributes};
use prepay_kmp::{KeyLoadRequest, MAX_KEYS, ModuleId, Unverified, Verified};
use prepay_token::element::SupplyGroupCode;

use super::batch::Batch;
use super::{Answer, Centre, CommandError};
use crate::entity::{
    Action, Authorisation, KeyLoadRecord, KeyState, LeftOut, LeftOutReason, LoadedKey, SupplyGroup,
    VendingKeyRecord,
};
use crate::store::CentreStore;

/// How many groups can be listed in the options.
const MOST_GROUPS: usize = 1000;

/// How to answer a key-load request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Only these groups; `None` for all authorised ones.
    pub groups: Option<BTreeSet<SupplyGroupCode>>,
    /// How many more tokens the module may issue; `None` to leave its counter alone.
    pub transactions: Option<u64>,
}

/// The answer to a key-load request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadAnswer {
    /// The file, the keys in it, and the keys left out with reasons.
    pub load: KeyLoadRecord,
    /// Whether the request was already answered, with this file.
    pub is_repeated: bool,
}

/// The keys that may go to a module, and those that may not.
#[derive(Default)]
struct Selection {
    keys: Vec<(VendingKeyRecord, SupplyGroup)>,
    left_out: Vec<LeftOut>,
}

impl<S: CentreStore> Centre<'_, S> {
    /// Answers a key-load request with a file of every key that the module is authorised for and that is live
    /// and not expired. Repeating a request with the same options returns the same file, as long as all its
    /// keys may still go to the module and their terms have not changed. Needs an operator.
    ///
    /// IUT of each key is the refresh period from now, but at most EXP.
    ///
    /// # Errors
    ///
    /// [`CommandError::Forbidden`], [`CommandError::Module`] for a request that the module refuses,
    /// [`CommandError::NotThere`] for a module that is not enrolled, [`CommandError::Ended`] for a revoked one,
    /// [`CommandError::NothingToLoad`], [`CommandError::Value`] above 1000 groups,
    /// [`CommandError::LoadConflict`], [`CommandError::LoadOutdated`], [`CommandError::LoadRefreshed`].
    pub fn answer_key_load(
        &mut self,
        request: &Unverified<KeyLoadRequest>,
        options: &LoadOptions,
    ) -> Answer<LoadAnswer> {
        self.needs("answer a key-load request", Authority::Operating)?;
        let mut batch = self.batch()?;
        check_groups(options)?;
        let request = self.module.read_key_load_request(request)?;
        let answer = self.put_load(&mut batch, &request, options)?;
        if !answer.is_repeated {
            self.commit(batch)?;
        }
        Ok(answer)
    }

    /// Builds the file and adds its row to a batch, or finds the file that already answered the request.
    pub(super) fn put_load(
        &self,
        batch: &mut Batch,
        request: &Verified<KeyLoadRequest>,
        options: &LoadOptions,
    ) -> Answer<LoadAnswer> {
        let module = ModuleId::from(request.module.id().clone());
        self.serving(&module)?;
        let nonce = request.nonce.to_string();
        if let Some(found) = self.store.find(&KeyLoadRecord::answering(&module, &nonce))? {
            check_same_request(&found.row, request, options)?;
            self.still_allowed(&found.row, batch.at)?;
            return Ok(LoadAnswer { load: found.row, is_repeated: true });
        }
        let selection = self.select(&module, options, batch.at)?;
        if selection.keys.is_empty() {
            let left_out = selection.left_out;
            return Err(CommandError::NothingToLoad { module, left_out });
        }
        let load = self.build(request, selection, options, batch.at)?;
        let note = format!(
            "module {}, {} keys, {} left out",
            load.module,
            load.keys.len(),
            load.left_out.len()
        );
        batch.journal(Action::KeyLoadBuilt, &format!("key load {}", load.serial), &note);
        batch.insert(load.clone());
        Ok(LoadAnswer { load, is_repeated: false })
    }

    /// Lets the centre's module build the file.
    fn build(
        &self,
        request: &Verified<KeyLoadRequest>,
        selection: Selection,
        options: &LoadOptions,
        now: Moment,
    ) -> Answer<KeyLoadRecord> {
        let Selection { keys, left_out } = selection;
        self.check_values(&keys)?;
        let item = |(key, group): &(VendingKeyRecord, SupplyGroup)| KeyLoadItem {
            attributes: attributes(key, group, now),
            register: None,
        };
        let order = KeyLoadOrder {
            expires: request.expires,
            transactions: options.transactions,
            keys: keys.iter().map(item).collect(),
        };
        let built = self.module.build_key_load(request, &order)?;
        let mut loaded = Vec::with_capacity(keys.len());
        for ((key, _), &check_value) in keys.iter().zip(&built.check_values) {
            loaded.push(loaded_key(key, check_value, now));
        }
        Ok(KeyLoadRecord {
            serial: built.serial,
            module: built.module,
            slot: built.slot,
            nonce: request.nonce.to_string().into(),
            request_digest: request.digest(),
            created: now,
            expires: built.expires,
            groups: options.groups.clone(),
            transactions: options.transactions,
            file: built.file.into(),
            keys: loaded,
            left_out,
        })
    }

    /// Checks that the keys in the module are those of the rows. The module itself refuses a key that it does
    /// not have.
    fn check_values(&self, keys: &[(VendingKeyRecord, SupplyGroup)]) -> Answer<()> {
        let held = self.module.vending_keys()?;
        let held: BTreeMap<_, _> =
            held.iter().map(|key| ((key.group, key.revision.value()), key.check_value)).collect();
        for (key, _) in keys {
            let Some(&found) = held.get(&(key.id.group, key.id.revision.value())) else { continue };
            if key.check_value != Some(found) {
                let expected = key.check_value.map_or_else(String::new, |value| value.to_string());
                let found = found.to_string();
                return Err(CommandError::CheckValue { key: key.id, expected, found });
            }
        }
        Ok(())
    }

    /// Checks that every key of a file may still go to its module, with the same terms.
    fn still_allowed(&self, load: &KeyLoadRecord, now: Moment) -> Answer<()> {
        let selection = self.select(&load.module, &LoadOptions::default(), now)?;
        for loaded in &load.keys {
            if let Some((key, _)) = selection.keys.iter().find(|(key, _)| key.id == loaded.key) {
                if loaded_key(key, loaded.check_value, load.created) == *loaded {
                    continue;
                }
                return Err(CommandError::LoadRefreshed { serial: load.serial, key: key.id });
            }
            let left_out = selection.left_out.iter().find(|left_out| left_out.key == loaded.key);
            // A key that is not even left out has been retired meanwhile.
            let retired = LeftOut { key: loaded.key, reason: LeftOutReason::KeyRevoked };
            let left_out = *left_out.unwrap_or(&retired);
            return Err(CommandError::LoadOutdated { serial: load.serial, left_out });
        }
        Ok(())
    }

    /// Selects the keys that may go to a module now.
    fn select(&self, module: &ModuleId, options: &LoadOptions, now: Moment) -> Answer<Selection> {
        let mut by_group: BTreeMap<SupplyGroupCode, Vec<Authorisation>> = BTreeMap::new();
        for row in self.rows(Authorisation::of_module(module))? {
            by_group.entry(row.group).or_default().push(row);
        }
        let mut selection = Selection::default();
        for (code, authorisations) in by_group {
            let group = self.row::<SupplyGroup>(&code)?.row;
            let refusal = self.refusal(&authorisations)?;
            let asked = options.groups.as_ref().is_none_or(|groups| groups.contains(&code));
            for key in self.rows(VendingKeyRecord::of_group(code))? {
                let reason = match reason(&key, now) {
                    Some(KeyReason::Gone) => continue,
                    Some(KeyReason::LeftOut(reason)) => Some(reason),
                    None => refusal
                        .or(never_active(&key, now))
                        .or((!asked).then_some(LeftOutReason::NotAsked))
                        .or((selection.keys.len() >= MAX_KEYS).then_some(LeftOutReason::NoRoom)),
                };
                match reason {
                    Some(reason) => selection.left_out.push(LeftOut { key: key.id, reason }),
                    None => selection.keys.push((key, group.clone())),
                }
            }
        }
        Ok(selection)
    }

    /// If none of the authorisations is valid: the reason, which is that of the newest.
    fn refusal(&self, authorisations: &[Authorisation]) -> Answer<Option<LeftOutReason>> {
        let mut newest = None;
        for row in authorisations {
            newest = self.why_not(row)?;
            if newest.is_none() {
                return Ok(None);
            }
        }
        Ok(newest)
    }
}

/// Checks the number of groups listed.
fn check_groups(options: &LoadOptions) -> Answer<()> {
    match options.groups.as_ref().map_or(0, BTreeSet::len) {
        0..=MOST_GROUPS => Ok(()),
        found => {
            let (expected, found) = (format!("at most {MOST_GROUPS}"), found.to_string());
            Err(CommandError::Value { what: "groups of a key-load file", expected, found })
        }
    }
}

/// Checks that a file answers the same request with the same options.
fn check_same_request(
    load: &KeyLoadRecord,
    request: &Verified<KeyLoadRequest>,
    options: &LoadOptions,
) -> Answer<()> {
    let serial = load.serial;
    let other =
        |what, expected, found| Err(CommandError::LoadConflict { serial, what, expected, found });
    if load.request_digest != request.digest() {
        let found = "another request with the same nonce".to_owned();
        return other("the contents", "the same request".to_owned(), found);
    }
    if load.groups != options.groups {
        return other("the groups", groups_text(&load.groups), groups_text(&options.groups));
    }
    if load.transactions != options.transactions {
        let text = |count: Option<u64>| count.map_or_else(|| "none".to_owned(), |n| n.to_string());
        return other("the transactions", text(load.transactions), text(options.transactions));
    }
    Ok(())
}

fn groups_text(groups: &Option<BTreeSet<SupplyGroupCode>>) -> String {
    match groups {
        None => "all authorised".to_owned(),
        Some(groups) => groups.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    }
}

/// What the row of a file made at a time says about a key.
fn loaded_key(key: &VendingKeyRecord, check_value: KeyCheckValue, at: Moment) -> LoadedKey {
    LoadedKey {
        key: key.id,
        check_value,
        issued_until: key.issued_until(at),
        unit_limit: key.unit_limit,
        currency_limit: key.currency_limit,
    }
}

/// Why a key does not go into any file.
enum KeyReason {
    /// It is retired, so it is not listed as left out either.
    Gone,
    LeftOut(LeftOutReason),
}

fn reason(key: &VendingKeyRecord, now: Moment) -> Option<KeyReason> {
    match key.state {
        KeyState::Retired => Some(KeyReason::Gone),
        KeyState::Requested => Some(KeyReason::LeftOut(LeftOutReason::NotMade)),
        KeyState::Revoked | KeyState::Retiring => {
            Some(KeyReason::LeftOut(LeftOutReason::KeyRevoked))
        }
        KeyState::Live if now >= key.expires => Some(KeyReason::LeftOut(LeftOutReason::KeyExpired)),
        KeyState::Live => None,
    }
}

fn never_active(key: &VendingKeyRecord, now: Moment) -> Option<LeftOutReason> {
    (key.activation > key.issued_until(now)).then_some(LeftOutReason::NeverActive)
}

/// The attributes of a key in the file.
fn attributes(key: &VendingKeyRecord, group: &SupplyGroup, now: Moment) -> VendingKeyAttributes {
    VendingKeyAttributes {
        supply_group: key.id.group,
        key_revision: key.id.revision,
        key_type: key.key_type,
        algorithm: key.algorithm,
        expiry: key.expiry,
        base_date: key.base_date,
        activation: key.activation,
        issued_until: key.issued_until(now),
        unit_limit: key.unit_limit,
        currency_limit: key.currency_limit,
        cluster: group.cluster,
        sub_classes: key.sub_classes,
        name: group.name.clone(),
    }
}
