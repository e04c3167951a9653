//! Coming back with the recovery phrase: who speaks with a recovery key, and the deposited copies of vaults.
//!
//! A connection that was believed by a recovery key may take the copy and change or revoke keys; it pays nothing, reads
//! no mail and no cards.

use wire::{
    bounded::{Bytes, List},
    id::{AccountNumber, Digest, StoreNumber},
    key::{Signature, VerificationKey},
    message::{Answer, CashierView, Problem, ProblemKind, Request, recover_message},
    payload::KeyRole,
    telegram::Kind,
    time::Timestamp,
};

use crate::{
    books::{
        BooksError,
        cabinet::copies::{Deposit, DepositError},
    },
    center::Center,
    errors::{Room, Weight},
};

/// Whether a connection that speaks with a recovery key may ask this.
pub(super) fn allows(request: &Request) -> bool {
    match request {
        Request::Copy { .. }
        | Request::Kit
        | Request::Build { .. }
        | Request::Guide(_)
        | Request::Consistency(_)
        | Request::Hours => true,
        Request::Submit { telegram, .. } | Request::Inquire(telegram) => {
            matches!(telegram.kind, Kind::KeyChange | Kind::KeyCancel)
        }
        // Told by its own words that this connection has its account.
        Request::Login { .. } | Request::Recover { .. } => true,
        _ => false,
    }
}

/// The account whose recovery key signed for this very connection.
///
/// An unknown key, one that is not in force and a wrong signature are told apart by nobody.
pub(super) fn believe(
    center: &Center,
    key: &VerificationKey,
    exporter: &[u8; 32],
    signature: &Signature,
) -> Result<AccountNumber, Problem> {
    let words = "the center knows no account with this recovery phrase; compare the words, and ask the center if the phrase was replaced";
    let wrong = || Problem::new(ProblemKind::NotAuthentic, words);
    let account = {
        let state = center.desk().state();
        let account = state.key_holder(key).ok_or_else(wrong)?;
        let in_force = state.key(account, KeyRole::Recovery).is_some_and(|(known, _)| known == *key);
        in_force.then_some(account).ok_or_else(wrong)?
    };
    let message = recover_message(&center.settings().center, key, exporter);
    key.verify(&message, signature).map_err(|_| wrong())?;
    Ok(account)
}

/// A piece of an account's deposited copy.
pub(super) fn piece(center: &Center, account: AccountNumber, offset: u64) -> Result<Answer, Problem> {
    let copies = center.cabinet().copies();
    let piece = copies.piece(account, offset).map_err(|error| failed(center, account, &error))?;
    let none = || Problem::new(ProblemKind::NotFound, "no copy of the vault was deposited");
    let bytes = Bytes::new(piece.ok_or_else(none)?);
    bytes
        .map(|bytes| Answer::Piece { offset, bytes })
        .map_err(|error| Problem::new(ProblemKind::Malformed, error))
}

/// Takes a piece of a copy. A first piece begins a deposit, whatever came before it on this connection. Of whoever was
/// erased nothing is kept any more.
pub(super) fn take(
    center: &Center,
    account: AccountNumber,
    open: &mut Option<Deposit>,
    (length, digest): (u64, Digest),
    offset: u64,
    bytes: &[u8],
) -> Result<Answer, Problem> {
    let copies = center.cabinet().copies();
    let told = |error: DepositError| match error {
        DepositError::Wrong(words) => Problem::new(ProblemKind::Malformed, words),
        DepositError::Books(error) => failed(center, account, &error),
    };
    if center.desk().state().holder(account).is_none_or(|holder| holder.erased.is_some()) {
        *open = None;
        let words = format!("the personal data of {account} was erased, so no copy of its vault is kept");
        return Err(Problem::new(ProblemKind::NotAllowed, words));
    }
    if offset == 0 {
        *open = None;
        let limited = |wait| Problem::new(ProblemKind::Limited, wait);
        center.guard().may_deposit(account).map_err(limited)?;
        *open = Some(copies.begin(account, length, digest, Timestamp::now()).map_err(told)?);
    }
    let words = "this piece of the copy is not the next one; begin again";
    let deposit = open.as_mut().filter(|deposit| deposit.is_of(length, digest));
    let deposit = deposit.ok_or_else(|| Problem::new(ProblemKind::Malformed, words))?;
    match copies.take(deposit, offset, bytes) {
        Ok(false) => {}
        Ok(true) => *open = None,
        Err(error) => {
            *open = None;
            return Err(told(error));
        }
    }
    Ok(Answer::Done)
}

/// The cashiers that a store has certified.
pub(super) fn cashiers(center: &Center, store: StoreNumber) -> Result<Answer, Problem> {
    let state = center.desk().state();
    let gone = || Problem::new(ProblemKind::NotFound, "the store is not in the registers any more");
    let holder = state.holder(AccountNumber::Store(store)).ok_or_else(gone)?;
    let view = |(key, cashier): (&VerificationKey, &ledger::state::Cashier)| CashierView {
        key: *key,
        rights: cashier.rights.clone(),
        entry: cashier.entry,
    };
    Ok(Answer::Cashiers(List::first(holder.cashiers.iter().map(view))))
}

fn failed(center: &Center, account: AccountNumber, error: &BooksError) -> Problem {
    let words = format!("The deposited copy of {account}'s vault: {error}.");
    center.errors().tell(Room::Books, Weight::Alarm, words);
    Problem::new(ProblemKind::Stopped, "the center cannot reach the copy of the vault now; try again later")
}
