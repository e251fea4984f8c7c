//! Tells most names that a run does not have from those that it may have, without reading the run.
//!
//! A split-block Bloom filter, as in Parquet: a name sets one bit in each of the eight words of one block. With 16 bits
//! for each name about one new name in 1000 looks as if it were there, and then the run is read.
//!
//! Which bits a name sets is the same in every filter, so that is worked out once. The blocks of different names are seldom
//! in the processor's cache. So what is done for many names does little between one block and the next, and takes no branch:
//! then the processor fetches many blocks at the same time.

use prepay_basics::codec::{DecodeError, Reader, Writer};

const BITS_EACH: u64 = 16;
const BITS: u64 = 256;

/// The length of a block in bytes.
pub(super) const BLOCK: usize = size_of::<Block>();

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

/// A block of a filter, or the bits that one name sets in it. Never in two lines of the processor's cache.
#[derive(Clone, Copy)]
#[repr(align(32))]
pub(super) struct Block([u32; 8]);

/// The bits that a name with this hash sets in a block.
#[inline]
pub(super) fn bits(hash: u64) -> Block {
    Block(SALT.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27)))
}

/// The names that a run may have.
pub(super) struct Filter(Vec<Block>);

impl Filter {
    /// How many blocks there are for so many names.
    pub(super) const fn blocks(names: u64) -> u64 {
        names * BITS_EACH / BITS + 1
    }

    /// An empty one for so many names.
    pub(super) fn new(names: u64) -> Self {
        Self(vec![Block([0; 8]); Self::blocks(names) as usize])
    }

    #[inline]
    fn block(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.0.len() as u128) >> 64) as usize
    }

    /// Adds names with these hashes.
    pub(super) fn insert(&mut self, hashes: &[u64]) {
        let places: Vec<_> = hashes.iter().map(|hash| (self.block(*hash), bits(*hash))).collect();
        for (block, bits) in places {
            for (word, bit) in self.0[block].0.iter_mut().zip(bits.0) {
                *word |= bit;
            }
        }
    }

    /// Whether a name with this hash, which sets these bits, may be there.
    #[inline]
    pub(super) fn contains(&self, hash: u64, bits: &Block) -> bool {
        let words = self.0[self.block(hash)].0.iter().zip(bits.0);
        words.fold(0, |missing, (word, bit)| missing | bit & !word) == 0
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        self.0.iter().flat_map(|block| block.0).for_each(|word| writer.u32(word));
    }

    /// Reads one for so many names.
    pub(super) fn decode(reader: &mut Reader<'_>, names: u64) -> Result<Self, DecodeError> {
        let mut filter = Self::new(names);
        for word in filter.0.iter_mut().flat_map(|block| &mut block.0) {
            *word = reader.u32()?;
        }
        Ok(filter)
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
            filter.insert(&(0..names).map(mix).collect::<Vec<_>>());
            let mut writer = Writer::new();
            filter.encode(&mut writer);
            assert_eq!(writer.len() as u64, Filter::blocks(names) * BLOCK as u64);
            let filter = Filter::decode(&mut Reader::new(writer.as_slice()), names).unwrap();
            let has = |name: u64| filter.contains(mix(name), &bits(mix(name)));
            assert!((0..names).all(has), "{names}");
            let wrong = (1 << 40..(1 << 40) + 100_000).filter(|name| has(*name));
            let wrong = wrong.count();
            assert!(wrong < 1000, "{names}: {wrong} of 100 000");
        }
    }
}
