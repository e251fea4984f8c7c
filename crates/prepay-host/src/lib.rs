//! Where a vault lives on a computer: files, locks, clock, randomness and hardware tokens.
//!
//! - [`Directory`]: a vault's place in a directory of its own, for one process at a time.
//! - [`SystemClock`], [`SystemEntropy`]: the computer's own.
//! - [`private_file`]: small files with secrets, such as a key file.
//! - [`Pkcs11Token`]: a key in a hardware token that wraps a vault's master key. Needs the feature `pkcs11`.
//!
//! Everything here is bytes and durability; what they mean is `prepay-vault`'s. It runs on Unix only:
//! elsewhere owners, permissions and locks would have to be expressed anew.

mod access;
mod directory;
mod lock;
mod pkcs11;
pub mod private_file;
mod system;

pub use directory::{Directory, DirectoryError};
pub use pkcs11::{Pkcs11Error, Pkcs11Place, Pkcs11Token};
pub use system::{SystemClock, SystemEntropy};
