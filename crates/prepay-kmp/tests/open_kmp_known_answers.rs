//! The texts of a fixed exchange, byte by byte, so that the format cannot change unseen.
//!
//! All is deterministic: secrets come from SHA-256 of a seed and a counter, signatures from RFC 6979. The
//! exchange is that of `docs/formats/open-kmp.md`. `open_kmp_second_implementation.rs` has the same file written
//! by another implementation.

mod open_kmp_kit;

use open_kmp_kit::{Exchange, Inputs};

/// What they are made from and the texts, each behind a line `== name`.
const KNOWN: &str = include_str!("data/open-kmp-2.txt");

#[test]
fn the_texts_of_the_fixed_exchange_are_the_known_ones() {
    let now = Exchange::new().file(&Inputs::known());
    let known: Vec<&str> = KNOWN.lines().collect();
    let now: Vec<&str> = now.lines().collect();
    for (line, (known, now)) in known.iter().zip(&now).enumerate() {
        assert_eq!(now, known, "line {}", line + 1);
    }
    assert_eq!((known.len(), now.len()), (26, 26));
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
