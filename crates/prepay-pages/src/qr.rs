//! The squares of a QR code.

use qrcode::{Color, EcLevel, QrCode};

/// A square code.
pub(crate) struct Squares {
    /// Squares on each side, without the white border.
    pub(crate) width: usize,
    dark: Vec<bool>,
}

impl Squares {
    /// The code of a text, correcting a medium part of damage if that much fits, otherwise a small one.
    pub(crate) fn new(text: &str) -> Self {
        let code = QrCode::with_error_correction_level(text, EcLevel::M)
            .or_else(|_| QrCode::with_error_correction_level(text, EcLevel::L))
            .expect("the checks of a receipt leave at most 2900 bytes, and a code takes 2953");
        let dark = code.to_colors().into_iter().map(|color| color == Color::Dark).collect();
        Self { width: code.width(), dark }
    }

    /// Dark squares that lie side by side: column, row and how many.
    pub(crate) fn bars(&self) -> Vec<(usize, usize, usize)> {
        let mut bars = Vec::new();
        for (row, squares) in self.dark.chunks(self.width).enumerate() {
            let mut column = 0;
            for bar in squares.chunk_by(|one, other| one == other) {
                if bar[0] {
                    bars.push((column, row, bar.len()));
                }
                column += bar.len();
            }
        }
        bars
    }
}
