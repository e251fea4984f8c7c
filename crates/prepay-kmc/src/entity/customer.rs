//! Customers of a centre, and those who sign for them.

use prepay_basics::{Identifier, Moment};

use super::{CustomerNumber, FormNumber, Line};

/// A utility, manufacturer or vendor that the centre knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Key. Given out by the centre in rising order.
    pub number: CustomerNumber,
    /// What it is called. Not empty.
    pub organisation: Line,
    /// Whom to call.
    pub contact: Line,
    /// How: a telephone number or an address of mail.
    pub address: Line,
    /// Since when it is known.
    pub created: Moment,
    /// The form that made it known; nothing if it was entered by hand.
    pub form: Option<FormNumber>,
}

/// A person or office whose signature binds a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatory {
    /// Key. The name in the signature's identifier, unique in the centre.
    pub name: Identifier,
    /// For whom. Must exist.
    pub customer: CustomerNumber,
    /// The public key, as text of the key management profile. Unique in the centre, at most 8192 bytes.
    pub public_key: Box<str>,
    /// The fingerprint of the public key, as people compare it.
    pub fingerprint: Line,
    /// Since when the signature counts.
    pub registered: Moment,
    /// Since when it no longer does.
    pub revoked: Option<Moment>,
}
