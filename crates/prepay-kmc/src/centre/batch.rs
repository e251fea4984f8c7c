//! Collects the changes of one command for its commit.

use prepay_basics::Moment;

use super::{Answer, Centre, CommandError};
use crate::entity::{Action, AuthorisationNumber, CentreRecord, CustomerNumber, FormNumber, Line};
use crate::store::{CentreStore, Change, NewJournalEntry, Row, Versioned};

/// The changes of one command.
pub(super) struct Batch {
    centre: Versioned<CentreRecord>,
    read: CentreRecord,
    pub(super) at: Moment,
    pub(super) actor: Line,
    changes: Vec<Change>,
}

impl Batch {
    pub(super) fn new(centre: Versioned<CentreRecord>, at: Moment, actor: Line) -> Self {
        let read = centre.row.clone();
        Self { centre, read, at, actor, changes: Vec::new() }
    }

    pub(super) fn insert(&mut self, row: impl Into<Row>) {
        self.changes.push(Change::Insert(row.into()));
    }

    pub(super) fn update(&mut self, row: impl Into<Row>, version: u64) {
        self.changes.push(Change::Update { row: row.into(), version });
    }

    pub(super) fn journal(&mut self, action: Action, subject: &str, note: &str) {
        let entry = entry(self.at, self.actor.clone(), action, subject, note);
        self.changes.push(Change::Journal(entry));
    }

    /// Takes the next customer number.
    pub(super) fn customer_number(&mut self) -> Answer<CustomerNumber> {
        let number = self.centre.row.next_customer;
        let number = number.ok_or(CommandError::NumbersUsedUp { what: "customers" })?;
        self.centre.row.next_customer = number.next();
        Ok(number)
    }

    /// Takes the next authorisation number.
    pub(super) fn authorisation_number(&mut self) -> Answer<AuthorisationNumber> {
        let number = self.centre.row.next_authorisation;
        let number = number.ok_or(CommandError::NumbersUsedUp { what: "authorisations" })?;
        self.centre.row.next_authorisation = number.next();
        Ok(number)
    }

    /// Takes the next form number.
    pub(super) fn form_number(&mut self) -> Answer<FormNumber> {
        let number = self.centre.row.next_form;
        let number = number.ok_or(CommandError::NumbersUsedUp { what: "forms" })?;
        self.centre.row.next_form = number.next();
        Ok(number)
    }

    /// The changes, with the centre's own row first if a number was taken.
    pub(super) fn into_changes(self) -> Vec<Change> {
        let mut changes = self.changes;
        if self.centre.row != self.read {
            let Versioned { row, version } = self.centre;
            changes.insert(0, Change::Update { row: row.into(), version });
        }
        changes
    }
}

fn entry(at: Moment, actor: Line, action: Action, subject: &str, note: &str) -> NewJournalEntry {
    NewJournalEntry { at, actor, action, subject: Line::lossy(subject), note: Line::lossy(note) }
}

impl<S: CentreStore> Centre<'_, S> {
    /// A journal entry outside a batch.
    pub(super) fn entry(&self, action: Action, subject: &str, note: &str) -> NewJournalEntry {
        entry(self.now(), self.actor(), action, subject, note)
    }
}
