//! The price of units in a month: blocks with their prices, as a function of all units of the month.
//!
//! The cost of a purchase is the cost of the month with it, less the cost of the month before it.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::QuoteError;
use crate::exact::{Exact, Ratio, Rounding, TooLong};
use crate::tariff::{Block, Figures, Value};

/// A piece of a straight line over the units of the month: `constant + slope × units`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) constant: Exact,
    pub(super) slope: Exact,
}

/// The blocks of one line, with the figures of one purchase.
#[derive(Clone, Debug)]
pub(super) struct Prices {
    /// The end of each block, and its piece; the last has no end.
    pub(super) blocks: Vec<(Option<Exact>, Piece)>,
    pub(super) whole_purchase: bool,
    pub(super) cap: Option<Exact>,
}

impl Prices {
    /// `months` are those whose accruing blocks may be used now.
    pub(super) fn new(
        blocks: &[Block],
        whole_purchase: bool,
        exchange: Option<(usize, Option<Rounding>)>,
        monthly_cap: Option<&Value>,
        figures: &Figures<'_>,
        months: Decimal,
    ) -> Result<Self, QuoteError> {
        let mut pieces: Vec<(Option<Exact>, Piece)> = Vec::with_capacity(blocks.len());
        let mut shift = Exact::ZERO;
        let mut written_end = Exact::ZERO;
        for block in blocks {
            let mut slope = figures.of(&block.price)?;
            if let Some((rate, rounding)) = exchange {
                slope = slope.times(figures.rate(rate)?)?;
                if let Some(rounding) = rounding {
                    slope = Exact::from(slope.rounded(rounding)?);
                }
            }
            let constant = match pieces.last() {
                // Continues where the block before it ends.
                Some((Some(end), before)) if !block.reprices => {
                    before.constant.add(before.slope.less(slope)?.times(*end)?)?
                }
                _ => Exact::ZERO,
            };
            let end = match block.to {
                Some(to) => {
                    if block.accrues {
                        let more = Exact::from(months).less(Exact::ONE)?;
                        shift = shift.add(to.less(written_end)?.times(more)?)?;
                    }
                    written_end = to;
                    Some(to.add(shift)?)
                }
                None => None,
            };
            pieces.push((end, Piece { constant, slope }));
        }
        let cap = monthly_cap.map(|cap| figures.of(cap)).transpose()?;
        Ok(Self { blocks: pieces, whole_purchase, cap })
    }

    /// The block of the units just above a number of the month.
    pub(super) fn block_above(&self, units: Ratio) -> Result<usize, TooLong> {
        for (index, (end, _)) in self.blocks.iter().enumerate() {
            match end {
                Some(end) if end.ratio()?.compare(units)? != Ordering::Greater => {}
                _ => return Ok(index),
            }
        }
        unreachable!("the last block has no end")
    }

    /// The cost of the month's units just above a number of them.
    pub(super) fn piece_above(&self, units: Ratio) -> Result<Piece, TooLong> {
        let piece = if let [(_, only)] = self.blocks.as_slice() {
            *only
        } else {
            self.blocks[self.block_above(units)?].1
        };
        if let Some(cap) = self.cap {
            let cost = units.cost(piece.constant, piece.slope)?;
            if cost.compare(cap.ratio()?)? != Ordering::Less {
                return Ok(Piece { constant: cap, slope: Exact::ZERO });
            }
        }
        Ok(piece)
    }

    /// The cost of so many units of the month; the end of a block belongs to it.
    pub(super) fn month(&self, units: Exact) -> Result<Exact, TooLong> {
        if units.sign() == Ordering::Equal {
            return Ok(Exact::ZERO);
        }
        for (end, piece) in &self.blocks {
            if let Some(end) = end
                && units.compare(*end)? == Ordering::Greater
            {
                continue;
            }
            let cost = piece.constant.add(piece.slope.times(units)?)?;
            return Ok(match self.cap {
                Some(cap) if cost.compare(cap)? == Ordering::Greater => cap,
                _ => cost,
            });
        }
        unreachable!("the last block has no end")
    }

    /// The units of the month at which the cap is reached.
    pub(super) fn cap_reached(&self) -> Result<Option<Ratio>, TooLong> {
        match (self.cap, self.blocks.as_slice()) {
            (Some(cap), [(_, piece)]) if piece.slope.sign() == Ordering::Greater => {
                cap.over(piece.slope).map(Some)
            }
            _ => Ok(None),
        }
    }
}
