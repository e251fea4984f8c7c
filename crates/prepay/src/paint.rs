//! The colours of the program, in one place. They vanish when the output is not a terminal.

use anstyle::{AnsiColor, Style};

/// Headings and names.
pub(crate) const HEADING: Style = Style::new().bold();
/// Token digits and other results.
pub(crate) const RESULT: Style = AnsiColor::Green.on_default().bold();
/// What went wrong.
pub(crate) const WRONG: Style = AnsiColor::Red.on_default().bold();
/// Remarks that may be skipped.
pub(crate) const QUIET: Style = Style::new().dimmed();

/// Fields side by side: neighbours differ.
pub(crate) const FIELDS: [Style; 6] = [
    AnsiColor::Cyan.on_default(),
    AnsiColor::Yellow.on_default(),
    AnsiColor::Green.on_default(),
    AnsiColor::Magenta.on_default(),
    AnsiColor::Blue.on_default(),
    AnsiColor::BrightRed.on_default(),
];

/// A text in a style.
pub(crate) fn styled(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}
