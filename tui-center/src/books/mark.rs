//! The mark: the last checkpoint that was signed, kept beside the journal in the file `signed`.
//!
//! A torn batch and a batch that rotted after it was answered look alike. The mark tells them apart: it names the
//! last batch whose checkpoint was given out, and the journal is never cut before that batch.
//!
//! It is not what keeps one size from being signed with two roots: a checkpoint is signed only when its batch is on
//! the disk, and at opening the last batch is brought there again before anything is signed. So the mark may lag
//! behind, and is synced only where that costs nothing: at opening, at closing and with each new segment. In between
//! it is written after every signature, which outlives the death of the program, though not a power failure; then a
//! lagging mark still protects all before it. What both miss, a terminal's own newest checkpoint shows at login.
//!
//! Two slots of 4 KiB are written in turns, so that a torn write leaves the other:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | magic |
//! | 4 | CRC-32 of the rest of the slot |
//! | 8 | generation; the higher one counts |
//! | 8 | size |
//! | 32 | root |
//! | 32 | SHA-256 of the batch |
//! | 4 | length of the note |
//! | 4000 | the signed note, filled up with zeros |

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use wire::{checkpoint::SignedCheckpoint, id::Digest, limits};

use super::{
    BooksError,
    disk::{Disk, DiskFile, How},
};

const SLOT: usize = 4096;
const HEAD: usize = 92;
const MAGIC: [u8; 4] = *b"IkM1";
const _: () = assert!(HEAD + limits::NOTE <= SLOT);

/// What was signed last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) size: u64,
    pub(super) root: Digest,
    /// The last batch under it.
    pub(super) batch: Digest,
    pub(super) note: SignedCheckpoint,
}

/// The file that holds it.
pub(super) struct MarkFile {
    file: Arc<dyn DiskFile>,
    path: PathBuf,
    generation: u64,
}

impl MarkFile {
    /// Opens the file, and makes it where there is none.
    ///
    /// # Errors
    /// Also when it can't be read: what it says must not be taken for absent.
    pub(super) fn open(disk: &dyn Disk, dir: &Path) -> Result<(Self, Option<Mark>), BooksError> {
        let path = dir.join("signed");
        let doing = || BooksError::io(format!("opening {}", path.display()));
        let file = disk.open(&path, How::Create).map_err(doing())?;
        let found = newest(&*file).map_err(doing())?;
        let (generation, mark) = found.map_or((0, None), |(generation, mark)| (generation, Some(mark)));
        Ok((Self { file, path, generation }, mark))
    }

    /// Writes a mark over the older of the two slots.
    pub(super) fn write(&mut self, mark: &Mark) -> Result<(), BooksError> {
        let generation = self.generation + 1;
        let slot = encode(generation, mark);
        self.file
            .write_all_at(&slot, offset(generation))
            .map_err(BooksError::io(format!("writing {}", self.path.display())))?;
        self.generation = generation;
        Ok(())
    }

    /// Brings the newest mark to the disk.
    pub(super) fn sync(&self) -> Result<(), BooksError> {
        self.file.sync_data().map_err(BooksError::io(format!("writing {}", self.path.display())))
    }
}

/// A file that holds one mark.
pub(super) fn file(mark: &Mark) -> Vec<u8> {
    let mut bytes = vec![0; 2 * SLOT];
    let at = usize::try_from(offset(1)).expect("the file has two slots");
    bytes[at..at + SLOT].copy_from_slice(&encode(1, mark));
    bytes
}

/// Reads the newest mark of the books in a folder, if there is a whole one.
pub(super) fn read(disk: &dyn Disk, dir: &Path) -> Option<Mark> {
    let file = disk.open(&dir.join("signed"), How::Read).ok()?;
    newest(&*file).ok()?.map(|(_, mark)| mark)
}

fn newest(file: &dyn DiskFile) -> io::Result<Option<(u64, Mark)>> {
    let mut slots = [[0; SLOT]; 2];
    for (generation, slot) in (0..).zip(&mut slots) {
        file.read_at(slot, offset(generation))?;
    }
    Ok(slots.iter().filter_map(decode).max_by_key(|(generation, _)| *generation))
}

fn offset(generation: u64) -> u64 {
    generation % 2 * SLOT as u64
}

fn encode(generation: u64, mark: &Mark) -> [u8; SLOT] {
    let note = mark.note.note().as_bytes();
    let mut slot = [0; SLOT];
    slot[..4].copy_from_slice(&MAGIC);
    slot[8..16].copy_from_slice(&generation.to_le_bytes());
    slot[16..24].copy_from_slice(&mark.size.to_le_bytes());
    slot[24..56].copy_from_slice(&mark.root.0);
    slot[56..88].copy_from_slice(&mark.batch.0);
    let length = u32::try_from(note.len()).expect("a note is at most 4,000 bytes");
    slot[88..92].copy_from_slice(&length.to_le_bytes());
    slot[HEAD..HEAD + note.len()].copy_from_slice(note);
    let crc = crc32fast::hash(&slot[8..]);
    slot[4..8].copy_from_slice(&crc.to_le_bytes());
    slot
}

fn decode(slot: &[u8; SLOT]) -> Option<(u64, Mark)> {
    let crc = u32::from_le_bytes(*slot[4..].first_chunk()?);
    if slot[..4] != MAGIC || crc32fast::hash(&slot[8..]) != crc {
        return None;
    }
    let number = |at: usize| slot[at..].first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    let length = u32::from_le_bytes(*slot[88..].first_chunk()?) as usize;
    let note = std::str::from_utf8(slot.get(HEAD..HEAD.checked_add(length)?)?).ok()?;
    let mark = Mark {
        size: number(16)?,
        root: Digest(*slot[24..].first_chunk()?),
        batch: Digest(*slot[56..].first_chunk()?),
        note: SignedCheckpoint::parse(note).ok()?,
    };
    Some((number(8)?, mark))
}

#[cfg(test)]
mod tests {
    use wire::{checkpoint::Checkpoint, key::SigningKey, text::Line};

    use super::{super::disk::RealDisk, *};

    fn mark(size: u64) -> Mark {
        let origin = Line::new("test/log").unwrap();
        let checkpoint = Checkpoint { origin, size, root: Digest([5; 32]) };
        let note = SignedCheckpoint::sign(&checkpoint, &SigningKey::from_seed(&[1; 32]));
        Mark { size, root: checkpoint.root, batch: Digest([6; 32]), note }
    }

    #[test]
    fn the_newest_whole_slot_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (mut file, none) = MarkFile::open(&RealDisk, dir.path()).unwrap();
        assert_eq!(none, None);
        for size in 1..=5 {
            file.write(&mark(size)).unwrap();
            assert_eq!(read(&RealDisk, dir.path()), Some(mark(size)));
        }
        // Generation 5 stands in the second slot; a torn write of it leaves the fourth.
        file.file.write_all_at(&[0xff; 9], offset(5) + 40).unwrap();
        let (mut file, newest) = MarkFile::open(&RealDisk, dir.path()).unwrap();
        assert_eq!(newest, Some(mark(4)));
        file.write(&mark(6)).unwrap();
        assert_eq!(read(&RealDisk, dir.path()), Some(mark(6)));
    }
}
