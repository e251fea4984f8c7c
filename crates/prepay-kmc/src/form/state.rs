//! How far a form has come.
//!
//! ```text
//!  draft ──> signed ──> received ──> accepted ──> done
//!                          └───────> refused
//! ```

use std::fmt;

use crate::code::coded;

coded! {
    /// How far a form has come.
    FormState, "state of a form" {
        /// Being filled in.
        Draft = "draft",
        /// Signed by its signatory; nothing may change any more.
        Signed = "signed",
        /// At the centre, under its number.
        Received = "received",
        /// The centre agrees and has entered what the form asks.
        Accepted = "accepted",
        /// The centre does not agree, and says why.
        Refused = "refused",
        /// Everything that follows from it is done.
        Done = "done",
    }
}

/// A step that no form takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTransition {
    /// Where the form is.
    pub from: FormState,
    /// Where it was to go.
    pub to: FormState,
}

impl FormState {
    /// Every step that a form can take.
    pub const STEPS: &[(Self, Self)] = &[
        (Self::Draft, Self::Signed),
        (Self::Signed, Self::Received),
        (Self::Received, Self::Accepted),
        (Self::Received, Self::Refused),
        (Self::Accepted, Self::Done),
    ];

    /// Takes a step.
    ///
    /// # Errors
    ///
    /// [`BadTransition`] when [`Self::STEPS`] does not have it.
    pub fn to(self, to: Self) -> Result<Self, BadTransition> {
        let allowed = Self::STEPS.contains(&(self, to));
        if allowed { Ok(to) } else { Err(BadTransition { from: self, to }) }
    }
}

impl fmt::Display for BadTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "a form that is {from} cannot become {to}")?;
        let mut next = FormState::STEPS.iter().filter(|step| step.0 == *from).map(|step| step.1);
        match (next.next(), next.next()) {
            (None, _) => f.write_str("; nothing follows"),
            (Some(one), None) => write!(f, "; expected {one}"),
            (Some(one), Some(other)) => write!(f, "; expected {one} or {other}"),
        }
    }
}

impl std::error::Error for BadTransition {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_in_the_table_or_refused_by_name() {
        let mut taken = 0;
        for &from in FormState::ALL {
            for &to in FormState::ALL {
                match from.to(to) {
                    Ok(state) => {
                        assert_eq!(state, to);
                        taken += 1;
                    }
                    Err(error) => {
                        assert_eq!(error, BadTransition { from, to });
                        let text = error.to_string();
                        assert!(text.contains(from.code()) && text.contains(to.code()), "{text}");
                    }
                }
            }
        }
        assert_eq!(taken, 5);
    }
}
