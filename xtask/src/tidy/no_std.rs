//! Rule: floors 0 and 1 run on bare metal, and every run of them can be repeated.
//!
//! Their crate root says `#![no_std]` without a condition, and no source of theirs names `std`, an allocator, a
//! clock, randomness or logging. Tests may. That they *build* there is proved by `cargo xtask test`.

use super::source::{Source, TokenKind};
use super::{Finding, House};

pub(super) const RULE: &str = "no_std";

/// The highest floor without an operating system.
const TOP: u8 = 1;

/// Crates whose paths may not begin here.
const CRATES: &[(&str, &str)] = &[
    ("std", "`core`: there is no operating system"),
    ("alloc", "fixed sizes: there is no allocator"),
    ("log", "no logging"),
    ("tracing", "no logging"),
    ("defmt", "no logging"),
    ("rand", "randomness as an argument"),
    ("getrandom", "randomness as an argument"),
];

/// Names that may not appear, wherever they come from.
const NAMES: &[(&str, &str)] = &[
    ("SystemTime", "time as an argument"),
    ("Instant", "time as an argument"),
    ("OsRng", "randomness as an argument"),
    ("SysRng", "randomness as an argument"),
];

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in &house.sources {
        if !source.is_in_src() || source.floor().is_none_or(|floor| floor > TOP) {
            continue;
        }
        if source.path.ends_with("/src/lib.rs") && !is_no_std(source) {
            findings.push(Finding::new(
                RULE,
                &source.path,
                1,
                "no `#![no_std]`",
                "it, unconditional",
            ));
        }
        for (index, token) in source.product().filter(|(_, token)| token.kind == TokenKind::Word) {
            if let Some(expected) = objection(source, index) {
                let found = format!("`{}`", token.text);
                findings.push(Finding::new(RULE, &source.path, token.line, found, expected));
            }
        }
    }
    findings
}

fn is_no_std(source: &Source) -> bool {
    let attribute = ["#", "!", "[", "no_std", "]"];
    (0..source.tokens.len()).any(|index| source.reads(index, &attribute))
}

fn objection(source: &Source, index: usize) -> Option<&'static str> {
    let text = source.after(index, 0);
    let listed = |table: &'static [(&str, &str)]| table.iter().find(|(name, _)| *name == text);
    let is_used = source.begins_path(index)
        || source.reads(index.saturating_sub(2), &["extern", "crate", text])
        || (source.before(index, 1) == "use" && source.after(index, 1) != "::");
    let (_, expected) = listed(CRATES).filter(|_| is_used).or_else(|| listed(NAMES))?;
    Some(expected)
}

#[cfg(test)]
mod tests {
    use super::super::testing::places;
    use super::{House, check};

    const ROOT: &str = "crates/prepay-token/src/lib.rs";

    #[test]
    fn bare_metal_sources_pass() {
        const CASES: &[&str] = &[
            "//! `std::time` is not for us.\n#![no_std]\nuse core::fmt;",
            "#![no_std]\n#[cfg(test)] mod tests { use std::time::Instant; }",
            "#![no_std]\nfn f() { let std = 1; let log = std; self.rand(); }",
            "#![no_std]\nuse core::alloc::Layout;",
        ];
        for text in CASES {
            let found = check(&House::of(&[(ROOT, text)]));
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }

    #[test]
    fn anything_of_an_operating_system_is_found() {
        const CASES: &[&str] = &[
            "use std::fmt;",
            "fn f() { ::std::process::abort() }",
            "extern crate std;",
            "extern crate alloc;",
            "use alloc::vec::Vec;",
            "use std as core;",
            "fn f() { log::info!(\"a\") }",
            "fn f() { tracing::info!(\"a\") }",
            "fn f() -> u8 { rand::random() }",
            "fn f(now: Instant) {}",
            "#[cfg(feature = \"std\")] use std::error::Error;",
        ];
        for text in CASES {
            let found = check(&House::of(&[(ROOT, &format!("#![no_std]\n\n{text}"))]));
            assert_eq!(places(&found), [format!("{ROOT}:3")], "{text}");
        }
    }

    #[test]
    fn root_without_or_with_conditional_no_std_is_found() {
        for text in ["fn f() {}", "#![cfg_attr(not(test), no_std)]", "// #![no_std]"] {
            assert_eq!(
                places(&check(&House::of(&[(ROOT, text)]))),
                [format!("{ROOT}:1")],
                "{text}"
            );
        }
    }

    #[test]
    fn higher_floors_use_what_they_need() {
        let house = House::of(&[("crates/prepay-kmc/src/lib.rs", "use std::fmt;")]);
        assert!(check(&house).is_empty());
    }
}
