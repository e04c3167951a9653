//! The error log: what went wrong and who should know, in sentences, kept across restarts.
//!
//! It holds words only: no personal data, no secrets. The newest [`KEPT`] lines are kept in memory for the console;
//! the file is started anew when it has grown, with one older file beside it, so that it stays bounded.

use std::{
    collections::VecDeque,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use wire::{text::Prose, time::Timestamp};

/// How many lines are kept in memory.
pub const KEPT: usize = 2_000;
/// The size at which the file is started anew.
const FILE_MAX: u64 = 4 << 20;

/// Which room tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Room {
    /// Connections and sessions.
    Reception,
    /// Limits and lock-outs.
    Guard,
    /// The desk.
    Desk,
    /// Journal, registers, cabinet.
    Books,
    /// The bank's files.
    Bank,
    /// E-mail that goes out.
    Mail,
    /// Letters that are printed.
    Post,
    /// Operators and their acts.
    Operators,
    /// Start and end of the program.
    Program,
}

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    /// Good to know.
    Note,
    /// Someone should look.
    Warning,
    /// Someone must act.
    Alarm,
}

impl Room {
    /// A noun for lists.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Reception => "reception",
            Self::Guard => "guard",
            Self::Desk => "desk",
            Self::Books => "books",
            Self::Bank => "bank",
            Self::Mail => "mail",
            Self::Post => "post",
            Self::Operators => "operators",
            Self::Program => "program",
        }
    }
}

impl Weight {
    /// A noun for lists.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Alarm => "alarm",
        }
    }
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorLine {
    /// When.
    pub at: Timestamp,
    /// Which room.
    pub room: Room,
    /// How much it matters.
    pub weight: Weight,
    /// What happened and what to do, in sentences.
    pub words: Prose,
}

/// The log. Clones share it.
#[derive(Clone)]
pub struct ErrorLog {
    shared: Arc<Mutex<Log>>,
    news: broadcast::Sender<ErrorLine>,
}

struct Log {
    path: PathBuf,
    file: Option<fs::File>,
    size: u64,
    lines: VecDeque<ErrorLine>,
}

impl ErrorLog {
    /// Opens the log in a folder, reading back the newest lines. A log that can't be written is kept in memory: that
    /// the disk fails is no reason to say nothing.
    pub fn open(folder: &Path) -> Self {
        let path = folder.join("errors.jsonl");
        let mut lines = VecDeque::new();
        for old in [older(&path), path.clone()] {
            let Ok(file) = fs::File::open(&old) else { continue };
            for line in BufReader::new(file).lines().map_while(Result::ok) {
                // A torn last line after a crash is passed over.
                let Ok(line) = serde_json::from_str(&line) else { continue };
                keep(&mut lines, line);
            }
        }
        let file = append(&path);
        let size = file.as_ref().and_then(|file| file.metadata().ok()).map_or(0, |data| data.len());
        let log = Log { path, file, size, lines };
        Self { shared: Arc::new(Mutex::new(log)), news: broadcast::Sender::new(256) }
    }

    /// Adds a line.
    pub fn tell(&self, room: Room, weight: Weight, words: impl std::fmt::Display) {
        let words: String = words.to_string().chars().take(2_000).collect();
        let words = Prose::new(&words).unwrap_or_default();
        let line = ErrorLine { at: Timestamp::now(), room, weight, words };
        match weight {
            Weight::Note => tracing::info!(?room, "{}", line.words),
            Weight::Warning => tracing::warn!(?room, "{}", line.words),
            Weight::Alarm => tracing::error!(?room, "{}", line.words),
        }
        let mut log = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(&line);
        keep(&mut log.lines, line.clone());
        drop(log);
        // Nobody listening is no error.
        let _ = self.news.send(line);
    }

    /// The newest lines that hold `query`, ignoring case, newest first.
    pub fn newest(&self, query: &str, most: usize) -> Vec<ErrorLine> {
        let query = query.to_lowercase();
        let log = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |line: &&ErrorLine| query.is_empty() || line.words.to_lowercase().contains(&query);
        log.lines.iter().rev().filter(fits).take(most).cloned().collect()
    }

    /// Lines as they are added.
    pub fn subscribe(&self) -> broadcast::Receiver<ErrorLine> {
        self.news.subscribe()
    }
}

impl Log {
    fn write(&mut self, line: &ErrorLine) {
        let Ok(mut text) = serde_json::to_vec(line) else { return };
        text.push(b'\n');
        if self.size > FILE_MAX {
            self.file = None;
            if fs::rename(&self.path, older(&self.path)).is_ok() {
                self.size = 0;
            }
            self.file = append(&self.path);
        }
        if let Some(file) = &mut self.file
            && file.write_all(&text).is_ok()
        {
            self.size += text.len() as u64;
        }
    }
}

fn keep(lines: &mut VecDeque<ErrorLine>, line: ErrorLine) {
    if lines.len() == KEPT {
        lines.pop_front();
    }
    lines.push_back(line);
}

fn append(path: &Path) -> Option<fs::File> {
    fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path).ok()
}

fn older(path: &Path) -> PathBuf {
    path.with_extension("older.jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_a_restart_and_a_torn_tail() {
        let dir = tempfile::tempdir().unwrap();
        let log = ErrorLog::open(dir.path());
        log.tell(Room::Bank, Weight::Warning, "the file a.xml is no XML");
        log.tell(Room::Guard, Weight::Note, "an address\u{1b}[31m waits");
        drop(log);
        let path = dir.path().join("errors.jsonl");
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"at\":12,\"ro");
        fs::write(&path, text).unwrap();
        let log = ErrorLog::open(dir.path());
        let words: Vec<String> = log.newest("", 10).into_iter().map(|line| line.words.to_string()).collect();
        assert_eq!(words, ["an address waits", "the file a.xml is no XML"]);
        assert_eq!(log.newest("A.XML", 10).len(), 1);
    }

    #[test]
    fn the_log_stays_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let log = ErrorLog::open(dir.path());
        for at in 0..KEPT + 10 {
            log.tell(Room::Program, Weight::Note, at);
        }
        assert_eq!(log.newest("", usize::MAX).len(), KEPT);
        assert_eq!(log.newest("", 1)[0].words.as_str(), (KEPT + 9).to_string());
    }
}
