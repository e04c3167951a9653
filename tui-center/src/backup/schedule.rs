//! The backups that a center makes by itself, and how old the last proved one is.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use wire::time::Timestamp;

use super::{Backed, BackupError, Progress, Running, manifest::write_whole};
use crate::{
    center::Center,
    config,
    errors::{Room, Weight},
    inquiry::view::Moment,
};

/// How often the schedule is looked at.
const LOOK: Duration = Duration::from_secs(5);

/// What came of the backups so far. It lies in the state folder; without it the center only says “never”.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// The last proved one: its moment, its entries, its folder.
    pub proved: Option<(Timestamp, u64, PathBuf)>,
    /// What failed since then: when and why.
    pub failed: Option<(Timestamp, String)>,
}

/// The backups of one center.
#[derive(Debug)]
pub struct Backups {
    file: PathBuf,
    record: Mutex<Record>,
    running: Mutex<Option<Arc<Progress>>>,
    /// Held while one is made.
    one: Mutex<()>,
}

/// How old the last proved backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupView {
    /// In words: `never`, `3 h ago`, `failed: …`.
    pub words: String,
    /// When the last proved one was made.
    pub proved: Option<Moment>,
    /// How many entries it holds.
    pub entries: Option<u64>,
    /// Where it lies.
    pub folder: Option<PathBuf>,
    /// Why the last one came to nothing.
    pub failed: Option<String>,
    /// Whether an operator must look at it: it failed, or is late by the schedule.
    pub alarm: bool,
    /// How far the present one is.
    pub running: Option<Running>,
}

impl Backups {
    /// Reads what came of those before.
    pub fn open(state: &Path) -> Self {
        let file = state.join("backups.json");
        let record = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self {
            file,
            record: Mutex::new(record.unwrap_or_default()),
            running: Mutex::default(),
            one: Mutex::default(),
        }
    }

    /// What came of them so far.
    pub fn record(&self) -> Record {
        lock(&self.record).clone()
    }

    /// Makes one at a time.
    pub(super) fn one<T>(&self, make: impl FnOnce(&Progress) -> T) -> T {
        let _one = lock(&self.one);
        let progress = Arc::new(Progress::default());
        *lock(&self.running) = Some(progress.clone());
        let made = make(&progress);
        *lock(&self.running) = None;
        made
    }

    /// How far the present one is.
    pub fn running(&self) -> Option<Running> {
        lock(&self.running).as_ref().map(|progress| progress.running())
    }

    /// Keeps what came of one.
    pub(super) fn remember(&self, folder: &Path, made: &Result<Backed, BackupError>) -> Result<(), String> {
        let record = &mut *lock(&self.record);
        match made {
            Ok(backed) => {
                record.proved = Some((backed.at, backed.entries, folder.to_owned()));
                record.failed = None;
            }
            Err(error) => record.failed = Some((Timestamp::now(), error.to_string())),
        }
        let bytes = serde_json::to_vec(record).map_err(|error| error.to_string())?;
        let failed =
            |error| format!("What came of the backup could not be kept in {}: {error}", self.file.display());
        write_whole(&self.file, &bytes).map_err(failed)
    }
}

/// How old the last proved backup of a center is.
pub fn look(center: &Center) -> BackupView {
    let now = Timestamp::now();
    let Record { proved, failed } = center.backups().record();
    let late = center.config().backup.as_ref().is_some_and(|schedule| {
        let since = proved.as_ref().map_or(center.since(), |(at, ..)| *at);
        now.0.saturating_sub(since.0) > late_after(schedule)
    });
    let age = proved.as_ref().map_or_else(|| "never".to_owned(), |(at, ..)| ago(now.0.saturating_sub(at.0)));
    let words = match &failed {
        Some((_, why)) => format!("{age}; failed: {why}"),
        None if late => format!("{age}, late"),
        None => age,
    };
    BackupView {
        words,
        proved: proved.as_ref().map(|(at, ..)| center.local().moment(*at)),
        entries: proved.as_ref().map(|(_, entries, _)| *entries),
        folder: proved.map(|(.., folder)| folder),
        alarm: failed.is_some() || late,
        failed: failed.map(|(_, why)| why),
        running: center.backups().running(),
    }
}

/// Makes the backups that the settings ask for, until the center ends.
pub async fn follow(center: Center) {
    let Some(schedule) = center.config().backup.clone() else { return };
    let stop = center.stopping().clone();
    let mut ticks = tokio::time::interval(LOOK);
    let mut told = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let Record { proved, failed } = center.backups().record();
        let last = [proved.map(|(at, ..)| at), failed.map(|(at, _)| at)].into_iter().flatten().max();
        let now = Timestamp::now();
        if last.is_none_or(|last| now.0.saturating_sub(last.0) >= schedule.every_ms()) {
            let making = center.clone();
            let folder = schedule.folder.clone();
            // What came of it is told and kept.
            let _ = tokio::task::spawn_blocking(move || making.back_up(&folder)).await;
        }
        let view = look(&center);
        let late = view.alarm && view.failed.is_none();
        if late && !told {
            let words = format!("The last proved backup is late: {}.", view.words);
            center.errors().tell(Room::Books, Weight::Alarm, words);
        }
        told = late;
    }
}

/// A backup is late when twice its time has passed.
fn late_after(schedule: &config::Backup) -> u64 {
    schedule.every_ms().saturating_mul(2)
}

fn ago(ms: u64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{minutes} min ago"),
        60..2880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
