//! The meter side of STS: accepts or refuses a token, and remembers it.
//!
//! An engine for firmware. It takes the 66 bits of a token from any carrier and answers with one of the results
//! of the standard, an ordinary value in every case. There is no `std`, no allocation, and no clock: time comes
//! in as seconds of a monotonic counter, storage as a trait.
//!
//! ```text
//!  20 digits ──┐                 ┌─> Refused(Refusal)      nothing has changed
//!              ├─> Meter::enter ─┼─> Waiting(..)           one section of a new key is held
//!  66 bits ────┘        │        └─> Accepted(Effect)      committed before it is answered
//!                       │
//!            check.rs, in one order    Storage: two slots, newest whole record counts
//! ```
//!
//! ```
//! use prepay_meter::{Birth, Effect, Meter, Outcome, Profile, Refusal, Slot, Storage};
//! use prepay_token::element::{Amount, EncryptionAlgorithm, KeyExpiryNumber, KeyType, RandomNumber};
//! use prepay_token::element::{Service, TokenCarrierType, TokenIdentifier};
//! use prepay_token::key::{DecoderKey, TokenCipher};
//! use prepay_token::key_change::{NewKey, SetSize};
//! use prepay_token::{Token, seal};
//!
//! // What firmware supplies: two slots in EEPROM or flash. Here they are in memory.
//! struct Memory([[u8; 512]; 2]);
//!
//! impl Storage for Memory {
//!     type Fault = core::convert::Infallible;
//!     fn erase(&mut self, slot: Slot) -> Result<(), Self::Fault> {
//!         self.0[slot as usize].fill(0xFF);
//!         Ok(())
//!     }
//!     fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Self::Fault> {
//!         self.0[slot as usize][offset..][..bytes.len()].copy_from_slice(bytes);
//!         Ok(())
//!     }
//!     fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Self::Fault> {
//!         bytes.copy_from_slice(&self.0[slot as usize][offset..][..bytes.len()]);
//!         Ok(())
//!     }
//! }
//!
//! // A meter with a public test key.
//! let key = NewKey {
//!     key: DecoderKey::new(EncryptionAlgorithm::Sta, &0x0ABC_12DE_F345_6789_u64.to_be_bytes())?,
//!     key_type: KeyType::Unique,
//!     key_revision: Some("1".parse()?),
//!     expiry: KeyExpiryNumber::NEVER,
//!     tariff_index: "01".parse()?,
//!     supply_group: Some("123456".parse()?),
//! };
//! let cipher = TokenCipher::new(&key.key);
//! let birth = Birth {
//!     pan: "600727000000000009".parse()?,
//!     key,
//!     remembered: 50,
//!     manufactured: TokenIdentifier::try_from(1_000_000)?,
//! };
//! let profile = Profile::electricity(SetSize::Three);
//! let mut memory = Memory([[0xFF; 512]; 2]);
//! let mut meter: Meter = Meter::manufacture(profile, birth, &mut memory).unwrap();
//!
//! // 25.6 kWh, entered twice.
//! let token = seal(
//!     &Token::Credit {
//!         service: Service::Electricity,
//!         random: RandomNumber::try_from(11)?,
//!         identifier: TokenIdentifier::try_from(1_698_595)?,
//!         amount: Amount::from_tenths(256)?,
//!     },
//!     &cipher,
//! );
//! let digits = token.to_string();
//! let outcome = meter.enter_digits(&digits, TokenCarrierType::NUMERIC, 0, &mut memory)?;
//! assert!(matches!(outcome, Outcome::Accepted(Effect::Credited { tenths: 256, .. })));
//!
//! // After loss of power the meter still knows the token.
//! let mut meter: Meter = Meter::load(profile, &mut memory, 0).unwrap();
//! let outcome = meter.enter_digits(&digits, TokenCarrierType::NUMERIC, 0, &mut memory)?;
//! assert_eq!(outcome, Outcome::Refused(Refusal::Used));
//! assert_eq!(meter.state().credit(Service::Electricity).tenths(), 256);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Promises
//!
//! - A token gives its credit once: the credit and the identifier are stored in one atomic commit. If power
//!   fails between any two writes, the meter has either accepted the token with its credit or not seen it at
//!   all.
//! - A refused token changes nothing that is stored, except the count of a lockout that survives power
//!   failures, where the policy asks for one.
//! - One wrong bit in the storage never brings an older state back: loading names the damage instead.
//! - A power failure never takes away credit that was shown. It may give back what was used since the last
//!   commit, less than [`Policy::commit_every_grains`].
//! - The state with fifty identifiers takes less than 1 KiB ([`MeterState`]).
//!
//! # Map
//!
//! - [`Meter`]: manufacture, load, enter, consume. [`Outcome`] is its answer.
//! - [`Profile`] says what the meter has, [`Policy`] decides what the standard or its public sources leave open.
//! - [`Storage`]: what the firmware supplies to store the state. `record.rs` draws the record.
//! - [`Register`]: what a display, a keypad or a port may read. [`DisplayProgramme`]: what a test shows.
//! - [`Maker`]: the manufacturer's own tokens. [`Mailbox`]: tokens over a two-way carrier.
//! - [`keypad`]: twelve keys, a display and the words on it. [`ShortCodeMap`]: what fewer digits do.
//!
//! # What it never knows
//!
//! A vending key; who paid; the calendar; how a carrier writes a token; what a display looks like. It has no
//! event log: firmware sees every outcome and keeps what it wants.
//!
//! Source: IEC 62055-41:2018, meter application process and meter functions (clauses 7 and 8).

#![no_std]

mod check;
mod consumption;
mod credit;
mod display;
mod execute;
mod extended;
mod identifiers;
mod key_change;
pub mod keypad;
mod lockout;
mod mailbox;
mod maker;
mod meter;
mod outcome;
mod policy;
mod profile;
mod readout;
mod record;
mod register;
mod request;
mod result;
mod short_code;
mod state;
mod storage;
mod switch;
mod trip;
mod volatile;

pub use consumption::{Load, TIME_RATE};
pub use credit::{
    CreditForm, CreditLevel, CreditRegister, GRAINS_PER_TENTH, GRAINS_PER_UNIT, Money,
};
pub use display::{DisplayItem, DisplayProgramme};
pub use extended::ExtendedTable;
pub use identifiers::IdentifierStore;
pub use key_change::SectionSet;
pub use lockout::Lockout;
pub use mailbox::{Mailbox, MailboxBusy};
pub use maker::{MAKER_REGISTERS, Maker, MakerRefusal, MakerRegisters, NoMaker};
pub use meter::{Birth, ManufactureError, Meter};
pub use outcome::{Effect, Outcome, Refusal};
pub use policy::{
    AbsentFunction, AbsentRegister, Functions, Policy, ReservedIdentifiers, UnknownExtended,
};
pub use profile::{Carriers, Phases, Profile, ProfileError, Services};
pub use record::RecordError;
pub use register::{REGISTERS, Register, RegisterRow, RegisterValue};
pub use result::TokenResult;
pub use short_code::{CodeSyntax, CodeTarget, ShortCode, ShortCodeMap, ShortCodeMapError};
pub use state::{LastAmount, LastCredit, MeterState};
pub use storage::{LoadError, Slot, Storage};
pub use switch::{OpenReason, Switch, Warning};
pub use trip::{Excess, Trip, TripRule};
pub use volatile::Volatile;
