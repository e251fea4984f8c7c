//! A receipt's [`Slip`](prepay_vend::Slip) as a page: [`html`] for a browser, [`pdf`] for a printer or to send.
//!
//! Both draw the rows of the slip and nothing else, on paper 80 mm wide, with the QR code that a text cannot have. Colours and
//! measures are those of paper: black on white.
//!
//! This crate never knows where a receipt comes from, or in which language it is.

mod html;
mod pdf;
mod qr;
mod shape;

pub use html::html;
pub use pdf::pdf;
pub use shape::MissingLetter;
