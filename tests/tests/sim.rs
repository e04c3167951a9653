//! The settlement path simulated: on honest disks and lying ones, at every write and sync, and with mistakes made on
//! purpose, each of which must be found.

use std::thread;

use inkan_tests::sim::{self, Plan, Report, flaw::Flaw};

/// Runs plans on all processors; the first that fails is told.
fn run_all(plans: &[Plan]) -> Vec<Report> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let part = plans.len().div_ceil(threads).max(1);
        let run = |plan| sim::run(plan).unwrap_or_else(|failure| panic!("{failure}"));
        let workers: Vec<_> = plans
            .chunks(part)
            .map(|plans| scope.spawn(move || plans.iter().map(run).collect::<Vec<_>>()))
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    })
}

#[test]
fn on_honest_disks_nothing_is_lost_doubled_or_contradicted() {
    let plans: Vec<Plan> = (1..=300).map(Plan::of).collect();
    let reports = run_all(&plans);
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    assert!(sum(|it| it.payments) > 600, "too little is paid to prove anything");
    assert!(sum(|it| it.starts) > 900, "too little goes wrong to prove anything");
    assert!(reports.iter().all(|report| !report.found_out && !report.lost));
}

#[test]
fn a_lying_disk_is_found_out() {
    let plans: Vec<Plan> = (1..=120).map(|seed| Plan { lying: true, ..Plan::of(seed) }).collect();
    let reports = run_all(&plans);
    let lost = reports.iter().filter(|report| report.lost).count();
    let found_out = reports.iter().filter(|report| report.found_out).count();
    assert!(lost > 3 && found_out > 30, "{lost} journals lost something, {found_out} lies were found out");
}

/// The machine dies at each change of its disk in turn, before and after it, and the power with it.
#[test]
fn a_death_at_every_write_and_sync_loses_nothing() {
    let plan = Plan { steps: 200, death: Some((u64::MAX, false)), ..Plan::of(7) };
    let whole = sim::run(&plan).unwrap_or_else(|failure| panic!("{failure}"));
    assert!(whole.changes > 60, "{} changes", whole.changes);
    let deaths = (0..whole.changes).flat_map(|change| [(change, false), (change, true)]);
    let plans: Vec<Plan> = deaths.map(|death| Plan { death: Some(death), ..plan }).collect();
    for report in run_all(&plans) {
        assert!(report.starts > 1);
    }
}

#[test]
fn a_seed_is_the_same_run_every_time() {
    for seed in [3, 4] {
        let run = || sim::run(&Plan::of(seed)).unwrap();
        assert_eq!(run(), run());
    }
}

#[test]
fn every_mistake_made_on_purpose_is_found() {
    for flaw in Flaw::ALL {
        let found = (1..=60).find_map(|seed| sim::run(&Plan { flaw: Some(flaw), ..Plan::of(seed) }).err());
        let failure = found.unwrap_or_else(|| panic!("{flaw:?} was not found"));
        assert!(!failure.history.is_empty());
        let again = sim::run(&failure.plan).unwrap_err();
        assert_eq!((&again.words, again.step), (&failure.words, failure.step), "the seed replays exactly");
    }
}
