//! Answers of the service of a security module about connections and sign-ins.

use super::Who::{Administrator, Client};
use super::{Explanation, row};

pub(super) const ROWS: &[Explanation] = &[
    row(
        "session_ended",
        "The sign-in ended, because the client asked for nothing for too long.",
        "A forgotten connection must not stay signed in.",
        Client,
        "sign in again on the same connection, then repeat the same line",
    ),
    row(
        "signed_in_already",
        "Somebody has signed in on this connection already.",
        "A connection has one person, or two custodians.",
        Client,
        "use another connection, or send sign_out first",
    ),
    row(
        "sign_in_busy",
        "Too many clients wait to be signed in.",
        "Many started at the same time, or somebody tries passphrases.",
        Client,
        "wait a few seconds, then sign in again",
    ),
    row(
        "too_many_connections",
        "The service has as many connections as it takes.",
        "Clients leave connections open, or there are more clients than expected.",
        Administrator,
        "close connections that nobody uses, or allow more: prepay module serve --connections N",
    ),
    row(
        "too_slow",
        "The client did not sign in, or did not finish a line, in time. The service closed the connection.",
        "The client hangs, or the network program in between does.",
        Client,
        "connect again, and send each line as a whole",
    ),
    row(
        "user_refused",
        "The service does not serve the user who runs this client.",
        "The service was started with --allow-uid for other users.",
        Administrator,
        "run the client as one of these users, or allow this one: prepay module serve --allow-uid UID",
    ),
];
