//! What a terminal keeps: a file that is only appended to, each record synced before anything follows from it.
//!
//! A record is its length and its CRC-32, four bytes each, little endian, and its bytes. At opening a torn end is cut
//! off, and what stands is brought to the disk once more, since a sync may have failed.

use std::{io, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};
use tui_center::books::disk::{Disk, DiskFile, How};
use wire::{checkpoint::SignedCheckpoint, codec, limits, message::Verdict, telegram::Telegram};

use super::disk::SimDisk;

const DIR: &str = "/terminal";
const FILE: &str = "/terminal/log";
const HEAD: usize = 8;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kept {
    /// A telegram that may be sent from now on.
    Signed(Telegram),
    /// What the center said became of the telegram of this place.
    Ended(u32, Box<Verdict>),
    /// A piece of mail: the entry's number and its leaf's hash.
    Mail(wire::id::EntryNumber, wire::id::Digest),
    /// The newest checkpoint.
    Checkpoint(SignedCheckpoint),
}

/// The file.
pub(super) struct Log {
    file: Arc<dyn DiskFile>,
    end: u64,
}

impl Log {
    /// Opens it, or makes it, and reads what it holds.
    ///
    /// # Errors
    /// Whatever the disk refuses.
    pub(super) fn open(disk: &SimDisk) -> io::Result<(Self, Vec<Kept>)> {
        disk.make_dir(Path::new(DIR))?;
        let file = disk.open(Path::new(FILE), How::Create)?;
        disk.sync_dir(Path::new(DIR))?;
        let bytes = disk.read(Path::new(FILE))?;
        let mut rest = &bytes[..];
        let mut kept = Vec::new();
        while let Some((record, behind)) = split(rest) {
            kept.push(record);
            rest = behind;
        }
        let end = bytes.len() - rest.len();
        if !bytes.is_empty() {
            let mut anew = bytes.clone();
            anew[end..].fill(0);
            file.write_all_at(&anew, 0)?;
            file.sync_data()?;
        }
        Ok((Self { file, end: end as u64 }, kept))
    }

    /// Appends a record; when this returns it is on the disk.
    ///
    /// # Errors
    /// Whatever the disk refuses; what became of the record only an opening tells.
    pub(super) fn append(&mut self, kept: &Kept) -> io::Result<()> {
        let bytes = codec::encode(kept);
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        let mut record = Vec::with_capacity(HEAD + bytes.len());
        record.extend_from_slice(&length.to_le_bytes());
        record.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        record.extend_from_slice(&bytes);
        self.file.write_all_at(&record, self.end)?;
        self.file.sync_data()?;
        self.end += record.len() as u64;
        Ok(())
    }
}

fn split(bytes: &[u8]) -> Option<(Kept, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let (record, behind) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    if record.is_empty() || crc32fast::hash(record) != u32::from_le_bytes(*crc) {
        return None;
    }
    Some((codec::decode("kept record", record, limits::FRAME).ok()?, behind))
}
