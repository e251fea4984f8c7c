//! `prepay meter run` on a terminal of the test's own: `script` makes it (Debian: bsdutils must be installed).

#![cfg(feature = "tui")]

mod common;

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use common::{ends, folder};

/// How long something that has to appear may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The settings of the terminal before and after, and the process that runs on it.
const SESSION: &str = r#"
    stty sane rows 24 cols 80; echo "<$(stty -g)>"
    sh -c 'echo "process $$."; exec "$PREPAY" meter run $ARGUMENTS'; echo "ended with $?"
    echo "<$(stty -g)>"
"#;

/// A meter on a screen.
struct Screen {
    script: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Screen {
    fn start(arguments: &str) -> Self {
        let mut script = Command::new("script")
            .args(["-q", "-e", "-c", SESSION, "/dev/null"])
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm")
            .env("PREPAY", env!("CARGO_BIN_EXE_prepay"))
            .env("ARGUMENTS", arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script starts");
        let keyboard = script.stdin.take().unwrap();
        let mut output = script.stdout.take().unwrap();
        let (put, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let _ = put.send(bytes[..count].to_vec());
            }
        });
        Self { script, keyboard, screen, seen: String::new() }
    }

    /// Waits until a text appears. Returns what appeared up to its end, since the last one.
    fn wait_for(&mut self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(place) = self.seen.find(text) {
                let rest = self.seen.split_off(place + text.len());
                return std::mem::replace(&mut self.seen, rest);
            }
            // The picture changes all the time, so only the time since the beginning counts.
            let bytes = self.screen.recv_timeout(end.saturating_duration_since(Instant::now()));
            let bytes =
                bytes.unwrap_or_else(|_| panic!("{text:?} is missing in {:.500?}", self.seen));
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    /// The settings of the terminal, which stand between angle brackets.
    fn settings(&mut self) -> String {
        self.wait_for("<");
        self.wait_for(">")
    }

    fn type_in(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

#[test]
fn a_signal_ends_the_screen_and_leaves_the_terminal_as_it_was() {
    for signal in ["TERM", "HUP", "INT"] {
        let mut screen = Screen::start("");
        let before = screen.settings();
        screen.wait_for("process ");
        let process = screen.wait_for(".");
        screen.wait_for("keypad");
        let kill =
            Command::new("kill").args(["-s", signal, process.trim_end_matches('.')]).status();
        assert!(kill.unwrap().success());
        // Back from the other screen, with the cursor, and the state of the meter in plain text.
        let rest = screen.wait_for("ended with 0");
        assert!(
            rest.contains("\u{1b}[?1049l") && rest.contains("\u{1b}[?25h"),
            "{signal}: {rest:?}"
        );
        assert!(rest.contains("meter 600727000000000009"), "{signal}: {rest:?}");
        assert_eq!(screen.settings(), before, "{signal}");
    }
}

#[test]
fn a_meter_on_a_screen_is_in_use_and_has_the_words_and_codes_of_its_files() {
    let folder = folder("meter_screen");
    let path = |name: &str| folder.join(name).display().to_string();
    let (file, words, codes) = (path("m.meter"), path("words.toml"), path("codes.toml"));
    ends(
        0,
        &format!(
            "meter new --file {file} --pan 600727000000000009 --vending-key abababababababab --sgc 123456"
        ),
        b"",
    );
    let sample = |name: &str| {
        let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../prepay-meter/data/");
        std::fs::read_to_string(format!("{data}{name}")).unwrap()
    };
    let own = sample("words-project.toml").replace("\"reject\"", "\"nein\"");
    std::fs::write(&words, own).unwrap();
    let own = sample("short-codes-project.toml").replace("\"002\"", "\"777\"");
    std::fs::write(&codes, own).unwrap();

    let mut screen = Screen::start(&format!("{file} --words {words} --codes {codes}"));
    screen.wait_for("keypad");
    let refused = ends(2, &format!("--json meter tamper {file}"), b"");
    assert!(refused.contains("\"code\":\"in_use\""), "{refused}");
    assert!(ends(0, &format!("meter show {file}"), b"").contains("tamper                 false"));
    screen.type_in(&format!("{}\r", "66475648316756821784"));
    screen.wait_for("nein");
    screen.type_in("q");
    screen.wait_for("ended with 0");
    ends(0, &format!("meter tamper {file}"), b"");

    std::fs::write(&words, "name = 1").unwrap();
    let refused = ends(3, &format!("--json meter script --words {words}"), b"");
    assert!(
        refused.contains("value_range") && refused.contains("words.toml: line 1: "),
        "{refused}"
    );
}

#[test]
fn a_script_has_the_words_and_codes_of_its_files() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../prepay-meter/data");
    let new = r#"{"op":"new","meter":"m","pan":"600727000000000009","ea":"07","key":{"vending_key":"abababababababab","dkga":"02","sgc":"123456","krn":1,"kt":2,"ti":"01"}}"#;
    let press = |keys: &str| format!(r#"{{"op":"key","meter":"m","press":"{keys}"}}"#);
    let token = press("66475648316756821785#");
    let restart = r#"{"op":"restart","meter":"m"}"#.to_owned();
    let lines = [new.to_owned(), token.clone(), restart, token, press("801#"), press("002#")];
    let files =
        format!("--words {data}/words-de-facto.toml --codes {data}/short-codes-hexing.toml");
    let answers = ends(0, &format!("meter script {files}"), lines.join("\n").as_bytes());
    let answers: Vec<&str> = answers.lines().collect();
    for (place, word) in [(1, "accEPt"), (3, "USEd"), (4, "1.00 kWh"), (5, "rEJEct")] {
        assert!(answers[place].contains(word), "{word} is missing in {}", answers[place]);
    }
    let plain = ends(0, "meter script", lines.join("\n").as_bytes());
    assert!(plain.contains("accept") && !plain.contains("accEPt") && !plain.contains("USEd"));
}
