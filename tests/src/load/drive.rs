//! One run of payments, and what came of it.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use color_eyre::eyre::{Result, ensure, eyre};
use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{sleep_until, timeout_at},
};
use wire::{
    codec,
    id::{Role, TelegramId},
    limits,
    link::FromServer,
    message::{Answer, ProblemKind, Push},
    terminal::verdict_fits,
};

use super::{
    cast::{self, Cast},
    ending,
    line::{Answered, Line, Said, Target, tell},
    machine::{Usage, Watch},
    payments::{FIRST_ID, Pile, piles},
    stores::Stores,
    tally::Latencies,
};

/// How long a run may last beyond what it is meant to.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long after its end a fixed rate still sends what is late.
const GRACE: Duration = Duration::from_secs(1);
/// How long stores wait for notices that don't come.
const NOTICES: Duration = Duration::from_secs(10);
/// Connections that are opened at the same time.
const OPENING: usize = 16;

/// How payments are sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Each connection keeps so many unanswered; one answered is followed by the next.
    Closed(usize),
    /// So many a second on all connections together, whether or not answers come. A latency counts from when the payment
    /// was meant to be sent: what waits behind a slow answer is not left out. A connection never has more than
    /// [`limits::PIPELINE`] unanswered; what could not be sent by a second after the end is told as never sent.
    Fixed(f64),
}

/// What is to be run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Connections; each speaks for a member of its own.
    pub connections: usize,
    /// How they send.
    pub pace: Pace,
    /// Payments, of all connections together; at least one of each.
    pub payments: usize,
    /// Of so many answers one is decoded and verified afterwards.
    pub sample: u32,
    /// The member of the first connection, counted from 0; the next run takes others.
    pub first_member: usize,
}

/// What came of a run.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Payments answered as settled.
    pub settled: u64,
    /// Answered as refused, void or expired.
    pub refused: u64,
    /// Not heard because the center was busy.
    pub busy: u64,
    /// Not heard for another reason.
    pub problems: u64,
    /// Sent and never answered.
    pub unanswered: u64,
    /// Never sent, because the connection had too many unanswered for too long.
    pub unsent: u64,
    /// From the first payment sent to the last answer and the last notice, in seconds.
    pub seconds: f64,
    /// Of those that were settled, from when each was meant to be sent.
    pub latencies: Latencies,
    /// Of those that were settled, from when each was sent.
    pub since_sent: Latencies,
    /// Receipts that were verified in full.
    pub receipts: usize,
    /// Notices that the stores received.
    pub notices: u64,
    /// Notices that were verified in full.
    pub notices_verified: usize,
    /// Who used the processors.
    pub usage: Usage,
    /// The length of one telegram, in bytes.
    pub telegram_bytes: usize,
    /// The names of those that were settled.
    pub ids: Vec<TelegramId>,
}

/// A run in a few figures, for people and for programs.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Connections.
    pub connections: usize,
    /// Unanswered payments of each connection; none at a fixed rate.
    pub window: Option<usize>,
    /// The rate that was wanted, a second.
    pub rate: Option<f64>,
    /// Settled payments a second.
    pub per_second: f64,
    /// Settled, refused, busy, other problems, unanswered.
    pub answers: BTreeMap<&'static str, u64>,
    /// Latencies in milliseconds: half, 99 of 100, all.
    pub p50_ms: Option<f64>,
    /// 99 of 100.
    pub p99_ms: Option<f64>,
    /// The longest.
    pub worst_ms: Option<f64>,
    /// The center's processor time for each settled payment, in microseconds.
    pub center_us: f64,
    /// The generator's.
    pub generator_us: f64,
    /// What others used, as a share of all processors.
    pub foreign: f64,
    /// Receipts that were verified in full.
    pub receipts_verified: usize,
    /// Notices that the stores received.
    pub notices: u64,
    /// Notices that were verified in full.
    pub notices_verified: usize,
}

impl Outcome {
    /// Settled payments a second.
    pub fn per_second(&self) -> f64 {
        self.settled as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }

    /// The center's processor time for each settled payment, in microseconds.
    pub fn center_us(&self) -> f64 {
        self.usage.center * 1e6 / self.settled.max(1) as f64
    }

    /// In a few figures.
    pub fn summary(&self, plan: &Plan) -> Summary {
        let (window, rate) = match plan.pace {
            Pace::Closed(window) => (Some(window), None),
            Pace::Fixed(rate) => (None, Some(rate)),
        };
        Summary {
            connections: plan.connections,
            window,
            rate,
            per_second: self.per_second(),
            answers: BTreeMap::from([
                ("settled", self.settled),
                ("refused", self.refused),
                ("busy", self.busy),
                ("problems", self.problems),
                ("unanswered", self.unanswered),
            ]),
            p50_ms: self.latencies.quantile_ms(0.5),
            p99_ms: self.latencies.quantile_ms(0.99),
            worst_ms: self.latencies.worst_ms(),
            center_us: self.center_us(),
            generator_us: self.usage.own * 1e6 / self.settled.max(1) as f64,
            foreign: self.usage.foreign,
            receipts_verified: self.receipts,
            notices: self.notices,
            notices_verified: self.notices_verified,
        }
    }

    /// Nothing but settled payments, each with its notice.
    ///
    /// # Errors
    /// What else there was.
    pub fn whole(&self) -> Result<()> {
        let other = self.refused + self.busy + self.problems + self.unanswered;
        ensure!(
            other == 0,
            "{} payments were settled, {} refused, {} came when the center was busy, {} were not heard, {} not answered",
            self.settled,
            self.refused,
            self.busy,
            self.problems,
            self.unanswered
        );
        ensure!(
            self.notices == self.settled,
            "{} payments were settled, {} notices came",
            self.settled,
            self.notices
        );
        Ok(())
    }
}

/// Runs payments: signs them, opens the connections, sends, waits for answers and notices, and verifies the samples.
/// `center` is the center's process.
///
/// # Errors
/// When a connection can't be opened, and when a receipt or notice does not verify.
pub async fn run(
    target: &Arc<Target>,
    cast: &Cast,
    stores: &Stores,
    center: u32,
    plan: &Plan,
) -> Result<Outcome> {
    tokio::select! {
        outcome = paid(target, cast, stores, center, plan) => outcome,
        () = ending::asked() => Err(eyre!("it was asked to end before it was done")),
    }
}

async fn paid(
    target: &Arc<Target>,
    cast: &Cast,
    stores: &Stores,
    center: u32,
    plan: &Plan,
) -> Result<Outcome> {
    let each = plan.payments.div_ceil(plan.connections).max(1);
    let piles = piles(cast, plan.connections, each, plan.first_member);
    let lines = open(target, cast, &piles).await?;
    let lasts = match plan.pace {
        Pace::Closed(_) => Duration::ZERO,
        Pace::Fixed(rate) => Duration::from_secs_f64((each * plan.connections) as f64 / rate),
    };
    let before = stores.notices();
    let watch = Watch::begin(Some(center));
    let start = Instant::now();
    let (closes, until) = (start + lasts + GRACE, start + lasts + PATIENCE);
    let mut tasks = JoinSet::new();
    for (index, (line, pile)) in lines.into_iter().zip(piles).enumerate() {
        let clock = match plan.pace {
            Pace::Closed(window) => Clock::Closed(window.min(limits::PIPELINE)),
            Pace::Fixed(rate) => {
                Clock::Fixed { every: plan.connections as f64 / rate, first: index as f64 / rate, closes }
            }
        };
        tasks.spawn(pay(line, pile, clock, start, until, plan.sample.max(1)));
    }
    let mut sheets = Vec::with_capacity(plan.connections);
    while let Some(sheet) = tasks.join_next().await {
        sheets.push(sheet.map_err(|_| eyre!("a connection of the generator failed"))?);
    }
    let mut outcome = Outcome::default();
    let (mut micros, mut since_sent) = (Vec::new(), Vec::new());
    let mut last = start;
    for sheet in &mut sheets {
        outcome.settled += sheet.ids.len() as u64;
        outcome.refused += sheet.refused;
        outcome.busy += sheet.busy;
        outcome.problems += sheet.problems;
        outcome.unanswered += sheet.unanswered;
        outcome.unsent += sheet.unsent;
        outcome.telegram_bytes = sheet.pile.telegram_bytes;
        outcome.ids.append(&mut sheet.ids);
        micros.append(&mut sheet.micros);
        since_sent.append(&mut sheet.since_sent);
        last = last.max(sheet.last);
    }
    outcome.notices = stores.wait_for(before + outcome.settled, NOTICES).await - before;
    if outcome.notices > 0 {
        last = last.max(stores.last());
    }
    outcome.usage = watch.usage();
    outcome.seconds = last.duration_since(start).as_secs_f64();
    outcome.latencies = Latencies::of(micros);
    outcome.since_sent = Latencies::of(since_sent);
    outcome.receipts = verify(target, &sheets)?;
    outcome.notices_verified = stores.verify_samples()?;
    Ok(outcome)
}

/// When a connection sends.
#[derive(Debug, Clone, Copy)]
enum Clock {
    Closed(usize),
    /// Seconds between payments, and from the start to the first; nothing is sent later than at the close.
    Fixed {
        every: f64,
        first: f64,
        closes: Instant,
    },
}

/// What one connection has seen.
struct Sheet {
    pile: Pile,
    ids: Vec<TelegramId>,
    micros: Vec<u32>,
    since_sent: Vec<u32>,
    refused: u64,
    busy: u64,
    problems: u64,
    unanswered: u64,
    unsent: u64,
    last: Instant,
    samples: Vec<(usize, Bytes)>,
}

async fn open(target: &Arc<Target>, cast: &Cast, piles: &[Pile]) -> Result<Vec<Line>> {
    let mut lines: Vec<Option<Line>> = piles.iter().map(|_| None).collect();
    let mut opening = JoinSet::new();
    for (index, pile) in piles.iter().enumerate() {
        if opening.len() >= OPENING {
            place(&mut lines, opening.join_next().await)?;
        }
        let (target, member) = (target.clone(), pile.member % cast.sizes.members);
        opening.spawn(async move {
            let account = cast::account(Role::Member, member);
            Ok((index, target.login(account, &cast::terminal_key(account), index).await?.0))
        });
    }
    while !opening.is_empty() {
        place(&mut lines, opening.join_next().await)?;
    }
    Ok(lines.into_iter().flatten().collect())
}

type Opened = Result<Result<(usize, Line)>, tokio::task::JoinError>;

fn place(lines: &mut [Option<Line>], opened: Option<Opened>) -> Result<()> {
    if let Some(opened) = opened {
        let (index, line) = opened.map_err(|_| eyre!("opening a connection failed"))??;
        lines[index] = Some(line);
    }
    Ok(())
}

/// Sends a connection's payments and takes the answers.
async fn pay(mut line: Line, pile: Pile, clock: Clock, start: Instant, until: Instant, sample: u32) -> Sheet {
    let count = pile.len();
    let mut sheet = Sheet {
        ids: Vec::with_capacity(count),
        micros: Vec::with_capacity(count),
        since_sent: Vec::with_capacity(count),
        refused: 0,
        busy: 0,
        problems: 0,
        unanswered: 0,
        unsent: 0,
        last: start,
        samples: Vec::new(),
        pile,
    };
    let mut sent_at = vec![start; count];
    let (mut sent, mut answered) = (0, 0);
    let talking = async {
        loop {
            let now = Instant::now();
            let closed = matches!(clock, Clock::Fixed { closes, .. } if now > closes);
            if answered == if closed { sent } else { count } {
                break;
            }
            let due = if closed { sent } else { due(clock, start, now, count, answered) };
            if due > sent {
                sent_at[sent..due].fill(now);
                line.send(sheet.pile.frames(sent..due)).await?;
                sent = due;
            }
            let next = (sent < count && sent - answered < limits::PIPELINE)
                .then(|| intended(clock, start, sent))
                .flatten();
            match next {
                None => line.fill().await?,
                Some(next) => tokio::select! {
                    filled = line.fill() => filled?,
                    () = sleep_until(next.into()) => continue,
                },
            }
            let now = Instant::now();
            while let Some(frame) = line.take() {
                let Some((index, answer)) = answered_payment(&frame, &sent_at) else { continue };
                let meant = intended(clock, start, index).unwrap_or(sent_at[index]);
                if answer == Answered::Done && id_of(index).is_multiple_of(sample) {
                    sheet.samples.push((index, frame));
                }
                sheet.take(index, answer, (meant, sent_at[index], now));
                answered += 1;
            }
        }
        Ok::<(), color_eyre::Report>(())
    };
    // Whatever ends it, what was sent and not answered is told.
    let _ = timeout_at(until.into(), talking).await;
    (sheet.unanswered, sheet.unsent) = ((sent - answered) as u64, (count - sent) as u64);
    sheet
}

/// How many payments are to be sent by now.
fn due(clock: Clock, start: Instant, now: Instant, count: usize, answered: usize) -> usize {
    match clock {
        Clock::Closed(window) => count.min(answered + window),
        Clock::Fixed { every, first, .. } => {
            let passed = now.duration_since(start).as_secs_f64() - first;
            let due = if passed < 0.0 { 0 } else { (passed / every) as usize + 1 };
            due.min(count).min(answered + limits::PIPELINE)
        }
    }
}

/// When a payment is meant to be sent; `None` where it follows an answer.
fn intended(clock: Clock, start: Instant, index: usize) -> Option<Instant> {
    match clock {
        Clock::Closed(_) => None,
        Clock::Fixed { every, first, .. } => {
            Some(start + Duration::from_secs_f64(first + every * index as f64))
        }
    }
}

/// Which payment a frame answers, and how.
fn answered_payment(frame: &[u8], sent_at: &[Instant]) -> Option<(usize, Answered)> {
    let Said::Answer { id, answer } = tell(frame) else { return None };
    let index = id.checked_sub(FIRST_ID)? as usize;
    (index < sent_at.len()).then_some((index, answer))
}

fn id_of(index: usize) -> u32 {
    FIRST_ID + u32::try_from(index).expect("a pile is far below 2^32 payments")
}

impl Sheet {
    /// Takes an answer to a payment that was meant to be sent, was sent, and is answered at these instants.
    fn take(&mut self, index: usize, answer: Answered, (meant, sent, now): (Instant, Instant, Instant)) {
        match answer {
            Answered::Done => {
                let micros =
                    |from| u32::try_from(now.saturating_duration_since(from).as_micros()).unwrap_or(u32::MAX);
                self.ids.push(self.pile.id(index));
                self.micros.push(micros(meant));
                self.since_sent.push(micros(sent));
            }
            Answered::NotDone => self.refused += 1,
            Answered::Problem(ProblemKind::Busy | ProblemKind::RetryAfter { .. }) => self.busy += 1,
            Answered::Problem(_) | Answered::Else => self.problems += 1,
        }
        self.last = now;
    }
}

/// Verifies the answers that were kept: evidence under the root key, of exactly the payment that was sent.
fn verify(target: &Target, sheets: &[Sheet]) -> Result<usize> {
    let (sheet, root) = target.evidence().ok_or_else(|| eyre!("no connection was ever open"))?;
    let samples: Vec<(&Pile, usize, &Bytes)> = sheets
        .iter()
        .flat_map(|one| one.samples.iter().map(|(index, frame)| (&one.pile, *index, frame)))
        .collect();
    let checked = super::spread(samples.len(), |at| {
        let (pile, index, frame) = samples[at];
        let said = codec::decode::<FromServer<Answer, Push>>("frame", frame, limits::FRAME)?;
        let FromServer::Reply { answer: Answer::Verdict(verdict), .. } = said else {
            return Err(eyre!("an answer is no verdict"));
        };
        let receipt = verdict.receipt().ok_or_else(|| eyre!("a settled payment has no receipt"))?;
        receipt.verify(sheet, root).map_err(|words| eyre!("a receipt does not verify: {words}"))?;
        Ok(verdict_fits(&pile.telegram(index), &verdict)?)
    });
    checked.into_iter().collect::<Result<Vec<()>>>().map(|checked| checked.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_rate_is_kept_whatever_the_answers_do() {
        let start = Instant::now();
        let clock = Clock::Fixed { every: 0.010, first: 0.005, closes: start };
        let at = |ms| start + Duration::from_millis(ms);
        assert_eq!(due(clock, start, at(4), 100, 0), 0);
        assert_eq!(due(clock, start, at(6), 100, 0), 1);
        assert_eq!(due(clock, start, at(206), 100, 0), 21);
        assert_eq!(
            due(clock, start, at(5_000), 100, 3),
            3 + limits::PIPELINE,
            "no more than may be unanswered"
        );
        assert_eq!(due(clock, start, at(5_000), 100, 90), 100);
        let meant = intended(clock, start, 20).unwrap().duration_since(start);
        assert!((meant.as_secs_f64() - 0.205).abs() < 1e-9, "{meant:?}");
    }

    #[test]
    fn a_closed_loop_keeps_its_window() {
        let now = Instant::now();
        assert_eq!(due(Clock::Closed(4), now, now, 10, 0), 4);
        assert_eq!(due(Clock::Closed(4), now, now, 10, 8), 10);
        assert_eq!(intended(Clock::Closed(4), now, 0), None);
    }
}
