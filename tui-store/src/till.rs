//! Cashiers at the store's side: who they are, what each may do, what each did. Pure: nothing here writes, asks or reads a
//! clock.
//!
//! | module | holds |
//! |---|---|
//! | `staff` | the cashiers as outbox and records tell them |
//! | `rules` | whether a cashier may do what it asks |
//! | `rows` | orders and the day's figures as a cashier sees them |
//!
//! Rights are in force when the center has entered them, and gone as soon as their revocation is signed: the store
//! need not wait for the center to refuse.

mod rows;
pub(crate) mod rules;
mod staff;

pub(crate) use rows::{day, detail, orders, sale};
pub(crate) use staff::{Cashier, Staff};

use tui_kit::time::Zone;
use wire::time::Timestamp;

use crate::book::Book;

/// The day of an instant in the center's zone, `yyyy-mm-dd`.
pub(crate) fn day_of(book: &Book, at: Timestamp) -> String {
    let zone = book.center.as_ref().and_then(|center| Zone::named(&center.zone).ok());
    zone.unwrap_or_else(Zone::local).iso_date(i64::try_from(at.0).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests;
