//! No text of the profile is taken that differs from what was written in one bit, or is cut.

mod open_kmp_kit;

use open_kmp_kit::{Exchange, with_checksums};

#[test]
fn every_flipped_bit_is_refused() {
    let exchange = Exchange::new();
    for kind in exchange.texts() {
        assert_eq!((kind.check)(kind.text.as_bytes()), Ok(()), "{}", kind.name);
        let mut text = kind.text.as_bytes().to_vec();
        for bit in 0..8 * text.len() {
            text[bit / 8] ^= 1 << (bit % 8);
            let refused = (kind.check)(&text).expect_err(kind.name);
            assert!(["form", "checksum"].contains(&refused), "{}, {bit}: {refused}", kind.name);
            text[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn every_cut_is_refused() {
    let exchange = Exchange::new();
    for kind in exchange.texts() {
        let text = kind.text.as_bytes();
        for length in 0..text.len() {
            let refused = (kind.check)(&text[..length]).expect_err(kind.name);
            let known = ["form", "record"].contains(&refused);
            assert!(known, "{}, {length}: {refused}", kind.name);
            let rest = (kind.check)(&text[text.len() - length..]);
            assert!(rest.is_err(), "{}: the last {length} bytes alone", kind.name);
        }
        for more in ["\n", " ", "x", kind.text] {
            let longer = format!("{}{more}", kind.text);
            assert!((kind.check)(longer.as_bytes()).is_err(), "{}, more: {more:?}", kind.name);
        }
    }
}

#[test]
fn every_change_with_a_right_checksum_is_refused() {
    let exchange = Exchange::new();
    for kind in exchange.texts() {
        assert_eq!(with_checksums(kind.text), kind.text, "{}", kind.name);
        // Each character one further, so that digits stay digits and letters letters. In the public keys,
        // signatures and codes only some, since each takes arithmetic.
        for place in 0..kind.text.len() {
            let mut text = kind.text.as_bytes().to_vec();
            let item = kind.text[..place].rfind(';').map_or(0, |start| start + 1);
            let is_long = kind.text[item..].find(';').is_some_and(|length| length > 60);
            if text[place] == b'\n' || is_long && place % 16 != 0 {
                continue;
            }
            text[place] = match text[place] {
                b'9' => b'0',
                b'Z' => b'A',
                b'z' => b'a',
                other => other + 1,
            };
            let Ok(text) = String::from_utf8(text) else { continue };
            if !text.lines().all(|line| line.contains(';')) {
                continue;
            }
            let text = with_checksums(&text);
            if text == kind.text {
                continue; // The checksum itself was changed, and put right again.
            }
            let refused = (kind.check)(text.as_bytes()).expect_err(kind.name);
            assert_ne!(refused, "checksum", "{}, {place}", kind.name);
        }
    }
}

#[test]
fn no_text_passes_for_one_of_another_kind() {
    let exchange = Exchange::new();
    let texts = exchange.texts();
    for kind in &texts {
        for other in &texts {
            let taken = (kind.check)(other.text.as_bytes());
            assert_eq!(
                taken.is_ok(),
                kind.name == other.name,
                "{} read as {}",
                other.name,
                kind.name
            );
        }
    }
}

#[test]
fn lines_of_a_text_cannot_be_left_out_moved_or_doubled() {
    let exchange = Exchange::new();
    for kind in exchange.texts() {
        let lines: Vec<&str> = kind.text.split_inclusive('\n').collect();
        for place in 0..lines.len() {
            let mut without = lines.clone();
            without.remove(place);
            let mut doubled = lines.clone();
            doubled.insert(place, lines[place]);
            let mut moved = lines.clone();
            moved.swap(place, (place + 1) % lines.len());
            for text in [without, doubled, moved] {
                let refused = (kind.check)(text.concat().as_bytes());
                assert!(refused.is_err(), "{}, line {}", kind.name, place + 1);
            }
        }
    }
}
