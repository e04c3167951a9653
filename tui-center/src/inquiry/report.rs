//! A business day in figures.

use std::collections::BTreeMap;

use ledger::{Decision, Outcome, Request};
use wire::{id::{AccountNumber, StoreNumber}, receipt::EntryKind, time::Timestamp};

use super::{
    view::{Report, ReportLine, ReportStore},
    words,
};
use crate::{
    books::{BooksError, Search},
    center::Center,
};

/// How many entries are counted for one report; a day with more says that it is not complete.
const EXAMINED: usize = 2_000_000;
/// Entries that are read at a time.
const CHUNK: usize = 5_000;

#[derive(Default)]
struct Tally {
    count: u64,
    sum: i128,
}

#[derive(Default)]
struct StoreTally {
    payments: Tally,
    refunds: Tally,
}

/// The figures of a business day; today's when none is named.
///
/// # Errors
/// When `day` is no date, in words, or the journal can't be read.
pub fn report(center: &Center, day: Option<&str>) -> Result<Report, String> {
    let local = center.local();
    let day = match day {
        Some(text) => {
            text.parse().map_err(|_| "a day is written year-month-day, like 2026-11-22".to_owned())?
        }
        None => local.day(Timestamp::now()),
    };
    let from = local.day_start(day);
    let next = day.tomorrow().map_err(|_| "there is no day after this one".to_owned())?;
    let until = local.day_start(next);
    let mut kinds: BTreeMap<EntryKind, Tally> = BTreeMap::new();
    let mut stores: BTreeMap<StoreNumber, StoreTally> = BTreeMap::new();
    let mut refused = 0;
    let complete = each(center, from, until, |entry| {
        if entry.refusal().is_some() {
            refused += 1;
            return;
        }
        let amount = words::amount(entry).map_or(0, |amount| i128::from(amount.minor()));
        let add = |tally: &mut Tally| {
            tally.count += 1;
            tally.sum += amount;
        };
        add(kinds.entry(entry.kind()).or_default());
        match (&entry.request, &entry.decision) {
            (Request::Pay(it), _) => add(&mut stores.entry(it.store).or_default().payments),
            (Request::Refund(it), Decision::Done(Outcome::Refunded { .. })) => {
                add(&mut stores.entry(it.store).or_default().refunds);
            }
            _ => {}
        }
    })
    .map_err(|error| error.to_string())?;
    let name = |store| {
        let state = center.desk().state();
        state.holder(AccountNumber::Store(store)).and_then(|holder| holder.trade_name.clone()).unwrap_or_default()
    };
    Ok(Report {
        day: day.to_string(),
        from: local.moment(from),
        until: local.moment(until),
        kinds: kinds
            .into_iter()
            .map(|(kind, tally)| ReportLine { kind, count: tally.count, sum: local.sum(tally.sum) })
            .collect(),
        stores: stores
            .into_iter()
            .map(|(store, tally)| ReportStore {
                store,
                name: name(store),
                payments: tally.payments.count,
                paid: local.sum(tally.payments.sum),
                refunds: tally.refunds.count,
                refunded: local.sum(tally.refunds.sum),
            })
            .collect(),
        refused,
        complete,
    })
}

/// Every entry of a day, newest first; says whether none was left out.
fn each(
    center: &Center,
    from: Timestamp,
    until: Timestamp,
    mut count: impl FnMut(&ledger::Entry),
) -> Result<bool, BooksError> {
    let mut before = None;
    let mut examined = 0;
    loop {
        let search = Search {
            before,
            since: Some(from),
            until: Some(Timestamp(until.0.saturating_sub(1))),
            found_max: CHUNK,
            examined_max: EXAMINED - examined,
            ..Search::default()
        };
        let found = center.desk().reader().search(&search, |_| true)?;
        examined += found.records.len();
        found.records.iter().for_each(|record| count(&record.entry));
        match found.next {
            None => return Ok(true),
            Some(_) if examined >= EXAMINED || found.records.is_empty() => return Ok(false),
            next => before = next,
        }
    }
}
