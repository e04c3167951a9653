//! The seam from what is decided to what is said: verdicts and mail from durable records.

use ledger::{Decision, Entry, Outcome, Request, entry::Purpose};
use wire::{
    id::{AccountNumber, CardNumber, Role},
    message::{
        BankAccount, Effect, FundingTerms, Mail, MailItem, Problem, ProblemKind, Refusal, Verdict, WaitingKey,
    },
    payload::{CardCertificate, KeyEvent, KeyRole, RefundReason},
    receipt::{PayoutState, Side},
    telegram::Telegram,
    text::Line,
};

use super::DeskError;
use crate::books::{self, BooksError, Reader, Record};

/// The verdict on a telegram, from the record that answers it. `bank` is the center's account, for funding terms.
///
/// # Errors
/// When the receipt can't be made, and when the record answers no telegram.
pub fn verdict(reader: &Reader, bank: &BankAccount, record: &Record) -> Result<Verdict, BooksError> {
    let entry = &record.entry;
    let receipt = reader.receipt_of(record, side(entry))?;
    if let Some(refusal) = entry.refusal() {
        return Ok(Verdict::Refused { reason: books::said(refusal), receipt });
    }
    let effect = match (&entry.request, &entry.decision) {
        (Request::Void(_), _) => return Ok(Verdict::Void { receipt }),
        (Request::Pay(_), Decision::Done(Outcome::Paid { balance })) => Effect::Paid { balance: *balance },
        (Request::RequestCard(it), Decision::Done(Outcome::CardRequested { reference, expires })) => {
            Effect::FundingOpened(FundingTerms {
                request: entry.number,
                telegram: it.telegram,
                amount: it.amount,
                account: bank.clone(),
                reference: Line::new(reference).unwrap_or_default(),
                expires: *expires,
            })
        }
        (Request::Refund(_), _) => Effect::Refunded,
        (Request::Claim(_), _) => Effect::Claimed,
        (Request::ChangeKey(_), Decision::Done(Outcome::KeyWaits { from })) => {
            Effect::KeyChangeWaits { from: *from }
        }
        (Request::ChangeKey(_), _) => Effect::KeyChanged,
        (Request::CancelKeyChange(_), _) => Effect::KeyChangeCancelled,
        (Request::Cashier(_), _) => Effect::CashierChanged,
        _ => {
            let why = format!("{} answers no telegram", entry.number);
            return Err(wire::codec::Malformed { what: "verdict", why }.into());
        }
    };
    Ok(Verdict::Done { effect, receipt })
}

/// What a terminal is told when the desk has no entry for it: a verdict, or a problem. `None` where nothing may be
/// said, because nobody knows what became of it: the connection ends without an answer, and the terminal asks again.
pub fn unanswered(error: &DeskError) -> Option<Result<Verdict, Problem>> {
    let kind = match error {
        DeskError::Expired => return Some(Ok(Verdict::Expired)),
        DeskError::Unknown(_) | DeskError::Unreadable(_) => return None,
        DeskError::Busy { retry_ms } => ProblemKind::RetryAfter { ms: *retry_ms },
        DeskError::Stopped(_) => ProblemKind::Stopped,
        DeskError::Malformed(_) => ProblemKind::Malformed,
        DeskError::Limited => ProblemKind::Limited,
    };
    Some(Err(Problem::new(kind, error)))
}

/// A piece of mail for an account, with its receipt. `certificate` is asked for the certificate of a card that the
/// entry issued. `None` for an entry that is no mail to this account.
///
/// # Errors
/// When the receipt can't be made, and whatever `certificate` refuses.
pub fn mail(
    reader: &Reader,
    record: &Record,
    account: AccountNumber,
    certificate: impl FnOnce(CardNumber) -> Result<Telegram, BooksError>,
) -> Result<Option<MailItem>, BooksError> {
    let entry = &record.entry;
    if !super::mailbox::addressees(entry).contains(&Some(account)) {
        return Ok(None);
    }
    let Decision::Done(outcome) = &entry.decision else { return Ok(None) };
    let key_changed = |role, key| Mail::KeyChanged(KeyEvent { entry: entry.number, role, key });
    let body = match (&*entry.request.effective(), outcome) {
        (Request::Pay(it), _) => Mail::Paid { order: it.order, offer: it.offer, total: it.total },
        (Request::Refund(it), Outcome::Refunded { card, amount, .. }) => {
            Mail::Refunded { payment: it.payment, card: *card, amount: *amount, reason: it.reason }
        }
        (_, Outcome::CardIssued { card, request, amount }) => {
            Mail::CardIssued { request: *request, amount: *amount, certificate: certificate(*card)? }
        }
        (Request::Lapse { request }, _) => Mail::CardLapsed { request: *request },
        (Request::ChangeKey(it), Outcome::KeyWaits { from }) => {
            let Some(key) = it.key else { return Ok(None) };
            Mail::KeyChangeWaits(WaitingKey { change: entry.number, key, from: *from })
        }
        (Request::ChangeKey(it), _) => key_changed(it.role, it.key),
        (Request::KeyInForce { .. }, Outcome::KeyInForce(key)) => key_changed(KeyRole::Recovery, Some(*key)),
        (Request::Revoke { role, .. }, _) => key_changed(*role, None),
        (Request::CancelKeyChange(it), _) => Mail::KeyChangeCancelled { change: it.change },
        (Request::CenterRefund { payment, .. }, Outcome::Refunded { card, amount, .. }) => {
            let (payment, amount) = (*payment, *amount);
            match account {
                AccountNumber::Member(_) => {
                    Mail::Refunded { payment, card: *card, amount, reason: RefundReason::ByCenter }
                }
                AccountNumber::Store(_) => Mail::RefundedByCenter { payment, amount },
            }
        }
        (_, Outcome::PayoutIntended { purpose: Purpose::Claim(claim), amount }) => {
            Mail::Payout { claim: *claim, amount: *amount, state: PayoutState::InTransit }
        }
        (_, Outcome::PayoutSettled { purpose: Purpose::Claim(claim), amount, paid }) => {
            let state = if *paid { PayoutState::Paid } else { PayoutState::Failed };
            Mail::Payout { claim: *claim, amount: *amount, state }
        }
        _ => return Ok(None),
    };
    let receipt = reader.receipt_of(record, seen_by(account))?;
    Ok(Some(MailItem { body, receipt }))
}

/// What a card's certificate says; the same for ever, so that it can be signed again at any time. `None` for a card
/// that the books don't hold.
pub fn card_certificate(state: &ledger::State, card: CardNumber) -> Option<CardCertificate> {
    let held = state.card(card)?;
    Some(CardCertificate {
        center: state.settings()?.center,
        card,
        member: held.holder,
        key_event: held.event,
        entry: held.entry,
        issued: held.issued,
    })
}

/// A refused registration has no verdict, since nobody is logged in: its reason.
pub fn refused(entry: &Entry) -> Option<Refusal> {
    entry.refusal().map(books::said)
}

/// The part of an entry that an account may see.
pub fn seen_by(account: AccountNumber) -> Side {
    match account.role() {
        Role::Member => Side::Member,
        Role::Store => Side::Store,
    }
}

/// The part that the signer of an entry's telegram may see.
fn side(entry: &Entry) -> Side {
    match (entry.request.signed().and_then(|signed| signed.account), &entry.request) {
        (Some(account), _) => seen_by(account),
        (None, Request::Register(it)) => seen_by(it.account),
        (None, _) => Side::Center,
    }
}
