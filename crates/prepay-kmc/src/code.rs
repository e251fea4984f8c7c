//! Enums with a stable name for each value, for programs and files.

use std::fmt;

/// The text names no value of the enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCode {
    /// What kind of value was expected.
    pub kind: &'static str,
    /// What was found.
    pub found: String,
}

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not the name of a {}", self.found, self.kind)
    }
}

impl std::error::Error for UnknownCode {}

/// Makes an enum without data, whose values have stable names.
macro_rules! coded {
    (
        $(#[$doc:meta])*
        $name:ident, $kind:literal {
            $($(#[$value_doc:meta])* $value:ident = $code:literal,)+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$value_doc])* $value,)+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &[Self] = &[$(Self::$value,)+];

            /// The stable name.
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$value => $code,)+
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::code::UnknownCode;

            /// Accepts the stable names, exactly.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($code => Ok(Self::$value),)+
                    _ => Err($crate::code::UnknownCode { kind: $kind, found: text.to_owned() }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.code())
            }
        }
    };
}

pub(crate) use coded;
