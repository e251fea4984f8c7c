//! Forms as files: JSON to read and write, HTML pages to print.
//!
//! - [`read`] and [`write()`]: a form as JSON, while it is a draft and once it is signed.
//! - [`status`]: a form at the centre, with its number and what the centre did with it, as a record for JSON.
//! - [`page`]: a form as an HTML page for printing on A4.
//!
//! A draft may be written by hand, with fields in any order and any white space. A signed form is read only in
//! its exact written form, so that each signed form has exactly one file.
//!
//! - Elsewhere: the meaning of fields, signatures, states (`prepay_kmc::form`); reading files (`prepay`).
//! - Format: `docs/formats/forms.md`.

mod error;
mod html;
mod json;
mod record;
mod status;

pub use error::JsonError;
pub use html::page;
pub use json::{Document, MAX_JSON, read, write};
pub use record::StatusRecord;
pub use status::status;
