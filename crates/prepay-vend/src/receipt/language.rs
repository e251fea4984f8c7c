//! How a receipt speaks: messages of one language, and numbers and moments as that language writes them.
//!
//! - A message file is [Fluent](https://projectfluent.org); its `locale` says whose numbers, dates and plurals apply.
//! - Numbers go from exact decimals to digits without floating point. Digits are 0 to 9 in every language, since the keypad
//!   of a meter has no others.
//! - What stands inside a message is isolated by U+2067 or U+2068 and U+2069, so that a name or a number never turns the order of its
//!   neighbours. Who prints a text as it stands leaves them out.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource};
use fluent_syntax::ast::{
    Entry, Expression, InlineExpression, Pattern, PatternElement, VariantKey,
};
use fluent_syntax::unicode::unescape_unicode_to_string;
use icu_datetime::DateTimeFormatter;
use icu_datetime::fieldsets::{YMD, YMDT};
use icu_datetime::input::{Date, DateTime, Time};
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal as IcuDecimal;
use icu_locale_core::Locale;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use unic_langid::{CharacterDirection, LanguageIdentifier};

use super::message::{self, LOCALE, Message};
use crate::tariff::Fault;
use crate::tariff::read::{meant, unprintable};

/// The languages that come with Prepay: each tag and its message file.
const OWN: [(&str, &str); 5] = [
    ("en", include_str!("languages/en.ftl")),
    ("fr", include_str!("languages/fr.ftl")),
    ("pt", include_str!("languages/pt.ftl")),
    ("sw", include_str!("languages/sw.ftl")),
    ("ar", include_str!("languages/ar.ftl")),
];

/// How many `{` and `(` a message has at most. The parser goes into each, and into none across messages.
const MOST_OPEN: usize = 100;

/// A language that receipts are written in.
pub struct Language {
    identifier: LanguageIdentifier,
    messages: FluentBundle<FluentResource>, // Invariant: has every message, and each names all it is given.
    numbers: DecimalFormatter,
    moments: DateTimeFormatter<YMDT>,
}

impl Language {
    /// The tags of the languages that come with Prepay.
    pub fn tags() -> impl Iterator<Item = &'static str> {
        OWN.iter().map(|(tag, _)| *tag)
    }

    /// A language that comes with Prepay, by its tag. `None` for another tag.
    pub fn own(tag: &str) -> Option<Self> {
        let (_, text) = OWN.iter().find(|(known, _)| *known == tag)?;
        Some(Self::read(text).expect("a test reads every file that comes with Prepay"))
    }

    /// Reads a message file.
    ///
    /// # Errors
    ///
    /// Every [`Fault`] of the file, by line; at least one: bad syntax, a locale that is none, a message that is missing,
    /// unknown or there twice, one that names what it is not given or leaves out what it is given, one that chooses by a
    /// text, is empty, has more than 100 `{` and `(`, or has characters that do not print.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
        if let Some(line) = too_deep(text) {
            let text = format!("expected at most {MOST_OPEN} {{ and ( in a message, found more");
            return Err(vec![Fault { line, text }]);
        }
        let mut faults = Vec::new();
        let resource = FluentResource::try_new(text.to_owned()).unwrap_or_else(|(rest, errors)| {
            faults.extend(errors.into_iter().map(|error| Fault {
                line: text.bytes().take(error.pos.start).filter(|byte| *byte == b'\n').count() + 1,
                text: format!("expected messages as Fluent writes them: {}", error.kind),
            }));
            rest
        });
        // A message that is not there is missing in the first line.
        let fault = |name: &str, fault: String| {
            let begins = |line: &str| {
                line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
            };
            let line = text.lines().position(begins).map_or(1, |index| index + 1);
            Fault { line, text: fault }
        };
        let mut tag = "";
        let mut numbers = vec![1, 0, 2, 3, 11, 100, 1_000_000]; // Of each plural that a language may have.
        for entry in resource.entries() {
            let Some(contents) = Contents::of(entry) else { continue };
            faults.extend(contents.problem().map(|problem| fault(&contents.name, problem)));
            numbers.extend(contents.numbers);
            let Entry::Message(found) = entry else { continue };
            let name = found.id.name;
            if name == LOCALE {
                let value = found.value.as_ref().map(|pattern| pattern.elements.as_slice());
                if let Some([PatternElement::TextElement { value }]) = value {
                    tag = value.trim();
                }
            } else if !message::ALL.iter().any(|known| known.name == name) {
                let meant = meant(name, message::ALL.iter().map(|message| message.name));
                faults.push(fault(name, format!("receipts have no message {name:?}; {meant}")));
            }
        }
        let formats = tag.parse::<LanguageIdentifier>().ok().and_then(|identifier| {
            // A day of 24 hours, and the digits of the keypad.
            let locale: Locale = format!("{identifier}-u-hc-h23-nu-latn").parse().ok()?;
            let numbers = DecimalFormatter::try_new((&locale).into(), Default::default()).ok()?;
            let moments = YMD::medium().with_time_hm();
            let moments = DateTimeFormatter::try_new((&locale).into(), moments).ok()?;
            Some((identifier, numbers, moments))
        });
        let Some((identifier, figures, moments)) = formats else {
            let text = format!(
                "{LOCALE}: expected the language and region whose numbers and dates apply, such as en-KE, found {tag:?}"
            );
            faults.push(fault(LOCALE, text));
            return Err(faults);
        };
        let mut messages = FluentBundle::new_concurrent(vec![identifier.clone()]);
        for error in messages.add_resource(resource).err().unwrap_or_default() {
            if let FluentError::Overriding { id, .. } = error {
                faults.push(fault(&id, format!("{id}: expected once, found twice")));
            }
        }
        let language = Self { identifier, messages, numbers: figures, moments };
        numbers.sort_unstable();
        numbers.dedup();
        for message in message::ALL {
            let problem = language.problem(message, &numbers);
            faults.extend(problem.map(|problem| fault(message.name, problem)));
        }
        faults.sort();
        if faults.is_empty() { Ok(language) } else { Err(faults) }
    }

    /// What is wrong with a message under these counts, if something is.
    fn problem(&self, message: &Message, numbers: &[u32]) -> Option<String> {
        let Message { name, texts, count } = message;
        let takes: Vec<String> =
            texts.iter().chain(*count).map(|taken| format!("{{ ${taken} }}")).collect();
        let takes = if takes.is_empty() { "nothing".to_owned() } else { takes.join(", ") };
        let Some(pattern) = self.messages.get_message(name).and_then(|found| found.value()) else {
            return Some(format!("the file has no message {name:?}; it is given {takes}"));
        };
        numbers.iter().find_map(|&number| {
            let mut arguments = FluentArgs::new();
            for text in *texts {
                arguments.set(*text, format!("<{text}>"));
            }
            for count in *count {
                arguments.set(*count, number);
            }
            let mut errors = Vec::new();
            let written = self.messages.format_pattern(pattern, Some(&arguments), &mut errors);
            if let Some(FluentError::ResolverError(error)) = errors.first() {
                return Some(format!(
                    "{name}: expected only what it is given, {takes}; found: {error}"
                ));
            }
            if written.trim().is_empty() {
                return Some(format!("{name}: expected a text, found none"));
            }
            let left_out = texts.iter().find(|text| !written.contains(&format!("<{text}>")))?;
            Some(format!("{name}: expected {{ ${left_out} }} in it, found none"))
        })
    }

    /// The tag of the language, such as `en-KE`.
    pub fn tag(&self) -> String {
        self.identifier.to_string()
    }

    /// Whether it is written from right to left.
    pub fn is_right_to_left(&self) -> bool {
        self.identifier.character_direction() == CharacterDirection::RTL
    }

    /// A message with its texts in their order.
    pub(super) fn say(&self, message: &Message, texts: &[&str]) -> String {
        self.count(message, 1, texts)
    }

    /// A message with a count and its texts.
    pub(super) fn count(&self, message: &Message, count: u32, texts: &[&str]) -> String {
        let mut arguments = FluentArgs::new();
        for (name, text) in message.texts.iter().zip(texts) {
            arguments.set(*name, *text);
        }
        for name in message.count {
            arguments.set(*name, count);
        }
        let found = self.messages.get_message(message.name).and_then(|found| found.value());
        let pattern = found.expect("a language has every message");
        let text = self.messages.format_pattern(pattern, Some(&arguments), &mut Vec::new());
        // Inside another message, what begins with a name of another alphabet would run the other way.
        if self.is_right_to_left() { format!("\u{2067}{text}\u{2069}") } else { text.into_owned() }
    }

    /// A number with the decimal places that it has.
    pub(super) fn number(&self, number: Decimal) -> String {
        let number: IcuDecimal =
            number.to_string().parse().expect("a decimal is digits and a point");
        // A narrow blank that does not break is in few fonts.
        self.numbers.format(&number).to_string().replace('\u{202f}', "\u{a0}")
    }

    /// A moment on the calendar and clock of a zone, to the minute.
    pub(super) fn moment(&self, at: Timestamp, zone: &TimeZone) -> String {
        let civil = at.to_zoned(zone.clone()).datetime();
        let [month, day, hour, minute] =
            [civil.month(), civil.day(), civil.hour(), civil.minute()].map(i8::unsigned_abs);
        let date = Date::try_new_iso(civil.year().into(), month, day).expect("jiff made the date");
        let time = Time::try_new(hour, minute, 0, 0).expect("jiff made the time");
        self.moments.format(&DateTime { date, time }).to_string().replace('\u{202f}', "\u{a0}")
    }
}

/// The line of a message that has more `{` and `(` than [`MOST_OPEN`], from 1: the parser would run out of stack.
fn too_deep(text: &str) -> Option<usize> {
    let is_name = |name: &str| {
        let letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        !name.is_empty() && name.chars().all(letter)
    };
    let mut open = 0;
    text.lines()
        .position(|line| {
            // Whatever is open ends before a comment and before the next name: neither can stand inside a message.
            let begins =
                line.split_once('=').is_some_and(|(name, _)| is_name(name.trim_end_matches(' ')));
            if begins || line.starts_with('#') {
                open = 0;
            }
            open += if line.starts_with('#') { 0 } else { line.matches(['{', '(']).count() };
            open > MOST_OPEN
        })
        .map(|index| index + 1)
}

/// What a message or a term has in all its branches, printed by a sample or not.
struct Contents {
    name: String,
    /// What it may choose by. `None`: whatever no message is given as a text.
    counts: Option<&'static [&'static str]>,
    letters: String,
    /// What it chooses by and may not.
    chooses: Option<String>,
    /// The numbers that it has a branch for.
    numbers: Vec<u32>,
}

impl Contents {
    /// `None`: a comment, or what is no message.
    fn of(entry: &Entry<&str>) -> Option<Self> {
        let (name, counts, value, attributes) = match entry {
            Entry::Message(found) => {
                let known = message::ALL.iter().find(|message| message.name == found.id.name);
                let counts = known.map_or(&[][..], |message| message.count);
                (found.id.name.to_owned(), Some(counts), found.value.as_ref(), &found.attributes)
            }
            Entry::Term(found) => {
                (format!("-{}", found.id.name), None, Some(&found.value), &found.attributes)
            }
            _ => return None,
        };
        let (letters, chooses, numbers) = (String::new(), None, Vec::new());
        let mut contents = Self { name, counts, letters, chooses, numbers };
        for pattern in value.into_iter().chain(attributes.iter().map(|attribute| &attribute.value))
        {
            contents.pattern(pattern);
        }
        Some(contents)
    }

    fn problem(&self) -> Option<String> {
        let name = &self.name;
        let unprintable = self.letters.chars().find(|&letter| unprintable(letter)).map(|found| {
            format!("{name}: expected letters that print, found U+{:04X}", u32::from(found))
        });
        unprintable.or_else(|| {
            let found = self.chooses.as_ref()?;
            Some(format!("{name}: expected to choose by a count that it is given, found {found}"))
        })
    }

    fn pattern(&mut self, pattern: &Pattern<&str>) {
        for element in &pattern.elements {
            match element {
                PatternElement::TextElement { value } => self.letters.push_str(value),
                PatternElement::Placeable { expression } => self.expression(expression),
            }
        }
    }

    fn expression(&mut self, expression: &Expression<&str>) {
        let (selector, variants) = match expression {
            Expression::Inline(inline) => return self.inline(inline),
            Expression::Select { selector, variants } => (selector, variants),
        };
        let texts = || message::ALL.iter().flat_map(|message| message.texts);
        let refused = match selector {
            InlineExpression::VariableReference { id } => {
                let may = match self.counts {
                    Some(counts) => counts.contains(&id.name),
                    None => texts().all(|text| *text != id.name),
                };
                (!may).then(|| format!("${}", id.name))
            }
            InlineExpression::TermReference { .. } => None,
            _ => Some("what is neither a count nor a term".to_owned()),
        };
        self.chooses = self.chooses.take().or(refused);
        self.inline(selector);
        for variant in variants {
            if let VariantKey::NumberLiteral { value } = variant.key {
                self.numbers.extend(value.parse::<u32>());
            }
            self.pattern(&variant.value);
        }
    }

    fn inline(&mut self, inline: &InlineExpression<&str>) {
        match inline {
            InlineExpression::StringLiteral { value } => {
                self.letters.push_str(&unescape_unicode_to_string(value));
            }
            InlineExpression::Placeable { expression } => self.expression(expression),
            InlineExpression::TermReference { arguments: Some(arguments), .. } => {
                for argument in &arguments.named {
                    self.inline(&argument.value);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_of_prepay_has_every_message_once_with_all_that_it_is_given() {
        for (tag, text) in OWN {
            let language =
                Language::read(text).unwrap_or_else(|faults| panic!("{tag}: {faults:#?}"));
            assert_eq!(language.is_right_to_left(), tag == "ar", "{tag}");
            assert!(language.tag().starts_with(tag), "{tag}");
        }
    }

    #[test]
    fn numbers_and_moments_are_written_as_each_language_writes_them() {
        // (language, 1234567.50, -0.94, the moment 2026-11-27T17:42Z in Nairobi)
        const CASES: &[(&str, &str, &str, &str)] = &[
            ("en", "1,234,567.50", "-0.94", "27 Nov 2026, 20:42"),
            ("fr", "1\u{a0}234\u{a0}567,50", "-0,94", "27 nov. 2026, 20:42"),
            ("pt", "1\u{a0}234\u{a0}567,50", "-0,94", "27/11/2026, 20:42"),
            ("sw", "1,234,567.50", "-0.94", "27 Nov 2026, 20:42"),
            ("ar", "1,234,567.50", "\u{200e}-0.94", "27\u{200f}/11\u{200f}/2026، 20:42"),
        ];
        let at: Timestamp = "2026-11-27T17:42:00Z".parse().unwrap();
        let zone = TimeZone::get("Africa/Nairobi").unwrap();
        for (case, (tag, _)) in CASES.iter().zip(OWN) {
            let language = Language::own(tag).unwrap();
            let number = |mantissa, scale| language.number(Decimal::new(mantissa, scale));
            let (large, small) = (number(123_456_750, 2), number(-94, 2));
            let moment = language.moment(at, &zone);
            assert_eq!((tag, large.as_str(), small.as_str(), moment.as_str()), *case);
        }
    }

    #[test]
    fn plurals_follow_each_language() {
        let days = |tag: &str, days| {
            let text = Language::own(tag).unwrap().count(&message::DAYS_SINCE, days, &[]);
            text.replace(['\u{2067}', '\u{2068}', '\u{2069}'], "")
        };
        let english = [0, 1, 2].map(|count| days("en", count));
        assert_eq!(
            english,
            [
                "Your last purchase was today",
                "1 day since your last purchase",
                "2 days since your last purchase"
            ]
        );
        // Arabic has a form for one, two, few (3 to 10), many (11 to 99) and the rest.
        let arabic = [0, 1, 2, 3, 11, 100].map(|count| days("ar", count));
        assert_eq!(
            arabic,
            [
                "كان آخر شراء لك اليوم",
                "مرّ يوم واحد على آخر شراء لك",
                "مرّ يومان على آخر شراء لك",
                "مرّت 3 أيام على آخر شراء لك",
                "مرّ 11 يومًا على آخر شراء لك",
                "مرّ 100 يوم على آخر شراء لك"
            ]
        );
    }

    #[test]
    fn faults_of_a_message_file_come_all_at_once_with_their_lines() {
        let english = OWN[0].1;
        let faults = |text: &str| -> Vec<String> {
            let faults = Language::read(text).err().expect("a fault");
            faults.iter().map(ToString::to_string).collect()
        };
        let no_locale = "locale: expected the language and region whose numbers and dates apply, such as en-KE, found";
        assert_eq!(faults(""), [format!("line 1: {no_locale} \"\"")]);
        assert_eq!(faults(&english.replace("en-KE", "!")), [format!("line 2: {no_locale} \"!\"")]);
        let bad = english
            .replace("\nmeter =", "\nmetre =")
            .replace("{ $rate }", "{ $rat }")
            .replace("{ $balance }", "")
            .replace("*[other] { $days }", "*[other] { $dais }")
            + "\nreceipt = { $number }\n???\n";
        let found = faults(&bad);
        let expected = [
            "line 1: the file has no message \"meter\"; it is given nothing",
            "line 7: receipt: expected once, found twice",
            "line 11: receipts have no message \"metre\"; did you mean \"meter\"? there are: test, ",
            "line 40: line-rate: expected only what it is given, { $line }, { $rate }; found: Unknown variable: $rat",
            "line 42: still-owed: expected { $balance } in it, found none",
            "line 44: in-credit: expected { $balance } in it, found none",
            "line 60: days-since: expected only what it is given, { $days }; found: Unknown variable: $dais",
            "line 67: expected messages as Fluent writes them: ",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{expected}\n{found}");
        }
    }

    /// The English messages with other lines, as faults.
    fn instead(of: &str, line: &str) -> Vec<String> {
        let text = OWN[0].1.replace(&format!("\n{of}\n"), &format!("\n{line}\n"));
        assert_ne!(text, OWN[0].1, "{of}");
        Language::read(&text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_message_of_a_thousand_braces_is_a_fault_and_no_overflow() {
        let deep = |open: &str, close: &str| {
            let message = format!("total = {}\"x\"{}", open.repeat(1000), close.repeat(1000));
            let faults = instead("total = Total", &message);
            assert_eq!(faults.len(), 1, "{open}: {faults:#?}");
            let end = ": expected at most 100 { and ( in a message, found more";
            assert!(faults[0].starts_with("line ") && faults[0].ends_with(end), "{faults:#?}");
            faults[0].clone()
        };
        let first = deep("{", "}");
        let line = OWN[0].1.lines().position(|line| line == "total = Total").unwrap() + 1;
        assert!(first.starts_with(&format!("line {line}:")), "{first}");
        deep("{\n", "}");
        deep("{ \"}\" ->\n *[a] ", "\n}");
        deep("{ F(\n", ")}");
        // As deep as it may be.
        let message = format!("total = {}\"x\"{}", "{".repeat(100), "}".repeat(100));
        assert_eq!(instead("total = Total", &message), [""; 0]);
        // What is open in one message or in a comment says nothing of the next.
        let comments = format!("{}total = Total", format!("# {}\n", "{".repeat(99)).repeat(9));
        assert_eq!(instead("total = Total", &comments), [""; 0]);
    }

    #[test]
    fn letters_that_do_not_print_are_faults_of_a_message_in_every_branch() {
        // (the message instead, the letter)
        let cases = [
            ("total = T{ \"\\u001b\" }", "001B"),
            ("total = T\u{202e}", "202E"),
            ("total = T\u{61c}", "061C"),
            ("total = T\u{9b}", "009B"),
            ("total = T{ \"\\u000a\" }", "000A"),
            ("total = T{ { \"\\U0E0041\" } }", "E0041"),
            ("total = T\u{200b}\u{feff}", "200B"),
            ("total = { -t(x: \"\\u001b\") }\n-t = T{ $x }", "001B"),
        ];
        for (message, letter) in cases {
            let faults = instead("total = Total", message);
            let end = format!("total: expected letters that print, found U+{letter}");
            assert!(faults.len() == 1 && faults[0].ends_with(&end), "{message:?}: {faults:#?}");
        }
        let branch = "enter-all = { $count ->\n [77] \u{202e}\n *[other] x\n }";
        let faults = instead("enter-all = Enter these { $count } tokens, in this order:", branch);
        assert!(faults[0].ends_with("enter-all: expected letters that print, found U+202E"));
    }

    #[test]
    fn a_message_that_is_empty_or_chooses_by_a_text_is_a_fault() {
        let test = "test = TEST: no token here works in a real meter";
        let money = "money = { $currency } { $amount }";
        let all = "enter-all = Enter these { $count } tokens, in this order:";
        let reprint = "reprint = REPRINT { $count } of { $number }";
        let branches = "[KES] KES 5.00\n *[other] { $currency } { $amount }\n }";
        let by_term =
            format!("money = {{ -m }}\n-n = n\n-m = {{ -n }}{{ $currency ->\n {branches}");
        // (the message, what stands instead, its fault)
        let cases = [
            (test, "test = { \"\" }", "test: expected a text, found none"),
            (test, "test = { \" \" }", "test: expected a text, found none"),
            (
                all,
                "enter-all = { $count ->\n [77] { \"\" }\n *[other] x\n }",
                "enter-all: expected a text, found none",
            ),
            (
                reprint,
                "reprint = { $count ->\n [77] x\n *[other] { $number }\n }",
                "reprint: expected { $number } in it, found none",
            ),
            (
                money,
                &format!("money = {{ $currency ->\n {branches}"),
                "money: expected to choose by a count that it is given, found $currency",
            ),
            (
                money,
                &by_term,
                "-m: expected to choose by a count that it is given, found $currency",
            ),
        ];
        for (of, line, end) in cases {
            let faults = instead(of, line);
            assert!(faults.iter().any(|fault| fault.ends_with(end)), "{line}: {faults:#?}");
        }
        let term = "money = { -coin(case: \"a\") } { $currency } { $amount }\n-coin = { $case ->\n [a] A\n *[b] B\n }";
        assert_eq!(instead(money, term), [""; 0]);
    }
}
