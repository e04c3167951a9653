//! What the opened part of a receipt says, in words for people. Everybody who reads a receipt gets the same words:
//! the two programs, and the text receipt that the center signs.

use super::{MemberPart, PayoutState, StorePart};
use crate::{amount::Amount, payload::KeyRole};

impl MemberPart {
    /// In words; `money` prints amounts in the center's currency.
    pub fn words(&self, money: &dyn Fn(Amount) -> String) -> String {
        match self {
            Self::Nothing => "it does not concern a member".to_owned(),
            Self::Registered { member, .. } => format!("{member} was entered in the member register"),
            Self::KeyChanged { role, key } => key_changed(*role, key.is_some()),
            Self::CardRequested { amount, .. } => format!("a card of {} was asked for", money(*amount)),
            Self::CardIssued { card, amount, .. } => {
                format!("card {card} was issued with {}", money(*amount))
            }
            Self::Paid { card, store, total, .. } => format!("{card} paid {} to {store}", money(*total)),
            Self::Refused { reason, .. } => format!("a telegram was refused: {reason}"),
            Self::Voided { .. } => VOIDED.into(),
            Self::Refunded { payment, card, amount, .. } => {
                format!("{} came back to {card} for {payment}", money(*amount))
            }
            Self::CardLapsed { request } => format!("card request {request} lapsed"),
            Self::KeyChangeWaits { .. } => KEY_WAITS.into(),
            Self::KeyChangeCancelled { change } => key_cancelled(change),
        }
    }
}

impl StorePart {
    /// In words; `money` prints amounts in the center's currency.
    pub fn words(&self, money: &dyn Fn(Amount) -> String) -> String {
        match self {
            Self::Nothing => "it does not concern a store".to_owned(),
            Self::Registered { store, .. } => format!("{store} was entered in the store register"),
            Self::KeyChanged { role, key } => key_changed(*role, key.is_some()),
            Self::Paid { total, .. } => format!("an order of {} was paid", money(*total)),
            Self::Refunded { payment, amount, .. } => {
                format!("{} of {payment} was given back", money(*amount))
            }
            Self::Claimed { payments, total, .. } => match payments.len() {
                1 => format!("1 payment was claimed: {}", money(*total)),
                count => format!("{count} payments were claimed: {} in all", money(*total)),
            },
            Self::Refused { reason, .. } => format!("a telegram was refused: {reason}"),
            Self::Voided { .. } => VOIDED.into(),
            Self::Payout { claim, amount, state } => {
                let state = match state {
                    PayoutState::InTransit => "was handed to the bank",
                    PayoutState::Paid => "was confirmed by the bank",
                    PayoutState::Failed => "came back from the bank",
                };
                format!("the payout of {claim} over {} {state}", money(*amount))
            }
            Self::KeyChangeWaits { .. } => KEY_WAITS.into(),
            Self::KeyChangeCancelled { change } => key_cancelled(change),
            Self::CashierChanged { in_force: true, .. } => "a cashier was certified".into(),
            Self::CashierChanged { in_force: false, .. } => "a cashier's rights were taken away".into(),
            Self::RefundedByCenter { payment, amount } => {
                format!("the center gave {} of {payment} back", money(*amount))
            }
        }
    }
}

const VOIDED: &str = "a telegram was entered as never to be done";
const KEY_WAITS: &str = "a new recovery key was asked for, and waits";

fn key_changed(role: KeyRole, new: bool) -> String {
    let role = match role {
        KeyRole::Signature => "signature",
        KeyRole::Terminal => "terminal",
        KeyRole::Recovery => "recovery",
    };
    format!("the {role} key was {}", if new { "changed" } else { "revoked" })
}

fn key_cancelled(change: &crate::id::EntryNumber) -> String {
    format!("the recovery key asked for in {change} was cancelled")
}
