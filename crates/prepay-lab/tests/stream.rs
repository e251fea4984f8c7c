//! Streams: order, ids, blank and broken lines, long and endless ones, and answers that do not wait.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::rc::Rc;

use prepay_lab::Lab;
use prepay_records::lines::{LONGEST_LINE, Summary};
use serde_json::Value;

/// A line that succeeds, but for its `id`.
const GOOD: &str = r#""op":"open","number":"00000000000150997584"}"#;

/// On one thread, and on more than this machine may have.
const THREADS: [NonZeroUsize; 2] = [NonZeroUsize::MIN, NonZeroUsize::new(3).unwrap()];

/// The answers to a stream, which are the same on any number of threads.
fn run(input: impl AsRef<[u8]>) -> (Summary, Vec<String>) {
    let [(summary, output), on_three] = THREADS.map(|threads| {
        let mut output = Vec::new();
        let summary = Lab::answer_stream(threads, input.as_ref(), &mut output).unwrap();
        (summary, output)
    });
    assert!(
        (summary, &output) == (on_three.0, &on_three.1),
        "one thread answers otherwise than three"
    );
    let text = String::from_utf8(output).expect("answers are text");
    assert!(text.is_empty() || text.ends_with('\n'));
    (summary, text.lines().map(str::to_string).collect())
}

/// What a line is answered with: its id as it is written, and the code of its error if it has one.
fn parts(answer: &str) -> (String, Option<String>) {
    let id = answer.strip_prefix(r#"{"id":"#).expect("an answer begins with its id");
    let id = id.split(r#","number""#).next().and_then(|id| id.split(r#","class""#).next());
    let id = id.and_then(|id| id.split(r#","error""#).next()).expect("the first of many");
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    (id.to_string(), answer["error"]["code"].as_str().map(str::to_string))
}

#[test]
fn ten_thousand_lines_are_answered_in_order() {
    let lines = 10_000;
    // Every seventh fails: a bad line changes nothing for the next.
    let line = |number| match number % 7 {
        0 => format!("{{\"id\":{number},\"op\":\"open\",\"number\":\"1\"}}\n"),
        _ => format!("{{\"id\":{number},{GOOD}\n"),
    };
    let (summary, answers) = run((0..lines).map(line).collect::<String>());
    assert_eq!(summary, Summary { answered: 10_000, failed: 1429 });
    for (number, answer) in answers.iter().enumerate() {
        let code = (number % 7 == 0).then(|| "number_format".to_string());
        assert_eq!(parts(answer), (number.to_string(), code));
    }
}

#[test]
fn an_id_comes_back_as_it_was_written() {
    const IDS: &[&str] = &[
        r#""a""#,
        r#""""#,
        "0",
        "-7",
        "12345678901234567890123456789012345678901234567890",
        "1.50",
        "1e3",
        "1E+999",
        "-0.0",
        r#""\u0041\n\"\\\/""#,
        r#""é €""#,
        r#""\ud83d\ude00""#,
        r#""null""#,
    ];
    for id in IDS {
        let (_, answers) = run(format!("{{\"id\":{id},{GOOD}"));
        assert!(answers[0].starts_with(&format!("{{\"id\":{id},\"class\":1,")), "{}", answers[0]);
        // The same when the line fails, and when the id stands behind what is wrong.
        let (_, answers) = run(format!("{{\"op\":1,\"colour\":[[]],\"id\":{id}}}"));
        assert!(answers[0].starts_with(&format!("{{\"id\":{id},\"error\":")), "{}", answers[0]);
    }
    let (_, answers) = run(format!("{{{GOOD}"));
    assert!(answers[0].starts_with(r#"{"id":null,"class":1,"#), "{}", answers[0]);
}

#[test]
fn blank_lines_have_no_answer() {
    let input = format!("\n  \n\t\r\n{{\"id\":1,{GOOD}\n\n\r\n{{\"id\":2,{GOOD}\n \n");
    let (summary, answers) = run(input);
    assert_eq!(summary, Summary { answered: 2, failed: 0 });
    assert_eq!(answers.iter().map(|answer| parts(answer).0).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(run("").0, Summary::default());
    assert_eq!(run("\n\n").0, Summary::default());
}

#[test]
fn line_ends_may_be_of_either_kind_and_the_last_may_be_missing() {
    let line = |id| format!("{{\"id\":{id},{GOOD}");
    for input in [
        format!("{}\n{}\n", line(1), line(2)),
        format!("{}\r\n{}\r\n", line(1), line(2)),
        format!("{}\n{}", line(1), line(2)),
        format!("{}\r\n{}\r", line(1), line(2)),
    ] {
        let (summary, answers) = run(&input);
        assert_eq!(summary, Summary { answered: 2, failed: 0 }, "{input:?}");
        assert_eq!(parts(&answers[1]), ("2".into(), None), "{input:?}");
    }
}

#[test]
fn a_stream_that_is_cut_answers_what_is_left_of_its_last_line() {
    let whole = format!("{{\"id\":1,{GOOD}\n{{\"id\":\"two\",{GOOD}");
    let second = whole.find('\n').unwrap() + 1;
    for end in second + 1..whole.len() {
        let (summary, answers) = run(&whole[..end]);
        assert_eq!(summary, Summary { answered: 2, failed: 1 }, "{}", &whole[..end]);
        let (id, code) = parts(&answers[1]);
        assert_eq!(code.as_deref(), Some("bad_json"), "{}", &whole[..end]);
        let is_read = end >= second + r#"{"id":"two""#.len();
        assert_eq!(id, if is_read { "\"two\"" } else { "null" }, "{}", &whole[..end]);
    }
}

#[test]
fn a_line_of_64_kib_is_read_and_a_longer_one_is_not() {
    let padded = |length: usize| {
        let line = format!("{{\"id\":1,{GOOD}");
        line.clone() + &" ".repeat(length - line.len())
    };
    for (length, code) in [
        (LONGEST_LINE - 1, None),
        (LONGEST_LINE, None),
        (LONGEST_LINE + 1, Some("bad_json")),
        (5 * LONGEST_LINE, Some("bad_json")),
        (20 * LONGEST_LINE, Some("bad_json")),
    ] {
        // Alone, as the last line without its end, and between others, so that buffers are met askew.
        for (before, after) in [("", ""), ("", "\n"), ("\n", "\n"), ("          \n\n\n", "\n")] {
            let next = format!("{{\"id\":2,{GOOD}\n");
            let input = format!("{before}{}{after}", padded(length))
                + if after.is_empty() { "" } else { &next };
            let (summary, answers) = run(&input);
            let context = format!("{length} bytes between {before:?} and {after:?}");
            assert_eq!(parts(&answers[0]).1.as_deref(), code, "{context}");
            assert_eq!(summary.failed, u64::from(code.is_some()), "{context}");
            if !after.is_empty() {
                assert_eq!(parts(&answers[1]), ("2".into(), None), "{context}");
            }
        }
    }
}

/// A stream that is made while it is read, and counts what is taken from it.
struct Endless {
    line: Vec<u8>,
    place: usize,
    left: u64,
    taken: Rc<Cell<u64>>,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.line.len() - self.place).min(self.left as usize);
        buffer[..length].copy_from_slice(&self.line[self.place..self.place + length]);
        self.place = (self.place + length) % self.line.len();
        self.left -= length as u64;
        self.taken.set(self.taken.get() + length as u64);
        Ok(length)
    }
}

/// Takes answers, and notes how far reading was ahead of them.
struct Lag {
    taken: Rc<Cell<u64>>,
    answered: u64,
    line: u64,
    largest: u64,
    largest_write: usize,
}

impl Write for Lag {
    fn write(&mut self, answers: &[u8]) -> io::Result<usize> {
        self.largest_write = self.largest_write.max(answers.len());
        let lines = answers.iter().filter(|&&byte| byte == b'\n').count();
        let before = self.answered * self.line;
        self.largest = self.largest.max(self.taken.get().saturating_sub(before));
        self.answered += lines as u64;
        Ok(answers.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_long_stream_is_answered_as_it_comes_and_never_held() {
    // Four megabytes: no more than a few buffers may be read ahead of the answers.
    const AHEAD: u64 = 2 * 1024 * 1024;
    for line in [format!("{{\"id\":1,{GOOD}\n"), "not json\n".to_string()] {
        let line = line.into_bytes();
        for threads in THREADS {
            let line = line.clone();
            let lines = (4 << 20) / line.len() as u64;
            let taken = Rc::new(Cell::new(0));
            let length = line.len() as u64;
            let input = Endless { line, place: 0, left: lines * length, taken: Rc::clone(&taken) };
            let mut output = Lag { taken, answered: 0, line: length, largest: 0, largest_write: 0 };
            let summary = Lab::answer_stream(threads, input, &mut output).unwrap();
            assert_eq!((summary.answered, output.answered), (lines, lines));
            assert!(output.largest <= AHEAD, "{} bytes ahead", output.largest);
            assert!(output.largest_write as u64 <= AHEAD, "{} at once", output.largest_write);
        }
    }
}

#[test]
fn a_line_without_end_is_skipped_and_never_held() {
    // Four megabytes in one line: one answer, whatever its length.
    let taken = Rc::new(Cell::new(0));
    let input =
        Endless { line: vec![b'['; 4096], place: 0, left: 4 << 20, taken: Rc::clone(&taken) };
    let mut output = Vec::new();
    let summary = Lab::answer_stream(THREADS[1], input, &mut output).unwrap();
    assert_eq!(summary, Summary { answered: 1, failed: 1 });
    assert_eq!(taken.get(), 4 << 20);
    assert!(output.len() < 1024);
}

/// What the two ends of a conversation share.
#[derive(Default)]
struct Conversation {
    flushed: Cell<u64>,
    written: Cell<u64>,
}

/// Asks one line, or some, at a time, in pieces, and never before the last ones have been answered.
struct Asker {
    lines: Vec<Vec<u8>>,
    asked: usize,
    place: usize,
    /// The most bytes in a piece.
    piece: usize,
    /// How many lines have been asked.
    sum: u64,
    talk: Rc<Conversation>,
}

impl Read for Asker {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.place == 0 {
            let answered = self.talk.flushed.get();
            assert_eq!(answered, self.sum, "asked again before the answer was flushed");
        }
        let Some(line) = self.lines.get(self.asked) else { return Ok(0) };
        let length = buffer.len().min(line.len() - self.place).min(self.piece);
        buffer[..length].copy_from_slice(&line[self.place..self.place + length]);
        self.place += length;
        if self.place == line.len() {
            self.sum += line.iter().filter(|&&byte| byte == b'\n').count() as u64;
            self.asked += 1;
            self.place = 0;
        }
        Ok(length)
    }
}

struct Listener(Rc<Conversation>);

impl Write for Listener {
    fn write(&mut self, answers: &[u8]) -> io::Result<usize> {
        let lines = answers.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.0.written.set(self.0.written.get() + lines);
        Ok(answers.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flushed.set(self.0.written.get());
        Ok(())
    }
}

#[test]
fn every_answer_is_flushed_before_the_next_line_is_waited_for() {
    let line = |id| match id % 5 {
        0 => "broken\n".to_owned(),
        _ => format!("{{\"id\":{id},{GOOD}\n"),
    };
    // (lines at a time, bytes in a piece): a conversation, and bursts that several threads share.
    for (burst, piece) in [(1, 40), (1000, 1 << 20), (3000, 5000)] {
        for threads in THREADS {
            let talk = Rc::new(Conversation::default());
            let lines = (0..50).map(|_| (0..burst).map(line).collect::<String>().into_bytes());
            let talking = Rc::clone(&talk);
            let lines = lines.collect();
            let input = Asker { lines, asked: 0, place: 0, piece, sum: 0, talk: talking };
            let summary = Lab::answer_stream(threads, input, Listener(Rc::clone(&talk))).unwrap();
            assert_eq!(summary.answered, 50 * burst, "{burst} at a time on {threads} threads");
            assert_eq!(talk.flushed.get(), 50 * burst);
        }
    }
}

#[test]
fn lines_that_take_long_keep_their_place_among_short_ones() {
    // A vending key of its own in every ninth line, which has to be prepared; the others are quick or wrong.
    let mut input = String::new();
    for id in 0..5000 {
        let line = match id % 9 {
            0 => format!(
                r#""op":"derive","pan":"600727000000000009","ea":"11","key":{{"vending_key":"{id:040x}","dkga":"04","sgc":"123456","krn":1,"kt":2,"ti":"01"}}}}"#
            ),
            1 | 2 => r#""op":"none"}"#.to_owned(),
            _ => GOOD.to_owned(),
        };
        writeln!(input, "{{\"id\":{id},{line}").unwrap();
    }
    let (summary, answers) = run(input);
    assert_eq!(summary, Summary { answered: 5000, failed: 1112 });
    for (id, answer) in answers.iter().enumerate() {
        assert!(answer.starts_with(&format!("{{\"id\":{id},")), "{id}: {answer}");
    }
}

#[test]
fn bytes_that_are_no_text_fail_their_own_line_only() {
    for bad in
        [&b"\xff"[..], b"\0", b"{\"op\":\"\xc3\"}", b"\xef\xbb\xbf{}", b"{\0}", b"\xed\xa0\x80"]
    {
        let mut input = bad.to_vec();
        input.extend(format!("\n{{\"id\":2,{GOOD}\n").bytes());
        let (summary, answers) = run(&input);
        assert_eq!(summary, Summary { answered: 2, failed: 1 }, "{bad:?}");
        assert_eq!(parts(&answers[0]).1.as_deref(), Some("bad_json"), "{bad:?}");
        assert_eq!(parts(&answers[1]), ("2".into(), None), "{bad:?}");
    }
}

#[test]
fn deep_nesting_is_refused_wherever_it_stands() {
    let deep =
        |depth: usize, open: &str, close: &str| open.repeat(depth) + "1" + &close.repeat(depth);
    for depth in [2, 127, 128, 129, 20_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let value = deep(depth, open, close);
            if value.len() > LONGEST_LINE - 100 {
                continue;
            }
            for (line, codes) in [
                (value.clone(), &["bad_json", "unknown_field"][..]),
                (format!("{{\"op\":{value}}}"), &["bad_json"]),
                (format!("{{\"key\":{value}}}"), &["bad_json", "unknown_field"]),
                (format!("{{\"key\":{{\"kt\":{value}}}}}"), &["bad_json"]),
                (format!("{{\"token\":{{\"amount\":{value}}}}}"), &["bad_json"]),
                (format!("{{\"id\":{value}}}"), &["bad_json"]),
                (format!("{{\"colour\":{value}}}"), &["bad_json", "unknown_field"]),
            ] {
                let (_, answers) = run(&line);
                let code = parts(&answers[0]).1.expect("the line fails");
                assert!(codes.contains(&code.as_str()), "depth {depth} of {open}: {code}");
            }
        }
    }
    // Too long to be looked at, and more than any stack would hold.
    let (summary, answers) = run(deep(100_000, "[", "]") + "\n{\"id\":2," + GOOD);
    assert_eq!(summary, Summary { answered: 2, failed: 1 });
    assert_eq!(parts(&answers[0]).1.as_deref(), Some("bad_json"));
    let mut lab = Lab::default();
    for line in [deep(100_000, "[", "]"), "[".repeat(100_000), deep(100_000, "{\"key\":", "}")] {
        let mut out = Vec::new();
        assert_eq!(lab.answer_line(line.as_bytes(), &mut out), Some(false));
    }
}

#[test]
fn a_repeated_or_unknown_field_is_refused_at_every_level() {
    let token = r#"{"type":"credit","service":"water","amount":"1"}"#;
    let key = r#"{"decoder_key":"0abc12def3456789"}"#;
    let line = |fields: &str, key: &str, token: &str| {
        format!(r#"{{"op":"issue","ea":"07","tid":5,"key":{key},"token":{token}{fields},"id":9}}"#)
    };
    assert_eq!(parts(&run(line("", key, token)).1[0]), ("9".into(), None));
    let inside = |object: &str, field: &str| object.replacen('{', &format!("{{{field},"), 1);
    for (line, code, named) in [
        (line(r#","tid":5"#, key, token), "bad_json", "tid"),
        (line(r#","colour":1"#, key, token), "unknown_field", "colour"),
        (line("", &inside(key, r#""decoder_key":"""#), token), "bad_json", "decoder_key"),
        (line("", &inside(key, r#""colour":1"#), token), "unknown_field", "colour"),
        (line("", key, &inside(token, r#""amount":"1""#)), "bad_json", "amount"),
        (line("", key, &inside(token, r#""colour":null"#)), "unknown_field", "colour"),
        // The format nests two deep: an unknown field may be an object, but not with one inside.
        (line(r#","colour":{"a":1}"#, key, token), "unknown_field", "colour"),
        (line(r#","colour":{"a":[1]}"#, key, token), "bad_json", "deeper"),
        (line("", key, &inside(token, r#""colour":[1]"#)), "bad_json", "deeper"),
    ] {
        let answer = &run(&line).1[0];
        assert_eq!(parts(answer), ("9".into(), Some(code.into())), "{line}");
        assert!(answer.contains(named), "{answer}");
    }
}

#[test]
fn no_message_repeats_a_key() {
    // Keys that fail in every way, beside errors elsewhere: the digits of a key are never in an answer.
    let secret = "5ec2e75ec2e75ec2";
    let keys = [
        format!(r#""{secret}""#),
        format!(r#""{secret}0""#),
        format!(r#""{secret}x""#),
        format!(r#""x{secret}""#),
        format!(r#""{secret}{secret}""#),
        format!(r#""{secret}{secret}01234567""#),
        format!(r#""{secret}{secret}{secret}{secret}""#),
        format!(r#""{secret}\n""#),
        format!(r#""{secret}\ud800""#),
        format!(r#"["{secret}"]"#),
        format!(r#"{{"a":"{secret}"}}"#),
    ];
    let ways = [
        r#"{"op":"issue","ea":"EA","key":{"decoder_key":KEY},"tid":1,"token":{"type":"gift"}}"#,
        r#"{"op":"issue","ea":"EA","key":{"decoder_key":KEY,"ken":0},"tid":65536,"token":{"type":"clear_tamper_condition"}}"#,
        r#"{"op":"open","ea":"EA","key":{"decoder_key":KEY},"number":"29054347139309851357"}"#,
        r#"{"op":"open","ea":"EA","key":{"decoder_key":KEY,"decoder_key":KEY},"number":"29054347139309851357"}"#,
        r#"{"op":"open","ea":"EA","key":{"decoder_key":KEY,"vending_key":KEY},"number":"29054347139309851357"}"#,
        r#"{"op":"derive","pan":"600727000000000009","ea":"EA","key":{"vending_key":KEY,"dkga":"04","sgc":"123456","krn":1,"kt":3,"ti":"01"}}"#,
        r#"{"op":"derive","pan":"600727000000000009","ea":"EA","key":{"vending_key":KEY,"dkga":"02","sgc":"123456","krn":1,"kt":0,"ti":"01"}}"#,
        r#"{"op":"key_change","ea":"EA","tokens":2,"from":{"decoder_key":KEY,"kt":2},"to":{"decoder_key":KEY,"kt":0}}"#,
        r#"{"op":"derive","ea":"EA","key":KEY}"#,
        r#"{"op":"derive","ea":"EA","key":{"decoder_key":KEY"#,
        r#"{"op":"derive","ea":"EA","key":{"decoder_key":KEY}} x"#,
    ];
    let mut count = 0;
    for way in ways {
        for key in &keys {
            for ea in ["07", "09", "11", "99"] {
                let line = way.replace("KEY", key).replace("EA", ea);
                let (summary, answers) = run(&line);
                assert_eq!(summary.failed, 1, "{line}: {}", answers[0]);
                assert!(!answers[0].contains(&secret[..8]), "{line}: {}", answers[0]);
                count += 1;
            }
        }
    }
    assert_eq!(count, 484);
}

#[test]
fn a_lab_that_has_seen_many_keys_answers_as_a_new_one() {
    // More keys than are remembered, the same text in different fields, and failures between them.
    let line = |number: u32| {
        let key = format!(
            r#"{{"decoder_key":"{:016x}","kt":2,"krn":1,"ti":"01","sgc":"123456"}}"#,
            number % 50
        );
        match number % 3 {
            0 => format!(
                r#"{{"op":"issue","ea":"07","key":{key},"tid":5,"token":{{"type":"clear_tamper_condition"}}}}"#
            ),
            1 => format!(r#"{{"op":"key_change","ea":"07","from":{key},"to":{key},"tokens":3}}"#),
            _ => format!(
                r#"{{"op":"issue","ea":"11","key":{key},"tid":5,"token":{{"type":"clear_tamper_condition"}}}}"#
            ),
        }
    };
    let lines: Vec<String> = (0..500).map(|number| line(number * 7919 % 1000)).collect();
    let (summary, answers) = run(lines.join("\n"));
    assert_eq!(summary.answered, 500);
    for (line, answer) in lines.iter().zip(answers) {
        assert_eq!(run(line).1, [answer], "{line}");
    }
}
