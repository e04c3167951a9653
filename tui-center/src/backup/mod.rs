//! Backups, the way back from one, and what stops a center for longer than a restart.
//!
//! | part | does |
//! |---|---|
//! | [`make`](Center::back_up) | copies all that is needed while payments run, reads it back and follows it to its checkpoint |
//! | [`restore`] | makes a profile of a backup, whose center is stopped |
//! | [`stopped`] | why a center is stopped, where a restart finds it |
//! | [`resume`] | the way back: the root key names what the log goes on from |
//! | [`schedule`] | the backups that a center makes by itself, and how old the last proved one is |
//! | [`lost`] | receipts of entries that are lost, handed in by terminals |
//!
//! What is copied: the journal up to the last durable batch, its snapshots, a `signed` that ends there, the cabinet,
//! the sealed keys, the operators, the settings, and whatever else lies in the profile's data folder; not the registers,
//! which are made anew, and no logs. The order keeps the copy whole: what an entry names was durable in the cabinet
//! before the entry, so a cabinet that is copied after the cut holds at least all that the cut names.

mod kept;
pub mod lost;
mod make;
mod manifest;
pub mod restore;
pub mod resume;
pub mod schedule;
pub mod stopped;

use std::{
    io,
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};

pub use self::{make::Backed, manifest::Manifest};
use crate::{
    center::Center,
    errors::{Room, Weight},
};

/// Why there is no backup: a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BackupError(pub String);

impl BackupError {
    fn new(words: &str) -> Self {
        Self(words.to_owned())
    }

    fn io(place: &Path, error: &io::Error) -> Self {
        let why = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
            io::ErrorKind::PermissionDenied => "it may not be written or read by this user".to_owned(),
            io::ErrorKind::ReadOnlyFilesystem => "its file system can only be read".to_owned(),
            _ => error.to_string(),
        };
        Self(format!("{} cannot be used: {why}; an earlier backup stays as it was", place.display()))
    }
}

/// How far a backup is.
#[derive(Debug, Default)]
pub struct Progress {
    doing: Mutex<&'static str>,
    done: AtomicU64,
    total: AtomicU64,
}

/// How far a backup is, to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// What it does.
    pub doing: String,
    /// In hundredths of this.
    pub percent: u64,
}

impl Progress {
    fn begin(&self, doing: &'static str, total: u64) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = doing;
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    fn moved(&self, by: u64) {
        self.done.fetch_add(by, Ordering::Relaxed);
    }

    fn at(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// As it is now.
    pub fn running(&self) -> Running {
        let doing = *self.doing.lock().unwrap_or_else(PoisonError::into_inner);
        let (done, total) = (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed));
        let percent = done.saturating_mul(100).checked_div(total).unwrap_or(0).min(100);
        Running { doing: doing.to_owned(), percent }
    }
}

impl Center {
    /// Makes a backup in a folder and remembers how it went. Blocks for as long as it takes.
    ///
    /// # Errors
    /// In a sentence.
    pub fn back_up(&self, folder: &Path) -> Result<Backed, BackupError> {
        let places = self.places();
        let source = make::Source {
            data: &places.data,
            config: &places.config,
            state: &places.state,
            reader: self.desk().reader(),
            root: self.config().root_key,
            name: &self.settings().name,
        };
        let made = self.backups().one(|progress| make::make(&source, folder, progress));
        if let Err(words) = self.backups().remember(folder, &made) {
            self.errors().tell(Room::Books, Weight::Warning, format!("{words}."));
        }
        match &made {
            Ok(backed) => {
                let words =
                    format!("A backup of {} entries in {} is proved.", backed.entries, folder.display());
                self.errors().tell(Room::Books, Weight::Note, words);
            }
            Err(error) => {
                self.errors().tell(Room::Books, Weight::Alarm, format!("There is no new backup: {error}."));
            }
        }
        made
    }
}
