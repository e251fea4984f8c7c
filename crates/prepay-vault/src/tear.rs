//! Tells the torn end of an interrupted write from damage.
//!
//! A write that a power failure interrupts can lack its end, or have sectors that were never written and read as zeros.
//! It changes nothing else. So what follows the last right entry is a torn write only if
//!
//! - the log ends within the entry, and what is there of its length and number is right; or
//! - a sector of the entry, or what of it belongs to the entry and what follows, is zero.
//!
//! Everything else is damage, and an entry that damage has changed may have been acknowledged. That includes an entry
//! whose length was changed: with another length, it is right.
//!
//! - Unit: a sector has 512 bytes, counted from the start of the log.
//! - Limit: several bits changed at once may look like zeros that were never overwritten; one bit never does.

use super::record::{self, LONGEST, LogMac, Position};

const SECTOR: usize = 512;

/// How many bytes after a position decide whether they are a torn write.
pub(super) const DECISIVE: usize = LONGEST + SECTOR;

/// The fewest zeros at the end of an entry that cannot be a part of its hash.
const NO_CHANCE: usize = 16;

/// Whether an interrupted write can have left these bytes after a position, up to the end of the log or [`DECISIVE`].
pub(super) fn is_tear(bytes: &[u8], place: &Position, mac: &LogMac) -> bool {
    let Some(length) = bytes.first_chunk::<4>() else { return true };
    let length = u32::from_be_bytes(*length);
    if has_other_length(bytes, place, mac) {
        return false;
    }
    if has_zero_sector(bytes, 4, place, mac) {
        return true;
    }
    if !record::length_fits(length) {
        return false;
    }
    let length = length as usize;
    if length <= bytes.len() {
        return has_zero_sector(bytes, length, place, mac);
    }
    let number = (place.sequence + 1).to_be_bytes();
    let found = &bytes[4..bytes.len().min(12)];
    number.starts_with(found) || has_zero_sector(bytes, 12, place, mac)
}

/// Whether there is a right entry that states a wrong length. Its end is where the next entry starts, or near the end of
/// the log.
fn has_other_length(bytes: &[u8], place: &Position, mac: &LogMac) -> bool {
    let next = (place.sequence + 2).to_be_bytes();
    let follows =
        |length: usize| bytes.get(length + 4..length + 12).is_none_or(|found| found == next);
    (0..=bytes.len().min(LONGEST)).any(|length| {
        let fits = u32::try_from(length).is_ok_and(record::length_fits);
        fits && follows(length) && {
            let mut entry = bytes[..length].to_vec();
            entry[..4].copy_from_slice(&(length as u32).to_be_bytes());
            record::is_right(&entry, place, mac)
        }
    })
}

/// Whether a sector that has some of the first `count` bytes is zero, as far as it comes after the position.
fn has_zero_sector(bytes: &[u8], count: usize, place: &Position, mac: &LogMac) -> bool {
    let in_sector = (place.length % SECTOR as u64) as usize;
    let mut start = 0;
    let mut end = SECTOR - in_sector;
    while start < count.min(bytes.len()) {
        let part = &bytes[start..end.min(bytes.len())];
        // Fewer bytes at the start are zeros of the length, and fewer at the end may be zeros of the hash.
        let is_enough = part.len() >= NO_CHANCE || start == 0 && part.len() >= 4;
        if part.iter().all(|byte| *byte == 0)
            && (is_enough || start > 0 && lacks_end_of_hash(bytes, start, place, mac))
        {
            return true;
        }
        (start, end) = (end, end + SECTOR);
    }
    false
}

/// Whether the bytes are an entry of the vault with zeros from `start`, where its hash has more than one bit.
fn lacks_end_of_hash(bytes: &[u8], start: usize, place: &Position, mac: &LogMac) -> bool {
    let Some(hash) = record::hash_of(bytes, place, mac) else { return false };
    let lacking = hash.len().saturating_sub(bytes.len() - start);
    hash[lacking..].iter().map(|byte| byte.count_ones()).sum::<u32>() > 1
}
