//! Published and derived cases through the laboratory: made, read again, and made once more from what was read.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use prepay_lab::Lab;
use prepay_testkit::vectors::{LabCase, load, load_folder};
use serde_json::{Map, Value, json};

/// The answers of a stream of requests, in their order.
fn answers(lines: impl IntoIterator<Item = String>) -> Vec<Map<String, Value>> {
    let input: String = lines.into_iter().map(|line| line + "\n").collect();
    let mut output = Vec::new();
    let summary = Lab::answer_stream(NonZeroUsize::MIN, input.as_bytes(), &mut output).unwrap();
    let answers: Vec<Map<String, Value>> = String::from_utf8(output)
        .expect("answers are text")
        .lines()
        .map(|line| serde_json::from_str(line).expect("an answer is an object"))
        .collect();
    assert_eq!(summary.answered, answers.len() as u64);
    answers
}

/// Every case succeeds, and its answer has what is expected of it.
fn agree(cases: &[LabCase]) -> Vec<Map<String, Value>> {
    let answers = answers(cases.iter().map(|case| case.line().to_string()));
    assert_eq!(answers.len(), cases.len());
    for (case, answer) in cases.iter().zip(&answers) {
        assert_eq!(answer["id"], case.value()["id"], "{}", case.id);
        for (field, value) in &case.expect {
            assert_eq!(answer.get(field), Some(value), "{}, {field}: {answer:?}", case.id);
        }
    }
    answers
}

/// The request that reads a number made by another request, with the key it was made under.
fn opening(request: &Value, number: &Value) -> Value {
    let key = if request["op"] == "key_change" { "from" } else { "key" };
    let mut open = json!({"id": request["id"], "op": "open", "number": number});
    for (from, to) in [("pan", "pan"), ("ea", "ea"), (key, "key")] {
        if let Some(value) = request.get(from) {
            open[to] = value.clone();
        }
    }
    open
}

/// What was made is read as the token that was asked for, with the same identifier, and makes the same number.
fn read_again(cases: &[LabCase], made: &[Map<String, Value>]) -> usize {
    let mut requests = Vec::new();
    let mut expected = Vec::new();
    for (case, made) in cases.iter().zip(made) {
        let request = case.value();
        if request["op"] == "issue" {
            requests.push(opening(&request, &made["number"]).to_string());
            expected.push((case, request, made));
        }
    }
    let opened = answers(requests);
    let mut again = Vec::new();
    for ((case, request, made), opened) in expected.iter().zip(&opened) {
        assert_eq!(opened.get("error"), None, "{}", case.id);
        for field in ["class", "sub_class", "tid", "issued_at", "crc"] {
            assert_eq!(opened.get(field), made.get(field), "{}, {field}", case.id);
        }
        let token = &request["token"];
        for (field, value) in token.as_object().expect("a token is an object") {
            let found = &opened["token"][field];
            match field.as_str() {
                "amount" => assert_eq!(found, &made["amount"], "{}", case.id),
                // The sub-class of a standard test follows from its code and is not repeated.
                "sub_class" if found.is_null() => assert!(value.as_u64() <= Some(1), "{}", case.id),
                "watts" => assert!(found.as_u64() >= value.as_u64(), "{}", case.id),
                _ => assert_eq!(found, value, "{}, {field}", case.id),
            }
        }
        if let Some(rnd) = opened.get("rnd") {
            assert_eq!(rnd, request.get("rnd").unwrap_or(&json!(0)), "{}", case.id);
        }
        let mut repeat = request.clone();
        repeat["token"] = opened["token"].clone();
        if let Some(tid) = opened.get("tid") {
            repeat.as_object_mut().expect("a request is an object").remove("issued_at");
            repeat["tid"] = tid.clone();
        }
        again.push(repeat.to_string());
    }
    for ((case, _, made), again) in expected.iter().zip(answers(again)) {
        assert_eq!(again.get("number"), made.get("number"), "{} made again", case.id);
    }
    expected.len()
}

/// The sections of a key change carry the new key with its attributes.
fn sections_read_again(cases: &[LabCase], made: &[Map<String, Value>]) -> usize {
    let mut count = 0;
    for (case, made) in cases.iter().zip(made) {
        let request = case.value();
        let Some(numbers) = made.get("numbers").and_then(Value::as_array) else { continue };
        let opened = answers(numbers.iter().map(|number| opening(&request, number).to_string()));
        let mut fields = BTreeMap::new();
        for (place, (section, name)) in opened.iter().zip(["1st", "2nd", "3rd", "4th"]).enumerate()
        {
            let kind = format!("set_{name}_section_decoder_key");
            assert_eq!(section["token"]["type"], kind, "{}", case.id);
            assert_eq!(section["sub_class"], [3, 4, 8, 9][place], "{}", case.id);
            assert_eq!((section.get("tid"), section.get("rnd")), (None, None), "{}", case.id);
            fields.extend(section["token"].as_object().expect("an object").clone());
        }
        let new = &request["to"];
        let number =
            |value: &Value| value.as_u64().unwrap_or_else(|| panic!("{}: {value}", case.id));
        let ken = number(&fields["ken_high"]) << 4 | number(&fields["ken_low"]);
        assert_eq!(ken, new.get("ken").map_or(255, number), "{}", case.id);
        assert_eq!(fields["kt"], new["kt"], "{}", case.id);
        assert_eq!(fields["ti"], new["ti"], "{}", case.id);
        assert_eq!(number(&fields["krn"]), new.get("krn").map_or(0, number), "{}", case.id);
        assert_eq!(fields["rollover"], made["rollover"], "{}", case.id);
        assert_eq!(fields["three_kct"], request["ea"] != "11" && numbers.len() == 3, "{}", case.id);
        let sgc = || new["sgc"].as_str().expect("six digits");
        let word = |name: &str| fields[name].as_str().expect("hexadecimal").to_string();
        let mut key = word("key_high");
        match numbers.len() {
            3 => assert_eq!(fields["sgc"], sgc(), "{}", case.id),
            4 => {
                let group = number(&fields["sgc_high"]) << 12 | number(&fields["sgc_low"]);
                assert_eq!(format!("{group:06}"), sgc(), "{}", case.id);
                key += &word("key_middle_2");
                key += &word("key_middle_1");
            }
            _ => {}
        }
        key += &word("key_low");
        if request["ea"] != "11" || numbers.len() == 4 {
            assert_eq!(key, new_key(&request), "{}", case.id);
        }
        count += numbers.len();
    }
    count
}

/// The new key of a key change in hexadecimal: given, or derived.
fn new_key(request: &Value) -> String {
    if let Some(key) = request["to"].get("decoder_key") {
        return key.as_str().expect("a string").to_lowercase();
    }
    let derive =
        json!({"op": "derive", "pan": request["pan"], "ea": request["ea"], "key": request["to"]});
    let answer = answers([derive.to_string()]);
    answer[0]["decoder_key"].as_str().expect("a key").to_string()
}

#[test]
fn published_cases_agree_both_ways() {
    let cases = load::<LabCase>("published/sts531.jsonl");
    assert_eq!(cases.len(), 215); // A lost file or a stray filter must not pass.
    let made = agree(&cases);
    let tokens: usize = made
        .iter()
        .map(|made| made.get("numbers").map_or(1, |all| all.as_array().unwrap().len()))
        .sum();
    assert_eq!(tokens, 227);
    assert_eq!(read_again(&cases, &made) + sections_read_again(&cases, &made), 227);
}

#[test]
fn derived_cases_agree_both_ways() {
    let cases: Vec<LabCase> = load_folder("derived").into_iter().map(|(_, case)| case).collect();
    assert_eq!(cases.len(), 357); // A lost file or a stray filter must not pass.
    assert!(cases.iter().all(|case| !case.comment.is_empty()));
    let made = agree(&cases);
    assert_eq!(read_again(&cases, &made), 273);
    assert_eq!(sections_read_again(&cases, &made), 111);
}
