//! Accepts terminals.

pub mod forms;
pub mod presence;
