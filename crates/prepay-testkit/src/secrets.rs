//! Searches for secrets where they must not be: in outputs, in files, in the memory of a process.
//!
//! Secrets are stored and compared masked, so that a search of this process's memory does not find them in the
//! search list itself.
//!
//! - In output, a secret is searched for raw, as a list of decimal numbers, as hexadecimal digits in both cases,
//!   and as base64 in both alphabets at every alignment.
//! - In memory, it is searched for raw, forwards and backwards, because big numbers are stored there with their
//!   lowest byte first. Any `PART` consecutive bytes are a finding.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use prepay_basics::{Entropy, NoEntropy};
use zeroize::Zeroizing;

/// The mask: every byte of a secret is XORed with it.
const MASK: u8 = 0x6D;
/// In memory, this many consecutive bytes of a long secret are a finding.
const PART: usize = 12;

/// Secrets by name.
#[derive(Clone, Default)]
pub struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    /// Adds a secret.
    ///
    /// # Panics
    ///
    /// If it is shorter than eight bytes, which could be found by chance.
    pub fn add(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= 8, "{name} is too short to search for");
        self.add_masked(name, secret.iter().map(|byte| byte ^ MASK).collect());
    }

    fn add_masked(&mut self, name: &str, masked: Vec<u8>) {
        if !self.0.iter().any(|(_, known)| *known == masked) {
            self.0.push((name.to_owned(), masked));
        }
    }

    /// Adds all secrets of another list.
    pub fn add_all(&mut self, others: Secrets) {
        others.0.into_iter().for_each(|(name, masked)| self.add_masked(&name, masked));
    }

    /// The secret at this position, from 0. The caller must not let it out.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    pub fn expose_bytes(&self, place: usize) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0[place].1.iter().map(|byte| byte ^ MASK).collect())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The names of the secrets that some bytes contain in any form.
    pub fn found_in(&self, bytes: &[u8]) -> Vec<String> {
        let is_in = |form: &[u8]| bytes.windows(form.len()).any(|window| window == form);
        let found = |(name, masked): &(String, Vec<u8>)| {
            let secret: Vec<u8> = masked.iter().map(|byte| byte ^ MASK).collect();
            let form = forms(&secret).into_iter().find(|(_, form)| is_in(form));
            form.map(|(form, _)| format!("{name} ({form})"))
        };
        self.0.iter().filter_map(found).collect()
    }

    /// The masked parts to search memory for, each with its name.
    fn parts(&self) -> Vec<(usize, Vec<u8>)> {
        let mut parts = Vec::new();
        for (place, (_, masked)) in self.0.iter().enumerate() {
            let reversed: Vec<u8> = masked.iter().rev().copied().collect();
            for order in [masked, &reversed] {
                let length = order.len().min(PART);
                parts.extend(order.windows(length).step_by(4).map(|part| (place, part.to_vec())));
            }
        }
        parts
    }

    /// The names of the secrets in the memory of this process, with how often and where they were found.
    ///
    /// # Panics
    ///
    /// If the memory cannot be read.
    #[cfg(target_os = "linux")]
    pub fn found_in_memory(&self) -> Vec<String> {
        let parts = self.parts();
        let mut by_first = vec![Vec::new(); 1 << 16];
        for (index, (_, part)) in parts.iter().enumerate() {
            by_first[usize::from(part[0]) << 8 | usize::from(part[1])].push(index);
        }
        let mut found: Vec<(usize, Vec<String>)> = vec![(0, Vec::new()); self.0.len()];
        each_piece(PART - 1, &mut |region, masked| {
            for (at, two) in masked.windows(2).enumerate() {
                for &index in &by_first[usize::from(two[0]) << 8 | usize::from(two[1])] {
                    let (place, part) = &parts[index];
                    if masked[at..].starts_with(part) {
                        let (count, regions) = &mut found[*place];
                        *count += 1;
                        if !regions.iter().any(|known| known == region) {
                            regions.push(region.to_owned());
                        }
                    }
                }
            }
        });
        let names = self.0.iter().map(|(name, _)| name);
        let named = names.zip(&found).filter(|(_, (count, _))| *count > 0);
        named
            .map(|(name, (count, in_))| format!("{name} ({count} in {})", in_.join(", ")))
            .collect()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({}, ..)", self.0.len())
    }
}

/// Calls `look` with every readable and writable part of this process's memory, masked, with the name of its
/// region. The parts of a region overlap.
#[cfg(target_os = "linux")]
fn each_piece(overlap: usize, show: &mut dyn FnMut(&str, &[u8])) {
    use std::os::unix::fs::FileExt;

    const PIECE: usize = 1 << 18;
    let maps = std::fs::read_to_string("/proc/self/maps").expect("a list of regions");
    let memory = std::fs::File::open("/proc/self/mem").expect("the memory");
    let mut piece = vec![0_u8; PIECE];
    let own = piece.as_ptr() as u64..piece.as_ptr() as u64 + PIECE as u64;
    for line in maps.lines() {
        let mut words = line.split_ascii_whitespace();
        let (range, rights) = (words.next().expect("a range"), words.next().expect("rights"));
        if !rights.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').expect("a range");
        let [mut from, to] =
            [from, to].map(|end| u64::from_str_radix(end, 16).expect("hexadecimal"));
        let region = words.nth(3).unwrap_or("anonymous").to_owned();
        while from < to {
            // Skip the buffer into which the memory is read.
            if own.contains(&from) {
                from = own.end;
                continue;
            }
            let mut end = to.min(from + PIECE as u64);
            if (from..end).contains(&own.start) {
                end = own.start;
            }
            let length = usize::try_from(end - from).expect("a piece");
            // Pages that cannot be read, such as the kernel's, contain nothing of ours.
            if memory.read_exact_at(&mut piece[..length], from).is_ok() {
                piece[..length].iter_mut().for_each(|byte| *byte ^= MASK);
                show(&region, &piece[..length]);
            }
            piece.fill(0);
            from = if end < to && end != own.start { end - overlap as u64 } else { end };
        }
    }
}

/// How a secret may be written.
fn forms(secret: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let hex = |digits: &[u8; 16]| -> Vec<u8> {
        let digit = |byte: &u8| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]];
        secret.iter().flat_map(digit).collect()
    };
    let mut forms = vec![
        ("raw", secret.to_vec()),
        ("decimal", format!("{secret:?}").trim_matches(['[', ']']).as_bytes().to_vec()),
        ("hexadecimal", hex(b"0123456789abcdef")),
        ("hexadecimal", hex(b"0123456789ABCDEF")),
    ];
    for alphabet in [*b"+/", *b"-_"] {
        forms.extend((0..3).map(|shift| ("base64", base64(secret, shift, alphabet))));
    }
    forms
}

/// The base64 digits that depend on the secret alone, if `shift` bytes come before it.
fn base64(secret: &[u8], shift: usize, last: [u8; 2]) -> Vec<u8> {
    let mut bytes = vec![0; shift];
    bytes.extend_from_slice(secret);
    let bits = bytes.len() * 8;
    let digit = |at: usize| {
        let value = (0..6).fold(0, |value, bit| {
            let place = 6 * at + bit;
            value << 1 | bytes[place / 8] >> (7 - place % 8) & 1
        });
        match value {
            0..26 => b'A' + value,
            26..52 => b'a' + value - 26,
            52..62 => b'0' + value - 52,
            _ => last[usize::from(value - 62)],
        }
    };
    ((8 * shift).div_ceil(6)..bits / 6).map(digit).collect()
}

/// A source of randomness that records, masked, every long number that it returned: private keys, master keys,
/// vending keys. Short ones are nonces and salts, which are not secret.
#[derive(Clone, Debug)]
pub struct Watched<E> {
    source: E,
    name: &'static str,
    given: Arc<Mutex<Secrets>>,
}

impl<E> Watched<E> {
    /// Watches a source. Its secrets get this name and a number.
    pub fn new(name: &'static str, source: E) -> Self {
        Self { source, name, given: Arc::default() }
    }

    /// All secrets that it has returned.
    pub fn given(&self) -> Secrets {
        self.given.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl<E: Entropy> Entropy for Watched<E> {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        self.source.fill(bytes)?;
        if bytes.len() > 16 {
            let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
            let name = format!("{} {} of {} bytes", self.name, given.count() + 1, bytes.len());
            given.add(&name, bytes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_secret_is_found() {
        let mut secrets = Secrets::default();
        secrets.add("a", b"\x00\xFB\xFFsecret bytes");
        secrets.add("b", b"another secret");
        // Made with Python's base64 module, with 0 to 2 bytes before and after.
        for text in [
            "..\u{0}",
            "[0, 251, 255, 115, 101, 99, 114, 101, 116, 32, 98, 121, 116, 101, 115]",
            "00fbff736563726574206279746573",
            "00FBFF736563726574206279746573",
            "APv/c2VjcmV0IGJ5dGVz",
            "eAD7_3NlY3JldCBieXRlc3g=",
            "eHgA+/9zZWNyZXQgYnl0ZXN4",
        ] {
            let expected = usize::from(!text.starts_with('.'));
            assert_eq!(secrets.found_in(text.as_bytes()).len(), expected, "{text}");
        }
        assert_eq!(secrets.found_in(b"..another secret..").len(), 1);
        assert_eq!(secrets.found_in(b"..another secre.").len(), 0);
    }
}
