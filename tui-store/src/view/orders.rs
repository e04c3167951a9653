//! What people and scripts see of orders.

use serde::{Deserialize, Serialize};
use wire::{
    id::{EntryNumber, OrderHash},
    text::{Line, Prose},
};

use super::{Moment, Money};

/// How an order stands, as the store sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderStanding {
    /// Offered; no payment notice has come.
    AwaitingPayment,
    /// Paid; the buyer fetches the goods.
    Paid,
    /// Paid, and the goods can't be delivered: a refund is due.
    RefundDue,
    /// The buyer signed for the goods; the money can be claimed.
    Delivered,
    /// Claimed from the center.
    Claimed,
    /// The payment was given back.
    Refunded,
    /// The offer expired unpaid.
    Expired,
}

impl OrderStanding {
    /// All of them, in the order of an order's life.
    pub const ALL: [Self; 7] = [
        Self::AwaitingPayment,
        Self::Paid,
        Self::RefundDue,
        Self::Delivered,
        Self::Claimed,
        Self::Refunded,
        Self::Expired,
    ];

    /// Words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "awaiting payment",
            Self::Paid => "paid",
            Self::RefundDue => "refund due",
            Self::Delivered => "delivered",
            Self::Claimed => "claimed",
            Self::Refunded => "refunded",
            Self::Expired => "expired",
        }
    }

    /// The stable name in JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "awaiting-payment",
            Self::Paid => "paid",
            Self::RefundDue => "refund-due",
            Self::Delivered => "delivered",
            Self::Claimed => "claimed",
            Self::Refunded => "refunded",
            Self::Expired => "expired",
        }
    }
}

/// One order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderRow {
    /// The order.
    pub order: OrderHash,
    /// How it stands.
    pub state: OrderStanding,
    /// When it was taken.
    pub taken: Moment,
    /// What was ordered, in one line.
    pub goods: String,
    /// The total.
    pub total: Money,
    /// The payment's transaction number, once there is one.
    pub payment: Option<EntryNumber>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineRow {
    /// The item's id.
    pub item: Line,
    /// Its title.
    pub title: Line,
    /// How many.
    pub quantity: u32,
    /// What one costs.
    pub unit_price: Money,
    /// The goods' length in bytes.
    pub size: u64,
    /// The goods' file name.
    pub file_name: Line,
}

/// An order in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub row: OrderRow,
    /// Its lines.
    pub lines: Vec<LineRow>,
    /// The buyer's words.
    pub note: Prose,
    /// Until when the offer can be paid.
    pub expires: Moment,
    /// When it was paid, by the center's clock.
    pub paid: Option<Moment>,
    /// When the buyer signed for the goods.
    pub delivered: Option<Moment>,
    /// Why it can't be delivered.
    pub undeliverable: Option<Line>,
    /// The refund's transaction number.
    pub refund: Option<EntryNumber>,
    /// The claim's transaction number.
    pub claim: Option<EntryNumber>,
}
