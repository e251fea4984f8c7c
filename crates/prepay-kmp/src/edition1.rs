//! Key-load files of edition 1: read and listed, and unwrapped for whoever holds the wrapping key.
//!
//! ```text
//!   9500…                                  one line about the module; kept as it is, its layout is not public
//!   9520 ff rr t p e pp wrapped(16) check(16) sent(8+6) active(8+6) k nnn gggggg [name(0..15)]
//!        |  |  | | | |                                              | |   supply group
//!        |  |  | | | parent register                                | key expiry number
//!        |  |  | | encryption method                                key revision number
//!        |  |  | key parity
//!        |  |  key type
//!        |  key register
//!        key function                      83 to 98 characters, without blanks between
//! ```
//!
//! - Source: record 9520 as one public client of legacy modules lays it out; that the records of a published
//!   example are of this layout is inferred. What nobody confirmed is listed in [`UNVERIFIED`], and every
//!   result carries that list. Do not load a real meter's key on the strength of it.
//! - Dates are read as UTC.
//! - Limits: 1 MiB, 1000 lines; at most [`MAX_FAULTS`] faults are listed.

use std::fmt;
use std::str::FromStr;

use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};
use prepay_token::element::{
    DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber, SupplyGroupCode,
};
use prepay_token::key::VendingKey;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use prepay_basics::Moment;

/// The greatest length of a file, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The most lines of a file.
pub const MAX_LINES: usize = 1000;
/// The most faults that are listed.
pub const MAX_FAULTS: usize = 100;

/// What this reading rests on and no second source confirms.
pub const UNVERIFIED: &[&str] = &[
    "the layout of record 9520, and that vending keys come in records of this type",
    "the layout of record 9500; a module id is found in it by its form only",
    "the meaning of key function, key type, key parity and encryption method",
    "dates and times are UTC",
    "the key is enciphered as one block with DES, or two-key TDES, under the parent key",
    "check digits are eight zero bytes enciphered with the key",
];

/// A key-load file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyLoadFile {
    /// The line about the module.
    pub header: ModuleHeader,
    /// The keys, in the order of the file.
    pub keys: Vec<KeyRecord>,
    /// What this reading rests on and no second source confirms: [`UNVERIFIED`].
    pub unverified: &'static [&'static str],
}

/// Record 9500: which module the file is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleHeader {
    /// The whole line.
    pub text: String,
    /// What looks like the module's id: `STS` and five more letters or digits.
    pub module_id: Option<String>,
}

/// Record 9520: one key, wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The line, from 1.
    pub line: usize,
    /// Key function, two letters or digits.
    pub key_function: String,
    /// The register that the key is for, 0 to 99.
    pub register: u8,
    /// Key type, a letter or digit.
    pub key_type: char,
    /// Key parity, a letter or digit.
    pub key_parity: char,
    /// Encryption method, a letter or digit.
    pub encryption_method: char,
    /// The register of the wrapping key, 0 to 99.
    pub parent_register: u8,
    /// The wrapped key.
    pub wrapped: [u8; 8],
    /// The check digits of the key.
    pub check_digits: [u8; 8],
    /// When the file was sent.
    pub sent: Moment,
    /// From when the key may be used.
    pub active: Moment,
    /// KRN.
    pub key_revision: KeyRevisionNumber,
    /// KEN.
    pub expiry: KeyExpiryNumber,
    /// SGC.
    pub supply_group: SupplyGroupCode,
    /// The name of the group, without the blanks behind it; empty when there is none.
    pub name: String,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// The first character of the field, from 1.
    pub column: usize,
    /// The field.
    pub field: &'static str,
    /// What was expected.
    pub expected: &'static str,
    /// What was found, shortened.
    pub found: String,
}

impl Fault {
    /// Every code of its own.
    pub const CODES: &'static [&'static str] = &["edition1_fault"];

    /// The stable name of the error, for programs.
    pub const fn code(&self) -> &'static str {
        "edition1_fault"
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, field, expected, found } = self;
        write!(f, "line {line}, column {column}, {field}: expected {expected}, found {found:?}")
    }
}

impl std::error::Error for Fault {}

/// Reads a file.
///
/// Lines end with a line feed, with or without a carriage return before it; empty lines at the end do not
/// count.
///
/// # Errors
///
/// Every fault of the file, in order, up to [`MAX_FAULTS`].
pub fn parse(file: &[u8]) -> Result<KeyLoadFile, Vec<Fault>> {
    let whole = |expected, found: String| {
        Err(vec![Fault { line: 1, column: 1, field: "file", expected, found }])
    };
    if file.len() > MAX_BYTES {
        return whole("at most 1 MiB", format!("{} bytes", file.len()));
    }
    let Ok(text) = std::str::from_utf8(file) else {
        return whole("ASCII text", "other bytes".to_owned());
    };
    let lines: Vec<&str> = text.trim_end_matches(['\r', '\n']).split('\n').collect();
    if lines.len() > MAX_LINES {
        return whole("at most 1000 lines", format!("{} lines", lines.len()));
    }
    let mut faults = Vec::new();
    let mut header = None;
    let mut keys = Vec::new();
    for (place, line) in lines.iter().enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        let mut fields = Fields { line: place + 1, text: line, at: 0, faults: &mut faults };
        if !line.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            fields.fault("line", "printable ASCII", line);
        } else if place == 0 {
            header = fields.header();
        } else if let Some(key) = fields.key() {
            keys.push(key);
        }
    }
    faults.truncate(MAX_FAULTS);
    match header {
        Some(header) if faults.is_empty() => {
            Ok(KeyLoadFile { header, keys, unverified: UNVERIFIED })
        }
        _ => Err(faults),
    }
}

/// Takes the fields of a line, and notes what is wrong with them.
struct Fields<'a> {
    line: usize,
    text: &'a str,
    at: usize,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Fields<'a> {
    fn fault(&mut self, field: &'static str, expected: &'static str, found: &str) {
        let found = found.chars().take(48).collect();
        self.faults.push(Fault { line: self.line, column: self.at + 1, field, expected, found });
    }

    fn header(&mut self) -> Option<ModuleHeader> {
        if !self.text.starts_with("9500") {
            let found = self.text.get(..4).unwrap_or(self.text);
            self.fault("record type", "9500 in the first line", found);
            return None;
        }
        let words = self.text.split(|sign: char| !sign.is_ascii_alphanumeric());
        let is_id = |text: &&str| text.len() == 8 && text.starts_with("STS");
        // The id may stand alone, or without blanks behind the record type and other fields.
        let inside = self.text.find("STS").and_then(|at| self.text.get(at..at + 8));
        let inside = inside.filter(|id| id.bytes().all(|sign| sign.is_ascii_alphanumeric()));
        let module_id = words.into_iter().find(is_id).or(inside).map(str::to_owned);
        Some(ModuleHeader { text: self.text.to_owned(), module_id })
    }

    fn key(&mut self) -> Option<KeyRecord> {
        if !(83..=98).contains(&self.text.len()) {
            let found = format!("{} characters", self.text.len());
            self.fault("record", "83 to 98 characters", &found);
            return None;
        }
        let before = self.faults.len();
        let record_type =
            self.take("record type", 4, "9520", |text| (text == "9520").then_some(()));
        let alphanumeric = |text: &str| {
            text.bytes().all(|sign| sign.is_ascii_alphanumeric()).then(|| text.to_owned())
        };
        let sign = |text: &str| text.chars().next().filter(char::is_ascii_alphanumeric);
        let key_function = self.take("key function", 2, "two letters or digits", alphanumeric);
        let register = self.take("key register", 2, "two digits", number);
        let key_type = self.take("key type", 1, "a letter or digit", sign);
        let key_parity = self.take("key parity", 1, "a letter or digit", sign);
        let method = self.take("encryption method", 1, "a letter or digit", sign);
        let parent_register = self.take("parent register", 2, "two digits", number);
        let wrapped = self.take("wrapped key", 16, "16 hexadecimal digits", hex);
        let check_digits = self.take("check digits", 16, "16 hexadecimal digits", hex);
        let sent = self.take("date and time sent", 14, "CCYYMMDDhhmmss", moment);
        let active = self.take("date and time active", 14, "CCYYMMDDhhmmss", moment);
        let key_revision = self.take("KRN", 1, "1 to 9", |text| text.parse().ok());
        let expiry =
            self.take("KEN", 3, "000 to 255", |text| number::<u8>(text).map(KeyExpiryNumber::from));
        let supply_group = self.take("SGC", 6, "six digits", |text| text.parse().ok());
        let name = self.text[self.at..].trim_end().to_owned();
        if self.faults.len() > before {
            return None;
        }
        record_type?;
        Some(KeyRecord {
            line: self.line,
            key_function: key_function?,
            register: register?,
            key_type: key_type?,
            key_parity: key_parity?,
            encryption_method: method?,
            parent_register: parent_register?,
            wrapped: wrapped?,
            check_digits: check_digits?,
            sent: sent?,
            active: active?,
            key_revision: key_revision?,
            expiry: expiry?,
            supply_group: supply_group?,
            name,
        })
    }

    /// The next field. The caller has checked that the line is ASCII and long enough.
    fn take<T>(
        &mut self,
        field: &'static str,
        width: usize,
        expected: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text: &'a str = &self.text[self.at..self.at + width];
        let value = read(text);
        if value.is_none() {
            self.fault(field, expected, text);
        }
        self.at += width;
        value
    }
}

/// Digits only: no sign, no blank.
fn number<T: FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn hex(text: &str) -> Option<[u8; 8]> {
    let digits = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|_| digits).map(u64::to_be_bytes)
}

fn moment(text: &str) -> Option<Moment> {
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let (year, month, day) = (part(0, 4), part(4, 6), part(6, 8));
    let (hour, minute, second) = (part(8, 10), part(10, 12), part(12, 14));
    format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z").parse().ok()
}

/// A key that wraps keys: DES, or two-key TDES.
pub struct ParentKey(Zeroizing<Vec<u8>>); // Invariant: 8 or 16 bytes.

impl ParentKey {
    /// A parent key of 8 or 16 bytes; nothing for another length.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        matches!(bytes.len(), 8 | 16).then(|| Self(Zeroizing::new(bytes.to_vec())))
    }
}

impl fmt::Debug for ParentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ParentKey(..)")
    }
}

/// A key that was unwrapped, as far as anybody can tell.
#[derive(Debug)]
pub struct Unwrapped {
    /// The key, for DKGA02: the only algorithm that edition 1 is known to serve.
    pub key: VendingKey,
    /// Whether the check digits are those of the key. When they differ, the parent key is another one or
    /// this reading is wrong; a warning, since the rule is not confirmed.
    pub check_digits_agree: bool,
    /// What this rests on and no second source confirms: [`UNVERIFIED`].
    pub unverified: &'static [&'static str],
}

impl KeyRecord {
    /// Unwraps the key with its parent key.
    pub fn unwrap_key(&self, parent: &ParentKey) -> Unwrapped {
        let mut bytes = Zeroizing::new(self.wrapped);
        let block = (&mut *bytes).into();
        match parent.0.len() {
            8 => cipher::<Des>(&parent.0).decrypt_block(block),
            _ => cipher::<TdesEde2>(&parent.0).decrypt_block(block),
        }
        let mut check = [0_u8; 8];
        cipher::<Des>(&bytes[..]).encrypt_block((&mut check).into());
        let key = VendingKey::new(DecoderKeyGenerationAlgorithm::Dkga02, &bytes[..])
            .expect("eight bytes are a key of DKGA02");
        let check_digits_agree = check.ct_eq(&self.check_digits).into();
        Unwrapped { key, check_digits_agree, unverified: UNVERIFIED }
    }
}

fn cipher<C: KeyInit>(key: &[u8]) -> C {
    C::new_from_slice(key).expect("the length of a key of this cipher")
}
