//! The meter: its state, what it holds in memory only, and the path of a token through it.
//!
//! ```text
//!  enter ─ check ─┬─ refused: nothing changes
//!                 ├─ test: shown, nothing changes
//!                 ├─ section of a key: held in memory ─ complete? ─┐
//!                 └─ credit, management: a copy of the state ──────┴─ commit ─ the copy is the state
//! ```
//!
//! - Time: seconds of a counter that never goes back while the meter runs. It may restart with the meter.
//! - Source: IEC 62055-41:2018, meter application process.
//! - Elsewhere: the checks (`check.rs`), the effects (`execute.rs`), use of credit (`consumption.rs`), the
//!   values of registers (`readout.rs`).

use core::fmt;

use prepay_token::element::{MeterPan, TokenCarrierType, TokenIdentifier};
use prepay_token::key::TokenCipher;
use prepay_token::key_change::{Assembly, KeySection, NewKey};
use prepay_token::{Class, Token, TokenData};

use crate::check::{Approved, Judge, Rejected};
use crate::display::DisplayProgramme;
use crate::key_change::{KeyChange, SectionSet};
use crate::maker::{Maker, NoMaker};
use crate::outcome::{Effect, Outcome, Refusal};
use crate::profile::{Profile, ProfileError};
use crate::record::BODY_START;
use crate::result::TokenResult;
use crate::state::MeterState;
use crate::storage::{LoadError, Loaded, Place, Slot, Storage};
use crate::trip::Trip;

/// A meter that remembers up to `TIDS` identifiers and knows `FLAGS` flags and `CONTROLS` controls.
pub struct Meter<const TIDS: usize = 50, const FLAGS: usize = 12, const CONTROLS: usize = 1> {
    pub(crate) profile: Profile,
    pub(crate) state: MeterState<TIDS, FLAGS, CONTROLS>,
    place: Place,
    cipher: TokenCipher,
    key_change: KeyChange,
    pub(crate) locked_until_s: u64,
    pub(crate) last_result: Option<TokenResult>,
    pub(crate) trip: Trip,
    pub(crate) power_watts: u32,
    pub(crate) uncommitted: u64,
}

/// What a meter is given when it is made.
#[derive(Clone, Debug)]
pub struct Birth {
    /// Its number.
    pub pan: MeterPan,
    /// Its first key, with everything that belongs to it.
    pub key: NewKey,
    /// How many identifiers it remembers: at least 50, and no more than there is room for.
    pub remembered: u16,
    /// The identifier of the day of manufacture: the meter refuses it and all earlier ones.
    pub manufactured: TokenIdentifier,
}

/// Why a meter was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManufactureError<F> {
    /// The profile does not suit the key.
    Profile(ProfileError),
    /// The meter would remember too few or too many identifiers.
    Remembered {
        /// The most that it has room for.
        most: u16,
        /// How many were requested.
        found: u16,
    },
    /// The state could not be stored. Try again.
    Medium(F),
}

/// The fewest identifiers that a meter remembers.
const FEWEST_REMEMBERED: u16 = 50;

impl<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize> Meter<TIDS, FLAGS, CONTROLS> {
    /// How many bytes a slot of the storage must have.
    pub const RECORD_LENGTH: usize =
        BODY_START + MeterState::<TIDS, FLAGS, CONTROLS>::BODY_LENGTH as usize;

    /// Makes a meter and stores its first state, replacing whatever the storage held.
    ///
    /// # Errors
    ///
    /// [`ManufactureError`], the first that applies.
    pub fn manufacture<S: Storage>(
        profile: Profile,
        birth: Birth,
        storage: &mut S,
    ) -> Result<Self, ManufactureError<S::Fault>> {
        profile.check(birth.key.key.algorithm()).map_err(ManufactureError::Profile)?;
        let (most, found) = (TIDS as u16, birth.remembered);
        if !(FEWEST_REMEMBERED..=most).contains(&found) {
            return Err(ManufactureError::Remembered { most, found });
        }
        let Birth { pan, key, remembered, manufactured } = birth;
        let state = MeterState::new(pan, key, remembered, manufactured);
        storage.erase(Slot::A).map_err(ManufactureError::Medium)?;
        storage.erase(Slot::B).map_err(ManufactureError::Medium)?;
        let place = Place::BLANK.commit(&state, storage).map_err(ManufactureError::Medium)?;
        Ok(Self::with_state(profile, state, place))
    }

    /// Starts a meter from its storage, as after loss of power.
    ///
    /// If the record lacks a sound repetition of its header (power failed while it was written, it is damaged, or
    /// the record has version 1), the state is stored again.
    ///
    /// # Errors
    ///
    /// [`LoadError`]. Do not ignore any of them: a meter that starts from an older state could give credit
    /// twice.
    pub fn load<S: Storage>(
        profile: Profile,
        storage: &mut S,
        now_s: u64,
    ) -> Result<Self, LoadError<S::Fault>> {
        let Loaded { place, state, is_repeated } = Place::load(storage)?;
        profile.check(state.algorithm()).map_err(LoadError::Profile)?;
        let mut meter = Self::with_state(profile, state, place);
        if !is_repeated {
            meter.place = place.commit(&meter.state, storage).map_err(LoadError::Medium)?;
        }
        match meter.profile.policy.lockout {
            Some(lockout) if !lockout.reset_on_power => meter.lock(now_s),
            _ => meter.state.failures = 0,
        }
        Ok(meter)
    }

    fn with_state(
        profile: Profile,
        state: MeterState<TIDS, FLAGS, CONTROLS>,
        place: Place,
    ) -> Self {
        Self {
            profile,
            cipher: TokenCipher::new(&state.key),
            state,
            place,
            key_change: KeyChange::default(),
            locked_until_s: 0,
            last_result: None,
            trip: Trip::default(),
            power_watts: 0,
            uncommitted: 0,
        }
    }

    /// Enters the 66 bits of a token from any carrier.
    ///
    /// Proprietary tokens are a function error; [`enter_with`](Self::enter_with) asks the maker.
    ///
    /// # Errors
    ///
    /// The fault of the storage. The meter is then as before, and the token may be entered again.
    pub fn enter<S: Storage>(
        &mut self,
        data: TokenData,
        carrier: TokenCarrierType,
        now_s: u64,
        storage: &mut S,
    ) -> Result<Outcome, S::Fault> {
        self.enter_with(data, carrier, now_s, storage, &NoMaker)
    }

    /// Enters the text of a token from a keypad: twenty digits; blanks, line ends and dashes are ignored.
    ///
    /// # Errors
    ///
    /// The fault of the storage, as for [`enter`](Self::enter).
    pub fn enter_digits<S: Storage>(
        &mut self,
        digits: &str,
        carrier: TokenCarrierType,
        now_s: u64,
        storage: &mut S,
    ) -> Result<Outcome, S::Fault> {
        match digits.parse() {
            Ok(data) => self.enter(data, carrier, now_s, storage),
            Err(_) => Ok(self.refuse_format()),
        }
    }

    /// Enters the 66 bits of a token as nine bytes, the six high bits zero.
    ///
    /// # Errors
    ///
    /// The fault of the storage, as for [`enter`](Self::enter).
    pub fn enter_bytes<S: Storage>(
        &mut self,
        bytes: [u8; 9],
        carrier: TokenCarrierType,
        now_s: u64,
        storage: &mut S,
    ) -> Result<Outcome, S::Fault> {
        match TokenData::from_bytes(bytes) {
            Ok(data) => self.enter(data, carrier, now_s, storage),
            Err(_) => Ok(self.refuse_format()),
        }
    }

    /// The answer to an entry that is not a token, such as too few digits on the keypad.
    pub fn refuse_format(&mut self) -> Outcome {
        self.last_result = Some(TokenResult::FormatError);
        Outcome::Refused(Refusal::Format)
    }

    /// Enters the 66 bits of a token from any carrier; `maker` answers for proprietary tokens.
    ///
    /// # Errors
    ///
    /// The fault of the storage, as for [`enter`](Self::enter).
    pub fn enter_with<S: Storage>(
        &mut self,
        data: TokenData,
        carrier: TokenCarrierType,
        now_s: u64,
        storage: &mut S,
        maker: &impl Maker,
    ) -> Result<Outcome, S::Fault> {
        self.key_change.expire(now_s, self.profile.policy.key_change_timeout_s);
        let outcome = match self.judge(carrier, now_s, maker).check(data) {
            Ok(approved) => self.accept(approved, carrier, now_s, storage)?,
            Err(rejected) => self.reject(rejected, data.class(), now_s, storage)?,
        };
        self.last_result = Some(outcome.result());
        Ok(outcome)
    }

    fn judge<'a, M: Maker>(
        &'a self,
        carrier: TokenCarrierType,
        now_s: u64,
        maker: &'a M,
    ) -> Judge<'a, M, TIDS, FLAGS, CONTROLS> {
        Judge {
            profile: &self.profile,
            state: &self.state,
            cipher: &self.cipher,
            carrier,
            is_locked: self.lockout_seconds(now_s) > 0,
            maker,
        }
    }

    fn accept<S: Storage>(
        &mut self,
        approved: Approved,
        carrier: TokenCarrierType,
        now_s: u64,
        storage: &mut S,
    ) -> Result<Outcome, S::Fault> {
        let effect = match &approved.token {
            Token::Test(test) if test.is_proprietary() => {
                let (sub_class, control) = (test.sub_class(), test.control().bits());
                Effect::ProprietaryTest { sub_class, control }
            }
            Token::Test(test) => {
                let zero = self.profile.policy.test_zero;
                Effect::Display(DisplayProgramme::of_tests(test.control(), zero))
            }
            Token::ExtendedRead { index, .. } => {
                Effect::Display(DisplayProgramme::of_extended(*index))
            }
            Token::KeyChange(section) => {
                return self.take_section(section.clone(), carrier, now_s, storage);
            }
            _ => {
                let mut next = self.state.clone();
                let Some(effect) = next.execute(&approved, &self.profile) else {
                    return Ok(Outcome::Refused(Refusal::Function));
                };
                self.commit(next, storage)?;
                self.forgive();
                effect
            }
        };
        Ok(Outcome::Accepted(effect))
    }

    /// Holds a section of a new key, and changes the key once the set is complete.
    fn take_section<S: Storage>(
        &mut self,
        section: KeySection,
        carrier: TokenCarrierType,
        now_s: u64,
        storage: &mut S,
    ) -> Result<Outcome, S::Fault> {
        let number = section.number();
        let mut held = self.key_change.clone();
        held.put(section, now_s);
        let refusal = match held.buffer.assemble(self.state.algorithm()) {
            Assembly::Incomplete => {
                self.key_change = held;
                let waiting_for = self.missing_sections();
                return Ok(Outcome::Waiting { section: number, waiting_for });
            }
            Assembly::SupplyGroupOutOfRange { .. } => Refusal::Range,
            Assembly::Complete(assembled) => {
                let judge = self.judge(carrier, now_s, &NoMaker);
                match judge.transition(assembled.new.key_type) {
                    Ok(()) => {
                        let mut next = self.state.clone();
                        let effect = next.change_key(assembled);
                        self.commit(next, storage)?;
                        self.cipher = TokenCipher::new(&self.state.key);
                        self.key_change = KeyChange::default();
                        self.forgive();
                        return Ok(Outcome::Accepted(effect));
                    }
                    Err(refusal) => refusal,
                }
            }
        };
        self.key_change = KeyChange::default();
        Ok(Outcome::Refused(refusal))
    }

    /// A refused section drops every section held; a wrong checksum counts towards a lockout, except in class 1,
    /// which no key protects.
    fn reject<S: Storage>(
        &mut self,
        rejected: Rejected,
        class: Class,
        now_s: u64,
        storage: &mut S,
    ) -> Result<Outcome, S::Fault> {
        let Rejected { refusal, is_section } = rejected;
        if is_section {
            self.key_change = KeyChange::default();
        }
        if let (Refusal::Checksum, Some(lockout)) = (refusal, self.profile.policy.lockout)
            && class != Class::Display
        {
            let failures = lockout.after(self.state.failures);
            if lockout.reset_on_power {
                self.state.failures = failures;
            } else if failures != self.state.failures {
                let mut next = self.state.clone();
                next.failures = failures;
                self.commit(next, storage)?;
            }
            self.lock(now_s);
        }
        Ok(Outcome::Refused(refusal))
    }

    /// Stores a state, and adopts it once it is stored.
    pub(crate) fn commit<S: Storage>(
        &mut self,
        next: MeterState<TIDS, FLAGS, CONTROLS>,
        storage: &mut S,
    ) -> Result<(), S::Fault> {
        self.place = self.place.commit(&next, storage)?;
        self.state = next;
        self.uncommitted = 0;
        Ok(())
    }

    /// A token under the key of the meter was executed: lockout and trips are over.
    fn forgive(&mut self) {
        self.locked_until_s = 0;
        self.trip = Trip::default();
    }

    /// Locks for the time that the failures so far require.
    fn lock(&mut self, now_s: u64) {
        let lockout = self.profile.policy.lockout;
        let seconds = lockout.map_or(0, |lockout| lockout.duration_s(self.state.failures));
        self.locked_until_s = now_s.saturating_add(u64::from(seconds));
    }

    /// What the meter is and has.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Everything that it does not forget.
    pub const fn state(&self) -> &MeterState<TIDS, FLAGS, CONTROLS> {
        &self.state
    }

    /// How many seconds the lockout still lasts; 0 when the meter is not locked.
    pub const fn lockout_seconds(&self, now_s: u64) -> u64 {
        self.locked_until_s.saturating_sub(now_s)
    }

    /// The sections of a new key that are held at this time.
    pub fn held_sections(&mut self, now_s: u64) -> SectionSet {
        self.key_change.expire(now_s, self.profile.policy.key_change_timeout_s);
        self.key_change.held()
    }

    /// The sections of a new key that are still missing at this time; none when no section is held.
    pub fn waiting_for(&mut self, now_s: u64) -> SectionSet {
        match self.held_sections(now_s).is_empty() {
            true => SectionSet::default(),
            false => self.missing_sections(),
        }
    }

    fn missing_sections(&self) -> SectionSet {
        let Profile { set_size, policy, .. } = &self.profile;
        self.key_change.waiting_for(self.state.algorithm(), *set_size, policy.two_token_sets)
    }

    /// The result of the last token since the start.
    pub const fn last_result(&self) -> Option<TokenResult> {
        self.last_result
    }
}

impl<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize> fmt::Debug
    for Meter<TIDS, FLAGS, CONTROLS>
{
    /// The number alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meter({}, ..)", self.state.pan.as_str())
    }
}

impl<F: fmt::Display> fmt::Display for ManufactureError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(error) => error.fmt(f),
            Self::Remembered { most, found } => write!(
                f,
                "identifiers to remember: expected {FEWEST_REMEMBERED} to {most}, found {found}"
            ),
            Self::Medium(fault) => write!(f, "the first state could not be stored: {fault}"),
        }
    }
}

impl<F: fmt::Debug + fmt::Display> core::error::Error for ManufactureError<F> {}
