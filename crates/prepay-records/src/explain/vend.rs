//! Tariffs and quotes.

use super::Who::{Administrator, Client};
use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "tariff_invalid",
        "The tariff file has faults.",
        "The message lists each with its line: what was expected, what was found, what may have been meant.",
        Client,
        "correct the lines; docs/formats/tariff.md has every word",
    ),
    row(
        "messages_invalid",
        "The message file has faults.",
        "The message lists each with its line: a message that is missing, unknown or there twice, or one that leaves out what it has to say.",
        Client,
        "correct the lines; docs/formats/receipt.md has every message",
    ),
    row(
        "letter_missing",
        "The PDF of a receipt cannot show a letter.",
        "A name has a letter that is neither Latin nor Arabic, or one that is rare; the fonts of the PDF do not have it.",
        Client,
        "print the receipt as text or as HTML, or write the name in other letters",
    ),
    row(
        "tariff_missing",
        "The tariff has no version at the moment of the purchase.",
        "The purchase lies before its first version, or after one that ends.",
        Administrator,
        "check the date, or add a version to the tariff",
    ),
    row(
        "amount_too_small",
        "The amount is below the tariff's minimum, or buys less than the smallest step of units.",
        "Prices or charges rose, or the amount is mistyped.",
        Client,
        "offer the smallest possible purchase that the message names",
    ),
    row(
        "amount_swallowed",
        "Debts and charges leave nothing to sell.",
        "A debt is collected first, or monthly charges have added up.",
        Client,
        "offer the smallest possible purchase that the message names",
    ),
    row(
        "amount_in_gap",
        "The amount lies where the price jumps, and the tariff refuses such amounts.",
        "The next unit would change the price of the whole month, or add a charge.",
        Client,
        "offer one of the two amounts that the message names",
    ),
    row(
        "field_missing",
        "The price depends on something that was not given.",
        "The tariff has classes, charges by day, or rates that come with each purchase.",
        Client,
        "give the field that the message names",
    ),
    row(
        "field_invalid",
        "A field of the purchase is not what it should be.",
        "The message names the field, what was expected and what was found.",
        Client,
        "correct the field that the message names",
    ),
];
