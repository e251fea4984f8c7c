//! Reading a form from its file.

use std::path::Path;

use prepay_forms::Document;

use super::refusal;
use crate::failure::Done;
use crate::file;

/// Reads a form.
pub(super) fn read_form(path: &Path) -> Done<Document> {
    prepay_forms::read(&file::read(path)?).map_err(|error| refusal::form(path, &error))
}
