//! The load generator: many members who pay and stores that are told, against a real center over the real protocol.
//!
//! ```text
//! prepare ─▶ a center's profile with members, stores and cards (and, where wanted, millions of payments)
//! payments ─▶ signed payments, framed, before anything is measured
//! drive ─▶ connections that send them: closed loop or fixed rate, pipelined or not ─▶ Outcome
//! stores ─▶ one connection for each store: notices are received and acknowledged
//! bench ─▶ every measure beside what it is compared with, in one run
//! ```
//!
//! | module | holds |
//! |---|---|
//! | [`cast`] | who takes part; everybody's keys derive from a public word, so that nothing secret has to be kept |
//! | [`prepare`] | a center founded and filled through the ledger core, which a real `tui-center serve` opens |
//! | [`payments`] | pre-signed payments, to stores by Zipf's law |
//! | [`line`](mod@line) | a thin connection: TLS, login, frames as bytes |
//! | [`stores`] | the stores' connections |
//! | [`drive`] | one run of payments, and what came of it |
//! | [`account`] | after a run: what was answered as settled against the center's books, exactly once |
//! | [`tally`] | latencies and medians |
//! | [`machine`] | processor time of processes, the load that others put on the machine, memory |
//! | [`center`] | the center's real process |
//! | [`ending`] | a run that is asked to end leaves nothing behind |
//! | [`bench`] | `scripts/bench` |
//!
//! What an account may do here is what it may do anywhere: a connection speaks for one account, and a member has at
//! most a hundred cards. So 100,000 cards are those of 1,000 members; each connection of a run speaks for one of them
//! and pays from all its cards in turn, and every run takes the next members.
//!
//! Generator and center share the machine. The generator is kept thin (requests are encoded and signed beforehand,
//! answers are told by their tags, and only a stated sample is decoded and verified, after the clock has stopped), and
//! its own processor time is told apart from the center's.

pub mod account;
pub mod bench;
pub mod cast;
pub mod center;
pub mod drive;
pub mod ending;
pub mod line;
pub mod machine;
pub mod payments;
pub mod prepare;
pub mod stores;
pub mod tally;

use std::{num::NonZeroUsize, thread};

/// How many threads this machine runs at once.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Makes so many values on all cores at once, in their order.
pub fn spread<T: Send>(count: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let share = count.div_ceil(cores()).max(1);
    thread::scope(|scope| {
        let make = &make;
        let parts: Vec<_> = (0..count)
            .step_by(share)
            .map(|from| scope.spawn(move || (from..count.min(from + share)).map(make).collect::<Vec<T>>()))
            .collect();
        let joined =
            parts.into_iter().map(|part| part.join().expect("what is made in parallel does not panic"));
        joined.flatten().collect()
    })
}
