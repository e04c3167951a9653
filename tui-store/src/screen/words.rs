//! Words and tones that several screens use.

use serde::Serialize;
use tui_kit::theme::Tone;
use wire::receipt::PayoutState;

use crate::{
    screen::Step,
    view::{LineView, OrderStanding, Resolved, TelegramState},
};

/// What an order's state says beside its words.
pub(crate) fn standing_tone(state: OrderStanding) -> Tone {
    match state {
        OrderStanding::AwaitingPayment | OrderStanding::AwaitingBuyer => Tone::Plain,
        OrderStanding::Paid => Tone::Strong,
        OrderStanding::RefundDue => Tone::Warn,
        OrderStanding::Delivered | OrderStanding::Claimed => Tone::Good,
        OrderStanding::Refunded | OrderStanding::Expired => Tone::Dim,
    }
}

/// What a telegram's state says beside its words.
pub(crate) fn telegram_tone(state: TelegramState) -> Tone {
    match state {
        TelegramState::Done | TelegramState::Withdrawn => Tone::Good,
        TelegramState::Prepared | TelegramState::Unknown => Tone::Warn,
        TelegramState::Refused => Tone::Bad,
        TelegramState::Void | TelegramState::Expired => Tone::Dim,
    }
}

/// A telegram's state in one word.
pub(crate) fn telegram_state(state: TelegramState) -> &'static str {
    match state {
        TelegramState::Prepared => "not sent yet",
        TelegramState::Unknown => "unknown",
        TelegramState::Done => "settled",
        TelegramState::Refused => "refused",
        TelegramState::Void => "void",
        TelegramState::Expired => "expired",
        TelegramState::Withdrawn => "withdrawn",
    }
}

/// What became of a telegram, in one line.
pub(crate) fn became(resolved: &Resolved) -> String {
    format!("{}: {}", resolved.what, resolved.words)
}

/// What a payout's state says beside its words.
pub(super) fn payout_tone(state: Option<PayoutState>) -> Tone {
    match state {
        Some(PayoutState::Paid) => Tone::Good,
        Some(PayoutState::InTransit) => Tone::Plain,
        Some(PayoutState::Failed) => Tone::Bad,
        None => Tone::Warn,
    }
}

/// What the line says beside its words.
pub(super) fn line_tone(line: &LineView) -> Tone {
    match line {
        LineView::Connected { payments: true, .. } => Tone::Good,
        LineView::Connected { payments: false, .. } | LineView::Connecting { .. } => Tone::Warn,
        LineView::Down { .. } => Tone::Bad,
        LineView::Idle => Tone::Dim,
    }
}

/// Copies a whole thing.
pub(super) fn copy_json(thing: &impl Serialize, what: &'static str) -> Step {
    match serde_json::to_string_pretty(thing) {
        Ok(text) => Step::Copy { text, what },
        Err(error) => Step::Say(Tone::Bad, format!("this can't be written as JSON: {error}")),
    }
}
