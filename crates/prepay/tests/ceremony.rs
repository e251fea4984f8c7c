//! The guide to the key ceremony is true: every command in it is run as it stands, one after the other, in an
//! empty directory, and answers line by line what the guide says.
//!
//! In the guide `…` stands for any text within a line: fingerprints, check values, times, token digits.

mod common;
mod guide_kit;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use guide_kit::{follow, run, steps};
use serde_json::Value;

fn guide() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/key-ceremony.md")
}

#[test]
fn the_guide_to_the_key_ceremony_is_true_line_by_line() {
    let guide = fs::read_to_string(guide()).expect("the guide is there");
    let steps = steps(&guide);
    assert!(steps.len() > 90, "the guide has lost commands: {}", steps.len());
    let place = common::folder("ceremony");
    follow("docs/guides/key-ceremony.md", steps, &place);
    let left = fs::read_dir(&place).expect("the place is there").count();
    assert_eq!(left, 0, "the guide cleans up");
}

/// A program that carries out each command twice: with `--json` on a copy of the place, noted in a log, and as it is.
const TWICE: &str = r#"#!/bin/sh
rm -rf "$COPY" && cp -a "$PLACE" "$COPY" || exit 9
echo "$*" >> "$LOG"
(cd "$COPY${PWD#"$PLACE"}" && "$PREPAY" --json "$@" >> "$LOG" < /dev/null 2> /dev/null)
exec "$PREPAY" "$@"
"#;

#[test]
fn every_answer_of_the_rehearsal_in_json_is_on_the_page_of_answers() {
    let folder = common::folder("ceremony-json");
    let [place, copy, log] = ["place", "copy", "log"].map(|name| folder.join(name));
    fs::create_dir(&place).expect("the place is made");
    let setting = [
        ("PLACE", place.as_path()),
        ("COPY", copy.as_path()),
        ("LOG", log.as_path()),
        ("PREPAY", Path::new(env!("CARGO_BIN_EXE_prepay"))),
    ];
    let setting = setting.map(|(name, path)| format!("{name}='{}'\n", path.display())).concat();
    let twice = folder.join("prepay");
    let (shell, rest) = TWICE.split_once('\n').expect("a script has a first line");
    fs::write(&twice, format!("{shell}\n{setting}{rest}")).expect("the script is written");
    fs::set_permissions(&twice, fs::Permissions::from_mode(0o755)).expect("it can be run");
    let mut now_in = place;
    for step in steps(&fs::read_to_string(guide()).expect("the guide is there")) {
        run(&step.command, &mut now_in, &folder);
    }

    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/json-answers.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let (mut command, mut answers, mut failures) = (String::new(), 0, 0);
    for line in fs::read_to_string(&log).expect("there is a log").lines() {
        if !line.starts_with('{') {
            line.clone_into(&mut command);
            continue;
        }
        let answer: Value = serde_json::from_str(line).expect(&command);
        let answer = answer.as_object().expect(&command);
        if let Some(error) = answer.get("error") {
            failures += 1;
            assert!(
                ["code", "message", "next"].iter().all(|&name| error[name].is_string()),
                "{line}"
            );
            continue;
        }
        answers += 1;
        let of_command = |row: &&str| {
            let commands = row.split('|').nth(1).unwrap_or_default();
            commands.split('`').skip(1).step_by(2).any(|name| {
                command
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
            })
        };
        let row = page.lines().find(of_command).unwrap_or_else(|| panic!("no row for {command}"));
        for field in answer.keys().filter(|field| *field != "test") {
            assert!(row.contains(&format!("`{field}`")), "{command}: {field} is not in {row}");
        }
    }
    assert!(answers > 120 && failures > 25, "{answers} answers, {failures} failures");
}

#[test]
fn the_rehearsal_reaches_every_group_of_commands() {
    let guide = fs::read_to_string(guide()).expect("the guide is there");
    let commands: Vec<String> = steps(&guide).into_iter().map(|step| step.command).collect();
    for command in [
        "kmc init",
        "kmc customer",
        "kmc group",
        "kmc key",
        "kmc authorise",
        "kmc enrol",
        "kmc answer",
        "kmc report",
        "kmc form",
        "kmc audit",
        "kmc backup",
        "kmc restore",
        "kmc user",
        "kmc renew",
        "module init",
        "module request",
        "module load",
        "module registers",
        "module slots",
        "module issue",
        "module verify",
        "module audit",
        "module repair",
        "module backup",
        "module restore",
        "meter enter",
    ] {
        assert!(commands.iter().any(|line| line.contains(command)), "{command}");
    }
}
