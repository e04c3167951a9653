//! What a member and a store agree on, and the hashes that bind it.
//!
//! Of an order the center learns payer, card, store, time and total; the salted [`order_hash`] keeps the goods
//! between the two who trade.

use serde::{Deserialize, Serialize};

use crate::{
    amount::{Amount, Currency},
    bounded::List,
    codec::{self, Malformed},
    id::{CenterId, Digest, OrderHash, Salt, StoreNumber},
    limits,
    text::{Line, Prose},
};

/// What a member asks a store for. Both keep its exact bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The center at which it will be paid.
    pub center: CenterId,
    /// The store.
    pub store: StoreNumber,
    /// The center's currency.
    pub currency: Currency,
    /// What is ordered; at least one line.
    pub lines: List<OrderLine, { limits::ORDER_LINES }>,
    /// The sum of the lines.
    pub total: Amount,
    /// Words from the member to the store.
    pub note: Prose,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderLine {
    /// The item's id in the store's catalogue.
    pub item: Line,
    /// Its title.
    pub title: Line,
    /// How many.
    pub quantity: u32,
    /// What one costs.
    pub unit_price: Amount,
    /// SHA-256 of the goods.
    pub digest: Digest,
    /// Their length in bytes.
    pub size: u64,
    /// A file name for them, without any path.
    pub file_name: Line,
}

/// Why an order makes no sense by itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Not decodable.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// Nothing is ordered.
    #[error("the order has no lines")]
    Empty,
    /// A quantity of 0, or above [`limits::QUANTITY`].
    #[error("the quantity of “{0}” must be between 1 and {max}", max = limits::QUANTITY)]
    Quantity(Line),
    /// The total is not the sum of the lines, or too large.
    #[error("the order's total is not the sum of its lines")]
    Total,
}

impl Order {
    /// Decodes an order and checks that it makes sense by itself.
    pub fn decode(bytes: &[u8]) -> Result<Self, OrderError> {
        let order: Self = codec::decode("order", bytes, limits::ORDER)?;
        order.check()?;
        Ok(order)
    }

    /// Checks lines, quantities and total.
    pub fn check(&self) -> Result<(), OrderError> {
        if self.lines.is_empty() {
            return Err(OrderError::Empty);
        }
        for line in &self.lines {
            if line.quantity == 0 || line.quantity > limits::QUANTITY {
                return Err(OrderError::Quantity(line.item.clone()));
            }
        }
        let sum = Self::sum(&self.lines).ok_or(OrderError::Total)?;
        if sum == self.total && !sum.is_zero() { Ok(()) } else { Err(OrderError::Total) }
    }

    /// The sum of lines, if it is within the limit of an amount.
    pub fn sum(lines: &[OrderLine]) -> Option<Amount> {
        lines.iter().try_fold(Amount::ZERO, |sum, line| sum.plus(line.unit_price.times(line.quantity)?))
    }

    /// One digest over all goods of the order, in the order of its lines.
    pub fn goods_digest(&self) -> Digest {
        let all: Vec<u8> = self.lines.iter().flat_map(|line| line.digest.0).collect();
        Digest::of(&[b"inkan/v1/goods-list", &all])
    }
}

/// `SHA-256("inkan/v1/order" ‖ salt ‖ order bytes)`.
pub fn order_hash(salt: &Salt, order: &[u8]) -> OrderHash {
    OrderHash(Digest::of(&[b"inkan/v1/order", &salt.0, order]).0)
}

/// `SHA-256("inkan/v1/goods" ‖ order salt ‖ goods digest)`: what the buyer signs for.
pub fn goods_hash(salt: &Salt, goods: &Digest) -> Digest {
    Digest::of(&[b"inkan/v1/goods", &salt.0, &goods.0])
}
