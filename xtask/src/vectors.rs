//! `cargo xtask vectors`: checks that no test vector is lost, altered or without identifier.
//!
//! `vectors/DIGESTS` lists the SHA-256 of every file in five folders, in the form of `sha256sum`, so that
//! `cd vectors && sha256sum --check DIGESTS` works too. `--update` rewrites the lines of our own files; those of
//! `published` belong to others, so a person adds them by hand. The testkit knows what the cases *mean*.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use clap::Args;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::finding::{Finding, report};
use crate::repository::Tree;
use crate::step::{Failure, announce, passed};

const RULE: &str = "vectors";
const DIGESTS: &str = "vectors/DIGESTS";
const PUBLISHED: &str = "published/";

/// The folders of `vectors/`. A file outside them is a finding, unless it is listed below.
const FOLDERS: &[&str] = &[PUBLISHED, "derived/", "invalid/", "regress/", "tariffs/"];
const UNLISTED: &[&str] = &["DIGESTS", "README.md"];

/// What `cargo xtask vectors` does besides checking.
#[derive(Args, Default)]
pub(crate) struct Options {
    /// First rewrite the digests of our own folders, but not of `published`.
    #[arg(long)]
    update: bool,
}

/// Checks every vector file, and prints the number of cases in each.
///
/// # Errors
///
/// [`Failure`] after all findings have been printed.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    announce("vectors", "digests, identifiers and origins");
    let started = Instant::now();
    if options.update {
        let text = updated(&Tree::read(root)?);
        fs::write(root.join(DIGESTS), text)
            .map_err(|error| Failure::new(format!("cannot write {DIGESTS}: {error}")))?;
    }
    let tree = Tree::read(root)?;
    for (path, _) in vector_files(&tree).filter(|(path, _)| path.ends_with(".jsonl")) {
        let cases = tree.text(&full(path)).unwrap_or_default().lines().count();
        println!("{cases:>8} cases  {path}");
    }
    report("vectors", &check(&tree))?;
    passed("vectors", started);
    Ok(())
}

/// All findings about the vectors of `tree`: their digests and their form.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    check_digests(tree, &mut findings);
    for (path, _) in vector_files(tree) {
        if !FOLDERS.iter().any(|folder| path.starts_with(folder)) {
            findings.push(finding(
                &full(path),
                1,
                "a file outside the five folders",
                FOLDERS.join(" "),
            ));
        }
        if path.ends_with(".jsonl") {
            check_cases(tree, path, &mut findings);
        }
    }
    findings
}

fn check_digests(tree: &Tree, findings: &mut Vec<Finding>) {
    let Some(text) = tree.text(DIGESTS) else {
        findings.push(finding(DIGESTS, 1, "no such file", "the digest of every vector file"));
        return;
    };
    let mut listed = BTreeSet::new();
    for (line, content) in (1..).zip(text.lines()) {
        match split(content) {
            None => findings.push(finding(DIGESTS, line, content, "<sha256>  <relative path>")),
            Some((_, path)) if !listed.insert(path) => {
                findings.push(finding(DIGESTS, line, format!("{path} again"), "each path once"));
            }
            Some((digest, path)) => match tree.bytes(&full(path)) {
                None => {
                    findings.push(finding(DIGESTS, line, format!("no file {path}"), "the file"))
                }
                Some(bytes) if sha256(bytes) != digest => {
                    let found = format!("{path} with digest {}", sha256(bytes));
                    findings.push(finding(DIGESTS, line, found, digest));
                }
                Some(_) => {}
            },
        }
    }
    for (path, _) in vector_files(tree).filter(|(path, _)| !listed.contains(path)) {
        findings.push(finding(
            &full(path),
            1,
            "a file without a digest",
            format!("a line in {DIGESTS}"),
        ));
    }
}

fn check_cases(tree: &Tree, path: &str, findings: &mut Vec<Finding>) {
    let full = full(path);
    let Some(text) = tree.text(&full) else {
        findings.push(finding(&full, 1, "bytes that are not text", "one JSON object in each line"));
        return;
    };
    let mut seen = BTreeMap::new();
    for (line, content) in (1..).zip(text.lines()) {
        let case: Map<String, Value> = match serde_json::from_str(content) {
            Ok(case) => case,
            Err(error) => {
                findings.push(finding(&full, line, error.to_string(), "one JSON object"));
                continue;
            }
        };
        match case.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()) {
            None => findings.push(finding(&full, line, "no `id`", "an `id` that is a string")),
            Some(id) => {
                if let Some(first) = seen.insert(id.to_string(), line) {
                    let found = format!("`id` {id:?} of line {first} again");
                    findings.push(finding(&full, line, found, "each `id` once in its file"));
                }
            }
        }
        if path.starts_with(PUBLISHED) && case.get("origin").is_none_or(Value::is_null) {
            findings.push(finding(&full, line, "no `origin`", "who published the case, and where"));
        }
    }
}

/// The new digests: the lines of `published` unchanged, ours from the files.
fn updated(tree: &Tree) -> String {
    let old = tree.text(DIGESTS).unwrap_or_default();
    let mut lines: BTreeMap<&str, String> = old
        .lines()
        .filter_map(split)
        .filter(|(_, path)| path.starts_with(PUBLISHED))
        .map(|(digest, path)| (path, digest.to_string()))
        .collect();
    let is_ours = |path: &str| FOLDERS[1..].iter().any(|folder| path.starts_with(folder));
    let ours = vector_files(tree).filter(|(path, _)| is_ours(path));
    lines.extend(ours.map(|(path, bytes)| (path, sha256(bytes))));
    lines.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect()
}

/// The files below `vectors/` that need a digest, by their path inside it.
fn vector_files(tree: &Tree) -> impl Iterator<Item = (&str, &[u8])> {
    let inside = |(path, bytes)| Some((str::strip_prefix(path, "vectors/")?, bytes));
    tree.files().filter_map(inside).filter(|(path, _)| !UNLISTED.contains(path))
}

fn full(path: &str) -> String {
    format!("vectors/{path}")
}

/// Digest and path of a line, if it has the form of `sha256sum`.
fn split(line: &str) -> Option<(&str, &str)> {
    let (digest, path) = line.split_once("  ")?;
    let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (digest.len() == 64 && digest.bytes().all(is_hex)).then_some((digest, path))
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("a String takes every write");
    }
    text
}

fn finding(
    path: &str,
    line: usize,
    found: impl Into<String>,
    expected: impl Into<String>,
) -> Finding {
    Finding::new(RULE, path, line, found, expected)
}

#[cfg(test)]
mod tests {
    use super::{check, sha256, split, updated};
    use crate::repository::Tree;

    const CASE: &str = "{\"id\":\"a\",\"origin\":\"example\"}\n";
    const PUBLISHED: &str = "vectors/published/tokens.jsonl";
    const DERIVED: &str = "vectors/derived/tokens.jsonl";

    fn digest_line(text: &str, path: &str) -> String {
        format!("{}  {path}\n", sha256(text.as_bytes()))
    }

    /// The findings about one published file with the right digest.
    fn published(text: &str) -> Vec<String> {
        let digests = digest_line(text, "published/tokens.jsonl");
        let tree = Tree::of(&[(PUBLISHED, text), ("vectors/DIGESTS", &digests)]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn digest_is_the_sha_256_of_the_standard() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
    }

    #[test]
    fn listed_and_well_formed_cases_pass() {
        let cases = format!("{CASE}{{\"id\":\"b\",\"origin\":\"example\"}}\n");
        assert_eq!(published(&cases), [""; 0]);
    }

    #[test]
    fn cases_in_wrong_form_are_found() {
        // (file, part of the finding): each differs from a good file in one thing.
        const CASES: &[(&str, &str)] = &[
            ("[1]\n", "one JSON object"),
            ("\n", "one JSON object"),
            ("{\"id\":\"a\",\"origin\":\"x\"} {}\n", "one JSON object"),
            ("{\"origin\":\"x\"}\n", "no `id`"),
            ("{\"id\":1,\"origin\":\"x\"}\n", "no `id`"),
            ("{\"id\":\"\",\"origin\":\"x\"}\n", "no `id`"),
            ("{\"id\":\"a\"}\n", "no `origin`"),
            ("{\"id\":\"a\",\"origin\":null}\n", "no `origin`"),
            (
                "{\"id\":\"a\",\"origin\":\"x\"}\n{\"id\":\"a\",\"origin\":\"x\"}\n",
                "of line 1 again",
            ),
        ];
        for &(text, expected) in CASES {
            let found = published(text);
            assert_eq!(found.len(), 1, "{text:?}: {found:?}");
            assert!(found[0].contains(expected), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn digests_that_disagree_are_found() {
        let good = digest_line(CASE, "published/tokens.jsonl");
        let wrong = digest_line("another", "published/tokens.jsonl");
        let more = format!("{good}{}", digest_line(CASE, "published/lost.jsonl"));
        let twice = format!("{good}{good}");
        let noise = format!("{good}# remark\n");
        for (digests, expected) in [
            ("", "a file without a digest"),
            (wrong.as_str(), "with digest"),
            (more.as_str(), "no file published/lost.jsonl"),
            (twice.as_str(), "again"),
            (noise.as_str(), "<sha256>  <relative path>"),
        ] {
            let tree = Tree::of(&[(PUBLISHED, CASE), ("vectors/DIGESTS", digests)]);
            let found = check(&tree);
            assert_eq!(found.len(), 1, "{expected}");
            assert!(found[0].to_string().contains(expected), "{}: {expected}", found[0]);
        }
    }

    #[test]
    fn missing_digests_and_stray_files_are_found() {
        assert_eq!(check(&Tree::of(&[])).len(), 1);
        let digests = digest_line("x", "other/notes.txt");
        let tree = Tree::of(&[("vectors/other/notes.txt", "x"), ("vectors/DIGESTS", &digests)]);
        assert!(check(&tree)[0].to_string().contains("outside the five folders"));
    }

    #[test]
    fn update_rewrites_ours_and_never_published() {
        let stale = digest_line("older", "published/tokens.jsonl");
        let gone = digest_line("gone", "derived/gone.jsonl");
        let digests = format!("{stale}{gone}");
        let files = [(PUBLISHED, CASE), (DERIVED, CASE), ("vectors/DIGESTS", digests.as_str())];
        let expected = format!("{}{stale}", digest_line(CASE, "derived/tokens.jsonl"));
        assert_eq!(updated(&Tree::of(&files)), expected);
    }

    #[test]
    fn digest_lines_have_the_form_of_sha256sum() {
        let digest = sha256(b"");
        assert!(split(&format!("{digest}  derived/a.jsonl")).is_some());
        for line in
            [format!("{digest} a"), format!("{}  a", &digest[1..]), digest.to_uppercase() + "  a"]
        {
            assert_eq!(split(&line), None, "line = {line:?}");
        }
    }
}
