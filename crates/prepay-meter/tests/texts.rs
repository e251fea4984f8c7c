//! What results, refusals and states print, word by word.

use prepay_meter::keypad::{NoKey, WordError};
use prepay_meter::{
    LoadError, ManufactureError, OpenReason, ProfileError, RecordError, Refusal, SectionSet,
    ShortCodeMapError, Slot, Switch, TokenResult,
};
use prepay_token::element::EncryptionAlgorithm;
use prepay_token::key_change::SetSize;

/// Compares texts, and shows the first that differs.
fn assert_texts(cases: &[(String, &str)]) {
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn refusals_of_records_and_profiles_say_what_was_expected_and_found() {
    let profile =
        ProfileError::SetSize { size: SetSize::Three, algorithm: EncryptionAlgorithm::Misty1 };
    let of_profile = "key change sets of 3 do not suit encryption algorithm 11";
    type Load = LoadError<&'static str>;
    type Manufacture = ManufactureError<&'static str>;
    assert_texts(&[
        (profile.to_string(), of_profile),
        (ProfileError::NoService.to_string(), "a meter needs at least one service"),
        (RecordError::Blank.to_string(), "no record"),
        (RecordError::Magic.to_string(), "not a record of a meter"),
        (RecordError::HeaderChecksum.to_string(), "header damaged or incomplete"),
        (RecordError::HeaderDamaged.to_string(), "header damaged, its repetition is sound"),
        (
            RecordError::NewerVersion { found: 9 }.to_string(),
            "newer version: expected at most 2, found 9",
        ),
        (
            RecordError::Length { expected: 436, found: 1 }.to_string(),
            "wrong length: expected 436 bytes, found 1",
        ),
        (RecordError::BodyChecksum.to_string(), "body damaged"),
        (RecordError::Capacity.to_string(), "written for other capacities"),
        (RecordError::Field { name: "pan" }.to_string(), "pan is no value of its element"),
        (Load::Medium("worn out").to_string(), "the state could not be read: worn out"),
        (
            Load::NoRecord { a: RecordError::Blank, b: RecordError::Magic }.to_string(),
            "no state is stored: slot A: no record; slot B: not a record of a meter",
        ),
        (
            Load::Newest { slot: Slot::B, error: RecordError::BodyChecksum }.to_string(),
            "the newest state, in slot B, cannot be used: body damaged",
        ),
        (Load::Profile(profile).to_string(), of_profile),
        (Manufacture::Profile(profile).to_string(), of_profile),
        (
            Manufacture::Remembered { most: 60, found: 49 }.to_string(),
            "identifiers to remember: expected 50 to 60, found 49",
        ),
        (
            Manufacture::Medium("worn out").to_string(),
            "the first state could not be stored: worn out",
        ),
    ]);
}

#[test]
fn refusals_of_codes_and_words_say_what_was_expected() {
    assert_texts(&[
        (
            ShortCodeMapError::Length { index: 3 }.to_string(),
            "code at index 3: expected 1 to 19 digits, and as many as the syntax asks",
        ),
        (
            ShortCodeMapError::NotDigit { index: 4 }.to_string(),
            "code at index 4: expected digits alone",
        ),
        (
            ShortCodeMapError::Twice { index: 5 }.to_string(),
            "code at index 5 stands before it already",
        ),
        (NoKey('x').to_string(), "no key: expected 0 to 9, * or #, found 'x'"),
        (
            WordError { index: 18 }.to_string(),
            "word at index 18: expected 1 to 16 printable ASCII characters",
        ),
    ]);
}

#[test]
fn results_and_states_print_their_names() {
    assert_texts(&[
        (format!("{:>8}|{}", TokenResult::Accept, TokenResult::CrcError), "  accept|crc_error"),
        (Refusal::Used.to_string(), "used_error"),
        (Switch::Closed.to_string(), "closed"),
        (Switch::Open(OpenReason::NoCredit).to_string(), "open: no_credit"),
        (format!("{:?}", [1, 4].into_iter().collect::<SectionSet>()), "{1, 4}"),
        (format!("{:?}", SectionSet::default()), "{}"),
    ]);
}
