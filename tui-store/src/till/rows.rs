//! Orders and the day's figures as a cashier sees them.

use wire::{
    amount::Amount,
    bounded::List,
    id::OrderHash,
    limits,
    text::Line,
    till::{Standing, TillDay, TillDetail, TillOrder, TillSale, TillShare},
    time::Timestamp,
};

use super::day_of;
use crate::{
    book::{Book, Sale, Step},
    record::Did,
    view::OrderStanding,
};

/// How many lines of an order its row names.
const NAMED_LINES: usize = 3;

/// A page of the orders, newest first, behind `after`; and whether older ones follow. An order that is unknown begins no
/// page.
pub(crate) fn orders(
    book: &Book,
    after: Option<&OrderHash>,
    now: Timestamp,
) -> (List<TillOrder, { limits::PAGE }>, bool) {
    let mut hashes = book.taken.iter().rev();
    if let Some(after) = after
        && !hashes.by_ref().any(|hash| hash == after)
    {
        return (List::default(), false);
    }
    let mut sales = hashes.filter_map(|hash| Some((hash, book.sales.get(hash)?)));
    let page: Vec<TillOrder> =
        sales.by_ref().take(limits::PAGE).map(|(hash, sale)| row(book, hash, sale, now)).collect();
    (List::first(page), sales.next().is_some())
}

/// An order in full.
pub(crate) fn detail(book: &Book, order: &OrderHash, now: Timestamp) -> Option<TillDetail> {
    let sale = book.sales.get(order)?;
    let payment = sale.payment.and_then(|number| book.payments.get(&number));
    let done = |step: Step| if let Step::Done(entry) = step { entry } else { None };
    Some(TillDetail {
        row: row(book, order, sale, now),
        lines: sale.order.lines.clone(),
        note: sale.order.note.clone(),
        expires: sale.expires,
        paid: payment.map(|payment| payment.at),
        delivered: sale.delivery.as_ref().map(|(at, _)| *at),
        undeliverable: sale.undeliverable.clone(),
        refund: payment.and_then(|payment| done(payment.refund)),
        claim: payment.and_then(|payment| done(payment.claim)),
    })
}

/// A sale that a cashier made, with its code.
pub(crate) fn sale(book: &Book, order: &OrderHash) -> Option<TillSale> {
    let sale = book.sales.get(order)?;
    let sold = sale.till?;
    Some(TillSale {
        order: *order,
        code: sold.code,
        by: sold.by,
        name: book.staff.name(&sold.by),
        total: sale.order.total,
        expires: sale.expires,
    })
}

/// The figures of the day that `now` lies in.
pub(crate) fn day(book: &Book, now: Timestamp) -> TillDay {
    let today = day_of(book, now);
    let is_today = |at: Timestamp| day_of(book, at) == today;
    let orders = book.taken.iter().rev().filter_map(|hash| book.sales.get(hash));
    let orders = orders.take_while(|sale| is_today(sale.taken)).count();
    // Entries are in the order of the center's clock, which may be ahead of this one.
    let recent = book.payments.values().rev().take_while(|payment| payment.at >= now || is_today(payment.at));
    let (mut paid, mut paid_total) = (0, Amount::ZERO);
    for payment in recent {
        paid += 1;
        paid_total = sum(paid_total, payment.total);
    }
    let staff = &book.staff;
    let given = staff.cashiers.values().flat_map(|cashier| cashier.refunds.values());
    let given = given.chain(staff.by_owner.values()).filter(|given| is_today(given.at));
    let (refunds, refunded_total) =
        given.fold((0, Amount::ZERO), |(count, total), given| (count + 1, sum(total, given.amount)));
    let mut shares: Vec<TillShare> = staff
        .cashiers
        .iter()
        .map(|(key, cashier)| {
            let given = cashier.refunds.values().filter(|given| is_today(given.at));
            let done = |what: fn(&Did) -> bool| {
                let done = staff.done.iter().rev().take_while(|done| is_today(done.at));
                done.filter(|done| done.by == *key && what(&done.did)).count() as u64
            };
            TillShare {
                key: *key,
                name: cashier.name.clone(),
                offers: done(|did| matches!(did, Did::Offered(_))),
                delivered: done(|did| matches!(did, Did::Delivered(_))),
                refunds: given.clone().count() as u64,
                refunded: given.fold(Amount::ZERO, |total, given| sum(total, given.amount)),
            }
        })
        .collect();
    shares.sort_by(|a, b| a.name.cmp(&b.name));
    TillDay {
        day: Line::new(&today).unwrap_or_default(),
        orders: orders as u64,
        paid,
        paid_total,
        refunds,
        refunded_total,
        cashiers: List::first(shares),
    }
}

/// The standing of an order in the words of the till's protocol.
fn standing(standing: OrderStanding) -> Standing {
    match standing {
        OrderStanding::AwaitingPayment => Standing::AwaitingPayment,
        OrderStanding::Paid => Standing::Paid,
        OrderStanding::RefundDue => Standing::RefundDue,
        OrderStanding::Delivered => Standing::Delivered,
        OrderStanding::Claimed => Standing::Claimed,
        OrderStanding::Refunded => Standing::Refunded,
        OrderStanding::Expired => Standing::Expired,
        OrderStanding::AwaitingBuyer => Standing::AwaitingBuyer,
    }
}

fn row(book: &Book, order: &OrderHash, sale: &Sale, now: Timestamp) -> TillOrder {
    let lines = &sale.order.lines;
    let named: Vec<String> = lines
        .iter()
        .take(NAMED_LINES)
        .map(|line| match line.quantity {
            1 => line.title.to_string(),
            many => format!("{many} × {}", line.title),
        })
        .collect();
    let more = lines.len().saturating_sub(named.len());
    let goods = named.join(", ");
    let goods = if more > 0 { format!("{goods} and {more} more") } else { goods };
    // A title may fill a line by itself; the detail has them whole.
    let goods: String = goods.chars().take(limits::LINE / 4).collect();
    TillOrder {
        order: *order,
        standing: standing(book.standing(sale, now)),
        taken: sale.taken,
        goods: Line::new(&goods).unwrap_or_default(),
        total: sale.order.total,
        payment: sale.payment,
    }
}

fn sum(total: Amount, amount: Amount) -> Amount {
    total.plus(amount).unwrap_or(Amount::MAX)
}
