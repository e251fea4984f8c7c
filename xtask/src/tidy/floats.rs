//! Rule: no floating point below the web pages. Money, credit and time are integers with a unit.
//!
//! The lower floors never use it. Doors and programs may where the table gives a reason, such as a chart.

use super::floors::FLOWS;
use super::source::{Source, TokenKind};
use super::{Finding, House};

pub(super) const RULE: &str = "floats";

/// Paths of doors and programs that may use floating point, and why. A folder ends with `/`.
const ALLOWED: &[(&str, &str)] = &[(
    "crates/prepay-lab/src/record.rs",
    "names the type in order to refuse a JSON number with a fraction",
)];

const TYPES: &[&str] = &["f16", "f32", "f64", "f128"];

pub(super) fn check(house: &House) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in house.sources.iter().filter(|source| source.is_in_src() && !is_allowed(source)) {
        for (index, token) in source.product() {
            if is_float(source, index) {
                let found = format!("`{}`", token.text);
                let expected = "an integer that counts a unit";
                findings.push(Finding::new(RULE, &source.path, token.line, found, expected));
            }
        }
    }
    findings
}

fn is_allowed(source: &Source) -> bool {
    match source.floor() {
        None => true,
        Some(floor) => {
            floor > FLOWS && ALLOWED.iter().any(|(path, _)| source.path.starts_with(path))
        }
    }
}

/// Whether the token at `index` is a floating-point type or literal.
fn is_float(source: &Source, index: usize) -> bool {
    let token = &source.tokens[index];
    match token.kind {
        TokenKind::Word => TYPES.contains(&token.text.as_str()),
        TokenKind::Literal => is_float_literal(&token.text) && !is_tuple_index(source, index),
        TokenKind::Sign | TokenKind::Bracket => false,
    }
}

/// `x.0.1` is lexed as `x`, `.` and `0.1`, while in `..0.1` two dots stand before the number.
fn is_tuple_index(source: &Source, index: usize) -> bool {
    source.before(index, 1) == "." && source.before(index, 2) != "."
}

fn is_float_literal(text: &str) -> bool {
    let is_decimal = text.starts_with(|first: char| first.is_ascii_digit())
        && !["0x", "0b", "0o"].iter().any(|prefix| text.starts_with(prefix));
    if !is_decimal {
        return false;
    }
    let rest = text.trim_start_matches(|sign: char| sign.is_ascii_digit() || sign == '_');
    let is_exponent = |rest: &str| {
        let mut signs = rest.chars();
        matches!(signs.next(), Some('e' | 'E'))
            && signs.next().is_some_and(|sign| matches!(sign, '+' | '-' | '_' | '0'..='9'))
    };
    rest.starts_with('.') || TYPES.contains(&rest) || is_exponent(rest)
}

#[cfg(test)]
mod tests {
    use super::super::testing::places;
    use super::{House, check};

    const LOW: &str = "crates/prepay-token/src/amount.rs";
    const DOOR: &str = "crates/prepay-forms/src/api.rs";
    const EXCEPTION: &str = "crates/prepay-lab/src/record.rs";

    #[test]
    fn integers_and_what_looks_like_floats_pass() {
        const CASES: &[&str] = &[
            "const A: u32 = x.0.1;",
            "const A: u32 = (x.0).1 .2;",
            "const A: u32 = f(0..5) + 1.max(2) + 1_000usize + 1isize;",
            "const A: u32 = 0x1e3 + 0xf32 + 0b1;",
            "const A: &str = \"1.5\"; // 1.5",
            "/// At 1.5 `f64`.\nfn a() {}",
            "#[cfg(test)] mod tests { const A: f64 = 1.5; }",
        ];
        for text in CASES {
            let found = check(&House::of(&[(LOW, text)]));
            assert!(found.is_empty(), "{text}: {found:?}");
        }
    }

    #[test]
    fn floats_are_found_below_and_at_the_doors() {
        const CASES: &[&str] = &[
            "fn a(b: f64) {}",
            "fn a() -> f32 { b }",
            "const A: B = 1.5;",
            "const A: B = 1.;",
            "const A: B = 1e3;",
            "const A: B = 1_0E-3;",
            "const A: B = 2f64;",
            "const A: B = 0..0.5;",
            "const A: B = ..0.5;",
            "macro_rules! a { () => { 1.5 } }",
        ];
        for text in CASES {
            for path in [LOW, DOOR] {
                assert_eq!(
                    places(&check(&House::of(&[(path, text)]))),
                    [format!("{path}:1")],
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn the_exception_and_tests_may_use_floats() {
        let text = "const A: f64 = 1.5;";
        for path in
            [EXCEPTION, "crates/prepay-token/tests/all.rs", "crates/prepay-testkit/src/lib.rs"]
        {
            assert!(check(&House::of(&[(path, text)])).is_empty(), "{path}");
        }
    }
}
