//! `prepay kmc group`: supply groups.

use clap::{Args, Subcommand, ValueEnum};
use prepay_kmc::centre::NewGroup;
use prepay_kmc::entity::{CustomerNumber, Line, Ownership, SupplyGroup, VendingKeyRecord};
use prepay_kmc::store::Filter;
use prepay_kmp::attribute::{Cluster, GroupName, VendingKeyType};
use prepay_token::element::{Service, SupplyGroupCode};

use super::place::{Needs, PlaceFlags};
use super::refusal;
use crate::failure::Done;
use crate::out::{Out, Record};

/// Commands for supply groups.
#[derive(Subcommand)]
pub(super) enum GroupCommand {
    /// List all supply groups.
    List,
    /// Show a supply group with its owners and keys.
    Show {
        /// The code, six digits.
        group: SupplyGroupCode,
    },
    /// Allocate a supply group by hand, without a form. Two custodians.
    Allocate(AllocateFlags),
    /// Rename a supply group. Two custodians.
    Rename {
        /// The code, six digits.
        group: SupplyGroupCode,
        /// The new name.
        #[arg(long, value_name = "TEXT", value_parser = group_name)]
        name: GroupName,
    },
    /// Transfer a supply group to another customer. The former owner's authorisations end. Two custodians.
    Transfer {
        /// The code, six digits.
        group: SupplyGroupCode,
        /// The number of the new owner.
        #[arg(long, value_name = "CUSTOMER")]
        to: CustomerNumber,
    },
}

/// A supply group to allocate.
#[derive(Args)]
pub(super) struct AllocateFlags {
    /// The code, six digits [default: the lowest free one].
    #[arg(long)]
    code: Option<SupplyGroupCode>,
    /// The type of its keys.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    key_type: KeyTypeFlag,
    /// The number of its owner.
    #[arg(long, value_name = "CUSTOMER")]
    owner: CustomerNumber,
    /// Its name, for people.
    #[arg(long, value_name = "TEXT", value_parser = group_name)]
    name: GroupName,
    /// Where its meters are.
    #[arg(long, value_name = "TEXT")]
    area: Line,
    /// What its meters measure: electricity, water, gas or time.
    #[arg(long, default_value = "electricity", value_parser = service)]
    service: Service,
    /// Key changes stay within one cluster.
    #[arg(long, default_value_t = 0)]
    cluster: u16,
}

/// The key types of groups.
#[derive(Clone, Copy, ValueEnum)]
enum KeyTypeFlag {
    /// A manufacturer's default key: meters leave the factory with it, and it issues no credit.
    Default,
    /// A key for each meter.
    Unique,
    /// One key for all meters.
    Common,
}

fn service(text: &str) -> Result<Service, String> {
    let found = Service::ALL.into_iter().find(|service| service.name() == text);
    found.ok_or_else(|| format!("expected electricity, water, gas or time, found {text:?}"))
}

/// Runs one command.
pub(super) fn run(place: &PlaceFlags, command: &GroupCommand, out: &Out) -> Done<()> {
    let failed = |error| refusal::command(&error);
    match command {
        GroupCommand::List => place.work(out, Needs::Reader, |centre, _| {
            let rows = centre.rows::<SupplyGroup>(Filter::all()).map_err(failed)?;
            out.table("supply groups", &rows.iter().map(record).collect::<Vec<_>>())
        }),
        GroupCommand::Show { group } => place.work(out, Needs::Reader, |centre, _| {
            let row = centre.row::<SupplyGroup>(group).map_err(failed)?.row;
            let owners = centre.rows(Ownership::of_group(*group)).map_err(failed)?;
            let owners =
                owners.iter().map(|row| format!("customer {} since {}", row.owner, row.since));
            let keys = centre.rows(VendingKeyRecord::of_group(*group)).map_err(failed)?;
            let keys = keys.iter().map(|key| format!("revision {} {}", key.id.revision, key.state));
            let record = record(&row)
                .text("area", &row.area)
                .text("cluster", row.cluster)
                .text("since", row.created)
                .value("owners", owners.collect::<Vec<String>>())
                .value("keys", keys.collect::<Vec<String>>());
            out.record(&record)
        }),
        GroupCommand::Allocate(flags) => place.work(out, Needs::Custodians, |centre, _| {
            let code = centre.allocate_group(flags.new_group()).map_err(failed)?;
            let row = centre.row::<SupplyGroup>(&code).map_err(failed)?.row;
            out.done(
                format_args!("allocated group {code} to customer {}", row.owner),
                &record(&row),
            )
        }),
        GroupCommand::Rename { group, name } => place.work(out, Needs::Custodians, |centre, _| {
            centre.rename_group(*group, name.clone()).map_err(failed)?;
            let row = centre.row::<SupplyGroup>(group).map_err(failed)?.row;
            out.done(format_args!("renamed group {group} to {name}"), &record(&row))
        }),
        GroupCommand::Transfer { group, to } => place.work(out, Needs::Custodians, |centre, _| {
            centre.transfer_group(*group, *to).map_err(failed)?;
            let row = centre.row::<SupplyGroup>(group).map_err(failed)?.row;
            out.done(format_args!("group {group} now belongs to customer {to}"), &record(&row))
        }),
    }
}

/// Reads the name of a group. A key may come without one; a group of a centre has one.
fn group_name(text: &str) -> Result<GroupName, String> {
    if text.is_empty() {
        return Err("expected a name of 1 to 40 characters, found nothing".to_owned());
    }
    text.parse().map_err(|error| format!("{error}"))
}

impl AllocateFlags {
    fn new_group(&self) -> NewGroup {
        NewGroup {
            code: self.code,
            key_type: match self.key_type {
                KeyTypeFlag::Default => VendingKeyType::DEFAULT,
                KeyTypeFlag::Unique => VendingKeyType::UNIQUE,
                KeyTypeFlag::Common => VendingKeyType::COMMON,
            },
            owner: self.owner,
            name: self.name.clone(),
            area: self.area.clone(),
            service: self.service,
            cluster: Cluster(self.cluster),
        }
    }
}

/// The name of a key type.
pub(super) fn type_name(key_type: VendingKeyType) -> &'static str {
    match key_type {
        VendingKeyType::DEFAULT => "default",
        VendingKeyType::UNIQUE => "unique",
        _ => "common",
    }
}

fn record(row: &SupplyGroup) -> Record {
    Record::new()
        .text("group", row.code)
        .text("name", &row.name)
        .text("type", type_name(row.key_type))
        .value("owner", row.owner.value())
        .text("service", row.service.name())
}
