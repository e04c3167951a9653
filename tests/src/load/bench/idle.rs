//! What a connection costs in memory that has logged in and waits.

use std::time::Duration;

use color_eyre::eyre::{Result, eyre};
use tokio::task::JoinSet;
use wire::id::Role;

use super::{
    Bench, Report,
    row::{Goal, Row},
};
use crate::load::{cast, line::Line, machine};

/// How many wait.
const CONNECTIONS: usize = 10_000;
/// Open files that each side needs besides.
const OTHER_FILES: u64 = 1_500;
/// Connections that are opened at the same time.
const AT_ONCE: usize = 32;
/// How often each shows that it is there.
const PING: Duration = Duration::from_secs(15);

pub(super) fn measure(bench: &mut Bench, open_files: u64, report: &mut Report) -> Result<()> {
    let room = usize::try_from(open_files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    let count = CONNECTIONS.min(room);
    if count < CONNECTIONS {
        report.notes.push(format!(
            "idle connections : {count} only, because {open_files} files may be open at one time"
        ));
    }
    bench.say(&format!("opening {count} connections that only wait"));
    let pid = bench.house.center.pid();
    // What a first thousand leaves behind in pools is not counted as the others' need.
    bench.runtime.block_on(open(bench, count / 10))?.shutdown_later();
    std::thread::sleep(Duration::from_secs(1));
    let before = machine::resident(pid)?;
    let waiting = bench.runtime.block_on(open(bench, count))?;
    std::thread::sleep(Duration::from_secs(2));
    let after = machine::resident(pid)?;
    waiting.shutdown_later();
    let each = after.saturating_sub(before) as f64 / count.max(1) as f64 / 1024.0;
    let measure = format!("{count} idle logged-in connections, memory of the center for each");
    report.rows.push(Row::new(&measure, Some(each), "KiB", None, Goal::Most(24.0)));
    Ok(())
}

/// Connections that wait; each shows now and then that it is there.
struct Waiting(JoinSet<()>);

impl Waiting {
    /// Hangs up; the center notices by itself.
    fn shutdown_later(mut self) {
        self.0.abort_all();
    }
}

async fn open(bench: &Bench, count: usize) -> Result<Waiting> {
    let mut waiting = JoinSet::new();
    let mut opening: JoinSet<Result<Line>> = JoinSet::new();
    let members = bench.house.cast.sizes.members;
    for number in 0..count {
        if opening.len() >= AT_ONCE {
            stand(opening.join_next().await, &mut waiting)?;
        }
        let target = bench.house.target.clone();
        opening.spawn(async move {
            let account = cast::account(Role::Member, number % members);
            Ok(target.login(account, &cast::terminal_key(account), number).await?.0)
        });
    }
    while !opening.is_empty() {
        stand(opening.join_next().await, &mut waiting)?;
    }
    Ok(Waiting(waiting))
}

fn stand(
    opened: Option<Result<Result<Line>, tokio::task::JoinError>>,
    waiting: &mut JoinSet<()>,
) -> Result<()> {
    let Some(opened) = opened else { return Ok(()) };
    let mut line = opened.map_err(|_| eyre!("opening a connection failed"))??;
    waiting.spawn(async move {
        loop {
            tokio::time::sleep(PING).await;
            // The answer stays in the socket: nobody reads here, and few come.
            if line.ping().await.is_err() {
                return;
            }
        }
    });
    Ok(())
}
