//! What people want: orders, payments, refunds, claims, and what they should not try.

use std::collections::BTreeMap;

use fastrand::Rng;
use wire::{
    amount::{Amount, Currency},
    bounded::List,
    id::{AccountNumber, Digest, EntryNumber, Nonce, OrderHash},
    payload::{self, ClaimEvidence, RefundReason},
    telegram::Telegram,
    time::Timestamp,
};

use super::people::{self, Image, yen};

/// An order, with the offer that its store signed.
struct Order {
    store: usize,
    buyer: u64,
    hash: OrderHash,
    offer: Telegram,
    total: Amount,
    expires: Timestamp,
}

/// All orders, and what stores know of them.
pub(super) struct Trade {
    image: &'static Image,
    orders: Vec<Order>,
    by_hash: BTreeMap<OrderHash, usize>,
    /// The orders that a store knows to be paid, by payment.
    paid: BTreeMap<EntryNumber, usize>,
    /// Of these, what no refund or claim was signed for yet, by store.
    open: BTreeMap<usize, Vec<EntryNumber>>,
}

impl Trade {
    /// Before the first order.
    pub(super) fn new(image: &'static Image) -> Self {
        Self {
            image,
            orders: Vec::new(),
            by_hash: BTreeMap::new(),
            paid: BTreeMap::new(),
            open: BTreeMap::new(),
        }
    }

    /// A payment that a member signs: of a new order mostly, now and then of one that was paid before or is another's, or
    /// of more than the card holds.
    pub(super) fn payment(&mut self, member: usize, now: Timestamp, rng: &mut Rng) -> Telegram {
        let known = self.orders.len();
        let at = if known > 0 && rng.u8(..8) == 0 { rng.usize(..known) } else { self.order(now, rng) };
        let (person, order) = (&self.image.people[member], &self.orders[at]);
        let AccountNumber::Member(number) = person.account else { panic!("stores do not pay") };
        let AccountNumber::Store(store) = self.image.people[order.store].account else {
            panic!("members do not sell")
        };
        let mut others = self.image.people.iter().filter_map(|person| person.card);
        let own = person.card.expect("every member has a card");
        let card = if rng.u8(..24) == 0 { others.next_back().unwrap_or(own) } else { own };
        person.sign(&payload::Payment {
            center: self.image.center(),
            member: number,
            key_event: person.event,
            card,
            store,
            offer: order.offer.digest(),
            order: order.hash,
            total: order.total,
            currency: Currency::YEN,
            offer_expires: order.expires,
            nonce: Nonce(rng.u128(..).to_le_bytes()),
            valid_until: valid_until(now, rng),
        })
    }

    /// Something that a store signs, if there is anything: a refund, or a claim for what is delivered.
    pub(super) fn of_store(&mut self, store: usize, now: Timestamp, rng: &mut Rng) -> Option<Telegram> {
        let open = self.open.get_mut(&store).filter(|open| !open.is_empty())?;
        let person = &self.image.people[store];
        let AccountNumber::Store(number) = person.account else { return None };
        let valid_until = valid_until(now, rng);
        let nonce = Nonce(rng.u128(..).to_le_bytes());
        let center = self.image.center();
        if rng.u8(..3) > 0 {
            let payment = open.swap_remove(rng.usize(..open.len()));
            let amount = self.orders[self.paid[&payment]].total;
            return Some(person.sign(&payload::Refund {
                center,
                store: number,
                cashier: None,
                key_event: person.event,
                payment,
                amount,
                currency: Currency::YEN,
                reason: RefundReason::CannotDeliver,
                nonce,
                valid_until,
            }));
        }
        let mut payments = std::mem::take(open);
        payments.sort_unstable();
        let totals = payments.iter().map(|payment| self.orders[self.paid[payment]].total);
        let total = Amount::sum(totals)?;
        Some(person.sign(&payload::Claim {
            center,
            store: number,
            key_event: person.event,
            payments: List::first(payments),
            total,
            currency: Currency::YEN,
            nonce,
            valid_until,
        }))
    }

    /// A store was told that an order is paid.
    ///
    /// # Errors
    /// When it knows no such order, or another total.
    pub(super) fn told(&mut self, entry: EntryNumber, hash: OrderHash, total: Amount) -> Result<(), String> {
        let at = *self.by_hash.get(&hash).ok_or(format!("{entry} pays an order that nobody placed"))?;
        let order = &self.orders[at];
        if order.total != total {
            return Err(format!("{entry} pays {} for an order of {}", total.minor(), order.total.minor()));
        }
        // A store that lost its notes is told again.
        if self.paid.insert(entry, at).is_none() {
            self.open.entry(order.store).or_default().push(entry);
        }
        Ok(())
    }

    /// That the buyer has the goods which a payment was for.
    pub(super) fn delivered(&self, payment: EntryNumber) -> Option<ClaimEvidence> {
        let order = &self.orders[*self.paid.get(&payment)?];
        let delivery = payload::Delivery { order: order.hash, goods: Digest([8; 32]) };
        let delivery = Telegram::sign_as_key(&delivery, &people::key("buyer", order.buyer));
        Some(ClaimEvidence { payment, offer: order.offer.clone(), delivery })
    }

    fn order(&mut self, now: Timestamp, rng: &mut Rng) -> usize {
        let at = self.orders.len();
        let stores = self.image.people.iter().enumerate().filter(|(_, person)| person.card.is_none());
        let stores: Vec<usize> = stores.map(|(at, _)| at).collect();
        let store = stores[rng.usize(..stores.len())];
        let seller = &self.image.people[store];
        let AccountNumber::Store(number) = seller.account else { panic!("members do not sell") };
        let mut hash = [0; 32];
        rng.fill(&mut hash);
        let (hash, buyer) = (OrderHash(hash), rng.u64(..));
        let total = yen(rng.u64(1..people::CARD / 4));
        let expires = valid_until(now, rng);
        let offer = payload::Offer {
            center: self.image.center(),
            store: number,
            terminal_key: seller.terminal.verification_key(),
            buyer_key: people::key("buyer", buyer).verification_key(),
            order: hash,
            total,
            currency: Currency::YEN,
            issued: now,
            expires,
        };
        let offer = Telegram::sign_as_key(&offer, &seller.terminal);
        self.orders.push(Order { store, buyer, hash, offer, total, expires });
        self.by_hash.insert(hash, at);
        at
    }
}

/// Soon, or in days.
fn valid_until(now: Timestamp, rng: &mut Rng) -> Timestamp {
    now.plus_ms(match rng.u8(..8) {
        0 => rng.u64(1..5_000),
        1 => rng.u64(5_000..600_000),
        _ => rng.u64(3_600_000..6 * 24 * 3_600_000),
    })
}
