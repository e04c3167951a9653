//! The member's program: join a center, load a card, buy, receive, and keep the evidence.
//!
//! | module | does |
//! |---|---|
//! | [`act`], [`view`] | what can be asked, what comes back, what is shown: plain data |
//! | [`engine`] | the running member: [`engine::Handle`] does acts and publishes snapshots |
//! | [`join`] | from an invitation to a number, in seven steps |
//! | `keys`, [`recover`] | changing keys, bringing an account back, depositing copies |
//! | `record`, `book`, `purchase`, `keep` | what lies in the vault, and the state that it makes |
//! | `center`, `send` | the line to the center; telegrams, and learning what became of them |
//! | `shop`, `pay`, `deliver` | ordering, paying, fetching |
//! | [`receipt`] | evidence as a file, and checking it offline |
//! | [`cmd`], [`config`] | the command line and the settings |
//!
//! Invariants: nothing is signed without password B in hand; nothing that was signed leaves before it is on disk; an
//! unknown outcome is ended by the center's verified word alone; nothing that a store or the center sends is believed
//! before it verifies, and what does not verify is kept as evidence.

pub mod act;
pub mod app;
mod book;
mod center;
pub mod cmd;
pub mod config;
mod deliver;
pub mod engine;
pub mod join;
mod keep;
mod keys;
mod pay;
mod purchase;
pub mod receipt;
mod record;
pub mod recover;
pub mod screen;
mod send;
mod shop;
pub mod view;

pub use center::{Means, Patience};
