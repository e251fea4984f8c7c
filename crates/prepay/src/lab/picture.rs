//! A trace as a person wants to look at it: digits, bits, blocks, and every field in its colour.

use std::fmt::Arguments;
use std::io::{self, Write};

use prepay_token::element::{BaseDate, EncryptionAlgorithm};
use prepay_token::{Field, Trace};

use crate::paint::{FIELDS, HEADING, QUIET, RESULT, styled};

use super::meaning::meaning;

/// Prints every step of a trace.
pub(crate) fn write_trace(
    out: &mut impl Write,
    trace: &Trace,
    cipher: Option<EncryptionAlgorithm>,
    base_date: Option<BaseDate>,
) -> io::Result<()> {
    let data = trace.data();
    let class = trace.class();
    row(out, "digits", format_args!("{}", styled(RESULT, format_args!("{data:#}"))))?;
    row(out, "66 bits", format_args!("{:X} {}", data.value() >> 64, words(data.value() as u64)))?;
    row(
        out,
        "class",
        format_args!(
            "{} {}: the class bits ({:02b}) take the place of bits 28 and 27; the two bits they replace ({:02b}) lead the number",
            class.number(),
            class.name(),
            class.number(),
            trace.moved_bits()
        ),
    )?;
    let sent = words(trace.sent_block());
    if class.is_enciphered() {
        let cipher = cipher.map_or_else(String::new, |algorithm| {
            format!("   EA{algorithm}, {}", algorithm.cipher_name())
        });
        row(out, "enciphered", format_args!("{sent}{cipher}"))?;
    }
    if let Some(clear) = trace.clear_block() {
        row(out, "clear", format_args!("{}", words(clear.bits())))?;
        writeln!(out)?;
        write_bits(out, trace)?;
        writeln!(out)?;
        write_fields(out, trace, base_date)?;
    }
    Ok(())
}

/// A named line.
fn row(out: &mut impl Write, name: &str, value: Arguments<'_>) -> io::Result<()> {
    writeln!(out, "{}  {value}", styled(HEADING, format_args!("{name:<10}")))
}

/// Sixteen hexadecimal digits in groups of four.
fn words(block: u64) -> String {
    let digits = format!("{block:016X}");
    [&digits[..4], &digits[4..8], &digits[8..12], &digits[12..]].join(" ")
}

/// The bits of the clear block, each field under its numbers and over its name.
fn write_bits(out: &mut impl Write, trace: &Trace) -> io::Result<()> {
    let mut lines = [String::new(), String::new(), String::new()];
    let last = trace.fields().count().saturating_sub(1);
    for (index, Field { place, value }) in trace.fields().enumerate() {
        let style = FIELDS[index % FIELDS.len()];
        let bits = format!("{value:0width$b}", width = usize::from(place.width()));
        let numbers = if place.width() == 1 {
            place.high.to_string()
        } else {
            let low = place.low.to_string();
            let high = place.high.to_string();
            let rest = bits.len().saturating_sub(high.len()).max(low.len() + 1);
            format!("{high}{low:>rest$}")
        };
        let widest = bits.len().max(numbers.len()).max(place.name.text().len());
        let width = if index == last { 0 } else { widest + 2 };
        lines[0] += &styled(QUIET, format_args!("{numbers:<width$}"));
        lines[1] += &styled(style, format_args!("{bits:<width$}"));
        lines[2] += &styled(style, format_args!("{:<width$}", place.name.text()));
    }
    for line in lines {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// One line per field: its bits, its value, its meaning.
fn write_fields(
    out: &mut impl Write,
    trace: &Trace,
    base_date: Option<BaseDate>,
) -> io::Result<()> {
    for (index, field) in trace.fields().enumerate() {
        let Field { place, value } = field;
        let style = FIELDS[index % FIELDS.len()];
        let name = styled(style, format_args!("{:<8}", place.name.text()));
        let bits = format!("{}..{}", place.high, place.low);
        let hex = format!("{value:0width$X}", width = usize::from(place.width()).div_ceil(4));
        let meaning = meaning(trace, &field, base_date);
        let line = format!("  {name}  {bits:<6}  {hex:>9}  {meaning}");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
