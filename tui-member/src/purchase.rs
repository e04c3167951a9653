//! One purchase: the order, its offer, what became of its payment, and its goods.

use std::{collections::BTreeMap, path::Path};

use tui_kit::time::Zone;
use vault::outbox::{Item, State};
use wire::{
    amount::{Amount, Currency},
    id::{CardNumber, Digest, EntryNumber, OrderHash, TelegramId},
    key::SigningKey,
    message::{Refusal, Verdict},
    order::{Order, order_hash},
    payload::{Offer, RefundReason},
    receipt::{MemberPart, Receipt},
    telegram::Telegram,
    time::Timestamp,
};

use crate::{
    record::{Ending, Ordered},
    view::{LineRow, Moment, Money, PurchaseDetail, PurchaseRow, PurchaseState, calendar_ms},
};

/// A purchase as the vault's records tell it.
#[derive(Debug, Clone)]
pub(crate) struct Purchase {
    pub(crate) hash: OrderHash,
    pub(crate) ordered: Ordered,
    pub(crate) order: Order,
    pub(crate) offer: Offer,
    pub(crate) payment: Payment,
    /// The newest telegram that was signed to pay it.
    pub(crate) telegram: Option<TelegramId>,
    pub(crate) refund: Option<Refund>,
    /// Names below the goods folder, by line.
    pub(crate) files: BTreeMap<u32, String>,
    pub(crate) delivery: Option<Telegram>,
    pub(crate) acknowledged: Option<Timestamp>,
}

/// What became of the payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Payment {
    None,
    Signed { at: Timestamp },
    Unknown { since: Timestamp },
    Settled(Box<Settled>),
    Refused { reason: Refusal, entry: EntryNumber, at: Timestamp },
    Void { at: Timestamp },
    Expired { at: Timestamp },
}

/// A settled payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) receipt: Receipt,
    pub(crate) card: CardNumber,
    pub(crate) balance: Amount,
    /// Whether another copy of this vault signed it.
    pub(crate) by_another: bool,
}

/// Money that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refund {
    pub(crate) entry: EntryNumber,
    pub(crate) reason: RefundReason,
    pub(crate) amount: Amount,
    pub(crate) at: Timestamp,
}

impl Settled {
    /// A settled payment from its receipt; `None` when the receipt says something else.
    pub(crate) fn new(receipt: Receipt, by_another: bool) -> Option<Self> {
        let Ok(MemberPart::Paid { card, balance, .. }) = receipt.member_part() else { return None };
        Some(Self { receipt, card, balance, by_another })
    }
}

impl Purchase {
    /// A purchase from the record of its order; in words when the record makes no sense.
    pub(crate) fn new(ordered: Ordered) -> Result<Self, String> {
        let order = Order::decode(&ordered.order).map_err(|error| error.to_string())?;
        let offer = ordered.offer.peek::<Offer>().map_err(|error| error.to_string())?;
        let hash = order_hash(&ordered.salt, &ordered.order);
        Ok(Self {
            hash,
            ordered,
            order,
            offer,
            payment: Payment::None,
            telegram: None,
            refund: None,
            files: BTreeMap::new(),
            delivery: None,
            acknowledged: None,
        })
    }

    /// Takes in how a telegram that pays this order stands. What is settled stays settled.
    pub(crate) fn take(&mut self, item: &Item) -> Result<(), String> {
        let payment = match &item.state {
            State::Prepared => Payment::Signed { at: item.prepared_at },
            State::MayHaveLeft { since } => Payment::Unknown { since: *since },
            State::Withdrawn { at } => Payment::Void { at: *at },
            State::Closed { at, outcome } => {
                match Ending::decode(outcome).map_err(|error| error.to_string())? {
                    Ending::Verdict(verdict) => ended(verdict, *at)?,
                    _ => return Err("a payment's outcome is another telegram's".into()),
                }
            }
        };
        if !matches!(self.payment, Payment::Settled(_)) {
            self.payment = payment;
            self.telegram = Some(item.telegram.id());
        }
        Ok(())
    }

    /// The private key that proves the right to the goods.
    pub(crate) fn buyer_key(&self) -> SigningKey {
        self.ordered.buyer.key()
    }

    /// The settled payment.
    pub(crate) fn settled(&self) -> Option<&Settled> {
        match &self.payment {
            Payment::Settled(settled) => Some(settled),
            _ => None,
        }
    }

    /// One digest over all goods.
    pub(crate) fn goods_digest(&self) -> Digest {
        self.order.goods_digest()
    }

    /// Whether every line's goods are here.
    pub(crate) fn complete(&self) -> bool {
        self.files.len() == self.order.lines.len()
    }

    /// Where it stands at this instant.
    pub(crate) fn state(&self, now: Timestamp) -> PurchaseState {
        if self.refund.is_some() {
            return PurchaseState::Refunded;
        }
        match &self.payment {
            Payment::None if now > self.offer.expires => PurchaseState::OfferExpired,
            Payment::None => PurchaseState::Offered,
            Payment::Signed { .. } => PurchaseState::Signed,
            Payment::Unknown { .. } => PurchaseState::Unknown,
            Payment::Settled(_) if self.acknowledged.is_some() => PurchaseState::Delivered,
            Payment::Settled(_) if self.complete() => PurchaseState::Fetched,
            Payment::Settled(_) => PurchaseState::Settled,
            Payment::Refused { .. } => PurchaseState::Refused,
            Payment::Void { .. } => PurchaseState::Void,
            Payment::Expired { .. } => PurchaseState::Expired,
        }
    }

    /// When the newest thing happened to its payment, else to the order.
    fn at(&self) -> Timestamp {
        match &self.payment {
            Payment::None => self.ordered.at,
            Payment::Settled(settled) => settled.receipt.leaf.at,
            Payment::Signed { at }
            | Payment::Unknown { since: at }
            | Payment::Refused { at, .. }
            | Payment::Void { at }
            | Payment::Expired { at } => *at,
        }
    }

    fn words(&self, state: PurchaseState) -> String {
        match (&self.refund, &self.payment) {
            (Some(refund), _) => {
                let amount = self.offer.currency.print(refund.amount);
                format!("refunded {amount}: {}", refund.reason.words())
            }
            (None, Payment::Refused { reason, .. }) => format!("refused, nothing paid: {reason}"),
            (None, Payment::Settled(settled)) if settled.by_another => {
                format!("{}; paid from another copy of this vault", state.words())
            }
            _ => state.words().into(),
        }
    }

    /// The row of the history.
    pub(crate) fn row(&self, now: Timestamp) -> PurchaseRow {
        let state = self.state(now);
        PurchaseRow {
            order: self.hash,
            day: Zone::local().date(calendar_ms(self.at())),
            at: self.at().into(),
            store: self.offer.store,
            store_name: self.ordered.store_name.clone(),
            goods: goods(&self.order),
            total: Money::new(self.offer.total, self.offer.currency),
            state,
            words: self.words(state),
            number: match &self.payment {
                Payment::Settled(settled) => Some(settled.receipt.leaf.entry),
                Payment::Refused { entry, .. } => Some(*entry),
                _ => None,
            },
        }
    }

    /// All of it. `goods` is the folder below which the files lie.
    pub(crate) fn detail(&self, now: Timestamp, goods: &Path) -> PurchaseDetail {
        let settled = self.settled();
        let currency = self.offer.currency;
        PurchaseDetail {
            row: self.row(now),
            lines: self.lines(goods),
            note: self.order.note.clone(),
            ordered: self.ordered.at.into(),
            offer_expires: self.offer.expires.into(),
            card: settled.map(|settled| settled.card),
            balance: settled.map(|settled| Money::new(settled.balance, currency)),
            telegram: self.telegram,
            acknowledged: self.acknowledged.map(Moment::from),
            refund: self.refund.map(|refund| refund.entry),
        }
    }

    /// The order's lines as rows.
    pub(crate) fn lines(&self, goods: &Path) -> Vec<LineRow> {
        let currency: Currency = self.offer.currency;
        let row = |(at, line): (usize, &wire::order::OrderLine)| LineRow {
            item: line.item.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            price: Money::new(line.unit_price, currency),
            size: line.size,
            digest: line.digest,
            file: self.files.get(&(at as u32)).map(|file| goods.join(file)),
        };
        self.order.lines.iter().enumerate().map(row).collect()
    }
}

/// What a verified verdict means for a payment.
fn ended(verdict: Verdict, at: Timestamp) -> Result<Payment, String> {
    Ok(match verdict {
        Verdict::Done { receipt, .. } => {
            let settled = Settled::new(receipt, false).ok_or("a payment's receipt is another entry's")?;
            Payment::Settled(Box::new(settled))
        }
        Verdict::Refused { reason, receipt } => {
            Payment::Refused { reason, entry: receipt.leaf.entry, at: receipt.leaf.at }
        }
        Verdict::Void { receipt } => Payment::Void { at: receipt.leaf.at },
        Verdict::Expired => Payment::Expired { at },
    })
}

/// `Tea, 2 × Cake`, and how many more where there are many.
fn goods(order: &Order) -> String {
    const SHOWN: usize = 3;
    let name = |line: &wire::order::OrderLine| match line.quantity {
        1 => line.title.to_string(),
        many => format!("{many} × {}", line.title),
    };
    let mut names: Vec<String> = order.lines.iter().take(SHOWN).map(name).collect();
    if order.lines.len() > SHOWN {
        names.push(format!("and {} more", order.lines.len() - SHOWN));
    }
    names.join(", ")
}
