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
    /// Sold at a till; no buyer has taken it up.
    AwaitingBuyer,
}

impl OrderStanding {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AwaitingPayment,
        Self::Paid,
        Self::RefundDue,
        Self::Delivered,
        Self::Claimed,
        Self::Refunded,
        Self::Expired,
        Self::AwaitingBuyer,
    ];

    /// Whether it may still be paid, as far as the store knows.
    pub fn is_open(self) -> bool {
        matches!(self, Self::AwaitingBuyer | Self::AwaitingPayment)
    }

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
            Self::AwaitingBuyer => "awaiting buyer",
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
            Self::AwaitingBuyer => "awaiting-buyer",
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
    /// Which cashier sold it, if one did.
    pub sold: Option<SoldRow>,
}

/// Which cashier sold an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SoldRow {
    /// The cashier's name.
    pub cashier: Line,
    /// Its key as people compare it.
    pub fingerprint: String,
    /// What the buyer types, while no buyer has taken it up; only a cashier who may sell sees it.
    pub code: Option<String>,
}
