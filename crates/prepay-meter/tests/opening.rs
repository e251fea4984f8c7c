//! The engine against the opening of `prepay-token` and a plain model, for random tokens.
//!
//! The short form enters 20 000 tokens, or as many as the variable `PREPAY_METER_OPENINGS` says.

mod common;

use std::collections::BTreeSet;

use common::{Bench, NUMERIC, Vendor, sta_profile, unique_key};
use prepay_meter::{Services, TokenResult};
use prepay_token::element::{KeyExpiryNumber, KeyType, RegisterToClear, Service, TokenIdentifier};
use prepay_token::key_change::KeySection;
use prepay_token::{Class, ElementProblem, ManagementFunction, OpenError, Token, TokenData, open};

const TOKENS: u64 = 20_000;
const CAPACITY: i64 = 50_000_000;
const MANUFACTURED: u32 = 0x01_0000;
const EXPIRY: u8 = 3;

/// A generator of numbers that always gives the same.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// What a meter for electricity and gas in units should answer, told without its code.
struct Model {
    used: BTreeSet<u32>,
    tenths: [i64; 4],
    sections: BTreeSet<u8>,
}

impl Model {
    fn smallest(&self) -> u32 {
        if self.used.len() < 50 { MANUFACTURED } else { *self.used.first().unwrap() }
    }

    /// The refusal that the identifier alone deserves.
    fn identifier(&self, identifier: TokenIdentifier) -> Option<TokenResult> {
        let value = identifier.value();
        if value < self.smallest() {
            Some(TokenResult::OldError)
        } else if self.used.contains(&value) || (self.used.len() < 50 && value == MANUFACTURED) {
            Some(TokenResult::UsedError)
        } else if identifier.expiry_block() > EXPIRY {
            Some(TokenResult::KeyExpiredError)
        } else {
            None
        }
    }

    fn cancel(&mut self, identifier: TokenIdentifier) {
        self.used.insert(identifier.value());
        if self.used.len() > 50 {
            self.used.pop_first();
        }
    }

    fn answer(&mut self, opened: Result<Token, OpenError>, block: u64) -> TokenResult {
        match opened {
            Err(OpenError::Checksum { .. }) => TokenResult::CrcError,
            Err(OpenError::Element { problem: ElementProblem::ManufacturerCode(_), .. }) => {
                TokenResult::MfrCodeError
            }
            Err(OpenError::Element { problem: ElementProblem::Control(_), .. }) => {
                match block >> 16 & 0xFF {
                    0 => TokenResult::RangeError,
                    _ => TokenResult::MfrCodeError,
                }
            }
            Err(OpenError::Element { identifier: Some(identifier), .. }) => {
                self.identifier(identifier).unwrap_or(TokenResult::RangeError)
            }
            Err(OpenError::Element { identifier: None, .. }) => {
                self.sections.clear();
                match (block >> 60, block >> 50 & 1, block >> 48 & 3) {
                    (8 | 9, ..) | (3, 1, _) => TokenResult::FunctionError,
                    (3, _, 0 | 3) => TokenResult::KeyTypeError,
                    _ => TokenResult::RangeError,
                }
            }
            Err(_) => TokenResult::FunctionError,
            Ok(Token::Credit { service, identifier, amount, .. }) => {
                if !matches!(service, Service::Electricity | Service::Gas) {
                    return TokenResult::FunctionError;
                }
                if let Some(refusal) = self.identifier(identifier) {
                    return refusal;
                }
                let credit = &mut self.tenths[usize::from(service.index())];
                if *credit + i64::from(amount.tenths()) > CAPACITY {
                    return TokenResult::OverflowError;
                }
                *credit += i64::from(amount.tenths());
                self.cancel(identifier);
                TokenResult::Accept
            }
            Ok(Token::Management { identifier, function, .. }) => {
                let mut cleared: &[usize] = &[];
                let is_there = match function {
                    // It has no water, and the maker has no function.
                    ManagementFunction::SetWaterMeterFactor(_)
                    | ManagementFunction::Proprietary { .. } => false,
                    ManagementFunction::ClearCredit(register) => match register {
                        RegisterToClear::All => {
                            cleared = &[0, 2];
                            true
                        }
                        RegisterToClear::Units(Service::Electricity) => {
                            cleared = &[0];
                            true
                        }
                        RegisterToClear::Units(Service::Gas) => {
                            cleared = &[2];
                            true
                        }
                        _ => false,
                    },
                    ManagementFunction::Extended(value) => match value.index().value() {
                        63 => value.value() >> 1 < 12,
                        index => index == 0,
                    },
                    _ => true,
                };
                if !is_there {
                    return TokenResult::FunctionError;
                }
                if let Some(refusal) = self.identifier(identifier) {
                    return refusal;
                }
                cleared.iter().for_each(|&service| self.tenths[service] = 0);
                self.cancel(identifier);
                TokenResult::Accept
            }
            Ok(Token::Test(test)) => match test.manufacturer().value() {
                0 if test.is_proprietary() => TokenResult::FunctionError,
                0 => TokenResult::Accept,
                _ => TokenResult::MfrCodeError,
            },
            Ok(Token::ExtendedRead { manufacturer, .. }) => match manufacturer.code().value() {
                0 => TokenResult::Accept,
                _ => TokenResult::MfrCodeError,
            },
            Ok(Token::KeyChange(section)) => self.section(&section),
            Ok(_) => TokenResult::FunctionError,
        }
    }

    /// Sections are refused or held; the test never lets a set become complete.
    fn section(&mut self, section: &KeySection) -> TokenResult {
        let refusal = match section {
            KeySection::First { three_tokens: true, .. } => Some(TokenResult::FunctionError),
            KeySection::First { key_type: KeyType::Initialization | KeyType::Common, .. } => {
                Some(TokenResult::KeyTypeError)
            }
            KeySection::First { .. } | KeySection::Second { .. } => None,
            _ => Some(TokenResult::FunctionError),
        };
        if let Some(refusal) = refusal {
            self.sections.clear();
            return refusal;
        }
        self.sections.insert(section.number());
        if section.number() == 1 { TokenResult::FirstKct } else { TokenResult::SecondKct }
    }
}

/// A random token: of the meter and sound, of the meter with random fields, or any number at all.
fn random_token(numbers: &mut Numbers, vendor: &Vendor) -> TokenData {
    let identifier = (MANUFACTURED - 100 + numbers.below(600) as u32)
        | if numbers.below(20) == 0 { 4 << 16 } else { 0 };
    match numbers.below(10) {
        0 => TokenData::try_from(u128::from(numbers.next()) << 2 | u128::from(numbers.below(4)))
            .unwrap(),
        1..=4 => {
            let service = Service::ALL[numbers.below(4) as usize];
            let tenths = 1 << numbers.below(24);
            vendor.credit_of(service, identifier, tenths)
        }
        kind => {
            let class = Class::from_low_bits(numbers.below(3) as u8);
            let mut bits = numbers.next();
            if class != Class::Display && kind < 8 {
                bits = bits & !(0xFF_FFFF << 32) | u64::from(identifier) << 32;
            }
            // Small values reach more than large ones.
            if numbers.below(2) == 0 {
                bits &= !(0xFFF0 << 16);
            }
            if class == Class::Display && numbers.below(2) == 0 {
                bits &= !(0xFFFF << 16);
            }
            vendor.raw(class, bits)
        }
    }
}

fn compare(tokens: u64) {
    let mut profile = sta_profile();
    profile.services = Services::of(&[Service::Electricity, Service::Gas]);
    profile.policy.unit_capacity_tenths = CAPACITY as u32;
    let mut first = unique_key(0x77);
    first.expiry = KeyExpiryNumber::from(EXPIRY);
    let mut bench = Bench::made_at(profile, first, MANUFACTURED);
    let mut model = Model { used: BTreeSet::new(), tenths: [0; 4], sections: BTreeSet::new() };
    let cipher = bench.vendor.cipher();
    let mut numbers = Numbers(2018);
    let mut seen = [0u64; 19];
    for number in 0..tokens {
        let data = random_token(&mut numbers, &bench.vendor);
        let block = match data.class().is_enciphered() {
            true => cipher.decipher(data.block()),
            false => data.block(),
        };
        let opened = open(data, &cipher);
        // A set must not become complete: its key would be unknown to the vendor.
        if let Ok(Token::KeyChange(section)) = &opened
            && model.sections.contains(&(3 - section.number().min(2)))
        {
            bench.now_s += 600;
            model.sections.clear();
        }
        let expected = model.answer(opened.clone(), block);
        let found = bench.meter.enter(data, NUMERIC, bench.now_s, &mut bench.medium).unwrap();
        assert_eq!(found.result(), expected, "token {number}: {data:#} is {opened:?}");
        seen[usize::from(expected.code())] += 1;
        let state = bench.meter.state();
        for service in Service::ALL {
            let tenths = state.credit(service).tenths();
            assert_eq!(tenths, model.tenths[usize::from(service.index())], "token {number}");
        }
        if number % 1000 == 0 {
            bench.restart();
            model.sections.clear();
        }
    }
    for result in TokenResult::ALL {
        use TokenResult::{DdtkError, FormatError, FourthKct, Lockout, NotReady, ThirdKct};
        let never = [DdtkError, FormatError, FourthKct, Lockout, NotReady, ThirdKct];
        let count = seen[usize::from(result.code())];
        assert_eq!(count == 0, never.contains(&result), "{result} was seen {count} times");
    }
}

#[test]
fn the_engine_answers_as_the_model_does() {
    let tokens = std::env::var("PREPAY_METER_OPENINGS").ok();
    compare(tokens.map_or(TOKENS, |text| text.parse().expect("a number of tokens")));
}
