//! What can go wrong with the books, in sentences for people.

use std::{fmt, io, path::PathBuf};

use wire::{codec::Malformed, id::EntryNumber};

/// Why the books can't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum BooksError {
    /// The file system refused something.
    #[error("{doing}: {}", words(source))]
    Io {
        /// What was being done, and with which file.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the books open.
    #[error("the books in {} are open in {}; end it first, or use the running program", dir.display(), Holder(*pid))]
    Locked {
        /// Where the books lie.
        dir: PathBuf,
        /// The other process, if it left its number.
        pid: Option<u32>,
    },
    /// There are no books in the folder, or they were never founded.
    #[error("there are no books in {}; found them with `tui-center init`", .0.display())]
    Missing(PathBuf),
    /// A folder that is to be audited holds no journal.
    #[error("there is no journal in {}: name the folder of its segments, or that of the books", .0.display())]
    NoJournal(PathBuf),
    /// Books are to be founded where some lie already.
    #[error("there are books in {} already; they are left as they are", .0.display())]
    Exists(PathBuf),
    /// A part of the journal that was once whole is not any more.
    #[error(
        "the journal is damaged: {} at byte {offset}: {why}. Nothing was changed. Restore the books from a copy; \
         `tui-center books verify` names every damaged place",
        file.display()
    )]
    Damaged {
        /// Which segment file.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// What is wrong there.
        why: String,
    },
    /// The journal is whole in itself, but shorter than or other than what was signed before.
    #[error(
        "the journal does not hold what was signed before: {0}. Nothing was changed and nothing will be signed. \
         Restore the newest copy of the books"
    )]
    Forked(String),
    /// An earlier write failed; what the disk holds is only known after the journal is opened again.
    #[error(
        "the journal takes no more entries since a write failed ({0}); restart the center when the cause is gone"
    )]
    Stopped(String),
    /// Records that do not follow the last entry.
    #[error("{found} does not follow in the journal; the next entry is {expected}")]
    OutOfOrder {
        /// The number that is due.
        expected: EntryNumber,
        /// The number that came.
        found: EntryNumber,
    },
    /// A record, or something for the cabinet or the registers, beyond its limit.
    #[error("{what} has {found} bytes; at most {allowed} fit")]
    TooLarge {
        /// What it is.
        what: String,
        /// Its length in bytes.
        found: usize,
        /// The most that fits.
        allowed: usize,
    },
    /// There is no such entry.
    #[error("there is no entry {entry}; the journal holds {size} entries")]
    NoEntry {
        /// Which was asked for.
        entry: EntryNumber,
        /// How many there are.
        size: u64,
    },
    /// A kept form that does not decode.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The registers can't be used; the journal has all that is in them.
    #[error(
        "the registers can't be used: {0}. Make them anew from the journal with `tui-center books rebuild`"
    )]
    Registers(String),
    /// Something in the cabinet is not what it should be.
    #[error("the cabinet: {0}")]
    Cabinet(String),
}

impl BooksError {
    /// Wraps what the system said while `doing` something with a file.
    pub(super) fn io(doing: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.to_string();
        move |source| Self::Io { doing, source }
    }
}

/// The system's error without its number, and a full disk said as people say it.
fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".into(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up".into(),
        io::ErrorKind::PermissionDenied => "this user may not do that".into(),
        io::ErrorKind::NotFound => "there is no such file or folder".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk can only be read".into(),
        _ => {
            let words = error.to_string();
            words.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

struct Holder(Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, "process {pid}"),
            None => f.write_str("another process"),
        }
    }
}
