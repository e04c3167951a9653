//! What a member and a store say to each other.
//!
//! The store speaks first: one [`StoreHello`]. Its line is protected by its terminal key, which the member knows from
//! the directory. The member stays nameless: what proves the right to goods is the buyer key. Variants are only ever
//! appended.

use serde::{Deserialize, Serialize};

use crate::{
    amount::Amount,
    bounded::{Bytes, List},
    checkpoint::SignedCheckpoint,
    id::{CenterId, Digest, OrderHash, Salt, StoreNumber},
    key::{Signature, VerificationKey},
    limits,
    telegram::Telegram,
    text::{Line, Prose},
    till::{PickUpCode, TillAnswer, TillRequest},
    time::Timestamp,
};

/// The version of this protocol.
pub const VERSION: u16 = 1;

/// The store's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreHello {
    /// The oldest protocol version it speaks.
    pub min_version: u16,
    /// The newest.
    pub max_version: u16,
    /// The center whose member it is.
    pub center: CenterId,
    /// Its number.
    pub store: StoreNumber,
    /// The name it trades under.
    pub name: Line,
    /// The store's clock.
    pub at: Timestamp,
}

/// What a member asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreRequest {
    /// A page of the catalogue: items whose title, tags or description hold `query`. → [`StoreAnswer::Catalogue`]
    Catalogue {
        /// What to look for, ignoring case; empty for all.
        query: Line,
        /// The id after which the page begins.
        after: Option<Line>,
    },
    /// One item. → [`StoreAnswer::Item`]
    Item(Line),
    /// To get an offer for an order. → [`StoreAnswer::Offer`]
    Order {
        /// The encoded [`crate::order::Order`].
        order: Bytes<{ limits::ORDER }>,
        /// The salt of its hash.
        salt: Salt,
        /// The fresh key for this order.
        buyer_key: VerificationKey,
    },
    /// To be believed as the buyer of an order, on this connection. → [`StoreAnswer::State`]
    Prove {
        /// The order.
        order: OrderHash,
        /// The buyer key's signature over [`prove_message`].
        signature: Signature,
    },
    /// How a proved order stands. → [`StoreAnswer::State`]
    State(OrderHash),
    /// A piece of a proved order's goods. → [`StoreAnswer::Chunk`]
    Fetch {
        /// The order.
        order: OrderHash,
        /// Which line of the order.
        line: u32,
        /// From which byte.
        offset: u64,
    },
    /// The goods are here: the signed [`crate::payload::Delivery`]. → [`StoreAnswer::State`]
    Delivered(Telegram),
    /// A cashier of the store asks. → [`StoreAnswer::Till`]
    Till(Box<TillRequest>),
    /// To take up what a cashier sold, with the code that the cashier showed. → [`StoreAnswer::Sale`]
    ///
    /// The first key that comes with a code is the sale's buyer key for good; the same key gets the same answer again.
    TakeUp {
        /// The code.
        code: PickUpCode,
        /// The fresh key for this order.
        buyer_key: VerificationKey,
    },
    /// To compare what the center has published for each hour. → [`StoreAnswer::Hours`]
    ///
    /// These are the same for everybody: they tell the store nothing about the member.
    Hours(List<SignedCheckpoint, { limits::HOURS }>),
}

/// What a buyer key signs: `inkan/v1/prove ‖ 0 ‖ order ‖ TLS exporter`.
pub fn prove_message(order: &OrderHash, exporter: &[u8; 32]) -> Vec<u8> {
    [b"inkan/v1/prove\0".as_slice(), &order.0, exporter].concat()
}

/// What the store answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoreAnswer {
    /// To [`StoreRequest::Catalogue`].
    Catalogue {
        /// The items, ascending by id.
        items: List<Item, { limits::PAGE }>,
        /// Whether more follow.
        more: bool,
    },
    /// To [`StoreRequest::Item`].
    Item(Box<Item>),
    /// To [`StoreRequest::Order`]: the signed [`crate::payload::Offer`].
    Offer(Telegram),
    /// How an order stands.
    State(OrderState),
    /// Goods.
    Chunk {
        /// From which byte.
        offset: u64,
        /// The bytes; fewer than asked only at the end.
        bytes: Bytes<{ limits::CHUNK }>,
    },
    /// Not done, with the reason.
    Refused(ShopRefusal),
    /// To [`StoreRequest::Till`].
    Till(Box<TillAnswer>),
    /// To [`StoreRequest::TakeUp`]: the order as the cashier made it, and the offer for it.
    Sale {
        /// The encoded [`crate::order::Order`].
        order: Bytes<{ limits::ORDER }>,
        /// The salt of its hash.
        salt: Salt,
        /// The signed [`crate::payload::Offer`].
        offer: Telegram,
    },
    /// To [`StoreRequest::Hours`]: those that the store has from its center.
    Hours(List<SignedCheckpoint, { limits::HOURS }>),
}

/// How an order stands at the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrderState {
    /// Offered; no payment notice has come.
    AwaitingPayment,
    /// Paid; the goods can be fetched.
    Paid,
    /// The buyer signed for the goods.
    Delivered,
    /// The payment was given back.
    Refunded,
    /// The offer expired unpaid.
    Expired,
}

impl OrderState {
    /// Words for people.
    pub fn words(self) -> &'static str {
        match self {
            Self::AwaitingPayment => "awaiting payment",
            Self::Paid => "paid",
            Self::Delivered => "delivered",
            Self::Refunded => "refunded",
            Self::Expired => "expired",
        }
    }
}

/// Why a store does not do what was asked. Variants are only ever appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ShopRefusal {
    /// Nothing of that name.
    #[error("the store has no item “{0}”")]
    UnknownItem(Line),
    /// The price has changed since the catalogue was read.
    #[error("the price of “{item}” has changed; look at it again")]
    PriceChanged {
        /// Which item.
        item: Line,
        /// What it costs now.
        now: Amount,
    },
    /// The goods have changed since the catalogue was read.
    #[error("“{0}” has changed since the catalogue was read; look at it again")]
    ItemChanged(Line),
    /// The order makes no sense, or is for another store.
    #[error("the order is not accepted: {0}")]
    BadOrder(Prose),
    /// No such order of this buyer.
    #[error("the store knows no such order of this buyer")]
    UnknownOrder,
    /// Not before the payment is there.
    #[error("the order is not paid yet, as far as the store knows")]
    NotPaid,
    /// The goods can't be delivered; a refund follows.
    #[error("the store cannot deliver this order; it will refund the payment")]
    CannotDeliver,
    /// The acknowledgement does not fit.
    #[error("the acknowledgement does not fit the order")]
    BadAcknowledgement,
    /// More to do than it can.
    #[error("the store is busy; try again in a moment")]
    Busy,
    /// It has no line to its center and can't offer now.
    #[error("the store has no line to the center now; try again later")]
    Away,
    /// The request makes no sense.
    #[error("the store did not understand the request")]
    Malformed,
    /// The item is not sold at the moment.
    #[error("“{0}” is not sold at the moment")]
    Paused(Line),
    /// Nothing was sold under the code, or not any more.
    #[error("the store has no sale under this code now; compare the code, or ask the cashier to sell again")]
    UnknownCode,
    /// Another buyer key came with the code before.
    #[error("this sale was taken up already from another terminal; ask the cashier to sell again")]
    TakenUp,
    /// Too many codes from this address that were none.
    #[error("too many wrong codes came from your address; try again in a few minutes")]
    TooManyTries,
}

/// One thing a store sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its id in the catalogue.
    pub id: Line,
    /// Its title.
    pub title: Line,
    /// What it is.
    pub description: Prose,
    /// What one costs.
    pub price: Amount,
    /// How it comes to the buyer.
    pub goods: GoodsKind,
    /// SHA-256 of the goods.
    pub digest: Digest,
    /// Their length in bytes.
    pub size: u64,
    /// A file name, without any path.
    pub file_name: Line,
    /// Words to find it by.
    pub tags: List<Line, 16>,
}

/// How goods come to the buyer. Variants are only ever appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoodsKind {
    /// A file, streamed over the line.
    Digital,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec;

    #[test]
    fn taking_up_a_sale_has_these_bytes() {
        let code = PickUpCode::of_bytes([1, 2, 3, 4, 5]);
        let request = StoreRequest::TakeUp { code, buyer_key: VerificationKey([6; 32]) };
        assert_eq!(codec::encode(&request), [&[8, 0, 0, 0, 1, 2, 3, 4, 5][..], &[6; 32]].concat());
        for (refusal, number) in
            [(ShopRefusal::UnknownCode, 12), (ShopRefusal::TakenUp, 13), (ShopRefusal::TooManyTries, 14)]
        {
            let bytes = [5, 0, 0, 0, number, 0, 0, 0];
            assert_eq!(codec::encode(&StoreAnswer::Refused(refusal)), bytes);
        }
    }

    #[test]
    fn what_takes_more_than_it_may_is_no_request() {
        let request = StoreRequest::TakeUp {
            code: PickUpCode::of_bytes([1, 2, 3, 4, 5]),
            buyer_key: VerificationKey([6; 32]),
        };
        let bytes = codec::encode(&request);
        for cut in 0..bytes.len() {
            assert!(codec::decode::<StoreRequest>("request", &bytes[..cut], limits::FRAME).is_err(), "{cut}");
        }
        let longer = [&bytes[..], &[0]].concat();
        assert!(codec::decode::<StoreRequest>("request", &longer, limits::FRAME).is_err());
        // The length of a sale's order is believed only up to its limit.
        let endless = [&[7, 0, 0, 0][..], &[9, 0, 0, 0], &[0xff; 8]].concat();
        let till = codec::decode::<StoreRequest>("request", &endless, limits::FRAME);
        assert!(till.is_err(), "{till:?}");
    }
}
