//! Requests and answers between a cashier's terminal and the store.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::PickUpCode;
use crate::{
    amount::{Amount, Currency},
    bounded::{Bytes, List},
    id::{EntryNumber, OrderHash, Salt},
    key::{Signature, VerificationKey},
    limits,
    message::Verdict,
    order::OrderLine,
    payload::CashierRights,
    shop::ShopRefusal,
    telegram::Telegram,
    text::{Line, Prose},
    time::Timestamp,
};

/// What a cashier's terminal asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TillRequest {
    /// To be believed as a cashier on this connection. → [`TillAnswer::Welcome`]
    Login {
        /// The cashier's terminal key.
        key: VerificationKey,
        /// Its [`crate::payload::TerminalCertificate`], once the store has handed it out.
        certificate: Option<Telegram>,
        /// The key's signature over [`login_message`].
        signature: Signature,
    },
    /// A page of the orders, newest first; any right suffices. → [`TillAnswer::Orders`]
    Orders {
        /// The order after which the page begins.
        after: Option<OrderHash>,
    },
    /// One order, by its hash, at least six digits of it, or its payment's number; any right suffices.
    /// → [`TillAnswer::Order`]
    Order(Line),
    /// The goods of a paid order are here for its buyer to fetch, again too; takes the right to deliver.
    /// → [`TillAnswer::Order`]
    Deliver(OrderHash),
    /// To have a [`crate::payload::Refund`] entered that this cashier signed; takes what is left of its limit.
    /// → [`TillAnswer::Verdict`]
    Refund(Telegram),
    /// What became of a refund that this cashier signed. → [`TillAnswer::Verdict`]
    Inquire(Telegram),
    /// The day's figures; takes the right to see them. → [`TillAnswer::Day`]
    Day,
    /// To sell an item no more for now, or again; takes the right to sell. → [`TillAnswer::Paused`]
    Pause {
        /// The item's id.
        item: Line,
        /// Whether it is not sold from now on.
        paused: bool,
    },
    /// To get an offer for a buyer at the counter; takes the right to sell. → [`TillAnswer::Offer`]
    Offer {
        /// The encoded [`crate::order::Order`].
        order: Bytes<{ limits::ORDER }>,
        /// The salt of its hash.
        salt: Salt,
        /// The buyer's fresh key for this order.
        buyer_key: VerificationKey,
    },
    /// To sell what a buyer at the counter takes up with a code and a key of its own
    /// ([`crate::shop::StoreRequest::TakeUp`]); takes the right to sell. The same order and salt again are the same sale.
    /// → [`TillAnswer::Sale`]
    Sell {
        /// The encoded [`crate::order::Order`], which has one encoding only.
        order: Bytes<{ limits::ORDER }>,
        /// The salt of its hash.
        salt: Salt,
    },
    /// A sale that was made at a till, with its code; takes the right to sell. → [`TillAnswer::Sale`]
    Sale(OrderHash),
}

/// What the serving program answers to a cashier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TillAnswer {
    /// To [`TillRequest::Login`].
    Welcome(Box<TillWelcome>),
    /// To [`TillRequest::Orders`].
    Orders {
        /// The orders, newest first.
        orders: List<TillOrder, { limits::PAGE }>,
        /// Whether older ones follow.
        more: bool,
    },
    /// To [`TillRequest::Order`] and [`TillRequest::Deliver`].
    Order(Box<TillDetail>),
    /// To [`TillRequest::Refund`] and [`TillRequest::Inquire`].
    Verdict(Box<TillVerdict>),
    /// To [`TillRequest::Day`].
    Day(Box<TillDay>),
    /// To [`TillRequest::Pause`]: the items that are not sold now.
    Paused(List<Line, { limits::PAGE }>),
    /// To [`TillRequest::Offer`]: the signed [`crate::payload::Offer`].
    Offer(Telegram),
    /// Not done, with the reason.
    Refused(TillRefusal),
    /// To [`TillRequest::Sell`] and [`TillRequest::Sale`].
    Sale(Box<TillSale>),
}

/// What a cashier learns when it has logged in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillWelcome {
    /// The [`crate::payload::TerminalCertificate`] of the cashier's key, signed with the store's signature key.
    pub certificate: Telegram,
    /// The entry of the [`crate::payload::CashierChange`]: the key event that its refunds name.
    pub entry: EntryNumber,
    /// What is left of its limit today, as far as the store knows.
    pub left: Amount,
    /// The center's currency.
    pub currency: Currency,
    /// The center's newest [`crate::sheet::KeySheet`] that the store has.
    pub sheet: Telegram,
}

/// An order in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillOrder {
    /// The order.
    pub order: OrderHash,
    /// How it stands.
    pub standing: Standing,
    /// When it was taken.
    pub taken: Timestamp,
    /// What was ordered, in one line.
    pub goods: Line,
    /// The total.
    pub total: Amount,
    /// Its payment's number, once there is one.
    pub payment: Option<EntryNumber>,
}

/// How an order stands, as the store sees it. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Standing {
    /// Offered; no payment notice has come.
    AwaitingPayment,
    /// Paid; the buyer fetches the goods.
    Paid,
    /// Paid, and to be given back.
    RefundDue,
    /// The buyer signed for the goods.
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

/// An order in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillDetail {
    /// What the list shows.
    pub row: TillOrder,
    /// Its lines.
    pub lines: List<OrderLine, { limits::ORDER_LINES }>,
    /// The buyer's words.
    pub note: Prose,
    /// Until when the offer can be paid.
    pub expires: Timestamp,
    /// When it was paid, by the center's clock.
    pub paid: Option<Timestamp>,
    /// When the buyer signed for the goods.
    pub delivered: Option<Timestamp>,
    /// Why it can't be delivered.
    pub undeliverable: Option<Line>,
    /// The refund's number.
    pub refund: Option<EntryNumber>,
    /// The claim's number.
    pub claim: Option<EntryNumber>,
}

/// What a cashier sold, and how its buyer takes it up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillSale {
    /// The order.
    pub order: OrderHash,
    /// What the buyer types. It is good until the offer expires, for the first buyer key that comes with it.
    pub code: PickUpCode,
    /// The cashier's terminal key.
    pub by: VerificationKey,
    /// The cashier's name.
    pub name: Line,
    /// The total.
    pub total: Amount,
    /// Until when it can be taken up and paid.
    pub expires: Timestamp,
}

/// What became of a refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillVerdict {
    /// The center's word, or why there is none.
    pub outcome: TillOutcome,
    /// The center's newest [`crate::sheet::KeySheet`] that the store has, under which the evidence is verified.
    pub sheet: Telegram,
}

/// The center's word on a refund, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum TillOutcome {
    /// The center's verdict with its evidence.
    Said(Box<Verdict>),
    /// The store has kept the telegram and asks the center until it says; whether it was entered is unknown.
    Unknown(Prose),
}

/// A day's figures. Sums stop at the largest amount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillDay {
    /// The day in the center's zone, `yyyy-mm-dd`.
    pub day: Line,
    /// Orders taken.
    pub orders: u64,
    /// Payments received.
    pub paid: u64,
    /// Their sum.
    pub paid_total: Amount,
    /// Payments that the store gave back, with those whose outcome is unknown.
    pub refunds: u64,
    /// Their sum.
    pub refunded_total: Amount,
    /// What each cashier did, by name.
    pub cashiers: List<TillShare, { limits::CASHIERS }>,
}

/// What one cashier did on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillShare {
    /// Its terminal key.
    pub key: VerificationKey,
    /// Its name.
    pub name: Line,
    /// Offers that it made.
    pub offers: u64,
    /// Orders whose goods it put out again.
    pub delivered: u64,
    /// Payments that it gave back, with those whose outcome is unknown.
    pub refunds: u64,
    /// Their sum.
    pub refunded: Amount,
}

/// A right that a request takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Right {
    /// [`CashierRights::sell`]
    Sell,
    /// [`CashierRights::deliver`]
    Deliver,
    /// [`CashierRights::refund_limit`] above nothing.
    Refund,
    /// [`CashierRights::see_day`]
    SeeDay,
}

impl Right {
    /// Whether the rights hold it.
    pub fn is_in(self, rights: &CashierRights) -> bool {
        match self {
            Self::Sell => rights.sell,
            Self::Deliver => rights.deliver,
            Self::Refund => !rights.refund_limit.is_zero(),
            Self::SeeDay => rights.see_day,
        }
    }

    /// What it allows, in words that follow “may”.
    pub fn words(self) -> &'static str {
        match self {
            Self::Sell => "sell",
            Self::Deliver => "deliver",
            Self::Refund => "give payments back",
            Self::SeeDay => "see the day's figures",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

/// Why the serving program does not do what a cashier asked. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum TillRefusal {
    /// Only after a login.
    #[error("this terminal has not logged in at the store")]
    NotLoggedIn,
    /// The signature does not fit the key and this connection.
    #[error("the login does not prove the cashier's key")]
    BadProof,
    /// The owner has not certified the key, as far as the store and its center have said.
    #[error("the store has no cashier with this key; give the owner the line that “till join” printed")]
    UnknownCashier,
    /// The owner has taken the rights away.
    #[error("the store's owner has taken this cashier's rights away")]
    Revoked,
    /// The certificate that was shown is not this key's, this store's or this center's.
    #[error("the certificate that was shown is not this cashier's: {0}")]
    BadCertificate(Line),
    /// The rights do not hold it.
    #[error("this cashier may not {0}; the store's owner gives rights")]
    NotAllowed(Right),
    /// More than is left of the day's limit.
    #[error("it is more than this cashier may give back today")]
    OverLimit {
        /// What is left.
        left: Amount,
    },
    /// The refund does not say what this store's cashier can say.
    #[error("the refund is not accepted: {0}")]
    BadRefund(Prose),
    /// No such order, or not in the state for it.
    #[error("{0}")]
    NotPossible(Prose),
    /// As a member would be refused.
    #[error(transparent)]
    Shop(ShopRefusal),
    /// More to do than it can.
    #[error("the store is busy; try again in a moment")]
    Busy,
    /// It has no line to its center; nothing was entered.
    #[error("the store has no line to the center now; nothing was sent, try again later")]
    Away,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codec,
        id::{CenterId, StoreNumber},
        key::SigningKey,
        till::login_message,
    };

    #[test]
    fn the_encoding_is_pinned() {
        let item = Line::new("a").unwrap();
        for (request, bytes) in [
            (TillRequest::Orders { after: None }, vec![1, 0, 0, 0, 0]),
            (TillRequest::Order(item.clone()), vec![2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'a']),
            (TillRequest::Deliver(OrderHash([7; 32])), [&[3, 0, 0, 0][..], &[7; 32]].concat()),
            (TillRequest::Day, vec![6, 0, 0, 0]),
            (
                TillRequest::Sell { order: Bytes::new(vec![9]).unwrap(), salt: Salt([4; 32]) },
                [&[9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9][..], &[4; 32]].concat(),
            ),
            (TillRequest::Sale(OrderHash([7; 32])), [&[10, 0, 0, 0][..], &[7; 32]].concat()),
            (TillRequest::Pause { item, paused: true }, vec![7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b'a', 1]),
        ] {
            assert_eq!(codec::encode(&request), bytes, "{request:?}");
        }
        let left = Amount::new(5).unwrap();
        for (refusal, bytes) in [
            (TillRefusal::NotLoggedIn, vec![7, 0, 0, 0, 0, 0, 0, 0]),
            (TillRefusal::NotAllowed(Right::SeeDay), vec![7, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0]),
            (TillRefusal::OverLimit { left }, vec![7, 0, 0, 0, 6, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]),
            (TillRefusal::Away, vec![7, 0, 0, 0, 11, 0, 0, 0]),
        ] {
            assert_eq!(codec::encode(&TillAnswer::Refused(refusal.clone())), bytes, "{refusal:?}");
        }
        assert_eq!(codec::encode(&Standing::AwaitingBuyer), [7, 0, 0, 0]);
        let sale = TillSale {
            order: OrderHash([7; 32]),
            code: PickUpCode::of_bytes([1, 2, 3, 4, 5]),
            by: VerificationKey([6; 32]),
            name: Line::new("M").unwrap(),
            total: left,
            expires: Timestamp(9),
        };
        let name = [&[1, 0, 0, 0, 0, 0, 0, 0][..], b"M"].concat();
        let (total, expires) = (5_u64.to_le_bytes(), 9_u64.to_le_bytes());
        let parts: [&[u8]; 7] =
            [&[8, 0, 0, 0], &[7; 32], &[1, 2, 3, 4, 5], &[6; 32], &name, &total, &expires];
        assert_eq!(codec::encode(&TillAnswer::Sale(Box::new(sale))), parts.concat());
        let key = SigningKey::from_seed(&[3; 32]).verification_key();
        let message = login_message(&CenterId([1; 32]), StoreNumber(7), &key, &[5; 32]);
        let parts = [b"inkan/v1/till\0".as_slice(), &[1; 32], &7_u64.to_le_bytes(), &key.0, &[5; 32]];
        assert_eq!(message, parts.concat());
    }

    #[test]
    fn rights_are_looked_at_one_by_one() {
        let none = CashierRights {
            name: Line::new("Mori").unwrap(),
            sell: false,
            deliver: false,
            refund_limit: Amount::ZERO,
            see_day: false,
        };
        for right in [Right::Sell, Right::Deliver, Right::Refund, Right::SeeDay] {
            assert!(!right.is_in(&none), "{right}");
        }
        assert!(Right::Refund.is_in(&CashierRights { refund_limit: Amount::MAX, ..none }));
        assert_eq!(
            TillRefusal::NotAllowed(Right::SeeDay).to_string(),
            "this cashier may not see the day's figures; the store's owner gives rights"
        );
    }
}
