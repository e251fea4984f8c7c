//! A slip as one HTML file, with its style inside and no script, font or picture from elsewhere.

use std::fmt::Write;

use askama::Template;
use prepay_vend::{Row, Slip};

use crate::qr::Squares;

/// The page.
#[derive(Template)]
#[template(path = "slip.html")]
struct Page<'a> {
    slip: &'a Slip,
}

impl Page<'_> {
    /// The squares of a QR code with a border of four, as an SVG picture.
    fn squares(&self, text: &str) -> Picture {
        let squares = Squares::new(text);
        let mut path = String::new();
        for (column, row, length) in squares.bars() {
            write!(path, "M{column} {row}h{length}v1h-{length}z").expect("a string takes it");
        }
        Picture { side: squares.width + 8, path }
    }
}

/// A picture in squares.
struct Picture {
    side: usize,
    path: String,
}

/// The page of a slip.
pub fn html(slip: &Slip) -> String {
    Page { slip }.render().expect("a string takes it")
}
