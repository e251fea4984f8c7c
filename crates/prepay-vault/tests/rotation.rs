//! A log that is rotated: its closed segments verify alone and as one chain, and whatever happens to them is named.

mod kit;

use std::sync::Arc;

use kit::*;
use prepay_vault::*;

/// A vault with so many closed segments, each with an entry of the rotation before, rows and a note.
fn rotated(place: &Shelf, segments: u64) -> TestVault {
    let mut vault = create(Arc::clone(place)).unwrap();
    let quorum = quorum(&mut vault);
    let otto = sign_in(&mut vault, "otto");
    for count in 0..segments {
        issue(&mut vault, &otto, 2).unwrap();
        note(&mut vault, &quorum).unwrap();
        let segment = vault.rotate(By::Two(&quorum), at(30 + count)).unwrap();
        assert_eq!(segment, *vault.segments().last().unwrap());
    }
    issue(&mut vault, &otto, 1).unwrap();
    vault
}

struct Fixed(prepay_basics::Moment);

impl prepay_basics::Clock for Fixed {
    fn now(&self) -> prepay_basics::Moment {
        self.0
    }
}

fn files(place: &Shelf) -> MemoryFiles {
    place.lock().unwrap().files.handle()
}

/// The segments of a vault as they would be given from elsewhere.
fn copies(place: &Shelf) -> Segments {
    let source = |(name, bytes): (&String, &Vec<u8>)| {
        let (name, bytes) = (name.clone(), bytes.clone());
        let source = move |offset: u64, buffer: &mut [u8]| {
            let start = (offset as usize).min(bytes.len());
            let count = buffer.len().min(bytes.len() - start);
            buffer[..count].copy_from_slice(&bytes[start..start + count]);
            Ok(count)
        };
        (name, Arc::new(source) as SegmentSource)
    };
    files(place).all().iter().map(source).collect()
}

fn two(vault: &SharedVault<Counts>) -> Quorum {
    let sign_in = |who: &str| vault.sign_in(&name(who), &secret(who)).unwrap();
    Quorum::new(sign_in("anna"), sign_in("berta")).unwrap()
}

fn share(place: &Shelf) -> SharedVault<Counts> {
    let place = Place {
        storage: Box::new(Arc::clone(place)),
        entropy: noise(99),
        clock: Box::new(Fixed(at(5000))),
    };
    SharedVault::open(place, Unlock::Passphrase(&secret("open"))).unwrap()
}

#[test]
fn ten_segments_verify_as_one_chain_with_and_without_the_key() {
    let place = Shelf::default();
    let mut vault = rotated(&place, 10);
    let entries = vault.entries();
    assert_eq!(
        entries,
        4 + 10 * 3 + 1,
        "created, three signed in; rows, a note, a rotation each; rows"
    );
    let report = vault.verify_audit().unwrap();
    assert_eq!((report.entries, &report.first_bad), (entries, &None));
    assert_eq!(report.absent, []);
    let all = vault.audit(1, usize::MAX).unwrap();
    assert!(all.iter().map(|record| record.sequence).eq(1..=entries));
    let rotations: Vec<_> =
        all.iter().filter(|record| record.entry.name() == "log_rotated").collect();
    assert_eq!(rotations.len(), 10);
    for (record, segment) in rotations.iter().zip(vault.segments()) {
        assert_eq!(record.sequence, segment.last.sequence + 1, "the first of the next log");
        let says = VaultEntry::LogRotated {
            first: segment.first(),
            last: segment.last.sequence,
            bytes: segment.length,
        };
        assert_eq!(record.entry, Entry::Vault(says));
        assert_eq!(record.actors, [name("anna"), name("berta")]);
    }
    drop(vault);

    let report = verify::<CountEntry>(&mut Arc::clone(&place)).unwrap();
    assert_eq!((report.entries, report.first_bad, report.absent), (entries, None, vec![]));
    let shared = share(&place);
    let two = two(&shared);
    let report = shared.verify_audit(By::Two(&two)).unwrap();
    assert_eq!((report.entries, report.first_bad, report.absent), (entries + 2, None, vec![]));
    for from in [1, 5, 8, 9, 20, entries] {
        let page = shared.audit(By::Two(&two), from, 7).unwrap();
        let expected = (from..=entries + 2).take(7);
        assert!(page.iter().map(|record| record.sequence).eq(expected), "from {from}");
        let without = records::<CountEntry>(&mut Arc::clone(&place), from, 7).unwrap();
        assert_eq!(without, page, "from {from}");
    }
    // In pages, each going on where the last one ended.
    let (mut from, mut next, mut seen) = (1, None, Vec::new());
    loop {
        let page = shared.audit_page(By::Two(&two), from, 4, next, u64::MAX).unwrap();
        let Some(last) = page.records.last() else { break };
        (from, next) = (last.sequence + 1, Some(page.place));
        seen.extend(page.records.iter().map(|record| record.sequence));
    }
    assert!(seen.into_iter().eq(1..=entries + 2));
}

#[test]
fn segments_verify_alone_without_their_vault() {
    let place = Shelf::default();
    let vault = rotated(&place, 3);
    let segments = vault.segments().to_vec();
    drop(vault);
    let all = copies(&place);
    let report = verify_segments::<CountEntry>(&all, None).unwrap();
    let last = segments[2].last;
    assert_eq!((report.entries, report.first_bad, report.last), (last.sequence, None, last));
    for segment in &segments {
        let one = all.iter().filter(|(name, _)| **name == segment.name());
        let one: Segments = one.map(|(name, source)| (name.clone(), Arc::clone(source))).collect();
        let report = verify_segments::<CountEntry>(&one, Some(segment.last)).unwrap();
        let count = segment.last.sequence - segment.before.sequence;
        assert_eq!((report.entries, report.first_bad), (count, None), "{}", segment.name());
        let other = AuditMark { hash: [9; 32], ..segment.last };
        let bad = verify_segments::<CountEntry>(&one, Some(other)).unwrap().first_bad.unwrap();
        assert_eq!(bad.problem, Problem::OtherChain);
    }
    // A gap is named.
    let gap: Segments = all.into_iter().filter(|(name, _)| *name != segments[1].name()).collect();
    let report = verify_segments::<CountEntry>(&gap, None).unwrap();
    assert_eq!(report.first_bad, None);
    assert_eq!(report.absent, [(segments[1].first(), segments[1].last.sequence)]);
}

/// Damage to a closed segment, and what is found with the key and without it.
#[test]
fn whatever_happens_to_a_closed_segment_is_named() {
    type Damage = fn(&mut std::collections::BTreeMap<String, Vec<u8>>, &[String]);
    type Found = fn(&Problem) -> bool;
    let place = Shelf::default();
    let vault = rotated(&place, 4);
    let segments = vault.segments().to_vec();
    let names: Vec<String> = segments.iter().map(Segment::name).collect();
    drop(vault);
    const CASES: &[(&str, Damage, Found, bool)] = &[
        (
            "a flipped bit in the middle",
            |files, names| {
                let bytes = files.get_mut(&names[1]).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
            },
            |problem| *problem == Problem::Changed,
            true,
        ),
        (
            "a flipped bit in the header",
            |files, names| files.get_mut(&names[1]).unwrap()[30] ^= 1,
            |problem| matches!(problem, Problem::Header | Problem::OtherChain),
            true,
        ),
        (
            "missing",
            |files, names| drop(files.remove(&names[1])),
            |problem| *problem == Problem::NoSegment,
            false,
        ),
        (
            "swapped with the next one",
            |files, names| {
                let (one, other) = (files[&names[1]].clone(), files[&names[2]].clone());
                files.insert(names[1].clone(), other);
                files.insert(names[2].clone(), one);
            },
            |problem| *problem == Problem::Header,
            true,
        ),
        (
            "its last bytes cut off",
            |files, names| files.get_mut(&names[1]).unwrap().truncate(300),
            |problem| *problem == Problem::Missing,
            true,
        ),
        (
            "its last entry cut off",
            |files, names| {
                let bytes = files.get_mut(&names[1]).unwrap();
                // The last entry is a note.
                let note = bytes.windows(5).rposition(|bytes| bytes == b"noted").unwrap();
                let start = (0..note).rev().find(|&start| {
                    bytes[start..start + 4] == ((bytes.len() - start) as u32).to_be_bytes()
                });
                bytes.truncate(start.unwrap());
            },
            |problem| *problem == Problem::Missing,
            true,
        ),
        (
            "bytes added",
            |files, names| files.get_mut(&names[1]).unwrap().extend([0; 9]),
            |problem| *problem == Problem::TooLong,
            true,
        ),
        (
            "emptied",
            |files, names| files.get_mut(&names[1]).unwrap().clear(),
            |problem| *problem == Problem::Header,
            true,
        ),
    ];
    for (case, damage, found, also_without_the_key) in CASES {
        let damaged: Shelf = Arc::new(place.lock().unwrap().clone().into());
        damage(&mut files(&damaged).all(), &names);
        // The module works: it needs none of them.
        let mut vault = open(Arc::clone(&damaged)).unwrap();
        let otto = sign_in(&mut vault, "otto");
        issue(&mut vault, &otto, 1).unwrap();
        let check = |report: AuditReport, how: &str| {
            let bad = report.first_bad.unwrap_or_else(|| panic!("{case}, {how}: nothing found"));
            assert!(found(&bad.problem), "{case}, {how}: {bad}");
            assert_eq!(bad.segment.as_ref(), Some(&names[1]), "{case}, {how}: {bad}");
            let range = segments[1].first()..=segments[1].last.sequence + 1;
            assert!(range.contains(&bad.sequence), "{case}, {how}: {bad}");
            assert!(bad.to_string().contains(&names[1]), "{case}, {how}: {bad}");
        };
        check(vault.verify_audit().unwrap(), "with the key");
        let first = segments[1].first();
        let refused = vault.audit(first, 9).map(|records| records.len());
        assert!(refused.is_err(), "{case}: {refused:?}");
        drop(vault);
        let shared = share(&damaged);
        check(shared.verify_audit(By::Two(&two(&shared))).unwrap(), "in slices");
        check(shared.verify_slowly(&|_| true).unwrap().unwrap(), "in the background");
        drop(shared);
        let report = verify::<CountEntry>(&mut Arc::clone(&damaged)).unwrap();
        if *also_without_the_key {
            check(report, "without the key");
        } else {
            assert_eq!(report.first_bad, None, "{case}");
            let range = (segments[1].first(), segments[1].last.sequence);
            assert_eq!(report.absent, [range], "{case}: named, though it may be archived");
        }
    }
}

#[test]
fn a_segment_whose_chain_was_made_anew_is_named_with_the_key() {
    // Another vault with the same people made another segment of the same name.
    let (place, other) = (Shelf::default(), Shelf::default());
    let vault = rotated(&place, 2);
    let name = vault.segments()[0].name();
    drop(vault);
    drop(create_from(7, Arc::clone(&other), Unlock::Passphrase(&secret("open"))).unwrap());
    let mut forged = files(&place).all()[&name].clone();
    let entries = forged.len() - 71;
    let flipped = forged.len() - 50; // In the MAC of the last entry; then the hash is made anew.
    forged[flipped] ^= 1;
    assert!(entries > 50);
    files(&place).all().insert(name.clone(), forged);
    let report = share(&place).verify_slowly(&|_| true).unwrap().unwrap();
    assert_eq!(report.first_bad.unwrap().segment, Some(name));
}

#[test]
fn an_archived_segment_is_removed_only_after_its_copy_verified() {
    let place = Shelf::default();
    let vault = rotated(&place, 4);
    let segments = vault.segments().to_vec();
    let entries = vault.entries();
    drop(vault);
    let all = copies(&place);
    let take = |count: usize| -> Segments {
        let names = segments[..count].iter().map(Segment::name);
        names.map(|name| (name.clone(), Arc::clone(&all[&name]))).collect()
    };
    let shared = share(&place);
    let quorum = two(&shared);

    // A copy with a wrong bit: nothing changes.
    let name = segments[1].name();
    let mut wrong = files(&place).all()[&name].clone();
    wrong[200] ^= 4;
    let source = move |offset: u64, buffer: &mut [u8]| {
        let start = (offset as usize).min(wrong.len());
        let count = buffer.len().min(wrong.len() - start);
        buffer[..count].copy_from_slice(&wrong[start..start + count]);
        Ok(count)
    };
    let mut copies = take(2);
    copies.insert(name.clone(), Arc::new(source));
    let refused = shared.archive(&quorum, &copies, "/archive").unwrap_err();
    assert!(matches!(&refused, AuditError::BadEntry(bad) if bad.segment == Some(name.clone())));
    assert_eq!(files(&place).all().len(), 4);
    assert!(shared.segments(By::Two(&quorum)).unwrap().iter().all(|segment| !segment.archived));

    let moved = shared.archive(&quorum, &take(2), "/archive").unwrap();
    assert_eq!(moved, segments[..2]);
    assert_eq!(files(&place).all().len(), 2);
    let absent = (segments[0].first(), segments[1].last.sequence);
    let halves = [
        (segments[0].first(), segments[0].last.sequence),
        (segments[1].first(), segments[1].last.sequence),
    ];
    let report = shared.verify_audit(By::Two(&quorum)).unwrap();
    assert_eq!((report.first_bad, &report.absent[..]), (None, &halves[..]));
    assert_eq!(report.entries, entries + 3 - absent.1);
    let last = shared.audit(By::Two(&quorum), entries + 3, 9).unwrap().remove(0);
    let says = VaultEntry::LogArchived {
        first: 1,
        last: absent.1,
        segments: 2,
        place: "/archive".to_owned(),
    };
    assert_eq!(last.entry, Entry::Vault(says));
    // What is asked for from the beginning starts with the first entry that is here.
    let first = shared.audit(By::Two(&quorum), 1, 1).unwrap().remove(0);
    assert_eq!(first.sequence, segments[2].first());

    // With the archived ones: one chain.
    let report = shared.verify_audit_with(By::Two(&quorum), None, &take(2)).unwrap();
    assert_eq!((report.entries, report.first_bad), (entries + 3, None));
    assert_eq!(report.absent, []);
    let given = verify_with::<CountEntry>(&mut Arc::clone(&place), None, &take(2)).unwrap();
    assert_eq!((given.entries, given.first_bad), (entries + 3, None));
    // An entry that was noted earlier: the last ones of segments are known, the others are elsewhere.
    let noted = |mark| {
        let report = shared.verify_audit_with(By::Two(&quorum), Some(mark), &Segments::new());
        report.unwrap().first_bad.map(|bad| bad.problem)
    };
    assert_eq!(noted(segments[1].last), None);
    assert_eq!(noted(AuditMark { hash: [1; 32], ..segments[1].last }), Some(Problem::OtherChain));
    let within = AuditMark { sequence: segments[1].first(), hash: [1; 32] };
    assert_eq!(noted(within), Some(Problem::Elsewhere));
    drop(shared);
    assert_eq!(open(Arc::clone(&place)).unwrap().contents().rows, 9);
}

#[test]
fn a_log_is_rotated_by_itself_above_its_length() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    vault.rotate_above(10_000);
    let quorum = quorum(&mut vault);
    let otto = sign_in(&mut vault, "otto");
    for count in 0..100 {
        issue(&mut vault, &otto, 20).unwrap();
        if count % 2 == 0 {
            vault.snapshot_if_due().unwrap();
        } else {
            note(&mut vault, &quorum).unwrap();
        }
        assert!(place.lock().unwrap().log.len() < 12_000);
    }
    let lengths: Vec<u64> = vault.segments().iter().map(|segment| segment.length).collect();
    assert!(lengths.len() > 7, "{lengths:?}");
    assert!(lengths.iter().all(|length| (10_001..12_000).contains(length)), "{lengths:?}");
    let report = vault.verify_audit().unwrap();
    assert_eq!((report.entries, report.first_bad), (vault.entries(), None));
    drop(vault);
    let vault = open(Arc::clone(&place)).unwrap();
    assert_eq!((vault.contents().rows, vault.contents().notes), (2000, 50));
}

#[test]
fn only_auditors_and_custodians_rotate_and_only_two_custodians_archive() {
    let place = Shelf::default();
    drop(rotated(&place, 1));
    let shared = share(&place);
    let otto = shared.sign_in(&name("otto"), &secret("otto")).unwrap();
    let refused = VaultError::Access(AccessError::Role { found: Role::Operator });
    assert_eq!(shared.rotate(By::One(&otto)).unwrap_err(), refused);
    assert_eq!(shared.segments(By::One(&otto)).unwrap_err(), refused);
    let anna = shared.sign_in(&name("anna"), &secret("anna")).unwrap();
    shared.rotate(By::One(&anna)).unwrap();
    assert_eq!(shared.segments(By::One(&anna)).unwrap().len(), 2);
}

#[test]
fn a_witness_finds_its_entry_in_a_segment() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let quorum = quorum(&mut vault);
    let otto = sign_in(&mut vault, "otto");
    vault.set_witness(&quorum, "/witness", RestoredLimits::Stopped, at(5)).unwrap();
    issue(&mut vault, &otto, 1).unwrap();
    issue(&mut vault, &otto, 1).unwrap();
    let before = place.lock().unwrap().witnesses.lock().unwrap().clone();
    vault.rotate(By::Two(&quorum), at(11)).unwrap();
    let segment = vault.segments()[0];
    drop(vault);
    // As if power had failed between the rotation and the witness: it has an earlier entry, in the segment.
    let put_back = || *place.lock().unwrap().witnesses.lock().unwrap() = before.clone();
    put_back();
    drop(open(Arc::clone(&place)).unwrap());
    // With the segment changed there, it cannot be compared.
    put_back();
    let whole = files(&place).all()[&segment.name()].clone();
    files(&place).all().get_mut(&segment.name()).unwrap()[100] ^= 1;
    assert!(matches!(open(Arc::clone(&place)), Err(OpenError::BadEntry(_))));
    files(&place).all().remove(&segment.name());
    let Err(OpenError::BadEntry(bad)) = open(Arc::clone(&place)) else { panic!("opened") };
    assert_eq!((bad.problem, bad.segment), (Problem::NoSegment, Some(segment.name())));
    files(&place).all().insert(segment.name(), whole);
    drop(open(Arc::clone(&place)).unwrap());
}

#[test]
fn a_log_that_was_not_closed_in_time_survives_a_repair() {
    let place = Shelf::default();
    let dying = Dying::new(Arc::clone(&place), 1 << 30);
    let mut vault = create(dying.clone()).unwrap();
    let quorum = quorum(&mut vault);
    let otto = sign_in(&mut vault, "otto");
    issue(&mut vault, &otto, 3).unwrap();
    *dying.steps.lock().unwrap() = 1; // The store, and no more.
    vault.rotate(By::Two(&quorum), at(11)).unwrap_err();
    drop(vault);
    let log = place.lock().unwrap().log.clone();
    place.lock().unwrap().head = None;
    let Err(OpenError::Head { .. }) = open(Arc::clone(&place)) else { panic!("opened") };
    let (anna, berta) = (name("anna"), name("berta"));
    let secrets = [secret("anna"), secret("berta")];
    let surroundings = Place {
        storage: Box::new(Arc::clone(&place)),
        entropy: noise(8),
        clock: Box::new(Fixed(at(20))),
    };
    let (mut vault, repaired) = Vault::<Counts>::repair(
        surroundings,
        Unlock::Passphrase(&secret("open")),
        [(&anna, &secrets[0]), (&berta, &secrets[1])],
        Accepted { lost: 0, limits: RestoredLimits::Accepted },
        || Ok(()),
    )
    .unwrap();
    assert_eq!((repaired.lost, repaired.uncertain), (0, true));
    assert_eq!(files(&place).all()[&vault.segments()[0].name()], log);
    assert_eq!(vault.verify_audit().unwrap().first_bad, None);
    assert_eq!(vault.contents().rows, 3);
}
