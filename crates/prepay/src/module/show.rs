//! Shows the state of a module.

use std::io::{self, Write};
use std::path::Path;

use prepay_basics::Moment;
use prepay_module::RegisterReport;
use prepay_module::software::{Auditor, ModuleEntry};
use prepay_session::{
    Answer, CentresAnswer, ClockAnswer, Operation, RegisterRecord, RequestLine, RevokedCentre,
    SlotRecord, StatusAnswer, answer_session,
};
use prepay_vault::{Actor, AuditReport, Problem, Role};
use serde::Serialize;

use super::flags::UnlockCommand;
use super::{Invocation, Unlocked, done, fault};
use crate::Ending;
use crate::failure::{Done, to_read};
use crate::paint::{HEADING, QUIET, WRONG, styled};
use crate::people::access_failure;
use crate::vault::{Installation, Needs, audit};

impl Invocation<'_> {
    /// Unlocks a module and shows its state, or answers a session.
    pub(super) fn show(&self, flags: &UnlockCommand) -> Done<Ending> {
        if let Some(file) = &flags.session {
            return self.session(file);
        }
        self.no_service("unlock without --session")?;
        let dir = self.dir()?;
        let (mut directory, header, protector) = self.look(&self.out)?;
        let report = prepay_vault::verify::<ModuleEntry>(&mut directory)
            .map_err(|error| audit::failure(dir, &error))?;
        // A torn end may be from an interrupted write; opening the vault decides.
        if report.first_bad.as_ref().is_some_and(|bad| bad.problem != Problem::Torn) {
            refuse_bad(&report)?;
        }
        let seal = protector.to_string();
        let needs = self.flags.vault.is_anybody_named().then_some(Needs::Reader);
        let looked = (directory, header, protector);
        let module = Unlocked(self.unlock(looked, needs, |_| Ok(()))?.into());
        let name = module.module().as_str();
        if !self.flags.vault.is_anybody_named() {
            let audit = AuditRecord { entries: report.entries, authenticated: false };
            let answer = Condition { module: name, seal: &seal, audit, seen: None };
            return self.answer(answer, |out| {
                writeln!(out, "module {}", styled(HEADING, name))?;
                writeln!(out, "  sealed by    {seal}")?;
                writeln!(out, "  audit log    {} entries, chain and end verified", report.entries)?;
                let remark = "sign in with --as NAME to see registers, slots and limits";
                writeln!(out, "{}", styled(QUIET, remark))
            });
        }
        let who = self.flags.vault.actor(module.vault(), Needs::Reader)?;
        let reader = module.auditor(who.clone()).map_err(|error| access_failure(&error))?;
        let mut entries = reader.status().map_err(fault)?.audit_entries;
        let mut authenticated = false;
        if !matches!(&who, Actor::One(session) if session.role() == Role::Operator) {
            let report = module.vault().verify_audit(who.by());
            let report = report.map_err(|error| audit::failure(dir, &error))?;
            refuse_bad(&report)?;
            (entries, authenticated) = (report.entries, report.authenticated);
        }
        let seen = Seen::of(&reader)?;
        let audit = AuditRecord { entries, authenticated };
        let answer = Condition { module: name, seal: &seal, audit, seen: Some(seen.record()) };
        self.answer(answer, |out| {
            writeln!(out, "module {}", styled(HEADING, name))?;
            writeln!(out, "  sealed by    {seal}")?;
            let proved =
                if authenticated { "every entry verified" } else { "chain and end verified" };
            writeln!(out, "  audit log    {entries} entries, {proved}")?;
            seen.print(out)
        })
    }

    /// Answers a session.
    fn session(&self, file: &Path) -> Done<Ending> {
        let input = to_read((file.as_os_str() != "-").then_some(file))?;
        if let Some(path) = self.socket()? {
            return self.remote_session(path, input);
        }
        self.flags.vault.require_one()?;
        let module = self.open(Some(Needs::Operator))?;
        let session = self.flags.vault.one(module.vault(), "operator")?;
        let operator = module.operator(&session).map_err(|error| access_failure(&error))?;
        self.out.begin_beside()?;
        let summary = answer_session(&operator, input, io::stdout().lock())?;
        module.vault().close().map_err(|error| crate::people::vault_failure(&error))?;
        Ok(if summary.failed == 0 { Ending::Done } else { Ending::Refused })
    }

    /// Shows counters and warnings.
    pub(super) fn status(&self) -> Done<Ending> {
        let socket = self.socket()?;
        let status = match socket {
            Some(path) => {
                let asked = Operation::Status;
                let mut service = self.service(path, Needs::Reader)?;
                let fields = RequestLine { op: Some(asked.into()), ..RequestLine::default() };
                let Answer::Status(status) = service.ask_module(&fields)? else {
                    unreachable!("the answer is read as that of the operation")
                };
                status
            }
            None => self.reader()?.1.status().map_err(fault)?.into(),
        };
        self.answer(&status, |out| {
            let left = status.transactions_left;
            let left = left.map_or("no limit".to_owned(), |left| format!("{left} left"));
            writeln!(out, "{} tokens issued, {left}", styled(HEADING, status.transactions))?;
            writeln!(out, "  audit log    {} entries", status.audit_entries)?;
            match (&status.verified, socket) {
                (Some(check), _) => writeln!(out, "  verified     {}: {check}", check.at)?,
                (None, Some(_)) => writeln!(out, "  verified     not yet by this service")?,
                (None, None) => {}
            }
            let since =
                status.names_since.as_ref().map_or(String::new(), |at| format!(" since {at}"));
            let (names, days) = (status.names, status.remember_days);
            writeln!(
                out,
                "  requests     {names} names remembered{since}, each for at least {days} days"
            )?;
            print_alerts(out, &status.alerts)
        })
    }

    /// Lists the registers.
    pub(super) fn registers(&self) -> Done<Ending> {
        let registers = match self.socket()? {
            Some(path) => {
                let asked = Operation::Registers;
                let mut service = self.service(path, Needs::Reader)?;
                let fields = RequestLine { op: Some(asked.into()), ..RequestLine::default() };
                let Answer::Registers { registers } = service.ask_module(&fields)? else {
                    unreachable!("the answer is read as that of the operation")
                };
                registers
            }
            None => {
                let (_module, reader) = self.reader()?;
                let now = reader.clock().map_err(fault)?.now;
                register_records(&reader.registers().map_err(fault)?, now)
            }
        };
        done(self.out.list(&registers, |out| print_registers(out, &registers)))
    }

    /// Lists the centres.
    pub(super) fn slots(&self) -> Done<Ending> {
        let CentresAnswer { slots, revoked } = match self.socket()? {
            Some(path) => self.service(path, Needs::Reader)?.ask_op("slots")?,
            None => {
                let (_module, reader) = self.reader()?;
                CentresAnswer::of(&reader).map_err(fault)?
            }
        };
        let known = slots.iter().map(CentreRecord::Known);
        let gone = revoked.iter().map(CentreRecord::Revoked);
        done(self.out.list(known.chain(gone), |out| {
            print_slots(out, &slots)?;
            revoked.iter().try_for_each(|name| writeln!(out, "revoked: {}", name.party))
        }))
    }
}

/// A centre in a list, as JSON.
#[derive(Serialize)]
#[serde(untagged)]
enum CentreRecord<'a> {
    /// In a slot.
    Known(&'a SlotRecord),
    /// Under keys that the module no longer trusts; `party` names the centre and the keys.
    Revoked(&'a RevokedCentre),
}

/// Refuses a log with a wrong entry.
fn refuse_bad(report: &AuditReport) -> Done<()> {
    report.first_bad.as_ref().map_or(Ok(()), |bad| Err(audit::bad_entry(bad)))
}

/// The state of a module, as JSON.
#[derive(Serialize)]
struct Condition<'a> {
    module: &'a str,
    seal: &'a str,
    audit: AuditRecord,
    #[serde(flatten)]
    seen: Option<SeenRecord>,
}

#[derive(Serialize)]
struct AuditRecord {
    entries: u64,
    authenticated: bool,
}

#[derive(Serialize)]
struct SeenRecord {
    hardware: String,
    firmware: String,
    fingerprint: String,
    #[serde(flatten)]
    status: StatusAnswer,
    #[serde(flatten)]
    clock: ClockAnswer,
    slots: Vec<SlotRecord>,
    registers: Vec<RegisterRecord>,
}

fn register_records(registers: &[RegisterReport], now: Moment) -> Vec<RegisterRecord> {
    registers.iter().map(|report| RegisterRecord::new(report, now)).collect()
}

/// Everything that anyone signed in may see.
struct Seen {
    identity: prepay_module::Identification,
    status: prepay_module::ModuleStatus,
    clock: prepay_module::ClockWindow,
    slots: Vec<SlotRecord>,
    registers: Vec<RegisterReport>,
}

impl Seen {
    fn of(reader: &Auditor) -> Done<Self> {
        Ok(Self {
            identity: reader.identify().map_err(fault)?,
            status: reader.status().map_err(fault)?,
            clock: reader.clock().map_err(fault)?,
            slots: CentresAnswer::of(reader).map_err(fault)?.slots,
            registers: reader.registers().map_err(fault)?,
        })
    }

    fn record(&self) -> SeenRecord {
        SeenRecord {
            hardware: self.identity.hardware.clone(),
            firmware: self.identity.firmware.clone(),
            fingerprint: self.identity.fingerprint.clone(),
            status: self.status.clone().into(),
            clock: self.clock.into(),
            slots: self.slots.clone(),
            registers: register_records(&self.registers, self.clock.now),
        }
    }

    fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let Self { identity, status, clock, slots, registers } = self;
        writeln!(out, "  is           {} {}", identity.hardware, identity.firmware)?;
        writeln!(out, "  fingerprint  {}", identity.fingerprint)?;
        let window = clock.minutes.map_or("any".to_owned(), |minutes| format!("{minutes} minutes"));
        writeln!(out, "  clock        {}, window {window}", clock.now)?;
        let left =
            status.transactions_left.map_or("no limit".to_owned(), |left| format!("{left} left"));
        writeln!(out, "  tokens       {} issued, {left}", status.transactions)?;
        print_slots(out, slots)?;
        print_registers(out, &register_records(registers, clock.now))?;
        print_alerts(out, &status.alerts)
    }
}

fn print_slots(out: &mut dyn Write, slots: &[SlotRecord]) -> io::Result<()> {
    if slots.is_empty() {
        return writeln!(out, "the module knows no centre");
    }
    for slot in slots {
        let SlotRecord { slot: number, centre, fingerprint, keys, expires: until, .. } = slot;
        let state = styled(HEADING, &slot.state);
        writeln!(out, "slot {number}  centre {centre}  {state}  {keys} keys")?;
        writeln!(out, "  fingerprint {fingerprint}")?;
        let open = slot.requests_open_until.len();
        let serial = slot.last_serial.map_or("none".to_owned(), |serial| serial.to_string());
        writeln!(out, "  until {until}, open requests {open}, last key-load file {serial}")?;
    }
    Ok(())
}

fn print_alerts(out: &mut dyn Write, alerts: &[String]) -> io::Result<()> {
    let mut alerts = alerts.iter();
    alerts.try_for_each(|alert| writeln!(out, "{}", styled(WRONG, format_args!("! {alert}"))))
}

fn print_registers(out: &mut dyn Write, all: &[RegisterRecord]) -> io::Result<()> {
    if all.is_empty() {
        return writeln!(out, "no register has a key");
    }
    for record in all {
        let left = |left: &Option<String>| left.as_deref().unwrap_or("no limit").to_owned();
        writeln!(
            out,
            "register {}  group {} revision {}  {}  {}",
            styled(HEADING, record.register),
            record.sgc,
            record.krn,
            record.kcv,
            styled(HEADING, &record.state),
        )?;
        writeln!(
            out,
            "  key type {}, DKGA{}, KEN {}, base date {}, sub-classes {}, centre {}",
            record.kt, record.dkga, record.ken, record.base_date, record.sub_classes, record.centre,
        )?;
        let until = match &record.issue_until {
            until if *until == Moment::MIN.to_string() => {
                "it is loaded again, because the module was restored"
            }
            until => until,
        };
        writeln!(
            out,
            "  from {} until {until}; left: {} units, {} in currency",
            record.active_from,
            left(&record.units_left),
            left(&record.currency_left),
        )?;
    }
    Ok(())
}
