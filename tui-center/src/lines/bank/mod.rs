//! The line to the bank: files in the formats of ISO 20022, in two folders.
//!
//! | part | does |
//! |---|---|
//! | [`Line`] | works both folders while the center serves |
//! | `inbox` | takes complete files, puts them away |
//! | [`notice`] | reads camt.054 and pain.002 |
//! | [`order`] | writes pain.001 |
//! | `outbox` | puts orders out, again after a restart, byte for byte |
//! | [`payer`], [`account`] | who paid; how accounts are written |

pub mod account;
mod inbox;
pub mod notice;
pub mod order;
mod outbox;
pub mod payer;

use std::{collections::BTreeSet, time::Duration};

use ledger::{
    Decision, Outcome, Request,
    request::{Credit, TransferResult},
    state::PayoutState,
};
use tokio::sync::broadcast::error::RecvError;
use wire::id::{Digest, EntryNumber};

use self::{
    inbox::{Arrived, Inbox},
    notice::{Direction, Movement, Notice, Status, StatusOutcome},
};
use crate::{
    center::Center,
    errors::{Room, Weight},
    inquiry::desk,
    settlement::{Act, Answer, DeskError, Work},
};

/// How long to wait before the folders are tried again after an error.
const AFTER_ERROR: Duration = Duration::from_secs(5);

/// How the reference of a credit begins that is a transfer of the center's come back.
pub const RETURNED: &str = "returned transfer of payout";
/// How the words begin with which a transfer failed that came back before its execution was told.
const RETURNED_AS: &str = "returned as";

/// The bank's line of a serving center.
pub struct Line {
    center: Center,
    inbox: Inbox,
    /// Transfers whose orders were put out since the start.
    out: BTreeSet<EntryNumber>,
    /// Transfers whose orders cannot be made yet; each is told once.
    told: BTreeSet<EntryNumber>,
}

impl Line {
    /// Opens the folders.
    ///
    /// # Errors
    /// When they can't be made or read.
    pub fn open(center: &Center) -> std::io::Result<Self> {
        let bank = &center.config().bank;
        std::fs::create_dir_all(&bank.outbox)?;
        Ok(Self {
            center: center.clone(),
            inbox: Inbox::open(&bank.inbox)?,
            out: BTreeSet::new(),
            told: BTreeSet::new(),
        })
    }

    /// Works both folders until the center stops.
    pub async fn work(mut self) {
        let stop = self.center.stopping().clone();
        let mut entries = self.center.desk().subscribe();
        let mut looks = tokio::time::interval(Duration::from_millis(self.center.config().bank.poll_ms));
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.put_out().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                entered = entries.recv_batch() => match entered {
                    Ok(records) => {
                        if records.iter().any(|record| concerns_payouts(&record.entry.decision)) {
                            self.put_out().await;
                        }
                    }
                    Err(RecvError::Lagged(_)) => self.put_out().await,
                    Err(RecvError::Closed) => return,
                },
                _ = looks.tick() => {
                    if let Err(error) = self.take_in().await {
                        self.tell(Weight::Alarm, format!("The bank's inbox cannot be read: {error}."));
                        tokio::time::sleep(AFTER_ERROR).await;
                    }
                }
            }
        }
    }

    /// Writes the orders of all transfers that the bank has not answered and that do not lie in the outbox, and forgets
    /// those that are settled.
    async fn put_out(&mut self) {
        let (center, mut out) = (self.center.clone(), std::mem::take(&mut self.out));
        let done = tokio::task::spawn_blocking(move || {
            let failed = outbox::put_out(&center, &mut out);
            (failed, out)
        });
        let (failed, out) = done.await.unwrap_or_default();
        self.out = out;
        for (payout, why) in failed {
            if self.told.insert(payout) {
                self.tell(
                    Weight::Alarm,
                    format!("The order for {payout} cannot be given to the bank: {why}."),
                );
            }
        }
    }

    async fn take_in(&mut self) -> std::io::Result<()> {
        let account = self.center.bank_account().number.to_string();
        for arrived in self.inbox.look(&account)? {
            let entered = match &arrived.content {
                Err(why) => {
                    self.tell(
                        Weight::Warning,
                        format!("The bank's file {} was put aside as bad: {why}.", arrived.name),
                    );
                    self.inbox.put_away(&arrived, false)?;
                    continue;
                }
                Ok((notice, bytes)) => {
                    self.enter(&arrived, notice, notice::digest(&arrived.name, bytes)).await
                }
            };
            match entered {
                Ok(()) => {
                    self.inbox.put_away(&arrived, true)?;
                }
                // Payments are stopped or the desk is busy: the file waits where it is.
                Err(error) => tracing::warn!("the bank's file {} waits: {error}", arrived.name),
            }
        }
        Ok(())
    }

    async fn enter(&self, arrived: &Arrived, notice: &Notice, digest: Digest) -> Result<(), DeskError> {
        match notice {
            Notice::Movements(movements) => {
                for movement in movements {
                    match movement.direction {
                        Direction::Credit => self.credit(arrived, movement, digest).await?,
                        Direction::Debit => self.debit(arrived, movement).await?,
                    }
                }
            }
            Notice::Statuses(statuses) => {
                for status in statuses {
                    self.status(arrived, status).await?;
                }
            }
        }
        Ok(())
    }

    async fn credit(&self, arrived: &Arrived, movement: &Movement, notice: Digest) -> Result<(), DeskError> {
        let mut reference = movement.reference.as_ref().map(ToString::to_string);
        if let Some(payout) = self.payout_of(movement) {
            if let Some(words) = &movement.returned
                && self.undoes(movement, payout)
            {
                let words = format!("{}{words}", returned_as(movement));
                return self.settle(arrived, payout, TransferResult::Failed { words }).await;
            }
            // Anybody who was paid knows the id, so that a card request's reference goes before it.
            let asked = reference.as_deref().and_then(ledger::reference::parse).is_some();
            if movement.returned.is_some() || !asked {
                let why = movement.returned.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                reference = Some(format!("{RETURNED} {payout}{why}"));
            }
        } else if let Some(words) = reference.as_mut().filter(|words| words.starts_with(RETURNED)) {
            // Only the line itself says so; a payer who types it is quoted.
            *words = format!("“{words}”");
        }
        let mut credit = Credit {
            bank_reference: movement.bank_reference.to_string(),
            amount: movement.amount,
            currency: movement.currency,
            reference,
            payer: Digest([0; 32]),
            notice,
        };
        if self.center.desk().state().credit_entered(&credit).is_some() {
            return Ok(());
        }
        let (cabinet, party) = (self.center.cabinet().clone(), movement.party.clone());
        let kept = tokio::task::spawn_blocking(move || payer::keep(&cabinet, &party)).await;
        credit.payer = match kept {
            Ok(Ok(digest)) => digest,
            Ok(Err(error)) => return Err(DeskError::Stopped(error.to_string())),
            Err(_) => return Err(DeskError::Busy { retry_ms: 1000 }),
        };
        let answer = self.center.desk().submit(Work::act(Act::Credit(credit))).await?;
        self.tell_of(&answer);
        Ok(())
    }

    async fn debit(&self, arrived: &Arrived, movement: &Movement) -> Result<(), DeskError> {
        let Some(payout) = self.payout_of(movement) else {
            self.tell(
                Weight::Warning,
                format!(
                    "The bank's file {} tells of a debit {} of {} that belongs to no transfer of this center; it is not in the books.",
                    arrived.name,
                    movement.bank_reference,
                    movement.currency.print(movement.amount)
                ),
            );
            return Ok(());
        };
        let expected = self.center.desk().state().payout(payout).map(|payout| payout.amount);
        if expected != Some(movement.amount) || movement.currency != self.center.settings().currency {
            self.tell(
                Weight::Alarm,
                format!(
                    "The bank debited {} for {payout}, which is not what was ordered; ask the bank.",
                    movement.currency.print(movement.amount)
                ),
            );
            return Ok(());
        }
        let result = TransferResult::Paid { bank_reference: movement.bank_reference.to_string() };
        self.settle(arrived, payout, result).await
    }

    async fn status(&self, arrived: &Arrived, status: &Status) -> Result<(), DeskError> {
        let result = match &status.outcome {
            StatusOutcome::Pending => return Ok(()),
            StatusOutcome::Settled(reference) => {
                TransferResult::Paid { bank_reference: reference.to_string() }
            }
            StatusOutcome::Rejected(words) => TransferResult::Failed { words: words.to_string() },
        };
        match order::entry_of(&self.center.settings().center, &status.end_to_end) {
            Some(payout) => self.settle(arrived, payout, result).await,
            None => {
                self.tell(
                    Weight::Warning,
                    format!(
                        "The bank's file {} answers “{}”, which is no transfer of this center.",
                        arrived.name, status.end_to_end
                    ),
                );
                Ok(())
            }
        }
    }

    /// Enters the bank's word on a transfer; one that is known already gets its stored entry.
    async fn settle(
        &self,
        arrived: &Arrived,
        payout: EntryNumber,
        result: TransferResult,
    ) -> Result<(), DeskError> {
        if self.center.desk().state().payout(payout).is_none() {
            self.tell(
                Weight::Warning,
                format!("The bank's file {} speaks of {payout}, which is no transfer.", arrived.name),
            );
            return Ok(());
        }
        if matches!(result, TransferResult::Paid { .. })
            && let Some(words) = self.failure_of(payout).filter(|words| words.starts_with(RETURNED_AS))
        {
            self.tell(
                Weight::Warning,
                format!(
                    "The bank's file {} tells that {payout} was executed; that it was {words} is in the books already, and both together moved nothing.",
                    arrived.name
                ),
            );
            return Ok(());
        }
        let answer = self.center.desk().submit(Work::act(Act::PayoutResult { payout, result })).await?;
        self.tell_of(&answer);
        Ok(())
    }

    /// Whether a returned movement undoes a transfer that the books still have in transit: then no money came in that
    /// they know to be gone. Told again, it still does.
    fn undoes(&self, movement: &Movement, payout: EntryNumber) -> bool {
        let held = self.center.desk().state().payout(payout).cloned();
        let Some(held) = held else { return false };
        match held.state {
            PayoutState::InTransit => {
                held.amount == movement.amount && movement.currency == self.center.settings().currency
            }
            PayoutState::Failed { .. } => {
                self.failure_of(payout).is_some_and(|words| words.starts_with(&returned_as(movement)))
            }
            PayoutState::Paid { .. } => false,
        }
    }

    /// The words with which a transfer failed.
    fn failure_of(&self, payout: EntryNumber) -> Option<String> {
        let state = self.center.desk().state().payout(payout)?.state;
        let PayoutState::Failed { by } = state else { return None };
        match self.center.desk().reader().read(by).ok()?.entry.request {
            Request::PayoutResult { result: TransferResult::Failed { words }, .. } => Some(words),
            _ => None,
        }
    }

    fn payout_of(&self, movement: &Movement) -> Option<EntryNumber> {
        let id = movement.end_to_end.as_ref()?;
        let entry = order::entry_of(&self.center.settings().center, id)?;
        self.center.desk().state().payout(entry).map(|_| entry)
    }

    /// Operators hear of what the bank desk has to look at.
    fn tell_of(&self, answer: &Answer) {
        let entry = &answer.record.entry;
        let failed = matches!(entry.decision, Decision::Done(Outcome::PayoutSettled { paid: false, .. }));
        let unmatched = matches!(entry.decision, Decision::Done(Outcome::Unmatched(_)));
        let refused = entry.refusal().is_some();
        let late = desk::paid_late(entry);
        if !answer.repeated && (failed || unmatched || refused || late) {
            let words = crate::inquiry::words::words(entry, self.center.local());
            let contradicts = late || (refused && matches!(entry.request, Request::PayoutResult { .. }));
            let weight = if contradicts { Weight::Alarm } else { Weight::Warning };
            let before = if late { " The bank had said before that it was not executed." } else { "" };
            self.tell(weight, format!("{}: {words}.{before}", entry.number));
        }
    }

    fn tell(&self, weight: Weight, words: String) {
        self.center.errors().tell(Room::Bank, weight, words);
    }
}

/// The bank's reference names the movement, so that one told again is known.
fn returned_as(movement: &Movement) -> String {
    format!("{RETURNED_AS} {}: ", movement.bank_reference)
}

/// Whether a transfer was intended or settled by it.
fn concerns_payouts(decision: &Decision) -> bool {
    matches!(decision, Decision::Done(Outcome::PayoutIntended { .. } | Outcome::PayoutSettled { .. }))
}
