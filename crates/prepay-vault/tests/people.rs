//! Who may use a vault: sign-in and its waits, dual control, and back-ups that take two.

mod kit;

use std::sync::Arc;

use kit::*;
use prepay_vault::*;

fn fresh() -> (Shelf, TestVault) {
    let place = Shelf::default();
    let vault = create(Arc::clone(&place)).unwrap();
    (place, vault)
}

fn try_in(vault: &mut TestVault, who: &str, passphrase: &str, now: u64) -> Option<SignInError> {
    vault.sign_in(&name(who), &secret(passphrase), at(now)).err()
}

#[test]
fn failures_make_the_next_try_wait_and_success_ends_that() {
    let (_, mut vault) = fresh();
    let wrong = Some(SignInError::Wrong);
    let wait = |seconds| Some(SignInError::Wait { until: at(seconds) });
    // (second, passphrase, answer): the waits are 0, 0, 1 and 2 seconds.
    let tries = [
        (10, "x", wrong.clone()),
        (10, "x", wrong.clone()),
        (10, "x", wrong.clone()),
        (10, "otto", wait(11)),
        (10, "x", wait(11)),
        (11, "x", wrong.clone()),
        (12, "otto", wait(13)),
        (13, "otto", None),
        (13, "x", wrong.clone()),
        (13, "otto", None),
    ];
    for (index, (now, passphrase, expected)) in tries.into_iter().enumerate() {
        assert_eq!(try_in(&mut vault, "otto", passphrase, now), expected, "try {index}");
    }
    // Others do not wait, and names that nobody has wait together.
    for (who, expected) in [("x1", &wrong), ("x2", &wrong), ("x3", &wrong), ("x4", &wait(14))] {
        assert_eq!(try_in(&mut vault, who, "x", 13), *expected, "{who}");
    }
    assert_eq!(try_in(&mut vault, "anna", "anna", 13), None);
}

#[test]
fn a_vault_works_on_while_somebody_signs_in() {
    let (_, mut vault) = fresh();
    let otto = sign_in(&mut vault, "otto");
    let [mut right, mut wrong] = ["anna", "x"].map(|passphrase| {
        let claim = |_| vault.ask(&name("anna"), at(10)).unwrap().claim(&secret(passphrase));
        (0..4).map(claim).collect::<Vec<_>>()
    });
    issue(&mut vault, &otto, 1).unwrap();
    let mut settle = |claims: &mut Vec<Claim>, seconds| {
        vault.settle(&claims.pop().unwrap(), at(seconds)).map(|session| session.name().clone())
    };
    // Of guesses that began side by side each counts, and what comes after them waits.
    for _ in 0..3 {
        assert_eq!(settle(&mut wrong, 10), Err(SignInError::Wrong));
    }
    let wait = Err(SignInError::Wait { until: at(11) });
    assert_eq!(settle(&mut wrong, 10), wait);
    assert_eq!(settle(&mut right, 10), wait);
    assert_eq!(settle(&mut right, 11), Ok(name("anna")));

    // What was right at the beginning is wrong when the passphrase is another one at the end.
    let quorum = quorum(&mut vault);
    let claims =
        [vault.ask(&name("carla"), at(12)).unwrap().claim(&secret("carla")), right.remove(0)];
    vault.set_passphrase(&quorum, &name("carla"), &secret("carla"), at(12)).unwrap();
    vault.set_passphrase(&quorum, &name("anna"), &secret("new"), at(12)).unwrap();
    for claim in claims {
        assert_eq!(vault.settle(&claim, at(12)).err(), Some(SignInError::Wrong));
    }
    assert_eq!(try_in(&mut vault, "carla", "carla", 12), None);
    assert_eq!(try_in(&mut vault, "anna", "new", 12), None);
}

#[test]
fn a_failure_is_kept_before_it_is_answered() {
    let (place, mut vault) = fresh();
    for _ in 0..3 {
        assert_eq!(try_in(&mut vault, "otto", "x", 10), Some(SignInError::Wrong));
        drop(vault); // Killed after the answer.
        vault = open(Arc::clone(&place)).unwrap();
    }
    assert_eq!(try_in(&mut vault, "otto", "otto", 10), Some(SignInError::Wait { until: at(11) }));
    drop(vault);

    // Killed at every step of keeping the failure: answered is counted, and what is not is no answer.
    let before = place.lock().unwrap().clone();
    for steps in 0.. {
        let place: Shelf = Arc::new(before.clone().into());
        let dying = Dying::new(Arc::clone(&place), steps);
        let mut vault = open(dying.clone()).unwrap();
        let answer = try_in(&mut vault, "otto", "x", 11);
        drop(vault);
        let vault = open(place).unwrap();
        let otto = vault.users().into_iter().find(|user| user.name.as_str() == "otto").unwrap();
        match answer {
            Some(SignInError::Wrong) => {
                assert_eq!((otto.failures, otto.wait_until), (4, at(13)), "steps = {steps}");
                break;
            }
            Some(SignInError::Vault(VaultError::Broken { .. })) => {
                assert!((3..=4).contains(&otto.failures), "steps = {steps}");
            }
            other => panic!("steps = {steps}: {other:?}"),
        }
    }
}

#[test]
fn two_different_custodians_of_this_vault_are_needed() {
    let (place, mut vault) = fresh();
    let [anna, again, berta, otto] =
        ["anna", "anna", "berta", "otto"].map(|who| sign_in(&mut vault, who));
    let error =
        |first: &Session, second: &Session| Quorum::new(first.clone(), second.clone()).err();
    assert_eq!(error(&anna, &again), Some(QuorumError::SamePerson));
    let (name_otto, role) = (name("otto"), Role::Operator);
    let expected = Some(QuorumError::NotCustodian { name: name_otto, role });
    assert_eq!(error(&anna, &otto), expected);
    assert_eq!(error(&otto, &anna), expected);
    let quorum = Quorum::new(anna.clone(), berta.clone()).unwrap();
    assert_eq!(vault.authorize(By::Two(&quorum), &[Role::Custodian]), Ok(()));
    let found = Role::Operator;
    let refused = Err(AccessError::Role { found });
    assert_eq!(vault.authorize(By::One(&otto), &[Role::Auditor, Role::Custodian]), refused);
    assert_eq!(vault.authorize(By::One(&otto), &[Role::Operator]), Ok(()));

    // Sessions end with the opening.
    drop(vault);
    let mut vault = TestVault::open(
        Box::new(Arc::clone(&place)),
        noise(1234),
        Unlock::Passphrase(&secret("open")),
        at(1),
    )
    .unwrap();
    let other = Err(VaultError::Access(AccessError::OtherVault));
    assert_eq!(note(&mut vault, &quorum), other);
    assert_eq!(vault.stage(By::One(&otto), &issued(1..2), at(1)), other);
    assert_eq!(error(&anna, &sign_in(&mut vault, "berta")), Some(QuorumError::OtherVault));
    assert_eq!((vault.contents().notes, vault.entries()), (0, 6));
}

#[test]
fn people_come_and_go_but_two_custodians_stay() {
    let (place, mut vault) = fresh();
    let quorum = quorum(&mut vault);
    let carla = sign_in(&mut vault, "carla");
    let pass = secret("dora");
    let (dora, empty) = (name("dora"), secret(""));
    let user = NewUser { name: &dora, role: Role::Auditor, passphrase: &pass };
    let short = NewUser { passphrase: &empty, ..user };
    let refused = UserError::Vault(VaultError::ShortPassphrase { expected: 1 });
    assert_eq!(vault.add_user(&quorum, short, at(2)), Err(refused));
    vault.add_user(&quorum, user, at(2)).unwrap();
    assert_eq!(vault.add_user(&quorum, user, at(2)), Err(UserError::Exists));
    assert_eq!(vault.remove_user(&quorum, &name("nora"), at(2)), Err(UserError::Unknown));
    let unknown = vault.set_passphrase(&quorum, &name("nora"), &pass, at(2));
    assert_eq!(unknown, Err(UserError::Unknown));
    vault.remove_user(&quorum, &name("carla"), at(3)).unwrap();
    let ended = VaultError::Access(AccessError::Ended);
    assert_eq!(vault.stage(By::One(&carla), &issued(1..2), at(3)), Err(ended.clone()));
    for custodian in ["anna", "berta"] {
        let refused = vault.remove_user(&quorum, &name(custodian), at(3));
        assert_eq!(refused, Err(UserError::TooFewCustodians));
    }
    // Who has the name again is somebody else.
    let again = secret("carla");
    let user = NewUser { name: &name("carla"), role: Role::Custodian, passphrase: &again };
    vault.add_user(&quorum, user, at(4)).unwrap();
    assert_eq!(vault.stage(By::One(&carla), &issued(1..2), at(3)), Err(ended.clone()));

    let otto = sign_in(&mut vault, "otto");
    let new = secret("new");
    let wrong = vault.change_passphrase(&otto, &secret("x"), &new, at(5));
    assert_eq!(wrong, Err(UserError::SignIn(SignInError::Wrong)));
    vault.change_passphrase(&otto, &secret("otto"), &new, at(5)).unwrap();
    assert_eq!(vault.authorize(By::One(&otto), &[Role::Operator]), Err(AccessError::Ended));
    vault.set_passphrase(&quorum, &dora, &new, at(6)).unwrap();
    vault.set_passphrase(&quorum, &name("anna"), &new, at(6)).unwrap();
    assert_eq!(vault.remove_user(&quorum, &dora, at(7)), Err(UserError::Vault(ended)));
    drop(vault);
    let mut vault = open(place).unwrap();
    for who in ["otto", "dora", "anna"] {
        assert_eq!(try_in(&mut vault, who, "new", 20), None, "{who}");
        assert_eq!(try_in(&mut vault, who, who, 20), Some(SignInError::Wrong), "{who}");
    }
}

type Held<'a> = [(&'a str, &'a str); 2];

fn restore(
    storage: &Shelf,
    file: &[u8],
    [(one, first), (two, second)]: Held<'_>,
    limits: RestoredLimits,
) -> Result<TestVault, RestoreError> {
    let custodians = [(&name(one), &secret(first)), (&name(two), &secret(second))];
    let pass = secret("restored");
    let unlock = Unlock::Passphrase(&pass);
    Vault::restore(
        Box::new(Arc::clone(storage)),
        noise(55),
        file,
        custodians,
        unlock,
        limits,
        at(9),
    )
}

const HELD: Held<'static> = [("anna", "one"), ("berta", "two")];

#[test]
fn a_backup_takes_both_custodians_and_gives_no_limits_back() {
    let (old, mut vault) = fresh();
    let otto = sign_in(&mut vault, "otto");
    let [anna, berta] = ["anna", "berta"].map(|who| sign_in(&mut vault, who));
    let quorum = Quorum::new(berta, anna).unwrap(); // Not in the order of the names.
    issue(&mut vault, &otto, 7).unwrap();
    let short = vault.backup(&quorum, [&secret("two"), &secret("")], at(8));
    assert_eq!(short, Err(VaultError::ShortPassphrase { expected: 1 }));
    let file = vault.backup(&quorum, [&secret("two"), &secret("one")], at(8)).unwrap();
    issue(&mut vault, &otto, 1).unwrap();
    let before = vault.audit(5, 1).unwrap();
    assert_eq!(before[0].entry.name(), "issued");

    let empty = Shelf::default();
    let wrong: [Held<'_>; 4] = [
        [("anna", "one"), ("berta", "one")],
        [("anna", "two"), ("berta", "two")],
        [("anna", "two"), ("berta", "one")],
        [("anna", "onetwo"), ("berta", "")],
    ];
    for held in wrong {
        let refused = restore(&empty, &file, held, RestoredLimits::Accepted).err();
        assert_eq!(refused, Some(RestoreError::WrongSecret), "{held:?}");
    }
    for held in [[("anna", "one"), ("carla", "two")], [("anna", "one"), ("anna", "one")]] {
        let refused = restore(&empty, &file, held, RestoredLimits::Accepted).err();
        assert!(matches!(refused, Some(RestoreError::Custodians { .. })), "{held:?}");
    }
    let refused = restore(&old, &file, HELD, RestoredLimits::Accepted).err();
    assert_eq!(refused, Some(RestoreError::Create(CreateError::NotEmpty)));
    let nothing = empty.lock().unwrap().clone();
    assert_eq!((nothing.store, nothing.log, nothing.head), (None, Vec::new(), None));

    for (limits, stopped) in [(RestoredLimits::Stopped, true), (RestoredLimits::Accepted, false)] {
        let place = Shelf::default();
        let turned = [HELD[1], HELD[0]];
        let mut restored = restore(&place, &file, turned, limits).unwrap();
        let counts = restored.contents();
        assert_eq!((counts.rows, counts.stopped, counts.secret), (7, stopped, SECRET));
        assert_eq!(restored.header().name, vault.header().name);
        assert_ne!(restored.header().id, vault.header().id);
        let first = restored.audit(1, 10).unwrap();
        assert_eq!((first.len(), first[0].sequence), (1, 6), "the log goes on");
        let Entry::Vault(VaultEntry::Restored { vault: id, limits_accepted, .. }) = &first[0].entry
        else {
            panic!("{:?}", first[0].entry)
        };
        assert_eq!((*id, *limits_accepted), (vault.header().id, !stopped));
        let otto = sign_in(&mut restored, "otto");
        issue(&mut restored, &otto, 1).unwrap();
        drop(restored);
        let mut restored = open_with(Arc::clone(&place), "restored").unwrap();
        assert_eq!(restored.contents().rows, 8);
        assert_eq!(restored.verify_audit().unwrap().first_bad, None);
        assert_eq!(verify::<CountEntry>(&mut Arc::clone(&place)).unwrap().first_bad, None);
    }
}

#[test]
fn a_restored_log_knows_of_the_old_one_only_where_it_ended() {
    let (old, mut vault) = fresh();
    let quorum = quorum(&mut vault);
    let before = vault.verify_audit().unwrap().last;
    note(&mut vault, &quorum).unwrap();
    let end = vault.verify_audit().unwrap().last;
    let file = vault.backup(&quorum, [&secret("one"), &secret("two")], at(8)).unwrap();
    let place = Shelf::default();
    drop(restore(&place, &file, HELD, RestoredLimits::Accepted).unwrap());
    let found = |mark| {
        let bad = verify_noted::<CountEntry>(&mut Arc::clone(&place), mark).unwrap().first_bad;
        bad.map(|bad| (bad.sequence, bad.problem))
    };
    assert_eq!(verify_noted::<CountEntry>(&mut Arc::clone(&old), before).unwrap().first_bad, None);
    assert_eq!(found(before), Some((before.sequence, Problem::Earlier)));
    assert_eq!(found(end), None);
    let forged = AuditMark { hash: [0xEE; 32], ..end };
    assert_eq!(found(forged), Some((end.sequence, Problem::OtherChain)));
    let missing = AuditMark { sequence: end.sequence + 2, ..end };
    assert_eq!(found(missing), Some((end.sequence + 2, Problem::Missing)));
}

#[test]
fn every_bit_and_cut_of_a_backup_counts() {
    use sha2::{Digest, Sha256};

    let (_, mut vault) = fresh();
    let quorum = quorum(&mut vault);
    let file = vault.backup(&quorum, [&secret("one"), &secret("two")], at(8)).unwrap();
    let place = Shelf::default();
    let refused = |file: &[u8]| {
        let error = restore(&place, file, HELD, RestoredLimits::Accepted).err();
        let MemoryStorage { store, log, head, .. } = place.lock().unwrap().clone();
        assert_eq!((store, log, head), (None, Vec::new(), None));
        error
    };
    for bit in 0..file.len() * 8 {
        let mut file = file.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        assert!(refused(&file).is_some(), "bit = {bit}");
    }
    for length in 0..file.len() {
        assert!(refused(&file[..length]).is_some(), "length = {length}");
    }
    // The checksum put right, so that the seal itself is asked. Costs that would take minutes are left out.
    let body = &file[..file.len() - 32];
    let cost = 16 + 2 + 16 + 6 + 8 + 6 + 7..16 + 2 + 16 + 6 + 8 + 6 + 7 + 12;
    for bit in (0..body.len() * 8).filter(|bit| !cost.contains(&(bit / 8))) {
        let mut body = body.to_vec();
        body[bit / 8] ^= 1 << (bit % 8);
        let file = [&body[..], &Sha256::digest(&body)[..]].concat();
        assert!(refused(&file).is_some(), "bit = {bit}");
    }
    assert_eq!(refused(b"something else"), Some(RestoreError::NotABackup));
}
