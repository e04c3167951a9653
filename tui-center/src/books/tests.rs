//! The books as a whole: what dies, tears, rots or fails, and what opening makes of it.

mod crash;
mod evidence;
mod kill;
mod snapshot;
