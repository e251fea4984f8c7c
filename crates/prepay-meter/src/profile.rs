//! What a meter is and has: its services, phases and registers, its kind of credit, its carriers, its sets of key
//! change tokens.
//!
//! The profile is fixed by the hardware and its firmware. It is passed in at each start and never stored.
//!
//! - Elsewhere: the meter's number and keys ([`MeterState`](crate::MeterState)), decisions
//!   ([`Policy`](crate::Policy)).

use core::fmt;

use prepay_token::element::{EncryptionAlgorithm, Service, TokenCarrierType};
use prepay_token::key_change::SetSize;

use crate::credit::CreditForm;
use crate::policy::Policy;

/// What a meter is and has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The services that it meters.
    pub services: Services,
    /// What its credit registers count.
    pub credit: CreditForm,
    /// How many phases its electricity has. A meter with one phase has no phase unbalance limit.
    pub phases: Phases,
    /// Whether it has a register for the tariff rate.
    pub tariff_register: bool,
    /// The largest set of key change tokens that it accepts: four exactly when its key has 128 bits.
    pub set_size: SetSize,
    /// The carriers that it has.
    pub carriers: Carriers,
    /// The version of the firmware, as a display shows it.
    pub software_version: &'static str,
    /// The decisions that the standard leaves open.
    pub policy: Policy,
}

/// How many phases the electricity of a meter has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phases {
    /// One.
    One,
    /// Three.
    Three,
}

/// A set of services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Services(u8); // Invariant: one bit per service, by index.

/// A set of token carrier types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carriers(u128); // Invariant: one bit per code, 0 to 99.

/// A profile that no meter can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProfileError {
    /// The size of the key change sets does not suit the cipher.
    SetSize {
        /// The size.
        size: SetSize,
        /// The cipher of the meter's key.
        algorithm: EncryptionAlgorithm,
    },
    /// There is no service.
    NoService,
}

impl Profile {
    /// A meter for three phases of electricity in units, with a tariff register, a numeric keypad, and the default
    /// policy.
    pub fn electricity(set_size: SetSize) -> Self {
        Self {
            services: Services::of(&[Service::Electricity]),
            credit: CreditForm::Units,
            phases: Phases::Three,
            tariff_register: true,
            set_size,
            carriers: Carriers::of(&[TokenCarrierType::NUMERIC]),
            software_version: env!("CARGO_PKG_VERSION"),
            policy: Policy::default(),
        }
    }

    /// Checks that a meter with a key for this cipher can have this profile.
    ///
    /// # Errors
    ///
    /// [`ProfileError`], the first that applies.
    pub fn check(&self, algorithm: EncryptionAlgorithm) -> Result<(), ProfileError> {
        if !self.set_size.suits(algorithm) {
            return Err(ProfileError::SetSize { size: self.set_size, algorithm });
        }
        if self.services.0 == 0 {
            return Err(ProfileError::NoService);
        }
        Ok(())
    }
}

impl Services {
    /// These services.
    pub fn of(services: &[Service]) -> Self {
        Self(services.iter().fold(0, |bits, service| bits | 1 << service.index()))
    }

    /// Whether a service is one of them.
    pub const fn contains(self, service: Service) -> bool {
        self.0 >> service.index() & 1 == 1
    }

    /// The services, in the order of their sub-classes.
    pub fn iter(self) -> impl Iterator<Item = Service> {
        Service::ALL.into_iter().filter(move |service| self.contains(*service))
    }
}

impl Carriers {
    /// These carriers.
    pub fn of(carriers: &[TokenCarrierType]) -> Self {
        Self(carriers.iter().fold(0, |bits, carrier| bits | 1 << carrier.value()))
    }

    /// Whether a carrier is one of them.
    pub const fn contains(self, carrier: TokenCarrierType) -> bool {
        self.0 >> carrier.value() & 1 == 1
    }
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SetSize { size, algorithm } => write!(
                f,
                "key change sets of {} do not suit encryption algorithm {algorithm}",
                size.count()
            ),
            Self::NoService => f.write_str("a meter needs at least one service"),
        }
    }
}

impl core::error::Error for ProfileError {}
