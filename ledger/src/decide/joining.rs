//! Applications, activation codes, mail and letters, registrations.

use wire::{
    admission::Way,
    id::{AccountNumber, ApplicationNumber, EntryNumber},
    key::VerificationKey,
    payload::KeyRole,
    time::Timestamp,
};

use super::{Ruled, Ruling, keys, not_possible, operator, stated};
use crate::{
    entry::{Concerns, Outcome, Refusal},
    request::{Admission, OperatorRole, PostResult, Registration},
    state::{AdmissionState, Admitted, Decided, State},
};

/// Admits once. The center's own rule admits newcomers only: to replace a lost terminal takes operators.
pub(super) fn admit(state: &State, it: &Admission, at: Timestamp) -> Ruled {
    match (&it.by, it.replaces) {
        (Some(by), None) => operator(state, by, OperatorRole::Clerk)?,
        (Some(by), Some(_)) => operator(state, by, OperatorRole::Supervisor)?,
        (None, None) => {}
        (None, Some(_)) => return Err(Refusal::NotAllowed),
    }
    match state.decided(it.application) {
        None | Some(Decided::AskedBack(_)) => {}
        Some(Decided::Admitted(by)) => {
            return Err(not_possible(format!("{} was admitted by {by}", it.application)));
        }
        Some(Decided::Refused(by)) => {
            return Err(not_possible(format!("{} was refused by {by}", it.application)));
        }
    }
    goes_out(&it.ways, it.until, at)?;
    if state.key_holder(&it.key).is_some() {
        return Err(Refusal::KeyTaken);
    }
    let (account, concerns) = match it.replaces {
        None => (state.next_account(it.role), Concerns::NOBODY),
        Some(account) if account.role() != it.role => {
            return Err(not_possible(format!("{account} is no {} account", it.role)));
        }
        Some(account) if state.holder(account).is_none() => {
            return Err(not_possible(format!("there is no account {account}")));
        }
        Some(account) => (account, Concerns::account(account)),
    };
    Ok(Ruling::plain(Outcome::Admitted(account), concerns))
}

/// A new activation code as it is asked for.
pub(super) struct Code<'a> {
    pub(super) admission: EntryNumber,
    pub(super) until: Timestamp,
    pub(super) key: Option<&'a VerificationKey>,
    pub(super) ways: &'a [Way],
}

/// A new code, for the key that applied or, by an override, for another.
pub(super) fn recode(state: &State, by: &str, code: &Code<'_>, reason: &str, at: Timestamp) -> Ruled {
    operator(state, by, OperatorRole::Supervisor)?;
    stated(reason)?;
    let admitted = open(state, code.admission)?;
    goes_out(code.ways, code.until, at)?;
    if code.key.is_some_and(|key| state.key_holder(key).is_some()) {
        return Err(Refusal::KeyTaken);
    }
    let concerns = if admitted.replaces { Concerns::account(admitted.account) } else { Concerns::NOBODY };
    Ok(Ruling::plain(Outcome::Entered, concerns))
}

/// An application that was admitted can still be refused until it is registered; it can't be asked back any more.
pub(super) fn decline(
    state: &State,
    by: Option<&str>,
    application: ApplicationNumber,
    ask_back: bool,
) -> Ruled {
    if let Some(by) = by {
        operator(state, by, OperatorRole::Clerk)?;
    }
    match state.decided(application) {
        None | Some(Decided::AskedBack(_)) => {}
        Some(Decided::Refused(by)) => {
            return Err(not_possible(format!("{application} was refused by {by}")));
        }
        Some(Decided::Admitted(by)) if ask_back => {
            return Err(not_possible(format!("{application} was admitted by {by}")));
        }
        Some(Decided::Admitted(by)) => {
            open(state, by)?;
        }
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY))
}

pub(super) fn posted(state: &State, intent: EntryNumber, way: Way, result: &PostResult) -> Ruled {
    if let PostResult::GivenUp { by } = result {
        operator(state, by, OperatorRole::Clerk)?;
    }
    if !state.unposted().any(|(entry, ways)| entry == intent && ways.contains(&way)) {
        return Err(not_possible(format!("{intent} has nothing that waits to go out {}", way.words())));
    }
    Ok(Ruling::plain(Outcome::Entered, Concerns::NOBODY))
}

/// Registers what was admitted and nothing else: that number, that key, those particulars, once, and in time.
pub(super) fn register(state: &State, it: &Registration, at: Timestamp) -> Ruled {
    let admitted = open(state, it.admission)?;
    if admitted.application != it.application || admitted.account != it.account {
        return Err(not_possible("the number is not the one that came with the activation code"));
    }
    if admitted.key != it.signature_key {
        return Err(not_possible("only the key that applied may register; ask the center"));
    }
    if admitted.particulars != it.particulars {
        return Err(not_possible("the particulars are not those that were admitted"));
    }
    if at > admitted.until {
        return Err(not_possible("the activation code has run out; ask the center for another"));
    }
    let keys = [Some(it.signature_key), Some(it.terminal_key), it.recovery_key];
    let known = keys.iter().flatten().any(|key| state.key_holder(key).is_some());
    if known || keys[0] == keys[1] || keys[0] == keys[2] || keys[1] == keys[2] {
        return Err(Refusal::KeyTaken);
    }
    let named = it.trade_name.as_ref().is_some_and(|name| !name.trim().is_empty());
    if matches!(it.account, AccountNumber::Store(_)) && !named {
        return Err(not_possible("a store needs a name to trade under"));
    }
    if admitted.replaces {
        let holder = state.holder(it.account).ok_or_else(|| not_possible("there is no such account"))?;
        let recovery = it.recovery_key.is_some() || holder.key(KeyRole::Recovery).is_some();
        keys::room(holder, keys::Whose::Center, 2 + usize::from(recovery))?;
    }
    Ok(Ruling::plain(Outcome::Registered(it.account), Concerns::account(it.account)))
}

/// An admission with which someone can still register.
fn open(state: &State, admission: EntryNumber) -> Result<&Admitted, Refusal> {
    let admitted = state.admission(admission);
    let admitted = admitted.ok_or_else(|| not_possible(format!("{admission} admitted nobody")))?;
    match admitted.state {
        AdmissionState::Open => Ok(admitted),
        AdmissionState::Registered(by) => {
            Err(not_possible(format!("{} was registered by {by}", admitted.application)))
        }
        AdmissionState::Spent => Err(not_possible(format!(
            "nobody can register with {} any more; apply again",
            admitted.application
        ))),
    }
}

/// Something that goes out has a way, each once, and a time that is still to come.
fn goes_out(ways: &[Way], until: Timestamp, at: Timestamp) -> Result<(), Refusal> {
    if ways.is_empty() || ways.len() > 2 || (ways.len() == 2 && ways[0] == ways[1]) {
        return Err(not_possible("the code goes by e-mail, by letter, or by both"));
    }
    if until <= at { Err(not_possible("the code would have run out already")) } else { Ok(()) }
}
