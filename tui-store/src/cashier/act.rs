//! Everything that a cashier can do, as data: subcommands, the control socket and the screens speak it alike.

use serde::{Deserialize, Serialize};
use wire::payload::RefundReason;

use super::view::{DayView, PausedView, SaleView, TillView};
use crate::{
    act::Password,
    view::{ItemRow, OrderDetail, OrderRow, OrderStanding, OutboxRow, Resolved},
};

/// What can be asked of a cashier's terminal whose vault is open.
///
/// `order` is an order's hash, an unambiguous beginning of it of at least six digits, or the transaction number of its
/// payment.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
pub enum Act {
    /// Logs in, and says what may be done here. → [`Outcome::Status`]
    Status,
    /// The newest orders. → [`Outcome::Orders`]
    Orders,
    /// One order in full. → [`Outcome::Order`]
    Order {
        /// Which.
        order: String,
    },
    /// Puts the goods of a paid order out for its buyer, again. → [`Outcome::Order`]
    Deliver {
        /// Which.
        order: String,
    },
    /// Gives the payment of an order back, whole. → [`Outcome::Resolved`]
    Refund {
        /// Which.
        order: String,
        /// Why.
        reason: RefundReason,
        /// This terminal's password, asked for at every refund.
        password: Password,
    },
    /// The refunds that were signed here. → [`Outcome::Outbox`]
    Outbox,
    /// Asks about every refund whose outcome is unknown. → [`Outcome::Resolved`]
    Resolve,
    /// The day's figures. → [`Outcome::Day`]
    Day,
    /// Stops or resumes the sale of an item. → [`Outcome::Paused`]
    Pause {
        /// The item's id.
        item: String,
        /// Whether it is not sold from now on.
        paused: bool,
    },
    /// The store's catalogue. → [`Outcome::Items`]
    Items,
    /// Sells to a buyer at the counter, who takes it up with a code. → [`Outcome::Sale`]
    Sell {
        /// The items' ids, and how many of each.
        items: Vec<(String, u32)>,
        /// Words on the order, which the buyer sees.
        note: String,
    },
    /// Waits until an order stands otherwise than it did, at the longest half a minute. → [`Outcome::Order`]
    Await {
        /// Which.
        order: String,
        /// How it stood.
        since: OrderStanding,
    },
    /// Changes the password. → [`Outcome::Done`]
    ChangePassword {
        /// The old one.
        old: Password,
        /// The new one.
        new: Password,
    },
}

/// What an act brought.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// How this terminal stands.
    Status(Box<TillView>),
    /// Orders, newest first.
    Orders(Vec<OrderRow>),
    /// An order.
    Order(Box<OrderDetail>),
    /// What became of what was sent or asked about.
    Resolved(Vec<Resolved>),
    /// The refunds that were signed here, newest first.
    Outbox(Vec<OutboxRow>),
    /// The day's figures.
    Day(Box<DayView>),
    /// What is not sold now.
    Paused(PausedView),
    /// What can be sold.
    Items(Vec<ItemRow>),
    /// What was sold, and the code for its buyer.
    Sale(Box<SaleView>),
    /// Done; there is nothing to say.
    Done,
}

impl Outcome {
    /// The `data` of the JSON envelope: an object; lists stand under their name.
    pub fn data(&self) -> serde_json::Value {
        use serde_json::json;
        match self {
            Self::Status(status) => json!(status),
            Self::Orders(orders) => json!({ "orders": orders }),
            Self::Order(order) => json!(order),
            Self::Resolved(telegrams) => json!({ "telegrams": telegrams }),
            Self::Outbox(telegrams) => json!({ "telegrams": telegrams }),
            Self::Day(day) => json!(day),
            Self::Paused(paused) => json!(paused),
            Self::Items(items) => json!({ "items": items }),
            Self::Sale(sale) => json!(sale),
            Self::Done => json!({}),
        }
    }
}
