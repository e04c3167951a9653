//! A sale: an order that a member sent, or that a cashier made for whoever takes it up.

use wire::{
    id::{EntryNumber, OrderHash, Salt},
    key::VerificationKey,
    order::{Order, OrderError, order_hash},
    payload::Offer,
    telegram::Telegram,
    text::Line,
    till::PickUpCode,
    time::Timestamp,
};

use super::peek;
use crate::record::{Sold, Taken};

/// An order with its offer, and what came of it.
#[derive(Debug, Clone)]
pub(crate) struct Sale {
    pub(crate) taken: Timestamp,
    pub(crate) order: Order,
    pub(crate) salt: Salt,
    /// Who buys; nobody yet where a cashier sold it and it was not taken up.
    pub(crate) buyer: Option<Buyer>,
    /// The cashier that sold it.
    pub(crate) till: Option<SoldAt>,
    pub(crate) expires: Timestamp,
    /// The payment that fits it.
    pub(crate) payment: Option<EntryNumber>,
    pub(crate) delivery: Option<(Timestamp, Telegram)>,
    pub(crate) undeliverable: Option<Line>,
}

/// Who buys an order: the key that proves the right to the goods, and the offer that was made for it.
#[derive(Debug, Clone)]
pub(crate) struct Buyer {
    pub(crate) key: VerificationKey,
    pub(crate) offer: Telegram,
}

/// How an order was sold at a till.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SoldAt {
    /// The cashier's terminal key.
    pub(crate) by: VerificationKey,
    pub(crate) code: PickUpCode,
}

impl Sale {
    /// The hash and the sale of an order just taken.
    pub(crate) fn of(taken: &Taken) -> Result<(OrderHash, Self), OrderError> {
        let order = Order::decode(&taken.order)?;
        let offer: Offer = peek(&taken.offer)?;
        let sale = Self {
            taken: taken.at,
            order,
            salt: taken.salt,
            buyer: Some(Buyer { key: taken.buyer_key, offer: taken.offer.clone() }),
            till: None,
            expires: offer.expires,
            payment: None,
            delivery: None,
            undeliverable: None,
        };
        Ok((order_hash(&taken.salt, &taken.order), sale))
    }

    /// The hash and the sale of an order that a cashier has just made.
    pub(crate) fn sold(sold: &Sold) -> Result<(OrderHash, Self), OrderError> {
        let sale = Self {
            taken: sold.at,
            order: Order::decode(&sold.order)?,
            salt: sold.salt,
            buyer: None,
            till: Some(SoldAt { by: sold.by, code: sold.code }),
            expires: sold.expires,
            payment: None,
            delivery: None,
            undeliverable: None,
        };
        Ok((order_hash(&sold.salt, &sold.order), sale))
    }
}
