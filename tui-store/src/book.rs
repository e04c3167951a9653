//! What the vault's records and outbox mean: orders, payments, refunds, claims, payouts. Built at opening and kept up
//! with every record; nothing here writes, asks or reads a clock.

mod custody;
mod misfit;
mod sale;
mod settled;
mod words;

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use vault::{Item, State};
use wire::{
    amount::{Amount, Currency},
    codec::Malformed,
    id::{AccountNumber, EntryNumber, OrderHash, StoreNumber, TelegramId},
    payload::{Claim, KeyRole, Refund, RefundReason},
    receipt::PayoutState,
    shop::OrderState,
    telegram::Telegram,
    text::Line,
    till::PickUpCode,
    time::Timestamp,
};

use crate::{
    record::{self, CenterSeen, Did, Ending, Notice, Purpose, Record},
    till::Staff,
    view::OrderStanding,
};

pub(crate) use custody::Custody;
pub(crate) use misfit::Misfit;
pub(crate) use sale::Sale;
pub(crate) use words::{role_words, telegram_words};

/// The store as the center entered it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) store: StoreNumber,
    /// The entry that put the signature key in force.
    pub(crate) key_event: EntryNumber,
    /// The name it trades under.
    pub(crate) name: Line,
}
/// A payment that the center has noticed us of.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) order: OrderHash,
    pub(crate) total: Amount,
    /// When it was entered, by the center's clock.
    pub(crate) at: Timestamp,
    /// Why it fits no order, if it does not.
    pub(crate) misfit: Option<Misfit>,
    pub(crate) refund: Step,
    pub(crate) claim: Step,
}

/// How far a refund or a claim of a payment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nobody has asked for it.
    Not,
    /// In the outbox: the center has not said what became of it.
    Waits(TelegramId),
    /// Entered; the entry is known unless another copy of the vault did it.
    Done(Option<EntryNumber>),
}

/// A claim that the center accepted.
#[derive(Debug, Clone)]
pub(crate) struct Claimed {
    pub(crate) at: Timestamp,
    /// Empty when another copy of this vault made the claim.
    pub(crate) payments: Vec<EntryNumber>,
    pub(crate) total: Amount,
    pub(crate) payout: Option<(PayoutState, Timestamp)>,
}

/// Everything, in memory.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) center: Option<CenterSeen>,
    pub(crate) identity: Option<Identity>,
    pub(crate) sales: HashMap<OrderHash, Sale>,
    /// The orders as they were taken, oldest first.
    pub(crate) taken: Vec<OrderHash>,
    /// What cashiers sold, by the code under which it is taken up.
    pub(crate) codes: HashMap<PickUpCode, OrderHash>,
    pub(crate) payments: BTreeMap<EntryNumber, Payment>,
    pub(crate) claims: BTreeMap<EntryNumber, Claimed>,
    /// The record that holds each piece of mail.
    pub(crate) mail: BTreeMap<EntryNumber, u64>,
    pub(crate) notices: Vec<Notice>,
    /// Joining and keys.
    pub(crate) custody: Custody,
    /// Cashiers.
    pub(crate) staff: Staff,
    /// The entry that last changed the signature key.
    signature_event: Option<EntryNumber>,
}

impl Book {
    /// Reads everything that a vault holds. What cannot be read is named and left out.
    pub(crate) fn read(vault: &vault::Vault, records: &[vault::Record]) -> (Self, Vec<String>) {
        let mut book = Self::default();
        let mut findings = Vec::new();
        for record in records {
            let read = Record::read(record).map_err(|error| error.to_string());
            if let Err(words) = read.and_then(|content| book.apply(record.sequence, &content)) {
                findings.push(format!("record {} is left out: {words}", record.sequence));
            }
        }
        for item in vault.outbox().items() {
            if let Err(error) = book.absorb(item) {
                findings.push(format!("telegram {} is left out: {error}", item.telegram.id().short()));
            }
        }
        (book, findings)
    }

    /// Takes in a record that is on disk.
    ///
    /// # Errors
    /// When an order in it does not decode, which was checked before it was kept.
    pub(crate) fn apply(&mut self, sequence: u64, record: &Record) -> Result<(), String> {
        match record {
            Record::Center(center) => self.center = Some(center.clone()),
            Record::Taken(taken) => {
                let (hash, sale) = Sale::of(taken).map_err(|error| error.to_string())?;
                match self.sales.entry(hash) {
                    Entry::Vacant(place) => {
                        place.insert(sale);
                        self.taken.push(hash);
                    }
                    // A cashier sold it; now there is a buyer.
                    Entry::Occupied(mut known) => {
                        let known = known.get_mut();
                        known.buyer = known.buyer.take().or(sale.buyer);
                    }
                }
            }
            Record::Sold(sold) => {
                let (hash, sale) = Sale::sold(sold).map_err(|error| error.to_string())?;
                self.codes.insert(sold.code, hash);
                if self.sales.insert(hash, sale).is_none() {
                    self.taken.push(hash);
                }
            }
            Record::Mail(item) => self.apply_mail(sequence, item),
            Record::Delivered(delivered) => {
                if let Some(sale) = self.sales.get_mut(&delivered.order) {
                    sale.delivery.get_or_insert((delivered.at, delivered.delivery.clone()));
                }
            }
            Record::Undeliverable(lost) => {
                if let Some(sale) = self.sales.get_mut(&lost.order) {
                    sale.undeliverable.get_or_insert(lost.why.clone());
                }
            }
            Record::Notice(notice) | Record::Contradiction(notice) => self.notices.push(notice.clone()),
            Record::HandedIn(handed_in) => self.lose(handed_in),
            Record::AtTill(at_till) => {
                if let Did::Delivered(order) = &at_till.did
                    && let Some(sale) = self.sales.get_mut(order)
                {
                    sale.undeliverable = None;
                }
                self.staff.apply(at_till);
            }
            Record::Chain(chain) => {
                let signature = chain.iter().rfind(|event| event.role == KeyRole::Signature);
                if let Some(event) = signature {
                    self.signature_changed(event.entry);
                }
            }
            Record::Restored(restored) => {
                let key_event = self.signature_event.unwrap_or(EntryNumber(0));
                let name = restored.name.clone();
                self.identity = Some(Identity { store: restored.store, key_event, name });
            }
            Record::Applying(_)
            | Record::Application(_)
            | Record::NotTaken(_)
            | Record::Kit(_)
            | Record::Accepted(_)
            | Record::Hour(_)
            | Record::ContradictionRead(_)
            | Record::Strange(_) => {}
        }
        self.custody.apply(record);
        Ok(())
    }

    /// Takes in how an item of the outbox stands now.
    ///
    /// # Errors
    /// When its note or outcome is not of this program's form.
    pub(crate) fn absorb(&mut self, item: &Item) -> Result<(), Malformed> {
        self.staff.absorb(item)?;
        let id = item.telegram.id();
        let ending = match &item.state {
            State::Closed { outcome, .. } => Some(record::value::<Ending>("outcome", outcome)?),
            State::Prepared | State::MayHaveLeft { .. } | State::Withdrawn { .. } => None,
        };
        let step = if item.state.is_open() { Step::Waits(id) } else { Step::Not };
        match (record::value("purpose", &item.note)?, ending) {
            (Purpose::Registration { trade_name }, Some(Ending::Registered { account, entry, .. })) => {
                if let AccountNumber::Store(store) = account {
                    let key_event = self.signature_event.unwrap_or(entry);
                    self.identity = Some(Identity { store, key_event, name: trade_name });
                }
            }
            (
                Purpose::Registration { .. }
                | Purpose::KeyChange { .. }
                | Purpose::KeyCancel
                | Purpose::Cashier { .. },
                _,
            ) => {}
            (Purpose::Refund, ending) => {
                let refund: Refund = peek(&item.telegram)?;
                self.step(refund.payment, id, step, |payment| &mut payment.refund);
                if let Some(Ending::Verdict(verdict)) = ending {
                    self.refund_ended(&refund, &verdict);
                }
            }
            (Purpose::Claim, ending) => {
                let claim: Claim = peek(&item.telegram)?;
                for payment in &claim.payments {
                    self.step(*payment, id, step, |payment| &mut payment.claim);
                }
                if let Some(Ending::Verdict(verdict)) = ending {
                    self.claim_ended(&claim, &verdict);
                }
            }
        }
        Ok(())
    }

    /// The center's currency; yen before a center was ever seen.
    pub(crate) fn currency(&self) -> Currency {
        self.center.as_ref().map_or(Currency::YEN, |center| center.currency)
    }

    /// How an order stands at an instant of the store's clock.
    pub(crate) fn standing(&self, sale: &Sale, now: Timestamp) -> OrderStanding {
        let Some(payment) = sale.payment.and_then(|number| self.payments.get(&number)) else {
            return match &sale.buyer {
                _ if now > sale.expires => OrderStanding::Expired,
                Some(_) => OrderStanding::AwaitingPayment,
                None => OrderStanding::AwaitingBuyer,
            };
        };
        if matches!(payment.refund, Step::Done(_)) {
            OrderStanding::Refunded
        } else if self.is_claimed(payment) {
            OrderStanding::Claimed
        } else if payment.refund != Step::Not {
            OrderStanding::RefundDue
        } else if sale.delivery.is_some() {
            OrderStanding::Delivered
        } else if sale.undeliverable.is_some() {
            OrderStanding::RefundDue
        } else {
            OrderStanding::Paid
        }
    }

    /// The same in the words of the protocol: a buyer need not know of claims.
    pub(crate) fn state(&self, sale: &Sale, now: Timestamp) -> OrderState {
        match self.standing(sale, now) {
            OrderStanding::AwaitingPayment | OrderStanding::AwaitingBuyer => OrderState::AwaitingPayment,
            OrderStanding::Paid | OrderStanding::RefundDue => OrderState::Paid,
            OrderStanding::Delivered | OrderStanding::Claimed => OrderState::Delivered,
            OrderStanding::Refunded => OrderState::Refunded,
            OrderStanding::Expired => OrderState::Expired,
        }
    }

    /// Whether a payment's money was claimed, and the payout did not fail.
    pub(crate) fn is_claimed(&self, payment: &Payment) -> bool {
        let Step::Done(claim) = payment.claim else { return false };
        !claim.is_some_and(|claim| settled::failed(&self.claims, claim))
    }

    /// Whether no claim holds the payment, nor may hold it.
    pub(crate) fn is_unclaimed(&self, payment: &Payment) -> bool {
        !matches!(payment.claim, Step::Waits(_)) && !self.is_claimed(payment)
    }

    /// Why a payment is due to be given back, and with which reason; `None` when it is not.
    pub(crate) fn due(&self, payment: &Payment) -> Option<(String, RefundReason)> {
        if matches!(payment.refund, Step::Done(_)) || !self.is_unclaimed(payment) {
            return None;
        }
        if let Some(misfit) = payment.misfit {
            return Some((misfit.words().to_owned(), misfit.reason()));
        }
        let sale = self.sales.get(&payment.order)?;
        if sale.delivery.is_some() {
            return None;
        }
        let why = sale.undeliverable.as_ref()?;
        Some((format!("it cannot be delivered: {why}"), RefundReason::CannotDeliver))
    }

    /// Payments whose goods were signed for and whose money nobody has asked for, oldest first.
    pub(crate) fn claimable(&self) -> impl Iterator<Item = (EntryNumber, &Payment, &Sale)> {
        self.payments.iter().filter_map(|(number, payment)| {
            let free = payment.refund == Step::Not && payment.misfit.is_none() && self.is_unclaimed(payment);
            let sale = self.sales.get(&payment.order).filter(|sale| sale.delivery.is_some())?;
            free.then_some((*number, payment, sale))
        })
    }

    /// How many offers can still be paid.
    pub(crate) fn open_offers(&self, now: Timestamp) -> usize {
        let recent = self.taken.iter().rev().take_while(|hash| {
            // Offers live as long as they are allowed to at most, so older ones need not be looked at.
            self.sales.get(hash).is_some_and(|sale| now.since_ms(sale.taken) <= wire::limits::VALIDITY_MS)
        });
        recent
            .filter_map(|hash| self.sales.get(hash))
            .filter(|sale| sale.payment.is_none() && now <= sale.expires)
            .count()
    }
}

fn peek<P: wire::telegram::Payload>(telegram: &Telegram) -> Result<P, Malformed> {
    telegram.peek().map_err(|error| Malformed { what: P::KIND.noun(), why: error.to_string() })
}
