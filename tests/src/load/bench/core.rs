//! The ledger core alone: decide, apply, leaf, tree and journal, one batch after the other.

use color_eyre::eyre::Result;
use ledger::{Request, decide};
use tui_center::books::Record;
use wire::time::Timestamp;

use super::{
    Bench, CARDS, Report, STORES,
    row::{Goal, Row},
};
use crate::load::{
    cast::Sizes,
    ending, machine,
    payments::{Dice, Payer, Zipf},
    prepare, spread,
    tally::median,
};

/// Entries of one batch, as many as the desk takes at the most.
const BATCH: usize = 512;

/// Entries a second of processor time: the deciding thread's and whatever helps it, so that a machine that others use gives
/// the same figure.
pub(super) fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    bench.say("measuring the ledger core alone");
    let dir = tempfile::Builder::new().prefix("core-").tempdir_in(bench.work.path())?;
    let sizes = Sizes::of(CARDS, STORES);
    let (mut books, mut state, cast) = prepare::bare(&dir.path().join("books"), sizes)?;
    let (zipf, now) = (Zipf::over(sizes.stores), Timestamp::now());
    let count = bench.choose(20_000, 50_000);
    let mut rates = Vec::new();
    for round in 0..bench.rounds() {
        ending::go_on()?;
        let dice = Dice::fresh();
        let asked: Vec<(Request, Vec<u8>)> = spread(count, |index| {
            let (payment, telegram) = Payer::new(&cast, index, &zipf, dice.of(index), now).pay();
            prepare::asked(&payment, &telegram)
        });
        let before = machine::own_cpu();
        let mut records = Vec::with_capacity(BATCH);
        let mut refused = 0;
        for (request, evidence) in asked {
            let entry = decide(&state, &request, now);
            refused += usize::from(entry.refusal().is_some());
            state.apply(&entry)?;
            records.push(Record::new(entry, evidence));
            if records.len() == BATCH {
                books.append(&records)?;
                records.clear();
            }
        }
        books.append(&records)?;
        let cpu = machine::own_cpu().saturating_sub(before).as_secs_f64();
        color_eyre::eyre::ensure!(refused == 0, "{refused} payments of round {round} were refused");
        rates.push(count as f64 / cpu);
    }
    let measure = "ledger core alone (decide, apply, tree, journal), a second of one core";
    report.rows.push(Row::new(measure, median(&rates), "a second", None, Goal::Least(350_000.0)));
    Ok(())
}
