//! `prepay meter run`: a household's meter on the screen of a terminal.
//!
//! ```text
//!  keys, time ──> App ──> draw ──> terminal
//!                  │
//!                  └──> Household ──> the meter, in a file or in memory
//! ```
//!
//! - Only this file knows the terminal and the clock. It gives the terminal back however the program ends.
//! - Elsewhere: what keys and time do (`app.rs`), how it looks (`draw.rs`), the meter (`household.rs`).

mod app;
mod draw;
mod household;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use prepay_lab::meter::{MeterAnswer, MeterError};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event};

use super::print;
use crate::Ending;
use app::App;
use household::Household;

/// How long the screen stays as it is at most.
const FRAME: Duration = Duration::from_millis(250);

/// Opens a meter, or makes a demonstration, and shows it until somebody quits.
pub(crate) fn run(file: Option<&Path>, json: bool) -> io::Result<Ending> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        let message = "meter run needs a terminal; enter, consume and script work without one";
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    let opened = match file {
        Some(path) => Household::in_file(path),
        None => Household::demonstration(),
    };
    let mut app = match opened.and_then(App::new) {
        Ok(app) => app,
        Err(error) => return refused(error, json),
    };
    // Sets a panic hook too, which gives the terminal back before the message is printed.
    let mut terminal = ratatui::try_init()?;
    let shown = show(&mut terminal, &mut app);
    let restored = ratatui::try_restore();
    shown?;
    restored?;
    farewell(app, json)
}

/// Draws, waits for a key, lets time pass.
fn show(terminal: &mut DefaultTerminal, app: &mut App) -> io::Result<()> {
    let mut last = Instant::now();
    while !app.is_over() {
        terminal.draw(|frame| draw::draw(frame, app))?;
        let mut wait = FRAME;
        while event::poll(wait)? {
            if let Event::Key(key) = event::read()? {
                app.press(key);
            }
            // What is pasted comes key by key: take all of it before drawing again.
            wait = Duration::ZERO;
        }
        let now = Instant::now();
        app.pass(now - last);
        last = now;
    }
    Ok(())
}

/// Tells how the meter was left.
fn farewell(app: App, json: bool) -> io::Result<Ending> {
    match app.into_household().state() {
        Ok(state) if json => print::json(&Ok(MeterAnswer::State(Box::new(state))))?,
        Ok(state) => print::answer(&household::DONE, &state)?,
        Err(error) => return refused(error, json),
    }
    Ok(Ending::Done)
}

fn refused(error: MeterError, json: bool) -> io::Result<Ending> {
    match json {
        true => print::json(&Err(error))?,
        false => print::error(&error),
    }
    Ok(Ending::Refused)
}
