//! Customers of a centre, and those who sign for them.

use prepay_basics::{Identifier, Moment};

use super::{CustomerNumber, FormNumber, Line};

/// A utility, manufacturer or vendor that the centre knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// Key. The centre assigns it, in rising order.
    pub number: CustomerNumber,
    /// Its name. Not empty.
    pub organisation: Line,
    /// Whom to call.
    pub contact: Line,
    /// A telephone number or an e-mail address.
    pub address: Line,
    /// When it was registered.
    pub created: Moment,
    /// The form that registered it; `None` if entered by hand.
    pub form: Option<FormNumber>,
}

/// A person or office whose signature binds a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatory {
    /// Key. The name in the identifier of the signatory's key, unique in the centre.
    pub name: Identifier,
    /// For whom. Must exist.
    pub customer: CustomerNumber,
    /// The public key in hexadecimal. Unique in the centre, at most 8192 bytes.
    pub public_key: Box<str>,
    /// The fingerprint of the public key, as people compare it.
    pub fingerprint: Line,
    /// From when the signature is valid.
    pub registered: Moment,
    /// From when it no longer is.
    pub revoked: Option<Moment>,
}
