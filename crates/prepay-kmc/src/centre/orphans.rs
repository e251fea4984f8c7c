//! Differences between the store and the centre's module.

use prepay_kmp::ModuleId;
use prepay_kmp::attribute::KeyCheckValue;
use prepay_token::element::{KeyRevisionNumber, SupplyGroupCode};

use super::{Answer, Centre};
use crate::entity::{
    FormNumber, FormRecord, KeyState, ModuleRecord, VendingKeyId, VendingKeyRecord,
};
use crate::form::FormState;
use crate::store::{CentreStore, Filter};

/// Something that only the store or only the module has, or that differs between them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Orphan {
    /// The module has a key without a row. Destroy it, or add the row.
    KeyWithoutRow {
        /// The group.
        group: SupplyGroupCode,
        /// The revision.
        revision: KeyRevisionNumber,
        /// Its check value.
        check_value: KeyCheckValue,
    },
    /// A requested key is not made yet. [`Centre::finish`] makes it.
    KeyNotMade {
        /// The key.
        key: VendingKeyId,
    },
    /// The module lacks the key of a live, revoked or retiring row. Revoke and retire it, or restore the module.
    RowWithoutKey {
        /// The key.
        key: VendingKeyId,
    },
    /// Row and module have different keys.
    OtherKey {
        /// The key.
        key: VendingKeyId,
        /// The check value of the row.
        expected: Option<KeyCheckValue>,
        /// The check value of the module.
        found: KeyCheckValue,
    },
    /// The centre's module has accepted a module without a row. Enrol it again, or revoke it.
    ModuleWithoutRow {
        /// The module.
        module: ModuleId,
    },
    /// A row is of a module that the centre's module does not accept, or only one of the two says it is revoked.
    RowWithoutModule {
        /// The module.
        module: ModuleId,
    },
    /// An accepted form is not carried out yet. [`Centre::finish`] does it.
    FormNotDone {
        /// The form.
        number: FormNumber,
    },
}

prepay_basics::codes! {
    Orphan {
        KeyWithoutRow = "key_without_row",
        KeyNotMade = "key_not_made",
        RowWithoutKey = "row_without_key",
        OtherKey = "other_key",
        ModuleWithoutRow = "module_without_row",
        RowWithoutModule = "row_without_module",
        FormNotDone = "form_not_done",
    }
}

impl std::fmt::Display for Orphan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::KeyWithoutRow { group, revision, check_value } => write!(
                f,
                "group {group} revision {revision}: the module has a key ({check_value}), the store no row"
            ),
            Self::KeyNotMade { key } => write!(f, "{key}: the key is requested but not made yet"),
            Self::RowWithoutKey { key } => write!(f, "{key}: the module has no such key"),
            Self::OtherKey { key, expected, found } => {
                write!(f, "{key}: check value of the row ")?;
                match expected {
                    Some(expected) => write!(f, "{expected}")?,
                    None => f.write_str("none")?,
                }
                write!(f, ", of the module {found}")
            }
            Self::ModuleWithoutRow { module } => {
                write!(f, "module {module}: the centre's module accepts it, the store has no row")
            }
            Self::RowWithoutModule { module } => {
                write!(
                    f,
                    "module {module}: row and centre's module disagree on whether to accept it"
                )
            }
            Self::FormNotDone { number } => {
                write!(f, "form {number}: accepted, but not carried out")
            }
        }
    }
}

impl<S: CentreStore> Centre<'_, S> {
    /// All differences.
    ///
    /// # Errors
    ///
    /// [`CommandError::Store`](super::CommandError::Store),
    /// [`CommandError::Module`](super::CommandError::Module).
    pub fn orphans(&self) -> Answer<Vec<Orphan>> {
        let mut orphans = self.key_orphans()?;
        orphans.extend(self.module_orphans()?);
        let open = self
            .rows::<FormRecord>(Filter::all())?
            .into_iter()
            .filter(|form| form.state == FormState::Accepted);
        orphans.extend(open.map(|form| Orphan::FormNotDone { number: form.number }));
        Ok(orphans)
    }

    fn key_orphans(&self) -> Answer<Vec<Orphan>> {
        let held = self.module.vending_keys()?;
        let mut rows = self.rows::<VendingKeyRecord>(Filter::all())?;
        rows.retain(|row| row.state != KeyState::Retired);
        let mut orphans = Vec::new();
        for key in &held {
            let known =
                rows.iter().any(|row| (row.id.group, row.id.revision) == (key.group, key.revision));
            if !known {
                let (group, revision, check_value) = (key.group, key.revision, key.check_value);
                orphans.push(Orphan::KeyWithoutRow { group, revision, check_value });
            }
        }
        for row in rows {
            let key = row.id;
            let found =
                held.iter().find(|held| (held.group, held.revision) == (key.group, key.revision));
            match (row.state, found) {
                (KeyState::Requested, _) => orphans.push(Orphan::KeyNotMade { key }),
                (_, None) => orphans.push(Orphan::RowWithoutKey { key }),
                (_, Some(held)) if row.check_value != Some(held.check_value) => {
                    let (expected, found) = (row.check_value, held.check_value);
                    orphans.push(Orphan::OtherKey { key, expected, found });
                }
                _ => {}
            }
        }
        Ok(orphans)
    }

    fn module_orphans(&self) -> Answer<Vec<Orphan>> {
        use prepay_kmc_module::ModuleState;

        let accepted = self.module.modules()?;
        let rows = self.rows::<ModuleRecord>(Filter::all())?;
        let mut orphans = Vec::new();
        for report in &accepted {
            let module = &report.details.module;
            let live = report.state == ModuleState::Accepted;
            if live && !rows.iter().any(|row| row.id == *module) {
                orphans.push(Orphan::ModuleWithoutRow { module: module.clone() });
            }
        }
        for row in rows {
            let found = accepted.iter().find(|report| report.details.module == row.id);
            let live = found.is_some_and(|report| report.state == ModuleState::Accepted);
            if live != row.revoked.is_none() {
                orphans.push(Orphan::RowWithoutModule { module: row.id });
            }
        }
        Ok(orphans)
    }
}
