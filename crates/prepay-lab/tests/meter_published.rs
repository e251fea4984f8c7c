//! The published cases, each entered into a meter set up from its own inputs.

mod meter_common;

use meter_common::Bench;
use prepay_testkit::vectors::{LabCase, load};
use serde_json::{Value, json};

#[test]
fn published_tokens_do_in_a_meter_what_they_were_made_for() {
    let cases: Vec<LabCase> = load("published/sts531.jsonl");
    assert_eq!(cases.len(), 215);
    let mut tokens = 0;
    let mut results = std::collections::BTreeMap::<String, u32>::new();
    let (mut credited, mut shown) = (0, 0);
    for case in &cases {
        let request = case.value();
        let token = &request["token"];
        let made = Bench::in_memory().lab(&request);
        let mut bench = Bench::in_memory();
        let key = request.get("key").or(request.get("from")).cloned();
        let register = token["register"].as_u64().unwrap_or(0);
        let new = json!({
            "op": "new",
            "pan": request.get("pan").unwrap_or(&json!(meter_common::PAN)),
            "ea": request.get("ea").unwrap_or(&json!("07")),
            "key": key.unwrap_or_else(meter_common::key),
            "services": ["electricity", "water", "gas", "time"],
            "currency": (4..8).contains(&register),
        });
        bench.done(new);
        let numbers: Vec<String> = match case.expect.get("numbers") {
            Some(numbers) => serde_json::from_value(numbers.clone()).unwrap(),
            None => vec![case.expect["number"].as_str().unwrap().to_owned()],
        };
        let mut answer = Value::Null;
        for number in &numbers {
            tokens += 1;
            answer = bench.done(json!({"op": "enter", "digits": number}));
            *results.entry(answer["result"].to_string()).or_default() += 1;
        }
        let state = bench.state();
        let id = &case.id;
        match token["type"].as_str() {
            Some("credit") => {
                assert_eq!(answer["result"], "accept", "{id}: {answer}");
                assert_eq!(answer["amount"], made["amount"], "{id}");
                for (service, credit) in state["credit"].as_object().unwrap() {
                    let is_its = token["service"] == service.as_str();
                    let expected = if is_its { made["amount"].clone() } else { json!("0") };
                    assert_eq!(*credit, expected, "{id}, {service}");
                }
                credited += 1;
            }
            Some("set_maximum_power_limit") => {
                assert_eq!(answer["watts"], state["maximum_power_limit"], "{id}");
                assert!(answer["watts"].as_u64() >= token["watts"].as_u64(), "{id}");
            }
            Some("set_maximum_phase_power_unbalance_limit") => {
                assert_eq!(answer["watts"], state["phase_unbalance_limit"], "{id}");
                assert!(answer["watts"].as_u64() >= token["watts"].as_u64(), "{id}");
            }
            Some("clear_credit") => assert_eq!(answer["register"], token["register"], "{id}"),
            Some("clear_tamper_condition") => assert_eq!(answer["result"], "accept", "{id}"),
            Some("test") => {
                let is_ours = token["mfr_code"].as_str().unwrap().bytes().all(|it| it == b'0');
                let expected = if is_ours { "accept" } else { "mfr_code_error" };
                assert_eq!(answer["result"], expected, "{id}: {answer}");
                shown += 1;
            }
            _ => {
                let to = &request["to"];
                let is_whole = numbers.len() == 4 || request["ea"] != "11";
                assert_eq!(answer["result"] == "accept", is_whole, "{id}: {answer}");
                if is_whole {
                    assert_eq!((&state["krn"], &state["ti"]), (&to["krn"], &to["ti"]), "{id}");
                } else {
                    assert_eq!(answer["waiting_for"], json!([3, 4]), "{id}");
                }
            }
        }
        if !token.is_null() && made.get("tid").is_some() {
            assert_eq!(state["tids"].as_array().unwrap().last(), made.get("tid"), "{id}");
            let again = bench.enter(&numbers[0]);
            assert_eq!(again, "used_error", "{id}");
            let same = bench.state();
            assert_eq!(same, state, "{id}");
        }
    }
    assert_eq!((tokens, credited, shown), (227, 118, 34));
    println!("{results:?}");
}

#[test]
fn published_credits_add_up_exactly_in_one_meter() {
    // Tenths, by service, of every case of the usual key, all in one meter.
    let cases: Vec<LabCase> = load("published/sts531.jsonl");
    let mut bench = Bench::in_memory();
    bench.make(
        meter_common::key(),
        json!({"services": ["electricity", "water", "gas"], "tids": 255}),
    );
    let mut sums = std::collections::BTreeMap::<String, u64>::new();
    let mut credits: Vec<(u64, Value, LabCase)> = Vec::new();
    for case in cases {
        let request = case.value();
        let key = &request["key"];
        let is_usual = key["vending_key"] == "abababababababab"
            && (&key["sgc"], &key["krn"], &key["ti"], &key["kt"])
                == (&json!("123456"), &json!(1), &json!("01"), &json!(2));
        let is_usual = is_usual && request["pan"] == meter_common::PAN;
        if request["ea"] == "07" && is_usual && request["token"]["type"] == "credit" {
            let made = bench.lab(&request);
            credits.push((made["tid"].as_u64().unwrap(), made, case));
        }
    }
    credits.sort_by_key(|(tid, ..)| *tid);
    let mut entered = 0;
    for (_, made, case) in &credits {
        // Other cases have the same minute, and a register is soon full; nothing else may be in the way.
        match bench.enter(case.expect["number"].as_str().unwrap()).as_str() {
            "accept" => entered += 1,
            "used_error" | "overflow_error" => continue,
            other => panic!("{}: {other}", case.id),
        }
        let (whole, part) = {
            let amount = made["amount"].as_str().unwrap();
            let (whole, part) = amount.split_once('.').unwrap_or((amount, "0"));
            (whole.parse::<u64>().unwrap(), part.parse::<u64>().unwrap())
        };
        let service = case.value()["token"]["service"].as_str().unwrap().to_owned();
        *sums.entry(service).or_default() += whole * 10 + part;
    }
    assert!(entered > 10, "{entered} of {}", credits.len());
    let state = bench.state();
    for (service, sum) in sums {
        let expected = match sum % 10 {
            0 => format!("{}", sum / 10),
            part => format!("{}.{part}", sum / 10),
        };
        assert_eq!(state["credit"][&service], expected, "{service}");
    }
}
