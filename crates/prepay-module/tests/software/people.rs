//! Who may do what, and what is left of a module behind a back-up.

use prepay_basics::Identifier;
use prepay_kmp::attribute::UnitLimit;
use prepay_module::software::{ModuleEntry, ModulePolicy, SoftwareModule, TestMode};
use prepay_module::{
    IssueRequest, ModuleError, ModuleFault, Refusal, SecurityModule, VerifyRequest,
};
use prepay_testkit::documents::document;
use prepay_token::element::BaseDate;
use prepay_vault::{
    AccessError, AuditError, By, Entries as _, Entry, NewUser, Place, Quorum, RestoredLimits, Role,
    Secret, SignInError, Unlock, UserError, VaultError,
};

use crate::kit::*;

fn secret(text: &str) -> Secret {
    Secret::from(text.to_owned())
}

#[test]
fn each_role_does_its_own_work_only() {
    let world = World::new(policy());
    for (who, role) in PEOPLE {
        let session = world.session(who);
        let wrong_role = AccessError::Role { found: role };
        match world.module.operator(&session) {
            Ok(_) => assert_eq!(role, Role::Operator),
            Err(error) => assert_eq!(error, wrong_role, "{who}"),
        }
        let auditor = world.module.auditor(session.clone()).unwrap();
        assert!(auditor.registers().is_ok(), "{who}");
        match world.module.vault().audit(By::One(&session), 1, 10) {
            Ok(_) => assert_ne!(role, Role::Operator),
            Err(error) => assert_eq!(error, AuditError::Vault(wrong_role.into())),
        }
    }
    assert!(Quorum::new(world.session("alice"), world.session("alice")).is_err());
    assert!(Quorum::new(world.session("alice"), world.session("olga")).is_err());
    // A session of another module is none here.
    let other = World::named("SM-2", policy(), TestMode::default());
    assert_eq!(other.module.operator(&world.session("olga")).unwrap_err(), AccessError::OtherVault);
    let quorum = Quorum::new(world.session("alice"), world.session("bob")).unwrap();
    assert_eq!(other.module.custodians(quorum).unwrap_err(), AccessError::OtherVault);
}

#[test]
fn sessions_end_with_the_person() {
    let (world, _) = loaded(policy(), &[TestKey::new(1)]);
    let (operator, vault, by) = (world.operator(), world.module.vault(), world.quorum());
    let token = operator.issue_token(credit(1)).unwrap().token;
    vault.remove_user(&by, &value("olga")).unwrap();
    let issued = operator.issue_one(IssueRequest::Token(credit(1)));
    assert!(matches!(issued, Err(ModuleError::Fault(ModuleFault::Closed { .. }))), "{issued:?}");
    let request = VerifyRequest { register: register(1), meter: meter(), token };
    let verified = operator.verify(&request);
    assert!(matches!(verified, Err(ModuleError::Fault(ModuleFault::Closed { .. }))));
    let wrong = vault.sign_in(&value("olga"), &passphrase("olga"));
    assert_eq!(wrong.unwrap_err(), SignInError::Wrong);
    let passphrase = secret("new");
    let user = NewUser { name: &value("otto"), role: Role::Operator, passphrase: &passphrase };
    vault.add_user(&by, user).unwrap();
    let session = vault.sign_in(&value("otto"), &passphrase).unwrap();
    world.module.operator(&session).unwrap().issue_token(credit(1)).unwrap();
    let error = vault.remove_user(&by, &value("bob")).unwrap_err();
    assert_eq!(error, UserError::TooFewCustodians);
    assert_eq!(vault.users(By::Two(&by)).unwrap().len(), 4);
}

#[test]
fn the_audit_log_tells_who_did_what() {
    let (world, _) = loaded(policy(), &[TestKey::new(1)]);
    world.operator().issue_token(credit(1)).unwrap();
    let requests = [IssueRequest::Token(credit(1)); 5];
    world.operator().issue(&requests).unwrap();
    let records = world.audit();
    let actors = |kind: &str| -> Vec<_> {
        let of_kind = records.iter().filter(|record| record.entry.name() == kind);
        let names = of_kind.map(|record| {
            record.actors.iter().map(Identifier::as_str).collect::<Vec<_>>().join(" and ")
        });
        names.collect()
    };
    for kind in [
        "centre_enrolled",
        "centre_confirmed",
        "agreement_requested",
        "agreement_confirmed",
        "load_requested",
        "keys_loaded",
    ] {
        assert_eq!(actors(kind), ["alice and bob"], "{kind}");
    }
    assert_eq!(actors("issued"), ["olga", "olga"]);
    let last = records.iter().rev().find(|record| record.entry.name() == "issued");
    let Entry::Owner(ModuleEntry::Issued { rows }) = &last.unwrap().entry else {
        panic!("other rows")
    };
    assert_eq!(rows.len(), 5);
    assert_eq!(world.verify_audit().first_bad, None);
}

#[test]
fn a_backup_gives_no_limits_back() {
    let policy = ModulePolicy { transactions: Some(50), ..policy() };
    let (world, mut centre) = joined(policy);
    let limited = || TestKey::new(1).with(|a| a.unit_limit = UnitLimit(Some(10)));
    centre.load(&world, &[limited(), TestKey::new(2)]);
    let open_request = world.custodians().request_key_load(&centre.id()).unwrap();
    world.operator().issue_token(credit(1)).unwrap();
    let (a, b) = (secret("for the back-up, a"), secret("for the back-up, b"));
    let backup = world.module.vault().backup(&world.quorum(), [&a, &b]).unwrap();
    for limits in [RestoredLimits::Stopped, RestoredLimits::Accepted] {
        let storage = SharedStorage::default();
        let place = Place {
            storage: Box::new(storage.clone()),
            entropy: Box::new(Foreseeable::new(5)),
            clock: Box::new(world.clock.clone()),
        };
        let holders = [(&value("alice"), &a), (&value("bob"), &b)];
        let sealed = secret("another one");
        let unlock = Unlock::Passphrase(&sealed);
        let module = SoftwareModule::restore(place, &backup, holders, unlock, limits).unwrap();
        let restored = World { storage, clock: world.clock.clone(), module };
        assert_eq!(restored.module.module(), world.module.module());
        let accepted = limits == RestoredLimits::Accepted;
        let tokens = |number| restored.operator().issue_token(credit(number));
        for number in [1, 2] {
            match tokens(number) {
                Ok(_) => assert!(accepted),
                Err(ModuleError::Refused(Refusal::IssueExpired { .. })) => assert!(!accepted),
                Err(other) => panic!("{other}"),
            }
        }
        // A request from before the back-up may have been answered elsewhere.
        let header = centre.header(&open_request);
        let found = restored.custodians().load_keys(&document(centre.file(&header, &[limited()])));
        assert_eq!(found.unwrap_err().code(), "request_unknown");
        centre.load(&restored, &[limited(), TestKey::new(2)]);
        if !accepted {
            let found = tokens(1);
            assert!(matches!(found, Err(ModuleError::Refused(Refusal::Transactions))));
            restored.custodians().refill(5).unwrap();
        }
        tokens(1).unwrap();
        tokens(2).unwrap();
    }
}

#[test]
fn status_says_what_keepers_should_know() {
    let policy = ModulePolicy { transactions: Some(3), ..policy() };
    let world = World::new(policy);
    let alerts = |world: &World| world.auditor().status().unwrap().alerts.join("\n");
    for expected in ["test module", "counter is low: 3 tokens", "no register has a key"] {
        assert!(alerts(&world).contains(expected), "{}", alerts(&world));
    }
    let mut centre = TestCentre::new("KMC-1");
    world.custodians().enrol_centre(&document(centre.enrolment())).unwrap();
    assert!(alerts(&world).contains("slot 1 of centre KMC-1 is loading"));
    centre.join(&world);
    assert!(!alerts(&world).contains("slot 1"));
    centre.load(
        &world,
        &[
            TestKey::new(1).with(|a| a.issued_until = moment("2026-03-20T00:00:00Z")),
            TestKey::new(2).with(|a| a.expiry = 97.into()),
            TestKey::new(3).with(|a| a.expiry = 96.into()),
            TestKey::new(4).with(|a| a.activation = moment("2026-03-20T00:00:00Z")),
            TestKey::new(5).with(|a| a.unit_limit = UnitLimit(Some(1))),
            TestKey::new(6).with(|a| a.unit_limit = UnitLimit(Some(10))),
            TestKey::new(7),
            TestKey::new(8).with(|a| a.base_date = BaseDate::Y1993),
        ],
    );
    assert!(!alerts(&world).contains("KEN 255"), "never expires: {}", alerts(&world));
    for expected in [
        "register 1 (group 100001 revision 1): load it again soon: can be used until 2026-03-20",
        "register 2 (group 100002 revision 1): expires soon: KEN 97",
        "register 3 (group 100003 revision 1): expired: KEN 96",
        "register 4 (group 100004 revision 1): not active before 2026-03-20",
        "register 8 (group 100008 revision 1): base date 1993 has no identifiers any more",
    ] {
        assert!(alerts(&world).contains(expected), "{expected}\n{}", alerts(&world));
    }
    for quiet in ["register 5", "register 6", "register 7"] {
        assert!(!alerts(&world).contains(quiet), "{}", alerts(&world));
    }
    world.operator().issue_token(credit(5)).unwrap();
    let expected = "register 5 (group 100005 revision 1): limit ULM is low: 0 of 1 left";
    assert!(alerts(&world).contains(expected), "{}", alerts(&world));
    for _ in 0..2 {
        world.operator().issue_token(credit(7)).unwrap();
    }
    assert!(alerts(&world).contains("the transaction counter is used up"));
}

#[test]
fn who_was_removed_reads_no_more() {
    let world = World::new(policy());
    let (vault, by) = (world.module.vault(), world.quorum());
    let reader = world.module.custodians(by.clone()).unwrap().reader();
    let (anton, olga) = (world.auditor(), world.operator());
    let session = world.session("anton");
    let all = |auditor: &prepay_module::software::Auditor| {
        [
            auditor.identify().err(),
            auditor.status().err(),
            auditor.clock().err(),
            auditor.registers().err(),
            auditor.slots().err(),
            auditor.revoked_centres().err(),
            auditor.enrolment().err(),
        ]
    };
    let of_operator =
        || [olga.identify().err(), olga.status().err(), olga.clock().err(), olga.registers().err()];
    assert!(all(&anton).iter().chain(&of_operator()).all(Option::is_none));
    assert!(
        vault.users(By::One(&session)).is_ok() && vault.verify_audit(By::One(&session)).is_ok()
    );
    vault.remove_user(&by, &value("anton")).unwrap();
    vault.set_passphrase(&by, &value("olga"), &secret("another")).unwrap();
    let ended = |fault: &Option<ModuleFault>| matches!(fault, Some(ModuleFault::Closed { .. }));
    assert!(all(&anton).iter().all(ended) && of_operator().iter().all(ended));
    let ended_session = VaultError::Access(AccessError::Ended);
    assert_eq!(vault.users(By::One(&session)), Err(ended_session.clone()));
    let refused = Err(AuditError::Vault(ended_session));
    assert_eq!(vault.audit(By::One(&session), 1, 1).map(drop), refused);
    assert_eq!(vault.verify_audit(By::One(&session)).map(drop), refused);
    assert!(all(&reader).iter().all(Option::is_none));
    vault.set_passphrase(&by, &value("alice"), &secret("another")).unwrap();
    assert!(all(&reader).iter().all(ended));
}
