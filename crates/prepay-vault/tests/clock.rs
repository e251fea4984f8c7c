//! A clock that was ahead or is put back: waits end, steps back are in the log, and large ones take two custodians.

mod kit;

use std::sync::Arc;

use kit::*;
use prepay_basics::Moment;
use prepay_vault::*;

const DAY: u64 = 24 * 3600;

fn steps_back(vault: &mut TestVault) -> Vec<(Moment, Moment)> {
    let records = vault.audit(1, 1000).unwrap();
    let step = |record: &Record<CountEntry>| match record.entry {
        Entry::Vault(VaultEntry::ClockBack { from, to }) => Some((from, to)),
        _ => None,
    };
    records.iter().filter_map(step).collect()
}

#[test]
fn a_wait_begun_by_a_clock_that_was_ahead_lasts_a_quarter_of_an_hour_at_most() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let ahead = 400 * DAY;
    let mut now = ahead;
    for _ in 0..13 {
        assert!(vault.sign_in(&name("anna"), &secret("x"), at(now)).is_err());
        now += 900;
    }
    drop(vault);
    // Each command opens the vault anew: the wait must not begin anew each time.
    for (seconds, expected) in [
        (100, Some(SignInError::Wait { until: at(1000) })),
        (500, Some(SignInError::Wait { until: at(1000) })),
        (999, Some(SignInError::Wait { until: at(1000) })),
        (1000, None),
    ] {
        let mut vault = open(Arc::clone(&place)).unwrap();
        let answer = vault.sign_in(&name("anna"), &secret("anna"), at(seconds));
        assert_eq!(answer.err(), expected, "{seconds}");
    }
}

#[test]
fn a_clock_put_back_is_recorded_once_for_each_step_and_opening() {
    let place = Shelf::default();
    let mut vault = create(Arc::clone(&place)).unwrap();
    let otto = vault.sign_in(&name("otto"), &secret("otto"), at(10_000)).unwrap();
    // (second, steps back so far): a correction of a minute, a step, the same time again, another step.
    for (seconds, steps) in [(9_940, 0), (9_939, 1), (9_950, 1), (9_000, 2), (9_001, 2)] {
        vault.stage(By::One(&otto), &issued(0..0), at(seconds)).unwrap();
        vault.flush().unwrap();
        assert_eq!(steps_back(&mut vault).len(), steps, "{seconds}");
    }
    assert_eq!(steps_back(&mut vault)[1], (at(10_000), at(9_000)));
    vault.close().unwrap();
    for steps in [3, 4] {
        let mut vault = open(Arc::clone(&place)).unwrap();
        vault.sign_in(&name("otto"), &secret("otto"), at(9_100)).unwrap();
        vault.sign_in(&name("otto"), &secret("otto"), at(9_200)).unwrap();
        assert_eq!(steps_back(&mut vault).len(), steps);
        assert_eq!(vault.verify_audit().unwrap().first_bad, None);
    }
    // A vault for tests goes on, however far its clock is put back.
    let mut vault = open(place).unwrap();
    let quorum = quorum(&mut vault);
    note(&mut vault, &quorum).unwrap();
}

fn real(place: &Shelf, file: &KeyFile) -> TestVault {
    let names = ["anna", "berta"].map(name);
    let passphrase = secret("long enough for a vault");
    let users = names.each_ref().map(|name| NewUser {
        name,
        role: Role::Custodian,
        passphrase: &passphrase,
    });
    let unlock = Unlock::KeyFile(file);
    let setup = Setup { name: &name("SM-1"), unlock, users: &users, insecure_test: false };
    Vault::create(Box::new(Arc::clone(place)), noise(1), setup, Counts::default(), at(0)).unwrap()
}

fn both(vault: &mut TestVault, seconds: u64) -> Quorum {
    let passphrase = secret("long enough for a vault");
    let [anna, berta] =
        ["anna", "berta"].map(|who| vault.sign_in(&name(who), &passphrase, at(seconds)).unwrap());
    Quorum::new(anna, berta).unwrap()
}

#[test]
fn a_clock_put_back_by_more_than_a_day_stops_every_change_until_two_custodians_accept_it() {
    let file = KeyFile::generate(&mut Foreseeable::new(7)).unwrap();
    let place = Shelf::default();
    let mut vault = real(&place, &file);
    let latest = 30 * DAY;
    let quorum = both(&mut vault, latest);
    let entry = CountEntry::Noted { text: "noted".to_owned() };
    let commit = |vault: &mut TestVault, quorum: &Quorum, seconds| {
        vault.commit(By::Two(quorum), &entry, at(seconds), |counts| counts.notes += 1)
    };
    // A day back is allowed, from the latest time: small steps do not add up to more.
    for seconds in [latest - DAY / 2, latest - DAY] {
        commit(&mut vault, &quorum, seconds).unwrap();
    }
    let now = latest - DAY - 1;
    let behind = VaultError::ClockBehind { expected: at(latest), found: at(now) };
    assert_eq!(commit(&mut vault, &quorum, now), Err(behind.clone()));
    vault.close().unwrap();

    for _ in 0..2 {
        let reopen = |place: &Shelf| {
            let unlock = Unlock::KeyFile(&file);
            TestVault::open(Box::new(Arc::clone(place)), noise(9), unlock, at(now)).unwrap()
        };
        let mut vault = reopen(&place);
        let quorum = both(&mut vault, now);
        let two = By::Two(&quorum);
        assert_eq!(vault.stage(two, &issued(0..1), at(now)), Err(behind.clone()));
        assert_eq!(commit(&mut vault, &quorum, now), Err(behind.clone()));
        let pass = secret("long enough for a vault");
        let backup = vault.backup(&quorum, [&pass, &pass], at(now));
        assert_eq!(backup, Err(behind.clone()));
        let removed = vault.remove_user(&quorum, &name("anna"), at(now));
        assert_eq!(removed, Err(UserError::TooFewCustodians));
        let added = NewUser { name: &name("otto"), role: Role::Operator, passphrase: &pass };
        let added = vault.add_user(&quorum, added, at(now));
        assert_eq!(added, Err(UserError::Vault(behind.clone())));
        assert_eq!(vault.contents().rows, 0);
    }
    let unlock = Unlock::KeyFile(&file);
    let storage = Box::new(Arc::clone(&place));
    let mut vault = TestVault::open(storage, noise(9), unlock, at(now)).unwrap();
    let quorum = both(&mut vault, now);
    assert_eq!(vault.accept_clock(&quorum, at(now)), Ok(Some(at(latest))));
    assert_eq!(vault.accept_clock(&quorum, at(now)), Ok(None));
    commit(&mut vault, &quorum, now).unwrap();
    drop(vault);
    // From then on the accepted time counts, at the next opening as well.
    let unlock = Unlock::KeyFile(&file);
    let mut vault = TestVault::open(Box::new(place), noise(9), unlock, at(now)).unwrap();
    let quorum = both(&mut vault, now + 1);
    commit(&mut vault, &quorum, now + 1 - DAY).unwrap();
    let records = vault.audit(1, 1000).unwrap();
    let names: Vec<&str> = records.iter().map(|record| record.entry.name()).collect();
    assert!(names.contains(&"clock_back") && names.contains(&"clock_accepted"), "{names:?}");
}
