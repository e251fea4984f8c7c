//! The requests of a vending system to a security module, as lines of JSON, and the answers.
//!
//! ```text
//!  line ── RequestLine ──> Request ── SecurityModule ──> Answer ──> line
//! ```
//!
//! A line is read once, into a typed [`Request`]. The module answers with its own types, which [`Answer`] writes.
//! The flags of `prepay module issue` and `verify` become the same requests, without a line.
//!
//! ```
//! use prepay_session::{Line, Request};
//!
//! let line = Line::read(br#"{"id":7,"op":"clock"}"#);
//! assert_eq!(line.request, Ok(Request::Clock));
//!
//! let line = Line::read(br#"{"id":7,"op":"clock","register":1}"#);
//! assert_eq!(line.request.unwrap_err().code(), "unknown_field");
//! ```
//!
//! # Map
//!
//! - [`RequestLine`]: the shape of a line. [`Request`]: what it asks for, as typed values.
//! - [`Answer`]: the answer. [`SessionError`]: why there is none.
//! - [`answer_session`]: all lines of a stream. [`answer_one`]: one request.
//! - [`Custody`]: what two custodians ask, and [`CustodyAnswer`].
//! - [`Service`]: many streams at once, whose clients sign in. [`Client`]: the other end.
//! - Format: `docs/formats/module-session.md`.
//!
//! # What it never knows
//!
//! A key. Where the module is, or how it was unlocked. A socket: that of a service is a [`Wire`].

mod answer;
mod client;
mod custody;
mod error;
mod request;
mod service;
mod session;

pub use answer::{
    Answer, ClockAnswer, Identity, KeyChangeAnswer, RegisterRecord, SlotRecord, StatusAnswer,
    TokenAnswer, VerificationAnswer,
};
pub use client::{Client, ClientError, Refused};
pub use custody::{
    AttributeChange, CentresAnswer, Custody, CustodyAnswer, EnrolmentText, KeyOfFile, KeysOfFile,
    RequestText, RevokedCentre,
};
pub use error::SessionError;
pub use request::{Issue, Line, LineId, Operation, Request, RequestLine, TokenIssue, request_id};
pub use service::{
    AuditAnswer, BackupAnswer, ClockAccepted, EntryRecord, Limits, LogCheck, PageAnswer,
    PersonRecord, SegmentRecord, Service, ServiceAnswer, ServiceError, SignedIn, Wire, last_line,
};
pub use session::{SessionStop, answer_one, answer_session};
