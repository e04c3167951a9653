//! Claims, the transfers that follow, and what the bank says of them.

use std::collections::BTreeMap;

use wire::{
    amount::Amount,
    id::{AccountNumber, EntryNumber},
    limits,
    time::Timestamp,
};

use super::{Ruled, Ruling, free, money, not_possible, operator, signer};
use crate::{
    account::{Account, transfer},
    entry::{Concerns, Outcome, Purpose, Refusal},
    request::{Claim, DeliveryProof, OperatorRole, Settings, TransferResult},
    state::{ClaimState, Payment, PaymentState, Payout, PayoutState, ReceiptState, State},
};

/// Claimable is what is open and proved to be delivered. A refusal for want of proof names every payment that lacks
/// it, so that the store can claim the others.
pub(super) fn claim(state: &State, settings: &Settings, it: &Claim) -> Ruled {
    signer(state, AccountNumber::Store(it.store), it.event)?;
    money(settings, it.total, it.currency)?;
    let ascending = it.payments.windows(2).all(|pair| pair[0] < pair[1]);
    if it.payments.is_empty() || it.payments.len() > limits::CLAIM_ITEMS || !ascending {
        return Err(Refusal::ClaimOutOfOrder);
    }
    let proofs: BTreeMap<EntryNumber, &DeliveryProof> =
        it.proofs.iter().map(|proof| (proof.payment, proof)).collect();
    let mut amounts = Vec::with_capacity(it.payments.len());
    let mut undelivered = Vec::new();
    for &payment in &it.payments {
        let paid = state.payment(payment).filter(|paid| paid.store == it.store);
        let paid = paid.ok_or(Refusal::UnknownPayment { payment })?;
        match paid.state {
            PaymentState::Open => {}
            PaymentState::Claimed(_) => return Err(Refusal::AlreadyClaimed { payment }),
            PaymentState::Refunded(_) => return Err(Refusal::AlreadyRefunded { payment }),
        }
        if !proofs.get(&payment).is_some_and(|proof| proves(proof, &paid)) {
            undelivered.push(payment);
        }
        amounts.push(paid.total);
    }
    if !undelivered.is_empty() {
        return Err(Refusal::NotDelivered { payments: undelivered });
    }
    let Some(sum) = Amount::sum(amounts) else {
        return Err(not_possible("that is more than one transfer can move; claim fewer payments at once"));
    };
    if sum != it.total {
        return Err(Refusal::WrongAmount { expected: sum });
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns { store: Some(it.store), ..Concerns::NOBODY }))
}

/// The transfer for an accepted claim. A frozen store's waits until it is released, a held one's until its time is over.
pub(super) fn pay(state: &State, claim: EntryNumber, at: Timestamp) -> Ruled {
    let due = state.claim(claim).filter(|it| it.state == ClaimState::Due);
    let due = due.ok_or_else(|| not_possible(format!("{claim} is no claim that waits for its transfer")))?;
    let store = state.holder(AccountNumber::Store(due.store)).filter(|store| !store.frozen);
    free(store.ok_or(Refusal::StoreFrozen)?, at)?;
    Ok(Ruling {
        outcome: Outcome::PayoutIntended { purpose: Purpose::Claim(claim), amount: due.total },
        postings: transfer(Account::Payable(due.store), Account::PayoutsInTransit, due.total),
        concerns: Concerns { store: Some(due.store), ..Concerns::NOBODY },
    })
}

/// An unmatched receipt goes back to whoever sent it.
pub(super) fn give_back(state: &State, by: &str, receipt: EntryNumber) -> Ruled {
    operator(state, by, OperatorRole::Supervisor)?;
    let held = state.receipt(receipt).filter(|held| held.state == ReceiptState::Waiting);
    let held = held.ok_or_else(|| not_possible(format!("{receipt} is no bank receipt that waits")))?;
    Ok(Ruling {
        outcome: Outcome::PayoutIntended { purpose: Purpose::Return(receipt), amount: held.amount },
        postings: transfer(Account::Unmatched, Account::PayoutsInTransit, held.amount),
        concerns: Concerns::NOBODY,
    })
}

/// What was not executed is owed again: a claim's payments are claimable, a receipt waits on the desk.
///
/// A bank that first says a transfer failed and then executes it has moved money all the same: see [`late`].
pub(super) fn result(state: &State, number: EntryNumber, result: &TransferResult) -> Ruled {
    let payout =
        state.payout(number).ok_or_else(|| not_possible(format!("{number} is no transfer of ours")))?;
    let paid = matches!(result, TransferResult::Paid { .. });
    match payout.state {
        PayoutState::InTransit => {}
        PayoutState::Paid { by } => {
            return Err(not_possible(format!("the bank said by {by} that {number} was executed")));
        }
        PayoutState::Failed { by } if !paid => {
            return Err(not_possible(format!("the bank said by {by} that {number} was not executed")));
        }
        PayoutState::Failed { .. } => return late(state, payout),
    }
    let (owed, store) = match payout.purpose {
        Purpose::Claim(number) => {
            let claim = claim_of(state, number)?;
            (Account::Payable(claim.store), Some(claim.store))
        }
        Purpose::Return(_) => (Account::Unmatched, None),
    };
    let to = if paid { Account::Bank } else { owed };
    Ok(Ruling {
        outcome: Outcome::PayoutSettled { purpose: payout.purpose, amount: payout.amount, paid },
        postings: transfer(Account::PayoutsInTransit, to, payout.amount),
        concerns: Concerns { store, ..Concerns::NOBODY },
    })
}

/// The bank executed what it had said would not be. The money is gone, so the books follow the bank: what is still
/// owed of it is settled and can't be claimed again, and what was claimed or given back since is owed by whoever got
/// it twice.
fn late(state: &State, payout: &Payout) -> Ruled {
    let outcome = Outcome::PayoutSettled { purpose: payout.purpose, amount: payout.amount, paid: true };
    let (postings, store) = match payout.purpose {
        Purpose::Claim(number) => {
            let claim = claim_of(state, number)?;
            let open = claim.payments.iter().filter_map(|payment| state.payment(*payment));
            let open = open.filter(|paid| paid.state == PaymentState::Open).map(|paid| paid.total);
            let owed = Amount::sum(open).unwrap_or(payout.amount);
            let twice = payout.amount.minus(owed).unwrap_or(Amount::ZERO);
            let debtor = Account::Receivable(AccountNumber::Store(claim.store));
            let debits = [(Account::Payable(claim.store), owed), (debtor, twice)];
            let moved = debits.into_iter().filter(|(_, amount)| !amount.is_zero());
            let postings = moved.flat_map(|(debit, amount)| transfer(debit, Account::Bank, amount)).collect();
            (postings, Some(claim.store))
        }
        Purpose::Return(receipt) => {
            let held = state.receipt(receipt).map(|held| held.state);
            let debit = match held {
                Some(ReceiptState::Waiting) => Account::Unmatched,
                Some(ReceiptState::Assigned(card)) => {
                    let card = state.card(card).ok_or_else(|| not_possible(format!("there is no {card}")))?;
                    Account::Receivable(AccountNumber::Member(card.holder))
                }
                // Whoever sent it has no account here that could owe it.
                Some(ReceiptState::Returning(other)) => {
                    return Err(not_possible(format!("{receipt} goes back a second time, by {other}")));
                }
                Some(ReceiptState::Returned) | None => {
                    return Err(not_possible(format!("{receipt} went back before")));
                }
            };
            (transfer(debit, Account::Bank, payout.amount), None)
        }
    };
    Ok(Ruling { outcome, postings, concerns: Concerns { store, ..Concerns::NOBODY } })
}

fn claim_of(state: &State, number: EntryNumber) -> Result<&crate::state::Claim, Refusal> {
    state.claim(number).ok_or_else(|| not_possible(format!("there is no claim {number}")))
}

fn proves(proof: &DeliveryProof, paid: &Payment) -> bool {
    proof.offer == paid.offer && proof.order == paid.order && proof.total == paid.total
}
