//! A batch: what one write and one `fdatasync` make durable.
//!
//! Its form, all integers little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | magic |
//! | 4 | length of the whole batch, a multiple of 8 |
//! | 4 | CRC-32 of everything else in the batch |
//! | 4 | number of records; none in a closing batch |
//! | 8 | number of the first entry; in a closing batch, of the entry that would follow |
//! | 32 | SHA-256 of the previous batch |
//! | 4 | length of the previous batch's checkpoint |
//! | .. | that checkpoint, a signed note; empty in the journal's first batch |
//! | .. | the records: length (4), CRC-32 (4), kept form |
//! | 0–7 | zeros |
//!
//! The records have checksums of their own so that a single one can be read and believed.

use wire::{checkpoint::SignedCheckpoint, id::Digest, limits};

use super::{
    BooksError,
    record::{RECORD, Record},
};

/// The most bytes that one batch may have.
pub(super) const BATCH: usize = 64 << 20;
/// What every batch begins and ends on, so that a lost batch can be looked for.
pub(super) const ALIGNMENT: usize = 8;
/// The fixed head of a batch.
pub(super) const HEAD: usize = 60;
/// What stands before each record: its length and checksum.
pub(super) const RECORD_HEAD: usize = 8;

const MAGIC: [u8; 4] = *b"IkB1";
/// Room for most batches; what of it is not used costs nothing.
const ROOM: usize = 96 << 10;

/// A decoded batch.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) first: u64,
    pub(super) previous: Digest,
    pub(super) checkpoint: Option<SignedCheckpoint>,
    /// Each record with its place: the distance of its length field from the batch's beginning.
    pub(super) records: Vec<(u32, Record)>,
}

/// A batch that is being gathered.
pub(super) struct Draft {
    bytes: Vec<u8>,
    count: u32,
    /// The places of the records.
    places: Vec<u32>,
}

impl Draft {
    /// A batch that follows the batch of hash `previous`, whose checkpoint is `note`.
    pub(super) fn new(first: u64, previous: &Digest, note: &str) -> Self {
        let mut bytes = Vec::with_capacity(ROOM);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[0; 12]);
        bytes.extend_from_slice(&first.to_le_bytes());
        bytes.extend_from_slice(&previous.0);
        bytes.extend_from_slice(&length(note.len()));
        bytes.extend_from_slice(note.as_bytes());
        Self { bytes, count: 0, places: Vec::new() }
    }

    /// Whether a record of so many kept bytes still fits.
    pub(super) fn fits(&self, kept: usize) -> bool {
        self.bytes.len() + RECORD_HEAD + kept + ALIGNMENT <= BATCH
    }

    /// Adds a record's kept form.
    pub(super) fn push(&mut self, kept: &[u8]) {
        self.places.push(u32::from_le_bytes(length(self.bytes.len())));
        self.bytes.extend_from_slice(&length(kept.len()));
        self.bytes.extend_from_slice(&crc32fast::hash(kept).to_le_bytes());
        self.bytes.extend_from_slice(kept);
        self.count += 1;
    }

    /// The finished bytes, and the records' places in them.
    pub(super) fn finish(mut self) -> (Vec<u8>, Vec<u32>) {
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGNMENT), 0);
        let whole = length(self.bytes.len());
        self.bytes[4..8].copy_from_slice(&whole);
        self.bytes[12..16].copy_from_slice(&self.count.to_le_bytes());
        let crc = checksum(&self.bytes);
        self.bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        (self.bytes, self.places)
    }
}

/// The bytes of the batch that `bytes` begin with: its length is plausible and its checksum holds. What follows it
/// may be anything.
pub(super) fn delimit(bytes: &[u8]) -> Option<&[u8]> {
    let head = bytes.first_chunk::<HEAD>()?;
    if head[..4] != MAGIC {
        return None;
    }
    let length = u32_at(head, 4) as usize;
    if !(HEAD..=BATCH).contains(&length) || !length.is_multiple_of(ALIGNMENT) {
        return None;
    }
    let batch = bytes.get(..length)?;
    (checksum(batch) == u32_at(head, 8)).then_some(batch)
}

/// Decodes a batch that [`delimit`] found.
///
/// # Errors
/// What is wrong with it, in words. Since its checksum holds, it was written so or made so.
pub(super) fn decode(batch: &[u8]) -> Result<Batch, BooksError> {
    let malformed =
        |why: &str| BooksError::from(wire::codec::Malformed { what: "journal batch", why: why.into() });
    let head = batch.first_chunk::<HEAD>().ok_or_else(|| malformed("it ends too early"))?;
    let first = u64::from_le_bytes(*head[16..].first_chunk().expect("a head has 60 bytes"));
    let previous = Digest(*head[24..].first_chunk().expect("a head has 60 bytes"));
    let note = u32_at(head, 56) as usize;
    if note > limits::NOTE {
        return Err(malformed("its checkpoint is longer than allowed"));
    }
    let (note, mut rest) =
        batch[HEAD..].split_at_checked(note).ok_or_else(|| malformed("its checkpoint ends too early"))?;
    let checkpoint = match std::str::from_utf8(note).map_err(|_| malformed("its checkpoint is not text"))? {
        "" => None,
        note => Some(SignedCheckpoint::parse(note).map_err(|error| malformed(&error.to_string()))?),
    };
    let mut records = Vec::new();
    for _ in 0..u32_at(head, 12) {
        let place = batch.len() - rest.len();
        let (kept, behind) =
            split_record(rest).ok_or_else(|| malformed("a record's checksum does not hold"))?;
        records.push((u32_at(&length(place), 0), Record::of_kept(kept)?));
        rest = behind;
    }
    if rest.len() >= ALIGNMENT || rest.iter().any(|byte| *byte != 0) {
        return Err(malformed("there is more in it than its records"));
    }
    Ok(Batch { first, previous, checkpoint, records })
}

/// The hash by which the next batch names this one.
pub(super) fn hash(batch: &[u8]) -> Digest {
    Digest::of(&[batch])
}

/// How many bytes a record has, told by its first four: with its head, if that is plausible.
pub(super) fn record_length(head: &[u8; RECORD_HEAD]) -> Option<usize> {
    let kept = u32_at(head, 0) as usize;
    (kept <= RECORD).then_some(RECORD_HEAD + kept)
}

/// Splits the kept form of the first record off, if its checksum holds.
pub(super) fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = bytes.first_chunk::<RECORD_HEAD>()?;
    let (record, behind) = bytes.split_at_checked(record_length(head)?)?;
    let kept = &record[RECORD_HEAD..];
    (crc32fast::hash(kept) == u32_at(head, 4)).then_some((kept, behind))
}

fn checksum(batch: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&batch[..8]);
    hasher.update(&batch[12..]);
    hasher.finalize()
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a batch is far below 4 GiB").to_le_bytes()
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(*bytes[at..].first_chunk().expect("callers ask within the head"))
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    fn encoded() -> Vec<u8> {
        let mut draft = Draft::new(7, &Digest([3; 32]), "");
        draft.push(&sample::lapse().keep().unwrap());
        draft.push(&sample::lapse().keep().unwrap());
        draft.finish().0
    }

    #[test]
    fn reads_what_it_wrote() {
        let bytes = encoded();
        assert_eq!(bytes.len() % ALIGNMENT, 0);
        let batch = decode(delimit(&[&bytes[..], &[9; 40]].concat()).unwrap()).unwrap();
        assert_eq!((batch.first, batch.previous), (7, Digest([3; 32])));
        assert!(batch.checkpoint.is_none());
        assert_eq!(batch.records.len(), 2);
        for (place, record) in batch.records {
            let (kept, _) = split_record(&bytes[place as usize..]).unwrap();
            assert_eq!(Record::of_kept(kept).unwrap(), record);
            assert_eq!(record, sample::lapse());
        }
    }

    #[test]
    fn a_closing_batch_is_the_shortest() {
        let bytes = Draft::new(7, &Digest([3; 32]), "").finish().0;
        assert_eq!(bytes.len(), HEAD.next_multiple_of(ALIGNMENT));
        assert!(decode(delimit(&bytes).unwrap()).unwrap().records.is_empty());
    }

    #[test]
    fn a_single_wrong_bit_or_a_missing_byte_is_noticed() {
        let bytes = encoded();
        for bit in 0..bytes.len() * 8 {
            let mut wrong = bytes.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(delimit(&wrong).is_none(), "bit {bit}");
        }
        for length in 0..bytes.len() {
            assert!(delimit(&bytes[..length]).is_none(), "{length} bytes");
        }
    }
}
