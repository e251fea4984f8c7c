//! Making tokens and reading them back, one at a time. Flags become the object that a line of a session would
//! be.

use clap::ValueEnum;
use prepay_kmp::attribute::RegisterNumber;
use prepay_module::software::Operator;
use prepay_module::{IssueRequest, Issued, RequestId, SecurityModule};
use prepay_records::time::Printed;
use prepay_token::element::BaseDate;
use serde_json::{Value, json};

use super::flags::{
    CreditFlags, IssueCommand, KeyChangeFlags, ManagementFlags, MeterFlags, NameFlags, StampFlags,
    VerifyFlags,
};
use super::order::{self, Ask};
use super::{Desk, Unlocked, tell};
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::paint::{HEADING, QUIET, RESULT, WRONG, styled};
use crate::people::{AsFlags, access_failure};

impl Desk<'_> {
    /// Makes tokens.
    pub(super) fn issue(&self, command: &IssueCommand) -> Done<Ending> {
        let (mut object, who) = match command {
            IssueCommand::Credit(flags) => (credit(flags)?, &flags.who),
            IssueCommand::Management(flags) => (management(flags)?, &flags.who),
            IssueCommand::KeyChange(flags) => (key_change(flags)?, &flags.who),
        };
        let needs_time = !matches!(command, IssueCommand::KeyChange(_))
            && object["issued_at"].is_null()
            && object["tid"].is_null();
        if needs_time && !object["request"].is_null() {
            let message =
                "a request with a name needs its own time: repeated later it would be another";
            return Err(Failure::unable("flag", message).next("give --at TIME or --tid N"));
        }
        // What is wrong with the flags is told before anybody is asked for a secret.
        let stand_in = json!("2020-01-01T00:00Z");
        let mut trial = object.clone();
        if needs_time {
            trial["issued_at"] = stand_in;
        }
        read(trial)?;
        let (_module, operator) = self.operator(who)?;
        if needs_time {
            let now = operator.clock().map_err(super::fault)?.now;
            object["issued_at"] = Printed(now.minute()).to_string().into();
        }
        let Ask::Issue(making) = read(object)? else {
            unreachable!("the object asks for something to be made")
        };
        let base = base_date(&operator, making.register())?;
        let request = making.with_base_date(base)?;
        let issued = operator.issue_one(request).map_err(|error| tell::error(&error))?;
        let shown = match request {
            IssueRequest::KeyChange(change) => base_date(&operator, change.to)?,
            _ => base,
        };
        let told = tell::issued(&request, &issued, shown);
        self.answer(told.clone(), |out| match &issued {
            Issued::Token(issued) => {
                writeln!(out, "{}", styled(RESULT, format_args!("{:#}", issued.token)))?;
                writeln!(out, "{}", styled(QUIET, remarks(&told)))
            }
            Issued::KeyChange(set) => {
                for token in set.tokens() {
                    writeln!(out, "{}", styled(RESULT, format_args!("{token:#}")))?;
                }
                writeln!(out, "{}", styled(QUIET, remarks(&told)))
            }
        })
    }

    /// Reads a token back.
    pub(super) fn verify(&self, flags: &VerifyFlags) -> Done<Ending> {
        let mut object = json!({
            "op": "verify",
            "register": flags.register,
            "number": flags.number.join(" "),
        });
        meter(&mut object, &flags.meter);
        let Ask::Verify(request) = read(object)? else {
            unreachable!("the object asks for a token to be read back")
        };
        let (_module, operator) = self.operator(&flags.who)?;
        let base = base_date(&operator, request.register)?;
        let found = operator.verify(&request).map_err(|error| tell::error(&error))?;
        let told = tell::verification(&found, base);
        let result = told["result"].as_str().unwrap_or_default().to_owned();
        let is_right = matches!(result.as_str(), "valid" | "key_change" | "unkeyed");
        let style = if is_right { HEADING } else { WRONG };
        self.answer(told.clone(), |out| {
            writeln!(out, "{}", styled(style, &result))?;
            if let Value::Object(token) = &told["token"] {
                for (name, value) in token {
                    writeln!(out, "  {name} {}", plain(value))?;
                }
            }
            writeln!(out, "{}", styled(QUIET, remarks(&told)))
        })?;
        Ok(if is_right { Ending::Done } else { Ending::Refused })
    }

    /// Opens the module and signs an operator in.
    fn operator(&self, who: &AsFlags) -> Done<(Unlocked, Operator)> {
        let module = self.open()?;
        let session = who.sign_in(&self.flags.secrets, "operator", module.vault())?;
        let operator = module.operator(&session).map_err(|error| access_failure(&error))?;
        Ok((module, operator))
    }
}

/// The base date of a register's key.
fn base_date(operator: &Operator, register: RegisterNumber) -> Done<Option<BaseDate>> {
    let registers = operator.registers().map_err(super::fault)?;
    let found = registers.iter().find(|report| report.register == register);
    Ok(found.map(|report| report.attributes.base_date))
}

/// Reads the request in an object; members that are null count as not there.
fn read(object: Value) -> Done<Ask> {
    let Value::Object(fields) = object else { unreachable!("requests are objects") };
    order::read(fields.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

fn credit(flags: &CreditFlags) -> Done<Value> {
    let kind = if flags.currency { "currency_credit" } else { "credit" };
    let mut object = json!({
        "op": "issue_credit",
        "register": flags.register,
        "token": {"type": kind, "service": flags.service, "amount": flags.amount},
        "round": flags.round_up.then_some("up"),
    });
    meter(&mut object, &flags.meter);
    stamp(&mut object, &flags.stamp)?;
    Ok(object)
}

fn management(flags: &ManagementFlags) -> Done<Value> {
    let kind = flags.kind.to_possible_value().expect("every type has a name");
    let mut token = json!({"type": kind.get_name().replace('-', "_")});
    let values = [
        ("watts", flags.watts),
        ("register", flags.clear),
        ("rate", flags.rate),
        ("factor", flags.factor),
        ("index", flags.index),
        ("value", flags.value),
        ("sub_class", flags.sub_class),
    ];
    for (name, value) in values {
        if let Some(value) = value {
            token[name] = value.into();
        }
    }
    let mut object = json!({"op": "issue_management", "register": flags.register, "token": token});
    meter(&mut object, &flags.meter);
    stamp(&mut object, &flags.stamp)?;
    Ok(object)
}

fn key_change(flags: &KeyChangeFlags) -> Done<Value> {
    let mut object = json!({
        "op": "issue_key_change",
        "from": flags.from,
        "to": flags.to,
        "new_ti": flags.new_ti,
        "tokens": flags.tokens,
        "request": request_id(&flags.request)?,
    });
    meter(&mut object, &flags.meter);
    Ok(object)
}

fn meter(object: &mut Value, flags: &MeterFlags) {
    object["pan"] = flags.pan.as_str().into();
    object["ti"] = flags.ti.as_str().into();
    object["ea"] = flags.ea.as_str().into();
    object["tct"] = flags.tct.as_str().into();
}

fn stamp(object: &mut Value, flags: &StampFlags) -> Done<()> {
    object["issued_at"] = flags.at.as_deref().into();
    object["tid"] = flags.tid.into();
    object["request"] = request_id(&flags.request)?.into();
    Ok(())
}

/// The name of a request: 32 hexadecimal digits, or a short text, which is filled with zeros.
fn request_id(flags: &NameFlags) -> Done<Option<String>> {
    let Some(text) = &flags.request_id else { return Ok(None) };
    if order::hexadecimal_id(text).is_some() {
        return Ok(Some(text.clone()));
    }
    let mut bytes = [0; 16];
    match bytes.get_mut(..text.len()) {
        Some(place) if !text.is_empty() => place.copy_from_slice(text.as_bytes()),
        _ => {
            let problem = "expected 32 hexadecimal digits, or a text of 1 to 16 characters";
            return Err(Failure::flag("--request-id", problem));
        }
    }
    Ok(Some(RequestId(bytes).to_string()))
}

/// What is to be said beside the digits.
fn remarks(told: &Value) -> String {
    let names = [
        ("amount", "amount coded"),
        ("tid", "TID"),
        ("issued_at", ""),
        ("rnd", "RND"),
        ("kcv", "key"),
        ("from_kcv", "from key"),
        ("to_kcv", "to key"),
        ("ken", "KEN"),
        ("section", "section"),
        ("status", "status"),
        ("message", ""),
    ];
    let mut remarks: Vec<String> = names
        .into_iter()
        .filter(|(name, _)| !told[*name].is_null())
        .map(|(name, words)| format!("{words} {}", plain(&told[name])).trim().to_owned())
        .collect();
    if let Some(rollover) = told["rollover"].as_bool() {
        remarks.push(if rollover {
            "rollover: the meter forgets its token identifiers".to_owned()
        } else {
            "no rollover: the base date stays".to_owned()
        });
    }
    remarks.join(", ")
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
