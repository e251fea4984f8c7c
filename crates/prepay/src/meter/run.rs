//! `prepay meter run`: a household's meter on the screen of a terminal.
//!
//! ```text
//!  keys, time ──> App ──> draw ──> terminal
//!                  │
//!                  └──> Household ──> the meter, in a file or in memory
//! ```
//!
//! - Only this file knows the terminal and the clock. It restores the terminal however the program ends, also by a
//!   signal that asks it to end.
//! - Elsewhere: the effect of keys and time (`app.rs`), drawing (`draw.rs`), the meter (`household.rs`).

mod app;
mod draw;
mod household;

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::flag;

use super::flags::KeypadFlags;
use super::print;
use crate::Ending;
use crate::failure::{Done, Failure};
use crate::json;
use app::App;
use household::Household;

/// The longest time between two frames.
const FRAME: Duration = Duration::from_millis(250);

/// Opens a meter, or makes a demonstration, and shows it until the user quits.
pub(crate) fn run(file: Option<&Path>, keypad: &KeypadFlags, as_json: bool) -> Done<Ending> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        let message = "meter run needs a terminal; enter, consume and script work without one";
        return Err(Failure::unable("terminal", message));
    }
    let opened = match file {
        Some(path) => Household::in_file(path, keypad),
        None => Household::demonstration(keypad),
    };
    let mut app = App::new(opened?)?;
    let is_stopped = stop_on_signals()?;
    // This also sets a panic hook, which restores the terminal before the message is printed.
    let mut terminal = ratatui::try_init()?;
    let shown = show(&mut terminal, &mut app, &is_stopped);
    let restored = ratatui::try_restore();
    shown?;
    restored?;
    farewell(app, as_json)
}

/// Whether a signal has asked the program to end. Without this, a signal would leave the terminal as it is.
fn stop_on_signals() -> io::Result<Arc<AtomicBool>> {
    let is_stopped = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        flag::register(signal, Arc::clone(&is_stopped))?;
    }
    Ok(is_stopped)
}

/// Draws, waits for a key, advances time.
fn show(terminal: &mut DefaultTerminal, app: &mut App, is_stopped: &AtomicBool) -> io::Result<()> {
    let mut last = Instant::now();
    while !(app.is_over() || is_stopped.load(Ordering::Relaxed)) {
        terminal.draw(|frame| draw::draw(frame, app))?;
        let mut wait = FRAME;
        while event::poll(wait)? {
            if let Event::Key(key) = event::read()? {
                app.press(key);
            }
            // Pasted text arrives key by key: read all of it before drawing again.
            wait = Duration::ZERO;
        }
        let now = Instant::now();
        app.pass(now - last);
        last = now;
    }
    Ok(())
}

/// Prints the final state of the meter.
fn farewell(app: App, as_json: bool) -> Done<Ending> {
    let state = app.into_household().state()?;
    if as_json {
        json::print(&state, false)?;
    } else {
        let mut out = anstream::stdout().lock();
        writeln!(out, "meter {}", state.pan)?;
        print::balance(&mut out, &state)?;
    }
    Ok(Ending::Done)
}
