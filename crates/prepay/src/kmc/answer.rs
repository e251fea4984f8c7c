//! `prepay kmc answer`: answers the request of a module.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use prepay_kmc::centre::{LoadAnswer, LoadOptions};
use prepay_kmp::{AgreementRequest, Document, KeyLoadRequest, Unverified};
use prepay_token::element::SupplyGroupCode;

use super::place::{Needs, PlaceFlags};
use super::refusal;
use crate::failure::{Done, Failure};
use crate::file::{self, OutFlags, Output};
use crate::out::{Out, Record};

/// A request to answer.
#[derive(Args)]
pub(super) struct AnswerFlags {
    /// The request, written by `prepay module request agreement` or `prepay module request key-load`.
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// For a key-load request: only the keys of these groups.
    #[arg(long, value_name = "CODES", value_delimiter = ',')]
    group: Vec<SupplyGroupCode>,
    /// For a key-load request: how many more tokens the module may issue [default: leave its counter alone].
    #[arg(long, value_name = "NUMBER")]
    transactions: Option<u64>,
    #[command(flatten)]
    to: OutFlags,
}

/// Answers the request.
pub(super) fn run(place: &PlaceFlags, flags: &AnswerFlags, out: &Out) -> Done<()> {
    let request = file::read(&flags.file)?;
    let to = flags.to.begin()?;
    match prepay_kmp::read(request.as_bytes()) {
        Ok(Document::AgreementRequest(request)) => agreement(place, to, out, &request),
        Ok(Document::KeyLoadRequest(request)) => key_load(place, flags, to, out, &request),
        Ok(other) => {
            let message = format!(
                "{}: expected an agreement request (KAG) or a key-load request (VKR), found {:?}",
                flags.file.display(),
                other.tag()
            );
            Err(Failure::refused("kind", message)
                .next("enrolments are read with prepay kmc enrol module, forms with form receive"))
        }
        Err(error) => Err(refusal::document(&flags.file, error)),
    }
}

fn agreement(
    place: &PlaceFlags,
    to: Output<'_>,
    out: &Out,
    request: &Unverified<AgreementRequest>,
) -> Done<()> {
    place.work(out, Needs::Operator, |centre, _| {
        let answer = centre.answer_agreement(request).map_err(|error| refusal::command(&error))?;
        let record = Record::new().text("module", &answer.module).value("slot", answer.slot);
        let sentence = format!(
            "answered the agreement request of module {}, slot {}",
            answer.module, answer.slot
        );
        to.put(out, &answer.confirmation, &sentence, record)
    })
}

fn key_load(
    place: &PlaceFlags,
    flags: &AnswerFlags,
    to: Output<'_>,
    out: &Out,
    request: &Unverified<KeyLoadRequest>,
) -> Done<()> {
    let groups: BTreeSet<_> = flags.group.iter().copied().collect();
    let groups = (!groups.is_empty()).then_some(groups);
    let options = LoadOptions { groups, transactions: flags.transactions };
    place.work(out, Needs::Operator, |centre, _| {
        let answer = centre.answer_key_load(request, &options);
        let answer = answer.map_err(|error| refusal::command(&error))?;
        put_load(to, out, &answer, Record::new())
    })
}

/// Hands out a key-load file, and says what is in it and what is not.
pub(super) fn put_load(to: Output<'_>, out: &Out, answer: &LoadAnswer, record: Record) -> Done<()> {
    let load = &answer.load;
    let keys: Vec<String> =
        load.keys.iter().map(|key| format!("{} {}", key.key, key.check_value)).collect();
    let left_out: Vec<String> = load.left_out.iter().map(ToString::to_string).collect();
    let record = record
        .text("module", &load.module)
        .value("slot", load.slot)
        .value("serial", load.serial)
        .text("load_until", load.expires)
        .value("transactions", load.transactions)
        .value("keys", keys)
        .value("left_out", left_out)
        .value("is_repeated", answer.is_repeated);
    let again = if answer.is_repeated { "repeated" } else { "built" };
    let sentence = format!("{again} key-load file {} for module {}", load.serial, load.module);
    to.put(out, &load.file, &sentence, record)
}
