//! A cashier's refunds: signed with the terminal key after the password was given, kept, passed to the store, and ended by
//! the center's evidence.

use secrecy::SecretString;
use vault::Item;
use wire::{
    codec,
    id::{AccountNumber, Nonce},
    message::{Beside, Verdict},
    payload::{Refund, RefundReason},
    telegram::{Signer, Telegram},
    text::Prose,
    till::{Right, TillAnswer, TillOutcome, TillRefusal, TillRequest, TillVerdict},
    time::Timestamp,
};

use super::{Terminal, evidence, one_password};
use crate::{
    act::Failure,
    book::telegram_words,
    cashier::line::{NotAnswered, Till, nonsense},
    record::{self, Ending, Purpose},
    settle::verdict_words,
    view::{Money, OrderStanding, Resolved, TelegramState},
};

/// How long a refund may be entered after it was signed, in milliseconds.
const VALID_MS: u64 = 24 * 60 * 60 * 1000;

impl Terminal {
    /// Gives the payment of an order back, whole.
    pub(super) async fn refund(
        &self,
        order: &str,
        reason: RefundReason,
        password: SecretString,
    ) -> Result<Resolved, Failure> {
        let _turn = self.0.turn.lock().await;
        let till = self.till().await?;
        let detail = crate::cashier::view::order_detail(&self.order(order).await?, self.currency());
        let payment = detail.row.payment.ok_or_else(|| Failure::not_possible("the order is not paid"))?;
        match detail.row.state {
            OrderStanding::Refunded => {
                return Err(Failure::not_possible(format!("{payment} was given back already")));
            }
            OrderStanding::Claimed => {
                return Err(Failure::not_possible(format!(
                    "{payment} is claimed; what was claimed cannot be given back"
                )));
            }
            _ => {}
        }
        let entry = self.entry_for_refunds()?;
        let amount = wire::amount::Amount::new(detail.row.total.minor).ok_or_else(nonsense)?;
        let refund = Refund {
            center: self.center(),
            store: self.0.line.store,
            cashier: Some(self.0.key.verification_key()),
            key_event: entry,
            payment,
            amount,
            currency: self.currency(),
            reason,
            nonce: Nonce::random(),
            valid_until: Timestamp::now().plus_ms(VALID_MS),
        };
        // Whoever signs shows that it is the cashier and not somebody who found the terminal open.
        self.vault(move |vault| vault.unlock_signing(&password).map(drop)).await?.map_err(one_password)?;
        let signer = Signer::Account(AccountNumber::Store(refund.store));
        let telegram = Telegram::sign(&refund, signer, &self.0.key);
        let (kept, beside) = (telegram.clone(), codec::encode(&Beside::Nothing));
        let parcel =
            self.vault(move |vault| vault.post(kept, beside, record::encode(&Purpose::Refund))).await??;
        let (telegram, _) = parcel.into_parts();
        let answer = till.ask(TillRequest::Refund(telegram.clone())).await;
        self.end(&telegram, answer).await
    }

    /// Asks the store about every refund whose outcome is unknown; the store asks its center.
    pub(super) async fn resolve(&self) -> Result<Vec<Resolved>, Failure> {
        let _turn = self.0.turn.lock().await;
        let waiting: Vec<Item> = self.vault(|vault| vault.outbox().open().cloned().collect()).await?;
        let mut resolved = Vec::new();
        for item in waiting {
            let till: Till = self.till().await?;
            let answer = match till.ask(TillRequest::Inquire(item.telegram.clone())).await {
                // That the store does not answer a question says nothing about the refund.
                Err(NotAnswered::Refused(refusal)) => Err(NotAnswered::Lost(Failure::refused(refusal))),
                answer => answer,
            };
            resolved.push(self.end(&item.telegram, answer).await?);
        }
        Ok(resolved)
    }

    fn entry_for_refunds(&self) -> Result<wire::id::EntryNumber, Failure> {
        let known = self.0.known.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (Some(admitted), Some(rights)) = (&known.admitted, &known.rights) else {
            return Err(Failure::refused(TillRefusal::UnknownCashier));
        };
        if !Right::Refund.is_in(rights) {
            return Err(Failure::refused(TillRefusal::NotAllowed(Right::Refund)));
        }
        Ok(admitted.entry)
    }

    /// Ends a refund with the center's evidence, or because the store has sent nothing on; anything else leaves it
    /// unknown.
    async fn end(
        &self,
        telegram: &Telegram,
        answer: Result<TillAnswer, NotAnswered>,
    ) -> Result<Resolved, Failure> {
        let unknown = |words: String| self.became(telegram, TelegramState::Unknown, words, None);
        let said = match answer {
            Ok(TillAnswer::Verdict(said)) => said,
            Ok(_) => return Ok(unknown(nonsense().message)),
            Err(NotAnswered::Refused(refusal)) => {
                let failure = self.told(NotAnswered::Refused(refusal));
                let words = Prose::new(&failure.message).unwrap_or_default();
                self.close(telegram, Ending::NotEntered { words }).await?;
                return Ok(self.became(telegram, TelegramState::Refused, failure.message, None));
            }
            Err(NotAnswered::Lost(failure)) => {
                return Ok(unknown(format!(
                    "{failure}; whether it was entered is unknown until the center says"
                )));
            }
        };
        let TillVerdict { outcome, sheet } = *said;
        let verdict: Verdict = match outcome {
            TillOutcome::Said(verdict) => *verdict,
            TillOutcome::Unknown(words) => return Ok(unknown(words.to_string())),
        };
        if let Err(why) = self.believed(telegram, &verdict, &sheet).await {
            let words = format!("the center's answer as the store passed it on is not believed: {why}");
            tracing::error!("{words}");
            return Ok(unknown(words));
        }
        let (state, words) = verdict_words(&verdict);
        let number = verdict.receipt().map(|receipt| receipt.leaf.entry);
        self.close(telegram, Ending::Verdict(verdict)).await?;
        Ok(self.became(telegram, state, words, number))
    }

    async fn believed(&self, telegram: &Telegram, verdict: &Verdict, sheet: &Telegram) -> Result<(), String> {
        self.keep_sheet(sheet).await.map_err(|failure| failure.message)?;
        let root = self.0.line.center.root;
        evidence::verdict(telegram, verdict, (sheet, &root), Timestamp::now())
    }

    async fn close(&self, telegram: &Telegram, ending: Ending) -> Result<(), Failure> {
        let id = telegram.id();
        let closing = self.vault(move |vault| match vault.close(id, record::encode(&ending), Vec::new()) {
            // Two asked at the same time, and the center says the same to both.
            Err(vault::Error::Ended(_)) => Ok(()),
            closed => closed,
        });
        Ok(closing.await??)
    }

    fn became(
        &self,
        telegram: &Telegram,
        state: TelegramState,
        words: String,
        number: Option<wire::id::EntryNumber>,
    ) -> Resolved {
        let refund = telegram.peek::<Refund>().ok();
        Resolved {
            telegram: telegram.id(),
            what: telegram_words(telegram, self.currency()),
            state,
            words,
            number,
            payments: refund.iter().map(|refund| refund.payment).collect(),
            total: refund.map(|refund| Money::new(refund.amount, self.currency())),
        }
    }
}
