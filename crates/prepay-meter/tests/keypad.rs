//! The keypad and the display of a meter, key by key and second by second.

mod common;

use common::{Bench, sta_profile, unique_key};
use prepay_meter::keypad::{
    CODES_CONLOG, CODES_HEXING, CODES_LANDIS_GYR, CODES_PROJECT, Key, Keypad, KeypadAction,
    KeypadPolicy, Panel, Subject, Submit, Unit, WORDS_DE_FACTO, WORDS_ITRON, WORDS_PROJECT,
};
use prepay_meter::{
    CodeSyntax, CreditForm, CreditLevel, Outcome, Profile, Register, Services, ShortCodeMap,
    TokenResult,
};
use prepay_token::element::{ManufacturerCode, Service};
use prepay_token::key_change::{Rollover, SetSize};
use prepay_token::{MeterTest, Token, TokenData, seal_in_clear};

/// A meter with a panel. In a script `.` waits a second.
struct Household {
    bench: Bench,
    panel: Panel<'static>,
}

/// What a script showed, and what went in.
#[derive(Debug, Default)]
struct Seen {
    shown: Vec<String>,
    results: Vec<TokenResult>,
}

impl Household {
    fn new(bench: Bench, panel: Panel<'static>) -> Self {
        let mut centre_module = Self { bench, panel };
        centre_module.run(""); // The first screen.
        let _ = centre_module.panel.tick(&centre_module.bench.meter, centre_module.bench.now_s);
        centre_module
    }

    fn standard() -> Self {
        Self::new(Bench::standard(), Panel::default())
    }

    fn run(&mut self, script: &str) -> Seen {
        let mut seen = Seen::default();
        for character in script.chars() {
            let Bench { meter, medium, now_s, .. } = &mut self.bench;
            let shown = if character == '.' {
                *now_s += 1;
                self.panel.tick(meter, *now_s)
            } else {
                let key = Key::try_from(character).unwrap();
                let pressed = self.panel.press(key, meter, *now_s, medium).unwrap();
                seen.results.extend(pressed.outcome.map(|outcome| outcome.result()));
                pressed.shown
            };
            seen.shown.extend(shown.map(|screen| screen.to_string()));
        }
        seen
    }

    /// What is shown last.
    fn last(&mut self, script: &str) -> String {
        let seen = self.run(script);
        seen.shown.last().cloned().unwrap_or_default()
    }

    fn subject(&self) -> Subject {
        self.panel.screen(&self.bench.meter, self.bench.now_s).subject
    }
}

fn typed(data: TokenData) -> String {
    format!("{data}#")
}

fn test_token(test: u8) -> TokenData {
    let code: ManufacturerCode = "00".parse().unwrap();
    let control = if test == 0 { (1 << 36) - 1 } else { 1 << (test - 1) };
    seal_in_clear(&Token::Test(MeterTest::new(0, code, control).unwrap())).unwrap()
}

#[test]
fn each_character_stands_for_one_key() {
    for key in Key::ALL {
        assert_eq!(Key::try_from(key.character()), Ok(key));
    }
    assert_eq!(Key::ALL.map(Key::character), "0123456789*#".chars().collect::<Vec<_>>()[..]);
    assert!(Key::try_from('.').is_err() && Key::try_from('A').is_err());
}

#[test]
fn digits_are_shown_with_a_dash_after_each_fourth_and_a_counter() {
    let mut centre_module = Household::standard();
    let seen = centre_module.run("12345678901234567890");
    assert_eq!(seen.shown.len(), 20);
    for (place, shown) in [
        (1, "1"),
        (4, "1234"),
        (5, "1234-5"),
        (8, "1234-5678"),
        (9, "1234-5678-9"),
        (20, "1234-5678-9012-3456-7890"),
    ] {
        assert_eq!(seen.shown[place - 1], shown, "{place}");
    }
    let screen = centre_module.panel.screen(&centre_module.bench.meter, centre_module.bench.now_s);
    assert_eq!(screen.counter(), Some(20));
    assert_eq!(screen.text.tail(8), "456-7890");
    assert!(seen.results.is_empty(), "the enter key submits, not the twentieth digit");
}

#[test]
fn a_token_is_shown_as_result_then_as_amount_then_the_credit_returns() {
    let mut centre_module = Household::standard();
    let token = centre_module.bench.vendor.credit(100, 256);
    let seen = centre_module.run(&typed(token));
    assert_eq!(seen.results, [TokenResult::Accept]);
    assert_eq!(seen.shown.last().unwrap(), "accept");
    let upcoming: Vec<_> = centre_module.panel.upcoming(&centre_module.bench.meter).collect();
    let upcoming: Vec<_> = upcoming.iter().map(|(at, s)| (*at - 1000, s.to_string())).collect();
    assert_eq!(upcoming, [(3, "25.6 kWh".to_owned()), (8, "25.60 kWh".to_owned())]);
    // (wait, what is new on the display)
    for (wait, new) in
        [("..", None), (".", Some("25.6 kWh")), ("....", None), (".", Some("25.60 kWh"))]
    {
        assert_eq!(centre_module.run(wait).shown.first().map(String::as_str), new, "{wait}");
    }
    assert_eq!(centre_module.subject(), Subject::Idle(Register::Credit(Service::Electricity)));
    let seen = centre_module.run(&typed(token));
    assert_eq!(seen.results, [TokenResult::UsedError]);
    assert_eq!(centre_module.run("...").shown, ["25.60 kWh"], "a refusal has no amount");
    assert_eq!(centre_module.bench.tenths(), 256);
}

#[test]
fn timings_are_those_of_the_policy() {
    let policy =
        KeypadPolicy { entry_timeout_s: 2, result_s: 1, amount_s: 2, ..Default::default() };
    let panel = Panel::new(policy, CODES_PROJECT, WORDS_PROJECT);
    let mut centre_module = Household::new(Bench::standard(), panel);
    let token = centre_module.bench.vendor.credit(100, 5);
    centre_module.run(&typed(token));
    assert_eq!(centre_module.run(".").shown, ["0.5 kWh"]);
    assert_eq!(centre_module.run("..").shown, ["0.50 kWh"]);
    assert_eq!(centre_module.run("1..").shown, ["1", "0.50 kWh"]);
    // Without any time nothing is ever seen of an answer, and nothing hangs.
    let policy = KeypadPolicy { result_s: 0, amount_s: 0, register_s: 0, ..policy };
    let panel = Panel::new(policy, CODES_PROJECT, WORDS_PROJECT);
    let mut centre_module = Household::new(Bench::standard(), panel);
    centre_module.run(&typed(test_token(0)));
    assert!(centre_module.run(".").shown.len() <= 1);
    assert!(matches!(centre_module.subject(), Subject::Idle(_)));
}

#[test]
fn back_takes_the_last_digit_away() {
    let mut centre_module = Household::standard();
    assert_eq!(centre_module.run("12345**").shown[5..], ["1234", "123"]);
    assert_eq!(centre_module.run("***").shown, ["12", "1", "0.00 kWh"]);
    assert!(centre_module.run("**").shown.is_empty());
    // The last digit of a token is put right.
    let token = centre_module.bench.vendor.credit(100, 10).to_string();
    let wrong = if token.ends_with('1') { '2' } else { '1' };
    let last = token.chars().last().unwrap();
    let script = format!("{}{wrong}*{last}#", &token[..19]);
    assert_eq!(centre_module.run(&script).results, [TokenResult::Accept]);
}

#[test]
fn twenty_seconds_without_a_key_drop_a_partial_entry() {
    let wait = |seconds| ".".repeat(seconds);
    let mut centre_module = Household::standard();
    let token = centre_module.bench.vendor.credit(100, 10).to_string();
    let (head, tail) = token.split_at(12);
    // Each key starts the time anew.
    let script = format!("{head}{}{}{}{}#", wait(19), &tail[..4], wait(19), &tail[4..]);
    assert_eq!(centre_module.run(&script).results, [TokenResult::Accept]);
    // At the twentieth second the entry is gone: what follows is no token.
    let token = centre_module.bench.vendor.credit(101, 10).to_string();
    let script = format!("{}{head}{}", wait(8), wait(20));
    assert_eq!(centre_module.last(&script), "1.00 kWh");
    assert_eq!(centre_module.panel.keypad().digit_count(), 0);
    let seen = centre_module.run(&format!("{}#", &token[12..]));
    assert!(seen.results.is_empty());
    assert_eq!(seen.shown.last().unwrap(), "no code");
    // A key that comes late, without a tick in between, begins a new entry.
    centre_module.run("123");
    centre_module.bench.now_s += 20;
    assert_eq!(centre_module.run("4").shown, ["4"]);
    // A leading enter is dropped too.
    centre_module.run("*#");
    assert_eq!(centre_module.run(&wait(20)).shown, ["1.00 kWh"]);
    assert_eq!(centre_module.last("061#"), "0.00 kWh");
    // The twenty-first digit is ignored, and counts as a key all the same.
    let script = format!("{token}{}7{}#", wait(19), wait(19));
    assert_eq!(centre_module.run(&script).results, [TokenResult::Accept]);
}

#[test]
fn nineteen_digits_are_no_token_and_the_twenty_first_is_ignored() {
    let mut centre_module = Household::standard();
    let token = centre_module.bench.vendor.credit(100, 10).to_string();
    let before = centre_module.bench.meter.last_result();
    let seen = centre_module.run(&format!("{}#", &token[..19]));
    assert!(seen.results.is_empty());
    assert_eq!(centre_module.subject(), Subject::CodeRefused);
    assert_eq!(centre_module.bench.meter.last_result(), before, "nothing went in");
    let seen = centre_module.run(&format!("{token}7"));
    assert_eq!(seen.shown.len(), 20, "the twenty-first digit shows nothing new");
    assert_eq!(centre_module.run("#").results, [TokenResult::Accept]);
    // Back after a twenty-first digit takes the twentieth.
    centre_module.run(&format!("{token}7*"));
    assert_eq!(centre_module.panel.keypad().digit_count(), 19);
}

#[test]
fn twenty_digits_that_no_token_has_are_a_format_error() {
    let mut centre_module = Household::standard();
    for (digits, result) in [
        ("73786976294838206463", TokenResult::FunctionError),
        ("73786976294838206464", TokenResult::FormatError),
        ("99999999999999999999", TokenResult::FormatError),
    ] {
        assert_eq!(centre_module.run(&format!("{digits}#")).results, [result], "{digits}");
        assert_eq!(centre_module.bench.meter.last_result(), Some(result), "{digits}");
    }
}

#[test]
fn the_twentieth_digit_submits_where_the_policy_says_so() {
    let policy = KeypadPolicy { submit: Submit::AtTwentieth, ..Default::default() };
    let panel = Panel::new(policy, CODES_PROJECT, WORDS_PROJECT);
    let mut centre_module = Household::new(Bench::standard(), panel);
    let token = centre_module.bench.vendor.credit(100, 10);
    assert_eq!(centre_module.run(&token.to_string()).results, [TokenResult::Accept]);
    // An enter key by habit does nothing; the next begins a code.
    assert!(centre_module.run("#").shown.is_empty());
    assert_eq!(centre_module.run("#").shown, ["#"]);
    assert_eq!(centre_module.last("002#"), "1.00 kWh");
    // A twenty-first digit begins another entry.
    assert_eq!(centre_module.last(&format!("{token}5")), "5");
}

#[test]
fn a_code_shows_its_register_for_five_seconds() {
    let mut centre_module = Household::standard();
    let token = centre_module.bench.vendor.credit(100, 256);
    centre_module.run(&typed(token));
    // (script, shown): both syntaxes, and values of each form.
    for (script, shown) in [
        ("000#", "00000000000"),
        ("#000#", "00000000000"),
        ("001#", "0 W"),
        ("002#", "25.60 kWh"),
        ("012#", "10.0"),
        ("055#", "100 min"),
        ("056#", "25.6 kWh"),
        ("057#", "1 2"),
        ("058#", "01"),
        ("060#", "123456"),
        ("061#", "0.00 kWh"),
        ("078#", "01"),
        ("401#", "------"),
        ("430#", "255"),
        ("431#", "07"),
        ("432#", "2"),
        ("433#", "------"),
        ("437#", "0"),
        ("440#", "closed"),
        ("450#", "0 s"),
        ("2#", "no code"),
        ("0002#", "no code"),
        ("999#", "no code"),
        ("900#", "no code"),
    ] {
        let seen = centre_module.run(script);
        assert_eq!(seen.shown.last().unwrap(), shown, "{script}");
        assert!(seen.results.is_empty(), "{script}");
    }
    centre_module.run("057#");
    assert_eq!(centre_module.subject(), Subject::Register(Register::KeyRevisionAndType));
    assert!(centre_module.run("....").shown.is_empty());
    assert_eq!(centre_module.run(".").shown, ["25.60 kWh"]);
    assert_eq!(
        centre_module.bench.meter.last_result(),
        Some(TokenResult::Accept),
        "a code is no token"
    );
}

#[test]
fn makers_have_their_own_codes_and_syntax() {
    // (map, script, last shown)
    for (codes, script, shown) in [
        (CODES_HEXING, "804#", "00000000000"),
        (CODES_HEXING, "801#", "0.00 kWh"),
        (CODES_HEXING, "869#", "------"),
        (CODES_HEXING, "814#", "no code"), // Theirs, but not kept here.
        (CODES_HEXING, "811#", "no code"), // No emergency credit by default.
        (CODES_CONLOG, "#100#", "00000000000"),
        (CODES_CONLOG, "100#", "no code"),
        (CODES_LANDIS_GYR, "#000", "00000000000"),
        (CODES_LANDIS_GYR, "000#", "no code"),
        (CODES_LANDIS_GYR, "#058", "01"),
        (ShortCodeMap::NONE, "1#", "no code"),
        (ShortCodeMap::NONE, "12#", "no code"),
    ] {
        let panel = Panel::new(KeypadPolicy::default(), codes, WORDS_PROJECT);
        let mut centre_module = Household::new(Bench::standard(), panel);
        assert_eq!(centre_module.last(script), shown, "{script}");
    }
}

#[test]
fn enter_alone_begins_a_code_and_length_alone_makes_a_token() {
    let mut centre_module = Household::standard();
    assert_eq!(centre_module.run("#1*").shown, ["#", "#1", "#"]);
    assert_eq!(centre_module.run("*").shown, ["0.00 kWh"]);
    assert_eq!(centre_module.run("##").shown, ["#", "0.00 kWh"]);
    let token = centre_module.bench.vendor.credit(100, 10);
    assert_eq!(centre_module.run(&format!("#{token}#")).results, [TokenResult::Accept]);
    let mut keypad = Keypad::new(KeypadPolicy::default(), CodeSyntax::DigitsEnter);
    assert_eq!(keypad.press(Key::Enter, 0), KeypadAction::Nothing);
    assert_eq!(keypad.tick(1000), KeypadAction::Nothing);
}

#[test]
fn a_code_asks_for_emergency_credit_and_changes_no_credit() {
    let mut profile = sta_profile();
    let level = CreditLevel { tenths: 50, hundred_thousandths: 0 };
    profile.policy.emergency_credit = Some(level);
    let mut centre_module = Household::new(Bench::new(profile, unique_key(0xA5)), Panel::default());
    assert!(!centre_module.bench.meter.switch(Service::Electricity).is_closed());
    assert_eq!(centre_module.last("900#"), "0.00 kWh");
    assert_eq!(centre_module.subject(), Subject::Register(Register::Credit(Service::Electricity)));
    assert!(centre_module.bench.meter.switch(Service::Electricity).is_closed());
    assert_eq!(centre_module.bench.tenths(), 0);
    assert_eq!(centre_module.last("901#"), "no code", "there is no water");
}

#[test]
fn a_test_token_shows_its_registers_one_after_the_other() {
    let mut centre_module = Household::standard();
    let seen = centre_module.run(&format!("{}...", typed(test_token(0))));
    assert_eq!(seen.shown[20..], ["accept", "88888888"]);
    let wait = ".".repeat(5 * 4);
    let shown = ["0.00 kWh", "1 2", "01", "0.00 kWh"];
    assert_eq!(centre_module.run(&wait).shown, shown);
    assert!(matches!(centre_module.subject(), Subject::Idle(_)));
    centre_module.run(&format!("{}...", typed(test_token(16))));
    assert_eq!(centre_module.subject(), Subject::Register(Register::SupplyGroup));
    // A test of what the meter lacks is accepted and shows nothing.
    centre_module.run(&format!("*{}...", typed(test_token(30))));
    assert!(matches!(centre_module.subject(), Subject::Idle(_)));
}

#[test]
fn a_key_ends_what_is_shown() {
    let mut centre_module = Household::standard();
    let token = centre_module.bench.vendor.credit(100, 10);
    centre_module.run(&typed(token));
    assert_eq!(centre_module.run("*").shown, ["1.00 kWh"]);
    centre_module.run(&typed(token));
    assert_eq!(centre_module.run("5...").shown, ["5"]);
}

#[test]
fn a_key_change_shows_each_section() {
    let mut centre_module = Household::standard();
    let tokens = centre_module.bench.vendor.change(&unique_key(0x5A), SetSize::Two, Rollover::Keep);
    assert_eq!(centre_module.last(&typed(tokens[0])), "key 1");
    assert_eq!(centre_module.last(&typed(tokens[1])), "accept");
    assert_eq!(centre_module.run("...").shown, ["0.00 kWh"], "no amount follows");
}

#[test]
fn money_and_other_services_have_their_own_unit() {
    let profile = Profile { credit: CreditForm::Currency, ..sta_profile() };
    let mut centre_module = Household::new(Bench::new(profile, unique_key(0xA5)), Panel::default());
    let token = centre_module.bench.vendor.money(100, 12_500);
    assert_eq!(centre_module.last(&format!("{}...", typed(token))), "0.125");
    let screen = centre_module.panel.screen(&centre_module.bench.meter, centre_module.bench.now_s);
    assert_eq!((screen.subject, screen.unit), {
        (Subject::Credited(Service::Electricity), Unit::Currency)
    });
    assert_eq!(centre_module.last("410#"), "0.125");
    let token = centre_module.bench.vendor.money(101, 12_500);
    assert_eq!(centre_module.last(&format!("{}...", typed(token))), "0.125", "what was added");
    assert_eq!(centre_module.last("........"), "0.25", "then what there is");
    let profile = Profile { services: Services::of(&[Service::Water]), ..sta_profile() };
    let mut centre_module = Household::new(Bench::new(profile, unique_key(0xA5)), Panel::default());
    let token = centre_module.bench.vendor.credit_of(Service::Water, 100, 15);
    assert_eq!(
        centre_module.last(&format!("{}...", typed(token))),
        format!("1.5 {}", Service::Water.unit())
    );
    assert_eq!(centre_module.last("*401#"), format!("1.50 {}", Service::Water.unit()));
}

#[test]
fn a_fault_of_the_storage_is_told_and_the_token_stays_good() {
    let panel = Panel::new(KeypadPolicy::default(), CODES_PROJECT, WORDS_ITRON);
    let mut centre_module = Household::new(Bench::standard(), panel);
    let token = centre_module.bench.vendor.credit(100, 10);
    centre_module.run(&token.to_string());
    centre_module.bench.medium.operations_left = Some(0);
    let Bench { meter, medium, now_s, .. } = &mut centre_module.bench;
    assert!(centre_module.panel.press(Key::Enter, meter, *now_s, medium).is_err());
    assert_eq!(centre_module.panel.screen(meter, *now_s).to_string(), "EEEEE 02");
    medium.operations_left = None;
    assert_eq!(centre_module.bench.tenths(), 0);
    assert_eq!(centre_module.run(&typed(token)).results, [TokenResult::Accept]);
}

#[test]
fn codes_and_test_tokens_work_while_the_meter_is_locked() {
    let mut profile = sta_profile();
    profile.policy.lockout = Some(Default::default());
    let panel = Panel::new(KeypadPolicy::default(), CODES_PROJECT, WORDS_DE_FACTO);
    let mut centre_module = Household::new(Bench::new(profile, unique_key(0xA5)), panel);
    let foreign = Bench::new(profile, unique_key(0x5A)).vendor;
    let mut results = Vec::new();
    for identifier in 0..10 {
        results.extend(centre_module.run(&typed(foreign.credit(100 + identifier, 1))).results);
    }
    assert_eq!(results[0], TokenResult::CrcError);
    assert_eq!(results[9], TokenResult::Lockout);
    let screen = centre_module.panel.screen(&centre_module.bench.meter, centre_module.bench.now_s);
    assert_eq!(screen.text.as_str(), "Loc Out");
    assert_eq!(centre_module.last("058#"), "01");
    assert_ne!(centre_module.last("450#"), "0 s");
    assert_eq!(centre_module.run(&typed(test_token(5))).results, [TokenResult::Accept]);
}

#[test]
fn an_entry_is_not_told_by_debug() {
    let mut keypad = Keypad::new(KeypadPolicy::default(), CodeSyntax::Either);
    let mut token = None;
    for character in "12345678901234567890#".chars() {
        assert!(!format!("{keypad:?}").contains("1234"));
        if let KeypadAction::Token(digits) = keypad.press(Key::try_from(character).unwrap(), 0) {
            token = Some(digits);
        }
    }
    let mut centre_module = Household::standard();
    centre_module.run("12345678");
    assert!(!format!("{:?}", centre_module.panel).contains("1234"));
    let token = token.unwrap();
    assert_eq!(token.as_str(), "12345678901234567890");
    assert!(!format!("{token:?}").contains("1234"));
}

#[test]
fn outcome_and_display_agree() {
    let mut centre_module = Household::standard();
    let token = centre_module.bench.vendor.credit(100, 10);
    for character in token.to_string().chars() {
        centre_module.run(&character.to_string());
    }
    let Bench { meter, medium, now_s, .. } = &mut centre_module.bench;
    let pressed = centre_module.panel.press(Key::Enter, meter, *now_s, medium).unwrap();
    assert!(matches!(pressed.outcome, Some(Outcome::Accepted(_))));
    assert_eq!(pressed.shown.unwrap().subject, Subject::Result(TokenResult::Accept));
}
