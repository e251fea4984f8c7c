//! `prepay kmc key`: vending keys, with their attributes and check values.

use std::fmt;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};
use prepay_basics::Moment;
use prepay_kmc::centre::{Centre, KeyTerms, NewKey};
use prepay_kmc::entity::{KeyState, SupplyGroup, VendingKeyRecord};
use prepay_kmc::store::Filter;
use prepay_kmc_module::CentreModule;
use prepay_kmp::attribute::{CurrencyLimit, SubClassSet, UnitLimit, VendingKeyType};
use prepay_token::element::{
    BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber, SupplyGroupCode,
};
use prepay_token::key::{DerivationError, VendingKey};
use zeroize::Zeroizing;

use super::group::type_name;
use super::place::{Needs, PlaceFlags, moment};
use super::refusal;
use super::store::Store;
use crate::failure::{Done, Failure};
use crate::out::{Out, Record};
use crate::people::SureFlags;

/// Commands for vending keys.
#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// List all vending keys.
    List {
        /// Of this group only.
        #[arg(long)]
        group: Option<SupplyGroupCode>,
    },
    /// Show a vending key with all its attributes.
    Show(OneKey),
    /// Make a vending key by hand, without a form. Two custodians.
    Generate(NewKeyFlags),
    /// Make the next revision, with the attributes of the newest unless you give others. Two custodians.
    Roll(RollFlags),
    /// Change until when a key may be loaded, how long each load lasts, and its limits. Two custodians.
    Refresh(RefreshFlags),
    /// Revoke a key: it goes into no more key-load files. This cannot be undone.
    Revoke {
        #[command(flatten)]
        key: OneKey,
        #[command(flatten)]
        sure: SureFlags,
    },
    /// Retire a revoked key: after 24 hours it is wiped from the centre's module, and its revision is free. Two custodians.
    ///
    /// The next command of two custodians after that time wipes it, or prepay kmc finish. Until then prepay kmc key unretire
    /// takes it back.
    Retire {
        #[command(flatten)]
        key: OneKey,
        #[command(flatten)]
        sure: SureFlags,
    },
    /// Take back that a key is retired, within 24 hours. It stays revoked. Two custodians.
    Unretire(OneKey),
}

/// One vending key.
#[derive(Args)]
pub(super) struct OneKey {
    /// The supply group, six digits.
    #[arg(long)]
    group: SupplyGroupCode,
    /// The revision, 1 to 9.
    #[arg(long)]
    krn: KeyRevisionNumber,
}

/// A vending key to make.
#[derive(Args)]
pub(super) struct NewKeyFlags {
    /// The supply group, six digits.
    #[arg(long)]
    group: SupplyGroupCode,
    /// The revision, 1 to 9 [default: the next one].
    #[arg(long)]
    krn: Option<KeyRevisionNumber>,
    /// How decoder keys are derived: 02, 03 or 04.
    #[arg(long)]
    dkga: DecoderKeyGenerationAlgorithm,
    /// The key expiry number, 0 to 255; 255 means never.
    #[arg(long, default_value = "255")]
    ken: KeyExpiryNumber,
    /// The base date: 1993, 2014 or 2035.
    #[arg(long, value_name = "YEAR", value_parser = base_date)]
    base_date: BaseDate,
    /// From when modules may issue with it, such as 2026-03-01T13:55:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    active_from: Moment,
    /// From then on it goes into no key-load file.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Moment,
    /// How many days a module may issue after each load.
    #[arg(long, value_name = "DAYS")]
    refresh_days: u16,
    /// Whole units per load, or - for no limit.
    #[arg(long, value_name = "UNITS", default_value = "-")]
    unit_limit: UnitLimit,
    /// Whole units of the base currency per load, or - for no limit.
    #[arg(long, value_name = "AMOUNT", default_value = "-")]
    currency_limit: CurrencyLimit,
    /// The sub-classes of class 0 that it may issue, such as 045, or - for none [default: all; none in a
    /// default group].
    #[arg(long, value_name = "DIGITS")]
    sub_classes: Option<SubClassSet>,
}

/// The next revision.
#[derive(Args)]
pub(super) struct RollFlags {
    /// The supply group, six digits.
    #[arg(long)]
    group: SupplyGroupCode,
    /// A new algorithm: 02, 03 or 04.
    #[arg(long)]
    dkga: Option<DecoderKeyGenerationAlgorithm>,
    /// A new key expiry number.
    #[arg(long)]
    ken: Option<KeyExpiryNumber>,
    /// A new base date: meters forget their token identifiers when they change to the new key.
    #[arg(long, value_name = "YEAR", value_parser = base_date)]
    base_date: Option<BaseDate>,
    /// From when modules may issue with it.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    active_from: Moment,
    #[command(flatten)]
    terms: TermFlags,
}

/// A key to refresh.
#[derive(Args)]
pub(super) struct RefreshFlags {
    #[command(flatten)]
    key: OneKey,
    #[command(flatten)]
    terms: TermFlags,
}

/// The terms of a key, which can be changed.
#[derive(Args)]
struct TermFlags {
    /// From then on it goes into no key-load file.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    expires: Option<Moment>,
    /// How many days a module may issue after each load.
    #[arg(long, value_name = "DAYS")]
    refresh_days: Option<u16>,
    /// Whole units per load, or - for no limit.
    #[arg(long, value_name = "UNITS")]
    unit_limit: Option<UnitLimit>,
    /// Whole units of the base currency per load, or - for no limit.
    #[arg(long, value_name = "AMOUNT")]
    currency_limit: Option<CurrencyLimit>,
}

/// A key that others know.
#[derive(Args)]
pub(super) struct ImportFlags {
    /// The file with the key in hexadecimal, on one line.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    from: PathBuf,
    #[command(flatten)]
    key: NewKeyFlags,
}

fn base_date(text: &str) -> Result<BaseDate, String> {
    let year = text.parse::<u16>().ok().and_then(|year| BaseDate::try_from(year).ok());
    year.ok_or_else(|| format!("expected 1993, 2014 or 2035, found {text:?}"))
}

impl TermFlags {
    fn on(&self, terms: KeyTerms) -> KeyTerms {
        KeyTerms {
            expires: self.expires.unwrap_or(terms.expires),
            refresh_days: self.refresh_days.unwrap_or(terms.refresh_days),
            unit_limit: self.unit_limit.unwrap_or(terms.unit_limit),
            currency_limit: self.currency_limit.unwrap_or(terms.currency_limit),
        }
    }
}

impl NewKeyFlags {
    fn new_key(&self) -> NewKey {
        NewKey {
            group: self.group,
            revision: self.krn,
            algorithm: self.dkga,
            expiry: self.ken,
            base_date: self.base_date,
            activation: self.active_from,
            terms: KeyTerms {
                expires: self.expires,
                refresh_days: self.refresh_days,
                unit_limit: self.unit_limit,
                currency_limit: self.currency_limit,
            },
            sub_classes: self.sub_classes,
        }
    }
}

/// Runs one command.
pub(super) fn run(place: &PlaceFlags, command: &KeyCommand, out: &Out) -> Done<()> {
    let failed = |error| refusal::command(&error);
    match command {
        KeyCommand::List { group } => place.work(out, Needs::Reader, |centre, _| {
            let rows = centre
                .rows(group.map_or(Filter::all(), VendingKeyRecord::of_group))
                .map_err(failed)?;
            out.table("vending keys", &rows.iter().map(short).collect::<Vec<_>>())
        }),
        KeyCommand::Show(key) => {
            place.work(out, Needs::Reader, |centre, _| out.record(&full(&key.find(centre)?)))
        }
        KeyCommand::Generate(flags) => place.work(out, Needs::Custodians, |centre, _| {
            let row = centre.request_key(&flags.new_key()).map_err(failed)?;
            remark(&row, out);
            out.done_with(format_args!("made the vending key of {}", row.id), &full(&row))
        }),
        KeyCommand::Roll(flags) => place.work(out, Needs::Custodians, |centre, _| {
            let row = centre.request_key(&flags.new_key(centre)?).map_err(failed)?;
            remark(&row, out);
            out.done_with(format_args!("made the vending key of {}", row.id), &full(&row))
        }),
        KeyCommand::Refresh(flags) => place.work(out, Needs::Custodians, |centre, _| {
            let row = flags.key.find(centre)?;
            let row = centre.refresh_key(row.id, flags.terms.on(row.terms())).map_err(failed)?;
            out.done_with(format_args!("refreshed the vending key of {}", row.id), &full(&row))
        }),
        KeyCommand::Revoke { key, sure } => {
            sure.ask(format_args!("{key} goes into no more key-load files, for ever"))?;
            place.work(out, Needs::Operator, |centre, _| {
                let id = key.find(centre)?.id;
                centre.revoke_key(id).map_err(failed)?;
                let row = centre.row::<VendingKeyRecord>(&id).map_err(failed)?.row;
                out.done(format_args!("revoked the vending key of {id}"), &full(&row))
            })
        }
        KeyCommand::Retire { key, sure } => {
            sure.ask(format_args!(
                "{key} is wiped from the centre's module in 24 hours, and only a back-up brings it back then"
            ))?;
            place.work(out, Needs::Custodians, |centre, _| {
                let row = centre.retire_key(key.find(centre)?.id).map_err(failed)?;
                let id = row.id;
                match (row.state, row.ended) {
                    (KeyState::Retiring, Some(at)) => {
                        out.done(
                            format_args!("the vending key of {id} is retired at {at}"),
                            &full(&row),
                        )?;
                        out.remark(
                            "until then two custodians can take it back: prepay kmc key unretire",
                        );
                        Ok(())
                    }
                    _ => out.done(format_args!("retired the vending key of {id}"), &full(&row)),
                }
            })
        }
        KeyCommand::Unretire(key) => place.work(out, Needs::Custodians, |centre, _| {
            let row = centre.unretire_key(key.find(centre)?.id).map_err(failed)?;
            out.done(
                format_args!("the vending key of {} is not retired, only revoked", row.id),
                &full(&row),
            )
        }),
    }
}

/// Warns of a key that modules with the default policy will refuse.
pub(super) fn remark(key: &VendingKeyRecord, out: &Out) {
    if (key.key_type, key.algorithm)
        == (VendingKeyType::COMMON, DecoderKeyGenerationAlgorithm::Dkga04)
    {
        let reason = DerivationError::CommonKeyRuleUnknown;
        out.remark(format_args!("{}: modules will refuse to issue under it: {reason}", key.id));
    }
}

impl fmt::Display for OneKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the vending key of group {} revision {}", self.group, self.krn)
    }
}

impl OneKey {
    fn find(&self, centre: &Centre<'_, Store>) -> Done<VendingKeyRecord> {
        let found = centre.vending_key_of(self.group, self.krn);
        Ok(found.map_err(|error| refusal::command(&error))?.row)
    }
}

impl RollFlags {
    fn new_key(&self, centre: &Centre<'_, Store>) -> Done<NewKey> {
        let newest = centre.newest_key(self.group).map_err(|error| refusal::command(&error))?;
        let newest = newest.ok_or_else(|| {
            let message =
                format!("group {}: expected an existing key to roll, found none", self.group);
            Failure::refused("not_there", message)
                .next("make its first key: prepay kmc key generate")
        })?;
        Ok(NewKey {
            group: self.group,
            revision: None,
            algorithm: self.dkga.unwrap_or(newest.algorithm),
            expiry: self.ken.unwrap_or(newest.expiry),
            base_date: self.base_date.unwrap_or(newest.base_date),
            activation: self.active_from,
            terms: self.terms.on(newest.terms()),
            sub_classes: Some(newest.sub_classes),
        })
    }
}

/// Imports a key that others know: first into the module, then as a row with the check value of the key in the module.
pub(super) fn import(place: &PlaceFlags, flags: &ImportFlags, out: &Out) -> Done<()> {
    let key = flags.read()?;
    place.work(out, Needs::Custodians, |centre, module: &dyn CentreModule| {
        let mut new = flags.key.new_key();
        let one = KeyRevisionNumber::try_from(1).expect("1 is a revision");
        let krn = match (new.revision, centre.newest_key(new.group)) {
            (Some(krn), _) => krn,
            (None, newest) => newest
                .map_err(|error| refusal::command(&error))?
                .map_or(one, |newest| newest.id.revision.next()),
        };
        new.revision = Some(krn);
        centre.row::<SupplyGroup>(&new.group).map_err(|error| refusal::command(&error))?;
        module.import_test_key(new.group, krn, &key).map_err(refusal::module)?;
        let row = centre.request_key(&new).map_err(|error| refusal::command(&error))?;
        out.done_with(format_args!("imported the TEST vending key of {}", row.id), &full(&row))
    })
}

impl ImportFlags {
    fn read(&self) -> Done<VendingKey> {
        let text = Zeroizing::new(crate::file::read(&self.from)?);
        let bad = |problem: String| {
            Failure::refused("test_key", format!("{}: {problem}", self.from.display()))
                .next("put one TEST key in hexadecimal on the only line of the file")
        };
        let digits = text.trim_end();
        let bytes = base16ct::mixed::decode_vec(digits).map(Zeroizing::new);
        let bytes = bytes.map_err(|_| bad("expected hexadecimal digits".to_owned()))?;
        VendingKey::new(self.key.dkga, &bytes).map_err(|error| bad(error.to_string()))
    }
}

fn short(row: &VendingKeyRecord) -> Record {
    Record::new()
        .text("group", row.id.group)
        .value("krn", row.id.revision.value())
        .text("state", row.state)
        .text("type", type_name(row.key_type))
        .text("dkga", row.algorithm)
        .value("base_date", row.base_date.year())
        .value("ken", row.expiry.value())
        .text("active_from", row.activation)
        .text("expires", row.expires)
        .option("check_value", row.check_value)
}

fn full(row: &VendingKeyRecord) -> Record {
    short(row)
        .value("refresh_days", row.refresh_days)
        .text("unit_limit", row.unit_limit)
        .text("currency_limit", row.currency_limit)
        .text("sub_classes", row.sub_classes)
        .text("asked", row.created)
        .option("ended", row.ended)
        .value("form", row.form.map(|form| form.value()))
}
