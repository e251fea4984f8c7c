//! What anyone signed in may read: identification, contents and warnings.

use super::contents::ModuleContents;
use super::register::Register;
use super::slot::{CentreReport, Slot, SlotReport, SlotState};
use crate::{ClockWindow, Identification, ModuleStatus, RegisterReport};
use prepay_basics::Moment;
use prepay_token::element::KeyExpiryNumber;
use prepay_vault::Vault;

/// The model.
pub(super) const MODEL: &str = "Prepay software module";

/// The maker.
pub(super) const MAKER: &str = "Prepay";

/// The version.
pub(super) const FIRMWARE: &str = env!("CARGO_PKG_VERSION");

/// The status warns if less than one part in this many of a limit is left.
const LOW_PART: u128 = 10;

/// The status warns if fewer tokens than this may still be issued.
const LOW_TRANSACTIONS: u64 = 1000;

pub(super) fn identification(vault: &Vault<ModuleContents>) -> Identification {
    let contents = vault.contents();
    let public = contents.identity.public();
    Identification {
        module: public.id().clone().into(),
        hardware: MODEL.to_owned(),
        firmware: FIRMWARE.to_owned(),
        fingerprint: public.fingerprint().to_string(),
        is_test: contents.issuer.test.is_some(),
    }
}

pub(super) fn clock(vault: &Vault<ModuleContents>, now: Moment) -> ClockWindow {
    ClockWindow { now, minutes: vault.contents().issuer.policy.window_minutes }
}

pub(super) fn registers(vault: &Vault<ModuleContents>) -> Vec<RegisterReport> {
    vault.contents().issuer.registers.iter().map(Register::report).collect()
}

pub(super) fn slots(contents: &ModuleContents) -> Vec<SlotReport> {
    contents.slots.iter().map(|slot| slot_report(contents, slot)).collect()
}

pub(super) fn slot_report(contents: &ModuleContents, slot: &Slot) -> SlotReport {
    let centre = slot.centre_id();
    let of_centre = |register: &&Register| register.centre == centre;
    let is_test = contents.issuer.test.is_some(); // A module accepts only centres of its own kind.
    SlotReport {
        slot: slot.number.value(),
        centre: CentreReport::new(&slot.centre, slot.activation, slot.expires, is_test),
        state: slot.state,
        agreement_open: slot.pending.is_some(),
        requests: slot.requests.iter().map(|request| request.expires).collect(),
        last_serial: slot.last_serial,
        keys: contents.issuer.registers.iter().filter(of_centre).count(),
    }
}

pub(super) fn status(vault: &Vault<ModuleContents>, now: Moment) -> ModuleStatus {
    let contents = vault.contents();
    let counters = &contents.issuer.counters;
    ModuleStatus {
        transactions_left: counters.transactions_left,
        transactions: counters.transactions,
        audit_entries: vault.entries(),
        names: contents.issuer.names.report(contents.issuer.policy.remember_days),
        alerts: alerts(contents, now),
    }
}

/// The warnings, the most general first.
fn alerts(contents: &ModuleContents, now: Moment) -> Vec<String> {
    let mut alerts = Vec::new();
    if let Some(test) = contents.issuer.test {
        alerts.push("test module: its tokens are not for real meters".to_owned());
        if let Some(time) = test.fixed_time {
            alerts.push(format!("test module: its clock is fixed at {time}"));
        }
        if let Some(random) = test.fixed_random {
            alerts.push(format!("test module: every random number is {random}"));
        }
    }
    match contents.issuer.counters.transactions_left {
        Some(0) => alerts.push("the transaction counter is used up".to_owned()),
        Some(left) if left < LOW_TRANSACTIONS => {
            alerts.push(format!("the transaction counter is low: {left} tokens left"));
        }
        _ => {}
    }
    for slot in &contents.slots {
        if slot.state != SlotState::Active {
            let (number, centre) = (slot.number, slot.centre.id());
            alerts.push(format!("slot {number} of centre {centre} is {}", slot.state));
        }
    }
    let names = contents.issuer.names.report(contents.issuer.policy.remember_days);
    if names.unreadable > 0 {
        let count = names.unreadable;
        alerts.push(format!("the record of {count} earlier requests is damaged"));
    }
    if contents.issuer.registers.count() == 0 {
        alerts.push("no register has a key".to_owned());
    }
    let soon = now.plus_days(contents.issuer.policy.warning_days);
    for register in contents.issuer.registers.iter() {
        alerts.extend(register_alerts(register, now, soon));
    }
    alerts
}

/// The warnings about one register.
fn register_alerts(register: &Register, now: Moment, soon: Moment) -> Vec<String> {
    let attributes = &register.attributes;
    let until = attributes.issued_until;
    let mut found = Vec::new();
    if now < attributes.activation {
        found.push(format!("not active before {}", attributes.activation));
    }
    if now > until {
        found.push(format!("must be loaded again: could be used until {until}"));
    } else if soon > until {
        found.push(format!("load it again soon: can be used until {until}"));
    }
    // A key that never expires can be used for as long as its base date has identifiers.
    let (expiry, base) = (attributes.expiry, attributes.base_date.year());
    let never = expiry == KeyExpiryNumber::NEVER;
    match (attributes.is_expired(now), attributes.is_expired(soon)) {
        (true, _) if never => found.push(format!("base date {base} has no identifiers any more")),
        (true, _) => {
            found.push(format!("expired: KEN {expiry}; only as the old key of a key change"));
        }
        (_, true) if never => {
            found.push(format!(
                "base date {base} has no identifiers soon: load a key with a later one"
            ));
        }
        (_, true) => found.push(format!("expires soon: KEN {expiry}")),
        _ => {}
    }
    let units = (register.units_left_tenths.map(u128::from), attributes.unit_limit.0, 10, "ULM");
    let currency = (register.currency_left, attributes.currency_limit.0, 100_000, "CLM");
    for (left, limit, parts, name) in [units, currency] {
        if let (Some(left), Some(limit)) = (left, limit)
            && left * LOW_PART < u128::from(limit) * parts
        {
            found.push(format!("limit {name} is low: {} of {limit} left", left / parts));
        }
    }
    let (number, group) = (register.number, attributes.supply_group);
    let revision = attributes.key_revision;
    let whole = |alert| format!("register {number} (group {group} revision {revision}): {alert}");
    found.into_iter().map(whole).collect()
}
