//! The centre's own module in software: a shared vault with a centre's contents.
//!
//! What is asked of it goes through a [`CentreSession`](crate::CentreSession), behind which somebody stands who is
//! signed in.
//!
//! Elsewhere: signing in, people, back-up and audit log ([`SharedVault`]), what is kept (`contents.rs`).

use super::contents::CentreContents;
use prepay_basics::Identifier;
use prepay_kmp::{CentreId, Identity, PartyKind};
use prepay_vault::{CreateError, NewUser, Place, Setup, SharedVault, Unlock, VaultError};

/// The centre's own module in software.
pub type CentreVault = SharedVault<CentreContents>;

/// What it takes to make a centre.
pub struct CentreSetup<'a> {
    /// Its name.
    pub centre: &'a CentreId,
    /// What will unlock it.
    pub unlock: Unlock<'a>,
    /// Its people: at least two custodians.
    pub users: &'a [NewUser<'a>],
    /// For how many days its public keys may be used.
    pub valid_days: u32,
    /// Makes a test centre: it takes in keys that are known outside, its passphrases may be short, and it says
    /// in everything it answers that it is one. Its keys are never for real meters.
    pub insecure_test: bool,
}

impl CentreSetup<'_> {
    /// For how many days a centre's public keys are used when nobody says otherwise: ten years.
    pub const VALID_DAYS: u32 = 3653;

    /// Makes a centre, with keys of its own.
    ///
    /// # Errors
    ///
    /// [`CreateError`].
    pub fn make(&self, mut place: Place) -> Result<CentreVault, CreateError> {
        let now = place.clock.now();
        let name: Identifier = self.centre.as_str().parse().expect("a centre's name is one");
        let identity = Identity::generate(PartyKind::Centre, name.clone(), &mut *place.entropy)
            .map_err(VaultError::from)?;
        let contents = CentreContents::new(identity, now, now.plus_days(self.valid_days));
        let Self { unlock, users, insecure_test, .. } = *self;
        SharedVault::create(place, Setup { name: &name, unlock, users, insecure_test }, contents)
    }
}
