//! The laboratory: STS tokens made, read and explained under raw **test** keys, one JSON object a line.
//!
//! This crate is a door. It turns the records of the `lab batch` format into the types of
//! [`prepay_token`], and their answers back; every rule of the standard lives there, not here.
//!
//! ```
//! let mut answers = Vec::new();
//! let request = br#"{"id":1,"op":"open","number":"0000 0000 0001 5099 7584"}"#;
//! let succeeded = prepay_lab::Lab::default().answer_line(request, &mut answers);
//! assert_eq!(succeeded, Some(true));
//! assert_eq!(
//!     String::from_utf8(answers).unwrap(),
//!     "{\"id\":1,\"class\":1,\"sub_class\":0,\
//!      \"token\":{\"type\":\"test\",\"control\":\"1\",\"mfr_code\":\"00\"},\"crc\":2640}\n"
//! );
//! ```
//!
//! # Map
//!
//! - [`Request`]: the shape of a line. [`Lab::answer`]: what it is answered with.
//! - [`Lab::answer_line`] and [`Lab::answer_stream`]: text in, text out, memory flat.
//! - [`ErrorCode`]: the stable codes.
//! - [`meter`]: virtual meters, driven by lines of JSON too.
//!
//! Production keys do not belong here: they are born in a key management centre and live in a security
//! module.

mod answer;
mod batch;
mod code;
mod decimal;
mod field;
mod hex;
mod key;
pub mod meter;
mod record;
mod run;
pub mod time;
mod token_record;

pub use answer::{Answer, Derived, Issued, KeyChanged, Opened};
pub use batch::{LONGEST_LINE, Summary};
pub use code::{ErrorCode, LabError};
pub use field::meter_pan;
pub use key::{KeyAttributes, ResolvedKey, show_test_key};
pub use record::{KeyRecord, KeySource, Request, Scalar, TokenRecord};
pub use run::Lab;
pub use token_record::{OpenedToken, Rounding, read as read_token};
