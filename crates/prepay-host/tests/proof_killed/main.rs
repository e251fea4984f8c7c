//! A module on disk, with a witness, whose process is killed at any moment, while it loads keys, issues from several threads
//! and reads its audit log: it opens again, and counts exactly what its audit log tells.
//!
//! After each kill: module and centre open; both chains verify; every acknowledged token, load and refill is
//! in the log, once, as it was acknowledged; nothing is in it that was not asked for; random numbers follow
//! each other without a gap or a repetition; counters and limits are those that the log gives, so they never
//! run backwards; and a request whose answer was lost is answered with the same digits, or made once.
//!
//! The process that is killed is a child of this same program. It acknowledges line by line. The seed, which
//! is printed, fixes when each child is killed as far as a clock can fix it.

#[path = "../proof_kit/mod.rs"]
mod proof_kit;

mod child;
mod model;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use prepay_host::Directory;
use prepay_module::SecurityModule;
use prepay_module::software::ModuleEntry;
use prepay_testkit::Random;
use prepay_testkit::ceremony::{People, passphrase};
use prepay_testkit::child::Child;
use prepay_vault::{Entry, RestoredLimits, VaultEntry};

use child::{BATCH, SINGLE, When, acknowledged, first_digits, kill, request};
use model::{Model, check_row};
use proof_kit::{Number, create, open, open_centre};

const KILLS: &str = "PREPAY_TORTURE_KILLS";
const SEED: &str = "PREPAY_TORTURE_SEED";

/// Leaves the beginning of an entry at the end of the log, as a write does that power failed under. A kill
/// alone hardly ever does: the system finishes what it began to write. Returns how many whole entries the
/// log has.
fn tear(place: &Path, bytes: usize) -> u64 {
    let module = place.join("module");
    let mut log = OpenOptions::new().append(true).open(module.join("audit.log")).unwrap();
    log.write_all(&[0; 3][..bytes]).unwrap();
    let report =
        prepay_vault::verify::<ModuleEntry>(&mut Directory::open(module).unwrap()).unwrap();
    assert!(report.first_bad.is_some());
    report.entries
}

/// Gives the module a witness.
fn watch(place: &Path) {
    let module = open(place).unwrap();
    let people = People::of(&module, &passphrase);
    let witness = place.join("witness").to_str().unwrap().to_owned();
    let limits = RestoredLimits::Stopped;
    module.vault().set_witness(&people.quorum, &witness, limits).unwrap();
    module.vault().close().unwrap();
}

/// What all rounds showed.
#[derive(Debug, Default)]
struct Figures {
    kills: u32,
    while_opening: u32,
    tokens: usize,
    tokens_in_flight: usize,
    loads: usize,
    refills: usize,
    reads: usize,
    torn_and_cut: usize,
    torn_and_written_anew: usize,
    repeated: usize,
}

fn torture(kills: u32, seed: u64) -> Figures {
    println!("{kills} kills, {SEED}={seed}");
    let place = tempfile::tempdir().unwrap();
    create(place.path(), Some(u32::MAX));
    watch(place.path());
    let mut random = Random::new(seed);
    let (mut model, mut figures) = (Model::default(), Figures::default());
    let begun = Instant::now();
    drop(open(place.path()).unwrap());
    let opening = 3 * begun.elapsed();
    for round in 0..kills {
        let when = When::choose(&mut random, opening);
        let told = format!("round {round}, killed {when:?}, {SEED}={seed}");
        let lines = kill(Child::start("child::case_worker", place.path(), round), when);
        figures.kills += 1;
        let torn = (random.below(4) == 0).then(|| tear(place.path(), 1 + random.below(3)));
        figures.while_opening += u32::from(!lines.contains("at work"));

        let module = open(place.path()).expect(&told);
        let ready = module.vault().with(|vault| vault.check_ready(module.vault().now()));
        assert_eq!(ready, Ok(Ok(())), "the witness can be asked: {told}");
        let people = People::of(&module, &passphrase);
        let report = people.verify_audit();
        assert_eq!((report.first_bad, report.authenticated), (None, true), "{told}");
        let records = people.audit(model.sequence + 1, usize::MAX);
        assert_eq!(records.len() as u64, report.entries - model.sequence, "{told}");
        let (loads, refills) = (model.loads, model.refills);
        let rows = model.read(&records, &told);
        model.compare(&people, &told);

        // Everything that was acknowledged is there, as it was; the rest was asked for.
        let made = acknowledged(&lines, round);
        for (&number, (digits, random)) in &made {
            let row = rows.get(&number).unwrap_or_else(|| panic!("{number:?} is lost: {told}"));
            check_row(number, row, digits, *random);
        }
        let mut lost: Vec<Number> =
            rows.keys().filter(|number| !made.contains_key(number)).copied().collect();
        lost.sort_by_key(|number| (number.worker, number.count));
        for worker in 0..=SINGLE {
            let count = |of: &mut dyn Iterator<Item = &Number>| {
                of.filter(|number| number.worker == worker).count() as u64
            };
            let (told_of, not) = (count(&mut made.keys()), count(&mut lost.iter()));
            assert!(not <= if worker < SINGLE { 1 } else { BATCH }, "{not} {worker} {told}");
            let is_next = |number: &&Number| number.count >= told_of;
            let mut own = lost.iter().filter(|number| number.worker == worker);
            assert!(worker == SINGLE || own.all(|number| is_next(&number)), "{told}");
        }
        let lines_of = |word: &str| lines.lines().filter(|line| line.starts_with(word)).count();
        let at_most = |found: u64, word: &str| {
            let told_of = lines_of(word) as u64;
            assert!((told_of..=told_of + 1).contains(&found), "{found} {word} {told}");
        };
        at_most(model.loads - loads, "loaded ");
        at_most(model.refills - refills, "refilled ");

        // Whoever lost an answer asks again: the same digits, or made now; and counted once.
        let lost_or_next = |worker: u32| {
            let is_own = |number: &&Number| number.worker == worker;
            let next = made.keys().filter(is_own).count() as u64;
            lost.iter().find(is_own).copied().unwrap_or(Number { round, worker, count: next })
        };
        for worker in 0..=SINGLE {
            let number = lost_or_next(worker);
            let before = model.tokens;
            let issued = people.operator.issue_one(request(number)).unwrap();
            let again = people.operator.issue_one(request(number)).unwrap();
            assert_eq!(issued, again, "{told}");
            let records = people.audit(model.sequence + 1, usize::MAX);
            let new = model.read(&records, &told);
            match rows.get(&number) {
                Some(row) => {
                    assert_eq!((before, new.len()), (model.tokens, 0), "{told}");
                    let digits = first_digits(&issued);
                    assert_eq!(row.last_digits, digits[16..].parse::<u16>().unwrap(), "{told}");
                }
                None => assert_eq!(new.len(), 1, "{told}"),
            }
            figures.repeated += 1;
        }
        if let Some((&number, (digits, _))) = made.iter().next() {
            let again = people.operator.issue_one(request(number)).unwrap();
            assert_eq!(first_digits(&again), *digits, "{told}");
        }
        model.compare(&people, &told);

        figures.tokens += made.len();
        figures.tokens_in_flight += lost.len();
        figures.loads += lines_of("loaded ");
        figures.refills += lines_of("refilled ");
        figures.reads += lines_of("read ");
        // What was torn is cut off, and an entry says so; unless it is in the place of an entry that the store
        // already told of, which is then written anew.
        if let Some(whole) = torn {
            let next = records.iter().find(|record| record.sequence == whole + 1).expect(&told);
            match next.entry {
                Entry::Vault(VaultEntry::LogCut { .. }) => figures.torn_and_cut += 1,
                Entry::Owner(
                    ModuleEntry::LoadRequested { .. }
                    | ModuleEntry::KeysLoaded { .. }
                    | ModuleEntry::Refilled { .. },
                ) => {
                    figures.torn_and_written_anew += 1;
                }
                ref other => panic!("{other:?} {told}"),
            }
        }

        let centre = open_centre(place.path()).expect(&told);
        assert_eq!(centre.vault().verify_audit(centre.two()).unwrap().first_bad, None, "{told}");
        centre.close();
        // In every other round the next child finds the journal that this process left.
        if round % 2 == 0 {
            module.vault().close().unwrap();
        }
    }
    println!("{figures:?}");
    println!("{} entries, {} tokens in the audit log", model.sequence, model.tokens);
    figures
}

fn seed() -> u64 {
    std::env::var(SEED).map_or(2026, |seed| seed.parse().expect("a seed is a number"))
}

#[test]
fn a_module_killed_at_any_moment_counts_exactly_what_it_logged() {
    let figures = torture(25, seed());
    assert!(figures.tokens > 100 && figures.loads > 0 && figures.reads > 0, "{figures:?}");
}

#[test]
#[ignore = "long: `cargo xtask torture`"]
fn a_module_killed_hundreds_of_times_counts_exactly_what_it_logged() {
    let kills = std::env::var(KILLS).map_or(500, |kills| kills.parse().expect("a number"));
    torture(kills, seed());
}
