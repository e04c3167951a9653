//! Ordering from stores and fetching from them.

use std::{collections::hash_map::Entry, sync::Arc};

use tokio_util::sync::CancellationToken;
use wire::{
    amount::Currency,
    id::{OrderHash, StoreNumber},
    key::SigningKey,
    text::Prose,
    till::PickUpCode,
    time::Timestamp,
};

use super::Engine;
use crate::{
    act::{Failure, FailureKind, Wanted},
    center::Session,
    deliver::Delivering,
    purchase::Purchase,
    record::{Ordered, Record, Seed, TakingUp},
    shop::{self, Counter},
    view::{FetchedGoods, Money, Offered, Transfer},
};

impl Engine {
    /// A line to a store; the one that is there, or a new one.
    pub(super) async fn counter(
        &self,
        session: &Session,
        store: StoreNumber,
    ) -> Result<Arc<Counter>, Failure> {
        let mut counters = self.counters.lock().await;
        counters.retain(|_, counter| !counter.is_closed());
        if let Some(counter) = counters.get(&store) {
            return Ok(counter.clone());
        }
        let counter = Arc::new(shop::visit(&self.center, session, store).await?);
        self.center.exchange(session, &counter).await?;
        counters.insert(store, counter.clone());
        Ok(counter)
    }

    pub(super) async fn order(
        &self,
        store: StoreNumber,
        wanted: &[Wanted],
        note: &str,
    ) -> Result<Offered, Failure> {
        let note = Prose::new(note).map_err(|error| Failure::not_possible(format!("the note: {error}")))?;
        let session = self.line().await?;
        let counter = self.counter(&session, store).await?;
        let (center, currency) = (session.line.sheet.center, session.line.hello.currency);
        let ordered = counter.order(center, currency, wanted, note, session.now()).await;
        self.offered(store, currency, ordered).await
    }

    /// Takes up what a cashier sold. The key is on disk before the store hears of it: after a crash the same code is asked
    /// for with the same key.
    pub(super) async fn take_up(&self, store: StoreNumber, code: PickUpCode) -> Result<Offered, Failure> {
        let session = self.line().await?;
        let counter = self.counter(&session, store).await?;
        let now = session.now();
        let buyer = self.keep.with(move |kept| match kept.book.taking_up(store, code) {
            Some(buyer) => Ok(buyer),
            None => {
                let buyer = Seed::of(&SigningKey::generate());
                kept.append(Record::TakingUp(TakingUp { at: now, store, code, buyer: buyer.clone() }))?;
                Ok::<_, Failure>(buyer)
            }
        });
        let buyer = buyer.await?.key();
        let (center, currency) = (session.line.sheet.center, session.line.hello.currency);
        let ordered = counter.take_up((center, currency), code, &buyer, now).await;
        self.offered(store, currency, ordered).await
    }

    /// Keeps an order with its verified offer, and says what the review shows.
    async fn offered(
        &self,
        store: StoreNumber,
        currency: Currency,
        ordered: Result<Ordered, Failure>,
    ) -> Result<Offered, Failure> {
        let ordered = match ordered {
            Ok(ordered) => ordered,
            Err(failure) => {
                if failure.kind == FailureKind::Contradiction {
                    self.center.alarm(format!("{store}: {failure}"), Vec::new()).await?;
                }
                return Err(failure);
            }
        };
        let goods = self.goods();
        self.keep
            .with(move |kept| {
                let mut warnings = Vec::new();
                if kept.book.store_key(store).is_some_and(|known| known != ordered.store_key) {
                    warnings.push(
                        "the store's key is another than when you last ordered there; if the store did not tell you, ask \
                         it before you pay"
                            .into(),
                    );
                }
                let hash = wire::order::order_hash(&ordered.salt, &ordered.order);
                // On disk before anything can be paid: without buyer key and salt nobody gets the goods.
                if kept.book.purchase(&hash).is_none() {
                    kept.append(Record::Ordered(ordered))?;
                }
                let purchase = kept.book.purchase(&hash).ok_or_else(|| Failure::machine("the order was not kept"))?;
                let total = purchase.offer.total;
                let card = kept.book.paying_card(None, total);
                if card.is_none() {
                    warnings.push(format!("no card holds {}", currency.print(total)));
                }
                let before = card.map(|(_, card)| card.balance);
                let after = before.and_then(|before| before.minus(total));
                Ok(Offered {
                    order: hash,
                    store,
                    store_name: purchase.ordered.store_name.clone(),
                    lines: purchase.lines(&goods),
                    total: Money::new(total, currency),
                    expires: purchase.offer.expires.into(),
                    card: card.map(|(number, _)| number),
                    balance_before: before.map(|amount| Money::new(amount, currency)),
                    balance_after: after.map(|amount| Money::new(amount, currency)),
                    warnings,
                })
            })
            .await
    }

    pub(super) async fn fetch(self: &Arc<Self>, name: String) -> Result<FetchedGoods, Failure> {
        let order = self.named(name).await?;
        let store = self.keep.with(move |kept| {
            let purchase = kept.book.purchase(&order)?;
            Some((purchase.offer.store, fetchable(purchase)))
        });
        let (store, fetchable) =
            store.await.ok_or_else(|| Failure::not_found("there is no such order here"))?;
        fetchable?;
        let done = self.keep.with(move |kept| {
            kept.book
                .purchase(&order)
                .is_some_and(|purchase| purchase.complete() && purchase.acknowledged.is_some())
        });
        if done.await {
            return self.fetched(order).await;
        }
        let token = CancellationToken::new();
        match self.fetching().entry(order) {
            Entry::Vacant(vacant) => {
                vacant.insert(token.clone());
            }
            Entry::Occupied(_) => {
                return Err(Failure::not_possible("these goods are being fetched right now"));
            }
        }
        let fetched = tokio::select! {
            fetched = self.stream(order, store) => fetched,
            () = token.cancelled() => {
                Err(Failure::refused("stopped; what has arrived is kept, and another fetch goes on from there"))
            }
        };
        self.fetching().remove(&order);
        self.transfers.send_modify(|transfers| transfers.retain(|transfer| transfer.order != order));
        fetched?;
        self.fetched(order).await
    }

    pub(super) async fn stream(&self, order: OrderHash, store: StoreNumber) -> Result<bool, Failure> {
        let session = self.line().await?;
        let counter = self.counter(&session, store).await?;
        let tell = |transfer: Transfer| {
            self.transfers.send_modify(|transfers| {
                transfers.retain(|other| other.order != transfer.order);
                transfers.push(transfer);
            });
        };
        let delivering =
            Delivering { keep: &self.keep, counter: &counter, goods: self.goods(), order, tell: &tell };
        delivering.run().await
    }

    pub(super) async fn fetched(&self, order: OrderHash) -> Result<FetchedGoods, Failure> {
        let goods = self.goods();
        self.keep
            .with(move |kept| {
                let none = || Failure::not_found("there is no such order here");
                let purchase = kept.book.purchase(&order).ok_or_else(none)?;
                if purchase.files.is_empty() {
                    return Err(Failure::not_possible("its goods are not here yet; fetch them first"));
                }
                Ok(FetchedGoods {
                    order,
                    files: purchase.files.values().map(|file| goods.join(file)).collect(),
                    acknowledged: purchase.acknowledged.is_some(),
                })
            })
            .await
    }
}

/// Whether a purchase has goods to fetch.
fn fetchable(purchase: &Purchase) -> Result<(), Failure> {
    if let Some(refund) = &purchase.refund {
        return Err(Failure::refused(format!(
            "the payment was refunded as {}; there is nothing to fetch",
            refund.entry
        )));
    }
    if purchase.settled().is_none() {
        let state = purchase.state(Timestamp::now());
        return Err(Failure::not_possible(format!("this order is not paid: {}", state.words())));
    }
    Ok(())
}
