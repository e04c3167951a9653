//! Twice the sustainable rate: what is shed is told so, what is admitted is answered in bounded time, nothing is lost, and
//! afterwards the center is as quick as before by itself.

use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, ensure};
use wire::limits;

use super::{
    Bench, Report,
    row::{Goal, Row, figure},
};
use crate::load::drive::{Pace, Plan};

/// Connections: together they may have more unanswered than the desk's queue holds.
const CONNECTIONS: usize = 256;
/// The most payments that are signed beforehand; they lie in memory.
const SIGNED: f64 = 4_000_000.0;
/// How long the center may take to be itself again.
const RECOVERY: Duration = Duration::from_secs(30);
/// Payments by which it shows that.
const PROBES: usize = 20;

pub(super) fn measure(bench: &mut Bench, max: f64, lone_ms: f64, report: &mut Report) -> Result<()> {
    let (rate, seconds) = (2.0 * max, bench.choose(10.0, 60.0_f64));
    let payments = (rate * seconds).min(SIGNED);
    bench.say(&format!("overload: {} payments a second for {} s", figure(rate), figure(payments / rate)));
    let plan = Plan {
        connections: CONNECTIONS,
        pace: Pace::Fixed(rate),
        payments: payments as usize,
        sample: 2_000,
        first_member: 0,
    };
    let outcome = bench.drive(&plan)?;
    let over = Instant::now();
    ensure!(outcome.settled > 0, "nothing was admitted under overload");
    ensure!(
        outcome.notices == outcome.settled,
        "{} payments were admitted under overload, {} notices came",
        outcome.settled,
        outcome.notices
    );
    let asked = outcome.settled + outcome.refused + outcome.busy + outcome.problems + outcome.unanswered;
    let shed = outcome.busy as f64 / asked.max(1) as f64 * 100.0;
    report.rows.push(Row::new(
        "overload, twice the maximum : shed with “busy”",
        Some(shed),
        "%",
        None,
        Goal::Told,
    ));
    for (measure, latencies) in [
        ("overload : p99 of what was admitted, from its sending", &outcome.since_sent),
        ("overload : p99 of what was admitted, from when it was due", &outcome.latencies),
    ] {
        report.rows.push(Row::new(measure, latencies.quantile_ms(0.99), "ms", None, Goal::Told));
    }
    let recovered = recover(bench, lone_ms, over)?;
    report.rows.push(Row::new(
        "overload : until a lone payment is as quick as before",
        recovered,
        "s",
        None,
        Goal::Told,
    ));
    report.notes.push(format!(
        "overload : {} payments/s were wanted, {}/s were answered, {}/s of them settled; {} were never sent, because each of {CONNECTIONS} \
         connections had {} unanswered; {} were not heard for another reason than “busy”, {} were never answered; half of the \
         admitted took at most {} ms from their sending",
        figure(rate),
        figure((asked - outcome.unanswered) as f64 / outcome.seconds),
        figure(outcome.per_second()),
        outcome.unsent,
        limits::PIPELINE,
        outcome.problems + outcome.refused,
        outcome.unanswered,
        figure(outcome.since_sent.quantile_ms(0.5).unwrap_or_default()),
    ));
    Ok(())
}

/// Seconds until lone payments take what they took before, half of them at the most twice; `None` when they don't.
fn recover(bench: &mut Bench, lone_ms: f64, over: Instant) -> Result<Option<f64>> {
    let plan = Plan {
        connections: 1,
        pace: Pace::Closed(1),
        payments: PROBES,
        sample: PROBES as u32,
        first_member: 0,
    };
    while over.elapsed() < RECOVERY {
        let outcome = bench.drive(&plan)?;
        if outcome.whole().is_ok() && outcome.latencies.quantile_ms(0.5).is_some_and(|ms| ms <= 2.0 * lone_ms)
        {
            return Ok(Some(over.elapsed().as_secs_f64()));
        }
    }
    Ok(None)
}
