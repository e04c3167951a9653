//! `inkan-bench`: what `scripts/bench` runs once everything is built.

use std::{env, fs, path::PathBuf};

use clap::Parser;
use color_eyre::eyre::{Context as _, Result, eyre};
use inkan_tests::load::{
    bench::{self, Wanted, big, row},
    ending,
};

/// Measures the settlement engine beside what it is compared with, in one run, and prints ratios.
///
/// A real tui-center is put under load over TLS on this machine by members whose payments were signed beforehand: 100,000
/// cards, 1,000 stores by Zipf's law. What is compared is measured in turns; the medians are printed. Payments that
/// were answered as settled are looked for in the center's books at the end, each exactly once, and a sample of the
/// receipts and notices is verified in full: when one is missing or false, there is no table.
///
/// Rows that take long (five million payments in the books, ten thousand connections) are left out with --quick. The
/// books with five million signed payments are made once and kept in the cache folder; --prepare does only that.
/// They take 2.5 GB there at the most, and a full run works on a copy.
#[derive(Parser)]
#[command(name = "scripts/bench", bin_name = "scripts/bench")]
struct Options {
    /// Leaves out what takes long; under three minutes
    #[arg(long)]
    quick: bool,
    /// Makes the books with five million payments, where they are not there yet, and nothing else
    #[arg(long, conflicts_with_all = ["quick", "json"])]
    prepare: bool,
    /// Writes the rows to a file: a list of {measure, value, unit, reference, ratio, goal, met}
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The folder for everything that is made, on the disk that is to be measured; otherwise inkan-bench below
    /// $XDG_CACHE_HOME or ~/.cache
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

fn main() -> Result<()> {
    color_eyre::install()?;
    let options = Options::parse();
    let cache = options.cache.clone().map_or_else(cache, Ok)?;
    let cache = std::path::absolute(cache)?;
    ending::listen()?;
    if options.prepare {
        let kept = big::prepare(&cache)?;
        println!("the books with {} payments are in {}", big::PAYMENTS, kept.display());
        return Ok(());
    }
    if cfg!(debug_assertions) {
        eprintln!(
            "This is a build for tests: its figures mean nothing. scripts/bench builds and runs the other one."
        );
    }
    let report = bench::measure(&Wanted { quick: options.quick, cache })?;
    print!("{}", row::table(&report.rows));
    println!();
    for note in &report.notes {
        println!("{note}");
    }
    let missed: Vec<&str> =
        report.rows.iter().filter(|row| row.met == Some(false)).map(|row| row.measure.as_str()).collect();
    println!(
        "{} goals are missed{}{}",
        missed.len(),
        if missed.is_empty() { "" } else { ": " },
        missed.join("; ")
    );
    if let Some(file) = &options.json {
        fs::write(file, serde_json::to_vec_pretty(&report.rows)?).wrap_err("writing the rows")?;
    }
    Ok(())
}

/// The folder where nothing else is said.
fn cache() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    let base = base.ok_or_else(|| eyre!("there is no home directory; name a folder with --cache"))?;
    Ok(base.join("inkan-bench"))
}
