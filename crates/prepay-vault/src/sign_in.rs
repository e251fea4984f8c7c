//! Signing in.
//!
//! ```text
//!  ask      the vault: may this name be tried now?       quick
//!  claim    nobody: a key from the passphrase            slow, needs no vault
//!  settle   the vault: is it the right one?              in the log, then answered
//! ```
//!
//! - Whether a passphrase was right is answered only when the log holds that it was asked, so a stop in
//!   between gives nobody another try for nothing.
//! - Whoever shares a vault between threads leaves it to the others during the slow step, but lets one try
//!   after the other: guesses side by side would be over before the first of them counts.

use subtle::ConstantTimeEq;

use super::secret::{Cost, Key};
use super::user::Failures;
use super::{By, Contents, Secret, Session, SignInError, Vault, VaultEntry};
use prepay_basics::{Identifier, Moment};

/// A name that may be tried now.
pub struct Attempt {
    name: Identifier,
    cost: Cost,
    salt: [u8; 16],
}

/// A name, and what was made of a passphrase for it.
pub struct Claim {
    attempt: Attempt,
    derived: Key,
}

impl Attempt {
    /// Makes a key of the passphrase, slowly.
    pub fn claim(self, passphrase: &Secret) -> Claim {
        let derived = self.cost.derive(passphrase.expose_bytes(), &self.salt);
        Claim { attempt: self, derived }
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

    /// Begins to sign a person in. A name that nobody has is answered as if somebody had it.
    ///
    /// # Errors
    ///
    /// [`SignInError::Wait`], [`SignInError::Vault`].
    pub fn ask(&self, name: &Identifier, now: Moment) -> Result<Attempt, SignInError> {
        self.usable()?;
        let known = self.people.users.get(name);
        self.people.check_wait(known.is_some().then_some(name), now)?;
        let (cost, salt) = match known {
            Some(user) => (user.verifier.cost, user.verifier.salt),
            None => (Cost::new(self.header.insecure_test), [0; 16]),
        };
        Ok(Attempt { name: name.clone(), cost, salt })
    }

    /// Ends signing in. A passphrase that was changed since the beginning counts as wrong.
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
        let fits =
            |derived: &Key| bool::from(derived.expose_bytes().ct_eq(claim.derived.expose_bytes()));
        let Some(user) = known.filter(|user| fits(&user.verifier.derived)) else {
            let failures = self.people.failures(key).one_more(now);
            let Failures { count, wait_until } = failures;
            let user = key.cloned();
            let entry = VaultEntry::SignInFailed { user, failures: count, wait_until };
            self.put(None, &entry, 0, now)?;
            self.flush()?;
            self.people.set_failures(key, failures);
            return Err(SignInError::Wrong);
        };
        let session = Session {
            name: name.clone(),
            role: user.role,
            vault: self.instance,
            passphrase: user.passphrase,
        };
        let entry = VaultEntry::SignedIn { role: session.role };
        self.put(Some(By::One(&session)), &entry, 0, now)?;
        self.flush()?;
        self.people.set_failures(key, Failures::NONE);
        Ok(session)
    }
}
