//! The last step of joining: number and code, signed, kept, and sent now or later.

use std::sync::Arc;

use secrecy::SecretString;
use vault::Parcel;
use wire::{
    admission::ActivationCode,
    codec,
    id::{AccountNumber, StoreNumber, TelegramId},
    message::RegisterCall,
    telegram::Kind,
    terminal::{Line, LineError, Registrant},
    time::Timestamp,
};

use super::{Joined, Newcomer, is_passing};
use crate::{
    act::Failure,
    center::{ANSWER_LIMIT, prose},
    keep::Keep,
    record::{Ending, Purpose},
};

/// What became of number and code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// In the register.
    Joined(Joined),
    /// Signed and kept in the outbox; nothing was sent.
    Prepared(TelegramId),
}

impl Newcomer {
    /// Signs a registration with the keys of this vault under the number and with the code that came by mail or letter.
    /// With `prepare` it is kept in the outbox and nothing is sent; no line is needed for that.
    ///
    /// # Errors
    /// In words: no application stands, the terms were not accepted, a registration waits already, the center's no.
    pub async fn register(
        &self,
        store: StoreNumber,
        code: ActivationCode,
        password_b: SecretString,
        prepare: bool,
    ) -> Result<Registered, Failure> {
        if self.waiting_registration().await?.is_some() {
            return Err(Failure::not_possible(
                "a registration waits in the outbox already; send it, or withdraw it to sign another",
            ));
        }
        let (application, applying, terms) = {
            let book = self.keep.book();
            let custody = &book.custody;
            let (Some(view), Some(applying)) = (&custody.application, &custody.applying) else {
                return Err(Failure::not_possible("nothing was applied for yet; apply first"));
            };
            let kit = custody.kit.as_ref().filter(|_| custody.terms_accepted());
            let kit = kit.ok_or_else(|| {
                Failure::not_possible(
                    "the terms of use were not accepted yet; fetch the admission kit and read them",
                )
            })?;
            (view.number, applying.clone(), kit.terms.hash())
        };
        let line = if prepare { None } else { Some(self.reconnect().await?) };
        let center = match &line {
            Some(line) => line.sheet.center,
            None => {
                let invitation = self.invitation().await?;
                let unpinned = || Failure::not_possible("this vault is not pinned to a center");
                invitation.ok_or_else(unpinned)?.root.center()
            }
        };
        let now = line.as_ref().map_or_else(Timestamp::now, Line::now);
        let trade_name = applying.trade_name.clone();
        let call = self
            .keep
            .vault(move |vault| {
                let recovery = vault.unlock_held_recovery_key(&password_b)?;
                let hand = vault.unlock_signing(&password_b)?;
                let terminal_key = vault.terminal_key()?;
                let sign = |recovery_key: Option<&wire::key::SigningKey>| {
                    let registrant = Registrant {
                        center,
                        application,
                        account: AccountNumber::Store(store),
                        code: &code,
                        terminal_key,
                        recovery_key,
                        particulars: &applying.call.particulars,
                        salt: applying.call.salt,
                        terms,
                        now,
                    };
                    hand.act(|key| registrant.sign(key))
                };
                let call = match recovery {
                    Some(recovery) => recovery.act(|key| sign(Some(key))),
                    None => sign(None),
                };
                call.map_err(Failure::machine)
            })
            .await??;
        let (telegram, beside) = (call.telegram.clone(), codec::encode(&call));
        let purpose = Purpose::Registration { trade_name };
        let Some(line) = line else {
            let id = self.keep.put(telegram, beside, purpose).await?;
            return Ok(Registered::Prepared(id));
        };
        let parcel = self.keep.post(telegram, beside, purpose).await?;
        self.send(&line, parcel).await.map(Registered::Joined)
    }

    /// Sends a registration that waits: prepared offline, or sent before without an answer.
    ///
    /// # Errors
    /// In words; when the center says that it is not acceptable, number and code can be entered again.
    pub async fn resume(&self) -> Result<Joined, Failure> {
        let id = self.waiting_registration().await?;
        let id = id.ok_or_else(|| Failure::not_possible("no registration waits in this vault"))?;
        let line = self.reconnect().await?;
        let parcel = self.keep.parcel(id).await?;
        self.send(&line, parcel).await
    }

    /// Takes back a registration that was prepared and never sent.
    ///
    /// # Errors
    /// When none waits, or it may have left: then only the center can say what became of it.
    pub async fn withdraw(&self) -> Result<(), Failure> {
        let id = self.waiting_registration().await?;
        let id = id.ok_or_else(|| Failure::not_possible("no registration waits in this vault"))?;
        self.keep.withdraw(id).await
    }

    /// The registration that waits in the outbox.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub async fn waiting_registration(&self) -> Result<Option<TelegramId>, Failure> {
        let waiting = self.keep.waiting().await?;
        let registration = waiting.iter().find(|item| item.telegram.kind == Kind::Registration);
        Ok(registration.map(|item| item.telegram.id()))
    }

    /// Sends what is on disk, verifies the answer, and ends the registration with it.
    async fn send(&self, line: &Line, parcel: Parcel) -> Result<Joined, Failure> {
        let id = parcel.id();
        let (telegram, beside) = parcel.into_parts();
        let call: RegisterCall =
            codec::decode("registration", &beside, vault::MAX_CONTENT).map_err(Failure::machine)?;
        let (account, entry, receipt) = match line.register(call, ANSWER_LIMIT).await {
            Ok(answer) => answer,
            Err(error) => return Err(not_registered(&self.keep, id, error).await),
        };
        line.check_registration(&telegram, (account, entry), &receipt).map_err(|why| {
            Failure::contradiction(format!("the center's answer to the registration is not believed: {why}"))
        })?;
        self.keep.close(id, Ending::Registered { account, entry, receipt }).await?;
        self.keep
            .vault(move |vault| {
                let Some(mut center) = vault.center().cloned() else { return Ok(()) };
                center.account = Some(account);
                vault.pin_center(&center)
            })
            .await??;
        self.joined().await?.ok_or_else(|| Failure::contradiction("the center gave a member's number"))
    }
}

/// What an answer that is no number means. A center that is busy or stopped may be asked again; words about the
/// registration itself end it, so that another can be signed.
async fn not_registered(keep: &Arc<Keep>, id: TelegramId, error: LineError) -> Failure {
    match error {
        LineError::Problem(problem) if is_passing(problem.kind) => {
            Failure::refused(format!("{problem} (run join again to finish joining)"))
        }
        LineError::Problem(problem) => {
            match keep.close(id, Ending::NotEntered { words: prose(&problem.words) }).await {
                Ok(()) => Failure::refused(problem),
                Err(failure) => failure,
            }
        }
        error if error.leaves_unknown() => Failure::unknown(format!(
            "{error}; whether the store is registered is unknown. Run join again: the same registration is sent once more"
        )),
        error => error.into(),
    }
}
