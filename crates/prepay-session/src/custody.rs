//! What two custodians ask of a module about centres, keys and the transaction counter, and what a reader gets for a
//! centre. The same for whoever has opened the module and for the clients of its service.
//!
//! Elsewhere: people, the clock and back-ups (`service`).

use prepay_kmp::attribute::RegisterNumber;
use prepay_kmp::{CentreId, Document, Unverified, WrappedKeyLoad};
use prepay_module::ModuleFault;
use prepay_module::software::{
    Auditor, CustodianError, Custodians, LoadRefusal, LoadReport, RegisterChange, SlotReport,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::answer::SlotRecord;
use crate::service::ServiceError;

/// What two custodians ask.
#[derive(Clone, Copy, Debug)]
pub enum Custody<'a> {
    /// To write a request to agree on keys with a centre.
    RequestAgreement(&'a CentreId),
    /// To write a request for a key-load file.
    RequestKeyLoad(&'a CentreId),
    /// To show what a key-load file would change, and change nothing.
    Preview {
        /// The file.
        document: &'a str,
    },
    /// To load a text from a centre.
    Load {
        /// The text.
        document: &'a str,
        /// The fingerprint of the centre, as its custodians read it out, for the enrolment of a centre.
        fingerprint: Option<&'a str>,
        /// For a key-load file: what it changes, as it was shown.
        shown: Option<&'a KeysOfFile>,
    },
    /// To delete the key of a register.
    DeleteKey(RegisterNumber),
    /// To revoke a centre.
    RevokeCentre(&'a CentreId),
    /// To let the module issue so many more tokens.
    Refill(u64),
}

/// What two custodians are answered.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(untagged)]
pub enum CustodyAnswer {
    /// The keys of a key-load file, which were loaded or would be.
    Keys(KeysOfFile),
    /// A slot that a text from a centre changed.
    Slot(SlotRecord),
    /// A text for a centre.
    Request(RequestText),
    /// The key of a register was deleted.
    Deleted {
        /// The register.
        deleted: u16,
        /// The supply group of the key.
        sgc: String,
        /// Its revision.
        krn: u8,
        /// Its check value.
        kcv: String,
    },
    /// A centre was revoked.
    Revoked {
        /// The centre.
        revoked: String,
    },
    /// The module may issue more tokens.
    Refilled {
        /// How many more.
        added: u64,
        /// How many now.
        transactions_left: u64,
    },
}

/// A text for a centre.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RequestText {
    /// What it is: `agreement` or `key-load`.
    pub request: String,
    /// The module.
    pub module: String,
    /// The centre.
    pub centre: String,
    /// The text.
    pub text: String,
}

/// The module's enrolment, for a centre.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EnrolmentText {
    /// `enrolment`.
    pub request: String,
    /// The module.
    pub module: String,
    /// The fingerprint of its public keys.
    pub fingerprint: String,
    /// The text.
    pub text: String,
}

impl EnrolmentText {
    /// The enrolment of the module that a reader reads.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if the module is locked or broken, or the reader is no longer signed in.
    pub fn of(reader: &Auditor) -> Result<Self, ModuleFault> {
        let identity = reader.identify()?;
        Ok(Self {
            request: "enrolment".to_owned(),
            module: identity.module.to_string(),
            fingerprint: identity.fingerprint,
            text: reader.enrolment()?,
        })
    }
}

/// The centres that a module knows.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CentresAnswer {
    /// Those in slots.
    pub slots: Vec<SlotRecord>,
    /// Those that were revoked.
    pub revoked: Vec<RevokedCentre>,
}

/// A centre under keys that a module no longer trusts.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct RevokedCentre {
    /// The centre.
    pub centre: String,
    /// `revoked`.
    pub state: String,
    /// The centre and its keys.
    pub party: String,
}

impl CentresAnswer {
    /// The centres of the module that a reader reads.
    ///
    /// # Errors
    ///
    /// [`ModuleFault`] if the module is locked or broken, or the reader is no longer signed in.
    pub fn of(reader: &Auditor) -> Result<Self, ModuleFault> {
        let revoked = reader.revoked_centres()?.into_iter().map(|name| RevokedCentre {
            centre: name.id().to_string(),
            state: "revoked".to_owned(),
            party: name.to_string(),
        });
        let slots = reader.slots()?.iter().map(SlotRecord::from).collect();
        Ok(Self { slots, revoked: revoked.collect() })
    }
}

/// The keys of a key-load file, each before and after loading.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct KeysOfFile {
    /// `keys` when they were loaded; nothing when it is shown what loading would change.
    pub loaded: Option<String>,
    /// The centre.
    pub centre: String,
    /// The serial number of the file.
    pub serial: u64,
    /// The keys, in the order of the file.
    pub keys: Vec<KeyOfFile>,
    /// How many more tokens the module may issue, if the file says so.
    pub transactions_added: Option<u64>,
}

/// A key of a key-load file.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct KeyOfFile {
    /// Its register.
    pub register: u16,
    /// Its supply group.
    pub sgc: String,
    /// Its revision.
    pub krn: u8,
    /// Its check value.
    pub kcv: String,
    /// Whether the module had the key already, which gets new attributes.
    pub renewed: bool,
    /// What loading does to each attribute.
    pub attributes: Vec<AttributeChange>,
}

/// An attribute of a key before and after loading.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub struct AttributeChange {
    /// Its tag.
    pub attribute: String,
    /// Its value before; nothing for a new key.
    pub before: Option<String>,
    /// Its value after.
    pub after: String,
}

impl KeysOfFile {
    fn new(report: &LoadReport, changes: &[RegisterChange]) -> Self {
        let keys = changes.iter().map(|change| KeyOfFile {
            register: change.placed.register.value(),
            sgc: change.placed.supply_group.to_string(),
            krn: change.placed.key_revision.value(),
            kcv: change.placed.check_value.to_string(),
            renewed: change.placed.renewed,
            attributes: change
                .listed()
                .map(|(tag, before, after)| AttributeChange {
                    attribute: tag.to_owned(),
                    before,
                    after,
                })
                .collect(),
        });
        Self {
            loaded: None,
            centre: report.centre.to_string(),
            serial: report.serial,
            keys: keys.collect(),
            transactions_added: report.transactions_added,
        }
    }
}

impl Custody<'_> {
    /// The name of the operation in a line.
    const fn op(&self) -> &'static str {
        match self {
            Self::RequestAgreement(_) => "request_agreement",
            Self::RequestKeyLoad(_) => "request_key_load",
            Self::Preview { .. } => "preview",
            Self::Load { .. } => "load",
            Self::DeleteKey(_) => "delete_key",
            Self::RevokeCentre(_) => "revoke_centre",
            Self::Refill(_) => "refill",
        }
    }

    /// The line of a client. A document goes before it, in lines of its own.
    pub fn fields(&self) -> Map<String, Value> {
        let (field, value) = match *self {
            Self::RequestAgreement(centre)
            | Self::RequestKeyLoad(centre)
            | Self::RevokeCentre(centre) => ("centre", Some(json!(centre.as_str()))),
            Self::Preview { .. } => ("", None),
            Self::Load { fingerprint, .. } => ("fingerprint", fingerprint.map(Value::from)),
            Self::DeleteKey(register) => ("register", Some(register.value().into())),
            Self::Refill(added) => ("transactions", Some(added.into())),
        };
        let op = ("op".to_owned(), self.op().into());
        [Some(op), value.map(|value| (field.to_owned(), value))].into_iter().flatten().collect()
    }

    /// The text that a client sends before it, if there is one. What was shown was sent before.
    pub const fn document(&self) -> Option<&str> {
        match *self {
            Self::Preview { document } | Self::Load { document, shown: None, .. } => Some(document),
            _ => None,
        }
    }

    /// Does what two custodians ask.
    ///
    /// # Errors
    ///
    /// [`ServiceError`].
    pub fn carry_out(&self, custodians: &Custodians) -> Result<CustodyAnswer, ServiceError> {
        let text = |request: &str, centre: &CentreId, text| {
            let module = custodians.reader().identify().map_err(ServiceError::Fault)?.module;
            Ok(CustodyAnswer::Request(RequestText {
                request: request.to_owned(),
                module: module.to_string(),
                centre: centre.to_string(),
                text,
            }))
        };
        match *self {
            Self::RequestAgreement(centre) => {
                text("agreement", centre, custodians.request_agreement(centre)?)
            }
            Self::RequestKeyLoad(centre) => {
                text("key-load", centre, custodians.request_key_load(centre)?)
            }
            Self::Preview { document } => match read(document)? {
                Document::KeyLoad(file) => Ok(CustodyAnswer::Keys(preview(custodians, &file)?)),
                _ => Err(ServiceError::Misplaced { expected: "a key-load file (VKL)" }),
            },
            Self::Load { document, fingerprint, shown } => {
                let document = read(document)?;
                if fingerprint.is_some() && !matches!(document, Document::CentreEnrolment(_)) {
                    let expected = "the enrolment of a centre (PKE) with a fingerprint to compare";
                    return Err(ServiceError::Misplaced { expected });
                }
                load(custodians, &document, fingerprint, shown)
            }
            Self::DeleteKey(register) => {
                let gone = custodians.delete_key(register)?;
                Ok(CustodyAnswer::Deleted {
                    deleted: register.value(),
                    sgc: gone.attributes.supply_group.to_string(),
                    krn: gone.attributes.key_revision.value(),
                    kcv: gone.check_value.to_string(),
                })
            }
            Self::RevokeCentre(centre) => {
                custodians.revoke_centre(centre)?;
                Ok(CustodyAnswer::Revoked { revoked: centre.to_string() })
            }
            Self::Refill(added) => {
                let transactions_left = custodians.refill(added)?;
                Ok(CustodyAnswer::Refilled { added, transactions_left })
            }
        }
    }
}

fn read(document: &str) -> Result<Document, ServiceError> {
    prepay_kmp::read(document.as_bytes()).map_err(ServiceError::Document)
}

/// What a key-load file changes.
fn preview(
    custodians: &Custodians,
    file: &Unverified<WrappedKeyLoad>,
) -> Result<KeysOfFile, ServiceError> {
    let (report, changes) = custodians.preview_keys(file)?;
    Ok(KeysOfFile::new(&report, &changes))
}

/// Loads a text from a centre.
fn load(
    custodians: &Custodians,
    document: &Document,
    fingerprint: Option<&str>,
    shown: Option<&KeysOfFile>,
) -> Result<CustodyAnswer, ServiceError> {
    let slot = |loaded: &str, slot: &SlotReport| {
        Ok(CustodyAnswer::Slot(SlotRecord { loaded: Some(loaded.to_owned()), ..slot.into() }))
    };
    match document {
        Document::CentreEnrolment(enrolment) => {
            let found = custodians.enrol_centre(enrolment)?;
            match fingerprint {
                None => slot("enrolment read, not trusted yet", &found),
                Some(told) => {
                    let found = custodians.confirm_centre(&found.centre.centre, told)?;
                    slot("fingerprint confirmed", &found)
                }
            }
        }
        Document::AgreementConfirmation(confirmation) => {
            slot("agreement confirmed", &custodians.accept_confirmation(confirmation)?)
        }
        Document::KeyLoad(file) => {
            let keys = preview(custodians, file)?;
            if shown != Some(&keys) {
                return Err(ServiceError::NotConfirmed);
            }
            custodians.load_keys(file)?;
            Ok(CustodyAnswer::Keys(KeysOfFile { loaded: Some("keys".to_owned()), ..keys }))
        }
        _ => {
            let expected =
                "the enrolment of a centre (PKE), a confirmation (KAC) or a key-load file (VKL)";
            Err(ServiceError::Misplaced { expected })
        }
    }
}

impl From<CustodianError> for ServiceError {
    fn from(error: CustodianError) -> Self {
        Self::Custodians(error)
    }
}

/// What custodians do next after a refusal; nothing if the table of codes says it.
pub(crate) const fn next(refusal: &LoadRefusal) -> Option<&'static str> {
    Some(match refusal {
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
        LoadRefusal::Transactions { .. } | LoadRefusal::RegisterConflict { .. } => return None,
        _ => "get the file again; if it is refused again, call the centre",
    })
}
