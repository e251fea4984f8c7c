//! The same ciphers in their plainest form.
//!
//! Each function follows the text of its standard step by step and keeps nothing between calls.
//! They are an independent check on the fast versions: property tests compare the two. They are
//! also the place to look when another implementation disagrees.
//!
//! Not for production keys: they are slow, and they do not wipe what they compute.

pub mod dea;
mod dea_tables;
pub mod misty1;
pub mod sta;
