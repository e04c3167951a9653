//! The bank desk: money that fits nothing, movements told twice, transfers that failed.

use ledger::{
    Decision, Refusal, Request,
    entry::Mismatch,
    state::{BankReceipt, ReceiptState},
};
use wire::{id::EntryNumber, receipt::EntryKind};

use super::{
    view::{DeskKind, DeskRow},
    words,
};
use crate::{
    books::{BooksError, Search},
    center::Center,
    lines::bank::notice::Party,
};

/// How many settled items are listed behind those that wait.
const SETTLED: usize = 200;
/// How many entries are looked at for duplicates and failed transfers.
const EXAMINED: usize = 200_000;

/// How many items wait for an operator.
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
        found_max: SETTLED,
        examined_max: EXAMINED,
        ..Search::default()
    };
    let told_again = |decision: &Decision| matches!(decision, Decision::Refused(Refusal::Duplicate { .. }));
    let found = center
        .desk()
        .reader()
        .search(&search, |record| told_again(&record.entry.decision) || failed(&record.entry.request))?;
    rows.extend(found.records.iter().filter_map(|record| {
        let entry = &record.entry;
        let line = words::row(entry, center.local());
        let (kind, reference) = match &entry.request {
            Request::Credit(credit) => (DeskKind::Duplicate, credit.reference.clone().unwrap_or_default()),
            Request::PayoutResult { .. } => (DeskKind::FailedPayout, String::new()),
            _ => return None,
        };
        let words = match (&entry.request, entry.refusal()) {
            (Request::Credit(credit), Some(Refusal::Duplicate { of })) => format!(
                "Told twice by the bank: {} was booked as {of}, and no money came a second time.",
                credit.bank_reference
            ),
            _ => format!("{}.", line.words),
        };
        Some(DeskRow {
            number: entry.number,
            kind,
            at: line.at,
            amount: line.amount.unwrap_or_else(|| center.local().sum(0)),
            words,
            reference,
            payer: String::new(),
            request: None,
            waiting: false,
        })
    }));
    rows.sort_by(|a, b| b.waiting.cmp(&a.waiting).then(b.number.cmp(&a.number)));
    Ok(rows)
}

/// Who paid, as the bank told it; `None` when the words are gone.
pub fn payer(center: &Center, receipt: &BankReceipt) -> Option<Party> {
    crate::lines::bank::payer::open(center.cabinet(), receipt.payer)
}

fn unmatched(center: &Center, number: EntryNumber, receipt: &BankReceipt) -> DeskRow {
    let why = words::mismatch(&receipt.mismatch, center.local());
    let words = match receipt.state {
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

fn failed(request: &Request) -> bool {
    matches!(request, Request::PayoutResult { result: ledger::request::TransferResult::Failed { .. }, .. })
}
