//! Claims, the transfers that follow, and what the bank says of them.

use std::collections::BTreeMap;

use wire::{
    amount::Amount,
    id::{AccountNumber, EntryNumber},
    limits,
};

use super::{Ruled, Ruling, money, not_possible, operator, signer};
use crate::{
    account::{Account, transfer},
    entry::{Concerns, Outcome, Purpose, Refusal},
    request::{Claim, DeliveryProof, OperatorRole, Settings, TransferResult},
    state::{ClaimState, Payment, PaymentState, PayoutState, ReceiptState, State},
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
        if !proofs.get(&payment).is_some_and(|proof| proves(proof, paid)) {
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

/// The transfer for an accepted claim. A frozen store's waits until it is released.
pub(super) fn pay(state: &State, claim: EntryNumber) -> Ruled {
    let due = state.claim(claim).filter(|it| it.state == ClaimState::Due);
    let due = due.ok_or_else(|| not_possible(format!("{claim} is no claim that waits for its transfer")))?;
    if state.holder(AccountNumber::Store(due.store)).is_none_or(|store| store.frozen) {
        return Err(Refusal::StoreFrozen);
    }
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
pub(super) fn result(state: &State, number: EntryNumber, result: &TransferResult) -> Ruled {
    let payout =
        state.payout(number).ok_or_else(|| not_possible(format!("{number} is no transfer of ours")))?;
    match payout.state {
        PayoutState::InTransit => {}
        PayoutState::Paid { by } => {
            return Err(not_possible(format!("the bank said by {by} that {number} was executed")));
        }
        PayoutState::Failed { by } => {
            return Err(not_possible(format!("the bank said by {by} that {number} was not executed")));
        }
    }
    let (owed, store) = match payout.purpose {
        Purpose::Claim(claim) => {
            let claim =
                state.claim(claim).ok_or_else(|| not_possible(format!("there is no claim {claim}")))?;
            (Account::Payable(claim.store), Some(claim.store))
        }
        Purpose::Return(_) => (Account::Unmatched, None),
    };
    let paid = matches!(result, TransferResult::Paid { .. });
    let to = if paid { Account::Bank } else { owed };
    Ok(Ruling {
        outcome: Outcome::PayoutSettled { purpose: payout.purpose, amount: payout.amount, paid },
        postings: transfer(Account::PayoutsInTransit, to, payout.amount),
        concerns: Concerns { store, ..Concerns::NOBODY },
    })
}

fn proves(proof: &DeliveryProof, paid: &Payment) -> bool {
    proof.offer == paid.offer && proof.order == paid.order && proof.total == paid.total
}
