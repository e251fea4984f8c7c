//! What a vault keeps, who may use it, and what it refuses.

mod kit;

use std::sync::{Arc, Mutex};

use kit::*;
use prepay_basics::codec::Writer;
use prepay_basics::{Entropy, NoEntropy};
use prepay_vault::*;
use zeroize::Zeroizing;

#[test]
fn what_was_kept_is_there_after_opening() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let quorum = quorum(&mut vault);
    let otto = sign_in(&mut vault, "otto");
    issue(&mut vault, &otto, 3).unwrap();
    note(&mut vault, &quorum).unwrap();
    issue(&mut vault, &otto, 2).unwrap();
    drop(vault); // As if killed: nothing is written at the end.

    let mut vault = open(Arc::clone(&place)).unwrap();
    assert_eq!((vault.contents().rows, vault.contents().notes), (5, 1));
    assert_eq!(vault.contents().remembered, [0, 1, 2, 3, 4]);
    let names: Vec<_> =
        vault.audit(1, 100).unwrap().iter().map(|record| record.entry.name()).collect();
    let expected = ["created", "signed_in", "signed_in", "signed_in", "issued", "noted", "issued"];
    assert_eq!(names, expected);
    let report = vault.verify_audit().unwrap();
    assert_eq!((report.entries, report.first_bad, report.authenticated), (7, None, true));
    assert_eq!(report.last.sequence, 7);
    vault.close().unwrap();

    let (header, protector) = TestVault::look(&mut Arc::clone(&place)).unwrap();
    assert_eq!((header.name.as_str(), protector), ("SM-1", Protector::Passphrase));
    assert!(header.insecure_test);
    let report = verify::<CountEntry>(&mut Arc::clone(&place)).unwrap();
    assert_eq!((report.entries, report.first_bad, report.authenticated), (7, None, false));
    assert_eq!(
        records::<CountEntry>(&mut Arc::clone(&place), 6, 1).unwrap()[0].entry.name(),
        "noted"
    );
    let vault = open(Arc::clone(&place)).unwrap();
    assert_eq!((vault.contents().rows, vault.contents().notes), (5, 1));
    assert_eq!(vault.contents().remembered, [0, 1, 2, 3, 4]);
}

#[test]
fn many_rows_are_kept_and_what_is_needed_is_shown_again() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let otto = sign_in(&mut vault, "otto");
    for _ in 0..3 {
        issue(&mut vault, &otto, 70_000).unwrap();
        vault.snapshot_if_due().unwrap();
    }
    // The last two entries with rows are needed again.
    vault.contents_mut().needed = vault.entries() - 1;
    vault.save().unwrap();
    issue(&mut vault, &otto, 10).unwrap();
    drop(vault);
    let mut vault = open(Arc::clone(&place)).unwrap();
    assert_eq!(vault.contents().rows, 210_010);
    let remembered = &vault.contents().remembered;
    assert_eq!(remembered.len(), 140_010);
    assert!(remembered.iter().copied().eq(70_000..210_010));
    assert_eq!(vault.verify_audit().unwrap().first_bad, None);
    assert_eq!(vault.audit(6, 1).unwrap()[0].sequence, 6);
}

#[test]
fn the_store_is_written_afresh_after_much_and_not_after_every_opening() {
    let place = Shelf::default();
    let store = || place.lock().unwrap().store.clone();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let otto = sign_in(&mut vault, "otto");
    let mut written = Vec::new();
    const HALF: u64 = 65_536;
    let counts = [HALF - 1, HALF, 1, 1, HALF - 1, HALF - 1, 1];
    for (count, reopened) in counts.into_iter().zip([false, false, true, true, true, true, true]) {
        let otto = if reopened {
            vault = open(Arc::clone(&place)).unwrap();
            vault.sign_in(&name("otto"), &secret("otto"), at(6000)).unwrap()
        } else {
            otto.clone()
        };
        issue(&mut vault, &otto, count).unwrap();
        let before = store();
        vault.snapshot_if_due().unwrap();
        written.push(store() != before);
    }
    assert_eq!(written, [false, false, true, false, false, false, true]);
}

/// A wrapper that wraps nothing, with a label.
struct Labelled(String);

impl KeyWrapper for Labelled {
    fn label(&self) -> &str {
        &self.0
    }

    fn wrap(&self, key: &[u8; 32]) -> Result<Vec<u8>, WrapError> {
        Ok(key.to_vec())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, WrapError> {
        Ok(Zeroizing::new(wrapped.try_into().unwrap()))
    }
}

#[test]
fn the_label_of_a_wrapper_is_kept_whole_or_refused() {
    for (label, fits) in
        [("x".repeat(200), true), ("x".repeat(201), false), ("two\nlines".to_owned(), false)]
    {
        let place = Shelf::default();
        let wrapper = Labelled(label.clone());
        match create_for(Arc::clone(&place), Unlock::Wrapper(&wrapper)) {
            Ok(vault) if fits => {
                assert_eq!(vault.protector(), Protector::Wrapper { label: label.clone() })
            }
            Err(CreateError::Vault(VaultError::Wrapper(_))) if !fits => {
                assert_eq!(place.lock().unwrap().store, None, "{label:?}");
            }
            other => panic!("{label:?}: {:?}", other.err()),
        }
    }
}

#[test]
fn one_thread_writes_for_all_that_wait() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let otto = sign_in(&mut vault, "otto");
    let flusher = vault.flusher();
    let vault = Mutex::new(vault);
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let sequence = {
                        let mut vault = vault.lock().unwrap();
                        let row = vault.contents().rows;
                        vault.contents_mut().rows += 1;
                        vault.stage(By::One(&otto), &issued(row..row + 1), at(3)).unwrap()
                    };
                    flusher.flush_through(sequence).unwrap();
                    let report =
                        verify::<CountEntry>(&mut MemoryStorage::clone(&place.lock().unwrap()));
                    let report = report.unwrap();
                    assert!(report.entries >= sequence);
                }
            });
        }
    });
    drop(vault);
    let vault = open(Arc::clone(&place)).unwrap();
    assert_eq!(vault.contents().rows, 800);
    assert_eq!(vault.entries(), 802);
    assert!(flusher.flush_through(803).is_err(), "a locked vault writes nothing");
}

#[test]
fn all_that_wait_learn_that_the_place_failed() {
    let dying = Dying::new(Shelf::default(), 1 << 40);
    let mut vault = create(dying.clone()).unwrap();
    let otto = sign_in(&mut vault, "otto");
    let flusher = vault.flusher();
    let (before, vault) = (vault.entries(), Mutex::new(vault));
    *dying.steps.lock().unwrap() = 20_000;
    let put = || {
        let mut vault = vault.lock().unwrap();
        vault.contents_mut().rows += 1;
        vault.stage(By::One(&otto), &issued(1..2), at(3)).unwrap()
    };
    let flushed = || (0..1000).map(|_| put()).take_while(|&n| flusher.flush_through(n).is_ok());
    let kept = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| flushed().max())).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).max()
    });
    let vault = open(Arc::clone(&dying.place)).unwrap();
    assert!(vault.entries() >= kept.unwrap() && kept.unwrap() > before);
    assert!(vault.entries() < before + 16_000, "every thread stopped early");
}

#[test]
fn nothing_stored_shows_a_secret() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let quorum = quorum(&mut vault);
    let file = vault.backup(&quorum, [&secret("one"), &secret("two")], at(1)).unwrap();
    vault.close().unwrap();
    let place = place.lock().unwrap();
    let store = place.store.as_ref().unwrap();
    for bytes in [store, &place.log, place.head.as_ref().unwrap(), &file] {
        assert!(!bytes.windows(16).any(|window| window == SECRET));
    }
}

#[test]
fn a_vault_is_made_only_in_an_empty_place_and_with_two_custodians() {
    let place = Shelf::default();
    create(Arc::clone(&place)).unwrap();
    assert_eq!(create(Arc::clone(&place)).err(), Some(CreateError::NotEmpty));
    let (anna, pass) = (name("anna"), secret("p"));
    let user = |role| NewUser { name: &anna, role, passphrase: &pass };
    let otto = NewUser { name: &name("otto"), ..user(Role::Operator) };
    let cases = [
        (vec![], false, CreateError::TooFewCustodians),
        (vec![user(Role::Custodian), otto], true, CreateError::TooFewCustodians),
        (vec![user(Role::Custodian); 2], true, CreateError::SameName { name: anna.clone() }),
        (
            vec![user(Role::Custodian)],
            false,
            CreateError::Vault(VaultError::ShortPassphrase { expected: 12 }),
        ),
    ];
    for (users, insecure_test, expected) in cases {
        let unlock = Unlock::Passphrase(&pass);
        let setup = Setup { name: &anna, unlock, users: &users, insecure_test };
        let place = Shelf::default();
        let made =
            Vault::create(Box::new(Arc::clone(&place)), noise(1), setup, Counts::default(), at(0));
        assert_eq!(made.err(), Some(expected));
        assert!(place.lock().unwrap().store.is_none());
    }
}

struct Token(u8);

impl KeyWrapper for Token {
    fn label(&self) -> &str {
        "a token"
    }

    fn wrap(&self, key: &[u8; 32]) -> Result<Vec<u8>, WrapError> {
        Ok(key.iter().map(|byte| byte ^ self.0).collect())
    }

    fn unwrap(&self, wrapped: &[u8]) -> Result<Zeroizing<[u8; 32]>, WrapError> {
        let key: [u8; 32] =
            wrapped.try_into().map_err(|_| WrapError { problem: "no key".to_owned() })?;
        Ok(Zeroizing::new(key.map(|byte| byte ^ self.0)))
    }
}

#[test]
fn only_its_own_secret_unlocks_a_vault_and_it_can_be_replaced() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let quorum = quorum(&mut vault);
    assert_eq!(open_with(Arc::clone(&place), "opem").err(), Some(OpenError::WrongSecret));
    let file = KeyFile::generate(&mut Foreseeable::new(7)).unwrap();
    let file = KeyFile::decode(&file.encode()).unwrap();
    let other = KeyFile::generate(&mut Foreseeable::new(8)).unwrap();
    let open_by = |unlock: Unlock<'_>| {
        TestVault::open(Box::new(Arc::clone(&place)), noise(5), unlock, at(9)).map(drop)
    };

    vault.change_protector(&quorum, Unlock::KeyFile(&file), at(2)).unwrap();
    assert_eq!(vault.protector(), Protector::KeyFile);
    assert_eq!(open_by(Unlock::KeyFile(&file)), Ok(()));
    assert_eq!(open_by(Unlock::KeyFile(&other)), Err(OpenError::WrongSecret));
    let (expected, found) = (Protector::KeyFile, Protector::Passphrase);
    assert_eq!(
        open_with(Arc::clone(&place), "open").err(),
        Some(OpenError::Protector { expected, found })
    );

    vault.change_protector(&quorum, Unlock::Wrapper(&Token(0x5A)), at(3)).unwrap();
    assert_eq!(vault.protector().to_string(), "wrapper (a token)");
    assert_eq!(open_by(Unlock::Wrapper(&Token(0x5A))), Ok(()));
    assert!(open_by(Unlock::Wrapper(&Token(0x5B))).is_err());

    let empty = secret("");
    let refused = vault.change_protector(&quorum, Unlock::Passphrase(&empty), at(4));
    assert_eq!(refused, Err(VaultError::ShortPassphrase { expected: 1 }));
    vault.change_protector(&quorum, Unlock::Passphrase(&secret("new")), at(4)).unwrap();
    drop(vault);
    assert!(open_with(Arc::clone(&place), "open").is_err());
    assert_eq!(open_with(place, "new").unwrap().contents().secret, SECRET);
}

#[test]
fn a_key_file_is_refused_when_it_is_cut_or_changed() {
    let bytes = KeyFile::generate(&mut Foreseeable::new(7)).unwrap().encode();
    assert_eq!(bytes.len(), KeyFile::LENGTH);
    for length in 0..bytes.len() {
        assert!(KeyFile::decode(&bytes[..length]).is_err(), "length = {length}");
    }
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(KeyFile::decode(&bytes).is_err(), "bit = {bit}");
    }
}

#[test]
fn a_vault_of_another_kind_or_version_is_named() {
    struct Another;
    impl Contents for Another {
        type Entry = CountEntry;

        const KIND: Kind = Kind { number: 8, name: "another" };

        fn encode(&self, _: &mut Writer) {}

        fn decode(
            _: &mut prepay_basics::codec::Reader<'_>,
        ) -> Result<Self, prepay_basics::codec::DecodeError> {
            Ok(Self)
        }

        fn replay(&mut self, _: &CountEntry, _: At) -> Result<(), ReplayError> {
            Err(ReplayError::Unexpected)
        }
    }
    let place = Shelf::default();
    let pass = secret("open");
    let unlock = Unlock::Passphrase(&pass);
    let missing = Vault::<Another>::open(Box::new(Arc::clone(&place)), noise(1), unlock, at(0));
    assert_eq!(missing.err(), Some(OpenError::NotThere));
    create(Arc::clone(&place)).unwrap();
    let other = Vault::<Another>::open(Box::new(Arc::clone(&place)), noise(1), unlock, at(0));
    let expected = OpenError::Kind { expected: Another::KIND, found: Counts::KIND.number };
    assert_eq!(other.err(), Some(expected));
    place.lock().unwrap().store.as_mut().unwrap()[13] = b'1';
    assert_eq!(open(Arc::clone(&place)).err(), Some(OpenError::Version));
}

#[test]
fn of_two_vaults_on_one_storage_the_second_to_write_answers_nothing() {
    let place = Shelf::default();
    drop(create(Arc::clone(&place)).unwrap());
    let [mut first, mut second] = [0; 2].map(|_| open(Arc::clone(&place)).unwrap());
    let otto = sign_in(&mut first, "otto");
    issue(&mut first, &otto, 1).unwrap();
    let before = place.lock().unwrap().log.clone();
    let refused = second.sign_in(&name("otto"), &secret("otto"), at(1)).unwrap_err();
    assert!(matches!(refused, SignInError::Vault(VaultError::Broken { .. })), "{refused:?}");
    assert_eq!(place.lock().unwrap().log, before);
    // The head is that of the first: the vault opens with everything that was answered.
    drop(second);
    issue(&mut first, &otto, 1).unwrap();
    drop(first);

    // The same for a change that replaces the store.
    let mut second = open(Arc::clone(&place)).unwrap();
    let quorum = quorum(&mut second);
    let mut first = open(Arc::clone(&place)).unwrap();
    let otto = sign_in(&mut first, "otto");
    let store = place.lock().unwrap().store.clone();
    assert!(matches!(note(&mut second, &quorum), Err(VaultError::Broken { .. })));
    assert!(second.close().is_err());
    assert_eq!(place.lock().unwrap().store, store);
    issue(&mut first, &otto, 1).unwrap();
    drop(first);
    assert_eq!(open(place).unwrap().contents().rows, 3);
}

#[test]
fn a_store_older_than_its_log_is_refused() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let quorum = quorum(&mut vault);
    let old = place.lock().unwrap().store.clone();
    note(&mut vault, &quorum).unwrap();
    drop(vault);
    place.lock().unwrap().store = old;
    assert!(matches!(open(place).err(), Some(OpenError::Replay { sequence: 4, .. })));
}

#[test]
fn nothing_happens_without_randomness() {
    struct Failing(u64, u64);
    impl Entropy for Failing {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
            self.0 = self.0.checked_sub(1).ok_or(NoEntropy)?;
            Foreseeable::new(self.1).fill(bytes)
        }
    }
    let place = Shelf::default();
    create(Arc::clone(&place)).unwrap();
    let pass = secret("open");
    let opened = TestVault::open(
        Box::new(Arc::clone(&place)),
        Box::new(Failing(1, 3)),
        Unlock::Passphrase(&pass),
        at(1),
    );
    let mut vault = opened.unwrap();
    let quorum = quorum(&mut vault);
    let before = place.lock().unwrap().clone();
    assert_eq!(note(&mut vault, &quorum), Err(VaultError::NoEntropy));
    assert_eq!(vault.contents().notes, 0);
    let after = place.lock().unwrap();
    assert_eq!((&before.store, &before.log), (&after.store, &after.log));
}

#[test]
fn a_broken_place_stops_everything_until_the_vault_is_opened_again() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    drop(sign_in(&mut vault, "anna"));
    drop(vault);
    let dying = Dying::new(Arc::clone(&place), 1000);
    let mut vault = open(dying.clone()).unwrap();
    let quorum = quorum(&mut vault);
    *dying.steps.lock().unwrap() = 0;
    assert!(matches!(note(&mut vault, &quorum), Err(VaultError::Broken { .. })));
    *dying.steps.lock().unwrap() = 1000;
    assert!(matches!(note(&mut vault, &quorum), Err(VaultError::Broken { .. })));
    assert!(vault.usable().is_err());
    let answer = vault.sign_in(&name("anna"), &secret("anna"), at(1));
    assert!(matches!(answer, Err(SignInError::Vault(VaultError::Broken { .. }))));
    drop(vault);
    assert_eq!(open(place).unwrap().contents().notes, 0);
}

#[test]
fn an_older_copy_that_was_put_back_lacks_the_entry_that_was_noted() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let quorum = quorum(&mut vault);
    let older = place.lock().unwrap().clone();
    note(&mut vault, &quorum).unwrap();
    let noted = vault.verify_audit().unwrap().last;
    vault.close().unwrap();
    assert_eq!(noted.to_string().parse(), Ok(noted));
    assert_eq!(verify_noted::<CountEntry>(&mut Arc::clone(&place), noted).unwrap().first_bad, None);

    let missing = verify_noted::<CountEntry>(&mut older.clone(), noted).unwrap().first_bad.unwrap();
    assert_eq!((missing.sequence, missing.problem), (noted.sequence, Problem::Missing));
    // A torn end does not hide it; where nothing is missing, the torn end is what is found.
    let mut torn = older.clone();
    torn.log.push(0);
    let missing = verify_noted::<CountEntry>(&mut torn, noted).unwrap().first_bad.unwrap();
    assert_eq!((missing.sequence, missing.problem), (noted.sequence, Problem::Missing));
    let mut torn = place.lock().unwrap().clone();
    torn.log.push(0);
    let bad = verify_noted::<CountEntry>(&mut torn, noted).unwrap().first_bad.unwrap();
    assert_eq!((bad.sequence, bad.problem), (noted.sequence + 1, Problem::Torn));

    // The older copy goes on, so that it has an entry of that number, but another one.
    let older = Arc::new(Mutex::new(older));
    let mut vault = open(Arc::clone(&older)).unwrap();
    sign_in(&mut vault, "otto");
    vault.close().unwrap();
    let bad =
        verify_noted::<CountEntry>(&mut Arc::clone(&older), noted).unwrap().first_bad.unwrap();
    assert_eq!((bad.sequence, bad.problem), (noted.sequence, Problem::OtherChain));

    for text in ["", "7", "7-", "-00", &format!("+{noted}"), &noted.to_string().to_lowercase()] {
        assert!(text.parse::<AuditMark>().is_err(), "{text:?}");
    }
}
