//! Forms: signed requests of customers to a centre.
//!
//! ```text
//!  Draft ──check──> CheckedForm ──sign──> SignedForm ── canonical text ──> centre
//!    any text in        every field           can no
//!    known fields       is valid              longer change
//! ```
//!
//! - [`Schema`]: the fields of each form, as data: name, title, whether it is required, help.
//! - [`Draft::check`] lists every [`Fault`] at once.
//! - [`SignedForm`]: a signatory signed its canonical text (P-384, through [`prepay_kmp::open_kmp`]), for one
//!   centre and until a time: the [`Addressee`]. Its signature is valid for the key in it, but it does not say
//!   whose key that is.
//! - [`FormState`]: the states of a form and the steps between them.
//!
//! - Source: public material lists names and purposes of the forms (STS 600-15-4/5/6/8, STS 1800-6). Their
//!   fields are not public: **fields, states, text and signature are our own design**.
//! - Elsewhere: what accepting a form does ([`crate::centre`]), JSON and pages (`prepay-forms`).

mod document;
mod field;
mod kind;
mod schema;
mod signed;
mod state;
mod text;

pub use document::{CheckedForm, Draft, Fault, Faults, UnknownField};
pub use field::{Days, Field, FingerprintText, Presence, RequestText};
pub use kind::FormKind;
pub use schema::{
    Content, DefaultGroup, GroupApplication, GroupNameChange, KeyLoadRequest, KeyUseAuthorisation,
    NewCustomer, OwnershipTransfer, Schema, VendingKeyRequest,
};
pub use signed::{Addressee, Signature, SignedForm, SignedFormError, VALID_DAYS, key_text};
pub use state::{BadTransition, FormState};
pub use text::TextError;

/// The tag of the canonical text, and the context of its signature.
pub const TAG: &str = "open-form-2";

/// The tag of the earlier edition, which names no centre. Its forms are recognised and refused.
pub const EARLIER_TAG: &str = "open-form-1";

/// The greatest length of a canonical text, signature included, in bytes.
pub const MAX_TEXT: usize = 64 * 1024;
