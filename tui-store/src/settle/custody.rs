//! Changing keys: rotation, revocation, a new recovery phrase, the cancelling of one, the copy of the vault.
//!
//! A new key is made and kept before it is asked for, and turns with the center's answer in one write. What waits without
//! a telegram in the outbox was never asked for and is dropped when another is made.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;
use vault::RecoveryPhrase;
use wire::{
    codec,
    id::{AccountNumber, EntryNumber},
    key::VerificationKey,
    message::Beside,
    payload::{KeyChange, KeyRole},
    telegram::{Kind, Telegram},
    terminal::{Changer, Line},
};

use super::{Settle, identity, line_time};
use crate::{
    act::Failure,
    book::role_words,
    center::ANSWER_LIMIT,
    record::Purpose,
    sign::{self, By},
    view::{DrillRow, Resolved, TelegramState},
};

/// How long one piece of a copy may take.
const PIECE_LIMIT: Duration = Duration::from_secs(60);

impl Settle {
    /// Puts a new signature or terminal key in the place of the one in force. The counter shows a new terminal key from
    /// the next visitor on; offers signed with the old one stay payable and claimable.
    ///
    /// # Errors
    /// In words; a change that waits already is to be asked about first.
    pub(crate) async fn rotate(
        &self,
        role: KeyRole,
        password_b: SecretString,
    ) -> Result<Vec<Resolved>, Failure> {
        let _turn = self.turn.lock().await;
        let line = self.fresh_line().await?;
        self.nothing_waits(role).await?;
        let changer = self.changer(&line, KeyRole::Signature).await?;
        let signed = self.keep.vault(move |vault| {
            let by = By::PasswordB(password_b.clone());
            if role == KeyRole::Terminal {
                // Before the key is made: a wrong password leaves nothing that waits.
                drop(vault.unlock_signing(&password_b)?);
                vault.prepare_terminal_key()?;
                return sign::new_terminal_key(vault, &changer, &by, &password_b);
            }
            vault.prepare_signature_key(&password_b, None)?;
            let terminal = vault.terminal_key()?.verification_key();
            sign::new_signature_key(vault, &changer, terminal, &by, &password_b)
        });
        let (telegram, beside) = signed.await??;
        let resolved = self.change(&line, telegram, beside, role).await?;
        self.deposit_after(&resolved).await;
        Ok(vec![resolved])
    }

    /// Revokes a key: nothing signed with it counts from then on.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn revoke(&self, role: KeyRole, by: By) -> Result<Vec<Resolved>, Failure> {
        let _turn = self.turn.lock().await;
        let line = self.fresh_line().await?;
        let changer = self.changer(&line, by.role()).await?;
        let signed = self.keep.vault(move |vault| sign::revocation(vault, &changer, role, &by));
        let (telegram, beside) = signed.await??;
        Ok(vec![self.change(&line, telegram, beside, role).await?])
    }

    /// Takes a new recovery phrase, of which words were asked back or not. Asked for with the old phrase it is in force at once, with password B after 72 hours,
    /// until which the old one can cancel it. Password B is needed either way: the signature key is sealed to the phrase.
    ///
    /// # Errors
    /// In words.
    pub(crate) async fn new_phrase(
        &self,
        (phrase, confirmed): (RecoveryPhrase, bool),
        old: Option<RecoveryPhrase>,
        password_b: SecretString,
    ) -> Result<Vec<Resolved>, Failure> {
        let _turn = self.turn.lock().await;
        let line = self.fresh_line().await?;
        self.nothing_waits(KeyRole::Recovery).await?;
        let by = old.map_or_else(|| By::PasswordB(password_b.clone()), By::Phrase);
        let (changer, key) = (self.changer(&line, by.role()).await?, phrase.public().recovery_key);
        let signed = self.keep.vault(move |vault| {
            vault.prepare_recovery(&phrase, &password_b)?;
            sign::new_recovery_key(vault, &changer, &phrase, &by)
        });
        let (telegram, beside) = signed.await??;
        let resolved = self.change(&line, telegram, beside, KeyRole::Recovery).await?;
        let confirm = self.keep.vault(move |vault| {
            let in_force = vault.in_use(KeyRole::Recovery) == Some(key);
            if confirmed && in_force { vault.confirm_recovery() } else { Ok(()) }
        });
        confirm.await??;
        self.deposit_after(&resolved).await;
        Ok(vec![resolved])
    }

    /// Cancels a new recovery key that somebody asked for with the signature key and that still waits.
    ///
    /// # Errors
    /// In words: none waits, or the phrase is not the one in force.
    pub(crate) async fn cancel_change(&self, phrase: RecoveryPhrase) -> Result<Vec<Resolved>, Failure> {
        let _turn = self.turn.lock().await;
        let line = self.fresh_line().await?;
        let waiting = self.center.stated().waiting;
        let waiting = waiting
            .ok_or_else(|| Failure::not_possible("no change of the recovery key waits at the center"))?;
        let key_event = self.event_in_force(KeyRole::Recovery, phrase.public().recovery_key)?;
        let account = AccountNumber::Store(identity(&self.keep.book())?.store);
        let changer = Changer { center: line.sheet.center, account, key_event, now: line_time(&line) };
        let telegram = changer.cancel(waiting.change, &phrase.recovery_key());
        let resolved = self.send(&line, telegram, Beside::Nothing, Purpose::KeyCancel).await?;
        if resolved.state == TelegramState::Done {
            let drop = self.keep.vault(move |vault| match vault.waiting(KeyRole::Recovery) {
                Some(key) if key == waiting.key => vault.drop_waiting(KeyRole::Recovery),
                _ => Ok(()),
            });
            drop.await??;
        }
        Ok(vec![resolved])
    }

    /// Deposits a copy of the vault with the center where something has changed; whether one was deposited.
    ///
    /// # Errors
    /// In words: the line or the disk.
    pub(crate) async fn deposit(&self, line: &Line) -> Result<bool, Failure> {
        let made = self.keep.vault(|vault| {
            if !vault.copy_is_due() {
                return Ok(None);
            }
            Ok::<_, vault::Error>(Some((vault.newest(), vault.copy_for_deposit()?)))
        });
        let Some((newest, copy)) = made.await?? else { return Ok(false) };
        line.deposit(&copy, PIECE_LIMIT).await?;
        self.keep.vault(move |vault| vault.note_deposit(newest)).await??;
        self.keep.touch();
        Ok(true)
    }

    /// The same, where nobody waits for it.
    pub(crate) async fn deposit_or_warn(&self, line: &Line) {
        if let Err(failure) = self.deposit(line).await {
            tracing::warn!("the copy of the vault was not deposited: {failure}");
        }
    }

    /// A key that changed is in the copy at once: an older copy would bring back one that signs nothing any more.
    async fn deposit_after(&self, resolved: &Resolved) {
        if resolved.state == TelegramState::Done
            && let Ok(line) = self.center.line().await
        {
            self.deposit_or_warn(&line).await;
        }
    }

    /// The restore drill: the copy that lies with the center is fetched with the phrase over a line of its own, restored
    /// in a folder that is removed afterwards, and compared with this vault.
    ///
    /// # Errors
    /// In words: the phrase, the center, or what differs.
    pub(crate) async fn drill(&self, phrase: RecoveryPhrase, scratch: PathBuf) -> Result<DrillRow, Failure> {
        let line = self.fresh_line().await?;
        self.deposit(&line).await?;
        let line = self.center.stranger().await?;
        let welcome = line.recover(&phrase.recovery_key(), None, ANSWER_LIMIT).await?;
        let view = welcome.copy.ok_or_else(|| Failure::not_found("the center has no copy of this vault"))?;
        let copy = line.take_copy(view, PIECE_LIMIT).await?;
        let drill = self.keep.vault(move |vault| vault.drill(&copy, &phrase, &scratch)).await??;
        self.keep.touch();
        Ok(DrillRow {
            at: drill.at.into(),
            copied: drill.copied_at.into(),
            compared: drill.compared,
            newer: drill.newer,
        })
    }

    /// Who asks for a change now, signing with the key of `by`.
    async fn changer(&self, line: &Line, by: KeyRole) -> Result<Changer, Failure> {
        let key = self.keep.vault(move |vault| vault.in_use(by)).await?;
        let key =
            key.ok_or_else(|| Failure::not_possible(format!("this vault has no {}", role_words(by))))?;
        let store = identity(&self.keep.book())?;
        let key_event = match by {
            KeyRole::Signature => store.key_event,
            _ => self.event_in_force(by, key)?,
        };
        let account = AccountNumber::Store(store.store);
        Ok(Changer { center: line.sheet.center, account, key_event, now: line_time(line) })
    }

    fn event_in_force(&self, role: KeyRole, key: VerificationKey) -> Result<EntryNumber, Failure> {
        let event = self.keep.book().custody.event_of(role, &key);
        event.ok_or_else(|| {
            Failure::not_possible(format!(
                "the center's chain of keys has another {} in force",
                role_words(role)
            ))
        })
    }

    /// Makes sure that no change of a role is under way; a key that waits for nothing is dropped.
    async fn nothing_waits(&self, role: KeyRole) -> Result<(), Failure> {
        let asked = |telegram: &Telegram| {
            telegram.kind == Kind::KeyChange
                && telegram.peek::<KeyChange>().is_ok_and(|change| change.role == role)
        };
        if self.keep.waiting().await?.iter().any(|item| asked(&item.telegram)) {
            let words = format!(
                "a change of the {} was sent and its outcome is unknown; ask with “resolve” first",
                role_words(role)
            );
            return Err(Failure::not_possible(words));
        }
        if self.center.stated().waiting.is_some() && role == KeyRole::Recovery {
            return Err(Failure::not_possible(
                "a new recovery key waits at the center already; cancel it with the old phrase, or wait",
            ));
        }
        let dropped = self.keep.vault(move |vault| match vault.waiting(role) {
            Some(_) => vault.drop_waiting(role),
            None => Ok(()),
        });
        Ok(dropped.await??)
    }

    async fn change(
        &self,
        line: &Line,
        telegram: Telegram,
        beside: Beside,
        role: KeyRole,
    ) -> Result<Resolved, Failure> {
        let resolved = self.send(line, telegram, beside, Purpose::KeyChange { role }).await?;
        if resolved.state == TelegramState::Done {
            // The next login is with the new keys, and brings the chain with them.
            self.center.renew().await;
        }
        Ok(resolved)
    }

    /// Keeps a telegram, sends it, and ends it with the center's word.
    pub(super) async fn send(
        &self,
        line: &Line,
        telegram: Telegram,
        beside: Beside,
        purpose: Purpose,
    ) -> Result<Resolved, Failure> {
        tui_kit::failpoint::at("outbox.post");
        let parcel = self.keep.post(telegram, codec::encode(&beside), purpose).await?;
        tui_kit::failpoint::at("outbox.posted");
        let (telegram, _) = parcel.into_parts();
        let answer = super::patient(|| line.submit(telegram.clone(), beside.clone(), ANSWER_LIMIT)).await;
        self.end(line, &telegram, answer).await
    }
}

#[cfg(test)]
mod tests;
