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
//! | `money` | cards, payments, refunds, claims |
//!
//! Verifying takes some tens of microseconds a signature; a claim holds up to two for each payment. Call this on a
//! thread that may be kept busy.

mod joining;
mod keys;
mod money;

use std::sync::RwLockReadGuard;

use ledger::{Request, State, request::Void};
use wire::{
    codec,
    id::{AccountNumber, CenterId, EntryNumber, TelegramId},
    key::VerificationKey,
    message::{Beside, Problem, ProblemKind},
    payload::{self, KeyRole},
    telegram::{Authentic, Kind, Payload, Signer, Telegram},
    time::Timestamp,
};

pub use self::{joining::registered, keys::certificate};
use super::{Desk, Work};

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
    let books = Register(desk);
    let request = match telegram.kind {
        Kind::Payment => money::payment(&books.authentic(account, telegram)?.0),
        Kind::CardRequest => money::card_request(&books.authentic(account, telegram)?.0),
        Kind::KeyChange => {
            let (authentic, by) = books.authentic(account, telegram)?;
            keys::change(&books, &authentic, by, beside)?
        }
        Kind::KeyCancel => keys::cancel(&books.authentic(account, telegram)?.0),
        Kind::CashierChange => keys::cashier(&books.authentic(account, telegram)?.0)?,
        Kind::Refund => money::refund(&books.authentic(account, telegram)?.0),
        Kind::Claim => money::claim(&books.authentic(account, telegram)?.0, beside),
        other => return Err(malformed(format!("a {other} is not for the center"))),
    };
    Ok(Work { request, evidence: codec::encode(&(telegram, beside)) })
}

/// Verifies a telegram that its signer asks about: where it has not been entered, it becomes a void.
///
/// # Errors
/// As [`submitted`].
pub fn inquired(desk: &Desk, account: AccountNumber, telegram: &Telegram) -> Result<Work, Problem> {
    let books = Register(desk);
    let void = match telegram.kind {
        Kind::Payment => void(account, &books.authentic::<payload::Payment>(account, telegram)?.0),
        Kind::CardRequest => void(account, &books.authentic::<payload::CardRequest>(account, telegram)?.0),
        Kind::KeyChange => void(account, &books.authentic::<payload::KeyChange>(account, telegram)?.0),
        Kind::KeyCancel => void(account, &books.authentic::<payload::KeyCancel>(account, telegram)?.0),
        Kind::CashierChange => {
            void(account, &books.authentic::<payload::CashierChange>(account, telegram)?.0)
        }
        Kind::Refund => void(account, &books.authentic::<payload::Refund>(account, telegram)?.0),
        Kind::Claim => void(account, &books.authentic::<payload::Claim>(account, telegram)?.0),
        other => return Err(malformed(format!("a {other} is not for the center"))),
    };
    Ok(Work { request: Request::Void(void), evidence: codec::encode(telegram) })
}

/// What every telegram of an account says of itself.
trait Ours: Payload {
    fn center(&self) -> &CenterId;
    fn account(&self) -> AccountNumber;
    fn key_event(&self) -> EntryNumber;
    fn valid_until(&self) -> Timestamp;
    /// Whose keys may sign it, the usual one first.
    fn signers() -> &'static [KeyRole] {
        &[KeyRole::Signature]
    }
    /// The key of the account's own that it names as its signer: a cashier's.
    fn cashier(&self) -> Option<VerificationKey> {
        None
    }
}

impl Ours for payload::Refund {
    fn center(&self) -> &CenterId {
        &self.center
    }
    fn account(&self) -> AccountNumber {
        AccountNumber::Store(self.store)
    }
    fn key_event(&self) -> EntryNumber {
        self.key_event
    }
    fn valid_until(&self) -> Timestamp {
        self.valid_until
    }
    fn cashier(&self) -> Option<VerificationKey> {
        self.cashier
    }
}

macro_rules! ours {
    ($($name:ident: $self:ident => $account:expr $(, $signers:expr)?;)+) => { $(
        impl Ours for payload::$name {
            fn center(&self) -> &CenterId {
                &self.center
            }
            fn account(&$self) -> AccountNumber {
                $account
            }
            fn key_event(&self) -> EntryNumber {
                self.key_event
            }
            fn valid_until(&self) -> Timestamp {
                self.valid_until
            }
            $(fn signers() -> &'static [KeyRole] {
                $signers
            })?
        }
    )+ };
}

ours! {
    Payment: self => AccountNumber::Member(self.member);
    CardRequest: self => AccountNumber::Member(self.member);
    Claim: self => AccountNumber::Store(self.store);
    CashierChange: self => AccountNumber::Store(self.store);
    KeyChange: self => self.account, &[KeyRole::Signature, KeyRole::Recovery];
    KeyCancel: self => self.account, &[KeyRole::Recovery];
}

/// The key register, as far as verifying needs it.
struct Register<'a>(&'a Desk);

impl Register<'_> {
    /// Verifies a telegram of the account that speaks, and says with which of its keys it was signed.
    fn authentic<P: Ours>(
        &self,
        account: AccountNumber,
        telegram: &Telegram,
    ) -> Result<(Authentic<P>, KeyRole), Problem> {
        // Not believed yet: this only tells under which key to verify.
        let claimed: P = telegram.peek().map_err(malformed)?;
        self.is_here(claimed.center())?;
        if telegram.signer != Signer::Account(account) || claimed.account() != account {
            return Err(Problem::new(
                ProblemKind::NotAllowed,
                format!("this {} is another account's; log in as the account that signed it", telegram.kind),
            ));
        }
        let event = claimed.key_event();
        if let Some(key) = claimed.cashier() {
            return self.by_cashier(account, telegram, key, event);
        }
        let keys: Vec<(KeyRole, VerificationKey)> = {
            let state = self.state();
            let holder = state.holder(account);
            let key = |role| holder.and_then(|holder| holder.key_at(role, event)).map(|key| (role, key));
            P::signers().iter().filter_map(|role| key(*role)).collect()
        };
        let mut refused = None;
        for (role, key) in keys {
            match telegram.verify(&key, event) {
                Ok(authentic) => return Ok((authentic, role)),
                Err(error) => refused = Some(error),
            }
        }
        Err(refused.map_or_else(|| never_had(account, telegram), not_authentic))
    }

    /// A cashier's telegram, under a key that is the store's or was. Whether it may sign now the rules say.
    fn by_cashier<P: Ours>(
        &self,
        account: AccountNumber,
        telegram: &Telegram,
        key: VerificationKey,
        event: EntryNumber,
    ) -> Result<(Authentic<P>, KeyRole), Problem> {
        if self.state().key_holder(&key) != Some(account) {
            return Err(never_had(account, telegram));
        }
        let authentic = telegram.verify(&key, event).map_err(not_authentic)?;
        Ok((authentic, KeyRole::Terminal))
    }

    fn is_here(&self, center: &CenterId) -> Result<(), Problem> {
        if self.state().settings().is_some_and(|settings| settings.center == *center) {
            return Ok(());
        }
        Err(Problem::new(ProblemKind::WrongCenter, "this is for another center"))
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.state()
    }
}

fn void<P: Ours>(account: AccountNumber, authentic: &Authentic<P>) -> Void {
    let telegram: TelegramId = authentic.id();
    Void { telegram, account, valid_until: authentic.payload().valid_until() }
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
