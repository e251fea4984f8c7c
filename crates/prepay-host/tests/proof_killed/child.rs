//! The process that is killed: what it does, when it is killed, and what it acknowledged.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::thread;
use std::time::Duration;

use prepay_module::{IssueRequest, Issued, SecurityModule};
use prepay_testkit::Random;
use prepay_testkit::ceremony::{People, passphrase};
use prepay_testkit::child::{self, Child};
use prepay_token::element::RandomNumber;

use crate::model::{LOADED, REFILLED};
use crate::proof_kit::{Number, item, open, open_centre};

/// Threads that issue one token at a time.
pub(crate) const SINGLE: u32 = 3;
/// How many requests the thread that issues batches puts in each.
pub(crate) const BATCH: u64 = 48;

pub(crate) fn first_digits(issued: &Issued) -> String {
    match issued {
        Issued::Token(issued) => issued.token.to_string(),
        Issued::KeyChange(issued) => issued.tokens()[0].to_string(),
    }
}

pub(crate) fn acknowledgement(number: Number, issued: &Issued) -> String {
    let random = match issued {
        Issued::Token(issued) => issued.random.map_or(0, RandomNumber::value),
        Issued::KeyChange(_) => 0,
    };
    let Number { worker, count, .. } = number;
    format!("made {worker} {count} {} {random}", first_digits(issued))
}

pub(crate) fn request(number: Number) -> IssueRequest {
    if number.worker < SINGLE { number.units() } else { number.any() }
}

#[test]
#[ignore = "runs as a child of the tests after it"]
fn case_worker() {
    let Some(place) = child::place() else { return };
    let round = child::number();
    let module = open(&place).unwrap();
    let people = People::of(&module, &passphrase);
    let centre = open_centre(&place).unwrap();
    println!("at work");
    let (operator, reader) = (&people.operator, &people);
    thread::scope(|scope| {
        for worker in 0..SINGLE {
            scope.spawn(move || {
                for count in 0.. {
                    let number = Number { round, worker, count };
                    let issued = operator.issue_one(request(number)).unwrap();
                    println!("{}", acknowledgement(number, &issued));
                }
            });
        }
        scope.spawn(move || {
            for first in (0..).step_by(BATCH as usize) {
                let numbers = (first..first + BATCH)
                    .map(|count| Number { round, worker: SINGLE, count })
                    .collect::<Vec<_>>();
                let requests: Vec<_> = numbers.iter().map(|&number| request(number)).collect();
                let answers = operator.issue(&requests).unwrap();
                let mut lines = String::new();
                for (number, answer) in numbers.iter().zip(&answers) {
                    let issued = answer.as_ref().unwrap();
                    writeln!(lines, "{}", acknowledgement(*number, issued)).unwrap();
                }
                print!("{lines}");
            }
        });
        scope.spawn(move || {
            for round in 0_u64.. {
                let report = reader.verify_audit();
                assert_eq!(report.first_bad, None);
                let last = reader.audit(report.entries - round % 3, 100);
                println!("read {}", last.last().unwrap().sequence);
            }
        });
        scope.spawn(|| {
            loop {
                let keys = vec![item(3, Some(u32::MAX))];
                let (report, _) = centre.load(&people, keys, Some(LOADED));
                println!("loaded {}", report.serial);
                let left = people.custodians.refill(REFILLED).unwrap();
                println!("refilled {left}");
            }
        });
    });
}

/// When a child is killed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// So long after it was started: while it opens, or signs in.
    Started(Duration),
    /// So long after it began to work.
    AtWork(Duration),
    /// At once when so many tokens were acknowledged.
    Acknowledged(usize),
    /// At once when so many key-load files were acknowledged.
    Loaded(usize),
}

impl When {
    pub(crate) fn choose(random: &mut Random, opening: Duration) -> Self {
        let part = |random: &mut Random, whole: Duration| {
            let micros = usize::try_from(whole.as_micros()).expect("some seconds");
            Duration::from_micros(random.below(micros) as u64)
        };
        match random.below(8) {
            0 => Self::Started(part(random, opening)),
            1..=4 => Self::AtWork(part(random, Duration::from_millis(150))),
            5 | 6 => Self::Acknowledged(1 + random.below(400)),
            _ => Self::Loaded(1 + random.below(3)),
        }
    }
}

/// Kills a child, and returns what it acknowledged.
pub(crate) fn kill(mut child: Child, when: When) -> String {
    let mut wait_for = |words, times| (0..times).for_each(|_| drop(child.wait_for(words)));
    let mut delay = Duration::ZERO;
    match when {
        When::Started(after) => delay = after,
        When::AtWork(after) => {
            wait_for("at work", 1);
            delay = after;
        }
        When::Acknowledged(times) => wait_for("made ", times),
        When::Loaded(times) => wait_for("loaded ", times),
    }
    child.kill(delay)
}

/// Last four digits of a token and its random number, as acknowledged.
pub(crate) type Acknowledged = HashMap<Number, (String, u8)>;

pub(crate) fn acknowledged(lines: &str, round: u32) -> Acknowledged {
    let mut made = HashMap::new();
    for line in lines.lines() {
        let Some((_, line)) = line.split_once("made ") else { continue };
        let words: Vec<&str> = line.split(' ').collect();
        let [worker, count, digits, random] = words[..] else { panic!("{line}") };
        let (worker, count) = (worker.parse().unwrap(), count.parse().unwrap());
        let number = Number { round, worker, count };
        let answer = (digits.to_owned(), random.parse().unwrap());
        assert!(made.insert(number, answer).is_none(), "{line}");
    }
    made
}
