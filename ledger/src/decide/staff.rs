//! Operators, documents, limits, and acts that take two operators.

use wire::{
    amount::Amount,
    id::{Digest, EntryNumber},
    time::Timestamp,
};

use super::{Ruled, Ruling, direct, not_possible, operator as allowed};
use crate::{
    entry::{Concerns, Outcome, Refusal},
    request::{Document, OperatorRole, Proposed, Settings},
    state::{Proposal, State},
};

/// The longest operator's name, in bytes.
const OPERATOR_NAME: usize = 64;

/// Proposals that may wait at once.
const PROPOSALS: usize = 200;

/// Whether an act takes two operators: it is above the limit or of a kind that always does, and there are two with the
/// role for it. Where a single operator has that role it is off, and the center says so.
pub fn four_eyes(state: &State, act: &Proposed) -> bool {
    let over = |amount: Option<Amount>, limit: Amount| amount.is_some_and(|amount| amount > limit);
    let limits = state.limits();
    let takes_two = match act {
        Proposed::CenterRefund { payment, .. } => {
            over(state.payment(*payment).map(|it| it.total), limits.refund_alone)
        }
        Proposed::AssignReceipt { receipt, .. } | Proposed::ReturnReceipt { receipt } => {
            over(state.receipt(*receipt).map(|it| it.amount), limits.receipt_alone)
        }
        // It only takes away, and must not wait.
        Proposed::Revoke { .. } => false,
        Proposed::Recode { .. }
        | Proposed::AdmitReplacement(_)
        | Proposed::Document { .. }
        | Proposed::Limits(_)
        | Proposed::Operator { .. } => true,
    };
    takes_two && state.operators_with(act.least()) >= 2
}

pub(super) fn operator(state: &State, name: &str, role: Option<OperatorRole>, by: Option<&str>) -> Ruled {
    match by {
        Some(by) => allowed(state, by, OperatorRole::Admin)?,
        None if state.operators().next().is_none() => {}
        None => return Err(Refusal::NotAllowed),
    }
    if name.is_empty() || name.len() > OPERATOR_NAME {
        return Err(not_possible(format!("an operator's name has 1 to {OPERATOR_NAME} bytes")));
    }
    if role.is_none() && state.operator(name).is_none() {
        return Err(not_possible("there is no such operator"));
    }
    let was_admin = state.operator(name) == Some(OperatorRole::Admin);
    let others = state.operators().any(|(other, role)| other != name && role == OperatorRole::Admin);
    if role != Some(OperatorRole::Admin) && !others && (was_admin || by.is_none()) {
        return Err(not_possible("one operator must stay admin"));
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY))
}

/// Versions follow each other, so that of two changes of the same text the second is refused and not lost.
pub(super) fn document(
    state: &State,
    by: Option<&str>,
    document: Document,
    version: u32,
    digest: &Digest,
) -> Ruled {
    let current = state.document(document);
    match (by, current) {
        (Some(by), _) => allowed(state, by, OperatorRole::Admin)?,
        (None, None) => {}
        (None, Some(_)) => return Err(Refusal::NotAllowed),
    }
    let last = current.map_or(0, |current| current.version);
    if Some(version) != last.checked_add(1) {
        return Err(not_possible(format!(
            "version {last} is in force; the next is {}",
            last.saturating_add(1)
        )));
    }
    if current.is_some_and(|current| current.digest == *digest) {
        return Err(not_possible("nothing is changed"));
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY))
}

pub(super) fn limits(state: &State, by: &str) -> Ruled {
    allowed(state, by, OperatorRole::Admin)?;
    Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY))
}

/// Only what could be done now is proposed, and only where another could confirm it.
pub(super) fn propose(state: &State, settings: &Settings, by: &str, act: &Proposed, at: Timestamp) -> Ruled {
    direct(state, settings, &act.request(by), at)?;
    if !state.operators().any(|(name, role)| name != by && role >= act.least()) {
        return Err(not_possible("no other operator could confirm it; it takes no second one"));
    }
    if state.proposals(at).count() >= PROPOSALS {
        return Err(not_possible(format!("{PROPOSALS} proposals wait already")));
    }
    Ok(Ruling::plain(Outcome::Proposed, Concerns::NOBODY))
}

/// Whoever confirms does it: what the act itself takes is asked again, for as long as it waited much may have changed.
pub(super) fn confirm(
    state: &State,
    settings: &Settings,
    by: &str,
    number: EntryNumber,
    act: &Proposed,
    at: Timestamp,
) -> Ruled {
    let proposal = open(state, number, at)?;
    allowed(state, by, proposal.act.least())?;
    if proposal.by == by {
        return Err(Refusal::SamePerson);
    }
    if allowed(state, &proposal.by, proposal.act.least()).is_err() {
        return Err(not_possible(format!("{}, who proposed it, may not do it any more", proposal.by)));
    }
    if proposal.act != *act {
        return Err(not_possible(format!("it is not what {number} proposes; look at it again")));
    }
    direct(state, settings, &act.request(by), at)
}

pub(super) fn withdraw(state: &State, by: &str, number: EntryNumber, at: Timestamp) -> Ruled {
    let proposal = open(state, number, at)?;
    if proposal.by == by {
        allowed(state, by, OperatorRole::Viewer)?;
    } else {
        allowed(state, by, proposal.act.least())?;
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY))
}

fn open(state: &State, number: EntryNumber, at: Timestamp) -> Result<&Proposal, Refusal> {
    let proposal = state.proposal(number).filter(|proposal| at <= proposal.until);
    proposal.ok_or_else(|| not_possible(format!("{number} is no proposal that waits")))
}
