//! Following the chain of batches through the segments: once at opening, and whenever the books are verified.
//!
//! A crash leaves at most one batch that was being written, at the very end, never answered and never signed. All
//! else that does not fit is damage: it is told and left as it is.

use std::path::{Path, PathBuf};

use wire::{checkpoint::SignedCheckpoint, id::Digest};

use super::{
    BooksError,
    batch::{self, Batch},
    disk::Disk,
    segment::{self, Head},
    snapshot::Boundary,
};

/// A batch of the chain.
pub(super) struct Link {
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) hash: Digest,
    pub(super) batch: Batch,
}

/// Where the chain ends.
#[derive(Debug)]
pub(super) struct Tail {
    /// The last segment's head.
    pub(super) head: Head,
    /// Where in the last segment the next batch begins.
    pub(super) offset: u64,
    /// The number of the next entry.
    pub(super) next: u64,
    /// The hash of the last batch, or the journal's beginning.
    pub(super) hash: Digest,
    /// The last batch, where there is one, to be written once more.
    pub(super) last: Option<Last>,
    /// How many bytes that are not zero lie behind the end: a batch that was never finished.
    pub(super) torn: u64,
}

/// The last batch of the chain.
#[derive(Debug)]
pub(super) struct Last {
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// Follows the chain from its beginning; `visit` sees each batch, whose place in the chain is proved. `ours` says
/// whether a checkpoint was signed by this center: by it a lost batch is told from bytes that only look like one.
///
/// # Errors
/// [`BooksError::Missing`] when there is no segment, [`BooksError::Damaged`] for a hole in the middle, and whatever
/// `visit` refuses.
pub(super) fn follow(
    disk: &dyn Disk,
    dir: &Path,
    beginning: Digest,
    ours: &dyn Fn(&SignedCheckpoint) -> bool,
    visit: &mut dyn FnMut(Link) -> Result<(), BooksError>,
) -> Result<Tail, BooksError> {
    let mut walk = Walk { dir, next: 0, hash: beginning, last: None };
    walk.segments(disk, None, ours, visit)
}

/// Follows the chain from the end of a batch that is known, which is not visited again. The segments before it are not
/// looked at.
///
/// # Errors
/// As [`follow`], and [`BooksError::Damaged`] when that batch does not stand there.
pub(super) fn follow_from(
    disk: &dyn Disk,
    dir: &Path,
    known: &Boundary,
    ours: &dyn Fn(&SignedCheckpoint) -> bool,
    visit: &mut dyn FnMut(Link) -> Result<(), BooksError>,
) -> Result<Tail, BooksError> {
    let mut walk = Walk { dir, next: known.size, hash: known.batch, last: None };
    walk.segments(disk, Some(known), ours, visit)
}

struct Walk<'a> {
    dir: &'a Path,
    next: u64,
    hash: Digest,
    last: Option<Last>,
}

impl Walk<'_> {
    fn segments(
        &mut self,
        disk: &dyn Disk,
        known: Option<&Boundary>,
        ours: &dyn Fn(&SignedCheckpoint) -> bool,
        visit: &mut dyn FnMut(Link) -> Result<(), BooksError>,
    ) -> Result<Tail, BooksError> {
        let numbers = segment::numbers(disk, self.dir)?;
        let first = known.map_or(1, |known| known.segment);
        let mut end = None;
        for number in numbers.iter().filter(|number| **number >= first) {
            let (head, bytes) = segment::read(disk, self.dir, *number)?;
            let from = match known.filter(|known| known.segment == *number) {
                Some(known) => self.known(&head, &bytes, known)?,
                None => self.first(&head, end.as_ref())?,
            };
            let offset = self.segment(&head, &bytes, from, visit)?;
            let torn = self.behind(&head, &bytes, offset, ours, *number == numbers.len() as u32)?;
            end = Some((head, offset as u64, torn));
        }
        let (head, offset, torn) = end.ok_or_else(|| BooksError::Missing(self.dir.to_owned()))?;
        Ok(Tail { head, offset, next: self.next, hash: self.hash, last: self.last.take(), torn })
    }

    /// Where the batches of a segment begin, which must follow those of the segment before it.
    fn first(&self, head: &Head, end: Option<&(Head, u64, u64)>) -> Result<usize, BooksError> {
        if head.previous == self.hash && head.first == self.next {
            return Ok(segment::HEAD);
        }
        // A segment is made only when all batches before it are on the disk, so some of those are lost.
        let (file, offset) = end.map_or((segment::path(self.dir, head.number), 0), |(head, offset, _)| {
            (segment::path(self.dir, head.number), *offset)
        });
        let why = format!("entries up to {} stood here and are not whole", wire::id::EntryNumber(head.first));
        Err(BooksError::Damaged { file, offset, why })
    }

    /// Where the batches after the known one begin.
    fn known(&mut self, head: &Head, bytes: &[u8], known: &Boundary) -> Result<usize, BooksError> {
        let offset = usize::try_from(known.offset).unwrap_or(usize::MAX);
        let found = bytes.get(offset..).and_then(batch::delimit);
        let found = found.filter(|found| batch::hash(found) == known.batch).ok_or_else(|| {
            self.damaged(head, offset, "the batch of a snapshot stood here and is not whole".into())
        })?;
        self.last = Some(Last { segment: head.number, offset: known.offset, bytes: found.to_vec() });
        Ok(offset + found.len())
    }

    /// Follows the chain from a place to its end in one segment and says where that is.
    fn segment(
        &mut self,
        head: &Head,
        bytes: &[u8],
        mut offset: usize,
        visit: &mut dyn FnMut(Link) -> Result<(), BooksError>,
    ) -> Result<usize, BooksError> {
        let mut newest = None;
        while let Some(found) = bytes.get(offset..).and_then(batch::delimit) {
            let damaged = |why: String| self.damaged(head, offset, why);
            let batch = batch::decode(found).map_err(|error| damaged(error.to_string()))?;
            if batch.previous != self.hash || batch.first != self.next {
                return Err(damaged(
                    "a whole batch stands here that does not follow the one before it".into(),
                ));
            }
            for (due, (_, record)) in (batch.first..).zip(&batch.records) {
                if record.entry.number.0 != due {
                    return Err(damaged(format!("{} stands here out of its order", record.entry.number)));
                }
            }
            let (hash, entries) = (batch::hash(found), batch.records.len() as u64);
            visit(Link { segment: head.number, offset: offset as u64, hash, batch })?;
            newest = Some((offset, found));
            self.hash = hash;
            self.next += entries;
            offset += found.len();
        }
        if let Some((offset, bytes)) = newest {
            self.last = Some(Last { segment: head.number, offset: offset as u64, bytes: bytes.to_vec() });
        }
        Ok(offset)
    }

    /// How much lies behind the chain's end in a segment. In a segment that is followed by another this is of no
    /// account: the other's head names the batch it follows.
    fn behind(
        &self,
        head: &Head,
        bytes: &[u8],
        offset: usize,
        ours: &dyn Fn(&SignedCheckpoint) -> bool,
        newest: bool,
    ) -> Result<u64, BooksError> {
        let rest = bytes.get(offset..).unwrap_or_default();
        let Some(last) = rest.iter().rposition(|byte| *byte != 0).filter(|_| newest) else { return Ok(0) };
        // Behind a batch that was being written there is nothing: one is on its way at a time.
        let lost = (0..=last).step_by(batch::ALIGNMENT).find_map(|at| {
            let batch = batch::decode(batch::delimit(&rest[at..])?).ok()?;
            let proved =
                batch.checkpoint.is_some_and(|note| note.claimed().size == batch.first && ours(&note));
            (proved && batch.first > self.next).then_some(batch.first)
        });
        match lost {
            Some(first) => Err(self.damaged(
                head,
                offset,
                format!("a batch is not whole, and {} stands behind it", wire::id::EntryNumber(first)),
            )),
            None => Ok(last as u64 + 1),
        }
    }

    fn damaged(&self, head: &Head, offset: usize, why: String) -> BooksError {
        let file: PathBuf = segment::path(self.dir, head.number);
        BooksError::Damaged { file, offset: offset as u64, why }
    }
}
