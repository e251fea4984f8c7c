//! Draws the meter. Made for eighty columns and twenty-four lines.
//!
//! ```text
//!  ┌ title: number, clock, speed ──────────────┐
//!  │ display         │ credit, switch, warning │
//!  │ keypad          │ load                    │
//!  ├─────────────────┴─────────────────────────┤
//!  │ events                                    │
//!  └ help ─────────────────────────────────────┘
//! ```
//!
//! - Where that does not fit, the essentials stand below each other, without a picture; where they do not fit either, the
//!   screen says so.
//! - Colours never say more than the words.

use std::fmt::Display;

use prepay_meter::keypad::{Key, Subject};
use prepay_meter::{Switch, Warning};
use prepay_token::element::Service;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Gauge, Paragraph};

use super::app::{App, MOST_LOAD, Tone};

/// The width of the meter's display, in characters.
const DISPLAY: usize = 8;

const GOOD: Style = Style::new().fg(Color::Green);
const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);
const LOW: Style = Style::new().fg(Color::Yellow).add_modifier(Modifier::BOLD);
const QUIET: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const PRESSED: Style = Style::new().add_modifier(Modifier::REVERSED);

/// The smallest screen with the whole picture, and with the essentials: columns and lines.
const WHOLE: (u16, u16) = (64, 17);
const ESSENTIALS: (u16, u16) = (28, 6);

/// The layout of the keypad.
const ROWS: [[Key; 3]; 4] = [
    [Key::One, Key::Two, Key::Three],
    [Key::Four, Key::Five, Key::Six],
    [Key::Seven, Key::Eight, Key::Nine],
    [Key::Back, Key::Zero, Key::Enter],
];

/// Draws the whole screen.
pub(super) fn draw(frame: &mut Frame<'_>, app: &App) {
    let area = frame.area();
    let fits = |(width, height)| area.width >= width && area.height >= height;
    if fits(WHOLE) {
        draw_picture(frame, app);
    } else if fits(ESSENTIALS) {
        draw_essentials(frame, app);
    } else {
        let (width, height) = ESSENTIALS;
        let lines = vec![
            Line::styled("too small", BAD),
            Line::from(format!("need {width}x{height}")),
            Line::from("q quit"),
        ];
        frame.render_widget(Paragraph::new(lines), area);
    }
}

/// The display, credit, switch, load and clock, and the last event.
fn draw_essentials(frame: &mut Frame<'_>, app: &App) {
    let glance = &app.glance;
    let (warning, warned) = warning(glance.warning);
    let (switch, switched) = switch(glance.switch);
    let (shown, note) = shown(app);
    let event = app.events.back().map_or("", |event| event.text.as_str());
    let unit = glance.screen.unit.name();
    let lines = vec![
        Line::styled(format!("TEST {}", glance.pan.as_str()), BOLD),
        Line::from(vec![
            Span::styled(format!("{shown} {unit}"), BOLD),
            Span::raw(format!("  {note}")),
        ]),
        Line::styled(format!("credit {warning}"), warned),
        Line::styled(format!("switch {switch}"), switched),
        Line::from(format!("load {} {}  x{}", app.load, load_unit(glance.service), app.pace())),
        Line::styled(format!("q quit  {event}"), QUIET),
    ];
    frame.render_widget(Paragraph::new(lines), frame.area());
}

fn draw_picture(frame: &mut Frame<'_>, app: &App) {
    let rows =
        [Constraint::Length(1), Constraint::Length(11), Constraint::Min(3), Constraint::Length(2)];
    let [title, meter, events, help] = Layout::vertical(rows).areas(frame.area());
    let columns = [Constraint::Length(28), Constraint::Min(30)];
    let [left, right] = Layout::horizontal(columns).areas(meter);
    let [display, keypad] =
        Layout::vertical([Constraint::Length(5), Constraint::Length(6)]).areas(left);
    let [credit, load] =
        Layout::vertical([Constraint::Length(6), Constraint::Length(5)]).areas(right);
    draw_title(frame, title, app);
    draw_display(frame, display, app);
    draw_keypad(frame, keypad, app);
    draw_credit(frame, credit, app);
    draw_load(frame, load, app);
    draw_events(frame, events, app);
    draw_help(frame, help, app);
}

fn draw_title(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let pace = match (app.speed(), app.pace()) {
        (speed, pace) if speed == pace => format!("x{speed}"),
        (speed, pace) => format!("x{pace} (then x{speed})"),
    };
    let glance = &app.glance;
    let line = Line::from(vec![
        Span::styled(format!(" TEST meter {}", glance.pan.as_str()), BOLD),
        Span::raw(format!("   {}   clock {pace}", clock(glance.clock_s))),
    ]);
    frame.render_widget(line, area);
}

fn draw_display(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let (text, note) = shown(app);
    let lamp = match app.glance.warning {
        Warning::None => Span::styled("●", GOOD),
        Warning::Low | Warning::Emergency => Span::styled("▲ LOW", LOW),
        Warning::Exhausted => Span::styled("■ NO CREDIT", BAD),
    };
    let lines = vec![
        Line::styled(format!("{text:>DISPLAY$} {:<8}", app.glance.screen.unit.name()), BOLD),
        Line::styled(note, QUIET),
        Line::from(lamp),
    ];
    let block = Block::bordered().title("display");
    frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center).block(block), area);
}

/// What the display shows, and what that is.
fn shown(app: &App) -> (impl Display + '_, String) {
    let screen = &app.glance.screen;
    let text = match screen.subject {
        Subject::Entry { .. } => screen.text.tail(DISPLAY),
        _ => screen.text.window(DISPLAY, app.scrolled()),
    };
    let note = match screen.subject {
        Subject::Entry { digits } => format!("{digits} of 20 digits"),
        Subject::Result(_) => "result".to_owned(),
        Subject::Credited(_) => "added".to_owned(),
        Subject::Idle(_) => "credit".to_owned(),
        _ => String::new(),
    };
    (text, note)
}

/// What is said about the credit.
const fn warning(warning: Warning) -> (&'static str, Style) {
    match warning {
        Warning::None => ("enough", GOOD),
        Warning::Low => ("LOW: buy a token", LOW),
        Warning::Emergency => ("EMERGENCY credit in use", LOW),
        Warning::Exhausted => ("EXHAUSTED: enter a token", BAD),
    }
}

/// What is said about the switch.
fn switch(switch: Switch) -> (String, Style) {
    match switch {
        Switch::Closed => ("closed: on".to_owned(), GOOD),
        Switch::Open(reason) => (format!("open: {}", reason.name().replace('_', " ")), BAD),
    }
}

/// The unit of a load.
const fn load_unit(service: Service) -> &'static str {
    match service {
        Service::Electricity => "W",
        _ => "litres/h",
    }
}

fn draw_keypad(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let key = |key: Key| {
        let label = match key {
            Key::Back => "<-".to_owned(),
            Key::Enter => "OK".to_owned(),
            digit => digit.character().to_string(),
        };
        let style = if app.pressed == Some(key) { PRESSED } else { Style::new() };
        [Span::styled(format!("[{label:^4}]"), style), Span::raw(" ")]
    };
    let lines: Vec<Line<'_>> =
        ROWS.iter().map(|row| Line::from_iter(row.iter().flat_map(|it| key(*it)))).collect();
    let block = Block::bordered().title("keypad");
    frame.render_widget(Paragraph::new(lines).alignment(Alignment::Center).block(block), area);
}

fn draw_credit(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let glance = &app.glance;
    let (warning, warned) = warning(glance.warning);
    let (switch, switched) = switch(glance.switch);
    let title = if app.is_demonstration() { "meter: demonstration" } else { "meter" };
    let lines = vec![
        Line::from(vec![Span::raw(" balance  "), Span::styled(glance.balance.to_string(), BOLD)]),
        Line::from(vec![Span::raw(" credit   "), Span::styled(warning, warned)]),
        Line::from(vec![Span::raw(" switch   "), Span::styled(switch, switched)]),
        Line::from(format!(" service  {}", glance.service.name())),
    ];
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(title)), area);
}

fn draw_load(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let unit = load_unit(app.glance.service);
    let block = Block::bordered().title("load");
    let inside = block.inner(area);
    frame.render_widget(block, area);
    let [gauge, drawn] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1)]).areas(inside);
    let percent = u16::try_from(u64::from(app.load) * 100 / u64::from(MOST_LOAD)).unwrap_or(100);
    let style = Style::new().fg(Color::Cyan);
    let label = format!("{} {unit}", app.load);
    frame.render_widget(
        Gauge::default().percent(percent.min(100)).label(label).gauge_style(style),
        gauge,
    );
    let flows = match (app.glance.switch, app.glance.power_watts) {
        (Switch::Closed, Some(watts)) => format!(" drawing now: {watts} W"),
        (Switch::Closed, None) => format!(" flow now: {} {unit}", app.load),
        (Switch::Open(_), _) => " drawing now: nothing, the switch is open".to_owned(),
    };
    frame.render_widget(Paragraph::new(flows), drawn);
}

fn draw_events(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let room = usize::from(area.height.saturating_sub(2));
    let lines: Vec<Line<'_>> = app
        .events
        .iter()
        .skip(app.events.len().saturating_sub(room))
        .map(|event| {
            let style = match event.tone {
                Tone::Plain => Style::new(),
                Tone::Good => GOOD,
                Tone::Bad => BAD,
            };
            let time = Span::styled(format!(" {}  ", clock(event.at_s)), QUIET);
            Line::from(vec![time, Span::styled(event.text.as_str(), style)])
        })
        .collect();
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title("events")), area);
}

fn draw_help(frame: &mut Frame<'_>, area: Rect, app: &App) {
    let shop = if app.is_demonstration() { "  t buy a TEST token" } else { "" };
    let lines = vec![
        Line::from(" 0-9 Backspace Enter keypad   arrows load   + - clock   q quit"),
        Line::from(format!(" x tamper{shop}   codes: 000 Enter meter number, 061 total used")),
    ];
    frame.render_widget(Paragraph::new(lines).style(QUIET), area);
}

/// A time of the meter's clock, with days.
fn clock(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    format!("day {days} {:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}
