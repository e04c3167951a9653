//! What receipts cost: the tree, its proofs, the checkpoint.
//!
//! There is no switch that takes evidence out of a center. So the same payments are entered in this process in turns
//! with and without what receipts need, and the difference is set against the center's whole processor time for a
//! payment, which a real process told in the same run.

use std::{fs::File, io::Write as _};

use color_eyre::eyre::Result;
use ledger::{State, decide};
use tui_center::books::{Books, Record};
use wire::{codec, receipt::Side, time::Timestamp};

use super::{
    Bench, Report,
    row::{Goal, Row, figure},
};
use crate::load::{
    cast::{Cast, Sizes},
    ending, machine,
    payments::{Dice, Payer, Zipf},
    prepare, spread,
    tally::median,
};

/// Entries of one batch: what a center gathers while the batch before it is on its way to the disk.
const BATCH: usize = 256;
/// Cards here; receipts don't depend on how many there are.
const CARDS: usize = 2_000;
/// Turns.
const TURNS: usize = 8;

pub(super) fn measure(bench: &Bench, center_us: f64, report: &mut Report) -> Result<()> {
    bench.say("measuring what receipts cost");
    let dir = tempfile::Builder::new().prefix("receipts-").tempdir_in(bench.work.path())?;
    let (mut books, mut state, cast) = prepare::bare(&dir.path().join("books"), Sizes::of(CARDS, 50))?;
    let mut plain = File::create(dir.path().join("plain"))?;
    let count = bench.choose(20, 40) * BATCH;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        ending::go_on()?;
        let records = records(&mut state, &cast, count);
        let before = machine::own_cpu();
        bare(&mut plain, &records)?;
        let between = machine::own_cpu();
        receipted(&mut books, &records)?;
        let after = machine::own_cpu();
        let each = |from, to: std::time::Duration| to.saturating_sub(from).as_secs_f64() * 1e6 / count as f64;
        without.push(each(before, between));
        with.push(each(between, after));
    }
    let costs: Vec<f64> =
        with.iter().zip(&without).map(|(with, without)| (with - without).max(0.0)).collect();
    let cost = median(&costs);
    let rest = cost.map(|cost| (center_us - cost).max(f64::MIN_POSITIVE));
    let row = Row::new(
        "receipts (tree, proofs, checkpoint) : CPU per payment without",
        cost,
        "µs",
        rest,
        Goal::RatioMost(0.08),
    );
    if let (Some(false), Some(cost)) = (row.met, cost) {
        report.notes.push(format!(
            "receipts : leaf, tree, checkpoint and two receipts took {} µs of {} µs for a payment in all",
            figure(cost),
            figure(center_us)
        ));
    }
    report.rows.push(row);
    Ok(())
}

/// Payments, decided and applied.
fn records(state: &mut State, cast: &Cast, count: usize) -> Vec<Record> {
    let (zipf, dice, now) = (Zipf::over(cast.sizes.stores), Dice::fresh(), Timestamp::now());
    let asked = spread(count, |index| {
        let (payment, telegram) = Payer::new(cast, index, &zipf, dice.of(index), now).pay();
        prepare::asked(&payment, &telegram)
    });
    let enter = |(request, evidence)| {
        let entry = decide(state, &request, now);
        state.apply(&entry).expect("what was decided on a state applies to it");
        Record::new(entry, evidence)
    };
    asked.into_iter().map(enter).collect()
}

/// The journal without what receipts need: the same bytes, checked and synced.
fn bare(plain: &mut File, records: &[Record]) -> Result<()> {
    for batch in records.chunks(BATCH) {
        let mut bytes = Vec::new();
        for record in batch {
            let kept = record.keep()?;
            bytes.extend_from_slice(&crc32fast::hash(&kept).to_le_bytes());
            bytes.extend_from_slice(&kept);
        }
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        plain.write_all(&bytes)?;
        plain.sync_data()?;
    }
    Ok(())
}

/// The journal as it is, and both parties' receipts of every entry.
fn receipted(books: &mut Books, records: &[Record]) -> Result<()> {
    for batch in records.chunks(BATCH) {
        books.append(batch)?;
        let reader = books.reader();
        for record in batch {
            for side in [Side::Member, Side::Store] {
                std::hint::black_box(codec::encode(&reader.receipt_of(record, side)?));
            }
        }
    }
    Ok(())
}
