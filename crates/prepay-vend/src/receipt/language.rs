//! How a receipt speaks: messages of one language, and numbers and moments as that language writes them.
//!
//! - A message file is [Fluent](https://projectfluent.org); its `locale` says whose numbers, dates and plurals apply.
//! - Numbers go from exact decimals to digits without floating point. Digits are 0 to 9 in every language, since the keypad
//!   of a meter has no others.
//! - What stands inside a message is isolated by U+2067 or U+2068 and U+2069, so that a name or a number never turns the order of its
//!   neighbours. Who prints a text as it stands leaves them out.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentError, FluentResource};
use fluent_syntax::ast::{Entry, PatternElement};
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
use crate::tariff::read::meant;

/// The languages that come with Prepay: each tag and its message file.
const OWN: [(&str, &str); 5] = [
    ("en", include_str!("languages/en.ftl")),
    ("fr", include_str!("languages/fr.ftl")),
    ("pt", include_str!("languages/pt.ftl")),
    ("sw", include_str!("languages/sw.ftl")),
    ("ar", include_str!("languages/ar.ftl")),
];

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
    /// unknown or there twice, one that names what it is not given or leaves out what it is given.
    pub fn read(text: &str) -> Result<Self, Vec<Fault>> {
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
        for entry in resource.entries() {
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
        let Some((identifier, numbers, moments)) = formats else {
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
        let language = Self { identifier, messages, numbers, moments };
        for message in message::ALL {
            let problem = language.problem(message);
            faults.extend(problem.map(|problem| fault(message.name, problem)));
        }
        faults.sort();
        if faults.is_empty() { Ok(language) } else { Err(faults) }
    }

    /// What is wrong with a message, if something is.
    fn problem(&self, message: &Message) -> Option<String> {
        let Message { name, texts, count } = message;
        let takes: Vec<String> =
            texts.iter().chain(*count).map(|taken| format!("{{ ${taken} }}")).collect();
        let takes = if takes.is_empty() { "nothing".to_owned() } else { takes.join(", ") };
        let Some(pattern) = self.messages.get_message(name).and_then(|found| found.value()) else {
            return Some(format!("the file has no message {name:?}; it is given {takes}"));
        };
        // A count of each plural that a language may have.
        [1, 0, 2, 3, 11, 100].into_iter().find_map(|number| {
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
}
