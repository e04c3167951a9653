//! The desk as everybody else has it.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use ledger::{Request, State, state::Imbalance};
use tokio::sync::{
    broadcast::{self, error::RecvError},
    oneshot, watch,
};
use wire::{
    id::{AccountNumber, EntryNumber},
    limits,
    receipt::EntryKind,
};
use zeroize::Zeroizing;

use super::{
    Answer, Clock, DeskError, Held, Mailboxes, Share, Work,
    queue::{Load, QUEUE, Room},
    stepper::Stepper,
    writer::{Job, Seeds, Writer},
};
use crate::books::{BooksError, Journal, Memory, Reader, Record, Search, snapshot::Mail};

/// The longest request: the evidence that a record can keep, and what is decoded from it.
const WORK_BYTES: usize = limits::FRAME;
/// Of what the center's own rooms ask; the words in it are short.
const ACT_BYTES: usize = 16 << 10;
/// Batches that a slow console may be behind before it must read their entries from the books.
const FEED: usize = 64;
/// Seeds that are drawn together.
const SEEDS: usize = 256;
/// How often the desk looks at the clock when nothing is asked of it.
const TICK: Duration = Duration::from_millis(500);
/// Entries that are looked at to answer for a telegram whose time is past.
const LOOK_BACK: usize = 1_000_000;

/// Whether payments are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// They are.
    Open,
    /// They are, by the desk's own time: the clock jumped, and what expires waits for an operator. In words.
    ClockJumped(String),
    /// They are not, and why. Only a restart opens the desk again.
    Stopped(String),
}

impl Standing {
    /// Whether payments are taken.
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Stopped(_))
    }
}

/// The books' memory while the journal is read at opening: hand [`Opening::follow`] every record, oldest first.
pub struct Opening {
    state: State,
    mailboxes: Mailboxes,
    broken: Option<Imbalance>,
    held: Option<String>,
    /// Whether the state went on from one that was audited.
    audited: bool,
}

impl Opening {
    /// Begins with empty books.
    pub fn new(mailboxes: Mailboxes) -> Self {
        Self { state: State::new(), mailboxes, broken: None, held: None, audited: false }
    }

    /// The desk opens stopped, with these words: nothing is entered, also not by itself.
    #[must_use]
    pub fn held(self, words: Option<String>) -> Self {
        Self { held: words, ..self }
    }

    /// Applies a record and puts its mail into the mailboxes. After an entry that breaks the rules nothing more is
    /// applied; [`Desk::open`] tells.
    pub fn follow(&mut self, record: &Record) {
        if self.broken.is_some() {
            return;
        }
        match self.state.apply(&record.entry) {
            Ok(()) => self.mailboxes.deliver(&record.entry),
            Err(imbalance) => self.broken = Some(imbalance),
        }
    }

    /// The books as read so far.
    pub fn state(&self) -> &State {
        &self.state
    }
}

impl Memory for Opening {
    fn begin(&mut self) {
        self.resume(State::new(), Mail::default());
        self.audited = false;
    }

    fn resume(&mut self, state: State, mail: Mail) {
        self.state = state;
        self.mailboxes.restore(mail);
        self.broken = None;
        self.audited = true;
    }

    fn follow(&mut self, record: &Record) {
        Self::follow(self, record);
    }

    fn broken(&self) -> Option<String> {
        self.broken.as_ref().map(Imbalance::to_string)
    }
}

/// The desk. Cheap to clone; all clones are the same.
#[derive(Clone)]
pub struct Desk(Arc<Handle>);

struct Handle {
    queue: SyncSender<Job>,
    room: Share,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<Result<(), BooksError>>>>,
    /// Nobody but the caller does anything: there is no thread, and reading is not handed to another.
    stepped: bool,
}

/// What the desk's thread shares with everybody.
pub(super) struct Shared {
    /// Applied after it is durable.
    pub(super) state: RwLock<State>,
    pub(super) standing: watch::Sender<Standing>,
    pub(super) feed: broadcast::Sender<Arc<[Arc<Record>]>>,
    pub(super) mailboxes: Mailboxes,
    pub(super) reader: Reader,
    pub(super) load: Load,
    pub(super) closing: AtomicBool,
    pub(super) clock_accepted: AtomicBool,
}

impl Shared {
    /// Stops payments for good; the first words stay.
    pub(super) fn stop(&self, words: String) {
        self.standing.send_if_modified(|standing| {
            let open = standing.is_open();
            if open {
                tracing::error!("payments are stopped: {words}");
                *standing = Standing::Stopped(words);
            }
            open
        });
    }

    pub(super) fn stopped(&self) -> Option<String> {
        match &*self.standing.borrow() {
            Standing::Stopped(words) => Some(words.clone()),
            Standing::Open | Standing::ClockJumped(_) => None,
        }
    }
}

/// What becomes of a job at the desk.
pub(super) enum Reply {
    /// Entered now.
    Entered(Arc<Record>),
    /// Entered before, by this entry.
    Known(EntryNumber),
    /// Its time is past; the journal knows whether it was entered.
    Late(Box<Request>),
}

/// Every entry as it becomes durable.
#[derive(Debug)]
pub struct Feed {
    batches: broadcast::Receiver<Arc<[Arc<Record>]>>,
    /// What came and was not handed out yet, and from where on.
    batch: Option<(Arc<[Arc<Record>]>, usize)>,
}

impl Feed {
    /// The next entry. May be dropped and called again at any time.
    ///
    /// # Errors
    /// [`RecvError::Lagged`], by batches: whoever is so far behind reads the journal. [`RecvError::Closed`] when the desk
    /// is gone.
    pub async fn recv(&mut self) -> Result<Arc<Record>, RecvError> {
        loop {
            if let Some((batch, at)) = &mut self.batch {
                if let Some(record) = batch.get(*at) {
                    *at += 1;
                    return Ok(record.clone());
                }
                self.batch = None;
            }
            self.batch = Some((self.batches.recv().await?, 0));
        }
    }

    /// The next entries that became durable together.
    ///
    /// # Errors
    /// As [`Feed::recv`].
    pub async fn recv_batch(&mut self) -> Result<Arc<[Arc<Record>]>, RecvError> {
        self.batch = None;
        self.batches.recv().await
    }
}

impl Desk {
    /// Opens the desk on books that `opening` has followed to their end, and starts its thread. Accepted claims
    /// without a transfer get theirs before anything else is decided.
    ///
    /// # Errors
    /// When the journal breaks the rules of the books, or their audit does; and when no thread can be started.
    pub fn open(
        journal: Box<dyn Journal>,
        opening: Opening,
        clock: Box<dyn Clock>,
    ) -> Result<Self, BooksError> {
        let (mut handle, writer) = prepare(journal, opening, clock, random_seeds())?;
        let thread = thread::Builder::new()
            .name("desk".into())
            .spawn(move || writer.run(TICK))
            .map_err(|source| BooksError::Io { doing: "starting the desk".into(), source })?;
        handle.thread = Mutex::new(Some(thread));
        Ok(Self(Arc::new(handle)))
    }

    /// Opens the desk without a thread: it works only when its [`Stepper`] is told to, on the caller's thread, so that
    /// whoever also holds the clock and the disk decides what happens when. `seeds` stands for the randomness of the
    /// entries' seeds; what is to be kept from anybody takes the operating system's.
    ///
    /// # Errors
    /// As [`Desk::open`].
    pub fn stepped(
        journal: Box<dyn Journal>,
        opening: Opening,
        clock: Box<dyn Clock>,
        seeds: impl FnMut() -> [u8; 16] + Send + 'static,
    ) -> Result<(Self, Stepper), BooksError> {
        let (mut handle, writer) = prepare(journal, opening, clock, Box::new(seeds))?;
        handle.stepped = true;
        Ok((Self(Arc::new(handle)), Stepper::new(writer)))
    }

    /// Has a request decided and entered, and waits until the entry is durable. What was entered before gets its
    /// stored entry; a telegram whose time is past gets what the journal holds of it.
    ///
    /// # Errors
    /// As [`DeskError`] tells. [`DeskError::Busy`] comes at once.
    pub async fn submit(&self, work: Work) -> Result<Answer, DeskError> {
        self.enter(work, None).await
    }

    /// As [`Desk::submit`], for a connection, which holds no more than its share of the queue.
    ///
    /// # Errors
    /// As [`Desk::submit`]; [`DeskError::Busy`] also where the share is used up.
    pub async fn submit_for(&self, share: &Share, work: Work) -> Result<Answer, DeskError> {
        self.enter(work, Some(share)).await
    }

    async fn enter(&self, work: Work, share: Option<&Share>) -> Result<Answer, DeskError> {
        let reply = self.queue(work, share)?.await;
        let reply =
            reply.unwrap_or_else(|_| Err(DeskError::Unknown("the desk ended while it was at work".into())));
        match reply? {
            Reply::Entered(record) => Ok(Answer { record, repeated: false }),
            Reply::Known(number) => {
                let record = self.off_thread(move |reader| reader.read(number)).await?;
                Ok(Answer { record: Arc::new(record), repeated: true })
            }
            Reply::Late(request) => {
                let last = self.last_of(&request);
                let found = self.off_thread(move |reader| look_back_for(reader, &request, last)).await?;
                let record = Arc::new(found.ok_or(DeskError::Expired)?);
                Ok(Answer { record, repeated: true })
            }
        }
    }

    /// Puts work into the queue; the answer comes through what is given back.
    fn queue(
        &self,
        work: Work,
        share: Option<&Share>,
    ) -> Result<oneshot::Receiver<Result<Reply, DeskError>>, DeskError> {
        let Work { request, evidence } = work;
        let room = self.room(&request, &evidence, share)?;
        let shared = &self.0.shared;
        if let Some(words) = shared.stopped() {
            return Err(DeskError::Stopped(words));
        }
        if shared.closing.load(Ordering::Acquire) {
            return Err(DeskError::Stopped("the center is closing".into()));
        }
        let (answer, reply) = oneshot::channel();
        shared.load.comes();
        let job = Job::Work { request: Box::new(request), evidence, answer, room };
        self.0.queue.try_send(job).map_err(|refused| {
            shared.load.goes(1);
            match refused {
                TrySendError::Full(_) => self.busy(),
                TrySendError::Disconnected(_) => DeskError::Stopped("the center is closing".into()),
            }
        })?;
        Ok(reply)
    }

    /// Has something entered that takes the desk for itself.
    ///
    /// # Errors
    /// As [`Desk::submit`].
    pub async fn hold(&self, held: Box<dyn Held>) -> Result<Answer, DeskError> {
        let (answer, reply) = oneshot::channel();
        let shared = &self.0.shared;
        if let Some(words) = shared.stopped() {
            return Err(DeskError::Stopped(words));
        }
        if self.0.queue.try_send(Job::Hold { held, answer }).is_err() {
            return Err(self.busy());
        }
        let ended = |_| Err(DeskError::Unknown("the desk ended while it was at work".into()));
        match reply.await.unwrap_or_else(ended)? {
            Reply::Entered(record) => Ok(Answer { record, repeated: false }),
            Reply::Known(_) | Reply::Late(_) => Err(DeskError::Limited),
        }
    }

    /// The books as they are durable. Hold it shortly and never across an await: the desk waits for it.
    pub fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.shared.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the journal.
    pub fn reader(&self) -> &Reader {
        &self.0.shared.reader
    }

    /// The mailboxes.
    pub fn mailboxes(&self) -> &Mailboxes {
        &self.0.shared.mailboxes
    }

    /// Every entry as it becomes durable. Whoever lags behind is told by how many, and reads them from the journal.
    pub fn subscribe(&self) -> Feed {
        Feed { batches: self.0.shared.feed.subscribe(), batch: None }
    }

    /// Whether payments are taken; changes as it changes.
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.0.shared.standing.subscribe()
    }

    /// How many requests wait.
    pub fn depth(&self) -> usize {
        self.0.shared.load.waiting()
    }

    /// Stops payments for good: something was seen that must never be. The first words stay.
    pub fn stop(&self, words: impl Into<String>) {
        self.0.shared.stop(words.into());
    }

    /// An operator says that the clock, which jumped, is right.
    pub fn accept_clock(&self) {
        self.0.shared.clock_accepted.store(true, Ordering::Release);
        // A full queue wakes the desk as well.
        let _ = self.0.queue.try_send(Job::Wake);
    }

    /// Recomputes the rules of the books and stops payments when one is broken: the console's light. It looks at a copy,
    /// so it holds nobody up, and takes time in proportion to the books; call it on a blocking thread.
    ///
    /// # Errors
    /// What does not hold.
    pub fn audit(&self) -> Result<(), Imbalance> {
        let copy = self.state().clone();
        let audited = copy.audit();
        if let Err(imbalance) = &audited {
            self.stop(format!("the books do not balance: {imbalance}"));
        }
        audited
    }

    /// Ends in order: takes nothing more, decides all that waits, closes the journal.
    ///
    /// # Errors
    /// When the journal could not be closed in order; every answered entry is durable all the same.
    pub async fn close(&self) -> Result<(), BooksError> {
        self.0.shared.closing.store(true, Ordering::Release);
        let _ = self.0.queue.try_send(Job::Wake);
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return Ok(()) };
        let ended = tokio::task::spawn_blocking(move || thread.join()).await;
        let mailboxes = self.mailboxes().clone();
        // What is not kept only repeats mail, and was told.
        let _ = tokio::task::spawn_blocking(move || mailboxes.keep_cursors()).await;
        match ended {
            Ok(Ok(closed)) => closed,
            _ => Err(BooksError::Stopped("the desk ended before its time".into())),
        }
    }

    fn room(
        &self,
        request: &Request,
        evidence: &[u8],
        share: Option<&Share>,
    ) -> Result<[Option<Room>; 2], DeskError> {
        let (size, allowed) = match request.signed() {
            Some(_) => (evidence.len(), WORK_BYTES),
            None => (wire::codec::encode(request).len(), ACT_BYTES),
        };
        if size > allowed {
            return Err(DeskError::Malformed(format!(
                "{size} bytes are asked to be entered, at most {allowed} can be"
            )));
        }
        let own = share.map(|share| share.take(size).ok_or_else(|| self.busy())).transpose()?;
        Ok([Some(self.0.room.take(size).ok_or_else(|| self.busy())?), own])
    }

    fn busy(&self) -> DeskError {
        DeskError::Busy { retry_ms: self.0.shared.load.retry_ms() }
    }

    /// The last entry that concerns the signer of a request.
    fn last_of(&self, request: &Request) -> Option<EntryNumber> {
        let account = request.signed()?.account?;
        self.state().holder(account).map(|holder| holder.last)
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, BooksError> + Send + 'static,
    ) -> Result<T, DeskError> {
        if self.0.stepped {
            return read(self.reader()).map_err(|error| DeskError::Unreadable(error.to_string()));
        }
        let reader = self.0.shared.reader.clone();
        let read = tokio::task::spawn_blocking(move || read(&reader)).await;
        match read {
            Ok(read) => read.map_err(|error| DeskError::Unreadable(error.to_string())),
            Err(_) => Err(DeskError::Unreadable("reading was interrupted".into())),
        }
    }
}

/// A desk on books that `opening` has followed to their end, and its writing half, which nobody runs yet.
fn prepare(
    journal: Box<dyn Journal>,
    opening: Opening,
    clock: Box<dyn Clock>,
    seeds: Seeds,
) -> Result<(Handle, Writer), BooksError> {
    let Opening { state, mailboxes, broken, held, audited } = opening;
    let refused = |imbalance: Imbalance| {
        BooksError::Forked(format!("replaying it breaks the rules of the books: {imbalance}"))
    };
    broken.map_or(Ok(()), Err).map_err(refused)?;
    if !audited {
        state.audit().map_err(refused)?;
    }
    let (queue, jobs) = mpsc::sync_channel(QUEUE);
    let shared = Arc::new(Shared {
        state: RwLock::new(state.clone()),
        standing: watch::Sender::new(held.map_or(Standing::Open, Standing::Stopped)),
        feed: broadcast::Sender::new(FEED),
        mailboxes,
        reader: journal.reader(),
        load: Load::none(),
        closing: AtomicBool::new(false),
        clock_accepted: AtomicBool::new(false),
    });
    let writer = Writer::new(journal, state, shared.clone(), jobs, clock, seeds);
    let handle = Handle { queue, room: Share::whole(), shared, thread: Mutex::new(None), stepped: false };
    Ok((handle, writer))
}

/// Seeds of entries, from the operating system's randomness, which is asked for many at a time.
fn random_seeds() -> Seeds {
    let mut pool = Zeroizing::new([[0; 16]; SEEDS]);
    let mut left = 0;
    Box::new(move || {
        if left == 0 {
            wire::key::random(pool.as_flattened_mut());
            left = SEEDS;
        }
        left -= 1;
        // Nothing of a seed stays behind: it opens every part of its entry.
        std::mem::take(&mut pool[left])
    })
}

/// Looks for the entry of a telegram whose time is past: backwards through its signer's entries, down to the time
/// before which it can't have been entered. A void with a time further ahead than any telegram may have can lie
/// below that; it then reads as never entered, which it was not, and never will be.
fn look_back_for(
    reader: &Reader,
    request: &Request,
    last: Option<EntryNumber>,
) -> Result<Option<Record>, BooksError> {
    let Some(signed) = request.signed() else { return Ok(None) };
    let is_it =
        |record: &Record| record.entry.request.signed().is_some_and(|it| it.telegram == signed.telegram);
    let since = wire::time::Timestamp(signed.valid_until.0.saturating_sub(limits::VALIDITY_MS));
    let Some(account) = signed.account else {
        let search = Search {
            since: Some(since),
            until: Some(signed.valid_until),
            kinds: vec![EntryKind::Registration],
            found_max: 1,
            examined_max: LOOK_BACK,
            ..Search::default()
        };
        return Ok(reader.search(&search, is_it)?.records.pop());
    };
    let mut at = last;
    for _ in 0..LOOK_BACK {
        let Some(number) = at else { break };
        let record = reader.read(number)?;
        if record.entry.at < since {
            break;
        }
        if is_it(&record) {
            return Ok(Some(record));
        }
        at = match account {
            AccountNumber::Member(_) => record.entry.previous.member,
            AccountNumber::Store(_) => record.entry.previous.store,
        };
    }
    Ok(None)
}
