//! Why a center does not take payments, written where a restart finds it.
//!
//! `<books>/stopped` is there from a restore, or from the moment a fork is seen, until the root key's sheet under which the
//! log goes on is an entry. Books with it are opened without a signature, and the desk opens stopped.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};
use wire::{sheet::KeySheet, time::Timestamp};

use super::manifest::write_whole;

/// What stopped the center.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// Its books came from a backup.
    Restored,
    /// A terminal presented a checkpoint that the center signed and its tree lacks.
    Forked,
}

/// A stop that outlives restarts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// What stopped it.
    pub why: Why,
    /// In a sentence, for operators.
    pub words: String,
    /// When.
    pub at: Timestamp,
    /// How many entries the journal had.
    pub size: u64,
    /// The checkpoint that the tree lacks, as a note.
    pub note: Option<String>,
}

impl Stopped {
    /// Reads what stopped the books in a folder; nothing where they are not stopped. A file that can't be read stops them
    /// as well.
    pub fn read(books: &Path) -> Option<Self> {
        let read = fs::read(books.join("stopped"));
        let why = match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => error.to_string(),
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(stopped) => return Some(stopped),
                Err(error) => error.to_string(),
            },
        };
        let words =
            format!("the center was stopped, and the file `stopped` that says why cannot be read: {why}");
        Some(Self { why: Why::Forked, words, at: Timestamp(0), size: 0, note: None })
    }

    /// Writes it, durably.
    pub fn write(&self, books: &Path) -> io::Result<()> {
        write_whole(&books.join("stopped"), &serde_json::to_vec(self)?)
    }

    /// Removes it, durably.
    pub(crate) fn clear(books: &Path) -> io::Result<()> {
        match fs::remove_file(books.join("stopped")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed.and_then(|()| fs::File::open(books)?.sync_all()),
        }
    }

    /// Whether a sheet that is in force ends it: its log goes on from here or from further on.
    pub fn is_ended_by(&self, sheet: &KeySheet) -> bool {
        sheet.breaks.last().is_some_and(|it| it.size >= self.size)
    }

    /// What terminals are told.
    pub fn told(&self) -> &'static str {
        match self.why {
            Why::Restored => {
                "the center was restored from a backup and takes nothing until its administrators resume it; nothing was entered, try again later"
            }
            Why::Forked => {
                "the center has found that its journal is not the one that it signed, and takes nothing until its administrators resume it; nothing was entered, try again later"
            }
        }
    }
}
