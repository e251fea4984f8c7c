//! The door for forms: JSON in and out, and pages to print.
//!
//! - [`read`] and [`write()`]: a form as JSON, while it is a draft and once it is signed.
//! - [`status`]: a form at the centre, with its number and what happened to it, as JSON to be read by programs.
//! - [`schema`]: the fields of a form, as JSON.
//! - [`page`]: any of them as a page of HTML, to be printed on A4.
//!
//! A draft is read as people write it: any order, any blanks. A signed form is read only exactly as it is
//! written, so that one signed form is one file.
//!
//! - Elsewhere: what fields mean, signatures, states (`prepay_kmc::form`); files (`prepay`).
//! - Format: `docs/formats/forms.md`.

mod error;
mod html;
mod json;
mod record;
mod status;

pub use error::JsonError;
pub use html::page;
pub use json::{Document, MAX_JSON, read, write};
pub use status::{faults, schema, status};
