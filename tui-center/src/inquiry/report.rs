//! A business day in figures, from the registers' day totals.

use std::collections::BTreeMap;

use wire::{
    id::{AccountNumber, StoreNumber},
    receipt::EntryKind,
    time::Timestamp,
};

use super::view::{Report, ReportLine, ReportStore};
use crate::{books::registers::DayTotal, center::Center};

/// The figures of a business day; today's when none is named.
///
/// # Errors
/// When `day` is no date, or the registers can't be read, in words.
pub fn report(center: &Center, day: Option<&str>) -> Result<Report, String> {
    let local = center.local();
    let day = match day {
        Some(text) => {
            text.parse().map_err(|_| "a day is written year-month-day, like 2026-11-22".to_owned())?
        }
        None => local.day(Timestamp::now()),
    };
    let next = day.tomorrow().map_err(|_| "there is no day after this one".to_owned())?;
    let totals = center.registers_now().days(day, day).map_err(|error| error.to_string())?;
    let progress = center.registers().progress();
    let overall = totals.iter().filter(|total| total.store.is_none());
    let sum = |amount: u128| local.sum(i128::try_from(amount).unwrap_or(i128::MAX));
    let kinds = overall.clone().filter(|total| total.done > 0).map(|total| ReportLine {
        kind: total.kind,
        count: total.done,
        sum: sum(total.amount),
    });
    let mut stores: BTreeMap<StoreNumber, [(u64, u128); 2]> = BTreeMap::new();
    for total in &totals {
        let place = match (total.store, total.kind) {
            (Some(store), EntryKind::Payment) => &mut stores.entry(store).or_default()[0],
            (Some(store), EntryKind::Refund) => &mut stores.entry(store).or_default()[1],
            _ => continue,
        };
        *place = (total.done, total.amount);
    }
    let stores = stores.into_iter().map(|(store, [payments, refunds])| ReportStore {
        store,
        name: trade_name(center, store),
        payments: payments.0,
        paid: sum(payments.1),
        refunds: refunds.0,
        refunded: sum(refunds.1),
    });
    Ok(Report {
        day: day.to_string(),
        from: local.moment(local.day_start(day)),
        until: local.moment(local.day_start(next)),
        kinds: kinds.collect(),
        stores: stores.collect(),
        refused: overall.map(|total: &DayTotal| total.refused).sum(),
        complete: progress.entries >= center.desk().reader().size(),
        four_eyes_off: center.four_eyes().into_iter().filter(|it| !it.on).map(|it| it.acts).collect(),
    })
}

fn trade_name(center: &Center, store: StoreNumber) -> String {
    let state = center.desk().state();
    state.holder(AccountNumber::Store(store)).and_then(|holder| holder.trade_name.clone()).unwrap_or_default()
}
