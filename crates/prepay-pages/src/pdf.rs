//! A slip as a PDF page, 80 mm wide and as high as it has to be. All measures are whole thousandths of a point.

use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{Metadata, TextDirection};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use prepay_vend::{Row, Slip};
use unicode_bidi::Level;

use crate::qr::Squares;
use crate::shape::{Fonts, Line, MissingLetter, share};

/// The paper: 80 mm, with 4 mm of border.
const PAPER: i32 = 226_772;
const BORDER: i32 = 11_339;
const WIDTH: i32 = PAPER - 2 * BORDER;
/// The highest page that readers of PDF show is 14400 points.
const HIGHEST: i32 = 14_000_000;

const SMALL: i32 = 8_000;
const NAME: i32 = 10_000;
const LARGE: i32 = 12_500;
const TOKEN: i32 = 13_000;
/// Between two texts in one line.
const GAP: i32 = 5_000;
/// The frame of a token, and what is between it and the text.
const FRAME: i32 = 1_200;
const PADDING: i32 = 5_000;

/// What stands on a page.
enum Ink {
    /// A line of text from its left end, on its base line.
    Text { line: Line, size: i32, x: i32, y: i32 },
    /// A black rectangle.
    Bar { x: i32, y: i32, width: i32, height: i32 },
}

/// Pages that are being written.
struct Paper {
    fonts: Fonts,
    level: Level,
    pages: Vec<(Vec<Ink>, i32)>, // Invariant: not empty. Each with its height so far.
}

/// The PDF of a slip.
///
/// # Errors
///
/// [`MissingLetter`]: a text has a letter that the embedded fonts do not have.
pub fn pdf(slip: &Slip) -> Result<Vec<u8>, MissingLetter> {
    let level = if slip.is_right_to_left { Level::rtl() } else { Level::ltr() };
    let mut paper = Paper { fonts: Fonts::new(), level, pages: vec![(Vec::new(), BORDER)] };
    for row in &slip.rows {
        paper.row(row)?;
    }
    let mut document = Document::new();
    let direction =
        if slip.is_right_to_left { TextDirection::RightToLeft } else { TextDirection::LeftToRight };
    let title = slip.title.replace(['\u{2067}', '\u{2068}', '\u{2069}'], "");
    let metadata = Metadata::new().title(title).language(slip.language.clone());
    document.set_metadata(metadata.text_direction(direction));
    for (inks, height) in &paper.pages {
        let size = PageSettings::from_wh(points(PAPER), points(height + BORDER));
        let mut page = document.start_page_with(size.expect("a page has a size"));
        let mut surface = page.surface();
        surface.set_fill(Some(Fill { paint: rgb::Color::black().into(), ..Fill::default() }));
        inks.iter().for_each(|ink| ink.draw(&paper.fonts, &mut surface));
        surface.finish();
        page.finish();
    }
    Ok(document.finish().expect("a plain document has all that a PDF needs"))
}

/// Thousandths of a point as points.
#[expect(clippy::disallowed_types, reason = "places on paper, no amounts")]
fn points(thousandths: i32) -> f32 {
    share(thousandths, 1000)
}

impl Ink {
    fn draw(&self, fonts: &Fonts, surface: &mut Surface<'_>) {
        match self {
            Self::Text { line, size, x, y } => {
                let mut x = *x;
                for run in &line.runs {
                    let drawn = fonts.drawn(run, *size);
                    let start = Point::from_xy(points(x), points(*y));
                    surface.draw_glyphs(
                        start,
                        &drawn.glyphs,
                        drawn.font,
                        drawn.text,
                        points(*size),
                        false,
                    );
                    x += drawn.width;
                }
            }
            Self::Bar { x, y, width, height } => {
                let rect = Rect::from_xywh(points(*x), points(*y), points(*width), points(*height));
                let mut path = PathBuilder::new();
                path.push_rect(rect.expect("a bar has a size"));
                surface.draw_path(&path.finish().expect("a rectangle is a path"));
            }
        }
    }
}

impl Paper {
    /// Room of a height, on a new page if this one is full: the top of it.
    fn room(&mut self, height: i32) -> i32 {
        if self.pages.last().is_none_or(|(_, used)| used + height > HIGHEST) {
            self.pages.push((Vec::new(), BORDER));
        }
        let (_, used) = self.pages.last_mut().expect("never empty");
        let top = *used;
        *used += height;
        top
    }

    fn put(&mut self, ink: Ink) {
        self.pages.last_mut().expect("never empty").0.push(ink);
    }

    fn bar(&mut self, x: i32, y: i32, width: i32, height: i32) {
        self.put(Ink::Bar { x, y, width, height });
    }

    /// A text in lines that fit.
    fn lines(&self, text: &str, size: i32, width: i32) -> Result<Vec<Line>, MissingLetter> {
        self.fonts.check(text)?;
        Ok(self.fonts.lines(text, size, width, self.level))
    }

    /// A line of text; `x` makes its left end from its width.
    fn line(&mut self, line: Line, size: i32, x: impl Fn(i32) -> i32) {
        let top = self.room(size * 3 / 2);
        let x = x(line.width);
        self.put(Ink::Text { line, size, x, y: top + size * 11 / 10 });
    }

    fn centred(&mut self, text: &str, size: i32) -> Result<(), MissingLetter> {
        for line in self.lines(text, size, WIDTH)? {
            self.line(line, size, |width| (PAPER - width) / 2);
        }
        Ok(())
    }

    /// A label at the side where reading begins and what it is at the other, within `inset` of the borders; on one line if
    /// both fit.
    fn pair(&mut self, start: &str, end: &str, size: i32, inset: i32) -> Result<(), MissingLetter> {
        let width = WIDTH - 2 * inset;
        let (mut starts, ends) = (self.lines(start, size, width)?, self.lines(end, size, width)?);
        let is_right_to_left = self.level.is_rtl();
        let at = move |is_end: bool| {
            move |width: i32| {
                if is_end == is_right_to_left {
                    BORDER + inset
                } else {
                    PAPER - BORDER - inset - width
                }
            }
        };
        let last = starts.pop();
        for line in starts {
            self.line(line, size, at(false));
        }
        let fits = match (&last, ends.as_slice()) {
            (Some(last), [end]) => last.width + GAP + end.width <= width,
            _ => false,
        };
        if let Some(last) = last {
            self.line(last, size, at(false));
        }
        for end in ends {
            if fits {
                let (_, used) = self.pages.last_mut().expect("never empty");
                *used -= size * 3 / 2; // Beside the last line of the start.
            }
            self.line(end, size, at(true));
        }
        Ok(())
    }

    fn row(&mut self, row: &Row) -> Result<(), MissingLetter> {
        match row {
            Row::Mark(text) => self.framed(|paper| {
                for line in paper.lines(text, NAME, WIDTH - 2 * PADDING)? {
                    paper.line(line, NAME, |width| (PAPER - width) / 2);
                }
                Ok(())
            }),
            Row::Title(text) => self.centred(text, LARGE),
            Row::Centred(text) => self.centred(text, SMALL),
            Row::Paragraph(text) => self.pair(text, "", SMALL, 0),
            Row::Pair(start, end) => self.pair(start, end, SMALL, 0),
            Row::LargePair(start, end) => self.pair(start, end, LARGE, 0),
            Row::Token { caption, units, groups } => self.framed(|paper| {
                paper.pair(caption, units, SMALL, PADDING)?;
                paper.groups(groups)
            }),
            Row::Divide => {
                let top = self.room(SMALL);
                for x in (BORDER..PAPER - BORDER).step_by(4_000) {
                    self.bar(x, top + SMALL / 2, 2_400.min(PAPER - BORDER - x), 500);
                }
                Ok(())
            }
            Row::Qr { text, .. } => {
                self.squares(text);
                Ok(())
            }
        }
    }

    /// Rows in a frame, which is drawn when their height is known.
    fn framed(
        &mut self,
        rows: impl FnOnce(&mut Self) -> Result<(), MissingLetter>,
    ) -> Result<(), MissingLetter> {
        const TALLEST: i32 = 400_000; // Of the longest caption or mark.
        let above = self.room(TALLEST) + FRAME;
        self.pages.last_mut().expect("never empty").1 = above;
        self.room(PADDING);
        rows(self)?;
        let below = self.room(PADDING) + PADDING;
        self.room(2 * FRAME);
        for y in [above, below - FRAME] {
            self.bar(BORDER, y, WIDTH, FRAME);
        }
        for x in [BORDER, PAPER - BORDER - FRAME] {
            self.bar(x, above, FRAME, below - above);
        }
        Ok(())
    }

    /// Five groups of four digits over the whole width, from left to right in every language.
    fn groups(&mut self, groups: &[String; 5]) -> Result<(), MissingLetter> {
        let mut lines = Vec::new();
        for group in groups {
            lines.extend(self.lines(group, TOKEN, WIDTH)?);
        }
        let room = WIDTH - 2 * PADDING;
        let gap = (room - lines.iter().map(|line| line.width).sum::<i32>()) / 4;
        let top = self.room(TOKEN * 3 / 2);
        let mut x = BORDER + PADDING;
        for line in lines {
            let width = line.width;
            self.put(Ink::Text { line, size: TOKEN, x, y: top + TOKEN * 11 / 10 });
            x += width + gap;
        }
        Ok(())
    }

    /// A QR code with a white border of four squares, as large as the paper takes but no larger than needed.
    fn squares(&mut self, text: &str) {
        let squares = Squares::new(text);
        let count = |squares: usize| i32::try_from(squares).expect("a code has at most 177");
        let across = count(squares.width);
        let side = (WIDTH / (across + 8)).min(3_200);
        let top = self.room(side * (across + 8)) + 4 * side;
        let left = (PAPER - side * across) / 2;
        for (column, row, length) in squares.bars() {
            let [column, row, length] = [column, row, length].map(count);
            self.bar(left + side * column, top + side * row, side * length, side);
        }
    }
}
