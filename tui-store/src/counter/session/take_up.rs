//! Taking up what a cashier sold: the code names the sale, the first buyer key that comes with it buys.

use wire::{
    bounded::Bytes,
    codec,
    id::OrderHash,
    key::VerificationKey,
    limits,
    shop::{ShopRefusal, StoreAnswer},
    till::{PickUpCode, Right},
    time::Timestamp,
};

use super::{Session, Trouble, check_buyer_key};
use crate::{
    act::Failure,
    book::{Book, Sale},
    record::{Record, Taken},
    till::rules,
};

impl Session {
    /// Makes the offer of a sale for a buyer key, and keeps it before it is handed out. The same key gets the same answer
    /// again; another comes too late.
    pub(super) async fn take_up(
        &self,
        code: PickUpCode,
        buyer_key: VerificationKey,
    ) -> Result<StoreAnswer, Trouble> {
        let limits = &self.counter.limits;
        if !limits.order(self.from) {
            return Err(ShopRefusal::Busy.into());
        }
        if !limits.may_try(self.from) {
            return Err(ShopRefusal::TooManyTries.into());
        }
        check_buyer_key(&buyer_key)?;
        let now = Timestamp::now();
        let found = named(&self.counter.keep.book(), &code, now).map(|(hash, sale)| {
            let total = sale.order.total;
            (hash, total, sale.expires, sale.buyer.is_some())
        });
        let Some((hash, total, expires, has_buyer)) = found else {
            self.counter.limits.missed(self.from);
            return Err(ShopRefusal::UnknownCode.into());
        };
        if !has_buyer && !self.counter.center.is_up() {
            return Err(ShopRefusal::Away.into());
        }
        let offer = self.offer((hash, total), buyer_key, now, expires);
        let kept = self.counter.keep.record_if(move |book| {
            let (_, sale) = named(book, &code, now).ok_or(ShopRefusal::UnknownCode)?;
            let order = codec::encode(&sale.order);
            let answer = |offer| {
                let order = Bytes::<{ limits::ORDER }>::new(order.clone()).map_err(Failure::machine)?;
                Ok::<_, Trouble>(StoreAnswer::Sale { order, salt: sale.salt, offer })
            };
            match &sale.buyer {
                Some(buyer) if buyer.key == buyer_key => Ok((Vec::new(), answer(buyer.offer.clone())?)),
                Some(_) => Err(ShopRefusal::TakenUp.into()),
                None => {
                    let answer = answer(offer.clone())?;
                    let taken = Taken { at: now, order, salt: sale.salt, buyer_key, offer };
                    Ok((vec![Record::Taken(taken)], answer))
                }
            }
        });
        kept.await
    }
}

/// The sale under a code that can be taken up: it has not expired, and where nobody has taken it up, its cashier may still
/// sell.
fn named<'a>(book: &'a Book, code: &PickUpCode, now: Timestamp) -> Option<(OrderHash, &'a Sale)> {
    let hash = book.codes.get(code)?;
    let sale = book.sales.get(hash)?;
    let sold = sale.till?;
    let stands = sale.buyer.is_some() || rules::may(book, &sold.by, Right::Sell).is_ok();
    (now <= sale.expires && stands).then_some((*hash, sale))
}
