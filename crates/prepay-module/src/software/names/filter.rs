//! Tells most names that a run does not have from those that it may have, without reading the run.
//!
//! A split-block Bloom filter, as in Parquet: a name sets one bit in each of the eight words of one block. With 12 bits
//! for each name about one new name in 200 looks as if it were there, and then the run is read.

use prepay_basics::codec::{DecodeError, Reader, Writer};

const BITS_EACH: u64 = 12;
const BITS: u64 = 256;

/// The length of a block in bytes.
pub(super) const BLOCK: usize = 32;

const SALT: [u32; 8] = [
    0x47B6_137B,
    0x4497_4D91,
    0x8824_AD5B,
    0xA2B7_289D,
    0x7054_95C7,
    0x2DF1_424B,
    0x9EFC_4947,
    0x5C6B_FB31,
];

/// The names that a run may have.
pub(super) struct Filter(Vec<[u32; 8]>);

impl Filter {
    /// How many blocks there are for so many names.
    pub(super) const fn blocks(names: u64) -> u64 {
        names * BITS_EACH / BITS + 1
    }

    /// An empty one for so many names.
    pub(super) fn new(names: u64) -> Self {
        Self(vec![[0; 8]; Self::blocks(names) as usize])
    }

    #[inline]
    fn block(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.0.len() as u128) >> 64) as usize
    }

    pub(super) fn insert(&mut self, hash: u64) {
        let block = self.block(hash);
        for (word, salt) in self.0[block].iter_mut().zip(SALT) {
            *word |= 1 << ((hash as u32).wrapping_mul(salt) >> 27);
        }
    }

    /// Whether a name with this hash may be there.
    #[inline]
    pub(super) fn contains(&self, hash: u64) -> bool {
        let block = &self.0[self.block(hash)];
        let has =
            |(word, salt): (&u32, u32)| word >> ((hash as u32).wrapping_mul(salt) >> 27) & 1 == 1;
        block.iter().zip(SALT).all(has)
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        self.0.iter().flatten().for_each(|word| writer.u32(*word));
    }

    /// Reads one for so many names.
    pub(super) fn decode(reader: &mut Reader<'_>, names: u64) -> Result<Self, DecodeError> {
        let block = |reader: &mut Reader<'_>| {
            let mut block = [0; 8];
            for word in &mut block {
                *word = reader.u32()?;
            }
            Ok(block)
        };
        (0..Self::blocks(names)).map(|_| block(reader)).collect::<Result<_, _>>().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_knows_all_its_names_and_few_others() {
        let mix = |number: u64| {
            let once = (number ^ number >> 31).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            (once ^ once >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) ^ once >> 32
        };
        for names in [0, 1, 21, 22, 100_000_u64] {
            let mut filter = Filter::new(names);
            (0..names).for_each(|name| filter.insert(mix(name)));
            let mut writer = Writer::new();
            filter.encode(&mut writer);
            assert_eq!(writer.len() as u64, Filter::blocks(names) * BLOCK as u64);
            let filter = Filter::decode(&mut Reader::new(writer.as_slice()), names).unwrap();
            assert!((0..names).all(|name| filter.contains(mix(name))), "{names}");
            let wrong = (1 << 40..(1 << 40) + 100_000).filter(|name| filter.contains(mix(*name)));
            let wrong = wrong.count();
            assert!(wrong < 1000, "{names}: {wrong} of 100 000");
        }
    }
}
