//! Writing a snapshot.

use std::{io, sync::Arc};

use ledger::{State, state::Section};
use sha2::{Digest as _, Sha256};
use wire::{codec, id::Digest};

use super::{
    super::{
        BooksError, CheckpointKey, Reader, Shelf,
        disk::{DiskFile, How},
    },
    Boundary, KEPT, Mail, dir,
    head::{BODY, Extent, Head, Part, SECTIONS, message},
    name, sizes,
};

/// How much is written at once.
const PIECE: usize = 1 << 20;
/// How much may wait for the disk: the journal's own syncs wait behind it.
const UNSYNCED: u64 = 8 << 20;
/// How many leaves or places are copied under the readers' lock at once.
const ROWS: u64 = 16 << 10;

/// What goes into a snapshot.
pub(in crate::books) struct Contents<'a> {
    pub(in crate::books) state: &'a State,
    pub(in crate::books) reader: &'a Reader,
    pub(in crate::books) boundary: Boundary,
    pub(in crate::books) mail: Mail,
}

/// Writes a snapshot, and then removes those that it makes too many.
///
/// # Errors
/// What the file system refuses; whatever is left of the file then is removed at the next opening.
pub(in crate::books) fn write(
    shelf: &Shelf,
    key: &CheckpointKey,
    contents: &Contents<'_>,
) -> Result<Head, BooksError> {
    let dir = dir(shelf);
    let size = contents.boundary.size;
    let signer = key.signer(size)?;
    let root = contents.reader.root_at(size);
    let root = root.ok_or_else(|| BooksError::Stopped(format!("the tree has no {size} entries")))?;
    shelf.make_dir(&dir)?;
    let whole = dir.join(name(size));
    let unfinished = whole.with_extension("new");
    let doing = || BooksError::io(format!("writing the snapshot {}", whole.display()));
    let file = shelf.disk.open(&unfinished, How::Fresh).map_err(doing())?;
    tui_kit::failpoint::at("snapshot.begin");
    let mut body = Body::new(file.clone());
    let sections = body.all(contents).map_err(doing())?;
    let Boundary { segment, offset, batch, .. } = contents.boundary;
    let head = Head { size, root, batch, segment, offset, sections };
    let mut bytes = head.encode();
    let signature = signer.sign_bytes(&message(&key.origin_at(size), &bytes));
    bytes.extend_from_slice(&signature.0);
    tui_kit::failpoint::at("snapshot.head");
    file.write_all_at(&bytes, 0)
        .and_then(|()| file.sync_all())
        .inspect(|()| tui_kit::failpoint::at("snapshot.name"))
        .and_then(|()| shelf.disk.rename(&unfinished, &whole))
        .map_err(doing())?;
    shelf.sync_dir(&dir)?;
    tui_kit::failpoint::at("snapshot.tidy");
    let sizes = sizes(shelf)?;
    for old in &sizes[..sizes.len().saturating_sub(KEPT)] {
        let path = dir.join(name(*old));
        shelf.disk.remove(&path).map_err(BooksError::io(format!("removing {}", path.display())))?;
    }
    Ok(head)
}

/// The sections, as they are written.
struct Body {
    file: Arc<dyn DiskFile>,
    offset: u64,
    unsynced: u64,
    piece: Vec<u8>,
    crc: crc32fast::Hasher,
    sha: Sha256,
    failed: Option<io::Error>,
}

impl Body {
    fn new(file: Arc<dyn DiskFile>) -> Self {
        Self {
            file,
            offset: BODY,
            unsynced: 0,
            piece: Vec::with_capacity(PIECE + PIECE / 2),
            crc: crc32fast::Hasher::new(),
            sha: Sha256::new(),
            failed: None,
        }
    }

    fn all(&mut self, contents: &Contents<'_>) -> io::Result<[Extent; SECTIONS]> {
        let empty = Extent { offset: 0, length: 0, crc: 0, digest: Digest([0; 32]) };
        let mut extents = [empty; SECTIONS];
        let others = [Part::Leaves, Part::Places, Part::Segments, Part::Mail];
        for part in Section::ALL.into_iter().map(Part::State).chain(others) {
            let offset = self.offset;
            self.part(part, contents);
            extents[part.index()] = self.end(offset)?;
        }
        Ok(extents)
    }

    fn part(&mut self, part: Part, contents: &Contents<'_>) {
        let (reader, size) = (contents.reader, contents.boundary.size);
        match part {
            Part::State(section) => contents.state.write(section, &mut |bytes| self.add(bytes)),
            Part::Leaves => {
                for first in (0..size).step_by(ROWS as usize) {
                    let leaves = reader.leaves(first..size.min(first + ROWS));
                    leaves.iter().for_each(|leaf| self.add(&leaf.0));
                }
            }
            Part::Places => {
                for first in (0..size).step_by(ROWS as usize) {
                    for (segment, offset) in reader.places(first..size.min(first + ROWS)) {
                        self.add(&segment.to_le_bytes());
                        self.add(&offset.to_le_bytes());
                    }
                }
            }
            Part::Segments => {
                for (segment, kinds, first, latest) in reader.summaries(size) {
                    self.add(&segment.to_le_bytes());
                    self.add(&kinds.to_le_bytes());
                    self.add(&first.to_le_bytes());
                    self.add(&latest.0.to_le_bytes());
                }
            }
            Part::Mail => self.add(&codec::encode(&contents.mail)),
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush();
        }
    }

    /// Ends a section that began at a place.
    fn end(&mut self, offset: u64) -> io::Result<Extent> {
        self.flush();
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let crc = std::mem::take(&mut self.crc).finalize();
        let digest = Digest(std::mem::take(&mut self.sha).finalize().into());
        Ok(Extent { offset, length: self.offset - offset, crc, digest })
    }

    fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.write().err();
        }
        self.piece.clear();
    }

    fn write(&mut self) -> io::Result<()> {
        self.crc.update(&self.piece);
        self.sha.update(&self.piece);
        self.file.write_all_at(&self.piece, self.offset)?;
        self.offset += self.piece.len() as u64;
        self.unsynced += self.piece.len() as u64;
        if self.unsynced >= UNSYNCED {
            self.unsynced = 0;
            self.file.sync_data()?;
        }
        Ok(())
    }
}
