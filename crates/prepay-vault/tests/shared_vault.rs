//! A vault for all threads: who reads what, and what is left when it is locked, stopped or half changed.

mod kit;

use std::sync::Arc;

use kit::*;
use prepay_vault::*;

type Shared = SharedVault<Counts>;

fn open_shared(shelf: &Shelf) -> Shared {
    let place = Place {
        storage: Box::new(Arc::clone(shelf)),
        entropy: noise(99),
        clock: Box::new(at(5000)),
    };
    SharedVault::open(place, Unlock::Passphrase(&secret("open"))).unwrap()
}

fn fresh() -> (Shelf, Shared) {
    let shelf = Shelf::default();
    drop(create(Arc::clone(&shelf)).unwrap());
    let vault = open_shared(&shelf);
    (shelf, vault)
}

fn session(vault: &Shared, who: &str) -> Session {
    vault.sign_in(&name(who), &secret(who)).unwrap()
}

/// What each call answers that anybody may try.
fn answers(vault: &Shared, by: &Session, two: &Quorum) -> Vec<Option<VaultError>> {
    let [old, new] = [secret("otto"), secret("new")];
    let of_sign_in = |error| match error {
        SignInError::Vault(error) => error,
        other => panic!("{other}"),
    };
    let of_user = |error| match error {
        UserError::Vault(error) => error,
        other => panic!("{other}"),
    };
    let of_audit = |error| match error {
        AuditError::Vault(error) => error,
        other => panic!("{other}"),
    };
    let user = NewUser { name: &name("dora"), role: Role::Auditor, passphrase: &new };
    vec![
        vault.sign_in(&name("otto"), &old).err().map(of_sign_in),
        vault.users(By::One(by)).err(),
        vault.add_user(two, user).err().map(of_user),
        vault.remove_user(two, &name("carla")).err().map(of_user),
        vault.set_passphrase(two, &name("otto"), &new).err().map(of_user),
        vault.change_passphrase(by, &old, &new).err().map(of_user),
        vault.change_protector(two, Unlock::Passphrase(&new)).err(),
        vault.backup(two, [&old, &new]).err(),
        vault.audit(By::Two(two), 1, 1).err().map(of_audit),
        vault.verify_audit(By::Two(two)).err().map(of_audit),
        vault.with(|_| ()).err(),
    ]
}

fn both(vault: &Shared) -> (Session, Quorum) {
    let quorum = Quorum::new(session(vault, "anna"), session(vault, "berta")).unwrap();
    (session(vault, "otto"), quorum)
}

#[test]
fn everybody_sees_the_people_and_operators_do_not_read_the_log() {
    let (_, vault) = fresh();
    let (otto, two) = both(&vault);
    let anna = session(&vault, "anna");
    for by in [By::One(&otto), By::One(&anna), By::Two(&two)] {
        assert_eq!(vault.users(by).unwrap().len(), 4, "{by:?}");
    }
    let refused = AuditError::Vault(AccessError::Role { found: Role::Operator }.into());
    assert_eq!(vault.audit(By::One(&otto), 1, 9).unwrap_err(), refused);
    assert_eq!(vault.verify_audit(By::One(&otto)).unwrap_err(), refused);
    for by in [By::One(&anna), By::Two(&two)] {
        assert_eq!(vault.audit(by, 1, 1).unwrap()[0].entry.name(), "created", "{by:?}");
        let report = vault.verify_audit(by).unwrap();
        assert!(report.authenticated && report.first_bad.is_none(), "{by:?}");
    }
    assert_eq!(vault.authorize(By::One(&otto), &[Role::Operator]), Ok(()));
}

#[test]
fn a_locked_vault_answers_nothing_more() {
    let (shelf, vault) = fresh();
    let (otto, two) = both(&vault);
    vault.lock();
    let locked = Some(VaultError::Locked);
    assert!(answers(&vault, &otto, &two).iter().all(|answer| *answer == locked));
    assert_eq!(vault.authorize(By::One(&otto), &[Role::Operator]), Err(AccessError::Ended));
    assert_eq!((vault.header().name.clone(), vault.close()), (name("SM-1"), Ok(())));
    // Whoever comes next can have it.
    open_shared(&shelf).close().unwrap();
}

#[test]
fn what_could_not_be_kept_stops_the_vault_with_the_same_words() {
    let (shelf, vault) = fresh();
    let (otto, two) = both(&vault);
    vault.with(|open| open.contents_mut().rows += 1).unwrap();
    let error = vault.stop(VaultError::TooLarge);
    assert!(answers(&vault, &otto, &two).iter().all(|answer| answer.as_ref() == Some(&error)));
    assert_eq!(vault.stop(VaultError::NoEntropy), VaultError::NoEntropy, "the first one counts");
    assert_eq!(vault.close(), Err(error));
    assert_eq!(open_shared(&shelf).with(|open| open.contents().rows), Ok(0));
}

#[test]
fn what_a_thread_left_half_changed_is_never_written() {
    let (shelf, vault) = fresh();
    let (otto, two) = both(&vault);
    let panicked = std::thread::scope(|scope| {
        let change = || {
            vault.with(|open| {
                open.contents_mut().rows = 77;
                panic!("half-way");
            })
        };
        scope.spawn(change).join().map(drop)
    });
    assert!(panicked.is_err());
    let is_broken = |answer: &Option<VaultError>| matches!(answer, Some(VaultError::Broken { .. }));
    assert!(answers(&vault, &otto, &two).iter().all(is_broken));
    let before = shelf.lock().unwrap().store.clone();
    assert!(matches!(vault.close(), Err(VaultError::Broken { .. })));
    assert_eq!(shelf.lock().unwrap().store, before);
    assert_eq!(open_shared(&shelf).with(|open| open.contents().rows), Ok(0));
}
