//! Snapshots: all that the desk decides from, as it was after one entry, so that a start need not replay the journal from
//! its beginning.
//!
//! ```text
//! <dir>/snapshots/0005000000.snap   after 5,000,000 entries
//! ```
//!
//! | part | does |
//! |---|---|
//! | `head` | the head of a file: size, root, batch, place in the journal, sections, signature |
//! | `write`, `read` | a file as a whole |
//! | [`Keeper`] | writes one beside running payments, whenever the journal has grown by enough |
//!
//! A file begins with its head, which ends with a signature by the checkpoint key for the snapshot's size; from byte 4096
//! on follow the sections: the sixteen of [`ledger::state::Section`], the tree's leaves (32 bytes each), the entries' places in
//! the journal (segment and offset, 4 bytes each), what each segment holds (segment, kinds, first entry, latest time: 4, 4, 8, 8)
//! and the mail that waits. The head names place, length, CRC-32 and SHA-256 of each; integers are little endian.
//!
//! A snapshot is believed when its signature holds, the batch that it names stands in the journal where it says, every
//! section is whole, the leaves give its root, and its state passes the audit. One that is not is passed over for an older
//! one, or for the whole journal. One that bears the center's signature and lies ahead of the journal proves that the
//! journal has lost entries. `books verify` holds the state of each against a replay.
//!
//! A file gets its name when it is whole on the disk; the newest two are kept.

mod head;
mod keeper;
mod read;
mod write;

use serde::{Deserialize, Serialize};
use wire::id::{AccountNumber, Digest, EntryNumber};

pub use self::{
    head::Head,
    keeper::{Keeper, Pace},
};
pub(super) use self::{
    read::load,
    write::{Contents, write},
};
use super::{BooksError, CheckpointKey, Shelf};

/// How many snapshots are kept.
const KEPT: usize = 2;

/// Where in the journal a batch ends after which so many entries are durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Boundary {
    /// How many entries.
    pub(super) size: u64,
    /// The last batch: its segment, its place there, its hash.
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) batch: Digest,
}

/// The mail that waits, and what was acknowledged last, by account.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mail {
    /// Unacknowledged entries of each account, ascending.
    pub waiting: Vec<(AccountNumber, Vec<EntryNumber>)>,
    /// The last entry that each account acknowledged.
    pub acknowledged: Vec<(AccountNumber, EntryNumber)>,
}

/// A snapshot's head by the size after which it was made; of one that can't be read, why, in words.
pub type Found = (u64, Result<Head, String>);

/// The heads of all snapshots in the books, newest first.
///
/// # Errors
/// When the folder can't be read.
pub fn heads(shelf: &Shelf, key: &CheckpointKey) -> Result<Vec<Found>, BooksError> {
    let sizes = sizes(shelf)?.into_iter().rev();
    Ok(sizes.map(|size| (size, head::read(shelf, key, size))).collect())
}

/// The sizes after which there are snapshots, ascending.
fn sizes(shelf: &Shelf) -> Result<Vec<u64>, BooksError> {
    let names = shelf.names_in(&dir(shelf))?.unwrap_or_default();
    let mut sizes: Vec<u64> = names
        .iter()
        .filter_map(|name| name.strip_suffix(".snap"))
        .filter_map(|size| size.parse().ok())
        .filter(|size| names.contains(&name(*size)))
        .collect();
    sizes.sort_unstable();
    Ok(sizes)
}

/// Removes what a crash left of a snapshot that was being written.
pub(super) fn clear_unfinished(shelf: &Shelf) -> Result<(), BooksError> {
    let dir = dir(shelf);
    for name in shelf.names_in(&dir)?.unwrap_or_default() {
        if name.ends_with(".new") {
            let path = dir.join(name);
            shelf.disk.remove(&path).map_err(BooksError::io(format!("removing {}", path.display())))?;
        }
    }
    Ok(())
}

fn dir(shelf: &Shelf) -> std::path::PathBuf {
    shelf.dir.join("snapshots")
}

fn name(size: u64) -> String {
    format!("{size:010}.snap")
}

/// The most bytes that the mail of a snapshot may have.
const MAIL: usize = 1 << 32;
