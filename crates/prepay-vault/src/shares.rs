//! The master key under custodians' shares: as many of them as the threshold says open the vault together.
//!
//! ```text
//!  threshold        u8
//!  ephemeral key    32 bytes, X25519
//!  custodians       a list in rising order: name, cost and salt of Argon2id
//!  sealed keys      one for each set of so many custodians; sets in the order of their members
//! ```
//!
//! A passphrase becomes a private key (Argon2id, its own salt and domain, so that what verifies a sign-in is of no
//! use here). The public key is in the sealed contents, with the person. So shares are made anew for everybody when one
//! custodian comes, goes or changes a passphrase, and nobody else need be there. The master key is sealed for each set
//! under a hash of what the ephemeral key agrees with every member of the set.
//!
//! The plain part verifies no single passphrase: only all those of one set together open anything.
//!
//! - Why so, and not by Shamir's scheme: `docs/decisions/0013-shares-of-custodians.md`.
//! - Form: `docs/formats/vault.md`.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

use super::seal::SealedKey;
use super::secret::{Cost, Key};
use super::{OpenError, Secret, VaultError, VaultHeader};
use prepay_basics::codec::{DecodeError, Reader, Writer};
use prepay_basics::{Entropy, Identifier, NoEntropy};

/// The fewest custodians that may open a vault together.
const LEAST: u8 = 2;

/// The most sets of custodians that open one vault: all pairs of 45, or sets of three of 19.
const MOST_SETS: usize = 1000;

/// What a custodian's share is sealed for. It is in the sealed contents only: with it, one passphrase could be guessed.
#[derive(Clone)]
pub(super) struct ShareKey {
    salted: Salted,
    public: [u8; 32],
}

/// How a passphrase becomes a private key.
#[derive(Clone, Copy)]
struct Salted {
    cost: Cost,
    salt: [u8; 16],
}

impl Salted {
    fn private(self, passphrase: &Secret) -> Key {
        let derived = self.cost.derive(passphrase.expose_bytes(), &self.salt);
        hashed(
            Sha256::new_with_prefix("prepay share of a custodian")
                .chain_update(derived.expose_bytes()),
        )
    }

    fn encode(self, writer: &mut Writer) {
        self.cost.encode(writer);
        writer.array(&self.salt);
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { cost: Cost::decode(reader)?, salt: reader.array()? })
    }
}

impl ShareKey {
    pub(super) fn new(
        passphrase: &Secret,
        cost: Cost,
        entropy: &mut dyn Entropy,
    ) -> Result<Self, NoEntropy> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt)?;
        let salted = Salted { cost, salt };
        let public = x25519(*salted.private(passphrase).expose_bytes(), X25519_BASEPOINT_BYTES);
        Ok(Self { salted, public })
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        self.salted.encode(writer);
        writer.array(&self.public);
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { salted: Salted::decode(reader)?, public: reader.array()? })
    }
}

/// A master key that so many of these custodians open.
#[derive(Clone)]
pub(super) struct SharedMaster {
    pub(super) threshold: u8,
    ephemeral: [u8; 32],
    custodians: Vec<(Identifier, Salted)>,
    sealed: Vec<SealedKey>,
}

impl SharedMaster {
    /// Seals a master key for custodians, given in the order of their names.
    pub(super) fn seal(
        threshold: u8,
        master: &Key,
        header: &VaultHeader,
        custodians: &[(&Identifier, &ShareKey)],
        entropy: &mut dyn Entropy,
    ) -> Result<Self, VaultError> {
        let sets = sets(custodians.len(), threshold)
            .ok_or(VaultError::Threshold { threshold, custodians: custodians.len() })?;
        let private = Key::random(entropy)?;
        let ephemeral = x25519(*private.expose_bytes(), X25519_BASEPOINT_BYTES);
        let agreed: Vec<Key> =
            custodians.iter().map(|(_, share)| agree(&private, &share.public)).collect();
        let sealed = sets.iter().map(|set| {
            let members = set.iter().map(|&place| (custodians[place].0, &agreed[place]));
            SealedKey::seal(&joint(header, &ephemeral, members), master, &header.id, entropy)
        });
        Ok(Self {
            threshold,
            ephemeral,
            sealed: sealed.collect::<Result<_, _>>()?,
            custodians: custodians
                .iter()
                .map(|&(name, share)| (name.clone(), share.salted))
                .collect(),
        })
    }

    /// Opens the master key for as many custodians as the threshold says, in any order.
    pub(super) fn open(
        &self,
        given: &[(Identifier, Secret)],
        header: &VaultHeader,
    ) -> Result<Key, OpenError> {
        let mut given: Vec<_> = given.iter().collect();
        given.sort_by(|one, other| one.0.cmp(&other.0));
        let place = |name: &Identifier| self.custodians.iter().position(|(known, _)| known == name);
        let set: Option<Vec<usize>> = given.iter().map(|(name, _)| place(name)).collect();
        let sets = sets(self.custodians.len(), self.threshold).unwrap_or_default();
        let number = set.as_ref().and_then(|set| sets.iter().position(|other| other == set));
        let (Some(set), Some(number)) = (set, number) else {
            return Err(OpenError::Shares { threshold: self.threshold, custodians: self.names() });
        };
        let agreed: Vec<Key> = given
            .iter()
            .zip(&set)
            .map(|((_, passphrase), &place)| {
                agree(&self.custodians[place].1.private(passphrase), &self.ephemeral)
            })
            .collect();
        // With a point of small order in its place, anybody could seal for everybody.
        if agreed.iter().any(|key| key.expose_bytes().ct_eq(&[0; 32]).into()) {
            return Err(OpenError::WrongSecret);
        }
        let members = set.iter().zip(&agreed).map(|(&place, key)| (&self.custodians[place].0, key));
        let under = joint(header, &self.ephemeral, members);
        self.sealed[number].open(&under, &header.id).ok_or(OpenError::WrongSecret)
    }

    /// Whose shares there are.
    pub(super) fn names(&self) -> Vec<Identifier> {
        self.custodians.iter().map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn encode(&self, writer: &mut Writer) {
        writer.u8(self.threshold);
        writer.array(&self.ephemeral);
        writer.list(&self.custodians, |writer, (name, salted)| {
            writer.text(name.as_str());
            salted.encode(writer);
        });
        self.sealed.iter().for_each(|key| key.encode(writer));
    }

    pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let error = reader.error("custodians in rising order, at least as many as open the vault");
        let threshold = reader.u8()?;
        let ephemeral = reader.array()?;
        let custodians =
            reader.list(|reader| Ok((reader.parse("a custodian")?, Salted::decode(reader)?)))?;
        let rises = custodians.is_sorted_by(|(one, _), (other, _)| one < other);
        let count = match sets(custodians.len(), threshold) {
            Some(sets) if rises => sets.len(),
            _ => return Err(error),
        };
        let sealed = (0..count).map(|_| SealedKey::decode(reader)).collect::<Result<_, _>>()?;
        Ok(Self { threshold, ephemeral, custodians, sealed })
    }
}

/// What a private and a public key agree on.
fn agree(private: &Key, public: &[u8; 32]) -> Key {
    let mut agreed = Key::zero();
    *agreed.bytes() = x25519(*private.expose_bytes(), *public);
    agreed
}

/// The key of one set of custodians.
fn joint<'a>(
    header: &VaultHeader,
    ephemeral: &[u8; 32],
    members: impl Iterator<Item = (&'a Identifier, &'a Key)>,
) -> Key {
    let hash = Sha256::new_with_prefix("prepay shares").chain_update(header.id);
    hashed(members.fold(hash.chain_update(ephemeral), |hash, (name, agreed)| {
        let length = u32::try_from(name.as_str().len()).expect("a name is short");
        let hash = hash.chain_update(length.to_be_bytes()).chain_update(name.as_str());
        hash.chain_update(agreed.expose_bytes())
    }))
}

fn hashed(hash: Sha256) -> Key {
    let mut key = Key::zero();
    hash.finalize_into(key.bytes().into());
    key
}

/// All sets of `size` places below `count`, in order; `None` if there can be none, or there are too many.
fn sets(count: usize, size: u8) -> Option<Vec<Vec<usize>>> {
    let size = if size < LEAST { return None } else { usize::from(size) };
    let mut sets = Vec::new();
    let mut set: Vec<usize> = (0..size).collect();
    while *set.last()? < count {
        if sets.len() == MOST_SETS {
            return None;
        }
        sets.push(set.clone());
        let Some(rising) = (0..size).rev().find(|&place| set[place] < count - size + place) else {
            break;
        };
        set[rising] += 1;
        for place in rising + 1..size {
            set[place] = set[place - 1] + 1;
        }
    }
    (!sets.is_empty()).then_some(sets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_complete_and_bounded() {
        let all = |count, size| sets(count, size).map(|sets| sets.len());
        // (custodians, threshold, sets)
        for (count, size, expected) in [
            (2, 2, Some(1)),
            (3, 2, Some(3)),
            (5, 3, Some(10)),
            (4, 4, Some(1)),
            (45, 2, Some(990)),
            (46, 2, None),
            (3, 1, None),
            (3, 0, None),
            (1, 2, None),
            (0, 2, None),
            (255, 255, Some(1)),
        ] {
            assert_eq!(all(count, size), expected, "{size} of {count}");
        }
        assert_eq!(sets(3, 2).unwrap(), [[0, 1], [0, 2], [1, 2]]);
    }
}
