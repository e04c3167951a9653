//! What the journal keeps of an entry.
//!
//! The kept form, all integers little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 2 | version, now 1 |
//! | 16 | seed |
//! | 4 | length of the entry |
//! | .. | the entry, by [`wire::codec`] |
//! | .. | the evidence, up to the end |
//!
//! Every version is decodable for ever. A new version may say more of an entry, but the leaf of a record kept under
//! an older one ([`super::parts`]) must come out as it did: the tree holds it.

use std::fmt;

use ledger::Entry;
use wire::{codec, id::EntryNumber, limits};

use super::BooksError;

/// The most bytes that a record's kept form may have: the evidence of the largest frame, and an entry.
pub const RECORD: usize = limits::FRAME + ENTRY + HEAD;

/// The most bytes that an encoded entry may have.
const ENTRY: usize = 256 << 10;
const VERSION: u16 = 1;
const HEAD: usize = 2 + 16 + 4;

/// A line of the journal with what belongs to it.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// What was asked and decided.
    pub entry: Entry,
    /// The telegram and what travelled beside it, as they came; empty where the center itself asked.
    pub evidence: Vec<u8>,
    /// Sixteen random bytes, from which the salts of the leaf's parts derive.
    pub seed: [u8; 16],
}

impl Record {
    /// A record with a fresh seed.
    pub fn new(entry: Entry, evidence: Vec<u8>) -> Self {
        let mut seed = [0; 16];
        wire::key::random(&mut seed);
        Self { entry, evidence, seed }
    }

    /// The entry's number.
    pub fn number(&self) -> EntryNumber {
        self.entry.number
    }

    /// Encodes the kept form.
    ///
    /// # Errors
    /// [`BooksError::TooLarge`] when entry or evidence are beyond their limits.
    pub fn keep(&self) -> Result<Vec<u8>, BooksError> {
        let entry = codec::encode(&self.entry);
        let within = |what: &str, found: usize, allowed: usize| {
            let what = format!("{what} of {}", self.entry.number);
            if found <= allowed { Ok(()) } else { Err(BooksError::TooLarge { what, found, allowed }) }
        };
        within("the entry", entry.len(), ENTRY)?;
        within("the evidence", self.evidence.len(), limits::FRAME)?;
        let length = u32::try_from(entry.len()).expect("within the limit of an entry");
        let mut kept = Vec::with_capacity(HEAD + entry.len() + self.evidence.len());
        kept.extend_from_slice(&VERSION.to_le_bytes());
        kept.extend_from_slice(&self.seed);
        kept.extend_from_slice(&length.to_le_bytes());
        kept.extend_from_slice(&entry);
        kept.extend_from_slice(&self.evidence);
        Ok(kept)
    }

    /// Decodes a kept form of any version.
    ///
    /// # Errors
    /// [`BooksError::Malformed`] when it is none, or of a version that only a newer program knows.
    pub fn of_kept(kept: &[u8]) -> Result<Self, BooksError> {
        let malformed = |why: String| codec::Malformed { what: "journal record", why };
        let short = || malformed("it ends too early".into());
        let (version, rest) = kept.split_first_chunk::<2>().ok_or_else(short)?;
        match u16::from_le_bytes(*version) {
            VERSION => {}
            newer => return Err(malformed(format!("version {newer} is newer than this program")).into()),
        }
        let (seed, rest) = rest.split_first_chunk::<16>().ok_or_else(short)?;
        let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(short)?;
        let length = u32::from_le_bytes(*length) as usize;
        let (entry, evidence) = rest.split_at_checked(length).ok_or_else(short)?;
        if evidence.len() > limits::FRAME {
            return Err(malformed("its evidence is longer than allowed".into()).into());
        }
        let entry = codec::decode("journal entry", entry, ENTRY)?;
        Ok(Self { entry, evidence: evidence.to_vec(), seed: *seed })
    }
}

/// Names the record; neither the seed, which opens every part, nor the evidence is shown.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Record({} {}, {} bytes of evidence)",
            self.entry.number,
            self.entry.kind(),
            self.evidence.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::{super::sample, *};

    #[test]
    fn the_first_version_reads_as_it_was_written() {
        let record = sample::lapse();
        let golden = concat!(
            "0100",
            "07070707070707070707070707070707",
            "3a000000",
            "0700000000000000588750c4a001000010000000030000000000000000000000",
            "0000000000000000000000000001020000000000000000000000",
            "0707070707",
        );
        assert_eq!(HEXLOWER.encode(&record.keep().unwrap()), golden);
        assert_eq!(Record::of_kept(&HEXLOWER.decode(golden.as_bytes()).unwrap()).unwrap(), record);
    }

    #[test]
    fn every_shorter_form_is_refused() {
        let mut record = sample::lapse();
        record.evidence.clear();
        let kept = record.keep().unwrap();
        for length in 0..kept.len() {
            assert!(Record::of_kept(&kept[..length]).is_err(), "{length} bytes");
        }
        let newer = [&[2, 0][..], &kept[2..]].concat();
        assert!(Record::of_kept(&newer).unwrap_err().to_string().contains("newer than this program"));
    }

    #[test]
    fn too_much_evidence_is_refused() {
        let record = Record { evidence: vec![0; limits::FRAME + 1], ..sample::lapse() };
        let words = record.keep().unwrap_err().to_string();
        assert_eq!(words, "the evidence of T-000007-6 has 1048577 bytes; at most 1048576 fit");
    }
}
