//! Payments that fit no order.

use wire::payload::RefundReason;

/// Why a payment fits no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// The store has no such order.
    UnknownOrder,
    /// The order has another offer than the one that was paid.
    OtherOffer,
    /// Another amount than the offer's.
    WrongTotal,
    /// The order was paid by another entry already.
    SecondTime,
}

impl Misfit {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::UnknownOrder => "the store knows no such order",
            Self::OtherOffer => "another offer was paid than the one the store made for this order",
            Self::WrongTotal => "the amount is not the order's",
            Self::SecondTime => "the order was paid already",
        }
    }

    pub(crate) fn reason(self) -> RefundReason {
        match self {
            Self::UnknownOrder | Self::OtherOffer | Self::SecondTime => RefundReason::UnknownOrder,
            Self::WrongTotal => RefundReason::WrongTotal,
        }
    }
}
