//! What people and scripts see of a store's cashiers.

use serde::{Deserialize, Serialize};
use wire::{id::EntryNumber, key::VerificationKey, text::Line};

use super::Money;

/// A cashier as the owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashierRow {
    /// Its terminal key.
    pub key: VerificationKey,
    /// The key in groups of digits that people compare.
    pub fingerprint: String,
    /// Its name.
    pub name: Line,
    /// How it stands.
    pub state: CashierState,
    /// The same in a sentence.
    pub words: String,
    /// May make offers, and stop and resume the sale of items.
    pub sell: bool,
    /// May put goods out again.
    pub deliver: bool,
    /// May see the day's figures.
    pub see_day: bool,
    /// May give back up to this much a day.
    pub refund_limit: Money,
    /// What is left of that today, as far as the store knows.
    pub left_today: Money,
    /// The entry that gave or took the rights.
    pub entry: Option<EntryNumber>,
}

/// How a cashier stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CashierState {
    /// Its rights are in force.
    InForce,
    /// Signed, and the center has not spoken.
    Waiting,
    /// The center has entered rights that this vault does not hold.
    Elsewhere,
    /// Its rights are gone.
    Revoked,
}

impl CashierState {
    /// Words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::InForce => "in force",
            Self::Waiting => "waiting",
            Self::Elsewhere => "elsewhere",
            Self::Revoked => "revoked",
        }
    }
}

/// The line that staff's terminals join with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreLineRow {
    /// A [`wire::till::StoreLine`].
    pub line: String,
    /// The store's terminal key as people compare it.
    pub fingerprint: String,
}
