//! The software module through its public face: everything it holds came by agreement and key-load file.

mod clock;
mod identifiers;
mod issue;
mod kit;
mod limits;
mod loading;
mod names;
mod people;
mod reopen;
mod repeat;
mod threads;
