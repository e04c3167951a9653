//! Opening books that are there: from the newest snapshot and what the journal holds behind it, or from the whole journal.

use std::{
    fmt,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use ledger::State;
use wire::{checkpoint::SignedCheckpoint, id::EntryNumber, merkle::Tree, text::Line};

use super::{
    Books, BooksError, CheckpointKey, Record, Shelf,
    chain::{self, Link, Tail},
    journal::Writer,
    mark::{Mark, MarkFile},
    reader::{Index, Indexed, Reader},
    segment,
    snapshot::{self, Boundary, Head, Keeper, Mail},
};

/// How many batches may be read ahead of those that are followed.
const AHEAD: usize = 32;

/// What is kept in memory beside the journal.
pub trait Memory {
    /// Forgets everything: the journal is followed from its first entry.
    fn begin(&mut self);

    /// Goes on from what a snapshot holds, whatever was followed before. The state is audited while the journal behind it
    /// is followed; when it does not balance, everything is forgotten again.
    fn resume(&mut self, state: State, mail: Mail);

    /// The next entry.
    fn follow(&mut self, record: &Record);

    /// What breaks the rules of the books, in words. A snapshot after which something does is passed over.
    fn broken(&self) -> Option<String>;
}

/// What an opening did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// How many entries the snapshot covered; `None` where the whole journal was read.
    pub snapshot: Option<u64>,
    /// How many entries were read from the journal.
    pub followed: u64,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (followed, seconds) = (self.followed, self.took.as_secs_f64());
        match self.snapshot {
            Some(size) => write!(f, "a snapshot of {size} entries and {followed} entries behind it")?,
            None => write!(f, "all {followed} entries of the journal")?,
        }
        write!(f, ", in {seconds:.1} seconds")
    }
}

/// Memory of which nothing is in a snapshot.
pub(super) struct Whole<E>(pub(super) E);

impl<E: FnMut(&Record)> Memory for Whole<E> {
    fn begin(&mut self) {}

    fn resume(&mut self, _: State, _: Mail) {}

    fn follow(&mut self, record: &Record) {
        (self.0)(record);
    }

    fn broken(&self) -> Option<String> {
        None
    }
}

/// The journal as far as it was followed.
struct Followed {
    tail: Tail,
    index: Index,
    /// Whether the batch of the mark was seen.
    marked: bool,
    closed: bool,
}

impl Books {
    pub(super) fn reopen(
        shelf: &Shelf,
        key: CheckpointKey,
        memory: &mut dyn Memory,
        resumes: bool,
        held: Option<&str>,
    ) -> Result<Self, BooksError> {
        let began = Instant::now();
        let journal = shelf.journal();
        if shelf.names_in(&journal)?.is_none() {
            return Err(BooksError::Missing(shelf.dir.clone()));
        }
        let lock = shelf.lock()?;
        let (mut marks, mark) = MarkFile::open(&*shelf.disk, &shelf.dir)?;
        segment::clear_unfinished(&*shelf.disk, &journal)?;
        snapshot::clear_unfinished(shelf)?;
        let mut notices = Vec::new();
        let mut heads = Vec::new();
        for (size, head) in snapshot::heads(shelf, &key)? {
            match head {
                Ok(head) => heads.push(head),
                Err(why) => notices.push(passed_over(size, &why)),
            }
        }
        let journal = Source { shelf, key: &key, mark: mark.as_ref() };
        let tried = if resumes { &heads[..] } else { &[] };
        let resumed = tried.iter().find_map(|head| match journal.resume(head, memory) {
            Ok(followed) => Some((head.size, followed)),
            Err(why) => {
                notices.push(passed_over(head.size, &why));
                None
            }
        });
        let (snapshot, Followed { tail, index, marked, closed }) = match resumed {
            Some((size, followed)) => (Some(size), followed),
            None => {
                memory.begin();
                (None, journal.follow(None, Index::default(), memory)?)
            }
        };
        if tail.next == 0 {
            return Err(BooksError::Missing(shelf.dir.clone()));
        }
        fits(&heads, mark.as_ref(), marked, &index.tree, tail.next)?;
        if mark.is_none() {
            let words =
                "the file `signed` was missing or damaged; it was made anew from the journal as it stands";
            notices.push(words.to_owned());
        }
        if tail.torn > 0 {
            notices.push(format!(
                "{} bytes of a batch that was never finished were cut off behind {}; nobody had been answered",
                tail.torn,
                EntryNumber(tail.next - 1)
            ));
        }
        let size = tail.next;
        let end = tail.last.as_ref();
        let end = end.map(|it| Boundary { size, segment: it.segment, offset: it.offset, batch: tail.hash });
        tui_kit::failpoint::at("opening.rewrite");
        let writer = Writer::go_on(shelf, tail)?;
        tui_kit::failpoint::at("opening.sign");
        let note = match (held, mark) {
            (None, _) => {
                let note = key.sign(&index.tree)?;
                let root = index.tree.root();
                marks.write(&Mark { size, root, batch: writer.hash(), note: note.clone() })?;
                marks.sync()?;
                note
            }
            (Some(_), Some(mark)) => mark.note,
            (Some(words), None) => {
                let missing = "the file `signed` is missing, and what is stopped signs no other";
                return Err(BooksError::Stopped(format!("{words}; {missing}")));
            }
        };
        let reader = Reader::new(shelf, key.clone(), index, end, note);
        let newest = heads.first().map_or(0, |head| head.size);
        let keeper = Keeper::new(shelf.clone(), key.clone(), reader.clone(), snapshot.unwrap_or(newest));
        let followed = size - snapshot.unwrap_or(0);
        let opened = Opened { snapshot, followed, took: began.elapsed() };
        let stopped = held.map(str::to_owned);
        Ok(Self { _lock: lock, writer, marks, key, reader, keeper, notices, opened, closed, stopped })
    }
}

/// Where the journal is read from, and what it is held against.
struct Source<'a> {
    shelf: &'a Shelf,
    key: &'a CheckpointKey,
    mark: Option<&'a Mark>,
}

impl Source<'_> {
    /// Loads a snapshot and follows the journal behind it.
    ///
    /// # Errors
    /// In words why it is not to be believed.
    fn resume(&self, head: &Head, memory: &mut dyn Memory) -> Result<Followed, String> {
        let loaded = snapshot::load(self.shelf, head)?;
        let copy = loaded.state.clone();
        memory.resume(loaded.state, loaded.mail);
        thread::scope(|scope| {
            let audited = scope.spawn(move || copy.audit().map_err(|imbalance| imbalance.to_string()));
            let followed = self.follow(Some(&head.boundary()), loaded.index, memory);
            let audited = audited.join().unwrap_or_else(|_| Err("its audit failed".into()));
            audited.map_err(|words| format!("its state does not balance: {words}"))?;
            let followed = followed.map_err(|error| error.to_string())?;
            memory.broken().map_or(Ok(followed), Err)
        })
    }

    /// Follows the journal from its beginning, or from a batch that is known: one thread reads and decodes, this one
    /// follows.
    fn follow(
        &self,
        known: Option<&Boundary>,
        mut index: Index,
        memory: &mut dyn Memory,
    ) -> Result<Followed, BooksError> {
        let Self { shelf, key, mark } = *self;
        let dir = shelf.journal();
        let mut marked = mark.is_none_or(|mark| {
            known.is_some_and(|known| mark.size < known.size || mark.batch == known.batch)
        });
        let mut closed = false;
        thread::scope(|scope| {
            let (sender, links) = mpsc::sync_channel::<(Link, Vec<Indexed>)>(AHEAD);
            let reading = scope.spawn(move || {
                let ours = |note: &SignedCheckpoint| key.made(note);
                let visit = &mut |link: Link| {
                    let indexed = link.batch.records.iter().map(|(_, record)| Indexed::of(record)).collect();
                    // Whoever follows has stopped, and says why.
                    sender.send((link, indexed)).map_err(|_| BooksError::Stopped(String::new()))
                };
                match known {
                    Some(known) => chain::follow_from(&*shelf.disk, &dir, known, &ours, visit),
                    None => {
                        let beginning = segment::beginning(&key.origin);
                        chain::follow(&*shelf.disk, &dir, beginning, &ours, visit)
                    }
                }
            });
            for (link, indexed) in links {
                agree(
                    &index.tree,
                    &key.origin_at(link.batch.first),
                    link.batch.checkpoint.as_ref(),
                    link.batch.first,
                )?;
                marked |= mark.is_some_and(|mark| mark.batch == link.hash);
                closed = link.batch.records.is_empty();
                let offset = u32::try_from(link.offset).expect("a segment is far below 4 GiB");
                for ((place, record), indexed) in link.batch.records.iter().zip(&indexed) {
                    index.push(link.segment, offset + place, indexed);
                    memory.follow(record);
                }
            }
            let read = reading.join();
            let tail =
                read.unwrap_or_else(|_| Err(BooksError::Stopped("reading the journal failed".into())))?;
            Ok(Followed { tail, index, marked, closed })
        })
    }
}

/// Whether the tree holds all that was signed: the checkpoint of the mark, and what snapshots cover.
fn fits(
    heads: &[Head],
    mark: Option<&Mark>,
    marked: bool,
    tree: &Tree,
    entries: u64,
) -> Result<(), BooksError> {
    let mark = mark.filter(|mark| !marked || tree.root_at(mark.size) != Some(mark.root));
    if let Some(Mark { size, .. }) = mark {
        return Err(BooksError::Forked(format!(
            "a checkpoint over {size} entries was signed last, and the journal ends with {entries} whole entries"
        )));
    }
    if let Some(Head { size, .. }) = heads.iter().find(|head| tree.root_at(head.size) != Some(head.root)) {
        return Err(BooksError::Forked(format!(
            "a snapshot over {size} entries was signed, and these are not the first {size} of the journal, which ends \
             with {entries} whole entries"
        )));
    }
    Ok(())
}

/// Whether a batch's head keeps the checkpoint that the tree before the batch has.
fn agree(tree: &Tree, origin: &Line, kept: Option<&SignedCheckpoint>, first: u64) -> Result<(), BooksError> {
    let agrees = match kept.map(SignedCheckpoint::claimed) {
        None => first == 0,
        Some(kept) => kept.size == first && kept.root == tree.root() && kept.origin == *origin,
    };
    if agrees {
        return Ok(());
    }
    Err(BooksError::Forked(format!(
        "the checkpoint kept before {} is not that of the entries",
        EntryNumber(first)
    )))
}

fn passed_over(size: u64, why: &str) -> String {
    format!("the snapshot of {size} entries was passed over: {why}")
}
