//! A clock that is put back revives no expired key.

use std::sync::Arc;

use super::kit::*;
use prepay_basics::{Clock, Identifier};
use prepay_module::software::{ModulePolicy, NewModule, SoftwareModule};
use prepay_module::{IssueRequest, ModuleFault, SecurityModule};
use prepay_vault::{KeyFile, NewUser, Place, Unlock};

#[test]
fn a_module_whose_clock_is_days_behind_issues_nothing() {
    let clock = SetClock::at(moment(START));
    let place = Place {
        storage: Box::new(Arc::new(std::sync::Mutex::new(MortalStorage::default()))),
        entropy: Box::new(Foreseeable::new(5)),
        clock: Box::new(clock.clone()),
    };
    let people = PEOPLE.map(|(name, role)| (value::<Identifier>(name), role, passphrase(name)));
    let users =
        people.each_ref().map(|(name, role, passphrase)| NewUser { name, role: *role, passphrase });
    let file = KeyFile::generate(&mut Foreseeable::new(6)).expect("a key file");
    let (unlock, policy) = (Unlock::KeyFile(&file), ModulePolicy::default());
    let new = NewModule { module: value("SM-1"), unlock, users: &users, policy };
    let module = SoftwareModule::create(place, new).expect("a module");
    clock.advance_days(10);
    let session = module.vault().sign_in(&value("olga"), &passphrase("olga")).expect("a session");
    let operator = module.operator(&session).expect("an operator");
    let request = IssueRequest::KeyChange(key_change(1, 2));
    // No key is loaded, so that a request is refused in the ordinary way as long as the clock is right.
    assert!(operator.issue(&[request]).expect("an answer")[0].is_err());
    let latest = clock.now();
    clock.set(moment(START));
    let fault = operator.issue(&[request]).expect_err("the clock is behind");
    assert_eq!(fault.code(), "clock_behind");
    let ModuleFault::Clock { problem } = fault else { panic!("{fault:?}") };
    assert!(problem.contains(&latest.to_string()), "{problem}");
    assert_eq!(operator.status().expect("reading goes on").transactions, 0);
}
