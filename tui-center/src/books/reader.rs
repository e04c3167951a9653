//! Reading the books: any number of readers, beside the one writer.

use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use wire::{
    bounded::{Bytes, List},
    checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint},
    id::{Digest, EntryNumber},
    key::VerificationKey,
    merkle::Tree,
    receipt::{EntryKind, Receipt, Side},
    time::Timestamp,
};

use super::{
    BooksError, CheckpointKey, batch,
    disk::{Disk, DiskFile, How},
    newest::{Newest, Ready},
    parts::{self, Opened},
    record::Record,
    segment,
    shelf::Shelf,
    snapshot::Boundary,
};

/// How many segments a reader keeps open.
const FILES: usize = 128;
/// How many ends of batches are remembered for a snapshot.
const ENDS: usize = 256;
/// How much is read at once for one record; nearly every record is shorter.
const READ: usize = 2 << 10;

/// Reads durable entries. Cheap to clone; all clones see the same, and each entry as soon as it is durable.
#[derive(Clone)]
pub struct Reader(Arc<Shared>);

struct Shared {
    disk: Arc<dyn Disk>,
    journal: PathBuf,
    key: CheckpointKey,
    live: RwLock<Live>,
    newest: Newest,
    files: Mutex<HashMap<u32, Arc<dyn DiskFile>>>,
}

struct Live {
    places: Vec<Place>,
    tree: Tree,
    checkpoint: SignedCheckpoint,
    segments: Vec<Summary>,
    /// Where the newest batches end, oldest first.
    ends: VecDeque<Boundary>,
}

#[derive(Clone, Copy)]
struct Place {
    segment: u32,
    offset: u32,
}

/// What a segment holds, so that a search need not look into each.
#[derive(Clone, Copy)]
struct Summary {
    segment: u32,
    first: u64,
    latest: Timestamp,
    kinds: u32,
}

/// What opening found, entry by entry.
#[derive(Default)]
pub(super) struct Index {
    places: Vec<Place>,
    pub(super) tree: Tree,
    segments: Vec<Summary>,
}

/// Where a batch that became durable ends.
pub(super) struct Ended {
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) hash: Digest,
}

/// An entry on its way into the index.
pub(super) struct Indexed {
    pub(super) at: Timestamp,
    pub(super) kind: EntryKind,
    pub(super) leaf: Digest,
    /// The entry with what its receipts open, where they are about to be asked for.
    opened: Option<(Arc<Record>, Opened)>,
}

/// What is searched for.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Only entries before this one; `None` begins at the newest.
    pub before: Option<EntryNumber>,
    /// Only entries of this time or later.
    pub since: Option<Timestamp>,
    /// Only entries of this time or earlier.
    pub until: Option<Timestamp>,
    /// Only these kinds; empty for all.
    pub kinds: Vec<EntryKind>,
    /// Stop after so many are found.
    pub found_max: usize,
    /// Stop after so many were looked at, found or not, so that no search takes for ever.
    pub examined_max: usize,
}

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// The entries, newest first.
    pub records: Vec<Record>,
    /// Where to go on ([`Search::before`]); `None` when there is nothing older to find.
    pub next: Option<EntryNumber>,
}

/// What a checkpoint that somebody presents means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The tree held it.
    Contained,
    /// It does not bear the center's signature, or is of another log: it says nothing.
    NotOurs,
    /// The center signed it, and the tree lacks it: the books have forked or lost entries. Payments must stop.
    Contradicts,
    /// The center signed it under a former name of its log, beyond the entries that it went on from: the root key has said
    /// that what lies behind them is lost.
    Lost,
}

impl Reader {
    pub(super) fn new(
        shelf: &Shelf,
        key: CheckpointKey,
        index: Index,
        end: Option<Boundary>,
        checkpoint: SignedCheckpoint,
    ) -> Self {
        let Index { places, tree, segments } = index;
        let ends = end.into_iter().collect();
        Self(Arc::new(Shared {
            disk: shelf.disk.clone(),
            journal: shelf.journal(),
            key,
            live: RwLock::new(Live { places, tree, checkpoint, segments, ends }),
            newest: Newest::default(),
            files: Mutex::default(),
        }))
    }

    /// How many entries are durable.
    pub fn size(&self) -> u64 {
        self.live(|live| live.places.len() as u64)
    }

    /// The newest checkpoint; it covers every durable entry.
    pub fn checkpoint(&self) -> SignedCheckpoint {
        self.live(|live| live.checkpoint.clone())
    }

    /// Reads one entry.
    ///
    /// # Errors
    /// [`BooksError::NoEntry`] when it is not durable (yet), [`BooksError::Damaged`] when it rotted on the disk.
    pub fn read(&self, entry: EntryNumber) -> Result<Record, BooksError> {
        if let Some(record) = self.0.newest.record(entry) {
            return Ok(Record::clone(&record));
        }
        let place = self.live(|live| {
            let place = usize::try_from(entry.0).ok().and_then(|at| live.places.get(at).copied());
            place.ok_or(BooksError::NoEntry { entry, size: live.places.len() as u64 })
        })?;
        self.read_at(place)
    }

    /// An entry, if it is one of the newest, which need not be read from the disk.
    pub fn recent(&self, entry: EntryNumber) -> Option<Arc<Record>> {
        self.0.newest.record(entry)
    }

    /// Reads up to `count` entries from `first` on, oldest first; fewer where the journal ends.
    pub fn range(&self, first: EntryNumber, count: usize) -> Result<Vec<Record>, BooksError> {
        let places: Vec<Place> = self.live(|live| {
            let first = usize::try_from(first.0).unwrap_or(usize::MAX);
            live.places.iter().skip(first).take(count).copied().collect()
        });
        let read = |(number, place)| match self.0.newest.record(EntryNumber(number)) {
            Some(record) => Ok(Record::clone(&record)),
            None => self.read_at(place),
        };
        (first.0..).zip(places).map(read).collect()
    }

    /// Walks backwards from the newest entry and keeps those that `wanted` says yes to.
    pub fn search(&self, search: &Search, wanted: impl Fn(&Record) -> bool) -> Result<Found, BooksError> {
        let mut at = search.before.map_or(u64::MAX, |before| before.0).min(self.size());
        let kinds = search.kinds.iter().fold(0, |bits, kind| bits | bit(*kind));
        let kinds = if kinds == 0 { u32::MAX } else { kinds };
        let since = search.since.unwrap_or_default();
        let mut records = Vec::new();
        let mut examined = 0;
        while at > 0 {
            if records.len() >= search.found_max || examined >= search.examined_max {
                return Ok(Found { records, next: Some(EntryNumber(at)) });
            }
            let (place, summary) = self.live(|live| {
                let segment = live.segments.partition_point(|summary| summary.first < at) - 1;
                (live.places[at as usize - 1], live.segments[segment])
            });
            if summary.latest < since {
                break;
            }
            if summary.kinds & kinds == 0 {
                at = summary.first;
                continue;
            }
            at -= 1;
            examined += 1;
            let record = self.read_at(place)?;
            let entry = &record.entry;
            if entry.at < since {
                break;
            }
            let in_time = search.until.is_none_or(|until| entry.at <= until);
            if in_time && bit(entry.kind()) & kinds != 0 && wanted(&record) {
                records.push(record);
            }
        }
        Ok(Found { records, next: None })
    }

    /// Evidence for an entry, with one of its parts opened, under the newest checkpoint.
    ///
    /// # Errors
    /// As [`Reader::read`], and when the opened part is longer than a receipt can carry (only a center's part can be).
    pub fn receipt(&self, entry: EntryNumber, side: Side) -> Result<Receipt, BooksError> {
        self.fresh_receipt(&self.read(entry)?, side)
    }

    /// As [`Reader::receipt`], for an entry that is at hand. Where it is one of the newest entries the checkpoint is the
    /// one that was signed when it became durable.
    pub fn receipt_of(&self, record: &Record, side: Side) -> Result<Receipt, BooksError> {
        match self.0.newest.receipt(record, side) {
            Some(receipt) => Ok(receipt),
            None => self.fresh_receipt(record, side),
        }
    }

    fn fresh_receipt(&self, record: &Record, side: Side) -> Result<Receipt, BooksError> {
        let leaf = parts::leaf(record);
        let (salt, part) = parts::open(record, side);
        let index = leaf.entry.0;
        let (proof, bound, checkpoint) = self.live(|live| {
            let proof = live.tree.inclusion(index, live.tree.size());
            (proof, live.tree.leaf(index), live.checkpoint.clone())
        });
        let size = checkpoint.claimed().size;
        let proof = proof.map_err(|_| BooksError::NoEntry { entry: leaf.entry, size })?;
        if bound != Some(leaf.hash()) {
            return Err(BooksError::Forked(format!("{} is not the entry that the tree holds", leaf.entry)));
        }
        let part = Bytes::new(part).map_err(|error| BooksError::TooLarge {
            what: format!("the opened part of {}", leaf.entry),
            found: error.found,
            allowed: error.allowed,
        })?;
        let proof =
            List::new(proof).expect("a tree of less than 2^64 leaves has proofs of at most 64 digests");
        Ok(Receipt { leaf, side, salt, part, proof, checkpoint })
    }

    /// The root that the tree had with so many entries; `None` if it never had so many.
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        self.live(|live| live.tree.root_at(size))
    }

    /// The proof that the tree of `old` entries begins the one of `new` (RFC 6962); `None` where there were none such.
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Digest>> {
        self.live(|live| live.tree.consistency(old, new).ok())
    }

    /// Whether the tree held this checkpoint. Asks only for name, size and root, not for a signature.
    pub fn contains(&self, checkpoint: &Checkpoint) -> bool {
        checkpoint.origin == self.0.key.origin_at(checkpoint.size)
            && self.root_at(checkpoint.size) == Some(checkpoint.root)
    }

    /// Judges a checkpoint that a terminal presents at login. `key` is the sheet's checkpoint key for its size.
    pub fn presented(&self, note: &SignedCheckpoint, key: &VerificationKey) -> Presented {
        let signed: Result<Checkpoint, CheckpointError> = note.verify(key);
        match signed {
            Ok(checkpoint) if self.contains(&checkpoint) => Presented::Contained,
            Ok(Checkpoint { origin, size, .. }) => match self.0.key.broken_off(&origin) {
                Some(from) if size > from => Presented::Lost,
                Some(_) => Presented::Contradicts,
                None if origin == self.0.key.origin_at(u64::MAX) => Presented::Contradicts,
                None => Presented::NotOurs,
            },
            Err(_) => Presented::NotOurs,
        }
    }

    /// The newest checkpoint, and where the last batch ends.
    pub(super) fn newest_end(&self) -> (SignedCheckpoint, Option<Boundary>) {
        self.live(|live| (live.checkpoint.clone(), live.ends.back().copied()))
    }

    pub(super) fn journal(&self) -> &Path {
        &self.0.journal
    }

    pub(super) fn disk(&self) -> &dyn Disk {
        &*self.0.disk
    }

    /// Where the last batch ends after which so many entries are durable, if that was a short while ago.
    pub(super) fn boundary(&self, size: u64) -> Option<Boundary> {
        self.live(|live| live.ends.iter().rev().find(|end| end.size == size).copied())
    }

    /// The hashes of leaves.
    pub(super) fn leaves(&self, entries: Range<u64>) -> Vec<Digest> {
        self.live(|live| entries.filter_map(|entry| live.tree.leaf(entry)).collect())
    }

    /// Segment and offset of entries.
    pub(super) fn places(&self, entries: Range<u64>) -> Vec<(u32, u32)> {
        let at = |entry: u64| usize::try_from(entry).unwrap_or(usize::MAX);
        self.live(|live| {
            let places = live.places.get(at(entries.start)..at(entries.end)).unwrap_or_default();
            places.iter().map(|place| (place.segment, place.offset)).collect()
        })
    }

    /// Number, kinds, first entry and latest time of the segments that hold the first so many entries; of the last of them
    /// it may tell more than was there then.
    pub(super) fn summaries(&self, size: u64) -> Vec<(u32, u32, u64, Timestamp)> {
        self.live(|live| {
            let held = live.segments.iter().filter(|summary| summary.first < size);
            held.map(|it| (it.segment, it.kinds, it.first, it.latest)).collect()
        })
    }

    /// Makes entries visible: called by the writer once they are durable and their checkpoint is signed.
    pub(super) fn publish(
        &self,
        batch: Ended,
        entries: Vec<(u32, Indexed)>,
        sign: impl FnOnce(&Tree) -> SignedCheckpoint,
    ) -> SignedCheckpoint {
        let mut live = self.0.live.write().unwrap_or_else(PoisonError::into_inner);
        let live = &mut *live;
        let mut opened = Vec::with_capacity(entries.len());
        for (offset, mut entry) in entries {
            opened.extend(entry.opened.take());
            note(&mut live.places, &mut live.segments, &mut live.tree, batch.segment, offset, &entry);
        }
        if live.ends.len() >= ENDS {
            live.ends.pop_front();
        }
        let Ended { segment, offset, hash } = batch;
        live.ends.push_back(Boundary { size: live.places.len() as u64, segment, offset, batch: hash });
        live.checkpoint = sign(&live.tree);
        // Whoever is told of an entry finds its evidence at hand.
        self.0.newest.add(Ready::all(opened, &live.tree, &live.checkpoint));
        live.checkpoint.clone()
    }

    fn live<T>(&self, look: impl FnOnce(&Live) -> T) -> T {
        look(&self.0.live.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn read_at(&self, place: Place) -> Result<Record, BooksError> {
        let path = segment::path(&self.0.journal, place.segment);
        let doing = || BooksError::io(format!("reading the journal's segment {}", path.display()));
        let damaged = || BooksError::Damaged {
            file: path.clone(),
            offset: u64::from(place.offset),
            why: "an entry's checksum does not hold".into(),
        };
        let file = self.file(place.segment).map_err(doing())?;
        let mut bytes = vec![0; READ];
        let mut got = file.read_at(&mut bytes, place.offset.into()).map_err(doing())?;
        let head = bytes[..got].first_chunk().ok_or_else(damaged)?;
        let length = batch::record_length(head).ok_or_else(damaged)?;
        if length > got {
            bytes.resize(length, 0);
            got += file.read_at(&mut bytes[got..], u64::from(place.offset) + got as u64).map_err(doing())?;
        }
        let (kept, _) = batch::split_record(&bytes[..got]).ok_or_else(damaged)?;
        Record::of_kept(kept)
    }

    fn file(&self, segment: u32) -> std::io::Result<Arc<dyn DiskFile>> {
        let mut files = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = files.get(&segment) {
            return Ok(file.clone());
        }
        if files.len() >= FILES {
            files.clear();
        }
        let file = self.0.disk.open(&segment::path(&self.0.journal, segment), How::Read)?;
        files.insert(segment, file.clone());
        Ok(file)
    }
}

impl Index {
    /// Of a tree whose entries' places are still to come.
    pub(super) fn of(tree: Tree) -> Self {
        Self { tree, ..Self::default() }
    }

    /// How many entries have a place.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Adds the place of an entry that a snapshot holds.
    pub(super) fn place(&mut self, segment: u32, offset: u32) {
        self.places.push(Place { segment, offset });
    }

    /// Adds what a snapshot says of a segment.
    pub(super) fn summary(&mut self, segment: u32, kinds: u32, first: u64, latest: Timestamp) {
        self.segments.push(Summary { segment, first, latest, kinds });
    }

    /// Adds an entry whose length field stands at `offset` in a segment.
    pub(super) fn push(&mut self, segment: u32, offset: u32, entry: &Indexed) {
        note(&mut self.places, &mut self.segments, &mut self.tree, segment, offset, entry);
    }
}

impl Indexed {
    pub(super) fn of(record: &Record) -> Self {
        Self {
            at: record.entry.at,
            kind: record.entry.kind(),
            leaf: parts::leaf(record).hash(),
            opened: None,
        }
    }

    /// Of an entry whose receipts are about to be asked for.
    pub(super) fn opened(record: &Record) -> Self {
        let opened = Opened::of(record);
        let (at, kind, leaf) = (record.entry.at, record.entry.kind(), opened.leaf.hash());
        Self { at, kind, leaf, opened: Some((Arc::new(record.clone()), opened)) }
    }
}

fn note(
    places: &mut Vec<Place>,
    segments: &mut Vec<Summary>,
    tree: &mut Tree,
    segment: u32,
    offset: u32,
    entry: &Indexed,
) {
    match segments.last_mut() {
        Some(last) if last.segment == segment => {
            last.latest = entry.at;
            last.kinds |= bit(entry.kind);
        }
        _ => {
            let first = places.len() as u64;
            segments.push(Summary { segment, first, latest: entry.at, kinds: bit(entry.kind) });
        }
    }
    places.push(Place { segment, offset });
    tree.push(entry.leaf);
}

fn bit(kind: EntryKind) -> u32 {
    1 << (kind as u32)
}
