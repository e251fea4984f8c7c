//! The state of the screen, and the effect of keys and time. Knows neither terminal nor clock.
//!
//! - The meter's clock runs at the chosen speed while nobody uses the keypad. While somebody types or reads an
//!   answer it runs at x1, so that there is time to read the display.

use std::collections::VecDeque;
use std::time::Duration;

use prepay_lab::meter::{Glance, MeterError};
use prepay_meter::keypad::{Key, Subject};
use prepay_meter::{Switch, Warning};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::household::Household;

/// How much faster than real time the meter's clock can run.
const SPEEDS: [u32; 5] = [1, 10, 60, 600, 3_600];
/// The heaviest load: 20 kW, or 20 000 litres an hour.
pub(super) const MOST_LOAD: u32 = 20_000;
/// The initial load.
const USUAL_LOAD: u32 = 500;
/// One step of the slider, and a large one.
const STEP: u32 = 100;
const LARGE_STEP: u32 = 1_000;
/// How many events to remember.
const MOST_EVENTS: usize = 200;
/// How long scrolling text waits before it moves by one character.
const SCROLL_MS: u128 = 400;

/// The state of the screen.
pub(super) struct App {
    household: Household,
    pub(super) glance: Glance,
    pub(super) load: u32,
    pub(super) events: VecDeque<Event>,
    /// The key that was pressed last, until the next frame of time.
    pub(super) pressed: Option<Key>,
    speed: usize, // Invariant: an index of `SPEEDS`.
    owed_ms: u64,
    shown_for: Duration,
    is_over: bool,
}

/// Something that happened, and when, by the meter's clock.
pub(super) struct Event {
    pub(super) at_s: u64,
    pub(super) tone: Tone,
    pub(super) text: String,
}

/// Whether an event is good or bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Good,
    Bad,
}

impl App {
    /// A new screen for a meter.
    pub(super) fn new(mut household: Household) -> Result<Self, MeterError> {
        let glance = household.glance()?;
        let mut app = Self {
            household,
            glance,
            load: USUAL_LOAD,
            events: VecDeque::new(),
            pressed: None,
            speed: 0,
            owed_ms: 0,
            shown_for: Duration::ZERO,
            is_over: false,
        };
        app.tell(Tone::Plain, format!("balance {}, switch {}", glance.balance, glance.switch));
        Ok(app)
    }

    /// Handles a key of the terminal.
    pub(super) fn press(&mut self, event: KeyEvent) {
        if event.kind == KeyEventKind::Release {
            return;
        }
        match event.code {
            KeyCode::Char('c') if event.modifiers.contains(KeyModifiers::CONTROL) => {
                self.is_over = true
            }
            KeyCode::Char('q') => self.is_over = true,
            KeyCode::Char('+' | '=') => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
            KeyCode::Char('-') => self.speed = self.speed.saturating_sub(1),
            KeyCode::Char('t') => self.buy(),
            KeyCode::Char('x') => self.tamper(),
            KeyCode::Up => self.load = (self.load + STEP).min(MOST_LOAD),
            KeyCode::Down => self.load = self.load.saturating_sub(STEP),
            KeyCode::Right => self.load = (self.load + LARGE_STEP).min(MOST_LOAD),
            KeyCode::Left => self.load = self.load.saturating_sub(LARGE_STEP),
            KeyCode::Backspace => self.key(Key::Back),
            KeyCode::Enter => self.key(Key::Enter),
            KeyCode::Char(character) => {
                if let Ok(key) = Key::try_from(character) {
                    self.key(key);
                }
            }
            _ => {}
        }
    }

    /// Advances real time, and with it the meter's clock.
    pub(super) fn pass(&mut self, elapsed: Duration) {
        self.pressed = None;
        self.shown_for += elapsed;
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.owed_ms = self.owed_ms.saturating_add(elapsed_ms.saturating_mul(self.pace().into()));
        let seconds = u32::try_from(self.owed_ms / 1_000).unwrap_or(u32::MAX);
        if seconds > 0 {
            self.owed_ms %= 1_000;
            let passed = self.household.consume(self.load, seconds);
            self.note(passed);
        }
    }

    /// Whether the user wants to quit.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The chosen speed.
    pub(super) fn speed(&self) -> u32 {
        SPEEDS[self.speed]
    }

    /// The current speed: x1 while the keypad is in use.
    pub(super) fn pace(&self) -> u32 {
        match self.glance.screen.subject {
            Subject::Idle(_) => self.speed(),
            _ => 1,
        }
    }

    /// By how many characters the text of the display has scrolled.
    pub(super) fn scrolled(&self) -> usize {
        usize::try_from(self.shown_for.as_millis() / SCROLL_MS).unwrap_or(0)
    }

    /// Whether this is the demonstration meter, for which you can buy tokens.
    pub(super) fn is_demonstration(&self) -> bool {
        self.household.is_demonstration()
    }

    /// The meter, to print its final state.
    pub(super) fn into_household(self) -> Household {
        self.household
    }

    /// Presses a key of the meter.
    fn key(&mut self, key: Key) {
        self.pressed = Some(key);
        let pressed = self.household.press(key.character());
        let result = pressed.as_ref().ok().copied().flatten();
        let before = self.look(pressed);
        if let Some(result) = result {
            let (result, code) = (result.name(), result.code());
            let tone = if code <= 3 || code >= 17 { Tone::Good } else { Tone::Bad };
            let (old, new) = (before.balance, self.glance.balance);
            let text = match old == new {
                true => format!("token: {result} ({code})"),
                false => format!("token: {result} ({code}), balance {old} -> {new}"),
            };
            self.tell(tone, text);
        }
        self.tell_changes(before);
    }

    fn buy(&mut self) {
        match self.household.buy(self.glance.clock_s) {
            Some(token) => {
                self.tell(Tone::Good, format!("TEST token, 25.6 kWh: {}", grouped(token)))
            }
            None => self.tell(
                Tone::Plain,
                "you can buy tokens for the demonstration meter only".to_owned(),
            ),
        }
    }

    fn tamper(&mut self) {
        self.tell(Tone::Bad, "the cover was opened".to_owned());
        let tampered = self.household.tamper();
        self.note(tampered);
    }

    /// Reads the meter's state after an action, and adds events for what has changed.
    fn note<T>(&mut self, done: Result<T, MeterError>) {
        let before = self.look(done);
        self.tell_changes(before);
    }

    /// Reads the meter's state after an action. Returns the state before it.
    fn look<T>(&mut self, done: Result<T, MeterError>) -> Glance {
        let before = self.glance;
        match done.and_then(|_| self.household.glance()) {
            Ok(glance) => self.glance = glance,
            Err(error) => self.tell(Tone::Bad, error.to_string()),
        }
        if before.screen.text != self.glance.screen.text {
            self.shown_for = Duration::ZERO;
        }
        before
    }

    fn tell_changes(&mut self, before: Glance) {
        let glance = self.glance;
        if before.switch != glance.switch {
            let tone = if glance.switch == Switch::Closed { Tone::Good } else { Tone::Bad };
            self.tell(tone, format!("switch {}", glance.switch));
        }
        if before.warning != glance.warning {
            let (tone, text) = match glance.warning {
                Warning::None => (Tone::Good, "credit is sufficient again"),
                Warning::Low => (Tone::Bad, "credit is low"),
                Warning::Emergency => (Tone::Bad, "emergency credit is in use"),
                Warning::Exhausted => (Tone::Bad, "credit is exhausted"),
            };
            self.tell(tone, text.to_owned());
        }
    }

    fn tell(&mut self, tone: Tone, text: String) {
        if self.events.len() == MOST_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(Event { at_s: self.glance.clock_s, tone, text });
    }
}

/// The digits of a token in groups of four.
fn grouped(token: prepay_token::TokenData) -> String {
    let digits: Vec<char> = token.to_string().chars().filter(char::is_ascii_digit).collect();
    digits.chunks(4).map(|group| group.iter().collect()).collect::<Vec<String>>().join(" ")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
