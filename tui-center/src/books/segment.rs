//! Segment files: `journal/000001.seg` and so on, each filled with zeros when it is made, so that appending writes
//! into space that the file already has and `fdatasync` has nothing but data to bring to the disk.
//!
//! A segment begins with a head, all integers little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic |
//! | 4 | version, now 1 |
//! | 4 | number of the segment, counted from 1 |
//! | 8 | number of the first entry in it, or of the one that would be |
//! | 8 | length of the file |
//! | 32 | SHA-256 of the last batch before it; in the first segment, [`beginning`] |
//! | 4 | CRC-32 of the 64 bytes before |
//! | 4 | zeros |

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use wire::id::Digest;

use super::{
    BooksError,
    disk::{Disk, DiskFile, How},
};

/// The length of a segment, unless its first batch needs a longer one.
pub(super) const SEGMENT: u64 = 16 << 20;
/// The length of the head.
pub(super) const HEAD: usize = 72;

const MAGIC: [u8; 8] = *b"inkanseg";
const VERSION: u32 = 1;

/// A segment's head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) number: u32,
    pub(super) first: u64,
    pub(super) bytes: u64,
    pub(super) previous: Digest,
}

/// What stands for the batch before the first one: it binds the journal to the name of its log.
pub(super) fn beginning(origin: &str) -> Digest {
    Digest::of(&[b"inkan/v1/journal", origin.as_bytes()])
}

/// Where a segment lies.
pub(super) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:06}.seg"))
}

/// The numbers of the segments in a folder, ascending and without a gap.
pub(super) fn numbers(disk: &dyn Disk, dir: &Path) -> Result<Vec<u32>, BooksError> {
    let names = disk.names(dir).map_err(BooksError::io(format!("reading the folder {}", dir.display())))?;
    let numbers = names.iter().filter_map(|name| name.strip_suffix(".seg")?.parse::<u32>().ok());
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    for (due, number) in (1..).zip(&numbers) {
        if due != *number {
            let file = path(dir, due);
            return Err(BooksError::Damaged { file, offset: 0, why: "the file is missing".into() });
        }
    }
    Ok(numbers)
}

/// Makes a segment. It gets its name only when it is whole on the disk.
pub(super) fn create(disk: &dyn Disk, dir: &Path, head: &Head) -> Result<Arc<dyn DiskFile>, BooksError> {
    let whole = path(dir, head.number);
    let unfinished = whole.with_extension("new");
    let made = fill(disk, &unfinished, head).and_then(|file| {
        tui_kit::failpoint::at("segment.name");
        disk.rename(&unfinished, &whole)?;
        tui_kit::failpoint::at("segment.named");
        disk.sync_dir(dir)?;
        Ok(file)
    });
    made.map_err(|error| {
        // What is left of it is in nobody's way, and is removed at the next start if it can't be now.
        let _ = disk.remove(&unfinished);
        BooksError::io(format!("making the journal's segment {}", whole.display()))(error)
    })
}

/// Opens a segment for appending, at its full length again if it was cut short.
pub(super) fn open(disk: &dyn Disk, dir: &Path, head: &Head) -> Result<Arc<dyn DiskFile>, BooksError> {
    let path = path(dir, head.number);
    let opened = disk.open(&path, How::Write).and_then(|file| {
        if file.length()? < head.bytes {
            file.set_len(head.bytes)?;
        }
        Ok(file)
    });
    opened.map_err(BooksError::io(format!("opening the journal's segment {}", path.display())))
}

/// Reads a whole segment: its head, and all its bytes, the head's own included.
///
/// # Errors
/// [`BooksError::Damaged`] when the head is not whole; it was synced before the segment got its name.
pub(super) fn read(disk: &dyn Disk, dir: &Path, number: u32) -> Result<(Head, Vec<u8>), BooksError> {
    let path = path(dir, number);
    let bytes = disk
        .read(&path)
        .map_err(BooksError::io(format!("reading the journal's segment {}", path.display())))?;
    match parse(&bytes) {
        Some(head) if head.number == number => Ok((head, bytes)),
        _ => {
            Err(BooksError::Damaged { file: path, offset: 0, why: "the segment's head is not whole".into() })
        }
    }
}

/// Removes what a crash left of a segment that was being made.
pub(super) fn clear_unfinished(disk: &dyn Disk, dir: &Path) -> Result<(), BooksError> {
    let doing = format!("clearing up the folder {}", dir.display());
    let names = disk.names(dir).map_err(BooksError::io(&doing))?;
    for name in names.iter().filter(|name| name.ends_with(".new")) {
        disk.remove(&dir.join(name)).map_err(BooksError::io(&doing))?;
    }
    Ok(())
}

fn fill(disk: &dyn Disk, path: &Path, head: &Head) -> io::Result<Arc<dyn DiskFile>> {
    let file = disk.open(path, How::Fresh)?;
    file.write_all_at(&encode(head), 0)?;
    tui_kit::failpoint::at("segment.fill");
    // Written, not only reserved: a reserved extent costs a journal write of the file system at each first use.
    let begin = HEAD as u64;
    zero(&*file, begin, head.bytes.saturating_sub(begin))?;
    tui_kit::failpoint::at("segment.sync");
    file.sync_all()?;
    Ok(file)
}

/// Fills a part of a file with zeros.
pub(super) fn zero(file: &dyn DiskFile, mut offset: u64, mut length: u64) -> io::Result<()> {
    let zeros = vec![0; length.min(1 << 20) as usize];
    while length > 0 {
        let piece = length.min(zeros.len() as u64);
        file.write_all_at(&zeros[..piece as usize], offset)?;
        offset += piece;
        length -= piece;
    }
    Ok(())
}

fn encode(head: &Head) -> [u8; HEAD] {
    let mut bytes = [0; HEAD];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..16].copy_from_slice(&head.number.to_le_bytes());
    bytes[16..24].copy_from_slice(&head.first.to_le_bytes());
    bytes[24..32].copy_from_slice(&head.bytes.to_le_bytes());
    bytes[32..64].copy_from_slice(&head.previous.0);
    let crc = crc32fast::hash(&bytes[..64]);
    bytes[64..68].copy_from_slice(&crc.to_le_bytes());
    bytes
}

fn parse(bytes: &[u8]) -> Option<Head> {
    let bytes = bytes.first_chunk::<HEAD>()?;
    let head = Head {
        number: u32::from_le_bytes(*bytes[12..].first_chunk()?),
        first: u64::from_le_bytes(*bytes[16..].first_chunk()?),
        bytes: u64::from_le_bytes(*bytes[24..].first_chunk()?),
        previous: Digest(*bytes[32..].first_chunk()?),
    };
    (encode(&head) == *bytes).then_some(head)
}

#[cfg(test)]
mod tests {
    use super::{super::disk::RealDisk, *};

    #[test]
    fn a_segment_is_zeros_behind_its_head() {
        let dir = tempfile::tempdir().unwrap();
        let head = Head { number: 1, first: 9, bytes: 5_000, previous: Digest([4; 32]) };
        create(&RealDisk, dir.path(), &head).unwrap();
        let (read, bytes) = read(&RealDisk, dir.path(), 1).unwrap();
        assert_eq!((read, bytes.len()), (head, 5_000));
        assert!(bytes[HEAD..].iter().all(|byte| *byte == 0));
        assert_eq!(numbers(&RealDisk, dir.path()).unwrap(), [1]);
    }

    #[test]
    fn every_wrong_bit_of_a_head_is_noticed() {
        let head = Head { number: 1, first: 9, bytes: 5_000, previous: Digest([4; 32]) };
        for bit in 0..HEAD * 8 {
            let mut wrong = encode(&head);
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(parse(&wrong), None, "bit {bit}");
        }
    }

    #[test]
    fn a_missing_segment_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for number in [1, 3] {
            let head = Head { number, first: 0, bytes: 100, previous: Digest([0; 32]) };
            create(&RealDisk, dir.path(), &head).unwrap();
        }
        let words = numbers(&RealDisk, dir.path()).unwrap_err().to_string();
        assert!(words.contains("000002.seg") && words.contains("missing"), "{words}");
    }

    #[test]
    fn a_folder_that_is_gone_is_said_in_words() {
        let dir = tempfile::tempdir().unwrap().path().join("gone");
        let head = Head { number: 1, first: 0, bytes: 100, previous: Digest([0; 32]) };
        let words = create(&RealDisk, &dir, &head).err().unwrap().to_string();
        assert!(words.ends_with("000001.seg: there is no such file or folder"), "{words}");
    }
}
