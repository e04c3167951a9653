//! Requests that move money, or are about to.

use serde::{Deserialize, Serialize};
use wire::{
    amount::{Amount, Currency},
    id::{AccountNumber, CardNumber, Digest, EntryNumber, MemberNumber, OrderHash, StoreNumber, TelegramId},
    key::VerificationKey,
    payload::{Funding, RefundReason},
    time::Timestamp,
};

/// A wish for a prepaid card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRequest {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Who asks.
    pub member: MemberNumber,
    /// The event that put the signing key in force.
    pub event: EntryNumber,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// How it is paid for.
    pub funding: Funding,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// Money that came in at the bank, as a bank's notice told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The bank's own reference; with the center's account it names the movement for ever.
    pub bank_reference: String,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// What the payer wrote as reference.
    pub reference: Option<String>,
    /// What can be said of the payer in the books: a salted hash; the words lie in the cabinet.
    pub payer: Digest,
    /// Which notice told it: the hash of file name and content. The same one told again is not entered again.
    pub notice: Digest,
}

/// A member pays a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Who pays.
    pub member: MemberNumber,
    /// The event that put the signing key in force.
    pub event: EntryNumber,
    /// From which card.
    pub card: CardNumber,
    /// Which store.
    pub store: StoreNumber,
    /// The signed offer's digest.
    pub offer: Digest,
    /// The order.
    pub order: OrderHash,
    /// How much.
    pub total: Amount,
    /// In which currency.
    pub currency: Currency,
    /// When the offer expires.
    pub offer_expires: Timestamp,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// A telegram that shall never be entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// Which.
    pub telegram: TelegramId,
    /// Who signed it.
    pub account: AccountNumber,
    /// Its own `valid_until`.
    pub valid_until: Timestamp,
}

/// A store gives a payment back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Who refunds.
    pub store: StoreNumber,
    /// The cashier's key that signed; `None` where the store's signature key did.
    pub cashier: Option<VerificationKey>,
    /// The event that put the signing key in force; for a cashier the entry of the change that gave its rights.
    pub event: EntryNumber,
    /// Which payment.
    pub payment: EntryNumber,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Currency,
    /// Why.
    pub reason: RefundReason,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// A store claims payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Its telegram.
    pub telegram: TelegramId,
    /// Who claims.
    pub store: StoreNumber,
    /// The event that put the signing key in force.
    pub event: EntryNumber,
    /// Which payments.
    pub payments: Vec<EntryNumber>,
    /// Their sum.
    pub total: Amount,
    /// In which currency.
    pub currency: Currency,
    /// What was shown for them: only evidence whose signatures hold.
    pub proofs: Vec<DeliveryProof>,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// An opened offer whose buyer key signed for the goods; both signatures were verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryProof {
    /// For which payment.
    pub payment: EntryNumber,
    /// The signed offer's digest.
    pub offer: Digest,
    /// The order that both the offer and the acknowledgement name.
    pub order: OrderHash,
    /// The offer's total.
    pub total: Amount,
}

/// What became of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransferResult {
    /// Executed, under this reference of the bank's.
    Paid {
        /// The bank's reference.
        bank_reference: String,
    },
    /// Rejected or returned, with the bank's words.
    Failed {
        /// The bank's words.
        words: String,
    },
}
