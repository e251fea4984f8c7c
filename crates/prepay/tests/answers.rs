//! What is the same for every command: the shape of a failure, answers as JSON lines, and the exit status.

mod common;

use std::fs::OpenOptions;
use std::process::{Command, Output, Stdio};

use common::{folder, prepay, succeed, text};
use prepay_records::explain::explain;
use serde_json::Value;

/// The commands below one, as its help lists them, without help itself.
fn below(command: &str) -> Vec<String> {
    let help = succeed(&format!("{command} --help"));
    let list = help.split_once("\nCommands:\n").map_or("", |(_, list)| list);
    let lines = list.lines().take_while(|line| !line.is_empty() && line.starts_with(' '));
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(|name| format!("{command} {name}").trim().to_owned())
        .collect()
}

/// Every command of the program that has none below it.
fn commands() -> Vec<String> {
    let mut commands = Vec::new();
    let mut open = vec![String::new()];
    while let Some(command) = open.pop() {
        match below(&command) {
            names if names.is_empty() => commands.push(command),
            names => open.extend(names),
        }
    }
    commands.sort();
    assert!(commands.len() > 70, "found {} commands only: {commands:?}", commands.len());
    commands
}

/// The member `error` of the only line of a failure.
fn error(command: &str, output: &Output) -> Value {
    let printed = text(&output.stdout);
    assert_eq!(printed.lines().count(), 1, "{command}: {printed:?} {}", text(&output.stderr));
    let answer: Value = serde_json::from_str(&printed).expect(command);
    let members = answer.as_object().expect(command);
    assert!(members.keys().all(|name| ["error", "test"].contains(&name.as_str())), "{command}");
    let error = members["error"].clone();
    for (name, value) in error.as_object().expect(command) {
        let is_known = ["code", "message", "next", "status"].contains(&name.as_str());
        assert!(
            is_known && value.as_str().is_some_and(|text| !text.is_empty()),
            "{command}: {name}"
        );
    }
    let code = error["code"].as_str().expect(command);
    assert!(explain(code).is_some(), "{command}: {code} is not in the table of codes");
    assert!(error["message"].is_string() && error["next"].is_string(), "{command}: {error}");
    error
}

#[test]
fn flags_that_cannot_be_read_are_answered_in_the_shape_of_every_failure() {
    for command in commands() {
        let output = prepay(&format!("--json {command} --no-such-flag"));
        assert_eq!(output.status.code(), Some(2), "{command}");
        let error = error(&command, &output);
        assert_eq!(error["code"], "flag", "{command}");
        assert!(error["message"].as_str().unwrap().contains("--no-such-flag"), "{command}");
        assert!(output.stderr.is_empty(), "{command}: {}", text(&output.stderr));
        // Without --json people read it.
        let output = prepay(&format!("{command} --no-such-flag"));
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{command}");
        assert!(text(&output.stderr).contains("--no-such-flag"), "{command}");
    }
    let missing = prepay("--json lab");
    assert_eq!(error("lab", &missing)["message"], "a command is missing");
    let near = prepay("--json lab issue credit --amounts 1");
    assert!(error("--amounts", &near)["next"].as_str().unwrap().contains("'--amount'"));
    // Behind `--` there are no flags.
    assert!(prepay("lab -- --json").stdout.is_empty());
}

#[test]
fn every_command_answers_in_json_lines_whether_it_succeeds_or_fails() {
    let (mut succeeded, mut failed) = (0, 0);
    for command in commands() {
        if command == "completions" || command == "man" {
            continue; // They write for shells and for man; both need an argument.
        }
        let few = if command == "meter fleet" { "--meters 2 --days 2" } else { "" };
        let output = prepay(&format!("--json {command} {few}"));
        match output.status.code() {
            Some(0) => {
                succeeded += 1;
                for line in text(&output.stdout).lines() {
                    assert!(
                        serde_json::from_str::<Value>(line).unwrap().is_object(),
                        "{command}: {line}"
                    );
                }
            }
            Some(2 | 3) => {
                failed += 1;
                error(&command, &output);
            }
            other => panic!("{command}: {other:?} {}", text(&output.stderr)),
        }
    }
    assert!(succeeded >= 3 && failed >= 60, "{succeeded} succeeded, {failed} failed");
}

#[test]
fn the_page_of_answers_lists_every_command() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/json-answers.md");
    let page = std::fs::read_to_string(page).unwrap();
    for command in commands() {
        let is_its_row = |row: &str| {
            row.split('|').nth(1).is_some_and(|list| list.contains(&format!("`{command}`")))
        };
        assert!(page.lines().any(is_its_row), "no row for {command}");
    }
}

#[test]
fn each_exit_status_has_its_meaning() {
    let folder = folder("statuses");
    let nowhere = folder.join("none");
    // (status, arguments, code)
    let cases = [
        (2, "lab issue".to_owned(), "flag"),
        (2, format!("lab batch {}", nowhere.display()), "file"),
        (2, format!("lab batch {}", folder.display()), "file"),
        (2, format!("module --dir {} registers", nowhere.display()), "not_there"),
        (2, format!("kmc --dir {} customer list", nowhere.display()), "not_there"),
        (3, "lab open 123".to_owned(), "number_format"),
        (3, "explain-code nothing-like-it".to_owned(), "code_unknown"),
        (3, "meter new --file /dev/null --pan 1".to_owned(), "pan_format"),
    ];
    for (status, arguments, code) in cases {
        let output = prepay(&format!("--json {arguments}"));
        assert_eq!(output.status.code(), Some(status), "{arguments}: {}", text(&output.stdout));
        assert_eq!(error(&arguments, &output)["code"], code, "{arguments}");
    }
    for arguments in ["--help", "--version", "lab --help", "explain-code crc"] {
        assert_eq!(prepay(arguments).status.code(), Some(0), "{arguments}");
    }
    // What breaks on the way: here, standard output is full.
    for arguments in ["explain-code crc", "--json explain-code crc", "demo", "--version"] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_prepay"))
            .args(arguments.split(' '))
            .stdout(Stdio::from(full))
            .stderr(Stdio::piped())
            .spawn()
            .and_then(std::process::Child::wait_with_output)
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments}");
        let is_json = arguments.starts_with("--json");
        let said = if is_json { "{\"error\":{\"code\":\"io\"" } else { "io: " };
        assert!(text(&output.stderr).starts_with(said), "{arguments}: {}", text(&output.stderr));
    }
}
