//! The client's end of a service: it signs in, sends lines and reads their answers.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};

use prepay_basics::Identifier;
use prepay_records::FreeIdentifier;
use prepay_vault::Secret;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::service::SignedIn;

/// A client of a service. One of its lines is on its way at a time.
pub struct Client<R, W> {
    input: BufReader<R>,
    output: W,
    is_test: bool,
}

/// Why a client has no answer.
#[derive(Debug)]
pub enum ClientError {
    /// The connection broke.
    Io(io::Error),
    /// The service ended, or answered with something else. What was asked may have been done.
    NoAnswer {
        /// What came.
        problem: String,
    },
    /// The passphrase cannot stand in a line.
    NotText,
    /// The service refused.
    Refused(Refused),
}

/// The answer of a service that refused.
#[derive(Clone, Debug, Deserialize)]
pub struct Refused {
    /// The stable name of the error.
    pub code: String,
    /// What was expected and what was found.
    pub message: String,
    /// What to do next.
    pub next: Option<String>,
    /// The status of STS 600-8-6.
    pub status: Option<String>,
    /// The token identifier to ask for instead of one that was used.
    pub free: Option<Box<FreeIdentifier>>,
}

/// What every answer begins with.
#[derive(Deserialize)]
struct Beginning {
    #[serde(default)]
    test: bool,
    error: Option<Refused>,
}

impl<R: Read, W: Write> Client<R, W> {
    /// A client over a connection.
    pub fn new(input: R, output: W) -> Self {
        Self { input: BufReader::new(input), output, is_test: false }
    }

    /// Whether the last answer was that of a test module.
    pub const fn is_test(&self) -> bool {
        self.is_test
    }

    /// Signs a person in.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub fn sign_in(
        &mut self,
        name: &Identifier,
        passphrase: &Secret,
    ) -> Result<SignedIn, ClientError> {
        let fields = [("passphrase", passphrase)];
        self.send_secret(&format!(r#"{{"op":"sign_in","name":"{name}""#), &fields)?;
        self.answer()
    }

    /// Asks something that needs no secret, in the fields of a line.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub fn ask<T: DeserializeOwned>(
        &mut self,
        fields: Map<String, Value>,
    ) -> Result<T, ClientError> {
        let mut line = Value::from(fields).to_string();
        line.push('\n');
        self.output.write_all(line.as_bytes()).map_err(ClientError::Io)?;
        self.answer()
    }

    /// Asks something with secrets: the fields of a line, then the names of the secrets with their values.
    ///
    /// # Errors
    ///
    /// [`ClientError`].
    pub fn ask_with<T: DeserializeOwned>(
        &mut self,
        fields: Map<String, Value>,
        secrets: &[(&str, &Secret)],
    ) -> Result<T, ClientError> {
        let line = Value::from(fields).to_string();
        self.send_secret(line.strip_suffix('}').expect("an object"), secrets)?;
        self.answer()
    }

    /// The connection itself, once nothing more is asked here.
    pub fn into_parts(self) -> (BufReader<R>, W) {
        (self.input, self.output)
    }

    /// Sends a line with secrets, and leaves no copy of it.
    fn send_secret(&mut self, start: &str, secrets: &[(&str, &Secret)]) -> Result<(), ClientError> {
        let longest: usize = secrets.iter().map(|(_, secret)| secret.expose_bytes().len()).sum();
        // Each byte takes six at most, so that the line never moves.
        let mut line = Zeroizing::new(Vec::with_capacity(start.len() + 6 * longest + 256));
        line.extend_from_slice(start.as_bytes());
        for (name, secret) in secrets {
            let text =
                std::str::from_utf8(secret.expose_bytes()).map_err(|_| ClientError::NotText)?;
            line.extend_from_slice(format!(",\"{name}\":").as_bytes());
            serde_json::to_writer(&mut *line, text).expect("a text is JSON and a vector takes it");
        }
        line.extend_from_slice(b"}\n");
        self.output.write_all(&line).map_err(ClientError::Io)
    }

    /// Reads one answer.
    fn answer<T: DeserializeOwned>(&mut self) -> Result<T, ClientError> {
        let mut line = String::new();
        self.input.read_line(&mut line).map_err(ClientError::Io)?;
        let no_answer = |problem: String| ClientError::NoAnswer { problem };
        if !line.ends_with('\n') {
            return Err(no_answer("the service ended the connection".to_owned()));
        }
        let unreadable = |error: serde_json::Error| no_answer(format!("no answer: {error}"));
        let Beginning { test, error } = serde_json::from_str(&line).map_err(unreadable)?;
        self.is_test = test;
        match error {
            Some(refused) => Err(ClientError::Refused(refused)),
            None => serde_json::from_str(&line).map_err(unreadable),
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::NoAnswer { problem } => f.write_str(problem),
            Self::NotText => f.write_str("expected a passphrase in UTF-8, found other bytes"),
            Self::Refused(refused) => f.write_str(&refused.message),
        }
    }
}

impl std::error::Error for ClientError {}
