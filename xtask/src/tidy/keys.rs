//! Rule: no crate above the security modules uses the bytes of a key.
//!
//! `expose_bytes` is the only way to get bytes out of a key type, so the rule looks for this name. Tests may use it.

use super::Workspace;
use super::floors::{FLOWS, floor};
use crate::finding::Finding;

pub(super) const RULE: &str = "keys";

const NAME: &str = "expose_bytes";

/// Crates above the security modules that may use it, and why.
const ALLOWED: &[(&str, &str)] = &[
    ("prepay-lab", "works on raw test keys, and says so"),
    ("prepay-host", "hands a PIN to the hardware token"),
    ("prepay-session", "a client writes a passphrase into the line that signs a person in"),
];

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in workspace.sources().filter(|source| source.path.contains("/src/")) {
        let is_above = floor(source.crate_name).is_some_and(|floor| floor >= FLOWS);
        if !is_above || ALLOWED.iter().any(|(allowed, _)| *allowed == source.crate_name) {
            continue;
        }
        let product = source.code.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (line, _) in (1..).zip(product.lines()).filter(|(_, code)| code.contains(NAME)) {
            let expected = "a question to the security module";
            findings.push(Finding::new(RULE, source.path, line, format!("`{NAME}`"), expected));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{Workspace, check};
    use crate::finding::testing::places;

    const TEXT: &str = "fn a(key: &Key) {\n    key.expose_bytes();\n}";

    #[test]
    fn key_bytes_below_and_in_the_laboratory_pass() {
        for path in [
            "crates/prepay-token/src/key.rs",
            "crates/prepay-module/src/lib.rs",
            "crates/prepay-lab/src/lib.rs",
            "crates/prepay-kmc/tests/all.rs",
        ] {
            assert!(check(&Workspace::of(&[(path, TEXT)])).is_empty(), "{path}");
        }
        let tests = format!("fn b() {{}}\n\n#[cfg(test)]\nmod tests {{\n{TEXT}\n}}\n");
        for text in ["//! Never `expose_bytes`.", &tests] {
            assert!(check(&Workspace::of(&[("crates/prepay-forms/src/lib.rs", text)])).is_empty());
        }
    }

    #[test]
    fn key_bytes_above_the_module_are_found() {
        for path in [
            "crates/prepay-forms/src/lib.rs",
            "crates/prepay-kmc/src/a.rs",
            "crates/prepay/src/main.rs",
        ] {
            assert_eq!(places(&check(&Workspace::of(&[(path, TEXT)]))), [format!("{path}:2")]);
        }
    }
}
