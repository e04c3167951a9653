//! What a cashier sees: plain rows, ready to be drawn or printed as JSON.

use serde::{Deserialize, Serialize};
use wire::{
    amount::Currency,
    id::{OrderHash, StoreNumber},
    payload::CashierRights,
    text::Line,
    till::{Right, Standing, TillDay, TillDetail, TillOrder, TillSale},
};

use crate::view::{LineRow, Moment, Money, OrderDetail, OrderRow, OrderStanding, SoldRow};

/// How a cashier's terminal stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillView {
    /// The store.
    pub store: StoreNumber,
    /// The name that it trades under, once the terminal has reached it.
    pub store_name: Line,
    /// The cashier's name in the store's lists, once it is certified.
    pub name: Line,
    /// This terminal's key as people compare it.
    pub fingerprint: String,
    /// The center's currency; yen before the terminal has reached the store.
    pub currency: Currency,
    /// The line that the owner certifies this terminal with.
    pub request: String,
    /// What it may do; none before it is certified.
    pub rights: Option<RightsView>,
    /// How the line to the store stands, in words.
    pub line: String,
    /// Whether there is one.
    pub connected: bool,
    /// How many refunds have an unknown outcome.
    pub unknown: usize,
}

/// What a cashier may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightsView {
    /// May sell, and stop and resume the sale of items.
    pub sell: bool,
    /// May put goods out again.
    pub deliver: bool,
    /// May see the day's figures.
    pub see_day: bool,
    /// May give back up to this much a day.
    pub refund_limit: Money,
    /// What was left of that at the login.
    pub left: Option<Money>,
}

impl RightsView {
    /// Rights in the center's currency.
    pub fn new(rights: &CashierRights, left: Option<Money>, currency: Currency) -> Self {
        Self {
            sell: rights.sell,
            deliver: rights.deliver,
            see_day: rights.see_day,
            refund_limit: Money::new(rights.refund_limit, currency),
            left,
        }
    }

    /// Whether a right is among them.
    pub fn has(&self, right: Right) -> bool {
        match right {
            Right::Sell => self.sell,
            Right::Deliver => self.deliver,
            Right::Refund => self.refund_limit.minor > 0,
            Right::SeeDay => self.see_day,
        }
    }

    /// All of them in one line.
    pub fn words(&self) -> String {
        let has = [Right::Sell, Right::Deliver, Right::SeeDay].into_iter().filter(|right| self.has(*right));
        let mut words: Vec<String> = has.map(|right| right.to_string()).collect();
        if self.has(Right::Refund) {
            words.push(format!("give back up to {} a day", self.refund_limit.text));
        }
        if words.is_empty() { "see orders".into() } else { words.join(", ") }
    }
}

/// A day's figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayView {
    /// `yyyy-mm-dd` in the center's zone.
    pub day: Line,
    /// Orders taken.
    pub orders: u64,
    /// Payments received.
    pub paid: u64,
    /// Their sum.
    pub paid_total: Money,
    /// Payments given back, with those whose outcome is unknown.
    pub refunds: u64,
    /// Their sum.
    pub refunded_total: Money,
    /// What each cashier did.
    pub cashiers: Vec<ShareView>,
}

/// What one cashier did on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareView {
    /// Its name.
    pub name: Line,
    /// Its key as people compare it.
    pub fingerprint: String,
    /// Offers that it made.
    pub offers: u64,
    /// Orders whose goods it put out again.
    pub delivered: u64,
    /// Payments that it gave back.
    pub refunds: u64,
    /// Their sum.
    pub refunded: Money,
}

impl DayView {
    /// The figures in the center's currency.
    pub fn new(day: &TillDay, currency: Currency) -> Self {
        let money = |amount| Money::new(amount, currency);
        let cashiers = day.cashiers.iter().map(|share| ShareView {
            name: share.name.clone(),
            fingerprint: share.key.fingerprint(),
            offers: share.offers,
            delivered: share.delivered,
            refunds: share.refunds,
            refunded: money(share.refunded),
        });
        Self {
            day: day.day.clone(),
            orders: day.orders,
            paid: day.paid,
            paid_total: money(day.paid_total),
            refunds: day.refunds,
            refunded_total: money(day.refunded_total),
            cashiers: cashiers.collect(),
        }
    }
}

/// The items that are not sold now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PausedView {
    /// Their ids.
    pub paused: Vec<Line>,
}

/// What was sold at this terminal, with all that the buyer types.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleView {
    /// The order.
    pub order: OrderHash,
    /// The store, which the buyer's terminal finds in the directory.
    pub store: StoreNumber,
    /// The code under which the buyer takes it up.
    pub code: String,
    /// How much.
    pub total: Money,
    /// Neither taken up nor paid after this.
    pub expires: Moment,
}

/// An order's row.
pub(super) fn order_row(order: &TillOrder, currency: Currency) -> OrderRow {
    OrderRow {
        order: order.order,
        state: standing(order.standing),
        taken: Moment::from(order.taken),
        goods: order.goods.to_string(),
        total: Money::new(order.total, currency),
        payment: order.payment,
    }
}

/// An order in full.
pub(super) fn order_detail(detail: &TillDetail, currency: Currency) -> OrderDetail {
    let lines = detail.lines.iter().map(|line| LineRow {
        item: line.item.clone(),
        title: line.title.clone(),
        quantity: line.quantity,
        unit_price: Money::new(line.unit_price, currency),
        size: line.size,
        file_name: line.file_name.clone(),
    });
    OrderDetail {
        row: order_row(&detail.row, currency),
        lines: lines.collect(),
        note: detail.note.clone(),
        expires: Moment::from(detail.expires),
        paid: detail.paid.map(Moment::from),
        delivered: detail.delivered.map(Moment::from),
        undeliverable: detail.undeliverable.clone(),
        refund: detail.refund,
        claim: detail.claim,
        sold: None,
    }
}

/// Which cashier sold an order; the code for its buyer while it waits for one.
pub(super) fn sold_row(sale: &TillSale, state: OrderStanding) -> SoldRow {
    SoldRow {
        cashier: sale.name.clone(),
        fingerprint: sale.by.fingerprint(),
        code: (state == OrderStanding::AwaitingBuyer).then(|| sale.code.print()),
    }
}

fn standing(standing: Standing) -> OrderStanding {
    match standing {
        Standing::AwaitingPayment => OrderStanding::AwaitingPayment,
        Standing::Paid => OrderStanding::Paid,
        Standing::RefundDue => OrderStanding::RefundDue,
        Standing::Delivered => OrderStanding::Delivered,
        Standing::Claimed => OrderStanding::Claimed,
        Standing::Refunded => OrderStanding::Refunded,
        Standing::Expired => OrderStanding::Expired,
        Standing::AwaitingBuyer => OrderStanding::AwaitingBuyer,
    }
}
