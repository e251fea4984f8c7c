//! The keypad: what the keys typed so far mean, and what they become. A state machine without a meter.
//!
//! ```text
//!            digit                    digit, below 20
//!  empty ───────────> typing 1..20 <─┐──┘
//!    │  ^               │  │  └─ back: the last digit goes
//!    │  └─ time-out ────┘  └─ enter: 20 digits are a Token, fewer a Code
//!    └─ enter: a code begins (`#`), where the syntax has it
//! ```
//!
//! - Length alone separates a token from a code: twenty digits are a token, also after a leading `#`.
//! - A twenty-first digit is ignored: what the display shows is what will be entered.
//! - Source: de facto (`keypad/mod.rs`).

use core::fmt;

use crate::keypad::key::Key;
use crate::keypad::screen::{Screen, Subject, Unit};
use crate::keypad::text::Text;
use crate::short_code::{CodeSyntax, ShortCode};

/// How many digits a token has.
const TOKEN_DIGITS: usize = 20;

/// The choices that a keypad and its display leave open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeypadPolicy {
    /// After how many seconds without a key a partial entry is dropped. Default: 20, as two makers do.
    pub entry_timeout_s: u32,
    /// What enters a token. Default: the enter key, so that a mistyped twentieth digit can be corrected: wrong
    /// tokens may lock the meter. Makers differ.
    pub submit: Submit,
    /// How long a result is shown. Default: 3 seconds, as one maker does.
    pub result_s: u32,
    /// How long the credited amount is shown after it. Default: 5 seconds, as one maker does.
    pub amount_s: u32,
    /// How long a register is shown, whether a code or a token requested it. Default: 5 seconds, this project's
    /// own.
    pub register_s: u32,
}

/// What enters a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submit {
    /// The enter key.
    OnEnter,
    /// The twentieth digit. An enter key right after it does nothing.
    AtTwentieth,
}

impl Default for KeypadPolicy {
    fn default() -> Self {
        Self {
            entry_timeout_s: 20,
            submit: Submit::OnEnter,
            result_s: 3,
            amount_s: 5,
            register_s: 5,
        }
    }
}

/// A keypad and what was typed on it.
#[derive(Clone)]
pub struct Keypad {
    policy: KeypadPolicy,
    syntax: CodeSyntax,
    digits: [u8; TOKEN_DIGITS], // Invariant: ASCII digits as far as `count`.
    count: u8,                  // Invariant: at most 20.
    is_marked: bool,
    was_submitted: bool,
    last_key_s: u64,
}

/// What a key, or the passing of time, leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum KeypadAction {
    /// Nothing.
    Nothing,
    /// Show the entry.
    Show(Screen),
    /// The entry is gone.
    Cleared,
    /// Enter a token.
    Token(TokenDigits),
    /// Look up a short code.
    Code(ShortCode),
}

/// The twenty digits of a token, as they were typed. The number may still be too large for one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenDigits([u8; TOKEN_DIGITS]); // Invariant: ASCII digits.

impl Keypad {
    /// A keypad on which nothing was typed.
    pub const fn new(policy: KeypadPolicy, syntax: CodeSyntax) -> Self {
        Self {
            policy,
            syntax,
            digits: [0; TOKEN_DIGITS],
            count: 0,
            is_marked: false,
            was_submitted: false,
            last_key_s: 0,
        }
    }

    /// Handles a key. An entry that is too old is dropped first.
    pub fn press(&mut self, key: Key, now_s: u64) -> KeypadAction {
        let expired = self.tick(now_s);
        self.last_key_s = now_s;
        let was_submitted = core::mem::take(&mut self.was_submitted);
        let action = match key {
            Key::Back => self.take_back(),
            Key::Enter if was_submitted => KeypadAction::Nothing,
            Key::Enter => self.enter(),
            digit => self.add(digit.character() as u8),
        };
        if action == KeypadAction::Nothing { expired } else { action }
    }

    /// Lets time pass: a partial entry is dropped [`KeypadPolicy::entry_timeout_s`] after its last key.
    pub fn tick(&mut self, now_s: u64) -> KeypadAction {
        let idle_s = now_s.saturating_sub(self.last_key_s);
        if !self.is_typing() || idle_s < u64::from(self.policy.entry_timeout_s) {
            return KeypadAction::Nothing;
        }
        self.clear();
        KeypadAction::Cleared
    }

    /// Whether an entry has begun.
    pub const fn is_typing(&self) -> bool {
        self.count > 0 || self.is_marked
    }

    /// How many digits were typed.
    pub const fn digit_count(&self) -> u8 {
        self.count
    }

    /// The entry as it is shown: a dash after each fourth digit that another follows, and a counter.
    pub fn screen(&self) -> Screen {
        let mut text = Text::EMPTY;
        if self.is_marked {
            text.push('#');
        }
        for (place, &digit) in self.typed().iter().enumerate() {
            if place > 0 && place % 4 == 0 {
                text.push('-');
            }
            text.push(digit.into());
        }
        Screen { subject: Subject::Entry { digits: self.count }, text, unit: Unit::None }
    }

    fn typed(&self) -> &[u8] {
        &self.digits[..usize::from(self.count)]
    }

    fn clear(&mut self) {
        self.digits = [0; TOKEN_DIGITS];
        self.count = 0;
        self.is_marked = false;
    }

    fn add(&mut self, digit: u8) -> KeypadAction {
        let Some(place) = self.digits.get_mut(usize::from(self.count)) else {
            return KeypadAction::Nothing;
        };
        *place = digit;
        self.count += 1;
        let is_full = usize::from(self.count) == TOKEN_DIGITS;
        match (self.syntax, self.policy.submit) {
            (CodeSyntax::InfoFirst { digits }, _) if self.is_marked && self.count == digits => {
                self.enter()
            }
            (_, Submit::AtTwentieth) if is_full => {
                self.was_submitted = true;
                self.enter()
            }
            _ => KeypadAction::Show(self.screen()),
        }
    }

    fn take_back(&mut self) -> KeypadAction {
        match self.count.checked_sub(1) {
            Some(count) => {
                self.count = count;
                self.digits[usize::from(count)] = 0;
            }
            None => self.is_marked = false,
        }
        if self.is_typing() { KeypadAction::Show(self.screen()) } else { KeypadAction::Cleared }
    }

    fn enter(&mut self) -> KeypadAction {
        let action = match usize::from(self.count) {
            0 if self.is_marked => KeypadAction::Cleared,
            0 if self.syntax.has_mark() => {
                self.is_marked = true;
                return KeypadAction::Show(self.screen());
            }
            0 => KeypadAction::Nothing,
            TOKEN_DIGITS => KeypadAction::Token(TokenDigits(self.digits)),
            _ => KeypadAction::Code(ShortCode::typed(self.typed(), self.is_marked)),
        };
        self.clear();
        action
    }
}

impl fmt::Debug for Keypad {
    /// How many digits were typed, and not which: they may be a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keypad({} digits)", self.count)
    }
}

impl TokenDigits {
    /// The digits, without separators.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

impl fmt::Debug for TokenDigits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenDigits(..)")
    }
}
