//! `prepay meter fleet` as a user runs it, and `meter run` where there is no terminal.

mod common;

use common::{prepay, succeed};
use serde_json::Value;

#[test]
fn every_unit_that_was_sold_is_credited_once_and_every_replay_refused() {
    let text = succeed("--json meter fleet --meters 300 --days 20 --seed 7");
    let fleet: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(fleet["exact"], true, "{text}");
    assert_eq!(fleet["sold_kwh"], fleet["credited_kwh"], "{text}");
    assert_eq!(fleet["replays"], fleet["replays_refused"], "{text}");
    assert_eq!(fleet["refusals"]["used_error"], fleet["replays"], "{text}");
    assert_eq!(fleet["test_key"], true);
    for count in ["/tokens_accepted", "/replays", "/refusals/crc_error", "/refusals/old_error"] {
        assert!(fleet.pointer(count).and_then(Value::as_u64) > Some(0), "{count}: {text}");
    }
    assert!(fleet["bytes_per_meter"].as_u64() < Some(1_024), "{text}");
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    let run = |seed: u32| succeed(&format!("meter fleet --meters 40 --days 12 --seed {seed}"));
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_fleet_of_one_meter_for_one_day_is_a_fleet_and_none_is_not() {
    assert!(succeed("meter fleet --meters 1 --days 1").contains("exact"));
    assert_eq!(prepay("meter fleet --meters 0").status.code(), Some(2));
    assert_eq!(prepay("meter fleet --meters 1 --days 0").status.code(), Some(2));
}

#[test]
fn a_live_meter_needs_a_terminal() {
    let output = prepay("meter run");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs a terminal"));
}
