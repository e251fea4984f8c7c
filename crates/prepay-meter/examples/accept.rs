//! Accepts a given number of credit tokens and does nothing else. `cargo xtask instructions` counts its instructions.
//!
//! ```text
//! accept EA TOKENS        EA is 07 or 11
//! ```
//!
//! Two runs with different numbers of tokens differ by the work for the tokens alone. A token is sealed by the vending
//! side in the same run, which is part of the count unless `sealed` follows: then tokens are sealed and not entered.

use std::hint::black_box;
use std::process::ExitCode;

use prepay_meter::{Birth, Effect, Meter, Outcome, Profile};
use prepay_testkit::{Memory, meter_key};
use prepay_token::element::{
    Amount, EncryptionAlgorithm, RandomNumber, Service, TokenCarrierType, TokenIdentifier,
};
use prepay_token::key::TokenCipher;
use prepay_token::key_change::SetSize;
use prepay_token::{Token, seal};

/// The identifier of the day on which the meter was made.
const MANUFACTURED: u32 = 1_000_000;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (ea, tokens, enters) = match words[..] {
        [ea, tokens] => (ea, tokens, true),
        [ea, tokens, "sealed"] => (ea, tokens, false),
        _ => return usage(),
    };
    let (algorithm, size) = match ea {
        "07" => (EncryptionAlgorithm::Sta, SetSize::Three),
        "11" => (EncryptionAlgorithm::Misty1, SetSize::Four),
        _ => return usage(),
    };
    match tokens.parse() {
        Ok(tokens) => accept(algorithm, size, tokens, enters),
        Err(_) => return usage(),
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("accept: expected `07` or `11`, a number of tokens, and perhaps `sealed`");
    ExitCode::from(2)
}

/// Makes a meter, and enters as many credit tokens of one tenth as asked, each as twenty digits.
fn accept(algorithm: EncryptionAlgorithm, size: SetSize, tokens: u32, enters: bool) {
    let key = meter_key(algorithm, 0xA5);
    let cipher = TokenCipher::new(&key.key);
    let birth = Birth {
        pan: "600727000000000009".parse().expect("a PAN"),
        key,
        remembered: 50,
        manufactured: TokenIdentifier::from_low_bits(MANUFACTURED),
    };
    let mut memory = Memory::default();
    let profile = Profile::electricity(size);
    let mut meter: Meter = Meter::manufacture(profile, birth, &mut memory).expect("it suits");
    let mut accepted = 0;
    for number in 1..=tokens {
        let token = Token::Credit {
            service: Service::Electricity,
            random: RandomNumber::try_from(5).expect("four bits"),
            identifier: TokenIdentifier::from_low_bits(MANUFACTURED + number),
            amount: Amount::from_tenths(1).expect("an amount"),
        };
        let digits = black_box(seal(&token, &cipher).digits());
        if enters {
            let text = std::str::from_utf8(&digits).expect("digits are text");
            let carrier = TokenCarrierType::NUMERIC;
            let answer = meter.enter_digits(text, carrier, 0, &mut memory);
            let is_accepted = matches!(answer, Ok(Outcome::Accepted(Effect::Credited { .. })));
            accepted += u32::from(is_accepted);
        }
    }
    assert_eq!(accepted, if enters { tokens } else { 0 }, "every token is accepted");
}
