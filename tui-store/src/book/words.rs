//! Telegrams and keys in words.

use wire::{
    amount::Currency,
    payload::{Claim, KeyChange, KeyRole, Refund},
    telegram::{Kind, Telegram},
};

/// Words for a telegram of the outbox.
pub(crate) fn telegram_words(telegram: &Telegram, currency: Currency) -> String {
    match telegram.kind {
        Kind::Refund => telegram.peek::<Refund>().map_or_else(
            |_| "refund".into(),
            |refund| format!("refund of {} ({})", refund.payment, currency.print(refund.amount)),
        ),
        Kind::Claim => telegram.peek::<Claim>().map_or_else(
            |_| "claim".into(),
            |claim| {
                let count = claim.payments.len();
                let noun = if count == 1 { "payment" } else { "payments" };
                format!("claim of {count} {noun} ({})", currency.print(claim.total))
            },
        ),
        Kind::KeyChange => telegram.peek::<KeyChange>().map_or_else(
            |_| "key change".into(),
            |change| {
                let noun = role_words(change.role);
                if change.key.is_some() { format!("new {noun}") } else { format!("revocation of the {noun}") }
            },
        ),
        kind => kind.noun().into(),
    }
}

/// A key's role in words.
pub(crate) fn role_words(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Signature => "signature key",
        KeyRole::Terminal => "terminal key",
        KeyRole::Recovery => "recovery key",
    }
}
