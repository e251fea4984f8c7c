//! The secret of a module's names: in which order a run has them, and what proves that the module wrote it.

use hmac::{Hmac, KeyInit, Mac};
use prepay_basics::{Entropy, NoEntropy};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::used::KeyMark;
use crate::RequestId;
use crate::software::issued_row::IssuedRow;

/// The length of the secret in bytes: 16 for the order, 32 for the MAC.
pub(crate) const SECRET: usize = 48;

/// The length of a MAC in bytes.
pub(super) const MAC: usize = 16;

/// The secret of a module's names.
pub(crate) struct NamesKey {
    secret: Zeroizing<[u8; SECRET]>,
    order: [u64; 2],
    mac: Hmac<Sha256>,
}

impl NamesKey {
    /// A new secret.
    pub(crate) fn generate(entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        let mut secret = Zeroizing::new([0; SECRET]);
        entropy.fill(&mut *secret)?;
        Ok(Self::new(secret))
    }

    pub(crate) fn new(secret: Zeroizing<[u8; SECRET]>) -> Self {
        let number = |at: usize| {
            u64::from_be_bytes(secret[at..at + 8].try_into().expect("eight of 48 bytes"))
        };
        let mac = Hmac::new_from_slice(&secret[16..]).expect("any length is a key");
        Self { order: [number(0), number(8)], mac, secret }
    }

    pub(crate) fn expose_bytes(&self) -> &[u8; SECRET] {
        &self.secret
    }

    /// The place of a name among all others. Nobody without the secret can choose names that are close to each other.
    #[inline]
    pub(super) fn hash(&self, RequestId(name): RequestId) -> u64 {
        let name = u128::from_be_bytes(name);
        let [a, b] = [(name >> 64) as u64 ^ self.order[0], name as u64 ^ self.order[1]];
        let once = u128::from(a) * u128::from(b | 1);
        let once = (once >> 64) as u64 ^ once as u64;
        let twice = u128::from(once ^ self.order[1]) * u128::from(a ^ b.rotate_left(32) | 1);
        (twice >> 64) as u64 ^ twice as u64
    }

    /// The place of the identifier of a row's token, for its meter under a key, among all others. Never 0.
    #[inline]
    pub(super) fn used(&self, row: &IssuedRow, KeyMark(key): KeyMark) -> u64 {
        let meter = row.pan << 2 | u64::from(row.encryption & 3);
        let rest = u64::from(row.identifier) << 40 | u64::from(row.tariff_index) << 32;
        let name = u128::from(meter) << 64 | u128::from(rest | u64::from(key));
        self.hash(RequestId(name.to_be_bytes())).max(1)
    }

    /// The MAC of a part of a run.
    pub(super) fn sign(&self, run: &[u8; 16], part: u64, bytes: &[u8]) -> [u8; MAC] {
        let mut mac = self.mac.clone();
        mac.update(run);
        mac.update(&part.to_be_bytes());
        mac.update(bytes);
        *mac.finalize().into_bytes().first_chunk().expect("32 bytes begin with 16")
    }

    /// Whether the module wrote this part of a run, whose MAC is at its end. Returns it without.
    pub(super) fn check<'a>(&self, run: &[u8; 16], part: u64, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (bytes, mac) = bytes.split_last_chunk::<MAC>()?;
        bool::from(self.sign(run, part, bytes).ct_eq(mac)).then_some(bytes)
    }
}
