//! The rows that people see, drawn from the book.

use std::sync::Arc;

use tui_kit::time::Zone;
use vault::{Autograph, Item, PinnedCenter, recovery::Recovery};
use wire::{
    amount::Amount,
    id::{EntryNumber, OrderHash},
    receipt::PayoutState,
    sheet::KeySheet,
    time::Timestamp,
};

use crate::{
    act::Failure,
    book::{Book, Sale, Step},
    center::chain,
    settle::outbox_rows,
    view::{
        About, AlarmRow, BuildRow, CatalogueView, CenterRow, Claimable, ClaimableRow, CounterView, KitRow,
        LineRow, LineView, MessageRow, Moment, Money, OrderDetail, OrderRow, OrderStanding, PayoutRow,
        RefundRow, Snapshot, SoldRow, StandingCount,
    },
};

/// How many messages a snapshot shows.
const MESSAGES_MAX: usize = 200;
/// How many payouts a snapshot shows.
const PAYOUTS_MAX: usize = 500;
/// The fewest digits of an order's hash that name it.
const PREFIX_MIN: usize = 6;

/// What a snapshot is made of besides the book.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    pub(crate) pinned: Option<&'a PinnedCenter>,
    pub(crate) line: LineView,
    pub(crate) counter: CounterView,
    pub(crate) catalogue: Arc<CatalogueView>,
    pub(crate) waiting: &'a [Item],
    pub(crate) findings: &'a [String],
    pub(crate) vault: OfVault,
    /// Until when password B is open.
    pub(crate) signing_until: Option<Timestamp>,
}

/// What the vault itself knows of keys and copies.
#[derive(Debug, Default)]
pub(crate) struct OfVault {
    pub(crate) recovery: Option<Recovery>,
    pub(crate) copy_due: bool,
    pub(crate) seal: Option<Arc<Autograph>>,
}

/// Everything at one moment.
pub(crate) fn snapshot(book: &Book, around: Around<'_>, generation: u64, now: Timestamp) -> Snapshot {
    let currency = book.currency();
    let money = |amount| Money::new(amount, currency);
    let mut counts = [0; OrderStanding::ALL.len()];
    for sale in book.sales.values() {
        counts[book.standing(sale, now) as usize] += 1;
    }
    let (today, today_payments) = today(book, now);
    let unclaimed = book
        .payments
        .values()
        .filter(|payment| !matches!(payment.refund, Step::Done(_)) && !book.is_claimed(payment))
        .map(|payment| payment.total);
    let messages = book.notices.iter().rev().take(MESSAGES_MAX);
    Snapshot {
        generation,
        store: book.identity.as_ref().map(|identity| identity.store),
        name: book.identity.as_ref().map(|identity| identity.name.clone()).unwrap_or_default(),
        center: around.pinned.and_then(|pinned| center(book, pinned)),
        line: around.line,
        counter: around.counter,
        catalogue: around.catalogue,
        standings: OrderStanding::ALL
            .iter()
            .map(|state| StandingCount { state: *state, count: counts[*state as usize] })
            .collect(),
        today: money(today),
        today_payments,
        unclaimed: money(capped(unclaimed)),
        claimable: money(capped(book.claimable().map(|(_, payment, _)| payment.total))),
        orders: order_rows(book, None, now, Snapshot::ORDERS_MAX),
        refunds: refund_rows(book),
        payouts: payout_rows(book, PAYOUTS_MAX),
        outbox: outbox_rows(around.waiting, currency),
        messages: messages
            .map(|notice| MessageRow { at: Moment::from(notice.at), words: notice.words.clone() })
            .collect(),
        findings: around.findings.to_vec(),
        alarm: alarm(book),
        recovery: around.vault.recovery.map(Into::into),
        copy_due: around.vault.copy_due,
        newer: newer(book),
        signing_until: around.signing_until.map(Moment::from),
        seal: around.vault.seal,
    }
}

/// What has to be acknowledged before anything is sent.
fn alarm(book: &Book) -> Option<AlarmRow> {
    if let Some(strange) = &book.custody.strange {
        let words = chain::words(&strange.chain, &book.custody.chain);
        return Some(AlarmRow { about: About::Keys, at: strange.at.into(), words });
    }
    let (_, notice) = book.custody.contradiction()?;
    Some(AlarmRow { about: About::Journal, at: notice.at.into(), words: notice.words.to_string() })
}

/// Programs that the center offers in a newer version than this one.
fn newer(book: &Book) -> Vec<BuildRow> {
    let rows = book.custody.kit.as_ref().map(|kit| KitRow::from(kit).builds).unwrap_or_default();
    rows.into_iter().filter(|row| row.newer).collect()
}

/// Orders that stand so, or all, newest first.
pub(crate) fn order_rows(
    book: &Book,
    state: Option<OrderStanding>,
    now: Timestamp,
    most: usize,
) -> Vec<OrderRow> {
    let sales = book.taken.iter().rev().filter_map(|hash| Some((*hash, book.sales.get(hash)?)));
    let rows = sales.filter(|(_, sale)| state.is_none_or(|state| book.standing(sale, now) == state));
    rows.take(most).map(|(hash, sale)| order_row(book, hash, sale, now)).collect()
}

/// An order in full.
///
/// # Errors
/// When nothing, or more than one order, is named so.
pub(crate) fn order_detail(book: &Book, named: &str, now: Timestamp) -> Result<OrderDetail, Failure> {
    let hash = find(book, named)?;
    let sale =
        book.sales.get(&hash).ok_or_else(|| Failure::not_found(format!("there is no order {named}")))?;
    let currency = book.currency();
    let payment = sale.payment.and_then(|number| book.payments.get(&number));
    let done = |step: Step| match step {
        Step::Done(entry) => entry,
        Step::Not | Step::Waits(_) => None,
    };
    let lines = sale.order.lines.iter().map(|line| LineRow {
        item: line.item.clone(),
        title: line.title.clone(),
        quantity: line.quantity,
        unit_price: Money::new(line.unit_price, currency),
        size: line.size,
        file_name: line.file_name.clone(),
    });
    Ok(OrderDetail {
        row: order_row(book, hash, sale, now),
        lines: lines.collect(),
        note: sale.order.note.clone(),
        expires: Moment::from(sale.expires),
        paid: payment.map(|payment| Moment::from(payment.at)),
        delivered: sale.delivery.as_ref().map(|(at, _)| Moment::from(*at)),
        undeliverable: sale.undeliverable.clone(),
        refund: payment.and_then(|payment| done(payment.refund)),
        claim: payment.and_then(|payment| done(payment.claim)),
        sold: sale.till.map(|sold| SoldRow {
            cashier: book.staff.name(&sold.by),
            fingerprint: sold.by.fingerprint(),
            code: None,
        }),
    })
}

/// What can be claimed, oldest first.
pub(crate) fn claimable(book: &Book) -> Claimable {
    let currency = book.currency();
    let row = |(number, payment, sale): (EntryNumber, &crate::book::Payment, &Sale)| {
        let delivered = sale.delivery.as_ref().map_or(payment.at, |(at, _)| *at);
        ClaimableRow {
            payment: number,
            order: payment.order,
            total: Money::new(payment.total, currency),
            delivered: Moment::from(delivered),
        }
    };
    Claimable {
        total: Money::new(capped(book.claimable().map(|(_, payment, _)| payment.total)), currency),
        payments: book.claimable().map(row).collect(),
    }
}

/// Claims and their payouts, newest first.
pub(crate) fn payout_rows(book: &Book, most: usize) -> Vec<PayoutRow> {
    let rows = book.claims.iter().rev().take(most).map(|(number, claim)| PayoutRow {
        claim: *number,
        claimed: Moment::from(claim.at),
        payments: claim.payments.len() as u64,
        total: Money::new(claim.total, book.currency()),
        state: claim.payout.map(|(state, _)| state),
        words: match claim.payout.map(|(state, _)| state) {
            None => "accepted; the transfer follows",
            Some(PayoutState::InTransit) => "on its way: handed to the bank",
            Some(PayoutState::Paid) => "paid: the bank confirmed it",
            Some(PayoutState::Failed) => "the bank rejected it; the payments can be claimed again",
        }
        .to_owned(),
        at: claim.payout.map(|(_, at)| Moment::from(at)),
    });
    rows.collect()
}

fn refund_rows(book: &Book) -> Vec<RefundRow> {
    let rows = book.payments.iter().filter_map(|(number, payment)| {
        let unknown = matches!(payment.refund, Step::Waits(_));
        let due = book.due(payment).map(|(why, _)| why);
        let why = due.or_else(|| unknown.then(|| "a refund waits in the outbox".to_owned()))?;
        Some(RefundRow {
            payment: *number,
            total: Money::new(payment.total, book.currency()),
            paid: Moment::from(payment.at),
            why,
            unknown,
        })
    });
    rows.collect()
}

fn order_row(book: &Book, order: OrderHash, sale: &Sale, now: Timestamp) -> OrderRow {
    let goods: Vec<String> = sale
        .order
        .lines
        .iter()
        .take(3)
        .map(|line| match line.quantity {
            1 => line.title.to_string(),
            many => format!("{many} × {}", line.title),
        })
        .collect();
    let more = sale.order.lines.len().saturating_sub(goods.len());
    let goods = goods.join(", ");
    OrderRow {
        order,
        state: book.standing(sale, now),
        taken: Moment::from(sale.taken),
        goods: if more > 0 { format!("{goods} and {more} more") } else { goods },
        total: Money::new(sale.order.total, book.currency()),
        payment: sale.payment,
    }
}

/// The order that a hash, the beginning of one, or a payment's transaction number names.
pub(crate) fn find(book: &Book, named: &str) -> Result<OrderHash, Failure> {
    let named = named.trim();
    if let Ok(number) = named.parse::<EntryNumber>()
        && let Some(payment) = book.payments.get(&number)
    {
        return Ok(payment.order);
    }
    let shown: String = named.chars().take(80).collect();
    let prefix = named.to_ascii_lowercase();
    if prefix.len() < PREFIX_MIN || !prefix.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(Failure::not_found(format!(
            "“{shown}” names no order; give its hash, at least {PREFIX_MIN} digits of it, or its payment's number"
        )));
    }
    let mut found = book.taken.iter().filter(|hash| hash.to_string().starts_with(&prefix));
    match (found.next(), found.next()) {
        (Some(hash), None) => Ok(*hash),
        (Some(_), Some(_)) => {
            Err(Failure::not_found(format!("more than one order begins with {shown}; give more")))
        }
        (None, _) => Err(Failure::not_found(format!("there is no order {shown}"))),
    }
}

/// The sum and number of today's payments that were not given back. The day is the center's.
fn today(book: &Book, now: Timestamp) -> (Amount, u64) {
    let zone =
        book.center.as_ref().and_then(|center| Zone::named(&center.zone).ok()).unwrap_or_else(Zone::local);
    let day = |at: Timestamp| zone.day(i64::try_from(at.0).unwrap_or(i64::MAX));
    let today = day(now);
    // The center's clock may be ahead of this one, but entries are in the order of their time.
    let recent =
        book.payments.values().rev().take_while(|payment| payment.at >= now || day(payment.at) == today);
    let kept = recent.filter(|payment| !matches!(payment.refund, Step::Done(_)));
    kept.fold((Amount::ZERO, 0), |(sum, count), payment| {
        (sum.plus(payment.total).unwrap_or(Amount::MAX), count + 1)
    })
}

fn center(book: &Book, pinned: &PinnedCenter) -> Option<CenterRow> {
    let seen = book.center.as_ref()?;
    let sheet = pinned.sheet.as_ref().and_then(|sheet| KeySheet::verify(sheet, &pinned.root).ok());
    Some(CenterRow {
        name: seen.name.clone(),
        fingerprint: pinned.root.fingerprint(),
        currency: seen.currency,
        zone: seen.zone.clone(),
        help: seen.help.clone(),
        addresses: pinned.addresses.clone(),
        sheet: sheet.map_or(0, |sheet| sheet.number),
    })
}

/// A sum for showing: at the limit of an amount it stays there.
fn capped(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts.fold(Amount::ZERO, |sum, amount| sum.plus(amount).unwrap_or(Amount::MAX))
}
