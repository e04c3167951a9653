//! Requests about the keys of accounts and of their cashiers.

use serde::{Deserialize, Serialize};
use wire::{
    id::{AccountNumber, EntryNumber, StoreNumber, TelegramId},
    key::VerificationKey,
    payload::{CashierRights, KeyRole},
    time::Timestamp,
};

/// A change of an account's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChange {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Whose key.
    pub account: AccountNumber,
    /// Which of the account's keys signed: the signature or the recovery key.
    pub by: KeyRole,
    /// The event that put the signing key in force.
    pub event: EntryNumber,
    /// Which key.
    pub role: KeyRole,
    /// The new key; `None` revokes.
    pub key: Option<VerificationKey>,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// The recovery key in force cancels a recovery key that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyCancel {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Whose key.
    pub account: AccountNumber,
    /// The event that put the signing recovery key in force.
    pub event: EntryNumber,
    /// The entry of the change that waits.
    pub change: EntryNumber,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// A store certifies a cashier's key, changes its rights or takes them away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CashierChange {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Whose cashier.
    pub store: StoreNumber,
    /// The event that put the signing key in force.
    pub event: EntryNumber,
    /// The cashier's key.
    pub key: VerificationKey,
    /// What it may do from now on; `None` is nothing any more.
    pub rights: Option<CashierRights>,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}
