//! `cargo xtask test`: everything that proves a fact by running it.
//!
//! A test that would take minutes has two forms. The short one is an ordinary test and always runs; the long one
//! carries `#[ignore = "long: ..."]` and runs with `--long`.

use std::path::Path;

use clap::Args;

use crate::setup::{self, Need, Source};
use crate::step::{Failure, Step};
use crate::{bare_metal, vectors};

/// What tests need from the system. Each line costs every fresh machine a download: keep it short.
const NEEDS: &[Need] = &[
    Need {
        name: "g++",
        source: Source::Debian(&[&["c++", "--version"]]),
        why: "proves that the header of the C interface is C++ too",
        left_out: &["the_header_is_cpp_too"],
    },
    Need {
        name: "softhsm2",
        source: Source::Debian(&[&["softhsm2-util", "--version"]]),
        why: "plays the PKCS#11 token that a vault may be sealed with",
        left_out: &[
            "a_key_of_the_token_wraps_and_unwraps",
            "a_vault_on_disk_opens_with_its_token_and_with_no_other",
            "what_is_wrong_with_a_token_is_named",
            "a_key_that_could_leave_the_token_is_refused",
            "a_key_in_a_token_seals_and_unlocks_and_can_be_left",
        ],
    },
    Need {
        name: "bsdutils",
        source: Source::Debian(&[&["script", "--version"]]),
        why: "makes the terminal on which secrets are typed",
        left_out: &[
            "what_is_typed_makes_a_module_and_opens_it_and_is_never_shown",
            "a_repetition_that_differs_is_no_new_passphrase",
            "whoever_leaves_a_question_finds_the_terminal_as_it_was_and_nothing_made",
        ],
    },
    Need {
        name: "python3-cryptography",
        // The interpreters that a test looks for the package with.
        source: Source::Debian(&[
            &["python3", "-c", "import cryptography"],
            &["/usr/bin/python3", "-c", "import cryptography"],
        ]),
        why: "is the other implementation of the texts of key management",
        left_out: &[
            "the_known_answers_are_those_of_the_other_implementation",
            "fresh_exchanges_are_those_of_the_other_implementation",
            "a_change_of_any_line_is_found",
            "a_change_of_any_input_is_found",
        ],
    },
];

/// What `cargo xtask test` runs besides the ordinary tests.
#[derive(Args)]
pub(crate) struct Options {
    /// Also run the long form of every proof: the tests that are ignored otherwise.
    #[arg(long)]
    pub(crate) long: bool,
    #[command(flatten)]
    pub(crate) install: setup::Install,
}

/// Sets up; then vectors, unit, integration and documentation tests, the program without its features, long proofs on
/// request, and the build without an operating system.
///
/// # Errors
///
/// [`Failure`] of the first step that does not pass.
pub(crate) fn run(root: &Path, options: &Options) -> Result<(), Failure> {
    let missing = setup::provide(root, NEEDS, options.install)?;
    vectors::run(root, &vectors::Options::default())?;
    let mut runner: Vec<&str> = missing.left_out().flat_map(|test| ["--skip", test]).collect();
    if !runner.is_empty() {
        runner.splice(0..0, ["--", "--exact"]);
    }
    let cargo = ["test", "--workspace", "--locked"];
    Step::cargo("tests", &[&cargo[..], &runner].concat()).run(root)?;
    let small = ["test", "-p", "prepay", "--locked", "--no-default-features"];
    Step::cargo("small build", &[&small[..], &["--test", "small_build"]].concat()).run(root)?;
    if options.long {
        runner.splice(0..runner.len().min(1), ["--release", "--", "--ignored"]);
        Step::cargo("long proofs", &[&cargo[..], &runner].concat()).run(root)?;
    }
    bare_metal::run(root)?;
    missing.report();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::NEEDS;
    use crate::repository::{Tree, root};

    #[test]
    fn every_test_that_may_be_left_out_exists() {
        let tree = Tree::read(&root().unwrap()).unwrap();
        let sources: Vec<&str> = tree.texts().map(|(_, text)| text).collect();
        for test in NEEDS.iter().flat_map(|need| need.left_out) {
            let function = format!("#[test]\nfn {test}()");
            let found = sources.iter().filter(|text| text.contains(&function)).count();
            assert_eq!(found, 1, "{test}: tests of this name, in a file of their own");
        }
    }
}
