//! A module served on a socket: sign-in, roles, limits, slow clients, and many clients at once.

mod module_kit;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use module_kit::service::{Running, credit, secret, workplace};
use module_kit::{PAIR, PAN, Workplace};
use serde_json::{Value, json};

#[test]
fn operators_an_auditor_and_a_back_up_use_one_open_module_at_the_same_time() {
    let workplace = workplace("service", None);
    let service = Running::start(&workplace, "");
    assert_eq!(workplace.path("socket").metadata().unwrap().permissions().mode() & 0o777, 0o660);
    // Another command finds the module in use, and another service the socket.
    assert_eq!(workplace.refused(2, "unlock --wait 0"), "in_use");
    let mut tokens = BTreeSet::new();
    thread::scope(|scope| {
        let operators: Vec<_> = (0..2_u64)
            .map(|operator| {
                let mut connection = service.signed_in("olga");
                scope.spawn(move || {
                    let mut numbers = Vec::new();
                    for round in 0..20 {
                        let ids: Vec<u64> =
                            (0..50).map(|id| (operator * 20 + round) * 50 + id).collect();
                        for &id in &ids {
                            connection.send(&credit(id));
                        }
                        for &id in &ids {
                            let answer = connection.next().unwrap();
                            assert_eq!(
                                (&answer["id"], &answer["test"]),
                                (&id.into(), &true.into())
                            );
                            let number = answer["number"].as_str();
                            numbers.push(number.unwrap_or_else(|| panic!("{answer}")).to_owned());
                        }
                    }
                    numbers
                })
            })
            .collect();
        let mut auditor = service.signed_in("uwe");
        let verified = auditor.ask(&json!({"op": "audit_verify"}));
        assert_eq!(verified["authenticated"], true, "{verified}");
        let noted = json!({"op": "audit_verify", "noted": verified["last"]});
        assert_eq!(auditor.ask(&noted)["authenticated"], true);
        let mut changed = verified["last"].as_str().unwrap().to_owned();
        changed.replace_range(changed.len() - 1.., "0");
        let other = if changed == verified["last"] { changed.replace("0", "1") } else { changed };
        assert_eq!(auditor.code(&json!({"op": "audit_verify", "noted": other})), "audit_noted");
        let page = auditor.ask(&json!({"op": "audit", "from": 2, "count": 3}));
        assert_eq!(page["entries"][0]["sequence"], 2);
        assert_eq!((page["entries"].as_array().unwrap().len(), &page["next"]), (3, &5.into()));
        let mut custodians = service.signed_in("ann");
        let backup = json!({"op": "backup", "first_passphrase": secret("ann.backup"),
            "second_passphrase": secret("bob.backup")});
        assert_eq!(custodians.code(&backup), "custodians");
        assert_eq!(custodians.sign_in("ann", secret("ann"))["error"]["code"], "custodians");
        assert_eq!(custodians.sign_in("bob", secret("bob"))["dual_control"], true);
        let made = custodians.ask(&backup);
        assert!(made["backup"].as_str().unwrap().len() > 1000, "{made}");
        for operator in operators {
            tokens.extend(operator.join().unwrap());
        }
    });
    assert_eq!(tokens.len(), 2000, "every token is another one");
    let notes = service.end();
    for part in ["signed in: operator olga", "custodian ann and bob made a back-up", "(user "] {
        assert!(notes.contains(part), "{part}: {notes}");
    }
    assert_eq!(workplace.object("unlock --as uwe")["transactions"], 2000);
    workplace.succeed("audit verify --as uwe");
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn two_custodians_start_the_service_of_a_module_of_shares_and_operators_issue() {
    let workplace = workplace("service-shares", None);
    workplace.succeed(&format!("seal --seal shares {PAIR}"));
    fs::remove_file(workplace.path("secrets").join("seal")).unwrap();
    // Neither an operator nor one custodian starts it.
    workplace.keep_bob_apart();
    for who in ["", "--share ann", "--share ann --share ann", "--share ann --share olga"] {
        let serve = format!("serve --socket {{socket}} {who}");
        assert_eq!(workplace.refused(2, &serve), "custodians", "{who}");
        assert!(!workplace.path("socket").exists(), "{who}");
    }
    let service = Running::start(&workplace, "--secrets {of-bob}");
    // They go, and with them their passphrases.
    fs::remove_dir_all(workplace.path("of-bob")).unwrap();
    fs::remove_file(workplace.path("secrets").join("ann")).unwrap();
    thread::scope(|scope| {
        for operator in 0..2_u64 {
            let mut connection = service.signed_in("olga");
            scope.spawn(move || {
                for id in 0..100 {
                    let id = operator * 100 + id;
                    assert_eq!(connection.ask(&credit(id))["id"], id);
                }
            });
        }
    });
    assert_eq!(service.signed_in("uwe").ask(&json!({"op": "status"}))["transactions"], 200);
    service.end();
    // Without them nobody has the module.
    for arguments in ["registers --as olga", "unlock --as olga", "serve --socket {socket}"] {
        assert_eq!(workplace.refused(2, arguments), "custodians", "{arguments}");
    }
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn each_role_may_do_its_own_and_nobody_anything_before_the_sign_in() {
    let workplace = workplace("service-roles", None);
    let service = Running::start(&workplace, "");
    let mut client = service.open();
    let questions = ["identify", "status", "clock", "registers", "audit", "audit_verify"];
    for op in questions {
        assert_eq!(client.code(&json!({ "op": op })), "not_signed_in", "{op}");
    }
    assert_eq!(client.code(&credit(1)), "not_signed_in");
    assert_eq!(client.code(&json!({"op": "nothing"})), "parameter");
    assert_eq!(client.ask(&json!({"op": "sign_out"}))["signed_out"], json!([]));
    assert_eq!(client.sign_in("olga", "wrong")["error"]["code"], "sign_in");
    assert_eq!(client.sign_in("nobody-we-know", "wrong")["error"]["code"], "sign_in");
    // (who, what may be asked, what is forbidden)
    for (name, allowed, forbidden) in [
        ("olga", &questions[..4], &questions[4..]),
        ("uwe", &questions[..], &[][..]),
        ("ann", &questions[..], &[][..]),
    ] {
        let mut client = service.signed_in(name);
        for op in allowed {
            let answer = client.ask(&json!({ "op": op }));
            assert!(answer["error"].is_null(), "{name} {op}: {answer}");
        }
        for op in forbidden {
            assert_eq!(client.code(&json!({ "op": op })), "forbidden", "{name} {op}");
        }
        let issued = client.ask(&credit(1));
        assert_eq!(issued["error"].is_null(), name == "olga", "{issued}");
        let answer = client.sign_in("uwe", secret("uwe"));
        let code = if name == "ann" { "custodians" } else { "signed_in_already" };
        assert_eq!(answer["error"]["code"], code, "{name}: {answer}");
        assert_eq!(client.ask(&json!({"op": "sign_out"}))["signed_out"], json!([name]));
        assert_eq!(client.code(&credit(2)), "not_signed_in");
        assert_eq!(client.sign_in("uwe", secret("uwe"))["role"], "auditor");
    }
    let notes = service.end();
    assert!(notes.contains("a sign-in was refused: sign_in"), "{notes}");
    assert!(!notes.contains("nobody-we-know"), "{notes}");
}

#[test]
fn a_client_that_is_silent_slow_or_one_too_many_holds_nobody_up() {
    let workplace = workplace("service-limits", None);
    let service = Running::start(&workplace, "--idle 4 --patience 2 --connections 4");
    // Silent before the sign-in, within a line, and one that trickles.
    let (mut silent, mut half, mut trickle) = (service.open(), service.open(), service.open());
    half.output.write_all(br#"{"op":"sign_in","#).unwrap();
    let mut good = service.signed_in("olga");
    let mut fifth = service.open();
    assert_eq!(fifth.next().unwrap()["error"]["code"], "too_many_connections");
    assert!(fifth.next().is_none());
    let begun = Instant::now();
    let mut ended = false;
    while begun.elapsed() < Duration::from_secs(10) && !ended {
        ended = trickle.output.write_all(b" ").is_err();
        assert_eq!(good.ask(&credit(1))["id"], 1);
        thread::sleep(Duration::from_millis(100));
    }
    assert!(ended, "one who sends a byte now and then is closed");
    for client in [&mut silent, &mut half] {
        assert_eq!(client.next().unwrap()["error"]["code"], "too_slow");
        assert!(client.next().is_none());
    }
    // An operator who asks for nothing is signed out; the connection stays for the next sign-in.
    thread::sleep(Duration::from_millis(4300));
    assert_eq!(good.code(&credit(2)), "session_ended");
    assert_eq!(good.sign_in("olga", secret("olga"))["role"], "operator");
    assert_eq!(good.ask(&credit(2))["id"], 2);
    // One who does not read what it asked for loses the connection; nobody waits for it.
    let mut deaf = service.signed_in("uwe");
    let questions = "{\"op\":\"registers\"}\n".repeat(1000);
    deaf.output.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    let begun = Instant::now();
    while deaf.output.write_all(questions.as_bytes()).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the service reads and reads");
    }
    // A line that is too long is answered, and the next one too.
    let mut long = service.signed_in("olga");
    long.output.write_all(&vec![b'x'; 200_000]).unwrap();
    long.output.write_all(b"\n").unwrap();
    assert_eq!(long.next().unwrap()["error"]["code"], "bad_json");
    assert_eq!(long.ask(&credit(3))["id"], 3);
    let notes = service.end();
    assert!(notes.contains("the client was too slow"), "{notes}");
}

#[test]
fn only_the_users_that_were_named_are_served() {
    let workplace = workplace("service-users", None);
    let own = fs::metadata(workplace.path("module")).unwrap();
    let own = std::os::unix::fs::MetadataExt::uid(&own);
    let service = Running::start(&workplace, &format!("--allow-uid {}", own + 1));
    let mut client = service.open();
    assert_eq!(client.next().unwrap()["error"]["code"], "user_refused");
    service.end();
    let service = Running::start(&workplace, &format!("--allow-uid {} --allow-uid {own}", own + 1));
    service.signed_in("olga");
    service.end();
}

#[test]
fn guessing_passphrases_waits_and_lets_others_issue() {
    let workplace = workplace("service-guess", None);
    let service = Running::start(&workplace, "");
    let mut good = service.signed_in("olga");
    thread::scope(|scope| {
        let guessers: Vec<_> = (0..6)
            .map(|_| {
                let mut client = service.open();
                scope.spawn(move || {
                    let guess = |_| client.sign_in("uwe", "a guess")["error"]["code"].clone();
                    (0..10).map(guess).collect::<Vec<_>>()
                })
            })
            .collect();
        for id in 0..200 {
            assert_eq!(good.ask(&credit(id))["id"], id);
        }
        let codes = guessers.into_iter().flat_map(|guesser| guesser.join().unwrap());
        let waits = codes.filter(|code| *code == "sign_in_wait" || *code == "sign_in_busy");
        assert!(waits.count() > 40, "most guesses are not even looked at");
    });
    service.end();
}

#[test]
fn a_bit_that_flips_in_the_log_is_an_alarm_while_the_service_runs() {
    let workplace = workplace("service-verify", None);
    let log = workplace.path("module").join("audit.log");
    let flip = || {
        let mut bytes = fs::read(&log).unwrap();
        bytes[300] ^= 1;
        let file = fs::OpenOptions::new().write(true).open(&log).unwrap();
        std::os::unix::fs::FileExt::write_at(&file, &bytes[300..=300], 300).unwrap();
    };
    let service = Running::start(&workplace, "--verify-every 1");
    let mut operator = service.signed_in("olga");
    let status = || {
        let begun = Instant::now();
        move |operator: &mut module_kit::service::Connection, is_right: bool| loop {
            let status = operator.ask(&json!({"op": "status"}));
            let verified = &status["verified"];
            if !verified.is_null() && verified["problem"].is_null() == is_right {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{status}");
            thread::sleep(Duration::from_millis(100));
        }
    };
    let right = status()(&mut operator, true);
    assert!(right["verified"]["entries"].as_u64().unwrap() > 10, "{right}");
    assert_eq!(operator.ask(&credit(1))["id"], 1);
    flip();
    let wrong = status()(&mut operator, false);
    assert!(wrong["verified"]["problem"].as_str().unwrap().contains("entry"), "{wrong}");
    assert!(wrong["alerts"][0].as_str().unwrap().contains("did not verify"), "{wrong}");
    assert_eq!(operator.ask(&credit(2))["id"], 2, "{wrong}");
    assert!(operator.ask(&credit(2))["number"].is_string());
    let shown = workplace.service_command("status --as uwe").output().unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("! the audit log did not verify: "), "{shown}");
    flip();
    status()(&mut operator, true);
    let notes = service.end();
    assert!(notes.contains("ALARM: the audit log did not verify: entry"), "{notes}");
    assert!(notes.contains("verified the audit log: "), "{notes}");

    // Whoever wants it so has the service end.
    let service = Running::start(&workplace, "--verify-every 1 --on-damage stop");
    flip();
    let (answer, status) = service.ended();
    assert_eq!((&answer["error"]["code"], status), (&json!("audit_entry"), Some(3)), "{answer}");
    assert!(!workplace.path("socket").exists());
    assert_eq!(workplace.refused(3, "audit verify --as uwe"), "audit_entry");
}

#[test]
fn a_service_that_is_told_to_end_answers_what_arrived_and_takes_no_more() {
    let workplace = workplace("service-end", None);
    let service = Running::start(&workplace, "");
    let mut clients: Vec<_> = (0..3).map(|_| service.signed_in("olga")).collect();
    for (place, client) in (0_u64..).zip(&mut clients) {
        for id in 0..300 {
            client.send(&credit(place * 300 + id));
        }
        assert_eq!(client.next().unwrap()["id"], place * 300);
    }
    service.end();
    let answered = clients.iter_mut().map(|client| std::iter::from_fn(|| client.next()).count());
    let answered = answered.sum::<usize>() + 3;
    let counted = workplace.object("unlock --as uwe")["transactions"].as_u64().unwrap();
    assert_eq!(counted, answered as u64, "each answer left, and nothing else was made");
    workplace.succeed("audit verify --as uwe");
}

#[test]
fn a_second_service_and_a_file_that_is_no_socket_are_refused() {
    let workplace = workplace("service-socket", None);
    fs::write(workplace.path("important"), "a file").unwrap();
    assert_eq!(workplace.refused(2, "serve --socket {important}"), "file_exists");
    assert_eq!(workplace.text("important"), "a file");
    assert_eq!(workplace.refused(2, "serve"), "flag");
    assert_eq!(workplace.refused(2, "serve --socket {socket} --group no-such-group"), "flag");
    let service = Running::start(&workplace, "");
    assert_eq!(workplace.refused(2, "serve --socket {socket} --wait 0"), "in_use");
    // A copy of the module, so that it is the socket that is in use.
    let paths = ["module", "copy"].map(|name| workplace.path(name));
    assert!(Command::new("cp").arg("-a").args(paths).status().unwrap().success());
    assert_eq!(workplace.refused(2, "serve --dir {copy} --socket {socket}"), "in_use");
    service.signed_in("olga");
    service.end();
}

/// Runs a command at the module and at its service, and compares what they print.
fn same(workplace: &Workplace, at_module: &str, status: i32, arguments: &str) {
    let output = workplace.service_command(arguments).output().unwrap();
    workplace.keep(&output);
    let found = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(status), "{arguments}: {found}{errors}");
    assert_eq!(found, at_module, "{arguments}");
}

#[test]
fn the_commands_print_the_same_at_a_service_as_at_the_module() {
    let workplace = workplace("service-commands", Some(5000));
    let meter = format!("--pan {PAN} --ti 01");
    let key = format!("--register 1 {meter}");
    let issue =
        |id: &str, rest: &str| format!("issue credit {key} {rest} --request-id {id} --as olga");
    let token = workplace.object(&issue("first", "--amount 5 --tid 9000000"))["number"].clone();
    let token = token.as_str().unwrap();
    let commands = [
        (0, issue("first", "--amount 5 --tid 9000000")),
        (3, issue("first", "--amount 6 --tid 9000000")),
        (3, issue("second", "--amount 500000 --tid 9000001")),
        (0, format!("issue key-change --from 1 --to 2 {meter} --request-id change --as olga")),
        (3, format!("issue credit {key} --amount 1 --as uwe")),
        (0, format!("verify {token} {key} --as olga")),
        (3, format!("verify 00000000000000000001 {key} --as olga")),
        (0, "registers --as uwe".to_owned()),
        (0, "registers --as olga".to_owned()),
        (0, format!("registers {PAIR}")),
        (0, "audit list --count 7 --as uwe".to_owned()),
        (0, "audit list --from 3 --count 2 --as uwe".to_owned()),
        (3, "audit list --as olga".to_owned()),
        (3, "audit verify --as olga".to_owned()),
    ];
    let commands: Vec<(i32, String)> = commands
        .into_iter()
        .flat_map(|(status, command)| [(status, format!("--json {command}")), (status, command)])
        .collect();
    // Once, so that the second answers of both are those to a repeated request.
    for (status, command) in &commands {
        workplace.ends(*status, command);
    }
    let at_module: Vec<String> =
        commands.iter().map(|(status, command)| workplace.ends(*status, command)).collect();
    let service = Running::start(&workplace, "");
    for ((status, command), expected) in commands.iter().zip(&at_module) {
        same(&workplace, expected, *status, command);
    }
    // What changes while the commands run, or has another file.
    let at_service = |arguments: &str| {
        let output = workplace.service_command(&format!("--json {arguments}")).output().unwrap();
        workplace.keep(&output);
        assert!(
            output.status.success(),
            "{arguments}: {}",
            String::from_utf8_lossy(&output.stdout)
        );
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    assert_eq!(at_service("status --as uwe")["test"], true);
    let verified = at_service("audit verify --as uwe");
    let noted = verified["last"].as_str().unwrap();
    at_service(&format!("audit verify --noted {noted} --as uwe"));
    let now = at_service(&format!(
        "issue management set-maximum-power-limit --watts 5000 {key} --as olga"
    ));
    assert_eq!(now["number"].as_str().unwrap().len(), 20);
    at_service(&format!("backup {{kept}} {PAIR}"));
    fs::write(workplace.path("lines"), format!("{}\n{}", credit(7), json!({"op": "clock"})))
        .unwrap();
    let session = "unlock --session {lines} --as olga";
    let output = workplace.service_command(session).output().unwrap();
    assert!(output.status.success());
    assert_eq!(output.stdout.split(|byte| *byte == b'\n').count(), 3);
    for (status, code, arguments) in [
        (2, "flag", "witness show --as uwe"),
        (2, "flag", "unlock --as uwe"),
        (2, "flag", "registers --dir {module} --as uwe"),
        (2, "file", "registers --socket {nowhere} --as uwe"),
        (3, "sign_in", "registers --as nobody"),
    ] {
        workplace.put_secret("nobody", "not the right words");
        let output = workplace.service_command(&format!("--json {arguments}")).output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments}: {answer}");
        assert_eq!(answer["error"]["code"], code, "{arguments}: {answer}");
    }
    service.end();
    workplace.assert_nothing_secret_was_printed();
    let restore = format!("restore {{kept}} --dir {{second}} {PAIR}");
    workplace.succeed(&restore);
    assert!(workplace.path("second").join("store").exists());
}

#[test]
fn a_log_server_follows_the_audit_log_and_goes_on_where_it_ended() {
    let workplace = workplace("follow", None);
    let service = Running::start(&workplace, "");
    let follow = |from: u64| {
        let arguments = format!("audit export --follow --from {from} --as uwe");
        workplace.service_command(&arguments).spawn().unwrap()
    };
    // The lines up to the one that issues a token, which comes while the log is followed.
    let until_issued = |child: &mut std::process::Child,
                        operator: &mut module_kit::service::Connection,
                        id| {
        let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let mut found = vec![lines.next().unwrap()];
        assert!(operator.ask(&credit(id))["number"].is_string());
        while found.last().unwrap()["kind"] != "issued" {
            found.push(lines.next().expect("the export waits for more"));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        found
    };
    let mut operator = service.signed_in("olga");
    let mut first = follow(1);
    let mut lines = until_issued(&mut first, &mut operator, 1);
    let next = lines.last().unwrap()["sequence"].as_u64().unwrap() + 1;
    lines.extend(until_issued(&mut follow(next), &mut operator, 2));
    for (number, line) in (1_u64..).zip(&lines) {
        assert_eq!(line["sequence"], number);
    }
    service.end();
    let locked = workplace.rows("audit export");
    assert_eq!(locked[..lines.len()], lines);
}
