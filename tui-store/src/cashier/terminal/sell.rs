//! Selling at the till: an order out of the catalogue, kept by the store under a code until its buyer takes it up.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use wire::{
    bounded::{Bytes, List},
    codec,
    id::Salt,
    limits,
    order::{Order, OrderLine, order_hash},
    shop::Item,
    text::{Line, Prose},
    till::{Right, TillAnswer, TillDetail, TillRequest},
};

use super::Terminal;
use crate::{
    act::Failure,
    cashier::{
        act::Outcome,
        line::nonsense,
        view::{SaleView, order_detail, sold_row},
    },
    view::{ItemRow, Money, OrderStanding},
};

/// How many pages of the catalogue are asked for at most.
const PAGES_MAX: usize = 50;
/// How often the store is asked about an order that is being awaited.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How long one act awaits an order; whoever wants to wait longer asks again.
const AWAIT_LIMIT: Duration = Duration::from_secs(30);

impl Terminal {
    /// All that the store sells.
    pub(super) async fn items(&self) -> Result<Outcome, Failure> {
        let till = self.till().await?;
        let mut rows: Vec<ItemRow> = Vec::new();
        let mut after = None;
        for _ in 0..PAGES_MAX {
            let (items, more) = till.catalogue(after).await?;
            after = items.last().map(|item| item.id.clone());
            rows.extend(items.into_iter().map(|item| self.item_row(item)));
            if !more || after.is_none() {
                break;
            }
        }
        Ok(Outcome::Items(rows))
    }

    /// Makes an order out of the catalogue and sells it under a code.
    pub(super) async fn sell(&self, items: Vec<(String, u32)>, note: &str) -> Result<Outcome, Failure> {
        let till = self.till().await?;
        let mut lines = Vec::new();
        for (id, quantity) in items {
            let item = till.item(Line::new(&id).map_err(Failure::not_found)?).await?;
            lines.push(OrderLine {
                item: item.id,
                title: item.title,
                quantity,
                unit_price: item.price,
                digest: item.digest,
                size: item.size,
                file_name: item.file_name,
            });
        }
        let total =
            Order::sum(&lines).ok_or_else(|| Failure::not_possible("the order's sum is too large"))?;
        let order = Order {
            center: self.center(),
            store: self.0.line.store,
            currency: self.currency(),
            total,
            lines: List::new(lines).map_err(Failure::not_possible)?,
            note: Prose::new(note).map_err(Failure::not_possible)?,
        };
        order.check().map_err(Failure::not_possible)?;
        let (bytes, salt) = (codec::encode(&order), Salt::random());
        let hash = order_hash(&salt, &bytes);
        let order = Bytes::<{ limits::ORDER }>::new(bytes).map_err(Failure::not_possible)?;
        let TillAnswer::Sale(sale) = self.ask(TillRequest::Sell { order, salt }).await? else {
            return Err(nonsense());
        };
        if sale.order != hash || sale.total != total || sale.by != self.0.key.verification_key() {
            return Err(Failure::contradiction("the store keeps another sale than the one that was made"));
        }
        Ok(Outcome::Sale(Box::new(SaleView {
            order: hash,
            store: self.0.line.store,
            code: sale.code.print(),
            total: Money::new(total, self.currency()),
            expires: sale.expires.into(),
        })))
    }

    /// An order once it stands otherwise than it did, or as it stands when the time is over.
    pub(super) async fn stands_otherwise(
        &self,
        order: &str,
        since: OrderStanding,
    ) -> Result<Outcome, Failure> {
        let until = Instant::now() + AWAIT_LIMIT;
        loop {
            let detail = self.order(order).await?;
            let state = order_detail(&detail, self.currency()).row.state;
            if state != since || Instant::now() + ASK_EVERY > until {
                return self.shown_with_sale(&detail).await;
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// An order in full, with who sold it where that may be asked.
    pub(super) async fn shown_with_sale(&self, detail: &TillDetail) -> Result<Outcome, Failure> {
        let mut shown = order_detail(detail, self.currency());
        let may_ask = {
            let known = self.0.known.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            known.rights.as_ref().is_some_and(|rights| Right::Sell.is_in(rights))
        };
        if may_ask {
            // An order that was not sold at a till is refused here, and shown without.
            if let Ok(TillAnswer::Sale(sale)) = self.ask(TillRequest::Sale(detail.row.order)).await {
                shown.sold = Some(sold_row(&sale, shown.row.state));
            }
        }
        Ok(Outcome::Order(Box::new(shown)))
    }

    fn item_row(&self, item: Item) -> ItemRow {
        ItemRow {
            price: Money::new(item.price, self.currency()),
            id: item.id,
            title: item.title,
            file_name: item.file_name,
            size: item.size,
            tags: item.tags.into_vec(),
        }
    }
}
