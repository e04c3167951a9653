//! The outbox: what waits is sent, asked about, taken back, or carried in a file.

use vault::{Item, State};
use wire::{
    amount::Currency,
    codec,
    id::{EntryNumber, TelegramId},
    message::Beside,
    payload::{CashierChange, Claim, KeyCancel, KeyChange, Refund, Registration},
    telegram::{Kind, Telegram},
    terminal::Line,
    time::Timestamp,
};

use super::{Settle, patient, verdict_words};
use crate::{
    act::Failure,
    book::telegram_words,
    center::ANSWER_LIMIT,
    record::{self, Ending},
    view::{Moment, OutboxRow, Resolved, TelegramState},
};

impl Settle {
    /// Asks the center about every telegram that may have left, with its exact bytes. What was prepared waits until
    /// someone sends it.
    ///
    /// # Errors
    /// When there is no line; what became of each telegram is in the answer.
    pub(crate) async fn resolve(&self) -> Result<Vec<Resolved>, Failure> {
        let line = self.center.line().await?;
        self.resolve_over(&line).await
    }

    /// The same over a line that is there.
    pub(crate) async fn resolve_over(&self, line: &Line) -> Result<Vec<Resolved>, Failure> {
        let _turn = self.turn.lock().await;
        let mut resolved = Vec::new();
        for item in self.keep.waiting().await? {
            if item.telegram.kind != Kind::Registration && item.state != State::Prepared {
                resolved.push(self.ask(line, &item).await?);
            }
        }
        Ok(resolved)
    }

    /// Sends what was prepared and never left: one telegram, or all.
    ///
    /// # Errors
    /// When there is no line, or no such telegram waits; what became of each is in the answer.
    pub(crate) async fn send_prepared(&self, id: Option<TelegramId>) -> Result<Vec<Resolved>, Failure> {
        let _turn = self.turn.lock().await;
        let waiting = self.keep.waiting().await?;
        let wanted: Vec<Item> = waiting
            .into_iter()
            .filter(|item| match id {
                Some(id) => item.telegram.id() == id,
                None => item.state == State::Prepared,
            })
            .collect();
        if wanted.is_empty() && id.is_some() {
            return Err(Failure::not_found("no such telegram waits in the outbox"));
        }
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let line = self.center.line().await?;
        let mut resolved = Vec::new();
        for item in wanted {
            resolved.push(self.ask(&line, &item).await?);
        }
        Ok(resolved)
    }

    /// Takes back a telegram that has not left; one that may have is asked about, and entered as void if it was never
    /// seen.
    ///
    /// # Errors
    /// When there is no such telegram that waits.
    pub(crate) async fn withdraw(&self, id: TelegramId) -> Result<Resolved, Failure> {
        let _turn = self.turn.lock().await;
        let waiting = self.keep.waiting().await?;
        let item = waiting.into_iter().find(|item| item.telegram.id() == id);
        let item = item.ok_or_else(|| Failure::not_found("no such telegram waits in the outbox"))?;
        if item.state == State::Prepared {
            self.keep.withdraw(id).await?;
            return Ok(self.told(
                &item.telegram,
                TelegramState::Withdrawn,
                "taken back before it left".into(),
                None,
            ));
        }
        let line = self.center.line().await?;
        self.ask(&line, &item).await
    }

    /// Sends what has never left, asks about what may have.
    async fn ask(&self, line: &Line, item: &Item) -> Result<Resolved, Failure> {
        let never_left = item.state == State::Prepared;
        let (telegram, beside) = self.keep.parcel(item.telegram.id()).await?.into_parts();
        let answer = if never_left {
            let beside: Beside = codec::decode("what travels beside", &beside, vault::MAX_CONTENT)
                .map_err(Failure::machine)?;
            patient(|| line.submit(telegram.clone(), beside.clone(), ANSWER_LIMIT)).await
        } else {
            patient(|| line.inquire(telegram.clone(), ANSWER_LIMIT)).await
        };
        self.end(line, &telegram, answer).await
    }
}

/// The outbox as people see it, newest first.
pub(crate) fn outbox_rows(items: &[Item], currency: Currency) -> Vec<OutboxRow> {
    let rows = items.iter().rev().map(|item| {
        let (state, words, number) = match &item.state {
            State::Prepared => (TelegramState::Prepared, "not sent yet".to_owned(), None),
            State::MayHaveLeft { .. } => {
                (TelegramState::Unknown, "sent; the center has not said what became of it".to_owned(), None)
            }
            State::Withdrawn { .. } => {
                (TelegramState::Withdrawn, "taken back before it left".to_owned(), None)
            }
            State::Closed { outcome, .. } => ended(outcome),
        };
        OutboxRow {
            telegram: item.telegram.id(),
            what: telegram_words(&item.telegram, currency),
            state,
            words,
            number,
            prepared: Moment::from(item.prepared_at),
            valid_until: valid_until(&item.telegram).map(Moment::from),
        }
    });
    rows.collect()
}

fn ended(outcome: &[u8]) -> (TelegramState, String, Option<EntryNumber>) {
    match record::value::<Ending>("outcome", outcome) {
        Ok(Ending::Verdict(verdict)) => {
            let (state, words) = verdict_words(&verdict);
            (state, words, verdict.receipt().map(|receipt| receipt.leaf.entry))
        }
        Ok(Ending::Registered { account, entry, .. }) => {
            (TelegramState::Done, format!("registered as {account}"), Some(entry))
        }
        Ok(Ending::NotEntered { words }) => (TelegramState::Refused, words.to_string(), None),
        Err(error) => (TelegramState::Unknown, format!("its outcome is unreadable: {error}"), None),
    }
}

/// Until when a telegram may be entered.
fn valid_until(telegram: &Telegram) -> Option<Timestamp> {
    match telegram.kind {
        Kind::Registration => telegram.peek::<Registration>().map(|it| it.valid_until),
        Kind::Refund => telegram.peek::<Refund>().map(|it| it.valid_until),
        Kind::Claim => telegram.peek::<Claim>().map(|it| it.valid_until),
        Kind::KeyChange => telegram.peek::<KeyChange>().map(|it| it.valid_until),
        Kind::KeyCancel => telegram.peek::<KeyCancel>().map(|it| it.valid_until),
        Kind::CashierChange => telegram.peek::<CashierChange>().map(|it| it.valid_until),
        _ => return None,
    }
    .ok()
}
