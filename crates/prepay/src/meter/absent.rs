//! `prepay meter run` in a build without the feature `tui`: there is no screen.

use std::path::Path;

use super::flags::KeypadFlags;
use crate::Ending;
use crate::failure::{Done, Failure};

/// Refuses, because this build has no screen.
pub(crate) fn run(_: Option<&Path>, _: &KeypadFlags, _: bool) -> Done<Ending> {
    let message = "this build has no screen for meter run: use enter, consume or script, or build the program with \
                   the feature tui";
    Err(Failure::unable("tui_absent", message))
}
