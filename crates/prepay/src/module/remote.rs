//! The commands as a client of a service: the same lines as any vending system sends, printed like the answers of a module
//! that this process opened.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use prepay_basics::Identifier;
use prepay_records::Choice;
use prepay_records::lines::is_blank;
use prepay_session::{
    Answer, AuditAnswer, BackupAnswer, Client, ClientError, Custody, CustodyAnswer, Operation,
    PageAnswer, PersonRecord, RegisterRecord, RequestLine, SegmentRecord,
};
use prepay_vault::Secret;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value, json};

use super::Invocation;
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::people::NewPerson;
use crate::vault::audit::{self, AuditCommand};
use crate::vault::clock::{self, ClockCommand};
use crate::vault::user::{People, UserCommand};
use crate::vault::{Installation, Needs, alone, backup};

/// How long to wait for more entries before a service is asked again.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(1);

/// How many bytes of a text fit in a line, however they are written there.
const PART: usize = 8 * 1024;

/// A service at which people have signed in.
pub(super) struct Remote(Client<UnixStream, UnixStream>);

impl Remote {
    /// Asks what every session answers.
    pub(super) fn ask_module(&mut self, fields: &RequestLine<'_>) -> Done<Answer> {
        #[derive(Deserialize)]
        struct Registers {
            registers: Vec<RegisterRecord>,
        }

        let Some(Choice::Known(op)) = fields.op else { unreachable!("flags ask for an operation") };
        let asked = fields.json_object();
        Ok(match op {
            Operation::Identify => Answer::Identity(self.ask(asked)?),
            Operation::Status => Answer::Status(self.ask(asked)?),
            Operation::Clock => Answer::Clock(self.ask(asked)?),
            Operation::Registers => {
                let Registers { registers } = self.ask(asked)?;
                Answer::Registers { registers }
            }
            Operation::IssueCredit | Operation::IssueManagement => Answer::Token(self.ask(asked)?),
            Operation::IssueKeyChange => Answer::KeyChange(self.ask(asked)?),
            Operation::Verify => Answer::Verification(Box::new(self.ask(asked)?)),
        })
    }

    /// Asks in the fields of a line.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, fields: Map<String, Value>) -> Done<T> {
        Ok(self.0.ask(fields)?)
    }

    /// Asks by the name of an operation alone.
    pub(super) fn ask_op<T: DeserializeOwned>(&mut self, op: &str) -> Done<T> {
        self.ask(fields(json!({ "op": op })))
    }

    /// Asks what two custodians ask, after the text that it is about.
    pub(super) fn ask_custody(&mut self, custody: &Custody<'_>) -> Done<CustodyAnswer> {
        let mut rest = custody.document().unwrap_or_default();
        while !rest.is_empty() {
            let (part, more) = rest.split_at(rest.floor_char_boundary(PART));
            let _: IgnoredAny = self.ask(fields(json!({"op": "document", "text": part})))?;
            rest = more;
        }
        self.ask(custody.fields())
    }

    /// Changes the people, with secrets.
    fn change_person(
        &mut self,
        name: Option<&Identifier>,
        asked: Value,
        secrets: &[(&str, &Secret)],
    ) -> Done<()> {
        let mut asked = fields(asked);
        if let Some(name) = name {
            asked.insert("name".to_owned(), name.as_str().into());
        }
        let changed: Result<IgnoredAny, _> = self.0.ask_with(asked, secrets);
        changed.map(|_| ()).map_err(|error| match name {
            Some(name) => about(name, error).into(),
            None => error.into(),
        })
    }
}

impl People for Remote {
    fn is_test(&self) -> bool {
        self.0.is_test()
    }

    fn list(&mut self) -> Done<Vec<PersonRecord>> {
        #[derive(Deserialize)]
        struct All {
            people: Vec<PersonRecord>,
        }

        Ok(self.ask_op::<All>("users")?.people)
    }

    fn add(&mut self, new: &NewPerson) -> Done<()> {
        let asked = json!({"op": "add_user", "role": new.role.to_string()});
        self.change_person(Some(&new.name), asked, &[("new_passphrase", &new.passphrase)])
    }

    fn remove(&mut self, name: &Identifier) -> Done<()> {
        self.change_person(Some(name), json!({"op": "remove_user"}), &[])
    }

    fn set_passphrase(&mut self, name: &Identifier, new: &Secret) -> Done<()> {
        let asked = json!({"op": "set_passphrase"});
        self.change_person(Some(name), asked, &[("new_passphrase", new)])
    }

    fn change_own(&mut self, old: &Secret, new: &Secret) -> Done<()> {
        let asked = json!({"op": "change_passphrase"});
        self.change_person(None, asked, &[("passphrase", old), ("new_passphrase", new)])
    }
}

/// The refusal of what was asked about a person.
fn about(name: &Identifier, error: ClientError) -> ClientError {
    match error {
        ClientError::Refused(mut refused) => {
            refused.message = format!("{name}: {}", refused.message);
            ClientError::Refused(refused)
        }
        error => error,
    }
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

impl Invocation<'_> {
    /// The socket of the service to use, if one is named.
    pub(super) fn socket(&self) -> Done<Option<&Path>> {
        match (&self.flags.socket, &self.flags.vault.dir) {
            (Some(_), Some(_)) => {
                let message = "expected --dir or --socket, found both";
                let next = "leave --dir out: the service has the module open";
                Err(Failure::flag("--socket", message).next(next))
            }
            (socket, _) => Ok(socket.as_deref()),
        }
    }

    /// Refuses a service for what only an open module can do.
    pub(super) fn no_service(&self, what: &str) -> Done<()> {
        if self.flags.socket.is_none() {
            return Ok(());
        }
        let message = format!("{what} works on the module itself: expected --dir, found a socket");
        Err(Failure::flag("--socket", message).next("end the service, and give --dir DIR"))
    }

    /// Connects to a service and signs in who acts.
    pub(super) fn service(&self, path: &Path, needs: Needs) -> Done<Remote> {
        let flags = &self.flags.vault;
        let two = match needs {
            Needs::Custodians => flags.as_name.is_none(),
            Needs::Reader => !flags.custodian.is_empty(),
            Needs::Operator => false,
        };
        // The secrets come first: a service waits only for a short time.
        let people: Vec<_> = if two {
            flags.custodians()?.into()
        } else {
            vec![flags.person(if needs == Needs::Reader { "reader" } else { "operator" })?]
        };
        let service = self.connect(path, &people)?;
        match &flags.as_name {
            Some(name) if needs == Needs::Custodians => Err(alone(name)),
            _ => Ok(service),
        }
    }

    /// Connects to a service and signs people in.
    fn connect(&self, path: &Path, people: &[(Identifier, Secret)]) -> Done<Remote> {
        let flags = &self.flags.vault;
        let stream = UnixStream::connect(path).map_err(|error| {
            Failure::unable("file", format!("{}: {error}", path.display()))
                .next("check --socket, and whether the service runs")
        })?;
        let output = stream.try_clone()?;
        let mut client = Client::new(stream, output);
        for (place, (name, passphrase)) in people.iter().enumerate() {
            // The first answer says whether it is a test module.
            if let ([(first, _), (second, _)], 1, false) = (people, place, client.is_test()) {
                flags.require_apart([first, second])?;
            }
            let signed_in = client.sign_in(name, passphrase);
            self.out.set_test(client.is_test());
            signed_in.map_err(|error| about(name, error))?;
        }
        Ok(Remote(client))
    }

    /// Connects to a service, and runs a command for people.
    pub(super) fn remote_user(&self, path: &Path, command: &UserCommand) -> Done<()> {
        let flags = &self.flags.vault;
        command.ask(self.what())?;
        let (mut service, old) = match (command, command.own(flags)?) {
            (_, Some(own)) => {
                let people = [own];
                let service = self.connect(path, &people)?;
                let [(_, old)] = people;
                (service, Some(old))
            }
            (UserCommand::List, None) => (self.service(path, Needs::Reader)?, None),
            _ => (self.service(path, Needs::Custodians)?, None),
        };
        command.carry_out(flags, self.what(), &mut service, old.as_ref(), &self.out)
    }

    /// Connects to a service, and lets two custodians accept the time of its clock.
    pub(super) fn remote_clock(&self, path: &Path, command: &ClockCommand) -> Done<()> {
        let ClockCommand::Accept = command;
        let mut service = self.service(path, Needs::Custodians)?;
        clock::print(&service.ask_op("accept_clock")?, &self.out)
    }

    /// Lists or verifies the audit log.
    pub(super) fn remote_audit(&self, path: &Path, command: &AuditCommand) -> Done<()> {
        let sign_in = || self.service(path, Needs::Reader);
        match command {
            AuditCommand::List { from, count } => {
                let mut service = sign_in()?;
                let (mut entries, mut next) = (Vec::new(), Some(*from.max(&1)));
                while let Some(from) = next.filter(|_| entries.len() < *count) {
                    let most = (count - entries.len()).min(1000);
                    let asked = json!({"op": "audit", "from": from, "count": most});
                    let page: PageAnswer = service.ask(fields(asked))?;
                    entries.extend(page.entries);
                    next = page.next;
                }
                audit::print(&entries, *from, &self.out)
            }
            AuditCommand::Export { from, follow } => {
                let mut service = sign_in()?;
                self.out.begin_beside()?;
                let mut from = *from.max(&1);
                loop {
                    let asked = json!({"op": "audit", "from": from, "count": audit::PAGE});
                    let page: PageAnswer = service.ask(fields(asked))?;
                    self.out.stream(&page.entries)?;
                    from = page.entries.last().map_or(from, |last| last.sequence + 1);
                    match page.next {
                        Some(_) => {}
                        None if *follow => thread::sleep(BETWEEN_QUESTIONS),
                        None => return Ok(()),
                    }
                }
            }
            AuditCommand::Verify { segment, .. } if !segment.is_empty() => {
                let message = "expected no --segment: the service reads its own directory only";
                Err(Failure::flag("--segment", message)
                    .next("verify the segments alone, without --socket, or end the service and give --dir"))
            }
            AuditCommand::Archive { .. } => self.no_service("audit archive"),
            AuditCommand::Rotate => {
                let rotated: SegmentRecord =
                    sign_in()?.ask(fields(json!({"op": "audit_rotate"})))?;
                audit::print_rotated(&rotated, &self.out)
            }
            AuditCommand::Verify { noted, .. } => {
                let mut asked = fields(json!({"op": "audit_verify"}));
                if let Some(noted) = noted {
                    asked.insert("noted".to_owned(), noted.to_string().into());
                }
                let answer: AuditAnswer = sign_in()?.ask(asked)?;
                audit::print_verified(&answer, &self.out)
            }
        }
    }

    /// Writes a back-up.
    pub(super) fn remote_backup(&self, path: &Path, to: &Path) -> Done<Ending> {
        let mut service = self.service(path, Needs::Custodians)?;
        let pair = self.flags.vault.pair()?;
        let passphrases: [Secret; 2] =
            backup::passphrases(&self.flags.vault, pair.each_ref(), service.0.is_test())?;
        let made: BackupAnswer = service.0.ask_with(
            fields(json!({"op": "backup"})),
            &[("first_passphrase", &passphrases[0]), ("second_passphrase", &passphrases[1])],
        )?;
        let bytes = base16ct::mixed::decode_vec(&made.backup).map_err(|_| {
            Failure::broken("no_answer", "expected a back-up in hexadecimal, found something else")
        })?;
        self.keep_backup(&made.module, &bytes, made.custodians, to)
    }

    /// Sends a session's lines to a service, and prints what it answers.
    pub(super) fn remote_session(&self, path: &Path, input: Box<dyn Read + Send>) -> Done<Ending> {
        #[derive(Deserialize)]
        struct Beginning {
            error: Option<IgnoredAny>,
        }

        let service = self.service(path, Needs::Operator)?;
        self.out.begin_beside()?;
        let (mut answers, mut lines) = service.0.into_parts();
        let (tell, told) = channel();
        thread::spawn(move || {
            // Told first, so that it is known when the last answer comes.
            let _ = tell.send(send_lines(input, &mut lines));
            let _ = lines.shutdown(Shutdown::Write);
        });
        let (mut answered, mut failed) = (0, false);
        let (mut out, mut line) = (io::stdout().lock(), Vec::new());
        while answers.read_until(b'\n', &mut line)? > 0 {
            answered += 1;
            let beginning = serde_json::from_slice::<Beginning>(&line);
            failed |= beginning.is_ok_and(|beginning| beginning.error.is_some());
            out.write_all(&line)?;
            if answers.buffer().is_empty() {
                out.flush()?;
            }
            line.clear();
        }
        out.flush()?;
        let sent = told.try_recv().ok().transpose()?;
        if sent != Some(answered) {
            let message = format!("the service ended after {answered} answers");
            return Err(Failure::broken("no_answer", message)
                .next("repeat the same lines, under the same names"));
        }
        Ok(if failed { Ending::Refused } else { Ending::Done })
    }
}

/// Sends lines to a service, and counts those that it answers. When the service takes no more, so do its answers end.
fn send_lines(input: impl Read, lines: &mut UnixStream) -> io::Result<u64> {
    let (mut sent, mut line) = (0, Vec::new());
    let (mut input, mut lines) = (BufReader::new(input), BufWriter::new(lines));
    while input.read_until(b'\n', &mut line)? > 0 {
        sent += u64::from(!is_blank(&line));
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        let written = lines
            .write_all(&line)
            .and_then(|()| if input.buffer().is_empty() { lines.flush() } else { Ok(()) });
        if written.is_err() {
            break;
        }
        line.clear();
    }
    Ok(sent)
}
