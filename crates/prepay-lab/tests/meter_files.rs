//! Meters in files: what survives, what is refused, and what is left untouched.

mod meter_common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crc::{CRC_32_ISO_HDLC, Crc};
use meter_common::{Bench, credit, key, key_with};
use prepay_lab::meter::{MeterError, Meters};
use serde_json::{Value, json};

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

fn open(folder: &Path) -> Bench {
    Bench::new(Meters::in_directory(folder).expect("the folder can be made"))
}

#[test]
fn a_meter_outlives_the_program_with_the_sections_that_it_holds() {
    let folder = folder("meter_outlives");
    let mut bench = open(&folder);
    let more = json!({"services": ["electricity", "time"], "policy": {"unit_capacity": "50"},
        "manufactured_at": "2004-03-01T13:55Z"});
    bench.make(key(), more);
    let token = bench.issue(&key(), 6_000_000, credit("25.6"));
    assert_eq!(bench.enter(&token), "accept");
    bench.done(json!({"op": "consume", "watts": 100, "seconds": 360}));
    bench.done(json!({"op": "advance", "seconds": 1000}));
    let sections = bench.key_change("07", &key(), &key_with(json!({"krn": 3})), 3);
    assert_eq!(bench.enter(&sections[0]), "first_kct");
    let before = bench.state();
    assert_eq!(
        (&before["credit"]["electricity"], &before["kct_pending"]),
        (&json!("25.59"), &json!([1]))
    );
    drop(bench);

    let mut bench = open(&folder);
    assert_eq!(bench.state(), before);
    bench.done(json!({"op": "advance", "seconds": 599}));
    drop(bench);
    let mut bench = open(&folder);
    assert_eq!(bench.enter(&token), "used_error");
    let overflow = bench.issue(&key(), 6_000_001, credit("25"));
    assert_eq!(bench.enter(&overflow), "overflow_error", "the policy is kept too");
    assert_eq!(bench.enter(&sections[1]), "second_kct");
    assert_eq!(bench.enter(&sections[2]), "accept");
    assert_eq!(bench.state()["krn"], 3);
    let answer = bench.ask(json!({"op": "state", "meter": "other"}));
    assert_eq!(answer["error"]["code"], "value_range");
    drop(bench);
    let mut names: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["m.meter"]);
    let mode = fs::metadata(folder.join("m.meter")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the key is in it");
}

#[test]
fn a_damaged_file_is_refused_and_left_untouched() {
    let folder = folder("meter_damaged");
    let mut bench = open(&folder);
    bench.make(key(), json!({}));
    let token = bench.issue(&key(), 6_000_000, credit("25.6"));
    drop(bench);
    let file = folder.join("m.meter");
    let whole = fs::read(&file).unwrap();
    let mut damaged: Vec<Vec<u8>> = [0, 1, 19, 20, 100, whole.len() - 1]
        .iter()
        .map(|&length| whole[..length].to_vec())
        .collect();
    for place in [0, 5, 9, 14, 18, 20, 60, whole.len() / 2, whole.len() - 2] {
        let mut flipped = whole.clone();
        flipped[place] ^= 0x10;
        damaged.push(flipped);
    }
    damaged.push([&whole[..], b" "].concat());
    for bytes in &damaged {
        fs::write(&file, bytes).unwrap();
        let mut bench = open(&folder);
        for request in [
            json!({"op": "state"}),
            json!({"op": "enter", "digits": token}),
            json!({"op": "tamper"}),
        ] {
            let answer = bench.ask(request);
            assert_eq!(answer["error"]["code"], "storage", "{answer}");
            assert!(answer["error"]["message"].as_str().unwrap().contains("m.meter: "));
        }
        let new = json!({"op": "new", "pan": meter_common::PAN, "ea": "07", "key": key()});
        assert_eq!(bench.ask(new)["error"]["code"], "value_range");
        assert_eq!(fs::read(&file).unwrap(), *bytes, "it is untouched");
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(open(&folder).enter(&token), "accept");
}

#[test]
fn a_lockout_in_a_file_ends_at_its_time_and_grows_as_in_one_program() {
    for policy in [json!(true), json!({"reset_on_power": true})] {
        let folder = folder("meter_lockout");
        let mut in_memory = Bench::in_memory();
        let more = json!({"policy": {"lockout": policy}});
        in_memory.make(key(), more.clone());
        open(&folder).make(key(), more);
        let token = in_memory.issue(&key(), 6_000_000, credit("25.6"));
        let wrong = in_memory.issue(&key_with(json!({"krn": 2})), 6_000_000, credit("25.6"));
        let wait = |seconds| json!({"op": "advance", "seconds": seconds});
        let enter = |digits: &str| json!({"op": "enter", "digits": digits});
        let mut seen = Vec::new();
        for request in [
            enter(&wrong),
            enter(&wrong),
            enter(&wrong),
            enter(&token),
            wait(9),
            enter(&token),
            wait(1),
            enter(&wrong),
            wait(10),
            enter(&token),
            wait(10),
            enter(&token),
            enter(&wrong),
        ] {
            // Each request in a program of its own.
            let answer = open(&folder).done(request.clone());
            assert_eq!(answer, in_memory.done(request), "{policy}");
            assert_eq!(open(&folder).state(), in_memory.state(), "{policy}");
            seen.extend(answer["result"].as_str().map(str::to_owned));
        }
        let (wrong, locked) = ("crc_error", "lockout");
        let expected = [wrong, wrong, wrong, locked, locked, wrong, locked, "accept", wrong];
        assert_eq!(seen, expected, "{policy}");
    }
}

#[test]
fn a_tripped_switch_in_a_file_closes_again_at_its_time() {
    let folder = folder("meter_trip");
    let mut in_memory = Bench::in_memory();
    in_memory.make(key(), json!({}));
    open(&folder).make(key(), json!({}));
    let limit = json!({"type": "set_maximum_power_limit", "watts": 1000});
    let (credit, limit) = (
        in_memory.issue(&key(), 6_000_000, credit("25.6")),
        in_memory.issue(&key(), 6_000_001, limit),
    );
    for digits in [credit, limit] {
        let request = json!({"op": "enter", "digits": digits});
        assert_eq!(open(&folder).done(request.clone()), in_memory.done(request));
    }
    let mut reasons = Vec::new();
    for (watts, seconds) in
        [(2000, 20), (2000, 9), (2000, 1), (0, 59), (0, 1), (2000, 30), (0, 600), (2000, 1)]
    {
        let request = json!({"op": "consume", "watts": watts, "seconds": seconds});
        let answer = open(&folder).done(request.clone());
        assert_eq!(answer, in_memory.done(request), "{watts} W for {seconds} s");
        let state = open(&folder).state();
        assert_eq!(state, in_memory.state(), "{watts} W for {seconds} s");
        reasons.push(state["switch_reason"].clone());
    }
    let (closed, open) = (Value::Null, json!("power_limit"));
    let expected = [&closed, &closed, &open, &open, &closed, &open, &closed, &closed];
    assert_eq!(reasons.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn sections_typed_on_the_keypad_are_in_the_file_even_while_the_meter_is_locked() {
    let folder = folder("meter_keypad_sections");
    let mut bench = open(&folder);
    bench.make(key(), json!({"policy": {"lockout": {"free_tries": 1}}}));
    let sections = bench.key_change("07", &key(), &key_with(json!({"krn": 2})), 2);
    let typed = json!({"op": "key", "press": format!("{}#", sections[0].replace(' ', ""))});
    assert_eq!(bench.done(typed)["result"], "first_kct");
    let wrong = bench.issue(&key_with(json!({"krn": 7})), 9, credit("1"));
    assert_eq!(bench.enter(&wrong), "crc_error");
    drop(bench);
    let mut bench = open(&folder);
    let state = bench.state();
    assert_eq!((&state["kct_pending"], &state["lockout_seconds"]), (&json!([1]), &json!(10)));
    bench.done(json!({"op": "advance", "seconds": 10}));
    drop(bench);
    assert_eq!(open(&folder).enter(&sections[1]), "accept");
}

#[test]
fn a_directory_in_use_is_refused_and_its_files_too() {
    let folder = folder("meter_directory_in_use");
    let mut bench = open(&folder);
    bench.make(key(), json!({}));
    let file = folder.join("m.meter");
    let name = "m".parse().unwrap();
    let in_use = |refused: Result<_, MeterError>| refused.map(drop).unwrap_err().code() == "in_use";
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(in_use(Meters::in_directory(&folder).map(drop))));
        scope.spawn(|| assert!(in_use(Meters::in_file(&file).tamper(&name))));
    });
    assert!(!Meters::reading_file(&file).state(&name).unwrap().tamper);
    drop(bench);
    let mut one = Meters::in_file(&file);
    one.tamper(&name).unwrap();
    assert!(in_use(Meters::in_directory(&folder).map(drop)), "one of its files is in use");
    drop(one);
    assert_eq!(open(&folder).state()["tamper"], true);
}

#[test]
fn a_file_that_was_removed_or_replaced_meanwhile_is_not_brought_back() {
    let folder = folder("meter_replaced");
    open(&folder).make(key(), json!({}));
    let (file, name) = (folder.join("m.meter"), "m".parse().unwrap());
    let whole = fs::read(&file).unwrap();
    let mut meters = Meters::in_file(&file);
    assert!(!meters.state(&name).unwrap().tamper);
    fs::remove_file(&file).unwrap();
    let refused = meters.tamper(&name).unwrap_err();
    assert!(refused.message().contains("removed or replaced"), "{refused}");
    assert!(!file.exists());
    assert_eq!(meters.state(&name).unwrap_err().code(), "file");
    fs::write(&file, &whole).unwrap();
    assert!(!meters.state(&name).unwrap().tamper);
    fs::write(folder.join("other"), &whole).unwrap();
    fs::rename(folder.join("other"), &file).unwrap();
    assert_eq!(meters.tamper(&name).unwrap_err().code(), "storage");
    assert_eq!(fs::read(&file).unwrap(), whole, "it is untouched");
    // A symbolic link is followed: it and what it points to stay one meter.
    let link = folder.join("link");
    std::os::unix::fs::symlink("m.meter", &link).unwrap();
    drop(meters);
    Meters::in_file(&link).tamper(&name).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert!(Meters::reading_file(&file).state(&name).unwrap().tamper);
}

/// A slot as version 1 wrote it: the header once, and twenty bytes less.
fn of_version_1(slot: &str) -> String {
    let byte = |at: usize| u8::from_str_radix(&slot[at..at + 2], 16).unwrap();
    let mut header: Vec<u8> = (0..16).map(|at| byte(2 * at)).collect();
    if header[0] != b'P' {
        return slot[..slot.len() - 40].to_owned(); // Nothing is in it yet.
    }
    header[5] = 1;
    let sum = Crc::<u32>::new(&CRC_32_ISO_HDLC).checksum(&header);
    header.extend(sum.to_be_bytes());
    let header: String = header.iter().map(|byte| format!("{byte:02x}")).collect();
    header + &slot[80..]
}

#[test]
fn a_file_with_records_of_version_1_is_read_and_written_as_version_2() {
    let folder = folder("meter_version_1");
    let mut bench = open(&folder);
    bench.make(key(), json!({}));
    let token = bench.issue(&key(), 6_000_000, credit("25.6"));
    assert_eq!(bench.enter(&token), "accept");
    let state = bench.state();
    drop(bench);
    let file = folder.join("m.meter");
    let slots = |bytes: &[u8]| {
        let body: Value = serde_json::from_slice(&bytes[20..]).unwrap();
        ["slot_a", "slot_b"].map(|slot| body[slot].as_str().unwrap().to_owned())
    };
    let mut bytes = fs::read(&file).unwrap();
    let new = slots(&bytes);
    // Such a file has version 1 itself.
    let mut body: Value = serde_json::from_slice(&bytes.split_off(20)).unwrap();
    let members = body.as_object_mut().unwrap();
    for added in ["memory", "phases", "tariff_register"] {
        assert!(members.remove(added).is_some(), "{added}");
    }
    for (name, slot) in ["slot_a", "slot_b"].into_iter().zip(&new) {
        members[name] = of_version_1(slot).into();
    }
    let body = body.to_string();
    bytes[5] = 1;
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    bytes[8..12].copy_from_slice(&(body.len() as u32).to_be_bytes());
    bytes[12..16].copy_from_slice(&crc.checksum(body.as_bytes()).to_be_bytes());
    let sum = crc.checksum(&bytes[..16]);
    bytes[16..20].copy_from_slice(&sum.to_be_bytes());
    fs::write(&file, [&bytes[..], body.as_bytes()].concat()).unwrap();

    let mut bench = open(&folder);
    assert_eq!(bench.state(), state);
    assert_eq!(bench.enter(&token), "used_error");
    bench.done(json!({"op": "tamper"}));
    drop(bench);
    let lengths = slots(&fs::read(&file).unwrap()).map(|slot| slot.len());
    assert_eq!(lengths, new.map(|slot| slot.len()));
}

#[test]
fn what_cannot_be_stored_has_not_happened() {
    let folder = folder("meter_unwritable");
    let mut bench = open(&folder);
    bench.make(key(), json!({}));
    let token = bench.issue(&key(), 6_000_000, credit("25.6"));
    let before = bench.state();
    // A directory where the new file would be written first.
    let beside = folder.join(".m.meter.new");
    fs::create_dir(&beside).unwrap();
    let answer = bench.ask(json!({"op": "enter", "digits": token}));
    assert_eq!(answer["error"]["code"], "storage", "{answer}");
    fs::remove_dir(&beside).unwrap();
    assert_eq!(bench.state(), before);
    assert_eq!(bench.enter(&token), "accept");
}
