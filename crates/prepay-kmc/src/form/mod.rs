//! Form documents: what customers ask of a centre, in writing and signed.
//!
//! ```text
//!  Draft ──check──> CheckedForm ──sign──> SignedForm ── canonical text ──> centre
//!    any text in        every field           never changes
//!    known fields       means something       any more
//! ```
//!
//! - [`Schema`]: the fields of each form, as data: name, kind, whether it must be there, help.
//! - [`Draft::check`] lists every [`Fault`] at once.
//! - [`SignedForm`] is signed by a signatory (P-384, through [`prepay_kmp::open_kmp`]) over its canonical
//!   text; whoever holds one knows that the signature is right for the key in it, not whose key that is.
//! - [`FormState`]: how far a form has come, and the table of steps.
//!
//! - Source: names and purposes of the forms as public material lists them (STS 600-15-4/5/6/8, STS 1800-6).
//!   Field lists are not public: **fields, states, text and signature are our own design**.
//! - Elsewhere: what accepting a form does ([`crate::centre`]), JSON and pages (`prepay-forms`).

mod document;
mod field;
mod kind;
mod schema;
mod signed;
mod state;
mod text;

pub use document::{CheckedForm, Draft, Fault, Faults, UnknownField};
pub use field::{Days, Field, Presence, RequestText};
pub use kind::FormKind;
pub use schema::{
    Content, DefaultGroup, GroupApplication, GroupNameChange, KeyLoadRequest, KeyUseAuthorisation,
    NewCustomer, OwnershipTransfer, Schema, VendingKeyRequest,
};
pub use signed::{Signature, SignedForm, SignedFormError, key_text};
pub use state::{BadTransition, FormState};
pub use text::TextError;

/// The tag of the canonical text, and the context of its signature.
pub const TAG: &str = "open-form-1";

/// The greatest length of a canonical text, signature included, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;
