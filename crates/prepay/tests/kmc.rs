//! `prepay kmc` as a user runs it: what it refuses and with which exit code, what it never shows, and that
//! nothing is overwritten.

mod common;

use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::text;
use prepay_host::{Directory, SystemClock};
use prepay_kmc_module::CentreSetup;
use prepay_kmp::{Identity, ModuleEnrolment, PartyKind, open_kmp};
use prepay_testkit::Foreseeable;
use prepay_vault::{NewUser, Role, Secret, Unlock};
use serde_json::Value;

/// The passphrases of the people here. Nothing may ever show one.
const SECRETS: &[(&str, &str)] = &[
    ("seal", "sealing-words-7f3a"),
    ("ann", "words-of-ann-19c2"),
    ("ben", "words-of-ben-8e41"),
    ("olga", "words-of-olga-5d07"),
    ("uma", "words-of-uma-c6b8"),
    ("maria", "words-of-maria-2e90"),
    ("seal.new", "other-sealing-words-a604"),
    ("ann.backup", "backup-words-of-ann-41"),
    ("ben.backup", "backup-words-of-ben-72"),
];

/// A place with secret files, and a centre if wanted.
struct Place(PathBuf);

impl Place {
    fn empty(name: &str) -> Self {
        let place = common::folder(&format!("kmc-{name}"));
        let safe = place.join("safe");
        fs::create_dir(&safe).expect("a directory can be made");
        for (name, secret) in SECRETS {
            let path = safe.join(name);
            fs::write(&path, format!("{secret}\n")).expect("a file can be written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        }
        Self(place)
    }

    fn with_centre(name: &str) -> Self {
        let place = Self::empty(name);
        place.done(&[
            "init",
            "--id",
            "KC-1",
            "--test",
            "--custodian",
            "ann",
            "--custodian",
            "ben",
            "--operator",
            "olga",
            "--auditor",
            "uma",
        ]);
        place
    }

    /// Runs `prepay --json kmc … --dir centre --secrets safe` with nothing on standard input.
    fn run(&self, arguments: &[&str]) -> Output {
        let output = self.raw(
            &[&["--json", "kmc"], arguments, &["--dir", "centre", "--secrets", "safe"]].concat(),
        );
        for (name, secret) in SECRETS {
            for bytes in [&output.stdout, &output.stderr] {
                assert!(!text(bytes).contains(secret), "{arguments:?} shows the secret {name}");
            }
        }
        output
    }

    fn raw(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_prepay"))
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .output()
            .expect("the program ends")
    }

    /// The objects that a command answers when all is well.
    fn done(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(arguments);
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {stdout}{stderr}");
        stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// The code of the error that a command ends with, and its exit code.
    fn fails(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        let stdout = text(&output.stdout);
        let object: Value = serde_json::from_str(&stdout)
            .unwrap_or_else(|_| panic!("{arguments:?}: {stdout}{}", text(&output.stderr)));
        let error = &object["error"];
        assert!(!error["message"].as_str().expect("a message").is_empty(), "{arguments:?}");
        let code = error["code"].as_str().expect("a code").to_owned();
        (output.status.code().expect("an exit code"), code)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

const TWO: [&str; 4] = ["--custodian", "ann", "--custodian", "ben"];

fn with<'a>(arguments: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [arguments, more].concat()
}

const CUSTOMER: &[&str] = &[
    "customer",
    "add",
    "--organisation",
    "Example Power",
    "--contact",
    "Maria",
    "--address",
    "m@example.com",
];
const GROUP: &[&str] = &[
    "group", "allocate", "--code", "000123", "--type", "unique", "--owner", "1", "--name", "North",
    "--area", "N",
];
const KEY: &[&str] = &[
    "key",
    "generate",
    "--group",
    "000123",
    "--dkga",
    "04",
    "--base-date",
    "2014",
    "--active-from",
    "2026-01-01T00:00:00Z",
    "--expires",
    "2090-01-01T00:00:00Z",
    "--refresh-days",
    "90",
];

const IMPORT: &[&str] = &[
    "import-test-key",
    "--from",
    "test.key",
    "--group",
    "000123",
    "--dkga",
    "02",
    "--base-date",
    "2014",
    "--active-from",
    "2026-01-01T00:00:00Z",
    "--expires",
    "2090-01-01T00:00:00Z",
    "--refresh-days",
    "90",
];

#[test]
fn a_test_centre_says_so_in_all_it_answers() {
    let place = Place::with_centre("test");
    place.done(&with(CUSTOMER, &TWO));
    place.done(&with(GROUP, &TWO));
    place.done(&with(KEY, &TWO));
    let commands: &[&[&str]] = &[
        &["customer", "list"],
        &["customer", "show", "1"],
        &["group", "list"],
        &["group", "show", "000123"],
        &["key", "list"],
        &["key", "show", "--group", "000123", "--krn", "1"],
        &["report", "expiry", "--days", "9999"],
        &["report", "journal"],
        &["user", "list"],
        &["audit", "list"],
        &["audit", "verify"],
        &["enrol", "write"],
    ];
    for command in commands {
        let answers = place.done(&with(command, &["--as", "uma"]));
        assert!(!answers.is_empty(), "{command:?}");
        assert!(answers.iter().all(|answer| answer["test"] == true), "{command:?}: {answers:?}");
    }
    let output = place.run(&["customer", "show", "7", "--as", "uma"]);
    let error: Value = serde_json::from_str(&text(&output.stdout)).expect("JSON");
    assert_eq!((&error["test"], &error["error"]["code"]), (&true.into(), &"not_there".into()));
    let output =
        place.raw(&["kmc", "group", "list", "--dir", "centre", "--as", "uma", "--secrets", "safe"]);
    assert!(text(&output.stdout).starts_with("TEST centre"), "{}", text(&output.stdout));
}

#[test]
fn what_takes_two_custodians_is_refused_to_one_person() {
    let place = Place::with_centre("forbidden");
    place.done(&with(CUSTOMER, &TWO));
    place.done(&with(GROUP, &TWO));
    place.done(&with(KEY, &TWO));
    fs::write(place.path("test.key"), "abababababababab\n").expect("a file can be written");
    let key = ["--group", "000123", "--krn", "1"];
    let commands: &[&[&str]] = &[
        CUSTOMER,
        GROUP,
        KEY,
        &["group", "rename", "000123", "--name", "South"],
        &["group", "transfer", "000123", "--to", "1"],
        &with(&["key", "refresh", "--refresh-days", "9"], &key),
        &with(&["key", "retire", "--yes"], &key),
        &with(&["key", "unretire"], &key),
        &["key", "roll", "--group", "000123", "--active-from", "2026-01-01T00:00:00Z"],
        &["enrol", "revoke", "SM-1", "--yes"],
        &["renew", "--valid-days", "10", "--yes"],
        &["user", "add", "eve", "--role", "operator", "--secret", "eve=safe/olga"],
        &["backup", "copy"],
        IMPORT,
    ];
    for command in commands {
        for name in ["olga", "ann", "uma"] {
            let failed = place.fails(&with(command, &["--as", name]));
            assert_eq!(failed, (3, "forbidden".to_owned()), "{command:?} as {name}");
        }
    }
    let revoke = with(&["key", "revoke", "--yes"], &key);
    for command in [revoke, vec!["authorise", "revoke", "1", "--yes"]] {
        assert_eq!(place.fails(&with(&command, &["--as", "uma"])).1, "forbidden", "{command:?}");
    }
    assert_eq!(place.done(&["key", "list", "--as", "uma"]).len(), 1, "nothing has changed");
    assert_eq!(place.done(&["customer", "list", "--as", "uma"]).len(), 1);
}

#[test]
fn what_destroys_or_ends_something_says_what_and_wants_yes() {
    let place = Place::with_centre("destroys");
    place.done(&with(CUSTOMER, &TWO));
    place.done(&with(GROUP, &TWO));
    place.done(&with(KEY, &TWO));
    let key = ["--group", "000123", "--krn", "1"];
    // (command, what it says is lost)
    let cases: &[(&[&str], &str)] = &[
        (
            &with(&["key", "revoke", "--as", "olga"], &key),
            "the vending key of group 000123 revision 1 goes into no more key-load files, for ever",
        ),
        (
            &with(&with(&["key", "retire"], &key), &TWO),
            "the vending key of group 000123 revision 1 is wiped from the centre's module in 24 hours",
        ),
        (&["authorise", "revoke", "1", "--as", "olga"], "authorisation 1 ends"),
        (&["customer", "revoke-signatory", "anna", "--as", "olga"], "anna signs no more"),
        (&with(&["enrol", "revoke", "SM-1"], &TWO), "its agreement with module SM-1"),
        (&with(&["renew"], &TWO), "the centre loses its present keys"),
        (&with(&["user", "remove", "uma"], &TWO), "uma cannot sign in to the centre any more"),
        (&with(&["witness", "remove"], &TWO), "older copies of the centre can be put back"),
    ];
    let before = place.done(&["audit", "list", "--as", "uma"]).len();
    for (command, lost) in cases {
        let output = place.run(command);
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        let told: Value = serde_json::from_str(&text(&output.stdout)).expect("JSON");
        assert_eq!(told["error"]["code"], "not_confirmed", "{command:?}");
        assert!(told["error"]["message"].as_str().unwrap().contains(lost), "{told}");
        assert_eq!(told["error"]["next"], "if this is meant, give --yes");
    }
    assert_eq!(place.done(&["audit", "list", "--as", "uma"]).len(), before + 1, "nobody signed in");
}

#[test]
fn a_revoked_key_is_retired_after_a_day_in_which_it_can_be_taken_back() {
    let place = Place::with_centre("retire");
    place.done(&with(CUSTOMER, &TWO));
    place.done(&with(GROUP, &TWO));
    place.done(&with(KEY, &TWO));
    let at = |time: &'static str, command: &[&'static str]| {
        let key = ["--group", "000123", "--krn", "1", "--fixed-time", time];
        with(command, &key).into_iter().chain(TWO).collect::<Vec<_>>()
    };
    let (noon, next_noon) = ("2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z");
    let retire = at(noon, &["key", "retire", "--yes"]);
    assert_eq!(place.fails(&retire), (3, "key_state".to_owned()), "a live key is not retired");
    place.done(&at(noon, &["key", "revoke", "--yes"]));
    let retired = place.done(&retire);
    assert_eq!(
        (&retired[0]["state"], &retired[0]["ended"]),
        (&"retiring".into(), &next_noon.into())
    );
    let back = place.done(&at("2026-03-02T11:59:59Z", &["key", "unretire"]));
    assert_eq!(back[0]["state"], "revoked");
    place.done(&retire);
    // The next command of two custodians after a day wipes it.
    assert_eq!(place.fails(&at(next_noon, &["key", "unretire"])).1, "ended");
    let rows = place.done(&["key", "list", "--as", "uma"]);
    assert_eq!(rows[0]["state"], "retired");
    let entries = place.done(&["audit", "list", "--as", "uma"]);
    assert!(entries.iter().any(|entry| entry["kind"] == "vending_key_destroyed"), "{entries:?}");
}

#[test]
fn each_failure_has_its_code_and_its_exit_code() {
    let place = Place::with_centre("codes");
    fs::write(place.path("nonsense"), "nonsense\n").expect("a file can be written");
    fs::write(place.path("open-secret"), "words-of-ann-19c2\n").expect("a file can be written");
    fs::set_permissions(place.path("open-secret"), fs::Permissions::from_mode(0o644))
        .expect("it is ours");
    fs::write(place.path("safe/wrong"), "wrong words\n").expect("a file can be written");
    fs::set_permissions(place.path("safe/wrong"), fs::Permissions::from_mode(0o600))
        .expect("it is ours");
    fs::write(place.path("module.pke"), enrolment()).expect("a file can be written");
    // (command, exit code, error code)
    let cases: &[(&[&str], i32, &str)] = &[
        (&["customer", "list", "--as", "olga", "--secret", "olga=safe/wrong"], 3, "sign_in"),
        (&["customer", "list", "--as", "nobody", "--secret", "nobody=safe/olga"], 3, "sign_in"),
        (&["customer", "list", "--as", "olga", "--secret", "seal=safe/wrong"], 3, "wrong_secret"),
        (&["customer", "list", "--as", "ann", "--secret", "ann=open-secret"], 2, "secret_file"),
        (&["customer", "list", "--as", "stranger"], 2, "input_missing"),
        (&["customer", "list"], 2, "input_missing"),
        (&["finish"], 2, "input_missing"),
        (&["finish", "--custodian", "ann"], 2, "custodians"),
        (&["finish", "--custodian", "ann", "--custodian", "ann"], 2, "custodians"),
        (&["finish", "--custodian", "ann", "--custodian", "olga"], 3, "custodians"),
        (&["customer", "show", "1", "--as", "uma"], 3, "not_there"),
        (&["form", "show", "1", "--as", "uma"], 3, "not_there"),
        (&["group", "show", "000123", "--as", "uma"], 3, "not_there"),
        (&["answer", "no-such-file", "--as", "olga"], 2, "file"),
        (&["answer", "nonsense", "--as", "olga"], 3, "form"),
        (&["answer", "module.pke", "--as", "olga"], 3, "kind"),
        (&["enrol", "module", "nonsense", "--custodian", "ann", "--custodian", "ben"], 3, "form"),
        (&["form", "check", "nonsense"], 3, "form_json"),
        (&["form", "receive", "nonsense", "--as", "olga"], 3, "form_json"),
        (&["enrol", "check", "nonsense", "--as", "olga"], 3, "form"),
        (
            &["enrol", "module", "module.pke", "--custodian", "ann", "--custodian", "ben"],
            2,
            "input_missing",
        ),
        (
            &["enrol", "revoke", "SM-9", "--yes", "--custodian", "ann", "--custodian", "ben"],
            3,
            "not_there",
        ),
        (&["init", "--id", "KC-2", "--custodian", "ann", "--custodian", "ben"], 2, "not_empty"),
    ];
    for (command, exit, code) in cases {
        assert_eq!(place.fails(command), (*exit, (*code).to_owned()), "{command:?}");
    }
    // What the command line itself does not take.
    for command in [
        &["kmc", "group", "show", "12"][..],
        &["kmc", "key", "list", "--as", "a", "--custodian", "b"],
    ] {
        assert_eq!(place.raw(command).status.code(), Some(2), "{command:?}");
    }
    let no_dir = place.raw(&["--json", "kmc", "key", "list", "--as", "uma"]);
    assert_eq!(no_dir.status.code(), Some(2));
    assert!(text(&no_dir.stdout).contains("\"flag\""), "{}", text(&no_dir.stdout));
}

/// The enrolment of a test module.
fn enrolment() -> String {
    let name = "SM-1".parse().expect("a name");
    let own = Identity::generate(PartyKind::Module, name, &mut Foreseeable::named("SM-1"));
    let own = own.expect("keys");
    let label = || "1".parse().expect("a label");
    let enrolment = ModuleEnrolment {
        party: own.public().clone(),
        created: "2026-03-01T12:00:00Z".parse().expect("a moment"),
        is_test: true,
        maker: label(),
        model: label(),
        firmware: label(),
    };
    open_kmp::write_module_enrolment(&own, &enrolment).expect("an enrolment")
}

#[test]
fn what_the_module_refuses_is_in_its_audit_log() {
    let place = Place::with_centre("refused");
    fs::write(place.path("module.pke"), enrolment()).expect("a file can be written");
    let enrol = with(&["enrol", "module", "module.pke", "--fingerprint", "0000"], &TWO);
    assert_eq!(place.fails(&enrol).1, "fingerprint");
    assert_eq!(place.fails(&with(&["enrol", "revoke", "SM-9", "--yes"], &TWO)).1, "not_there");
    let entries = place.done(&["audit", "list", "--as", "uma"]);
    let noted: Vec<_> = entries.iter().filter(|entry| entry["kind"] == "request_refused").collect();
    let expected = [
        (
            ["ann", "ben"],
            "accept a module",
            "fingerprint: fingerprint of module SM-1: expected 0000, ",
        ),
        (["ann", "ben"], "revoke a module", "module_unknown: module SM-9 was never accepted"),
    ];
    assert_eq!(noted.len(), expected.len(), "{noted:?}");
    for (entry, (actors, operation, reason)) in noted.iter().zip(expected) {
        assert_eq!(entry["by"], Value::from(actors));
        assert_eq!(entry["fields"]["operation"], operation);
        let found = entry["fields"]["reason"].as_str().expect("a reason");
        assert!(found.starts_with(reason), "{found}");
    }
    let proved = place.done(&["audit", "verify", "--as", "uma"]);
    assert_eq!(proved.len(), 1, "{proved:?}");
}

#[test]
fn a_centre_renews_its_keys_and_says_so() {
    let place = Place::with_centre("renew");
    place.done(&with(CUSTOMER, &TWO));
    place.done(&with(GROUP, &TWO));
    place.done(&with(KEY, &TWO));
    let fingerprint = || {
        let written = place.done(&["enrol", "write", "--as", "uma"]);
        written[0]["fingerprint"].as_str().expect("a fingerprint").to_owned()
    };
    let key = place.done(&["key", "list", "--as", "uma"]);
    let before = fingerprint();
    let none = [&["kmc", "renew", "--valid-days", "0", "--dir", "centre"][..], &TWO].concat();
    assert_eq!(place.raw(&none).status.code(), Some(2));
    assert_eq!(fingerprint(), before);
    let for_no_day =
        place.raw(&["kmc", "init", "--id", "KC-2", "--valid-days", "0", "--dir", "other"]);
    assert_eq!(for_no_day.status.code(), Some(2));
    let refusal = String::from_utf8_lossy(&for_no_day.stderr).into_owned();
    assert!(refusal.contains("'--valid-days <DAYS>'"), "{refusal}");
    assert!(!place.path("other").exists());
    let renewed = place.done(&with(&["renew", "--valid-days", "10", "--yes"], &TWO));
    assert_eq!((&renewed[0]["centre"], &renewed[0]["test"]), (&"KC-1".into(), &true.into()));
    assert_ne!(renewed[0]["fingerprint"], before.as_str());
    assert_eq!(renewed[0]["fingerprint"], fingerprint().as_str());
    assert_eq!(place.done(&["key", "list", "--as", "uma"]), key);
    let ends = place.done(&["report", "expiry", "--days", "11", "--as", "uma"]);
    assert!(ends.iter().any(|row| row["at"] == renewed[0]["valid_until"]), "{ends:?}");
    let journal = place.done(&["report", "journal", "--as", "uma"]);
    let last = journal.last().expect("an entry");
    assert_eq!((&last["action"], &last["by"]), (&"centre_renewed".into(), &"ann + ben".into()));
    let entries = place.done(&["audit", "list", "--as", "uma"]);
    let noted = entries.iter().find(|entry| entry["kind"] == "centre_renewed").expect("an entry");
    assert_eq!(noted["fields"]["former"], before.as_str());
    assert_eq!(noted["fields"]["fingerprint"], renewed[0]["fingerprint"]);
}

#[test]
fn a_real_centre_takes_no_test_keys_and_no_other_clock() {
    let place = Place::empty("real");
    // The secrets of both custodians are not in one directory.
    fs::create_dir(place.path("of-ben")).expect("a directory can be made");
    for name in ["ben", "ben.backup"] {
        let safe = place.path("safe").join(name);
        fs::rename(safe, place.path("of-ben").join(name)).expect("it can be moved");
    }
    const TWO: [&str; 6] = ["--custodian", "ann", "--custodian", "ben", "--secrets", "of-ben"];
    let real = with(&["init", "--id", "KC-1", "--operator", "olga"], &TWO);
    let fixed = with(&real, &["--fixed-time", "2026-01-01T00:00:00Z"]);
    assert_eq!(place.fails(&fixed), (3, "fixed_time".to_owned()));
    assert!(!place.path("centre/vault/store").exists(), "nothing was made");
    let made = place.done(&real);
    assert_eq!(made[0]["test"], Value::Null);
    // Two custodians open it: nobody asked for another seal.
    assert_eq!(made[0]["seal"], "shares of 2 custodians");
    assert_eq!(place.fails(&["key", "list", "--as", "olga"]), (2, "custodians".to_owned()));
    const BESIDE: [&str; 2] = ["--secrets", "of-ben"];
    place.done(&with(CUSTOMER, &TWO));
    place.done(&with(GROUP, &TWO));
    fs::write(place.path("test.key"), "abababababababab\n").expect("a file can be written");
    assert_eq!(place.fails(&with(IMPORT, &TWO)), (3, "not_test_centre".to_owned()));
    let list = with(&["key", "list", "--as", "olga"], &BESIDE);
    let late = with(&list, &["--fixed-time", "2026-01-01T00:00:00Z"]);
    assert_eq!(place.fails(&late), (3, "fixed_time".to_owned()));
    assert_eq!(place.done(&list), Vec::<Value>::new());

    // Nor does a clock come in with a back-up.
    place.done(&with(&["backup", "copy"], &TWO));
    fs::write(place.path("copy/test-time"), "2001-01-01T00:00:00Z\n").expect("it can be written");
    fs::rename(place.path("centre"), place.path("lost")).expect("it can be moved");
    let restore = with(&["restore", "copy"], &TWO);
    let fixed = with(&restore, &["--fixed-time", "2001-01-01T00:00:00Z"]);
    assert_eq!(place.fails(&fixed), (3, "fixed_time".to_owned()));
    assert!(!place.path("centre").exists(), "nothing was made");
    place.done(&restore);
    assert!(!place.path("centre/test-time").exists());
    let entries = place.done(&with(&["audit", "list", "--as", "ann"], &BESIDE));
    let entry = entries.iter().find(|entry| entry["kind"] == "restored").expect("it says so");
    let at = entry["time"].as_str().expect("a moment");
    assert!(!at.starts_with("2001"), "{entry}");
}

#[test]
fn a_key_that_modules_refuse_is_told_of_when_it_is_made() {
    let place = Place::with_centre("common");
    place.done(&with(CUSTOMER, &TWO));
    let mut group = GROUP.to_vec();
    group[5] = "common";
    place.done(&with(&group, &TWO));
    for (algorithm, is_told) in [("04", true), ("02", false)] {
        let mut key = KEY.to_vec();
        key[5] = algorithm;
        let place_of = ["--dir", "centre", "--secrets", "safe"];
        let output = place.raw(&[&["kmc"], &key[..], &TWO, &place_of].concat());
        assert_eq!(output.status.code(), Some(0));
        let told = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(told.contains("its rule is not public"), is_told, "{told}");
    }
}

#[test]
fn a_field_is_given_once() {
    let place = Place::empty("twice");
    fs::write(place.path("two"), "two").expect("it can be written");
    let new = ["form", "new", "new_customer", "--set", "organisation=one"];
    for twice in [["--set", "organisation=two"], ["--set-file", "organisation=two"]] {
        assert_eq!(place.fails(&with(&new, &twice)), (2, "flag".to_owned()), "{twice:?}");
    }
    place.done(&with(&new, &["--set", "contact=two"]));
}

#[test]
fn the_clock_of_a_test_centre_stands_still_after_a_restore() {
    let place = Place::empty("still");
    let people = ["--custodian", "ann", "--custodian", "ben", "--operator", "olga"];
    let time = "2001-02-03T04:05:06Z";
    place.done(&with(&["init", "--id", "KC-1", "--test", "--fixed-time", time], &people));
    place.done(&with(&["backup", "copy"], &TWO));
    fs::rename(place.path("centre"), place.path("lost")).expect("it can be moved");
    let restore = with(&["restore", "copy"], &TWO);
    fs::write(place.path("copy/test-time"), "soon\n").expect("it can be written");
    assert_eq!(place.fails(&restore), (3, "test_time".to_owned()));
    assert!(!place.path("centre").exists(), "nothing was made");
    fs::write(place.path("copy/test-time"), format!("{time}\n")).expect("it can be written");
    place.done(&restore);
    place.done(&with(CUSTOMER, &TWO));
    let journal = place.done(&["report", "journal", "--as", "olga"]);
    assert!(journal.iter().all(|entry| entry["at"] == time), "{journal:?}");
    place.done(&["audit", "verify", "--as", "ann"]);
}

#[test]
fn two_custodians_accept_the_time_of_a_clock_that_is_behind() {
    let place = Place::empty("behind");
    let people = ["--custodian", "ann", "--custodian", "ben", "--operator", "olga"];
    let time = "2001-02-03T04:05:06Z";
    place.done(&with(&["init", "--id", "KC-1", "--test", "--fixed-time", time], &people));
    place.done(&["customer", "list", "--as", "olga", "--fixed-time", "2001-03-03T04:05:06Z"]);
    let accept = with(&["clock", "accept"], &TWO);
    let accepted = place.done(&accept);
    assert_eq!(
        (&accepted[0]["time"], &accepted[0]["latest"]),
        (&time.into(), &"2001-03-03T04:05:06Z".into())
    );
    assert_eq!(place.done(&accept)[0]["latest"], Value::Null, "nothing is left to accept");
    assert_eq!(place.fails(&["clock", "accept", "--as", "olga"]), (3, "forbidden".to_owned()));
    let log = place.done(&["audit", "list"]);
    let kinds: Vec<&str> = log.iter().filter_map(|entry| entry["kind"].as_str()).collect();
    let count = |kind| kinds.iter().filter(|&&found| found == kind).count();
    assert!((count("clock_back"), count("clock_accepted")) == (1, 1), "{kinds:?}");
}

#[test]
fn files_are_made_new_and_replaced_only_when_told() {
    let place = Place::with_centre("files");
    let write = ["enrol", "write", "--as", "uma", "-o", "centre.enrolment"];
    place.done(&write);
    let first = fs::read(place.path("centre.enrolment")).expect("it was written");
    fs::write(place.path("centre.enrolment"), "mine").expect("a file can be written");
    assert_eq!(place.fails(&write), (2, "file_exists".to_owned()));
    assert_eq!(fs::read(place.path("centre.enrolment")).expect("it is there"), b"mine");
    place.done(&with(&write, &["--force"]));
    assert_eq!(fs::read(place.path("centre.enrolment")).expect("it is there"), first);
    let new = ["form", "new", "new_customer", "-o", "form"];
    place.done(&new);
    assert_eq!(place.fails(&new), (2, "file_exists".to_owned()));
    let signatory = ["form", "signatory", "maria", "-o", "maria.key"];
    place.done(&signatory);
    assert_eq!(place.fails(&signatory), (2, "file_exists".to_owned()));
}

#[test]
fn a_form_lists_all_its_faults_and_bends_under_nothing() {
    let place = Place::with_centre("form");
    let kind =
        place.done(&["form", "new", "vending_key_request", "--set", "group=12", "-o", "draft"]);
    assert!(kind[0]["faults"].as_array().expect("a list").len() >= 8, "{kind:?}");
    let output = place.run(&["form", "check", "draft"]);
    let message = text(&output.stdout);
    for field in
        ["customer", "group", "algorithm", "base_date", "activation", "expires", "refresh_days"]
    {
        assert!(message.contains(&format!("{field}: expected")), "{field}: {message}");
    }
    assert_eq!(
        place.fails(&["form", "new", "new_customer", "--set", "colour=red"]),
        (3, "form_field".to_owned())
    );
    place.done(&["form", "signatory", "maria", "-o", "maria.key"]);
    assert_eq!(
        place.fails(&["form", "sign", "draft", "--signatory", "maria.key", "--centre", "pke"]),
        (3, "form_faults".to_owned())
    );
    place.done(&[
        "form",
        "new",
        "new_customer",
        "--set",
        "organisation=Example",
        "--set",
        "contact=Maria",
        "--set",
        "address=m@example.com",
        "-o",
        "good",
    ]);
    assert_eq!(
        place.fails(&["form", "receive", "good", "--as", "olga"]),
        (3, "form_state".to_owned())
    );
    place.done(&["enrol", "write", "--as", "uma", "-o", "pke"]);
    let sign = ["form", "sign", "good", "--signatory", "maria.key", "--centre", "pke"];
    let signed = place.done(&with(&sign, &["-o", "signed"]));
    assert_eq!((&signed[0]["centre"], &signed[0]["purpose"]), (&"KC-1".into(), &"test".into()));
    place.done(&with(
        &sign,
        &["-o", "late", "--valid-days", "1", "--fixed-time", "2020-01-01T00:00Z"],
    ));
    assert_eq!(
        place.fails(&["form", "receive", "late", "--as", "olga"]),
        (3, "form_lapsed".to_owned())
    );
    let other = Place::with_centre("form-other");
    fs::copy(place.path("signed"), other.path("signed")).expect("it can be copied");
    assert_eq!(
        other.fails(&["form", "receive", "signed", "--as", "olga"]),
        (3, "form_centre".to_owned())
    );
    let signed = fs::read_to_string(place.path("signed")).expect("it was written");
    fs::write(place.path("bent"), signed.replace("Example", "Exemple"))
        .expect("a file can be written");
    assert_eq!(
        place.fails(&["form", "receive", "bent", "--as", "olga"]),
        (3, "signature".to_owned())
    );
    place.done(&["form", "receive", "signed", "--as", "olga"]);
    assert_eq!(
        place.fails(&["form", "receive", "signed", "--as", "olga"]),
        (3, "form_received".to_owned())
    );
    let accept = with(&["form", "accept", "1"], &TWO);
    assert_eq!(place.fails(&accept), (3, "fingerprint".to_owned()));
    place.done(&["form", "refuse", "1", "--reason", "try again", "--as", "olga"]);
    assert_eq!(place.fails(&accept), (3, "form_state".to_owned()));
    let page = place.done(&["form", "print", "--number", "1", "--as", "uma"]);
    assert!(page[0]["text"].as_str().expect("a page").contains("try again"));
}

#[test]
fn no_file_holds_a_passphrase_or_a_test_key_in_clear() {
    let place = Place::with_centre("clear");
    place.done(&with(CUSTOMER, &TWO));
    place.done(&with(GROUP, &TWO));
    fs::write(place.path("safe/test.key"), "c3a1f0e97b2d4856\n").expect("a file can be written");
    let mut import = IMPORT.to_vec();
    import[2] = "safe/test.key";
    let imported = place.run(&with(&import, &TWO));
    assert_eq!(imported.status.code(), Some(0), "{}", text(&imported.stdout));
    place.done(&["form", "signatory", "maria", "-o", "maria.key"]);
    place.done(&with(&["backup", "backup"], &TWO));
    let raw = [0xC3, 0xA1, 0xF0, 0xE9, 0x7B, 0x2D, 0x48, 0x56];
    let mut secrets: Vec<Vec<u8>> =
        SECRETS.iter().map(|(_, secret)| secret.as_bytes().to_vec()).collect();
    secrets.extend([raw.to_vec(), b"c3a1f0e97b2d4856".to_vec(), b"C3A1F0E97B2D4856".to_vec()]);
    let mut files = Vec::new();
    for part in ["centre", "backup", "maria.key"] {
        gather(&place.path(part), &mut files);
    }
    assert!(files.len() >= 7, "{files:?}");
    for file in files {
        let bytes = fs::read(&file).expect("the file is there");
        for secret in &secrets {
            let shows = bytes.windows(secret.len()).any(|part| part == secret.as_slice());
            assert!(!shows, "{}", file.display());
        }
        let mode = file.metadata().expect("the file is there").permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} is open to others: {mode:o}", file.display());
    }
}

#[test]
fn a_store_that_is_not_its_owners_alone_is_not_opened() {
    let place = Place::with_centre("not-private");
    place.done(&with(CUSTOMER, &TWO));
    place.done(&with(&["backup", "backup"], &TWO));
    let store = place.path("centre/centre.db");
    let list = ["customer", "list", "--as", "uma"];
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    };
    let refuses = |command: &[&str], found: &str| {
        let output = place.run(command);
        assert_eq!(output.status.code(), Some(2), "{command:?} {found}");
        let said = text(&output.stdout);
        for part in ["not_private", "centre.db", found, "chmod 600"] {
            assert!(said.contains(part), "{command:?}: {part}: {said}");
        }
    };
    for mode in [0o640, 0o620, 0o604, 0o602, 0o666] {
        allow(&store, mode);
        let before = fs::read(&store).expect("it is ours");
        refuses(&list, &format!("found {mode:04o}"));
        assert_eq!(fs::read(&store).expect("it is ours"), before, "it is left alone");
    }
    allow(&store, 0o600);
    for beside in ["centre.db-wal", "centre.db-shm"] {
        let beside = place.path("centre").join(beside);
        fs::write(&beside, "").expect("the directory is ours");
        allow(&beside, 0o666);
        refuses(&list, "found 0666");
        fs::remove_file(&beside).expect("it is ours");
    }
    let elsewhere = place.path("elsewhere.db");
    fs::rename(&store, &elsewhere).expect("it is ours");
    std::os::unix::fs::symlink(&elsewhere, &store).expect("the directory is ours");
    refuses(&list, "expected a regular file");
    fs::remove_file(&store).expect("it is ours");
    fs::rename(&elsewhere, &store).expect("it is ours");
    assert_eq!(place.done(&list).len(), 1);

    let copy = place.path("backup/centre.db");
    fs::rename(place.path("centre"), place.path("lost")).expect("it can be moved");
    let restore = with(&["restore", "backup"], &TWO);
    allow(&copy, 0o644);
    refuses(&restore, "found 0644");
    assert!(!place.path("centre").exists(), "nothing was made");
    allow(&copy, 0o600);
    place.done(&restore);
    assert_eq!(place.done(&list).len(), 1);
}

/// Every file under a path.
fn gather(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("the directory is there") {
            gather(&entry.expect("an entry").path(), files);
        }
    } else {
        files.push(path.to_owned());
    }
}

#[test]
fn a_back_up_makes_the_same_centre_and_overwrites_none() {
    let place = Place::with_centre("backup");
    place.done(&with(CUSTOMER, &TWO));
    place.done(&with(GROUP, &TWO));
    place.done(&with(KEY, &TWO));
    let keys = place.done(&["key", "list", "--as", "uma"]);
    place.done(&with(&["backup", "copy"], &TWO));
    assert_eq!(place.fails(&with(&["backup", "copy"], &TWO)), (2, "file_exists".to_owned()));
    assert_eq!(place.fails(&with(&["restore", "copy"], &TWO)), (2, "not_empty".to_owned()));
    fs::rename(place.path("centre"), place.path("lost")).expect("it can be moved");
    place.done(&with(&["restore", "copy"], &TWO));
    assert_eq!(place.done(&["key", "list", "--as", "uma"]), keys);
    assert_eq!(place.done(&["report", "orphans", "--as", "uma"]), Vec::<Value>::new());
    fs::rename(place.path("centre"), place.path("restored")).expect("it can be moved");
    worthless_stores_are_not_restored(&place);
    fs::create_dir(place.path("centre")).expect("it can be made");
    fs::write(place.path("centre/notes"), "").expect("it can be written");
    assert_eq!(place.fails(&with(&["restore", "copy"], &TWO)), (2, "not_empty".to_owned()));
    assert_eq!(names(&place.path("centre")), ["notes"]);
    fs::remove_dir_all(place.path("centre")).expect("it can be removed");
    let mut bytes = fs::read(place.path("copy/vault.backup")).expect("it was written");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(place.path("copy/vault.backup"), bytes).expect("it can be written");
    assert_eq!(place.fails(&with(&["restore", "copy"], &TWO)), (3, "damaged".to_owned()));
}

/// Every store that does not belong to the vault of the back-up `copy` is refused, and nothing is made or changed.
fn worthless_stores_are_not_restored(place: &Place) {
    let store = place.path("copy/centre.db");
    let right = fs::read(&store).expect("it was written");
    let before = names(&place.path("copy"));
    let other = Place::empty("backup-other");
    other.done(&["init", "--id", "KC-2", "--test", "--custodian", "ann", "--custodian", "ben"]);
    other.done(&with(&["backup", "copy"], &TWO));
    let others = fs::read(other.path("copy/centre.db")).expect("it was written");
    let cut = right[..right.len() / 2].to_vec();
    for (bytes, code) in [
        (b"nonsense ".repeat(1000), "store_not_a_database"),
        (Vec::new(), "not_set_up"),
        (others, "other_centre"),
        (cut, "damaged"),
    ] {
        fs::write(&store, &bytes).expect("it can be written");
        assert_eq!(place.fails(&with(&["restore", "copy"], &TWO)), (3, code.to_owned()));
        assert!(!place.path("centre").exists(), "{code}");
        assert_eq!(fs::read(&store).expect("it is there"), bytes, "{code}");
        assert_eq!(names(&place.path("copy")), before);
    }
    fs::remove_file(&store).expect("it can be removed");
    assert_eq!(place.fails(&with(&["restore", "copy"], &TWO)), (2, "not_there".to_owned()));
    fs::write(&store, right).expect("it can be written");
    fs::set_permissions(&store, fs::Permissions::from_mode(0o600)).expect("it is ours");
}

/// The names in a directory, in order.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().expect("text")).collect();
    names.sort();
    names
}

#[test]
fn what_belongs_to_another_seal_is_refused() {
    let place = Place::with_centre("seal-flags");
    for flags in [
        &["--new-key-file", "k1"][..],
        &["--seal", "key-file", "--new-key-file", "k1", "--pkcs11-token", "t"],
        &["--key-file", "k1"],
    ] {
        assert_eq!(place.fails(&with(&[&["seal"], flags].concat(), &TWO)).1, "flag", "{flags:?}");
        assert!(!place.path("k1").exists(), "{flags:?}");
    }
}

#[test]
fn a_directory_of_secrets_that_is_none_is_named() {
    let place = Place::with_centre("secrets");
    for secrets in ["nowhere", "centre/centre.db"] {
        let refused = place.raw(&["kmc", "finish", "--dir", "centre", "--secrets", secrets]);
        assert_eq!(refused.status.code(), Some(2));
        let message = text(&refused.stderr);
        assert!(message.contains(secrets) && message.contains("--secrets"), "{message}");
    }
}

#[test]
fn a_signatory_has_both_files_or_none() {
    let place = Place::with_centre("signatory-files");
    fs::write(place.path("there"), "").expect("it can be written");
    for files in [["new", "there"], ["there", "new"]] {
        let made = ["form", "signatory", "ann", "-o", files[0], "--public", files[1]];
        assert_eq!(place.fails(&made), (2, "file_exists".to_owned()), "{files:?}");
        assert!(!place.path("new").exists(), "{files:?}");
    }
}

#[test]
fn vault_and_store_of_different_centres_do_not_work_together() {
    let place = Place::with_centre("mixed");
    let other = Place::empty("mixed-other");
    other.done(&[
        "init",
        "--id",
        "KC-2",
        "--test",
        "--custodian",
        "ann",
        "--custodian",
        "ben",
        "--auditor",
        "uma",
    ]);
    fs::copy(other.path("centre/centre.db"), place.path("centre/centre.db"))
        .expect("it can be copied");
    assert_eq!(place.fails(&["key", "list", "--as", "uma"]), (3, "database_state".to_owned()));
    fs::remove_file(place.path("centre/centre.db")).expect("it can be removed");
    assert_eq!(place.fails(&["key", "list", "--as", "uma"]), (2, "not_there".to_owned()));
    fs::write(place.path("centre/centre.db"), "nonsense ".repeat(1000)).expect("it can be written");
    fs::set_permissions(place.path("centre/centre.db"), fs::Permissions::from_mode(0o600))
        .expect("it is ours");
    assert_eq!(place.fails(&["key", "list", "--as", "uma"]).1, "store_not_a_database");
}

/// Makes only the vault of a centre, as an interrupted `init` does.
fn vault_alone(place: &Place) {
    let secret = |name: &str| {
        let found = SECRETS.iter().find(|(of, _)| *of == name).expect("somebody known");
        Secret::from(found.1.to_owned())
    };
    let people = [
        ("ann", Role::Custodian),
        ("ben", Role::Custodian),
        ("olga", Role::Operator),
        ("uma", Role::Auditor),
    ];
    let people = people.map(|(name, role)| (name.parse().expect("a name"), role, secret(name)));
    let users =
        people.each_ref().map(|(name, role, passphrase)| NewUser { name, role: *role, passphrase });
    let seal = secret("seal");
    let setup = CentreSetup {
        centre: &"KC-1".parse().expect("a name"),
        unlock: Unlock::Passphrase(&seal),
        users: &users,
        valid_days: CentreSetup::VALID_DAYS,
        insecure_test: true,
    };
    let directory = Directory::create(place.path("centre/vault")).expect("it can be made");
    let vault = setup.make(directory.into_place(SystemClock)).expect("a vault");
    vault.close().expect("it can be written");
}

#[test]
fn a_store_that_was_lost_is_not_begun_anew() {
    let place = Place::empty("lost");
    vault_alone(&place);
    let store = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(place.path("centre/centre.db"));
    drop(store.expect("it can be made"));
    let empty = || {
        fs::write(place.path("centre/centre.db"), "").expect("it can be written");
        for beside in ["centre/centre.db-wal", "centre/centre.db-shm"] {
            let _ = fs::remove_file(place.path(beside));
        }
    };
    // Cut while it was made: nothing is lost, and the next command of an operator sets it up.
    assert_eq!(place.fails(&["customer", "list", "--as", "uma"]), (3, "not_set_up".to_owned()));
    place.done(&["customer", "list", "--as", "olga"]);
    place.done(&with(CUSTOMER, &TWO));
    place.done(&with(GROUP, &TWO));
    place.done(&with(KEY, &TWO));
    empty();
    assert_eq!(place.fails(&["key", "list", "--as", "olga"]), (3, "database_state".to_owned()));
}

/// Replaces a text in a file by another of the same length, everywhere.
fn replace(path: &Path, from: &str, to: &str) {
    let mut bytes = fs::read(path).expect("it is there");
    let places: Vec<usize> = bytes
        .windows(from.len())
        .enumerate()
        .filter_map(|(place, part)| (part == from.as_bytes()).then_some(place))
        .collect();
    assert!(!places.is_empty(), "{from}");
    places.into_iter().for_each(|place| {
        bytes[place..place + from.len()].copy_from_slice(to.as_bytes());
    });
    fs::write(path, bytes).expect("it is ours");
}

#[test]
fn a_row_that_somebody_else_changed_is_refused_until_two_custodians_adopt_it() {
    let place = Place::with_centre("changed");
    place.done(&with(CUSTOMER, &TWO));
    let list = ["customer", "list", "--as", "uma"];
    let verify = ["verify", "--as", "uma"];
    let verified = place.done(&verify);
    assert_eq!(verified[0]["state"], 2, "set up, and a customer");
    assert_eq!(verified[0]["rows"], 4, "centre, customer and two entries of the journal");
    place.done(&with(&["backup", "copy"], &TWO));

    replace(&place.path("centre/centre.db"), "m@example.com", "e@example.com");
    let said = text(&place.run(&list).stdout);
    assert!(said.contains("the row customer number 1 was changed from outside"), "{said}");
    for command in [&list[..], &verify, &with(GROUP, &TWO)] {
        assert_eq!(place.fails(command), (3, "database_changed".to_owned()), "{command:?}");
    }
    place.done(&["report", "journal", "--as", "uma"]); // What was not changed can be read.

    // The copy in a back-up is refused too, before anything is made.
    fs::rename(place.path("centre"), place.path("kept")).expect("it can be moved");
    replace(&place.path("copy/centre.db"), "m@example.com", "e@example.com");
    let restore = with(&["restore", "copy"], &TWO);
    assert_eq!(place.fails(&restore), (3, "database_changed".to_owned()));
    assert!(!place.path("centre").exists(), "nothing was made");
    fs::rename(place.path("kept"), place.path("centre")).expect("it can be moved");

    assert!(place.run(&["adopt", "--as", "olga"]).status.code() != Some(0), "it takes two");
    let shown = place.done(&with(&["adopt"], &TWO));
    let digest = shown.last().expect("a digest")["digest"].as_str().expect("a text").to_owned();
    assert_eq!(place.fails(&list).1, "database_changed", "showing it changes nothing");
    let zeros = "0".repeat(64);
    let other = with(&["adopt", "--accept", &zeros], &TWO);
    assert_eq!(place.fails(&other), (3, "database_other".to_owned()));
    place.done(&with(&["adopt", "--accept", &digest], &TWO));
    assert_eq!(place.done(&list)[0]["address"], "e@example.com");
    assert_eq!(place.done(&verify)[0]["digest"], digest.as_str());
    let log = place.done(&["audit", "list", "--as", "uma"]);
    let adopted: Vec<_> = log.iter().filter(|entry| entry["kind"] == "database_adopted").collect();
    assert_eq!(adopted.len(), 1);
    assert_eq!(adopted[0]["by"], serde_json::json!(["ann", "ben"]));
    place.done(&with(GROUP, &TWO));
}

#[test]
fn an_old_database_and_an_old_vault_are_each_refused_beside_the_other() {
    let place = Place::with_centre("old");
    let list = ["customer", "list", "--as", "uma"];
    let (now, old) = (place.path("centre"), place.path("old"));
    let copy = |from: &Path, to: &Path| {
        let copied = std::process::Command::new("cp").arg("-r").arg(from).arg(to).status();
        assert!(copied.expect("cp runs").success());
    };
    copy(&now, &old);
    place.done(&with(CUSTOMER, &TWO));
    let new = place.path("new");
    copy(&now, &new);
    for (part, said) in [
        ("centre.db", "the database is older than the vault: expected state 2, found 1"),
        ("vault", "the vault is older than the database: expected state 1, found 2"),
    ] {
        fs::remove_dir_all(&now).expect("it is ours");
        copy(&new, &now);
        let put = now.join(part);
        let _ = fs::remove_file(&put).or_else(|_| fs::remove_dir_all(&put));
        copy(&old.join(part), &put);
        let output = place.run(&list);
        assert_eq!(output.status.code(), Some(3), "{part}");
        let found = text(&output.stdout);
        assert!(found.contains(said) && found.contains("database_state"), "{part}: {found}");
    }
    fs::remove_dir_all(&now).expect("it is ours");
    copy(&new, &now);
    assert_eq!(place.done(&list).len(), 1);
}

#[test]
fn commands_at_the_same_time_wait_for_each_other() {
    let place = Place::with_centre("together");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                place.done(&with(CUSTOMER, &[&TWO[..], &["--wait", "120"]].concat()));
            });
        }
    });
    let customers = place.done(&["customer", "list", "--as", "uma"]);
    let numbers: Vec<u64> = customers.iter().filter_map(|row| row["customer"].as_u64()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_centre_with_three_custodians_is_made_and_its_log_is_listed_locked() {
    let place = Place::empty("three");
    let people = [&TWO[..], &["--custodian", "olga"]].concat();
    let made = place.done(&with(&["init", "--id", "KC-1", "--test"], &people));
    assert_eq!(made[0]["custodians"], serde_json::json!(["ann", "ben", "olga"]));
    assert_eq!((&made[0]["seal"], &made[0]["test"]), (&"passphrase".into(), &true.into()));
    let locked = place.done(&["audit", "list"]);
    assert_eq!((&locked[0]["kind"], &locked[0]["test"]), (&"created".into(), &true.into()));
    assert_eq!(place.done(&["audit", "list", "--as", "ann"]).len(), locked.len() + 1);
    place.done(&["user", "list", "--custodian", "ben", "--custodian", "olga"]);
}

#[test]
fn a_wrong_passphrase_makes_the_next_try_wait() {
    let place = Place::with_centre("slow");
    let wrong = ["key", "list", "--as", "olga", "--secret", "olga=safe/uma"];
    let codes: Vec<String> = (0..5).map(|_| place.fails(&wrong).1).collect();
    assert_eq!(codes[..2], ["sign_in", "sign_in"]);
    assert!(codes.iter().any(|code| code == "sign_in_wait"), "{codes:?}");
}

#[test]
fn a_new_seal_opens_the_centre_and_the_old_one_does_not() {
    let place = Place::with_centre("seal");
    let alone = place.run(&["seal", "--custodian", "ann"]);
    assert_ne!(alone.status.code(), Some(0), "one custodian alone");
    place.done(&["seal", "--custodian", "ann", "--custodian", "ben"]);

    let old = place.run(&["report", "journal", "--as", "uma"]);
    assert_eq!(old.status.code(), Some(3), "{}", text(&old.stdout));
    assert!(text(&old.stdout).contains("wrong_secret"), "{}", text(&old.stdout));

    let new = place.0.join("safe/seal.new");
    fs::rename(new, place.0.join("safe/seal")).expect("a file can be renamed");
    place.done(&["report", "journal", "--as", "uma"]);

    // A key file takes the place of the passphrase.
    let custodians = ["--custodian", "ann", "--custodian", "ben"];
    place.done(
        &[&["seal", "--seal", "key-file", "--new-key-file", "centre.key"], &custodians[..]]
            .concat(),
    );
    place.done(&["report", "journal", "--as", "uma", "--key-file", "centre.key"]);
}

#[test]
fn a_group_needs_a_name() {
    let place = Place::with_centre("nameless");
    place.done(&with(CUSTOMER, &TWO));
    let nameless: Vec<&str> =
        GROUP.iter().map(|&word| if word == "North" { "" } else { word }).collect();
    assert_eq!(place.fails(&with(&nameless, &TWO)), (2, "flag".to_owned()));
    place.done(&with(GROUP, &TWO));
    let rename = ["group", "rename", "000123", "--name", ""];
    assert_eq!(place.fails(&with(&rename, &TWO)), (2, "flag".to_owned()));
}

#[test]
fn a_backup_that_fails_half_way_leaves_nothing() {
    let place = Place::with_centre("half");
    let blocks = fs::metadata(place.path("centre/centre.db")).expect("the store").len() / 512 / 2;
    // Writing fails beyond this size, as it does on a full disk.
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let backup = with(&["kmc", "backup", "copy", "--dir", "centre", "--secrets", "safe"], &TWO);
    let output = Command::new("sh")
        .args(["-c", &limited, env!("CARGO_BIN_EXE_prepay")])
        .args(&backup)
        .current_dir(&place.0)
        .output()
        .expect("the program ends");
    assert!(!output.status.success(), "{}", text(&output.stdout));
    assert!(!place.path("copy").exists(), "{}", text(&output.stderr));
    place.done(&with(&["backup", "copy"], &TWO));
}

#[test]
fn an_interrupted_init_says_what_is_there_and_what_to_do() {
    let place = Place::with_centre("cut");
    fs::remove_file(place.path("centre/centre.db")).expect("the store can be removed");
    let init = ["init", "--id", "KC-1", "--test", "--custodian", "ann", "--custodian", "ben"];
    for command in [&["customer", "list", "--as", "olga"][..], &init] {
        let output = place.run(command);
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        let told = text(&output.stdout);
        assert!(
            told.contains("has a vault and no centre.db: if kmc init was interrupted"),
            "{told}"
        );
    }
}
