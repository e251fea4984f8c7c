//! A vault whose place dies after every single step: it opens again, nothing acknowledged is missing, and
//! nothing runs backwards.

mod kit;

use std::sync::Arc;

use kit::*;
use prepay_vault::*;

/// What the vault answered before its place died.
#[derive(Debug, Default)]
struct Acknowledged {
    created: bool,
    rows: u64,
    notes: u64,
    sequence: u64,
    failures: u32,
    added: bool,
    protector: bool,
    segments: usize,
}

/// Everything a vault does, one after the other, until the place dies.
fn life(place: &Dying, done: &mut Acknowledged) -> Option<()> {
    let mut vault = create(place.clone()).ok()?;
    done.created = true;
    done.sequence = 1;
    let anna = vault.sign_in(&name("anna"), &secret("anna"), at(1)).ok()?;
    let berta = vault.sign_in(&name("berta"), &secret("berta"), at(1)).ok()?;
    let otto = vault.sign_in(&name("otto"), &secret("otto"), at(1)).ok()?;
    let quorum = Quorum::new(anna, berta).unwrap();
    for (issued, notes) in [(1, 1), (3, 0), (0, 2)] {
        if issued > 0 {
            done.sequence = issue(&mut vault, &otto, issued).ok()?;
            done.rows += issued;
        }
        for _ in 0..notes {
            done.sequence = note(&mut vault, &quorum).ok()?;
            done.notes += 1;
        }
    }
    let wrong = vault.sign_in(&name("carla"), &secret("otto"), at(2));
    assert_ne!(wrong.as_ref().err(), None);
    done.failures = u32::from(wrong.err() == Some(SignInError::Wrong));
    let passphrase = secret("dora");
    let dora = NewUser { name: &name("dora"), role: Role::Auditor, passphrase: &passphrase };
    vault.add_user(&quorum, dora, at(3)).ok()?;
    done.added = true;
    done.sequence = issue(&mut vault, &otto, 2).ok()?;
    done.rows += 2;
    vault.rotate(By::Two(&quorum), at(3)).ok()?;
    done.sequence = issue(&mut vault, &otto, 1).ok()?;
    done.rows += 1;
    vault.close().ok()?;

    let mut vault = open(place.clone()).ok()?;
    vault.rotate_above(900);
    let quorum = Quorum::new(
        vault.sign_in(&name("anna"), &secret("anna"), at(1)).ok()?,
        vault.sign_in(&name("berta"), &secret("berta"), at(1)).ok()?,
    );
    let quorum = quorum.unwrap();
    let otto = vault.sign_in(&name("otto"), &secret("otto"), at(1)).ok()?;
    done.sequence = issue(&mut vault, &otto, 1).ok()?;
    done.rows += 1;
    vault.change_protector(&quorum, Unlock::Passphrase(&secret("new")), at(4)).ok()?;
    done.protector = true;
    vault.backup(&quorum, [&secret("a"), &secret("b")], at(5)).ok()?;
    done.sequence = note(&mut vault, &quorum).ok()?;
    done.notes += 1;
    // By itself, because the log is long now.
    done.sequence = issue(&mut vault, &otto, 3).ok()?;
    done.rows += 3;
    vault.snapshot_if_due().ok()?;
    done.segments = 2;
    done.sequence = issue(&mut vault, &otto, 1).ok()?;
    done.rows += 1;
    vault.lock();
    Some(())
}

/// Opens with whichever passphrase is in force.
fn open_either(place: impl Fn() -> Dying, done: &Acknowledged) -> Result<TestVault, OpenError> {
    match open_with(place(), "new") {
        Err(OpenError::WrongSecret) if !done.protector => open_with(place(), "open"),
        other => other,
    }
}

fn check(place: &Shelf, steps: u64, done: &Acknowledged) {
    let dying = || Dying::new(Arc::clone(place), 10_000);
    let mut vault = match open_either(dying, done) {
        Ok(vault) => vault,
        Err(OpenError::NotThere) if !done.created => return,
        Err(error) => panic!("steps = {steps}: {error}, {done:?}"),
    };
    let counts = vault.contents();
    let case = format!("steps = {steps}, {done:?}, {counts:?}");
    assert!((done.rows..=done.rows + 3).contains(&counts.rows), "{case}");
    assert!((done.notes..=done.notes + 1).contains(&counts.notes), "{case}");
    assert_eq!(counts.secret, SECRET);
    let seen: Vec<u64> = (0..counts.rows).collect();
    assert_eq!(counts.remembered, seen, "{case}");
    let rows = counts.rows;
    let failures = |vault: &TestVault, who: &str| {
        vault.users().iter().find(|user| user.name.as_str() == who).map(|user| user.failures)
    };
    assert!(failures(&vault, "carla").unwrap() >= done.failures, "{case}");
    assert!(failures(&vault, "dora").is_some() || !done.added, "{case}");

    assert!(vault.entries() >= done.sequence, "{case}");
    let report = vault.verify_audit().unwrap();
    assert_eq!((report.entries, report.first_bad), (vault.entries(), None), "{case}");
    assert!(vault.segments().len() >= done.segments, "{case}");
    let logged: u64 = vault
        .audit(1, 1000)
        .unwrap()
        .iter()
        .map(|record| match &record.entry {
            Entry::Owner(CountEntry::Issued { rows }) => rows.len() as u64,
            _ => 0,
        })
        .sum();
    assert_eq!(logged, rows, "{case}");
    let otto = sign_in(&mut vault, "otto");
    issue(&mut vault, &otto, 1).unwrap();
    vault.close().unwrap();
    let vault = open_either(dying, done).unwrap();
    assert_eq!(vault.contents().rows, rows + 1, "{case}");
}

/// How many steps a whole life takes.
fn whole() -> u64 {
    let place = Dying::new(Shelf::default(), 1 << 40);
    let mut done = Acknowledged::default();
    assert!(life(&place, &mut done).is_some(), "{done:?}");
    check(&place.place, 0, &done);
    (1 << 40) - place.left()
}

#[test]
fn a_vault_survives_death_after_every_step() {
    for steps in 0..=whole() {
        let place = Dying::new(Shelf::default(), steps);
        let mut done = Acknowledged::default();
        let _ = life(&place, &mut done);
        check(&place.place, steps, &done);
    }
}

#[test]
fn a_vault_survives_a_loss_of_power_that_gives_an_older_head_back() {
    for steps in (0..=whole()).step_by(31) {
        let place = Dying::new(Shelf::default(), steps);
        let mut done = Acknowledged::default();
        let _ = life(&place, &mut done);
        let dead: MemoryStorage = place.place.lock().unwrap().clone();
        for head in place.heads.lock().unwrap().iter() {
            let older = MemoryStorage { head: Some(head.clone()), ..dead.clone() };
            check(&Arc::new(older.into()), steps, &done);
        }
    }
}

#[test]
fn a_vault_survives_death_while_it_recovers() {
    for steps in (0..=whole()).step_by(97) {
        let place = Dying::new(Shelf::default(), steps);
        let mut done = Acknowledged::default();
        let _ = life(&place, &mut done);
        let torn: MemoryStorage = place.place.lock().unwrap().clone();
        for more in 0.. {
            let place: Shelf = Arc::new(torn.clone().into());
            let dying = Dying::new(Arc::clone(&place), more);
            let opened = open_either(|| dying.clone(), &done).is_ok();
            let is_whole = dying.left() > 0;
            check(&place, steps, &done);
            if opened && is_whole || torn.store.is_none() {
                break;
            }
        }
    }
}
