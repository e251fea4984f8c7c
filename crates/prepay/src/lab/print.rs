//! Answers as a person reads them.

use std::io::{self, Write};

use prepay_lab::{Derived, Issued, KeyChanged, Opened};
use prepay_records::OpenedToken;
use prepay_records::time::Printed;
use prepay_token::element::UtcMinute;
use serde::Serialize;

use crate::paint::{HEADING, QUIET, RESULT, styled};

/// What can be printed as text, beside JSON.
pub(super) trait Text: Serialize {
    /// Writes it for people.
    fn write(&self, out: &mut dyn Write) -> io::Result<()>;
}

impl Text for Issued {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", styled(RESULT, format_args!("{:#}", self.number)))?;
        let mut remarks = vec![format!("class {}.{}", self.class, self.sub_class)];
        remarks.extend(self.tid.map(|tid| stamp(tid, self.issued_at)));
        remarks.extend(self.amount.as_ref().map(|amount| format!("amount coded {amount}")));
        remarks.extend(self.limit.map(|limit| format!("limit coded {limit}")));
        remarks.push(format!("CRC {:04X}", self.crc));
        writeln!(out, "{}", styled(QUIET, remarks.join(", ")))
    }
}

impl Text for Opened {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", styled(HEADING, self.token.kind))?;
        write_fields(out, &self.token)?;
        let mut remarks = vec![format!("class {}.{}", self.class, self.sub_class)];
        remarks.extend(self.tid.map(|tid| stamp(tid, self.issued_at)));
        remarks.extend(self.rnd.map(|rnd| format!("RND {rnd}")));
        remarks.push(format!("CRC {:04X}", self.crc));
        writeln!(out, "{}", styled(QUIET, remarks.join(", ")))
    }
}

impl Text for Derived {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{}", styled(RESULT, &self.decoder_key))
    }
}

impl Text for KeyChanged {
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for number in &self.numbers {
            writeln!(out, "{}", styled(RESULT, format_args!("{number:#}")))?;
        }
        writeln!(out, "{}", styled(QUIET, rollover(self.rollover)))
    }
}

/// Writes the fields of a token, one per line.
pub(crate) fn write_fields(out: &mut dyn Write, token: &OpenedToken) -> io::Result<()> {
    let fields = token.fields();
    let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    fields.iter().try_for_each(|(name, value)| writeln!(out, "  {name:width$}  {value}"))
}

/// What a key change does to the identifiers that the meter remembers.
pub(crate) const fn rollover(is_rollover: bool) -> &'static str {
    if is_rollover {
        "rollover: the meter forgets its token identifiers"
    } else {
        "no rollover: the base date stays"
    }
}

/// Prints a remark beside the answer.
pub(crate) fn remark(remark: &str) {
    tell!("{}", styled(QUIET, remark));
}

/// An identifier with its minute.
pub(crate) fn stamp(tid: u32, minute: Option<UtcMinute>) -> String {
    match minute {
        Some(minute) => format!("TID {tid} ({})", Printed(minute)),
        None => format!("TID {tid}"),
    }
}
