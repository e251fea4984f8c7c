//! What a module answers, as JSON; the same objects in a session and with `--json`.

use prepay_basics::Moment;
use prepay_module::software::SlotReport;
use prepay_module::{
    ClockWindow, Identification, IssueRequest, Issued, ModuleError, ModuleFault, ModuleStatus,
    Refusal, RegisterReport, Verification,
};
use prepay_records::OpenedToken;
use prepay_records::time::Printed;
use prepay_token::Instruction;
use prepay_token::element::{BaseDate, RandomNumber, TokenIdentifier};
use prepay_token::key_change::Rollover;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Who a module is.
pub(super) fn identification(is: &Identification) -> Value {
    json!({
        "module": is.module.as_str(),
        "hardware": is.hardware,
        "firmware": is.firmware,
        "fingerprint": is.fingerprint,
    })
}

/// How a module is.
pub(super) fn status(status: &ModuleStatus) -> Value {
    json!({
        "transactions": status.transactions,
        "transactions_left": status.transactions_left,
        "audit_entries": status.audit_entries,
        "alerts": status.alerts,
    })
}

/// A module's clock.
pub(super) fn clock(clock: &ClockWindow) -> Value {
    json!({"now": clock.now.to_string(), "window_minutes": clock.minutes})
}

/// Whether the key of a register can be used at a time: `active`, or what hinders it.
pub(super) fn state(report: &RegisterReport, now: Moment) -> &'static str {
    let attributes = &report.attributes;
    if now < attributes.activation {
        "not_active"
    } else if now > attributes.issued_until {
        "issue_expired"
    } else if attributes.is_expired(now) {
        "key_expired"
    } else {
        "active"
    }
}

/// What a register holds, and whether its key can be used at a time.
pub(super) fn register(report: &RegisterReport, now: Moment) -> Value {
    let attributes = &report.attributes;
    json!({
        "register": report.register.value(),
        "state": state(report, now),
        "sgc": attributes.supply_group.to_string(),
        "krn": attributes.key_revision.value(),
        "kt": attributes.key_type.key_type().value(),
        "dkga": attributes.algorithm.to_string(),
        "ken": attributes.expiry.value(),
        "base_date": attributes.base_date.year(),
        "active_from": attributes.activation.to_string(),
        "issue_until": attributes.issued_until.to_string(),
        "unit_limit": attributes.unit_limit.0,
        "currency_limit": attributes.currency_limit.0,
        "units_left": report.units_left_tenths.map(|tenths| decimal(tenths.into(), 1)),
        "currency_left": report.currency_left.map(|left| decimal(left, 5)),
        "cluster": attributes.cluster.0,
        "sub_classes": attributes.sub_classes.to_string(),
        "name": attributes.name.as_str(),
        "kcv": report.check_value.to_string(),
        "centre": report.centre.as_str(),
    })
}

/// What a slot holds.
pub(super) fn slot(report: &SlotReport) -> Value {
    json!({
        "slot": report.slot,
        "centre": report.centre.centre.as_str(),
        "state": report.state.to_string(),
        "fingerprint": report.centre.fingerprint,
        "active_from": report.centre.activation.to_string(),
        "expires": report.centre.expires.to_string(),
        "agreement_open": report.agreement_open,
        "requests_open_until":
            report.requests.iter().map(ToString::to_string).collect::<Vec<String>>(),
        "last_serial": report.last_serial,
        "keys": report.keys,
    })
}

/// What was made.
pub(super) fn issued(request: &IssueRequest, issued: &Issued, base: Option<BaseDate>) -> Value {
    match issued {
        Issued::Token(issued) => {
            let mut object = json!({
                "number": issued.token.to_string(),
                "kcv": issued.check_value.to_string(),
            });
            stamp(&mut object, issued.identifier, issued.random, base);
            if let IssueRequest::Token(asked) = request
                && let Some(amount) = amount(&asked.instruction)
            {
                object["amount"] = amount.into();
            }
            object
        }
        Issued::KeyChange(set) => json!({
            "numbers": set.tokens().iter().map(ToString::to_string).collect::<Vec<String>>(),
            "rollover": set.rollover == Rollover::Forget,
            "ken": set.expiry.value(),
            "from_kcv": set.from_check_value.to_string(),
            "to_kcv": set.to_check_value.to_string(),
        }),
    }
}

/// What reading a token back showed.
pub(super) fn verification(found: &Verification, base: Option<BaseDate>) -> Value {
    match *found {
        Verification::Valid { instruction, identifier, random } => {
            let token = OpenedToken::of(&instruction);
            let mut object = json!({"result": "valid", "token": token});
            stamp(&mut object, identifier, random, base);
            object
        }
        Verification::KeyChange { section } => json!({"result": "key_change", "section": section}),
        Verification::Unkeyed => json!({"result": "unkeyed"}),
        Verification::Checksum => json!({"result": "checksum", "status": "03"}),
        Verification::Malformed(error) => {
            json!({"result": "malformed", "message": error.to_string()})
        }
        Verification::CreditUnderDefaultKey => {
            json!({"result": "credit_under_default_key", "status": "80"})
        }
        Verification::KeyExpired => json!({"result": "key_expired", "status": "41"}),
        _ => json!({"result": "unknown"}),
    }
}

/// Adds identifier, minute and random number.
fn stamp(
    object: &mut Value,
    identifier: TokenIdentifier,
    random: Option<RandomNumber>,
    base: Option<BaseDate>,
) {
    object["tid"] = identifier.value().into();
    if let Some(base) = base {
        object["issued_at"] = Printed(base.minute_of(identifier)).to_string().into();
    }
    if let Some(random) = random {
        object["rnd"] = random.value().into();
    }
}

/// The amount of a credit as its token carries it.
fn amount(instruction: &Instruction) -> Option<String> {
    match instruction {
        Instruction::Credit { amount, .. } => Some(amount.to_string()),
        Instruction::CurrencyCredit { amount, .. } => Some(amount.to_string()),
        _ => None,
    }
}

/// A number of parts as a decimal number, without closing zeros.
fn decimal(parts: u128, places: u32) -> String {
    let whole = 10_u128.pow(places);
    let digits = format!("{:0width$}", parts % whole, width = places as usize);
    match digits.trim_end_matches('0') {
        "" => (parts / whole).to_string(),
        digits => format!("{}.{digits}", parts / whole),
    }
}

/// Why the module does not do it.
pub(super) fn refusal(refusal: &Refusal) -> Failure {
    Failure::refused(refusal.code(), refusal).status(refusal.status())
}

/// What broke.
pub(super) fn fault(fault: &ModuleFault) -> Failure {
    Failure::broken(fault.code(), fault).next("repeat the same request, under the same name")
}

/// Why there is no answer.
pub(super) fn error(error: &ModuleError) -> Failure {
    match error {
        ModuleError::Refused(refused) => refusal(refused),
        ModuleError::Fault(broken) => fault(broken),
    }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn parts_are_shown_without_closing_zeros() {
        for (parts, places, expected) in
            [(0, 1, "0"), (256, 1, "25.6"), (250, 1, "25"), (1, 5, "0.00001"), (150_000, 5, "1.5")]
        {
            assert_eq!(decimal(parts, places), expected);
        }
    }
}
