//! Rule: no crate above the security modules names the bytes of a key.
//!
//! `expose_bytes` is the one way out of a key type, so its name is all there is to look for.

use super::floors::FLOWS;
use super::{Finding, House};

pub(super) const RULE: &str = "keys";

const NAME: &str = "expose_bytes";

/// Crates above the security modules that may, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("prepay-lab", "works on raw test keys, and says so"),
    ("prepay-host", "hands a PIN to the hardware token"),
];

pub(super) fn check(house: &House) -> Vec<Finding> {
    let is_above = |floor: Option<u8>| floor.is_some_and(|floor| floor >= FLOWS);
    let is_allowed = |name: &Option<String>| {
        ALLOWED.iter().any(|(crate_name, _)| name.as_deref() == Some(crate_name))
    };
    let mut findings = Vec::new();
    for source in &house.sources {
        if !is_above(source.floor()) || is_allowed(&source.crate_name) {
            continue;
        }
        for (_, token) in source.product().filter(|(_, token)| token.text == NAME) {
            let expected = "a question to the security module";
            findings.push(Finding::new(
                RULE,
                &source.path,
                token.line,
                format!("`{NAME}`"),
                expected,
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::testing::places;
    use super::{House, check};

    const TEXT: &str = "fn a(key: &Key) {\n    key.expose_bytes();\n}";

    #[test]
    fn key_bytes_below_and_in_the_laboratory_pass() {
        for path in [
            "crates/prepay-token/src/key.rs",
            "crates/prepay-module/src/lib.rs",
            "crates/prepay-lab/src/lib.rs",
            "crates/prepay-kmc/tests/all.rs",
        ] {
            assert!(check(&House::of(&[(path, TEXT)])).is_empty(), "{path}");
        }
        let comment = [("crates/prepay-forms/src/lib.rs", "//! Never `expose_bytes`.")];
        assert!(check(&House::of(&comment)).is_empty());
    }

    #[test]
    fn key_bytes_above_the_module_are_found() {
        for path in [
            "crates/prepay-forms/src/lib.rs",
            "crates/prepay-kmc/src/a.rs",
            "crates/prepay/src/main.rs",
        ] {
            assert_eq!(places(&check(&House::of(&[(path, TEXT)]))), [format!("{path}:2")]);
        }
    }
}
