//! The thread that keeps the registers up with the journal.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use ledger::Calendar;
use wire::id::EntryNumber;

use super::{
    guarded,
    project::Step,
    row::{self, Key, RowError, Watermark},
};
use crate::books::{BooksError, Reader};

/// How many entries become one batch.
const STEP: usize = 1_000;
/// How long the thread gathers before it writes and syncs, so that the journal has the disk to itself in between.
const PACE: Duration = Duration::from_millis(100);
/// The form of the rows that this program writes.
const FORM: u16 = 1;

/// How far the registers are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Progress {
    /// How many entries are taken in and on the disk.
    pub entries: u64,
    /// Why the registers were made anew at opening, if they were.
    pub anew: Option<String>,
    /// What stopped the thread; the registers then answer nothing.
    pub trouble: Option<String>,
}

/// What the thread shows to all.
#[derive(Default)]
pub(super) struct Shown {
    progress: Mutex<Progress>,
    moved: Condvar,
    /// Held while rows change.
    writing: Mutex<()>,
}

impl Shown {
    pub(super) fn progress(&self) -> Progress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn wait(&self, entries: u64, patience: Duration) -> bool {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = |it: &mut Progress| it.entries < entries && it.trouble.is_none();
        let (progress, _) = self
            .moved
            .wait_timeout_while(progress, patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        progress.entries >= entries
    }

    /// No row changes while this is held.
    pub(super) fn still(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.progress.lock().unwrap_or_else(PoisonError::into_inner));
        self.moved.notify_all();
    }
}

/// The follower, before and on its thread.
pub(super) struct Follower {
    db: sled::Db,
    /// sled's own file, to be synced by us.
    log: File,
    counted: PathBuf,
    reader: Reader,
    shown: Arc<Shown>,
    size: u64,
    calendar: Option<Calendar>,
}

impl Follower {
    /// Looks where the rows stand, and empties the tree where they are not those of this journal.
    pub(super) fn new(
        dir: &Path,
        db: sled::Db,
        reader: Reader,
        shown: Arc<Shown>,
    ) -> Result<Self, BooksError> {
        let path = dir.join("db");
        let log = File::open(&path).map_err(BooksError::io(format!("opening {}", path.display())))?;
        let counted = dir.join("counted");
        let mut follower = Self { db, log, counted, reader, shown, size: 0, calendar: None };
        let watermark = guarded("reading", || match follower.db.get(Key::watermark())? {
            // A watermark of another form need not decode.
            Some(row) => Ok(Some(row::decode::<Watermark>(&row).ok())),
            None => Ok(None),
        })?;
        match follower.judge(watermark) {
            Ok(size) => follower.size = size,
            Err(why) => {
                guarded("emptying", || Ok(follower.db.clear()?))?;
                follower.count(0)?;
                follower.shown.say(|progress| progress.anew = Some(why.to_owned()));
            }
        }
        follower.calendar = guarded("reading", || {
            let settings = row::read(&follower.db, &Key::settings())?;
            Ok(settings.and_then(|settings| Calendar::new(&settings).ok()))
        })?;
        let size = follower.size;
        follower.shown.say(|progress| progress.entries = size);
        Ok(follower)
    }

    /// Follows until the bell is taken away.
    pub(super) fn run(mut self, bell: &Receiver<()>) {
        loop {
            if let Err(error) = self.catch_up() {
                self.shown.say(|progress| progress.trouble = Some(words(error)));
                return;
            }
            if bell.recv().is_err() || gather(bell).is_err() {
                // The last step is only for the next start: it would find the rest in the journal.
                let _ = self.catch_up();
                return;
            }
        }
    }

    /// How far the rows are good, or why they are not.
    fn judge(&self, watermark: Option<Option<Watermark>>) -> Result<u64, &'static str> {
        let counted = fs::read(&self.counted)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u64::from_le_bytes);
        match watermark {
            None if counted == 0 && self.db.is_empty() => Ok(0),
            None => Err("they had lost what they had taken in"),
            Some(Some(mark)) if mark.form == FORM => match self.reader.root_at(mark.size) {
                Some(root) if root != mark.root => Err("they were those of another journal"),
                None => Err("they knew more entries than the journal has"),
                Some(_) if mark.size < counted => Err("they had lost entries that they had taken in"),
                Some(_) => Ok(mark.size),
            },
            Some(_) => Err("they were of another program version's form"),
        }
    }

    fn catch_up(&mut self) -> Result<(), BooksError> {
        loop {
            let records = self.reader.range(EntryNumber(self.size), STEP)?;
            if records.is_empty() {
                return Ok(());
            }
            let size = self.size + records.len() as u64;
            let root = self.reader.root_at(size).expect("the tree holds what was read from the journal");
            guarded("writing", || {
                let mut step = Step::new(&self.db);
                for record in &records {
                    step.take(&record.entry, &mut self.calendar)?;
                }
                let batch = step.finish(&Watermark { form: FORM, size, root })?;
                let still = self.shown.still();
                self.db.apply_batch(batch)?;
                drop(still);
                tui_kit::failpoint::at("registers.sync");
                self.db.flush()?;
                self.log.sync_data().map_err(|error| RowError::Sled(error.into()))
            })?;
            tui_kit::failpoint::at("registers.count");
            self.count(size)?;
            self.size = size;
            self.shown.say(|progress| progress.entries = size);
        }
    }

    /// Says how many entries count. Called after the sync, so it never says too much; where a crash leaves it saying too
    /// little, nothing is lost.
    fn count(&self, size: u64) -> Result<(), BooksError> {
        let path = &self.counted;
        fs::write(path, size.to_le_bytes()).map_err(BooksError::io(format!("writing {}", path.display())))
    }
}

/// Lets the journal grow for a moment; an error when the bell is taken away.
fn gather(bell: &Receiver<()>) -> Result<(), RecvTimeoutError> {
    let end = Instant::now() + PACE;
    loop {
        match bell.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(()) => {}
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            Err(gone) => return Err(gone),
        }
    }
}

/// The words inside a trouble of the registers, which gets its frame when somebody asks.
fn words(error: BooksError) -> String {
    match error {
        BooksError::Registers(words) => words,
        other => other.to_string(),
    }
}
