//! `prepay kmc verify` and `adopt`: the whole database, against the vault.

use clap::Args;
use prepay_kmc::entity::{Authorisation, ModuleRecord, Signatory, VendingKeyRecord};
use prepay_kmc::store::{AuthenticatedStore, CentreStore, Entity, Filter, Inventory, PAGE};
use prepay_kmc_module::CentreSession;

use super::place::{Needs, PlaceFlags, Site, store_path};
use super::refusal;
use super::store::{self, Store};
use crate::failure::Done;
use crate::out::{Out, Record};
use crate::vault::{Installation as _, closing};

/// What the custodians accept.
#[derive(Args)]
pub(super) struct AdoptFlags {
    /// The digest that `adopt` printed: adopt exactly these rows.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    accept: Option<[u8; 32]>,
}

fn digest(text: &str) -> Result<[u8; 32], String> {
    let bytes = base16ct::mixed::decode_vec(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "expected 64 hexadecimal digits".to_owned())
}

/// Checks everything.
pub(super) fn verify(place: &PlaceFlags, out: &Out) -> Done<()> {
    place.work(out, Needs::Reader, |centre, _| {
        store::check(centre.store().unauthenticated(), &store_path(place.dir()?))?;
        let found = centre.store().verify().map_err(refusal::store)?;
        out.done_with(
            "the file is sound, and every row is the one that the vault expects",
            &record(&found),
        )
    })
}

/// Shows what a database has that gives rights, or adopts it.
pub(super) fn adopt(place: &PlaceFlags, flags: &AdoptFlags, out: &Out) -> Done<()> {
    let Site { vault, store, .. } = place.open(out, Needs::Custodians, |_| Ok(()))?;
    let worked = {
        let two = place.vault.two(&vault)?;
        let module = CentreSession::new(&vault, two);
        store::check(&store, &store_path(place.dir()?))?;
        let mut store = AuthenticatedStore::new(store, &module);
        match &flags.accept {
            None => show(&store, out),
            Some(digest) => store.adopt(digest).map_err(refusal::store).and_then(|state| {
                let record =
                    Record::new().value("state", state.number).text("digest", hex(&state.digest));
                out.done(format_args!("adopted the database as state {}", state.number), &record)
            }),
        }
    };
    closing(worked, vault.close())
}

fn show(store: &AuthenticatedStore<'_, Store>, out: &Out) -> Done<()> {
    let found = store.assess().map_err(refusal::store)?;
    let rows = store.unauthenticated();
    let mut shown = Vec::new();
    let mut show = |what: String, says: String| {
        shown.push(Record::new().text("row", what).text("says", says));
    };
    for key in all::<VendingKeyRecord>(rows)? {
        let says = format!(
            "{}, from {}, expires {}, refresh {} days, units {}, currency {}, sub-classes {}",
            key.state,
            key.activation,
            key.expires,
            key.refresh_days,
            key.unit_limit,
            key.currency_limit,
            key.sub_classes
        );
        show(format!("vending key of {}", key.id), says);
    }
    for row in all::<Authorisation>(rows)? {
        let says = format!(
            "group {}, module {}, by {}, until {}{}",
            row.group,
            row.module,
            row.granted_by,
            row.valid_until,
            ended(row.revoked)
        );
        show(format!("authorisation {}", row.number), says);
    }
    for row in all::<Signatory>(rows)? {
        let says = format!("customer {}, {}{}", row.customer, row.fingerprint, ended(row.revoked));
        show(format!("signatory {}", row.name), says);
    }
    for row in all::<ModuleRecord>(rows)? {
        show(format!("module {}", row.id), format!("{}{}", row.fingerprint, ended(row.revoked)));
    }
    out.table("rows that give rights", &shown)?;
    out.done_with("nothing was changed", &record(&found))?;
    out.remark(format_args!(
        "compare this with your papers; then adopt it: prepay kmc adopt --accept {}",
        hex(&found.state.digest)
    ));
    Ok(())
}

fn ended(revoked: Option<prepay_basics::Moment>) -> String {
    revoked.map_or_else(String::new, |since| format!(", revoked {since}"))
}

/// All rows of a kind, as they are.
fn all<E: Entity>(store: &Store) -> Done<Vec<E>> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = store.list::<E>(&Filter::all(), after.as_ref(), PAGE).map_err(refusal::store)?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = Some(last.row.key());
        rows.extend(page.into_iter().map(|found| found.row));
    }
}

fn rows(found: &Inventory) -> u64 {
    found.tables.iter().map(|(_, rows)| rows).sum()
}

fn record(found: &Inventory) -> Record {
    let table = |(name, rows): &(&str, u64)| format!("{name} {rows}");
    Record::new()
        .value("state", found.state.number)
        .text("digest", hex(&found.state.digest))
        .value("rows", rows(found))
        .value("tables", found.tables.iter().map(table).collect::<Vec<_>>())
}

fn hex(digest: &[u8; 32]) -> String {
    base16ct::lower::encode_string(digest)
}
