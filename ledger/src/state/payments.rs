//! Settled payments, and the orders that they settled.

use wire::{
    amount::Amount,
    id::{CardNumber, Digest, EntryNumber, OrderHash, StoreNumber},
    time::Timestamp,
};

use super::{
    PaymentState,
    rows::{Rows, place_of},
    table::{Key, Table},
};

/// All payments, and the orders whose offers have not expired.
#[derive(Clone, Default)]
pub(super) struct Payments {
    rows: Rows<Paid>,
    orders: Table<Order>,
}

/// A payment as it is held: the member is the holder of its card.
#[derive(Clone, Copy)]
pub(super) struct Paid {
    pub(super) number: EntryNumber,
    pub(super) at: Timestamp,
    pub(super) card: CardNumber,
    pub(super) store: StoreNumber,
    pub(super) total: Amount,
    pub(super) offer: Digest,
    pub(super) order: OrderHash,
    pub(super) state: Packed,
}

/// A [`PaymentState`] in eight bytes: an entry's number times four, and which state.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Packed(pub(super) u64);

/// An order that was paid, and until when it could be paid again.
#[derive(Clone, Copy)]
struct Order {
    /// Which row.
    payment: usize,
    until: Timestamp,
}

impl Payments {
    pub(super) fn get(&self, number: EntryNumber) -> Option<&Paid> {
        self.rows.get(self.place(number)?)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// All of them, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Paid> {
        self.rows.iter()
    }

    /// The payment that settled an order whose offer has not expired at `at`.
    pub(super) fn by_order(
        &self,
        store: StoreNumber,
        order: OrderHash,
        at: Timestamp,
    ) -> Option<EntryNumber> {
        let is = |held: &Order| held.until >= at && self.settles(held, store, order);
        let held = self.orders.find((store, order).tag(), is)?;
        self.rows.get(held.payment).map(|paid| paid.number)
    }

    /// Adds the newest payment. Says whether its order was not paid before; the offer expires at `until`.
    pub(super) fn add(&mut self, paid: Paid, until: Timestamp) -> bool {
        let at = paid.at;
        self.rows.push(paid);
        self.remember(self.rows.len() - 1, until).is_none_or(|former| former < at)
    }

    /// Adds a payment that a form holds, after all those before it.
    pub(super) fn restore(&mut self, paid: Paid) -> bool {
        let follows = self.rows.last().is_none_or(|last| last.number < paid.number);
        self.rows.push(paid);
        follows
    }

    /// Takes the orders that a form holds, by payment, ascending. Says whether each has its payment and none is there twice.
    pub(super) fn restore_orders(&mut self, orders: &[(EntryNumber, Timestamp)]) -> bool {
        let mut held = Vec::with_capacity(orders.len());
        let mut rows = self.rows.iter().enumerate();
        for (number, until) in orders {
            let Some((payment, _)) = rows.find(|(_, paid)| paid.number == *number) else { return false };
            held.push(Order { payment, until: *until });
        }
        let rows = &self.rows;
        let order = |held: &Order| rows.get(held.payment).map(|paid| (paid.store, paid.order));
        let tag = |held: &Order| order(held).map_or(0, |order| order.tag());
        let made = Table::of(&held, tag, |one, other| order(one) == order(other));
        made.map(|made| self.orders = made).is_some()
    }

    /// Moves a payment from one state to another; whether it stood there.
    pub(super) fn moves(
        &mut self,
        number: EntryNumber,
        from: PaymentState,
        to: PaymentState,
    ) -> Option<Paid> {
        let at = self.place(number)?;
        self.rows.get(at).filter(|paid| paid.state == from.into())?;
        let paid = self.rows.get_mut(at)?;
        paid.state = to.into();
        Some(*paid)
    }

    /// Forgets some of the orders whose offers expired before `at`.
    pub(super) fn sweep(&mut self, at: Timestamp) {
        self.orders.sweep(|order| order.until >= at);
    }

    /// The orders that could still be paid again at `at`, by payment, ascending.
    pub(super) fn orders(&self, at: Timestamp) -> Vec<(EntryNumber, Timestamp)> {
        let live = self.orders.iter().filter(|order| order.until >= at);
        let mut live: Vec<Order> = live.copied().collect();
        live.sort_unstable_by_key(|order| order.payment);
        let number = |order: &Order| Some((self.rows.get(order.payment)?.number, order.until));
        live.iter().filter_map(number).collect()
    }

    /// For many questions at once: the row of each entry's payment, up to the newest.
    pub(super) fn by_entry<'a>(&'a self) -> impl Fn(EntryNumber) -> Option<&'a Paid> {
        let mut rows = Vec::new();
        for (at, paid) in (1u64..).zip(self.rows.iter()) {
            rows.resize(usize::try_from(paid.number.0).unwrap_or(usize::MAX).saturating_add(1), 0);
            if let Some(row) = rows.last_mut() {
                *row = at;
            }
        }
        move |number| {
            let row = *rows.get(usize::try_from(number.0).ok()?)?;
            self.rows.get(usize::try_from(row.checked_sub(1)?).ok()?)
        }
    }

    /// Keeps the order of a row; gives back until when the same order was kept before.
    fn remember(&mut self, payment: usize, until: Timestamp) -> Option<Timestamp> {
        let paid = self.rows.get(payment)?;
        let (store, order) = (paid.store, paid.order);
        let rows = &self.rows;
        let is = |held: &Order| {
            rows.get(held.payment).is_some_and(|paid| paid.store == store && paid.order == order)
        };
        self.orders.put((store, order).tag(), Order { payment, until }, is).map(|former| former.until)
    }

    fn settles(&self, held: &Order, store: StoreNumber, order: OrderHash) -> bool {
        self.rows.get(held.payment).is_some_and(|paid| paid.store == store && paid.order == order)
    }

    fn place(&self, number: EntryNumber) -> Option<usize> {
        place_of(&self.rows, number, |paid| paid.number)
    }
}

impl From<PaymentState> for Packed {
    fn from(state: PaymentState) -> Self {
        Self(match state {
            PaymentState::Open => 0,
            PaymentState::Claimed(by) => by.0 << 2 | 1,
            PaymentState::Refunded(by) => by.0 << 2 | 2,
        })
    }
}

impl Packed {
    /// Whether it is one of the states.
    pub(super) fn is_one(self) -> bool {
        matches!(self.0 & 3, 1 | 2) || self.0 == 0
    }

    pub(super) fn state(self) -> PaymentState {
        let by = EntryNumber(self.0 >> 2);
        match self.0 & 3 {
            1 => PaymentState::Claimed(by),
            2 => PaymentState::Refunded(by),
            _ => PaymentState::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paid(number: u64, at: u64) -> Paid {
        Paid {
            number: EntryNumber(number),
            at: Timestamp(at),
            card: CardNumber(1),
            store: StoreNumber(1),
            total: Amount::ZERO,
            offer: Digest([1; 32]),
            order: OrderHash([(number % 7) as u8; 32]),
            state: PaymentState::Open.into(),
        }
    }

    #[test]
    fn an_order_is_paid_once_until_its_offer_expires() {
        let mut payments = Payments::default();
        assert!(payments.add(paid(3, 10), Timestamp(20)));
        let (store, order) = (StoreNumber(1), OrderHash([3; 32]));
        assert_eq!(payments.by_order(store, order, Timestamp(20)), Some(EntryNumber(3)));
        assert_eq!(payments.by_order(store, order, Timestamp(21)), None);
        assert_eq!(payments.by_order(StoreNumber(2), order, Timestamp(20)), None);
        assert!(!payments.add(paid(10, 20), Timestamp(30)), "the same order");
        assert!(payments.add(paid(17, 31), Timestamp(40)), "long after");
        assert_eq!(payments.orders(Timestamp(31)), [(EntryNumber(17), Timestamp(40))]);
        payments.sweep(Timestamp(41));
        assert!(payments.orders(Timestamp(0)).is_empty());
        assert!(payments.get(EntryNumber(3)).is_some(), "the payment itself stays");
    }

    #[test]
    fn states_are_packed_whole() {
        for state in [
            PaymentState::Open,
            PaymentState::Claimed(EntryNumber(5)),
            PaymentState::Refunded(EntryNumber(0)),
        ] {
            assert_eq!(Packed::from(state).state(), state);
            assert!(Packed::from(state).is_one());
        }
        assert!(!Packed(4).is_one() && !Packed(7).is_one());
        let mut payments = Payments::default();
        assert!(payments.add(paid(3, 10), Timestamp(20)));
        let claimed = PaymentState::Claimed(EntryNumber(9));
        assert!(payments.moves(EntryNumber(3), claimed, PaymentState::Open).is_none());
        assert!(payments.moves(EntryNumber(3), PaymentState::Open, claimed).is_some());
        assert!(payments.moves(EntryNumber(4), PaymentState::Open, claimed).is_none());
        assert_eq!(payments.by_entry()(EntryNumber(3)).unwrap().state.state(), claimed);
        assert!(payments.by_entry()(EntryNumber(2)).is_none());
    }
}
