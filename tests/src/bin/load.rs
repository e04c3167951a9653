//! `inkan-load`: members who pay and stores that are told, against a center that this program starts.

use std::{fs, path::PathBuf, time::Instant};

use clap::Parser;
use color_eyre::eyre::{Result, ensure};
use inkan_tests::load::{
    account,
    cast::{Cast, Sizes},
    center::Center,
    drive::{Pace, Plan, Summary, run},
    ending, machine, prepare,
    stores::Stores,
};

/// Puts a center under load: payments that were signed beforehand, over TLS on this machine, from many cards to many stores.
///
/// Founds a center in a folder of its own (or takes one that an earlier run has left with --keep), starts the real
/// tui-center beside this program, and runs payments at each number of connections, not pipelined and pipelined, and
/// with --rate at a fixed rate. Every notice is received and acknowledged by its store. Afterwards the center ends and
/// its books must hold every payment that was answered as settled exactly once.
#[derive(Parser)]
#[command(name = "inkan-load")]
struct Options {
    /// Cards, of members with up to a hundred each
    #[arg(long, default_value_t = 100_000)]
    cards: usize,
    /// Stores; payments go to them by Zipf's law
    #[arg(long, default_value_t = 1_000)]
    stores: usize,
    /// Numbers of connections, each run by itself
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    connections: Vec<usize>,
    /// Unanswered payments of each connection in the pipelined runs
    #[arg(long, default_value_t = 64)]
    window: usize,
    /// Payments of each run
    #[arg(long, default_value_t = 50_000)]
    payments: usize,
    /// Payments a second, of all connections together, whether or not answers come; latencies count from when a payment was
    /// meant to be sent
    #[arg(long)]
    rate: Option<f64>,
    /// Of so many receipts one is verified in full
    #[arg(long, default_value_t = 200)]
    sample: u32,
    /// The folder for the center's profile; a temporary one where nothing is said
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Leaves the center's profile where it is, for another run
    #[arg(long, requires = "dir")]
    keep: bool,
    /// Writes what came of each run to a file
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> Result<()> {
    color_eyre::install()?;
    let options = Options::parse();
    ensure!(
        options.connections.iter().all(|connections| (1..=10_000).contains(connections)),
        "connections are 1 to 10,000"
    );
    ensure!(options.rate.is_none_or(|rate| rate > 0.0), "a rate is more than nothing");
    ending::listen()?;
    machine::raise_open_files();
    let temporary = tempfile::Builder::new().prefix("inkan-load-").tempdir()?;
    let root = options.dir.clone().unwrap_or_else(|| temporary.path().to_owned());
    let profile = root.join("center");
    let summaries = load(&options, &profile)?;
    if !options.keep {
        prepare::remove(&profile)?;
    }
    if let Some(file) = &options.json {
        fs::write(file, serde_json::to_vec_pretty(&summaries)?)?;
    }
    Ok(())
}

fn load(options: &Options, profile: &std::path::Path) -> Result<Vec<Summary>> {
    fs::create_dir_all(profile)?;
    let cast = match Cast::read(profile) {
        Ok(cast) => cast,
        Err(_) => {
            let since = Instant::now();
            let cast = prepare::center(profile, Sizes::of(options.cards, options.stores), 0, &mut |words| {
                eprintln!("{words} ({:.1} s)", since.elapsed().as_secs_f64());
            })?;
            eprintln!("a center is prepared in {}", profile.display());
            cast
        }
    };
    let center = Center::start(profile)?;
    center.settle()?;
    let target = center.target()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut summaries = Vec::new();
    let mut ids = Vec::new();
    let first = runtime.block_on(account::entries(&target))?;
    runtime.block_on(async {
        let stores = Stores::open(&target, &cast).await?;
        let mut first_member = 0;
        println!("{HEAD}");
        for plan in plans(options) {
            let plan = Plan { first_member, ..plan };
            first_member += plan.connections;
            let mut outcome = run(&target, &cast, &stores, center.pid(), &plan).await?;
            let summary = outcome.summary(&plan);
            println!("{}", line(&summary));
            summaries.push(summary);
            ids.append(&mut outcome.ids);
        }
        Ok::<(), color_eyre::Report>(())
    })?;
    center.stop()?;
    let accounts = account::reconcile(profile, first, &ids)?;
    println!(
        "{} payments were answered as settled; each is in the center's books exactly once, with {} that were never answered",
        accounts.settled, accounts.unanswered
    );
    Ok(summaries)
}

fn plans(options: &Options) -> Vec<Plan> {
    let mut plans = Vec::new();
    for connections in &options.connections {
        let paces = match options.rate {
            Some(rate) => vec![Pace::Fixed(rate)],
            None => vec![Pace::Closed(1), Pace::Closed(options.window)],
        };
        plans.extend(paces.into_iter().map(|pace| Plan {
            connections: *connections,
            pace,
            payments: options.payments,
            sample: options.sample,
            first_member: 0,
        }));
    }
    plans
}

const HEAD: &str = "connections  sending      payments/s    p50 ms    p99 ms  worst ms  center µs  load µs  others  settled  not settled  receipts  notices";

fn line(summary: &Summary) -> String {
    let sending = match (summary.window, summary.rate) {
        (Some(1), _) => "one by one".to_owned(),
        (Some(window), _) => format!("{window} ahead"),
        (None, rate) => format!("{:.0}/s", rate.unwrap_or_default()),
    };
    let ms = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    let settled = summary.answers.get("settled").copied().unwrap_or_default();
    let others: u64 = summary.answers.values().sum::<u64>() - settled;
    format!(
        "{:>11}  {sending:<11}  {:>10.0}  {:>8}  {:>8}  {:>8}  {:>9.1}  {:>7.1}  {:>5.0}%  {settled:>7}  {others:>11}  {:>8}  {:>7}",
        summary.connections,
        summary.per_second,
        ms(summary.p50_ms),
        ms(summary.p99_ms),
        ms(summary.worst_ms),
        summary.center_us,
        summary.generator_us,
        summary.foreign * 100.0,
        summary.receipts_verified,
        summary.notices,
    )
}
