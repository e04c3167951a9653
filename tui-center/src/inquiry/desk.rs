//! The bank desk: money that fits nothing, movements told twice, transfers that failed, and what the bank told that
//! contradicts the books.

use ledger::{
    Account, Decision, Entry, Refusal, Request,
    account::Side,
    entry::Mismatch,
    request::TransferResult,
    state::{BankReceipt, ReceiptState},
};
use wire::{id::EntryNumber, receipt::EntryKind};

use super::{
    view::{DeskKind, DeskRow, Money},
    words,
};
use crate::{
    books::{BooksError, Search},
    center::Center,
    lines::bank::{RETURNED, notice::Party},
};

/// How many settled items are listed behind those that wait.
const SETTLED: usize = 200;
/// How many duplicates, failed transfers and contradictions are looked through, so that those settled never hide one
/// that waits.
const FOUND: usize = 2_000;
/// How many entries are looked at for them.
const EXAMINED: usize = 200_000;

/// How many receipts wait for an operator's act. What the books could not take, and a transfer paid late, is settled
/// with the bank, not here: it stands on the desk and in the error log and is not counted.
pub fn waiting(center: &Center) -> u64 {
    let state = center.desk().state();
    state.receipts().filter(|(_, receipt)| receipt.state == ReceiptState::Waiting).count() as u64
}

/// The desk: what waits first, then the rest, each newest first.
pub fn items(center: &Center) -> Result<Vec<DeskRow>, BooksError> {
    let receipts: Vec<(EntryNumber, BankReceipt)> = {
        let state = center.desk().state();
        let (waiting, settled): (Vec<_>, Vec<_>) =
            state.receipts().partition(|(_, receipt)| receipt.state == ReceiptState::Waiting);
        let settled = settled.into_iter().rev().take(SETTLED);
        waiting.into_iter().chain(settled).map(|(number, receipt)| (number, receipt.clone())).collect()
    };
    let mut rows: Vec<DeskRow> =
        receipts.iter().map(|(number, receipt)| unmatched(center, *number, receipt)).collect();
    let search = Search {
        kinds: vec![EntryKind::BankCredit, EntryKind::PayoutResult],
        found_max: FOUND,
        examined_max: EXAMINED,
        ..Search::default()
    };
    let found = center.desk().reader().search(&search, |record| kind(&record.entry).is_some())?;
    let mut listed = 0;
    for record in &found.records {
        let Some(kind) = kind(&record.entry) else { continue };
        let waiting = matches!(kind, DeskKind::Refused | DeskKind::PaidLate);
        listed += usize::from(!waiting);
        if waiting || listed <= SETTLED {
            rows.push(told(center, &record.entry, kind, waiting));
        }
    }
    rows.sort_by(|a, b| b.waiting.cmp(&a.waiting).then(b.number.cmp(&a.number)));
    Ok(rows)
}

/// Who paid, as the bank told it; `None` when the words are gone.
pub fn payer(center: &Center, receipt: &BankReceipt) -> Option<Party> {
    crate::lines::bank::payer::open(center.cabinet(), receipt.payer)
}

/// Whether the entry is the bank's word that a transfer was executed which it had said was not: such a one leaves the
/// bank's account without having been in transit.
pub(crate) fn paid_late(entry: &Entry) -> bool {
    let paid = matches!(entry.request, Request::PayoutResult { result: TransferResult::Paid { .. }, .. });
    let transit = entry.postings.iter().any(|posting| posting.account == Account::PayoutsInTransit);
    paid && matches!(entry.decision, Decision::Done(_)) && !transit
}

/// What the desk makes of the bank's word; `None` where all is as it should be, and for receipts, which the books
/// list themselves.
fn kind(entry: &Entry) -> Option<DeskKind> {
    match (&entry.request, entry.refusal()) {
        (Request::Credit(_), Some(Refusal::Duplicate { .. })) => Some(DeskKind::Duplicate),
        (Request::Credit(_) | Request::PayoutResult { .. }, Some(_)) => Some(DeskKind::Refused),
        (Request::PayoutResult { result: TransferResult::Failed { .. }, .. }, None) => {
            Some(DeskKind::FailedPayout)
        }
        _ => paid_late(entry).then_some(DeskKind::PaidLate),
    }
}

fn told(center: &Center, entry: &Entry, kind: DeskKind, waiting: bool) -> DeskRow {
    let line = words::row(entry, center.local());
    let (mut amount, mut reference) = (line.amount.unwrap_or_else(|| center.local().sum(0)), String::new());
    match &entry.request {
        Request::Credit(credit) => {
            amount = Money::of(credit.currency, credit.amount);
            reference = credit.reference.clone().unwrap_or_default();
        }
        Request::PayoutResult { payout, .. } => {
            if let Some(payout) = center.desk().state().payout(*payout) {
                amount = center.local().money(payout.amount);
            }
        }
        _ => {}
    }
    let words = match (&entry.request, entry.refusal(), kind) {
        (Request::Credit(credit), Some(Refusal::Duplicate { of }), _) => format!(
            "Told twice by the bank: {} was booked as {of}, and no money came a second time.",
            credit.bank_reference
        ),
        (Request::Credit(_), ..) => {
            format!(
                "{} came in and is not in the books: {}. Settle it with the bank.",
                amount.text, line.words
            )
        }
        (_, _, DeskKind::Refused) => format!(
            "The bank contradicts the books, which were not changed: {}. Compare them with the bank's statement.",
            line.words
        ),
        (_, _, DeskKind::PaidLate) => {
            format!(
                "The bank contradicts itself: {}, after it had said that it was not executed. {}",
                line.words,
                owed(center, entry)
            )
        }
        _ => format!("{}.", line.words),
    };
    DeskRow {
        number: entry.number,
        kind,
        at: line.at,
        amount,
        words,
        reference,
        payer: String::new(),
        request: None,
        waiting,
    }
}

/// What a transfer that was paid late leaves to be done.
fn owed(center: &Center, entry: &Entry) -> String {
    let twice = entry.postings.iter().find_map(|posting| match (posting.account, posting.side) {
        (Account::Receivable(account), Side::Debit) => Some((account, posting.amount)),
        _ => None,
    });
    match twice {
        Some((account, amount)) => format!(
            "{account} was paid {} twice and owes it: ask for it back.",
            center.local().money(amount).text
        ),
        None => "It is booked as executed and can't be paid again; ask the bank why.".into(),
    }
}

fn unmatched(center: &Center, number: EntryNumber, receipt: &BankReceipt) -> DeskRow {
    let returned = receipt.reference.as_ref().filter(|words| words.starts_with(RETURNED));
    let why = returned.cloned().unwrap_or_else(|| words::mismatch(&receipt.mismatch, center.local()));
    let words = match receipt.state {
        ReceiptState::Waiting if returned.is_some() => {
            format!(
                "Money came back: {why}. It is still owed to whoever it was sent to; settle it with them."
            )
        }
        ReceiptState::Waiting => {
            format!("Money came in: {why}. Assign it to a card request, or send it back.")
        }
        ReceiptState::Assigned(card) => format!("Money came in: {why}. Card {card} was issued with it."),
        ReceiptState::Returning(payout) => format!("Money came in: {why}. It goes back with {payout}."),
        ReceiptState::Returned => format!("Money came in: {why}. It went back."),
    };
    let party = payer(center, receipt).unwrap_or_default();
    let shown = [party.name.as_str(), party.account.as_str(), party.words.as_str()];
    DeskRow {
        number,
        kind: DeskKind::Unmatched,
        at: center.local().moment(receipt.at),
        amount: center.local().money(receipt.amount),
        words,
        reference: receipt.reference.clone().unwrap_or_default(),
        payer: shown.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", "),
        request: request_of(&receipt.mismatch),
        waiting: receipt.state == ReceiptState::Waiting,
    }
}

fn request_of(mismatch: &Mismatch) -> Option<EntryNumber> {
    match mismatch {
        Mismatch::UnknownReference => None,
        Mismatch::TooLittle { request, .. }
        | Mismatch::TooMuch { request, .. }
        | Mismatch::AlreadyPaid { request }
        | Mismatch::Lapsed { request } => Some(*request),
    }
}
