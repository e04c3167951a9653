//! cabinet.
