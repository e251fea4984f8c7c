//! The same ciphers again, plainly.
//!
//! Each function follows the text of its standard step by step and keeps nothing between calls. They
//! are the independent witness for the fast versions, which property tests compare with them, and
//! the place to look when another implementation disagrees.
//!
//! Not for production keys: they are slow, and they do not wipe what they compute.

pub mod dea;
mod dea_tables;
pub mod misty1;
pub mod sta;
