//! A token from a two-way carrier, accepted now and processed later.
//!
//! A port must not wait for the meter to store something. It leaves a token in the mailbox, and polls the
//! result until it is no longer *not ready*.
//!
//! ```text
//!  put(token) ──> not_ready ──> take() ─ Meter::enter ─ finish(result) ──> result
//! ```
//!
//! - Source: IEC 62055-52, tokens over a virtual token carrier; the value *not ready* of the token status.

use prepay_token::TokenData;
use prepay_token::element::TokenCarrierType;

use crate::outcome::Refusal;
use crate::result::TokenResult;

/// Room for one token, and the result of the last.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mailbox {
    stage: Stage,
}

/// The last token is still being processed: the meter answers [`Refusal::NotReady`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MailboxBusy;

#[derive(Clone, Copy, Default)]
enum Stage {
    #[default]
    Empty,
    Waiting(TokenData, TokenCarrierType),
    InProcess,
    Done(TokenResult),
}

impl Mailbox {
    /// Leaves a token.
    ///
    /// # Errors
    ///
    /// [`MailboxBusy`] while the last one has no result yet. The new one is refused.
    pub fn put(&mut self, data: TokenData, carrier: TokenCarrierType) -> Result<(), MailboxBusy> {
        match self.stage {
            Stage::Waiting(..) | Stage::InProcess => Err(MailboxBusy),
            Stage::Empty | Stage::Done(_) => {
                self.stage = Stage::Waiting(data, carrier);
                Ok(())
            }
        }
    }

    /// Takes the token to process it.
    pub fn take(&mut self) -> Option<(TokenData, TokenCarrierType)> {
        let Stage::Waiting(data, carrier) = self.stage else { return None };
        self.stage = Stage::InProcess;
        Some((data, carrier))
    }

    /// Leaves the result of the token that was taken.
    pub const fn finish(&mut self, result: TokenResult) {
        self.stage = Stage::Done(result);
    }

    /// Drops the token after the storage failed, so that its sender may try again.
    pub const fn abandon(&mut self) {
        self.stage = Stage::Empty;
    }

    /// The result of the last token; nothing when there was none.
    pub const fn result(&self) -> Option<TokenResult> {
        match self.stage {
            Stage::Empty => None,
            Stage::Waiting(..) | Stage::InProcess => Some(Refusal::NotReady.result()),
            Stage::Done(result) => Some(result),
        }
    }
}

impl core::fmt::Debug for Stage {
    /// The stage alone: the digits of a token are worth money.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Empty => f.write_str("Empty"),
            Self::Waiting(..) => f.write_str("Waiting(..)"),
            Self::InProcess => f.write_str("InProcess"),
            Self::Done(result) => write!(f, "Done({result})"),
        }
    }
}

impl From<MailboxBusy> for Refusal {
    fn from(MailboxBusy: MailboxBusy) -> Self {
        Self::NotReady
    }
}

#[cfg(test)]
mod tests {
    use prepay_token::element::TokenCarrierType;
    use prepay_token::{Class, TokenData};

    use super::{Mailbox, MailboxBusy};
    use crate::result::TokenResult;

    #[test]
    fn it_prints_its_stage_and_never_a_token() {
        extern crate std;
        let mut mailbox = Mailbox::default();
        let shown = |mailbox: &Mailbox| std::format!("{mailbox:?}");
        assert!(shown(&mailbox).contains("Empty"), "{mailbox:?}");
        let data = TokenData::from_digits(b"29054347139309851356").unwrap();
        mailbox.put(data, TokenCarrierType::NUMERIC).unwrap();
        let waiting = shown(&mailbox);
        assert!(waiting.contains("Waiting(..)") && !waiting.contains("2905"), "{waiting}");
        mailbox.take();
        assert!(shown(&mailbox).contains("InProcess"), "{mailbox:?}");
        mailbox.finish(TokenResult::CrcError);
        assert!(shown(&mailbox).contains("Done(crc_error)"), "{mailbox:?}");
    }

    #[test]
    fn it_is_not_ready_until_the_token_has_its_result() {
        let mut mailbox = Mailbox::default();
        let (data, carrier) = (TokenData::join(Class::Credit, 7), TokenCarrierType::VIRTUAL_LOCAL);
        assert_eq!((mailbox.result(), mailbox.take()), (None, None));
        mailbox.put(data, carrier).unwrap();
        assert_eq!(mailbox.result(), Some(TokenResult::NotReady));
        assert_eq!(mailbox.put(data, carrier), Err(MailboxBusy));
        assert_eq!(mailbox.take(), Some((data, carrier)));
        assert_eq!(mailbox.take(), None);
        assert_eq!(mailbox.put(data, carrier), Err(MailboxBusy));
        mailbox.finish(TokenResult::CrcError);
        assert_eq!(mailbox.result(), Some(TokenResult::CrcError));
        assert_eq!(mailbox.put(data, carrier), Ok(()));
        assert_eq!(mailbox.take(), Some((data, carrier)));
        mailbox.abandon();
        assert_eq!((mailbox.result(), mailbox.put(data, carrier)), (None, Ok(())));
    }
}
