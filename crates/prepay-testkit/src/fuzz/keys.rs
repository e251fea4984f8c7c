//! The body for key management: the texts of the profile `open-kmp`.
//!
//! All parties have secrets made from a fixed source, which are no secret to anybody.

use std::sync::LazyLock;

use crc::{CRC_16_ARC, Crc};
use prepay_basics::Moment;
use prepay_kmp::attribute::CurrencyLimit;
use prepay_kmp::{
    CentreEnrolment, Document, Identity, KeyLoadHeader, KeyLoadRequest, KeyToLoad, ModuleEnrolment,
    Nonce, PartyKind, PendingAgreement, Signatory, SlotKeys, VendingKeyAttributes, open_kmp, read,
};
use prepay_token::element::DecoderKeyGenerationAlgorithm;
use prepay_token::key::VendingKey;

use crate::Foreseeable;
use crate::ceremony::attributes;
use crate::documents::answer_agreement;

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_ARC);

/// Two parties and everything that they wrote to each other.
struct Exchange {
    module: Identity,
    centre: Identity,
    pending: PendingAgreement,
    slot_keys: SlotKeys,
    created: Moment,
    centre_nonce: Nonce,
    texts: [String; 7],
}

static EXCHANGE: LazyLock<Exchange> = LazyLock::new(|| {
    let entropy = &mut Foreseeable::new(7);
    let moment = |text: &str| -> Moment { text.parse().expect("a moment") };
    let (created, later) = (moment("2026-03-01T08:00:00Z"), moment("2036-03-01T08:00:00Z"));
    let id = |text: &str| text.parse().expect("an identifier");
    let module = Identity::generate(PartyKind::Module, id("module-7"), entropy).expect("bytes");
    let centre = Identity::generate(PartyKind::Centre, id("centre-1"), entropy).expect("bytes");
    let signatory = Signatory::generate(id("owner-1"), entropy).expect("bytes");
    let label = |text: &str| text.parse().expect("a label");
    let (maker, model, firmware) = (label("Prepay"), label("software module"), label("1"));
    let enrolment = ModuleEnrolment {
        party: module.public().clone(),
        created,
        is_test: false,
        maker,
        model,
        firmware,
    };
    let module_enrolment = open_kmp::write_module_enrolment(&module, &enrolment).expect("fits");
    let enrolment = CentreEnrolment {
        party: centre.public().clone(),
        created,
        is_test: true,
        activation: created,
        expires: later,
    };
    let centre_enrolment = open_kmp::write_centre_enrolment(&centre, &enrolment).expect("fits");
    let signatory = open_kmp::write_signatory(&signatory, created);
    let slot = 1.try_into().expect("a slot");
    let (agreement_request, pending) =
        open_kmp::request_agreement(&module, centre.public(), slot, created, entropy)
            .expect("bytes");
    let text = agreement_request.as_bytes();
    let centre_nonce = Nonce::generate(entropy).expect("bytes");
    let answered = answer_agreement(&centre, module.public(), text, created, centre_nonce)
        .expect("a good request");
    let request = KeyLoadRequest {
        module: module.name().clone(),
        centre: centre.name().clone(),
        slot,
        nonce: Nonce::generate(entropy).expect("bytes"),
        created,
        expires: later,
        confirmation: answered.keys.confirmation(),
    };
    let load_request = open_kmp::write_key_load_request(&module, &request).expect("fits");
    let header = KeyLoadHeader {
        module: request.module,
        centre: request.centre,
        slot,
        nonce: request.nonce,
        serial: 1,
        created,
        expires: later,
        transactions: Some(1000),
    };
    let attributes = VendingKeyAttributes {
        activation: created,
        issued_until: later,
        currency_limit: CurrencyLimit(Some(5)),
        name: "Lakeside".parse().expect("a name"),
        ..attributes(201_457, 1, DecoderKeyGenerationAlgorithm::Dkga04)
    };
    let key = VendingKey::new(attributes.algorithm, &[0xAB; 20]).expect("twenty bytes");
    let register = Some(7.try_into().expect("a register"));
    let keys = [KeyToLoad { attributes: &attributes, register, key: &key }];
    let file =
        open_kmp::write_key_load(&centre, &answered.keys, &header, &keys).expect("a good file");
    let confirmation = answered.confirmation;
    let texts = [
        module_enrolment,
        centre_enrolment,
        signatory,
        agreement_request,
        confirmation,
        load_request,
        file,
    ];
    Exchange { module, centre, pending, slot_keys: answered.keys, created, centre_nonce, texts }
});

/// Any bytes never make a reader panic, and what a reader believes was written by who it says: it is one of
/// the texts of the fixed exchange, byte by byte.
///
/// The first byte says whether each line gets the checksum of what it says, so that the items are reached.
pub fn open_kmp(input: &[u8]) {
    let Some((&choice, text)) = input.split_first() else { return };
    let mended;
    let text = if choice & 1 == 0 {
        text
    } else {
        mended = mend(text);
        &mended[..]
    };
    let Exchange { module, centre, pending, slot_keys, created, centre_nonce, texts } = &*EXCHANGE;
    let believed = read(text).and_then(|document| match document {
        Document::ModuleEnrolment(_)
        | Document::CentreEnrolment(_)
        | Document::SignatoryEnrolment(_) => Ok(()),
        Document::AgreementRequest(request) => {
            let request = request.verify(centre.name(), module.public())?;
            open_kmp::confirm_agreement(centre, &request, *created, *centre_nonce).map(drop)
        }
        Document::AgreementConfirmation(confirmation) => {
            confirmation.verify(module, centre.public(), pending).map(drop)
        }
        Document::KeyLoadRequest(request) => {
            request.verify(centre.name(), module.public())?.confirms(slot_keys)
        }
        Document::KeyLoad(load) => load.verify(module.name(), centre.public(), slot_keys).map(drop),
    });
    let known = texts.iter().any(|known| known.as_bytes() == text);
    assert_eq!(believed.is_ok(), known, "what is believed is what somebody wrote: {believed:?}");
    if let Err(error) = believed {
        assert!(!error.to_string().is_empty() && !error.code().is_empty());
    }
}

/// Gives every line the checksum of what it says.
fn mend(text: &[u8]) -> Vec<u8> {
    let mut mended = Vec::with_capacity(text.len() + 8);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        match (line.iter().rposition(|&byte| byte == b';'), line.ends_with(b"\n")) {
            (Some(end), true) => {
                mended.extend_from_slice(&line[..=end]);
                mended.extend(format!("{:04X}\n", CRC.checksum(&line[..=end])).bytes());
            }
            _ => mended.extend_from_slice(line),
        }
    }
    mended
}

/// The texts of the exchange, as they are and to be mended.
pub(super) fn open_kmp_seeds() -> Vec<Vec<u8>> {
    let texts = EXCHANGE.texts.iter();
    texts.flat_map(|text| [0, 1].map(|choice| [&[choice], text.as_bytes()].concat())).collect()
}
