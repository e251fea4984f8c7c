//! Documents of the centre: reading a form.

use std::path::Path;

use prepay_forms::Document;

use super::refusal;
use crate::failure::Done;
pub(super) use crate::file::{OutFlags, Output, read, sync_parent, write};

/// Reads a form.
pub(super) fn read_form(path: &Path) -> Done<Document> {
    prepay_forms::read(&read(path)?).map_err(|error| refusal::form(path, &error))
}
