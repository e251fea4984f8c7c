//! The texts of a fixed exchange, octet by octet, so that the format cannot change unseen.
//!
//! All is deterministic: secrets come from SHA-256 of a seed and a counter, signatures from RFC 6979. The
//! exchange is that of `docs/formats/open-kmp.md`. `data/open_kmp_check.py` verifies the same file with another
//! implementation.

mod open_kmp_kit;

use open_kmp_kit::Exchange;

/// The texts, each behind a line `== name`.
const KNOWN: &str = include_str!("data/open-kmp-1.txt");

#[test]
fn the_texts_of_the_fixed_exchange_are_the_known_ones() {
    let exchange = Exchange::new();
    let now: String =
        exchange.texts().iter().map(|kind| format!("== {}\n{}", kind.name, kind.text)).collect();
    let known: Vec<&str> = KNOWN.lines().collect();
    let now: Vec<&str> = now.lines().collect();
    for (line, (known, now)) in known.iter().zip(&now).enumerate() {
        assert_eq!(now, known, "line {}", line + 1);
    }
    assert_eq!((known.len(), now.len()), (25, 25));
}

#[test]
fn the_known_texts_are_still_read() {
    let exchange = Exchange::new();
    for kind in exchange.texts() {
        let (_, rest) = KNOWN.split_once(&format!("== {}\n", kind.name)).unwrap();
        let text = rest.split("== ").next().unwrap();
        assert_eq!((kind.check)(text.as_bytes()), Ok(()), "{}", kind.name);
    }
}
