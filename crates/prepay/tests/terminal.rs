//! Secrets that people type, on a terminal of the test's own: `script` makes it (Debian: bsdutils must be
//! installed).
//!
//! A shell on that terminal runs the program between two looks at the terminal's settings. Nothing is typed before
//! what asks for it has appeared.

mod module_kit;

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use module_kit::{SECRETS, Workplace};

/// What runs on the terminal. The lines that are read before and after show whether it echoes.
const SESSION: &str = r#"
    stty $MODES; echo "<$(stty -g)>"; read -r line; echo first line taken
    "$PREPAY" module --dir "$PLACE" $ARGUMENTS; echo "ended with $?"
    echo "<$(stty -g)>"; read -r line; echo last line taken
"#;

/// How long something that has to appear may take.
const PATIENCE: Duration = Duration::from_secs(60);

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";

const INIT: &str = "init --id SM-1 --test --custodian ann --custodian bob --auditor uwe";

/// The questions of [`INIT`] and what is typed.
const TYPED: [(&str, &str); 4] = [
    ("new passphrase of custodian ann", "ann-keeps-the-first-half"),
    ("new passphrase of custodian bob", "bob-keeps-the-other-half"),
    ("new passphrase of auditor uwe", "uwe-reads-what-others-did"),
    ("new sealing passphrase of SM-1", "seal-horse-battery-staple"),
];

/// A terminal with somebody at it.
struct Terminal {
    script: Child,
    keyboard: ChildStdin,
    screen: Receiver<Vec<u8>>,
    /// Everything that has appeared.
    seen: String,
    /// How much of it was waited for.
    read: usize,
}

impl Terminal {
    fn start(workplace: &Workplace, arguments: &str) -> Self {
        Self::start_with("sane", workplace, arguments)
    }

    /// Begins the session on a terminal with these modes, and shows that it echoes.
    fn start_with(modes: &str, workplace: &Workplace, arguments: &str) -> Self {
        let mut script = Command::new("script")
            .args(["-q", "-e", "-c", SESSION, "/dev/null"])
            .env("SHELL", "/bin/sh")
            .env("PREPAY", env!("CARGO_BIN_EXE_prepay"))
            .env("PLACE", workplace.path("module"))
            .env("ARGUMENTS", arguments)
            .env("MODES", modes)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("script is installed (Debian: apt-get install bsdutils)");
        let keyboard = script.stdin.take().unwrap();
        let mut output = script.stdout.take().unwrap();
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                if sender.send(bytes[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        let mut terminal = Self { script, keyboard, screen, seen: String::new(), read: 0 };
        terminal.wait_for(">");
        terminal.say("echoed before");
        terminal.wait_for("echoed before");
        terminal.wait_for("first line taken");
        terminal
    }

    /// Waits until a text has appeared behind what was waited for last.
    fn wait_for(&mut self, text: &str) {
        loop {
            if let Some(place) = self.seen[self.read..].find(text) {
                self.read += place + text.len();
                return;
            }
            let more = self.screen.recv_timeout(PATIENCE);
            let more = more.unwrap_or_else(|_| panic!("{text:?} does not appear: {}", self.seen));
            self.seen.push_str(std::str::from_utf8(&more).expect("the tests are ASCII"));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line for the shell.
    fn say(&mut self, text: &str) {
        self.press(&format!("{text}\n"));
    }

    /// Waits for a question, types the answer and presses Enter.
    fn answer(&mut self, question: &str, answer: &str) {
        self.wait_for(&format!("{question}: "));
        self.press(&format!("{answer}\r"));
    }

    /// Answers a question and its repetition.
    fn answer_twice(&mut self, question: &str, answer: &str) {
        self.answer(question, answer);
        self.answer(&format!("{question}, again"), answer);
    }

    /// Waits for the program's end, shows that the terminal is as before and echoes, and gives what appeared.
    fn ends(mut self, status: i32) -> String {
        self.wait_for(&format!("ended with {status}\r\n"));
        self.wait_for(">");
        self.say("echoed after");
        self.wait_for("echoed after");
        self.wait_for("last line taken");
        assert!(self.script.wait().unwrap().success());
        let settings: Vec<&str> = self.seen.lines().filter(|line| line.starts_with('<')).collect();
        assert_eq!(settings.len(), 2, "{}", self.seen);
        assert_eq!(settings[0], settings[1], "the terminal is as it was");
        for (_, secret) in TYPED {
            assert!(!self.seen.contains(secret), "{secret} was shown: {}", self.seen);
        }
        std::mem::take(&mut self.seen)
    }
}

impl Drop for Terminal {
    /// After a failure nobody types any more.
    fn drop(&mut self) {
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}

/// An empty place without secrets in files.
fn workplace(name: &str) -> Workplace {
    Workplace::new(&format!("terminal-{name}"))
}

/// Whether there is a vault.
fn is_made(workplace: &Workplace) -> bool {
    workplace.path("module").join("store").exists()
}

fn occurrences(screen: &str, text: &str) -> usize {
    screen.matches(text).count()
}

#[test]
fn what_is_typed_makes_a_module_and_opens_it_and_is_never_shown() {
    let workplace = workplace("typed");
    let mut terminal = Terminal::start(&workplace, INIT);
    for (question, secret) in TYPED {
        terminal.answer_twice(question, secret);
    }
    let screen = terminal.ends(0);
    for (question, _) in TYPED {
        assert_eq!(occurrences(&screen, question), 2, "{question}: {screen}");
    }
    assert!(is_made(&workplace));

    let mut terminal = Terminal::start(&workplace, "registers --as uwe");
    terminal.answer("sealing passphrase of SM-1", TYPED[3].1);
    terminal.answer("passphrase of uwe", TYPED[2].1);
    terminal.ends(0);

    // The Enter of a terminal that a program has left in disorder.
    let mut terminal = Terminal::start_with("sane -icrnl", &workplace, "registers --as uwe");
    terminal.answer("sealing passphrase of SM-1", TYPED[3].1);
    terminal.answer("passphrase of uwe", TYPED[2].1);
    terminal.ends(0);

    // A wrong one is not shown either, and one that is known is asked for once.
    let mut terminal = Terminal::start(&workplace, "registers --as uwe");
    terminal.answer("sealing passphrase of SM-1", TYPED[3].1);
    terminal.answer("passphrase of uwe", TYPED[0].1);
    let screen = terminal.ends(3);
    assert_eq!(occurrences(&screen, "passphrase of uwe: "), 1, "{screen}");
}

#[test]
fn custodians_whose_shares_open_a_module_type_their_passphrases_once() {
    let workplace = workplace("shares");
    let mut terminal = Terminal::start(&workplace, &format!("{INIT} --seal shares"));
    for (question, secret) in &TYPED[..3] {
        terminal.answer_twice(question, secret);
    }
    terminal.ends(0);

    let mut terminal = Terminal::start(&workplace, "user list --custodian ann --custodian bob");
    for (person, (_, secret)) in ["ann", "bob"].iter().zip(TYPED) {
        terminal.answer(&format!("passphrase of custodian {person}"), secret);
    }
    let screen = terminal.ends(0);
    assert_eq!(occurrences(&screen, "passphrase of"), 2, "{screen}");

    // An auditor is asked who else is there.
    let mut terminal = Terminal::start(&workplace, "registers --as uwe");
    for (number, person) in [(1, "ann"), (2, "bob")] {
        let who = format!("custodian {number} of 2 who open SM-1 (ann, bob)");
        terminal.answer(&who, person);
    }
    for (person, (_, secret)) in ["custodian ann", "custodian bob", "uwe"].iter().zip(TYPED) {
        terminal.answer(&format!("passphrase of {person}"), secret);
    }
    terminal.ends(0);
}

#[test]
fn nobody_waits_for_a_vault_while_somebody_thinks() {
    let workplace = workplace("thinks");
    workplace.init("");
    let known = |name: &str| SECRETS.iter().find(|(of, _)| *of == name).unwrap().1.to_owned();
    let (seal, two) =
        (("sealing passphrase of SM-1", known("seal")), "--custodian ann --custodian bob");
    let ann = ("passphrase of custodian ann", known("ann"));
    let bob = ("passphrase of custodian bob", known("bob"));
    let new = |question: &'static str| (question, "chosen-by-somebody-new".to_owned());
    let add = format!("user add eve --role operator {two}");
    let change = "user passphrase olga".to_owned();
    let backup = format!("backup {} {two}", workplace.path("copy").display());
    let cases = [
        ("registers --as uwe".to_owned(), vec![("passphrase of uwe", known("uwe"))]),
        (
            add,
            vec![
                ann.clone(),
                bob.clone(),
                new("new passphrase of operator eve"),
                new("new passphrase of operator eve, again"),
            ],
        ),
        (
            change,
            vec![
                ("passphrase of olga", known("olga")),
                new("new passphrase of olga"),
                new("new passphrase of olga, again"),
            ],
        ),
        (
            backup,
            vec![
                ann.clone(),
                bob.clone(),
                new("new passphrase of custodian ann for the back-up"),
                new("new passphrase of custodian ann for the back-up, again"),
                new("new passphrase of custodian bob for the back-up"),
                new("new passphrase of custodian bob for the back-up, again"),
            ],
        ),
        (
            format!("seal {two}"),
            vec![
                ann,
                bob,
                new("new sealing passphrase of SM-1"),
                new("new sealing passphrase of SM-1, again"),
            ],
        ),
    ];
    for (command, questions) in cases {
        let mut terminal = Terminal::start(&workplace, &command);
        for (question, secret) in std::iter::once(seal.clone()).chain(questions) {
            terminal.wait_for(&format!("{question}: "));
            workplace.succeed("registers --as uwe --wait 0");
            terminal.press(&format!("{secret}\r"));
        }
        terminal.ends(0);
    }
}

#[test]
fn what_is_there_already_is_refused_before_anybody_is_asked() {
    let workplace = workplace("there");
    workplace.init("");
    let screen = Terminal::start(&workplace, INIT).ends(2);
    assert!(screen.contains("not_empty:") && !screen.contains("passphrase"), "{screen}");
    let elsewhere = crate::workplace("there-too");
    std::fs::write(elsewhere.path("a.key"), "something").unwrap();
    let key =
        format!("{INIT} --seal key-file --new-key-file {}", elsewhere.path("a.key").display());
    let screen = Terminal::start(&elsewhere, &key).ends(2);
    assert!(screen.contains("file_exists:") && !screen.contains("passphrase"), "{screen}");
    assert!(!is_made(&elsewhere));
}

#[test]
fn a_repetition_that_differs_is_no_new_passphrase() {
    let workplace = workplace("differs");
    let (question, secret) = TYPED[0];
    let again = format!("{question}, again");
    let mut terminal = Terminal::start(&workplace, INIT);
    for _ in 0..3 {
        terminal.answer(question, secret);
        terminal.answer(&again, TYPED[1].1);
        terminal.wait_for("the two entries differ");
    }
    let screen = terminal.ends(2);
    assert!(screen.contains("the two entries differed 3 times"), "{screen}");
    assert!(!is_made(&workplace), "nothing was made");

    // One slip is forgiven: what was entered twice alike counts.
    let mut terminal = Terminal::start(&workplace, INIT);
    terminal.answer(question, TYPED[1].1);
    terminal.answer(&again, secret);
    for (question, secret) in TYPED {
        terminal.answer_twice(question, secret);
    }
    terminal.ends(0);
    let mut terminal = Terminal::start(&workplace, "slots --as ann");
    terminal.answer("sealing passphrase of SM-1", TYPED[3].1);
    terminal.answer("passphrase of ann", secret);
    terminal.ends(0);
}

#[test]
fn whoever_leaves_a_question_finds_the_terminal_as_it_was_and_nothing_made() {
    let (question, secret) = TYPED[0];
    // (what is pressed, what the program says): at once, and behind a part of a secret.
    let part = format!("{secret}{CTRL_C}");
    for (case, (keys, said)) in [
        (CTRL_C, "interrupted"),
        (part.as_str(), "interrupted"),
        (CTRL_D, "the input ended"),
        ("\r", "nothing was entered"),
    ]
    .into_iter()
    .enumerate()
    {
        let workplace = workplace(&format!("left-{case}"));
        for is_repetition in [false, true] {
            let mut terminal = Terminal::start(&workplace, INIT);
            let mut asked = question.to_owned();
            if is_repetition {
                terminal.answer(question, secret);
                asked += ", again";
            }
            terminal.wait_for(&format!("{asked}: "));
            terminal.press(keys);
            let screen = terminal.ends(2);
            let told = format!("{asked}: {said}");
            assert!(screen.contains(&told), "{keys:?}: expected {told:?}: {screen}");
            assert!(!is_made(&workplace), "nothing was made, {keys:?}");
        }
    }
}
