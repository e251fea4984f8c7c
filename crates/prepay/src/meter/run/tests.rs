//! The screen of the demonstration, driven by keys and time, without a terminal and without waiting.

use std::time::Duration;

use prepay_meter::Switch;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::App;
use crate::meter::flags::KeypadFlags;
use crate::meter::run::draw::draw;
use crate::meter::run::household::Household;

fn app() -> App {
    let keypad = KeypadFlags::default();
    App::new(Household::demonstration(&keypad).expect("it can be made")).expect("it can be seen")
}

fn press(app: &mut App, code: KeyCode) {
    app.press(KeyEvent::new(code, KeyModifiers::NONE));
}

fn type_in(app: &mut App, text: &str) {
    text.chars().for_each(|character| press(app, KeyCode::Char(character)));
}

/// The contents of the terminal, line by line.
fn screen(app: &App) -> String {
    screen_of(app, 80, 24)
}

fn screen_of(app: &App, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("it is in memory");
    terminal.draw(|frame| draw(frame, app)).expect("it is in memory");
    terminal.backend().to_string()
}

#[track_caller]
fn shows(app: &App, parts: &[&str]) {
    let screen = screen(app);
    for part in parts {
        assert!(screen.contains(part), "{part:?} is missing in\n{screen}");
    }
}

/// Buys a token and returns its digits from the event log.
fn buy(app: &mut App) -> String {
    press(app, KeyCode::Char('t'));
    let told = &app.events.back().expect("it is told").text;
    let digits = told.split_once(": ").expect("the digits stand behind a colon").1;
    digits.replace(' ', "")
}

#[test]
fn a_new_demonstration_shows_all_its_parts() {
    let app = app();
    shows(
        &app,
        &[
            "TEST meter 600727000000000009",
            "day 0 00:00:00",
            "clock x1",
            "25.60 kWh",
            "closed: on",
            "enough",
            "500 W",
            "[ <- ]",
            "[ OK ]",
            "q quit",
            "t buy a TEST token",
        ],
    );
}

#[test]
fn a_token_typed_on_the_keypad_is_credited_once() {
    let mut app = app();
    let digits = buy(&mut app);
    type_in(&mut app, &digits);
    shows(&app, &["20 of 20 digits"]);
    press(&mut app, KeyCode::Enter);
    shows(
        &app,
        &["token: accept (1), balance 25.60 kWh -> 51.20 kWh", "balance  51.20 kWh", "result"],
    );
    app.pass(Duration::from_secs(3));
    shows(&app, &["25.6 kWh", "added"]);
    type_in(&mut app, &digits);
    press(&mut app, KeyCode::Enter);
    shows(&app, &["token: used_error (10)", "balance  51.19 kWh"]);
}

#[test]
fn digits_are_taken_back_and_a_mistyped_token_is_refused() {
    let mut app = app();
    type_in(&mut app, "1234");
    press(&mut app, KeyCode::Backspace);
    shows(&app, &["3 of 20 digits", "123"]);
    app.pass(Duration::from_secs(60));
    shows(&app, &["credit", "25."]);
    type_in(&mut app, &"7".repeat(20));
    press(&mut app, KeyCode::Enter);
    let told = &app.events.back().expect("it is told").text;
    assert!(told.starts_with("token: ") && !told.contains("accept"), "{told}");
}

#[test]
fn credit_runs_low_then_out_and_the_switch_opens() {
    let mut app = app();
    (0..4).for_each(|_| press(&mut app, KeyCode::Char('+')));
    (0..9).for_each(|_| press(&mut app, KeyCode::Right));
    shows(&app, &["clock x3600", "9500 W"]);
    app.pass(Duration::from_secs(2));
    shows(&app, &["credit is low", "LOW: buy a token", "drawing now: 9500 W"]);
    app.pass(Duration::from_secs(1));
    assert!(matches!(app.glance.switch, Switch::Open(_)));
    shows(&app, &["open: no credit", "EXHAUSTED", "drawing now: nothing", "0.00 kWh", "NO CREDIT"]);
    let digits = buy(&mut app);
    type_in(&mut app, &digits);
    press(&mut app, KeyCode::Enter);
    shows(&app, &["closed: on", "25.60 kWh"]);
}

#[test]
fn the_clock_waits_at_normal_speed_while_somebody_types() {
    let mut app = app();
    (0..9).for_each(|_| press(&mut app, KeyCode::Char('+')));
    type_in(&mut app, "1");
    shows(&app, &["clock x1 (then x3600)"]);
    app.pass(Duration::from_millis(1_500));
    assert_eq!(app.glance.clock_s, 1);
    app.pass(Duration::from_millis(500));
    assert_eq!(app.glance.clock_s, 2, "parts of a second are not lost");
    (0..9).for_each(|_| press(&mut app, KeyCode::Char('-')));
    assert_eq!(app.speed(), 1);
}

#[test]
fn tampering_opens_the_switch_and_only_q_or_ctrl_c_leaves() {
    let mut app = app();
    press(&mut app, KeyCode::Char('x'));
    shows(&app, &["open: tamper", "the cover was opened"]);
    press(&mut app, KeyCode::Char('c'));
    assert!(!app.is_over());
    app.press(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
    assert!(app.is_over());
    let mut app = self::app();
    press(&mut app, KeyCode::Char('q'));
    assert!(app.is_over());
}

#[test]
fn the_slider_stays_within_its_ends_and_any_size_of_terminal_can_be_drawn() {
    let mut app = app();
    (0..30).for_each(|_| press(&mut app, KeyCode::Left));
    shows(&app, &["0 W"]);
    (0..30).for_each(|_| press(&mut app, KeyCode::Right));
    press(&mut app, KeyCode::Up);
    shows(&app, &["20000 W"]);
    for (width, height) in [(1, 1), (20, 5), (80, 10), (200, 60)] {
        screen_of(&app, width, height);
    }
}

#[test]
fn a_small_screen_keeps_the_essentials_and_a_tiny_one_says_that_it_is_too_small() {
    let mut app = app();
    type_in(&mut app, "1234");
    for (width, height) in [(64, 17), (80, 24), (63, 17), (64, 16), (28, 6), (40, 10), (28, 40)] {
        let screen = screen_of(&app, width, height);
        let parts =
            ["600727000000000009", "1234", "4 of 20 digits", "enough", "closed: on", "500 W"];
        for part in parts.into_iter().chain(["q quit"]) {
            assert!(screen.contains(part), "{part:?} is missing at {width}x{height} in\n{screen}");
        }
    }
    for (width, height) in [(27, 6), (28, 5), (12, 3), (200, 5)] {
        let screen = screen_of(&app, width, height);
        for part in ["too small", "need 28x6", "q quit"] {
            assert!(screen.contains(part), "{part:?} is missing at {width}x{height} in\n{screen}");
        }
    }
    app.glance.switch = Switch::Open(prepay_meter::OpenReason::NoCredit);
    app.glance.warning = prepay_meter::Warning::Exhausted;
    let screen = screen_of(&app, 32, 6);
    assert!(screen.contains("open: no credit") && screen.contains("EXHAUSTED"), "{screen}");
}
