//! The outside: whoever the center exchanges files or messages with.
//!
//! What goes out is an entry of the books first; names and message ids derive from the entry's number and the exact
//! bytes are kept sealed until the other side has answered, so that sending again is sending the same.

pub mod bank;
pub mod mail;
pub mod post;
pub mod postman;
