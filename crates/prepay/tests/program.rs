//! The program as a user runs it: exit codes, both kinds of output, files and streams.

mod common;

use std::fs;

use common::{folder, prepay, run, succeed, text};

/// The public test meter and vending keys of the conformance runs.
const PAN: &str = "600727000000000009";
const SHORT_KEY: &str = "abababababababab";
const LONG_KEY: &str = "abababababababab949494949494949401234567";

#[test]
fn the_demo_tells_its_story_without_colour_when_piped() {
    let story = succeed("demo");
    for part in [
        "key 87f3ecbb2e46b48f",
        "credit: 25.6 kWh of electricity, issued 2026-03-01T13:55Z",
        "refused  wrong checksum",
        "credit: 10.00024 base currency units",
        "0385 4447 0864 5345 1911  Set1stSectionDecoderKey",
        "the key assembled from them is the new key",
        "used_error   25.6 kWh  the same again",
        "crc_error    25.6 kWh  credit under the old key",
        "accept       51.2 kWh  credit under the new key",
        "SubClass",
        "buys 25.6 kWh",
        "*** TEST: no token here works in a ***",
        "Connection fee (1,250.00 still owed)",
        "not certified",
    ] {
        assert!(story.contains(part), "{part:?} is missing in\n{story}");
    }
    assert!(!story.contains('\u{1b}'), "no escape sequences in a pipe");
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    // Fingerprints and the numbers of requests differ each time.
    let steady = |text: &str| -> String {
        let is_random = |word: &str| {
            let letters = word.trim_end_matches(',').rsplit(':').next().unwrap_or(word);
            letters.len() >= 4 && letters.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'))
        };
        let line = |line: &str| {
            let words = line.split(' ').map(|word| if is_random(word) { "*" } else { word });
            words.collect::<Vec<_>>().join(" ")
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    };
    let readme = include_str!("../../../README.md");
    let (_, shown) = readme.split_once("The demo begins:\n\n```text\n").expect("the demo");
    let (shown, _) = shown.split_once("```").expect("its end");
    let printed = steady(&succeed("demo"));
    assert!(printed.starts_with(&steady(shown)), "README: {}\nprinted: {printed}", steady(shown));
}

#[test]
fn the_demo_tells_the_same_to_a_program() {
    let story: serde_json::Value = serde_json::from_str(&succeed("--json demo")).expect("JSON");
    assert_eq!(story["keys"][0]["test_key"], "87f3ecbb2e46b48f");
    assert_eq!(story["key_change"][3]["number"], "19019128690902932218");
    assert_eq!(story["key_arrived"], true);
    let (sale, token) = (&story["sale"], &story["credit"]["number"]);
    assert_eq!(&sale["receipt"]["tokens"][0]["digits"], token);
    assert_eq!(sale["receipt"]["totals"]["tendered"], sale["quote"]["totals"]["tendered"]);
    assert!(sale["quote"]["why"].as_array().is_some_and(|why| why.len() > 5));
}

#[test]
fn combinations_that_make_no_key_are_skipped_and_told() {
    // DKGA04 makes no common keys (KT 3), and DKGA02 none for EA11.
    let explained = succeed(&format!(
        "--json lab explain 23716100501183194197 --pan {PAN} --vending-key {LONG_KEY},{SHORT_KEY} \
         --sgc 123456 --kt 1-3 --ea 07,11"
    ));
    let value: serde_json::Value = serde_json::from_str(&explained).expect("JSON");
    assert_eq!((&value["keys_tried"], &value["keys_skipped"]), (&7.into(), &5.into()));
    assert_eq!(value["opened_by"].as_array().expect("a list").len(), 1);
    let output = prepay(&format!(
        "lab explain 23716100501183194197 --pan 1 --vending-key {SHORT_KEY} --sgc 123456"
    ));
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).starts_with("pan_format:"), "{}", text(&output.stderr));
}

#[test]
fn a_new_vending_key_brings_its_own_algorithm() {
    let changed = succeed(&format!(
        "lab key-change --pan {PAN} --from vending_key={SHORT_KEY},dkga=02,sgc=123456 \
         --to vending_key={LONG_KEY},base_date=2014"
    ));
    assert!(changed.contains("rollover: the meter forgets"), "{changed}");
}

#[test]
fn a_token_issued_is_a_token_opened() {
    let key = format!("--pan {PAN} --vending-key {SHORT_KEY} --sgc 123456");
    let issued =
        succeed(&format!("lab issue credit --amount 0.1 --at 2004-03-01T13:55Z --rnd 5 {key}"));
    assert!(issued.starts_with("2371 6100 5011 8319 4197\n"), "{issued}");
    let opened = succeed(&format!("lab open 2371 6100 5011 8319 4197 {key}"));
    for part in ["credit", "electricity", "0.1", "TID 5871715 (2004-03-01T13:55Z)", "RND 5"] {
        assert!(opened.contains(part), "{part:?} is missing in\n{opened}");
    }
    let json = succeed(&format!("--json lab open 2371-6100-5011-8319-4197 {key}"));
    assert!(json.starts_with(r#"{"class":0,"sub_class":0,"token":{"type":"credit""#), "{json}");
}

#[test]
fn keys_are_derived_and_changed() {
    let key = format!("--vending-key {LONG_KEY} --sgc 201457 --base-date 2014");
    let derived = succeed(&format!("lab derive --ea 11 --pan {PAN} {key}"));
    assert_eq!(derived, "929bd3a415c9420a05ec5ee9f3ce91c3\n");
    let from = format!("vending_key={LONG_KEY},sgc=201457,base_date=2014");
    let changed = succeed(&format!("lab key-change --pan {PAN} --ea 11 --from {from} --to ti=02"));
    let numbers: Vec<_> = changed.lines().take(4).collect();
    assert_eq!(
        numbers,
        [
            "0385 4447 0864 5345 1911",
            "0279 1799 4362 4246 1152",
            "6711 8070 3293 5397 7190",
            "1901 9128 6909 0293 2218"
        ]
    );
}

#[test]
fn explain_names_the_key_that_opens_a_token() {
    let explained = succeed(&format!(
        "lab explain 23716100501183194197 --pan {PAN} --vending-key {LONG_KEY},{SHORT_KEY} \
         --sgc 123450-123460 --krn 1-9 --ti 00-02"
    ));
    let found = "opened by  vending key 2, DKGA02, EA07, SGC 123456, KRN 1, KT 2, TI 01";
    assert!(explained.contains(found), "{explained}");
    assert!(explained.contains("891 keys tried"), "{explained}");
    assert!(!explained.to_lowercase().contains(SHORT_KEY), "the key itself is not shown");
}

#[test]
fn explain_says_why_a_token_does_not_open() {
    // (arguments, what the output says)
    let cases = [
        ("lab explain 23716100501183194197", "a key is needed"),
        ("lab explain 23716100501183194197 --decoder-key 0011223344556677", "wrong checksum"),
        (
            "lab explain 23716100501183194197 --decoder-key 0011223344556677,8899aabbccddeeff",
            "no key fits",
        ),
        ("lab explain 00000000000402653184", "reserved class"),
    ];
    for (arguments, part) in cases {
        let output = prepay(arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments}");
        assert!(text(&output.stdout).contains(part), "{arguments}: {}", text(&output.stdout));
    }
    let output = prepay("lab explain 123");
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).starts_with("number_format:"), "{}", text(&output.stderr));
}

#[test]
fn json_of_explain_holds_every_field() {
    let json = succeed("--json lab explain 00000000000150997584");
    let value: serde_json::Value = serde_json::from_str(&json).expect("one JSON object");
    assert_eq!(value["class"], 1);
    assert_eq!(value["clear_block"], "0000000001000a50");
    assert_eq!(value["fields"][1]["name"], "Control");
    assert_eq!(value["token"]["type"], "test");
}

#[test]
fn batch_reads_a_file_or_a_stream_and_counts_failures_in_its_exit_code() {
    let good = "{\"id\":1,\"op\":\"open\",\"number\":\"00000000000150997584\"}\n";
    let bad = "{\"id\":2,\"op\":\"open\",\"number\":\"1\"}\n";
    let folder = folder("batch");
    let file = folder.join("requests.jsonl");
    for (lines, code) in [(good.to_owned(), 0), (format!("{bad}{good}"), 3), (String::new(), 0)] {
        fs::write(&file, &lines).expect("the file can be written");
        let from_file = prepay(&format!("lab batch {}", file.display()));
        let from_stream = run("lab batch", lines.as_bytes());
        assert_eq!(from_file.status.code(), Some(code), "{lines}");
        assert_eq!(from_stream.status.code(), Some(code), "{lines}");
        assert_eq!(from_file.stdout, from_stream.stdout, "{lines}");
        assert_eq!(text(&from_file.stdout).lines().count(), lines.lines().count());
    }
    fs::write(&file, (bad.to_owned() + good).repeat(500)).expect("the file can be written");
    let answers = ["1", "4"]
        .map(|threads| prepay(&format!("lab batch --threads {threads} {}", file.display())).stdout);
    assert_eq!(answers[0], answers[1], "the number of threads changes nothing");
    assert_eq!(prepay("lab batch --threads 0").status.code(), Some(2));
    let missing = prepay(&format!("lab batch {}", folder.join("none").display()));
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("none"), "the message names the file");
}

#[test]
fn refusals_go_to_standard_error_and_exit_with_3() {
    let output = prepay("lab issue credit --amount 1.55");
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).starts_with("amount_too_fine:"));
    let output = prepay("--json lab issue credit --amount 1.55");
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stdout).starts_with(r#"{"error":{"code":"amount_too_fine""#));
}

#[test]
fn refusals_of_flags_name_the_flag() {
    let twice =
        format!("lab key-change --from vending_key={SHORT_KEY},sgc=123456 --to krn=2,krn=3");
    // (arguments, the beginning of what standard error says)
    for (arguments, expected) in [
        (
            "lab issue credit --amount many",
            "amount_format: --amount: expected a decimal number, as",
        ),
        ("lab issue credit", "missing_field: --amount is missing"),
        ("lab derive --vending-key 00 --ti x", "ti_format: --ti: expected two digits, found"),
        ("lab derive --vending-key 00 --pan 1", "pan_format: --pan: "),
        (&twice, "flag: --to: expected each field once, found krn twice"),
    ] {
        let told = text(&prepay(arguments).stderr);
        assert!(told.starts_with(expected), "{arguments}: {told}");
    }
}

#[test]
fn unknown_arguments_exit_with_2() {
    for arguments in
        ["", "nonsense", "lab issue nonsense", "lab explain 00000000000150997584 --ti 05-01"]
    {
        assert_eq!(prepay(arguments).status.code(), Some(2), "{arguments}");
    }
}

#[test]
fn a_key_may_come_from_a_file_and_is_never_repeated() {
    let file = folder("keys").join("key");
    fs::write(&file, format!("{SHORT_KEY}\n")).expect("the file can be written");
    let flags = format!("--pan {PAN} --sgc 123456 --vending-key @{}", file.display());
    assert_eq!(succeed(&format!("lab derive {flags}")), "e653341f9d5bf36f\n");
    for wrong in ["--ea 11", "--kt 9", "--krn 0", "--ti x", "--dkga 04", "--pan 1"] {
        let output = prepay(&format!("lab derive {wrong} --sgc 123456 --vending-key {SHORT_KEY}"));
        assert_eq!(output.status.code(), Some(3), "{wrong}");
        assert!(!text(&output.stderr).contains(SHORT_KEY), "{wrong}");
    }
}

#[test]
fn completions_and_man_pages_are_made() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(succeed(&format!("completions {shell}")).contains("prepay"), "{shell}");
    }
    let folder = folder("man");
    succeed(&format!("man {}", folder.display()));
    for page in ["prepay.1", "prepay-lab.1", "prepay-lab-issue.1", "prepay-lab-explain.1"] {
        let page = fs::read_to_string(folder.join(page)).expect("the page was written");
        assert!(page.contains(".TH prepay"), "{page}");
    }
}

/// The limits of a running program show that it leaves no core dump. It waits for lines meanwhile.
#[test]
#[cfg(target_os = "linux")]
fn a_program_that_reads_keys_leaves_no_core_dump() {
    use std::process::{Command, Stdio};

    let mut program = Command::new(env!("CARGO_BIN_EXE_prepay"))
        .args(["lab", "batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let limits = format!("/proc/{}/limits", program.id());
    let has_none = || {
        let limits = std::fs::read_to_string(&limits).unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        line.split_whitespace().filter(|&word| word == "0").count() == 2
    };
    assert!((0..1_000_000).any(|_| has_none()));
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
}
