//! Bad input, told by the real programs: wrong, damaged, hostile, foreign, too long, too late, twice.
//!
//! Each test holds one promise. Where a peer must lie, the test speaks the wire's own language to the real center and
//! the real store ([`peer`]), or stands in for one of them against the real member's program ([`stand_in`]). Every
//! message that a program gives for it passes [`words::clear`]: one sentence for people.

mod abuse;
mod bank;
mod catalogue;
mod counter;
mod escapes;
mod fields;
mod house;
mod journal;
mod passwords;
mod payments;
mod peer;
mod pinned;
mod profiles;
mod stand_in;
mod telegrams;
mod tricks;
mod vaults;
mod words;
