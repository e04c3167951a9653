//! The journal's writing end: where the next batch goes, and what happens when it can't be written.

use std::{path::PathBuf, sync::Arc};

use wire::id::Digest;

use super::{
    BooksError,
    batch::{self, Draft},
    chain::Tail,
    disk::{DiskFile, How},
    segment::{self, Head},
    shelf::Shelf,
};

/// Where a batch was written.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) segment: u32,
    /// Where the batch begins in the segment.
    pub(super) offset: u64,
    /// Where each record's length field stands in the segment, ascending.
    pub(super) records: Vec<u32>,
    /// Whether the segment was begun for it.
    pub(super) began: bool,
}

/// The writing end.
pub(super) struct Writer {
    shelf: Shelf,
    dir: PathBuf,
    file: Arc<dyn DiskFile>,
    head: Head,
    offset: u64,
    hash: Digest,
}

impl Writer {
    /// Begins a journal with an empty first segment.
    pub(super) fn begin(shelf: &Shelf, beginning: Digest) -> Result<Self, BooksError> {
        let head = Head { number: 1, first: 0, bytes: shelf.segment_bytes, previous: beginning };
        let dir = shelf.journal();
        let file = segment::create(&*shelf.disk, &dir, &head)?;
        let offset = segment::HEAD as u64;
        Ok(Self { shelf: shelf.clone(), dir, file, head, offset, hash: beginning })
    }

    /// Goes on where the chain ends: zeroes what lies behind it, writes the last batch once more and syncs. After
    /// that the last batch is on the disk, whatever became of it when it was first written.
    pub(super) fn go_on(shelf: &Shelf, tail: Tail) -> Result<Self, BooksError> {
        let dir = shelf.journal();
        let file = segment::open(&*shelf.disk, &dir, &tail.head)?;
        let doing = || BooksError::io(format!("bringing the last batch of {} to the disk", dir.display()));
        if tail.torn > 0 {
            segment::zero(&*file, tail.offset, tail.torn).map_err(doing())?;
        }
        if let Some(last) = &tail.last {
            let earlier;
            let its = if last.segment == tail.head.number {
                &file
            } else {
                let path = segment::path(&dir, last.segment);
                earlier = shelf.disk.open(&path, How::Write).map_err(doing())?;
                &earlier
            };
            its.write_all_at(&last.bytes, last.offset).and_then(|()| its.sync_data()).map_err(doing())?;
        }
        file.sync_all().map_err(doing())?;
        let Tail { head, offset, hash, .. } = tail;
        Ok(Self { shelf: shelf.clone(), dir, file, head, offset, hash })
    }

    /// The hash of the last batch.
    pub(super) fn hash(&self) -> Digest {
        self.hash
    }

    /// Appends a batch: one write, one `fdatasync`. `first` is the number of the first entry in it.
    ///
    /// # Errors
    /// When the system refuses. What may have been written is zeroed again as far as the system lets it be; the
    /// caller must not append again, for after a failed sync only an opening tells what the disk holds.
    pub(super) fn append(&mut self, first: u64, draft: Draft) -> Result<Placed, BooksError> {
        let (bytes, places) = draft.finish();
        let length = bytes.len() as u64;
        let began = self.offset + length > self.head.bytes;
        if began {
            self.begin_segment(first, length)?;
        }
        tui_kit::failpoint::at("journal.write");
        let written = self.file.write_all_at(&bytes, self.offset).and_then(|()| {
            tui_kit::failpoint::at("journal.sync");
            self.file.sync_data()
        });
        if let Err(error) = written {
            // The first failure is the one to tell; opening copes with whatever this second one leaves.
            let _ = segment::zero(&*self.file, self.offset, length).and_then(|()| self.file.sync_data());
            let path = segment::path(&self.dir, self.head.number);
            return Err(BooksError::io(format!("writing the journal's segment {}", path.display()))(error));
        }
        let began_at = self.offset;
        let offset = u32::try_from(began_at).expect("a segment is far below 4 GiB");
        let records = places.iter().map(|place| offset + place).collect();
        self.offset += length;
        self.hash = batch::hash(&bytes);
        Ok(Placed { segment: self.head.number, offset: began_at, records, began })
    }

    fn begin_segment(&mut self, first: u64, length: u64) -> Result<(), BooksError> {
        let bytes = self.shelf.segment_bytes.max(segment::HEAD as u64 + length);
        let head = Head { number: self.head.number + 1, first, bytes, previous: self.hash };
        self.file = segment::create(&*self.shelf.disk, &self.dir, &head)?;
        self.head = head;
        self.offset = segment::HEAD as u64;
        Ok(())
    }

    /// Makes every further write fail, as a disk does that has gone away.
    #[cfg(test)]
    pub(super) fn break_disk(&mut self) {
        let path = segment::path(&self.dir, self.head.number);
        self.file = self.shelf.disk.open(&path, How::Read).unwrap();
    }
}
