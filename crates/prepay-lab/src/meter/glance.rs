//! What a person who stands before a meter sees: the display, the switch, the lamps.
//!
//! - Elsewhere: what a program reads of a meter (`answer.rs`, the state).

use prepay_meter::keypad::Screen;
use prepay_meter::{Register, RegisterValue, Switch, Warning};
use prepay_token::element::{MeterPan, Service};

use super::{MeterError, MeterName, Meters};

/// What can be seen of a meter at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Its number.
    pub pan: MeterPan,
    /// The first of its services, which the rest is about.
    pub service: Service,
    /// The clock of the meter, in seconds.
    pub clock_s: u64,
    /// What the display shows.
    pub screen: Screen,
    /// The credit as the display shows it when nobody uses the keypad.
    pub balance: Screen,
    /// Whether the service flows.
    pub switch: Switch,
    /// What the lamp of the meter says about the credit.
    pub warning: Warning,
    /// The power that is drawn, in watts; nothing for other services.
    pub power_watts: Option<u32>,
}

impl Meters {
    /// Looks at a meter. Time that has passed moves its display on, and nothing else.
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
