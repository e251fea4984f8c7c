//! Tokens as records where raw **test** keys may be shown: sections of a key change with their part of the key.

use prepay_records::{OpenedToken, hex as text};
use prepay_token::Token;
use prepay_token::key_change::{KeyPart, KeySection};

/// The record of a token; of a section of a key change too, which shows a part of a **test** key.
pub(crate) fn opened_token(token: &Token) -> OpenedToken {
    match (token, token.instruction()) {
        (Token::KeyChange(section), _) => of_section(section),
        (_, Some(instruction)) => OpenedToken::of(&instruction),
        // `Token` may gain variants; an answer without a type would be worse than a new one.
        _ => OpenedToken { kind: "unknown", ..OpenedToken::default() },
    }
}

fn of_section(section: &KeySection) -> OpenedToken {
    let none = OpenedToken::default();
    let hex = |part: &KeyPart| Some(text::encode(&part.expose_bytes()));
    match section {
        KeySection::First {
            ken_high,
            key_revision,
            rollover,
            three_tokens,
            key_type,
            key_high,
        } => OpenedToken {
            kind: "set_1st_section_decoder_key",
            ken_high: Some(ken_high.value()),
            krn: Some(key_revision.map_or(0, |revision| revision.value())),
            rollover: Some(*rollover),
            three_kct: Some(*three_tokens),
            kt: Some(key_type.value()),
            key_high: hex(key_high),
            ..none
        },
        KeySection::Second { ken_low, tariff_index, key_low } => OpenedToken {
            kind: "set_2nd_section_decoder_key",
            ken_low: Some(ken_low.value()),
            ti: Some(tariff_index.to_string()),
            key_low: hex(key_low),
            ..none
        },
        KeySection::ThirdOfThree { supply_group } => OpenedToken {
            kind: "set_3rd_section_decoder_key",
            sgc: Some(supply_group.to_string()),
            ..none
        },
        KeySection::ThirdOfFour { group_low, key_middle_2 } => OpenedToken {
            kind: "set_3rd_section_decoder_key",
            sgc_low: Some(group_low.value()),
            key_middle_2: hex(key_middle_2),
            ..none
        },
        KeySection::Fourth { group_high, key_middle_1 } => OpenedToken {
            kind: "set_4th_section_decoder_key",
            sgc_high: Some(group_high.value()),
            key_middle_1: hex(key_middle_1),
            ..none
        },
    }
}
