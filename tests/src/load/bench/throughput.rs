//! Durable, verified, receipted payments a second at 64 pipelined connections, beside raw verification and PostgreSQL; the
//! center's processor time for each; the journal's bytes for each.

use std::{fs, path::Path, time::Duration};

use color_eyre::eyre::{Context as _, Result};

use super::{
    Bench, Report,
    postgres::{Cluster, GROUP},
    row::{Goal, Row, figure},
    verify,
};
use crate::load::{
    cores,
    drive::{Pace, Plan},
    ending,
    tally::median,
};

/// 64 connections with 64 unanswered payments each.
pub(super) const PIPELINED: Plan =
    Plan { connections: 64, pace: Pace::Closed(64), payments: 0, sample: 200, first_member: 0 };
/// Of raw verification.
const OF_RAW: f64 = 0.60;

/// What other measures build on.
pub(super) struct Max {
    /// Payments a second.
    pub(super) per_second: f64,
    /// The center's processor time for each, in microseconds.
    pub(super) center_us: f64,
    /// The row of the journal's bytes.
    pub(super) journal: Row,
}

pub(super) fn measure(bench: &mut Bench, report: &mut Report) -> Result<Max> {
    let plan = Plan { payments: bench.choose(60_000, 150_000), ..PIPELINED };
    let seconds = bench.choose(2, 5);
    bench.say("warming up");
    bench.drive(&Plan { payments: plan.payments / 4, ..plan })?.whole()?;
    let cluster = Cluster::start();
    if let Err(error) = &cluster {
        report.notes.push(format!("PostgreSQL could not be measured: {error}"));
    }
    let journal = bench.house.center.profile().join("books/journal");
    let (mut rates, mut raw_rates, mut centers, mut raw_us) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut own, mut foreign) = (Vec::new(), Vec::new());
    let (mut ones, mut groups) = (Vec::new(), Vec::new());
    let (mut bytes, mut paid, mut telegram) = (0, 0, 0);
    for _ in 0..bench.rounds() {
        ending::go_on()?;
        let raw = verify::raw(Duration::from_millis(bench.choose(700, 2_000)));
        raw_rates.push(raw.per_second);
        raw_us.push(raw.cpu_us);
        bench.say(&format!(
            "raw verify_strict: {} a second, {:.1} µs each",
            figure(raw.per_second),
            raw.cpu_us
        ));
        if let Ok(cluster) = &cluster {
            ones.push(cluster.one_statement(seconds)?);
            groups.push(cluster.groups(seconds)?);
            bench.say(&format!(
                "PostgreSQL: {} a second one by one, {} in groups of {GROUP}",
                figure(ones[ones.len() - 1]),
                figure(groups[groups.len() - 1])
            ));
        }
        let before = used(&journal)?;
        let outcome = bench.drive(&plan)?;
        outcome.whole()?;
        bytes += used(&journal)?.saturating_sub(before);
        paid += outcome.settled;
        telegram = outcome.telegram_bytes;
        rates.push(outcome.per_second());
        centers.push(outcome.center_us());
        own.push(outcome.usage.own * 1e6 / outcome.settled.max(1) as f64);
        foreign.push(outcome.usage.foreign);
    }
    let [rate, raw, center, one_us] = [&rates, &raw_rates, &centers, &raw_us].map(|values| median(values));
    let name = "payments/s, 64 connections pipelined";
    let first = Row::new(
        &format!("{name} : raw verify_strict on all cores"),
        rate,
        "a second",
        raw,
        Goal::RatioLeast(OF_RAW),
    );
    if first.met == Some(false)
        && let (Some(rate), Some(raw), Some(center), Some(own)) = (rate, raw, center, median(&own))
    {
        report.notes.push(bound(rate, raw, center, own, median(&foreign).unwrap_or_default()));
    }
    report.rows.push(first);
    let row = |what: &str, reference, goal| {
        Row::new(&format!("{name} : {what}"), rate, "a second", reference, goal)
    };
    report.rows.push(row("PostgreSQL, one statement, 64 clients", median(&ones), Goal::RatioLeast(2.0)));
    report.rows.push(row(
        &format!("PostgreSQL, groups of {GROUP}, one function"),
        median(&groups),
        Goal::Told,
    ));
    report.rows.push(Row::new(
        "center's CPU per payment : CPU of one verify_strict",
        center,
        "µs",
        one_us,
        Goal::RatioMost(1.40),
    ));
    let each = bytes as f64 / paid.max(1) as f64;
    Ok(Max {
        per_second: rate.unwrap_or_default(),
        center_us: center.unwrap_or_default(),
        journal: Row::new(
            "journal per payment, all included : the telegram's own bytes",
            Some(each),
            "bytes",
            Some(telegram as f64),
            Goal::RatioMost(1.8),
        ),
    })
}

/// What bounds the rate, from figures of the same runs.
fn bound(rate: f64, raw: f64, center: f64, own: f64, foreign: f64) -> String {
    let cores = cores() as f64;
    let has = cores * (1.0 - foreign) * 1e6 / rate;
    let may = cores * 1e6 / (raw * OF_RAW);
    let idle = (has - center - own).max(0.0);
    format!(
        "payments/s : raw verify_strict needs {may:.1} µs of all cores together for each payment; the center took {center:.1} µs, the \
         generator beside it {own:.1} µs, others {:.1} µs, and {idle:.1} µs were idle",
        cores * foreign * 1e6 / rate
    )
}

/// The bytes of a journal that hold something: segments are preallocated with zeros.
fn used(journal: &Path) -> Result<u64> {
    let mut used = 0;
    for item in fs::read_dir(journal).wrap_err("looking at the journal")? {
        let path = item?.path();
        if path.extension().is_some_and(|extension| extension == "seg") {
            let bytes = fs::read(&path)?;
            used += bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last as u64 + 1);
        }
    }
    Ok(used)
}
