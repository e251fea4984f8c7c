//! The bodies for key management: the texts of the profile `open-kmp`, and key-load files of edition 1.
//!
//! All parties have secrets made from a fixed source, which are no secret to anybody.

use std::sync::LazyLock;

use crc::{CRC_16_ARC, Crc};
use prepay_basics::Moment;
use prepay_kmp::VendingKeyAttributes;
use prepay_kmp::attribute::{Cluster, CurrencyLimit, SubClassSet, UnitLimit, VendingKeyType};
use prepay_kmp::edition1::{self, ParentKey};
use prepay_kmp::open_kmp::{
    Identity, Nonce, OpenKmp, PartyKind, PendingAgreement, Signatory, SlotKeys,
};
use prepay_kmp::profile::{
    EnrolmentDetails, KeyLoadHeader, KeyLoadRequest, KeyManagementProfile, KeyToLoad,
};
use prepay_token::element::{BaseDate, DecoderKeyGenerationAlgorithm};
use prepay_token::key::VendingKey;

use crate::Foreseeable;

const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_ARC);

/// Two parties and everything that they wrote to each other.
struct Exchange {
    module: Identity,
    centre: Identity,
    pending: PendingAgreement,
    slot_keys: SlotKeys,
    created: Moment,
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
    let details = EnrolmentDetails::Module { maker, model, firmware };
    let module_enrolment =
        OpenKmp.write_enrolment(&module, created, false, &details).expect("fits");
    let details = EnrolmentDetails::Centre { activation: created, expires: later };
    let centre_enrolment = OpenKmp.write_enrolment(&centre, created, true, &details).expect("fits");
    let signatory = OpenKmp.write_signatory(&signatory, created);
    let slot = 1.try_into().expect("a slot");
    let (agreement_request, pending) =
        OpenKmp.request_agreement(&module, centre.public(), slot, created, entropy).expect("bytes");
    let text = agreement_request.as_bytes();
    let answered =
        OpenKmp.answer_agreement(&centre, module.public(), text, created).expect("a good request");
    let request = KeyLoadRequest {
        module: module.name().clone(),
        centre: centre.name().clone(),
        slot,
        nonce: Nonce::generate(entropy).expect("bytes"),
        created,
        expires: later,
    };
    let load_request = OpenKmp.write_key_load_request(&module, &request).expect("fits");
    let header = KeyLoadHeader {
        module: request.module,
        centre: request.centre,
        slot,
        nonce: request.nonce,
        serial: 1,
        created,
        expires: later,
        transactions: Some(1000),
        keys: 1,
    };
    let attributes = VendingKeyAttributes {
        supply_group: 201_457.try_into().expect("a supply group"),
        key_revision: 1.try_into().expect("a revision"),
        key_type: VendingKeyType::UNIQUE,
        algorithm: DecoderKeyGenerationAlgorithm::Dkga04,
        expiry: 255.into(),
        base_date: BaseDate::try_from(2014).expect("a base date"),
        activation: created,
        issued_until: later,
        unit_limit: UnitLimit(None),
        currency_limit: CurrencyLimit(Some(5)),
        cluster: Cluster(0),
        sub_classes: SubClassSet::ALL,
        name: "Lakeside".parse().expect("a name"),
    };
    let key = VendingKey::new(attributes.algorithm, &[0xAB; 20]).expect("twenty bytes");
    let register = Some(7.try_into().expect("a register"));
    let keys = [KeyToLoad { attributes: &attributes, register, key: &key }];
    let file =
        OpenKmp.write_key_load(&centre, &answered.keys, &header, &keys).expect("a good file");
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
    Exchange { module, centre, pending, slot_keys: answered.keys, created, texts }
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
    let Exchange { module, centre, pending, slot_keys, created, texts } = &*EXCHANGE;
    let believed = [
        OpenKmp.read_enrolment(text).map(drop),
        OpenKmp.read_signatory(text).map(drop),
        OpenKmp.answer_agreement(centre, module.public(), text, *created).map(drop),
        OpenKmp.accept_agreement(module, centre.public(), pending, text).map(drop),
        OpenKmp.read_key_load_request(centre.name(), module.public(), text).map(drop),
        OpenKmp.read_key_load(module.name(), centre.public(), slot_keys, text).map(drop),
    ];
    let known = texts.iter().any(|known| known.as_bytes() == text);
    for result in &believed {
        match result {
            Ok(()) => assert!(known, "a text that nobody wrote is believed"),
            Err(error) => assert!(!error.to_string().is_empty() && !error.code().is_empty()),
        }
    }
    assert_eq!(believed.iter().filter(|result| result.is_ok()).count(), usize::from(known));
    let form = [
        OpenKmp.peek_agreement_request(text).is_ok(),
        OpenKmp.peek_agreement_confirmation(text).is_ok(),
        OpenKmp.peek_key_load_request(text).is_ok(),
        OpenKmp.peek_key_load(text).is_ok(),
    ];
    assert!(form.iter().filter(|is_ok| **is_ok).count() <= 1, "a text is of one kind");
    for (form, believed) in form.iter().zip(&believed[2..]) {
        assert!(*form || believed.is_err(), "what is believed has the form too");
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

/// Any bytes are no key-load file of edition 1, or one whose keys unwrap to something; all faults have a
/// place in the file.
pub fn edition1(input: &[u8]) {
    match edition1::parse(input) {
        Ok(file) => {
            assert!(file.header.text.starts_with("9500"));
            let parent = ParentKey::new(&[0x11; 8]).expect("eight bytes");
            for key in &file.keys {
                let unwrapped = key.unwrap_key(&parent);
                assert_eq!(unwrapped.key.expose_bytes().len(), 8);
                assert_eq!(unwrapped.unverified, edition1::UNVERIFIED);
            }
        }
        Err(faults) => {
            assert!((1..=edition1::MAX_FAULTS).contains(&faults.len()));
            assert!(faults.is_sorted_by_key(|fault| (fault.line, fault.column)));
            assert!(faults.iter().all(|fault| fault.line >= 1 && fault.column >= 1));
        }
    }
}

/// A file of two keys, one line alone, and a header alone.
pub(super) fn edition1_seeds() -> Vec<Vec<u8>> {
    const HEADER: &str = "9500 STSA0001 0123456789ABCDEF\r\n";
    const KEY: &str = "95200102CST00825F48CCFD6829F0D5D44FF720683D0D\
                       20260301080000202604010000001255201457";
    let texts = [format!("{HEADER}{KEY}LAKESIDE\r\n{KEY}\r\n"), KEY.to_owned(), HEADER.to_owned()];
    texts.map(String::into_bytes).into()
}
