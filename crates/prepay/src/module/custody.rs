//! Commands of two custodians: centres, keys, the transaction counter.

use std::io::{self, IsTerminal};
use std::path::Path;

use prepay_kmp::attribute::RegisterNumber;
use prepay_kmp::{CentreId, Document, DocumentError};
use prepay_module::software::{Custodians, SlotState};
use prepay_session::{
    CentresAnswer, Custody, CustodyAnswer, EnrolmentText, KeysOfFile, SessionError, SlotRecord,
};

use super::flags::{LoadFlags, RequestFlags, RequestKind};
use super::issue::misplaced as other_answer;
use super::remote::Remote;
use super::{Invocation, Unlocked, done, fault};
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::file;
use crate::out::Record;
use crate::paint::{HEADING, QUIET, RESULT, styled};
use crate::people::{SureFlags, ask_line, confirm};
use crate::vault::Needs;

/// At which module two custodians have signed in: one that this process opened, or one behind its service.
enum Keepers {
    Module(Custodians, #[expect(dead_code, reason = "locks the module at the end")] Unlocked),
    Service(Remote),
}

impl Keepers {
    fn ask(&mut self, custody: &Custody<'_>) -> Done<CustodyAnswer> {
        match self {
            Self::Module(custodians, _) => {
                Ok(custody.carry_out(custodians).map_err(SessionError::from)?)
            }
            Self::Service(service) => service.ask_custody(custody),
        }
    }

    /// A service, which goes on. A module that this process opened is closed, so that nobody waits for its lock: it has to be
    /// opened again, and refuses what is not as it was shown.
    fn while_people_think(self) -> Option<Self> {
        matches!(self, Self::Service(_)).then_some(self)
    }

    /// The centre named, or the only one.
    fn centre(&mut self, named: Option<&CentreId>) -> Done<CentreId> {
        if let Some(centre) = named {
            return Ok(centre.clone());
        }
        let CentresAnswer { slots, .. } = match self {
            Self::Module(custodians, _) => {
                CentresAnswer::of(&custodians.reader()).map_err(fault)?
            }
            Self::Service(service) => service.ask_op("slots")?,
        };
        match slots.as_slice() {
            [slot] => slot.centre.parse().map_err(|_| other_answer()),
            [] => Err(Failure::refused("centre_unknown", "the module knows no centre")
                .next("load the enrolment of a centre first")),
            slots => {
                let message = format!("the module knows {} centres", slots.len());
                Err(Failure::unable("flag", message).next("name one: --centre ID"))
            }
        }
    }
}

impl Invocation<'_> {
    /// Opens the module, or connects to its service, and signs two custodians in.
    fn keepers(&self) -> Done<Keepers> {
        if let Some(path) = self.socket()? {
            return Ok(Keepers::Service(self.service(path, Needs::Custodians)?));
        }
        let (module, custodians) = self.custodians()?;
        Ok(Keepers::Module(custodians, module))
    }

    /// Writes a text for a centre.
    pub(super) fn request(&self, flags: &RequestFlags) -> Done<Ending> {
        let to = flags.to.begin()?;
        if flags.kind == RequestKind::Enrolment {
            let EnrolmentText { request, module, fingerprint, text } = match self.socket()? {
                Some(path) => self.service(path, Needs::Reader)?.ask_op("request_enrolment")?,
                None => {
                    let (_module, reader) = self.reader()?;
                    EnrolmentText::of(&reader).map_err(fault)?
                }
            };
            if to.is_standard() {
                self.out.remark(format_args!("fingerprint of {module}: {fingerprint}"));
            }
            let record = Record::new()
                .text("request", request)
                .text("module", &module)
                .text("fingerprint", fingerprint);
            let sentence = format!("wrote the enrolment of module {module}");
            return done(to.put(&self.out, &text, &sentence, record));
        }
        let mut keepers = self.keepers()?;
        let centre = keepers.centre(flags.centre.as_ref())?;
        let (asked, what) = match flags.kind {
            RequestKind::Agreement => (Custody::RequestAgreement(&centre), "agreement"),
            _ => (Custody::RequestKeyLoad(&centre), "key-load"),
        };
        let CustodyAnswer::Request(answer) = keepers.ask(&asked)? else {
            return Err(other_answer());
        };
        let record = Record::new()
            .text("request", what)
            .text("module", answer.module)
            .text("centre", &centre);
        let sentence = format!("wrote the {what} request for centre {centre}");
        done(to.put(&self.out, &answer.text, &sentence, record))
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
            Ok(Document::CentreEnrolment(_)) => self.load_enrolment(&text, flags),
            Ok(Document::AgreementConfirmation(_)) => {
                let load = Custody::Load { document: &text, fingerprint: None, shown: None };
                let answer = self.keepers()?.ask(&load)?;
                self.slot(answer, "next: prepay module request key-load")
            }
            Ok(Document::KeyLoad(_)) => self.load_keys(&text, flags.yes),
            Ok(other) => Err(misplaced(path, &other)),
            Err(error) => Err(unreadable(path, &error)),
        }
    }

    /// Loads a centre's enrolment, or confirms its fingerprint once people have compared it.
    fn load_enrolment(&self, document: &str, flags: &LoadFlags) -> Done<Ending> {
        self.flags.vault.secrets.ask_once(io::stdin().is_terminal());
        let mut keepers = self.keepers()?;
        let mut load =
            |fingerprint| keepers.ask(&Custody::Load { document, fingerprint, shown: None });
        let next = "next: prepay module request agreement";
        if let Some(told) = &flags.fingerprint {
            return self.slot(load(Some(told))?, next);
        }
        let answer = load(None)?;
        let CustodyAnswer::Slot(slot) = &answer else { return Err(other_answer()) };
        if slot.state == SlotState::Loading.to_string() && io::stdin().is_terminal() {
            self.out
                .remark(format_args!("centre {}: fingerprint {}", slot.centre, slot.fingerprint));
            let question =
                "did the centre's custodians read out the same, by phone or in person? type yes: ";
            let keepers = keepers.while_people_think();
            if ask_line(question)? == "yes" {
                let told = Some(slot.fingerprint.as_str());
                let load = Custody::Load { document, fingerprint: told, shown: None };
                let answer = keepers.map_or_else(|| self.keepers(), Ok)?.ask(&load)?;
                return self.slot(answer, next);
            }
        }
        let next = "next: let the centre's custodians read out the fingerprint by phone or in person, \
                    then load again with --fingerprint";
        self.slot(answer, next)
    }

    /// Shows what a key-load file would change, asks, and loads it.
    fn load_keys(&self, document: &str, yes: bool) -> Done<Ending> {
        let secrets = &self.flags.vault.secrets;
        secrets.ask_once(true);
        let mut keepers = self.keepers()?;
        let CustodyAnswer::Keys(planned) = keepers.ask(&Custody::Preview { document })? else {
            return Err(other_answer());
        };
        let keepers = if yes { Some(keepers) } else { keepers.while_people_think() };
        self.show_changes(&planned);
        let next = "compare what changes with what the centre announced, then give --yes";
        confirm(yes, "load these keys?", "nothing was loaded", next)?;
        let mut keepers = keepers.map_or_else(|| self.keepers(), Ok)?;
        secrets.ask_once(false);
        secrets.forget();
        let load = Custody::Load { document, fingerprint: None, shown: Some(&planned) };
        let CustodyAnswer::Keys(loaded) = keepers.ask(&load)? else {
            return Err(other_answer());
        };
        self.answer(&loaded, |out| {
            writeln!(out, "key-load file {} of centre {}", loaded.serial, loaded.centre)?;
            for key in &loaded.keys {
                let how = if key.renewed { "renewed" } else { "loaded" };
                let register = styled(RESULT, key.register);
                let (group, revision, kcv) = (&key.sgc, key.krn, &key.kcv);
                writeln!(
                    out,
                    "  register {register}  group {group} revision {revision}  {kcv}  {how}"
                )?;
            }
            if let Some(added) = loaded.transactions_added {
                writeln!(out, "  {added} transactions added")?;
            }
            Ok(())
        })
    }

    /// Shows every attribute of every key of a file, before and after.
    fn show_changes(&self, planned: &KeysOfFile) {
        for key in &planned.keys {
            let how = if key.renewed { "renewed" } else { "new" };
            self.out.remark(format_args!(
                "register {}: group {} revision {} {}, {how}",
                key.register, key.sgc, key.krn, key.kcv
            ));
            let mut same = Vec::new();
            for change in &key.attributes {
                let (tag, after) = (&change.attribute, &change.after);
                match &change.before {
                    Some(before) if before != after || matches!(&**tag, "IUT" | "ULM" | "CLM") => {
                        self.out.remark(format_args!("  {tag}: {before} → {after}"));
                    }
                    _ => same.push(format!("{tag} {after}")),
                }
            }
            let begins = if key.renewed { "unchanged: " } else { "" };
            self.out.remark(format_args!("  {begins}{}", same.join(", ")));
        }
        if let Some(added) = planned.transactions_added {
            self.out.remark(format_args!("transactions that the module may issue: {added} more"));
        }
    }

    /// Prints the new state of a slot.
    fn slot(&self, answer: CustodyAnswer, next: &str) -> Done<Ending> {
        let CustodyAnswer::Slot(slot) = answer else { return Err(other_answer()) };
        self.answer(&slot, |out| {
            let SlotRecord { loaded, slot, centre, state, fingerprint, .. } = &slot;
            let what = loaded.as_deref().unwrap_or_default();
            writeln!(out, "centre {centre}: {what}; slot {slot} is {}", styled(HEADING, state))?;
            writeln!(out, "  fingerprint {fingerprint}")?;
            writeln!(out, "{}", styled(QUIET, next))
        })
    }

    /// Deletes the key of a register.
    pub(super) fn delete(&self, register: RegisterNumber, sure: SureFlags) -> Done<Ending> {
        sure.ask(format_args!(
            "the module loses the key of register {register}, and no request under it can be repeated"
        ))?;
        let CustodyAnswer::Deleted { sgc, krn, kcv, .. } =
            self.keepers()?.ask(&Custody::DeleteKey(register))?
        else {
            return Err(other_answer());
        };
        let record = Record::new()
            .value("deleted", register.value())
            .text("sgc", &sgc)
            .value("krn", krn)
            .text("kcv", &kcv);
        let sentence =
            format!("register {register}: key {kcv} of group {sgc} revision {krn} deleted");
        done(self.out.done(sentence, &record))
    }

    /// Revokes a centre.
    pub(super) fn revoke(&self, centre: &CentreId, sure: SureFlags) -> Done<Ending> {
        sure.ask(format_args!(
            "the module loses its agreement with centre {centre}, and never accepts the centre's present keys again"
        ))?;
        self.keepers()?.ask(&Custody::RevokeCentre(centre))?;
        let sentence = format!(
            "centre {centre} is revoked: the module accepts nothing more under its current keys"
        );
        self.out.done(sentence, &Record::new().text("revoked", centre))?;
        self.out.remark("its vending keys stay until they must be loaded again or are deleted");
        Ok(Ending::Done)
    }

    /// Lets the module issue more tokens.
    pub(super) fn refill(&self, added: u64) -> Done<Ending> {
        let CustodyAnswer::Refilled { transactions_left: left, .. } =
            self.keepers()?.ask(&Custody::Refill(added))?
        else {
            return Err(other_answer());
        };
        let record = Record::new().value("added", added).value("transactions_left", left);
        done(self.out.done(format_args!("{left} more tokens may be issued"), &record))
    }
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
