//! A cashier's connection: proved once, its rights looked at anew at every request.

use std::sync::{Mutex, PoisonError};

use wire::{
    bounded::{Bytes, List},
    codec,
    id::{OrderHash, Salt},
    key::{Signature, VerificationKey},
    limits,
    order::order_hash,
    shop::{ShopRefusal, StoreAnswer},
    telegram::Telegram,
    text::{Line, Prose},
    till::{PickUpCode, Right, TillAnswer, TillOutcome, TillRefusal, TillRequest, TillVerdict, TillWelcome},
    time::Timestamp,
};

use super::{OPEN_OFFERS_MAX, Session, Trouble, bad_order};
use crate::{
    act::Failure,
    book::Sale,
    record::{AtTill, Did, Record, Sold},
    settle::NotPassed,
    snapshot,
    till::{self, rules},
};

/// Who speaks on this connection, once it has logged in.
pub(super) type Speaker = Mutex<Option<VerificationKey>>;

/// Why a cashier's request is refused, or the store itself fails.
enum Not {
    Refused(TillRefusal),
    Own(Failure),
}

impl From<TillRefusal> for Not {
    fn from(refusal: TillRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for Not {
    fn from(failure: Failure) -> Self {
        Self::Own(failure)
    }
}

impl From<Trouble> for Not {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(refusal) => Self::Refused(TillRefusal::Shop(refusal)),
            Trouble::Own(failure) => Self::Own(failure),
        }
    }
}

impl Session {
    /// Answers one request of a cashier.
    pub(super) async fn till(&self, request: TillRequest) -> TillAnswer {
        let answered = match request {
            TillRequest::Login { key, certificate, signature } => {
                self.login(key, certificate.as_ref(), &signature).await
            }
            request => match self.speaker() {
                Some(key) => self.asked(key, request).await,
                None => Err(TillRefusal::NotLoggedIn.into()),
            },
        };
        match answered {
            Ok(answer) => answer,
            Err(Not::Refused(refusal)) => TillAnswer::Refused(refusal),
            Err(Not::Own(failure)) => {
                tracing::error!("a cashier's request was not done: {failure}");
                TillAnswer::Refused(TillRefusal::Busy)
            }
        }
    }

    async fn login(
        &self,
        key: VerificationKey,
        certificate: Option<&Telegram>,
        signature: &Signature,
    ) -> Result<TillAnswer, Not> {
        let sheet = self.sheet().await?;
        let facts = &self.counter.facts;
        let welcome = {
            let book = self.counter.keep.book();
            let login = rules::Login {
                center: facts.center,
                store: facts.store,
                key,
                certificate,
                signature,
                exporter: &self.exporter,
            };
            let in_force = rules::login(&book, &login)?;
            TillWelcome {
                certificate: in_force.certificate.clone(),
                entry: in_force.entry,
                left: rules::left(&book, &key, Timestamp::now()),
                currency: facts.currency,
                sheet,
            }
        };
        *self.speaker.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(TillAnswer::Welcome(Box::new(welcome)))
    }

    /// What one who has logged in asks. Its rights may be gone since.
    async fn asked(&self, key: VerificationKey, request: TillRequest) -> Result<TillAnswer, Not> {
        let keep = &self.counter.keep;
        let now = Timestamp::now();
        rules::cashier(&keep.book(), &key)?;
        match request {
            TillRequest::Login { .. } => Err(TillRefusal::NotLoggedIn.into()),
            TillRequest::Orders { after } => {
                let (orders, more) = till::orders(&keep.book(), after.as_ref(), now);
                Ok(TillAnswer::Orders { orders, more })
            }
            TillRequest::Order(named) => {
                let book = keep.book();
                let order = snapshot::find(&book, &named).map_err(|failure| impossible(&failure.message))?;
                let detail = till::detail(&book, &order, now);
                Ok(TillAnswer::Order(Box::new(detail.ok_or_else(|| impossible("there is no such order"))?)))
            }
            TillRequest::Deliver(order) => self.deliver(key, order).await,
            TillRequest::Refund(telegram) => {
                let facts = &self.counter.facts;
                let refund = rules::own_refund(&telegram, (facts.center, facts.store), &key)?;
                rules::may(&keep.book(), &key, Right::Refund)?;
                let outcome = said(self.counter.settle.pass_on(telegram, &refund, &key).await)?;
                Ok(TillAnswer::Verdict(Box::new(TillVerdict { outcome, sheet: self.sheet().await? })))
            }
            TillRequest::Inquire(telegram) => {
                let facts = &self.counter.facts;
                rules::own_refund(&telegram, (facts.center, facts.store), &key)?;
                let outcome = said(self.counter.settle.asked_by_cashier(telegram).await)?;
                Ok(TillAnswer::Verdict(Box::new(TillVerdict { outcome, sheet: self.sheet().await? })))
            }
            TillRequest::Day => {
                let book = keep.book();
                rules::may(&book, &key, Right::SeeDay)?;
                Ok(TillAnswer::Day(Box::new(till::day(&book, now))))
            }
            TillRequest::Pause { item, paused } => self.pause(key, item, paused).await,
            TillRequest::Offer { order, salt, buyer_key } => {
                self.offer_at_till(key, order, salt, buyer_key).await
            }
            TillRequest::Sell { order, salt } => self.sell(key, order.into_vec(), salt).await,
            TillRequest::Sale(order) => {
                let book = keep.book();
                rules::may(&book, &key, Right::Sell)?;
                let sale = till::sale(&book, &order);
                Ok(TillAnswer::Sale(Box::new(sale.ok_or_else(|| impossible("it was not sold at a till"))?)))
            }
        }
    }

    /// Puts the goods of a paid order out for its buyer again: what was missing before is looked for anew.
    async fn deliver(&self, key: VerificationKey, order: OrderHash) -> Result<TillAnswer, Not> {
        let shelf = self.counter.shelf.clone();
        let now = Timestamp::now();
        self.counter
            .keep
            .record_if(move |book| {
                let holds =
                    |sale: &Sale| sale.order.lines.iter().all(|line| shelf.holds(&line.digest, line.size));
                rules::deliver(book, &key, &order, holds)?;
                let did = AtTill { at: now, by: key, did: Did::Delivered(order) };
                Ok::<_, Not>((vec![Record::AtTill(did)], ()))
            })
            .await?;
        let detail = till::detail(&self.counter.keep.book(), &order, now);
        Ok(TillAnswer::Order(Box::new(detail.ok_or_else(|| impossible("there is no such order"))?)))
    }

    async fn pause(&self, key: VerificationKey, item: Line, paused: bool) -> Result<TillAnswer, Not> {
        let sold = self.counter.catalogue.borrow().item(&item).is_some();
        let now = Timestamp::now();
        self.counter
            .keep
            .record_if(move |book| {
                rules::may(book, &key, Right::Sell)?;
                if !sold && !book.staff.paused.contains(&item) {
                    return Err(Not::Refused(TillRefusal::Shop(ShopRefusal::UnknownItem(item))));
                }
                let known = book.staff.paused.contains(&item) == paused;
                let did = AtTill { at: now, by: key, did: Did::Paused { item, paused } };
                Ok::<_, Not>((if known { Vec::new() } else { vec![Record::AtTill(did)] }, ()))
            })
            .await?;
        let paused = self.counter.keep.book().staff.paused.clone();
        Ok(TillAnswer::Paused(List::first(paused)))
    }

    async fn offer_at_till(
        &self,
        key: VerificationKey,
        order: Bytes<{ limits::ORDER }>,
        salt: Salt,
        buyer_key: VerificationKey,
    ) -> Result<TillAnswer, Not> {
        rules::may(&self.counter.keep.book(), &key, Right::Sell)?;
        let bytes = order.into_vec();
        let hash = order_hash(&salt, &bytes);
        let StoreAnswer::Offer(offer) = self.order(bytes, salt, buyer_key).await? else {
            return Err(Failure::machine("an order brought no offer").into());
        };
        let did = AtTill { at: Timestamp::now(), by: key, did: Did::Offered(hash) };
        self.counter
            .keep
            .record_if(move |book| {
                // The same order asked for again, after a connection broke, was made once.
                let known = book.staff.done.iter().any(|done| done.did == did.did);
                Ok::<_, Not>((if known { Vec::new() } else { vec![Record::AtTill(did)] }, ()))
            })
            .await?;
        Ok(TillAnswer::Offer(offer))
    }

    /// Keeps an order of a cashier under a fresh code, until a buyer takes it up.
    async fn sell(&self, key: VerificationKey, bytes: Vec<u8>, salt: Salt) -> Result<TillAnswer, Not> {
        rules::may(&self.counter.keep.book(), &key, Right::Sell)?;
        let hash = order_hash(&salt, &bytes);
        let now = Timestamp::now();
        let known = self.counter.keep.book().sales.contains_key(&hash);
        // Asked again after a connection broke: the same sale, whatever the catalogue says now.
        if !known {
            let order = self.check(&bytes)?;
            if codec::encode(&order) != bytes {
                return Err(bad_order("it is not encoded as this program encodes it").into());
            }
        }
        let expires = now.plus_ms(self.counter.facts.offer_ms);
        self.counter
            .keep
            .record_if(move |book| {
                rules::may(book, &key, Right::Sell)?;
                match book.sales.get(&hash) {
                    Some(sale) if sale.till.is_some_and(|sold| sold.by == key) => {
                        return Ok((Vec::new(), ()));
                    }
                    Some(_) => return Err(impossible("the order was made by somebody else").into()),
                    None => {}
                }
                if book.open_offers(now) >= OPEN_OFFERS_MAX {
                    return Err(Not::Refused(TillRefusal::Busy));
                }
                let mut code = PickUpCode::generate();
                while book.codes.contains_key(&code) {
                    code = PickUpCode::generate();
                }
                let sold = Sold { at: now, by: key, order: bytes, salt, code, expires };
                let did = AtTill { at: now, by: key, did: Did::Offered(hash) };
                Ok::<_, Not>((vec![Record::Sold(Box::new(sold)), Record::AtTill(did)], ()))
            })
            .await?;
        let sale = till::sale(&self.counter.keep.book(), &hash);
        Ok(TillAnswer::Sale(Box::new(sale.ok_or_else(|| Failure::machine("the sale was not kept"))?)))
    }

    fn speaker(&self) -> Option<VerificationKey> {
        *self.speaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The center's newest key sheet that is kept.
    async fn sheet(&self) -> Result<Telegram, Not> {
        let kept =
            self.counter.keep.vault(|vault| vault.center().and_then(|center| center.sheet.clone())).await?;
        Ok(kept.ok_or(TillRefusal::Away)?)
    }
}

/// What the center has said. Where the store itself failed, whether the refund left is not known.
fn said(passed: Result<TillOutcome, NotPassed>) -> Result<TillOutcome, Not> {
    match passed {
        Ok(outcome) => Ok(outcome),
        Err(NotPassed::Refused(refusal)) => Err(refusal.into()),
        Err(NotPassed::Own(failure)) => {
            tracing::error!("a cashier's refund: {failure}");
            let words = "the store could not finish it; it asks the center when it can";
            Ok(TillOutcome::Unknown(Prose::new(words).unwrap_or_default()))
        }
    }
}

fn impossible(words: &str) -> TillRefusal {
    let words: String = words.chars().take(limits::LINE).collect();
    TillRefusal::NotPossible(Prose::new(&words).unwrap_or_default())
}
