//! A vault's connection to its computer: files, locks, clock, randomness and hardware tokens.
//!
//! - [`Directory`]: stores a vault in a directory of its own, for one process at a time.
//! - The witness of a vault, as a file outside its directory.
//! - [`forbid_dumps`]: no core dump of the process that holds keys.
//! - [`SystemClock`], [`SystemEntropy`]: the computer's clock and source of randomness.
//! - [`private_file`]: small files with secrets, such as a key file.
//! - [`ServiceSocket`]: the Unix socket of a service, and who connects to it.
//! - [`Pkcs11Token`]: a key in a hardware token that wraps a vault's master key. Needs the feature `pkcs11`.
//!
//! This crate knows bytes and durability; `prepay-vault` knows what the bytes mean. It runs on Unix only: other
//! systems need another way to check owners, permissions and locks.

mod access;
mod archive;
mod directory;
mod dumps;
mod lock;
mod pkcs11;
pub mod private_file;
mod socket;
mod system;
mod witness;

pub use archive::{Archive, open_segments};
pub use directory::{Directory, DirectoryError, NewDirectories};
pub use dumps::forbid_dumps;
pub use pkcs11::{Pkcs11Error, Pkcs11Place, Pkcs11Token};
pub use socket::{Peer, ServiceSocket, SocketError};
pub use system::{SystemClock, SystemEntropy};
