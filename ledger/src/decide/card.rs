//! Card requests, the bank credits that pay for them, lapses, and receipts that an operator assigns.

use wire::{amount::Amount, id::AccountNumber, id::EntryNumber, limits, time::Timestamp};

use super::{Ruled, Ruling, money, not_possible, operator, signer};
use crate::{
    account::{Account, transfer},
    entry::{Concerns, Mismatch, Outcome, Refusal},
    reference,
    request::{CardRequest, Credit, OperatorRole, Settings},
    state::{ReceiptState, RequestState, RequestedCard, State},
};

/// Cards that a member may hold and wait for, so that its lists stay within one page.
const CARDS: usize = limits::PAGE;

/// Card requests of one member that may wait for money at once.
const WAITING: usize = 20;

pub(super) fn request(state: &State, settings: &Settings, it: &CardRequest, at: Timestamp) -> Ruled {
    let holder = signer(state, AccountNumber::Member(it.member), it.event)?;
    money(settings, it.amount, it.currency)?;
    let (least, most) = (settings.card_least, settings.card_most);
    if it.amount < least || it.amount > most {
        return Err(Refusal::AmountOutOfRange { least, most });
    }
    if holder.waiting.len() >= WAITING {
        return Err(not_possible(format!("{WAITING} card requests wait for money already")));
    }
    if holder.cards.len() + holder.waiting.len() >= CARDS {
        return Err(not_possible(format!("a member has at most {CARDS} cards")));
    }
    let outcome = Outcome::CardRequested {
        reference: reference::make(state.next()),
        expires: at.plus_ms(settings.funding_ms),
    };
    Ok(Ruling::plain(outcome, Concerns { member: Some(it.member), ..Concerns::NOBODY }))
}

/// A credit is matched by reference and exact amount. It never fails for what the payer did: money that came in is
/// booked, at the worst as unmatched. A request that is past its time but has not lapsed in the books is still paid.
pub(super) fn credit(state: &State, settings: &Settings, it: &Credit) -> Ruled {
    if let Some(of) = state.booked(&it.bank_reference) {
        return Err(Refusal::Duplicate { of });
    }
    if let Some(of) = state.credit_entered(it) {
        return Err(Refusal::Duplicate { of });
    }
    money(settings, it.amount, it.currency)?;
    let mismatch = match requested(state, it.reference.as_deref()) {
        None => Mismatch::UnknownReference,
        Some((request, requested)) => match requested.state {
            RequestState::Issued(_) => Mismatch::AlreadyPaid { request },
            RequestState::Lapsed => Mismatch::Lapsed { request },
            RequestState::Waiting if it.amount < requested.amount => {
                Mismatch::TooLittle { request, expected: requested.amount }
            }
            RequestState::Waiting if it.amount > requested.amount => {
                Mismatch::TooMuch { request, expected: requested.amount }
            }
            RequestState::Waiting => return Ok(issue(state, request, requested, it.amount, Account::Bank)),
        },
    };
    let postings = transfer(Account::Bank, Account::Unmatched, it.amount);
    Ok(Ruling { outcome: Outcome::Unmatched(mismatch), postings, concerns: Concerns::NOBODY })
}

/// The card holds what came in, which may be less than the settings' least: it is all there is. It is never more
/// than their most.
pub(super) fn assign(
    state: &State,
    settings: &Settings,
    by: &str,
    receipt: EntryNumber,
    request: EntryNumber,
) -> Ruled {
    operator(state, by, OperatorRole::Clerk)?;
    let held = state.receipt(receipt).filter(|held| held.state == ReceiptState::Waiting);
    let held = held.ok_or_else(|| not_possible(format!("{receipt} is no bank receipt that waits")))?;
    let requested = state.requested(request).filter(|it| it.state == RequestState::Waiting);
    let requested =
        requested.ok_or_else(|| not_possible(format!("{request} is no card request that waits")))?;
    if held.amount > settings.card_most {
        return Err(Refusal::AmountOutOfRange { least: settings.card_least, most: settings.card_most });
    }
    Ok(issue(state, request, requested, held.amount, Account::Unmatched))
}

pub(super) fn lapse(state: &State, request: EntryNumber, at: Timestamp) -> Ruled {
    let requested = state.requested(request).filter(|it| it.state == RequestState::Waiting);
    let requested =
        requested.ok_or_else(|| not_possible(format!("{request} is no card request that waits")))?;
    if at <= requested.expires {
        return Err(not_possible(format!("{request} still has time")));
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns { member: Some(requested.member), ..Concerns::NOBODY }))
}

fn requested<'a>(state: &'a State, reference: Option<&str>) -> Option<(EntryNumber, &'a RequestedCard)> {
    let request = reference::parse(reference?)?;
    Some((request, state.requested(request)?))
}

fn issue(
    state: &State,
    request: EntryNumber,
    requested: &RequestedCard,
    amount: Amount,
    from: Account,
) -> Ruling {
    let card = state.next_card();
    Ruling {
        outcome: Outcome::CardIssued { card, request, amount },
        postings: transfer(from, Account::Card(card), amount),
        concerns: Concerns { card: Some(card), member: Some(requested.member), store: None },
    }
}
