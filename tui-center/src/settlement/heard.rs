//! The seam from what is said to what is decided: telegrams become [`Work`] here, and only verified ones.
//!
//! A telegram is verified under the key that its signer had at the key event it names, whether or not that key is
//! still in force: the rules refuse a replaced key by an entry, and a telegram that was entered while its key was in
//! force still gets its stored answer.
//!
//! | part | telegrams |
//! |---|---|
//! | `joining` | registrations |
//! | `keys` | key changes, cashiers |
//!
//! Verifying takes some tens of microseconds a signature; a claim holds up to two for each payment. Call this on a
//! thread that may be kept busy.

mod joining;
mod keys;

use std::sync::{Mutex, PoisonError, RwLockReadGuard};

use ledger::{Request, State};
use wire::{
    codec,
    id::{AccountNumber, CenterId, TelegramId},
    key::{KeyError, PreparedKey, VerificationKey},
    message::{Beside, Problem, ProblemKind},
    payload::{self, KeyRole},
    telegram::{Authentic, Claimed, Kind, Signer, Telegram},
};

pub use self::{joining::registered, keys::certificate};
use super::{Desk, Work};
use crate::books::asked::{self, Ours};

/// The key under which the last telegram of a connection was verified, made ready for the next: whoever pays again and
/// again pays with the same key. Which key is to be used the books say each time.
#[derive(Debug, Default)]
pub struct LastKey(Mutex<Option<PreparedKey>>);

impl LastKey {
    fn ready(&self, key: &VerificationKey) -> Result<PreparedKey, KeyError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some(ready) if ready.key() == *key => Ok(ready.clone()),
            _ => Ok(last.insert(key.prepare()?).clone()),
        }
    }
}

/// Verifies a telegram that a logged-in account submits, and what travels beside it.
///
/// # Errors
/// In words, when it is malformed, for another center, not this account's, or its signature does not hold. Nothing is
/// to be entered then.
pub fn submitted(
    desk: &Desk,
    account: AccountNumber,
    telegram: &Telegram,
    beside: &Beside,
) -> Result<Work, Problem> {
    submitted_with(&LastKey::default(), desk, account, telegram, beside)
}

/// As [`submitted`], on a connection that remembers its last key.
///
/// # Errors
/// As [`submitted`].
pub fn submitted_with(
    last: &LastKey,
    desk: &Desk,
    account: AccountNumber,
    telegram: &Telegram,
    beside: &Beside,
) -> Result<Work, Problem> {
    let books = Register { desk, last };
    let request = match telegram.kind {
        Kind::Payment => asks(&books.authentic(account, telegram)?.0, asked::payment),
        Kind::CardRequest => asks(&books.authentic(account, telegram)?.0, asked::card_request),
        Kind::KeyChange => {
            let (authentic, by) = books.authentic(account, telegram)?;
            keys::change(&books, &authentic, by, beside)?
        }
        Kind::KeyCancel => asks(&books.authentic(account, telegram)?.0, asked::key_cancel),
        Kind::CashierChange => keys::cashier(&books.authentic(account, telegram)?.0)?,
        Kind::Refund => asks(&books.authentic(account, telegram)?.0, asked::refund),
        Kind::Claim => {
            let (authentic, _) = books.authentic(account, telegram)?;
            asked::claim(authentic.payload(), authentic.id(), beside)
        }
        other => return Err(malformed(format!("a {other} is not for the center"))),
    };
    Ok(Work { request, evidence: codec::encode(&(telegram, beside)) })
}

/// Verifies a telegram that its signer asks about: where it has not been entered, it becomes a void.
///
/// # Errors
/// As [`submitted`].
pub fn inquired(desk: &Desk, account: AccountNumber, telegram: &Telegram) -> Result<Work, Problem> {
    let books = Register { desk, last: &LastKey::default() };
    let request = match telegram.kind {
        Kind::Payment => asks(&books.authentic::<payload::Payment>(account, telegram)?.0, asked::void),
        Kind::CardRequest => {
            asks(&books.authentic::<payload::CardRequest>(account, telegram)?.0, asked::void)
        }
        Kind::KeyChange => asks(&books.authentic::<payload::KeyChange>(account, telegram)?.0, asked::void),
        Kind::KeyCancel => asks(&books.authentic::<payload::KeyCancel>(account, telegram)?.0, asked::void),
        Kind::CashierChange => {
            asks(&books.authentic::<payload::CashierChange>(account, telegram)?.0, asked::void)
        }
        Kind::Refund => asks(&books.authentic::<payload::Refund>(account, telegram)?.0, asked::void),
        Kind::Claim => asks(&books.authentic::<payload::Claim>(account, telegram)?.0, asked::void),
        other => return Err(malformed(format!("a {other} is not for the center"))),
    };
    Ok(Work { request, evidence: codec::encode(telegram) })
}

/// The key register, as far as verifying needs it.
struct Register<'a> {
    desk: &'a Desk,
    last: &'a LastKey,
}

impl Register<'_> {
    /// Verifies a telegram of the account that speaks, and says with which of its keys it was signed.
    fn authentic<P: Ours>(
        &self,
        account: AccountNumber,
        telegram: &Telegram,
    ) -> Result<(Authentic<P>, KeyRole), Problem> {
        // Not believed yet: this only tells under which key to verify.
        let claimed: Claimed<'_, P> = telegram.claim().map_err(malformed)?;
        let says = claimed.payload();
        let event = says.key_event();
        let keys: Vec<(KeyRole, VerificationKey)> = {
            let state = self.desk.state();
            is_here(&state, says.center())?;
            if telegram.signer != Signer::Account(account) || says.account() != account {
                return Err(Problem::new(
                    ProblemKind::NotAllowed,
                    format!(
                        "this {} is another account's; log in as the account that signed it",
                        telegram.kind
                    ),
                ));
            }
            match says.cashier() {
                // Under a key that is the store's or was. Whether it may sign now the rules say.
                Some(key) if state.key_holder(&key) == Some(account) => vec![(KeyRole::Terminal, key)],
                Some(_) => Vec::new(),
                None => {
                    let holder = state.holder(account);
                    let key = |role: &KeyRole| Some((*role, holder?.key_at(*role, event)?));
                    P::signers().iter().filter_map(key).collect()
                }
            }
        };
        let mut refused = None;
        for (role, key) in keys {
            match self.last.ready(&key).and_then(|ready| claimed.verify(&ready, event)) {
                Ok(authentic) => return Ok((authentic, role)),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.map_or_else(|| never_had(account, telegram), |error| not_authentic(error.into())))
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.desk.state()
    }
}

fn is_here(state: &State, center: &CenterId) -> Result<(), Problem> {
    if state.settings().is_some_and(|settings| settings.center == *center) {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::WrongCenter, "this is for another center"))
}

fn asks<P>(authentic: &Authentic<P>, asked: impl FnOnce(&P, TelegramId) -> Request) -> Request {
    asked(authentic.payload(), authentic.id())
}

fn never_had(account: AccountNumber, telegram: &Telegram) -> Problem {
    let words = format!("the {} names a key that {account} never had", telegram.kind);
    Problem::new(ProblemKind::NotAuthentic, words)
}

fn malformed(words: impl std::fmt::Display) -> Problem {
    Problem::new(ProblemKind::Malformed, words)
}

fn not_authentic(error: wire::telegram::TelegramError) -> Problem {
    let kind = match error {
        wire::telegram::TelegramError::Key(_) => ProblemKind::NotAuthentic,
        _ => ProblemKind::Malformed,
    };
    Problem::new(kind, error)
}
