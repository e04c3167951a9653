//! A console of 200 columns and 60 rows that redraws while payments stream: what it takes from them, and how soon it answers
//! a key.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use color_eyre::eyre::{Result, eyre};
use pty_process::blocking::Command;

use super::{
    Bench, Report,
    row::{Goal, Row, figure},
    throughput::PIPELINED,
};
use crate::{
    load::{
        cast::{OPERATOR, PASSPHRASE},
        center::program,
        drive::Plan,
        tally::{Latencies, median},
    },
    screen::Screen,
};

/// The console's size.
const SIZE: (u16, u16) = (200, 60);
/// How often a key is pressed.
const KEY_EVERY: Duration = Duration::from_millis(150);
/// Screens that change with every payment, by key.
const SCREENS: [(&str, &str); 2] = [("5", "Transactions"), ("1", "Overview")];
/// What a frame begins with: a synchronized update.
const FRAME: &[u8] = b"\x1b[?2026h";

pub(super) fn measure(bench: &mut Bench, report: &mut Report) -> Result<()> {
    let plan = Plan { payments: bench.choose(30_000, 150_000), ..PIPELINED };
    let (mut with, mut without, mut answered, mut frames) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..bench.rounds() {
        let outcome = bench.drive(&plan)?;
        outcome.whole()?;
        without.push(outcome.per_second());
        let screen = attach(bench.house.center.profile())?;
        let over = AtomicBool::new(false);
        let (outcome, watched) = thread::scope(|scope| {
            let watching = scope.spawn(|| watch(screen, &over));
            let outcome = bench.drive(&plan);
            over.store(true, Ordering::Relaxed);
            (outcome, watching.join().map_err(|_| eyre!("watching the console failed")))
        });
        let (outcome, watched) = (outcome?, watched??);
        outcome.whole()?;
        with.push(outcome.per_second());
        answered.extend(watched.answered);
        frames.push(watched.frames_per_second);
        bench.say(&format!("with a console: {} frames a second", figure(frames[frames.len() - 1])));
    }
    let measure = "payments/s with a console of 200×60 redrawing : without";
    report.rows.push(Row::new(measure, median(&with), "a second", median(&without), Goal::RatioLeast(0.98)));
    let answered = Latencies::of(answered);
    let measure = "a key on that console is answered within, 95 of 100";
    report.rows.push(Row::new(measure, answered.quantile_ms(0.95), "ms", None, Goal::Most(50.0)));
    report.notes.push(format!(
        "console : it drew {} frames a second under load; of {} keys half were answered within {} ms, all within {} ms",
        figure(median(&frames).unwrap_or_default()),
        answered.count(),
        figure(answered.quantile_ms(0.5).unwrap_or_default()),
        figure(answered.worst_ms().unwrap_or_default()),
    ));
    Ok(())
}

/// What was seen of a console while payments streamed.
struct Watched {
    /// How long keys took, in microseconds.
    answered: Vec<u32>,
    frames_per_second: f64,
}

fn attach(profile: &Path) -> Result<Screen> {
    let mut command = Command::new(program()?);
    for variable in ["NO_COLOR", "CLICOLOR_FORCE", "COLORTERM", "INKAN_CALM"] {
        command = command.env_remove(variable);
    }
    let command =
        command.env("LC_ALL", "C.UTF-8").arg("--profile").arg(profile).args(["--as", OPERATOR, "attach"]);
    let screen = Screen::start(command, SIZE.0, SIZE.1)?;
    screen.wait("assphrase")?;
    screen.type_text(PASSPHRASE)?;
    screen.keys("<enter>")?;
    screen.wait("books balance")?;
    Ok(screen)
}

/// Turns pages until it is over.
fn watch(mut screen: Screen, over: &AtomicBool) -> Result<Watched> {
    let mut answered = Vec::new();
    let (since, from) = (Instant::now(), screen.written());
    for (key, title) in SCREENS.into_iter().cycle() {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let pressed = Instant::now();
        screen.keys(key)?;
        screen.wait_for(title, |screen| {
            screen.look(|seen| {
                seen.rows(0, SIZE.0).next().is_some_and(|row| row.trim_start().starts_with(title))
            })
        })?;
        answered.push(u32::try_from(pressed.elapsed().as_micros()).unwrap_or(u32::MAX));
        thread::sleep(KEY_EVERY.saturating_sub(pressed.elapsed()));
    }
    let seconds = since.elapsed().as_secs_f64();
    let frames = screen.raw()[from..].windows(FRAME.len()).filter(|bytes| *bytes == FRAME).count();
    screen.kill()?;
    Ok(Watched { answered, frames_per_second: frames as f64 / seconds })
}
