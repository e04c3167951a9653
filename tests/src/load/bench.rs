//! `scripts/bench`: every measure beside what it is compared with, in one run.
//!
//! Whatever is compared is measured in turns, so that both meet the same machine, and the medians of the turns are
//! taken. Beside the table stand words about what bounds a goal that is missed, made from figures of the same run.
//!
//! | module | measures |
//! |---|---|
//! | [`throughput`] | payments a second beside raw `verify_strict` and PostgreSQL; the center's processor time; journal bytes |
//! | [`verify`], [`postgres`] | what these are compared with |
//! | [`receipts`] | what tree, proofs and checkpoint cost |
//! | [`core`](mod@core) | the ledger core alone |
//! | [`latency`] | a lone payment beside a synced append; 99 of 100 at 70 % of the maximum and with 64 payers |
//! | [`handshakes`], [`idle`] | logins beside bare handshakes; memory of connections that only wait |
//! | [`console`] | a console that redraws while payments stream |
//! | [`overload`] | twice the sustainable rate |
//! | [`big`] | five million payments in the books: throughput, and the start after a kill |
//! | [`row`] | the table |

pub mod big;
pub mod console;
pub mod core;
pub mod handshakes;
pub mod idle;
pub mod latency;
pub mod overload;
pub mod postgres;
pub mod receipts;
pub mod row;
pub mod throughput;
pub mod verify;

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::Arc,
    time::Instant,
};

use color_eyre::eyre::{Context as _, Result};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wire::id::TelegramId;

use self::row::Row;
use super::{
    account,
    cast::{Cast, Sizes},
    center::Center,
    cores,
    drive::{self, Outcome, Plan},
    line::Target,
    machine, prepare,
    stores::Stores,
};

/// Cards of a measured center.
const CARDS: usize = 100_000;
/// Its stores.
const STORES: usize = 1_000;

/// What a run of all measures is to do.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Leaves out what takes long: five million payments, ten thousand connections.
    pub quick: bool,
    /// The folder for everything that is made; on the disk that is to be measured.
    pub cache: PathBuf,
}

/// All rows, and words beside them.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The table's rows.
    pub rows: Vec<Row>,
    /// What bounds a missed goal, what could not be measured, what was verified.
    pub notes: Vec<String>,
}

/// Measures everything.
///
/// # Errors
/// When a center does not start, a receipt does not verify, or a payment is lost: then no figure means anything.
pub fn measure(wanted: &Wanted) -> Result<Report> {
    let open_files = machine::raise_open_files();
    fs::create_dir_all(&wanted.cache).wrap_err("making the cache folder")?;
    clear_left(&wanted.cache)?;
    let work =
        tempfile::Builder::new().prefix(&format!("run-{}-", process::id())).tempdir_in(&wanted.cache)?;
    let mut bench = Bench::begin(wanted, work)?;
    let mut report = Report::default();
    let max = throughput::measure(&mut bench, &mut report)?;
    receipts::measure(&bench, max.center_us, &mut report)?;
    if !wanted.quick {
        big::throughput(&mut bench, &mut report)?;
    }
    let lone = latency::lone(&mut bench, &mut report)?;
    latency::loaded(&mut bench, max.per_second, &mut report)?;
    core::measure(&bench, &mut report)?;
    if !wanted.quick {
        big::restart(&mut bench, &mut report)?;
    }
    handshakes::measure(&mut bench, &mut report)?;
    if !wanted.quick {
        idle::measure(&mut bench, open_files, &mut report)?;
    }
    report.rows.push(max.journal);
    console::measure(&mut bench, &mut report)?;
    overload::measure(&mut bench, max.per_second, lone, &mut report)?;
    bench.end(&mut report)?;
    Ok(report)
}

/// A running center with its stores, and what was paid so far.
struct Bench {
    quick: bool,
    cache: PathBuf,
    work: TempDir,
    since: Instant,
    runtime: Runtime,
    house: House,
    /// The one with five million payments in its books.
    big: Option<House>,
    foreign: Vec<f64>,
    receipts: usize,
    notices: usize,
}

/// A center, its stores' connections, and every payment that it answered as settled.
struct House {
    stores: Option<Stores>,
    center: Center,
    target: Arc<Target>,
    cast: Cast,
    ids: Vec<TelegramId>,
    next_member: usize,
}

impl Bench {
    fn begin(wanted: &Wanted, work: TempDir) -> Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(cores()).enable_all().build()?;
        let since = Instant::now();
        let profile = work.path().join("center");
        fs::create_dir_all(&profile)?;
        say(since, &format!("preparing a center with {CARDS} cards and {STORES} stores"));
        prepare::center(&profile, Sizes::of(CARDS, STORES), 0, &mut |words| say(since, words))?;
        let house = House::open(&runtime, &profile)?;
        Ok(Self {
            quick: wanted.quick,
            cache: wanted.cache.clone(),
            work,
            since,
            runtime,
            house,
            big: None,
            foreign: Vec::new(),
            receipts: 0,
            notices: 0,
        })
    }

    /// How often what is compared takes turns.
    fn rounds(&self) -> usize {
        if self.quick { 3 } else { 5 }
    }

    /// One of two figures: for a quick run, for a full one.
    fn choose<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    fn say(&self, words: &str) {
        say(self.since, words);
    }

    /// Runs payments at the center, of members that the run before left alone.
    fn drive(&mut self, plan: &Plan) -> Result<Outcome> {
        let outcome = self.house.drive(&self.runtime, plan)?;
        self.count(plan, &outcome);
        Ok(outcome)
    }

    /// The same at the center with five million payments.
    fn drive_big(&mut self, plan: &Plan) -> Result<Option<Outcome>> {
        let Some(big) = &mut self.big else { return Ok(None) };
        let outcome = big.drive(&self.runtime, plan)?;
        self.count(plan, &outcome);
        Ok(Some(outcome))
    }

    fn count(&mut self, plan: &Plan, outcome: &Outcome) {
        self.foreign.push(outcome.usage.foreign);
        self.receipts += outcome.receipts;
        self.notices += outcome.notices_verified;
        let summary = outcome.summary(plan);
        let ms = |value: Option<f64>| value.unwrap_or(f64::NAN);
        self.say(&format!(
            "{} connections: {:.0} payments/s, p50 {:.2} ms, p99 {:.2} ms; a payment took {:.1} µs of the center and {:.1} µs \
             of the generator; others used {:.0} % of the machine; {} settled, {} not",
            plan.connections,
            summary.per_second,
            ms(summary.p50_ms),
            ms(summary.p99_ms),
            summary.center_us,
            summary.generator_us,
            summary.foreign * 100.0,
            outcome.settled,
            outcome.refused + outcome.busy + outcome.problems + outcome.unanswered,
        ));
    }

    /// Ends the centers and holds every answer against their books.
    fn end(mut self, report: &mut Report) -> Result<()> {
        for mut house in [Some(self.house), self.big.take()].into_iter().flatten() {
            drop(house.stores.take());
            let (profile, first) = (house.center.profile().to_owned(), house.cast.entries);
            house.center.stop()?;
            let accounts = account::reconcile(&profile, first, &house.ids)?;
            report.notes.push(format!(
                "{} payments were answered as settled, in the overload too; each is in the center's books exactly once, beside {} \
                 that were entered and whose answer was not waited for",
                accounts.settled, accounts.unanswered
            ));
        }
        report.notes.push(format!(
            "{} receipts and {} notices were verified in full: leaf, part, proof, checkpoint, key sheet, and that they say what was paid",
            self.receipts, self.notices
        ));
        let worst = self.foreign.iter().copied().fold(0.0, f64::max);
        let half = super::tally::median(&self.foreign).unwrap_or_default();
        report.notes.push(format!(
            "others used {:.0} % of the machine in half of the runs, {:.0} % in the worst",
            half * 100.0,
            worst * 100.0
        ));
        self.runtime.shutdown_background();
        Ok(())
    }
}

impl House {
    /// Starts the center of a prepared profile and opens its stores' connections.
    fn open(runtime: &Runtime, profile: &Path) -> Result<Self> {
        let cast = Cast::read(profile)?;
        let center = Center::start(profile)?;
        center.settle()?;
        let target = center.target()?;
        let stores = Some(runtime.block_on(Stores::open(&target, &cast))?);
        Ok(Self { stores, center, target, cast, ids: Vec::new(), next_member: 0 })
    }

    fn drive(&mut self, runtime: &Runtime, plan: &Plan) -> Result<Outcome> {
        let plan = Plan { first_member: self.next_member, ..*plan };
        self.next_member = (self.next_member + plan.connections) % self.cast.sizes.members;
        let stores = self.stores.as_ref().ok_or_else(|| color_eyre::eyre::eyre!("the stores have left"))?;
        let mut outcome =
            runtime.block_on(drive::run(&self.target, &self.cast, stores, self.center.pid(), &plan))?;
        self.ids.append(&mut outcome.ids);
        Ok(outcome)
    }
}

/// Removes what runs that were killed have left in the cache folder.
fn clear_left(cache: &Path) -> Result<()> {
    for item in fs::read_dir(cache)?.flatten() {
        let name = item.file_name().to_string_lossy().into_owned();
        let Some((pid, _)) = name.strip_prefix("run-").and_then(|rest| rest.split_once('-')) else {
            continue;
        };
        if pid.bytes().all(|byte| byte.is_ascii_digit()) && !Path::new("/proc").join(pid).exists() {
            fs::remove_dir_all(item.path())
                .wrap_err_with(|| format!("removing {}", item.path().display()))?;
        }
    }
    Ok(())
}

/// Tells how far it is, on standard error.
fn say(since: Instant, words: &str) {
    eprintln!("{:>6.1} s  {words}", since.elapsed().as_secs_f64());
}
