//! Payments, voids, refunds.

use wire::{id::AccountNumber, time::Timestamp};

use super::{Ruled, Ruling, money, not_possible, signer};
use crate::{
    account::{Account, transfer},
    entry::{Concerns, Outcome, Refusal},
    request::{Payment, Refund, Settings, Void},
    state::{PaymentState, State},
};

pub(super) fn pay(state: &State, settings: &Settings, it: &Payment, at: Timestamp) -> Ruled {
    signer(state, AccountNumber::Member(it.member), it.event)?;
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
/// is theirs.
pub(super) fn refund(state: &State, settings: &Settings, it: &Refund) -> Ruled {
    signer(state, AccountNumber::Store(it.store), it.event)?;
    money(settings, it.amount, it.currency)?;
    let payment = it.payment;
    let paid = state.payment(payment).filter(|paid| paid.store == it.store);
    let paid = paid.ok_or(Refusal::UnknownPayment { payment })?;
    match paid.state {
        PaymentState::Open => {}
        PaymentState::Claimed(_) => return Err(Refusal::AlreadyClaimed { payment }),
        PaymentState::Refunded(_) => return Err(Refusal::AlreadyRefunded { payment }),
    }
    if it.amount != paid.total {
        return Err(Refusal::WrongAmount { expected: paid.total });
    }
    let card = state.card(paid.card).ok_or(Refusal::UnknownCard)?;
    // A card was issued with an amount within the limit, and only what left it comes back.
    let balance =
        card.balance.plus(paid.total).ok_or_else(|| not_possible("the card would hold too much"))?;
    Ok(Ruling {
        outcome: Outcome::Refunded { card: paid.card, amount: paid.total, balance },
        postings: transfer(Account::Payable(it.store), Account::Card(paid.card), paid.total),
        concerns: Concerns { card: Some(paid.card), member: Some(paid.member), store: Some(it.store) },
    })
}
