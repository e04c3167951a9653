//! Five million payments in the books: throughput beside empty books, and the start after a kill.
//!
//! The books are made once, through the ledger core, and kept in the cache folder; every run works on a copy.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use color_eyre::eyre::{Context as _, Result, bail, ensure};
use wire::{
    id::{AccountNumber, Role},
    message::Answer,
};

use super::{
    Bench, CARDS, House, Report, STORES,
    row::{Goal, Row, figure},
    say,
    throughput::PIPELINED,
};
use crate::load::{
    cast::{self, Cast, Sizes},
    center::Center,
    drive::Plan,
    line::Target,
    payments::{FIRST_ID, piles},
    prepare,
    tally::median,
};

/// Payments in the books.
pub const PAYMENTS: usize = 5_000_000;

/// Makes the books in the cache folder, where they are not there yet, and gives their place.
///
/// # Errors
/// When there is not enough room, and whatever else the file system refuses.
pub fn prepare(cache: &Path) -> Result<PathBuf> {
    let (since, kept) = (Instant::now(), cache.join(format!("books-{PAYMENTS}")));
    if Cast::read(&kept).is_ok_and(|cast| cast.payments == PAYMENTS as u64) {
        return Ok(kept);
    }
    fs::create_dir_all(cache).wrap_err("making the cache folder")?;
    let needed = PAYMENTS as u64 * prepare::ENTRY_BYTES;
    let room = rustix::fs::statvfs(cache).map(|disk| disk.f_bavail * disk.f_frsize)?;
    // Beside the books themselves a run works on a copy of them.
    ensure!(
        room > 2 * needed,
        "books with {PAYMENTS} payments and a copy of them take up to {} GB in {}, where {} GB are free",
        figure(2.0 * needed as f64 / 1e9),
        cache.display(),
        figure(room as f64 / 1e9)
    );
    say(since, &format!("preparing books with {PAYMENTS} signed payments in {}, once", kept.display()));
    say(
        since,
        &format!(
            "they take up to {} GB on the disk, a run's copy as much; delete the folder whenever you like",
            figure(needed as f64 / 1e9)
        ),
    );
    let unfinished = cache.join(format!("books-{PAYMENTS}-unfinished"));
    prepare::remove(&unfinished)?;
    fs::create_dir_all(&unfinished)?;
    prepare::center(&unfinished, Sizes::of(CARDS, STORES), PAYMENTS, &mut |words| say(since, words))?;
    // What a center keeps beside its journal to start quickly, it makes itself.
    say(since, "starting a center on them and ending it in order, once");
    let center = Center::start(&unfinished)?;
    center.settle()?;
    center.stop()?;
    prepare::remove(&kept)?;
    fs::rename(&unfinished, &kept)?;
    prepare::remove(&unfinished)?;
    say(since, &format!("done: {} GB", figure(size(&kept)? as f64 / 1e9)));
    Ok(kept)
}

/// Payments a second with full books, in turns with empty ones. Leaves that center running.
pub(super) fn throughput(bench: &mut Bench, report: &mut Report) -> Result<()> {
    let kept = prepare(&bench.cache)?;
    bench.say("copying the books with five million payments");
    let profile = bench.work.path().join("big");
    copy(&kept, &profile)?;
    bench.say("opening them");
    bench.big = Some(House::open(&bench.runtime, &profile)?);
    let plan = Plan { payments: 100_000, ..PIPELINED };
    bench.drive_big(&Plan { payments: 20_000, ..plan })?;
    let (mut full, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..bench.rounds() {
        let outcome = bench.drive(&plan)?;
        outcome.whole()?;
        empty.push(outcome.per_second());
        let Some(outcome) = bench.drive_big(&plan)? else { bail!("the center with full books has gone") };
        outcome.whole()?;
        full.push(outcome.per_second());
    }
    let measure = "payments/s with 5,000,000 payments in the books : with empty books";
    report.rows.push(Row::new(measure, median(&full), "a second", median(&empty), Goal::RatioLeast(0.90)));
    Ok(())
}

/// From the start of a center that was killed with five million payments in its books to its first payment.
pub(super) fn restart(bench: &mut Bench, report: &mut Report) -> Result<()> {
    let Some(big) = bench.big.take() else { return Ok(()) };
    let House { stores, center, cast, ids, next_member, .. } = big;
    drop(stores);
    let profile = center.profile().to_owned();
    let mut running = center;
    let mut times = Vec::new();
    let mut openings = Vec::new();
    for _ in 0..bench.choose(1, 3) {
        running.kill()?;
        let since = Instant::now();
        running = Center::start(&profile)?;
        let target = running.target()?;
        bench.runtime.block_on(first_payment(&target, &cast))?;
        times.push(since.elapsed().as_secs_f64());
        openings.push(running.opening.as_secs_f64());
        bench.say(&format!(
            "after kill -9 the first payment was settled within {} s",
            figure(times[times.len() - 1])
        ));
    }
    let row = Row::new(
        "start after kill -9 with 5,000,000 payments, to the first payment",
        median(&times),
        "s",
        None,
        Goal::Most(5.0),
    );
    if row.met == Some(false) {
        report.notes.push(format!(
            "start after kill -9 : {} s of it passed before the center listened (keys unlocked, books opened)",
            figure(median(&openings).unwrap_or_default())
        ));
    }
    report.rows.push(row);
    let target = running.target()?;
    bench.big = Some(House { stores: None, center: running, target, cast, ids, next_member });
    Ok(())
}

/// One payment, from the connection to the receipt.
async fn first_payment(target: &Arc<Target>, cast: &Cast) -> Result<()> {
    let pile = piles(cast, 1, 1, 0).swap_remove(0);
    let account = cast::account(Role::Member, pile.member);
    ensure!(matches!(account, AccountNumber::Member(_)), "members pay");
    let (mut line, _) = target.login(account, &cast::terminal_key(account), 0).await?;
    line.send(pile.frames(0..1)).await?;
    match line.answer(FIRST_ID).await? {
        Answer::Verdict(verdict) if verdict.receipt().is_some() => Ok(()),
        _ => bail!("the first payment was not settled"),
    }
}

/// Copies a folder with everything in it; sockets and locks of a program that ran there are left out.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for item in fs::read_dir(from)? {
        let item = item?;
        let (kind, target) = (item.file_type()?, to.join(item.file_name()));
        if kind.is_dir() {
            copy(&item.path(), &target)?;
        } else if kind.is_file() {
            fs::copy(item.path(), &target).wrap_err_with(|| format!("copying to {}", target.display()))?;
        }
    }
    fs::set_permissions(to, fs::metadata(from)?.permissions())?;
    Ok(())
}

fn size(folder: &Path) -> Result<u64> {
    let mut sum = 0;
    for item in fs::read_dir(folder)? {
        let item = item?;
        sum += if item.file_type()?.is_dir() { size(&item.path())? } else { item.metadata()?.len() };
    }
    Ok(sum)
}
