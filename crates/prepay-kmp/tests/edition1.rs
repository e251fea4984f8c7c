//! Key-load files of edition 1: read, listed with every fault, unwrapped with their parent key.
//!
//! The example is made up here after the published layout; no real file is public.

use prepay_kmp::check_value;
use prepay_kmp::edition1::{MAX_FAULTS, ParentKey, UNVERIFIED, parse};

const HEADER: &str = "9500 STSA0001 0123456789ABCDEF";
/// The key 0123456789ABCDEF under the parent 1122334455667788. Made with an independent implementation:
/// openssl enc -des-ecb -nopad, and the same for the check digits.
const FIRST: &str = "95200102CST00825F48CCFD6829F0D5D44FF720683D0D\
                     2026030108000020260401000000\
                     1255201457LAKESIDE       ";
const SECOND: &str = "95200103CST000000000000000000FFFFFFFFFFFFFFFF\
                      20260301080000202604010000002085201460";

fn file() -> String {
    format!("{HEADER}\r\n{FIRST}\r\n{SECOND}\r\n")
}

#[test]
fn a_file_is_listed_with_every_field() {
    let file = parse(file().as_bytes()).unwrap();
    assert_eq!(file.header.module_id.as_deref(), Some("STSA0001"));
    assert_eq!(file.header.text, HEADER);
    assert_eq!(file.unverified, UNVERIFIED);
    let [first, second] = &file.keys[..] else { panic!("two keys") };
    assert_eq!((first.line, first.register, first.parent_register), (2, 2, 0));
    assert_eq!(first.key_function, "01");
    assert_eq!((first.key_type, first.key_parity, first.encryption_method), ('C', 'S', 'T'));
    assert_eq!(first.sent.to_string(), "2026-03-01T08:00:00Z");
    assert_eq!(first.active.to_string(), "2026-04-01T00:00:00Z");
    assert_eq!((first.key_revision.value(), first.expiry.value()), (1, 255));
    assert_eq!((first.supply_group.value(), first.name.as_str()), (201_457, "LAKESIDE"));
    assert_eq!((second.key_revision.value(), second.expiry.value()), (2, 85));
    assert_eq!((second.supply_group.value(), second.name.as_str()), (201_460, ""));
}

#[test]
fn line_ends_and_the_place_of_the_module_id_may_differ() {
    let with_feeds = file().replace('\r', "");
    assert_eq!(parse(with_feeds.as_bytes()), parse(file().as_bytes()));
    assert_eq!(parse(with_feeds.trim_end().as_bytes()), parse(file().as_bytes()));
    for (header, id) in [
        ("950001STSA00010123456789", Some("STSA0001")),
        ("9500 STS-0001", None),
        ("9500", None),
        ("9500 0123STS", None),
    ] {
        let file = parse(format!("{header}\n{SECOND}").as_bytes()).unwrap();
        assert_eq!(file.header.module_id.as_deref(), id, "{header}");
    }
    assert_eq!(parse(HEADER.as_bytes()).unwrap().keys, []);
}

#[test]
fn a_key_is_unwrapped_with_its_parent_and_says_what_is_unverified() {
    let file = parse(file().as_bytes()).unwrap();
    let parent = 0x1122_3344_5566_7788_u64.to_be_bytes();
    let key = file.keys[0].unwrap_key(&ParentKey::new(&parent).unwrap());
    assert_eq!(key.key.expose_bytes(), 0x0123_4567_89AB_CDEF_u64.to_be_bytes());
    assert!(key.check_digits_agree);
    assert_eq!(key.unverified, UNVERIFIED);
    assert_eq!(check_value(&key.key).to_string(), "open-D5D44F");
    // Two equal halves of a double key are a single one.
    let double = ParentKey::new(&[parent, parent].concat()).unwrap();
    assert!(file.keys[0].unwrap_key(&double).check_digits_agree);
    // Another parent, and check digits of nothing: a warning, not an error.
    let other = ParentKey::new(&[7; 8]).unwrap();
    assert!(!file.keys[0].unwrap_key(&other).check_digits_agree);
    assert!(!file.keys[1].unwrap_key(&other).check_digits_agree);
    assert!(ParentKey::new(&[7; 20]).is_none());
    assert_eq!(format!("{other:?} {:?}", key.key), "ParentKey(..) VendingKey(..)");
}

#[test]
fn every_fault_is_listed_at_once_with_its_place() {
    // (from, to, column, field): each field with something that it cannot have.
    const CASES: &[(&str, &str, usize, &str)] = &[
        ("9520", "9521", 1, "record type"),
        ("952001", "9520-1", 5, "key function"),
        ("95200102", "952001+2", 7, "key register"),
        ("CST", " ST", 9, "key type"),
        ("CST", "C T", 10, "key parity"),
        ("CST", "CS ", 11, "encryption method"),
        ("CST00", "CSTA0", 12, "parent register"),
        ("CST0082", "CST00+2", 14, "wrapped key"),
        ("D5D44F", "X5D44F", 30, "check digits"),
        ("20260301", "20260231", 46, "date and time sent"),
        ("20260401000000", "20260401240000", 60, "date and time active"),
        ("1255201457", "0255201457", 74, "KRN"),
        ("1255201457", "1256201457", 75, "KEN"),
        ("1255201457", "1255 01457", 78, "SGC"),
    ];
    for &(from, to, column, field) in CASES {
        let line = FIRST.replacen(from, to, 1);
        assert_ne!(line, FIRST, "{field}");
        let text = format!("{HEADER}\n{line}\n{line}\n");
        let faults = parse(text.as_bytes()).unwrap_err();
        let places: Vec<_> =
            faults.iter().map(|fault| (fault.line, fault.column, fault.field)).collect();
        assert_eq!(places, [(2, column, field), (3, column, field)], "{line}");
        assert!(faults.iter().all(|fault| !fault.to_string().is_empty()));
    }
}

#[test]
fn files_of_another_form_are_refused() {
    // (file, field)
    let cases: [(Vec<u8>, &str); 8] = [
        (Vec::new(), "record type"),
        (FIRST.as_bytes().to_vec(), "record type"),
        (format!("{HEADER}\n\n{FIRST}").into_bytes(), "record"),
        (format!("{HEADER}\n{}", &FIRST[..82]).into_bytes(), "record"),
        (format!("{HEADER}\n{FIRST}x").into_bytes(), "record"),
        (format!("{HEADER}\u{e9}\n{FIRST}").into_bytes(), "line"),
        (vec![0xFF; 10], "file"),
        (vec![b'9'; 1 << 21], "file"),
    ];
    for (file, field) in cases {
        let faults = parse(&file).unwrap_err();
        assert_eq!(faults[0].field, field, "{:?}", faults[0]);
    }
    let bad = format!("{HEADER}\n{}", "x\n".repeat(900));
    assert_eq!(parse(bad.as_bytes()).unwrap_err().len(), MAX_FAULTS);
    let long = format!("{HEADER}\n{}", "x\n".repeat(1000));
    assert_eq!(parse(long.as_bytes()).unwrap_err()[0].field, "file");
}
