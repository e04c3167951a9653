//! Mail: entries that concern an account, kept until acknowledged.

use serde::{Deserialize, Serialize};

use super::WaitingKey;
use crate::{
    amount::Amount,
    bounded::List,
    id::{CardNumber, Digest, EntryNumber, OrderHash},
    limits,
    payload::{KeyEvent, RefundReason},
    receipt::{PayoutState, Receipt},
    telegram::Telegram,
};

/// Unacknowledged mail, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailPage {
    /// The pieces.
    pub items: List<MailItem, { limits::PAGE }>,
    /// Whether more follow after the last.
    pub more: bool,
}

/// One piece of mail: an entry that concerns the account. It is kept until acknowledged and may come twice; the
/// entry number tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailItem {
    /// What happened.
    pub body: Mail,
    /// Evidence of it; its leaf holds number and time.
    pub receipt: Receipt,
}

/// What a piece of mail says. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mail {
    /// To a store: the payment notice.
    Paid {
        /// The order.
        order: OrderHash,
        /// The signed offer's digest.
        offer: Digest,
        /// How much.
        total: Amount,
    },
    /// To a member: a payment came back.
    Refunded {
        /// The payment's entry.
        payment: EntryNumber,
        /// The card it came back to.
        card: CardNumber,
        /// How much.
        amount: Amount,
        /// Why.
        reason: RefundReason,
    },
    /// To a member: the card is there.
    CardIssued {
        /// The entry of the request.
        request: EntryNumber,
        /// What it holds.
        amount: Amount,
        /// The [`crate::payload::CardCertificate`].
        certificate: Telegram,
    },
    /// To a member: a card request lapsed.
    CardLapsed {
        /// The entry of the request.
        request: EntryNumber,
    },
    /// To a store: how a claim's payout stands.
    Payout {
        /// The claim's entry.
        claim: EntryNumber,
        /// How much.
        amount: Amount,
        /// How it stands.
        state: PayoutState,
    },
    /// To either: a key was changed.
    KeyChanged(KeyEvent),
    /// To either: a new recovery key waits until it is in force; the old one can cancel it until then.
    KeyChangeWaits(WaitingKey),
    /// To either: a recovery key that waited never comes into force.
    KeyChangeCancelled {
        /// The entry of the change.
        change: EntryNumber,
    },
    /// To a store: the center gave a payment back.
    RefundedByCenter {
        /// The payment's entry.
        payment: EntryNumber,
        /// How much.
        amount: Amount,
    },
}
