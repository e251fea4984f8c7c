//! A service of a test module, and its clients.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command};
use std::thread;
use std::time::Duration;

use prepay_token::element::BaseDate;
use serde_json::{Value, json};

use super::{Centre, PAN, SECRETS, Workplace};

/// A request for credit.
pub(crate) fn credit(id: u64) -> Value {
    json!({
        "id": id,
        "op": "issue_credit",
        "request": format!("{id:032x}"),
        "register": 1,
        "pan": PAN,
        "ea": "07",
        "ti": "01",
        "tct": "02",
        "token": {"type": "credit", "service": "electricity", "amount": "0.1"},
        "tid": 1_000_000 + id % 15_000_000,
    })
}

/// A module with keys in registers 1 and 2, of so many units.
pub(crate) fn workplace(name: &str, units: Option<u32>) -> Workplace {
    let workplace = Workplace::new(name);
    workplace.init("--window none");
    let centre = Centre::with_base_date("KMC-1", BaseDate::Y2014);
    workplace.join(&centre);
    workplace.load(&centre, "service", units);
    workplace
}

/// A secret by its name.
pub(crate) fn secret(name: &str) -> &'static str {
    SECRETS.iter().find(|(known, _)| *known == name).unwrap().1
}

/// A service that runs. It is killed if the test fails.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// Stays open, so that the service can say why it ends.
    output: BufReader<ChildStdout>,
    notes: Option<thread::JoinHandle<String>>,
    socket: PathBuf,
}

impl Running {
    pub(crate) fn start(workplace: &Workplace, flags: &str) -> Self {
        let mut command = workplace.command(&format!("--json serve --socket {{socket}} {flags}"));
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut first).unwrap();
        let mut errors = child.stderr.take().unwrap();
        let notes = thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text).unwrap();
            text
        });
        let (notes, socket) = (Some(notes), workplace.path("socket"));
        let mut running = Self { child, output, notes, socket };
        if !first.contains(r#""socket":"#) {
            running.child.kill().unwrap();
            panic!("{first}{}", running.notes.take().unwrap().join().unwrap());
        }
        running
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn open(&self) -> Connection {
        let stream = UnixStream::connect(&self.socket).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Connection { input: BufReader::new(stream.try_clone().unwrap()), output: stream }
    }

    pub(crate) fn signed_in(&self, name: &str) -> Connection {
        let mut connection = self.open();
        let answer = connection.sign_in(name, secret(name));
        assert_eq!(answer["name"], name, "{answer}");
        connection
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Ends the service as an administrator does, and returns its notes.
    pub(crate) fn end(mut self) -> String {
        self.signal("-TERM");
        let status = self.child.wait().unwrap();
        let notes = self.notes.take().unwrap().join().unwrap();
        assert_eq!(status.code(), Some(0), "{notes}");
        assert!(!self.socket.exists(), "the socket is removed");
        for (name, secret) in SECRETS {
            assert!(!notes.contains(secret), "the secret {name} is in the notes");
        }
        notes
    }

    /// What the service says when it ends by itself, and its exit status.
    pub(crate) fn ended(mut self) -> (Value, Option<i32>) {
        let mut text = String::new();
        self.output.read_to_string(&mut text).unwrap();
        (serde_json::from_str(&text).unwrap(), self.child.wait().unwrap().code())
    }

    /// The memory that is in use, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One client.
pub(crate) struct Connection {
    pub(crate) input: BufReader<UnixStream>,
    pub(crate) output: UnixStream,
}

impl Connection {
    pub(crate) fn send(&mut self, line: &Value) {
        self.output.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// The next answer; nothing at the end.
    pub(crate) fn next(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.input.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
            Err(error) => panic!("no answer: {error}"),
        }
    }

    pub(crate) fn ask(&mut self, line: &Value) -> Value {
        self.send(line);
        self.next().expect("an answer")
    }

    pub(crate) fn code(&mut self, line: &Value) -> String {
        let answer = self.ask(line);
        answer["error"]["code"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    pub(crate) fn sign_in(&mut self, name: &str, passphrase: &str) -> Value {
        self.ask(&json!({"op": "sign_in", "name": name, "passphrase": passphrase}))
    }
}
