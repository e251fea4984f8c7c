//! What a meter finds in its storage, and what it refuses by name.

mod common;

use common::{Bench, Medium, sta_profile, unique_key};
use crc::{CRC_32_ISO_HDLC, Crc};
use prepay_meter::{LoadError, Meter, Profile, RecordError, Slot, TokenResult};
use prepay_token::key_change::SetSize;

fn load(medium: &Medium) -> Result<Meter, LoadError<common::Stopped>> {
    Meter::load(sta_profile(), &mut medium.clone(), 0)
}

/// Changes bytes of a record and makes its checksums right again.
fn forge(medium: &mut Medium, slot: Slot, change: impl FnOnce(&mut [u8])) {
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let record = &mut medium.slots[slot as usize];
    change(record);
    let length = usize::from(u16::from_be_bytes([record[6], record[7]]));
    let body = crc.checksum(&record[40..40 + length]);
    record[12..16].copy_from_slice(&body.to_be_bytes());
    let header = crc.checksum(&record[..16]);
    record[16..20].copy_from_slice(&header.to_be_bytes());
    record.copy_within(..20, 20);
}

/// A medium whose newest record is in slot B, an older one in slot A.
fn used_medium() -> Medium {
    let mut bench = Bench::standard();
    let token = bench.vendor.credit(100, 5);
    assert_eq!(bench.result(token), TokenResult::Accept);
    bench.medium
}

#[test]
fn the_record_is_as_long_as_it_is_documented() {
    assert_eq!(Meter::<50, 12, 1>::RECORD_LENGTH, 40 + 232 + 150 + 12 + 2);
    assert_eq!(Bench::standard().encoded().len(), 232 + 150 + 12 + 2);
}

#[test]
fn a_medium_without_a_record_says_what_is_wrong_with_each_slot() {
    let blank = Medium::default();
    let (a, b) = (RecordError::Blank, RecordError::Blank);
    assert_eq!(load(&blank).unwrap_err(), LoadError::NoRecord { a, b });
    let mut other = Medium::default();
    other.slots[0].fill(0);
    other.slots[1][..4].copy_from_slice(b"ELF!");
    let (a, b) = (RecordError::Blank, RecordError::Magic);
    assert_eq!(load(&other).unwrap_err(), LoadError::NoRecord { a, b });
}

#[test]
fn the_newest_record_counts_and_is_not_passed_over() {
    let medium = used_medium();
    assert_eq!(load(&medium).unwrap().state().identifiers().iter().last(), Some(common::tid(100)));
    // A header that was written in part is no record: the older one counts.
    let mut torn = medium.clone();
    torn.slots[1][19..40].fill(0xFF);
    assert_eq!(load(&torn).unwrap().state().identifiers().iter().last(), Some(common::tid(0)));
    type Change = fn(&mut [u8]);
    let newest = |error| LoadError::Newest { slot: Slot::B, error };
    let field = |name| RecordError::Field { name };
    let cases: &[(&str, Change, RecordError)] = &[
        ("version", |record| record[5] = 3, RecordError::NewerVersion { found: 3 }),
        ("length", |record| record[7] ^= 1, RecordError::Length { expected: 396, found: 397 }),
        ("capacity", |record| record[41] = 49, RecordError::Capacity),
        ("PAN", |record| record[45] = b'x', field("pan")),
        ("PAN check digit", |record| record[62] ^= 1, field("pan")),
        ("algorithm", |record| record[63] = 8, field("algorithm")),
        ("key too long", |record| record[79] = 1, field("key")),
        ("key type", |record| record[80] = 4, field("key type")),
        ("revision", |record| record[81] = 10, field("key revision")),
        ("tariff index", |record| record[82] = 100, field("tariff index")),
        ("group", |record| record[84] = 1, field("supply group")),
        ("conditions", |record| record[88] = 6, field("conditions")),
        ("last credit", |record| record[103] = 8, field("last credit")),
        ("remainder", |record| record[158] = 1, field("remainder")),
        ("none remembered", |record| (record[270], record[271]) = (0, 0), field("identifiers")),
        ("order", |record| record[272] = 1, field("identifiers")),
        ("flag", |record| record[422] = 2, field("flag")),
        ("control", |record| record[434] = 4, field("control")),
    ];
    for &(name, change, error) in cases {
        let mut forged = medium.clone();
        forge(&mut forged, Slot::B, change);
        assert_eq!(load(&forged).unwrap_err(), newest(error), "{name}");
        assert!(!error.to_string().is_empty());
    }
    let mut damaged = medium.clone();
    damaged.slots[1][100] ^= 1;
    assert_eq!(load(&damaged).unwrap_err(), newest(RecordError::BodyChecksum));
}

#[test]
fn no_wrong_bit_brings_the_older_state_back() {
    let mut bench = Bench::standard();
    for identifier in [100, 101] {
        let token = bench.vendor.credit(identifier, 5);
        assert_eq!(bench.result(token), TokenResult::Accept);
    }
    // The newest record is in the first slot, an older whole one in the second.
    let newest = common::tid(101);
    let record = Meter::<50, 12, 1>::RECORD_LENGTH;
    for bit in 0..8 * record {
        let mut damaged = bench.medium.clone();
        damaged.slots[0][bit / 8] ^= 1 << (bit % 8);
        let error = match bit / 8 {
            0..20 => RecordError::HeaderDamaged,
            40.. => RecordError::BodyChecksum,
            _ => {
                // The repetition: nothing is lost, and it is written anew.
                let mut medium = damaged.clone();
                let meter: Meter = Meter::load(sta_profile(), &mut medium, 0).unwrap();
                assert_eq!(meter.state().identifiers().iter().last(), Some(newest), "bit {bit}");
                assert_eq!(medium.slots[1][..20], medium.slots[1][20..40], "bit {bit}");
                continue;
            }
        };
        assert_eq!(
            load(&damaged).unwrap_err(),
            LoadError::Newest { slot: Slot::A, error },
            "{bit}"
        );
        // The older record may be damaged, or in the middle of being replaced.
        let mut torn = damaged.clone();
        torn.slots[1][..30].fill(0xFF);
        assert_eq!(load(&torn).unwrap_err(), LoadError::Newest { slot: Slot::A, error }, "{bit}");
        let mut older = bench.medium.clone();
        older.slots[1][bit / 8] ^= 1 << (bit % 8);
        assert_eq!(load(&older).unwrap().state().identifiers().iter().last(), Some(newest));
    }
}

#[test]
fn a_record_of_version_1_is_read_and_stored_again_as_version_2() {
    let mut medium = used_medium();
    for record in &mut medium.slots {
        record.copy_within(40..436, 20);
        record[5] = 1;
        let header = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&record[..16]);
        record[16..20].copy_from_slice(&header.to_be_bytes());
        record[416..].fill(0xFF);
    }
    let meter: Meter = Meter::load(sta_profile(), &mut medium, 0).unwrap();
    assert_eq!(meter.state().identifiers().iter().last(), Some(common::tid(100)));
    assert_eq!((medium.slots[0][5], medium.slots[0][25], medium.slots[1][5]), (2, 2, 1));
    let again: Meter = load(&medium).unwrap();
    assert_eq!(common::encoded(&again), common::encoded(&meter));
    // A wrong bit in the new record is reported, though the old one of version 1 is whole.
    medium.slots[0][8] ^= 1;
    let error = RecordError::HeaderDamaged;
    assert_eq!(load(&medium).unwrap_err(), LoadError::Newest { slot: Slot::A, error });
}

#[test]
fn another_profile_or_capacity_does_not_load_the_state() {
    let mut medium = used_medium();
    let four = Profile::electricity(SetSize::Four);
    let refused = Meter::<50, 12, 1>::load(four, &mut medium, 0).unwrap_err();
    assert!(matches!(refused, LoadError::Profile(_)), "{refused:?}");
    let refused = Meter::<60, 12, 1>::load(sta_profile(), &mut medium, 0).unwrap_err();
    assert!(matches!(refused, LoadError::Newest { error: RecordError::Length { .. }, .. }));
    // As long, but otherwise cut.
    let refused = Meter::<50, 10, 2>::load(sta_profile(), &mut medium, 0).unwrap_err();
    assert!(matches!(refused, LoadError::Newest { error: RecordError::Capacity, .. }));
}

#[test]
fn a_meter_remembers_fifty_identifiers_at_least_and_as_many_as_fit() {
    // (asked for, made)
    for (remembered, is_made) in [(0, false), (49, false), (50, true), (60, true), (61, false)] {
        let birth = prepay_meter::Birth {
            pan: "600727000000000009".parse().unwrap(),
            key: unique_key(2),
            remembered,
            manufactured: common::tid(7),
        };
        let made = Meter::<60, 0, 0>::manufacture(sta_profile(), birth, &mut Medium::default());
        assert_eq!(made.is_ok(), is_made, "{remembered}");
    }
}

#[test]
fn nothing_prints_the_key() {
    let bench = Bench::new(sta_profile(), unique_key(0xA5));
    let text = format!("{:?} {:?}", bench.meter, bench.meter.state());
    assert!(!text.to_lowercase().contains("a5a5") && !text.contains("165, 165"), "{text}");
}
