//! The stores: each has a connection of its own, takes its payment notices and acknowledges them.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use color_eyre::eyre::{Result, eyre};
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};
use wire::{
    codec,
    id::{EntryNumber, Role},
    limits,
    link::FromServer,
    message::{Answer, Push, Request},
    terminal::mail_fits,
};

use super::{
    cast::{self, Cast},
    line::{Line, Said, Target, tell},
    payments::FIRST_ID,
};

/// Connections that are opened at the same time.
const OPENING: usize = 16;
/// Notices that are acknowledged together, at the most.
const TOGETHER: u64 = 64;
/// How long a notice waits to be acknowledged, at the most.
const WITHIN: Duration = Duration::from_millis(200);
/// How often a store shows that it is there.
const PING: Duration = Duration::from_secs(15);
/// Of so many notices one is kept to be verified.
const SAMPLE: u64 = 500;
/// The most that are kept.
const SAMPLES: usize = 2_000;

/// All stores' connections. They end when this is dropped.
pub struct Stores {
    seen: Arc<Seen>,
    target: Arc<Target>,
    _tasks: JoinSet<()>,
}

/// What all stores together have seen.
struct Seen {
    since: Instant,
    notices: AtomicU64,
    last_micros: AtomicU64,
    samples: Mutex<Vec<Bytes>>,
    trouble: Mutex<Option<String>>,
}

impl Stores {
    /// Opens every store's connection.
    ///
    /// # Errors
    /// When one can't be opened.
    pub async fn open(target: &Arc<Target>, cast: &Cast) -> Result<Self> {
        let seen = Arc::new(Seen {
            since: Instant::now(),
            notices: AtomicU64::new(0),
            last_micros: AtomicU64::new(0),
            samples: Mutex::default(),
            trouble: Mutex::default(),
        });
        let mut opening = JoinSet::new();
        let mut tasks = JoinSet::new();
        let stand = |opened: Option<Result<Result<Line>, _>>, tasks: &mut JoinSet<()>| -> Result<()> {
            if let Some(line) = opened {
                let line =
                    line.map_err(|_: tokio::task::JoinError| eyre!("opening a store's connection failed"))??;
                tasks.spawn(attend(line, seen.clone()));
            }
            Ok(())
        };
        for index in 0..cast.sizes.stores {
            if opening.len() >= OPENING {
                stand(opening.join_next().await, &mut tasks)?;
            }
            let target = target.clone();
            opening.spawn(async move {
                let account = cast::account(Role::Store, index);
                Ok(target.login(account, &cast::terminal_key(account), index).await?.0)
            });
        }
        while !opening.is_empty() {
            stand(opening.join_next().await, &mut tasks)?;
        }
        Ok(Self { seen, target: target.clone(), _tasks: tasks })
    }

    /// Notices that all stores together have received.
    pub fn notices(&self) -> u64 {
        self.seen.notices.load(Ordering::Acquire)
    }

    /// When the last notice came.
    pub fn last(&self) -> Instant {
        self.seen.since + Duration::from_micros(self.seen.last_micros.load(Ordering::Acquire))
    }

    /// Waits until so many notices have come in all, or nothing has come for `patience`. How many have come.
    pub async fn wait_for(&self, notices: u64, patience: Duration) -> u64 {
        let mut last = (self.notices(), Instant::now());
        loop {
            let now = self.notices();
            if now != last.0 {
                last = (now, Instant::now());
            }
            if now >= notices || last.1.elapsed() > patience {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Verifies the notices that were kept since the last time: evidence under the root key, and that it says the same as
    /// the words. How many there were.
    ///
    /// # Errors
    /// The first that does not hold; and what went wrong at a store's connection.
    pub fn verify_samples(&self) -> Result<usize> {
        let taken =
            |lock: &Mutex<_>| std::mem::take(&mut *lock.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(words) = self.seen.trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(eyre!("a store's connection: {words}"));
        }
        let samples: Vec<Bytes> = taken(&self.seen.samples);
        let (sheet, root) = self.target.evidence().ok_or_else(|| eyre!("no connection was ever open"))?;
        for frame in &samples {
            let said = codec::decode::<FromServer<Answer, Push>>("frame", frame, limits::FRAME)?;
            let FromServer::Push(Push::Mail(item)) = said else { return Err(eyre!("a notice is no mail")) };
            item.receipt.verify(sheet, root).map_err(|words| eyre!("a notice does not verify: {words}"))?;
            mail_fits(&item)?;
            if tell(frame) != Said::Notice(item.receipt.leaf.entry.0) {
                return Err(eyre!("a notice's number was read wrongly"));
            }
        }
        Ok(samples.len())
    }
}

impl Seen {
    fn notice(&self, frame: Bytes) {
        let count = self.notices.fetch_add(1, Ordering::AcqRel);
        let micros = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last_micros.fetch_max(micros, Ordering::AcqRel);
        if count.is_multiple_of(SAMPLE) {
            let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
            if samples.len() < SAMPLES {
                samples.push(frame);
            }
        }
    }
}

/// Receives and acknowledges until the connection ends.
async fn attend(mut line: Line, seen: Arc<Seen>) {
    if let Err(error) = receive(&mut line, &seen).await {
        seen.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.to_string());
    }
}

async fn receive(line: &mut Line, seen: &Seen) -> Result<()> {
    let (mut id, mut owed, mut newest) = (FIRST_ID, 0, 0);
    let mut pings = interval(PING);
    let mut ticks = interval(WITHIN);
    for timer in [&mut pings, &mut ticks] {
        timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    }
    loop {
        tokio::select! {
            filled = line.fill() => filled?,
            // While nothing is owed nobody is woken.
            _ = ticks.tick(), if owed > 0 => {
                acknowledge(line, &mut id, &mut owed, newest).await?;
                continue;
            }
            _ = pings.tick() => {
                line.ping().await?;
                continue;
            }
        }
        while let Some(frame) = line.take() {
            if let Said::Notice(entry) = tell(&frame) {
                newest = newest.max(entry);
                owed += 1;
                seen.notice(frame);
            }
        }
        if owed >= TOGETHER {
            acknowledge(line, &mut id, &mut owed, newest).await?;
        }
    }
}

async fn acknowledge(line: &mut Line, id: &mut u32, owed: &mut u64, newest: u64) -> Result<()> {
    *id = id.wrapping_add(1);
    *owed = 0;
    line.call(*id, Request::Acknowledge { upto: EntryNumber(newest) }).await
}
