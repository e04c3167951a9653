//! Words and tones that several screens use.

use serde::Serialize;
use tui_kit::theme::Tone;

use crate::{
    screen::Step,
    view::{LineView, PurchaseState},
};

/// What a purchase's state says beside its words.
pub(super) fn tone(state: PurchaseState) -> Tone {
    match state {
        PurchaseState::Settled | PurchaseState::Fetched | PurchaseState::Delivered => Tone::Good,
        PurchaseState::Signed | PurchaseState::Unknown => Tone::Warn,
        PurchaseState::Refused => Tone::Bad,
        PurchaseState::Offered
        | PurchaseState::OfferExpired
        | PurchaseState::Void
        | PurchaseState::Expired
        | PurchaseState::Refunded => Tone::Dim,
    }
}

/// A purchase's state in one or two words, for lists; the purchase itself says it in full.
pub(super) fn short(state: PurchaseState) -> &'static str {
    match state {
        PurchaseState::Offered => "not paid",
        PurchaseState::OfferExpired => "offer lapsed",
        PurchaseState::Signed => "not sent",
        PurchaseState::Unknown => "unknown",
        PurchaseState::Settled => "settled",
        PurchaseState::Fetched => "fetched",
        PurchaseState::Delivered => "delivered",
        PurchaseState::Refused => "refused",
        PurchaseState::Void => "void",
        PurchaseState::Expired => "expired",
        PurchaseState::Refunded => "refunded",
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
