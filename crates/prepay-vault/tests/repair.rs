//! The way back after the head or the log was lost or damaged, and after passphrases were forgotten.

mod kit;

use std::cell::Cell;
use std::sync::Arc;

use kit::*;
use prepay_vault::*;

/// A vault with a committed note (entry 4) and five rows after it (entries 5 and 6).
fn used() -> Shelf {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let two = quorum(&mut vault);
    note(&mut vault, &two).unwrap();
    let otto = vault.sign_in(&name("otto"), &secret("otto"), at(2)).unwrap();
    issue(&mut vault, &otto, 5).unwrap();
    assert_eq!(vault.entries(), 6);
    vault.lock();
    place
}

fn repair_by(
    shelf: &Shelf,
    [first, second]: [&str; 2],
    lost: u64,
    limits: RestoredLimits,
) -> Result<(TestVault, Repaired), RepairError> {
    let before = shelf.lock().unwrap().clone();
    let place = Place {
        storage: Box::new(Arc::clone(shelf)),
        entropy: noise(77),
        clock: Box::new(Fixed(at(9000))),
    };
    let words = secret("open");
    let secrets = [secret(first), secret(second)];
    let names = [name(first), name(second)];
    let custodians = [(&names[0], &secrets[0]), (&names[1], &secrets[1])];
    let kept = Cell::new(false);
    let keep = || {
        kept.set(true);
        Ok(())
    };
    let accepted = Accepted { lost, limits };
    let done = Vault::repair(place, Unlock::Passphrase(&words), custodians, accepted, keep);
    let after = shelf.lock().unwrap().clone();
    let same = (before.store == after.store, before.log == after.log, before.head == after.head);
    assert_eq!(kept.get(), done.is_ok(), "copies are kept before anything is changed");
    assert_eq!(same == (true, true, true), done.is_err(), "a refusal changes nothing");
    done
}

struct Fixed(prepay_basics::Moment);

impl prepay_basics::Clock for Fixed {
    fn now(&self) -> prepay_basics::Moment {
        self.0
    }
}

fn repair(shelf: &Shelf, lost: u64) -> Result<(TestVault, Repaired), RepairError> {
    repair_by(shelf, ["anna", "berta"], lost, RestoredLimits::Stopped)
}

/// Opens the vault, verifies its log and returns its last entry.
fn opened(shelf: &Shelf) -> (TestVault, VaultEntry) {
    let mut vault = open(Arc::clone(shelf)).unwrap();
    let report = vault.verify_audit().unwrap();
    assert_eq!(report.first_bad, None);
    let last = vault.audit(vault.entries(), 1).unwrap().remove(0);
    assert_eq!(last.actors, ["anna", "berta"].map(name));
    let Entry::Vault(entry) = last.entry else { panic!("{last:?}") };
    (vault, entry)
}

#[test]
fn a_lost_or_damaged_head_is_made_anew_by_two_custodians_and_the_log_says_so() {
    for damage in [None, Some(b"no head".to_vec())] {
        let shelf = used();
        shelf.lock().unwrap().head = damage;
        assert!(matches!(open(Arc::clone(&shelf)).err(), Some(OpenError::Head { .. })));
        let (vault, repaired) = repair(&shelf, 0).unwrap();
        assert_eq!(repaired, Repaired { last: 6, lost: 0, uncertain: true });
        drop(vault);
        let (vault, entry) = opened(&shelf);
        let limits_accepted = false;
        assert_eq!(
            entry,
            VaultEntry::Repaired { last: 6, lost: 0, uncertain: true, limits_accepted }
        );
        assert_eq!((vault.contents().rows, vault.contents().notes), (5, 1));
        assert!(vault.contents().stopped, "whether later rows were cut off is not known");
        assert_eq!(repair(&shelf, 0).err(), Some(RepairError::NotNeeded));
    }
}

#[test]
fn one_custodian_or_a_wrong_passphrase_repairs_nothing() {
    let shelf = used();
    shelf.lock().unwrap().head = None;
    let by = |pair| repair_by(&shelf, pair, 0, RestoredLimits::Accepted).err();
    assert_eq!(by(["anna", "anna"]), Some(RepairError::Quorum(QuorumError::SamePerson)));
    assert!(matches!(by(["anna", "otto"]), Some(RepairError::Quorum(_))));
    assert!(matches!(by(["anna", "nobody"]), Some(RepairError::SignIn { .. })));
    let (vault, _) = repair_by(&shelf, ["carla", "anna"], 0, RestoredLimits::Accepted).unwrap();
    assert!(!vault.contents().stopped, "both accepted the limits");
}

#[test]
fn entries_that_the_head_names_are_lost_only_if_their_number_is_accepted() {
    let shelf = used();
    let (log, head) = {
        let shelf = shelf.lock().unwrap();
        (shelf.log.clone(), shelf.head.clone())
    };
    // A bit of the last entry; the last entry cut off; and rubbish in its place.
    let last = log.len() - 60;
    let changed: Vec<u8> =
        log.iter().enumerate().map(|(place, byte)| byte ^ u8::from(place == last)).collect();
    for damaged in [changed, log[..log.len() - 200].to_vec(), log[..log.len() - 100].to_vec()] {
        let mut state = shelf.lock().unwrap();
        (state.log, state.head) = (damaged, head.clone());
        drop(state);
        let copy = Arc::new(std::sync::Mutex::new(shelf.lock().unwrap().clone()));
        assert!(open(Arc::clone(&copy)).is_err());
        for accepted in [0, 2] {
            let lost = RepairError::Lost { last: 5, lost: 1, accepted };
            assert_eq!(repair(&copy, accepted).err(), Some(lost));
        }
        let (vault, repaired) = repair(&copy, 1).unwrap();
        assert_eq!(repaired, Repaired { last: 5, lost: 1, uncertain: false });
        assert!(vault.contents().stopped, "the rows are lost, so limits would come back");
        assert_eq!(vault.contents().rows, 0);
        drop(vault);
        let (_, entry) = opened(&copy);
        assert_eq!(entry.name(), "repaired");
    }
}

#[test]
fn a_log_that_lacks_what_the_store_has_begins_anew_after_it() {
    let full = used();
    drop(open(Arc::clone(&full)).unwrap().close());
    let log = full.lock().unwrap().log.clone();
    for kept in [0, 60, 90, log.len() / 3, log.len() / 2] {
        let shelf = Arc::new(std::sync::Mutex::new(full.lock().unwrap().clone()));
        shelf.lock().unwrap().log.truncate(kept);
        let refused = repair(&shelf, 0).err();
        let Some(RepairError::Lost { last: found, lost, .. }) = refused else {
            panic!("{kept}: {refused:?}")
        };
        assert_eq!(found + lost, 6, "{kept}");
        let (vault, repaired) = repair(&shelf, lost).unwrap();
        assert!(!repaired.uncertain && !vault.contents().stopped, "the store has everything");
        drop(vault);
        let (mut vault, entry) = opened(&shelf);
        assert_eq!(vault.entries(), 7);
        assert!(matches!(entry, VaultEntry::Repaired { .. }));
        assert_eq!((vault.contents().rows, vault.contents().notes), (5, 1));
        // The new log goes on as usual.
        let two = quorum(&mut vault);
        note(&mut vault, &two).unwrap();
        vault.lock();
        assert_eq!(open(shelf).unwrap().contents().notes, 2);
    }
}

#[test]
fn a_repair_that_was_cut_off_can_be_repeated() {
    for damage in 0..3 {
        let mut done = false;
        for steps in 0..2000 {
            let shelf = used();
            drop(open(Arc::clone(&shelf)).unwrap().close());
            {
                let mut state = shelf.lock().unwrap();
                match damage {
                    0 => state.head = None,
                    1 => state.log.truncate(300),
                    _ => state.log.clear(),
                }
            }
            let dying = Dying::new(Arc::clone(&shelf), steps);
            let words = [secret("anna"), secret("berta")];
            let names = [name("anna"), name("berta")];
            let custodians = [(&names[0], &words[0]), (&names[1], &words[1])];
            let attempt = |storage: Box<dyn VaultStorage>, lost| {
                let clock = Box::new(Fixed(at(9000)));
                let place = Place { storage, entropy: noise(5), clock };
                let accepted = Accepted { lost, limits: RestoredLimits::Stopped };
                let words = secret("open");
                Vault::<Counts>::repair(
                    place,
                    Unlock::Passphrase(&words),
                    custodians,
                    accepted,
                    || Ok(()),
                )
                .map(drop)
            };
            let lost = |error: Option<RepairError>| match error {
                Some(RepairError::Lost { lost, .. }) => lost,
                _ => 0,
            };
            let count = lost(attempt(Box::new(Arc::clone(&shelf)), 99).err());
            done = attempt(Box::new(dying), count).is_ok();
            // Whatever is there now opens, or is repaired by the same two again.
            if open(Arc::clone(&shelf)).is_err() {
                let count = lost(attempt(Box::new(Arc::clone(&shelf)), 99).err());
                attempt(Box::new(Arc::clone(&shelf)), count)
                    .unwrap_or_else(|error| panic!("{damage}, {steps}: {error}"));
            }
            let vault = open(shelf).unwrap_or_else(|error| panic!("{damage}, {steps}: {error}"));
            assert_eq!(
                (vault.contents().rows, vault.contents().notes),
                (5, 1),
                "{damage}, {steps}"
            );
            if done {
                break;
            }
        }
        assert!(done);
    }
}

#[test]
fn those_who_open_a_back_up_may_set_new_passphrases_and_the_log_says_so() {
    let shelf = Shelf::default();
    let mut vault = create(Arc::clone(&shelf)).unwrap();
    let two = quorum(&mut vault);
    let words = [secret("one"), secret("two")];
    let backup = vault.backup(&two, words.each_ref(), at(3)).unwrap();
    let new = [secret("anna's new"), secret("berta's new")];
    let (anna, berta) = (name("anna"), name("berta"));
    let restore = |words: &[Secret; 2], new: [&Secret; 2], place: &Shelf| {
        let custodians = [(&anna, &words[0]), (&berta, &words[1])];
        let storage = Box::new(Arc::clone(place));
        let seal = secret("open");
        let unlock = Unlock::Passphrase(&seal);
        let limits = RestoredLimits::Stopped;
        let new = Some(new);
        TestVault::restore_anew(storage, noise(3), &backup, custodians, new, unlock, limits, at(9))
    };
    let again = Shelf::default();
    let short = restore(&words, [&new[0], &secret("")], &again);
    assert!(matches!(short.err(), Some(RestoreError::Create(CreateError::Vault(_)))));
    let wrong = restore(&[secret("one"), secret("no")], new.each_ref(), &again);
    assert_eq!(wrong.err(), Some(RestoreError::WrongSecret));
    assert!(again.lock().unwrap().store.is_none(), "nothing was made");

    let mut vault = restore(&words, new.each_ref(), &again).unwrap();
    for (who, words, fits) in [
        (&anna, "anna", false),
        (&berta, "berta", false),
        (&anna, "anna's new", true),
        (&berta, "berta's new", true),
    ] {
        let signed_in = vault.sign_in(who, &secret(words), at(20)).is_ok();
        assert_eq!(signed_in, fits, "{who}: {words}");
    }
    let carla = vault.sign_in(&name("carla"), &secret("carla"), at(21));
    assert!(carla.is_ok(), "the others keep theirs");
    let records = vault.audit(0, 100).unwrap();
    let changed = records.iter().filter_map(|record| match &record.entry {
        Entry::Vault(VaultEntry::PassphraseChanged { user }) => {
            Some((user.clone(), record.actors.len()))
        }
        _ => None,
    });
    assert_eq!(changed.collect::<Vec<_>>(), [(anna.clone(), 2), (berta.clone(), 2)]);
}
