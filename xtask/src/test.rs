//! `cargo xtask test`: every test, and the build for firmware.
//!
//! A test that takes minutes has two forms: a short one, which is an ordinary test and always runs, and a long one,
//! which has `#[ignore = "long: ..."]` and runs with `--long`.

use std::path::Path;

use clap::Args;

use crate::setup::{self, Need, Source};
use crate::step::{Failure, Step};
use crate::{bare_metal, power_loss, vectors};

/// What tests need from the system. Every new machine must download it all, so keep the list short.
const NEEDS: &[Need] = &[
    Need {
        name: "g++",
        source: Source::Debian(&[&["c++", "--version"]]),
        why: "checks that the header of the C interface is also valid C++",
        left_out: &["the_header_is_cpp_too"],
    },
    Need {
        name: "softhsm2",
        source: Source::Debian(&[&["softhsm2-util", "--version"]]),
        why: "simulates the PKCS#11 token that may seal a vault",
        left_out: &[
            "a_key_of_the_token_wraps_and_unwraps",
            "a_vault_on_disk_opens_with_its_token_and_with_no_other",
            "what_is_wrong_with_a_token_is_named",
            "a_key_that_could_leave_the_token_is_refused",
            "a_key_in_a_token_seals_and_unlocks_and_can_be_left",
        ],
    },
    Need {
        name: "poppler-utils",
        source: Source::Debian(&[&["pdftotext", "-v"]]),
        why: "reads and draws the PDF of a receipt",
        left_out: &[
            "a_pdf_says_what_the_slip_says_and_its_code_is_read_back",
            "the_longest_receipt_stays_within_its_borders",
        ],
    },
    Need {
        name: "bsdutils",
        source: Source::Debian(&[&["script", "--version"]]),
        why: "simulates the terminal on which secrets are typed",
        left_out: &[
            "what_is_typed_makes_a_module_and_opens_it_and_is_never_shown",
            "a_repetition_that_differs_is_no_new_passphrase",
            "whoever_leaves_a_question_finds_the_terminal_as_it_was_and_nothing_made",
        ],
    },
    Need {
        name: "python3-cryptography",
        // The interpreters with which a test looks for the package.
        source: Source::Debian(&[
            &["python3", "-c", "import cryptography"],
            &["/usr/bin/python3", "-c", "import cryptography"],
        ]),
        why: "runs the second implementation of the key-management texts",
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
    /// Also run the long tests, which are otherwise ignored.
    #[arg(long)]
    pub(crate) long: bool,
    #[command(flatten)]
    pub(crate) install: setup::Install,
}

/// Installs what is missing; then runs vectors, all tests, the tests of the program without its features, the test of
/// power loss, long tests on request, and the build without an operating system.
///
/// # Errors
///
/// [`Failure`] of the first step that fails.
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
    power_loss::sample(root)?;
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
