//! Forms as JSON and as pages: one file per signed form, all faults at once, entered text never as markup.

use std::fmt::Write as _;

use prepay_basics::Moment;
use prepay_forms::{Document, JsonError, MAX_JSON, page, read, write};
use prepay_kmc::form::{
    Addressee, Draft, FormKind, FormState, Presence, Schema, SignedForm, SignedFormError,
    VALID_DAYS,
};
use prepay_kmp::Signatory;
use prepay_testkit::Foreseeable;

fn draft(kind: FormKind, values: &[(&str, &str)]) -> Draft {
    let mut draft = Draft::new(kind);
    values.iter().for_each(|(name, value)| draft.set(name, value).unwrap());
    draft
}

const CENTRE: &str = "0123 4567 89AB CDEF 0123 4567 89AB CDEF";

fn signed() -> SignedForm {
    let anna = Signatory::generate("anna".parse().unwrap(), &mut Foreseeable::new(1)).unwrap();
    let form = draft(
        FormKind::GroupNameChange,
        &[("customer", "7"), ("group", "000123"), ("name", "New town"), ("remark", "\"é\" <b>\\")],
    );
    let now: Moment = "2026-03-01T12:00:00Z".parse().unwrap();
    let addressee = Addressee {
        centre: "KMC-1".parse().unwrap(),
        fingerprint: CENTRE.parse().unwrap(),
        is_test: true,
        expires: now.plus_days(VALID_DAYS),
    };
    SignedForm::sign(form.check().unwrap(), &anna, addressee, now).unwrap()
}

#[test]
fn every_form_is_read_as_it_was_written() {
    for &kind in FormKind::ALL {
        let mut form = Draft::new(kind);
        assert_eq!(read(write(&Document::Draft(form.clone()))), Ok(Document::Draft(form.clone())));
        for field in form.schema().fields {
            form.set(field.name, "\u{0} any \"text\"\n").unwrap();
        }
        let document = Document::Draft(form);
        assert_eq!(read(write(&document)), Ok(document));
    }
    let document = Document::Signed(signed());
    assert_eq!(read(write(&document)), Ok(document));
}

#[test]
fn a_draft_may_be_written_by_hand() {
    let text = r#"{"state":"draft","fields":{"name":"x","group":"12"},"form":"group_name_change",
        "format":"open-form-2"}"#;
    let Ok(Document::Draft(draft)) = read(text) else { panic!("a draft") };
    let fields: Vec<_> = draft.faults().iter().map(|fault| fault.field).collect();
    assert_eq!(fields, ["customer", "group"]);
}

#[test]
fn a_text_that_is_not_a_form_is_refused_with_its_code() {
    // (text, code)
    let cases: &[(&str, &str)] = &[
        ("", "form_json"),
        ("[]", "form_json"),
        (r#"{"format":"open-form-2","form":"new_customer","state":"draft"}"#, "form_json"),
        (
            r#"{"format":"open-form-2","form":"new_customer","state":"draft","fields":{},"x":1}"#,
            "form_json",
        ),
        (
            r#"{"format":"open-form-2","form":"new_customer","state":"draft","fields":{"contact":1}}"#,
            "form_json",
        ),
        (
            r#"{"format":"open-form-2","form":"new_customer","state":"draft","fields":{"contact":"a","contact":"a"}}"#,
            "form_json",
        ),
        (
            r#"{"format":"open-form-3","form":"new_customer","state":"draft","fields":{}}"#,
            "form_format",
        ),
        (
            r#"{"format":"open-form-1","form":"new_customer","state":"draft","fields":{}}"#,
            "form_edition",
        ),
        (r#"{"format":"open-form-2","form":"customer","state":"draft","fields":{}}"#, "form_kind"),
        (
            r#"{"format":"open-form-2","form":"new_customer","state":"draft","fields":{"group":"1"}}"#,
            "form_field",
        ),
        (
            r#"{"format":"open-form-2","form":"new_customer","state":"signed","fields":{}}"#,
            "form_state",
        ),
        (
            r#"{"format":"open-form-2","form":"new_customer","state":"done","fields":{}}"#,
            "form_state",
        ),
        (
            r#"{"format":"open-form-2","form":"new_customer","state":"draft","fields":{}} x"#,
            "form_json",
        ),
    ];
    for (text, code) in cases {
        let error = read(text).unwrap_err();
        assert_eq!(error.code(), *code, "{text}: {error}");
        assert!(!error.to_string().is_empty());
    }
    let long = " ".repeat(MAX_JSON + 1);
    assert_eq!(read(&long), Err(JsonError::Length { found: MAX_JSON + 1 }));
}

#[test]
fn a_signed_form_has_exactly_one_file() {
    let text = write(&Document::Signed(signed()));
    for (changed, code) in [
        (text.replace("  ", " "), "form_not_canonical"),
        (text.trim_end().to_owned(), "form_not_canonical"),
        (format!("{text}\n"), "form_not_canonical"),
        (text.replace("New town", "New\\u0020town"), "form_not_canonical"),
        (text.replace("New town", "New Town"), "signature"),
        (text.replace("\"customer\": \"7\"", "\"customer\": \"0\""), "form_faults"),
        (text.replace("SIGID:anna", "SIGID:anne"), "form_name"),
        (text.replace("\"signed\",", "\"draft\","), "form_state"),
        (text.replace("01T12:00:00Z", "01T12:00:01Z"), "signature"),
        (text.replace("01T12:00:00Z", "01T12:00:00"), "form_signed"),
        (text.replace("31T12:00:00Z", "31T12:00:01Z"), "signature"),
        (text.replace("KMC-1", "KMC-2"), "signature"),
        (text.replace("\"test\"", "\"real\""), "signature"),
        (text.replace("\"test\"", "\"best\""), "form_signed"),
        (text.replace(CENTRE, &CENTRE.replace('0', "1")), "signature"),
        (text.replace(CENTRE, &CENTRE.to_lowercase()), "form_signed"),
    ] {
        assert_ne!(changed, text);
        let error = read(&changed).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    }
}

#[test]
fn every_truncated_signed_form_is_refused() {
    let text = write(&Document::Signed(signed()));
    for length in (0..text.len()).filter(|&length| text.is_char_boundary(length)) {
        assert!(read(&text[..length]).is_err(), "cut at {length}");
    }
}

#[test]
fn every_bit_flip_of_a_signed_form_is_refused() {
    let text = write(&Document::Signed(signed()));
    let mut verified = 0;
    for place in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            match read(&bytes) {
                Ok(_) => panic!("bit {bit} of byte {place} makes no difference"),
                Err(JsonError::Form(SignedFormError::Signature)) => verified += 1,
                Err(_) => {}
            }
        }
    }
    assert!(verified > 100, "many flips reach the signature: {verified}");
}

#[test]
fn a_page_is_complete_and_escaped_and_says_whose_form_it_is() {
    let document = Document::Signed(signed());
    let text = page(&document, None);
    for part in [
        "<!DOCTYPE html>",
        "Supply group name change",
        "A form of Prepay, not of the STS Association",
        "&quot;é&quot; &lt;b&gt;\\",
        "@page { size: A4;",
        "open-kmp.SIGID:anna:",
        "Fingerprint",
        "KMC-1",
        CENTRE,
        "a TEST centre",
        "2026-03-31T12:00:00Z",
        "</html>",
    ] {
        assert!(text.contains(part), "{part}");
    }
    let Document::Signed(form) = &document else { panic!("signed") };
    assert!(text.contains(&form.signature().key().fingerprint().to_string()));
    for never in ["<script", "<b>", "http://", "https://", "<img", "onload"] {
        assert!(!text.contains(never), "{never}");
    }

    let faulty = draft(FormKind::VendingKeyRequest, &[("group", "<i>")]);
    let text = page(&Document::Draft(faulty), None);
    assert!(text.contains("Please correct") && text.contains("“&lt;i&gt;”"), "{text}");
    assert!(text.contains("Not signed yet.") && text.contains("left out: no limit"));
}

/// The table of a form in `docs/formats/forms.md`.
fn table(kind: FormKind) -> String {
    let schema = Schema::of(kind);
    let mut table = format!(
        "### `{}`: {}\n\n{}\n\n| field | expected | if left out |\n|---|---|---|\n",
        kind.code(),
        schema.title,
        schema.purpose
    );
    for field in schema.fields {
        let otherwise = match field.presence {
            Presence::Required => "required",
            Presence::Optional(otherwise) => otherwise,
        };
        let (name, expected) = (field.name, field.expected);
        writeln!(table, "| `{name}` | {expected} | {otherwise} |").unwrap();
    }
    table
}

#[test]
fn the_document_lists_every_field_of_every_form() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/formats/forms.md");
    let text = std::fs::read_to_string(path).unwrap();
    for &kind in FormKind::ALL {
        let table = table(kind);
        assert!(text.contains(&table), "expected in docs/formats/forms.md:\n{table}");
    }
    for (from, to) in FormState::STEPS {
        assert!(text.contains(&format!("| {from} | {to} |")), "step {from} to {to}");
    }
}
