//! What crosses the Inkan network.
//!
//! `wire` is the language that members, stores and the settlement center share, and nothing else: it holds no
//! state, decides nothing and reads no clock.
//!
//! | module | holds |
//! |---|---|
//! | [`id`] | digests, account, card and transaction numbers with their check digits |
//! | [`amount`], [`time`], [`text`] | money in minor units, instants, cleaned text |
//! | [`key`] | Ed25519 keys and signatures, and what makes a key acceptable |
//! | [`telegram`] | the envelope: exact bytes, signer, signature; [`telegram::Authentic`] |
//! | [`payload`] | what telegrams say: registration, card request, payment, claim, refund ... |
//! | [`admission`] | joining before there is an account: guide, application, kit, activation code |
//! | [`order`] | what a member and a store agree on, and the hashes that bind it |
//! | [`merkle`], [`checkpoint`], [`receipt`], [`sheet`] | evidence that verifies offline |
//! | [`evidence`] | two checkpoints that convict a center |
//! | [`statement`], [`sshsig`] | receipts as text, signed so that OpenSSH verifies them |
//! | [`message`] | requests, answers and pushes between a terminal and the center |
//! | [`shop`] | requests and answers between a member and a store |
//! | [`till`] | the same between a cashier and a store |
//! | [`codec`], [`bounded`], [`limits`] | one encoding, one page of limits |
//! | `tls`, `frame`, `link` | (feature `net`) TLS 1.3 with raw public keys, frames, connections |
//! | `terminal` | (feature `net`) a terminal's session with its center, verified |
//!
//! Invariants: a telegram is verified on the bytes as received and decoded only afterwards; everything that
//! another party typed is cleaned when it is decoded; no decoder allocates more than [`limits`] allows.

pub mod admission;
pub mod amount;
pub mod bounded;
pub mod checkpoint;
pub mod codec;
pub mod evidence;
#[cfg(feature = "net")]
pub mod frame;
pub mod id;
pub mod key;
pub mod limits;
#[cfg(feature = "net")]
pub mod link;
pub mod merkle;
pub mod message;
pub mod order;
pub mod payload;
pub mod receipt;
pub mod sheet;
pub mod shop;
pub mod sshsig;
pub mod statement;
pub mod telegram;
#[cfg(feature = "net")]
pub mod terminal;
pub mod text;
pub mod till;
pub mod time;
#[cfg(feature = "net")]
pub mod tls;
