//! `inkan-simulate`: the settlement path under every fault, seed after seed.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

use clap::Parser;
use inkan_tests::sim::{self, Failure, Plan, Report};

/// Runs the simulator and says how it went. A seed that fails is run again and told step by step.
#[derive(Debug, Parser)]
#[command(name = "simulate", version)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// The center's disk lies: its syncs keep nothing. What must hold then is that it is found out.
    #[arg(long)]
    lying: bool,
    /// For how many steps chance rules in each run.
    #[arg(long, default_value_t = sim::STEPS)]
    steps: u32,
    /// On how many threads; 0 for one on each processor.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// What all seeds came to.
#[derive(Default)]
struct Sums {
    seeds: u64,
    steps: u64,
    entries: u64,
    payments: u64,
    starts: u64,
    changes: u64,
    found_out: u64,
    lost: u64,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let threads = match args.threads {
        0 => thread::available_parallelism().map_or(1, usize::from),
        some => some,
    };
    let begun = Instant::now();
    let next = AtomicU64::new(args.from);
    let end = args.from.saturating_add(args.seeds);
    let worked: Vec<(Sums, Option<Box<Failure>>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&args, &next, end))).collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).collect()
    });
    if worked.len() < threads {
        eprintln!("a thread ended unexpectedly");
        return ExitCode::FAILURE;
    }
    let mut sums = Sums::default();
    let mut first: Option<Box<Failure>> = None;
    for (part, failure) in worked {
        sums.absorb(&part);
        if let Some(failure) = failure
            && first.as_ref().is_none_or(|first| failure.plan.seed < first.plan.seed)
        {
            first = Some(failure);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{} seeds in {seconds:.1} s, {:.0} a minute on {threads} threads",
        sums.seeds,
        sums.seeds as f64 * 60.0 / seconds.max(0.001)
    );
    println!(
        "{} steps, {} entries, {} payments; the center was started {} times; {} writes, syncs and changes of names on its disk",
        sums.steps, sums.entries, sums.payments, sums.starts, sums.changes
    );
    if args.lying {
        println!(
            "in {} runs the journal lost what somebody had seen; in {} the lie was found out",
            sums.lost, sums.found_out
        );
    }
    let Some(failure) = first else {
        println!("nothing was found that must not be");
        return ExitCode::SUCCESS;
    };
    print!("{failure}");
    let lying = if args.lying { " --lying" } else { "" };
    println!(
        "again: scripts/simulate --from {} --seeds 1 --steps {}{lying}",
        failure.plan.seed, failure.plan.steps
    );
    ExitCode::FAILURE
}

/// Takes seeds until there are no more, or one has failed.
fn work(args: &Args, next: &AtomicU64, end: u64) -> (Sums, Option<Box<Failure>>) {
    let mut sums = Sums::default();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end {
            return (sums, None);
        }
        match sim::run(&Plan { lying: args.lying, steps: args.steps, ..Plan::of(seed) }) {
            Ok(report) => sums.add(&report),
            Err(failure) => {
                // Seeds below it are finished by whoever has them; none above it is begun.
                next.store(end, Ordering::Relaxed);
                return (sums, Some(failure));
            }
        }
    }
}

impl Sums {
    fn add(&mut self, report: &Report) {
        self.absorb(&Self {
            seeds: 1,
            steps: report.steps,
            entries: report.entries,
            payments: report.payments,
            starts: report.starts,
            changes: report.changes,
            found_out: report.found_out.into(),
            lost: report.lost.into(),
        });
    }

    fn absorb(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.steps += other.steps;
        self.entries += other.entries;
        self.payments += other.payments;
        self.starts += other.starts;
        self.changes += other.changes;
        self.found_out += other.found_out;
        self.lost += other.lost;
    }
}
