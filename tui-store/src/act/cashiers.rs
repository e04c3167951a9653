//! What the owner can do about cashiers.

use serde::{Deserialize, Serialize};
use wire::{key::VerificationKey, payload::CashierRights};

use super::Password;

/// An act of the owner about cashiers.
///
/// `cashier` is a terminal key, an unambiguous beginning of one of at least six digits, or the name of one cashier whose
/// rights are in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "cashiers", rename_all = "kebab-case")]
pub enum CashierAct {
    /// Everybody who is or was a cashier. → [`super::Outcome::Cashiers`]
    List,
    /// The line that a cashier's terminal joins with. → [`super::Outcome::StoreLine`]
    Invite {
        /// Where the counter is reached, in place of what the directory shows.
        addresses: Vec<String>,
    },
    /// Certifies a terminal key, or gives it other rights. → [`super::Outcome::Resolved`]
    Certify {
        /// The terminal key.
        key: VerificationKey,
        /// What it may do from then on.
        rights: CashierRights,
        /// Opens the signature key; none while password B is open.
        password_b: Option<Password>,
    },
    /// Takes a cashier's rights away. → [`super::Outcome::Resolved`]
    Revoke {
        /// Whose.
        cashier: String,
        /// Opens the signature key; none while password B is open.
        password_b: Option<Password>,
    },
}
