//! After a module is locked or closed, none of its secrets is left in the memory of its process: vending
//! keys, keys of slots, private keys, master keys, passphrases. Nor is any of the centre that gave it keys.
//!
//! The test looks at its own memory through `/proc`, so it runs on Linux only, and alone in its program. It
//! knows secrets only masked. What it makes up itself (passphrases, vending keys) it makes anew each time.
#![cfg(target_os = "linux")]

mod proof_secrets;

use std::thread;

use prepay_host::SystemEntropy;
use prepay_module::software::{ModulePolicy, SoftwareModule, TestMode, TidReuse};
use prepay_module::{IssueRequest, SecurityModule};
use prepay_testkit::ceremony::{People, TestCentre, make_module, value};
use prepay_testkit::documents::{AnswerText, document};
use prepay_testkit::secrets::{Secrets, Watched};
use prepay_vault::{Unlock, scrub_stack};

use proof_secrets::{
    add_made_up, add_slot_keys, credit, import, item, key_change, passphrase, place,
};

/// How many vending keys: many, so that lists of them get places of their own in memory.
const KEYS: u8 = 24;

/// Tokens from several threads, in batches and single, and a key change.
fn issue(people: &People) {
    thread::scope(|scope| {
        for count in 0..4 {
            scope.spawn(move || {
                for register in 1..=3 {
                    let request = credit(register, count);
                    people.operator.issue_token(request).unwrap();
                    let batch = [IssueRequest::Token(request); 20];
                    people.operator.issue(&batch).unwrap();
                }
            });
        }
    });
    people.operator.issue_key_change(key_change()).unwrap();
}

fn found(secrets: &Secrets) -> Vec<String> {
    scrub_stack();
    secrets.found_in_memory()
}

#[test]
fn a_locked_or_closed_module_leaves_no_secret_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let [path, of_centre] = ["module", "centre"].map(|name| directory.path().join(name));
    let module_entropy = Watched::new("of the module", SystemEntropy);
    let centre_entropy = Watched::new("of the centre", SystemEntropy);
    let mut secrets = Secrets::default();
    let names = ["vault", "alice", "bob", "olga", "anton", "back-up 1", "back-up 2"];
    add_made_up(&mut secrets, &names, KEYS);
    assert_eq!(found(&secrets), [""; 0], "what is made up leaves nothing");

    // Everything from the first key to the first tokens, and a module that is closed.
    let policy = ModulePolicy {
        window_minutes: None,
        tid_reuse: TidReuse::Allow,
        ..ModulePolicy::default()
    };
    let test = TestMode::default();
    let module = make_module("SM-1", place(&path, &module_entropy), policy, test, &passphrase);
    let people = People::of(&module, &passphrase);
    let centre = TestCentre::make(place(&of_centre, &centre_entropy), &passphrase);
    let texts = centre.join(&people);
    import(&centre, 1..=KEYS);
    // From the disk: unsealing and decoding are where copies are left most easily.
    centre.close();
    let centre = TestCentre::open(place(&of_centre, &centre_entropy), &passphrase).unwrap();
    centre.load(&people, (1..=KEYS).map(item).collect(), None);
    issue(&people);
    add_slot_keys(&mut secrets, &centre_entropy.given(), &people, &texts[2], |_, _| {});
    secrets.add_all(module_entropy.given());
    secrets.add_all(centre_entropy.given());
    let open = found(&secrets);
    for name in ["vending key 1", "key encryption key of a slot", "of the module", "of the centre"]
    {
        let is_found = open.iter().any(|found| found.contains(name));
        assert!(is_found, "an open module holds {name}, and the search finds it: {open:?}");
    }
    module.vault().close().unwrap();
    drop((people, module));
    let open = found(&secrets);
    assert!(
        open.iter().any(|found| found.starts_with("vending key 1")),
        "an open centre: {open:?}"
    );
    centre.close();
    assert_eq!(found(&secrets), [""; 0], "a closed module and a closed centre");

    // Once more from the disk: another agreement, more keys, a back-up, and a module that is locked.
    let vault = passphrase("vault");
    let module =
        SoftwareModule::open(place(&path, &module_entropy), Unlock::Passphrase(&vault)).unwrap();
    drop(vault);
    let people = People::of(&module, &passphrase);
    let centre = TestCentre::open(place(&of_centre, &centre_entropy), &passphrase).unwrap();
    let custodians = &people.custodians;
    let request = custodians.request_agreement(&value(TestCentre::NAME)).unwrap();
    let confirmation = centre.centre_module().agree_to(&request).unwrap().confirmation;
    custodians.accept_confirmation(&document(&confirmation)).unwrap();
    centre.load(&people, (1..=KEYS).map(item).collect(), None);
    issue(&people);
    let [one, other] = ["back-up 1", "back-up 2"].map(passphrase);
    module.vault().backup(&people.quorum, [&one, &other]).unwrap();
    drop((one, other));
    custodians.delete_key(2.try_into().unwrap()).unwrap();
    add_slot_keys(&mut secrets, &centre_entropy.given(), &people, &request, |_, _| {});
    secrets.add_all(module_entropy.given());
    secrets.add_all(centre_entropy.given());
    centre.close();
    let open = found(&secrets);
    assert!(open.iter().any(|found| found.starts_with("vending key 1")), "{open:?}");
    module.vault().lock();
    println!("{} secrets; while the module was open: {open:#?}", secrets.count());
    assert_eq!(found(&secrets), [""; 0], "a locked module, with every handle still there");
    drop((people, module));
    assert_eq!(found(&secrets), [""; 0]);
}
