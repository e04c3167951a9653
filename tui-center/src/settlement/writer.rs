//! The one thread that decides and appends.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread,
    time::{Duration, Instant},
};

use ledger::{Refusal, Request, State, decide, decide::admissible};
use tokio::sync::oneshot;
use wire::{id::EntryNumber, time::Timestamp};

use super::{
    Clock, DeskError, Held, Standing,
    clock::DeskClock,
    desk::{Reply, Shared},
    queue::Room,
};
use crate::books::{BooksError, Journal, Record, snapshot::Keeper};

/// Requests that one batch takes.
const BATCH: usize = 512;
/// A batch takes no more when its evidence has reached this.
const BATCH_BYTES: usize = 8 << 20;
/// Card requests that lapse in one batch.
const LAPSES: usize = 128;
/// A batch of so many says that the desk is busy.
const BUSY: usize = 32;
/// The longest that a busy desk waits for a batch to grow.
const GATHER: Duration = Duration::from_millis(8);
/// How often it looks whether more has come; when nothing has, nobody else is to be waited for.
const LOOK: Duration = Duration::from_micros(400);

/// Where somebody waits for the desk's word.
type Waits = oneshot::Sender<Result<Reply, DeskError>>;

/// Where the seed of each entry comes from.
pub(super) type Seeds = Box<dyn FnMut() -> [u8; 16] + Send>;

/// What comes through the queue.
pub(super) enum Job {
    /// To be decided.
    Work {
        request: Box<Request>,
        evidence: Vec<u8>,
        answer: Waits,
        /// Its room in the queue, and in the share of whoever asked; given back when the job is done.
        room: [Option<Room>; 2],
    },
    /// Takes the desk for itself: the batch before it ends, and it is a batch of its own.
    Hold { held: Box<dyn Held>, answer: Waits },
    /// Look up: a flag was set.
    Wake,
}

/// Decides on the working state, which is ahead of the journal while a batch is on its way.
pub(super) struct Writer {
    journal: Box<dyn Journal>,
    working: State,
    shared: Arc<Shared>,
    jobs: Receiver<Job>,
    clock: DeskClock,
    seeds: Seeds,
    keeper: Option<Keeper>,
    /// What comes after the batch that is being settled, alone.
    next: Option<(Box<dyn Held>, Waits)>,
    /// How many asked for the last batch.
    last: usize,
}

/// Somebody who waits for the batch, and what the answer is once it is durable.
struct Waiter {
    answer: Waits,
    place: Place,
    room: [Option<Room>; 2],
}

enum Place {
    /// In this batch.
    Entered(EntryNumber),
    /// In this batch or before it; asked a second time.
    Known(EntryNumber),
    /// Nowhere.
    Late(Box<Request>),
    Refused(DeskError),
}

impl Writer {
    pub(super) fn new(
        journal: Box<dyn Journal>,
        working: State,
        shared: Arc<Shared>,
        jobs: Receiver<Job>,
        clock: Box<dyn Clock>,
        seeds: Seeds,
    ) -> Self {
        let clock = DeskClock::begin(clock, working.at());
        let keeper = journal.keeper();
        Self { journal, working, shared, jobs, clock, seeds, keeper, next: None, last: 0 }
    }

    /// Works until the desk is closed, or everybody has dropped it.
    pub(super) fn run(mut self, tick: Duration) -> Result<(), BooksError> {
        let _alarm = Alarm(self.shared.clone());
        while self.step(tick) {
            self.gather();
        }
        self.end()
    }

    /// While many ask, lets the next batch grow as long as more keep coming, so that one sync, one checkpoint and one
    /// answer to each connection serve more of them. Whoever asks while few do is not kept waiting.
    fn gather(&self) {
        if self.last < BUSY {
            return;
        }
        let begun = Instant::now();
        let mut before = self.shared.load.waiting();
        while before < BATCH && begun.elapsed() < GATHER && !self.shared.closing.load(Ordering::Acquire) {
            thread::sleep(LOOK);
            let waiting = self.shared.load.waiting();
            if waiting == before {
                return;
            }
            before = waiting;
        }
    }

    /// Settles all that waits, and waits at most a tick for it. Says whether more may come.
    pub(super) fn step(&mut self, tick: Duration) -> bool {
        // Due transfers and lapses first: at opening there may be some that a crash has left.
        let (taken, ended) = self.take(tick);
        self.settle(taken);
        if let Some((held, answer)) = self.next.take() {
            // Whoever does not wait any more finds it in the books.
            let _ = answer.send(self.alone(held));
        }
        !ended
    }

    /// Ends in order: closes the journal behind everything that was settled.
    pub(super) fn end(self) -> Result<(), BooksError> {
        let sound = self.shared.stopped().is_none();
        self.shared.stop("the center is closing".into());
        // Whoever slipped in while the desk closed is answered before the books are.
        while let Ok(job) = self.jobs.try_recv() {
            if let Job::Work { answer, .. } | Job::Hold { answer, .. } = job {
                let _ = answer.send(Err(DeskError::Stopped("the center is closing".into())));
            }
        }
        if let Some(keeper) = self.keeper.filter(|_| sound) {
            let state = self.shared.state.read().unwrap_or_else(PoisonError::into_inner).clone();
            let upto = state.next();
            keeper.end(&state, || self.shared.mailboxes.waiting(upto));
        }
        self.journal.close()
    }

    /// Takes all that waits, up to a batch. Says whether nothing more is to come.
    fn take(&mut self, tick: Duration) -> (Vec<Job>, bool) {
        let closing = self.shared.closing.load(Ordering::Acquire);
        let wait = if closing || self.has_own_work() { Duration::ZERO } else { tick };
        let mut next = match self.jobs.recv_timeout(wait) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Timeout) => return (Vec::new(), closing),
            Err(RecvTimeoutError::Disconnected) => return (Vec::new(), true),
        };
        let mut taken = Vec::new();
        let mut bytes = 0;
        while let Some(job) = next {
            match job {
                Job::Hold { held, answer } => {
                    self.next = Some((held, answer));
                    break;
                }
                Job::Work { ref evidence, .. } => bytes += evidence.len(),
                Job::Wake => {}
            }
            taken.push(job);
            if taken.len() >= BATCH || bytes >= BATCH_BYTES {
                break;
            }
            next = self.jobs.try_recv().ok();
        }
        (taken, false)
    }

    fn has_own_work(&self) -> bool {
        self.shared.stopped().is_none() && self.working.claims_due(self.working.at()).next().is_some()
    }

    /// Decides a batch, makes it durable, publishes it, answers.
    fn settle(&mut self, jobs: Vec<Job>) {
        let (now, begun) = (self.look_at_the_clock(), Instant::now());
        let mut records: Vec<Record> = Vec::with_capacity(jobs.len());
        let mut waiters: Vec<Waiter> = Vec::with_capacity(jobs.len());
        for job in jobs {
            let Job::Work { request, evidence, answer, room } = job else { continue };
            let place = match self.shared.stopped() {
                Some(words) => Place::Refused(DeskError::Stopped(words)),
                None => self.enter(request, evidence, now, &mut records),
            };
            waiters.push(Waiter { answer, place, room });
        }
        let asked = waiters.len();
        self.last = asked;
        self.shared.load.goes(asked);
        if self.shared.stopped().is_none() {
            self.own_work(now, &mut records);
        }
        if let Some(words) = self.shared.stopped() {
            // A rule broke while the batch was decided: none of it was written.
            for waiter in waiters {
                let _ = waiter.answer.send(Err(DeskError::Stopped(words.clone())));
            }
            return;
        }
        if !records.is_empty() {
            tui_kit::failpoint::at("desk.append");
        }
        if !records.is_empty()
            && let Err(error) = self.journal.append(&records)
        {
            let words = error.to_string();
            self.shared.stop(words.clone());
            for waiter in waiters {
                let _ = waiter.answer.send(match waiter.place {
                    Place::Entered(_) | Place::Known(_) => Err(DeskError::Unknown(words.clone())),
                    Place::Late(request) => Ok(Reply::Late(request)),
                    Place::Refused(error) => Err(error),
                });
            }
            return;
        }
        let records: Arc<[Arc<Record>]> = records.into_iter().map(Arc::new).collect();
        if !records.is_empty() {
            tui_kit::failpoint::at("desk.publish");
        }
        self.publish(&records);
        if !records.is_empty() {
            tui_kit::failpoint::at("desk.answer");
        }
        answer(waiters, &records);
        if !records.is_empty() {
            tui_kit::failpoint::at("desk.answered");
        }
        self.shared.load.took(asked, u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
    }

    /// Enters what takes the desk for itself, as a batch of its own.
    fn alone(&mut self, mut held: Box<dyn Held>) -> Result<Reply, DeskError> {
        let now = self.look_at_the_clock();
        if let Some(words) = self.shared.stopped() {
            return Err(DeskError::Stopped(words));
        }
        let work = held.begin(self.working.next()).map_err(DeskError::Malformed)?;
        let mut records = Vec::new();
        let place = self.enter(Box::new(work.request), work.evidence, now, &mut records);
        let Some(record) = records.first() else {
            held.undone();
            return match place {
                Place::Entered(number) | Place::Known(number) => Ok(Reply::Known(number)),
                Place::Late(request) => Ok(Reply::Late(request)),
                Place::Refused(error) => Err(error),
            };
        };
        if let Err(error) = self.journal.append(&records) {
            // What became of it only a restart tells; nothing is taken back.
            self.shared.stop(error.to_string());
            return Err(DeskError::Unknown(error.to_string()));
        }
        match record.entry.refusal() {
            None => held.done(record),
            Some(_) => held.undone(),
        }
        let records: Arc<[Arc<Record>]> = records.into_iter().map(Arc::new).collect();
        self.publish(&records);
        Ok(Reply::Entered(records[0].clone()))
    }

    /// The desk's time, and whether an operator must look at the clock.
    fn look_at_the_clock(&mut self) -> Timestamp {
        if self.shared.clock_accepted.swap(false, Ordering::AcqRel) {
            self.clock.accept();
        }
        let now = self.clock.now();
        let standing = self.clock.words().map_or(Standing::Open, Standing::ClockJumped);
        self.shared.standing.send_if_modified(|current| {
            let changes = current.is_open() && *current != standing;
            if changes {
                if let Standing::ClockJumped(words) = &standing {
                    tracing::warn!("{words}");
                }
                *current = standing;
            }
            changes
        });
        now
    }

    fn enter(
        &mut self,
        request: Box<Request>,
        evidence: Vec<u8>,
        now: Timestamp,
        records: &mut Vec<Record>,
    ) -> Place {
        if let Some(number) = self.working.answered(&request) {
            return Place::Known(number);
        }
        if let Err(words) = admissible(&request, now) {
            return Place::Refused(DeskError::Malformed(words));
        }
        let entry = decide(&self.working, &request, now);
        if !entry.is_for_the_journal() {
            return match entry.refusal() {
                Some(Refusal::Expired) => Place::Late(request),
                Some(Refusal::Duplicate { of }) => Place::Known(*of),
                _ => Place::Refused(DeskError::Limited),
            };
        }
        if let Err(imbalance) = self.working.apply(&entry) {
            let words = format!("the books do not balance: {imbalance}");
            self.shared.stop(words.clone());
            return Place::Refused(DeskError::Stopped(words));
        }
        let number = entry.number;
        records.push(Record { entry, evidence, seed: (self.seeds)() });
        Place::Entered(number)
    }

    /// What the desk asks itself: the transfers for accepted claims and, unless the clock is in doubt, the ends of card
    /// requests whose time is over and of the waiting of recovery keys.
    fn own_work(&mut self, now: Timestamp, records: &mut Vec<Record>) {
        let claims: Vec<EntryNumber> = self.working.claims_due(now).collect();
        let (mut lapsing, mut ripening) = (Vec::new(), Vec::new());
        if self.clock.words().is_none() {
            lapsing.extend(self.working.lapsing(now).take(LAPSES));
            ripening.extend(self.working.ripening(now).take(LAPSES));
        }
        let transfers = claims.into_iter().map(|claim| Request::PayClaim { claim });
        let lapses = lapsing.into_iter().map(|request| Request::Lapse { request });
        let keys = ripening.into_iter().map(|(account, change)| Request::KeyInForce { account, change });
        for request in transfers.chain(lapses).chain(keys) {
            self.enter(Box::new(request), Vec::new(), now, records);
        }
    }

    /// Shows durable entries to everybody.
    fn publish(&mut self, records: &Arc<[Arc<Record>]>) {
        let copy = {
            let mut state = self.shared.state.write().unwrap_or_else(PoisonError::into_inner);
            for record in &**records {
                if let Err(imbalance) = state.apply(&record.entry) {
                    // The working state took the same entry: one of the two is damaged in memory.
                    self.shared.stop(format!("the books in memory differ: {imbalance}"));
                    break;
                }
            }
            let due = self.keeper.as_ref().is_some_and(|keeper| keeper.is_due(state.next().0));
            (due && self.shared.stopped().is_none()).then(|| state.clone())
        };
        if records.is_empty() {
            return;
        }
        self.shared.mailboxes.deliver_all(records.iter().map(|record| &record.entry));
        // Nobody may be listening.
        let _ = self.shared.feed.send(records.clone());
        if let (Some(keeper), Some(copy)) = (self.keeper.clone(), copy) {
            let (upto, mailboxes) = (copy.next(), self.shared.mailboxes.clone());
            // Both states share again what neither has changed, instead of each holding its own.
            let same = self.working.next() == upto;
            let former = same.then(|| std::mem::replace(&mut self.working, copy.clone()));
            keeper.keep(copy, move || mailboxes.waiting(upto), former);
        }
    }
}

/// Answers everybody whose entry is durable now: those of one connection one after the other, so that it wakes up to all
/// of its answers.
fn answer(mut waiters: Vec<Waiter>, records: &[Arc<Record>]) {
    waiters.sort_by_key(|waiter| waiter.room[1].as_ref().map(Room::whose));
    let first = records.first().map_or(0, |record| record.entry.number.0);
    for waiter in waiters {
        let reply = match waiter.place {
            Place::Entered(number) => {
                // A batch's entries have numbers without a gap.
                let record = usize::try_from(number.0 - first).ok().and_then(|at| records.get(at));
                Ok(record.map_or(Reply::Known(number), |record| Reply::Entered(record.clone())))
            }
            Place::Known(number) => Ok(Reply::Known(number)),
            Place::Late(request) => Ok(Reply::Late(request)),
            Place::Refused(error) => Err(error),
        };
        // Whoever does not wait any more asks again.
        let _ = waiter.answer.send(reply);
    }
}

/// Says that the desk is gone, however it went.
struct Alarm(Arc<Shared>);

impl Drop for Alarm {
    fn drop(&mut self) {
        self.0.stop("the desk ended unexpectedly; restart the center".into());
    }
}
