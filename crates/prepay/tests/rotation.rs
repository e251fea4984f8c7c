//! The audit log rotated, archived and verified from the command line and through a service.

mod module_kit;

use std::fs;
use std::thread;

use module_kit::service::{Running, credit, workplace};
use module_kit::{Centre, METER, PAIR, PEOPLE, Workplace};
use serde_json::{Value, json};

#[test]
fn segments_are_archived_and_verified_alone_and_as_one_chain() {
    let workplace = Workplace::new("rotation");
    workplace.init("");
    let mut segments = Vec::new();
    for who in ["uwe", "ann", "uwe"] {
        let rotated = workplace.object(&format!("audit rotate --as {who}"));
        let name = rotated["segment"].as_str().unwrap().to_owned();
        let length = workplace.path("module").join(&name).metadata().unwrap().len();
        assert_eq!(rotated["length"], length);
        segments.push((name, rotated));
    }
    let end = &segments[0].1["last"];
    assert_eq!(segments[0].0, format!("audit-1-{end}.log"));
    assert_eq!(workplace.refused(3, "audit rotate --as olga"), "forbidden");
    let whole = workplace.object("audit verify --as uwe");
    assert_eq!(whole.get("absent"), None);
    let all = workplace.rows("audit list");
    assert_eq!(all.len() as u64, whole["entries"].as_u64().unwrap());

    // A place in the vault's own directory, or one person: nothing moves.
    let inside = format!("audit archive --to {{module}} {PAIR}");
    assert_eq!(workplace.refused(3, &inside), "audit_archive");
    assert_eq!(workplace.refused(3, "audit archive --to {archive} --as ann"), "forbidden");
    assert!(segments.iter().all(|(name, _)| workplace.path("module").join(name).exists()));
    // A damaged file of that name is there already: it is not taken for a copy.
    fs::create_dir(workplace.path("archive")).unwrap();
    let first = workplace.path("archive").join(&segments[0].0);
    let mut wrong = fs::read(workplace.path("module").join(&segments[0].0)).unwrap();
    wrong[150] ^= 1;
    fs::write(&first, wrong).unwrap();
    let archive = format!("audit archive --to {{archive}} {PAIR}");
    assert_eq!(workplace.refused(3, &archive), "audit_entry");
    assert!(segments.iter().all(|(name, _)| workplace.path("module").join(name).exists()));
    fs::remove_file(&first).unwrap();

    let moved = workplace.rows(&archive);
    assert_eq!(moved, segments.iter().map(|(_, record)| record.clone()).collect::<Vec<_>>());
    assert!(segments.iter().all(|(name, _)| !workplace.path("module").join(name).exists()));
    assert_eq!(workplace.rows(&archive), Vec::<Value>::new(), "nothing is left to move");

    let here = workplace.object("audit verify --as uwe");
    let absent: Vec<Value> =
        segments.iter().map(|(_, record)| json!([record["first"], record["last"]])).collect();
    assert_eq!(here["absent"], Value::from(absent));
    let told = workplace.succeed("audit verify --as uwe");
    let named = format!("not here: entries 1 to {end}, in archived segments or lost at a repair");
    assert!(told.contains(&named), "{told}");
    let listed = workplace.rows("audit list --as uwe");
    assert_eq!(listed[0]["kind"], "log_rotated");
    let whole = workplace.object("audit verify --as uwe --segment {archive}");
    assert_eq!(whole.get("absent"), None);
    assert_eq!(whole["authenticated"], true);
    let chain = workplace.object("audit verify --segment {archive}");
    assert_eq!((&chain["entries"], &chain["authenticated"]), (&whole["entries"], &false.into()));
    // A name that the vault does not list is not passed over, and neither is a directory without segments.
    fs::create_dir(workplace.path("others")).unwrap();
    assert_eq!(workplace.refused(3, "audit verify --as uwe --segment {others}"), "audit_archive");
    fs::copy(
        workplace.path("archive").join(&segments[0].0),
        workplace.path("others/audit-1-2.log"),
    )
    .unwrap();
    assert_eq!(workplace.refused(3, "audit verify --as uwe --segment {others}"), "audit_archive");
    // What was noted within an archived segment is found with it only.
    let mark = all[0]["mark"].as_str().unwrap();
    assert_eq!(workplace.refused(3, &format!("audit verify --noted {mark}")), "audit_noted");
    workplace.succeed(&format!("audit verify --noted {mark} --segment {{archive}}"));

    // On an auditor's computer, without the vault.
    let alone = |flags: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_prepay"));
        command.args(["module", "audit", "verify", "--json"]);
        for word in flags.split_ascii_whitespace() {
            command.arg(match word.strip_prefix('@') {
                Some(name) => workplace.path(name).into_os_string(),
                None => word.into(),
            });
        }
        let output = command.output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), answer)
    };
    let (status, answer) = alone("--segment @archive");
    assert_eq!((status, &answer["last"]), (Some(0), &segments[2].1["mark"]));
    let (status, answer) = alone(&format!("--segment @archive/{}", segments[1].0));
    assert_eq!(status, Some(0));
    assert_eq!(answer["last"], segments[1].1["mark"]);
    assert_eq!(answer["before"], *end, "the entries of the first segment");
    let second = workplace.path("archive").join(&segments[1].0);
    let mut bytes = fs::read(&second).unwrap();
    let middle = bytes.len() - 60;
    bytes[middle] ^= 1;
    fs::write(&second, bytes).unwrap();
    let (status, answer) = alone("--segment @archive");
    assert_eq!((status, &answer["error"]["code"]), (Some(3), &"audit_entry".into()));
    assert!(answer["error"]["message"].as_str().unwrap().contains(&segments[1].0), "{answer}");
    let (status, answer) = alone("--segment @secrets/ann");
    assert_eq!((status, &answer["error"]["code"]), (Some(3), &"audit_archive".into()));
}

#[test]
fn a_log_is_rotated_by_a_command_after_tokens_were_issued_by_commands() {
    let workplace = Workplace::new("rotation-after-tokens");
    workplace.init("--window none");
    workplace.join(&Centre::new("KMC-1"));
    let credit = |name: &str| {
        let credit = format!("issue credit --amount 1 --as olga --register 1 {METER}");
        workplace.succeed(&format!("{credit} --tid {} --request-id {name}", 9_000_000))
    };
    let before = credit("sale-1");
    workplace.succeed("audit rotate --as uwe");
    assert_eq!(credit("sale-1"), before);
    workplace.succeed(&format!("audit rotate {PAIR}"));
    assert_eq!(credit("sale-1"), before);
    workplace.succeed("audit verify --as uwe");
}

#[test]
fn a_centre_rotates_and_archives_its_log_too() {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("kmc-rotation");
    let workplace = Workplace::new("kmc-rotation");
    let _ = fs::remove_dir_all(&folder);
    let kmc = |arguments: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_prepay"));
        command.args(["--json", "kmc"]).arg("--dir").arg(&folder);
        command.arg("--secrets").arg(workplace.path("secrets"));
        command.args(arguments.split_ascii_whitespace());
        let output = command.output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let answer = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments}: {answer}{told}");
        answer
    };
    kmc(&format!("init --id KMC-1 {PEOPLE} --test"));
    let rotated: Value = serde_json::from_str(&kmc("audit rotate --as uwe")).unwrap();
    assert_eq!(rotated["first"], 1);
    kmc(&format!("audit archive --to {} {PAIR}", workplace.path("archive").display()));
    let verify = format!("audit verify --as uwe --segment {}", workplace.path("archive").display());
    let verified: Value = serde_json::from_str(&kmc(&verify)).unwrap();
    assert_eq!((&verified["authenticated"], verified.get("absent")), (&true.into(), None));
}

#[test]
fn a_service_rotates_its_log_while_eight_clients_issue() {
    const EACH: u64 = 400;
    let workplace = workplace("rotation-service", None);
    let service = Running::start(&workplace, "");
    let issue = |service: &Running, client: u64, from: u64, to: u64| {
        let mut connection = service.signed_in("olga");
        let mut numbers = Vec::new();
        for number in from..to {
            let answer = connection.ask(&credit(1 + client * EACH + number));
            let number = answer["number"].as_str();
            numbers.push(number.unwrap_or_else(|| panic!("{answer}")).to_owned());
        }
        numbers
    };
    let numbers: Vec<Vec<String>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|client| {
                let service = &service;
                scope.spawn(move || issue(service, client, 0, EACH))
            })
            .collect();
        let mut auditor = service.signed_in("uwe");
        for _ in 0..8 {
            let rotated = auditor.ask(&json!({"op": "audit_rotate"}));
            assert!(rotated["segment"].as_str().unwrap().starts_with("audit-"), "{rotated}");
            let verified = auditor.ask(&json!({"op": "audit_verify"}));
            assert_eq!(verified["authenticated"], true, "{verified}");
            assert_eq!(verified.get("absent"), None);
        }
        let mut operator = service.signed_in("olga");
        assert_eq!(operator.code(&json!({"op": "audit_rotate"})), "forbidden");
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    // The log read in pages goes over all segments.
    let mut auditor = service.signed_in("uwe");
    let (mut next, mut seen) = (json!(1), 0_u64);
    while !next.is_null() {
        let page = auditor.ask(&json!({"op": "audit", "from": next}));
        for entry in page["entries"].as_array().unwrap() {
            seen += 1;
            assert_eq!(entry["sequence"], seen);
        }
        next = page["next"].clone();
    }
    drop(auditor);
    let notes = service.end();
    assert!(notes.contains("auditor uwe rotated the audit log"), "{notes}");
    // After a restart, with a log that is rotated by itself: the same digits.
    let service = Running::start(&workplace, "--rotate-above 1");
    for client in [0, 7] {
        assert_eq!(issue(&service, client, 0, EACH), numbers[client as usize]);
    }
    drop(service.end());
    let verified = workplace.object("audit verify --as uwe");
    assert_eq!((&verified["authenticated"], verified.get("absent")), (&true.into(), None));
}
