//! Every change to what a vault stores is refused by name, and nothing is changed by looking.

mod kit;

use std::sync::Arc;

use kit::*;
use prepay_vault::*;
use sha2::{Digest, Sha256};

fn key_file() -> KeyFile {
    KeyFile::generate(&mut Foreseeable::new(7)).unwrap()
}

/// A vault that has done this and that, at rest.
fn used(unlock: Unlock<'_>) -> MemoryStorage {
    let place = Shelf::default();
    let mut vault = create_for(Arc::clone(&place), unlock).unwrap();
    let quorum = quorum(&mut vault);
    let otto = sign_in(&mut vault, "otto");
    issue(&mut vault, &otto, 2).unwrap();
    note(&mut vault, &quorum).unwrap();
    issue(&mut vault, &otto, 1).unwrap();
    issue(&mut vault, &otto, 1).unwrap();
    drop(vault);
    place.lock().unwrap().clone()
}

/// Opens a changed place; says why not, after making sure that nothing was written.
fn refusal(storage: &MemoryStorage, file: &KeyFile) -> Option<OpenError> {
    let place: Shelf = Arc::new(storage.clone().into());
    let unlock = Unlock::KeyFile(file);
    let opened = TestVault::open(Box::new(Arc::clone(&place)), noise(9), unlock, at(50));
    let after = place.lock().unwrap();
    let error = opened.err()?;
    assert_eq!(
        (&after.store, &after.log, &after.head),
        (&storage.store, &storage.log, &storage.head),
        "{error}"
    );
    assert!(!error.to_string().is_empty());
    Some(error)
}

fn flips(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..bytes.len() * 8).map(|bit| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        (bit, bytes)
    })
}

#[test]
fn every_bit_and_cut_of_the_store_counts() {
    let file = key_file();
    let good = used(Unlock::KeyFile(&file));
    assert_eq!(refusal(&good, &file), None);
    let store = good.store.clone().unwrap();
    let with = |store: Vec<u8>| MemoryStorage { store: Some(store), ..good.clone() };
    for (bit, store) in flips(&store) {
        let expected = match bit / 8 {
            0..13 => OpenError::NotAVault,
            13..15 => OpenError::Version,
            _ => OpenError::Damaged { problem: "the checksum is wrong".to_owned() },
        };
        assert_eq!(refusal(&with(store), &file), Some(expected), "bit = {bit}");
    }
    for length in 0..store.len() {
        assert!(refusal(&with(store[..length].to_vec()), &file).is_some(), "{length}");
    }
    // With the checksum put right, so that the seal itself is asked.
    let (body, _) = store.split_last_chunk::<32>().unwrap();
    let summed = |body: &[u8]| [body, &Sha256::digest(body)[..]].concat();
    assert_eq!(refusal(&with(summed(body)), &file), None);
    for (bit, body) in flips(body) {
        assert!(refusal(&with(summed(&body)), &file).is_some(), "bit = {bit}");
    }
    for length in 0..body.len() {
        assert!(refusal(&with(summed(&body[..length])), &file).is_some(), "{length}");
    }
}

#[test]
fn every_bit_and_cut_of_the_head_counts() {
    let file = key_file();
    let good = used(Unlock::KeyFile(&file));
    let head = good.head.clone().unwrap();
    assert!(head.len() <= 512);
    let with = |head: Option<Vec<u8>>| MemoryStorage { head, ..good.clone() };
    for (bit, head) in flips(&head) {
        let error = refusal(&with(Some(head)), &file);
        assert!(matches!(error, Some(OpenError::Head { .. })), "bit = {bit}");
    }
    for length in 0..head.len() {
        let error = refusal(&with(Some(head[..length].to_vec())), &file);
        assert!(matches!(error, Some(OpenError::Head { .. })), "length = {length}");
    }
    assert_eq!(refusal(&with(None), &file), Some(OpenError::Head { problem: "missing" }));
}

/// Where each entry begins, and where the last one ends.
fn boundaries(log: &[u8]) -> Vec<usize> {
    let mut places = vec![71];
    while let Some(&last) = places.last()
        && let Some(length) = log[last..].first_chunk::<4>()
    {
        places.push(last + u32::from_be_bytes(*length) as usize);
    }
    places
}

#[test]
fn every_bit_and_cut_of_the_log_names_its_entry() {
    let file = key_file();
    let good = used(Unlock::KeyFile(&file));
    let places = boundaries(&good.log);
    assert_eq!(places.len(), 9);
    let entry = |byte: usize| places.iter().filter(|&&place| place <= byte).count() as u64;
    let with = |log: Vec<u8>| MemoryStorage { log, ..good.clone() };
    for (bit, log) in flips(&good.log) {
        let changed = with(log);
        let error = refusal(&changed, &file);
        let Some(OpenError::BadEntry(bad)) = error else { panic!("bit = {bit}: {error:?}") };
        assert_eq!(bad.sequence, entry(bit / 8), "bit = {bit}");
        let report = verify::<CountEntry>(&mut changed.clone()).unwrap();
        let named = report.first_bad.unwrap_or_else(|| panic!("bit = {bit}"));
        // Without the store, what the header should be is seen only at the first entry.
        assert!(named.sequence == bad.sequence || bad.sequence == 0, "bit = {bit}: {named}");
    }
    for length in 0..good.log.len() {
        let cut = with(good.log[..length].to_vec());
        let (expected, found) = (good.log.len() as u64, length as u64);
        assert_eq!(refusal(&cut, &file), Some(OpenError::Cut { expected, found }));
        let bad = verify::<CountEntry>(&mut cut.clone()).unwrap().first_bad.unwrap();
        assert_eq!(bad.sequence, entry(length), "length = {length}: {bad}");
    }
}

#[test]
fn the_first_entry_out_of_place_is_named() {
    let file = key_file();
    let good = used(Unlock::KeyFile(&file));
    let places = boundaries(&good.log);
    let entries: Vec<&[u8]> = places.windows(2).map(|pair| &good.log[pair[0]..pair[1]]).collect();
    let count = entries.len();
    let joined = |entries: &[&[u8]]| [&good.log[..71], &entries.concat()].concat();
    let named = |entries: &[&[u8]], expected: usize, case: &str| {
        let changed = MemoryStorage { log: joined(entries), ..good.clone() };
        let bad = verify::<CountEntry>(&mut changed.clone()).unwrap().first_bad.unwrap();
        assert_eq!(bad.sequence, expected as u64, "{case}: {bad}");
        assert_eq!(bad.offset, places[expected - 1] as u64, "{case}");
        match refusal(&changed, &file) {
            Some(OpenError::BadEntry(bad)) => assert_eq!(bad.sequence, expected as u64, "{case}"),
            Some(OpenError::Cut { .. }) => assert!(joined(entries).len() < good.log.len()),
            other => panic!("{case}: {other:?}"),
        }
    };
    for at in 0..count {
        let mut missing = entries.clone();
        missing.remove(at);
        named(&missing, at + 1, &format!("without {}", at + 1));
        for other in at + 1..count {
            let mut swapped = entries.clone();
            swapped.swap(at, other);
            named(&swapped, at + 1, &format!("{} and {} swapped", at + 1, other + 1));
        }
        if at + 1 < count {
            for one in &entries {
                let mut inserted = entries.clone();
                inserted.insert(at + 1, one);
                if *one != entries[at + 1] {
                    named(&inserted, at + 2, &format!("another one behind {}", at + 1));
                } else {
                    named(&inserted, at + 3, &format!("{} twice", at + 2));
                }
            }
        }
    }
}

#[test]
fn a_chain_made_anew_without_the_key_is_refused() {
    let file = key_file();
    let good = used(Unlock::KeyFile(&file));
    let places = boundaries(&good.log);
    // The last entry is changed, and its hash made anew, in log and head.
    for (entry, place) in places[..places.len() - 1].iter().enumerate() {
        let mut log = good.log.clone();
        log[place + 12 + 7] ^= 1; // A second.
        let mut before: [u8; 32] = match entry {
            0 => log[39..71].try_into().unwrap(),
            _ => log[place - 32..*place].try_into().unwrap(),
        };
        for pair in places[entry..].windows(2) {
            let (body, seal) = (pair[0]..pair[1] - 48, pair[1] - 48..pair[1] - 32);
            let digest = Sha256::new().chain_update(before).chain_update(&log[body]).finalize();
            let hash = Sha256::new().chain_update(digest).chain_update(&log[seal]).finalize();
            log[pair[1] - 32..pair[1]].copy_from_slice(&hash);
            before = hash.into();
        }
        let mut head = good.head.clone().unwrap();
        head[46..78].copy_from_slice(&before);
        let forged = MemoryStorage { log, head: Some(head), ..good.clone() };
        // Who has no key sees nothing wrong; who has, sees the head and the entry.
        assert_eq!(verify::<CountEntry>(&mut forged.clone()).unwrap().first_bad, None);
        assert_eq!(refusal(&forged, &file), Some(OpenError::Head { problem: "damaged" }));
        let forged = MemoryStorage { head: good.head.clone(), ..forged };
        let Some(OpenError::BadEntry(bad)) = refusal(&forged, &file) else { panic!("{entry}") };
        assert_eq!((bad.sequence, bad.problem), (entry as u64 + 1, Problem::Forged));
    }
}

/// A vault whose last two writes are in the log but not in the head, as a power failure leaves it; and where the last
/// entries begin. `more` moves them to other places in their sectors.
fn ahead_of_its_head(file: &KeyFile, more: u64) -> (MemoryStorage, Vec<usize>) {
    let place = Shelf::default();
    let mut vault = create_for(Arc::clone(&place), Unlock::KeyFile(file)).unwrap();
    let otto = sign_in(&mut vault, "otto");
    issue(&mut vault, &otto, more).unwrap();
    let head = place.lock().unwrap().head.clone();
    let start = place.lock().unwrap().log.len();
    for rows in [1, 9] {
        issue(&mut vault, &otto, rows).unwrap();
    }
    drop(vault);
    let mut storage = place.lock().unwrap().clone();
    storage.head = head;
    let places = boundaries(&storage.log).into_iter().filter(|&place| place >= start).collect();
    (storage, places)
}

#[test]
fn a_bit_flipped_in_an_acknowledged_entry_is_never_dropped_as_torn() {
    let file = key_file();
    for more in [0, 3, 6, 9] {
        let (good, places) = ahead_of_its_head(&file, more);
        assert_eq!(places.len(), 3);
        assert_eq!(refusal(&good, &file), None);
        for (bit, log) in
            flips(&good.log).skip(8 * places[0]).step_by(if more == 0 { 1 } else { 17 })
        {
            let entry = places.iter().filter(|&&place| place <= bit / 8).count() as u64;
            match refusal(&MemoryStorage { log, ..good.clone() }, &file) {
                Some(OpenError::BadEntry(bad)) => {
                    assert_eq!(bad.offset, places[entry as usize - 1] as u64, "bit = {bit}: {bad}");
                }
                other => panic!("bit = {bit}: {other:?}"),
            }
        }
    }
}

#[test]
fn what_an_interrupted_write_can_leave_is_dropped() {
    let file = key_file();
    for more in [0, 3, 6, 9] {
        let (good, places) = ahead_of_its_head(&file, more);
        let start = places[1];
        let mut left = Vec::new();
        for end in start + 1..good.log.len() {
            left.push((format!("cut at {end}"), good.log[..end].to_vec()));
        }
        // Sectors that were never written, one or all of them.
        let first = start / 512;
        let sectors: Vec<_> = (first..good.log.len().div_ceil(512)).collect();
        let zero = |log: &mut Vec<u8>, sector: usize| {
            let end = log.len().min(512 * sector + 512);
            log[start.max(512 * sector)..end].fill(0);
        };
        let mut all = good.log.clone();
        for &sector in &sectors {
            let mut log = good.log.clone();
            zero(&mut log, sector);
            zero(&mut all, sector);
            left.push((format!("sector {sector} of {sectors:?}"), log));
        }
        left.push(("all sectors".to_owned(), all));
        for (case, log) in left {
            let torn = MemoryStorage { log, ..good.clone() };
            let place: Shelf = Arc::new(torn.into());
            let unlock = Unlock::KeyFile(&file);
            let vault = TestVault::open(Box::new(Arc::clone(&place)), noise(9), unlock, at(50));
            let mut vault = vault.unwrap_or_else(|error| panic!("{more}, {case}: {error}"));
            assert_eq!(vault.contents().rows, more + 1, "{case}");
            let last = vault.audit(vault.entries(), 1).unwrap();
            assert_eq!(last[0].entry.name(), "log_cut", "{case}");
        }
    }
}

#[test]
fn what_was_never_acknowledged_is_dropped_and_said() {
    let file = key_file();
    let mut torn = used(Unlock::KeyFile(&file));
    let length = torn.log.len();
    torn.log.extend([0, 0, 0, 200, 0, 0, 0]);
    let place: Shelf = Arc::new(torn.into());
    let unlock = Unlock::KeyFile(&file);
    let opened = TestVault::open(Box::new(Arc::clone(&place)), noise(9), unlock, at(50));
    let mut vault = opened.unwrap();
    let last = vault.audit(vault.entries(), 1).unwrap();
    assert_eq!(last[0].entry, Entry::Vault(VaultEntry::LogCut { bytes: 7 }));
    assert_eq!(vault.contents().rows, 4);
    assert_eq!(vault.verify_audit().unwrap().first_bad, None);
    assert!(place.lock().unwrap().log.len() > length);
}

#[test]
fn a_log_of_another_vault_is_refused() {
    let file = key_file();
    let good = used(Unlock::KeyFile(&file));
    let place = Shelf::default();
    let pass = secret("p");
    let [one, two] = ["a", "b"].map(name);
    let users = [&one, &two].map(|name| NewUser { name, role: Role::Custodian, passphrase: &pass });
    let setup =
        Setup { name: &one, unlock: Unlock::KeyFile(&file), users: &users, insecure_test: true };
    let storage = Box::new(Arc::clone(&place));
    drop(Vault::create(storage, noise(77), setup, Counts::default(), at(0)).unwrap());
    let other = place.lock().unwrap().clone();
    let mixed = MemoryStorage { head: other.head.clone(), ..good.clone() };
    let problem = "of another vault";
    assert_eq!(refusal(&mixed, &file), Some(OpenError::Head { problem }));
    let mixed = MemoryStorage { log: [other.log, vec![0; 4000]].concat(), ..good };
    let Some(OpenError::BadEntry(bad)) = refusal(&mixed, &file) else { panic!("no refusal") };
    assert_eq!((bad.sequence, bad.problem), (0, Problem::Header));
}
