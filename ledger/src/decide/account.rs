//! Founding, key sheets, operators, registrations, key changes, standing.

use wire::{
    id::{AccountNumber, Role},
    limits,
    payload::KeyRole,
};

use super::{Ruled, Ruling, not_possible, operator as allowed, signer};
use crate::{
    entry::{Concerns, Outcome, Refusal},
    request::{KeyChange, OperatorRole, Registration, Settings, Standing},
    state::State,
};

/// Key events of one account. The last of them are kept for the recovery key, so that whoever stole a signature key
/// can't use up the chain and leave its owner without a way back.
const CHAIN: usize = limits::PAGE;
const CHAIN_FOR_RECOVERY: usize = 20;

/// The longest operator's name, in bytes.
const OPERATOR_NAME: usize = 64;

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
    Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY))
}

pub(super) fn sheet(state: &State, number: u64) -> Ruled {
    match state.sheet() {
        Some((current, _)) if number <= current => {
            Err(not_possible(format!("key sheet {current} is in force already")))
        }
        _ => Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY)),
    }
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

pub(super) fn register(state: &State, it: &Registration) -> Ruled {
    let keys = [Some(it.signature_key), Some(it.terminal_key), it.recovery_key];
    let known = keys.iter().flatten().any(|key| state.key_holder(key).is_some());
    if known || keys[0] == keys[1] || keys[0] == keys[2] || keys[1] == keys[2] {
        return Err(Refusal::KeyTaken);
    }
    let account = match it.role {
        Role::Member => AccountNumber::Member(state.next_member()),
        Role::Store if it.trade_name.as_ref().is_none_or(|name| name.trim().is_empty()) => {
            return Err(not_possible("a store needs a name to trade under"));
        }
        Role::Store => AccountNumber::Store(state.next_store()),
    };
    Ok(Ruling::plain(Outcome::Registered(account), Concerns::account(account)))
}

pub(super) fn change_key(state: &State, it: &KeyChange) -> Ruled {
    let holder = state.holder(it.account).ok_or(Refusal::KeyNotInForce)?;
    let room = match it.by {
        // A freeze stops whoever holds the signature key, but never the owner's way back.
        KeyRole::Signature => {
            signer(state, it.account, it.event)?;
            if it.role == KeyRole::Recovery && holder.key(KeyRole::Recovery).is_some() {
                return Err(not_possible("the recovery key is changed with the recovery phrase"));
            }
            CHAIN - CHAIN_FOR_RECOVERY
        }
        KeyRole::Recovery => {
            if holder.key(KeyRole::Recovery).map(|(_, event)| event) != Some(it.event) {
                return Err(Refusal::KeyNotInForce);
            }
            CHAIN
        }
        KeyRole::Terminal => return Err(not_possible("a terminal key can't change keys")),
    };
    if it.key.is_some_and(|key| state.key_holder(&key).is_some()) {
        return Err(Refusal::KeyTaken);
    }
    if it.key.is_none() && holder.key(it.role).is_none() {
        return Err(not_possible("there is no such key to revoke"));
    }
    if holder.chain.len() >= room {
        return Err(not_possible("this account's keys were changed too often; ask the center"));
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns::account(it.account)))
}

pub(super) fn standing(state: &State, by: &str, of: Standing, frozen: bool) -> Ruled {
    allowed(state, by, OperatorRole::Supervisor)?;
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
