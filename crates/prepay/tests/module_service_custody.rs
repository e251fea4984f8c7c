//! Two custodians at a service: what they may do, who else may not, and what operators notice of it.

mod module_kit;

use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use module_kit::service::{Connection, Running, credit, secret, workplace};
use module_kit::{Centre, PAIR, PEOPLE, Workplace};
use prepay_token::element::BaseDate;
use serde_json::{Value, json};

/// Two custodians on a connection of their own.
fn custodians(service: &Running) -> Connection {
    let mut connection = service.signed_in("ann");
    assert_eq!(connection.sign_in("bob", secret("bob"))["dual_control"], true);
    connection
}

/// Sends a text in parts.
fn send(connection: &mut Connection, text: &str) {
    let mut sent = 0;
    for part in text.as_bytes().chunks(300) {
        sent += part.len();
        let part = str::from_utf8(part).unwrap();
        assert_eq!(connection.ask(&json!({"op": "document", "text": part}))["bytes"], sent);
    }
}

/// Credit by the minute, which needs the base date of the key.
fn credit_at(id: u64, minute: &str) -> Value {
    let mut line = credit(id);
    let fields = line.as_object_mut().unwrap();
    fields.remove("tid");
    fields.insert("issued_at".to_owned(), minute.into());
    line
}

/// What a command that has to succeed at the service answers.
fn at_service(workplace: &Workplace, arguments: &str) -> Value {
    let output = workplace.service_command(&format!("--json {arguments}")).output().unwrap();
    workplace.keep(&output);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(output.status.success(), "{arguments}: {answer}");
    answer
}

/// Runs a command at a copy of the module and at the service of the module, and compares what they print.
fn same(workplace: &Workplace, status: i32, arguments: &str) {
    let at_copy = workplace.run(&format!("{arguments} --dir {{copy}}"));
    let at_service = workplace.service_command(arguments).output().unwrap();
    workplace.keep(&at_service);
    let printed = [&at_copy, &at_service].map(|output| {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    });
    assert_eq!(printed[0].0, Some(status), "{arguments}: {printed:?}");
    assert_eq!(printed[0], printed[1], "{arguments}");
}

#[test]
fn what_custodians_do_at_the_service_prints_and_does_what_it_does_at_the_module() {
    let workplace = Workplace::new("custody-same");
    workplace.init("--window none --transactions 1000");
    let centre = Centre::with_base_date("KMC-1", BaseDate::Y2014);
    workplace.join(&centre);
    workplace.succeed(&format!("request key-load --out {{file.vkr}} {PAIR}"));
    fs::write(workplace.path("file.vkl"), centre.key_load(&workplace.text("file.vkr"), Some(70)))
        .unwrap();
    let other = Centre::with_base_date("KMC-2", BaseDate::Y2014);
    fs::write(workplace.path("other.pke"), other.enrolment()).unwrap();
    let told = other.fingerprint().replace(' ', "~");
    let paths = ["module", "copy"].map(|name| workplace.path(name));
    assert!(Command::new("cp").arg("-a").args(paths).status().unwrap().success());
    let service = Running::start(&workplace, "");

    workplace.put_secret("max", "max-reads-the-numbers");
    workplace.put_secret("max.new", "max-reads-them-again");
    let add = format!("user add max --role auditor {PAIR}");
    same(&workplace, 0, &add);
    same(&workplace, 3, &add);
    same(&workplace, 3, &format!("--json {add}"));
    same(&workplace, 0, "user list --as olga");
    same(&workplace, 0, &format!("--json user list {PAIR}"));
    same(&workplace, 0, &format!("--json user passphrase max {PAIR}"));
    workplace.put_secret("max", "max-reads-them-again");
    workplace.put_secret("max.new", "max-reads-for-the-third-time");
    same(&workplace, 0, "user passphrase max");
    same(&workplace, 3, "user passphrase max");
    workplace.put_secret("max", "max-reads-for-the-third-time");
    workplace.put_secret("tim", "tim-is-nobody-here");
    workplace.put_secret("tim.new", "tim-is-nobody-anywhere");
    same(&workplace, 3, &format!("user passphrase tim {PAIR}"));
    same(&workplace, 0, &format!("user remove max --yes {PAIR}"));
    same(&workplace, 3, &format!("user remove max --yes {PAIR}"));
    same(&workplace, 3, &format!("user remove bob --yes {PAIR}"));
    same(&workplace, 3, "user remove olga --yes --as ann");

    same(&workplace, 0, &format!("clock accept {PAIR}"));
    same(&workplace, 0, &format!("refill 5 {PAIR}"));
    same(&workplace, 0, &format!("--json refill 5 {PAIR}"));
    same(&workplace, 0, &format!("refill {} {PAIR}", i64::MAX));
    same(&workplace, 3, &format!("refill {} {PAIR}", i64::MAX));
    same(&workplace, 2, &format!("refill {} {PAIR}", u64::MAX));
    same(&workplace, 2, &format!("refill 0 {PAIR}"));
    same(&workplace, 3, "refill 5 --as olga");

    same(&workplace, 0, "request enrolment --as uwe");
    same(&workplace, 0, "--json request enrolment --as uwe");
    same(&workplace, 2, &format!("load {{file.vkl}} {PAIR}"));
    same(&workplace, 2, &format!("load {{file.vkl}} --fingerprint 12 {PAIR}"));
    same(&workplace, 2, &format!("load {{nowhere}} {PAIR}"));
    same(&workplace, 3, &format!("load {{file.vkr}} {PAIR}"));
    same(&workplace, 3, "load {file.vkl} --yes --as ann");
    same(&workplace, 0, &format!("--json load {{file.vkl}} --yes {PAIR}"));
    same(&workplace, 3, &format!("load {{file.vkl}} --yes {PAIR}"));
    same(&workplace, 3, &format!("--json load {{file.vkl}} --yes {PAIR}"));
    same(&workplace, 0, &format!("load {{other.pke}} {PAIR}"));
    same(&workplace, 3, &format!("load {{other.pke}} --fingerprint 0000 {PAIR}"));
    same(&workplace, 2, &format!("request key-load {PAIR}"));
    same(&workplace, 3, &format!("request key-load --centre KMC-2 {PAIR}"));
    same(&workplace, 3, &format!("request agreement --centre KMC-3 {PAIR}"));
    same(&workplace, 0, "slots --as uwe");
    same(&workplace, 0, &format!("--json load {{other.pke}} --fingerprint {told} {PAIR}"));
    same(&workplace, 0, &format!("delete --register 2 --yes {PAIR}"));
    same(&workplace, 3, &format!("delete --register 2 --yes {PAIR}"));
    same(&workplace, 0, &format!("--json delete --register 1 --yes {PAIR}"));
    same(&workplace, 0, &format!("--json revoke --centre KMC-2 --yes {PAIR}"));
    same(&workplace, 3, &format!("revoke --centre KMC-2 --yes {PAIR}"));
    same(&workplace, 3, &format!("load {{other.pke}} {PAIR}"));
    same(&workplace, 0, "slots --as uwe");
    same(&workplace, 0, "--json slots --as olga");
    same(&workplace, 0, "registers --as olga");

    // A whole agreement and a key-load file by the service.
    let at_service = |arguments: &str| at_service(&workplace, arguments);
    let asked = at_service(&format!("request agreement --out {{new.kag}} {PAIR}"));
    assert_eq!((&asked["request"], &asked["centre"]), (&json!("agreement"), &json!("KMC-1")));
    fs::write(workplace.path("new.kac"), centre.answer_agreement(&workplace.text("new.kag")))
        .unwrap();
    assert_eq!(at_service(&format!("load {{new.kac}} {PAIR}"))["state"], "active");
    at_service(&format!("request key-load --out {{new.vkr}} {PAIR}"));
    fs::write(workplace.path("new.vkl"), centre.key_load(&workplace.text("new.vkr"), None))
        .unwrap();
    let loaded = at_service(&format!("load {{new.vkl}} --yes {PAIR}"));
    assert_eq!((&loaded["loaded"], &loaded["keys"][1]["register"]), (&json!("keys"), &json!(2)));
    // What works on the module itself says so.
    for arguments in ["seal", "witness show", "repair", "restore {new.vkl}"] {
        let output = workplace.service_command(&format!("--json {arguments}")).output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((output.status.code(), &answer["error"]["code"]), (Some(2), &json!("flag")));
    }
    let notes = service.end();
    for op in ["add_user", "set_passphrase", "remove_user", "refill", "load", "delete_key"] {
        assert!(notes.contains(&format!("custodian ann and bob: {op}\n")), "{op}: {notes}");
    }
    assert!(notes.contains("auditor max: change_passphrase\n"), "{notes}");
    workplace.succeed(&format!("audit verify {PAIR}"));
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn one_custodian_alone_the_same_one_twice_and_others_change_nothing() {
    let workplace = workplace("custody-two", None);
    let service = Running::start(&workplace, "");
    let entries =
        || service.signed_in("uwe").ask(&json!({"op": "status"}))["audit_entries"].clone();
    let changes = [
        json!({"op": "add_user", "name": "max", "role": "auditor", "new_passphrase": "max-max"}),
        json!({"op": "remove_user", "name": "olga"}),
        json!({"op": "set_passphrase", "name": "olga", "new_passphrase": "an-other-one"}),
        json!({"op": "accept_clock"}),
        json!({"op": "request_agreement", "centre": "KMC-1"}),
        json!({"op": "request_key_load", "centre": "KMC-1"}),
        json!({"op": "document", "text": "K;"}),
        json!({"op": "preview"}),
        json!({"op": "load"}),
        json!({"op": "delete_key", "register": 1}),
        json!({"op": "revoke_centre", "centre": "KMC-1"}),
        json!({"op": "refill", "transactions": 5}),
    ];
    for name in ["ann", "olga", "uwe"] {
        let mut connection = service.signed_in(name);
        let before = entries();
        for change in &changes {
            assert_eq!(connection.code(change), "custodians", "{name}: {change}");
        }
        if name == "ann" {
            assert_eq!(connection.sign_in("ann", secret("ann"))["error"]["code"], "custodians");
            let after = connection.sign_in("olga", secret("olga"));
            assert_eq!(after["error"]["code"], "custodians", "{after}");
            assert_eq!(connection.code(&changes[9]), "custodians");
        } else {
            let (before, after) = (before.as_u64().unwrap(), entries().as_u64().unwrap());
            assert_eq!(after, before + 1, "one more sign-in, that of the auditor who counts");
        }
    }
    let mut nobody = service.open();
    for change in changes.iter().chain(&[json!({"op": "users"}), json!({"op": "slots"})]) {
        assert_eq!(nobody.code(change), "not_signed_in", "{change}");
    }
    let mut both = custodians(&service);
    assert_eq!(both.ask(&json!({"op": "delete_key", "register": 1}))["deleted"], 1);
    service.end();
}

#[test]
fn the_sign_in_of_two_custodians_ends_when_they_ask_nothing() {
    let workplace = workplace("custody-idle", None);
    let service = Running::start(&workplace, "--idle 2");
    let mut both = custodians(&service);
    send(&mut both, &workplace.text("one.vkl"));
    thread::sleep(Duration::from_millis(2300));
    let delete = json!({"op": "delete_key", "register": 1});
    assert_eq!(both.code(&delete), "session_ended");
    assert_eq!(both.sign_in("ann", secret("ann"))["dual_control"], false);
    assert_eq!(both.code(&delete), "custodians", "one is not enough afterwards");
    assert_eq!(both.sign_in("bob", secret("bob"))["dual_control"], true);
    assert_eq!(both.code(&json!({"op": "load"})), "missing_field", "the text went with them");
    assert_eq!(both.ask(&delete)["deleted"], 1);
    service.end();
}

#[test]
fn a_key_load_file_is_loaded_only_as_it_was_shown() {
    let workplace = Workplace::new("custody-shown");
    workplace.init("--window none");
    let centre = Centre::with_base_date("KMC-1", BaseDate::Y2014);
    workplace.join(&centre);
    workplace.succeed(&format!("request key-load --out {{next.vkr}} {PAIR}"));
    let next = centre.key_load(&workplace.text("next.vkr"), Some(500));
    let service = Running::start(&workplace, "");
    let (mut both, mut others) = (custodians(&service), custodians(&service));
    let (preview, load) = (json!({"op": "preview"}), json!({"op": "load"}));
    for line in [&preview, &load] {
        assert_eq!(both.code(line), "missing_field", "{line}");
    }
    for (text, code) in [("no text of a centre", "form"), (&workplace.text("next.vkr"), "kind")] {
        send(&mut both, text);
        assert_eq!((both.code(&preview), both.code(&load)), (code.to_owned(), code.to_owned()));
    }
    let part = json!({"op": "document", "text": "x".repeat(60_000)});
    let last = (0..18).map(|_| both.ask(&part)).last().unwrap();
    assert_eq!(last["error"]["code"], "size", "{last}");
    // Not shown; shown on another connection; shown, and then another text; shown, and changed since.
    send(&mut both, &next);
    assert_eq!(both.code(&load), "not_confirmed");
    send(&mut others, &next);
    assert_eq!(others.ask(&preview)["keys"][0]["renewed"], true);
    assert_eq!(both.code(&load), "not_confirmed");
    let shown = both.ask(&preview);
    assert_eq!((&shown["loaded"], &shown["serial"]), (&Value::Null, &json!(2)), "{shown}");
    send(&mut both, &next);
    assert_eq!(both.code(&load), "not_confirmed");
    assert_eq!(both.ask(&preview), shown);
    assert_eq!(others.ask(&json!({"op": "delete_key", "register": 1}))["deleted"], 1);
    assert_eq!(both.code(&load), "not_confirmed");
    // Shown as it is now.
    let shown = both.ask(&preview);
    assert_eq!(shown["keys"][0]["renewed"], false, "{shown}");
    let loaded = both.ask(&load);
    assert_eq!((&loaded["loaded"], &loaded["keys"]), (&json!("keys"), &shown["keys"]));
    assert_eq!(both.code(&preview), "request_used");
    service.end();
}

#[test]
fn operators_issue_with_the_keys_that_the_module_has_now() {
    let workplace = workplace("custody-keys", None);
    let centre = Centre::with_base_date("KMC-2", BaseDate::Y2035);
    let service = Running::start(&workplace, "");
    let mut operator = service.signed_in("olga");
    let (early, late) = ("2026-03-01T13:55Z", "2036-03-01T13:55Z");
    let days_2014_to_2026 = 12 * 365 + 3 + 59;
    assert_eq!(operator.ask(&credit_at(1, early))["tid"], days_2014_to_2026 * 1440 + 835);
    for register in [1, 2] {
        at_service(&workplace, &format!("delete --register {register} --yes {PAIR}"));
    }
    assert_eq!(operator.code(&credit_at(2, early)), "register");
    at_service(&workplace, "request enrolment --as uwe --out {two.pke}");
    centre.accept(&workplace.text("two.pke"));
    fs::write(workplace.path("centre-2.pke"), centre.enrolment()).unwrap();
    let told = centre.fingerprint().replace(' ', "~");
    at_service(&workplace, &format!("load {{centre-2.pke}} --fingerprint {told} {PAIR}"));
    at_service(&workplace, &format!("request agreement --centre KMC-2 --out {{two.kag}} {PAIR}"));
    fs::write(workplace.path("two.kac"), centre.answer_agreement(&workplace.text("two.kag")))
        .unwrap();
    at_service(&workplace, &format!("load {{two.kac}} {PAIR}"));
    at_service(&workplace, &format!("request key-load --centre KMC-2 --out {{two.vkr}} {PAIR}"));
    fs::write(workplace.path("two.vkl"), centre.key_load(&workplace.text("two.vkr"), None))
        .unwrap();
    at_service(&workplace, &format!("load {{two.vkl}} --yes {PAIR}"));
    // The same register has a key with another base date now: no identifier counts from the old one.
    assert_eq!(operator.code(&credit_at(3, early)), "parameter");
    assert_eq!(operator.ask(&credit_at(4, late))["tid"], (365 + 60) * 1440 + 835);
    service.end();
}

#[test]
fn tokens_are_issued_while_custodians_change_people_and_keys() {
    let workplace = Workplace::new("custody-beside");
    workplace.init("--window none");
    let centre = Centre::with_base_date("KMC-1", BaseDate::Y2014);
    workplace.join(&centre);
    workplace.succeed(&format!("request key-load --out {{next.vkr}} {PAIR}"));
    let next = centre.key_load(&workplace.text("next.vkr"), None);
    let service = Running::start(&workplace, "");
    let mut operator = service.signed_in("olga");
    let mut both = custodians(&service);
    let ida = json!({"op": "add_user", "name": "ida", "role": "operator",
        "new_passphrase": "ida-issues-too"});
    assert_eq!(both.ask(&ida)["name"], "ida");
    let mut second = service.open();
    assert_eq!(second.sign_in("ida", "ida-issues-too")["role"], "operator");
    assert_eq!(second.ask(&credit(1_000_000))["id"], 1_000_000);
    let (is_over, issued) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        scope.spawn(|| {
            let begun = Instant::now(); // A test that fails ends too.
            while !is_over.load(Ordering::Relaxed) && begun.elapsed() < Duration::from_secs(90) {
                let answer = operator.ask(&credit(issued.load(Ordering::Relaxed)));
                assert!(answer["number"].is_string(), "{answer}");
                issued.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut change = |change: &Value| {
            let before = issued.load(Ordering::Relaxed);
            let answer = both.ask(change);
            assert!(answer["error"].is_null(), "{change}: {answer}");
            let begun = Instant::now();
            while issued.load(Ordering::Relaxed) == before {
                assert!(begun.elapsed() < Duration::from_secs(60), "no token after {change}");
                thread::yield_now();
            }
        };
        for round in 0..5 {
            let name = format!("max-{round}");
            change(&json!({"op": "add_user", "name": name, "role": "auditor",
                "new_passphrase": "one"}));
            change(&json!({"op": "set_passphrase", "name": name, "new_passphrase": "two"}));
            change(&json!({"op": "remove_user", "name": name}));
        }
        change(&json!({"op": "document", "text": next}));
        change(&json!({"op": "preview"}));
        change(&json!({"op": "load"}));
        is_over.store(true, Ordering::Relaxed);
    });
    // Whoever is removed, or has a new passphrase, is signed out at once; the connection stays.
    assert_eq!(both.ask(&json!({"op": "remove_user", "name": "ida"}))["name"], "ida");
    for line in [credit(1_000_001), json!({"op": "status"}), json!({"op": "slots"})] {
        assert_eq!(second.code(&line), "not_signed_in", "{line}");
    }
    second.ask(&json!({"op": "sign_out"}));
    assert_eq!(second.sign_in("uwe", secret("uwe"))["role"], "auditor");
    let own = json!({"op": "change_passphrase", "passphrase": "wrong", "new_passphrase": "new"});
    assert_eq!(second.code(&own), "sign_in");
    let own = json!({"op": "change_passphrase", "passphrase": secret("uwe"),
        "new_passphrase": "uwe-reads-on"});
    assert_eq!(second.ask(&own)["name"], "uwe");
    assert_eq!(second.code(&json!({"op": "status"})), "not_signed_in");
    service.end();
}

#[test]
fn at_the_service_of_a_module_for_use_the_secrets_of_both_custodians_lie_apart() {
    let workplace = Workplace::new("custody-apart");
    // The first start, with both secrets in one directory, makes nothing and opens nothing.
    let init = format!("init --id SM-2 {PEOPLE}");
    assert_eq!(workplace.refused(3, &init), "secrets_together");
    let apart = workplace.keep_bob_apart();
    workplace.succeed(&format!("{init} {apart}"));
    let move_bob = |from: &str, to: &str| {
        fs::rename(workplace.path(from).join("bob"), workplace.path(to).join("bob")).unwrap();
    };
    move_bob("of-bob", "secrets");
    assert_eq!(workplace.refused(3, "serve --socket {socket}"), "secrets_together");
    move_bob("secrets", "of-bob");
    let service = Running::start(&workplace, apart);
    let code = |arguments: &str| {
        let output = workplace.service_command(&format!("--json {arguments}")).output().unwrap();
        workplace.keep(&output);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        answer["error"]["code"].as_str().unwrap_or("done").to_owned()
    };
    for name in ["eve", "eve.new"] {
        workplace.put_secret(name, "eve-comes-later-to-help");
    }
    let add = |role: &str| format!("user add eve --role {role} {PAIR} {apart}");
    assert_eq!(code(&add("custodian")), "secrets_together");
    assert_eq!(code(&add("auditor")), "done");
    assert_eq!(code(&format!("user passphrase eve {PAIR} {apart}")), "done");
    assert_eq!(code(&format!("user remove eve --yes {PAIR} {apart}")), "done");
    move_bob("of-bob", "secrets");
    for together in [
        "user remove olga --yes",
        "clock accept",
        "delete --register 1 --yes",
        "revoke --centre KMC-1 --yes",
        "refill 5",
        "request key-load --centre KMC-1",
        "user list",
        "backup {kept}",
    ] {
        assert_eq!(code(&format!("{together} {PAIR}")), "secrets_together", "{together}");
    }
    let people = service.signed_in("uwe").ask(&json!({"op": "users"}))["people"].clone();
    assert_eq!(people.as_array().unwrap().len(), 4, "{people}");
    service.end();
    workplace.assert_nothing_secret_was_printed();
}
