//! The witness of a module and of a centre, as people use it: a file elsewhere that shows what was put back or copied.

mod module_kit;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use module_kit::service::{Running, credit, workplace};
use module_kit::{METER, PAIR, Workplace};
use serde_json::Value;

/// A module with a key and a witness.
fn watched(name: &str) -> Workplace {
    let workplace = workplace(name, None);
    fs::create_dir(workplace.path("elsewhere")).unwrap();
    let set = workplace.object(&format!("witness set {{elsewhere/SM-1}} {PAIR}"));
    assert_eq!(set["uncertain"], false);
    assert!(set["witness"].as_str().unwrap().ends_with("/elsewhere/SM-1"));
    workplace
}

fn issue(number: u32) -> String {
    format!("issue credit --amount 1 --register 1 {METER} --tid {} --as olga", 9_000_000 + number)
}

/// Copies a directory of files, in place of another.
fn put(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

#[test]
fn an_older_directory_and_an_older_head_with_its_log_are_refused_by_name() {
    let workplace = watched("witness-back");
    let (module, older, newer) =
        (workplace.path("module"), workplace.path("older"), workplace.path("newer"));
    let shown = workplace.object("witness show --as uwe");
    assert!(shown["last"].as_str().unwrap().contains('-'), "{shown}");
    put(&module, &older);
    workplace.succeed(&issue(1));
    put(&module, &newer);

    put(&older, &module);
    let refused = workplace.run("registers --as uwe");
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(3));
    for part in
        ["head_went_back: ", "/elsewhere/SM-1 has, found entry ", "two custodians can accept"]
    {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(workplace.refused(3, &issue(2)), "head_went_back");
    assert_eq!(workplace.refused(3, &format!("repair {PAIR}")), "repair_lost");

    put(&newer, &module);
    for file in ["audit.log", "audit.head"] {
        fs::copy(older.join(file), module.join(file)).unwrap();
    }
    assert_eq!(workplace.refused(3, &issue(2)), "head_went_back");

    put(&newer, &module);
    workplace.succeed(&issue(2));
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn a_copy_from_before_the_witness_was_set_is_refused_if_the_witness_is_named() {
    let workplace = workplace("witness-before", None);
    fs::create_dir(workplace.path("elsewhere")).unwrap();
    let module = workplace.path("module");
    let wanted = format!("{} --witness {{elsewhere/SM-1}}", issue(1));
    assert_eq!(workplace.refused(3, &wanted), "witness_missing");
    put(&module, &workplace.path("before"));
    workplace.succeed(&format!("witness set {{elsewhere/SM-1}} {PAIR}"));
    workplace.succeed(&wanted);
    assert_eq!(
        workplace.refused(3, &issue(2).replace("--as", "--witness other --as")),
        "witness_missing"
    );
    // Such a copy names no witness itself.
    put(&workplace.path("before"), &module);
    let entries = fs::metadata(module.join("audit.log")).unwrap().len();
    assert_eq!(workplace.refused(3, &wanted), "witness_missing");
    let serve = "serve --socket {socket} --witness {elsewhere/SM-1}";
    assert_eq!(workplace.refused(3, serve), "witness_missing");
    assert!(!workplace.path("socket").exists());
    assert_eq!(
        fs::metadata(module.join("audit.log")).unwrap().len(),
        entries,
        "nothing was written"
    );
    workplace.succeed(&issue(1));
}

#[test]
fn a_repair_after_an_older_copy_leaves_a_trace_and_issues_nothing_under_the_old_limits() {
    let workplace = watched("witness-repair");
    let (module, older) = (workplace.path("module"), workplace.path("older"));
    put(&module, &older);
    workplace.succeed(&issue(1));
    put(&older, &module);
    let mut lost = 0;
    let repaired = loop {
        lost += 1;
        let output = workplace.run(&format!("--json repair {PAIR} --accept-lost {lost}"));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        if output.status.success() {
            break answer;
        }
        assert_eq!(answer["error"]["code"], "repair_lost", "{answer}");
        assert!(lost < 20, "{answer}");
    };
    assert_eq!(repaired["lost"], lost);
    assert_eq!(workplace.refused(3, &issue(2)), "issue_expired");
    let list = workplace.rows("audit list --as uwe");
    assert!(list.iter().any(|entry| entry["kind"] == "repaired"));
    workplace.succeed("audit verify --as uwe");
}

#[test]
fn a_service_stops_by_name_when_a_copy_of_its_module_was_opened() {
    let workplace = watched("witness-copy");
    let mut running = Running::start(&workplace, "");
    let mut olga = running.signed_in("olga");
    assert!(olga.ask(&credit(1))["error"].is_null());
    put(&workplace.path("module"), &workplace.path("copy"));
    let begun = Instant::now();
    workplace.succeed("registers --dir {copy} --as uwe");
    let (mut number, mut answer) = (2, Value::Null);
    while answer["error"].is_null() {
        assert!(begun.elapsed() < Duration::from_secs(60), "the service goes on");
        sleep(Duration::from_millis(200));
        answer = olga.ask(&credit(number));
        number += 1;
    }
    assert_eq!(answer["error"]["code"], "vault_copied", "{answer}");
    assert_eq!(running.child.wait().unwrap().code(), Some(1));
    // The copy goes on, and the first does not open any more if the copy went on from an earlier entry.
    workplace.succeed(&format!("{} --dir {{copy}}", issue(1)));
    assert_eq!(workplace.refused(3, "registers --as uwe"), "head_went_back");
}

#[test]
fn what_a_service_notes_of_its_log_shows_an_older_copy_later() {
    let workplace = workplace("witness-notes", None);
    put(&workplace.path("module"), &workplace.path("older"));
    let running = Running::start(&workplace, "--note-last-entry 1");
    let mut olga = running.signed_in("olga");
    for number in 1..3 {
        assert!(olga.ask(&credit(number))["error"].is_null());
        sleep(Duration::from_millis(1500));
    }
    assert!(olga.ask(&credit(3))["error"].is_null());
    let notes = running.end();
    let marks: Vec<&str> =
        notes.lines().filter_map(|line| Some(line.split_once("last entry ")?.1)).collect();
    assert!(marks.len() >= 3, "while it runs, and at the end: {notes}");
    for mark in &marks {
        workplace.succeed(&format!("audit verify --noted {mark}"));
    }
    put(&workplace.path("older"), &workplace.path("module"));
    for mark in &marks {
        assert_eq!(workplace.refused(3, &format!("audit verify --noted {mark}")), "audit_noted");
    }
}

#[test]
fn without_its_witness_a_module_is_read_and_issues_nothing_until_two_custodians_name_another() {
    let workplace = watched("witness-lost");
    fs::rename(workplace.path("elsewhere"), workplace.path("unplugged")).unwrap();
    assert_eq!(workplace.refused(3, &issue(1)), "witness_missing");
    assert_eq!(workplace.refused(3, &format!("refill 10 {PAIR}")), "witness_missing");
    assert_eq!(workplace.refused(3, &format!("backup {{save}} {PAIR}")), "witness_missing");
    assert!(!workplace.path("save").exists());
    workplace.succeed("audit verify --as uwe");
    let shown = workplace.object("witness show --as uwe");
    assert!(shown["problem"].as_str().unwrap().contains("/elsewhere: No such file"), "{shown}");
    assert!(shown["last"].is_null());
    // A service starts, and answers those who read.
    let running = Running::start(&workplace, "");
    assert_eq!(running.signed_in("olga").code(&credit(1)), "witness_missing");
    let mut uwe = running.signed_in("uwe");
    assert!(uwe.ask(&serde_json::json!({"op": "audit_verify"}))["error"].is_null());
    running.end();
    // Plugged in again, everything is as before.
    fs::rename(workplace.path("unplugged"), workplace.path("elsewhere")).unwrap();
    workplace.succeed(&issue(1));

    fs::write(workplace.path("elsewhere/SM-1"), "rubbish").unwrap();
    assert_eq!(workplace.refused(3, &issue(2)), "witness_missing");
    assert_eq!(workplace.refused(2, "witness set {elsewhere/new} --custodian ann"), "custodians");
    assert_eq!(workplace.refused(3, "witness set {elsewhere/new} --as ann"), "forbidden");
    let set = workplace.object(&format!("witness set {{elsewhere/new}} {PAIR}"));
    assert_eq!(set["uncertain"], true);
    assert_eq!(workplace.refused(3, &issue(2)), "issue_expired");
    let list = workplace.rows("audit list --as uwe");
    let set: Vec<_> = list.iter().filter(|entry| entry["kind"] == "witness_set").collect();
    assert_eq!(set.len(), 2);
    assert_eq!(set[1]["by"], serde_json::json!(["ann", "bob"]));

    assert_eq!(workplace.object(&format!("witness remove --yes {PAIR}"))["uncertain"], false);
    assert_eq!(workplace.refused(3, &format!("witness remove --yes {PAIR}")), "witness_none");
    assert!(workplace.object("witness show --as uwe")["witness"].is_null());
}

#[test]
fn a_place_that_is_no_place_for_a_witness_is_refused() {
    let workplace = watched("witness-place");
    fs::write(workplace.path("elsewhere/notes"), "not a witness").unwrap();
    for place in [
        "{module/witness}",
        "{no/such/directory}",
        "{elsewhere/SM-1}",
        "{elsewhere/notes}",
        "/proc/witness",
        "/",
    ] {
        let set = format!("witness set {place} {PAIR}");
        assert_eq!(workplace.refused(3, &set), "witness_place", "{place}");
    }
    assert!(!workplace.path("module/witness").exists());
    assert_eq!(workplace.text("elsewhere/notes"), "not a witness");
    workplace.succeed(&issue(1));
}

#[test]
fn a_centre_has_a_witness_as_a_module_has() {
    let workplace = Workplace::new("witness-centre");
    fs::create_dir(workplace.path("elsewhere")).unwrap();
    let kmc = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_prepay"));
        command.args(["--json", "kmc"]).args(arguments.split_ascii_whitespace());
        command.args(["--dir", "centre", "--secrets", "secrets"]).stdin(Stdio::null());
        let output = command.current_dir(&workplace.folder).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let first = text.lines().next().map(|line| serde_json::from_str::<Value>(line).unwrap());
        (output.status.code(), first.unwrap_or_default())
    };
    let done = |arguments: &str| {
        let (status, answer) = kmc(arguments);
        assert_eq!(status, Some(0), "{arguments}: {answer}");
        answer
    };
    done(&format!("init --id KC-1 --test {}", module_kit::PEOPLE));
    assert_eq!(done(&format!("witness set elsewhere/KC-1 {PAIR}"))["uncertain"], false);
    let vault = ["vault", "module"].map(|name| workplace.path("centre").join(name));
    let vault = vault.into_iter().find(|path| path.is_dir()).unwrap();
    put(&vault, &workplace.path("older"));
    done(&format!("user add dora --role auditor {PAIR} --secret dora=secrets/uwe"));
    assert!(done("witness show --as uwe")["last"].is_string());
    put(&workplace.path("older"), &vault);
    let (status, answer) = kmc("witness show --as uwe");
    assert_eq!((status, &answer["error"]["code"]), (Some(3), &"head_went_back".into()));
    fs::remove_file(workplace.path("elsewhere/KC-1")).unwrap();
    let (status, answer) = kmc(&format!("user remove olga --yes {PAIR}"));
    assert_eq!((status, &answer["error"]["code"]), (Some(3), &"witness_missing".into()));
}
