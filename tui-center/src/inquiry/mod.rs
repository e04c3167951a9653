//! What can be looked at: the overview, registers, transactions, anything in full, the bank and the admission desk, day reports.
//!
//! Inquiries read the published state, the journal and the cabinet; they change nothing and never wait for the desk's
//! writer longer than a lock is held. Personal data is decrypted in memory for the answer alone. All of them may
//! block on the disk: callers run them on a blocking thread, as [`crate::acts`] does.

pub mod applications;
pub mod desk;
pub mod detail;
pub mod overview;
pub mod registers;
pub mod report;
pub mod transactions;
pub mod verify;
pub mod view;
pub mod words;
