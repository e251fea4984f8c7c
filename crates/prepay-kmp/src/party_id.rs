//! Names of modules and centres: one type each, so that they cannot be mixed up.

use std::fmt;
use std::str::FromStr;

use prepay_basics::{Identifier, ParseIdentifierError};

/// Makes a name of one kind of party.
macro_rules! party {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Identifier);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl From<Identifier> for $name {
            fn from(name: Identifier) -> Self {
                Self(name)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdentifierError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

party! {
    /// The name of a security module, unique among all modules that a centre knows.
    ModuleId
}

party! {
    /// The name of a key management centre.
    CentreId
}

prepay_basics::field_as_text! {
    ModuleId, "a module";
    CentreId, "a centre";
}
