//! How long a payment takes: one alone beside a synced append, and 99 of 100 under load.

use std::{
    fs::File,
    io::{Seek as _, Write as _},
    path::Path,
    time::Instant,
};

use color_eyre::eyre::Result;
use wire::limits;

use super::{
    Bench, Report,
    row::{Goal, Row, figure},
};
use crate::load::{
    drive::{Pace, Plan},
    tally::{Latencies, median},
};

/// What a synced append writes.
const PAGE: usize = 4096;
/// The share of the maximum rate at which 99 of 100 are looked at.
const SHARE: f64 = 0.7;

/// One payment alone on one connection, in turns with 4 KiB appended and synced on the same file system, into a file that is
/// preallocated with zeros as the journal is. Gives the median latency in milliseconds.
pub(super) fn lone(bench: &mut Bench, report: &mut Report) -> Result<f64> {
    let count = bench.choose(150, 400);
    let plan = Plan { connections: 1, pace: Pace::Closed(1), payments: count, sample: 20, first_member: 0 };
    let file = bench.work.path().join("appended");
    let (mut alone, mut synced) = (Vec::new(), Vec::new());
    let (mut center, mut own, mut paid) = (0.0, 0.0, 0.0);
    for _ in 0..bench.rounds() {
        synced.extend(appends(&file, count)?.quantile_ms(0.5));
        let outcome = bench.drive(&plan)?;
        outcome.whole()?;
        alone.extend(outcome.latencies.quantile_ms(0.5));
        center += outcome.usage.center;
        own += outcome.usage.own;
        paid += outcome.settled as f64;
    }
    let (alone, synced) = (median(&alone), median(&synced));
    let measure = "one lone payment, p50 : 4 KiB append (preallocated) + fdatasync, p50";
    let row = Row::new(measure, alone, "ms", synced, Goal::RatioMost(3.0));
    if let (Some(false), Some(alone), Some(synced)) = (row.met, alone, synced) {
        report.notes.push(format!(
            "lone payment : of {} ms the disk's append and sync are {} ms; the center took {} ms of processor time for each, the \
             generator {} ms",
            figure(alone),
            figure(synced),
            figure(center * 1e3 / paid),
            figure(own * 1e3 / paid)
        ));
    }
    report.rows.push(row);
    Ok(alone.unwrap_or_default())
}

/// 99 of 100 at 70 % of the maximum rate, and with 64 payers who each wait for their answer.
pub(super) fn loaded(bench: &mut Bench, max: f64, report: &mut Report) -> Result<()> {
    let rate = (max * SHARE).max(1.0);
    let seconds = bench.choose(4.0, 15.0);
    let fixed = Plan {
        connections: 64,
        pace: Pace::Fixed(rate),
        payments: (rate * seconds) as usize,
        sample: 500,
        first_member: 0,
    };
    let payers = Plan { pace: Pace::Closed(1), payments: bench.choose(20_000, 100_000), ..fixed };
    for (measure, plan, most) in [
        ("p99 at 70 % of the maximum rate", fixed, 25.0),
        ("p99 with 64 payers, not pipelined", payers, 10.0),
    ] {
        let mut p99 = Vec::new();
        let (mut worst, mut unsent) = (0.0_f64, 0);
        for _ in 0..bench.choose(2, 3) {
            let outcome = bench.drive(&plan)?;
            outcome.whole()?;
            p99.extend(outcome.latencies.quantile_ms(0.99));
            worst = worst.max(outcome.latencies.worst_ms().unwrap_or_default());
            unsent += outcome.unsent;
        }
        let row = Row::new(measure, median(&p99), "ms", None, Goal::Most(most));
        if row.met == Some(false) {
            let foreign = bench.foreign.last().copied().unwrap_or_default();
            report.notes.push(format!(
                "{measure} : the longest took {} ms; {unsent} payments were not sent in time, because a connection has at most {} \
                 unanswered; others used {:.0} % of the machine then",
                figure(worst),
                limits::PIPELINE,
                foreign * 100.0,
            ));
        }
        report.rows.push(row);
    }
    Ok(())
}

/// Writes 4 KiB behind what was written before and syncs, so many times.
fn appends(path: &Path, count: usize) -> Result<Latencies> {
    let mut file = File::create(path)?;
    file.write_all(&vec![0; PAGE * count])?;
    file.sync_all()?;
    file.rewind()?;
    let page = [7; PAGE];
    let mut micros = Vec::with_capacity(count);
    for _ in 0..count {
        let since = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        micros.push(u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(Latencies::of(micros))
}
