//! What two parties write to each other arrives, and everything that is meant for somebody else is refused
//! by name.

mod open_kmp_kit;

use open_kmp_kit::{
    CREATED, Exchange, Fixed, Inputs, attributes, identity, moment, vending_key, with_checksums,
};
use prepay_kmp::{
    AgreementRequest, CentreEnrolment, Document, DocumentError, Identity, KeyLoadHeader, KeyToLoad,
    MAX_KEYS, ModuleEnrolment, Nonce, PartyKind, PendingAgreement, PublicIdentity, Signatory,
    SignatoryEnrolment, SignatoryKey, SignatureError, SlotKeys, Unverified, VendingKeyAttributes,
    WrappedKeyLoad, check_value, open_kmp, read, read_as,
};
use prepay_testkit::documents::{
    accept_agreement, answer_agreement, read_key_load, read_key_load_request,
};
use prepay_token::key::VendingKey;

#[test]
fn enrolments_arrive_with_keys_and_details() {
    let exchange = Exchange::new();
    let read: ModuleEnrolment = read_as(exchange.module_enrolment.as_bytes()).unwrap();
    assert_eq!(&read.party, exchange.module.public());
    assert_eq!(read.created, moment(CREATED));
    let details = [read.maker.as_str(), read.model.as_str(), read.firmware.as_str()];
    assert_eq!(details, ["Prepay", "software module", "0.1.0"]);

    let read: CentreEnrolment = read_as(exchange.centre_enrolment.as_bytes()).unwrap();
    assert_eq!(&read.party, exchange.centre.public());
    assert_eq!(read.activation, moment("2026-01-01T00:00:00Z"));
    assert_eq!(read.expires, moment("2036-01-01T00:00:00Z"));

    let read: SignatoryEnrolment = read_as(exchange.signatory_key.as_bytes()).unwrap();
    assert_eq!((&read.key, read.created), (exchange.signatory.key(), moment(CREATED)));
}

#[test]
fn a_text_of_another_kind_is_refused_by_both_names() {
    let exchange = Exchange::new();
    let text = exchange.module_enrolment.as_bytes();
    let (expected, found) = (PartyKind::Centre, PartyKind::Module);
    let refused = read_as::<CentreEnrolment>(text).unwrap_err();
    assert_eq!(refused, DocumentError::Kind { expected, found });
    let refused = read_as::<Unverified<WrappedKeyLoad>>(text).unwrap_err();
    assert_eq!(
        refused,
        DocumentError::Record { line: 1, expected: "VKL", found: "PKE".to_owned() }
    );
    let other = with_checksums("SIG;PRFopen-kmp-2;VAL00;0000\n");
    assert_eq!(read(other.as_bytes()).unwrap_err().code(), "record");
    for kind in exchange.texts() {
        assert_eq!(read(kind.text.as_bytes()).unwrap().tag(), &kind.text[..3], "{}", kind.name);
    }
}

#[test]
fn a_key_load_file_of_edition_1_is_known_and_refused() {
    for text in ["9500", "9500 STSA0001 0123456789ABCDEF\r\n9520...\r\n"] {
        assert_eq!(read(text.as_bytes()).unwrap_err(), DocumentError::Edition1, "{text}");
    }
    assert_eq!(read(b"9520 a key alone\n").unwrap_err().code(), "form");
}

#[test]
fn an_unverified_document_says_only_between_whom_it_passes() {
    let exchange = Exchange::new();
    let Ok(Document::KeyLoad(load)) = read(exchange.key_load.as_bytes()) else { panic!("a file") };
    assert_eq!(load.module(), exchange.module.name());
    assert_eq!(load.centre(), exchange.centre.name());
    assert_eq!(load.slot(), exchange.header.slot);
    let printed = format!("{load:?}");
    assert!(!printed.contains("Lakeside") && printed.contains("module-7"), "{printed}");
    let request: Unverified<AgreementRequest> =
        read_as(exchange.agreement_request.as_bytes()).unwrap();
    let again: Unverified<AgreementRequest> =
        read_as(exchange.agreement_request.as_bytes()).unwrap();
    assert_eq!(request.digest(), again.digest());
    assert_ne!(request.digest(), load.digest());
}

#[test]
fn an_enrolment_says_whether_its_party_is_for_tests() {
    let marked = Exchange::of(&Inputs { is_test: true, ..Inputs::known() });
    let plain = Exchange::new();
    let is_test = |text: &str| match read(text.as_bytes()).unwrap() {
        Document::ModuleEnrolment(enrolment) => enrolment.is_test,
        Document::CentreEnrolment(enrolment) => enrolment.is_test,
        other => panic!("{other:?}"),
    };
    for (marked, plain) in [
        (&marked.module_enrolment, &plain.module_enrolment),
        (&marked.centre_enrolment, &plain.centre_enrolment),
    ] {
        assert!(is_test(marked));
        assert!(!is_test(plain));
        let code = |text: &str| read(text.as_bytes()).unwrap_err().code();
        for other in ["0", "2", "01", "yes", ""] {
            let other = with_checksums(&marked.replace("TST1;", &format!("TST{other};")));
            assert_eq!(code(&other), "item", "{other}");
        }
        // The mark is signed: nobody takes it away, or adds it.
        assert_eq!(code(&with_checksums(&marked.replace("TST1;", ""))), "signature");
        let (line, rest) = plain.split_once('\n').unwrap();
        let added = format!("{}TST1;0000\n{rest}", &line[..line.len() - 4]);
        assert_eq!(code(&with_checksums(&added)), "signature");
    }
}

#[test]
fn a_wrong_enrolment_is_not_written() {
    let exchange = Exchange::new();
    let good: CentreEnrolment = read_as(exchange.centre_enrolment.as_bytes()).unwrap();
    let write = |own: &Identity, enrolment: &CentreEnrolment| {
        open_kmp::write_centre_enrolment(own, enrolment).map_err(|error| error.code())
    };
    assert_eq!(write(&exchange.centre, &good), Ok(exchange.centre_enrolment.clone()));
    assert_eq!(write(&exchange.module, &good), Err("kind"));
    assert_eq!(write(&identity(PartyKind::Centre, "centre-1", 13), &good), Err("party"));
    let never = CentreEnrolment { expires: good.activation, ..good };
    assert_eq!(write(&exchange.centre, &never), Err("dates"));
    let module: ModuleEnrolment = read_as(exchange.module_enrolment.as_bytes()).unwrap();
    let written = open_kmp::write_module_enrolment(&exchange.centre, &module);
    assert_eq!(written.unwrap_err().code(), "kind");
}

#[test]
fn fingerprints_are_compared_as_people_type_them() {
    let exchange = Exchange::new();
    let fingerprint = exchange.centre.public().fingerprint();
    let shown = fingerprint.to_string();
    assert_eq!(shown.len(), 39);
    assert!(fingerprint.matches(&shown));
    assert!(fingerprint.matches(&shown.to_lowercase().replace(' ', "")));
    assert!(fingerprint.matches(&format!("  {}\n", shown.replace(' ', "  "))));
    for wrong in ["", &shown[..38], &format!("{shown}0"), &shown.replace(' ', "-")] {
        assert!(!fingerprint.matches(wrong), "{wrong:?}");
    }
    assert!(!exchange.module.public().fingerprint().matches(&shown));
    let name = exchange.centre.name().to_string();
    assert!(name.ends_with(&shown.replace(' ', "")[..16]), "{name}");
}

#[test]
fn both_sides_come_to_the_same_keys_and_every_request_to_others() {
    let exchange = Exchange::new();
    let accepted = |pending: &PendingAgreement| {
        let text = exchange.agreement_confirmation.as_bytes();
        accept_agreement(&exchange.module, exchange.centre.public(), pending, text)
    };
    let (confirmation, keys) = accepted(&exchange.pending).unwrap();
    assert_eq!(*keys.expose_bytes(), *exchange.slot_keys.expose_bytes());
    assert_eq!(confirmation.nonce, exchange.pending.nonce());
    // The same request is answered in the same way.
    let text = exchange.agreement_request.as_bytes();
    let answer = |text: &[u8]| {
        let (module, nonce) = (exchange.module.public(), exchange.centre_nonce);
        answer_agreement(&exchange.centre, module, text, moment(CREATED), nonce).unwrap()
    };
    let again = answer(text);
    assert_eq!(again.confirmation, exchange.agreement_confirmation);
    assert_eq!(*again.keys.expose_bytes(), *keys.expose_bytes());

    // Another request for the same slot, and one for another slot, give other keys.
    for (slot, seed) in [(1, 40), (2, 4)] {
        let (text, pending) = open_kmp::request_agreement(
            &exchange.module,
            exchange.centre.public(),
            slot.try_into().unwrap(),
            moment(CREATED),
            &mut Fixed::new(seed),
        )
        .unwrap();
        let answered = answer(text.as_bytes());
        assert_ne!(*answered.keys.expose_bytes(), *keys.expose_bytes(), "slot {slot}");
        let refused = accepted(&pending).unwrap_err().code();
        assert_eq!(refused, if slot == 1 { "request_unknown" } else { "other_slot" });
    }
}

#[test]
fn an_agreement_with_somebody_else_is_refused_by_name() {
    let exchange = Exchange::new();
    let other_module = identity(PartyKind::Module, "module-8", 11);
    let new_module = identity(PartyKind::Module, "module-7", 12);
    let other_centre = identity(PartyKind::Centre, "centre-1", 13);
    let request = exchange.agreement_request.as_bytes();
    let refused = |centre: &Identity, module: &PublicIdentity| {
        answer_agreement(centre, module, request, moment(CREATED), exchange.centre_nonce)
            .unwrap_err()
            .code()
    };
    assert_eq!(refused(&exchange.centre, other_module.public()), "other_module");
    assert_eq!(refused(&exchange.centre, new_module.public()), "other_module");
    assert_eq!(refused(&other_centre, exchange.module.public()), "other_centre");

    let confirmation = exchange.agreement_confirmation.as_bytes();
    let refused = |module: &Identity, centre: &PublicIdentity| {
        accept_agreement(module, centre, &exchange.pending, confirmation).unwrap_err().code()
    };
    assert_eq!(refused(&other_module, exchange.centre.public()), "other_module");
    assert_eq!(refused(&exchange.module, other_centre.public()), "other_centre");
}

#[test]
fn a_key_load_file_brings_keys_and_attributes() {
    let exchange = Exchange::new();
    let text = exchange.key_load.as_bytes();
    let (module, centre) = (exchange.module.name(), exchange.centre.public());
    let load = read_key_load(module, centre, &exchange.slot_keys, text).unwrap();
    assert_eq!(load.header, exchange.header);
    assert_eq!(load.keys.len(), 2);
    let expected = [(1, 2, Some(7)), (2, 4, None)];
    for (key, (revision, algorithm, register)) in load.keys.iter().zip(expected) {
        assert_eq!(key.attributes, attributes(201_457, revision, algorithm));
        assert_eq!(key.register.map(|register| register.value()), register);
        assert_eq!(key.key.expose_bytes(), vending_key(algorithm).expose_bytes());
        assert_eq!(key.check_value, check_value(&key.key));
    }
    let (centre, module) = (exchange.centre.name(), exchange.module.public());
    let request = read_key_load_request(centre, module, exchange.load_request.as_bytes()).unwrap();
    assert_eq!((request.nonce, request.slot), (load.header.nonce, load.header.slot));
}

#[test]
fn a_key_load_file_for_somebody_else_is_refused_by_name() {
    let exchange = Exchange::new();
    let other_module = identity(PartyKind::Module, "module-8", 11);
    let other_centre = identity(PartyKind::Centre, "centre-1", 13);
    let other_keys = SlotKeys::from_bytes(&[1; 112]).unwrap();
    let text = exchange.key_load.as_bytes();
    let (module, centre) = (exchange.module.name(), exchange.centre.public());
    let read = |module, centre, keys| {
        read_key_load(module, centre, keys, text).map(drop).unwrap_err().code()
    };
    assert_eq!(read(other_module.name(), centre, &exchange.slot_keys), "other_module");
    assert_eq!(read(module, other_centre.public(), &exchange.slot_keys), "other_centre");
    assert_eq!(read(module, centre, &other_keys), "mac");

    let request = exchange.load_request.as_bytes();
    let read = |centre, module| {
        read_key_load_request(centre, module, request).map(drop).unwrap_err().code()
    };
    assert_eq!(read(other_centre.name(), exchange.module.public()), "other_centre");
    assert_eq!(read(exchange.centre.name(), other_module.public()), "other_module");
}

#[test]
fn the_centre_alone_cannot_be_impersonated_by_whoever_holds_the_slot_keys() {
    // The module shares the slot's keys, so it could make the authentication code; not the signature.
    let exchange = Exchange::new();
    let forger = identity(PartyKind::Centre, "centre-1", 13);
    let header = KeyLoadHeader { centre: forger.name().clone(), ..exchange.header.clone() };
    let attributes = [attributes(201_457, 1, 2), attributes(201_457, 2, 2)];
    let key = vending_key(2);
    let keys = attributes.each_ref().map(|attributes| to_load(attributes, &key));
    let forged = open_kmp::write_key_load(&forger, &exchange.slot_keys, &header, &keys).unwrap();
    let (name, real) = (forger.name().to_string(), exchange.centre.name().to_string());
    let forged = open_kmp_kit::with_checksums(&forged.replace(&name, &real));
    let (module, centre) = (exchange.module.name(), exchange.centre.public());
    let read = read_key_load(module, centre, &exchange.slot_keys, forged.as_bytes());
    assert_eq!(read.map(drop).unwrap_err().code(), "signature");
}

fn to_load<'a>(attributes: &'a VendingKeyAttributes, key: &'a VendingKey) -> KeyToLoad<'a> {
    KeyToLoad { attributes, register: None, key }
}

#[test]
fn a_centre_writes_no_file_that_a_module_would_refuse() {
    let exchange = Exchange::new();
    let header = &exchange.header;
    let write = |header: &KeyLoadHeader, keys: &[KeyToLoad<'_>]| {
        let written = open_kmp::write_key_load(&exchange.centre, &exchange.slot_keys, header, keys);
        written.map(drop).map_err(|error| error.code())
    };
    let (good, other) = (attributes(1, 1, 2), attributes(1, 2, 2));
    let key = vending_key(2);
    let register = Some(3.try_into().unwrap());
    let one = to_load(&good, &key);
    assert_eq!(write(header, &[one]), Ok(()));
    assert_eq!(write(header, &[]), Err("count"));
    assert_eq!(write(header, &vec![one; MAX_KEYS + 1]), Err("count"));
    assert_eq!(write(header, &[one, one]), Err("twice"));
    let (first, second) =
        (KeyToLoad { register, ..one }, KeyToLoad { register, ..to_load(&other, &key) });
    assert_eq!(write(header, &[first, second]), Err("twice"));
    let long = vending_key(4);
    assert_eq!(write(header, &[to_load(&good, &long)]), Err("key_length"));
    let mut backwards = good.clone();
    backwards.issued_until = moment("2025-01-01T00:00:00Z");
    assert_eq!(write(header, &[to_load(&backwards, &key)]), Err("dates"));
    let late = KeyLoadHeader { expires: moment("2025-01-01T00:00:00Z"), ..header.clone() };
    assert_eq!(write(&late, &[one]), Err("dates"));
    let foreign = KeyLoadHeader {
        centre: identity(PartyKind::Centre, "centre-2", 14).name().clone(),
        ..header.clone()
    };
    assert_eq!(write(&foreign, &[one]), Err("other_centre"));
}

#[test]
fn a_file_of_a_thousand_keys_arrives() {
    let exchange = Exchange::new();
    let attributes: Vec<_> = (0..1000).map(|group| attributes(group, 1, 4)).collect();
    let key = vending_key(4);
    let keys: Vec<_> = attributes.iter().map(|attributes| to_load(attributes, &key)).collect();
    let text =
        open_kmp::write_key_load(&exchange.centre, &exchange.slot_keys, &exchange.header, &keys)
            .unwrap();
    let (module, centre) = (exchange.module.name(), exchange.centre.public());
    let load = read_key_load(module, centre, &exchange.slot_keys, text.as_bytes()).unwrap();
    assert_eq!(load.keys.len(), 1000);
}

#[test]
fn documents_are_signed_for_one_context_and_never_pass_for_records() {
    let exchange = Exchange::new();
    let signatory = &exchange.signatory;
    let signature = signatory.sign_document("form", b"text");
    assert_eq!(signatory.key().verify_document("form", b"text", &signature), Ok(()));
    let cases: [(&str, &[u8]); 4] =
        [("form", b"texu"), ("frm", b"text"), ("formt", b"text"), ("formt", b"ext")];
    for (context, document) in cases {
        let verified = signatory.key().verify_document(context, document, &signature);
        assert_eq!(verified, Err(SignatureError), "{context}");
    }
    let other = Signatory::generate("another".parse().unwrap(), &mut Fixed::new(77)).unwrap();
    assert_eq!(other.key().verify_document("form", b"text", &signature), Err(SignatureError));

    // The text of a record, signed as a document, is no signed record.
    let (text, _) = exchange.signatory_key.split_once('\n').unwrap();
    let text = format!("{text}\n");
    for context in ["", "record"] {
        let signature = signatory.sign_document(context, text.as_bytes());
        let digits: String = signature.iter().map(|byte| format!("{byte:02X}")).collect();
        let sealed = format!("{text}SIG;PRFopen-kmp-2;VAL{digits};0000\n");
        let read = read_as::<SignatoryEnrolment>(with_checksums(&sealed).as_bytes());
        assert_eq!(read.unwrap_err().code(), "signature");
    }
}

#[test]
fn secrets_and_public_keys_survive_a_vault() {
    let exchange = Exchange::new();
    let id = || "module-7".parse().unwrap();
    let again =
        Identity::from_bytes(PartyKind::Module, id(), &exchange.module.expose_bytes()[..]).unwrap();
    assert_eq!(again.public(), exchange.module.public());
    let pending = PendingAgreement::from_bytes(&exchange.pending.expose_bytes()[..]).unwrap();
    let text = exchange.agreement_confirmation.as_bytes();
    let centre = PublicIdentity::decode(&exchange.centre.public().encode()).unwrap();
    assert_eq!(&centre, exchange.centre.public());
    let accepted = accept_agreement(&again, &centre, &pending, text).unwrap();
    let keys = SlotKeys::from_bytes(&accepted.1.expose_bytes()[..]).unwrap();
    assert_eq!(*keys.expose_bytes(), *exchange.slot_keys.expose_bytes());
    let signatory = &exchange.signatory;
    let id = signatory.key().id().clone();
    let again = Signatory::from_bytes(id, &signatory.expose_bytes()[..]).unwrap();
    assert_eq!(again.key(), signatory.key());
    assert_eq!(&SignatoryKey::decode(&signatory.key().encode()).unwrap(), signatory.key());

    // And nothing else is taken for one.
    let encoded = exchange.centre.public().encode();
    for length in 0..encoded.len() {
        assert!(PublicIdentity::decode(&encoded[..length]).is_err(), "{length}");
    }
    assert!(SignatoryKey::decode(&encoded).is_err());
    assert!(SlotKeys::from_bytes(&[0; 111]).is_err());
    let mut pending = exchange.pending.expose_bytes();
    pending[26..].fill(0);
    assert!(PendingAgreement::from_bytes(&pending[..]).is_err());
    assert!(PendingAgreement::from_bytes(&pending[1..]).is_err());
    let same = [[7; 48], [7; 48]].concat();
    let id = "module-7".parse().unwrap();
    let refused = Identity::from_bytes(PartyKind::Module, id, &same).unwrap_err();
    assert_eq!(refused.code(), "same_key");
}

#[test]
fn nothing_that_is_printed_shows_a_secret() {
    let exchange = Exchange::new();
    let load = read_key_load(
        exchange.module.name(),
        exchange.centre.public(),
        &exchange.slot_keys,
        exchange.key_load.as_bytes(),
    )
    .unwrap();
    let printed = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        exchange.module, exchange.signatory, exchange.pending, exchange.slot_keys, load
    );
    let texts: String = exchange.texts().iter().map(|kind| kind.text).collect();
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|o| format!("{o:02X}")).collect() };
    let secrets = [
        exchange.module.expose_bytes()[..48].to_vec(),
        exchange.module.expose_bytes()[48..].to_vec(),
        exchange.centre.expose_bytes()[..48].to_vec(),
        exchange.signatory.expose_bytes().to_vec(),
        exchange.pending.expose_bytes()[26..].to_vec(),
        exchange.slot_keys.expose_bytes()[..32].to_vec(),
        exchange.slot_keys.expose_bytes()[32..64].to_vec(),
        vending_key(2).expose_bytes().to_vec(),
        vending_key(4).expose_bytes().to_vec(),
    ];
    for secret in secrets {
        for text in [&printed, &texts] {
            assert!(!text.to_uppercase().contains(&hex(&secret)), "hexadecimal");
            assert!(!text.contains(&format!("{secret:?}")), "a list of bytes");
        }
    }
}

#[test]
fn every_refusal_has_a_code_and_a_sentence_of_its_own() {
    let exchange = Exchange::new();
    let (module, centre) = (exchange.module.name().clone(), exchange.centre.name().clone());
    let text = || "x".to_owned();
    let nonce = Nonce::from_bytes([0; 16]);
    let value = check_value(&vending_key(2));
    let (slot, other) = (1.try_into().unwrap(), 2.try_into().unwrap());
    let all = [
        DocumentError::Size { most: 1, found: 2 },
        DocumentError::Edition1,
        DocumentError::Form { line: 1, problem: "no items" },
        DocumentError::Checksum { line: 1, expected: text(), found: text() },
        DocumentError::Profile { line: 1, found: text() },
        DocumentError::Record { line: 1, expected: "VKL", found: text() },
        DocumentError::Item { line: 1, tag: text(), problem: text() },
        DocumentError::Party { expected: module.clone(), found: centre.clone() },
        DocumentError::Kind { expected: PartyKind::Module, found: PartyKind::Centre },
        DocumentError::OtherModule { expected: module.clone(), found: module.clone() },
        DocumentError::OtherCentre { expected: centre.clone(), found: centre.clone() },
        DocumentError::OtherSlot { expected: slot, found: other },
        DocumentError::OtherRequest { expected: nonce, found: nonce },
        DocumentError::Signature { party: centre.clone() },
        DocumentError::Mac,
        DocumentError::Confirmation { party: centre },
        DocumentError::Unwrap { key: 1 },
        DocumentError::KeyLength { key: 1, expected: 8, found: 20 },
        DocumentError::CheckValue {
            group: 1.try_into().unwrap(),
            revision: 1.try_into().unwrap(),
            expected: value,
            found: value,
        },
        DocumentError::Twice { what: text() },
        DocumentError::Dates { problem: "ACT not after IUT" },
        DocumentError::Count { most: 1000, found: 0 },
    ];
    let mut codes: Vec<_> = all.iter().map(DocumentError::code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    for error in all {
        let text = error.to_string();
        assert!(!text.is_empty() && !text.ends_with('.') && !text.contains('\n'), "{text}");
    }
}
