//! Cashiers: their rights, signed by the owner, and the refunds that they signed, passed on to the center.

use secrecy::SecretString;
use vault::{Item, State};
use wire::{
    id::{AccountNumber, Nonce, TelegramId},
    key::{SigningKey, VerificationKey},
    limits,
    message::Beside,
    payload::{CashierChange, CashierRights, Refund, Rights},
    telegram::{Signer, Telegram},
    terminal::{Line, certify},
    text::Prose,
    till::{TillOutcome, TillRefusal},
    time::Timestamp,
};

use super::{Settle, identity, line_time, patient};
use crate::{
    act::{Failure, Sending},
    center::ANSWER_LIMIT,
    record::{self, Ending, Purpose},
    till::rules,
    view::{Resolved, TelegramState},
};

impl Settle {
    /// Certifies a cashier's terminal key, gives it other rights, or takes them away. Where they are taken away the
    /// counter refuses the cashier as soon as that is signed; so it is signed also while the center can't be reached, and
    /// waits in the outbox.
    ///
    /// # Errors
    /// In words: the key is none, the owner's, or nobody's whose rights could be taken away; the line; the password.
    pub(crate) async fn certify(
        &self,
        key: VerificationKey,
        rights: Option<CashierRights>,
        password_b: Option<SecretString>,
    ) -> Result<Vec<Resolved>, Failure> {
        let _turn = self.turn.lock().await;
        self.may_certify(&key, rights.as_ref())?;
        let way = self.way(Sending::IfReached).await?;
        let own = identity(&self.keep.book())?;
        // The name is the owner's own: it stands in the certificate, which stays here and with the cashier.
        let nameless = |rights: &CashierRights| CashierRights { name: Default::default(), ..rights.clone() };
        let change = CashierChange {
            center: way.center,
            store: own.store,
            key_event: own.key_event,
            key,
            rights: rights.as_ref().map(nameless),
            nonce: Nonce::random(),
            valid_until: way.until,
        };
        let (center, now) = (way.center, way.line.as_ref().map_or_else(Timestamp::now, line_time));
        let sign = move |by: &SigningKey| {
            let signer = Signer::Account(AccountNumber::Store(change.store));
            let certificate = rights.map(Rights::Cashier).map(|rights| certify(center, key, rights, now, by));
            (Telegram::sign(&change, signer, by), certificate)
        };
        let (telegram, certificate) = self.keep.sign(password_b, sign).await?;
        let purpose = Purpose::Cashier { certificate };
        Ok(vec![match &way.line {
            Some(line) => self.send(line, telegram, Beside::Nothing, purpose).await?,
            None => self.prepare(telegram, &Beside::Nothing, purpose).await?,
        }])
    }

    /// Compares the cashiers with those that the center has entered: whom it does not name so has no rights here.
    pub(crate) async fn compare_cashiers(&self, line: &Line) {
        // A change that is entered meanwhile must not be overtaken by the list from before it.
        let _turn = self.turn.lock().await;
        match line.cashiers(ANSWER_LIMIT).await {
            Ok(entered) => self.keep.compare_cashiers(entered.into_vec()),
            Err(error) => tracing::warn!("the center did not name the cashiers: {error}"),
        }
    }

    /// Passes a cashier's refund on to the center: kept in the outbox first, so that it is asked about until the center
    /// has spoken. One that was passed on before gets the answer that it got, or is asked about.
    ///
    /// # Errors
    /// What the rules say; when there is no line to the center nothing was sent.
    pub(crate) async fn pass_on(
        &self,
        telegram: Telegram,
        refund: &Refund,
        key: &VerificationKey,
    ) -> Result<TillOutcome, NotPassed> {
        let _turn = self.turn.lock().await;
        if let Some(item) = self.outbox_item(telegram.id()).await? {
            return self.passed_before(&item).await;
        }
        // Under the turn: two refunds at once do not both fit into what is left of a limit.
        rules::refund(&self.keep.book(), key, refund, Timestamp::now())?;
        let line = self.fresh_line().await.map_err(|_| TillRefusal::Away)?;
        rules::refund(&self.keep.book(), key, refund, line_time(&line))?;
        let resolved = self.send(&line, telegram.clone(), Beside::Nothing, Purpose::Refund).await?;
        self.outcome(telegram.id(), resolved).await
    }

    /// What became of a cashier's refund. One that never came here is entered as void, so that it never counts.
    ///
    /// # Errors
    /// When there is no line to the center; nothing has changed then.
    pub(crate) async fn asked_by_cashier(&self, telegram: Telegram) -> Result<TillOutcome, NotPassed> {
        let _turn = self.turn.lock().await;
        if let Some(item) = self.outbox_item(telegram.id()).await? {
            return self.passed_before(&item).await;
        }
        let line = self.center.line().await.map_err(|_| TillRefusal::Away)?;
        let beside = wire::codec::encode(&Beside::Nothing);
        let parcel = self.keep.post(telegram, beside, Purpose::Refund).await?;
        let (telegram, _) = parcel.into_parts();
        self.inquire(&line, &telegram).await
    }

    async fn passed_before(&self, item: &Item) -> Result<TillOutcome, NotPassed> {
        if let State::Closed { outcome, .. } = &item.state {
            return Ok(said(outcome)?);
        }
        let Ok(line) = self.center.line().await else {
            return Ok(unknown("the store has no line to the center now; it asks when it has one"));
        };
        self.inquire(&line, &item.telegram).await
    }

    async fn inquire(&self, line: &Line, telegram: &Telegram) -> Result<TillOutcome, NotPassed> {
        let answer = patient(|| line.inquire(telegram.clone(), ANSWER_LIMIT)).await;
        let resolved = self.end(line, telegram, answer).await?;
        self.outcome(telegram.id(), resolved).await
    }

    /// The center's word as it lies in the outbox; the words of `resolved` where there is none.
    async fn outcome(&self, id: TelegramId, resolved: Resolved) -> Result<TillOutcome, NotPassed> {
        if resolved.state == TelegramState::Unknown {
            return Ok(unknown(&resolved.words));
        }
        match self.outbox_item(id).await?.map(|item| item.state) {
            Some(State::Closed { outcome, .. }) => Ok(said(&outcome)?),
            _ => Ok(unknown(&resolved.words)),
        }
    }

    async fn outbox_item(&self, id: TelegramId) -> Result<Option<Item>, Failure> {
        self.keep.vault(move |vault| vault.outbox().item(&id).cloned()).await
    }

    /// Whether these rights may be signed for this key.
    fn may_certify(&self, key: &VerificationKey, rights: Option<&CashierRights>) -> Result<(), Failure> {
        let book = self.keep.book();
        let known = book.staff.cashiers.get(key);
        if known.is_some_and(|cashier| cashier.waits.is_some()) {
            return Err(Failure::not_possible(
                "a change of this cashier's rights was sent and its outcome is unknown; ask with “resolve” first",
            ));
        }
        match rights {
            None if known.is_none_or(|cashier| cashier.in_force.is_none())
                && !book.staff.is_elsewhere(key) =>
            {
                Err(Failure::not_found("this store has no cashier with this key"))
            }
            None => Ok(()),
            Some(rights) if rights.name.trim().is_empty() => {
                Err(Failure::not_possible("a cashier needs a name"))
            }
            Some(_) => {
                key.check().map_err(|error| Failure::not_possible(format!("the cashier's key: {error}")))?;
                if *key == self.keep.terminal_key().verification_key() {
                    return Err(Failure::not_possible(
                        "this is the store's own terminal key; a cashier has its own",
                    ));
                }
                Ok(())
            }
        }
    }
}

/// Why a cashier's refund was not passed on.
#[derive(Debug)]
pub(crate) enum NotPassed {
    /// By the rules.
    Refused(TillRefusal),
    /// The store itself failed.
    Own(Failure),
}

impl From<TillRefusal> for NotPassed {
    fn from(refusal: TillRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failure> for NotPassed {
    fn from(failure: Failure) -> Self {
        Self::Own(failure)
    }
}

fn said(outcome: &[u8]) -> Result<TillOutcome, Failure> {
    match record::value::<Ending>("outcome", outcome).map_err(Failure::machine)? {
        Ending::Verdict(verdict) => Ok(TillOutcome::Said(Box::new(verdict))),
        Ending::Registered { .. } | Ending::NotEntered { .. } => {
            Err(Failure::machine("the outbox holds another answer than a refund's"))
        }
    }
}

fn unknown(words: &str) -> TillOutcome {
    let words: String = words.chars().take(limits::LINE).collect();
    TillOutcome::Unknown(Prose::new(&words).unwrap_or_default())
}
