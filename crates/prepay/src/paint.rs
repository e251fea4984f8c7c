//! The colours of the program. Output that is not a terminal has none.

use anstyle::{AnsiColor, Style};

/// Headings and names.
pub(crate) const HEADING: Style = Style::new().bold();
/// Token digits and other results.
pub(crate) const RESULT: Style = AnsiColor::Green.on_default().bold();
/// Errors.
pub(crate) const WRONG: Style = AnsiColor::Red.on_default().bold();
/// Less important remarks.
pub(crate) const QUIET: Style = Style::new().dimmed();

/// Adjacent fields, so that neighbours differ.
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
