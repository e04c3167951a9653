//! Tests of the rules of money.

mod cards;
mod claims;
mod joining;
mod keys;
mod payments;
mod refunds;
mod staff;
mod streams;
mod world;
