//! The head of a snapshot's file.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | magic |
//! | 4 | version, now 1 |
//! | 4 | number of sections, now 20 |
//! | 8 | size: how many entries |
//! | 32 | root of the tree over them |
//! | 32 | SHA-256 of the last batch |
//! | 4 | segment of the last batch |
//! | 4 | zeros |
//! | 8 | place of the last batch in the segment |
//! | 20 × 56 | each section: place (8), length (8), CRC-32 (4), zeros (4), SHA-256 (32) |
//! | 64 | signature over `"inkan/v1/snapshot\0" ‖ origin ‖ "\n" ‖ all before` |

use ledger::state::{Section, digest_of};
use wire::{id::Digest, key::Signature};

use super::{super::disk::How, Boundary, CheckpointKey, Shelf, dir, name};

/// Where the sections begin.
pub(super) const BODY: u64 = 4096;
/// How many sections there are.
pub(super) const SECTIONS: usize = 20;
/// How long a head is.
pub(super) const HEAD: usize = FIXED + SECTIONS * ROW + 64;

const FIXED: usize = 104;
const ROW: usize = 56;
const MAGIC: [u8; 8] = *b"inkansnp";
const VERSION: u32 = 1;
const _: () = assert!(HEAD as u64 <= BODY);

/// What a snapshot says of itself; the center signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How many entries it covers.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
    /// The hash of the last batch.
    pub batch: Digest,
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) sections: [Extent; SECTIONS],
}

/// A section in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) crc: u32,
    pub(super) digest: Digest,
}

/// What a section holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    State(Section),
    Leaves,
    Places,
    Segments,
    Mail,
}

impl Part {
    pub(super) fn index(self) -> usize {
        match self {
            Self::State(section) => section as usize,
            Self::Leaves => 16,
            Self::Places => 17,
            Self::Segments => 18,
            Self::Mail => 19,
        }
    }

    /// How long a row of it is; 1 where it has none.
    pub(super) fn row(self) -> usize {
        match self {
            Self::State(section) => section.row().unwrap_or(1),
            Self::Leaves => 32,
            Self::Places => 8,
            Self::Segments => 24,
            Self::Mail => 1,
        }
    }
}

impl Head {
    /// The [`ledger::State::digest`] of the state in it.
    pub fn state(&self) -> Digest {
        let mut digests = [Digest([0; 32]); 16];
        for (digest, extent) in digests.iter_mut().zip(&self.sections) {
            *digest = extent.digest;
        }
        digest_of(&digests)
    }

    pub(in crate::books) fn boundary(&self) -> Boundary {
        Boundary { size: self.size, segment: self.segment, offset: self.offset, batch: self.batch }
    }

    /// What stands in the file, up to the signature.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&20u32.to_le_bytes());
        bytes.extend_from_slice(&self.size.to_le_bytes());
        bytes.extend_from_slice(&self.root.0);
        bytes.extend_from_slice(&self.batch.0);
        bytes.extend_from_slice(&self.segment.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.offset.to_le_bytes());
        for extent in &self.sections {
            bytes.extend_from_slice(&extent.offset.to_le_bytes());
            bytes.extend_from_slice(&extent.length.to_le_bytes());
            bytes.extend_from_slice(&extent.crc.to_le_bytes());
            bytes.extend_from_slice(&[0; 4]);
            bytes.extend_from_slice(&extent.digest.0);
        }
        bytes
    }

    /// Reads a head, without its signature. What it says must be what would be written so.
    fn parse(bytes: &[u8; HEAD]) -> Option<Self> {
        let extent = |at: usize| {
            let row = bytes.get(FIXED + at * ROW..)?;
            Some(Extent {
                offset: word(row, 0)?,
                length: word(row, 8)?,
                crc: half(row, 16)?,
                digest: Digest(*row.get(24..)?.first_chunk()?),
            })
        };
        let none = Extent { offset: 0, length: 0, crc: 0, digest: Digest([0; 32]) };
        let mut sections = [none; SECTIONS];
        for (at, section) in sections.iter_mut().enumerate() {
            *section = extent(at)?;
        }
        let head = Self {
            size: word(bytes, 16)?,
            root: Digest(*bytes[24..].first_chunk()?),
            batch: Digest(*bytes[56..].first_chunk()?),
            segment: half(bytes, 88)?,
            offset: word(bytes, 96)?,
            sections,
        };
        (head.encode() == bytes[..HEAD - 64]).then_some(head)
    }
}

/// What is signed.
pub(super) fn message(origin: &str, head: &[u8]) -> Vec<u8> {
    [b"inkan/v1/snapshot\0", origin.as_bytes(), b"\n", head].concat()
}

/// Reads the head of the snapshot after so many entries.
///
/// # Errors
/// In words, when it is not whole or the center did not sign it.
pub(super) fn read(shelf: &Shelf, key: &CheckpointKey, size: u64) -> Result<Head, String> {
    let path = dir(shelf).join(name(size));
    let file = shelf.disk.open(&path, How::Read).map_err(|error| error.to_string())?;
    let mut bytes = [0; HEAD];
    let got = file.read_at(&mut bytes, 0).map_err(|error| error.to_string())?;
    let head = Head::parse(&bytes).filter(|head| got == HEAD && head.size == size);
    let head = head.ok_or("its head is not whole, or of a newer program")?;
    let (signed, signature) = bytes.split_at(HEAD - 64);
    let signature = Signature(*signature.first_chunk().ok_or("its signature is not whole")?);
    if !key.signed(size, &message(&key.origin_at(size), signed), &signature) {
        return Err("it does not bear the center's signature".into());
    }
    let length = file.length().map_err(|error| error.to_string())?;
    let fits = |extent: &Extent| extent.offset.checked_add(extent.length).is_some_and(|end| end <= length);
    if head.sections.iter().all(fits) { Ok(head) } else { Err("it is shorter than it says".into()) }
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_bit_of_a_head_is_noticed() {
        let extent = |at: usize| Extent {
            offset: at as u64,
            length: 7,
            crc: at as u32,
            digest: Digest([at as u8; 32]),
        };
        let head = Head {
            size: 9,
            root: Digest([1; 32]),
            batch: Digest([2; 32]),
            segment: 3,
            offset: 72,
            sections: std::array::from_fn(extent),
        };
        let mut bytes = [0; HEAD];
        bytes[..HEAD - 64].copy_from_slice(&head.encode());
        assert_eq!(Head::parse(&bytes), Some(head.clone()));
        for bit in 0..(HEAD - 64) * 8 {
            let mut wrong = bytes;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(Head::parse(&wrong), Some(head.clone()), "bit {bit}");
        }
    }
}
