//! What a person in front of a meter sees: the display, the switch, the lamp.
//!
//! - Elsewhere: the full state, for programs (`answer.rs`).

use prepay_meter::keypad::Screen;
use prepay_meter::{Register, RegisterValue, Switch, Warning};
use prepay_token::element::{MeterPan, Service};

use super::{MeterError, MeterName, Meters};

/// The visible state of a meter at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Its number.
    pub pan: MeterPan,
    /// Its first service, to which the rest refers.
    pub service: Service,
    /// The clock of the meter, in seconds.
    pub clock_s: u64,
    /// The contents of the display.
    pub screen: Screen,
    /// The credit, as the display shows it while nobody uses the keypad.
    pub balance: Screen,
    /// Whether the switch (or valve) is closed or open.
    pub switch: Switch,
    /// What the lamp says about the credit.
    pub warning: Warning,
    /// The power drawn, in watts; `None` for other services than electricity.
    pub power_watts: Option<u32>,
}

impl Meters {
    /// Looks at a meter. This only updates its display for the time that has passed.
    ///
    /// # Errors
    ///
    /// [`MeterError`] when there is no such meter or its file cannot be used.
    pub fn glance(&mut self, name: &MeterName) -> Result<Glance, MeterError> {
        let meter = self.load(name)?;
        let (clock_s, service) = (meter.clock_s, meter.main_service());
        let _ = meter.panel.tick(&meter.engine, clock_s);
        let engine = &meter.engine;
        let power = engine.register(Register::Power, clock_s);
        Ok(Glance {
            pan: engine.state().pan(),
            service,
            clock_s,
            screen: meter.panel.screen(engine, clock_s),
            balance: prepay_meter::keypad::Panel::default().screen(engine, clock_s),
            switch: engine.switch(service),
            warning: engine.warning(service),
            power_watts: match power {
                RegisterValue::Number(watts) if service == Service::Electricity => {
                    u32::try_from(watts).ok()
                }
                _ => None,
            },
        })
    }
}
