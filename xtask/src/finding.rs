//! A finding: a place that breaks a rule, and how a chore reports it.

use std::fmt;

use crate::step::Failure;

/// A place that breaks a rule.
#[derive(Debug)]
pub(crate) struct Finding {
    rule: &'static str,
    path: String,
    line: usize,
    found: String,
    expected: String,
}

impl Finding {
    /// A finding at a line, counted from 1.
    pub(crate) fn new(
        rule: &'static str,
        path: &str,
        line: usize,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self { rule, path: path.into(), line, found: found.into(), expected: expected.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, path, line, found, expected } = self;
        write!(out, "{path}:{line}: {rule}: found {found}, expected {expected}")
    }
}

/// Prints all findings of a chore.
///
/// # Errors
///
/// [`Failure`] if there are any.
pub(crate) fn report(chore: &str, findings: &[Finding]) -> Result<(), Failure> {
    for finding in findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{chore} failed (findings: {}); to repeat it: cargo xtask {chore}",
        findings.len()
    )))
}

/// For the tests of the rules.
#[cfg(test)]
pub(crate) mod testing {
    use super::Finding;

    /// Where the findings are, as `path:line`.
    pub(crate) fn places(findings: &[Finding]) -> Vec<String> {
        findings.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Finding, report};

    #[test]
    fn finding_reads_as_place_rule_found_and_expected() {
        let finding = Finding::new("floats", "crates/a/src/lib.rs", 7, "`f64`", "integers");
        let expected = "crates/a/src/lib.rs:7: floats: found `f64`, expected integers";
        assert_eq!(finding.to_string(), expected);
    }

    #[test]
    fn any_finding_fails_the_chore() {
        assert!(report("tidy", &[]).is_ok());
        let failure = report("tidy", &[Finding::new("a", "b", 1, "c", "d")]).unwrap_err();
        assert!(failure.to_string().contains("cargo xtask tidy"));
    }
}
