//! registers.
