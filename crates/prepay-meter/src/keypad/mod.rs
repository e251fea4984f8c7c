//! The keypad and the display of a meter: keys in, screens and at most one token out.
//!
//! ```text
//!  Key ──> Keypad ──┬─ Show      what is being typed ────────────────────────┐
//!                   ├─ Token     twenty digits ──> Meter ──> Outcome ──┐     │
//!                   ├─ Code      ──> ShortCodeMap ──> Register ────────┤     │
//!                   └─ Cleared   time-out, or nothing left ────────────┤     │
//!                                                                      v     v
//!                                         Panel: result 3 s, then amount 5 s ──> Screen
//! ```
//!
//! [`Keypad`] knows keys and time, and nothing of a meter. [`Panel`] joins it with a
//! [`Meter`](crate::Meter), a [`ShortCodeMap`](crate::ShortCodeMap) and [`ResultWords`]. No part holds a clock:
//! call [`Panel::tick`] at least once a second.
//!
//! - Units: time in whole seconds of the meter's counter.
//! - Source: de facto behaviour of keypad meters as makers publish it; no standard says how a keypad behaves.
//!   [`KeypadPolicy`] names every choice that is this project's own.
//! - Elsewhere: registers (`register.rs`), codes (`short_code.rs`). Real segments, a buzzer and debouncing are
//!   left to the firmware.

mod input;
mod key;
mod panel;
mod samples;
mod screen;
mod text;
mod words;

pub use input::{Keypad, KeypadAction, KeypadPolicy, Submit, TokenDigits};
pub use key::{Key, NoKey};
pub use panel::{Panel, Pressed};
pub use samples::{
    CODES_CONLOG, CODES_EASTERN, CODES_HEXING, CODES_INHE, CODES_LANDIS_GYR, CODES_LINYANG,
    CODES_PROJECT, CODES_WASION, WORDS_DE_FACTO, WORDS_ITRON, WORDS_PROJECT,
};
pub use screen::{Screen, Subject, Unit};
pub use text::Text;
pub use words::{ResultWords, WordError};
