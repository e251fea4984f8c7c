//! `prepay kmc report`: what is where, what ends when, what was done.

use clap::Subcommand;
use prepay_basics::{Clock, Moment};
use prepay_kmc::entity::{KeyLoadRecord, ModuleRecord};
use prepay_kmc::store::{CentreStore, Filter};
use prepay_kmp::ModuleId;

use super::place::{Needs, PlaceFlags, moment};
use super::{enrol, refusal};
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::vault::Installation;

/// The reports.
#[derive(Subcommand)]
pub(super) enum ReportCommand {
    /// Which vending keys were sent to which modules, and until when they may issue there.
    Keys {
        /// Of this module only.
        #[arg(long)]
        module: Option<ModuleId>,
    },
    /// What comes to an end, soonest first: keys, loads, authorisations, the centre's own keys.
    Expiry {
        /// Within so many days.
        #[arg(long, default_value_t = 90)]
        days: u32,
        /// Until this moment instead, as 2027-01-01T00:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = moment, conflicts_with = "days")]
        until: Option<Moment>,
    },
    /// Every module, and what was sent to it.
    Modules,
    /// Every key-load file.
    Loads {
        /// For this module only.
        #[arg(long)]
        module: Option<ModuleId>,
    },
    /// What was done at the centre, by whom.
    Journal {
        /// From this entry on.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// At most so many entries.
        #[arg(long, default_value_t = 1000)]
        count: usize,
    },
    /// What is in the centre's module or in the store only, or differs between them.
    Orphans,
}

/// Runs one command.
pub(super) fn run(place: &PlaceFlags, command: &ReportCommand, out: &Out) -> Done<()> {
    match command {
        ReportCommand::Keys { module } => keys(place, module.as_ref(), out),
        ReportCommand::Expiry { days, until } => expiry(place, *days, *until, out),
        ReportCommand::Modules => modules(place, out),
        ReportCommand::Loads { module } => loads(place, module.as_ref(), out),
        ReportCommand::Journal { from, count } => journal(place, *from, *count, out),
        ReportCommand::Orphans => place.work(out, Needs::Reader, |centre, _| {
            let orphans = centre.orphans().map_err(|error| refusal::command(&error))?;
            let record = |orphan: &prepay_kmc::centre::Orphan| {
                Record::new().text("code", orphan.code()).text("problem", orphan)
            };
            out.table(
                "orphans: module and store agree",
                &orphans.iter().map(record).collect::<Vec<_>>(),
            )
        }),
    }
}

fn keys(place: &PlaceFlags, module: Option<&ModuleId>, out: &Out) -> Done<()> {
    place.work(out, Needs::Reader, |centre, _| {
        let holdings = centre.holdings(module).map_err(|error| refusal::command(&error))?;
        let record = |holding: &prepay_kmc::centre::Holding| {
            Record::new()
                .text("module", &holding.module)
                .value("slot", holding.slot)
                .text("group", holding.key.group)
                .value("krn", holding.key.revision.value())
                .text("check_value", holding.check_value)
                .text("state", holding.state)
                .value("serial", holding.serial)
                .text("sent", holding.sent)
                .text("issues_until", holding.issued_until)
                .value("is_fresh", holding.is_fresh)
        };
        out.table("keys were sent to any module", &holdings.iter().map(record).collect::<Vec<_>>())
    })
}

fn expiry(place: &PlaceFlags, days: u32, until: Option<Moment>, out: &Out) -> Done<()> {
    place.work(out, Needs::Reader, |centre, _| {
        let until = match until {
            Some(until) => until,
            None => place.clock(out.is_test())?.now().plus_days(days),
        };
        let list = centre.expiries(until).map_err(|error| refusal::command(&error))?;
        let record = |expiry: &prepay_kmc::centre::Expiry| {
            Record::new()
                .text("at", expiry.at)
                .text("what", expiry.kind)
                .text("of", &expiry.row)
                .option("module", expiry.module.as_ref())
                .option("key", expiry.key)
        };
        let none = format!("ends until {until}");
        out.table(&none, &list.iter().map(record).collect::<Vec<_>>())
    })
}

fn modules(place: &PlaceFlags, out: &Out) -> Done<()> {
    place.work(out, Needs::Reader, |centre, module| {
        let failed = |error| refusal::command(&error);
        let reports = module.modules().map_err(refusal::module)?;
        let loads = centre.rows::<KeyLoadRecord>(Filter::all()).map_err(failed)?;
        let rows = centre.rows::<ModuleRecord>(Filter::all()).map_err(failed)?;
        let record = |row: &prepay_kmc::entity::ModuleRecord| {
            let report = reports.iter().find(|report| report.details.module == row.id);
            let slots = report.map(|report| report.slots.clone()).unwrap_or_default();
            let files = loads.iter().filter(|load| load.module == row.id).count();
            enrol::module_record(row).value("slots", slots).value("files", files)
        };
        out.table("modules", &rows.iter().map(record).collect::<Vec<_>>())
    })
}

fn loads(place: &PlaceFlags, module: Option<&ModuleId>, out: &Out) -> Done<()> {
    place.work(out, Needs::Reader, |centre, _| {
        let loads = centre
            .rows(module.map_or(Filter::all(), KeyLoadRecord::of_module))
            .map_err(|error| refusal::command(&error))?;
        let record = |load: &prepay_kmc::entity::KeyLoadRecord| {
            let keys: Vec<String> = load.keys.iter().map(|key| key.key.to_string()).collect();
            let left_out: Vec<String> = load.left_out.iter().map(ToString::to_string).collect();
            Record::new()
                .value("serial", load.serial)
                .text("module", &load.module)
                .value("slot", load.slot)
                .text("created", load.created)
                .text("load_until", load.expires)
                .value("keys", keys)
                .value("left_out", left_out)
        };
        out.table("key-load files", &loads.iter().map(record).collect::<Vec<_>>())
    })
}

fn journal(place: &PlaceFlags, from: u64, count: usize, out: &Out) -> Done<()> {
    place.work(out, Needs::Reader, |centre, _| {
        let mut entries = Vec::new();
        let mut after = from.saturating_sub(1);
        while entries.len() < count {
            let page = centre.store().journal(after, count - entries.len());
            let page = page.map_err(refusal::store)?;
            let Some(last) = page.last() else { break };
            after = last.sequence;
            entries.extend(page);
        }
        let record = |entry: &prepay_kmc::entity::JournalEntry| {
            Record::new()
                .value("entry", entry.sequence)
                .text("at", entry.at)
                .text("by", &entry.actor)
                .text("action", entry.action)
                .text("subject", &entry.subject)
                .text("note", &entry.note)
        };
        out.table("entries of the journal", &entries.iter().map(record).collect::<Vec<_>>())
    })
}
