//! Names of requests are remembered for as long as the policy says, whatever happens to the module, its files and its
//! clock.

use std::collections::BTreeMap;

use prepay_module::software::{ModuleEntry, ModulePolicy, Operator, TestMode};
use prepay_module::{
    IssueRequest, Issued, MeterConfiguration, Refusal, SecurityModule, TokenRequest,
};
use prepay_testkit::ceremony;
use prepay_token::element::{TariffIndex, TokenIdentifier};
use prepay_vault::{By, Entry, VaultFiles};
use proptest::prelude::*;

use crate::kit::*;

const DAY: u64 = 24 * 3600;

/// A module with keys in two registers, whose files of names have so few names.
fn world(run_names: u32) -> (World, TestCentre) {
    let policy = ModulePolicy { window_minutes: None, ..ModulePolicy::default() };
    let test = TestMode { run_names: Some(run_names), ..TestMode::default() };
    let (world, mut centre) = (World::with_test_mode(policy, test), TestCentre::new("KMC-1"));
    centre.join(&world);
    let endless = |number| {
        TestKey::new(number).with(|attributes| {
            attributes.issued_until = moment("2040-01-01T00:00:00Z");
        })
    };
    centre.load(&world, &[endless(1), endless(2)]);
    (world, centre)
}

/// A request under each of the names, each with an identifier of its own: a hundred tariff indexes in each minute.
fn requests(names: std::ops::Range<u64>) -> Vec<IssueRequest> {
    let request = |name: u64| {
        let meter = MeterConfiguration { tariff_index: value_of(name % 100), ..meter() };
        let instruction = units(name as u32 % 1000 + 1);
        let identifier = later(2 * (name / 100) as u32);
        named(TokenRequest { meter, instruction, identifier, ..credit(1) }, name)
    };
    names.map(request).collect()
}

fn value_of(tariff_index: u64) -> TariffIndex {
    TariffIndex::try_from(tariff_index as u8).unwrap()
}

/// The identifier so many minutes after the start. None of them is reserved if the number is even.
fn later(minutes: u32) -> TokenIdentifier {
    TokenIdentifier::from_low_bits(identifier(moment(START)).value() + minutes)
}

fn issue(world: &World, names: std::ops::Range<u64>) -> Vec<Issued> {
    let answers = world.operator().issue(&requests(names)).expect("answers");
    world.module.wait_for_names();
    answers.into_iter().map(|answer| answer.expect("a token")).collect()
}

fn tokens(world: &World) -> u64 {
    world.auditor().status().expect("a status").transactions
}

fn files(world: &World) -> Vec<String> {
    world.storage.lock().unwrap().memory.files.list("names-").expect("names")
}

#[test]
fn after_two_hundred_thousand_names_the_first_is_still_answered() {
    let (mut world, _) = loaded(ModulePolicy::default(), &[TestKey::new(1)]);
    let first = issue(&world, 0..10);
    for start in (10..200_000).step_by(4096) {
        issue(&world, start..start + 4096);
    }
    assert_eq!(issue(&world, 0..10), first);
    world.reopen();
    let before = tokens(&world);
    assert_eq!(issue(&world, 0..10), first);
    assert_eq!(tokens(&world), before);
    let report = world.auditor().status().unwrap().names;
    assert_eq!((report.days, report.unreadable), (7, 0));
    assert!(report.names >= 200_000, "{report:?}");
    assert_eq!(report.since, Some(moment(START)));
}

#[test]
fn a_name_is_remembered_for_seven_days_and_its_file_is_then_removed() {
    let (mut world, _) = world(4);
    let mut first = issue(&world, 0..4);
    first.extend(issue(&world, 4..8));
    let kept = files(&world);
    assert_eq!(kept.len(), 1);
    world.clock.advance(7 * DAY);
    for start in [100, 104, 108] {
        issue(&world, start..start + 4);
    }
    assert!(files(&world).contains(&kept[0]));
    world.reopen();
    assert_eq!(issue(&world, 0..8), first);
    world.clock.advance(1);
    for start in [200, 204] {
        issue(&world, start..start + 4);
    }
    assert!(!files(&world).contains(&kept[0]));
    // Beyond the window a name is new.
    let before = tokens(&world);
    issue(&world, 0..1);
    assert_eq!(tokens(&world), before + 1);
}

#[test]
fn a_clock_put_back_does_not_shorten_the_time() {
    let (world, _) = world(4);
    // Names while the clock is six days behind, and then right again: not a week has passed since.
    world.clock.advance(6 * DAY);
    issue(&world, 0..4);
    world.clock.set(moment(START));
    let behind = issue(&world, 100..104);
    issue(&world, 200..204);
    world.clock.advance(9 * DAY);
    for start in [300, 304, 308] {
        issue(&world, start..start + 4);
    }
    let before = tokens(&world);
    assert_eq!(issue(&world, 100..104), behind);
    assert_eq!(tokens(&world), before);
}

#[test]
fn eight_files_are_merged_into_one_with_the_same_names() {
    let (mut world, _) = world(4);
    let mut all = Vec::new();
    for start in (0..4 * 70).step_by(4) {
        all.extend(issue(&world, start..start + 4));
    }
    // 69 files were written, the last four names are in memory: 64 are one, and five are left.
    assert_eq!(files(&world).len(), 1 + 5);
    for _ in 0..2 {
        assert_eq!(issue(&world, 0..4 * 70), all);
        world.reopen();
    }
}

#[test]
fn names_too_old_for_the_filters_of_recent_ones_are_found_in_their_files() {
    // Three filters of 128 names each, the first of which is dropped.
    let (world, _) = world(4);
    let mut all = Vec::new();
    for start in (0..420).step_by(4) {
        all.extend(issue(&world, start..start + 4));
    }
    assert_eq!(issue(&world, 0..420), all);
    assert_eq!(tokens(&world), 420);
}

#[test]
fn one_batch_may_have_a_name_twice_and_names_from_everywhere() {
    let (world, _) = world(4);
    // In a merged file, in a file of their own, and in memory.
    let mut all = Vec::new();
    for start in (0..4 * 11).step_by(4) {
        all.extend(issue(&world, start..start + 4));
    }
    let names = [43, 40, 100, 0, 37, 100, 101, 1];
    let batch: Vec<_> = names.iter().flat_map(|name| requests(*name..name + 1)).collect();
    let answers = world.operator().issue(&batch).unwrap();
    assert_eq!(tokens(&world), 44 + 2);
    assert_eq!(answers[2], answers[5]);
    for (name, answer) in names.iter().zip(answers) {
        let answer = answer.expect("a token");
        assert_eq!(answer, *all.get(*name as usize).unwrap_or(&answer), "{name}");
    }
}

#[test]
fn without_its_key_a_request_in_a_file_is_answered_no_more_also_after_merging() {
    let (mut world, mut centre) = world(4);
    let first = issue(&world, 0..10);
    world.custodians().delete_key(register(1)).unwrap();
    centre.load(&world, &[TestKey::new(1)]);
    let second = issue(&world, 100..110);
    for start in (200..240).step_by(4) {
        issue(&world, start..start + 4);
        let again = world.operator().issue(&requests(0..10)).unwrap();
        assert_eq!(again, vec![Err(Refusal::RequestConflict); first.len()]);
        assert_eq!(issue(&world, 100..110), second);
        world.reopen();
    }
    assert!(files(&world).len() < 8, "merged");
}

#[test]
fn any_byte_of_a_file_can_change_and_no_name_becomes_new() {
    let (mut world, _) = world(2);
    let all = issue(&world, 0..2);
    issue(&world, 2..4);
    let file = files(&world).remove(0);
    let right = world.storage.lock().unwrap().memory.clone();
    let length = right.files.all()[&file].len();
    // The last case is a file that is missing.
    for byte in 0..=length {
        world.module.vault().lock();
        world.storage.lock().unwrap().memory = right.clone();
        {
            let storage = world.storage.lock().unwrap();
            let mut files = storage.memory.files.all();
            match files.get_mut(&file).unwrap().get_mut(byte) {
                Some(byte) => *byte ^= 0x10,
                None => drop(files.remove(&file)),
            }
        }
        world.reopen();
        let operator = world.operator();
        for (name, token) in all.iter().enumerate() {
            let name = name as u64;
            match &operator.issue(&requests(name..name + 1)).unwrap()[0] {
                Ok(again) => assert_eq!(again, token, "byte {byte}, name {name}"),
                Err(Refusal::NamesUnreadable { in_log: true, .. }) => {}
                Err(refusal) => panic!("byte {byte}, name {name}: {refusal}"),
            }
            // Nor does an identifier become free.
            let IssueRequest::Token(same) = requests(name..name + 1)[0] else { unreachable!() };
            match &operator.issue(&[named(same, 1000 + name)]).unwrap()[0] {
                Err(Refusal::IdentifierUsed { .. } | Refusal::NamesUnreadable { .. }) => {}
                other => panic!("byte {byte}, name {name}: {other:?}"),
            }
        }
        world.module.wait_for_names();
        // What was damaged comes back from the log, which says so.
        assert_eq!(operator.status().unwrap().names.unreadable, 0, "byte {byte}");
        let again = operator.issue(&requests(0..2)).unwrap();
        assert_eq!(again, all.iter().copied().map(Ok).collect::<Vec<_>>(), "byte {byte}");
        assert_eq!(tokens(&world), 4, "byte {byte}");
        let says = |record: &prepay_vault::Record<ModuleEntry>| {
            matches!(record.entry, Entry::Owner(ModuleEntry::NamesRebuilt { names: 2, .. }))
        };
        assert!(world.audit().iter().any(says), "byte {byte}");
    }
    world.reopen();
    assert_eq!(issue(&world, 0..2), all);
}

#[test]
fn what_neither_the_file_nor_the_log_has_is_refused_and_never_new() {
    let (world, _) = world(2);
    issue(&world, 0..2);
    issue(&world, 2..4);
    world.module.vault().lock();
    let mut world = world;
    world.reopen();
    let operator = world.operator();
    {
        // Both are damaged while the module is open.
        let mut storage = world.storage.lock().unwrap();
        let row = requests(0..1).len() + 15; // The last byte of a name.
        let name = request_id(0).0;
        let log = &mut storage.memory.log;
        let at = log.windows(17).position(|part| part[..16] == name && part[16] != 0);
        log[at.expect("the first row") + row] ^= 1;
        storage.memory.files.all().clear();
    }
    let ask = |name: u64| operator.issue(&requests(name..name + 1)).unwrap().remove(0);
    assert!(matches!(ask(0), Err(Refusal::NamesUnreadable { in_log: true, .. })));
    world.module.wait_for_names();
    let before = tokens(&world);
    for name in [0, 1, 1000] {
        let answer = ask(name);
        assert!(matches!(answer, Err(Refusal::NamesUnreadable { in_log: false, .. })), "{name}");
    }
    assert_eq!(tokens(&world), before);
    // What is known for certain is answered, and requests are carried out that have no name and an identifier that no
    // damaged file can have.
    assert!(ask(3).is_ok());
    let unnamed = |minutes| {
        let request = TokenRequest { identifier: later(minutes), ..credit(1) };
        operator.issue(&[IssueRequest::Token(request)]).unwrap().remove(0)
    };
    assert!(matches!(unnamed(0), Err(Refusal::NamesUnreadable { in_log: false, .. })));
    assert!(unnamed(2).is_ok());
    let status = operator.status().unwrap();
    assert_eq!(status.names.unreadable, 2);
    assert!(status.alerts.iter().any(|alert| alert.contains("2 earlier requests")), "{status:?}");
}

#[test]
fn a_module_that_dies_at_any_call_answers_every_name_as_before() {
    // Few enough names that files are written, merged and dropped.
    let script = |world: &World, operator: &Operator, answered: &mut Vec<(u64, Issued)>| {
        for start in (0..20_u64).map(|part| 3 * part) {
            let answers = operator.issue(&requests(start..start + 3)).ok()?;
            for (name, answer) in (start..).zip(answers) {
                answered.push((name, answer.expect("a token")));
            }
            world.module.wait_for_names();
        }
        Some(())
    };
    let (first, _) = world(3);
    let operator = first.operator();
    let before = first.storage.lock().unwrap().fate().calls;
    script(&first, &operator, &mut Vec::new()).expect("a storage that lives");
    let calls = first.storage.lock().unwrap().fate().calls - before;
    assert!(calls > 90, "{calls}");
    let (mut world, _) = world(3);
    let fresh = world.storage.lock().unwrap().memory.clone();
    for last in [Last::Nothing, Last::Half, Last::All] {
        for lives in 1..=calls + 1 {
            world.module.wait_for_names();
            world.module.vault().lock();
            world.storage.lock().unwrap().memory = fresh.clone();
            world.reopen();
            let operator = world.operator();
            {
                let storage = world.storage.lock().unwrap();
                let mut fate = storage.fate();
                (fate.lives, fate.last) = (Some(lives), last);
            }
            let mut answered = Vec::new();
            let _ = script(&world, &operator, &mut answered);
            world.storage.lock().unwrap().fate().lives = None;
            world.reopen();
            let case = format!("{last:?} of call {lives}");
            let again = issue(&world, 0..answered.len() as u64);
            assert!(answered.iter().map(|(_, token)| token).eq(&again), "{case}");
            // Names that were never answered may have been carried out, once.
            issue(&world, 0..60);
            assert_eq!(tokens(&world), 60, "{case}");
        }
    }
}

/// What names cost: `PREPAY_NAMES` of them, two million if it is not set. Prints memory and files.
#[test]
#[ignore = "long: millions of names; PREPAY_NAMES says how many"]
fn proof_of_memory_and_disk() {
    let count =
        std::env::var("PREPAY_NAMES").ok().map_or(2_000_000, |count| count.parse().unwrap());
    let resident = || -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let place = || {
        let directory = prepay_host::Directory::create(folder.path().join("module")).unwrap();
        directory.into_place(moment(START))
    };
    let module = ceremony::make_module(
        "SM-1",
        place(),
        ModulePolicy { window_minutes: None, ..ModulePolicy::default() },
        TestMode::default(),
        &passphrase,
    );
    let people = ceremony::People::of(&module, &passphrase);
    let in_memory = Box::<prepay_vault::MemoryStorage>::default();
    let (entropy, clock) = (Box::new(Foreseeable::new(2)), Box::new(moment(START)));
    let centre = prepay_vault::Place { storage: in_memory, entropy, clock };
    let centre = ceremony::TestCentre::make(centre, &passphrase);
    centre.join(&people);
    let attributes = TestKey::new(1).attributes;
    centre.import(&attributes, &TestKey::new(1).key);
    let item = prepay_kmc_module::KeyLoadItem { attributes, register: Some(register(1)) };
    centre.load(&people, vec![item], None);
    let before = resident();
    for start in (0..count).step_by(4096) {
        let answers = people.operator.issue(&requests(start..start + 4096)).unwrap();
        assert!(answers.iter().all(Result::is_ok));
    }
    module.wait_for_names();
    let after = resident();
    module.vault().close().unwrap();
    drop((people, module));
    let entries = std::fs::read_dir(folder.path().join("module")).unwrap();
    let sizes: Vec<(String, u64)> = entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len()))
        .collect();
    let files = sizes.iter().filter(|(name, _)| name.starts_with("names-"));
    let (number, bytes) = files.fold((0, 0), |(number, sum), (_, size)| (number + 1, sum + size));
    println!("{count} names: {number} files, {bytes} bytes; memory {before} kB, then {after} kB");
    let module = ceremony::open_module(place()).unwrap();
    let people = ceremony::People::of(&module, &passphrase);
    let before = resident();
    assert!(people.operator.issue(&requests(0..1)).unwrap()[0].is_ok());
    let report = people.operator.status().unwrap().names;
    println!("opened again: {report:?}; memory {before} kB, after a request {} kB", resident());
    assert!(report.names >= count && report.unreadable == 0);
    assert!(bytes < 53 * count, "{bytes}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Whatever a module did, it answers as one that keeps everything in memory.
    #[test]
    fn names_are_as_in_a_model_in_memory(
        steps in prop::collection::vec((0_u8..10, 0_u64..40, 1_u64..9), 1..60),
    ) {
        let (mut world, mut centre) = world(3);
        let mut model: BTreeMap<u64, Option<Issued>> = BTreeMap::new();
        for (kind, from, count) in steps {
            match kind {
                0 => world.reopen(),
                1 => {
                    world.custodians().delete_key(register(1)).unwrap();
                    centre.load(&world, &[TestKey::new(1)]);
                    model.values_mut().for_each(|answer| *answer = None);
                }
                _ => {
                    let from = from * 5;
                    let answers = world.operator().issue(&requests(from..from + count)).unwrap();
                    for (name, answer) in (from..).zip(answers) {
                        let known = model.entry(name).or_insert_with(|| answer.as_ref().ok().copied());
                        match known {
                            Some(token) => prop_assert_eq!(answer.as_ref(), Ok(&*token), "{}", name),
                            None => prop_assert_eq!(answer, Err(Refusal::RequestConflict), "{}", name),
                        }
                    }
                }
            }
        }
        world.reopen();
        let answered = model.len() as u64;
        prop_assert_eq!(world.auditor().status().unwrap().names.names, answered);
    }
}

/// The same request under another name.
fn under_name(request: IssueRequest, name: u64) -> IssueRequest {
    match request {
        IssueRequest::Token(request) => named(request, name),
        other => other,
    }
}

#[test]
fn a_name_repeated_across_a_rotation_gives_the_same_digits() {
    let (mut world, _) = world(4);
    let mut all = Vec::new();
    for round in 0..5_u64 {
        // A file of names is full, another one is begun, and the log is rotated.
        all.extend(issue(&world, 7 * round..7 * round + 7));
        let names = world.auditor().status().unwrap().names.names;
        assert_eq!(names, 7 * (round + 1));
        world.module.vault().rotate(By::One(&world.session("anton"))).unwrap();
        // An identifier that was used before it is refused under another name, too.
        let again = under_name(requests(7 * round..7 * round + 1).remove(0), 999);
        let refused = world.operator().issue(&[again]).unwrap().remove(0);
        assert!(matches!(refused, Err(Refusal::IdentifierUsed { .. })), "{refused:?}");
        for _ in 0..2 {
            let before = tokens(&world);
            assert_eq!(issue(&world, 0..7 * round + 7), all, "round {round}");
            assert_eq!(tokens(&world), before);
            world.reopen();
        }
    }
    let report = world.verify_audit();
    assert_eq!((report.first_bad, report.absent), (None, vec![]));
    let segments = world.module.vault().segments(By::One(&world.session("anton"))).unwrap();
    assert_eq!(segments.len(), 5);
}

#[test]
fn a_damaged_file_is_made_anew_from_closed_segments_and_is_lost_with_them() {
    let (mut world, _) = world(2);
    let first = issue(&world, 0..2);
    issue(&world, 2..4);
    let rotate = |world: &World| {
        let anton = world.session("anton");
        world.module.vault().rotate(By::One(&anton)).unwrap()
    };
    let segment = rotate(&world);
    issue(&world, 4..8);
    rotate(&world);
    let damage = |world: &World| {
        let name = files(world).remove(0);
        world.storage.lock().unwrap().memory.files.all().get_mut(&name).unwrap()[60] ^= 1;
    };
    // Damaged are, one after the other, the files that may have the first names.
    for _ in 0..4 {
        damage(&world);
        world.reopen();
        let _ = world.operator().issue(&requests(0..8)).unwrap();
        world.module.wait_for_names();
        assert_eq!(issue(&world, 0..2), first);
        assert_eq!(world.auditor().status().unwrap().names.unreadable, 0);
    }
    let rebuilt = |record: &prepay_vault::Record<ModuleEntry>| {
        matches!(record.entry, Entry::Owner(ModuleEntry::NamesRebuilt { .. }))
    };
    assert_eq!(world.audit().iter().filter(|record| rebuilt(record)).count(), 4);

    // Without the segment there is nothing to make it from: refused, never new.
    world.storage.lock().unwrap().memory.files.all().remove(&segment.name());
    let mut names = files(&world);
    names.retain(|name| !name.starts_with("audit"));
    for name in names {
        world.storage.lock().unwrap().memory.files.all().get_mut(&name).unwrap()[60] ^= 1;
    }
    world.reopen();
    let operator = world.operator();
    let before = tokens(&world);
    for _ in 0..2 {
        let answer = operator.issue(&requests(0..1)).unwrap().remove(0);
        assert!(matches!(answer, Err(Refusal::NamesUnreadable { .. })), "{answer:?}");
        world.module.wait_for_names();
    }
    let answer = operator.issue(&requests(0..1)).unwrap().remove(0);
    assert!(matches!(answer, Err(Refusal::NamesUnreadable { in_log: false, .. })), "{answer:?}");
    assert_eq!(tokens(&world), before);
}
