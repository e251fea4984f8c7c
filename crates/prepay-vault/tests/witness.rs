//! The witness: what it notices of older copies and of copies elsewhere, and what happens without it.

mod kit;

use std::sync::{Arc, Mutex};

use kit::*;
use prepay_basics::Moment;
use prepay_vault::*;

/// Where the witness of these tests is.
const PLACE: &str = "a place elsewhere";

fn set(vault: &mut TestVault, two: &Quorum, place: &str) -> Result<bool, WitnessError> {
    vault.set_witness(two, place, RestoredLimits::Stopped, at(20))
}

/// A vault with a witness, and its two custodians.
fn watched() -> (Shelf, TestVault, Quorum) {
    let shelf = Shelf::default();
    let mut vault = create(Arc::clone(&shelf)).unwrap();
    let two = quorum(&mut vault);
    set(&mut vault, &two, PLACE).unwrap();
    (shelf, vault, two)
}

/// A copy of the files, with the same witness.
fn copy(shelf: &Shelf) -> Shelf {
    Arc::new(Mutex::new(shelf.lock().unwrap().clone()))
}

/// A copy of the files, with a copy of the witness.
fn copy_of_all(shelf: &Shelf) -> Shelf {
    let copy = copy(shelf);
    let witnesses = copy.lock().unwrap().witnesses.lock().unwrap().clone();
    copy.lock().unwrap().witnesses = Arc::new(Mutex::new(witnesses));
    copy
}

fn record(shelf: &Shelf, place: &str) -> Option<Vec<u8>> {
    shelf.lock().unwrap().witnesses.lock().unwrap().get(place).cloned()
}

fn put(shelf: &Shelf, place: &str, record: Option<Vec<u8>>) {
    let storage = shelf.lock().unwrap();
    let mut witnesses = storage.witnesses.lock().unwrap();
    match record {
        Some(record) => witnesses.insert(place.to_owned(), record),
        None => witnesses.remove(place),
    };
}

/// Signs in the two custodians and the operator, by names that are passphrases too.
fn both(vault: &mut TestVault, now: Moment) -> Quorum {
    let mut one = |who: &str| vault.sign_in(&name(who), &secret(who), now).unwrap();
    Quorum::new(one("anna"), one("berta")).unwrap()
}

fn issue_at(
    vault: &mut TestVault,
    by: &Session,
    count: u64,
    now: Moment,
) -> Result<u64, VaultError> {
    let first = vault.contents().rows;
    vault.contents_mut().rows += count;
    let sequence = vault.stage(By::One(by), &issued(first..first + count), now)?;
    vault.flush()?;
    Ok(sequence)
}

/// The two numbers of entries in a refusal of an older copy.
fn went_back(shelf: &Shelf) -> (u64, u64) {
    match open(copy(shelf)).err() {
        Some(OpenError::WentBack { place, expected, found }) => {
            assert_eq!(place, PLACE);
            (expected.sequence, found.sequence)
        }
        other => panic!("{other:?}"),
    }
}

/// The last entry that the witness of an open vault has.
fn told(vault: &TestVault) -> u64 {
    vault.witness().unwrap().last.unwrap().sequence
}

#[test]
fn a_head_and_a_log_cut_back_give_no_limits_back_without_a_trace() {
    let (shelf, mut vault, two) = watched();
    let otto = sign_in(&mut vault, "otto");
    let older = shelf.lock().unwrap().clone();
    let begun = vault.entries();
    issue(&mut vault, &otto, 5).unwrap();
    let issued = vault.entries();
    vault.lock();
    let store = shelf.lock().unwrap().store.clone();
    assert_eq!(older.store, store, "the store has not changed: head and log alone are put back");
    shelf.lock().unwrap().log = older.log.clone();
    shelf.lock().unwrap().head = older.head.clone();
    assert_eq!(went_back(&shelf), (issued, begun));
    assert_eq!(shelf.lock().unwrap().log, older.log, "a refusal changes nothing");
    drop(two);

    // The number of what is missing is accepted, or there is no repair; then nothing is issued under the old limits.
    let refused = repair(&shelf, 0).map(drop).unwrap_err();
    let lost = issued - begun;
    assert_eq!(refused, RepairError::Lost { last: begun, lost, accepted: 0 });
    let (vault, repaired) = repair(&shelf, lost).unwrap();
    assert_eq!(repaired, Repaired { last: begun, lost, uncertain: false });
    assert!(vault.contents().stopped);
    assert_eq!(told(&vault), vault.entries());
    drop(vault);
    let mut vault = open(Arc::clone(&shelf)).unwrap();
    let two = quorum(&mut vault);
    note(&mut vault, &two).unwrap();
    vault.lock();
    open(shelf).unwrap();
}

fn repair(shelf: &Shelf, lost: u64) -> Result<(TestVault, Repaired), RepairError> {
    struct Fixed;
    impl prepay_basics::Clock for Fixed {
        fn now(&self) -> Moment {
            at(9000)
        }
    }
    let place =
        Place { storage: Box::new(Arc::clone(shelf)), entropy: noise(77), clock: Box::new(Fixed) };
    let (names, words) = ([name("anna"), name("berta")], [secret("anna"), secret("berta")]);
    let custodians = [(&names[0], &words[0]), (&names[1], &words[1])];
    let accepted = Accepted { lost, limits: RestoredLimits::Stopped };
    Vault::repair(place, Unlock::Passphrase(&secret("open")), custodians, accepted, || Ok(()))
}

#[test]
fn a_whole_directory_put_back_is_refused_after_every_change() {
    let (shelf, mut vault, two) = watched();
    let otto = sign_in(&mut vault, "otto");
    let older = |vault: &TestVault| (copy(&shelf), vault.entries());
    let mut copies = vec![older(&vault)];
    note(&mut vault, &two).unwrap();
    copies.push(older(&vault));
    let user = NewUser { name: &name("dora"), role: Role::Auditor, passphrase: &secret("dora") };
    vault.add_user(&two, user, at(21)).unwrap();
    copies.push(older(&vault));
    vault.change_protector(&two, Unlock::Passphrase(&secret("open")), at(22)).unwrap();
    copies.push(older(&vault));
    issue_at(&mut vault, &otto, 3, at(22)).unwrap();
    vault.close().unwrap();
    let last = open(copy_of_all(&shelf)).unwrap().entries();
    for (copy, entries) in copies {
        assert_eq!(went_back(&copy), (last, entries));
    }
    let vault = open(shelf).unwrap();
    assert_eq!((vault.contents().notes, vault.contents().rows), (1, 3));
}

#[test]
fn of_two_copies_the_one_opened_first_stops_at_its_next_record() {
    let (shelf, vault, _) = watched();
    vault.lock();
    let mut first = open(Arc::clone(&shelf)).unwrap();
    let two = both(&mut first, at(5000));
    let otto = first.sign_in(&name("otto"), &secret("otto"), at(5000)).unwrap();
    let elsewhere = copy(&shelf);
    let mut second = open_elsewhere(&elsewhere).unwrap();
    // Tokens of the next ten seconds are not stopped. They are what a copy may cost.
    issue_at(&mut first, &otto, 1, at(5009)).unwrap();
    let before = shelf.lock().unwrap().log.len();
    let copied = VaultError::Copied { place: PLACE.to_owned() };
    assert_eq!(issue_at(&mut first, &otto, 1, at(5010)), Err(copied.clone()));
    assert_eq!(note(&mut first, &two), Err(copied.clone()));
    assert_eq!(first.usable(), Err(copied.clone()));
    assert_eq!(first.close(), Err(copied));
    assert_eq!(shelf.lock().unwrap().log.len(), before, "nothing was written");

    let otto = second.sign_in(&name("otto"), &secret("otto"), at(5020)).unwrap();
    issue_at(&mut second, &otto, 2, at(5031)).unwrap();
    let two = both(&mut second, at(5032));
    note(&mut second, &two).unwrap();
    second.close().unwrap();
    // The first goes no further either, and the second does.
    assert!(matches!(open(shelf).err(), Some(OpenError::WentBack { .. })));
    assert_eq!(open(elsewhere).unwrap().contents().rows, 2);
}

#[test]
fn a_change_in_a_copied_vault_is_refused_before_anything_is_written() {
    let (shelf, vault, _) = watched();
    vault.lock();
    let mut first = open(Arc::clone(&shelf)).unwrap();
    let two = both(&mut first, at(5000));
    drop(open_elsewhere(&copy(&shelf)).unwrap());
    let before = shelf.lock().unwrap().clone();
    // Within the ten seconds in which tokens are still answered.
    let entry = CountEntry::Noted { text: "noted".to_owned() };
    let noted = first.commit(By::Two(&two), &entry, at(5001), |counts| counts.notes += 1);
    assert_eq!(noted, Err(VaultError::Copied { place: PLACE.to_owned() }));
    let after = shelf.lock().unwrap().clone();
    assert_eq!((before.store, before.log, before.head), (after.store, after.log, after.head));
    assert_eq!(first.contents().notes, 0);
}

#[test]
fn a_log_that_went_on_from_a_copy_is_refused_by_the_hash_of_an_entry() {
    // (rows of the first copy, whether the entry of the witness is before everything that opening reads)
    for (entries, is_far) in [(20_u64, false), (140_000, true)] {
        let (shelf, vault, _) = watched();
        vault.lock();
        let now = at(5000);
        let mut first = open(Arc::clone(&shelf)).unwrap();
        let otto = first.sign_in(&name("otto"), &secret("otto"), now).unwrap();
        let elsewhere = copy(&shelf);
        let far = first.entries() + 1;
        let many = |vault: &mut TestVault, otto: &Session| {
            vault.contents_mut().needed = u64::MAX; // Nothing has to be seen again.
            for _ in 0..entries {
                let first = vault.contents().rows;
                vault.contents_mut().rows += 1;
                vault.stage(By::One(otto), &issued(first..first + 1), now).unwrap();
                vault.snapshot_if_due().unwrap();
            }
            vault.flush().unwrap();
        };
        many(&mut first, &otto);
        drop(first);
        // Killed, and opened again: the witness is far behind, and its entry is there.
        let honest = copy_of_all(&shelf);
        let behind = open(Arc::clone(&honest)).unwrap();
        assert_eq!((behind.contents().remembered.len() as u64) < entries, is_far);
        assert_eq!(told(&behind), behind.entries());

        let mut second = open_elsewhere(&elsewhere).unwrap();
        let otto = second.sign_in(&name("otto"), &secret("otto"), at(5005)).unwrap();
        issue_at(&mut second, &otto, 2, at(5011)).unwrap();
        let expected = told(&second);
        drop(second);
        assert!(expected > far);
        assert_eq!(went_back(&shelf), (expected, expected), "{entries}");
    }
}

#[test]
fn a_token_is_answered_only_while_the_record_is_less_than_ten_seconds_old() {
    let (shelf, vault, _) = watched();
    vault.lock();
    let mut vault = open(shelf).unwrap();
    let otto = vault.sign_in(&name("otto"), &secret("otto"), at(5000)).unwrap();
    let begun = told(&vault);
    // (seconds, whether the record is renewed): both sides of the limit, and a clock that was put back.
    for (seconds, renewed) in [
        (5001, false),
        (5009, false),
        (5010, true),
        (5019, false),
        (5020, true),
        (5011, false),
        (5010, true),
    ] {
        let before = told(&vault);
        let entry = issue_at(&mut vault, &otto, 1, at(seconds)).unwrap();
        assert_eq!(told(&vault), if renewed { entry } else { before }, "{seconds}");
    }
    assert!(told(&vault) > begun);
    vault.close().unwrap();
}

/// Every way in which a witness can fail: its record, and a word of the reason.
fn failures(shelf: &Shelf) -> Vec<(Option<Vec<u8>>, &'static str)> {
    let good = record(shelf, PLACE).unwrap();
    let other = of_another_vault();
    let mut all = vec![
        (None, "found nothing"),
        (other, "damaged, or of another vault"),
        (record(shelf, "an earlier place"), "of another witness"),
        (Some(Vec::new()), "damaged"),
        (Some([good.as_slice(), b"x"].concat()), "damaged"),
    ];
    for bit in 0..good.len() * 8 {
        let mut flipped = good.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        all.push((Some(flipped), "damaged"));
    }
    all
}

/// The record of the witness of another vault.
fn of_another_vault() -> Option<Vec<u8>> {
    let shelf = Shelf::default();
    let words = secret("open");
    let mut vault = create_from(2, Arc::clone(&shelf), Unlock::Passphrase(&words)).unwrap();
    let two = quorum(&mut vault);
    set(&mut vault, &two, PLACE).unwrap();
    record(&shelf, PLACE)
}

/// Opens a copy, with other randomness than the first.
fn open_elsewhere(shelf: &Shelf) -> Result<TestVault, OpenError> {
    let words = secret("open");
    Vault::open(Box::new(Arc::clone(shelf)), noise(100), Unlock::Passphrase(&words), at(5000))
}

/// A vault whose witness has moved once.
fn moved() -> Shelf {
    let shelf = Shelf::default();
    let mut vault = create(Arc::clone(&shelf)).unwrap();
    let two = quorum(&mut vault);
    set(&mut vault, &two, "an earlier place").unwrap();
    set(&mut vault, &two, PLACE).unwrap();
    vault.lock();
    shelf
}

#[test]
fn without_its_witness_a_vault_can_be_read_and_changes_nothing() {
    let shelf = moved();
    let mut tried = 0;
    for (wrong, reason) in failures(&shelf) {
        let copy = copy_of_all(&shelf);
        put(&copy, PLACE, wrong.clone());
        let mut vault = open(Arc::clone(&copy)).unwrap();
        let report = vault.witness().unwrap();
        assert!(report.last.clone().unwrap_err().contains(reason), "{tried}: {report:?}");
        // A few of them show what all do.
        if tried % 200 < 5 {
            let two = both(&mut vault, at(5000));
            let otto = vault.sign_in(&name("otto"), &secret("otto"), at(5000)).unwrap();
            let missing = |error: Option<VaultError>| matches!(error, Some(VaultError::WitnessMissing { place, .. }) if place == PLACE);
            let first = vault.contents().rows;
            let staged = vault.stage(By::One(&otto), &issued(first..first + 1), at(5001));
            assert!(missing(staged.err()));
            assert!(missing(note(&mut vault, &two).err()));
            let words = [secret("one"), secret("two")];
            assert!(missing(vault.backup(&two, words.each_ref(), at(5001)).err()));
            let carla = UserError::Vault(note(&mut vault, &two).unwrap_err());
            assert_eq!(vault.remove_user(&two, &name("carla"), at(5001)), Err(carla));
            assert_eq!(vault.verify_audit().unwrap().first_bad, None);
            assert_eq!(record(&copy, PLACE), wrong, "what is there is left to people");
            vault.close().unwrap();
        }
        tried += 1;
    }
    assert!(tried > 1000);
}

#[test]
fn two_custodians_name_another_witness_and_the_limits_stop_unless_they_accept_them() {
    for (limits, stopped) in [(RestoredLimits::Stopped, true), (RestoredLimits::Accepted, false)] {
        for remove in [false, true] {
            let shelf = moved();
            put(&shelf, PLACE, None);
            let mut vault = open(Arc::clone(&shelf)).unwrap();
            let two = both(&mut vault, at(5000));
            let limits_accepted = !stopped;
            let (place, uncertain) = ("a new place".to_owned(), true);
            let entry = if remove {
                vault.remove_witness(&two, limits, at(5001)).unwrap();
                let place = PLACE.to_owned();
                VaultEntry::WitnessRemoved { place, uncertain, limits_accepted }
            } else {
                vault.set_witness(&two, &place, limits, at(5001)).unwrap();
                VaultEntry::WitnessSet { place, uncertain, limits_accepted }
            };
            assert_eq!(vault.contents().stopped, stopped);
            let last = vault.audit(vault.entries(), 1).unwrap().remove(0);
            assert_eq!(last.entry, Entry::Vault(entry));
            assert_eq!(last.actors.len(), 2);
            note(&mut vault, &two).unwrap();
            vault.close().unwrap();
            assert_eq!(open(shelf).unwrap().witness().is_none(), remove);
        }
    }
}

#[test]
fn a_witness_that_is_there_is_replaced_without_touching_the_limits() {
    let shelf = moved();
    let mut vault = open(Arc::clone(&shelf)).unwrap();
    let before = copy(&shelf);
    let two = both(&mut vault, at(5000));
    set(&mut vault, &two, "a third place").unwrap();
    assert!(!vault.contents().stopped);
    assert_eq!(told(&vault), vault.entries());
    // A copy from before the move still names the witness before, which knows of it.
    assert_eq!(went_back(&before).0, vault.entries());
    vault.remove_witness(&two, RestoredLimits::Stopped, at(5002)).unwrap();
    assert!(!vault.contents().stopped);
    assert_eq!(
        vault.remove_witness(&two, RestoredLimits::Stopped, at(5002)),
        Err(WitnessError::None)
    );
    vault.close().unwrap();
    assert_eq!(open(shelf).unwrap().witness(), None);
}

#[test]
fn a_place_that_is_taken_or_none_is_refused_and_nothing_changes() {
    let (shelf, mut vault, two) = watched();
    put(&shelf, "of another vault", of_another_vault());
    put(&shelf, "of something else", Some(b"notes".to_vec()));
    let ahead = copy_of_all(&shelf);
    let mut later = open(Arc::clone(&ahead)).unwrap();
    let they = quorum(&mut later);
    note(&mut later, &they).unwrap();
    put(&shelf, "ahead", record(&ahead, PLACE));
    let long = "x".repeat(1001);
    let entries = vault.entries();
    for (place, reason) in [
        ("of another vault", "found something else"),
        ("of something else", "found something else"),
        ("ahead", "or an earlier one, found entry"),
        (PLACE, "found that of the witness"),
        ("", "expected 1 to 1000 bytes"),
        ("a\nb", "expected 1 to 1000 bytes"),
        (&long, "expected 1 to 1000 bytes"),
    ] {
        let refused = set(&mut vault, &two, place).unwrap_err();
        assert!(matches!(refused, WitnessError::Place { .. }), "{place}: {refused:?}");
        assert!(refused.to_string().contains(reason), "{place}: {refused}");
        assert_eq!(vault.entries(), entries, "{place}");
    }
    assert_eq!(set(&mut vault, &two, &long[1..]), Ok(false));
}

#[test]
fn a_custodian_who_was_removed_names_no_witness() {
    let (_, mut vault, two) = watched();
    let former = Quorum::new(sign_in(&mut vault, "anna"), sign_in(&mut vault, "carla")).unwrap();
    vault.remove_user(&two, &name("carla"), at(21)).unwrap();
    let ended = WitnessError::Vault(VaultError::Access(AccessError::Ended));
    assert_eq!(set(&mut vault, &former, "a new place"), Err(ended.clone()));
    assert_eq!(vault.remove_witness(&former, RestoredLimits::Stopped, at(22)), Err(ended));
}

#[test]
fn a_witness_that_cannot_be_written_stops_the_vault() {
    let (shelf, vault, _) = watched();
    vault.lock();
    // Read-only at opening: the vault can be read.
    let mut vault = open(Dying::new(copy_of_all(&shelf), 0)).unwrap();
    assert_eq!(vault.witness().unwrap().last, Err("dead".to_owned()));
    assert!(matches!(vault.check_ready(at(5000)), Err(VaultError::WitnessMissing { .. })));
    assert_eq!(vault.verify_audit().unwrap().first_bad, None);

    // Full later: what was written but not answered is there when it is opened again.
    let dying = Dying::new(Arc::clone(&shelf), 1_000_000);
    let mut vault = open(dying.clone()).unwrap();
    let two = both(&mut vault, at(5000));
    let (log, store) = {
        let s = shelf.lock().unwrap();
        (s.log.len(), s.store.clone())
    };
    note(&mut vault, &two).unwrap();
    let before = dying.left();
    note(&mut vault, &two).unwrap();
    let used = before - dying.left();
    *dying.steps.lock().unwrap() = used - 1;
    let broken = note(&mut vault, &two).unwrap_err();
    assert!(broken.may_be_done(), "{broken:?}");
    assert!(broken.to_string().contains("the witness a place elsewhere: dead"), "{broken}");
    assert_eq!(note(&mut vault, &two), Err(broken));
    drop(vault);
    assert!(shelf.lock().unwrap().log.len() > log && shelf.lock().unwrap().store != store);
    assert_eq!(open(shelf).unwrap().contents().notes, 3);
}

#[test]
fn a_vault_that_died_anywhere_opens_again_with_its_witness() {
    let (shelf, vault, _) = watched();
    vault.lock();
    let mut died = 0;
    for steps in 0.. {
        let shelf = copy_of_all(&shelf);
        let dying = Dying::new(Arc::clone(&shelf), steps);
        let mut answered = (0, 0);
        let mut live = || -> Option<()> {
            let mut vault = open(dying.clone()).ok()?;
            vault.check_ready(at(5000)).ok()?;
            let mut one = |who: &str| vault.sign_in(&name(who), &secret(who), at(5000)).ok();
            let (anna, berta, otto) = (one("anna")?, one("berta")?, one("otto")?);
            let two = Quorum::new(anna, berta).unwrap();
            note(&mut vault, &two).ok()?;
            answered.1 = 1;
            issue_at(&mut vault, &otto, 1, at(5012)).ok()?;
            answered.0 = 1;
            set(&mut vault, &two, "a new place").ok()?;
            issue_at(&mut vault, &otto, 1, at(5030)).ok()?;
            answered.0 = 2;
            vault.remove_witness(&two, RestoredLimits::Stopped, at(5031)).ok()?;
            vault.close().ok()
        };
        let done = live().is_some();
        let vault = open(shelf).unwrap_or_else(|error| panic!("{steps}: {error}"));
        assert_eq!(vault.check_ready(at(5050)), Ok(()), "{steps}");
        let Counts { rows, notes, stopped, .. } = *vault.contents();
        assert!(rows >= answered.0 && notes >= answered.1 && !stopped, "{steps}: {answered:?}");
        if done {
            break;
        }
        died += 1;
    }
    assert!(died > 500, "{died}");
}

#[test]
fn a_repair_asks_the_witness_and_can_be_repeated_when_it_dies() {
    let (shelf, mut vault, _) = watched();
    let older = shelf.lock().unwrap().clone();
    let otto = sign_in(&mut vault, "otto");
    issue(&mut vault, &otto, 5).unwrap();
    let true_files = copy(&shelf);
    vault.lock();
    {
        let mut state = shelf.lock().unwrap();
        (state.store, state.log, state.head) = (older.store, older.log, None);
    }
    // Without a head that fits it is the witness alone that knows what is missing.
    let Err(RepairError::Lost { last, lost, .. }) = repair(&shelf, 0).map(drop) else { panic!() };
    assert!(lost >= 2);
    // The witness missing too: nobody can know.
    let lonely = copy_of_all(&shelf);
    put(&lonely, PLACE, None);
    let (vault, repaired) = repair(&lonely, 0).unwrap();
    assert_eq!(repaired, Repaired { last, lost: 0, uncertain: true });
    assert!(vault.contents().stopped);
    assert!(matches!(vault.check_ready(at(9000)), Err(VaultError::WitnessMissing { .. })));

    let (vault, repaired) = repair(&shelf, lost).unwrap();
    assert_eq!(repaired, Repaired { last, lost, uncertain: true });
    drop(vault);
    // Whoever puts the files from before the repair back is refused: the witness has another entry.
    let repaired = last + 1;
    assert_eq!(went_back(&true_files), (repaired, repaired));
    open(shelf).unwrap();
}

#[test]
fn a_restored_vault_has_no_witness_and_leaves_that_of_the_first_alone() {
    let (shelf, mut vault, two) = watched();
    let words = [secret("one"), secret("two")];
    let backup = vault.backup(&two, words.each_ref(), at(21)).unwrap();
    vault.lock();
    let before = record(&shelf, PLACE);
    let again = copy(&shelf);
    {
        let mut state = again.lock().unwrap();
        (state.store, state.head) = (None, None);
        state.log.clear();
    }
    let (anna, berta) = (name("anna"), name("berta"));
    let custodians = [(&anna, &words[0]), (&berta, &words[1])];
    let mut vault = TestVault::restore(
        Box::new(Arc::clone(&again)),
        noise(3),
        &backup,
        custodians,
        Unlock::Passphrase(&secret("open")),
        RestoredLimits::Stopped,
        at(22),
    )
    .unwrap();
    assert_eq!(vault.witness(), None);
    let two = both(&mut vault, at(23));
    let refused = set(&mut vault, &two, PLACE).unwrap_err();
    assert!(matches!(refused, WitnessError::Place { .. }), "{refused:?}");
    set(&mut vault, &two, "its own place").unwrap();
    vault.close().unwrap();
    assert_eq!(record(&again, PLACE), before);
}
