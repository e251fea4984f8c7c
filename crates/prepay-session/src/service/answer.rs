//! What a service answers beside what every session does.

use std::fmt;

use prepay_vault::{AuditReport, Entries, Record, Segment, UserReport};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use crate::custody::{CentresAnswer, CustodyAnswer, EnrolmentText};

/// What a service answers beside what every session does.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum ServiceAnswer {
    /// A person signed in.
    SignedIn(SignedIn),
    /// People signed out.
    SignedOut {
        /// Who.
        signed_out: Vec<String>,
    },
    /// Entries of the audit log.
    Page(PageAnswer),
    /// The audit log was verified.
    Audit(AuditAnswer),
    /// The audit log was rotated.
    Rotated(SegmentRecord),
    /// A back-up.
    Backup(BackupAnswer),
    /// The people of the module.
    People {
        /// All of them, in the order of their names.
        people: Vec<PersonRecord>,
    },
    /// A person was added or removed, or has a new passphrase.
    Person {
        /// Who.
        name: String,
    },
    /// The time of the clock was accepted.
    Clock(ClockAccepted),
    /// The centres that the module knows.
    Centres(CentresAnswer),
    /// A part of a text from a centre has arrived.
    Document {
        /// How many bytes there are by now.
        bytes: usize,
    },
    /// The module's enrolment.
    Enrolment(EnrolmentText),
    /// What two custodians are answered about centres, keys and the transaction counter.
    Custody(CustodyAnswer),
}

/// One of the people of a module.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PersonRecord {
    /// Who.
    pub name: String,
    /// In which role.
    pub role: String,
    /// How many sign-ins failed since the last that did not.
    pub failures: u32,
    /// Until when the next sign-in has to wait, after failures.
    pub waits_until: Option<String>,
}

impl From<&UserReport> for PersonRecord {
    fn from(user: &UserReport) -> Self {
        Self {
            name: user.name.to_string(),
            role: user.role.to_string(),
            failures: user.failures,
            waits_until: (user.failures > 0).then(|| user.wait_until.to_string()),
        }
    }
}

/// The time of the clock was accepted.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ClockAccepted {
    /// The time now.
    pub time: String,
    /// The latest time seen before; nothing if the clock was not behind, so that there was nothing to accept.
    pub latest: Option<String>,
}

/// A person who signed in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SignedIn {
    /// The module.
    pub module: String,
    /// Who.
    pub name: String,
    /// In which role.
    pub role: String,
    /// Whether two custodians are now signed in on this connection.
    pub dual_control: bool,
}

/// Entries of the audit log.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct PageAnswer {
    /// The entries.
    pub entries: Vec<EntryRecord>,
    /// The number of the next entry to ask for; nothing if the log has no more.
    pub next: Option<u64>,
}

/// One entry of an audit log.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct EntryRecord {
    /// Its number.
    pub sequence: u64,
    /// When.
    pub time: String,
    /// What happened.
    pub kind: String,
    /// Who did it.
    pub by: Vec<String>,
    /// Everything else.
    #[serde(serialize_with = "as_map", deserialize_with = "of_map")]
    pub fields: Vec<(String, String)>,
    /// Its number and its hash, as `audit verify --noted` takes them.
    pub mark: String,
}

impl<E: Entries> From<&Record<E>> for EntryRecord {
    fn from(record: &Record<E>) -> Self {
        let fields = record.entry.fields().into_iter();
        Self {
            sequence: record.sequence,
            time: record.moment.to_string(),
            kind: record.entry.name().to_owned(),
            by: record.actors.iter().map(ToString::to_string).collect(),
            fields: fields.map(|(name, value)| (name.to_owned(), value)).collect(),
            mark: record.mark().to_string(),
        }
    }
}

/// An audit log whose every entry was verified.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct AuditAnswer {
    /// How many entries.
    pub entries: u64,
    /// Whether it was verified who wrote them.
    pub authenticated: bool,
    /// The last one, to note.
    pub last: String,
    /// The first and the last number of entries that were not verified, because they are not here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<(u64, u64)>,
    /// How many earlier entries are neither here nor named in `absent`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub before: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl From<&AuditReport> for AuditAnswer {
    fn from(report: &AuditReport) -> Self {
        let AuditReport { entries, authenticated, last, absent, .. } = report;
        let (entries, authenticated, absent) = (*entries, *authenticated, absent.clone());
        Self { entries, authenticated, last: last.to_string(), absent, before: report.before() }
    }
}

/// A closed segment of an audit log.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct SegmentRecord {
    /// The name of its file.
    pub segment: String,
    /// The number of its first entry.
    pub first: u64,
    /// The number of its last entry.
    pub last: u64,
    /// Its length in bytes.
    pub length: u64,
    /// The last entry, to note.
    pub mark: String,
}

impl From<&Segment> for SegmentRecord {
    fn from(segment: &Segment) -> Self {
        Self {
            segment: segment.name(),
            first: segment.first(),
            last: segment.last.sequence,
            length: segment.length,
            mark: segment.last.to_string(),
        }
    }
}

/// A back-up.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct BackupAnswer {
    /// The module.
    pub module: String,
    /// The file, in hexadecimal. It is sealed under the passphrases of both custodians.
    pub backup: String,
    /// Who made it.
    pub custodians: [String; 2],
}

/// Names and values in their order.
fn as_map<S: Serializer>(fields: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, value)| (name, value)))
}

fn of_map<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<(String, String)>, D::Error> {
    struct InOrder;

    impl<'de> Visitor<'de> for InOrder {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some(field) = map.next_entry()? {
                fields.push(field);
            }
            Ok(fields)
        }
    }

    value.deserialize_map(InOrder)
}
