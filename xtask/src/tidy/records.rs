//! Rule: domain types are not `Serialize`. Each door has its own records and converts by hand.
//!
//! So the form on the wire never changes because a type of the domain did, and no key leaves by accident.

use super::floors::FLOWS;
use super::source::{Source, TokenKind};
use super::{Finding, House};

pub(super) const RULE: &str = "records";

const TRAITS: &[&str] = &["Serialize", "Deserialize"];

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in
        house.sources.iter().filter(|source| source.floor().is_some_and(|floor| floor <= FLOWS))
    {
        for (index, token) in source.product().filter(|(_, token)| token.kind == TokenKind::Word) {
            if TRAITS.contains(&token.text.as_str()) && is_given(source, index) {
                let found = format!("`{}` for a type of the domain", token.text);
                let expected = "a record of the door, converted by hand";
                findings.push(Finding::new(RULE, &source.path, token.line, found, expected));
            }
        }
    }
    findings
}

/// Whether the trait named at `index` is derived or implemented there, rather than imported or required.
fn is_given(source: &Source, index: usize) -> bool {
    is_derived(source, index) || is_implemented(source, index)
}

/// Whether the brackets around `index` are those of a `derive`.
fn is_derived(source: &Source, index: usize) -> bool {
    let list = source.tokens[..index].iter().rposition(|token| token.text == "(");
    list.is_some_and(|open| {
        let between = &source.tokens[open + 1..index];
        source.before(open, 1) == "derive" && between.iter().all(|token| token.text != ")")
    })
}

/// Whether an `impl` stands before `index` in its item and a `for` right behind.
fn is_implemented(source: &Source, index: usize) -> bool {
    let ends = |text: &str| matches!(text, "{" | "}" | ";");
    let mut before = source.tokens[..index].iter().rev().map(|token| token.text.as_str());
    let mut after = source.tokens[index..].iter().map(|token| token.text.as_str());
    before.by_ref().take_while(|text| !ends(text)).any(|text| text == "impl")
        && after.by_ref().take_while(|text| !ends(text)).any(|text| text == "for")
}

#[cfg(test)]
mod tests {
    use super::super::testing::places;
    use super::{House, check};

    const PATH: &str = "crates/prepay-kmc/src/sale.rs";

    #[test]
    fn domain_without_records_passes() {
        const CASES: &[&str] = &[
            "#[derive(Debug, Clone)] struct Sale;",
            "/// Not `Serialize`.\nstruct Sale;",
            "#[cfg(test)] mod tests { #[derive(Serialize)] struct Row; }",
            "#[derive(Debug)] struct A; fn f(a: &impl Serialize) {}",
        ];
        for text in CASES {
            let found = check(&House::of(&[(PATH, text)]));
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }

    #[test]
    fn serialised_domain_types_are_found() {
        const CASES: &[&str] = &[
            "#[derive(Debug, Serialize)] struct Sale;",
            "#[derive(serde::Deserialize, Debug)] struct Sale;",
            "#[cfg_attr(feature = \"serde\", derive(Serialize))] struct Sale;",
            "impl<T> serde::Serialize for Sale<T> {}",
            "impl<'de> Deserialize<'de> for Sale {}",
        ];
        for text in CASES {
            assert_eq!(
                places(&check(&House::of(&[(PATH, text)]))),
                [format!("{PATH}:1")],
                "{text}"
            );
        }
    }

    #[test]
    fn doors_have_records() {
        let text = "#[derive(Serialize)] struct Row;";
        assert!(check(&House::of(&[("crates/prepay-lab/src/sale.rs", text)])).is_empty());
    }
}
