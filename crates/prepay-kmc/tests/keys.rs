//! Vending keys are rolled, refreshed, revoked and retired; groups are renamed and transferred.

mod common;

use common::{
    Bench, GROUP, KEY, customer, document, fingerprint, moment, new_key, revisions, terms,
};
use prepay_kmc::centre::{
    Centre, CommandError, Decision, ExpiryKind, KeyTerms, NewAuthorisation, NewKey,
    RETIRES_AFTER_SECONDS,
};
use prepay_kmc::entity::{
    Action, Authorisation, FormRecord, KeyState, Line, ModuleRecord, Ownership, SupplyGroup,
    VendingKeyRecord,
};
use prepay_kmc::form::{FormKind, FormState};
use prepay_kmc::store::{CentreStore, Filter, MemoryStore, PAGE, RowKey};
use prepay_kmc_module::Authority;
use prepay_kmp::attribute::SubClassSet;
use prepay_token::element::KeyRevisionNumber;

fn revision(number: u8) -> KeyRevisionNumber {
    number.try_into().unwrap()
}

#[test]
fn revisions_roll_from_nine_to_one_and_never_onto_an_existing_key() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let group = new_key().group;
    for expected in 2..=9 {
        let key = centre.request_key(&new_key()).unwrap();
        assert_eq!((key.id.revision.value(), key.id.generation), (expected, expected.into()));
    }
    assert_eq!(
        revisions(&centre.rows(VendingKeyRecord::of_group(group)).unwrap()),
        [1, 2, 3, 4, 5, 6, 7, 8, 9]
    );
    let first = centre.vending_key_of(group, revision(1)).unwrap().row;
    let refused = centre.request_key(&new_key());
    let in_use = |state| CommandError::RevisionInUse { key: first.id, state };
    assert_eq!(refused, Err(in_use(KeyState::Live)));
    centre.revoke_key(first.id).unwrap();
    assert_eq!(centre.request_key(&new_key()), Err(in_use(KeyState::Revoked)));
    centre.retire_key(first.id).unwrap();
    assert_eq!(centre.request_key(&new_key()), Err(in_use(KeyState::Retiring)));
    bench.clock.advance(RETIRES_AFTER_SECONDS);
    assert_eq!(centre.wipe_retired_keys().unwrap()[0].id, first.id);
    bench.clock.set(common::today());
    let key = centre.request_key(&new_key()).unwrap();
    assert_eq!((key.id.revision.value(), key.id.generation), (1, 10));
    assert_ne!(key.check_value, first.check_value, "another key under the same revision");
    assert_eq!(centre.vending_key_of(group, revision(1)).unwrap().row, key);
    assert_eq!(centre.orphans().unwrap(), []);
}

#[test]
fn a_first_key_may_have_any_revision_and_later_ones_only_the_next() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    bench.accepted(&mut centre, FormKind::GroupApplication, &GROUP[..5]);
    let group = "000001".parse().unwrap();
    let with = |krn| NewKey { group, revision: Some(revision(krn)), ..new_key() };
    assert_eq!(centre.request_key(&with(6)).unwrap().id.revision.value(), 6);
    for krn in [6, 8, 1] {
        let expected =
            CommandError::Revision { group, expected: revision(7), found: revision(krn) };
        assert_eq!(centre.request_key(&with(krn)), Err(expected));
    }
    assert_eq!(centre.request_key(&with(7)).unwrap().id.revision.value(), 7);
    bench.module.make_test_centre();
    assert_eq!(centre.request_key(&with(2)).unwrap().id.revision.value(), 2);
    assert_eq!(centre.request_key(&with(7)).unwrap_err().code(), "revision_in_use");
}

#[test]
fn a_key_is_revoked_once_and_retired_once() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let id = centre.newest_key(new_key().group).unwrap().unwrap().id;
    centre.revoke_key(id).unwrap();
    assert_eq!(centre.revoke_key(id).unwrap_err().code(), "key_state");
    assert_eq!(centre.refresh_key(id, terms()).unwrap_err().code(), "key_state");
    centre.retire_key(id).unwrap();
    bench.clock.advance(RETIRES_AFTER_SECONDS);
    centre.finish().unwrap();
    assert_eq!(centre.retire_key(id).unwrap_err().code(), "ended");
    assert_eq!(centre.unretire_key(id).unwrap_err().code(), "ended");
    assert_eq!(centre.finish_key(id).unwrap_err().code(), "key_state");
    assert_eq!(bench.module.made(), 1);
}

#[test]
fn only_a_revoked_key_is_retired_and_for_a_day_that_can_be_taken_back() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let id = centre.newest_key(new_key().group).unwrap().unwrap().id;
    let state = |centre: &Centre<'_, MemoryStore>| {
        centre.row::<VendingKeyRecord>(&id).map(|found| found.row.state).unwrap()
    };
    // A live key is not retired, whoever asks.
    assert_eq!(centre.retire_key(id).unwrap_err().code(), "key_state");
    assert_eq!(centre.unretire_key(id).unwrap_err().code(), "key_state");
    assert_eq!(state(&centre), KeyState::Live);
    centre.revoke_key(id).unwrap();
    assert_eq!(centre.unretire_key(id).unwrap_err().code(), "key_state");
    let retired = centre.retire_key(id).unwrap();
    let at = common::today().plus_seconds(RETIRES_AFTER_SECONDS);
    assert_eq!((retired.state, retired.ended), (KeyState::Retiring, Some(at)));
    assert_eq!(centre.retire_key(id).unwrap_err().code(), "key_state", "once is enough");
    // A second before its time the key is there, and can be taken back.
    bench.clock.advance(RETIRES_AFTER_SECONDS - 1);
    assert_eq!(centre.wipe_retired_keys().unwrap(), []);
    assert_eq!(centre.unretire_key(id).unwrap().state, KeyState::Revoked);
    bench.clock.advance(RETIRES_AFTER_SECONDS);
    assert_eq!(centre.wipe_retired_keys().unwrap(), [], "it is not retired any more");
    assert_eq!(centre.orphans().unwrap(), []);
    // At its time it is too late to take it back, whether the module has wiped it or not.
    centre.retire_key(id).unwrap();
    bench.clock.advance(RETIRES_AFTER_SECONDS);
    assert_eq!(centre.unretire_key(id).unwrap_err().code(), "ended");
    bench.module.act_as(Authority::Operating);
    assert_eq!(centre.wipe_retired_keys().unwrap_err().code(), "forbidden");
    assert_eq!(state(&centre), KeyState::Retiring);
    bench.module.act_as(Authority::DualControl);
    assert_eq!(centre.wipe_retired_keys().unwrap()[0].state, KeyState::Retired);
    assert_eq!(state(&centre), KeyState::Retired);
    assert_eq!(centre.orphans().unwrap(), []);
}

#[test]
fn terms_that_contradict_each_other_are_refused() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let id = centre.newest_key(new_key().group).unwrap().unwrap().id;
    for (terms, fits) in [
        (KeyTerms { refresh_days: 0, ..terms() }, false),
        (KeyTerms { refresh_days: 1, ..terms() }, true),
        (KeyTerms { refresh_days: 36_500, ..terms() }, true),
        (KeyTerms { refresh_days: 36_501, ..terms() }, false),
        (KeyTerms { expires: common::today(), ..terms() }, false),
        (KeyTerms { expires: common::today().plus_seconds(1), ..terms() }, true),
    ] {
        let answer = centre.refresh_key(id, terms).map(|key| key.terms());
        let expected = if fits { Ok(terms) } else { answer.clone() };
        assert_eq!(answer, expected);
        assert_eq!(answer.is_ok(), fits, "{terms:?}");
    }
}

#[test]
fn a_key_made_by_hand_obeys_the_same_dates_as_one_of_a_form() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    // 2014-02-15 12:15 is the last minute of KEN 0.
    for (activation, expiry, fits) in [
        ("2014-02-15T12:15:00Z", 0, true),
        ("2014-02-15T12:16:00Z", 0, false),
        ("2014-02-15T12:16:00Z", 1, true),
        ("2013-12-31T23:59:00Z", 255, false),
    ] {
        let activation = moment(activation);
        let new = NewKey { activation, expiry: expiry.into(), ..new_key() };
        let before = centre.rows::<VendingKeyRecord>(Filter::all()).unwrap();
        let made = centre.request_key(&new);
        assert_eq!(made.is_ok(), fits, "{activation} {expiry}: {made:?}");
        if let Err(error) = made {
            assert!(matches!(error, CommandError::Value { what: "ACT" | "KEN", .. }), "{error}");
            assert_eq!(centre.rows::<VendingKeyRecord>(Filter::all()).unwrap(), before);
        }
    }
}

#[test]
fn keys_of_a_default_group_issue_no_credit() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let values = [("customer", "1"), ("name", "Plant"), ("area", "Plant"), ("service", "water")];
    bench.accepted(&mut centre, FormKind::DefaultGroup, &values);
    let group = "000001".parse().unwrap();
    let key = centre.request_key(&NewKey { group, ..new_key() }).unwrap();
    assert_eq!(key.key_type.key_type().vending_key_name(), Some("VDDK"));
    assert_eq!(key.sub_classes, SubClassSet::NONE);
}

#[test]
fn renamed_and_transferred_groups_keep_their_history() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let group = new_key().group;
    let values = [("customer", "1"), ("group", "000123"), ("name", "New town")];
    bench.accepted(&mut centre, FormKind::GroupNameChange, &values);
    assert_eq!(centre.row::<SupplyGroup>(&group).unwrap().row.name.as_str(), "New town");
    let values = [("customer", "1"), ("group", "000123"), ("new_owner", "2")];
    let number = bench.accepted(&mut centre, FormKind::OwnershipTransfer, &values);
    assert_eq!(centre.row::<SupplyGroup>(&group).unwrap().row.owner, customer(2));
    let owners = centre.rows(Ownership::of_group(group)).unwrap();
    let seen: Vec<_> = owners.iter().map(|owner| (owner.sequence, owner.owner.value())).collect();
    assert_eq!(seen, [(1, 1), (2, 2)]);
    assert_eq!(owners[1].form, Some(number));
    // The former owner can no longer do anything with it.
    for (kind, values) in [
        (FormKind::VendingKeyRequest, KEY),
        (FormKind::KeyUseAuthorisation, common::AUTHORISATION),
        (FormKind::OwnershipTransfer, &values),
        (FormKind::GroupNameChange, &[("customer", "1"), ("group", "000123"), ("name", "X")]),
    ] {
        let number =
            centre.receive_form(&bench.sign(&bench.anna, kind, values)).unwrap_or_else(|_| {
                // The same transfer was already received: another remark makes it another form.
                let mut values = values.to_vec();
                values.push(("remark", "again"));
                centre.receive_form(&bench.sign(&bench.anna, kind, &values)).unwrap()
            });
        let refused = centre.accept_form(number, &Decision::default()).unwrap_err();
        assert_eq!(refused.code(), "not_owner", "{kind}");
        assert_eq!(centre.row::<FormRecord>(&number).unwrap().row.state, FormState::Received);
        let reason: Line = "not the owner".parse().unwrap();
        let form = centre.refuse_form(number, &reason).unwrap();
        assert_eq!(form.steps.last().unwrap().note, reason);
    }
}

#[test]
fn the_lowest_free_code_is_allocated_first() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    bench.accepted(&mut centre, FormKind::GroupApplication, &GROUP[..5]);
    let taken = bench.sign(&bench.anna, FormKind::GroupApplication, &{
        let mut values = GROUP.to_vec();
        values.push(("remark", "again"));
        values
    });
    let number = centre.receive_form(&taken).unwrap();
    let refused = centre.accept_form(number, &Decision::default()).unwrap_err();
    assert_eq!(refused.code(), "group_taken");
    let decision = Decision { group: Some("000002".parse().unwrap()), ..Decision::default() };
    centre.accept_form(number, &decision).unwrap();
    let codes: Vec<_> = centre
        .rows::<SupplyGroup>(Filter::all())
        .unwrap()
        .iter()
        .map(|group| group.code.value())
        .collect();
    assert_eq!(codes, [1, 2, 123]);
}

#[test]
fn without_authority_nothing_changes() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let id = centre.newest_key(new_key().group).unwrap().unwrap().id;
    let before = centre.store().journal(0, PAGE).unwrap();
    bench.module.act_as(Authority::Reading);
    let name = "anna".parse().unwrap();
    let grant = NewAuthorisation {
        group: id.group,
        module: "SM-1".parse().unwrap(),
        module_fingerprint: None,
        granted_by: "anna".parse().unwrap(),
        valid_until: moment("2027-01-01T00:00:00Z"),
        location: Line::default(),
    };
    for answer in [
        centre.request_key(&new_key()).map(drop),
        centre.refresh_key(id, terms()).map(drop),
        centre.revoke_key(id),
        centre.retire_key(id).map(drop),
        centre.unretire_key(id).map(drop),
        centre.transfer_group(id.group, customer(2)),
        centre.rename_group(id.group, "X".parse().unwrap()),
        centre.grant(grant.clone()).map(drop),
        centre.revoke_signatory(&name),
        centre.register_signatory(customer(1), bench.anna.key(), ""),
        centre.enrol_module(&document("enrol:SM-2"), &fingerprint("SM-2")).map(drop),
        centre.revoke_module(&"SM-1".parse().unwrap()),
        centre.revoke_authorisation("1".parse().unwrap()),
        centre.change_contact(customer(1), Line::default(), Line::default()),
        centre.answer_agreement(&document("agree:SM-1:1")).map(drop),
        centre
            .answer_key_load(
                &document("load:SM-1:1:AA"),
                &prepay_kmc::centre::LoadOptions::default(),
            )
            .map(drop),
        centre.set_up(),
        centre.renew_keys(10).map(drop),
        centre.receive_form(&bench.sign(&bench.anna, FormKind::VendingKeyRequest, KEY)).map(drop),
    ] {
        assert_eq!(answer.unwrap_err().code(), "forbidden");
    }
    assert_eq!(centre.store().journal(0, PAGE).unwrap(), before);
    bench.module.act_as(Authority::Operating);
    assert_eq!(centre.grant(grant.clone()).unwrap_err().code(), "forbidden");
    assert_eq!(centre.renew_keys(10).unwrap_err().code(), "forbidden");
    centre.revoke_key(id).unwrap();
    bench.module.act_as(Authority::DualControl);
    centre.grant(grant.clone()).unwrap();
    let past = NewAuthorisation { valid_until: common::today(), ..grant };
    assert_eq!(centre.grant(past).unwrap_err().code(), "value_range");
}

#[test]
fn renewing_the_centres_keys_is_journalled_and_keeps_every_row() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let options = prepay_kmc::centre::LoadOptions::default();
    let rows = |centre: &Centre<'_, MemoryStore>| {
        let keys = centre.rows::<VendingKeyRecord>(Filter::all()).unwrap();
        (
            keys,
            centre.rows::<ModuleRecord>(Filter::all()).unwrap(),
            centre.rows::<Authorisation>(Filter::all()).unwrap(),
        )
    };
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, common::AUTHORISATION);
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    centre.answer_key_load(&document("load:SM-1:1:AA"), &options).unwrap();
    let before = rows(&centre);
    let identity = centre.renew_keys(10).unwrap();
    assert_eq!(identity.expires, common::today().plus_days(10));
    let entry = centre.store().journal(0, PAGE).unwrap().pop().unwrap();
    assert_eq!((entry.action.code(), entry.subject.as_str()), ("centre_renewed", "centre KMC-1"));
    assert_eq!(
        (entry.note.as_str(), entry.actor.as_str()),
        (&*identity.fingerprint, "carl + dora")
    );
    assert!(rows(&centre) == before);
    // The agreements of slots are gone until they are renewed.
    let refused = centre.answer_key_load(&document("load:SM-1:1:BB"), &options).unwrap_err();
    assert_eq!(refused.code(), "no_slot");
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    let load = centre.answer_key_load(&document("load:SM-1:1:BB"), &options).unwrap();
    assert_eq!(load.load.serial, 2);
}

#[test]
fn only_two_custodians_finish_interrupted_commands() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let form = bench.sign(&bench.anna, FormKind::VendingKeyRequest, KEY);
    let number = centre.receive_form(&form).unwrap();
    bench.module.fail(true);
    centre.accept_form(number, &Decision::default()).unwrap_err();
    bench.module.fail(false);
    let key = centre.newest_key(new_key().group).unwrap().unwrap().id;
    for key_is_made in [false, true] {
        if key_is_made {
            // Only rows are left to write now.
            centre.finish_key(key).unwrap();
        }
        let before = centre.store().journal(0, PAGE).unwrap();
        for authority in [Authority::Reading, Authority::Operating] {
            bench.module.act_as(authority);
            assert_eq!(centre.finish().unwrap_err().code(), "forbidden", "{authority:?}");
            assert_eq!(centre.finish_form(number).unwrap_err().code(), "forbidden");
            if !key_is_made {
                assert_eq!(centre.finish_key(key).unwrap_err().code(), "forbidden");
            }
        }
        bench.module.act_as(Authority::DualControl);
        assert_eq!(centre.store().journal(0, PAGE).unwrap(), before);
        assert_eq!(centre.row::<FormRecord>(&number).unwrap().row.state, FormState::Accepted);
    }
    assert_eq!(centre.finish().unwrap(), [RowKey::Form(number)]);
    // Nothing is left to do, so anyone may call it.
    bench.module.act_as(Authority::Reading);
    assert_eq!(centre.finish().unwrap(), []);
    assert_eq!(centre.finish_form(number).unwrap().state, FormState::Done);
    assert_eq!(centre.finish_key(key).unwrap().id, key);
}

#[test]
fn reports_show_what_modules_hold_and_what_expires() {
    let bench = Bench::new();
    let mut centre = bench.furnished();
    let ending = NewKey { expiry: 100.into(), ..new_key() };
    let second = centre.request_key(&ending).unwrap();
    bench.accepted(&mut centre, FormKind::KeyUseAuthorisation, common::AUTHORISATION);
    centre.answer_agreement(&document("agree:SM-1:1")).unwrap();
    let options = prepay_kmc::centre::LoadOptions::default();
    centre.answer_key_load(&document("load:SM-1:1:AA"), &options).unwrap();
    bench.clock.advance_days(10);
    centre.answer_key_load(&document("load:SM-1:1:BB"), &options).unwrap();
    bench.clock.advance_days(91);
    let holdings = centre.holdings(None).unwrap();
    assert_eq!(holdings.len(), 2);
    assert_eq!((holdings[0].serial, holdings[0].since), (2, common::today()));
    assert!(!holdings[0].is_fresh, "the refresh period is over");
    centre.answer_key_load(&document("load:SM-1:1:CC"), &options).unwrap();
    assert!(centre.holdings(Some(&"SM-1".parse().unwrap())).unwrap()[0].is_fresh);

    // KEN 100 under base date 2014: 101 blocks of 65 536 minutes, less one second.
    assert_eq!(second.last_use(), Some(moment("2026-08-02T14:55:59Z")));
    let ends = centre.expiries(moment("2026-12-31T00:00:00Z")).unwrap();
    let kinds: Vec<_> = ends.iter().map(|end| end.kind).collect();
    assert_eq!(kinds, [ExpiryKind::KeyUse, ExpiryKind::Load, ExpiryKind::Load]);
    let all = centre.expiries(moment("2099-01-01T00:00:00Z")).unwrap();
    assert!(all.is_sorted_by_key(|end| end.at));
    for kind in ExpiryKind::ALL {
        assert!(all.iter().any(|end| end.kind == *kind), "{kind}");
    }
    let journal = centre.store().journal(0, PAGE).unwrap();
    assert_eq!(journal[0].action, Action::CentreCreated);
    assert_eq!(journal[0].actor.as_str(), "carl + dora");
}
