//! The results of mutation testing, as `mutants/` keeps them, and the reasons of what the tests miss.
//!
//! ```text
//! crates/prepay-token/src/layout.rs 5f0c1d2e3a4b5c6d ccumc-
//!     167:26: replace - with + in Place::width
//! ```
//!
//! A line for each file: the start of its SHA-256 without its tests, and a letter for each of its mutants, in the order in which cargo-mutants
//! lists them. Those that were missed follow, each in a line of its own.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::repository::Tree;

/// The crates that carry keys, money and tokens.
pub(crate) const CRATES: &[&str] = &[
    "prepay-token",
    "prepay-meter",
    "prepay-vault",
    "prepay-module",
    "prepay-kmp",
    "prepay-kmc-module",
];

/// Why mutants are missed.
pub(crate) const REASONS: &str = "mutants/REASONS";

const HEAD: &str = "\
# What the tests notice of changes to this crate; written by `cargo xtask mutants`.
# c caught, t caught by running too long, u does not compile, m missed, - not run yet.
";

/// Where the results of a crate are.
pub(crate) fn results_file(crate_name: &str) -> String {
    format!("mutants/{crate_name}")
}

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Caught,
    Timeout,
    Unviable,
    Missed,
}

impl Fate {
    const ALL: [(char, Self); 4] =
        [('c', Self::Caught), ('t', Self::Timeout), ('u', Self::Unviable), ('m', Self::Missed)];
}

/// The results of a crate.
#[derive(Default)]
pub(crate) struct Results {
    files: BTreeMap<String, FileResults>,
    /// File and place of each mutant, by its name.
    places: BTreeMap<String, (String, usize)>,
}

/// The results of a file, as it was when its mutants were run.
#[derive(Clone, Default)]
pub(crate) struct FileResults {
    digest: String,
    fates: Vec<Option<Fate>>,
    /// The names of those that were missed, without the path of the file.
    missed: Vec<String>,
}

impl FileResults {
    /// Whether the file is still the same.
    pub(crate) fn is_current(&self, path: &str, tree: &Tree) -> bool {
        self.digest == digest(path, tree)
    }

    /// What was missed, without line and column.
    pub(crate) fn missed(&self) -> impl Iterator<Item = &str> {
        self.missed.iter().map(|name| name.split_once(": ").map_or(name.as_str(), |(_, what)| what))
    }
}

impl Results {
    /// Reads what [`fmt::Display`] wrote.
    ///
    /// # Errors
    ///
    /// A sentence that names the line.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut results = Self::default();
        let mut current = None;
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.starts_with('#')) {
            let wrong = |what| format!("line {number}: expected {what}, found {line:?}");
            if let Some(name) = line.strip_prefix("    ") {
                let file: Option<&mut FileResults> =
                    current.as_ref().and_then(|path: &String| results.files.get_mut(path));
                file.ok_or_else(|| wrong("a file first"))?.missed.push(name.to_string());
                continue;
            }
            let [path, digest, letters] = line.split(' ').collect::<Vec<_>>()[..] else {
                return Err(wrong("path, digest and letters"));
            };
            let fate = |letter| match letter {
                '-' => Some(None),
                _ => Fate::ALL
                    .iter()
                    .find(|(known, _)| *known == letter)
                    .map(|&(_, fate)| Some(fate)),
            };
            let fates = letters.chars().map(fate).collect::<Option<_>>();
            let fates = fates.ok_or_else(|| wrong("the letters c, t, u, m and -"))?;
            let file = FileResults { digest: digest.to_string(), fates, missed: Vec::new() };
            results.files.insert(path.to_string(), file);
            current = Some(path.to_string());
        }
        Ok(results)
    }

    /// The files and their results.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &FileResults)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// Takes on these mutants, in their order. The results of a file that has changed since are dropped.
    pub(crate) fn refresh<'a>(
        &mut self,
        tree: &Tree,
        mutants: impl Iterator<Item = (&'a str, &'a str)>,
    ) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (path, name) in mutants {
            let count = counts.entry(path.to_string()).or_default();
            self.places.insert(name.to_string(), (path.to_string(), *count));
            *count += 1;
        }
        let mut before = std::mem::take(&mut self.files);
        for (path, count) in counts {
            let file = before.remove(&path).filter(|file| file.is_current(&path, tree));
            let file =
                file.filter(|file| file.fates.len() == count).unwrap_or_else(|| FileResults {
                    digest: digest(&path, tree),
                    fates: vec![None; count],
                    missed: Vec::new(),
                });
            self.files.insert(path, file);
        }
    }

    /// Drops the results of those that were missed, to run them again.
    pub(crate) fn forget_missed(&mut self) {
        for file in self.files.values_mut() {
            let missed = file.fates.iter_mut().filter(|fate| **fate == Some(Fate::Missed));
            missed.for_each(|fate| *fate = None);
            file.missed.clear();
        }
    }

    /// What became of a mutant, if it was run.
    pub(crate) fn fate(&self, name: &str) -> Option<Fate> {
        let (path, place) = self.places.get(name)?;
        self.files.get(path)?.fates.get(*place).copied().flatten()
    }

    /// Takes in what became of a mutant.
    pub(crate) fn record(&mut self, name: &str, fate: Fate) {
        let Some((path, place)) = self.places.get(name) else { return };
        let Some(file) = self.files.get_mut(path) else { return };
        file.fates[*place] = Some(fate);
        if fate == Fate::Missed {
            file.missed
                .push(name.trim_start_matches(path.as_str()).trim_start_matches(':').to_string());
        }
    }

    /// How many mutants were run, and what became of them; `reasons` says which cannot be caught.
    pub(crate) fn summary(&self, reasons: &Reasons) -> String {
        let fates = || self.files.values().flat_map(|file| &file.fates);
        let count = |wanted| fates().filter(|fate| **fate == Some(wanted)).count();
        let [caught, timeouts, unviable, missed] = Fate::ALL.map(|(_, fate)| count(fate));
        let same = self
            .files()
            .flat_map(|(path, file)| file.missed().map(move |name| (path, name)))
            .filter(|(path, name)| reasons.is_same(path, name))
            .count();
        let left_out = fates().filter(|fate| fate.is_none()).count();
        let noticed = caught + timeouts;
        let rate = (noticed * 1000).checked_div(noticed + missed - same).unwrap_or(1000);
        format!(
            "{} mutants: {noticed} caught ({timeouts} of them by time), {unviable} do not compile, {missed} missed, {same} of \
             them change nothing, {left_out} not run; {}.{} % of what can be caught is caught",
            fates().count(),
            rate / 10,
            rate % 10
        )
    }
}

impl fmt::Display for Results {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for (path, file) in self.files() {
            let letter = |fate: &Option<Fate>| {
                Fate::ALL
                    .iter()
                    .find(|(_, known)| Some(*known) == *fate)
                    .map_or('-', |&(letter, _)| letter)
            };
            let letters: String = file.fates.iter().map(letter).collect();
            writeln!(f, "{path} {} {letters}", file.digest)?;
            file.missed.iter().try_for_each(|name| writeln!(f, "    {name}"))?;
        }
        Ok(())
    }
}

/// Why mutants are missed, from [`REASONS`].
#[derive(Default)]
pub(crate) struct Reasons(pub(crate) Vec<Reason>);

/// Why a mutant is missed.
pub(crate) struct Reason {
    /// Where the reason is: counted from 1.
    pub(crate) line: usize,
    pub(crate) path: String,
    /// What is replaced, without line and column.
    pub(crate) mutant: String,
    /// Whether the program does the same with it, so that no test can notice.
    is_same: bool,
}

impl Reasons {
    /// Reads a file of reasons: a line that names the mutant, then one that starts with `same:` or `left:`.
    ///
    /// # Errors
    ///
    /// The number of the first wrong line, and what is expected there.
    pub(crate) fn read(text: &str) -> Result<Self, (usize, &'static str)> {
        let mut reasons = Vec::new();
        let mut lines =
            (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        while let Some((line, name)) = lines.next() {
            let (path, mutant) = name.split_once(": ").ok_or((line, "FILE: MUTANT"))?;
            let reason = lines.next().map_or("", |(_, reason)| reason.trim_start());
            let is_same = reason.starts_with("same: ");
            if !is_same && !reason.starts_with("left: ") {
                return Err((line + 1, "a reason that starts with `same:` or `left:`"));
            }
            let (path, mutant) = (path.to_string(), mutant.to_string());
            reasons.push(Reason { line, path, mutant, is_same });
        }
        Ok(Self(reasons))
    }

    fn is_same(&self, path: &str, mutant: &str) -> bool {
        self.0.iter().any(|reason| reason.is_same && reason.path == path && reason.mutant == mutant)
    }
}

impl Reason {
    /// Whether this is the mutant with this name, which has a file, a line and a column.
    pub(crate) fn names(&self, name: &str) -> bool {
        name.split_once(": ").is_some_and(|(_, what)| what == self.mutant)
    }

    /// The function that the mutant changes.
    pub(crate) fn function(&self) -> &str {
        let after = |mark| self.mutant.rsplit_once(mark).map(|(_, name): (_, &str)| name);
        let name =
            after(" in ").or_else(|| self.mutant.strip_prefix("replace ")).unwrap_or_default();
        let name = name
            .split(" -> ")
            .next()
            .and_then(|name| name.split(" with ").next())
            .unwrap_or_default();
        name.rsplit("::").next().unwrap_or_default()
    }
}

/// The start of the SHA-256 of a file. Its tests at the end do not count, so that a new test keeps the results.
fn digest(path: &str, tree: &Tree) -> String {
    let text = tree.text(path).unwrap_or_default();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let digest = Sha256::digest(code);
    digest[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::{Fate, Reasons, Results};
    use crate::repository::Tree;

    const MUTANTS: [(&str, &str); 3] = [
        ("a.rs", "a.rs:1:2: replace f -> u8 with 0"),
        ("a.rs", "a.rs:3:4: replace | with ^ in T::g"),
        ("b.rs", "b.rs:1:2: delete ! in h"),
    ];

    fn results(tree: &Tree, text: &str) -> Results {
        let mut results = Results::read(text).unwrap();
        results.refresh(tree, MUTANTS.into_iter());
        results
    }

    #[test]
    fn results_come_back_and_hold_until_the_file_changes() {
        let tree = Tree::of(&[("a.rs", "one"), ("b.rs", "two")]);
        let mut first = results(&tree, "");
        first.record(MUTANTS[0].1, Fate::Caught);
        first.record(MUTANTS[1].1, Fate::Missed);
        let text = first.to_string();
        let again = results(&tree, &text);
        assert_eq!(again.to_string(), text);
        assert_eq!(again.fate(MUTANTS[0].1), Some(Fate::Caught));
        assert_eq!(again.fate(MUTANTS[1].1), Some(Fate::Missed));
        assert_eq!(again.fate(MUTANTS[2].1), None);
        let mut forgotten = results(&tree, &text);
        forgotten.forget_missed();
        assert_eq!(forgotten.fate(MUTANTS[0].1), Some(Fate::Caught));
        assert_eq!(forgotten.fate(MUTANTS[1].1), None);
        assert!(!forgotten.to_string().contains("T::g"), "{forgotten}");
        let changed = results(&Tree::of(&[("a.rs", "One"), ("b.rs", "two")]), &text);
        assert_eq!(changed.fate(MUTANTS[1].1), None);
        assert!(!changed.to_string().contains("T::g"), "{changed}");
    }

    #[test]
    fn a_new_test_keeps_the_results() {
        let with = |tests: &str| {
            let text = format!("one\n#[cfg(test)]\nmod tests {{\n{tests}}}\n");
            Tree::of(&[("a.rs", &text), ("b.rs", "two")])
        };
        let mut first = results(&with(""), "");
        first.record(MUTANTS[0].1, Fate::Caught);
        let again = results(&with("more"), &first.to_string());
        assert_eq!(again.fate(MUTANTS[0].1), Some(Fate::Caught));
    }

    #[test]
    fn what_changes_nothing_does_not_count_as_missed() {
        let mut results = results(&Tree::of(&[("a.rs", "one"), ("b.rs", "two")]), "");
        for ((_, name), fate) in MUTANTS.iter().zip([Fate::Caught, Fate::Missed, Fate::Missed]) {
            results.record(name, fate);
        }
        let none = Reasons::default();
        assert!(results.summary(&none).contains("33.3 %"), "{}", results.summary(&none));
        let text = "a.rs: replace | with ^ in T::g\n    same: no bit is in both\n";
        let reasons = Reasons::read(text).unwrap();
        assert!(results.summary(&reasons).contains("50.0 %"), "{}", results.summary(&reasons));
    }

    #[test]
    fn wrong_lines_of_results_and_of_reasons_are_named() {
        for (text, line) in [("a.rs 00 x", 1), ("# head\na.rs 00", 2), ("    1:2: replace", 1)] {
            let problem = Results::read(text).map(drop).unwrap_err();
            assert!(problem.starts_with(&format!("line {line}: ")), "{problem}");
        }
        for (text, line) in
            [("a.rs", 1), ("# head\na.rs: delete ! in f\nb.rs: x", 3), ("a.rs: x", 2)]
        {
            assert_eq!(Reasons::read(text).map(drop).unwrap_err().0, line, "{text}");
        }
    }

    #[test]
    fn the_function_of_a_mutant_is_the_last_part_of_its_name() {
        for (mutant, function) in [
            ("replace seal -> TokenData with Default::default()", "seal"),
            ("replace | with ^ in ClearBlock::of", "of"),
            ("replace <impl Debug for T>::fmt -> fmt::Result with Ok(Default::default())", "fmt"),
            ("replace Meter::forget with ()", "forget"),
            ("delete match arm 0 in T::read", "read"),
        ] {
            let text = format!("a.rs: {mutant}\n left: x");
            assert_eq!(Reasons::read(&text).unwrap().0[0].function(), function, "{mutant}");
        }
    }
}
