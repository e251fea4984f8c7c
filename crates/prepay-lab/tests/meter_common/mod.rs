//! What the tests of `meter script` share: a laboratory that makes tokens, and lines for meters.

#![allow(dead_code, reason = "not every test uses all of it")]

use prepay_lab::Lab;
use prepay_lab::meter::Meters;
use serde_json::{Value, json};

/// The public test meter of the conformance runs.
pub(crate) const PAN: &str = "600727000000000009";

/// Meters, and the laboratory that makes their tokens.
pub(crate) struct Bench {
    pub(crate) meters: Meters,
    lab: Lab,
}

impl Bench {
    pub(crate) fn new(meters: Meters) -> Self {
        Self { meters, lab: Lab::default() }
    }

    pub(crate) fn in_memory() -> Self {
        Self::new(Meters::in_memory())
    }

    /// The answer to a line, as it is written.
    pub(crate) fn line(&mut self, line: &str) -> Value {
        let mut out = Vec::new();
        let succeeded = self.meters.answer_line(line.as_bytes(), &mut out).expect("no blank line");
        let answer: Value = serde_json::from_slice(&out).expect("an answer is an object");
        assert_eq!(succeeded, answer.get("error").is_none(), "{answer}");
        answer
    }

    /// The answer to a request for the meter `m`, if it names none.
    pub(crate) fn ask(&mut self, mut request: Value) -> Value {
        let fields = request.as_object_mut().expect("a request is an object");
        fields.entry("meter").or_insert(json!("m"));
        self.line(&request.to_string())
    }

    /// The answer to a request that has to succeed.
    pub(crate) fn done(&mut self, request: Value) -> Value {
        let answer = self.ask(request.clone());
        assert_eq!(answer.get("error"), None, "{request}: {answer}");
        answer
    }

    /// Makes a meter under a test key.
    pub(crate) fn make(&mut self, key: Value, more: Value) {
        let mut request = json!({"op": "new", "pan": PAN, "ea": "07", "key": key});
        merge(&mut request, more);
        assert_eq!(self.done(request)["ok"], true);
    }

    /// Enters digits. Answers the result.
    pub(crate) fn enter(&mut self, digits: &str) -> String {
        let answer = self.done(json!({"op": "enter", "digits": digits}));
        answer["result"].as_str().expect("a result is a text").to_owned()
    }

    pub(crate) fn state(&mut self) -> Value {
        self.done(json!({"op": "state"}))
    }

    /// The answer of the laboratory to a request that has to succeed.
    pub(crate) fn lab(&mut self, request: &Value) -> Value {
        let mut out = Vec::new();
        let succeeded = self.lab.answer_line(request.to_string().as_bytes(), &mut out);
        let answer: Value = serde_json::from_slice(&out).expect("an answer is an object");
        assert_eq!(succeeded, Some(true), "{request}: {answer}");
        answer
    }

    /// A token under a key, with an identifier.
    pub(crate) fn issue(&mut self, key: &Value, tid: u32, token: Value) -> String {
        let request =
            json!({"op": "issue", "pan": PAN, "ea": "07", "key": key, "tid": tid, "token": token});
        self.lab(&request)["number"].as_str().expect("a number is a text").to_owned()
    }

    /// A class 1 token.
    pub(crate) fn test(&mut self, mfr_code: &str, control: &str) -> String {
        let token = json!({"type": "test", "control": control, "mfr_code": mfr_code});
        let answer = self.lab(&json!({"op": "issue", "token": token}));
        answer["number"].as_str().expect("a number is a text").to_owned()
    }

    /// Key change tokens.
    pub(crate) fn key_change(
        &mut self,
        ea: &str,
        from: &Value,
        to: &Value,
        tokens: u8,
    ) -> Vec<String> {
        let answer = self.lab(&json!({
            "op": "key_change", "pan": PAN, "ea": ea, "from": from, "to": to, "tokens": tokens,
        }));
        serde_json::from_value(answer["numbers"].clone()).expect("numbers are texts")
    }
}

/// The usual test key.
pub(crate) fn key() -> Value {
    json!({"vending_key": "abababababababab", "dkga": "02", "sgc": "123456", "krn": 1, "kt": 2,
        "ti": "01"})
}

/// The usual test key with other fields.
pub(crate) fn key_with(more: Value) -> Value {
    let mut key = key();
    merge(&mut key, more);
    key
}

/// Credit of electricity.
pub(crate) fn credit(amount: &str) -> Value {
    json!({"type": "credit", "service": "electricity", "amount": amount})
}

pub(crate) fn merge(into: &mut Value, more: Value) {
    let fields = into.as_object_mut().expect("an object");
    for (name, value) in more.as_object().expect("an object") {
        fields.insert(name.clone(), value.clone());
    }
}
