//! Every limit of what may cross the network, on one page.
//!
//! Lengths are bytes unless the name says otherwise. Raising a limit is compatible, lowering one is not.

/// One frame between a terminal and the center, or between a member and a store.
pub const FRAME: usize = 1 << 20;
/// The signed bytes of one telegram.
pub const TELEGRAM: usize = 64 << 10;
/// An encoded order: what a member asks a store for.
pub const ORDER: usize = 64 << 10;
/// The particulars that travel beside a registration.
pub const PARTICULARS: usize = 64 << 10;
/// A short line of typed text: a name, a title, an e-mail address.
pub const LINE: usize = 400;
/// A longer typed text: a description, a postal address, an operator's words.
pub const PROSE: usize = 8_000;
/// A checkpoint as a signed note.
pub const NOTE: usize = 4_000;
/// One piece of streamed goods.
pub const CHUNK: usize = 64 << 10;

/// Lines of one order.
pub const ORDER_LINES: usize = 100;
/// Quantity of one order line.
pub const QUANTITY: u32 = 10_000;
/// Payments of one claim.
pub const CLAIM_ITEMS: usize = 500;
/// Entries of one page of a listing (directory, catalogue, mail).
pub const PAGE: usize = 100;
/// Addresses of one store or center.
pub const ADDRESSES: usize = 8;
/// Keys of one key sheet.
pub const SHEET_KEYS: usize = 256;
/// How often one log may have gone on under another name.
pub const LOG_BREAKS: usize = 64;
/// Receipts of lost entries that are handed in at once.
pub const LOST_ITEMS: usize = 8;
/// Fields of one form.
pub const FORM_FIELDS: usize = 100;
/// Programs that one admission kit offers.
pub const BUILDS: usize = 64;
/// One program that an admission kit offers.
pub const BUILD: u64 = 256 << 20;
/// The sealed copy of a vault that the center keeps for its owner.
pub const VAULT_COPY: u64 = 64 << 20;
/// Cashiers of one store.
pub const CASHIERS: usize = 100;
/// Hourly checkpoints that a center or terminal hands out at once, and that a terminal remembers.
pub const HOURS: usize = 48;
/// Consistency proofs of one request.
pub const PROOFS: usize = 64;
/// Requests that one connection may have unanswered.
pub const PIPELINE: usize = 64;

/// How far ahead a telegram's `valid_until` or an offer's expiry may lie, in milliseconds (7 days).
pub const VALIDITY_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// How long a new recovery key that the signature key asked for waits until it is in force, and how long no money
/// leaves an account whose lost terminal was replaced, in milliseconds (72 hours).
pub const CAUTION_MS: u64 = 72 * 60 * 60 * 1000;
/// The largest amount that one act may move, in minor units; sums of any 1,000,000 of them fit an `i64`.
pub const AMOUNT: u64 = 1_000_000_000_000;
