//! `prepay meter run` in a build without the feature `tui`: there is no screen.

use std::io;
use std::path::Path;

use crate::Ending;

/// Refuses.
pub(crate) fn run(_: Option<&Path>, _: bool) -> io::Result<Ending> {
    let message = "this build has no screen for meter run; use enter, consume or script, or a program built with \
                   the feature tui";
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}
