//! The desk: the single writer that turns verified requests into durable entries, and the mailboxes.
//!
//! ```text
//! telegram ─ heard ─▶ Work ─ submit ─▶ queue ─▶ desk's thread: decide, append, publish ─▶ Answer ─ said ─▶ verdict
//!                                                          └─▶ mailboxes, consoles
//! ```
//!
//! | part | does |
//! |---|---|
//! | [`heard`] | the seam wire → ledger: verifies telegrams, makes [`Work`] of them |
//! | [`Work`], [`Act`], [`Answer`], [`DeskError`] | what goes to the desk and what comes back |
//! | [`Desk`] | the handle that everybody has: submit, look at the books, listen |
//! | `writer` | the one thread that decides and appends |
//! | [`Stepper`] | the same by hand, for whoever holds clock and disk too: the simulator |
//! | [`Share`] | what one connection may hold of the queue |
//! | `clock` | an instant for decisions that does not follow a clock that jumps |
//! | [`mailbox`] | what each account has not acknowledged yet |
//! | [`said`] | the seam ledger → wire: verdicts and mail from records |
//!
//! Invariants: nothing is answered, published or pushed before it is durable; a telegram reaches the desk only
//! through `wire`'s verifier ([`Work`] has no other door); the queue is bounded by number and bytes and says *busy*
//! at once; after a failed append or a broken rule of the books nothing is decided any more.
//!
//! There are two states in memory. The writer decides on its own *working* state, which is ahead of the disk while a
//! batch is on its way, so that each decision of a batch sees those before it. Everybody else looks at the
//! *published* state, to which the same entries are applied after they are durable. When an append fails the working
//! state is worthless and the desk stops for good; the published one still says only what is durable. This costs the
//! memory of what either has changed since both last shared everything, at opening or at a snapshot, and saves every rule
//! from knowing an overlay.

mod clock;
mod desk;
pub mod heard;
pub mod mailbox;
mod queue;
pub mod said;
mod stepper;

#[cfg(test)]
mod tests;
mod work;
mod writer;

pub use self::{
    clock::{Clock, SystemClock},
    desk::{Desk, Feed, Opening, Standing},
    mailbox::{Cursors, Listener, Mailboxes},
    queue::Share,
    stepper::Stepper,
    work::{Act, Answer, DeskError, Held, Work},
};
