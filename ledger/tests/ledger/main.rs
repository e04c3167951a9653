//! Tests of the rules of money.

mod rules;
mod streams;
mod world;
