//! The outbox: preparing without a line, sending later, withdrawing, carrying one telegram in a file.

use data_encoding::BASE64;
use wire::{
    amount::{Amount, Currency},
    id::{CardNumber, OrderHash, TelegramId},
    telegram::Kind,
};

use super::Engine;
use crate::{
    act::{Failure, Outcome, Password},
    join, pay, send,
    view::{ExportedTelegram, OutboxRow, Resolved},
};

/// An amount as a person writes it, of which a card may be asked for.
///
/// # Errors
/// In words.
pub(super) fn card_amount(text: &str, currency: Currency) -> Result<Amount, Failure> {
    let amount = currency.parse(text).map_err(Failure::not_possible)?;
    if amount.is_zero() {
        return Err(Failure::not_possible("a card of nothing is no card; name an amount"));
    }
    Ok(amount)
}

impl Engine {
    pub(super) async fn prepare_request(
        &self,
        amount: &str,
        password_b: Option<Password>,
    ) -> Result<Outcome, Failure> {
        let unseen = || Failure::not_possible("the center has not been seen yet; connect once first");
        let currency = self.keep.with(|kept| kept.book.center.as_ref().map(|seen| seen.currency)).await;
        let amount = card_amount(amount, currency.ok_or_else(unseen)?)?;
        let put = self.keep.with(move |kept| pay::prepare_request(kept, amount, password_b.as_ref()));
        self.prepared(put.await?).await
    }

    pub(super) async fn prepare_payment(
        &self,
        order: OrderHash,
        card: Option<CardNumber>,
        password_b: Option<Password>,
    ) -> Result<Outcome, Failure> {
        let put = self.keep.with(move |kept| pay::prepare(kept, order, card, password_b.as_ref()));
        self.prepared(put.await?).await
    }

    /// Sends what was prepared, and asks about what may have left: one telegram, or all.
    pub(super) async fn send(&self, only: Option<TelegramId>) -> Result<Vec<Resolved>, Failure> {
        let waiting = self.keep.with(move |kept| {
            let open = kept.vault.outbox().open();
            open.filter(|item| only.is_none_or(|only| item.telegram.id() == only))
                .map(|item| (item.telegram.id(), item.telegram.kind))
                .collect::<Vec<_>>()
        });
        let waiting = waiting.await;
        if waiting.is_empty() && only.is_some() {
            return Err(Failure::not_found("no such telegram waits in the outbox"));
        }
        let mut resolved = Vec::new();
        for (id, kind) in waiting {
            if self.center.is_sending(&id) {
                continue;
            }
            resolved.push(match kind {
                Kind::Registration => self.send_registration(id).await?,
                _ => {
                    let session = self.line().await?;
                    send::resolve_one(&self.center, &session, id).await?
                }
            });
        }
        Ok(resolved)
    }

    /// Takes back what never left; asks the center to void what may have.
    pub(super) async fn withdraw(&self, telegram: TelegramId) -> Result<Resolved, Failure> {
        let withdrawn = self.keep.with(move |kept| {
            if kept.vault.outbox().ready(&telegram).is_none() {
                return Ok(false);
            }
            kept.withdraw(telegram).map(|()| true)
        });
        if withdrawn.await? {
            return Ok(Resolved {
                telegram,
                kind: "telegram".into(),
                order: None,
                outcome: "withdrawn".into(),
                words: "taken back before it left".into(),
            });
        }
        let registers = self.keep.with(move |kept| {
            kept.vault.outbox().item(&telegram).is_some_and(|item| item.telegram.kind == Kind::Registration)
        });
        if registers.await {
            return Err(Failure::not_possible(
                "a registration that may have left can only be sent again; the center answers it once",
            ));
        }
        let session = self.line().await?;
        send::resolve_one(&self.center, &session, telegram).await
    }

    pub(super) async fn export(&self, telegram: TelegramId) -> Result<ExportedTelegram, Failure> {
        let content = self.keep.with(move |kept| kept.vault.export(telegram)).await?;
        Ok(ExportedTelegram { telegram, content: BASE64.encode(&content) })
    }

    pub(super) async fn import(&self, content: String) -> Result<Outcome, Failure> {
        let bytes = BASE64.decode(content.trim().as_bytes());
        let bytes = bytes.map_err(|_| Failure::not_possible("this is no exported telegram"))?;
        let taken = self.keep.with(move |kept| kept.import(&bytes));
        self.prepared(taken.await?).await
    }

    async fn prepared(&self, telegram: TelegramId) -> Result<Outcome, Failure> {
        let row = self.keep.with(move |kept| {
            kept.outbox_rows(true).into_iter().find(|row: &OutboxRow| row.telegram == telegram)
        });
        let row = row.await.ok_or_else(|| Failure::not_found("it is not in the outbox any more"))?;
        Ok(Outcome::Prepared(Box::new(row)))
    }

    async fn send_registration(&self, telegram: TelegramId) -> Result<Resolved, Failure> {
        let sent = join::send_registration(&self.keep, self.center.patience).await;
        let (outcome, words) = match sent {
            Ok(joined) => ("registered", format!("registered as {} by {}", joined.member, joined.entry)),
            Err(failure) if failure.kind == crate::act::FailureKind::Unknown => ("unknown", failure.message),
            Err(failure) => return Err(failure),
        };
        Ok(Resolved { telegram, kind: "registration".into(), order: None, outcome: outcome.into(), words })
    }
}
