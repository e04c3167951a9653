//! What became of a telegram, and why one was refused.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::FundingTerms;
use crate::{
    amount::Amount, bounded::List, id::EntryNumber, limits, receipt::Receipt, text::Line, time::Timestamp,
};

/// What became of a telegram.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Entered and done.
    Done {
        /// What it brought about.
        effect: Effect,
        /// Evidence of it.
        receipt: Receipt,
    },
    /// Entered and refused; the id is final.
    Refused {
        /// Why.
        reason: Refusal,
        /// Evidence of it.
        receipt: Receipt,
    },
    /// Entered as never to be done.
    Void {
        /// Evidence of it.
        receipt: Receipt,
    },
    /// Never entered, and its `valid_until` is past: it never will be.
    Expired,
}

impl Verdict {
    /// The evidence, where there is an entry.
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Done { receipt, .. } | Self::Refused { receipt, .. } | Self::Void { receipt } => {
                Some(receipt)
            }
            Self::Expired => None,
        }
    }
}

/// What a telegram brought about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// A payment was settled.
    Paid {
        /// What the card holds when the payment was entered.
        balance: Amount,
    },
    /// A card request was opened; this is how to pay for it.
    FundingOpened(FundingTerms),
    /// A payment was given back.
    Refunded,
    /// A claim was accepted; the payout follows.
    Claimed,
    /// A key was changed.
    KeyChanged,
    /// A new recovery key waits until it is in force.
    KeyChangeWaits {
        /// In force from then on.
        from: Timestamp,
    },
    /// A recovery key that waited never comes into force.
    KeyChangeCancelled,
    /// A cashier's rights were changed.
    CashierChanged,
}

/// Why an authentic telegram was refused. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The key that signed is not in force any more.
    KeyNotInForce,
    /// It came after its `valid_until`.
    Expired,
    /// The offer expired.
    OfferExpired,
    /// It is in another currency than the center's.
    WrongCurrency,
    /// An amount of nothing.
    AmountZero,
    /// An amount outside what the center allows.
    AmountOutOfRange {
        /// The least.
        least: Amount,
        /// The most.
        most: Amount,
    },
    /// There is no such card, or it is another's.
    UnknownCard,
    /// The card is frozen.
    CardFrozen,
    /// The account is frozen.
    AccountFrozen,
    /// There is no such store.
    UnknownStore,
    /// The store's account is frozen.
    StoreFrozen,
    /// The order was paid before.
    AlreadyPaid {
        /// By this entry.
        by: EntryNumber,
    },
    /// The card holds too little.
    BalanceShort {
        /// By so much.
        by: Amount,
    },
    /// The telegram was entered as void.
    Voided,
    /// There is no such payment, or it is another's.
    UnknownPayment {
        /// The entry that was named.
        payment: EntryNumber,
    },
    /// The payment was given back before.
    AlreadyRefunded {
        /// The payment.
        payment: EntryNumber,
    },
    /// The payment was claimed before.
    AlreadyClaimed {
        /// The payment.
        payment: EntryNumber,
    },
    /// The amount differs from the payment's.
    WrongAmount {
        /// The payment's.
        expected: Amount,
    },
    /// These payments' goods are not delivered, or what should prove it does not.
    NotDelivered {
        /// Which.
        payments: List<EntryNumber, { limits::CLAIM_ITEMS }>,
    },
    /// A claim that names nothing, names a payment twice, or not in ascending order.
    ClaimOutOfOrder,
    /// Too many refusals lately from this signer.
    TooManyRefusals,
    /// The store has no bank account that money could be sent to.
    NoBankAccount,
    /// The key is registered already.
    KeyTaken,
    /// What it names does not exist, or is not in the state for it.
    NotPossible(Line),
    /// No money leaves the account: its lost terminal was replaced a short while ago.
    Held {
        /// Until then.
        until: Timestamp,
    },
    /// More than the cashier may refund on one day.
    CashierLimit {
        /// What is left for today.
        left: Amount,
    },
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyNotInForce => f.write_str("the key that signed it is not in force any more"),
            Self::Expired => f.write_str("it came after the time until which it was valid"),
            Self::OfferExpired => f.write_str("the store's offer has expired; order again"),
            Self::WrongCurrency => f.write_str("it is in another currency than the center's"),
            Self::AmountZero => f.write_str("the amount is nothing"),
            Self::AmountOutOfRange { .. } => f.write_str("the amount is outside what the center allows"),
            Self::UnknownCard => f.write_str("there is no such card of this member"),
            Self::CardFrozen => f.write_str("the card is frozen; ask the center"),
            Self::AccountFrozen => f.write_str("the account is frozen; ask the center"),
            Self::UnknownStore => f.write_str("there is no such store"),
            Self::StoreFrozen => f.write_str("the store's account is frozen"),
            Self::AlreadyPaid { by } => write!(f, "this order was already paid by {by}"),
            Self::BalanceShort { .. } => f.write_str("the card holds too little"),
            Self::Voided => f.write_str("it was withdrawn before it arrived"),
            Self::UnknownPayment { payment } => write!(f, "there is no payment {payment} of this store"),
            Self::AlreadyRefunded { payment } => write!(f, "{payment} was already refunded"),
            Self::AlreadyClaimed { payment } => write!(f, "{payment} was already claimed"),
            Self::WrongAmount { .. } => f.write_str("the amount is not the one that was paid"),
            Self::NotDelivered { payments } => {
                let names: Vec<String> = payments.iter().map(ToString::to_string).collect();
                write!(f, "not proved to be delivered: {}", names.join(", "))
            }
            Self::ClaimOutOfOrder => f.write_str("the claim names no payment, or one twice"),
            Self::TooManyRefusals => f.write_str("too many refused telegrams lately; wait a minute"),
            Self::NoBankAccount => f.write_str("no bank account is registered to send the money to"),
            Self::KeyTaken => f.write_str("this key is registered already"),
            Self::NotPossible(words) => f.write_str(words),
            Self::Held { .. } => f.write_str(
                "no money leaves this account for 72 hours after its terminal was replaced; ask the center",
            ),
            Self::CashierLimit { .. } => f.write_str("it is more than this cashier may refund today"),
        }
    }
}
