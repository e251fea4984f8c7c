//! `prepay module verify`: what a token is, for whom, and which of the module's keys opens it.

use std::io::{self, Write};

use prepay_kmp::attribute::RegisterNumber;
use prepay_records::pasted::tokens;
use prepay_records::{OpenedToken, Scalar};
use prepay_session::{Answer, Operation, Request, RequestLine, VerificationAnswer};
use prepay_token::{Class, TokenData, open_in_clear};
use serde::Serialize;

use super::Invocation;
use super::flags::VerifyFlags;
use super::issue::{Counter, in_module_flags, misplaced};
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::lab::flags::{number, text};
use crate::lab::lists::written_out;
use crate::lab::meaning::sentence;
use crate::lab::print::{stamp, write_fields};
use crate::paint::{HEADING, QUIET, WRONG, styled};

/// A key of the module as a meter has it.
#[derive(Clone, Serialize)]
struct Place<'f> {
    register: u16,
    ti: String,
    ea: &'f str,
}

/// What a token is, and under which key.
#[derive(Serialize)]
struct Verified<'f> {
    #[serde(flatten)]
    answer: VerificationAnswer,
    #[serde(flatten)]
    place: Option<Place<'f>>,
}

impl Invocation<'_> {
    /// Verifies tokens.
    pub(super) fn verify(&self, flags: &VerifyFlags) -> Done<Ending> {
        self.verify_each(flags).map_err(|failure| failure.reworded(in_module_flags))
    }

    fn verify_each(&self, flags: &VerifyFlags) -> Done<Ending> {
        let tokens = tokens(&flags.number.join(" "))?;
        let tariff_indexes = written_out("--ti", &flags.ti, 2)?;
        // Check the flags before asking anyone for a secret.
        for ea in &flags.ea {
            let ti = "01".to_owned();
            Request::read(&asked(tokens[0], &Place { register: 1, ti, ea }, flags))?;
        }
        let mut counter = self.counter()?;
        let mut places = Vec::new();
        for register in registers(&mut counter, flags)? {
            for &ti in &tariff_indexes {
                let ti = format!("{ti:02}");
                places.extend(flags.ea.iter().map(|ea| Place { register, ti: ti.clone(), ea }));
            }
        }
        let mut ending = Ending::Done;
        for token in tokens {
            let found = search(&mut counter, token, &places, flags)?;
            for verified in &found {
                self.answer(verified, |out| write(out, token, verified, &flags.pan))?;
            }
            let is_one = matches!(&found[..], [one] if one.answer.is_right());
            if found.len() > 1 {
                let remark = "several keys open it, and wrong ones may by chance: verify another token of the meter";
                crate::lab::print::remark(remark);
            }
            if !is_one {
                ending = Ending::Refused;
            }
        }
        Ok(ending)
    }
}

/// The registers to try.
fn registers(counter: &mut Counter, flags: &VerifyFlags) -> Done<Vec<u16>> {
    if !flags.register.is_empty() {
        return Ok(flags.register.iter().copied().map(RegisterNumber::value).collect());
    }
    let asked = RequestLine { op: Some(Operation::Registers.into()), ..RequestLine::default() };
    let Answer::Registers { registers } = counter.ask(&asked)? else { return Err(misplaced()) };
    if registers.is_empty() {
        return Err(Failure::refused("register", "no register has a key"));
    }
    Ok(registers.iter().map(|register| register.register).collect())
}

/// The question about one token under one key.
fn asked<'f>(token: TokenData, place: &'f Place<'_>, flags: &'f VerifyFlags) -> RequestLine<'f> {
    RequestLine {
        op: Some(Operation::Verify.into()),
        register: number(Some(place.register.into())),
        pan: text(&flags.pan),
        ti: text(&place.ti),
        ea: text(place.ea),
        tct: text(&flags.tct),
        number: Some(Scalar::from(token.to_string())),
        ..RequestLine::default()
    }
}

/// What a token is under every key that opens it; if none does, the answer of one of them.
fn search<'f>(
    counter: &mut Counter,
    token: TokenData,
    places: &[Place<'f>],
    flags: &VerifyFlags,
) -> Done<Vec<Verified<'f>>> {
    // A token in clear is the same under every key.
    let places = if token.class().is_enciphered() { places } else { &places[..1] };
    let (mut found, mut wrong, mut failure) = (Vec::new(), None, None);
    for place in places {
        match counter.ask(&asked(token, place, flags)) {
            Ok(Answer::Verification(answer)) => {
                if answer.result == "checksum" {
                    wrong = Some(*answer);
                } else {
                    found.push(Verified { answer: *answer, place: Some(place.clone()) });
                }
            }
            Ok(_) => return Err(misplaced()),
            // A register whose key does not suit the meter is one that does not open the token.
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    if let (true, Some(mut answer)) = (found.is_empty(), wrong) {
        if places.len() > 1 {
            answer.message = Some(format!("none of {} keys opens it", places.len()));
        } else if token.class() == Class::Display {
            let message =
                "class 1 has neither key nor meter: a digit is mistyped, or this is no token";
            answer.message = Some(message.to_owned());
        }
        found.push(Verified { answer, place: None });
    }
    if !token.class().is_enciphered() {
        for verified in &mut found {
            verified.place = None;
            let instruction = open_in_clear(token).ok().and_then(|token| token.instruction());
            verified.answer.token = instruction.as_ref().map(OpenedToken::of);
        }
    }
    match failure {
        Some(failure) if found.is_empty() => Err(failure),
        _ => Ok(found),
    }
}

fn write(
    out: &mut dyn Write,
    token: TokenData,
    Verified { answer, place }: &Verified<'_>,
    pan: &str,
) -> io::Result<()> {
    let style = if answer.is_right() { HEADING } else { WRONG };
    match &answer.token {
        Some(token) => {
            writeln!(out, "{}", styled(style, format_args!("{}: {}", answer.result, token.kind)))?;
            write_fields(out, token)?;
        }
        None => writeln!(out, "{}", styled(style, &answer.result))?,
    }
    if let (None, Ok(token)) = (place, open_in_clear(token)) {
        writeln!(out, "{}", sentence(&token, None))?;
    }
    let mut remarks = Vec::new();
    remarks.extend(answer.tid.map(|tid| stamp(tid, answer.issued_at)));
    remarks.extend(answer.rnd.map(|rnd| format!("RND {rnd}")));
    remarks.extend(answer.section.map(|section| format!("section {section}")));
    remarks.extend(answer.status.as_ref().map(|status| format!("status {status}")));
    remarks.extend(answer.message.clone());
    if !remarks.is_empty() {
        writeln!(out, "{}", styled(QUIET, remarks.join(", ")))?;
    }
    if answer.result == "checksum" && token.class().is_enciphered() {
        let told = "a token of another meter or another key, or a wrong digit: compare the digits, --pan, --register, --ti and --ea";
        writeln!(out, "{}", styled(QUIET, told))?;
    }
    let Some(Place { register, ti, ea }) = place else { return Ok(()) };
    let key = format!("for meter {pan} under register {register}, TI {ti}, EA{ea}");
    writeln!(out, "{}", styled(QUIET, key))
}
