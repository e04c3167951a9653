//! The transaction register: the journal, newest first.

use ledger::Entry;
use wire::{id::EntryNumber, receipt::EntryKind};

use super::{registers::holds, view::TransactionRow, words};
use crate::{
    books::{BooksError, Search},
    center::Center,
};

/// How many entries are looked at for one answer.
const EXAMINED: usize = 200_000;

/// A part of the transaction register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transactions {
    /// The lines, newest first.
    pub rows: Vec<TransactionRow>,
    /// Where to go on; `None` when there is nothing older.
    pub next: Option<EntryNumber>,
}

/// Entries before `before` of one kind, or all, whose line holds every word of `query`.
pub fn transactions(
    center: &Center,
    query: &str,
    kind: Option<EntryKind>,
    before: Option<EntryNumber>,
    most: usize,
) -> Result<Transactions, BooksError> {
    let query = query.trim().to_lowercase();
    let search = Search {
        before,
        kinds: kind.into_iter().collect(),
        found_max: most,
        examined_max: EXAMINED,
        ..Search::default()
    };
    let local = center.local();
    let wanted = |entry: &Entry| {
        if query.is_empty() {
            return true;
        }
        let row = words::row(entry, local);
        let printed = |number: Option<String>| number.unwrap_or_default();
        let texts = [
            row.number.to_string(),
            row.kind.noun().to_owned(),
            row.words,
            row.amount.map(|amount| format!("{} {}", amount.text, amount.minor)).unwrap_or_default(),
            printed(row.member.map(|number| number.to_string())),
            printed(row.store.map(|number| number.to_string())),
            printed(row.card.map(|number| number.to_string())),
            row.at.text,
        ];
        holds(&query, &texts.each_ref().map(String::as_str))
    };
    let found = center.desk().reader().search(&search, |record| wanted(&record.entry))?;
    let rows = found.records.iter().map(|record| words::row(&record.entry, local)).collect();
    Ok(Transactions { rows, next: found.next })
}
