//! Writes snapshots beside running payments.
//!
//! The desk hands over a copy of its published state, which shares with it all that neither changes; making it takes the
//! desk a few milliseconds whatever the books hold. Everything else is done on a thread of the keeper's: leaves and places
//! are read from the reader, which only ever adds to them, and mail from the mailboxes, which drop only what its account
//! has acknowledged.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use ledger::State;

use super::{
    super::{CheckpointKey, Reader, Shelf},
    Boundary, Contents, Mail, write,
};

/// The least number of entries after which there is another snapshot.
const EVERY: u64 = 250_000;
/// Or this part of the journal, where that is more: so what is written stays in proportion to what is entered.
const PART: u64 = 16;
/// The least number of entries for which an orderly end writes one.
const AT_END: u64 = 10_000;

/// When snapshots are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// On a thread of their own, when the journal has grown by 250,000 entries and by a sixteenth.
    #[default]
    Beside,
    /// After each so many entries, before the desk goes on: the same every time.
    Each(u64),
    /// Not at all.
    Never,
}

/// Writes snapshots. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Keeper(Arc<Inner>);

struct Inner {
    shelf: Shelf,
    key: CheckpointKey,
    reader: Reader,
    /// How many entries the newest snapshot covers.
    last: AtomicU64,
    /// How many there were when one was begun last.
    begun: AtomicU64,
    busy: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
    trouble: Mutex<Option<String>>,
}

impl Keeper {
    pub(in crate::books) fn new(shelf: Shelf, key: CheckpointKey, reader: Reader, last: u64) -> Self {
        Self(Arc::new(Inner {
            shelf,
            key,
            reader,
            last: AtomicU64::new(last),
            begun: AtomicU64::new(last),
            busy: AtomicBool::new(false),
            thread: Mutex::new(None),
            trouble: Mutex::new(None),
        }))
    }

    /// Whether one is to be made of a state after so many entries. Costs nothing.
    pub fn is_due(&self, size: u64) -> bool {
        let since = size.saturating_sub(self.0.begun.load(Ordering::Acquire));
        match self.0.shelf.pace {
            Pace::Beside => since >= EVERY.max(size / PART) && !self.0.busy.load(Ordering::Acquire),
            Pace::Each(entries) => since >= entries,
            Pace::Never => false,
        }
    }

    /// Makes a snapshot of a copy of the published state. `mail` is asked for what waits up to the state's last entry;
    /// `former` is dropped with the copy, where nobody waits for it.
    pub fn keep(&self, state: State, mail: impl FnOnce() -> Mail + Send + 'static, former: Option<State>) {
        let size = state.next().0;
        let Some(boundary) = self.0.reader.boundary(size) else {
            // No batch ends here; it stays due.
            return;
        };
        self.0.begun.store(size, Ordering::Release);
        let keeper = self.clone();
        let work = move || {
            keeper.make(&state, boundary, mail());
            drop((state, former));
        };
        if self.0.shelf.pace != Pace::Beside {
            return work();
        }
        self.0.busy.store(true, Ordering::Release);
        let idle = Idle(self.clone());
        let started = thread::Builder::new().name("snapshot".into()).spawn(move || {
            work();
            drop(idle);
        });
        match started {
            Ok(thread) => *self.thread() = Some(thread),
            Err(error) => self.tell(format!("no thread could be started for a snapshot: {error}")),
        }
    }

    /// At an orderly end: waits for a snapshot that is being written, and makes a last one where that spares the next start
    /// something.
    pub fn end(&self, state: &State, mail: impl FnOnce() -> Mail) {
        if let Some(thread) = self.thread().take() {
            // What went wrong in it was told.
            let _ = thread.join();
        }
        let since = state.next().0.saturating_sub(self.last());
        let boundary = self.0.reader.boundary(state.next().0).filter(|_| since >= AT_END);
        if let (Pace::Beside, Some(boundary)) = (self.0.shelf.pace, boundary) {
            self.make(state, boundary, mail());
        }
    }

    /// How many entries the newest snapshot covers; 0 where there is none.
    pub fn last(&self) -> u64 {
        self.0.last.load(Ordering::Acquire)
    }

    /// Why the last one could not be written, in words.
    pub fn trouble(&self) -> Option<String> {
        self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn make(&self, state: &State, boundary: Boundary, mail: Mail) {
        let Inner { shelf, key, reader, .. } = &*self.0;
        match write(shelf, key, &Contents { state, reader, boundary, mail }) {
            Ok(head) => {
                self.0.last.store(head.size, Ordering::Release);
                *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            // The journal has everything; only the next start takes longer.
            Err(error) => self.tell(error.to_string()),
        }
    }

    fn tell(&self, words: String) {
        tracing::warn!("a snapshot of the books could not be written: {words}");
        *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(words);
    }

    fn thread(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.0.thread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that the keeper is free again, however its work ended.
struct Idle(Keeper);

impl Drop for Idle {
    fn drop(&mut self) {
        self.0.0.busy.store(false, Ordering::Release);
    }
}
