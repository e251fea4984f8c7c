//! The centre's own row, received forms, and the journal of what was done.

use prepay_basics::Moment;
use prepay_kmp::CentreId;

use super::{AuthorisationNumber, CustomerNumber, FormNumber, Line};
use crate::code::coded;
use crate::form::{FormKind, FormState};

/// The centre's own row, of which there is one. Every command that assigns a number updates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CentreRecord {
    /// The name.
    pub id: CentreId,
    /// When it was set up.
    pub created: Moment,
    /// The number of the next customer; `None` when all are used.
    pub next_customer: Option<CustomerNumber>,
    /// The number of the next authorisation.
    pub next_authorisation: Option<AuthorisationNumber>,
    /// The number of the next form.
    pub next_form: Option<FormNumber>,
}

/// A form that the centre received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormRecord {
    /// Key.
    pub number: FormNumber,
    /// Which form it is.
    pub kind: FormKind,
    /// Its state, which is that of the last step.
    pub state: FormState,
    /// SHA-384 of the signed text. Unique in the centre.
    pub digest: [u8; 48],
    /// The signed document, as the canonical text of [`crate::form`]. At most 64 KiB.
    pub document: Box<str>,
    /// For which customer; `None` until a new customer has a number.
    pub customer: Option<CustomerNumber>,
    /// What was done with it, oldest first. Updates only add to the list.
    pub steps: Vec<FormStep>,
}

impl FormRecord {
    /// The position of the first step in `known` that this row leaves out or changes.
    pub fn lost_step(&self, known: &[FormStep]) -> Option<usize> {
        (0..known.len()).find(|&place| self.steps.get(place) != Some(&known[place]))
    }
}

/// One step in the life of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormStep {
    /// The state that it reached.
    pub state: FormState,
    /// When.
    pub at: Moment,
    /// Who did it.
    pub by: Line,
    /// The reason of a refusal, or what accepting it did.
    pub note: Line,
}

coded! {
    /// What was done, for the journal.
    Action, "action of the journal" {
        /// The centre was set up.
        CentreCreated = "centre_created",
        /// The centre's own keys were renewed.
        CentreRenewed = "centre_renewed",
        /// A customer was added.
        CustomerAdded = "customer_added",
        /// A customer's contact was changed.
        CustomerChanged = "customer_changed",
        /// A signatory was registered.
        SignatoryRegistered = "signatory_registered",
        /// A signatory was revoked.
        SignatoryRevoked = "signatory_revoked",
        /// A supply group was allocated.
        GroupAllocated = "group_allocated",
        /// A supply group was renamed.
        GroupRenamed = "group_renamed",
        /// A supply group was transferred to another owner.
        GroupTransferred = "group_transferred",
        /// A vending key was asked for.
        KeyRequested = "key_requested",
        /// The centre's module made a vending key.
        KeyMade = "key_made",
        /// EXP, the refresh period or the limits of a vending key were changed.
        KeyRefreshed = "key_refreshed",
        /// A vending key was revoked.
        KeyRevoked = "key_revoked",
        /// A vending key is to be retired.
        KeyRetiring = "key_retiring",
        /// That was taken back.
        KeyUnretired = "key_unretired",
        /// A vending key was retired.
        KeyRetired = "key_retired",
        /// An authorisation was granted.
        AuthorisationGranted = "authorisation_granted",
        /// An authorisation was revoked.
        AuthorisationRevoked = "authorisation_revoked",
        /// A module was enrolled.
        ModuleEnrolled = "module_enrolled",
        /// A module was revoked.
        ModuleRevoked = "module_revoked",
        /// An agreement request was answered.
        AgreementAnswered = "agreement_answered",
        /// A key-load file was built.
        KeyLoadBuilt = "key_load_built",
        /// A form was received.
        FormReceived = "form_received",
        /// A form was accepted.
        FormAccepted = "form_accepted",
        /// A form was refused.
        FormRefused = "form_refused",
        /// A form was carried out.
        FormDone = "form_done",
    }
}

/// One entry of the journal. Inserted, never updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// Key: 1, 2, 3 … without a gap; the store assigns it.
    pub sequence: u64,
    /// When.
    pub at: Moment,
    /// Who did it.
    pub actor: Line,
    /// What was done.
    pub action: Action,
    /// To what, such as `group 000123 revision 1`.
    pub subject: Line,
    /// Details.
    pub note: Line,
}
