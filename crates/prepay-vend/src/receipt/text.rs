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
                Row::Mark(text) => page.mark(text),
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
        // A blank that does not break has done its work when lines are broken.
        self.text.push_str(&line.trim_end().replace('\u{a0}', " "));
        self.text.push('\n');
    }

    /// Stars before and behind each line.
    fn mark(&mut self, text: &str) {
        const STARS: &str = "***";
        let room = self.columns - 2 * (STARS.len() + 1);
        for line in wrap(&plain(text), room) {
            self.centred(&format!("{STARS} {line} {STARS}"));
        }
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
        let last = starts.pop().unwrap_or_default(); // A text without words is one empty line.
        starts.iter().for_each(|line| self.line(line));
        let width = display_width(&last);
        let ends = wrap(&end, self.columns);
        let fits = ends.len() == 1 && width + 1 + display_width(&end) <= self.columns;
        if !fits && width > 0 {
            self.line(&last);
        }
        for end in &ends {
            let before = if fits { &*last } else { "" };
            let blanks = self.columns - display_width(before) - display_width(end);
            self.line(&format!("{before}{:blanks$}{end}", ""));
        }
    }
}

/// A text without what only a screen understands: isolates and marks of direction.
fn plain(text: &str) -> String {
    text.replace(['\u{200e}', '\u{200f}', '\u{2067}', '\u{2068}', '\u{2069}'], "")
}
