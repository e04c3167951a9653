//! The threads of a verification.
//!
//! ```text
//! reader: checksums, chain ─▶ replay: keys, rules, books ─▶ workers: evidence, signatures, leaves ─▶ collector: tree
//! ```
//!
//! Reading, replaying and collecting go in order, each on a thread of its own; what costs most, the signatures, is
//! spread over as many workers as there are processors. Every channel is bounded, so a journal of any length takes the
//! memory of a few batches, beside that of the books themselves.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
};

use ledger::State;
use wire::{
    checkpoint::SignedCheckpoint,
    id::{CenterId, Digest, EntryNumber},
    key::VerificationKey,
    merkle::Tree,
    sheet::{KeySheet, SheetRole},
    text::Line,
};

use super::{
    Trust,
    evidence::{self, Needed},
    replay::Replay,
    sheets::{self, Sheets},
    trouble::{Respect, Spot, Troubles},
    watch::Watch,
};
use crate::books::{
    BooksError, Record,
    cabinet::Cabinet,
    chain::{self, Link, Tail},
    disk::Disk,
    parts,
    registers::{Picture, Projection},
    segment,
    shelf::Shelf,
};

/// Records that go from thread to thread at once.
const PIECE: usize = 256;
/// Pieces that may wait between two threads.
const WAITING: usize = 8;

/// Where the journal lies.
#[derive(Clone)]
pub(crate) struct Where {
    pub(in crate::books) disk: Arc<dyn Disk>,
    pub(in crate::books) journal: PathBuf,
    /// The books around it, with the file `signed` and the snapshots, where they are there.
    pub(in crate::books) books: Option<Shelf>,
}

impl Where {
    /// Whole books.
    pub(crate) fn books(shelf: &Shelf) -> Self {
        Self { disk: shelf.disk.clone(), journal: shelf.journal(), books: Some(shelf.clone()) }
    }

    /// A folder of segments alone.
    pub(crate) fn journal(disk: Arc<dyn Disk>, journal: &Path) -> Self {
        Self { disk, journal: journal.to_owned(), books: None }
    }
}

/// What the books are held against.
pub struct Against<'a> {
    /// What is believed before anything was looked at.
    pub trust: Trust<'a>,
    /// What only the center itself has; an auditor does without.
    pub own: Option<Own<'a>>,
}

/// What belongs to the books and is not in the journal.
pub struct Own<'a> {
    /// The open cabinet.
    pub cabinet: &'a Cabinet,
    /// The newest key sheet: snapshots bear the signatures of its checkpoint keys.
    pub sheet: &'a KeySheet,
    /// The registers' rows, if there are registers.
    pub registers: Option<Picture>,
    /// The [`State::digest`] of a running center, and how many entries it had applied.
    pub live: Option<(u64, Digest)>,
}

/// A part of a batch on its way.
pub(super) struct Piece {
    place: u64,
    file: Arc<PathBuf>,
    /// Where in the file the batch begins.
    offset: u64,
    /// Bytes of the journal before it.
    passed: u64,
    /// In a batch's first piece.
    pub(super) head: Option<Head>,
    pub(super) records: Vec<(u32, Record)>,
}

/// What the head of a batch says.
pub(super) struct Head {
    first: u64,
    hash: Digest,
    pub(super) note: Option<SignedCheckpoint>,
}

/// A checkpoint, with the log's name and the key that it must bear.
type Noted = (SignedCheckpoint, Option<(Line, VerificationKey)>);

/// A piece that was replayed.
pub(super) struct Job {
    pub(super) piece: Piece,
    pub(super) needed: Vec<Needed>,
    pub(super) note: Option<Noted>,
    pub(super) center: Option<CenterId>,
}

/// A piece that was looked at.
struct Done {
    piece: Piece,
    leaves: Vec<Digest>,
    wrong: Vec<(usize, evidence::Wrong)>,
    signatures: u64,
    note: Option<(SignedCheckpoint, Result<(), String>)>,
}

/// What a run through the journal gives.
pub(super) struct Run {
    pub(super) troubles: Troubles,
    pub(super) tree: Tree,
    pub(super) state: State,
    pub(super) projection: Projection,
    pub(super) sheets: Option<Sheets>,
    pub(super) people: Vec<(EntryNumber, Digest)>,
    pub(super) met: Vec<(Respect, String, u64)>,
    pub(super) registers: Option<Result<String, String>>,
    /// Where the journal ends; what is wrong with it stands among the troubles.
    pub(super) tail: Option<Tail>,
    pub(super) batches: u64,
    pub(super) notes: u64,
    pub(super) signatures: u64,
    /// How many entries the newest kept checkpoint that holds covers.
    pub(super) covered: u64,
    /// Whether the batch was there that the file `signed` names.
    pub(super) marked: bool,
}

/// Follows the journal to its end, or until nobody waits for it any more.
pub(super) fn run(
    place: &Where,
    against: &Against<'_>,
    marked: Option<Digest>,
    expected: BTreeMap<u64, Vec<(Respect, String, Digest)>>,
    watch: &Watch,
) -> Run {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let mut collector = Collector::new(marked);
    let (replay, followed) = thread::scope(|scope| {
        let (read, pieces) = sync_channel(WAITING);
        let (replayed, jobs) = sync_channel(WAITING.max(workers));
        let (looked, done) = sync_channel(WAITING.max(workers));
        let reader = scope.spawn(move || follow(place, &against.trust, watch, &read));
        let replay = scope.spawn(move || {
            let mut replay = Replay::new(against, expected);
            for piece in pieces {
                if replayed.send(replay.take(piece)).is_err() {
                    break;
                }
            }
            replay.end();
            replay
        });
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..workers {
            let (jobs, looked) = (jobs.clone(), looked.clone());
            scope.spawn(move || work(&jobs, &looked));
        }
        drop(looked);
        for done in done {
            collector.take(done, watch);
        }
        (replay.join(), reader.join())
    });
    let failed = || BooksError::Stopped("an error in the program interrupted the verification".into());
    let followed = followed.unwrap_or_else(|_| Err(failed()));
    let replay = replay.unwrap_or_else(|_| {
        let mut replay = Replay::new(against, BTreeMap::new());
        replay.troubles.beside(Respect::Replay, failed().to_string());
        replay
    });
    let Replay { state, projection, sheets, troubles, people, met, registers, .. } = replay;
    let mut run = collector.run;
    run.troubles.join(troubles);
    (run.state, run.projection, run.sheets) = (state, projection, sheets);
    (run.people, run.met, run.registers) = (people, met, registers);
    match followed {
        Ok(tail) => run.tail = Some(tail),
        Err(error) => {
            let whole = run.tree.size();
            run.troubles.behind(Respect::Chain, whole, format!("{error} (whole so far: {whole} entries)"));
        }
    }
    run
}

/// The reader: proves the chain and hands on its pieces.
fn follow(
    place: &Where,
    trust: &Trust<'_>,
    watch: &Watch,
    pieces: &SyncSender<Piece>,
) -> Result<Tail, BooksError> {
    let (disk, journal) = (&*place.disk, &place.journal);
    let mut before = Vec::new();
    let mut total = 0;
    for number in segment::numbers(disk, journal)? {
        before.push(total);
        let path = segment::path(journal, number);
        let doing = BooksError::io(format!("reading the journal's segment {}", path.display()));
        total +=
            disk.open(&path, crate::books::disk::How::Read).and_then(|file| file.length()).map_err(doing)?;
    }
    watch.begin(total);
    let (origin, sheets) = match trust {
        Trust::Ring(ring) => {
            let origin = sheets::origin(disk, journal, ring.root())?;
            (origin, Some(Mutex::new(Sheets::new(*ring.root()))))
        }
        Trust::Keys { origin, .. } => ((*origin).clone(), None),
    };
    let sheets = sheets.as_ref();
    let ours = |note: &SignedCheckpoint| {
        let size = note.claimed().size;
        let key = match (trust, sheets) {
            (Trust::Keys { key, .. }, _) => key(size),
            (Trust::Ring(ring), Some(sheets)) => {
                let entered = sheets.lock().unwrap_or_else(PoisonError::into_inner).at(size);
                let named = ring.newest().and_then(|sheet| sheet.key_at(SheetRole::Checkpoint, size));
                named.or(entered.map(|(_, key)| key))
            }
            (Trust::Ring(_), None) => None,
        };
        key.is_some_and(|key| note.verify(&key).is_ok())
    };
    let mut next = 0;
    chain::follow(disk, journal, segment::beginning(&origin), &ours, &mut |link| {
        if let Some(sheets) = sheets {
            let mut sheets = sheets.lock().unwrap_or_else(PoisonError::into_inner);
            for (_, record) in &link.batch.records {
                // What is wrong with one, the replay tells.
                let _ = sheets.take(record);
            }
        }
        let passed = before.get(link.segment as usize - 1).copied().unwrap_or_default() + link.offset;
        let file = Arc::new(segment::path(journal, link.segment));
        for piece in cut(link, &file, passed, next) {
            next += 1;
            let gone = watch.is_cancelled() || pieces.send(piece).is_err();
            if gone {
                return Err(BooksError::Stopped("the verification was cancelled".into()));
            }
        }
        Ok(())
    })
}

fn cut(link: Link, file: &Arc<PathBuf>, passed: u64, next: u64) -> Vec<Piece> {
    let Link { offset, hash, batch, .. } = link;
    let mut head = Some(Head { first: batch.first, hash, note: batch.checkpoint });
    let mut records = batch.records.into_iter();
    let mut pieces = Vec::new();
    while head.is_some() || records.len() > 0 {
        pieces.push(Piece {
            place: next + pieces.len() as u64,
            file: file.clone(),
            offset,
            passed,
            head: head.take(),
            records: records.by_ref().take(PIECE).collect(),
        });
    }
    pieces
}

impl Piece {
    pub(super) fn spot(&self, entry: EntryNumber, place: u32) -> Spot {
        Spot { entry, file: self.file.to_path_buf(), offset: self.offset + u64::from(place) }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, looked: &SyncSender<Done>) {
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        if looked.send(look(job)).is_err() {
            return;
        }
    }
}

/// A worker's part.
fn look(job: Job) -> Done {
    let Job { piece, needed, note, center } = job;
    let note = note.map(|(note, key)| {
        let held = bears(&note, key);
        (note, held)
    });
    let (mut leaves, mut wrong, mut signatures) = (Vec::with_capacity(needed.len()), Vec::new(), 0);
    for (at, ((_, record), needed)) in piece.records.iter().zip(&needed).enumerate() {
        leaves.push(parts::leaf(record).hash());
        match evidence::examine(record, needed, center.as_ref()) {
            Ok(count) => signatures += count,
            Err(error) => wrong.push((at, error)),
        }
    }
    Done { piece, leaves, wrong, signatures, note }
}

/// Whether a checkpoint bears the signature that it must.
pub(super) fn bears(note: &SignedCheckpoint, key: Option<(Line, VerificationKey)>) -> Result<(), String> {
    let size = note.claimed().size;
    let (origin, key) =
        key.ok_or_else(|| format!("no key sheet names a checkpoint key for {size} entries"))?;
    let signed = note.verify(&key).map_err(|error| format!("over {size} entries: {error}"))?;
    if signed.origin == origin {
        Ok(())
    } else {
        Err(format!("over {size} entries: it is of another journal"))
    }
}

/// Puts the pieces in order again and grows the tree.
struct Collector {
    run: Run,
    /// The batch of the mark, until it is seen.
    awaited: Option<Digest>,
    next: u64,
    early: BTreeMap<u64, Done>,
}

impl Collector {
    fn new(awaited: Option<Digest>) -> Self {
        let run = Run {
            troubles: Troubles::default(),
            tree: Tree::new(),
            state: State::new(),
            projection: Projection::new(),
            sheets: None,
            people: Vec::new(),
            met: Vec::new(),
            registers: None,
            tail: None,
            batches: 0,
            notes: 0,
            signatures: 0,
            covered: 0,
            marked: false,
        };
        Self { run, awaited, next: 0, early: BTreeMap::new() }
    }

    fn take(&mut self, done: Done, watch: &Watch) {
        self.early.insert(done.piece.place, done);
        while let Some(done) = self.early.remove(&self.next) {
            self.next += 1;
            watch.passed(done.leaves.len() as u64, done.piece.passed);
            self.enter(done);
        }
    }

    fn enter(&mut self, done: Done) {
        let Done { piece, leaves, wrong, signatures, note } = done;
        let run = &mut self.run;
        if let Some(head) = &piece.head {
            run.batches += 1;
            run.marked |= self.awaited == Some(head.hash);
            let spot = piece.spot(EntryNumber(head.first), 0);
            match kept(&run.tree, head.first, note) {
                Ok(size) => {
                    run.notes += u64::from(size > 0);
                    run.covered = run.covered.max(size);
                }
                Err(words) => run.troubles.batch(Respect::Checkpoints, spot, words),
            }
        }
        run.signatures += signatures;
        for (at, (respect, words)) in wrong {
            let (place, record) = &piece.records[at];
            run.troubles.entry(respect, piece.spot(record.entry.number, *place), words);
        }
        for leaf in leaves {
            run.tree.push(leaf);
        }
    }
}

/// Whether a batch's head keeps the checkpoint that the tree before the batch has; how many entries that covers.
fn kept(
    tree: &Tree,
    first: u64,
    note: Option<(SignedCheckpoint, Result<(), String>)>,
) -> Result<u64, String> {
    let Some((note, signed)) = note else {
        let words = || format!("no checkpoint is kept before {}", EntryNumber(first));
        return if first == 0 { Ok(0) } else { Err(words()) };
    };
    signed?;
    let claimed = note.claimed();
    if claimed.size == first && claimed.root == tree.root() {
        return Ok(first);
    }
    Err(format!("the checkpoint kept before {} is not that of the entries", EntryNumber(first)))
}
