//! The messages of a receipt: the name of each, and what it is given. A message file has them all.

/// The name under which a message file says its language and region.
pub(super) const LOCALE: &str = "locale";

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    /// Its name in a message file.
    pub(super) name: &'static str,
    /// The texts that it is given. Each must stand in it.
    pub(super) texts: &'static [&'static str],
    /// The count that it is given, if any, which decides its plural.
    pub(super) count: &'static [&'static str],
}

macro_rules! messages {
    ($($constant:ident = $name:literal [$($text:literal)*] $($count:literal)?;)*) => {
        $(pub(super) const $constant: Message =
            Message { name: $name, texts: &[$($text),*], count: &[$($count)?] };)*
        /// Every message.
        pub(super) const ALL: &[Message] = &[$($constant),*];
    };
}

messages! {
    TEST = "test" [];
    REPRINT = "reprint" ["number"] "count";
    TAX_NUMBER = "tax-number" ["number"];
    RECEIPT = "receipt" ["number"];
    SHOP = "shop" ["vendor" "terminal"];
    OPERATOR = "operator" ["name"];
    ACCOUNT = "account" ["number"];
    METER = "meter" [];
    NEW_KEY = "new-key" [];
    TARIFF = "tariff" [];
    CLASS = "class" [];

    ELECTRICITY = "unit-electricity" [];
    VOLUME = "unit-volume" [];
    TIME = "unit-time" [];
    UNITS = "units" ["units" "unit"];
    MONEY = "money" ["amount" "currency"];

    ENTER_KEYS = "enter-key-change" [] "count";
    ENTER_KEYS_AGAIN = "enter-key-change-again" [] "count";
    ENTER_ALL = "enter-all" [] "count";
    PART = "part" ["part" "of" "token"];
    CREDIT_TOKEN = "token-credit" [];
    FREE_TOKEN = "token-free-units" [];
    KEY_TOKEN = "token-key-change" [];
    OTHER_TOKEN = "token-engineering" [];

    PRICED = "priced" ["units" "price"];
    LINE_UNITS = "line-units" ["line" "units"];
    LINE_RATE = "line-rate" ["line" "rate"];
    LINE_PAYEE = "line-payee" ["line" "payee"];
    STILL_OWED = "still-owed" ["line" "balance"];
    PAID_OFF = "paid-off" ["line"];
    IN_CREDIT = "in-credit" ["line" "balance"];
    FREE_UNITS = "free-units" [];
    ROUNDING = "rounding" [];
    CARRIED_IN = "carried-in" [];
    CARRIED_OUT = "carried-out" [];
    CHANGE = "change" [];
    TOTAL = "total" [];
    WAITING = "waiting" ["line"];

    PAID_BY = "paid-by" [];
    CASH = "cash" [];
    CARD = "card" [];
    MOBILE = "mobile" [];
    VOUCHER = "voucher" [];
    ON_ACCOUNT = "on-account" [];

    DAYS_SINCE = "days-since" [] "days";
}
