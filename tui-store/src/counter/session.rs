//! One member's connection. The member is nameless; what proves the right to goods is the buyer key of the order, and
//! the proof is bound to this connection.

mod take_up;
mod till;

use std::{
    net::IpAddr,
    sync::{Arc, PoisonError},
};

use wire::{
    amount::Amount,
    bounded::Bytes,
    id::{Digest, OrderHash, Salt},
    key::{Signature, VerificationKey},
    limits,
    order::{Order, goods_hash, order_hash},
    payload::{Delivery, Offer},
    shop::{OrderState, ShopRefusal, StoreAnswer, StoreRequest, prove_message},
    telegram::Telegram,
    text::{Line, Prose},
    time::Timestamp,
};

use super::{Counter, Proved};
use crate::{
    act::Failure,
    book::{Book, Sale},
    record::{Delivered, Record, Taken, Undeliverable},
    view::OrderStanding,
};

/// The most orders that one connection may prove; a terminal needs one at a time.
const PROVED_MAX: usize = 1_000;
/// The most offers that can be paid at the same time, so that strangers cannot fill the vault.
const OPEN_OFFERS_MAX: usize = 20_000;

/// One member's connection.
pub(super) struct Session {
    counter: Arc<Counter>,
    from: IpAddr,
    exporter: [u8; 32],
    proved: Proved,
    speaker: till::Speaker,
}

/// Why a request is refused, or the store itself fails.
enum Trouble {
    Refused(ShopRefusal),
    Own(Failure),
}

impl From<ShopRefusal> for Trouble {
    fn from(refusal: ShopRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Own(failure)
    }
}

impl Session {
    pub(super) fn new(counter: Arc<Counter>, from: IpAddr, exporter: [u8; 32]) -> Self {
        Self { counter, from, exporter, proved: Proved::default(), speaker: till::Speaker::default() }
    }

    /// Answers one request.
    pub(super) async fn answer(&self, request: StoreRequest) -> StoreAnswer {
        if !self.counter.limits.request(self.from) {
            return StoreAnswer::Refused(ShopRefusal::Busy);
        }
        let answered = match request {
            StoreRequest::Catalogue { query, after } => {
                let (items, more) = self.counter.catalogue.borrow().page(&query, after.as_ref());
                Ok(StoreAnswer::Catalogue { items, more })
            }
            StoreRequest::Item(id) => self.item(id),
            StoreRequest::Order { order, salt, buyer_key } => {
                self.order(order.into_vec(), salt, buyer_key).await
            }
            StoreRequest::Prove { order, signature } => self.prove(order, &signature),
            StoreRequest::State(order) => self.state(&order),
            StoreRequest::Fetch { order, line, offset } => self.fetch(order, line, offset).await,
            StoreRequest::Delivered(telegram) => self.delivered(telegram).await,
            StoreRequest::Hours(shown) => {
                let hours = self.counter.center.exchange(&shown).await;
                hours.map(StoreAnswer::Hours).map_err(Trouble::Own)
            }
            StoreRequest::TakeUp { code, buyer_key } => self.take_up(code, buyer_key).await,
            StoreRequest::Till(request) => Ok(StoreAnswer::Till(Box::new(self.till(*request).await))),
        };
        match answered {
            Ok(answer) => answer,
            Err(Trouble::Refused(refusal)) => StoreAnswer::Refused(refusal),
            Err(Trouble::Own(failure)) => {
                tracing::error!("a visitor's request was not done: {failure}");
                StoreAnswer::Refused(ShopRefusal::Busy)
            }
        }
    }

    fn item(&self, id: Line) -> Result<StoreAnswer, Trouble> {
        let catalogue = self.counter.catalogue.borrow().clone();
        match catalogue.item(&id) {
            Some(item) => Ok(StoreAnswer::Item(Box::new(item.clone()))),
            None => Err(ShopRefusal::UnknownItem(id).into()),
        }
    }

    /// Checks an order against the catalogue, signs an offer and keeps both before the offer is handed out.
    async fn order(
        &self,
        bytes: Vec<u8>,
        salt: Salt,
        buyer_key: VerificationKey,
    ) -> Result<StoreAnswer, Trouble> {
        if !self.counter.limits.order(self.from) {
            return Err(ShopRefusal::Busy.into());
        }
        let hash = order_hash(&salt, &bytes);
        // Asked again after a connection broke: the same order gets the same offer, whatever the catalogue says now.
        if let Some(sale) = self.counter.keep.book().sales.get(&hash) {
            return offered_before(sale, &buyer_key);
        }
        if !self.counter.center.is_up() {
            return Err(ShopRefusal::Away.into());
        }
        let total = self.check(&bytes)?.total;
        check_buyer_key(&buyer_key)?;
        let now = Timestamp::now();
        let expires = now.plus_ms(self.counter.facts.offer_ms);
        let offer = self.offer((hash, total), buyer_key, now, expires);
        let taken = Taken { at: now, order: bytes, salt, buyer_key, offer };
        tui_kit::failpoint::at("order.keep");
        let kept = self.counter.keep.record_if(move |book| {
            if let Some(sale) = book.sales.get(&hash) {
                return offered_before(sale, &buyer_key).map(|answer| (Vec::new(), answer));
            }
            if book.open_offers(now) >= OPEN_OFFERS_MAX {
                return Err(ShopRefusal::Busy.into());
            }
            let answer = StoreAnswer::Offer(taken.offer.clone());
            Ok::<_, Trouble>((vec![Record::Taken(taken)], answer))
        });
        let answer = kept.await;
        tui_kit::failpoint::at("order.kept");
        answer
    }

    /// Whether this store sells an order as it stands, for the price and goods in it.
    fn check(&self, bytes: &[u8]) -> Result<Order, Trouble> {
        let facts = &self.counter.facts;
        let order = Order::decode(bytes).map_err(bad_order)?;
        if order.center != facts.center || order.store != facts.store || order.currency != facts.currency {
            return Err(bad_order("it is for another store, center or currency"));
        }
        let catalogue = self.counter.catalogue.borrow().clone();
        for line in &order.lines {
            catalogue.check(line)?;
            if self.counter.keep.book().staff.paused.contains(&line.item) {
                return Err(ShopRefusal::Paused(line.item.clone()).into());
            }
            if !self.counter.shelf.holds(&line.digest, line.size) {
                return Err(ShopRefusal::CannotDeliver.into());
            }
        }
        Ok(order)
    }

    /// A signed offer of an order to a buyer key.
    fn offer(
        &self,
        (order, total): (OrderHash, Amount),
        buyer_key: VerificationKey,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Telegram {
        let (facts, terminal_key) = (&self.counter.facts, self.counter.keep.terminal_key());
        let offer = Offer {
            center: facts.center,
            store: facts.store,
            terminal_key: terminal_key.verification_key(),
            buyer_key,
            order,
            total,
            currency: facts.currency,
            issued,
            expires,
        };
        Telegram::sign_as_key(&offer, &terminal_key)
    }

    fn prove(&self, order: OrderHash, signature: &Signature) -> Result<StoreAnswer, Trouble> {
        let book = self.counter.keep.book();
        let sale = book.sales.get(&order).ok_or(ShopRefusal::UnknownOrder)?;
        let message = prove_message(&order, &self.exporter);
        // The same words as for an order that does not exist: a stranger learns nothing by trying.
        let buyer = sale.buyer.as_ref().ok_or(ShopRefusal::UnknownOrder)?;
        buyer.key.verify(&message, signature).map_err(|_| ShopRefusal::UnknownOrder)?;
        let mut proved = self.proved.lock().unwrap_or_else(PoisonError::into_inner);
        if proved.len() >= PROVED_MAX && !proved.contains(&order) {
            return Err(ShopRefusal::Busy.into());
        }
        proved.insert(order);
        Ok(StoreAnswer::State(book.state(sale, Timestamp::now())))
    }

    fn state(&self, order: &OrderHash) -> Result<StoreAnswer, Trouble> {
        let book = self.counter.keep.book();
        let sale = self.proved_sale(&book, order)?;
        Ok(StoreAnswer::State(book.state(sale, Timestamp::now())))
    }

    async fn fetch(&self, order: OrderHash, line: u32, offset: u64) -> Result<StoreAnswer, Trouble> {
        let (digest, size) = self.deliverable(&order, line)?;
        if offset > size {
            return Err(ShopRefusal::Malformed.into());
        }
        let Ok(_reading) = self.counter.reads.acquire().await else { return Err(ShopRefusal::Busy.into()) };
        let shelf = self.counter.shelf.clone();
        let read = tokio::task::spawn_blocking(move || shelf.piece(&digest, size, offset)).await;
        let piece = match read {
            Ok(Ok(piece)) => piece,
            Ok(Err(error)) => {
                let why = format!("goods {} cannot be read: {error}", digest.short());
                self.lost(order, &why).await?;
                return Err(ShopRefusal::CannotDeliver.into());
            }
            Err(_) => return Err(Failure::machine("reading goods was broken off").into()),
        };
        let bytes = Bytes::<{ limits::CHUNK }>::new(piece).map_err(Failure::machine)?;
        Ok(StoreAnswer::Chunk { offset, bytes })
    }

    /// The goods of a line of an order that this visitor has proved and paid.
    fn deliverable(&self, order: &OrderHash, line: u32) -> Result<(Digest, u64), Trouble> {
        let book = self.counter.keep.book();
        let sale = self.proved_sale(&book, order)?;
        match book.standing(sale, Timestamp::now()) {
            OrderStanding::Paid | OrderStanding::Delivered | OrderStanding::Claimed => {}
            OrderStanding::RefundDue | OrderStanding::Refunded => {
                return Err(ShopRefusal::CannotDeliver.into());
            }
            OrderStanding::AwaitingPayment | OrderStanding::AwaitingBuyer | OrderStanding::Expired => {
                return Err(ShopRefusal::NotPaid.into());
            }
        }
        let line = usize::try_from(line).ok().and_then(|line| sale.order.lines.get(line));
        let line = line.ok_or(ShopRefusal::Malformed)?;
        Ok((line.digest, line.size))
    }

    /// Notes that an order's goods are gone, so that its payment is due to be given back.
    async fn lost(&self, order: OrderHash, why: &str) -> Result<(), Trouble> {
        tracing::error!("order {} cannot be delivered: {why}", order.short());
        let why = Line::new(why).unwrap_or_default();
        let lost = Undeliverable { at: Timestamp::now(), order, why };
        self.counter
            .keep
            .record_if(move |book| {
                let known = book.sales.get(&order).is_none_or(|sale| sale.undeliverable.is_some());
                Ok::<_, Trouble>((if known { Vec::new() } else { vec![Record::Undeliverable(lost)] }, ()))
            })
            .await
    }

    /// Checks the buyer's acknowledgement, keeps it, and only then says so: it is what the money is claimed with.
    async fn delivered(&self, telegram: Telegram) -> Result<StoreAnswer, Trouble> {
        let signed = telegram.verify_self::<Delivery>().map_err(|_| ShopRefusal::BadAcknowledgement)?;
        let (key, delivery) = (signed.key(), signed.into_payload());
        let order = delivery.order;
        let now = Timestamp::now();
        tui_kit::failpoint::at("delivery.keep");
        let answer = self
            .counter
            .keep
            .record_if(move |book| {
                let sale = book.sales.get(&order).ok_or(ShopRefusal::UnknownOrder)?;
                let goods = goods_hash(&sale.salt, &sale.order.goods_digest());
                let is_buyer = sale.buyer.as_ref().is_some_and(|buyer| buyer.key == key);
                if !is_buyer || delivery.goods != goods {
                    return Err(ShopRefusal::BadAcknowledgement.into());
                }
                match book.standing(sale, now) {
                    OrderStanding::Paid | OrderStanding::RefundDue if sale.delivery.is_none() => {
                        let kept = Delivered { at: now, order, delivery: telegram };
                        // A refund that is on its way goes on; the acknowledgement is kept all the same.
                        Ok((vec![Record::Delivered(kept)], StoreAnswer::State(OrderState::Delivered)))
                    }
                    OrderStanding::AwaitingPayment
                    | OrderStanding::AwaitingBuyer
                    | OrderStanding::Expired => Err(ShopRefusal::NotPaid.into()),
                    _ => Ok((Vec::new(), StoreAnswer::State(book.state(sale, now)))),
                }
            })
            .await;
        tui_kit::failpoint::at("delivery.kept");
        answer
    }

    fn proved_sale<'a>(&self, book: &'a Book, order: &OrderHash) -> Result<&'a Sale, Trouble> {
        let proved = self.proved.lock().unwrap_or_else(PoisonError::into_inner).contains(order);
        book.sales.get(order).filter(|_| proved).ok_or_else(|| ShopRefusal::UnknownOrder.into())
    }
}

/// The offer of an order that was taken before.
fn offered_before(sale: &Sale, buyer_key: &VerificationKey) -> Result<StoreAnswer, Trouble> {
    match &sale.buyer {
        Some(buyer) if buyer.key == *buyer_key => Ok(StoreAnswer::Offer(buyer.offer.clone())),
        _ => Err(bad_order("the same order was made with another buyer key; order anew")),
    }
}

fn check_buyer_key(key: &VerificationKey) -> Result<(), Trouble> {
    key.check().map_err(|error| bad_order(format!("its buyer key: {error}")))
}

fn bad_order(words: impl std::fmt::Display) -> Trouble {
    let words: String = words.to_string().chars().take(400).collect();
    ShopRefusal::BadOrder(Prose::new(&words).unwrap_or_default()).into()
}
