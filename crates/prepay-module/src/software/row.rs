//! The row of the audit log for a request that was carried out: enough to count it again, and to make the same digits
//! again with the same key.
//!
//! | made | class | sub-class | new register | value |
//! |------|-------|-----------|--------------|-------|
//! | credit in units | 0 | 0 to 3 | 0 | the amount's 16 bits |
//! | credit in currency | 0 | 4 to 7 | 0 | *S&E* above the amount's 16 bits |
//! | management | 2 | its own | 0 | the value's 16 bits |
//! | key change | 2 | the size of the set | that of the new key | new TI, KEN and rollover, a byte each |
//!
//! Only rows of unit credit and of management have a random number; in others it is 0. All rows except those of key
//! changes have an identifier. KEN and rollover of a key change are not from the request: the module finds them in its
//! registers.

use prepay_token::element::{
    Amount, CurrencyAmount, EncryptionAlgorithm, KeyExpiryNumber, RandomNumber, Service,
};
use prepay_token::key_change::Rollover;
use prepay_token::{Instruction, TokenData};

use super::issued_row::IssuedRow;
use crate::{IssueRequest, Issued, MeterConfiguration};
use prepay_kmp::attribute::RegisterNumber;

/// The bits of a key change's value that are from the request: the new tariff index.
const ASKED: u32 = 0xFF << KEY_CHANGE_ASKED_SHIFT;
const KEY_CHANGE_ASKED_SHIFT: u32 = 16;

impl IssuedRow {
    /// The row of a request, before it is carried out.
    #[inline]
    pub(crate) fn asked(request: &IssueRequest) -> Self {
        match request {
            IssueRequest::Token(request) => Self {
                request: request.id,
                register: request.register.value(),
                identifier: request.identifier.value(),
                class: request.instruction.class().number(),
                sub_class: request.instruction.sub_class(),
                value: match request.instruction {
                    Instruction::Credit { amount, .. } => u32::from(amount.bits()),
                    Instruction::CurrencyCredit { amount, .. } => {
                        (u32::from(amount.sign_exponent()) << 16) + u32::from(amount.bits())
                    }
                    Instruction::Management(function) => u32::from(function.bits()),
                    // Class 1 is refused, so this row is never stored.
                    _ => 0,
                },
                ..for_meter(&request.meter)
            },
            IssueRequest::KeyChange(request) => Self {
                request: request.id,
                register: request.from.value(),
                new_register: request.to.value(),
                class: 2,
                sub_class: request.size.count(),
                value: u32::from(request.new_tariff_index.value()) << KEY_CHANGE_ASKED_SHIFT,
                ..for_meter(&request.meter)
            },
        }
    }

    /// Adds the result.
    #[inline]
    pub(crate) fn done(&mut self, issued: &Issued) {
        match issued {
            Issued::Token(issued) => {
                self.random = issued.random.map_or(0, RandomNumber::value);
                self.last_digits = last_digits(issued.token);
            }
            Issued::KeyChange(issued) => {
                let rollover = u32::from(issued.rollover == Rollover::Forget);
                self.value |= u32::from(issued.expiry.value()) << 8 | rollover;
                self.last_digits = last_digits(issued.tokens()[0]);
            }
        }
    }

    /// Whether both rows have the same request, whatever the results.
    pub(crate) fn asks_the_same(&self, other: &Self) -> bool {
        let asked = |row: &Self| {
            let value = if row.is_key_change() { row.value & ASKED } else { row.value };
            Self { random: 0, last_digits: 0, value, ..*row }
        };
        asked(self) == asked(other)
    }

    /// Whether this is a key change.
    #[inline]
    pub(crate) fn is_key_change(&self) -> bool {
        self.new_register != 0
    }

    /// How many tokens were issued.
    #[inline]
    pub(crate) fn tokens(&self) -> u64 {
        if self.is_key_change() { u64::from(self.sub_class) } else { 1 }
    }

    /// The random number, if the token carries one.
    #[inline]
    pub(crate) fn random_number(&self) -> Option<RandomNumber> {
        let carries = !self.is_key_change() && (self.class == 2 || self.sub_class < 4);
        carries.then(|| RandomNumber::from_counter(u64::from(self.random)))
    }

    /// The credit, if this is one.
    pub(crate) fn credit(&self) -> Option<(RegisterNumber, Instruction)> {
        let register = RegisterNumber::try_from(self.register).ok()?;
        let service = Service::ALL[usize::from(self.sub_class & 3)];
        let bits = self.value as u16;
        let credit = match (self.class, self.sub_class) {
            (0, 0..=3) => Instruction::Credit { service, amount: Amount::from_bits(bits) },
            (0, 4..=7) => {
                let amount = CurrencyAmount::from_bits((self.value >> 16) as u8, bits);
                Instruction::CurrencyCredit { service, amount }
            }
            _ => return None,
        };
        Some((register, credit))
    }

    /// The expiry number that a key change set carries.
    pub(crate) fn key_expiry(&self) -> KeyExpiryNumber {
        KeyExpiryNumber::from((self.value >> 8) as u8)
    }
}

/// A row with only the meter filled in.
#[inline]
fn for_meter(meter: &MeterConfiguration) -> IssuedRow {
    IssuedRow {
        request: None,
        register: 0,
        new_register: 0,
        pan: number(&meter.pan.ascii()),
        random: 0,
        identifier: 0,
        tariff_index: meter.tariff_index.value(),
        encryption: match meter.encryption {
            EncryptionAlgorithm::Sta => 0,
            EncryptionAlgorithm::Dea => 1,
            EncryptionAlgorithm::Misty1 => 2,
        },
        carrier: meter.carrier.value(),
        class: 0,
        sub_class: 0,
        value: 0,
        last_digits: 0,
    }
}

/// Eighteen ASCII digits as a number.
#[inline]
fn number(digits: &[u8; 18]) -> u64 {
    // Two chains of nine digits each, so that the processor can run them in parallel.
    let part = |digits: &[u8]| {
        digits.iter().fold(0, |number: u32, digit| 10 * number + u32::from(digit & 0xF))
    };
    let (high, low) = digits.split_at(9);
    1_000_000_000 * u64::from(part(high)) + u64::from(part(low))
}

/// The last four decimal digits of a token.
#[inline]
fn last_digits(token: TokenData) -> u16 {
    // 2^64 is 1616 more than a multiple of ten thousand.
    let (high, low) = ((token.value() >> 64) as u64, token.value() as u64);
    ((1616 * high + low % 10_000) % 10_000) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use prepay_token::element::{MeterPan, TariffIndex, TokenCarrierType, TokenIdentifier};
    use prepay_token::key_change::SetSize;
    use prepay_token::{Class, ManagementFunction};
    use proptest::prelude::*;

    use crate::{KeyChangeRequest, RequestId, TokenRequest};

    fn meter() -> MeterConfiguration {
        MeterConfiguration {
            pan: "600727000000000009".parse::<MeterPan>().unwrap(),
            tariff_index: TariffIndex::try_from(1).unwrap(),
            encryption: EncryptionAlgorithm::Misty1,
            carrier: TokenCarrierType::NUMERIC,
        }
    }

    fn register(number: u16) -> RegisterNumber {
        RegisterNumber::try_from(number).unwrap()
    }

    #[test]
    fn every_part_of_a_request_stands_in_its_row() {
        let units =
            |service, bits| Instruction::Credit { service, amount: Amount::from_bits(bits) };
        let credit = TokenRequest {
            id: Some(RequestId([7; 16])),
            register: register(1),
            meter: meter(),
            instruction: units(Service::Electricity, 5),
            identifier: TokenIdentifier::from_low_bits(9),
        };
        let currency = |sign, bits| {
            let amount = CurrencyAmount::from_bits(sign, bits);
            Instruction::CurrencyCredit { service: Service::Electricity, amount }
        };
        let mut other_meter = [meter(); 4];
        other_meter[0].pan = "000001000000000082".parse().unwrap();
        other_meter[1].tariff_index = TariffIndex::try_from(2).unwrap();
        other_meter[2].encryption = EncryptionAlgorithm::Sta;
        other_meter[3].carrier = TokenCarrierType::MAGNETIC_CARD;
        let mut requests = vec![
            credit,
            TokenRequest { id: None, ..credit },
            TokenRequest { id: Some(RequestId([8; 16])), ..credit },
            TokenRequest { register: register(2), ..credit },
            TokenRequest { identifier: TokenIdentifier::from_low_bits(10), ..credit },
        ];
        let others = [
            units(Service::Water, 5),
            units(Service::Electricity, 6),
            currency(0, 5),
            currency(8, 5),
            currency(0, 6),
            Instruction::Management(ManagementFunction::SetTariffRate(4)),
            Instruction::Management(ManagementFunction::SetTariffRate(5)),
            Instruction::Management(ManagementFunction::SetWaterMeterFactor(4)),
        ];
        requests.extend(others.map(|instruction| TokenRequest { instruction, ..credit }));
        requests.extend(other_meter.map(|meter| TokenRequest { meter, ..credit }));
        let mut requests: Vec<_> = requests.into_iter().map(IssueRequest::Token).collect();
        let change = KeyChangeRequest {
            id: credit.id,
            from: register(1),
            to: register(2),
            meter: meter(),
            new_tariff_index: TariffIndex::try_from(1).unwrap(),
            size: SetSize::Two,
        };
        let new_tariff_index = TariffIndex::try_from(2).unwrap();
        for change in [
            change,
            KeyChangeRequest { to: register(1), ..change },
            KeyChangeRequest { size: SetSize::Four, ..change },
            KeyChangeRequest { new_tariff_index, ..change },
        ] {
            requests.push(IssueRequest::KeyChange(change));
        }
        for (a, first) in requests.iter().enumerate() {
            for (b, second) in requests.iter().enumerate() {
                let rows = [first, second].map(IssuedRow::asked);
                assert_eq!(rows[0].asks_the_same(&rows[1]), a == b, "{first:?} {second:?}");
                let read = rows.map(|row| IssuedRow::decode(&row.encode()).unwrap());
                assert_eq!(read, rows);
            }
        }
    }

    proptest! {
        #[test]
        fn last_digits_are_the_last_ones(block: u64, class in 0_u8..4) {
            let token = TokenData::join(Class::from_low_bits(class), block);
            let digits = token.digits();
            let expected = digits[16..].iter().fold(0, |n, d| 10 * n + u16::from(d - b'0'));
            prop_assert_eq!(last_digits(token), expected);
        }
    }
}
