//! Numbers that a centre assigns: customers, authorisations, received forms.
//!
//! - Range: 1 to 999 999. Text: decimal without leading zeros.

use std::fmt;
use std::str::FromStr;

/// The text or number is not a valid number of this kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberError {
    /// What is numbered.
    pub kind: &'static str,
    /// What was found.
    pub found: String,
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} number: expected 1 to 999999, found {:?}", self.kind, self.found)
    }
}

impl std::error::Error for NumberError {}

macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32); // Invariant: 1 to 999_999.

        impl $name {
            /// The first number.
            pub const FIRST: Self = Self(1);

            /// The number.
            pub const fn value(self) -> u32 {
                self.0
            }

            /// The next number, unless this is the last.
            pub const fn next(self) -> Option<Self> {
                if self.0 < 999_999 { Some(Self(self.0 + 1)) } else { None }
            }
        }

        impl TryFrom<u32> for $name {
            type Error = NumberError;

            fn try_from(found: u32) -> Result<Self, Self::Error> {
                match found {
                    1..=999_999 => Ok(Self(found)),
                    _ => Err(NumberError { kind: $kind, found: found.to_string() }),
                }
            }
        }

        impl FromStr for $name {
            type Err = NumberError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let number = text.parse::<u32>().ok().filter(|number| number.to_string() == text);
                number
                    .and_then(|number| Self::try_from(number).ok())
                    .ok_or_else(|| NumberError { kind: $kind, found: text.to_owned() })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// The number of a customer of the centre.
    CustomerNumber, "customer"
}

number! {
    /// The number of a key-use authorisation.
    AuthorisationNumber, "authorisation"
}

number! {
    /// The number of a received form.
    FormNumber, "form"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_the_range_are_refused() {
        for text in ["1", "999999"] {
            assert_eq!(text.parse::<FormNumber>().unwrap().to_string(), text);
        }
        for text in ["", "0", "01", "+1", "1000000", "-1"] {
            assert!(text.parse::<FormNumber>().is_err(), "{text}");
        }
        assert_eq!(CustomerNumber::try_from(999_999).unwrap().next(), None);
        assert_eq!(CustomerNumber::FIRST.next().unwrap().value(), 2);
    }
}
