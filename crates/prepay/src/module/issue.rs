//! Issues single tokens. Flags become the same fields as in a line of a session.

use std::io::{self, Write};

use prepay_basics::Entropy;
use prepay_host::SystemEntropy;
use prepay_kmp::attribute::RegisterNumber;
use prepay_module::RequestId;
use prepay_module::software::Operator;
use prepay_records::time::Printed;
use prepay_records::{Choice, Rounding, Scalar, TokenKind, TokenRecord, hex};
use prepay_session::{
    Answer, KeyChangeAnswer, Operation, Request, RequestLine, TokenAnswer, answer_one, request_id,
};

use super::flags::{
    CreditFlags, IssueCommand, KeyChangeFlags, ManagementFlags, MeterFlags, NameFlags, StampFlags,
};
use super::remote::Remote;
use super::{Invocation, Unlocked};
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::json;
use crate::lab::flags::{in_flags, number, option, text};
use crate::lab::print::{rollover, stamp};
use crate::out::Record;
use crate::paint::{QUIET, RESULT, styled};
use crate::people::access_failure;
use crate::vault::Needs;

impl Invocation<'_> {
    /// Issues tokens.
    pub(super) fn issue(&self, command: &IssueCommand) -> Done<Ending> {
        self.issued(command).map_err(|failure| failure.reworded(in_module_flags).with_free_flags())
    }

    fn issued(&self, command: &IssueCommand) -> Done<Ending> {
        let (mut fields, name) = match command {
            IssueCommand::Credit(flags) => (credit(flags), &flags.stamp.request),
            IssueCommand::Management(flags) => (management(flags), &flags.stamp.request),
            IssueCommand::KeyChange(flags) => (key_change(flags), &flags.request),
        };
        let name = named(name)?;
        let is_dated = fields.issued_at.is_some() || fields.tid.is_some();
        let needs_time = !is_dated && !matches!(command, IssueCommand::KeyChange(_));
        if needs_time && name.is_some() {
            let message = "a request with a name needs a fixed time: repeated later, it would be a different request";
            return Err(Failure::unable("flag", message).next("give --at TIME or --tid N"));
        }
        // Check the flags before asking anyone for a secret.
        Request::read(&fields)?;
        let mut counter = self.counter()?;
        let mut minute = None;
        if needs_time {
            let clock = RequestLine { op: Some(Operation::Clock.into()), ..RequestLine::default() };
            let Answer::Clock(clock) = counter.ask(&clock)? else { return Err(misplaced()) };
            minute = Some(Printed(clock.now.minute()).to_string());
            fields.issued_at = minute.clone().map(Scalar::from);
        }
        let (RequestId(id), added) = match name {
            Some(name) => (name, String::new()),
            None => self.name(minute.as_deref())?,
        };
        fields.request = Some(hex::encode(&id).into());
        let again = repeated(&added);
        let answer = counter.ask(&fields).map_err(|failure| failure.repeated_by(&again))?;
        let printed = match &answer {
            Answer::Token(token) => self.answer(token, |out| write_token(out, token)),
            Answer::KeyChange(set) => self.answer(set, |out| write_set(out, set)),
            _ => Err(misplaced()),
        };
        printed.map_err(|failure| {
            let told =
                |error: &str| format!("made and counted, but the answer was not written: {error}");
            failure.reworded(told).repeated_by(&again)
        })
    }

    /// Chooses a name for a request and says it, with the minute that was chosen, before the module counts anything. Returns
    /// also the flags that name both.
    fn name(&self, issued_at: Option<&str>) -> Done<(RequestId, String)> {
        let mut id = [0; 16];
        let filled = SystemEntropy.fill(&mut id);
        filled.map_err(|error| Failure::broken("entropy", error))?;
        let name = hex::encode(&id);
        let at = issued_at.map(|time| format!(" --at {time}")).unwrap_or_default();
        let flags = format!("--request-id {name}{at}");
        let mut stderr = anstream::stderr().lock();
        if self.out.is_json() {
            let chosen = Record::new().text("request", &name).option("issued_at", issued_at);
            json::print_to(&mut stderr, &chosen, self.out.is_test())?;
        } else {
            writeln!(stderr, "{}", styled(QUIET, format_args!("this request: {flags}")))?;
        }
        Ok((RequestId(id), flags))
    }

    /// Opens the module, or connects to its service, and signs an operator in.
    pub(super) fn counter(&self) -> Done<Counter> {
        if let Some(path) = self.socket()? {
            return Ok(Counter::Service(self.service(path, Needs::Operator)?));
        }
        let (module, operator) = self.operator()?;
        Ok(Counter::Module(operator, module))
    }

    /// Opens the module and signs an operator in.
    fn operator(&self) -> Done<(Unlocked, Operator)> {
        self.flags.vault.require_one()?;
        let module = self.open(Some(Needs::Operator))?;
        let session = self.flags.vault.one(module.vault(), "operator")?;
        let operator = module.operator(&session).map_err(|error| access_failure(&error))?;
        Ok((module, operator))
    }
}

/// Who answers: a module that this process opened, or a service.
pub(super) enum Counter {
    Module(Operator, #[expect(dead_code, reason = "locks the module at the end")] Unlocked),
    Service(Remote),
}

impl Counter {
    pub(super) fn ask(&mut self, fields: &RequestLine<'_>) -> Done<Answer> {
        match self {
            Self::Module(operator, _) => Ok(answer_one(operator, Request::read(fields)?)?),
            Self::Service(service) => service.ask_module(fields),
        }
    }
}

/// This command with more flags, as a shell takes it.
fn repeated(added: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@+%".contains(c);
    let words = std::env::args_os().map(|word| {
        let word = word.to_string_lossy();
        match !word.is_empty() && word.chars().all(plain) {
            true => word.into_owned(),
            false => format!("'{}'", word.replace('\'', "'\\''")),
        }
    });
    let words: Vec<_> = words.chain((!added.is_empty()).then(|| added.to_owned())).collect();
    words.join(" ")
}

/// A module that answers another question than it was asked.
pub(super) fn misplaced() -> Failure {
    Failure::broken("no_answer", "the module answered another question")
}

/// The message of a field's error, with the flag of `module issue` or `module verify` in its place.
pub(super) fn in_module_flags(message: &str) -> String {
    in_flags(&message.replace("token.register", "token.clear"))
}

fn register<'a>(register: RegisterNumber) -> Option<Scalar<'a>> {
    number(Some(register.value().into()))
}

/// The fields of an operation with a meter.
fn asked(op: Operation, meter: &MeterFlags) -> RequestLine<'_> {
    RequestLine {
        op: Some(Choice::Known(op)),
        pan: text(&meter.pan),
        ti: text(&meter.ti),
        ea: text(&meter.ea),
        tct: text(&meter.tct),
        ..RequestLine::default()
    }
}

fn credit(flags: &CreditFlags) -> RequestLine<'_> {
    let kind = if flags.currency { TokenKind::CurrencyCredit } else { TokenKind::Credit };
    let token = TokenRecord {
        kind: Some(Choice::Known(kind)),
        service: text(&flags.service),
        amount: text(&flags.amount),
        ..TokenRecord::default()
    };
    RequestLine {
        round: flags.round_up.then_some(Choice::Known(Rounding::Up)),
        ..token_asked(Operation::IssueCredit, &flags.meter, flags.register, token, &flags.stamp)
    }
}

fn management(flags: &ManagementFlags) -> RequestLine<'_> {
    let token = TokenRecord { register: number(flags.clear), ..flags.function.record(flags.kind) };
    token_asked(Operation::IssueManagement, &flags.meter, flags.register, token, &flags.stamp)
}

fn token_asked<'a>(
    op: Operation,
    meter: &'a MeterFlags,
    key: RegisterNumber,
    token: TokenRecord<'a>,
    stamp: &'a StampFlags,
) -> RequestLine<'a> {
    RequestLine {
        register: register(key),
        token: Some(token),
        issued_at: option(stamp.at.as_deref()),
        tid: number(stamp.tid),
        ..asked(op, meter)
    }
}

fn key_change(flags: &KeyChangeFlags) -> RequestLine<'_> {
    RequestLine {
        from: register(flags.from),
        to: register(flags.to),
        new_ti: option(flags.new_ti.as_deref()),
        tokens: flags.tokens.map(Scalar::from),
        ..asked(Operation::IssueKeyChange, &flags.meter)
    }
}

/// The name of a request: 32 hexadecimal digits, a UUID, or a short text, padded with zeros.
fn named(flags: &NameFlags) -> Done<Option<RequestId>> {
    let Some(text) = &flags.request_id else { return Ok(None) };
    if let Some(id) = request_id(text) {
        return Ok(Some(id));
    }
    let mut bytes = [0; 16];
    match bytes.get_mut(..text.len()) {
        Some(place) if !text.is_empty() => place.copy_from_slice(text.as_bytes()),
        _ => {
            let problem = "expected 32 hexadecimal digits, a UUID, or a text of 1 to 16 characters";
            return Err(Failure::flag("--request-id", problem));
        }
    }
    Ok(Some(RequestId(bytes)))
}

fn write_token(out: &mut dyn Write, token: &TokenAnswer) -> io::Result<()> {
    writeln!(out, "{}", styled(RESULT, format_args!("{:#}", token.number)))?;
    let mut remarks = Vec::new();
    remarks.extend(token.amount.as_ref().map(|amount| format!("amount coded {amount}")));
    remarks.push(stamp(token.tid, token.issued_at));
    remarks.extend(token.rnd.map(|rnd| format!("RND {rnd}")));
    remarks.push(format!("key {}", token.kcv));
    writeln!(out, "{}", styled(QUIET, remarks.join(", ")))
}

fn write_set(out: &mut dyn Write, set: &KeyChangeAnswer) -> io::Result<()> {
    for token in &set.numbers {
        writeln!(out, "{}", styled(RESULT, format_args!("{token:#}")))?;
    }
    let KeyChangeAnswer { from_kcv, to_kcv, ken, .. } = set;
    let remarks =
        format!("from key {from_kcv}, to key {to_kcv}, KEN {ken}, {}", rollover(set.rollover));
    writeln!(out, "{}", styled(QUIET, remarks))
}
