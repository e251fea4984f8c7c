//! Signing in.
//!
//! ```text
//!  ask      may this name sign in now?            quick, uses the vault
//!  claim    derive a key from the passphrase      slow, without the vault
//!  settle   is it the right one?                  uses the vault: first the log, then the answer
//! ```
//!
//! - An attempt is in the log before it is answered, so that a crash in between gives nobody a free guess.
//! - Other threads can use a shared vault during the slow step, but only one attempt runs at a time: parallel
//!   guesses would all be over before the first one counts.

use subtle::ConstantTimeEq;

use super::secret::{Cost, Key};
use super::user::{Failures, User};
use super::{By, Contents, Secret, Session, SignInError, Vault, VaultEntry};
use prepay_basics::{Identifier, Moment};

/// A name that may sign in now.
pub struct Attempt {
    name: Identifier,
    cost: Cost,
    salt: [u8; 16],
}

/// A name, and the key derived from a passphrase for it.
pub struct Claim {
    attempt: Attempt,
    derived: Key,
}

impl Attempt {
    /// An attempt of somebody who is known.
    pub(super) fn of(name: &Identifier, user: &User) -> Self {
        Self { name: name.clone(), cost: user.verifier.cost, salt: user.verifier.salt }
    }

    /// Derives a key from the passphrase, slowly.
    pub fn claim(self, passphrase: &Secret) -> Claim {
        let derived = self.cost.derive(passphrase.expose_bytes(), &self.salt);
        Claim { attempt: self, derived }
    }
}

impl Claim {
    /// Whether it is the person's passphrase.
    pub(super) fn fits(&self, user: &User) -> bool {
        user.verifier.derived.expose_bytes().ct_eq(self.derived.expose_bytes()).into()
    }
}

impl<C: Contents> Vault<C> {
    /// Signs a person in.
    ///
    /// # Errors
    ///
    /// [`SignInError`]; a wrong passphrase is in the log before it is answered.
    pub fn sign_in(
        &mut self,
        name: &Identifier,
        passphrase: &Secret,
        now: Moment,
    ) -> Result<Session, SignInError> {
        let claim = self.ask(name, now)?.claim(passphrase);
        self.settle(&claim, now)
    }

    /// Starts to sign a person in. An unknown name is treated like a known one.
    ///
    /// # Errors
    ///
    /// [`SignInError::Wait`], [`SignInError::Vault`].
    pub fn ask(&mut self, name: &Identifier, now: Moment) -> Result<Attempt, SignInError> {
        self.usable()?;
        if self.note_time(now)? {
            self.flush()?;
        }
        let known = self.people.users.get(name);
        self.people.check_wait(known.is_some().then_some(name), now)?;
        let cost = Cost::new(self.header.insecure_test);
        let unknown = || Attempt { name: name.clone(), cost, salt: [0; 16] };
        Ok(known.map_or_else(unknown, |user| Attempt::of(name, user)))
    }

    /// Completes the sign-in. If the passphrase was changed since the start, it counts as wrong.
    ///
    /// # Errors
    ///
    /// [`SignInError`]; a wrong passphrase is in the log before it is answered.
    pub fn settle(&mut self, claim: &Claim, now: Moment) -> Result<Session, SignInError> {
        self.usable()?;
        let name = &claim.attempt.name;
        let known = self.people.users.get(name);
        let key = known.is_some().then_some(name);
        self.people.check_wait(key, now)?;
        let Some(user) = known.filter(|user| claim.fits(user)) else {
            let failures = self.people.failures(key).one_more(now);
            let Failures { count, wait_until } = failures;
            let user = key.cloned();
            let entry = VaultEntry::SignInFailed { user, failures: count, wait_until };
            self.put(None, &entry, 0, now)?;
            self.flush()?;
            self.people.set_failures(key, failures);
            return Err(SignInError::Wrong);
        };
        let session = user.session(name, self.instance);
        let entry = VaultEntry::SignedIn { role: session.role };
        self.put(Some(By::One(&session)), &entry, 0, now)?;
        self.flush()?;
        self.people.set_failures(key, Failures::NONE);
        Ok(session)
    }
}
