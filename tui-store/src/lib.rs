//! The store's program.
//!
//! A store publishes a catalogue from a folder, listens for members, offers, delivers to whoever proves the buyer key,
//! claims from the center and is paid out. Everything a person can do is an [`act::Act`], asked of an
//! [`engine::Handle`]; screens show its [`view::Snapshot`]s.
//!
//! | module | does |
//! |---|---|
//! | [`act`], [`view`] | what can be asked, and what is seen: plain data |
//! | [`catalogue`], [`goods`] | what is sold: the folder, and the shelf of goods by digest |
//! | `record`, `book`, `keep` | the vault's records, what they mean, and the door to both |
//! | `center` | the line to the center: login, announcement, mail |
//! | `counter` | where members are served |
//! | `snapshot`, `receipt` | the rows that people see, the files that prove |
//! | `sign` | changes of keys, signed with what the vault holds |
//! | `settle` | refunds, claims, changes of keys, and asking about what is unknown |
//! | [`cashier`] | a cashier's own terminal, which is a profile of its own kind |
//! | [`join`] | becoming a store |
//! | [`restore`] | being one again on a new machine |
//! | `kit` | the programs that the center offers |
//! | [`engine`] | all of it together |
//! | [`app`], [`screen`] | the screens |
//! | [`cmd`] | the command line |
//!
//! Invariants: an offer is on disk before it is answered, a payment notice and a buyer's acknowledgement before they are
//! acknowledged, a telegram before it is sent. The signature key is open for one act at a time and never while serving.

pub mod act;
pub mod app;
mod book;
pub mod cashier;
pub mod catalogue;
mod center;
pub mod cmd;
pub mod config;
mod counter;
pub mod engine;
pub mod goods;
pub mod join;
mod keep;
mod kit;
mod receipt;
mod record;
pub mod restore;
pub mod screen;
mod settle;
mod sign;
mod snapshot;
#[cfg(test)]
mod testing;
mod till;
pub mod view;
