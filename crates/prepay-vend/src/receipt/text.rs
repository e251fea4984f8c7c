//! A slip as text for a printer of 32 or 40 columns, in logical order: the printer or its driver turns what runs from right to
//! left. Nothing is wider than the paper, and nothing is cut off.

use textwrap::core::display_width;
use textwrap::wrap;

use super::slip::{Row, Slip};

impl Slip {
    /// The text, each row ended by a line feed, none wider than the columns and none with blanks at its end.
    pub fn text(&self, columns: usize) -> String {
        let mut page = Page { columns, text: String::new() };
        for row in &self.rows {
            match row {
                Row::Mark(text) => page.centred(&format!("*** {text} ***")),
                Row::Title(text) | Row::Centred(text) => page.centred(text),
                Row::Paragraph(text) => page.pair(text, ""),
                Row::Pair(start, end) | Row::LargePair(start, end) => page.pair(start, end),
                Row::Token { caption, units, groups } => {
                    page.pair(caption, units);
                    page.centred(&groups.join(" "));
                }
                Row::Divide => page.line(&"-".repeat(columns)),
                Row::Qr { text, is_news: true } => page.pair(text, ""),
                Row::Qr { .. } => {}
            }
        }
        page.text
    }
}

/// Paper.
struct Page {
    columns: usize,
    text: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    fn centred(&mut self, text: &str) {
        let text = plain(text);
        for line in wrap(&text, self.columns) {
            let blanks = (self.columns - display_width(&line)) / 2;
            self.line(&format!("{:blanks$}{line}", ""));
        }
    }

    /// On one line if both fit; otherwise the end stands on lines of its own.
    fn pair(&mut self, start: &str, end: &str) {
        let (start, end) = (plain(start), plain(end));
        let mut starts = wrap(&start, self.columns);
        let last = if start.is_empty() { None } else { starts.pop() };
        if !start.is_empty() {
            starts.iter().for_each(|line| self.line(line));
        }
        let last = last.unwrap_or_default();
        let width = display_width(&last);
        let ends = if end.is_empty() { Vec::new() } else { wrap(&end, self.columns) };
        match ends.as_slice() {
            [] => self.line(&last),
            [end] if width + 1 + display_width(end) <= self.columns || width == 0 => {
                let blanks = self.columns - width - display_width(end);
                self.line(&format!("{last}{:blanks$}{end}", ""));
            }
            ends => {
                if width > 0 {
                    self.line(&last);
                }
                for end in ends {
                    let blanks = self.columns - display_width(end);
                    self.line(&format!("{:blanks$}{end}", ""));
                }
            }
        }
    }
}

/// A text without what only a screen understands: isolates, marks of direction, and blanks that do not break.
fn plain(text: &str) -> String {
    let visible = text.chars().filter(|letter| !matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2066}'..='\u{2069}'));
    visible.map(|letter| if letter == '\u{a0}' { ' ' } else { letter }).collect()
}
