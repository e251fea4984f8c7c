//! Stable codes of error types, each written once.

/// Gives an error type `code()`, the stable name of what happened, and `CODES`, the list of its own codes.
///
/// Each variant has one code. A variant behind `or` holds another error type and answers with its code; that
/// type lists its codes itself.
///
/// ```
/// enum ReadError {
///     Length { found: usize },
///     Sign,
///     Write(WriteError),
/// }
///
/// enum WriteError {
///     Full,
/// }
///
/// prepay_basics::codes! {
///     ReadError { Length = "length", Sign = "sign" } or { Write }
/// }
/// prepay_basics::codes! {
///     WriteError { Full = "full" }
/// }
///
/// assert_eq!(ReadError::CODES, ["length", "sign"]);
/// assert_eq!(ReadError::Length { found: 3 }.code(), "length");
/// assert_eq!(ReadError::Write(WriteError::Full).code(), "full");
/// # let _ = ReadError::Sign;
/// ```
#[macro_export]
macro_rules! codes {
    ($type:ident {
        $($variant:ident = $code:literal),* $(,)?
    } $(or { $($inner:ident),+ })?) => {
        impl $type {
            /// Every code of its own.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// The stable name, for programs.
            pub const fn code(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $code,)*
                    $($(Self::$inner(error) => error.code(),)+)?
                }
            }
        }
    };
}
