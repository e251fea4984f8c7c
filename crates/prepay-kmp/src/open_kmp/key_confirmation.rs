//! Tests: module and centre each use the keys of an agreement only after the other has proved that it has them.
//!
//! The texts here are signed by who they say, so that it is the proof alone that is wrong.

use super::text::Writer;
use super::{confirm_agreement, request_agreement, write_key_load_request};
use crate::{
    AgreementConfirmation, AgreementRequest, Confirmation, DocumentError, Identity, KeyLoadRequest,
    Nonce, PartyKind, PendingAgreement, SlotKeys, SlotNumber, Unverified, read_as,
};
use prepay_basics::{Entropy, Moment, NoEntropy};

/// Bytes that are new each time.
struct Counting(u8);

impl Entropy for Counting {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.0 += 1;
        bytes.fill(self.0);
        Ok(())
    }
}

/// A module, a centre, and an agreement between them.
struct Agreement {
    module: Identity,
    centre: Identity,
    pending: PendingAgreement,
    /// The centre's, and its answer.
    keys: SlotKeys,
    answer: String,
}

impl Agreement {
    /// Between the same two; `source` and `number` are what each brings.
    fn new(source: u8, number: u8) -> Self {
        let party = |kind, byte| {
            let mut secrets = [byte; 96];
            secrets[95] += 1;
            Identity::from_bytes(kind, "party".parse().unwrap(), &secrets).unwrap()
        };
        let (module, centre) = (party(PartyKind::Module, 1), party(PartyKind::Centre, 2));
        let slot = SlotNumber::try_from(1).unwrap();
        let (text, pending) =
            request_agreement(&module, centre.public(), slot, now(), &mut Counting(source))
                .unwrap();
        let request: Unverified<AgreementRequest> = read_as(text.as_bytes()).unwrap();
        let request = request.verify(centre.name(), module.public()).unwrap();
        let number = Nonce::from_bytes([number; 16]);
        let answered = confirm_agreement(&centre, &request, now(), number).unwrap();
        Self { module, centre, pending, keys: answered.keys, answer: answered.confirmation }
    }

    /// What the module does with an answer.
    fn accept(&self, answer: &str) -> Result<SlotKeys, DocumentError> {
        let answer: Unverified<AgreementConfirmation> = read_as(answer.as_bytes())?;
        Ok(answer.verify(&self.module, self.centre.public(), &self.pending)?.1)
    }

    /// An item of the answer.
    fn item(&self, tag: &str) -> &str {
        let item = self.answer.split(';').find(|item| item.starts_with(tag));
        item.expect("an item of the answer")
    }

    /// The answer with other items, signed again by the centre.
    fn answer_with(&self, items: &[(&str, &str)]) -> String {
        let (content, _) = self.answer.split_once('\n').unwrap();
        let mut writer = Writer::default();
        let mut old = content[..content.rfind(';').unwrap()].split(';');
        writer.record(old.next().unwrap());
        for item in old.skip(1) {
            let changed = items.iter().find(|(tag, _)| item.starts_with(tag));
            let item = changed.map_or(item, |(_, item)| item);
            writer.item(&item[..3], &item[3..]);
        }
        writer.end();
        let signature = self.centre.sign_record(writer.so_far());
        writer.seal("SIG", &signature);
        writer.finish()
    }

    /// What the centre does with a key-load request that carries this proof.
    fn load(&self, confirmation: Confirmation) -> Result<(), DocumentError> {
        let request = KeyLoadRequest {
            module: self.module.name().clone(),
            centre: self.centre.name().clone(),
            slot: self.pending.slot(),
            nonce: Nonce::from_bytes([9; 16]),
            created: now(),
            expires: now(),
            confirmation,
        };
        let text = write_key_load_request(&self.module, &request).unwrap();
        let request: Unverified<KeyLoadRequest> = read_as(text.as_bytes())?;
        request.verify(self.centre.name(), self.module.public())?.confirms(&self.keys)
    }

    /// That the proof of this party is wrong.
    fn refused_by(&self, party: &Identity) -> DocumentError {
        DocumentError::Confirmation { party: party.name().clone() }
    }
}

fn now() -> Moment {
    "2026-03-01T08:00:00Z".parse().unwrap()
}

/// The bytes of a proof, as an item of a text.
fn as_item(confirmation: Confirmation) -> String {
    format!("CNF{}", crate::value::Hex(&confirmation.0))
}

fn from_item(item: &str) -> Confirmation {
    Confirmation(crate::value::read_hex(&item[3..]).unwrap())
}

#[test]
fn both_prove_the_same_keys_and_forget_the_confirmation_key() {
    let agreement = Agreement::new(10, 20);
    assert_eq!(agreement.answer_with(&[]), agreement.answer);
    let keys = agreement.accept(&agreement.answer).unwrap();
    assert_eq!(*keys.expose_bytes(), *agreement.keys.expose_bytes());
    assert_eq!(agreement.load(keys.confirmation()), Ok(()));
    assert_eq!(keys.expose_bytes()[64..], keys.confirmation().0);
    assert_eq!(format!("{:?}", keys.confirmation()), "Confirmation(..)");
}

#[test]
fn a_module_refuses_an_answer_whose_proof_is_wrong_though_it_is_signed() {
    let agreement = Agreement::new(10, 20);
    let expected = agreement.refused_by(&agreement.centre);
    for bit in (0..8 * 48).step_by(37) {
        let mut proof = from_item(agreement.item("CNF"));
        proof.0[bit / 8] ^= 1 << (bit % 8);
        let answer = agreement.answer_with(&[("CNF", &as_item(proof))]);
        let refused = agreement.accept(&answer).map(drop);
        assert_eq!(refused, Err(expected.clone()), "bit {bit}");
    }
    let number = format!("NOC{}", Nonce::from_bytes([21; 16]));
    let answer = agreement.answer_with(&[("NOC", &number)]);
    assert_eq!(agreement.accept(&answer).map(drop), Err(expected), "another number");
}

#[test]
fn a_centre_refuses_a_request_whose_proof_is_wrong_though_it_is_signed() {
    let agreement = Agreement::new(10, 20);
    let expected = agreement.refused_by(&agreement.module);
    for bit in (0..8 * 48).step_by(37) {
        let mut proof = agreement.keys.confirmation();
        proof.0[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(agreement.load(proof), Err(expected.clone()), "bit {bit}");
    }
}

#[test]
fn neither_can_send_back_the_proof_of_the_other() {
    let agreement = Agreement::new(10, 20);
    let (from_centre, from_module) =
        (from_item(agreement.item("CNF")), agreement.keys.confirmation());
    assert_ne!(from_centre, from_module);
    let answer = agreement.answer_with(&[("CNF", &as_item(from_module))]);
    let refused = agreement.accept(&answer).map(drop);
    assert_eq!(refused, Err(agreement.refused_by(&agreement.centre)));
    assert_eq!(agreement.load(from_centre), Err(agreement.refused_by(&agreement.module)));
}

#[test]
fn the_proofs_of_an_earlier_agreement_are_worth_nothing() {
    // (what the module brings, what the centre brings)
    let before = Agreement::new(10, 20);
    for (source, number) in [(10, 21), (11, 20), (11, 21)] {
        let agreement = Agreement::new(source, number);
        let case = format!("{source} and {number}");
        let answer = agreement.answer_with(&[("CNF", before.item("CNF"))]);
        let expected = agreement.refused_by(&agreement.centre);
        assert_eq!(agreement.accept(&answer).map(drop), Err(expected), "{case}");
        let expected = agreement.refused_by(&agreement.module);
        assert_eq!(agreement.load(before.keys.confirmation()), Err(expected), "{case}");
    }
    // With the number that belongs to it too, the whole answer of before is only that.
    let same = Agreement::new(10, 21);
    let items = [("CNF", before.item("CNF")), ("NOC", before.item("NOC"))];
    let keys = same.accept(&same.answer_with(&items)).unwrap();
    let refused = same.load(keys.confirmation());
    assert_eq!(refused, Err(same.refused_by(&same.module)), "the centre has answered anew since");
}
