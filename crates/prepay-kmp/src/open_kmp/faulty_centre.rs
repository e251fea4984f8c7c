//! Tests: content that is wrong is refused with its own code, even when a centre signed it.

use super::text::Writer;
use super::write_key_load;
use crate::attribute::{Cluster, CurrencyLimit, SubClassSet, UnitLimit, VendingKeyType};
use crate::{
    Identity, KeyLoadHeader, KeyToLoad, Nonce, PartyKind, SlotKeys, Unverified,
    VendingKeyAttributes, WrappedKeyLoad, read_as,
};
use prepay_basics::Moment;
use prepay_token::element::{BaseDate, DecoderKeyGenerationAlgorithm};
use prepay_token::key::VendingKey;

fn party(kind: PartyKind, byte: u8) -> Identity {
    let mut secrets = [byte; 96];
    secrets[95] ^= 1;
    Identity::from_bytes(kind, "party".parse().unwrap(), &secrets).unwrap()
}

/// Changes the content of a file, and corrects checksums, authentication code and signature.
fn sealed_anew(text: &str, centre: &Identity, keys: &SlotKeys, from: &str, to: &str) -> String {
    let (content, _) = text.split_once("MAC;").unwrap();
    assert!(content.contains(from), "{from}");
    let mut writer = Writer::default();
    for line in content.replacen(from, to, 1).lines() {
        let mut items = line[..line.rfind(';').unwrap()].split(';');
        writer.record(items.next().unwrap());
        for item in items.skip(1) {
            writer.item(&item[..3], &item[3..]);
        }
        writer.end();
    }
    let code = keys.authenticate(writer.so_far());
    writer.seal("MAC", &code);
    let signature = centre.sign_record(writer.so_far());
    writer.seal("SIG", &signature);
    writer.finish()
}

#[test]
fn a_signed_file_with_a_wrong_content_is_refused_by_name() {
    let (module, centre) = (party(PartyKind::Module, 1), party(PartyKind::Centre, 2));
    let keys = SlotKeys::from_bytes(&[3; 112]).unwrap();
    let moment = |text: &str| -> Moment { text.parse().unwrap() };
    let header = KeyLoadHeader {
        module: module.name().clone(),
        centre: centre.name().clone(),
        slot: 1.try_into().unwrap(),
        nonce: Nonce::from_bytes([4; 16]),
        serial: 5,
        created: moment("2026-03-01T08:00:00Z"),
        expires: moment("2026-03-02T08:00:00Z"),
        transactions: None,
    };
    let attributes = [1, 2].map(|revision: u8| VendingKeyAttributes {
        supply_group: 6.try_into().unwrap(),
        key_revision: revision.try_into().unwrap(),
        key_type: VendingKeyType::UNIQUE,
        algorithm: DecoderKeyGenerationAlgorithm::Dkga02,
        expiry: 255.into(),
        base_date: BaseDate::try_from(2014).unwrap(),
        activation: moment("2026-01-01T00:00:00Z"),
        issued_until: moment("2027-01-01T00:00:00Z"),
        unit_limit: UnitLimit(None),
        currency_limit: CurrencyLimit(None),
        cluster: Cluster(0),
        sub_classes: SubClassSet::ALL,
        name: "a group".parse().unwrap(),
    });
    let key = VendingKey::new(DecoderKeyGenerationAlgorithm::Dkga02, &[0x5B; 8]).unwrap();
    let register = |number: u16| Some(number.try_into().unwrap());
    let items = [
        KeyToLoad { attributes: &attributes[0], register: register(1), key: &key },
        KeyToLoad { attributes: &attributes[1], register: register(2), key: &key },
    ];
    let text = write_key_load(&centre, &keys, &header, &items).unwrap();
    let read = |text: &str| {
        let load = read_as::<Unverified<WrappedKeyLoad>>(text.as_bytes())
            .and_then(|load| load.verify(module.name(), centre.public(), &keys));
        load.map(drop).map_err(|error| error.code())
    };
    assert_eq!(read(&text), Ok(()));
    let (_, wrapped) = text.split_once(";WRP").unwrap();
    let wrapped = format!("WRP{}", &wrapped[..32]);
    let check_value = format!("KCV{}", crate::check_value(&key));
    // (from, to, code): what a module would otherwise store.
    let cases = [
        (check_value.as_str(), "KCVopen-000000", "check_value"),
        (&wrapped, "WRP00112233445566778899AABBCCDDEEFF", "unwrap"),
        (&wrapped, "WRP00112233445566778899AABBCCDDEE", "unwrap"),
        (&wrapped, "WRP00", "unwrap"),
        ("DKG02", "DKG04", "key_length"),
        ("DKG02", "DKG01", "item"),
        ("DKG02", "DKG2", "item"),
        ("KRN2", "KRN1", "twice"),
        ("KRN2", "KRN0", "item"),
        ("REG2", "REG1", "twice"),
        ("REG2", "REG0", "item"),
        ("NKY2", "NKY1", "record"),
        ("NKY2", "NKY3", "record"),
        ("NKY2", "NKY0", "count"),
        ("NKY2", "NKY1001", "count"),
        ("NUM2", "NUM3", "item"),
        ("KTY2", "KTY0", "item"),
        ("KTY2", "KTY4", "item"),
        ("KEN255", "KEN256", "item"),
        ("KEN255", "KEN0255", "item"),
        ("BDT2014", "BDT2015", "item"),
        ("SGC000006", "SGC6", "item"),
        ("SUB01234567", "SUB0123456", ""),
        ("IUT2027", "IUT2025", "dates"),
        ("EXP2026-03-02", "EXP2026-02-28", "dates"),
        ("EXP2026-03-02", "EXP2026-02-30", "item"),
        ("SLT1", "SLT0", "item"),
        ("SER5", "SER18446744073709551616", "item"),
        ("NAMa group", "NAM a group", "item"),
        ("open-kmp.SMID", "open-kmp.SIGID", "kind"),
        ("VKL", "VKR", "item"),
        ("VKL", "VKX", "record"),
    ];
    for (from, to, code) in cases {
        let text = sealed_anew(&text, &centre, &keys, from, to);
        // A smaller set of sub-classes is valid content.
        let expected = if code.is_empty() { Ok(()) } else { Err(code) };
        assert_eq!(read(&text), expected, "{from} to {to}");
    }
}
