//! `prepay kmc form`: forms at the customer, without a centre. `form_at_centre.rs` has the commands of the centre.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueHint};
use prepay_basics::{Clock, Identifier, Moment};
use prepay_forms::Document;
use prepay_host::SystemClock;
use prepay_kmc::entity::FormNumber;
use prepay_kmc::form::{
    Addressee, Draft, Faults, FormKind, Presence, Schema, Signature, SignedForm, VALID_DAYS,
};
use prepay_kmp::CentreEnrolment;

use super::form_at_centre;
use super::form_file::read_form;
use super::place::PlaceFlags;
use super::{refusal, signatory};
use crate::failure::{Done, Failure};
use crate::file::{self, NewFile, OutFlags};
use crate::out::{Out, Record};

/// Commands for forms.
#[derive(Subcommand)]
pub(super) enum FormCommand {
    /// List all forms, or the fields of one.
    Kinds {
        /// The form.
        kind: Option<FormKind>,
    },
    /// Fill in a form. A form with faults is saved too, and the faults are listed.
    New(NewFlags),
    /// List all faults of a form.
    Check {
        /// The form.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Make a signatory: a key that signs forms, in a file sealed under a passphrase (the secret NAME).
    Signatory {
        /// The signatory's name.
        name: Identifier,
        /// The file to write.
        #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        out: PathBuf,
        /// Also write the public key to a file, for a centre that already knows the customer.
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        public: Option<PathBuf>,
    },
    /// Sign a form without faults for a centre. It can no longer change then.
    Sign(SignFlags),
    /// Write a printable page of a form, from a file or at the centre.
    Print {
        /// The form.
        #[arg(value_hint = ValueHint::FilePath, required_unless_present = "number")]
        file: Option<PathBuf>,
        /// The number of a form at the centre. The page then shows its history.
        #[arg(long, conflicts_with = "file")]
        number: Option<FormNumber>,
        #[command(flatten)]
        to: OutFlags,
    },
    /// Receive a signed form at the centre, which gives it a number.
    Receive {
        /// The form.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Accept a received form and do what it asks for.
    Accept(form_at_centre::AcceptFlags),
    /// Refuse a received form.
    Refuse {
        /// The number.
        number: FormNumber,
        /// The reason.
        #[arg(long, value_name = "TEXT")]
        reason: prepay_kmc::entity::Line,
    },
    /// List all forms at the centre.
    List,
    /// Show a form at the centre, with its history.
    Show {
        /// The number.
        number: FormNumber,
    },
}

/// A form to fill in.
#[derive(Args)]
pub(super) struct NewFlags {
    /// The kind of form: see `form kinds`.
    kind: FormKind,
    /// A field: --set organisation="Example Power". May be repeated.
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// A field whose value is the text of a file: --set-file request=FILE.
    #[arg(long, value_name = "FIELD=FILE")]
    set_file: Vec<String>,
    /// Start with the fields of this form, signed or not.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    from: Option<PathBuf>,
    #[command(flatten)]
    to: OutFlags,
}

/// A form to sign.
#[derive(Args)]
pub(super) struct SignFlags {
    /// The form.
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// The signatory's file.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    signatory: PathBuf,
    /// The enrolment of the centre that the form is for. Compare the fingerprint with what the centre reads out.
    #[arg(long, value_name = "ENROLMENT", value_hint = ValueHint::FilePath)]
    centre: PathBuf,
    /// For how many days the centre may accept it.
    #[arg(long, value_name = "DAYS", default_value_t = VALID_DAYS,
        value_parser = clap::value_parser!(u32).range(1..=3650))]
    valid_days: u32,
    #[command(flatten)]
    to: OutFlags,
}

/// Runs one command.
pub(super) fn run(place: &PlaceFlags, command: &FormCommand, out: &Out) -> Done<()> {
    match command {
        FormCommand::Kinds { kind } => kinds(*kind, out),
        FormCommand::New(flags) => new(flags, out),
        FormCommand::Check { file } => check(file, out),
        FormCommand::Signatory { name, out: path, public } => {
            let what = format!("new passphrase of signatory {name}");
            let secret = place.vault.secrets.fresh(name.as_str(), &what)?;
            // Whether both files can be made is known before either is.
            let public =
                public.as_deref().map(|public| NewFile::make(public, false)).transpose()?;
            let made = signatory::create(path, name.clone(), &secret)?;
            if let Some(public) = public {
                signatory::write_public(public, made.key())?;
            }
            let record = Record::new()
                .text("signatory", made.key().name())
                .text("fingerprint", made.key().fingerprint())
                .text("file", path.display());
            out.done_with(format_args!("made signatory {name}"), &record)
        }
        FormCommand::Sign(flags) => sign(place, flags, out),
        FormCommand::Print { file, number, to } => {
            let to = to.begin()?;
            let page = match (file, number) {
                (Some(file), _) => prepay_forms::page(&read_form(file)?, None),
                (None, Some(number)) => form_at_centre::page(place, *number, out)?,
                (None, None) => unreachable!("one of the two is required"),
            };
            to.put(out, &page, "wrote the page", Record::new())
        }
        FormCommand::Receive { file } => form_at_centre::receive(place, file, out),
        FormCommand::Accept(flags) => form_at_centre::accept(place, flags, out),
        FormCommand::Refuse { number, reason } => {
            form_at_centre::refuse(place, *number, reason, out)
        }
        FormCommand::List => form_at_centre::list(place, out),
        FormCommand::Show { number } => form_at_centre::show(place, *number, out),
    }
}

fn kinds(kind: Option<FormKind>, out: &Out) -> Done<()> {
    let Some(kind) = kind else {
        let rows = FormKind::ALL.iter().map(|kind| {
            let schema = Schema::of(*kind);
            Record::new().text("form", kind).text("title", schema.title)
        });
        return out.table("forms", &rows.collect::<Vec<_>>());
    };
    let schema = Schema::of(kind);
    out.remark(schema.purpose);
    let rows = schema.fields.iter().map(|field| {
        let otherwise = match field.presence {
            Presence::Required => "required".to_owned(),
            Presence::Optional(otherwise) => format!("if left out: {otherwise}"),
        };
        Record::new()
            .text("field", field.name)
            .text("presence", otherwise)
            .text("expected", field.expected)
            .text("help", field.help)
    });
    out.table("fields", &rows.collect::<Vec<_>>())
}

fn new(flags: &NewFlags, out: &Out) -> Done<()> {
    let to = flags.to.begin()?;
    let mut draft = Draft::new(flags.kind);
    if let Some(from) = &flags.from {
        let document = read_form(from)?;
        if document.draft().kind() != flags.kind {
            let found = document.draft().kind();
            let message =
                format!("{}: expected form {}, found {found}", from.display(), flags.kind);
            return Err(Failure::refused("form_kind", message).next("name the same form"));
        }
        draft = document.draft().clone();
    }
    let pair = |text: &str, flag: &str| -> Done<(String, String)> {
        let (name, value) = text.split_once('=').ok_or_else(|| {
            Failure::flag(flag, format_args!("expected FIELD=VALUE, found {text:?}"))
        })?;
        Ok((name.to_owned(), value.to_owned()))
    };
    let mut given = BTreeSet::new();
    let mut set = |flag: &str, name: String, value: &str| -> Done<()> {
        draft.set(&name, value).map_err(|error| refusal::unknown_field(&error))?;
        if given.contains(&name) {
            return Err(Failure::flag(flag, format_args!("expected field {name} once")));
        }
        given.insert(name);
        Ok(())
    };
    for text in &flags.set {
        let (name, value) = pair(text, "--set")?;
        set("--set", name, &value)?;
    }
    for text in &flags.set_file {
        let (name, path) = pair(text, "--set-file")?;
        set("--set-file", name, &file::read(Path::new(&path))?)?;
    }
    let faults: Vec<String> = draft.faults().iter().map(ToString::to_string).collect();
    for fault in &faults {
        out.remark(format_args!("please correct: {fault}"));
    }
    let record = Record::new().text("form", flags.kind).value("faults", faults);
    let text = prepay_forms::write(&Document::Draft(draft));
    to.put(out, &text, &format!("filled in the form {}", flags.kind), record)
}

fn check(path: &Path, out: &Out) -> Done<()> {
    let document = read_form(path)?;
    let faults = document.draft().faults();
    if !faults.is_empty() {
        return Err(refusal::faults(&Faults(faults)));
    }
    let kind = document.draft().kind();
    let record = Record::new().text("form", kind);
    match document.signed() {
        Some(form) => {
            let key = form.signature().key();
            let record = record
                .text("state", "signed")
                .text("signatory", key.name())
                .text("fingerprint", key.fingerprint());
            let record = addressed(record, form.signature());
            let sentence = "the form has no faults, and its signature is valid for the key in it";
            out.done_with(sentence, &record)
        }
        None => out.done_with("the form has no faults", &record.text("state", "draft")),
    }
}

fn sign(place: &PlaceFlags, flags: &SignFlags, out: &Out) -> Done<()> {
    let (path, now) = (&flags.file, now(place));
    let to = flags.to.begin()?;
    let Document::Draft(draft) = read_form(path)? else {
        let message = format!("{}: expected a draft, found a signed form", path.display());
        return Err(Failure::refused("form_state", message)
            .next("it is already signed: send it to the centre"));
    };
    let form = draft.check().map_err(|faults| refusal::faults(&faults))?;
    let addressee = addressee(&flags.centre, now.plus_days(flags.valid_days))?;
    let signatory = signatory::open(&flags.signatory, |name| {
        place.vault.secrets.known(name.as_str(), &format!("passphrase of signatory {name}"))
    })?;
    let signed = SignedForm::sign(form, &signatory, addressee, now);
    let signed =
        signed.map_err(|error| Failure::refused(error.code(), error).next("shorten the form"))?;
    let record = addressed(
        Record::new().text("form", signed.kind()).text("signatory", signatory.key().name()),
        signed.signature(),
    );
    let sentence = format!("signed the form {} as {}", signed.kind(), signatory.key().id());
    to.put(out, &prepay_forms::write(&Document::Signed(signed)), &sentence, record)
}

/// The centre that an enrolment is of.
fn addressee(path: &Path, expires: Moment) -> Done<Addressee> {
    let enrolment: CentreEnrolment = prepay_kmp::read_as(file::read(path)?.as_bytes())
        .map_err(|error| refusal::document(path, error))?;
    let fingerprint = enrolment.party.fingerprint().to_string();
    Ok(Addressee {
        centre: enrolment.party.id().clone().into(),
        fingerprint: fingerprint.parse().expect("a fingerprint is written in one way"),
        is_test: enrolment.is_test,
        expires,
    })
}

/// What is signed beside the fields.
fn addressed(record: Record, signature: &Signature) -> Record {
    let Addressee { centre, fingerprint, expires, .. } = signature.addressee();
    record
        .text("centre", centre)
        .text("centre_fingerprint", fingerprint)
        .text("purpose", signature.addressee().purpose())
        .text("signed", signature.signed())
        .text("expires", expires)
}

/// The time of signing, for which the signatory is responsible: there is no centre to ask.
fn now(place: &PlaceFlags) -> Moment {
    place.fixed_time.unwrap_or_else(|| SystemClock.now())
}
