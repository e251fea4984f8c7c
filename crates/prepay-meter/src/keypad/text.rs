//! A short text for a display: ASCII, of fixed capacity, with windows for displays that are shorter.

use core::fmt;

/// At most 48 printable ASCII characters.
///
/// What does not fit is cut off; a character that is not printable ASCII becomes `?`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text {
    bytes: [u8; Self::CAPACITY], // Invariant: printable ASCII as far as `length`, then zeros.
    length: u8,
}

impl Text {
    /// The most characters. The longest number that a register holds has 42.
    pub const CAPACITY: usize = 48;

    /// No character.
    pub const EMPTY: Self = Self { bytes: [0; Self::CAPACITY], length: 0 };

    /// A text.
    pub fn of(text: impl fmt::Display) -> Self {
        let mut found = Self::EMPTY;
        // Writing into it never fails; a `Display` that fails leaves what it wrote.
        let _ = fmt::Write::write_fmt(&mut found, format_args!("{text}"));
        found
    }

    /// Adds a character.
    pub fn push(&mut self, character: char) {
        let is_shown = character == ' ' || character.is_ascii_graphic();
        if let Some(place) = self.bytes.get_mut(usize::from(self.length)) {
            *place = if is_shown { character as u8 } else { b'?' };
            self.length += 1;
        }
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        let bytes = &self.bytes[..usize::from(self.length)];
        core::str::from_utf8(bytes).expect("every byte is ASCII")
    }

    /// What a display of this width shows after so many steps of scrolling: one character a step, and from
    /// the start again once the end was shown.
    pub fn window(&self, width: usize, step: usize) -> &str {
        let text = self.as_str();
        let start = step % (text.len().saturating_sub(width) + 1);
        &text[start..text.len().min(start.saturating_add(width))]
    }

    /// The last characters: what a display of this width shows while somebody types.
    pub fn tail(&self, width: usize) -> &str {
        let text = self.as_str();
        &text[text.len().saturating_sub(width)..]
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().for_each(|character| self.push(character));
        Ok(())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn it_prints_as_the_text_that_it_is() {
        extern crate std;
        let text = Text::of("12.5");
        assert_eq!(std::format!("{text:?}|{text:>6}"), "\"12.5\"|  12.5");
    }

    #[test]
    fn a_window_scrolls_to_the_end_and_begins_again() {
        let text = Text::of("0123456789");
        // (width, step, shown): both ends, a display that is wide enough, and one without width.
        for (width, step, shown) in [
            (8, 0, "01234567"),
            (8, 2, "23456789"),
            (8, 3, "01234567"),
            (10, 5, "0123456789"),
            (usize::MAX, 7, "0123456789"),
            (0, 3, ""),
        ] {
            assert_eq!(text.window(width, step), shown, "{width} {step}");
        }
        assert_eq!(text.tail(3), "789");
        assert_eq!(text.tail(30), "0123456789");
        assert_eq!(Text::EMPTY.window(8, 9), "");
    }

    #[test]
    fn what_does_not_fit_is_cut_and_what_is_not_ascii_is_marked() {
        let text = Text::of(format_args!("{:060}", 1));
        assert_eq!(text.as_str().len(), Text::CAPACITY);
        assert_eq!(Text::of("m³\n").as_str(), "m??");
    }
}
