//! The books: the journal, its tree, the registers made from it, and the cabinet of what may be erased.
//!
//! ```text
//! <dir>/lock           held while the books are open
//! <dir>/signed         the last checkpoint that was signed
//! <dir>/journal/*.seg  the journal
//! ```
//!
//! [`Books`] is the one writer. An append is one write and one `fdatasync`, then the new tree's checkpoint is signed,
//! and only then anyone can see the entries. So what is signed or answered is on the disk; and since the last batch
//! is brought to the disk again before an opening signs anything, a size that was signed is never signed with
//! another root. [`Reader`] reads, from as many threads as like to.
//!
//! The registers ([`registers`]) follow the journal and can be made anew from it at any time. The cabinet
//! ([`cabinet`]) holds what the journal names by its hash only.

mod batch;
pub mod cabinet;
mod chain;
pub mod disk;
mod error;
mod journal;
mod mark;
pub mod parts;
mod reader;
mod record;
pub mod registers;
#[cfg(test)]
pub(crate) mod sample;
mod segment;
mod shelf;
mod signing;
#[cfg(test)]
mod tests;
pub mod verify;

use std::path::Path;

use wire::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    id::EntryNumber,
    merkle::Tree,
    text::Line,
};

use self::{
    batch::Draft,
    journal::Writer,
    mark::{Mark, MarkFile},
    reader::{Index, Indexed},
};
pub use self::{
    error::BooksError,
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
    notices: Vec<String>,
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
        Self::open_again(&at.into(), key, each)
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
        let reader = Reader::new(shelf, key.origin.clone(), index, checkpoint);
        let mut books = Self {
            _lock: lock,
            writer,
            marks,
            key,
            reader,
            notices: Vec::new(),
            closed: false,
            stopped: None,
        };
        books.append(first)?;
        books.marks.sync()?;
        shelf.sync_dir(&shelf.dir)?;
        Ok(books)
    }

    fn open_again(
        shelf: &Shelf,
        key: CheckpointKey,
        mut each: impl FnMut(&Record),
    ) -> Result<Self, BooksError> {
        let journal = shelf.journal();
        if shelf.names_in(&journal)?.is_none() {
            return Err(BooksError::Missing(shelf.dir.clone()));
        }
        let lock = shelf.lock()?;
        let disk = &*shelf.disk;
        let (mut marks, mark) = MarkFile::open(disk, &shelf.dir)?;
        segment::clear_unfinished(disk, &journal)?;
        let mut notices = Vec::new();
        let mut index = Index::default();
        let mut marked = mark.is_none();
        let mut closed = false;
        let ours = |note: &SignedCheckpoint| key.made(note);
        let tail = chain::follow(disk, &journal, segment::beginning(&key.origin), &ours, &mut |link| {
            agree(&index.tree, &key.origin, link.batch.checkpoint.as_ref(), link.batch.first)?;
            marked |= mark.as_ref().is_some_and(|mark| mark.batch == link.hash);
            closed = link.batch.records.is_empty();
            for (place, record) in &link.batch.records {
                let offset = u32::try_from(link.offset).expect("a segment is far below 4 GiB");
                index.push(link.segment, offset + place, &Indexed::of(record));
                each(record);
            }
            Ok(())
        })?;
        if tail.next == 0 {
            return Err(BooksError::Missing(shelf.dir.clone()));
        }
        match &mark {
            Some(mark) if !marked || index.tree.root_at(mark.size) != Some(mark.root) => {
                return Err(BooksError::Forked(format!(
                    "a checkpoint over {} entries was signed last, and the journal ends with {} whole entries",
                    mark.size, tail.next
                )));
            }
            Some(_) => {}
            None => notices.push(
                "the file `signed` was missing or damaged; it was made anew from the journal as it stands"
                    .to_owned(),
            ),
        }
        if tail.torn > 0 {
            notices.push(format!(
                "{} bytes of a batch that was never finished were cut off behind {}; nobody had been answered",
                tail.torn,
                EntryNumber(tail.next - 1)
            ));
        }
        let writer = Writer::go_on(shelf, tail)?;
        let note = key.sign(&index.tree)?;
        marks.write(&Mark {
            size: index.tree.size(),
            root: index.tree.root(),
            batch: writer.hash(),
            note: note.clone(),
        })?;
        marks.sync()?;
        let reader = Reader::new(shelf, key.origin.clone(), index, note);
        Ok(Self { _lock: lock, writer, marks, key, reader, notices, closed, stopped: None })
    }

    /// What was noticed at opening, in sentences for the operators; usually nothing.
    pub fn notices(&self) -> &[String] {
        &self.notices
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
                indexed.push(Indexed::of(record));
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
        self.closed = entries.is_empty();
        let entries = placed.records.into_iter().zip(entries).collect();
        let note = self.reader.publish(placed.segment, entries, |tree| signer.sign(tree));
        let Checkpoint { size, root, .. } = *note.claimed();
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

    fn close(self: Box<Self>) -> Result<(), BooksError> {
        Books::close(*self)
    }
}

/// Whether a batch's head keeps the checkpoint that the tree before the batch has.
fn agree(tree: &Tree, origin: &Line, kept: Option<&SignedCheckpoint>, first: u64) -> Result<(), BooksError> {
    let agrees = match kept.map(SignedCheckpoint::claimed) {
        None => first == 0,
        Some(kept) => kept.size == first && kept.root == tree.root() && kept.origin == *origin,
    };
    if agrees {
        return Ok(());
    }
    Err(BooksError::Forked(format!(
        "the checkpoint kept before {} is not that of the entries",
        EntryNumber(first)
    )))
}

/// [`Shelf::make_dir`] for the cabinet and the registers, which know the system's file system only.
fn make_dir(dir: &Path) -> Result<(), BooksError> {
    Shelf::from(dir).make_dir(dir)
}

/// [`Shelf::sync_dir`], likewise.
fn sync_dir(dir: &Path) -> Result<(), BooksError> {
    Shelf::from(dir).sync_dir(dir)
}
