//! Forms as printable pages.
//!
//! A page is one self-contained HTML file: A4, no scripts, room for a handwritten signature. Every entered
//! text is escaped, and the page's content policy forbids everything but its own style.

use std::fmt::Write as _;

use prepay_kmc::entity::FormRecord;
use prepay_kmc::form::{Field, Presence, SignedForm};

use crate::Document;

const STYLE: &str = "\
@page { size: A4; margin: 18mm 16mm; }
* { box-sizing: border-box; }
body { font: 11pt/1.4 'Liberation Sans', Arial, sans-serif; color: #000; background: #fff; max-width: 178mm; margin: 8mm auto; padding: 0 4mm; }
h1 { font-size: 18pt; margin: 0 0 2mm; }
h2 { font-size: 12pt; margin: 7mm 0 2mm; break-after: avoid; }
p { margin: 0 0 2mm; }
.own { border: 0.4mm solid #000; padding: 1.5mm 3mm; font-weight: bold; }
table { width: 100%; border-collapse: collapse; margin: 0 0 3mm; }
th, td { border: 0.2mm solid #666; padding: 1.5mm 2.5mm; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { width: 34%; font-weight: 600; }
thead th { width: auto; background: #eee; }
tr { break-inside: avoid; }
small { display: block; font-weight: 400; color: #444; }
.value { white-space: pre-wrap; }
.request { font: 8pt/1.3 'Liberation Mono', monospace; }
.code { font-family: 'Liberation Mono', monospace; }
.empty { color: #555; font-style: italic; }
.fault { border-left: 1.5mm solid #a00; padding-left: 7mm; }
.hand { height: 16mm; border-bottom: 0.3mm solid #000; width: 70mm; }
@media print { body { max-width: none; margin: 0; padding: 0; } thead { display: table-header-group; } }
";

/// A form as a page. `at_centre` adds its number and what the centre did with it.
pub fn page(document: &Document, at_centre: Option<&FormRecord>) -> String {
    let draft = document.draft();
    let schema = draft.schema();
    let title = escape(schema.title);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n\
         <p class=\"own\">A form of Prepay, not of the STS Association</p>\n<p>{}</p>\n",
        escape(schema.purpose),
    );
    push_state(&mut page, document, at_centre);
    page.push_str("<h2>Fields</h2>\n<table>\n<tbody>\n");
    for field in schema.fields {
        push_field(&mut page, field, draft.value(field.name));
    }
    page.push_str("</tbody>\n</table>\n");
    if document.signed().is_none() {
        push_faults(&mut page, document);
    }
    push_signature(&mut page, document.signed());
    if let Some(form) = at_centre {
        push_steps(&mut page, form);
    }
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("a string takes everything");
}

fn push_state(page: &mut String, document: &Document, at_centre: Option<&FormRecord>) {
    match (at_centre, document.signed()) {
        (Some(form), _) => {
            let (number, state) = (form.number, form.state);
            push(page, format_args!("<p>Form <strong>{number}</strong>, <strong>{state}</strong>"));
            if let Some(customer) = form.customer {
                push(page, format_args!(", customer {customer}"));
            }
            page.push_str("</p>\n");
        }
        (None, Some(_)) => page.push_str("<p>State: <strong>signed</strong></p>\n"),
        (None, None) => page.push_str("<p>State: <strong>draft</strong>, not signed</p>\n"),
    }
}

fn push_field(page: &mut String, field: &Field, value: Option<&str>) {
    let (title, help) = (escape(field.title), escape(field.help));
    push(page, format_args!("<tr><th scope=\"row\">{title}<small>{help}</small></th><td>"));
    match (value, field.presence) {
        (Some(value), _) => {
            let class = if field.is_document { "value request" } else { "value" };
            push(page, format_args!("<span class=\"{class}\">{}</span>", escape(value)));
        }
        (None, Presence::Required) => page.push_str("<span class=\"empty\">not filled in</span>"),
        (None, Presence::Optional(otherwise)) => {
            push(
                page,
                format_args!("<span class=\"empty\">left out: {}</span>", escape(otherwise)),
            );
        }
    }
    page.push_str("</td></tr>\n");
}

fn push_faults(page: &mut String, document: &Document) {
    let faults = document.draft().faults();
    if faults.is_empty() {
        return;
    }
    let title = |name| document.draft().schema().field(name).map_or(name, |field| field.title);
    page.push_str("<h2>Please correct</h2>\n<ul class=\"fault\">\n");
    for fault in faults {
        let (title, expected) = (escape(title(fault.field)), escape(&fault.expected));
        push(page, format_args!("<li><strong>{title}</strong>: expected {expected}, found "));
        match &fault.found {
            Some(found) => push(page, format_args!("“{}”", escape(found))),
            None => page.push_str("nothing"),
        }
        page.push_str("</li>\n");
    }
    page.push_str("</ul>\n");
}

fn push_signature(page: &mut String, signed: Option<&SignedForm>) {
    page.push_str("<h2>Signature</h2>\n");
    let Some(form) = signed else {
        page.push_str("<p class=\"empty\">Not signed yet.</p>\n");
        return;
    };
    let signature = form.signature();
    let addressee = signature.addressee();
    let kind = if addressee.is_test {
        "a TEST centre: nothing in this form is for real meters"
    } else {
        "a centre for real meters"
    };
    let rows = [
        ("For centre", escape(addressee.centre.as_str())),
        ("Fingerprint of the centre", escape(addressee.fingerprint.as_str())),
        ("Which is", escape(kind)),
        ("May be accepted until", escape(&addressee.expires.to_string())),
        ("Signatory", escape(&signature.key().name().to_string())),
        ("Fingerprint", escape(&signature.key().fingerprint().to_string())),
        ("Signed", escape(&signature.signed().to_string())),
        ("Digest of the form", groups(&form.digest()[..16])),
    ];
    page.push_str("<table>\n<tbody>\n");
    for (title, value) in rows {
        push(
            page,
            format_args!(
                "<tr><th scope=\"row\">{title}</th><td class=\"code\">{value}</td></tr>\n"
            ),
        );
    }
    page.push_str(
        "</tbody>\n</table>\n<p>The electronic signature is in the JSON file; this page does not replace it. \
         Compare the fingerprint by phone or in person, not with one sent along with the file.</p>\n\
         <p>Handwritten signature (optional):</p>\n<div class=\"hand\"></div>\n",
    );
}

fn push_steps(page: &mut String, form: &FormRecord) {
    page.push_str(
        "<h2>At the centre</h2>\n<table>\n<thead><tr><th scope=\"col\">State</th><th scope=\"col\">When</th>\
         <th scope=\"col\">By</th><th scope=\"col\">Note</th></tr></thead>\n<tbody>\n",
    );
    for step in &form.steps {
        let (by, note) = (escape(step.by.as_str()), escape(step.note.as_str()));
        let (state, at) = (step.state, step.at);
        push(
            page,
            format_args!("<tr><td>{state}</td><td>{at}</td><td>{by}</td><td>{note}</td></tr>\n"),
        );
    }
    page.push_str("</tbody>\n</table>\n");
}

/// Bytes as hexadecimal digits in groups of four.
fn groups(bytes: &[u8]) -> String {
    let pairs: Vec<String> = bytes.chunks(2).map(base16ct::upper::encode_string).collect();
    pairs.join(" ")
}

/// Escapes the characters that have a meaning in HTML, and replaces control characters.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => escaped.push('\u{FFFD}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn escaped_text_contains_no_markup() {
        let text = escape("<script>&\"'\u{0}\u{1b}[0m</script>\n");
        assert!(!text.contains(['<', '>', '"', '\'', '\u{0}', '\u{1b}']), "{text}");
        assert_eq!(escape("Köln 电 1 & 2"), "Köln 电 1 &amp; 2");
    }
}
