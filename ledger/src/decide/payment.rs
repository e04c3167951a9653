//! Payments, voids, refunds.

use wire::{
    id::{AccountNumber, EntryNumber},
    time::Timestamp,
};

use super::{Ruled, Ruling, free, money, not_possible, operator, signer, stated};
use crate::{
    account::{Account, transfer},
    calendar::{Calendar, Day},
    entry::{Concerns, Outcome, Refusal},
    request::{OperatorRole, Payment, Refund, Settings, Void},
    state::{Payment as Paid, PaymentState, State},
};

pub(super) fn pay(state: &State, settings: &Settings, it: &Payment, at: Timestamp) -> Ruled {
    let holder = signer(state, AccountNumber::Member(it.member), it.event)?;
    free(holder, at)?;
    money(settings, it.total, it.currency)?;
    let card = state.card(it.card).filter(|card| card.holder == it.member).ok_or(Refusal::UnknownCard)?;
    if card.frozen {
        return Err(Refusal::CardFrozen);
    }
    let store = state.holder(AccountNumber::Store(it.store)).ok_or(Refusal::UnknownStore)?;
    if store.frozen {
        return Err(Refusal::StoreFrozen);
    }
    if let Some(by) = state.paid_by(it.store, it.order) {
        return Err(Refusal::AlreadyPaid { by });
    }
    if at > it.offer_expires {
        return Err(Refusal::OfferExpired);
    }
    let Some(balance) = card.balance.minus(it.total) else {
        // The total is the larger of the two here.
        return Err(Refusal::BalanceShort { by: it.total.minus(card.balance).unwrap_or_default() });
    };
    Ok(Ruling {
        outcome: Outcome::Paid { balance },
        postings: transfer(Account::Card(it.card), Account::Payable(it.store), it.total),
        concerns: Concerns { card: Some(it.card), member: Some(it.member), store: Some(it.store) },
    })
}

/// Whoever signed a telegram may always withdraw it while it has not been entered, frozen or not, and whatever key
/// is in force by now.
pub(super) fn void(state: &State, it: &Void) -> Ruled {
    if state.holder(it.account).is_none() {
        return Err(Refusal::KeyNotInForce);
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns::account(it.account)))
}

/// A payment is given back whole, to the card it came from, even where that card or its holder is frozen: the money
/// is theirs. A cashier gives back up to its limit on each business day.
pub(super) fn refund(state: &State, settings: &Settings, it: &Refund, at: Timestamp) -> Ruled {
    let account = AccountNumber::Store(it.store);
    let day = match it.cashier {
        None => {
            free(signer(state, account, it.event)?, at)?;
            None
        }
        Some(key) => {
            let holder = state.holder(account).ok_or(Refusal::KeyNotInForce)?;
            let cashier = holder.cashiers.get(&key).filter(|cashier| cashier.entry == it.event);
            let cashier = cashier.ok_or(Refusal::KeyNotInForce)?;
            if holder.frozen {
                return Err(Refusal::AccountFrozen);
            }
            free(holder, at)?;
            let day = Day::from(Calendar::new(settings).map_err(not_possible)?.day(at));
            let left = cashier.left(day);
            if it.amount > left {
                return Err(Refusal::CashierLimit { left });
            }
            Some(day)
        }
    };
    money(settings, it.amount, it.currency)?;
    let payment = it.payment;
    let paid = state.payment(payment).filter(|paid| paid.store == it.store);
    let paid = paid.ok_or(Refusal::UnknownPayment { payment })?;
    still_open(payment, &paid)?;
    if it.amount != paid.total {
        return Err(Refusal::WrongAmount { expected: paid.total });
    }
    give_back(state, &paid, day)
}

/// The center gives a payment back, whatever the store says.
pub(super) fn center_refund(
    state: &State,
    by: &str,
    payment: EntryNumber,
    reason: &str,
    at: Timestamp,
) -> Ruled {
    operator(state, by, OperatorRole::Clerk)?;
    stated(reason)?;
    let paid = state.payment(payment).ok_or(Refusal::UnknownPayment { payment })?;
    still_open(payment, &paid)?;
    free(state.holder(AccountNumber::Store(paid.store)).ok_or(Refusal::UnknownStore)?, at)?;
    give_back(state, &paid, None)
}

fn still_open(payment: EntryNumber, paid: &Paid) -> Result<(), Refusal> {
    match paid.state {
        PaymentState::Open => Ok(()),
        PaymentState::Claimed(_) => Err(Refusal::AlreadyClaimed { payment }),
        PaymentState::Refunded(_) => Err(Refusal::AlreadyRefunded { payment }),
    }
}

fn give_back(state: &State, paid: &Paid, day: Option<Day>) -> Ruled {
    let card = state.card(paid.card).ok_or(Refusal::UnknownCard)?;
    // A card was issued with an amount within the limit, and only what left it comes back.
    let balance =
        card.balance.plus(paid.total).ok_or_else(|| not_possible("the card would hold too much"))?;
    Ok(Ruling {
        outcome: Outcome::Refunded { card: paid.card, amount: paid.total, balance, day },
        postings: transfer(Account::Payable(paid.store), Account::Card(paid.card), paid.total),
        concerns: Concerns { card: Some(paid.card), member: Some(paid.member), store: Some(paid.store) },
    })
}
