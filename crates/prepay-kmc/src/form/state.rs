//! The states of a form.
//!
//! ```text
//!  draft ──> signed ──> received ──> accepted ──> done
//!                          └───────> refused
//! ```

use std::fmt;

use crate::code::coded;

coded! {
    /// The state of a form.
    FormState, "state of a form" {
        /// Being filled in.
        Draft = "draft",
        /// Signed by its signatory; it can no longer change.
        Signed = "signed",
        /// Received by the centre, which gave it a number.
        Received = "received",
        /// The centre agreed and recorded what the form asks for.
        Accepted = "accepted",
        /// The centre refused it and gave a reason.
        Refused = "refused",
        /// The centre has carried it out.
        Done = "done",
    }
}

/// A step that no form can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTransition {
    /// The state of the form.
    pub from: FormState,
    /// The state asked for.
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
            (None, _) => f.write_str("; that is its final state"),
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
    fn every_step_is_in_the_table_or_refused() {
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
