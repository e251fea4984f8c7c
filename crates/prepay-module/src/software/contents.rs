//! The sealed contents of a module, and their binary format.
//!
//! Requests that were carried out are not part of it, only the list of the files that have their names.
//!
//! - Elsewhere: sealing, journal and people (`vault`), the values of attributes (`attribute.rs`).

use std::io;
use std::str::FromStr;

use prepay_token::element::{
    AlgorithmPolicy, BaseDate, DecoderKeyGenerationAlgorithm, KeyExpiryNumber, KeyRevisionNumber,
    KeyType, RandomNumber, SupplyGroupCode,
};
use prepay_token::key::{
    CommonKeyRule, DerivationPolicy, KeyTransitions, TransitionPermission, VendingKey,
};

use super::entry::ModuleEntry;
use super::issuer::{Counters, Issuer};
use super::names::Names;
use super::policy::{ModulePolicy, TestMode, TidReuse};
use super::register::{Register, Registers};
use super::slot::{OpenRequest, Slot, SlotState, USED_NONCES};
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Identifier, Moment};
use prepay_kmp::attribute::{
    Cluster, CurrencyLimit, RegisterNumber, SubClassSet, UnitLimit, VendingKeyType,
};
use prepay_kmp::{
    Identity, Nonce, PartyKind, PartyName, PendingAgreement, PublicIdentity, SlotKeys, SlotNumber,
    VendingKeyAttributes,
};
use prepay_vault::{At, Contents, Kind, ReplayError, RestoredLimits};

/// The version of the form.
const VERSION: u8 = 4;

/// The sealed contents of a module.
pub struct ModuleContents {
    pub(crate) identity: Identity,
    pub(crate) created: Moment,
    pub(crate) issuer: Issuer,
    pub(crate) slots: Vec<Slot>, // Invariant: in rising order of their numbers.
    pub(crate) revoked: Vec<PartyName>,
}

impl Contents for ModuleContents {
    type Entry = ModuleEntry;

    const KIND: Kind = Kind { number: 1, name: "module" };

    fn needed_from(&self) -> u64 {
        self.issuer.names.needed_from()
    }

    fn items(entry: &ModuleEntry) -> u64 {
        match entry {
            ModuleEntry::Issued { rows } => rows.len() as u64,
            _ => 0,
        }
    }

    fn encode(&self, w: &mut Writer) {
        let Self { identity, created, issuer, slots, revoked } = self;
        w.u8(VERSION);
        w.text(identity.public().id().as_str());
        w.array(&*identity.expose_bytes());
        moment(w, *created);
        write_policy(w, &issuer.policy);
        w.option(issuer.test, |w, test| {
            w.option(test.fixed_time, moment);
            w.option(test.fixed_random, |w, random| w.u8(random.value()));
            w.option(test.run_names, Writer::u32);
        });
        w.u64(issuer.counters.random);
        w.u64(issuer.counters.transactions);
        w.option(issuer.counters.transactions_left, Writer::u64);
        let registers: Vec<_> = issuer.registers.iter().collect();
        w.list(registers, write_register);
        w.list(slots, write_slot);
        w.list(revoked, |w, name| w.text(&name.to_string()));
        issuer.names.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error = r.error("contents of version 4");
        if r.u8()? != VERSION {
            return Err(error);
        }
        let id: Identifier = r.parse("the module's name")?;
        let error = r.error("the module's key pairs");
        let secrets = zeroize::Zeroizing::new(r.array::<96>()?);
        let identity = Identity::from_bytes(PartyKind::Module, id, &*secrets).map_err(|_| error)?;
        let created = read_moment(r)?;
        let policy = read_policy(r)?;
        let test = r.option(|r| {
            Ok(TestMode {
                fixed_time: r.option(read_moment)?,
                fixed_random: r
                    .option(|r| value(r, "a random number", Reader::u8, RandomNumber::try_from))?,
                run_names: r.option(Reader::u32)?,
            })
        })?;
        let counters = Counters {
            random: r.u64()?,
            transactions: r.u64()?,
            transactions_left: r.option(Reader::u64)?,
        };
        let mut registers = Registers::default();
        for register in r.list(|r| read_register(r, policy.derivation))? {
            if registers.get(register.number).is_some() {
                return Err(r.error("each register once"));
            }
            registers.put(register);
        }
        let slots = r.list(read_slot)?;
        if !slots.is_sorted_by(|a, b| a.number < b.number) {
            return Err(r.error("slots in rising order"));
        }
        let revoked = r.list(|r| r.parse("a centre's name"))?;
        let run_names = test.and_then(|test| test.run_names);
        let names = Names::decode(r, policy.tid_reuse, run_names)?;
        let issuer = Issuer { policy, test, registers, counters, names };
        Ok(Self { identity, created, issuer, slots, revoked })
    }

    fn remember(&mut self, entry: &ModuleEntry, at: At) {
        let Issuer { names, registers, .. } = &mut self.issuer;
        match entry {
            ModuleEntry::Issued { rows } => names.put_again(rows, at, registers),
            ModuleEntry::KeyDeleted { key } if at.sequence >= names.needed_from() => {
                if let Some(register) = key.register {
                    names.void(register);
                }
            }
            _ => {}
        }
    }

    fn replay(&mut self, entry: &ModuleEntry, at: At) -> Result<(), ReplayError> {
        match entry {
            ModuleEntry::Issued { rows } => {
                rows.iter().for_each(|row| self.issuer.replay(row));
                self.issuer.names.put_again(rows, at, &self.issuer.registers);
                Ok(())
            }
            // They changed nothing, or something that the store has.
            ModuleEntry::LoadRefused { .. } | ModuleEntry::NamesRebuilt { .. } => Ok(()),
            _ => Err(ReplayError::Unexpected),
        }
    }

    /// A back-up does not give limits back: what was issued since it was made is not in it. So every key
    /// waits for a fresh load, unless two custodians answer for it.
    fn restored(&mut self, limits: RestoredLimits) {
        if limits == RestoredLimits::Stopped {
            self.issuer.registers.iter_mut().for_each(Register::stop);
            let left = &mut self.issuer.counters.transactions_left;
            *left = left.map(|_| 0);
        }
        // A request written before the back-up may have been answered and used since.
        for slot in &mut self.slots {
            slot.requests.clear();
            slot.pending = None;
        }
    }

    fn without_files(&mut self) {
        self.issuer.names.clear();
    }

    fn keep_elsewhere(&mut self, entropy: &mut dyn Entropy) -> io::Result<()> {
        self.issuer.names.write_all(entropy)
    }
}

fn moment(w: &mut Writer, moment: Moment) {
    w.u64(moment.unix_seconds());
}

pub(super) fn read_moment(r: &mut Reader<'_>) -> Result<Moment, DecodeError> {
    let error = r.error("a moment");
    Moment::from_unix_seconds(r.u64()?).ok_or(error)
}

/// A number, or bytes, that are a value of some kind.
fn value<'a, N, T, E>(
    r: &mut Reader<'a>,
    what: &'static str,
    number: impl FnOnce(&mut Reader<'a>) -> Result<N, DecodeError>,
    convert: impl FnOnce(N) -> Result<T, E>,
) -> Result<T, DecodeError> {
    let error = r.error(what);
    convert(number(r)?).map_err(|_| error)
}

/// A text that is a value of some kind, in whatever form it is written.
fn text<T: FromStr>(r: &mut Reader<'_>, what: &'static str) -> Result<T, DecodeError> {
    let error = r.error(what);
    r.text()?.parse().map_err(|_| error)
}

fn write_policy(w: &mut Writer, policy: &ModulePolicy) {
    w.option(policy.window_minutes, Writer::u32);
    for (from, to) in key_type_pairs() {
        w.u8(match policy.transitions.permission(from, to) {
            TransitionPermission::Always => 0,
            TransitionPermission::ErasableCarrierOnly => 1,
            TransitionPermission::Never => 2,
        });
    }
    w.bool(policy.derivation.algorithms.dea_with_des_derived_keys);
    w.bool(policy.derivation.dkga04_common_key == CommonKeyRule::WholePan);
    w.option(policy.transactions, Writer::u64);
    w.u32(policy.warning_days);
    w.u32(policy.request_days);
    w.u32(policy.remember_days);
    w.bool(policy.tid_reuse == TidReuse::Allow);
}

fn read_policy(r: &mut Reader<'_>) -> Result<ModulePolicy, DecodeError> {
    let window_minutes = r.option(Reader::u32)?;
    let mut matrix = [[TransitionPermission::Never; 4]; 4];
    for (from, to) in key_type_pairs() {
        let error = r.error("a permission");
        matrix[usize::from(from.value())][usize::from(to.value())] = match r.u8()? {
            0 => TransitionPermission::Always,
            1 => TransitionPermission::ErasableCarrierOnly,
            2 => TransitionPermission::Never,
            _ => return Err(error),
        };
    }
    let dea_with_des_derived_keys = r.bool()?;
    let dkga04_common_key = if r.bool()? { CommonKeyRule::WholePan } else { CommonKeyRule::Refuse };
    Ok(ModulePolicy {
        window_minutes,
        transitions: KeyTransitions::new(matrix),
        derivation: DerivationPolicy {
            algorithms: AlgorithmPolicy { dea_with_des_derived_keys },
            dkga04_common_key,
        },
        transactions: r.option(Reader::u64)?,
        warning_days: r.u32()?,
        request_days: r.u32()?,
        remember_days: r.u32()?,
        tid_reuse: if r.bool()? { TidReuse::Allow } else { TidReuse::Refuse },
    })
}

/// Every pair of an old and a new key type.
fn key_type_pairs() -> impl Iterator<Item = (KeyType, KeyType)> {
    const ALL: [KeyType; 4] =
        [KeyType::Initialization, KeyType::Default, KeyType::Unique, KeyType::Common];
    ALL.into_iter().flat_map(|from| ALL.into_iter().map(move |to| (from, to)))
}

fn write_register(w: &mut Writer, register: &Register) {
    let attributes = &register.attributes;
    w.u16(register.number.value());
    w.text(register.centre.as_str());
    w.u32(attributes.supply_group.value());
    w.u8(attributes.key_revision.value());
    w.u8(attributes.key_type.key_type().value());
    w.u8(attributes.algorithm.code());
    w.bytes(register.key.expose_bytes());
    w.array(&register.check_value.bytes());
    w.u8(attributes.expiry.value());
    w.u16(attributes.base_date.year());
    moment(w, attributes.activation);
    moment(w, attributes.issued_until);
    w.option(attributes.unit_limit.0, Writer::u32);
    w.option(attributes.currency_limit.0, Writer::u32);
    w.u16(attributes.cluster.0);
    w.u8(attributes.sub_classes.bits());
    w.text(attributes.name.as_str());
    w.option(register.units_left_tenths, Writer::u64);
    w.option(register.currency_left, Writer::u128);
}

fn read_register(
    r: &mut Reader<'_>,
    policy: DerivationPolicy,
) -> Result<Box<Register>, DecodeError> {
    let number = value(r, "a register", Reader::u16, RegisterNumber::try_from)?;
    let centre = r.parse("a centre")?;
    let supply_group = value(r, "a supply group", Reader::u32, SupplyGroupCode::try_from)?;
    let key_revision = value(r, "a revision", Reader::u8, KeyRevisionNumber::try_from)?;
    let key_type = value(r, "a key type", Reader::u8, KeyType::try_from)?;
    let error = r.error("the type of a vending key");
    let key_type = VendingKeyType::try_from(key_type).map_err(|_| error)?;
    let algorithm = value(r, "an algorithm", Reader::u8, DecoderKeyGenerationAlgorithm::from_code)?;
    let key = value(r, "a vending key", Reader::bytes, |bytes| VendingKey::new(algorithm, bytes))?;
    let error = r.error("the key's check value");
    let check_value = r.array::<3>()?;
    let attributes = VendingKeyAttributes {
        supply_group,
        key_revision,
        key_type,
        algorithm,
        expiry: KeyExpiryNumber::from(r.u8()?),
        base_date: value(r, "a base date", Reader::u16, BaseDate::try_from)?,
        activation: read_moment(r)?,
        issued_until: read_moment(r)?,
        unit_limit: UnitLimit(r.option(Reader::u32)?),
        currency_limit: CurrencyLimit(r.option(Reader::u32)?),
        cluster: Cluster(r.u16()?),
        sub_classes: SubClassSet::from_bits(r.u8()?),
        name: text(r, "a group name")?,
    };
    let mut register = Register::new(number, attributes, &key, centre, policy);
    if register.check_value.bytes() != check_value {
        return Err(error);
    }
    register.units_left_tenths = r.option(Reader::u64)?;
    register.currency_left = r.option(Reader::u128)?;
    Ok(register)
}

fn write_slot(w: &mut Writer, slot: &Slot) {
    w.u16(slot.number.value());
    w.bytes(&slot.centre.encode());
    moment(w, slot.activation);
    moment(w, slot.expires);
    match &slot.state {
        SlotState::Loading => w.u8(0),
        SlotState::Pending => w.u8(1),
        SlotState::Active => w.u8(2),
    }
    w.option(slot.keys.as_ref(), |w, keys| w.array(&*keys.expose_bytes()));
    w.option(slot.pending.as_ref(), |w, pending| w.array(&*pending.expose_bytes()));
    w.list(&slot.requests, |w, request| {
        w.array(&request.nonce.bytes());
        moment(w, request.expires);
    });
    w.list(&slot.used, |w, nonce| w.array(&nonce.bytes()));
    w.option(slot.last_serial, Writer::u64);
}

fn read_slot(r: &mut Reader<'_>) -> Result<Slot, DecodeError> {
    let number = value(r, "a slot", Reader::u16, SlotNumber::try_from)?;
    let centre = value(r, "a centre's keys", Reader::bytes, PublicIdentity::decode)?;
    let (activation, expires) = (read_moment(r)?, read_moment(r)?);
    let error = r.error("the state of a slot");
    let state = match r.u8()? {
        0 => SlotState::Loading,
        1 => SlotState::Pending,
        2 => SlotState::Active,
        _ => return Err(error),
    };
    let keys = r.option(|r| value(r, "slot keys", |r| r.take(112), SlotKeys::from_bytes))?;
    let pending =
        r.option(|r| value(r, "an agreement", |r| r.take(74), PendingAgreement::from_bytes))?;
    let requests = r.list(|r| {
        Ok(OpenRequest { nonce: Nonce::from_bytes(r.array()?), expires: read_moment(r)? })
    })?;
    let error = r.error("as many used numbers as are kept");
    let used = r.list(|r| r.array().map(Nonce::from_bytes))?;
    if used.len() > USED_NONCES {
        return Err(error);
    }
    let last_serial = r.option(Reader::u64)?;
    let used = used.into();
    Ok(Slot {
        number,
        centre,
        activation,
        expires,
        state,
        keys,
        pending,
        requests,
        used,
        last_serial,
    })
}
