//! The rules of Inkan's money, pure: no I/O, no clock, no async, no randomness.
//!
//! * [`decide()`] looks at the books and a [`Request`] and says what shall be written: an [`Entry`] with its
//!   decision and its postings. It changes nothing.
//! * [`State::apply`] is the only way anything changes, live and in replay, and it never decides: what stands in
//!   an entry is done.
//! * [`State::audit`] recomputes what must always hold; the center keeps it on in production.
//!
//! Authenticity is not asked here: whoever makes a [`Request`] from a telegram has verified it (the center's
//! settlement desk takes only `Authentic` telegrams), and names the key event under which it was verified.
//!
//! | module | holds |
//! |---|---|
//! | [`account`] | the chart of accounts, postings |
//! | [`calendar`] | business days |
//! | [`request`] | what can be asked |
//! | [`entry`] | what was decided |
//! | [`reference`](mod@reference) | ISO 11649 creditor references |
//! | [`state`] | the books in memory: cards, holders, keys, payments, claims, bank receipts, admissions, proposals |
//! | [`decide`](mod@decide) | the rules |

pub mod account;
pub mod calendar;
pub mod decide;
pub mod entry;
pub mod reference;
pub mod request;
pub mod state;

pub use account::{Account, Posting};
pub use calendar::{Calendar, Day};
pub use decide::{decide, four_eyes};
pub use entry::{Decision, Entry, Outcome, Refusal};
pub use request::Request;
pub use state::State;
