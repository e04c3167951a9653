//! The rules: what is written for a request. Each looks at the books and changes nothing.
//!
//! | part | rules |
//! |---|---|
//! | `account` | founding, key sheets, standing, personal data |
//! | `card` | card requests, bank credits, lapses, receipts that an operator assigns |
//! | `payment` | payments, voids, refunds |
//! | `claim` | claims, payouts, what the bank says of them |
//! | `joining` | applications, activation codes, mail and letters, registrations |
//! | `keys` | key changes, cashiers |
//! | `staff` | operators, documents, limits, acts that take two operators |
//!
//! To decide many requests so that each sees those before it, apply each entry to the same state before the next is
//! decided. The center's desk keeps such a working state ahead of the durable one and throws it away when the append
//! fails, so there is no overlay here, and nothing that asks beforehand what a request will touch: the whole state
//! lies in memory.

mod account;
mod card;
mod claim;
mod joining;
mod keys;
mod payment;
mod staff;

use wire::{
    amount::{Amount, Currency},
    id::{AccountNumber, EntryNumber},
    limits,
    payload::KeyRole,
    time::Timestamp,
};

pub use self::staff::four_eyes;
use crate::{
    account::Posting,
    entry::{Concerns, Decision, Entry, Outcome, Previous, Refusal},
    request::{OperatorRole, Proposed, Request, Settings},
    state::{Holder, State},
};

/// Decides a request at an instant. The entry has the next number, and the time of the clock unless the last entry's
/// is later.
///
/// Whether the journal takes the entry says [`Entry::is_for_the_journal`]; an entry that it takes is then
/// [applied](State::apply). What [`State::answered`] knows is not to be decided again: its entry is the answer.
pub fn decide(state: &State, request: &Request, now: Timestamp) -> Entry {
    let at = now.max(state.at());
    let (decision, postings, concerns) = match rule(state, request, at) {
        Ok(ruling) => (Decision::Done(ruling.outcome), ruling.postings, ruling.concerns),
        Err(refusal) => {
            let refusal = limited(state, request, at, refusal);
            (Decision::Refused(refusal), Vec::new(), signer_only(state, request))
        }
    };
    let previous = previous(state, &concerns);
    Entry { number: state.next(), at, request: request.clone(), decision, postings, concerns, previous }
}

/// Whether a request may come before the desk at all: its times lie at most [`limits::VALIDITY_MS`] ahead, so that
/// what must be remembered until then stays bounded. What is not admissible is malformed and never entered.
///
/// A void is always admissible: it is kept until its telegram's `valid_until` however far that lies.
///
/// # Errors
/// In words for whoever signed it.
pub fn admissible(request: &Request, now: Timestamp) -> Result<(), String> {
    let far = now.plus_ms(limits::VALIDITY_MS);
    let days = limits::VALIDITY_MS / (24 * 60 * 60 * 1000);
    if matches!(request, Request::Void(_)) {
        return Ok(());
    }
    if request.signed().is_some_and(|signed| signed.valid_until > far) {
        return Err(format!(
            "it is valid for more than {days} days; check this computer's clock and sign again"
        ));
    }
    if let Request::Pay(payment) = request
        && payment.offer_expires > far
    {
        return Err(format!("the offer is valid for more than {days} days; ask the store for a new one"));
    }
    Ok(())
}

/// What a rule allows.
struct Ruling {
    outcome: Outcome,
    postings: Vec<Posting>,
    concerns: Concerns,
}

impl Ruling {
    /// Nothing moves.
    fn plain(outcome: Outcome, concerns: Concerns) -> Self {
        Self { outcome, postings: Vec::new(), concerns }
    }
}

type Ruled = Result<Ruling, Refusal>;

fn rule(state: &State, request: &Request, at: Timestamp) -> Ruled {
    if let Request::Found(settings) = request {
        return account::found(state, settings);
    }
    let Some(settings) = state.settings() else {
        return Err(Refusal::NotPossible("the center is not founded yet".into()));
    };
    if let Some(signed) = request.signed() {
        if at > signed.valid_until {
            return Err(Refusal::Expired);
        }
        if let Some(of) = state.seen(signed.telegram) {
            return Err(Refusal::Duplicate { of });
        }
    }
    match request {
        Request::Propose { by, act } => staff::propose(state, settings, by, act, at),
        Request::Confirm { by, proposal, act } => staff::confirm(state, settings, by, *proposal, act, at),
        Request::Withdraw { by, proposal } => staff::withdraw(state, by, *proposal, at),
        request => {
            let ruling = direct(state, settings, request, at)?;
            match Proposed::of(request) {
                Some(act) if staff::four_eyes(state, &act) => Err(Refusal::NeedsSecond),
                _ => Ok(ruling),
            }
        }
    }
}

/// What is done, apart from how many operators it takes.
fn direct(state: &State, settings: &Settings, request: &Request, at: Timestamp) -> Ruled {
    match request {
        Request::Found(_) => Err(not_possible("the center is founded already")),
        Request::Sheet { number, by, .. } => account::sheet(state, *number, by.as_deref()),
        Request::Standing { by, of, frozen, .. } => account::standing(state, by, *of, *frozen),
        Request::Note { by, act } => account::note(state, by, act),
        Request::Reveal { by, of, reason } => account::disclose(state, by, *of, OperatorRole::Clerk, reason),
        Request::Export { by, of, reason } => {
            account::disclose(state, by, *of, OperatorRole::Supervisor, reason)
        }
        Request::Erase { by, of, reason } => account::erase(state, by, *of, reason),
        Request::Admit(it) => joining::admit(state, it, at),
        Request::Recode { by, admission, until, key, ways, reason } => {
            let code = joining::Code { admission: *admission, until: *until, key: key.as_ref(), ways };
            joining::recode(state, by, &code, reason, at)
        }
        Request::Decline { by, application, ask_back, .. } => {
            joining::decline(state, by.as_deref(), *application, *ask_back)
        }
        Request::Posted { intent, way, result } => joining::posted(state, *intent, *way, result),
        Request::Register(it) => joining::register(state, it, at),
        Request::ChangeKey(it) => keys::change(state, it, at),
        Request::CancelKeyChange(it) => keys::cancel(state, it),
        Request::KeyInForce { account, change } => keys::in_force(state, *account, *change, at),
        Request::Revoke { by, account, role, reason } => keys::revoke(state, by, *account, *role, reason),
        Request::Cashier(it) => keys::cashier(state, it),
        Request::Operator { name, role, by, .. } => staff::operator(state, name, *role, by.as_deref()),
        Request::Document { by, document, version, digest } => {
            staff::document(state, by.as_deref(), *document, *version, digest)
        }
        Request::Limits { by, .. } => staff::limits(state, by),
        Request::RequestCard(it) => card::request(state, settings, it, at),
        Request::Credit(it) => card::credit(state, settings, it),
        Request::AssignReceipt { by, receipt, request } => {
            card::assign(state, settings, by, *receipt, *request)
        }
        Request::Lapse { request } => card::lapse(state, *request, at),
        Request::Pay(it) => payment::pay(state, settings, it, at),
        Request::Void(it) => payment::void(state, it),
        Request::Refund(it) => payment::refund(state, settings, it, at),
        Request::CenterRefund { by, payment, reason } => {
            payment::center_refund(state, by, *payment, reason, at)
        }
        Request::Claim(it) => claim::claim(state, settings, it),
        Request::PayClaim { claim } => claim::pay(state, *claim, at),
        Request::ReturnReceipt { by, receipt } => claim::give_back(state, by, *receipt),
        Request::PayoutResult { payout, result } => claim::result(state, *payout, result),
        // What is confirmed is never itself one of these.
        Request::Propose { .. } | Request::Confirm { .. } | Request::Withdraw { .. } => {
            Err(not_possible("a proposal is not proposed"))
        }
    }
}

/// Above the signer's rate a refusal is said but not entered, whatever its reason, so that nobody can fill the
/// journal by being refused.
fn limited(state: &State, request: &Request, at: Timestamp, refusal: Refusal) -> Refusal {
    let (Some(settings), Some(account)) = (state.settings(), request.signed().and_then(|it| it.account))
    else {
        return refusal;
    };
    let silent = matches!(refusal, Refusal::Expired | Refusal::Duplicate { .. });
    if !silent && state.refusals_of(account, at) >= settings.refusals_per_minute {
        return Refusal::TooManyRefusals;
    }
    refusal
}

fn signer_only(state: &State, request: &Request) -> Concerns {
    let account = request.signed().and_then(|signed| signed.account);
    account.filter(|account| state.holder(*account).is_some()).map_or(Concerns::NOBODY, Concerns::account)
}

fn previous(state: &State, concerns: &Concerns) -> Previous {
    let last = |account: AccountNumber| state.holder(account).map(|holder| holder.last);
    Previous {
        card: concerns.card.and_then(|card| state.card(card)).map(|card| card.last),
        member: concerns.member.and_then(|member| last(AccountNumber::Member(member))),
        store: concerns.store.and_then(|store| last(AccountNumber::Store(store))),
    }
}

/// The account that signed with its signature key: the key event that put the signing key in force still stands
/// (other events of its chain don't count), and it is not frozen.
fn signer(state: &State, account: AccountNumber, event: EntryNumber) -> Result<&Holder, Refusal> {
    let holder = state.holder(account).ok_or(Refusal::KeyNotInForce)?;
    match holder.key(KeyRole::Signature) {
        Some((_, in_force)) if in_force == event => {}
        _ => return Err(Refusal::KeyNotInForce),
    }
    if holder.frozen { Err(Refusal::AccountFrozen) } else { Ok(holder) }
}

/// No money leaves an account whose lost terminal was replaced a short while ago.
fn free(holder: &Holder, at: Timestamp) -> Result<(), Refusal> {
    holder.held(at).map_or(Ok(()), |until| Err(Refusal::Held { until }))
}

/// Money that can be moved: in the center's currency, and not nothing.
fn money(settings: &Settings, amount: Amount, currency: Currency) -> Result<(), Refusal> {
    if currency != settings.currency {
        return Err(Refusal::WrongCurrency);
    }
    if amount.is_zero() { Err(Refusal::AmountZero) } else { Ok(()) }
}

/// An operator with at least this role.
fn operator(state: &State, name: &str, least: OperatorRole) -> Result<(), Refusal> {
    match state.operator(name) {
        Some(role) if role >= least => Ok(()),
        _ => Err(Refusal::NotAllowed),
    }
}

/// Whoever has to say why has said something.
fn stated(reason: &str) -> Result<(), Refusal> {
    if reason.trim().is_empty() {
        return Err(not_possible("say why"));
    }
    if reason.len() > limits::PROSE {
        return Err(not_possible(format!("the reason is longer than {} bytes", limits::PROSE)));
    }
    Ok(())
}

fn not_possible(words: impl Into<String>) -> Refusal {
    Refusal::NotPossible(words.into())
}
