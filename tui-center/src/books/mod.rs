//! The books: the journal, its tree, the registers made from it, and the cabinet of what may be erased.
//!
//! ```text
//! <dir>/lock           held while the books are open
//! <dir>/signed         the last checkpoint that was signed
//! <dir>/journal/*.seg  the journal
//! <dir>/snapshots/     what the desk decides from, as it was after some entry
//! ```
//!
//! [`Books`] is the one writer. An append is one write and one `fdatasync`, then the new tree's checkpoint is signed,
//! and only then anyone can see the entries. So what is signed or answered is on the disk; and since the last batch
//! is brought to the disk again before an opening signs anything, a size that was signed is never signed with
//! another root. [`Reader`] reads, from as many threads as like to.
//!
//! The registers ([`registers`]) follow the journal and can be made anew from it at any time. The cabinet
//! ([`cabinet`]) holds what the journal names by its hash only.

pub(crate) mod asked;
pub mod audit;
mod batch;
pub mod cabinet;
mod chain;
pub mod cut;
pub mod disk;
mod error;
mod journal;
pub mod keyring;
mod mark;
mod newest;
mod opening;
pub mod parts;
mod reader;
mod record;
pub mod registers;
#[cfg(test)]
pub(crate) mod sample;
mod segment;
mod shelf;
mod signing;
pub mod snapshot;
#[cfg(test)]
mod tests;
pub mod tiles;
pub mod verify;

use std::{path::Path, time::Duration};

use wire::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    id::EntryNumber,
};

use self::{
    batch::Draft,
    journal::Writer,
    mark::{Mark, MarkFile},
    opening::Whole,
    reader::{Ended, Index, Indexed},
    snapshot::Keeper,
};
pub use self::{
    error::BooksError,
    opening::{Memory, Opened},
    parts::{concerns, said},
    reader::{Found, Presented, Reader, Search},
    record::{RECORD, Record},
    shelf::Shelf,
    signing::CheckpointKey,
};

/// What the settlement desk needs of the books.
pub trait Journal: Send {
    /// Appends entries; when it returns they are durable, covered by the checkpoint it returns, and visible to readers.
    ///
    /// # Errors
    /// Nothing of it may be answered as settled. Except for [`BooksError::OutOfOrder`] and [`BooksError::TooLarge`],
    /// which are told before anything is written, only opening the books again says what became of the entries, and
    /// until then every further append is refused.
    fn append(&mut self, records: &[Record]) -> Result<SignedCheckpoint, BooksError>;

    /// A reader of what is durable.
    fn reader(&self) -> Reader;

    /// What writes snapshots of the books, if anything does.
    fn keeper(&self) -> Option<Keeper> {
        None
    }

    /// Ends in order: keeps the newest checkpoint in a closing batch.
    fn close(self: Box<Self>) -> Result<(), BooksError>;
}

/// The writing end of the books. Dropping it without [`Books::close`] loses nothing.
pub struct Books {
    /// Held until the books are dropped.
    _lock: Box<dyn Send>,
    writer: Writer,
    marks: MarkFile,
    key: CheckpointKey,
    reader: Reader,
    keeper: Keeper,
    notices: Vec<String>,
    opened: Opened,
    /// Whether the last batch is a closing one, so that another would say nothing new.
    closed: bool,
    stopped: Option<String>,
}

impl Books {
    /// Founds books with their first entries.
    ///
    /// # Errors
    /// [`BooksError::Exists`] when there are entries in the folder already, and whatever the file system refuses.
    pub fn create(at: impl Into<Shelf>, key: CheckpointKey, first: &[Record]) -> Result<Self, BooksError> {
        Self::found(&at.into(), key, first)
    }

    /// Opens books; `each` sees every entry, oldest first, before this returns. When it returns, the last batch is on
    /// the disk for certain and its checkpoint signed. [`Books::notices`] tells what was found on the way.
    ///
    /// # Errors
    /// [`BooksError::Locked`] while another process has them open, [`BooksError::Missing`], [`BooksError::Damaged`] and
    /// [`BooksError::Forked`] when the journal is not what it was: then nothing was changed or signed.
    pub fn open(
        at: impl Into<Shelf>,
        key: CheckpointKey,
        each: impl FnMut(&Record),
    ) -> Result<Self, BooksError> {
        Self::reopen(&at.into(), key, &mut Whole(each), false, None)
    }

    /// Opens books from the newest snapshot and what the journal holds behind it; where there is none that can be believed,
    /// from the whole journal. [`Books::opened`] tells which.
    ///
    /// # Errors
    /// As [`Books::open`].
    pub fn resume(
        at: impl Into<Shelf>,
        key: CheckpointKey,
        memory: &mut dyn Memory,
    ) -> Result<Self, BooksError> {
        Self::reopen(&at.into(), key, memory, true, None)
    }

    /// As [`Books::resume`], for a center that is stopped: nothing is signed, and nothing is appended before
    /// [`Books::go_on`]. The newest checkpoint is the one that was signed last.
    ///
    /// # Errors
    /// As [`Books::open`]; [`BooksError::Stopped`] where no signed checkpoint is left.
    pub fn held(
        at: impl Into<Shelf>,
        key: CheckpointKey,
        memory: &mut dyn Memory,
        words: &str,
    ) -> Result<Self, BooksError> {
        Self::reopen(&at.into(), key, memory, true, Some(words))
    }

    /// Ends a stop: enters the key sheet under which the log goes on, which the key goes by already. The first
    /// checkpoint under the new name covers it. The batch keeps, as each does, the checkpoint of the entries before it;
    /// where a crash left that one unsigned it is signed now, with the former key, for its size was never signed.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn go_on(&mut self, record: &Record) -> Result<SignedCheckpoint, BooksError> {
        let first = self.reader.size();
        if record.entry.number.0 != first {
            return Err(BooksError::OutOfOrder { expected: EntryNumber(first), found: record.entry.number });
        }
        let mut before = self.reader.checkpoint();
        if before.claimed().size != first {
            let root = self
                .reader
                .root_at(first)
                .ok_or_else(|| BooksError::Forked(format!("the tree has no root over {first} entries")))?;
            before = self.key.signer(first)?.sign_root(first, root);
        }
        let mut draft = Draft::new(first, &self.writer.hash(), before.note());
        draft.push(&record.keep()?);
        self.stopped = None;
        self.commit(first, draft, vec![Indexed::of(record)])?;
        self.marks.sync()?;
        Ok(self.reader.checkpoint())
    }

    fn found(shelf: &Shelf, key: CheckpointKey, first: &[Record]) -> Result<Self, BooksError> {
        let journal = shelf.journal();
        shelf.make_dir(&shelf.dir)?;
        let lock = shelf.lock()?;
        if let Some(left) = shelf.names_in(&journal)? {
            // A founding that a crash interrupted has left no whole batch, and may be begun again.
            let mut entries = 0;
            let found = chain::follow(
                &*shelf.disk,
                &journal,
                segment::beginning(&key.origin),
                &|_| true,
                &mut |link| {
                    entries += link.batch.records.len();
                    Ok(())
                },
            );
            if entries > 0 || !matches!(found, Ok(_) | Err(BooksError::Missing(_))) {
                return Err(BooksError::Exists(shelf.dir.clone()));
            }
            let doing =
                || BooksError::io(format!("removing an unfinished founding in {}", journal.display()));
            for name in left {
                shelf.disk.remove(&journal.join(name)).map_err(doing())?;
            }
        }
        shelf.make_dir(&journal)?;
        shelf.sync_dir(&shelf.dir)?;
        let (marks, _) = MarkFile::open(&*shelf.disk, &shelf.dir)?;
        let writer = Writer::begin(shelf, segment::beginning(&key.origin))?;
        let index = Index::default();
        let checkpoint = key.sign(&index.tree)?;
        let reader = Reader::new(shelf, key.clone(), index, None, checkpoint);
        let keeper = Keeper::new(shelf.clone(), key.clone(), reader.clone(), 0);
        let opened = Opened { snapshot: None, followed: 0, took: Duration::ZERO };
        let mut books = Self {
            _lock: lock,
            writer,
            marks,
            key,
            reader,
            keeper,
            notices: Vec::new(),
            opened,
            closed: false,
            stopped: None,
        };
        books.append(first)?;
        books.marks.sync()?;
        shelf.sync_dir(&shelf.dir)?;
        Ok(books)
    }

    /// What was noticed at opening, in sentences for the operators; usually nothing.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// What the opening did.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Writes the books' snapshots.
    pub fn keeper(&self) -> Keeper {
        self.keeper.clone()
    }

    /// A reader of what is durable.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Appends entries; see [`Journal::append`]. What does not fit into one batch of 64 MiB becomes several.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn append(&mut self, records: &[Record]) -> Result<SignedCheckpoint, BooksError> {
        if let Some(words) = &self.stopped {
            return Err(BooksError::Stopped(words.clone()));
        }
        let first = self.reader.size();
        for (due, record) in (first..).map(EntryNumber).zip(records) {
            if record.entry.number != due {
                return Err(BooksError::OutOfOrder { expected: due, found: record.entry.number });
            }
        }
        let kept = records.iter().map(Record::keep).collect::<Result<Vec<_>, _>>()?;
        let mut rest = records.iter().zip(&kept).peekable();
        while rest.peek().is_some() {
            let first = self.reader.size();
            let mut draft = self.draft(first);
            let mut indexed = Vec::new();
            while let Some((record, kept)) = rest.next_if(|(_, kept)| draft.fits(kept.len())) {
                draft.push(kept);
                indexed.push(Indexed::opened(record));
            }
            self.commit(first, draft, indexed)?;
        }
        Ok(self.reader.checkpoint())
    }

    /// Ends in order: keeps the newest checkpoint in a closing batch. Nothing is lost where it is not called.
    ///
    /// # Errors
    /// What the file system refuses; every entry is durable all the same.
    pub fn close(mut self) -> Result<(), BooksError> {
        if self.stopped.is_none() && !self.closed {
            let first = self.reader.size();
            let draft = self.draft(first);
            self.commit(first, draft, Vec::new())?;
        }
        self.marks.sync()
    }

    fn draft(&self, first: u64) -> Draft {
        let checkpoint = self.reader.checkpoint();
        // The empty tree's checkpoint is nobody's: the journal's first batch follows nothing.
        let note = if first == 0 { "" } else { checkpoint.note() };
        Draft::new(first, &self.writer.hash(), note)
    }

    fn commit(&mut self, first: u64, draft: Draft, entries: Vec<Indexed>) -> Result<(), BooksError> {
        // Before anything is written: what can't be signed for must not be there.
        let signer = self.key.signer(first + entries.len() as u64)?;
        let placed = self.writer.append(first, draft).inspect_err(|error| {
            self.stopped = Some(error.to_string());
        })?;
        tui_kit::failpoint::at("books.sign");
        self.closed = entries.is_empty();
        let entries = placed.records.into_iter().zip(entries).collect();
        let batch = Ended { segment: placed.segment, offset: placed.offset, hash: self.writer.hash() };
        let note = self.reader.publish(batch, entries, |tree| signer.sign(tree));
        let Checkpoint { size, root, .. } = *note.claimed();
        tui_kit::failpoint::at("mark.write");
        // The entries are durable and signed for; a mark that can't be written only stops what would come next.
        let marked = self
            .marks
            .write(&Mark { size, root, batch: self.writer.hash(), note })
            .and_then(|()| if placed.began { self.marks.sync() } else { Ok(()) });
        if let Err(error) = marked {
            self.stopped = Some(error.to_string());
        }
        Ok(())
    }
}

impl Journal for Books {
    fn append(&mut self, records: &[Record]) -> Result<SignedCheckpoint, BooksError> {
        Books::append(self, records)
    }

    fn reader(&self) -> Reader {
        Books::reader(self)
    }

    fn keeper(&self) -> Option<Keeper> {
        Some(Books::keeper(self))
    }

    fn close(self: Box<Self>) -> Result<(), BooksError> {
        Books::close(*self)
    }
}

/// [`Shelf::make_dir`] for the cabinet and the registers, which know the system's file system only.
fn make_dir(dir: &Path) -> Result<(), BooksError> {
    Shelf::from(dir).make_dir(dir)
}

/// [`Shelf::sync_dir`], likewise.
fn sync_dir(dir: &Path) -> Result<(), BooksError> {
    Shelf::from(dir).sync_dir(dir)
}
