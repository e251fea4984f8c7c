//! Everything that a meter must not forget.
//!
//! Plain data: what is here is what [`record`](crate::record) writes. What may be lost with the power (the
//! sections of a key change, a running trip, the time of a lockout) is in [`Meter`](crate::Meter).
//!
//! - Units: grains and 10⁻⁵ of the currency in the credit registers, watts in the limits.
//! - Source: IEC 62055-41:2018, meter application process: DecoderKeyRegister, credit and other registers.

use prepay_token::element::{
    Amount, CurrencyAmount, KeyExpiryNumber, KeyRevisionNumber, KeyType, MeterPan, Service,
    SupplyGroupCode, TariffIndex, TokenIdentifier,
};
use prepay_token::key::DecoderKey;
use prepay_token::key_change::NewKey;

use crate::credit::CreditRegister;
use crate::extended::ExtendedTable;
use crate::identifiers::IdentifierStore;
use crate::maker::{MAKER_REGISTERS, MakerRegisters};
use crate::trip::Excess;

/// The state of a meter with room for `TIDS` identifiers, `FLAGS` flags and `CONTROLS` controls.
#[derive(Clone, Debug)]
pub struct MeterState<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize> {
    pub(crate) pan: MeterPan,
    pub(crate) key: DecoderKey,
    pub(crate) key_type: KeyType,
    pub(crate) key_revision: Option<KeyRevisionNumber>,
    pub(crate) tariff_index: TariffIndex,
    pub(crate) expiry: KeyExpiryNumber,
    pub(crate) supply_group: Option<SupplyGroupCode>,
    pub(crate) identifiers: IdentifierStore<TIDS>,
    pub(crate) credit: [CreditRegister; 4],
    pub(crate) last_credit: Option<LastCredit>,
    pub(crate) power_limit_watts: Option<u32>,
    pub(crate) unbalance_limit_watts: Option<u32>,
    pub(crate) tariff_rate: Option<u16>,
    pub(crate) water_factor: Option<u16>,
    pub(crate) extended: ExtendedTable<FLAGS, CONTROLS>,
    pub(crate) maker: MakerRegisters,
    pub(crate) tamper: bool,
    /// The limit for which the switch stays open until a token comes.
    pub(crate) waits_for_token: Option<Excess>,
    /// One bit per service: its customer has requested emergency credit.
    pub(crate) emergency: u8, // Invariant: at most 15.
    pub(crate) failures: u8,
}

/// The credit token that was last accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastCredit {
    /// Its identifier.
    pub identifier: TokenIdentifier,
    /// Its service.
    pub service: Service,
    /// What it carried.
    pub amount: LastAmount,
}

/// What the last credit token carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastAmount {
    /// Units.
    Units(Amount),
    /// Money.
    Currency(CurrencyAmount),
}

impl<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>
    MeterState<TIDS, FLAGS, CONTROLS>
{
    /// A new meter: no credit, no limits, every identifier up to `first` refused.
    pub(crate) fn new(pan: MeterPan, key: NewKey, remembered: u16, first: TokenIdentifier) -> Self {
        Self {
            pan,
            key: key.key,
            key_type: key.key_type,
            key_revision: key.key_revision,
            tariff_index: key.tariff_index,
            expiry: key.expiry,
            supply_group: key.supply_group,
            identifiers: IdentifierStore::filled(remembered, first),
            credit: [CreditRegister::default(); 4],
            last_credit: None,
            power_limit_watts: None,
            unbalance_limit_watts: None,
            tariff_rate: None,
            water_factor: None,
            extended: ExtendedTable::default(),
            maker: [0; MAKER_REGISTERS],
            tamper: false,
            waits_for_token: None,
            emergency: 0,
            failures: 0,
        }
    }

    /// Installs a new key with its attributes.
    pub(crate) fn replace_key(&mut self, new: NewKey) {
        self.key = new.key;
        self.key_type = new.key_type;
        self.key_revision = new.key_revision;
        self.tariff_index = new.tariff_index;
        self.expiry = new.expiry;
        self.supply_group = new.supply_group;
    }

    /// The number of the meter.
    pub const fn pan(&self) -> MeterPan {
        self.pan
    }

    /// The cipher of its key. Nothing returns the key itself.
    pub const fn algorithm(&self) -> prepay_token::element::EncryptionAlgorithm {
        self.key.algorithm()
    }

    /// The type of its key.
    pub const fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The revision of its key; nothing for an initialization key.
    pub const fn key_revision(&self) -> Option<KeyRevisionNumber> {
        self.key_revision
    }

    /// Its tariff index.
    pub const fn tariff_index(&self) -> TariffIndex {
        self.tariff_index
    }

    /// The expiry number of its key.
    pub const fn expiry(&self) -> KeyExpiryNumber {
        self.expiry
    }

    /// Its supply group; nothing when a set of two tokens has made it unknown.
    pub const fn supply_group(&self) -> Option<SupplyGroupCode> {
        self.supply_group
    }

    /// The identifiers that it remembers.
    pub const fn identifiers(&self) -> &IdentifierStore<TIDS> {
        &self.identifiers
    }

    /// The credit register of a service.
    pub const fn credit(&self, service: Service) -> &CreditRegister {
        &self.credit[service.index() as usize]
    }

    /// The credit token that was last accepted.
    pub const fn last_credit(&self) -> Option<LastCredit> {
        self.last_credit
    }

    /// The maximum power limit, in watts, once a token has set it.
    pub const fn power_limit_watts(&self) -> Option<u32> {
        self.power_limit_watts
    }

    /// The maximum phase power unbalance limit, in watts, once a token has set it.
    pub const fn unbalance_limit_watts(&self) -> Option<u32> {
        self.unbalance_limit_watts
    }

    /// The tariff rate, once a token has set it.
    pub const fn tariff_rate(&self) -> Option<u16> {
        self.tariff_rate
    }

    /// The water meter factor, once a token has set it.
    pub const fn water_factor(&self) -> Option<u16> {
        self.water_factor
    }

    /// Flags and controls of the extended token set.
    pub const fn extended(&self) -> &ExtendedTable<FLAGS, CONTROLS> {
        &self.extended
    }

    /// The maker's registers.
    pub const fn maker(&self) -> &MakerRegisters {
        &self.maker
    }

    /// Whether the meter was tampered with, and no token has cleared it since.
    pub const fn tamper(&self) -> bool {
        self.tamper
    }

    /// Whether the customer of a service is using emergency credit.
    pub const fn emergency(&self, service: Service) -> bool {
        self.emergency >> service.index() & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::MeterState;

    #[test]
    fn the_state_with_fifty_identifiers_fits_in_a_kibibyte() {
        let size = size_of::<MeterState<50, 12, 1>>();
        assert!(size <= 1024, "{size} bytes");
    }
}
