//! Founding, key sheets, standing, personal data.

use wire::id::AccountNumber;

use super::{Ruled, Ruling, not_possible, operator, stated};
use crate::{
    calendar::Calendar,
    entry::{Concerns, Outcome, Refusal},
    request::{OperatorAct, OperatorRole, Person, Settings, Standing},
    state::State,
};

pub(super) fn found(state: &State, settings: &Settings) -> Ruled {
    if state.settings().is_some() {
        return Err(not_possible("the center is founded already"));
    }
    if settings.card_least > settings.card_most || settings.card_most.is_zero() {
        return Err(not_possible("the most that a card can hold is less than the least"));
    }
    if settings.day_end > 1440 {
        return Err(not_possible("a business day ends at most 1440 minutes after midnight"));
    }
    Calendar::new(settings).map_err(not_possible)?;
    Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY))
}

pub(super) fn sheet(state: &State, number: u64, by: Option<&str>) -> Ruled {
    match (by, state.sheet()) {
        (Some(by), _) => operator(state, by, OperatorRole::Admin)?,
        (None, None) => {}
        (None, Some(_)) => return Err(Refusal::NotAllowed),
    }
    match state.sheet() {
        Some((current, _)) if number <= current => {
            Err(not_possible(format!("key sheet {current} is in force already")))
        }
        _ => Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY)),
    }
}

pub(super) fn standing(state: &State, by: &str, of: Standing, frozen: bool) -> Ruled {
    operator(state, by, OperatorRole::Supervisor)?;
    let (was_frozen, concerns) = match of {
        Standing::Card(number) => {
            let card =
                state.card(number).ok_or_else(|| not_possible(format!("there is no card {number}")))?;
            (card.frozen, Concerns { card: Some(number), member: Some(card.holder), store: None })
        }
        Standing::Account(account) => {
            let holder = state
                .holder(account)
                .ok_or_else(|| not_possible(format!("there is no account {account}")))?;
            (holder.frozen, Concerns::account(account))
        }
    };
    match (was_frozen, frozen) {
        (true, true) => Err(not_possible("it is frozen already")),
        (false, false) => Err(not_possible("it is not frozen")),
        _ => Ok(Ruling::plain(Outcome::Entered, concerns)),
    }
}

/// Whoever sees personal data, or hands it out, has said why before.
pub(super) fn disclose(state: &State, by: &str, of: Person, least: OperatorRole, reason: &str) -> Ruled {
    operator(state, by, least)?;
    stated(reason)?;
    Ok(Ruling::plain(Outcome::Entered, concerned(state, of)?))
}

/// What changes nothing needs the role for it, and words of a bounded length.
pub(super) fn note(state: &State, by: &str, act: &OperatorAct) -> Ruled {
    operator(state, by, act.needs())?;
    match act {
        OperatorAct::PostRetry { name } => stated(name)?,
        OperatorAct::KitAdd { .. }
        | OperatorAct::KitRemove { .. }
        | OperatorAct::AcceptClock
        | OperatorAct::OwnPassphrase => {}
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY))
}

/// A person is erased once, and a store not while it is owed money: with its bank account the way to pay it is gone.
pub(super) fn erase(state: &State, by: &str, of: Person, reason: &str) -> Ruled {
    operator(state, by, OperatorRole::Admin)?;
    stated(reason)?;
    let concerns = concerned(state, of)?;
    if let Person::Account(account) = of {
        if let Some(entry) = state.holder(account).and_then(|holder| holder.erased) {
            return Err(not_possible(format!("the personal data of {account} was erased by {entry}")));
        }
        if let AccountNumber::Store(store) = account
            && !state.payable(store).is_zero()
        {
            return Err(not_possible(format!("{store} is owed money and could not be paid any more")));
        }
    }
    Ok(Ruling::plain(Outcome::Entered, concerns))
}

fn concerned(state: &State, of: Person) -> Result<Concerns, Refusal> {
    match of {
        Person::Account(account) if state.holder(account).is_none() => {
            Err(not_possible(format!("there is no account {account}")))
        }
        Person::Account(account) => Ok(Concerns::account(account)),
        Person::Application(_) => Ok(Concerns::NOBODY),
    }
}
