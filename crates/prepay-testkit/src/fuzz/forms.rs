//! The body of the target for forms.

use prepay_basics::Moment;
use prepay_forms::{Document, MAX_JSON, page, read, write};
use prepay_kmc::form::{Addressee, Draft, FormKind, SignedForm};
use prepay_kmp::Signatory;

use crate::Foreseeable;

/// Any bytes as a form: refused by name, or read, written again as the same form, and made a page without
/// markup of its own. A signed form is read only as it was written.
pub fn form_json(input: &[u8]) {
    let document = match read(input) {
        Ok(document) => document,
        Err(error) => {
            assert!(!error.to_string().is_empty() && !error.code().is_empty());
            return;
        }
    };
    let written = write(&document);
    if let Some(signed) = document.signed() {
        assert_eq!(written.as_bytes(), input, "a signed form is one file");
        assert_eq!(SignedForm::from_text(&signed.text()).as_ref(), Ok(signed));
    }
    if written.len() <= MAX_JSON {
        assert_eq!(read(&written).as_ref(), Ok(&document), "what is written is read");
    }
    let page = page(&document, None);
    assert!(!page.contains("<script") && page.ends_with("</html>\n"));
    let faults = document.draft().faults();
    assert_eq!(document.draft().clone().check().is_ok(), faults.is_empty());
}

/// Drafts of every form, empty and filled in, and signed ones.
pub(super) fn form_seeds() -> Vec<Vec<u8>> {
    let id = "anna".parse().expect("a name");
    let mut entropy = Foreseeable::new(2);
    let signatory = Signatory::generate(id, &mut entropy).expect("a generator never fails");
    let mut seeds = Vec::new();
    for &kind in FormKind::ALL {
        let mut draft = Draft::new(kind);
        seeds.push(write(&Document::Draft(draft.clone())).into_bytes());
        for field in draft.schema().fields {
            draft.set(field.name, example(field.name)).expect("a field of the form");
        }
        seeds.push(write(&Document::Draft(draft.clone())).into_bytes());
        let checked = draft.check().expect("examples are in order");
        let addressee = Addressee {
            centre: "KMC-1".parse().expect("it is a name"),
            fingerprint: "0123 4567 89AB CDEF 0123 4567 89AB CDEF".parse().expect("it is one"),
            is_test: true,
            expires: Moment::MIN,
        };
        let signed = SignedForm::sign(checked, &signatory, addressee, Moment::MIN);
        let signed = signed.expect("it is short");
        seeds.push(write(&Document::Signed(signed)).into_bytes());
    }
    seeds
}

/// What may stand in a field.
fn example(field: &str) -> &'static str {
    match field {
        "customer" => "1",
        "new_owner" => "2",
        "group" => "000123",
        "groups" => "000123,000124",
        "service" => "electricity",
        "key_type" => "unique",
        "cluster" => "0",
        "revision" => "1",
        "algorithm" => "04",
        "base_date" => "2014",
        "key_expiry" => "255",
        "activation" => "2026-03-01T12:00:00Z",
        "expires" | "valid_until" => "2030-01-01T00:00:00Z",
        "refresh_days" => "90",
        "unit_limit" | "currency_limit" => "1000",
        "sub_classes" => "0145",
        "module" => "SM-1",
        "module_fingerprint" => "0123 4567 89AB CDEF 0123 4567 89AB CDEF",
        "request" => "VKR;PRFopen-kmp-2;0000\n",
        _ => "Text & more",
    }
}
