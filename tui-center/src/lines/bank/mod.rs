//! The line to the bank: files in the formats of ISO 20022, in two folders.

pub mod account;
pub mod notice;
pub mod order;
pub mod payer;
