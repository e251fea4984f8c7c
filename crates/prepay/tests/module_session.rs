//! A session of requests, one JSON object a line.

mod module_kit;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use module_kit::{Centre, PAN, Workplace};
use prepay_token::element::BaseDate;
use serde_json::{Value, json};

/// A request for credit.
fn credit(id: u32, amount: &str) -> Value {
    json!({
        "id": format!("line {id}"),
        "op": "issue_credit",
        "request": format!("{id:032x}"),
        "register": 1,
        "pan": PAN,
        "ea": "07",
        "ti": "01",
        "tct": "02",
        "token": {"type": "credit", "service": "electricity", "amount": amount},
        "tid": 16_000_000 + id,
    })
}

fn workplace(name: &str) -> Workplace {
    let workplace = Workplace::new(name);
    workplace.init("--window none");
    workplace.join(&Centre::with_base_date("KMC-1", BaseDate::Y2014));
    workplace
}

fn lines(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn many_requests_are_answered_in_order_after_one_unlocking() {
    let workplace = workplace("session");
    let mut input = String::new();
    for id in 0..500 {
        input.push_str(&format!("{}\n", credit(id, "0.5")));
    }
    let mut change = credit(900, "1");
    change["op"] = "issue_key_change".into();
    for gone in ["register", "token", "tid"] {
        change.as_object_mut().unwrap().remove(gone);
    }
    (change["from"], change["to"]) = (1.into(), 2.into());
    let mut limit = credit(901, "1");
    limit["op"] = "issue_management".into();
    limit["token"] = json!({"type": "set_maximum_power_limit", "watts": 5000});
    let mut money = credit(902, "-1.5");
    money["token"]["type"] = "currency_credit".into();
    for line in [
        change,
        limit,
        money,
        json!({"op": "registers", "id": 5}),
        json!({"op": "status"}),
        json!({"op": "clock"}),
        json!({"op": "identify"}),
    ] {
        input.push_str(&format!("{line}\n"));
    }
    let output = workplace.run_with("unlock --session - --as olga", input.as_bytes());
    let answers = lines(&output.stdout);
    let refused: Vec<&Value> = answers.iter().filter(|answer| !answer["error"].is_null()).collect();
    assert!(output.status.success(), "{refused:?}");
    assert_eq!(answers.len(), 507);
    for (id, answer) in answers[..500].iter().enumerate() {
        assert_eq!(answer["id"], format!("line {id}"));
        assert_eq!(answer["tid"], 16_000_000 + id);
        assert_eq!(answer["test"], true);
        assert_eq!(answer["number"].as_str().unwrap().len(), 20, "{answer}");
    }
    assert_eq!(answers[500]["numbers"].as_array().unwrap().len(), 2);
    assert_eq!(answers[502]["amount"], "-1.49994", "as the token carries it");
    assert_eq!(answers[503]["id"], 5);
    assert_eq!(answers[503]["registers"][0]["units_left"], "750");
    assert_eq!(answers[504]["transactions"], 504, "each token of a set counts");
    assert_eq!(answers[506]["module"], "SM-1");
    // Lines that wait are made durable together: far fewer entries than tokens.
    let log = workplace.succeed("audit list --json --count 100000");
    let batches = log.lines().filter(|line| line.contains("\"issued\"")).count();
    assert!((1..50).contains(&batches), "{batches}");
    // The same file again: the same digits, and nothing is counted twice.
    fs::write(workplace.path("requests"), &input).unwrap();
    let again = workplace.run("unlock --session {requests} --as olga");
    let repeated = lines(&again.stdout);
    for (first, second) in answers[..503].iter().zip(&repeated) {
        assert_eq!(first, second);
    }
    assert_eq!(repeated[504]["transactions"], 504, "each token of a set counts");
    workplace.assert_nothing_secret_was_printed();
}

#[test]
fn a_wrong_line_is_answered_by_its_code_and_the_next_goes_on() {
    let workplace = workplace("wrong-lines");
    let mut conflict = credit(1, "2");
    conflict["id"] = "conflict".into();
    let mut window = credit(3, "1");
    window["register"] = 9.into();
    let good = credit(1, "1");
    let verify = json!({"op": "verify", "register": 1, "pan": PAN, "ea": "07", "ti": "01",
        "tct": "02", "number": "0000 0000 0000 0000 0001"});
    let input = format!(
        "{good}\n{conflict}\nnonsense\n{}\n{window}\n{verify}\n{}\n\n{good}",
        json!({"op": "issue_credit", "id": "bare"}),
        credit(4, "100000")
    );
    let output = workplace.run_with("unlock --session - --as olga", input.as_bytes());
    assert_eq!(output.status.code(), Some(3));
    let answers = lines(&output.stdout);
    let codes: Vec<&str> =
        answers.iter().map(|answer| answer["error"]["code"].as_str().unwrap_or("-")).collect();
    let expected = [
        "-",
        "request_conflict",
        "bad_json",
        "missing_field",
        "register",
        "-",
        "credit_limit",
        "-",
    ];
    assert_eq!(codes, expected, "{answers:?}");
    assert_eq!(answers[4]["error"]["status"], "28");
    assert_eq!(answers[3]["id"], "bare");
    assert_eq!(answers[5]["result"], "checksum");
    assert_eq!(answers[0], answers[7]);
}

#[test]
fn only_an_operator_has_a_session_and_requests_come_after_the_secrets() {
    let workplace = workplace("who");
    assert_eq!(workplace.refused(3, "unlock --session {agree.kag} --as uwe"), "forbidden");
    assert_eq!(workplace.refused(2, "unlock --session {missing} --as olga"), "file");
    assert_eq!(workplace.refused(2, "unlock --session {agree.kag}"), "input_missing");
}

#[test]
fn no_acknowledged_token_is_lost_when_the_process_is_killed() {
    let workplace = workplace("kill");
    for round in 0..5_u32 {
        let mut child = workplace
            .command("unlock --session - --as olga")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let writer = std::thread::spawn(move || {
            for id in 0..2000_u32 {
                let line = format!("{}\n", credit(round * 2000 + id, "0.1"));
                if input.write_all(line.as_bytes()).is_err() {
                    break; // It was killed.
                }
            }
        });
        let mut answered = Vec::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        for _ in 0..(20 + round * 60) {
            line.clear();
            if output.read_line(&mut line).unwrap() == 0 {
                break;
            }
            answered.push(serde_json::from_str::<Value>(&line).unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        writer.join().unwrap();
        assert!(!answered.is_empty());
        // The store opens, the chain holds, and every answer is given again.
        workplace.succeed("unlock");
        workplace.succeed("audit verify --as uwe");
        workplace.succeed("audit verify");
        let before = workplace.object("unlock --as uwe")["transactions"].as_u64().unwrap();
        let input: String = (0..answered.len() as u32)
            .map(|id| format!("{}\n", credit(round * 2000 + id, "0.1")))
            .collect();
        let again = workplace.run_with("unlock --session - --as olga", input.as_bytes());
        assert_eq!(lines(&again.stdout), answered);
        assert_eq!(workplace.object("unlock --as uwe")["transactions"].as_u64().unwrap(), before);
    }
}

#[test]
fn the_example_of_the_reference_page_is_true() {
    let page = fs::read_to_string("../../docs/formats/module-session.md").unwrap();
    let block = page.rsplit("```json\n").next().unwrap();
    let (request, answer) = block.split_once('\n').unwrap();
    let answer = answer.lines().next().unwrap();
    let workplace = Workplace::new("page");
    workplace.init("--fixed-time 2004-03-01T13:55Z --fixed-rnd 5");
    workplace.join(&Centre::new("KMC-1"));
    let output = workplace.run_with("unlock --session - --as olga", request.as_bytes());
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), answer);
}
