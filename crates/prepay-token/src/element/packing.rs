//! Exponent and mantissa: how a large number is packed into few bits.
//!
//! A packed number has an exponent `e` and a mantissa `m` of 14 bits. The ranges of the exponents follow
//! one another without overlap, because each begins where the one below would have gone on:
//!
//! ```text
//! value(e, m) = FLOOR[e] + 10^e * m          FLOOR[0] = 0
//!                                            FLOOR[e] = FLOOR[e-1] + 2^14 * 10^(e-1)
//!
//!   e    FLOOR         step    last value
//!   0           0         1        16 383
//!   1      16 384        10       180 214
//!   2     180 224       100     1 818 524
//!   3   1 818 624     1 000    18 201 624
//! ```
//!
//! A value in the gap between two ranges, such as 180 220, takes the next exponent when it is rounded up
//! and the lower one when it is rounded down.
//!
//! - Used by: *Amount* (exponents 0 to 3), *MPL* and *MPPUL* (the same), currency amounts (0 to 31).
//! - Rounding: the caller chooses [`up`](short::up) or [`down`](long::down); nothing rounds to nearest.
//! - Source: IEC 62055-41:2018, data element *Amount*, both forms.

/// The largest mantissa: fourteen bits.
pub(crate) const LARGEST_MANTISSA: u16 = 0x3FFF;

/// The two bits above the mantissa, and the mantissa.
pub(crate) const fn split(bits: u16) -> (u8, u16) {
    ((bits >> 14) as u8, bits & LARGEST_MANTISSA)
}

/// Writes the rule for one integer width and one number of exponents.
macro_rules! packing {
    ($module:ident, $int:ty, $exponents:literal, $directions:tt) => {
        pub(crate) mod $module {
            use super::LARGEST_MANTISSA;

            /// `STEP[e]` is 10 to the power `e`.
            const STEP: [$int; $exponents] = {
                let mut step = [1; $exponents];
                let mut e = 1;
                while e < $exponents {
                    step[e] = step[e - 1] * 10;
                    e += 1;
                }
                step
            };

            /// `FLOOR[e]` is the smallest value with exponent `e`.
            const FLOOR: [$int; $exponents] = {
                let mut floor = [0; $exponents];
                let mut e = 1;
                while e < $exponents {
                    floor[e] = floor[e - 1] + STEP[e - 1] * (1 << 14);
                    e += 1;
                }
                floor
            };

            /// The largest value that can be packed.
            pub(crate) const LARGEST: $int = value($exponents - 1, LARGEST_MANTISSA);

            /// The value of an exponent and a mantissa.
            pub(crate) const fn value(e: u8, m: u16) -> $int {
                FLOOR[e as usize] + STEP[e as usize] * m as $int
            }

            packing!(@up $int, $exponents, $directions);
        }
    };
    (@up $int:ty, $exponents:literal, up) => {
        /// The smallest packed number that is not below `value`, as exponent and mantissa.
        ///
        /// Nothing when `value` is above [`LARGEST`].
        #[inline]
        pub(crate) fn up(value: $int) -> Option<(u8, u16)> {
            if value <= LARGEST_MANTISSA as $int {
                return Some((0, value as u16)); // Most amounts end here, without a division.
            }
            (1..$exponents).find_map(|e| {
                let m = value.saturating_sub(FLOOR[e]).div_ceil(STEP[e]);
                (m <= LARGEST_MANTISSA as $int).then_some((e as u8, m as u16))
            })
        }
    };
    (@up $int:ty, $exponents:literal, both) => {
        packing!(@up $int, $exponents, up);

        /// The largest packed number that is not above `value`, as exponent and mantissa.
        ///
        /// Nothing when `value` is above [`LARGEST`].
        pub(crate) fn down(value: $int) -> Option<(u8, u16)> {
            if value > LARGEST {
                return None;
            }
            let e = FLOOR.iter().rposition(|&floor| floor <= value)?;
            let m = ((value - FLOOR[e]) / STEP[e]).min(LARGEST_MANTISSA as $int);
            Some((e as u8, m as u16))
        }
    };
}

packing!(short, u32, 4, up);
packing!(long, u128, 32, both);

#[cfg(test)]
mod tests {
    use super::{long, short};
    use proptest::prelude::*;

    #[test]
    fn the_ranges_are_those_of_the_standard() {
        assert_eq!(short::LARGEST, 18_201_624);
        for (e, first, last) in [
            (0, 0, 16_383),
            (1, 16_384, 180_214),
            (2, 180_224, 1_818_524),
            (3, 1_818_624, 18_201_624),
        ] {
            assert_eq!(short::value(e, 0), first, "e = {e}");
            assert_eq!(short::value(e, 0x3FFF), last, "e = {e}");
            assert_eq!(long::value(e, 0x3FFF), u128::from(last), "e = {e}");
        }
        // FLOOR[31] + 10^31 * 16383, written out by hand.
        assert_eq!(long::LARGEST, 182_034_444_444_444_444_444_444_444_444_442_624);
    }

    #[test]
    fn a_value_in_a_gap_goes_up_or_down_whole() {
        for value in [180_215, 180_220, 180_223] {
            assert_eq!(short::up(value), Some((2, 0)), "{value}");
            assert_eq!(long::down(u128::from(value)), Some((1, 0x3FFF)), "{value}");
        }
    }

    #[test]
    fn one_above_the_largest_is_refused() {
        assert_eq!(short::up(short::LARGEST), Some((3, 0x3FFF)));
        assert_eq!(short::up(short::LARGEST + 1), None);
        assert_eq!(long::up(long::LARGEST + 1), None);
        assert_eq!(long::down(long::LARGEST + 1), None);
    }

    proptest! {
        #[test]
        fn up_and_down_enclose_the_value_and_are_next_to_each_other(value in 0..=long::LARGEST) {
            let (up_e, up_m) = long::up(value).unwrap();
            let (down_e, down_m) = long::down(value).unwrap();
            let (above, below) = (long::value(up_e, up_m), long::value(down_e, down_m));
            prop_assert!(below <= value && value <= above);
            prop_assert!(above == below || (up_e, up_m) == (down_e, down_m + 1) || (up_e, up_m, down_m) == (down_e + 1, 0, 0x3FFF));
        }

        #[test]
        fn both_widths_agree(value in 0..=short::LARGEST) {
            prop_assert_eq!(short::up(value), long::up(u128::from(value)));
        }
    }
}
