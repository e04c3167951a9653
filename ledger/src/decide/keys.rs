//! Changes of accounts' keys, and of cashiers'.

use wire::{
    id::{AccountNumber, EntryNumber},
    limits,
    payload::KeyRole,
    time::Timestamp,
};

use super::{Ruled, Ruling, not_possible, operator, signer, stated};
use crate::{
    entry::{Concerns, Outcome, Refusal},
    request::{CashierChange, KeyCancel, KeyChange, OperatorRole},
    state::{Holder, State},
};

/// Key events of one account.
const CHAIN: usize = limits::PAGE;
/// The last events that only the center can make, so that it can always revoke and replace.
const CHAIN_FOR_CENTER: usize = 6;
/// The last events before those that are kept for the recovery key, so that whoever stole a signature key can't use up
/// the chain and leave its owner without a way back.
const CHAIN_FOR_RECOVERY: usize = 20;

/// Who makes a key event.
pub(super) enum Whose {
    Signature,
    Recovery,
    Center,
}

/// Whether an account's chain has room for so many events more. A recovery key that waits has its place already.
pub(super) fn room(holder: &Holder, whose: Whose, events: usize) -> Result<(), Refusal> {
    let most = match whose {
        Whose::Signature => CHAIN - CHAIN_FOR_CENTER - CHAIN_FOR_RECOVERY,
        Whose::Recovery => CHAIN - CHAIN_FOR_CENTER,
        Whose::Center => CHAIN,
    };
    let waiting = usize::from(holder.waiting_key.is_some());
    if holder.chain.len() + waiting + events > most {
        return Err(not_possible("this account's keys were changed too often; ask the center"));
    }
    Ok(())
}

/// The signature and the recovery key change keys. The recovery key does so at once and even where the account is
/// frozen. The signature key can't take away the recovery key that is in force: its wish for another waits.
pub(super) fn change(state: &State, it: &KeyChange, at: Timestamp) -> Ruled {
    let holder = state.holder(it.account).ok_or(Refusal::KeyNotInForce)?;
    let (whose, waits) = match it.by {
        // A freeze stops whoever holds the signature key, but never the owner's way back.
        KeyRole::Signature => {
            signer(state, it.account, it.event)?;
            let waits = it.role == KeyRole::Recovery && holder.key(KeyRole::Recovery).is_some();
            if waits && it.key.is_none() {
                return Err(not_possible("the recovery key is revoked with the recovery phrase alone"));
            }
            if it.role == KeyRole::Recovery && holder.waiting_key.is_some() {
                return Err(not_possible("a new recovery key waits already until it is in force"));
            }
            (Whose::Signature, waits)
        }
        KeyRole::Recovery => {
            recovery(holder, it.event)?;
            (Whose::Recovery, false)
        }
        KeyRole::Terminal => return Err(not_possible("a terminal key can't change keys")),
    };
    if it.key.is_some_and(|key| state.key_holder(&key).is_some()) {
        return Err(Refusal::KeyTaken);
    }
    if it.key.is_none() && holder.key(it.role).is_none() {
        return Err(not_possible("there is no such key to revoke"));
    }
    room(holder, whose, 1)?;
    let outcome =
        if waits { Outcome::KeyWaits { from: at.plus_ms(limits::CAUTION_MS) } } else { Outcome::Entered };
    Ok(Ruling::plain(outcome, Concerns::account(it.account)))
}

pub(super) fn cancel(state: &State, it: &KeyCancel) -> Ruled {
    let holder = state.holder(it.account).ok_or(Refusal::KeyNotInForce)?;
    recovery(holder, it.event)?;
    if holder.waiting_key.is_none_or(|waiting| waiting.change != it.change) {
        return Err(not_possible(format!("{} is no recovery key that waits", it.change)));
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns::account(it.account)))
}

/// The desk's time-out: nobody cancelled it in time. A freeze stops it, since the signature key asked for it.
pub(super) fn in_force(state: &State, account: AccountNumber, change: EntryNumber, at: Timestamp) -> Ruled {
    let holder = state.holder(account);
    let waiting = holder.and_then(|holder| holder.waiting_key).filter(|waiting| waiting.change == change);
    let waiting = waiting.ok_or_else(|| not_possible(format!("{change} is no recovery key that waits")))?;
    if at < waiting.from {
        return Err(not_possible(format!("{change} still waits")));
    }
    if holder.is_some_and(|holder| holder.frozen) {
        return Err(Refusal::AccountFrozen);
    }
    Ok(Ruling::plain(Outcome::KeyInForce(waiting.key), Concerns::account(account)))
}

pub(super) fn revoke(state: &State, by: &str, account: AccountNumber, role: KeyRole, reason: &str) -> Ruled {
    operator(state, by, OperatorRole::Supervisor)?;
    stated(reason)?;
    let holder =
        state.holder(account).ok_or_else(|| not_possible(format!("there is no account {account}")))?;
    if holder.key(role).is_none() {
        return Err(not_possible("there is no such key to revoke"));
    }
    room(holder, Whose::Center, 1)?;
    Ok(Ruling::plain(Outcome::Entered, Concerns::account(account)))
}

/// A key that was ever registered, a cashier's too whose rights were taken away, can't be certified: whoever finds an
/// old terminal finds nothing that can be made to count again.
pub(super) fn cashier(state: &State, it: &CashierChange) -> Ruled {
    let holder = signer(state, AccountNumber::Store(it.store), it.event)?;
    let known = holder.cashiers.contains_key(&it.key);
    match &it.rights {
        None if !known => return Err(not_possible("there is no such cashier")),
        None => {}
        Some(_) => {
            if !known && state.key_holder(&it.key).is_some() {
                return Err(Refusal::KeyTaken);
            }
            if !known && holder.cashiers.len() >= limits::CASHIERS {
                return Err(not_possible(format!("a store has at most {} cashiers", limits::CASHIERS)));
            }
        }
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns::account(AccountNumber::Store(it.store))))
}

/// The event that put the recovery key in force still stands.
fn recovery(holder: &Holder, event: EntryNumber) -> Result<(), Refusal> {
    match holder.key(KeyRole::Recovery) {
        Some((_, in_force)) if in_force == event => Ok(()),
        _ => Err(Refusal::KeyNotInForce),
    }
}
