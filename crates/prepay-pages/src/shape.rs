//! From a text to glyphs with their places: which font has each letter, which way it runs, and how wide it is.
//!
//! Fonts: B612 for Latin letters and figures, Vazirmatn for Arabic ones; both under the SIL Open Font License, which
//! lies beside them. Widths are whole thousandths of a point.

use std::fmt;
use std::ops::Range;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face, UnicodeBuffer};
use unicode_bidi::{Level, ParagraphBidiInfo};

const B612: &[u8] = include_bytes!("../fonts/b612.ttf");
const VAZIRMATN: &[u8] = include_bytes!("../fonts/vazirmatn.ttf");

/// A letter that neither font has, so that the PDF cannot show it. Text and HTML can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingLetter {
    /// The letter.
    pub letter: char,
    /// Where it stands.
    pub text: String,
}

impl fmt::Display for MissingLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { letter, text } = self;
        let code = u32::from(*letter);
        write!(f, "expected Latin or Arabic letters, found {letter:?} (U+{code:04X}) in {text:?}")
    }
}

impl std::error::Error for MissingLetter {}

/// The two fonts, in the order in which they are asked for a letter.
pub(crate) struct Fonts([(Font, Face<'static>); 2]);

/// Letters of one font that run one way.
pub(crate) struct Run {
    font: usize,
    text: String,
    /// Clusters with glyphs and advances in units of the font.
    glyphs: Vec<Placed>,
}

struct Placed {
    glyph: u32,
    cluster: Range<usize>,
    advance: i32,
    x_offset: i32,
    y_offset: i32,
}

/// What only tells a screen about direction.
fn is_format(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2066}'..='\u{2069}')
}

impl Fonts {
    /// The fonts that come with this crate.
    pub(crate) fn new() -> Self {
        Self([B612, VAZIRMATN].map(|bytes| {
            let font = Font::new(bytes.into(), 0).expect("a font of this crate");
            (font, Face::from_slice(bytes, 0).expect("a font of this crate"))
        }))
    }

    /// The font that has a letter; `before` if both have it.
    fn of(&self, letter: char, before: usize) -> Option<usize> {
        let has = |font: &usize| self.0[*font].1.glyph_index(letter).is_some();
        [before, 0, 1].into_iter().find(has)
    }

    /// Refuses a text with a letter that neither font has.
    pub(crate) fn check(&self, text: &str) -> Result<(), MissingLetter> {
        let missing =
            text.chars().find(|&letter| !is_format(letter) && self.of(letter, 0).is_none());
        missing.map_or(Ok(()), |letter| {
            Err(MissingLetter {
                letter,
                text: text.chars().filter(|&each| !is_format(each)).collect(),
            })
        })
    }

    /// The runs of a part of a paragraph, from left to right.
    fn runs(&self, bidi: &ParagraphBidiInfo<'_>, line: Range<usize>) -> Vec<Run> {
        let (levels, order) = bidi.visual_runs(line);
        let mut runs = Vec::new();
        for range in order {
            let is_right_to_left = levels[range.start].is_rtl();
            let mut parts: Vec<(usize, String)> = Vec::new();
            for letter in bidi.text[range].chars().filter(|&letter| !is_format(letter)) {
                let before = parts.last().map_or(0, |(font, _)| *font);
                let font = self.of(letter, before).unwrap_or(0);
                match parts.last_mut() {
                    Some((same, text)) if *same == font => text.push(letter),
                    _ => parts.push((font, letter.to_string())),
                }
            }
            if is_right_to_left {
                parts.reverse();
            }
            runs.extend(
                parts.into_iter().map(|(font, text)| self.run(font, text, is_right_to_left)),
            );
        }
        runs
    }

    fn run(&self, font: usize, text: String, is_right_to_left: bool) -> Run {
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(&text);
        buffer.guess_segment_properties();
        buffer.set_direction(if is_right_to_left {
            Direction::RightToLeft
        } else {
            Direction::LeftToRight
        });
        let shaped = rustybuzz::shape(&self.0[font].1, &[], buffer);
        let starts: Vec<usize> =
            shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        let places = shaped.glyph_infos().iter().zip(shaped.glyph_positions());
        let glyphs = places.map(|(info, position)| {
            let start = info.cluster as usize;
            let end = starts.iter().copied().filter(|&other| other > start).min();
            Placed {
                glyph: info.glyph_id,
                cluster: start..end.unwrap_or(text.len()),
                advance: position.x_advance,
                x_offset: position.x_offset,
                y_offset: position.y_offset,
            }
        });
        let glyphs = glyphs.collect();
        Run { font, text, glyphs }
    }

    /// A text in lines that are at most so wide, broken at blanks, a longer word inside it.
    pub(crate) fn lines(&self, text: &str, size: i32, width: i32, level: Level) -> Vec<Line> {
        let bidi = ParagraphBidiInfo::new(text, Some(level));
        let line = |range: Range<usize>| {
            let runs = self.runs(&bidi, range);
            let width = runs.iter().map(|run| self.width(run, size)).sum();
            Line { runs, width }
        };
        let fits = |range: Range<usize>| line(range).width <= width;
        let mut lines = Vec::new();
        let mut start = 0;
        while start < text.len() {
            // Up to the last blank that fits, or the last letter, but one at least.
            let ends = |blank: bool| {
                let letters = text[start..].char_indices().skip(1);
                let ends = letters.filter(|(_, letter)| !blank || *letter == ' ');
                let ends: Vec<usize> =
                    ends.map(|(index, _)| start + index).chain([text.len()]).collect();
                let fitting = ends.partition_point(|&end| fits(start..end));
                fitting.checked_sub(1).map(|last| ends[last])
            };
            let end = ends(true).or_else(|| ends(false)).unwrap_or(text.len());
            lines.push(line(start..end));
            start = end + (text[end..].len() - text[end..].trim_start_matches(' ').len());
        }
        lines
    }

    fn width(&self, run: &Run, size: i32) -> i32 {
        let units = self.0[run.font].1.units_per_em();
        let advance: i64 = run.glyphs.iter().map(|glyph| i64::from(glyph.advance)).sum();
        i32::try_from(advance * i64::from(size) / i64::from(units))
            .expect("a text of at most 1000 letters")
    }

    /// A run for the PDF: its font, its text, its glyphs as shares of the size, and its width.
    pub(crate) fn drawn<'r>(&self, run: &'r Run, size: i32) -> Drawn<'r> {
        let units = self.0[run.font].1.units_per_em();
        let glyph = |placed: &Placed| {
            KrillaGlyph::new(
                GlyphId::new(placed.glyph),
                share(placed.advance, units),
                share(placed.x_offset, units),
                share(placed.y_offset, units),
                0.0,
                placed.cluster.clone(),
                None,
            )
        };
        Drawn {
            font: self.0[run.font].0.clone(),
            text: &run.text,
            glyphs: run.glyphs.iter().map(glyph).collect(),
            width: self.width(run, size),
        }
    }
}

/// A line of runs, from left to right.
pub(crate) struct Line {
    pub(crate) runs: Vec<Run>,
    pub(crate) width: i32,
}

/// A run as the PDF takes it.
pub(crate) struct Drawn<'r> {
    pub(crate) font: Font,
    pub(crate) text: &'r str,
    pub(crate) glyphs: Vec<KrillaGlyph>,
    pub(crate) width: i32,
}

/// A quotient as the PDF takes places and sizes.
#[expect(
    clippy::disallowed_types,
    clippy::float_arithmetic,
    reason = "places on paper, no amounts"
)]
pub(crate) fn share(part: i32, whole: i32) -> f32 {
    part as f32 / whole as f32
}
