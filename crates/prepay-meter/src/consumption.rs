//! Use of a service: a load over time draws credit down and opens the switch at zero or above a limit; the
//! meter warns first.
//!
//! A call covers a span of seconds in which the load stays as it is. Inside it the meter finds each second
//! at which something happens: credit runs out, a limit trips, the switch closes again.
//!
//! ```text
//!  load    grains a second           electricity   water, gas         time
//!          = watts                   W             litres an hour     60 000
//! ```
//!
//! What is used is stored when it adds up to [`Policy::commit_every_grains`](crate::Policy), and with every
//! token. In between it is in memory only: a power failure gives it back to the customer.
//!
//! - Source: IEC 62055-41:2018, meter functions. The figures are this project's own.
//! - Elsewhere: tripping (`trip.rs`), the registers (`credit.rs`), reasons (`switch.rs`).

use prepay_token::element::Service;

use crate::credit::{CreditForm, Floor, Terms};
use crate::meter::Meter;
use crate::storage::Storage;
use crate::switch::{OpenReason, Switch, Warning};
use crate::trip::{Excess, Trip};

/// The rate of the time service, in grains per second.
pub const TIME_RATE: u32 = 60_000;

/// The load on a service while its switch is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// The service.
    pub service: Service,
    /// Watts of electricity, litres per hour of water or gas, [`TIME_RATE`] for time.
    pub rate: u32,
    /// The difference between the phases, in watts; only electricity has one.
    pub unbalance_watts: u32,
}

impl Load {
    /// A load of electricity, the same in every phase.
    pub const fn watts(watts: u32) -> Self {
        Self { service: Service::Electricity, rate: watts, unbalance_watts: 0 }
    }

    /// A flow of water or gas in litres per hour.
    pub const fn flow(service: Service, litres_an_hour: u32) -> Self {
        Self { service, rate: litres_an_hour, unbalance_watts: 0 }
    }

    /// The time service, in use.
    pub const fn time() -> Self {
        Self { service: Service::Time, rate: TIME_RATE, unbalance_watts: 0 }
    }
}

/// Flags of the extended token set that may act on the switch.
mod flag {
    pub(super) const DETECT_TAMPER: u16 = 1;
    pub(super) const DISCONNECT: u16 = 2;
    pub(super) const DISCONNECT_ON_TAMPER: u16 = 3;
    pub(super) const DISCONNECT_ON_POWER: u16 = 4;
    pub(super) const PREPAYMENT_OF_ELECTRICITY: u16 = 6;
}

impl<const TIDS: usize, const FLAGS: usize, const CONTROLS: usize> Meter<TIDS, FLAGS, CONTROLS> {
    /// Lets time pass with a load on one service. Credit is drawn while its switch is closed.
    ///
    /// Returns the switch at the end. A service that the meter does not have uses nothing.
    ///
    /// # Errors
    ///
    /// The fault of the storage. What was used is then kept in memory, and stored with the next commit.
    pub fn consume<S: Storage>(
        &mut self,
        load: Load,
        seconds: u32,
        storage: &mut S,
    ) -> Result<Switch, S::Fault> {
        let service = load.service;
        if !self.profile.services.contains(service) {
            return Ok(self.switch(service));
        }
        let waited = self.state.waits_for_token;
        let was_exhausted = self.is_exhausted(service);
        let mut left = u64::from(seconds);
        while left > 0 {
            left -= self.pass(load, left);
        }
        let switch = self.switch(service);
        if service == Service::Electricity {
            self.power_watts = if switch.is_closed() { load.rate } else { 0 };
        }
        let has_changed =
            self.state.waits_for_token != waited || self.is_exhausted(service) != was_exhausted;
        if has_changed || self.uncommitted >= self.profile.policy.commit_every_grains.max(1) {
            self.commit(self.state.clone(), storage)?;
        }
        Ok(switch)
    }

    /// Stores the consumption since the last commit. Call it when the power is failing.
    ///
    /// # Errors
    ///
    /// The fault of the storage.
    pub fn save<S: Storage>(&mut self, storage: &mut S) -> Result<(), S::Fault> {
        self.commit(self.state.clone(), storage)
    }

    /// Records that the meter was tampered with. Returns whether it is now in the tamper condition.
    ///
    /// # Errors
    ///
    /// The fault of the storage; the condition is then not recorded.
    pub fn tamper<S: Storage>(&mut self, storage: &mut S) -> Result<bool, S::Fault> {
        if !self.state.tamper && self.acts(flag::DETECT_TAMPER).unwrap_or(true) {
            let mut next = self.state.clone();
            next.tamper = true;
            self.commit(next, storage)?;
        }
        Ok(self.state.tamper)
    }

    /// The customer requests emergency credit. Returns whether it is now in use.
    ///
    /// It is granted if the policy offers it and the credit is low. It ends when a token brings the credit
    /// above zero.
    ///
    /// # Errors
    ///
    /// The fault of the storage; it is then not in use.
    pub fn start_emergency<S: Storage>(
        &mut self,
        service: Service,
        storage: &mut S,
    ) -> Result<bool, S::Fault> {
        let policy = &self.profile.policy;
        let is_offered = policy.emergency_credit.is_some()
            && self.profile.services.contains(service)
            && (self.is_low(service) || self.is_exhausted(service));
        if is_offered && !self.state.emergency(service) {
            let mut next = self.state.clone();
            next.emergency += 1 << service.index();
            self.commit(next, storage)?;
        }
        Ok(self.state.emergency(service))
    }

    /// Whether a service is on.
    pub fn switch(&self, service: Service) -> Switch {
        let policy = &self.profile.policy;
        let opens_on_tamper =
            self.acts(flag::DISCONNECT_ON_TAMPER).unwrap_or(policy.tamper_opens_switch);
        if self.state.tamper && opens_on_tamper {
            return Switch::Open(OpenReason::Tamper);
        }
        if self.acts(flag::DISCONNECT) == Some(true) {
            return Switch::Open(OpenReason::Disconnected);
        }
        let excess = self.state.waits_for_token.or(self.trip.open());
        match excess.filter(|_| service == Service::Electricity) {
            Some(Excess::Power) => return Switch::Open(OpenReason::PowerLimit),
            Some(Excess::PhaseUnbalance) => return Switch::Open(OpenReason::PhaseUnbalance),
            None => {}
        }
        if self.is_exhausted(service) {
            return Switch::Open(OpenReason::NoCredit);
        }
        Switch::Closed
    }

    /// What the customer is told about the credit of a service.
    pub fn warning(&self, service: Service) -> Warning {
        if self.is_exhausted(service) {
            Warning::Exhausted
        } else if matches!(self.terms(service).floor, Floor::None) {
            Warning::None
        } else if self.state.credit(service).is_exhausted(self.at_zero(service)) {
            Warning::Emergency
        } else if self.is_low(service) {
            Warning::Low
        } else {
            Warning::None
        }
    }

    /// Lets time pass up to the next event, at most `most` seconds. Returns how many passed, at least one.
    fn pass(&mut self, load: Load, most: u64) -> u64 {
        let service = load.service;
        let is_closed = self.switch(service).is_closed();
        let terms = self.terms(service);
        let rate = u64::from(load.rate);
        let register = self.state.credit(service);
        let runs_out = register.seconds_left(rate, terms).filter(|_| is_closed);
        let excess = self.excess(load).filter(|_| is_closed);
        let rule = self.profile.policy.trip.filter(|_| service == Service::Electricity);
        let trips = rule.and_then(|rule| self.trip.next_event_s(excess, rule));
        let seconds = most.min(runs_out.unwrap_or(most)).min(trips.unwrap_or(most)).max(1);
        if is_closed {
            let grains = rate * seconds;
            self.state.credit[usize::from(service.index())].draw(grains, terms);
            self.uncommitted = self.uncommitted.saturating_add(grains);
        }
        if let Some(rule) = rule
            && let Some(excess) = self.trip.pass(seconds, excess, rule)
        {
            self.state.waits_for_token = Some(excess);
            self.trip = Trip::default();
        }
        seconds
    }

    /// Which limit a load exceeds.
    fn excess(&self, load: Load) -> Option<Excess> {
        let is_electric = load.service == Service::Electricity;
        if !is_electric || self.acts(flag::DISCONNECT_ON_POWER) == Some(false) {
            return None;
        }
        let state = &self.state;
        if state.power_limit_watts.is_some_and(|limit| load.rate > limit) {
            return Some(Excess::Power);
        }
        let is_unbalanced =
            state.unbalance_limit_watts.is_some_and(|limit| load.unbalance_watts > limit);
        is_unbalanced.then_some(Excess::PhaseUnbalance)
    }

    fn is_exhausted(&self, service: Service) -> bool {
        self.state.credit(service).is_exhausted(self.terms(service))
    }

    fn is_low(&self, service: Service) -> bool {
        let (level, form) = (self.profile.policy.low_credit, self.profile.credit);
        level.is_some_and(|level| self.state.credit(service).is_at_most(level, form))
    }

    fn terms(&self, service: Service) -> Terms {
        let policy = &self.profile.policy;
        let is_prepaid = self.acts(flag::PREPAYMENT_OF_ELECTRICITY + u16::from(service.index()));
        let emergency = policy.emergency_credit.filter(|_| self.state.emergency(service));
        let floor = match (is_prepaid, emergency) {
            (Some(false), _) => Floor::None,
            (_, Some(level)) => Floor::Emergency(level),
            (_, None) => Floor::Zero,
        };
        Terms { floor, ..self.at_zero(service) }
    }

    fn at_zero(&self, service: Service) -> Terms {
        let price = self.profile.policy.prices[usize::from(service.index())];
        let form: CreditForm = self.profile.credit;
        Terms { form, price, floor: Floor::Zero }
    }

    /// A flag that was set, where flags act.
    fn acts(&self, flag: u16) -> Option<bool> {
        self.state.extended.flag(flag).filter(|_| self.profile.policy.flags_act)
    }
}
