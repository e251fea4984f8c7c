//! Others use the vault while a key is derived or sealed, which is slow by intention.

mod kit;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use kit::*;
use prepay_basics::Identifier;
use prepay_vault::*;
use zeroize::Zeroizing;

/// How often others have to have their turn during one derivation. It takes a hundred times as long as one of their turns.
const TURNS: u32 = 10;

/// A vault whose keys cost what they cost in use.
fn real() -> (SharedVault<Counts>, Quorum) {
    let names = ["anna", "berta", "carla", "otto"].map(name);
    let secrets = names.each_ref().map(|name| long(name.as_str()));
    let user =
        |place: usize, role| NewUser { name: &names[place], role, passphrase: &secrets[place] };
    let [custodian, operator] = [Role::Custodian, Role::Operator];
    let users = [user(0, custodian), user(1, custodian), user(2, custodian), user(3, operator)];
    let unlock = Unlock::Passphrase(&long("open"));
    let setup = Setup { name: &name("SM-1"), unlock, users: &users, insecure_test: false };
    let (storage, entropy) = (Box::new(MemoryStorage::default()), noise(1));
    let place = Place { storage, entropy, clock: Box::new(at(5000)) };
    let vault = SharedVault::create(place, setup, Counts::default()).unwrap();
    let session = |name: &Identifier| vault.sign_in(name, &long(name.as_str())).unwrap();
    let quorum = Quorum::new(session(&names[0]), session(&names[1])).unwrap();
    (vault, quorum)
}

fn long(text: &str) -> Secret {
    secret(&format!("a long passphrase of {text}"))
}

#[test]
fn rows_are_issued_while_keys_are_derived() {
    let (vault, two) = real();
    let otto = vault.sign_in(&name("otto"), &long("otto")).unwrap();
    let (ended, turns) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                vault
                    .with(|vault| {
                        let row = vault.contents().rows;
                        vault.contents_mut().rows += 1;
                        vault.stage(By::One(&otto), &issued(row..row + 1), at(5000)).unwrap();
                    })
                    .unwrap();
                turns.fetch_add(1, Ordering::Relaxed);
                thread::sleep(Duration::from_millis(1));
            }
        });
        let dora = NewUser { name: &name("dora"), role: Role::Auditor, passphrase: &long("dora") };
        let emma = NewUser { name: &name("emma"), role: Role::Custodian, ..dora };
        let _end = End(&ended);
        let during = |what: &str, act: &dyn Fn()| {
            let before = turns.load(Ordering::Relaxed);
            act();
            let had = turns.load(Ordering::Relaxed) - before;
            assert!(had >= TURNS, "{what}: others had {had} turns");
        };
        during("backup", &|| drop(vault.backup(&two, [&long("one"), &long("two")]).unwrap()));
        during("add_user", &|| vault.add_user(&two, dora).unwrap());
        during("add_user", &|| vault.add_user(&two, emma).unwrap());
        let session = vault.sign_in(dora.name, dora.passphrase).unwrap();
        during("change_passphrase", &|| {
            vault.change_passphrase(&session, dora.passphrase, &long("another")).unwrap();
        });
        during("set_passphrase", &|| vault.set_passphrase(&two, dora.name, &long("new")).unwrap());
        during("change_protector", &|| {
            vault.change_protector(&two, Unlock::Passphrase(&long("seal"))).unwrap();
        });
    });
    vault.close().unwrap();
}

/// Ends the others, also when the test fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A token during whose work something happens.
struct Token<'a>(&'a dyn Fn());

impl KeyWrapper for Token<'_> {
    fn label(&self) -> &'static str {
        "slow"
    }

    fn wrap(&self, key: &[u8; 32]) -> Result<Vec<u8>, WrapError> {
        (self.0)();
        Ok(key.to_vec())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, WrapError> {
        Ok(Zeroizing::new(wrapped.try_into().unwrap()))
    }
}

#[test]
fn others_use_the_vault_while_a_token_seals_it() {
    let (vault, two) = real();
    let vault = Arc::new(vault);
    let others = || {
        let (vault, (used, is_used)) = (Arc::clone(&vault), channel());
        thread::spawn(move || used.send(vault.with(|_| ())));
        let used = is_used.recv_timeout(Duration::from_secs(20));
        used.expect("others use the vault while the token seals").unwrap();
    };
    vault.change_protector(&two, Unlock::Wrapper(&Token(&others))).unwrap();
    assert_eq!(vault.with(|vault| vault.protector().to_string()).unwrap(), "wrapper (slow)");
}

#[test]
fn who_left_while_a_token_sealed_changes_nothing() {
    let (vault, two) = real();
    let leaves = || vault.remove_user(&two, &name("anna")).unwrap();
    let refused = vault.change_protector(&two, Unlock::Wrapper(&Token(&leaves)));
    assert_eq!(refused, Err(VaultError::Access(AccessError::Ended)));
    assert_eq!(vault.with(|vault| vault.protector()), Ok(Protector::Passphrase));

    let (vault, two) = real();
    let refused = vault.change_protector(&two, Unlock::Wrapper(&Token(&|| vault.lock())));
    assert_eq!(refused, Err(VaultError::Locked));
}

#[test]
fn a_bit_flip_far_back_passes_opening_and_issuing_and_is_found_between_the_turns_of_others() {
    let shelf = Shelf::default();
    let mut vault = create(Arc::clone(&shelf)).unwrap();
    let otto = sign_in(&mut vault, "otto");
    for _ in 0..130 {
        issue(&mut vault, &otto, 1000).unwrap(); // 40 KB each: an opening reads the last 4 MiB.
    }
    vault.contents_mut().needed = u64::MAX; // The contents need nothing again.
    vault.close().unwrap();
    let open_again = || {
        let (storage, entropy) = (Box::new(Arc::clone(&shelf)), noise(2));
        let place = Place { storage, entropy, clock: Box::new(at(5000)) };
        SharedVault::<Counts>::open(place, Unlock::Passphrase(&secret("open"))).unwrap()
    };
    // Right: others have their turn between two slices, and may end it.
    let vault = open_again();
    let slices = Cell::new(0);
    let count = |_| {
        slices.set(slices.get() + 1);
        vault.with(|vault| vault.contents().rows).unwrap() == 130_000
    };
    let report = vault.verify_slowly(&count).unwrap().unwrap();
    assert_eq!((report.first_bad, report.authenticated, slices.get() > 3), (None, true, true));
    assert_eq!(vault.verify_slowly(&|_| false).unwrap(), None);
    vault.close().unwrap();
    // Wrong, before what an opening reads.
    shelf.lock().unwrap().log[100_000] ^= 1;
    let vault = open_again();
    let otto = vault.sign_in(&name("otto"), &secret("otto")).unwrap();
    let issued = vault.with(|vault| issue(vault, &otto, 1)).unwrap();
    issued.expect("nothing is seen so far");
    let report = vault.verify_slowly(&|_| true).unwrap().unwrap();
    assert_eq!(report.first_bad.expect("it is seen now").sequence, 5);
    assert_eq!(report.entries, 4);
}
