//! The body of the target for lines of a session with a security module.

use prepay_module::MeterConfiguration;
use prepay_records::OpenedToken;
use prepay_records::element::When;
use prepay_records::time::Printed;
use prepay_session::{Issue, Line, Request, TokenIssue};
use prepay_token::Class;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Every field of a request, and of a token behind its name.
const FIELDS: &str =
    "id op request register pan ea ti tct token round issued_at tid from to new_ti tokens number";
const TOKEN_FIELDS: &str =
    "type service amount control mfr_code sub_class watts register rate factor index value";

/// The longest message, and how much of a line may stand in it in one piece.
const LONGEST_MESSAGE: usize = 300;
const REPEATED: usize = 64;

/// Any bytes as a line: a request that is written and read again, or an error that names the field and repeats little of
/// the line.
pub fn session_line(input: &[u8]) {
    let Line { id, request } = Line::read(input);
    match request {
        Ok(request) => {
            let line = written_line(id.as_deref(), &request).to_string();
            let again = Line::read(line.as_bytes());
            assert_eq!(value(again.id.as_deref()), value(id.as_deref()), "{line}");
            assert_eq!(again.request, Ok(request), "{line}");
        }
        Err(error) => {
            let (code, message) = (error.code(), error.to_string());
            let shown = String::from_utf8_lossy(input);
            let known = ["bad_json", "missing_field", "unknown_field", "pan", "parameter"];
            assert!(known.contains(&code), "{code}: {shown}");
            assert!(message.len() <= LONGEST_MESSAGE, "{message}");
            let is_repeated = |part: &[u8]| input.windows(REPEATED).any(|found| found == part);
            let repeated = message.as_bytes().windows(REPEATED).find(|part| is_repeated(part));
            assert_eq!(repeated, None, "{message}");
            if ["missing_field", "pan", "parameter"].contains(&code) {
                let name = named(&message).unwrap_or_else(|| panic!("{message}"));
                assert!(is_field(name), "{message}");
            }
        }
    }
}

fn value(id: Option<&RawValue>) -> Value {
    id.map_or(Value::Null, |id| serde_json::from_str(id.get()).expect("an id was read before"))
}

/// A request as the plainest line that says the same.
pub fn written_line(id: Option<&RawValue>, request: &Request) -> Value {
    let mut line = match request {
        Request::Identify => json!({"op": "identify"}),
        Request::Status => json!({"op": "status"}),
        Request::Clock => json!({"op": "clock"}),
        Request::Registers => json!({"op": "registers"}),
        Request::Verify(verify) => {
            let mut line = json!({
                "op": "verify",
                "register": verify.register.value(),
                "number": verify.token.to_string(),
            });
            add_meter(&mut line, &verify.meter);
            line
        }
        Request::Issue(issue) => written_issue(issue),
    };
    if id.is_some() {
        line["id"] = value(id);
    }
    line
}

fn written_issue(issue: &Issue) -> Value {
    let (mut line, id, meter) = match issue {
        Issue::Token(TokenIssue { when, request }) => {
            let op = match request.instruction.class() {
                Class::Credit => "issue_credit",
                _ => "issue_management",
            };
            let token = OpenedToken::of(&request.instruction);
            let register = request.register.value();
            let mut line = json!({"op": op, "register": register, "token": token});
            match when {
                Some(When::At(minute)) => line["issued_at"] = Printed(*minute).to_string().into(),
                Some(When::Identifier(identifier)) => line["tid"] = identifier.value().into(),
                None => {}
            }
            (line, request.id, request.meter)
        }
        Issue::KeyChange(change) => {
            let line = json!({
                "op": "issue_key_change",
                "from": change.from.value(),
                "to": change.to.value(),
                "new_ti": change.new_tariff_index.to_string(),
                "tokens": change.size.count(),
            });
            (line, change.id, change.meter)
        }
    };
    if let Some(id) = id {
        line["request"] = id.to_string().into();
    }
    add_meter(&mut line, &meter);
    line
}

fn add_meter(line: &mut Value, meter: &MeterConfiguration) {
    line["pan"] = meter.pan.to_string().into();
    line["ti"] = meter.tariff_index.to_string().into();
    line["ea"] = meter.encryption.to_string().into();
    line["tct"] = meter.carrier.to_string().into();
}

/// The field that a message names first; nothing when it names none.
fn named(message: &str) -> Option<&str> {
    let end = message.find(": ").or_else(|| message.find(" is missing"))?;
    Some(&message[..end])
}

fn is_field(name: &str) -> bool {
    let is_one_of = |fields: &str, name| fields.split(' ').any(|field| field == name);
    let of_token = name.strip_prefix("token.");
    is_one_of(FIELDS, name)
        || name == "issued_at or tid"
        || of_token.is_some_and(|name| is_one_of(TOKEN_FIELDS, name))
}

/// Lines of every kind, which together have every field. Those of a token stand in the order of their names.
pub fn session_lines() -> Vec<String> {
    let meter = r#""pan":"600727000000000009","ea":"07","ti":"01","tct":"02""#;
    let named = r#""request":"000102030405060708090a0b0c0d0e0f""#;
    let credit = r#"{"amount":"25.6","service":"electricity","type":"credit"}"#;
    let money = r#"{"amount":"-0.1","service":"water","type":"currency_credit"}"#;
    let power = r#"{"type":"set_maximum_power_limit","watts":5000}"#;
    let clear = r#"{"register":65535,"type":"clear_credit"}"#;
    let at = r#""issued_at":"2026-03-01T13:55Z""#;
    let mut lines: Vec<String> = ["identify", "status", "clock", "registers"]
        .map(|op| format!(r#"{{"op":"{op}","id":-7}}"#))
        .into();
    for (op, token, rest) in [
        ("issue_credit", credit, format!(r#"{named},"round":"up",{at}"#)),
        ("issue_credit", money, r#""tid":16777215,"round":"exact""#.to_owned()),
        ("issue_management", power, format!(r#"{named},{at}"#)),
        ("issue_management", clear, r#""tid":0"#.to_owned()),
    ] {
        lines.push(format!(
            r#"{{"id":"a","op":"{op}","register":1,{meter},"token":{token},{rest}}}"#
        ));
    }
    lines.push(format!(
        r#"{{"op":"issue_key_change",{named},"from":1,"to":9999,{meter},"new_ti":"02","tokens":3}}"#
    ));
    lines.push(format!(
        r#"{{"op":"verify","id":18446744073709551615,"register":1,{meter},"number":"2371 6100-5011 8319 4197"}}"#
    ));
    lines
}
