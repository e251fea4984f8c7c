//! The sealed contents of a centre's module: its own keys, the modules that it knows, the vending keys.
//!
//! Format inside the sealed store: see [`CentreContents::encode`], version 4. Secrets are in boxes, so that moving them
//! leaves no copies behind.
//!
//! Elsewhere: sealing and the audit log (`vault`), the rules (`session.rs`).

use std::collections::BTreeMap;

use prepay_token::element::{DecoderKeyGenerationAlgorithm, KeyRevisionNumber, SupplyGroupCode};
use prepay_token::key::VendingKey;

use super::{
    CentreEntry, DatabaseState, ExpectedDatabase, ModuleDetails, ModuleReport, ModuleState,
    VendingKeyReport,
};
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Identifier, Moment};
use prepay_kmp::attribute::KeyCheckValue;
use prepay_kmp::{
    CentreId, Identity, Label, ModuleEnrolment, ModuleId, Nonce, PartyKind, PartyName,
    PublicIdentity, SlotKeys, SlotNumber, check_value,
};
use prepay_vault::{At, Contents, Kind, ReplayError, RestoredLimits};

const VERSION: u8 = 4;

/// How far the serial number jumps when a centre is restored from a back-up, so that no file built after
/// the back-up ever shares its number with one built after the restoration.
const RESTORED_JUMP: u64 = 1 << 32;

/// The sealed contents of a centre's module.
pub struct CentreContents {
    pub(super) identity: Box<Identity>,
    pub(super) created: Moment,
    pub(super) activation: Moment,
    pub(super) expires: Moment,
    /// The names that it had under its earlier keys, with when those were renewed, oldest first.
    pub(super) former: Vec<(PartyName, Moment)>,
    /// The serial number of the last key-load file; 0 before the first.
    pub(super) serial: u64,
    pub(super) modules: BTreeMap<ModuleId, KnownModule>,
    pub(super) keys: BTreeMap<KeyName, HeldKey>,
    /// What the centre's database must look like.
    pub(super) database: ExpectedDatabase,
}

/// A supply group and a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyName(u32, u8);

/// A module that was accepted.
pub(super) struct KnownModule {
    pub(super) party: PublicIdentity,
    pub(super) created: Moment,
    pub(super) maker: Label,
    pub(super) model: Label,
    pub(super) firmware: Label,
    pub(super) accepted: Moment,
    pub(super) revoked: Option<Moment>,
    pub(super) slots: BTreeMap<u16, Agreed>,
}

/// What a slot of a module and the centre agreed on.
pub(super) struct Agreed {
    /// When the module wrote the request that was answered last.
    pub(super) requested: Moment,
    /// The requests of that second, oldest first; the last is the one in force.
    pub(super) nonces: Vec<Nonce>,
    /// SHA-256 of the request in force.
    pub(super) digest: [u8; 32],
    /// When it was answered first.
    pub(super) answered: Moment,
    /// The centre's own number in the answer.
    pub(super) centre_nonce: Nonce,
    pub(super) keys: Box<SlotKeys>,
}

/// A vending key.
pub(super) struct HeldKey {
    pub(super) key: Box<VendingKey>,
    pub(super) check_value: KeyCheckValue,
    pub(super) created: Moment,
    pub(super) is_imported: bool,
}

impl KeyName {
    pub(super) fn new(group: SupplyGroupCode, revision: KeyRevisionNumber) -> Self {
        Self(group.value(), revision.value())
    }

    fn elements(self) -> Option<(SupplyGroupCode, KeyRevisionNumber)> {
        Some((SupplyGroupCode::try_from(self.0).ok()?, KeyRevisionNumber::try_from(self.1).ok()?))
    }
}

impl HeldKey {
    pub(super) fn new(key: &VendingKey, created: Moment, is_imported: bool) -> Self {
        Self { check_value: check_value(key), key: Box::new(key.clone()), created, is_imported }
    }
}

impl KnownModule {
    /// A module whose enrolment is accepted now.
    pub(super) fn new(enrolment: ModuleEnrolment, accepted: Moment) -> Self {
        let ModuleEnrolment { party, created, maker, model, firmware, .. } = enrolment;
        let (revoked, slots) = (None, BTreeMap::new());
        Self { party, created, maker, model, firmware, accepted, revoked, slots }
    }

    pub(super) fn details(&self) -> ModuleDetails {
        ModuleDetails {
            module: self.party.id().clone().into(),
            fingerprint: self.party.fingerprint().to_string(),
            maker: self.maker.to_string(),
            model: self.model.to_string(),
            firmware: self.firmware.to_string(),
            created: self.created,
        }
    }

    pub(super) fn report(&self, is_test: bool) -> ModuleReport {
        ModuleReport {
            details: self.details(),
            accepted: self.accepted,
            state: self
                .revoked
                .map_or(ModuleState::Accepted, |since| ModuleState::Revoked { since }),
            slots: self.slots.keys().copied().collect(),
            is_test,
        }
    }
}

impl CentreContents {
    /// A new centre that knows nobody.
    pub(super) fn new(identity: Identity, created: Moment, expires: Moment) -> Self {
        Self {
            identity: Box::new(identity),
            created,
            activation: created,
            expires,
            former: Vec::new(),
            serial: 0,
            modules: BTreeMap::new(),
            keys: BTreeMap::new(),
            database: ExpectedDatabase::NEW,
        }
    }

    /// The states of the centre's database that are expected.
    pub const fn database(&self) -> ExpectedDatabase {
        self.database
    }

    /// The centre's name.
    pub(super) fn centre(&self) -> CentreId {
        self.identity.name().id().clone().into()
    }

    /// Takes on other keys of its own. What slots agreed on belonged to the keys before.
    pub(super) fn renew(&mut self, identity: Box<Identity>, now: Moment, expires: Moment) {
        self.former.push((self.identity.name().clone(), now));
        self.identity = identity;
        (self.created, self.activation, self.expires) = (now, now, expires);
        self.modules.values_mut().for_each(|module| module.slots.clear());
    }

    /// The vending keys, but for their bytes.
    pub(super) fn key_reports(&self, is_test: bool) -> Vec<VendingKeyReport> {
        let report = |(&name, held): (&KeyName, &HeldKey)| {
            let (group, revision) = name.elements()?;
            Some(VendingKeyReport {
                group,
                revision,
                algorithm: held.key.algorithm(),
                check_value: held.check_value,
                created: held.created,
                is_imported: held.is_imported,
                is_test,
            })
        };
        self.keys.iter().filter_map(report).collect()
    }
}

impl Contents for CentreContents {
    type Entry = CentreEntry;

    const KIND: Kind = Kind { number: 2, name: "centre" };

    fn encode(&self, w: &mut Writer) {
        w.u8(VERSION);
        w.text(self.identity.name().id().as_str());
        w.array(&*self.identity.expose_bytes());
        for moment in [self.created, self.activation, self.expires] {
            w.u64(moment.unix_seconds());
        }
        w.list(&self.former, |w, (name, renewed)| {
            w.text(&name.to_string());
            w.u64(renewed.unix_seconds());
        });
        w.u64(self.serial);
        w.list(&self.modules, |w, (_, module)| write_module(w, module));
        w.list(&self.keys, |w, (name, held)| {
            w.u32(name.0);
            w.u8(name.1);
            w.u8(held.key.algorithm().code());
            w.array(held.key.expose_bytes());
            w.u64(held.created.unix_seconds());
            w.bool(held.is_imported);
        });
        for state in [self.database.current, self.database.next] {
            w.option(state, |w, state| {
                w.u64(state.number);
                w.array(&state.digest);
            });
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error = r.error("contents of version 4");
        if r.u8()? != VERSION {
            return Err(error);
        }
        let id: Identifier = r.parse("a centre's name")?;
        let error = r.error("two secret keys");
        let secrets = r.take(96)?;
        let identity = Identity::from_bytes(PartyKind::Centre, id, secrets).map_err(|_| error)?;
        let [created, activation, expires] = [moment(r)?, moment(r)?, moment(r)?];
        let error = r.error("this centre under other keys");
        let former: Vec<(PartyName, Moment)> =
            r.list(|r| Ok((r.parse("a centre's name")?, moment(r)?)))?;
        let own = identity.name();
        let is_former =
            |(name, _): &(PartyName, Moment)| name.kind() == own.kind() && name.id() == own.id();
        if !former.iter().all(is_former) {
            return Err(error);
        }
        let serial = r.u64()?;
        let modules = rising(r, |r| {
            let module = read_module(r)?;
            Ok((module.party.id().clone().into(), module))
        })?;
        let keys = rising(r, read_key)?;
        let database =
            ExpectedDatabase { current: r.option(read_state)?, next: r.option(read_state)? };
        let identity = Box::new(identity);
        Ok(Self { identity, created, activation, expires, former, serial, modules, keys, database })
    }

    /// A centre's entries are never ahead of its contents, but for what changes nothing, and for the state that its
    /// database may have.
    fn replay(&mut self, entry: &CentreEntry, _: At) -> Result<(), ReplayError> {
        match entry {
            CentreEntry::RequestRefused { .. } => Ok(()),
            &CentreEntry::DatabaseWritten { number, digest } => {
                match self.database.announce(DatabaseState { number, digest }) {
                    true => Ok(()),
                    false => Err(ReplayError::Wrong {
                        problem: format!("state {number} of the database does not follow the last"),
                    }),
                }
            }
            &CentreEntry::DatabaseAdopted { number, digest } => {
                self.database.next = Some(DatabaseState { number, digest });
                Ok(())
            }
            _ => Err(ReplayError::Unexpected),
        }
    }

    /// A centre has no limits to give back; only its serial numbers must not come twice.
    fn restored(&mut self, _limits: RestoredLimits) {
        self.serial = self.serial.saturating_add(RESTORED_JUMP);
    }
}

fn write_module(w: &mut Writer, module: &KnownModule) {
    w.bytes(&module.party.encode());
    w.u64(module.created.unix_seconds());
    for label in [&module.maker, &module.model, &module.firmware] {
        w.text(label.as_str());
    }
    w.u64(module.accepted.unix_seconds());
    w.option(module.revoked, |w, since| w.u64(since.unix_seconds()));
    w.list(&module.slots, |w, (&slot, agreed)| {
        w.u16(slot);
        w.u64(agreed.requested.unix_seconds());
        w.list(&agreed.nonces, |w, nonce| w.array(&nonce.bytes()));
        w.array(&agreed.digest);
        w.u64(agreed.answered.unix_seconds());
        w.array(&agreed.centre_nonce.bytes());
        w.array(&*agreed.keys.expose_bytes());
    });
}

fn read_module(r: &mut Reader<'_>) -> Result<KnownModule, DecodeError> {
    let error = r.error("a module's public keys");
    let party = PublicIdentity::decode(r.bytes()?).map_err(|_| error)?;
    if party.kind() != PartyKind::Module {
        return Err(error);
    }
    Ok(KnownModule {
        party,
        created: moment(r)?,
        maker: r.parse("a maker")?,
        model: r.parse("a model")?,
        firmware: r.parse("a firmware")?,
        accepted: moment(r)?,
        revoked: r.option(moment)?,
        slots: rising(r, read_slot)?,
    })
}

fn read_slot(r: &mut Reader<'_>) -> Result<(u16, Agreed), DecodeError> {
    let error = r.error("a slot, 1 to 9999");
    let slot = SlotNumber::try_from(r.u16()?).map_err(|_| error)?;
    let requested = moment(r)?;
    let error = r.error("at least one nonce");
    let nonces = r.list(|r| Ok(Nonce::from_bytes(r.array()?)))?;
    if nonces.is_empty() {
        return Err(error);
    }
    let digest = r.array()?;
    let answered = moment(r)?;
    let centre_nonce = Nonce::from_bytes(r.array()?);
    let error = r.error("slot keys");
    let keys = Box::new(SlotKeys::from_bytes(r.take(112)?).map_err(|_| error)?);
    Ok((slot.value(), Agreed { requested, nonces, digest, answered, centre_nonce, keys }))
}

fn read_key(r: &mut Reader<'_>) -> Result<(KeyName, HeldKey), DecodeError> {
    let error = r.error("a supply group and a revision");
    let name = KeyName(r.u32()?, r.u8()?);
    name.elements().ok_or(error)?;
    let error = r.error("an algorithm");
    let algorithm = DecoderKeyGenerationAlgorithm::from_code(r.u8()?).map_err(|_| error)?;
    let bytes = r.take(algorithm.vending_key_bytes())?;
    let key = Box::new(VendingKey::new(algorithm, bytes).map_err(|_| error)?);
    let check_value = check_value(&key);
    Ok((name, HeldKey { key, check_value, created: moment(r)?, is_imported: r.bool()? }))
}

fn read_state(r: &mut Reader<'_>) -> Result<DatabaseState, DecodeError> {
    Ok(DatabaseState { number: r.u64()?, digest: r.array()? })
}

fn moment(r: &mut Reader<'_>) -> Result<Moment, DecodeError> {
    let error = r.error("a moment");
    Moment::from_unix_seconds(r.u64()?).ok_or(error)
}

/// Reads a list whose names rise, so that there is one form only.
fn rising<K: Ord, V>(
    r: &mut Reader<'_>,
    read: impl FnMut(&mut Reader<'_>) -> Result<(K, V), DecodeError>,
) -> Result<BTreeMap<K, V>, DecodeError> {
    let error = r.error("names in rising order");
    let list = r.list(read)?;
    if !list.is_sorted_by(|(a, _), (b, _)| a < b) {
        return Err(error);
    }
    Ok(list.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use prepay_testkit::Foreseeable;

    fn sample() -> CentreContents {
        let at = |seconds: u64| Moment::from_unix_seconds(1_772_366_400 + seconds).unwrap();
        let mut entropy = Foreseeable::new(1);
        let mut identity = |kind, name: &str| {
            Identity::generate(kind, name.parse().unwrap(), &mut entropy).unwrap()
        };
        let centre = identity(PartyKind::Centre, "CENTRE-1");
        let mut contents = CentreContents::new(centre, at(0), at(1000));
        for number in 0..2 {
            contents.renew(Box::new(identity(PartyKind::Centre, "CENTRE-1")), at(number), at(2000));
        }
        contents.serial = 77;
        for (name, revoked) in [("SM-1", None), ("SM-2", Some(at(9)))] {
            let agreed = Agreed {
                requested: at(5),
                nonces: vec![Nonce::from_bytes([1; 16]), Nonce::from_bytes([2; 16])],
                digest: [3; 32],
                answered: at(6),
                centre_nonce: Nonce::from_bytes([5; 16]),
                keys: Box::new(SlotKeys::from_bytes(&[4; 112]).unwrap()),
            };
            let module = KnownModule {
                party: identity(PartyKind::Module, name).public().clone(),
                created: at(1),
                maker: "Maker".parse().unwrap(),
                model: "Model 1".parse().unwrap(),
                firmware: "1.0".parse().unwrap(),
                accepted: at(2),
                revoked,
                slots: [(3, agreed)].into(),
            };
            contents.modules.insert(name.parse().unwrap(), module);
        }
        for code in 2..=4 {
            let algorithm = DecoderKeyGenerationAlgorithm::from_code(code).unwrap();
            let bytes = &[0x31; 20][..algorithm.vending_key_bytes()];
            let key = VendingKey::new(algorithm, bytes).unwrap();
            let held = HeldKey::new(&key, at(3), code == 4);
            contents.keys.insert(KeyName(123_456, code), held);
        }
        let state = |number| DatabaseState { number, digest: [number as u8; 32] };
        contents.database = ExpectedDatabase { current: Some(state(8)), next: Some(state(9)) };
        contents
    }

    fn encoded(contents: &CentreContents) -> Vec<u8> {
        let mut writer = Writer::new();
        contents.encode(&mut writer);
        writer.as_slice().to_vec()
    }

    fn decoded(bytes: &[u8]) -> Result<CentreContents, DecodeError> {
        let mut reader = Reader::new(bytes);
        let contents = CentreContents::decode(&mut reader)?;
        reader.finish()?;
        Ok(contents)
    }

    #[test]
    fn contents_come_back_as_they_were() {
        let bytes = encoded(&sample());
        let again = decoded(&bytes).unwrap();
        assert_eq!(encoded(&again), bytes);
        assert_eq!(again.key_reports(true), sample().key_reports(true));
        assert_eq!(again.serial, 77);
    }

    #[test]
    fn contents_of_another_version_are_refused() {
        for version in [0, 1, 2, 3, 5, u8::MAX] {
            let mut bytes = encoded(&sample());
            bytes[0] = version;
            let refused = decoded(&bytes).map(drop).unwrap_err();
            assert!(refused.to_string().contains("contents of version 4"), "{version}: {refused}");
        }
    }

    #[test]
    fn a_change_of_the_database_in_the_log_follows_the_state_before() {
        let at = At { sequence: 1, moment: Moment::MIN };
        let entry = |number, digest| CentreEntry::DatabaseWritten { number, digest: [digest; 32] };
        let state = |number, digest| DatabaseState { number, digest: [digest; 32] };
        // State 8 is the current one, and 9 may follow. (entry, the current state afterwards)
        for (next, current) in [((9, 1), state(8, 8)), ((10, 1), state(9, 9))] {
            let mut contents = sample();
            contents.replay(&entry(next.0, next.1), at).unwrap();
            let expected =
                ExpectedDatabase { current: Some(current), next: Some(state(next.0, next.1)) };
            assert_eq!(contents.database, expected);
        }
        for number in [0, 7, 8, 11] {
            assert!(sample().replay(&entry(number, 1), at).is_err(), "{number}");
        }
        let mut contents = sample();
        contents.replay(&CentreEntry::DatabaseAdopted { number: 3, digest: [1; 32] }, at).unwrap();
        assert_eq!(contents.database.next, Some(state(3, 1)));
    }

    #[test]
    fn cuts_are_refused_and_every_other_form_is_another_value() {
        let bytes = encoded(&sample());
        // Not at every byte, since each reading checks points of the curve; steps that meet every field.
        for length in (0..bytes.len()).step_by(11) {
            assert!(decoded(&bytes[..length]).is_err(), "cut at {length}");
        }
        for at in (0..bytes.len()).step_by(7) {
            let mut other = bytes.clone();
            other[at] ^= 1 << (at % 8);
            if let Ok(contents) = decoded(&other) {
                assert_eq!(encoded(&contents), other, "byte {at}");
            }
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(decoded(&longer).is_err());
    }

    #[test]
    fn only_a_refused_request_may_be_ahead_of_the_contents() {
        let at = At { sequence: 1, moment: Moment::MIN };
        let module: ModuleId = "SM-1".parse().unwrap();
        let (operation, reason) = ("answer".to_string(), "unknown: who".to_string());
        let refused = CentreEntry::RequestRefused { operation, reason };
        let before = encoded(&sample());
        for (entry, expected) in [
            (refused, Ok(())),
            (CentreEntry::ModuleRevoked { module }, Err(ReplayError::Unexpected)),
        ] {
            let mut contents = sample();
            assert_eq!(contents.replay(&entry, at), expected, "{entry:?}");
            assert_eq!(encoded(&contents), before, "{entry:?}");
        }
    }

    #[test]
    fn lists_whose_names_do_not_rise_are_refused() {
        let list = |names: &[u16]| {
            let mut writer = Writer::new();
            writer.list(names, |w, &name| w.u16(name));
            let mut reader = Reader::new(writer.as_slice());
            rising(&mut reader, |r| Ok((r.u16()?, ())))
        };
        for names in [&[][..], &[1], &[1, 2, 9]] {
            let read = list(names).unwrap();
            assert!(read.keys().eq(names), "{names:?}");
        }
        for names in [&[1, 1][..], &[2, 1], &[1, 3, 2]] {
            assert!(list(names).is_err(), "{names:?}");
        }
    }

    #[test]
    fn a_former_name_is_this_centre_under_other_keys() {
        let strangers = [(PartyKind::Centre, "CENTRE-2"), (PartyKind::Module, "CENTRE-1")];
        for (kind, name) in strangers {
            let mut contents = sample();
            let name =
                Identity::generate(kind, name.parse().unwrap(), &mut Foreseeable::new(9)).unwrap();
            contents.former[1].0 = name.name().clone();
            assert!(decoded(&encoded(&contents)).is_err());
        }
    }

    #[test]
    fn renewing_keeps_all_but_the_keys_of_the_centre_and_of_its_slots() {
        let mut contents = sample();
        let (before, later) =
            (contents.identity.name().clone(), Moment::from_unix_seconds(1 << 31));
        let name = "CENTRE-1".parse().unwrap();
        let identity =
            Identity::generate(PartyKind::Centre, name, &mut Foreseeable::new(77)).unwrap();
        contents.renew(Box::new(identity), later.unwrap(), later.unwrap().plus_days(10));
        assert_ne!(*contents.identity.name(), before);
        assert_eq!(contents.former.last(), Some(&(before, later.unwrap())));
        assert_eq!((contents.former.len(), contents.serial, contents.modules.len()), (3, 77, 2));
        assert!(contents.modules.values().all(|module| module.slots.is_empty()));
        assert_eq!(contents.key_reports(true), sample().key_reports(true));
    }

    #[test]
    fn a_restored_centre_jumps_ahead_with_its_serial_numbers() {
        let mut contents = sample();
        contents.restored(RestoredLimits::Accepted);
        assert_eq!(contents.serial, 77 + RESTORED_JUMP);
        contents.serial = u64::MAX - 1;
        contents.restored(RestoredLimits::Stopped);
        assert_eq!(contents.serial, u64::MAX);
    }
}
