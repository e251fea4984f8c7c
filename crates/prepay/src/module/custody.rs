//! Commands of two custodians: centres, keys, the transaction counter.

use std::io::{self, IsTerminal};
use std::path::Path;

use prepay_kmp::attribute::RegisterNumber;
use prepay_kmp::{CentreEnrolment, CentreId, Document, DocumentError, Unverified, WrappedKeyLoad};
use prepay_module::software::{
    CustodianError, Custodians, LoadRefusal, LoadReport, LoadedRegister, RegisterChange,
    SlotReport, SlotState,
};
use prepay_session::SlotRecord;
use serde::Serialize;

use super::flags::{LoadFlags, RequestFlags, RequestKind};
use super::{Invocation, Unlocked, custodian_failure, done, fault};
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::file;
use crate::out::Record;
use crate::paint::{HEADING, QUIET, RESULT, styled};
use crate::people::{ask_line, confirm};

impl Invocation<'_> {
    /// Writes a text for a centre.
    pub(super) fn request(&self, flags: &RequestFlags) -> Done<Ending> {
        let to = flags.to.begin()?;
        let record = |what: &str, module: &Unlocked| {
            Record::new().text("request", what).text("module", module.module())
        };
        let (text, sentence, record) = match flags.kind {
            RequestKind::Enrolment => {
                let (module, reader) = self.reader()?;
                let identity = reader.identify().map_err(fault)?;
                if to.is_standard() {
                    self.out.remark(format_args!(
                        "fingerprint of {}: {}",
                        identity.module, identity.fingerprint
                    ));
                }
                let text = reader.enrolment().map_err(fault)?;
                let record = record("enrolment", &module).text("fingerprint", identity.fingerprint);
                (text, format!("wrote the enrolment of module {}", identity.module), record)
            }
            RequestKind::Agreement => {
                let (module, custodians) = self.custodians()?;
                let centre = centre_of(&custodians, flags.centre.as_ref())?;
                let text = custodians.request_agreement(&centre).map_err(|e| load_failure(&e))?;
                let record = record("agreement", &module).text("centre", &centre);
                (text, format!("wrote the agreement request for centre {centre}"), record)
            }
            RequestKind::KeyLoad => {
                let (module, custodians) = self.custodians()?;
                let centre = centre_of(&custodians, flags.centre.as_ref())?;
                let text = custodians.request_key_load(&centre).map_err(|e| load_failure(&e))?;
                let record = record("key-load", &module).text("centre", &centre);
                (text, format!("wrote the key-load request for centre {centre}"), record)
            }
        };
        done(to.put(&self.out, &text, &sentence, record))
    }

    /// Loads a text from a centre.
    pub(super) fn load(&self, flags: &LoadFlags) -> Done<Ending> {
        let path = &flags.file;
        let text = file::read(path)?;
        let document = prepay_kmp::read(text.as_bytes());
        if flags.fingerprint.is_some() && !matches!(document, Ok(Document::CentreEnrolment(_))) {
            let message = "only the enrolment of a centre has a fingerprint to compare";
            return Err(Failure::flag("--fingerprint", message));
        }
        match document {
            Ok(Document::CentreEnrolment(enrolment)) => self.load_enrolment(&enrolment, flags),
            Ok(Document::AgreementConfirmation(confirmation)) => {
                let (_module, custodians) = self.custodians()?;
                let slot = custodians.accept_confirmation(&confirmation);
                let slot = slot.map_err(|error| load_failure(&error))?;
                self.slot("agreement confirmed", &slot, "next: prepay module request key-load")
            }
            Ok(Document::KeyLoad(file)) => self.load_keys(&file, flags.yes),
            Ok(other) => Err(misplaced(path, &other)),
            Err(error) => Err(unreadable(path, &error)),
        }
    }

    /// Loads a centre's enrolment, or confirms its fingerprint once people have compared it.
    fn load_enrolment(&self, enrolment: &CentreEnrolment, flags: &LoadFlags) -> Done<Ending> {
        let (_module, custodians) = self.custodians()?;
        let slot = custodians.enrol_centre(enrolment).map_err(|error| load_failure(&error))?;
        let centre = slot.centre.centre.clone();
        let told = match &flags.fingerprint {
            Some(told) => Some(told.clone()),
            None if slot.state == SlotState::Loading && io::stdin().is_terminal() => {
                self.out.remark(format_args!(
                    "centre {centre}: fingerprint {}",
                    slot.centre.fingerprint
                ));
                let question = "did the centre's custodians read out the same, by phone or in person? type yes: ";
                (ask_line(question)? == "yes").then(|| slot.centre.fingerprint.clone())
            }
            None => None,
        };
        let Some(told) = told else {
            let next = "next: let the centre's custodians read out the fingerprint by phone or in person, \
                        then load again with --fingerprint";
            return self.slot("enrolment read, not trusted yet", &slot, next);
        };
        let slot =
            custodians.confirm_centre(&centre, &told).map_err(|error| load_failure(&error))?;
        self.slot("fingerprint confirmed", &slot, "next: prepay module request agreement")
    }

    /// Shows what a key-load file would change, asks, and loads it.
    fn load_keys(&self, file: &Unverified<WrappedKeyLoad>, yes: bool) -> Done<Ending> {
        let (_module, custodians) = self.custodians()?;
        let (planned, changes) =
            custodians.preview_keys(file).map_err(|error| load_failure(&error))?;
        self.show_changes(&planned, &changes);
        let next = "compare what changes with what the centre announced, then give --yes";
        confirm(yes, "load these keys?", "nothing was loaded", next)?;
        let report = custodians.load_keys(file).map_err(|error| load_failure(&error))?;
        let keys = report.keys.iter().map(|key| LoadedKey {
            register: key.register.value(),
            sgc: key.supply_group.to_string(),
            krn: key.key_revision.value(),
            kcv: key.check_value.to_string(),
            renewed: key.renewed,
            attributes: attributes_of(&changes, key.register),
        });
        let answer = LoadedKeys {
            loaded: "keys",
            centre: report.centre.as_str(),
            serial: report.serial,
            keys: keys.collect(),
            transactions_added: report.transactions_added,
        };
        self.answer(answer, |out| {
            writeln!(out, "key-load file {} of centre {}", report.serial, report.centre)?;
            for key in &report.keys {
                let how = if key.renewed { "renewed" } else { "loaded" };
                let register = styled(RESULT, key.register);
                let (group, revision) = (key.supply_group, key.key_revision);
                writeln!(
                    out,
                    "  register {register}  group {group} revision {revision}  {}  {how}",
                    key.check_value
                )?;
            }
            if let Some(added) = report.transactions_added {
                writeln!(out, "  {added} transactions added")?;
            }
            Ok(())
        })
    }

    /// Shows every attribute of every key of a file, before and after.
    fn show_changes(&self, planned: &LoadReport, changes: &[RegisterChange]) {
        for change in changes {
            let LoadedRegister { register, supply_group, key_revision, check_value, .. } =
                change.placed;
            let how = if change.before.is_some() { "renewed" } else { "new" };
            self.out.remark(format_args!(
                "register {register}: group {supply_group} revision {key_revision} {check_value}, {how}"
            ));
            let mut same = Vec::new();
            for (tag, before, after) in change.listed() {
                match before {
                    Some(before) if before != after || matches!(tag, "IUT" | "ULM" | "CLM") => {
                        self.out.remark(format_args!("  {tag}: {before} → {after}"));
                    }
                    _ => same.push(format!("{tag} {after}")),
                }
            }
            let begins = if change.before.is_some() { "unchanged: " } else { "" };
            self.out.remark(format_args!("  {begins}{}", same.join(", ")));
        }
        if let Some(added) = planned.transactions_added {
            self.out.remark(format_args!("transactions that the module may issue: {added} more"));
        }
    }

    /// Prints the new state of a slot.
    fn slot(&self, what: &str, slot: &SlotReport, next: &str) -> Done<Ending> {
        let answer = LoadedSlot { loaded: what, slot: slot.into() };
        self.answer(answer, |out| {
            let (centre, state) = (&slot.centre.centre, styled(HEADING, slot.state));
            writeln!(out, "centre {centre}: {what}; slot {} is {state}", slot.slot)?;
            writeln!(out, "  fingerprint {}", slot.centre.fingerprint)?;
            writeln!(out, "{}", styled(QUIET, next))
        })
    }

    /// Deletes the key of a register.
    pub(super) fn delete(&self, register: RegisterNumber) -> Done<Ending> {
        let (_module, custodians) = self.custodians()?;
        let gone = custodians.delete_key(register).map_err(|error| load_failure(&error))?;
        let (group, revision) = (gone.attributes.supply_group, gone.attributes.key_revision);
        let key = gone.check_value;
        let record = Record::new()
            .value("deleted", register.value())
            .text("sgc", group)
            .value("krn", revision.value())
            .text("kcv", key);
        let sentence =
            format!("register {register}: key {key} of group {group} revision {revision} deleted");
        done(self.out.done(sentence, &record))
    }

    /// Revokes a centre.
    pub(super) fn revoke(&self, centre: &CentreId) -> Done<Ending> {
        let (_module, custodians) = self.custodians()?;
        custodians.revoke_centre(centre).map_err(|error| load_failure(&error))?;
        let sentence = format!(
            "centre {centre} is revoked: the module accepts nothing more under its current keys"
        );
        self.out.done(sentence, &Record::new().text("revoked", centre))?;
        self.out.remark("its vending keys stay until they must be loaded again or are deleted");
        Ok(Ending::Done)
    }

    /// Lets the module issue more tokens.
    pub(super) fn refill(&self, added: u64) -> Done<Ending> {
        let (_module, custodians) = self.custodians()?;
        let left = custodians.refill(added).map_err(|error| load_failure(&error))?;
        let record = Record::new().value("added", added).value("transactions_left", left);
        done(self.out.done(format_args!("{left} more tokens may be issued"), &record))
    }
}

/// What a key-load file brought, as JSON.
#[derive(Serialize)]
struct LoadedKeys<'a> {
    loaded: &'static str,
    centre: &'a str,
    serial: u64,
    keys: Vec<LoadedKey>,
    transactions_added: Option<u64>,
}

/// A key that was loaded, as JSON.
#[derive(Serialize)]
struct LoadedKey {
    register: u16,
    sgc: String,
    krn: u8,
    kcv: String,
    renewed: bool,
    attributes: Vec<ChangedAttribute>,
}

/// An attribute of a key before and after loading, as JSON.
#[derive(Serialize)]
struct ChangedAttribute {
    attribute: &'static str,
    before: Option<String>,
    after: String,
}

/// What loading does to every attribute of the key of a register.
fn attributes_of(changes: &[RegisterChange], register: RegisterNumber) -> Vec<ChangedAttribute> {
    let of_register = changes.iter().filter(|change| change.placed.register == register);
    of_register
        .flat_map(RegisterChange::listed)
        .map(|(attribute, before, after)| ChangedAttribute { attribute, before, after })
        .collect()
}

/// The new state of a slot, as JSON.
#[derive(Serialize)]
struct LoadedSlot<'a> {
    loaded: &'a str,
    #[serde(flatten)]
    slot: SlotRecord,
}

/// The centre named, or the only one.
fn centre_of(custodians: &Custodians, named: Option<&CentreId>) -> Done<CentreId> {
    if let Some(centre) = named {
        return Ok(centre.clone());
    }
    let slots = custodians.reader().slots().map_err(fault)?;
    match slots.as_slice() {
        [slot] => Ok(slot.centre.centre.clone()),
        [] => Err(Failure::refused("centre_unknown", "the module knows no centre")
            .next("load the enrolment of a centre first")),
        slots => {
            let message = format!("the module knows {} centres", slots.len());
            Err(Failure::unable("flag", message).next("name one: --centre ID"))
        }
    }
}

/// Why a text was not loaded, or not written.
fn load_failure(error: &CustodianError) -> Failure {
    let failure = custodian_failure(error);
    let CustodianError::Refused(refusal) = error else { return failure };
    let next = match refusal {
        LoadRefusal::OtherModule { .. } | LoadRefusal::OtherSlot { .. } => {
            "check which module the file is for"
        }
        LoadRefusal::CentreUnknown { .. } => "load the enrolment of the centre first",
        LoadRefusal::CentreRevoked { .. }
        | LoadRefusal::KeyConflict { .. }
        | LoadRefusal::AttributeConflict { .. }
        | LoadRefusal::CentreOfKey { .. } => "call the centre; do not go on with this file",
        LoadRefusal::CentreConflict { .. } => {
            "call the centre; only if it renewed its keys, revoke the old ones: prepay module revoke, then load \
             its new enrolment"
        }
        LoadRefusal::CentreKey { .. } => {
            "set the clock, or call the centre: it must renew its keys"
        }
        LoadRefusal::Fingerprint { .. } => "call the centre; do not confirm what differs",
        LoadRefusal::SlotState { .. } => "see the slots, and do the step that is missing",
        LoadRefusal::NoAgreement { .. } => "request an agreement: prepay module request agreement",
        LoadRefusal::RequestUnknown { .. }
        | LoadRefusal::RequestUsed { .. }
        | LoadRefusal::RequestExpired { .. }
        | LoadRefusal::FileExpired { .. }
        | LoadRefusal::Serial { .. } => "request a new file: prepay module request key-load",
        LoadRefusal::SlotsFull { .. } => "revoke a centre that you no longer need",
        LoadRefusal::RegistersFull => "delete a key that you no longer need",
        LoadRefusal::Register { .. } => "see the registers: prepay module registers",
        LoadRefusal::Transactions { .. } | LoadRefusal::RegisterConflict { .. } => return failure,
        _ => "get the file again; if it is refused again, call the centre",
    };
    failure.next(next)
}

/// Why a module cannot load a document.
fn misplaced(path: &Path, document: &Document) -> Failure {
    let path = path.display();
    match document {
        Document::AgreementRequest(_) | Document::KeyLoadRequest(_) => {
            let message = format!("{path}: this is a module's request");
            Failure::refused("kind", message).next("take it to the centre, which answers it")
        }
        _ => {
            let message = format!(
                "{path}: expected the enrolment of a centre (PKE), a confirmation (KAC) or a key-load file \
                 (VKL), found another enrolment"
            );
            Failure::refused("kind", message).next("check which file it is")
        }
    }
}

/// Why a text is not a document.
fn unreadable(path: &Path, error: &DocumentError) -> Failure {
    let failure = Failure::refused(error.code(), format!("{}: {error}", path.display()));
    failure.next(match error {
        DocumentError::Edition1 => "ask the centre for a key-load file of the profile open-kmp",
        _ => "get the file again; if it is refused again, call the centre",
    })
}
