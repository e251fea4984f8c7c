//! A keypad and a display on a meter: which screen is shown, and for how long.
//!
//! ```text
//!  Idle <──────────────────────────────────┬──────────────────┬────────────┐
//!   │ key                                  │ last one over    │ over       │
//!   v                                      │                  │            │
//!  Entry ── token ──> Result ──> Amount, or registers of a test            │
//!     ├──── code ───> Register ────────────┴──────────────────┘            │
//!     ├──── code ───> CodeRefused ─────────────────────────────────────────┤
//!     └──── time-out ──────────────────────────────────────────────────────┘
//! ```
//!
//! A digit or back ends whatever is shown. Fewer than twenty digits never reach the meter as a token: they
//! are a short code or a refusal word, and neither counts as the result of a token.

use core::fmt;

use prepay_token::TokenData;
use prepay_token::element::TokenCarrierType;

use crate::credit::CreditForm;
use crate::display::DisplayItem;
use crate::keypad::input::{Keypad, KeypadAction, KeypadPolicy};
use crate::keypad::key::Key;
use crate::keypad::samples::{CODES_PROJECT, WORDS_PROJECT};
use crate::keypad::screen::{Screen, Subject};
use crate::keypad::words::ResultWords;
use crate::maker::{Maker, NoMaker};
use crate::meter::Meter;
use crate::outcome::{Effect, Outcome};
use crate::register::Register;
use crate::short_code::{CodeTarget, ShortCode, ShortCodeMap};
use crate::storage::Storage;

/// A keypad and a display.
///
/// Its memory is lost with the power, as a partial entry on a real one is.
#[derive(Clone)]
pub struct Panel<'a> {
    keypad: Keypad,
    policy: KeypadPolicy,
    codes: ShortCodeMap<'a>,
    words: ResultWords<'a>,
    showing: Showing,
    since_s: u64,
    last: Option<Screen>,
}

/// What a key led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Pressed {
    /// What the display shows now, if it has changed.
    pub shown: Option<Screen>,
    /// What the meter answered, if twenty digits were entered.
    pub outcome: Option<Outcome>,
    /// The token that was entered. Nothing if twenty digits were no token.
    pub token: Option<TokenData>,
}

/// What is being shown.
#[derive(Clone, Copy, Debug)]
enum Showing {
    Idle,
    Entry,
    /// Step 0 is the result; what the token did follows.
    Answer {
        outcome: Outcome,
        step: u32,
    },
    Register(Register),
    CodeRefused,
    Fault,
}

impl Default for Panel<'_> {
    /// The default policy, the project's own codes and words.
    fn default() -> Self {
        Self::new(KeypadPolicy::default(), CODES_PROJECT, WORDS_PROJECT)
    }
}

impl<'a> Panel<'a> {
    /// A panel on which nothing was typed.
    pub const fn new(
        policy: KeypadPolicy,
        codes: ShortCodeMap<'a>,
        words: ResultWords<'a>,
    ) -> Self {
        Self {
            keypad: Keypad::new(policy, codes.syntax()),
            policy,
            codes,
            words,
            showing: Showing::Idle,
            since_s: 0,
            last: None,
        }
    }

    /// Forgets what was typed and shown, as after a loss of power.
    pub const fn reset(&mut self) {
        *self = Self::new(self.policy, self.codes, self.words);
    }

    /// Handles a key. A token that it completes is entered; proprietary ones are a function error.
    ///
    /// # Errors
    ///
    /// The fault of the storage. The meter is unchanged; the display shows the word for a fault
    /// ([`screen`](Self::screen)), and the token may be typed again.
    pub fn press<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize, S: Storage>(
        &mut self,
        key: Key,
        meter: &mut Meter<TIDS, FLAGS, CONTROLS>,
        now_s: u64,
        storage: &mut S,
    ) -> Result<Pressed, S::Fault> {
        self.press_with(key, meter, now_s, storage, &NoMaker)
    }

    /// Handles a key; `maker` answers for proprietary tokens.
    ///
    /// # Errors
    ///
    /// The fault of the storage, as for [`press`](Self::press).
    pub fn press_with<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize, S: Storage>(
        &mut self,
        key: Key,
        meter: &mut Meter<TIDS, FLAGS, CONTROLS>,
        now_s: u64,
        storage: &mut S,
        maker: &impl Maker,
    ) -> Result<Pressed, S::Fault> {
        self.pass_time(meter, now_s);
        let mut token = None;
        let answered = match self.keypad.press(key, now_s) {
            KeypadAction::Nothing => {
                if self.keypad.is_typing() {
                    self.since_s = now_s;
                }
                Ok(None)
            }
            KeypadAction::Show(_) => {
                self.show(Showing::Entry, now_s);
                Ok(None)
            }
            KeypadAction::Cleared => {
                self.show(Showing::Idle, now_s);
                Ok(None)
            }
            KeypadAction::Token(digits) => {
                token = digits.as_str().parse::<TokenData>().ok();
                let entered = match token {
                    Some(data) => {
                        let carrier = TokenCarrierType::NUMERIC;
                        meter.enter_with(data, carrier, now_s, storage, maker)
                    }
                    None => Ok(meter.refuse_format()),
                };
                entered.map(|outcome| {
                    self.show(Showing::Answer { outcome, step: 0 }, now_s);
                    Some(outcome)
                })
            }
            KeypadAction::Code(code) => self.serve(&code, meter, now_s, storage).map(|()| None),
        };
        if answered.is_err() {
            self.show(Showing::Fault, now_s);
        }
        let shown = self.changed(meter, now_s);
        answered.map(|outcome| Pressed { shown, outcome, token })
    }

    /// Lets time pass. Returns what the display shows now, if it has changed.
    ///
    /// Call it at least once a second: screens that began and ended since the last call are not reported.
    pub fn tick<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>(
        &mut self,
        meter: &Meter<TIDS, FLAGS, CONTROLS>,
        now_s: u64,
    ) -> Option<Screen> {
        self.pass_time(meter, now_s);
        self.changed(meter, now_s)
    }

    /// What the display shows, as of the last key or tick.
    pub fn screen<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>(
        &self,
        meter: &Meter<TIDS, FLAGS, CONTROLS>,
        now_s: u64,
    ) -> Screen {
        let screen = self.screen_of(self.showing, meter, now_s);
        screen.unwrap_or_else(|| self.idle(meter, now_s))
    }

    /// What the display will show if nobody presses a key: each screen with the second at which it begins.
    /// It ends with the idle screen. Nothing when the display is idle.
    pub fn upcoming<'s, const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>(
        &'s self,
        meter: &'s Meter<TIDS, FLAGS, CONTROLS>,
    ) -> impl Iterator<Item = (u64, Screen)> + 's {
        let mut place = (self.showing, self.since_s);
        core::iter::from_fn(move || {
            let duration_s = match place.0 {
                Showing::Entry => Some(self.policy.entry_timeout_s),
                showing => self.duration_s(showing),
            };
            let at_s = place.1.saturating_add(duration_s?.into());
            place = (self.after(place.0, meter), at_s);
            let screen = self.screen_of(place.0, meter, at_s)?;
            Some((at_s, screen))
        })
    }

    /// The keypad: how many digits were typed.
    pub const fn keypad(&self) -> &Keypad {
        &self.keypad
    }

    fn show(&mut self, showing: Showing, now_s: u64) {
        self.showing = showing;
        self.since_s = now_s;
    }

    /// The current screen, if it differs from the one reported last.
    fn changed<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>(
        &mut self,
        meter: &Meter<TIDS, FLAGS, CONTROLS>,
        now_s: u64,
    ) -> Option<Screen> {
        let screen = self.screen(meter, now_s);
        let is_new = self.last.replace(screen) != Some(screen);
        is_new.then_some(screen)
    }

    /// Drops an entry that is too old, and goes on to the screen of this second.
    fn pass_time<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>(
        &mut self,
        meter: &Meter<TIDS, FLAGS, CONTROLS>,
        now_s: u64,
    ) {
        if self.keypad.tick(now_s) == KeypadAction::Cleared {
            self.show(Showing::Idle, now_s);
        }
        while let Some(duration_s) = self.duration_s(self.showing) {
            let end_s = self.since_s.saturating_add(duration_s.into());
            if now_s < end_s {
                break;
            }
            self.show(self.after(self.showing, meter), end_s);
        }
    }

    /// How long something is shown; without end, as far as the display knows, when idle or typing.
    fn duration_s(&self, showing: Showing) -> Option<u32> {
        let KeypadPolicy { result_s, amount_s, register_s, .. } = self.policy;
        match showing {
            Showing::Idle | Showing::Entry => None,
            Showing::Answer { step: 0, .. } | Showing::CodeRefused | Showing::Fault => {
                Some(result_s)
            }
            Showing::Answer { outcome: Outcome::Accepted(Effect::Display(_)), .. } => {
                Some(register_s)
            }
            Showing::Answer { .. } => Some(amount_s),
            Showing::Register(_) => Some(register_s),
        }
    }

    /// What is shown after something.
    fn after<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>(
        &self,
        showing: Showing,
        meter: &Meter<TIDS, FLAGS, CONTROLS>,
    ) -> Showing {
        let Showing::Answer { outcome, step } = showing else { return Showing::Idle };
        let next = Showing::Answer { outcome, step: step + 1 };
        match self.screen_of(next, meter, 0) {
            Some(_) => next,
            None => Showing::Idle,
        }
    }

    /// The screen of something; nothing after the last step of an answer.
    fn screen_of<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>(
        &self,
        showing: Showing,
        meter: &Meter<TIDS, FLAGS, CONTROLS>,
        now_s: u64,
    ) -> Option<Screen> {
        let registered =
            |register| Screen::register(Subject::Register(register), register, meter, now_s);
        Some(match showing {
            Showing::Idle => self.idle(meter, now_s),
            Showing::Entry => self.keypad.screen(),
            Showing::Register(register) => registered(register),
            Showing::CodeRefused => Screen::word(Subject::CodeRefused, self.words.code_refused()),
            Showing::Fault => Screen::word(Subject::Fault, self.words.fault()),
            Showing::Answer { outcome, step: 0 } => {
                let result = outcome.result();
                Screen::word(Subject::Result(result), self.words.word(result))
            }
            Showing::Answer { outcome: Outcome::Accepted(effect), step } => match effect {
                Effect::Credited { service, tenths, .. } if step == 1 => {
                    Screen::units(service, tenths)
                }
                Effect::CurrencyCredited { service, hundred_thousandths, .. } if step == 1 => {
                    Screen::money(service, hundred_thousandths)
                }
                Effect::Display(programme) => {
                    match meter.items(programme).nth(step as usize - 1)? {
                        DisplayItem::Show(register) => registered(register),
                        item => Screen::test(item),
                    }
                }
                _ => return None,
            },
            Showing::Answer { .. } => return None,
        })
    }

    /// What is shown when nobody uses the keypad: the credit of the first service.
    fn idle<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize>(
        &self,
        meter: &Meter<TIDS, FLAGS, CONTROLS>,
        now_s: u64,
    ) -> Screen {
        let profile = meter.profile();
        let register = match (profile.services.iter().next(), profile.credit) {
            (Some(service), CreditForm::Units) => Register::Credit(service),
            (Some(service), CreditForm::Currency) => Register::CurrencyCredit(service),
            // No meter has a profile without a service.
            (None, _) => Register::MeterNumber,
        };
        Screen::register(Subject::Idle(register), register, meter, now_s)
    }

    /// Does what a short code requests.
    fn serve<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize, S: Storage>(
        &mut self,
        code: &ShortCode,
        meter: &mut Meter<TIDS, FLAGS, CONTROLS>,
        now_s: u64,
        storage: &mut S,
    ) -> Result<(), S::Fault> {
        let showing = match self.codes.find(code) {
            Some(CodeTarget::Show(register)) => Showing::Register(register),
            Some(CodeTarget::StartEmergency(service)) => {
                match (meter.start_emergency(service, storage)?, meter.profile().credit) {
                    (true, CreditForm::Units) => Showing::Register(Register::Credit(service)),
                    (true, CreditForm::Currency) => {
                        Showing::Register(Register::CurrencyCredit(service))
                    }
                    (false, _) => Showing::CodeRefused,
                }
            }
            None => Showing::CodeRefused,
        };
        self.show(showing, now_s);
        Ok(())
    }
}

impl fmt::Debug for Panel<'_> {
    /// How many digits were typed, and nothing of what is shown: it may be a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Panel({:?}, ..)", self.keypad)
    }
}
