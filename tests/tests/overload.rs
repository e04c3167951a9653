//! Twice as many payments as can be settled: some are turned away with words, those that are not come in bounded time,
//! none is lost, and afterwards all is as before.
//!
//! The center's disk is slow here (a batch of 512 payments takes a second), so that what can be settled does not depend
//! on the machine, and the desk's queue of 4,096 is the one thing that fills up.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use color_eyre::eyre::{Result, ensure, eyre};
use inkan_tests::load::{
    account,
    cast::{self, Cast, Sizes},
    center::Center,
    drive::{Outcome, Pace, Plan, run},
    line::Target,
    payments::piles,
    prepare,
    stores::Stores,
};
use tokio::time::timeout;
use wire::{
    codec,
    id::Role,
    limits,
    link::FromServer,
    message::{Answer, Problem, Push},
};

/// How long a batch takes on the slow disk.
const SLOW: &str = "journal.sync~1000";
/// What the desk can settle in a second then: one batch.
const SUSTAINED: f64 = 512.0;
/// What waits for the desk at the most, in seconds of its work.
const QUEUE_SECONDS: f64 = 4096.0 / SUSTAINED;
/// Connections, of which each may have [`limits::PIPELINE`] unanswered: more than the queue holds.
const CONNECTIONS: usize = 120;
/// How long the one who tells the words waits between its payments.
const NOW_AND_THEN: Duration = Duration::from_millis(500);
/// For how long twice the sustainable rate comes.
const SECONDS: f64 = 11.0;

#[test]
fn twice_the_sustainable_rate_is_shed_with_words_and_nothing_is_lost() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let profile = dir.path().join("center");
    let cast = prepare::center(&profile, Sizes::of(CONNECTIONS, 3), 0, &mut |_| {}).expect("prepared");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(overload(&profile, &cast)).unwrap_or_else(|error| panic!("{error:#}"));
}

async fn overload(profile: &Path, cast: &Cast) -> Result<()> {
    let center = Center::start_with(profile, &[("INKAN_FAILPOINT", SLOW)])?;
    let target = center.target()?;
    let stores = Stores::open(&target, cast).await?;
    let plan =
        |connections, pace, payments| Plan { connections, pace, payments, sample: 50, first_member: 0 };
    let calm = run(&target, cast, &stores, center.pid(), &plan(4, Pace::Closed(1), 12)).await?;
    calm.whole()?;

    let offered = 2.0 * SUSTAINED * SECONDS;
    let storm = plan(CONNECTIONS, Pace::Fixed(2.0 * SUSTAINED), offered as usize);
    let over = Arc::new(AtomicBool::new(false));
    let probing = tokio::spawn(turned_away(target.clone(), cast.clone(), over.clone()));
    let stormy = run(&target, cast, &stores, center.pid(), &storm).await?;
    over.store(true, Ordering::Relaxed);
    let problem = probing.await??;

    let after = run(&target, cast, &stores, center.pid(), &plan(4, Pace::Closed(1), 12)).await?;
    after.whole()?;
    tell("calm", &calm);
    tell("twice the rate", &stormy);
    tell("afterwards", &after);

    ensure!(stormy.busy > 0, "nothing was shed: {:?}", stormy.summary(&storm));
    ensure!(stormy.refused + stormy.problems + stormy.unanswered == 0, "{:?}", stormy.summary(&storm));
    ensure!(stormy.notices >= stormy.settled, "{} notices of {}", stormy.notices, stormy.settled);
    // Admitted is what fits the queue, so nobody waits longer than what it holds takes, and the batch before it; the
    // machine is given half as much again.
    let bound = (QUEUE_SECONDS + 2.0) * 1.5;
    let p99 = stormy.latencies.quantile_ms(0.99).unwrap_or(f64::MAX) / 1_000.0;
    ensure!(p99 < bound, "99 of 100 admitted payments took up to {p99:.1} s, and {bound:.1} s were due");
    let (before, again) = (calm.latencies.quantile_ms(0.5), after.latencies.quantile_ms(0.5));
    ensure!(
        again < before.map(|before| 3.0 * before),
        "calm took {before:?} ms before and {again:?} ms after"
    );
    ensure!(problem.retry_after().is_some(), "whoever is turned away is not told when to come again");
    println!("who is turned away reads: {problem}");
    center.stop()?;

    let settled: Vec<_> = [&calm, &stormy, &after].into_iter().flat_map(|run| run.ids.clone()).collect();
    let accounts = account::reconcile(profile, cast.entries, &settled)?;
    // The one that asks until it is turned away has entered some of its own.
    ensure!(accounts.settled == settled.len() as u64, "{accounts:?}");
    Ok(())
}

/// Submits a payment now and then, on a connection of its own, until one is turned away; what is said then.
async fn turned_away(target: Arc<Target>, cast: Cast, over: Arc<AtomicBool>) -> Result<Problem> {
    let member = CONNECTIONS - 1;
    let account = cast::account(Role::Member, member);
    let (mut line, _) = target.login(account, &cast::terminal_key(account), CONNECTIONS).await?;
    let pile = piles(&cast, 1, limits::PIPELINE, member).pop().ok_or_else(|| eyre!("no payments"))?;
    for index in 0..pile.len() {
        ensure!(!over.load(Ordering::Relaxed), "nobody was turned away");
        line.send(pile.frames(index..index + 1)).await?;
        // Its answer may take as long as the whole queue; others come meanwhile.
        if let Ok(filled) = timeout(NOW_AND_THEN, line.fill()).await {
            filled?;
        }
        while let Some(frame) = line.take() {
            if let Ok(FromServer::Reply { answer: Answer::Problem(problem), .. }) =
                codec::decode::<FromServer<Answer, Push>>("frame", &frame, limits::FRAME)
            {
                return Ok(problem);
            }
        }
    }
    Err(eyre!("nobody was turned away"))
}

fn tell(what: &str, run: &Outcome) {
    let ms = |share| run.latencies.quantile_ms(share).unwrap_or_default();
    println!(
        "{what}: {} settled, {} shed, {:.0}/s, half within {:.0} ms, 99 of 100 within {:.0} ms",
        run.settled,
        run.busy,
        run.per_second(),
        ms(0.5),
        ms(0.99)
    );
}
