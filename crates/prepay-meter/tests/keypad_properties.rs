//! What holds for any sequence of keys and waits.

mod common;

use common::{Bench, encoded};
use prepay_meter::keypad::{
    CODES_CONLOG, CODES_HEXING, CODES_LANDIS_GYR, CODES_PROJECT, Key, KeypadPolicy, Panel, Submit,
    WORDS_PROJECT,
};
use prepay_meter::{CodeSyntax, Outcome, ShortCodeMap};
use prepay_token::element::TokenCarrierType;
use proptest::prelude::*;

/// Something that happens at a panel.
#[derive(Clone, Debug)]
enum Event {
    Press(Key),
    /// All digits of one of the tokens.
    Type(usize),
    Wait(u64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        8 => (0usize..10).prop_map(|digit| Event::Press(Key::ALL[digit])),
        2 => Just(Event::Press(Key::Back)),
        4 => Just(Event::Press(Key::Enter)),
        4 => (0usize..6).prop_map(Event::Type),
        1 => (0u64..30).prop_map(Event::Wait),
        1 => any::<u64>().prop_map(|seconds| Event::Wait(seconds >> 20)),
    ];
    proptest::collection::vec(event, 0..80)
}

/// What the keys say, told in another way: the text since the last enter, as a person would read it.
struct Reader {
    typed: String,
    is_marked: bool,
    is_fresh: bool,
    last_s: u64,
    submit: Submit,
    syntax: CodeSyntax,
}

impl Reader {
    /// The twenty digits that this key completes.
    fn read(&mut self, key: Key, now_s: u64) -> Option<String> {
        if now_s - self.last_s >= 20 {
            self.typed.clear();
            self.is_marked = false;
        }
        self.last_s = now_s;
        let was_fresh = std::mem::replace(&mut self.is_fresh, false);
        match key {
            Key::Back => {
                if self.typed.pop().is_none() {
                    self.is_marked = false;
                }
                return None;
            }
            Key::Enter if was_fresh => return None,
            Key::Enter if self.typed.is_empty() => {
                self.is_marked = !self.is_marked && self.syntax.has_mark();
                return None;
            }
            Key::Enter => {}
            digit => {
                if self.typed.len() < 20 {
                    self.typed.push(digit.character());
                }
                let is_info = matches!(self.syntax, CodeSyntax::InfoFirst { digits }
                    if self.is_marked && self.typed.len() == usize::from(digits));
                let is_auto = self.submit == Submit::AtTwentieth && self.typed.len() == 20;
                self.is_fresh = is_auto;
                if !is_auto && !is_info {
                    return None;
                }
            }
        }
        self.is_marked = false;
        let typed = std::mem::take(&mut self.typed);
        (typed.len() == 20).then_some(typed)
    }
}

fn check(events: Vec<Event>, codes: ShortCodeMap<'_>, submit: Submit) -> Result<(), TestCaseError> {
    let (mut bench, mut twin) = (Bench::standard(), Bench::standard());
    let tokens: Vec<String> = (0..6).map(|n| bench.vendor.credit(100 + n, 7).to_string()).collect();
    let policy = KeypadPolicy { submit, ..KeypadPolicy::default() };
    let mut panel = Panel::new(policy, codes, WORDS_PROJECT);
    let mut reader = Reader {
        typed: String::new(),
        is_marked: false,
        is_fresh: false,
        last_s: 0,
        submit,
        syntax: codes.syntax(),
    };
    for event in events {
        let keys: Vec<Key> = match event {
            Event::Press(key) => vec![key],
            Event::Type(token) => {
                tokens[token].chars().map(|digit| Key::try_from(digit).unwrap()).collect()
            }
            Event::Wait(seconds) => {
                bench.now_s += seconds;
                panel.tick(&bench.meter, bench.now_s);
                vec![]
            }
        };
        for key in keys {
            let before = encoded(&bench.meter);
            let Bench { meter, medium, now_s, .. } = &mut bench;
            let pressed = panel.press(key, meter, *now_s, medium).unwrap();
            // The twin is entered exactly what the digits say, without any keypad.
            let expected: Option<Outcome> = reader.read(key, *now_s).map(|digits| {
                let carrier = TokenCarrierType::NUMERIC;
                twin.meter.enter_digits(&digits, carrier, *now_s, &mut twin.medium).unwrap()
            });
            prop_assert_eq!(pressed.outcome, expected);
            if pressed.outcome.is_none() {
                prop_assert_eq!(before, encoded(meter), "a key without a token changed something");
            }
            prop_assert_eq!(encoded(meter), encoded(&twin.meter));
            let screen = panel.screen(meter, *now_s);
            prop_assert!(!screen.text.as_str().is_empty());
            prop_assert!(screen.text.window(8, *now_s as usize).len() <= 8);
            prop_assert!(panel.upcoming(meter).count() < 50);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn keys_enter_what_twenty_digits_say_and_nothing_else(
        events in events(),
        codes in prop_oneof![
            Just(CODES_PROJECT), Just(CODES_HEXING), Just(CODES_CONLOG), Just(CODES_LANDIS_GYR)
        ],
        submit in prop_oneof![Just(Submit::OnEnter), Just(Submit::AtTwentieth)],
    ) {
        check(events, codes, submit)?;
    }
}
