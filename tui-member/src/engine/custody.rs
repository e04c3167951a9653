//! Keys, recovery, the admission kit.

use std::time::Duration;

use vault::Autograph;
use wire::{admission::Kit, key::SigningKey, payload::KeyRole};

use super::Engine;
use crate::{
    act::{CustodyAct, Failure, Outcome, Password},
    join,
    keys::{self, Change},
    record::Record,
    recover,
    view::{BuildRow, KitView},
};

/// The longest that password B may be in force for.
const MINUTES_MAX: u16 = 60;

impl Engine {
    /// Does an act of custody.
    pub(super) async fn custody(&self, act: CustodyAct) -> Result<Outcome, Failure> {
        match act {
            CustodyAct::Keys => {
                if let Err(failure) = self.line().await {
                    tracing::info!("showing keys without a line: {failure}");
                }
                self.keys().await
            }
            CustodyAct::Rotate { role, password_b, phrase, autograph } => {
                self.rotate(role, password_b, phrase, autograph).await
            }
            CustodyAct::Revoke { role, password_b, phrase } => {
                let by = self.recovery_key(phrase).await?;
                self.change(Change::Revoke(role), password_b, by).await
            }
            CustodyAct::CheckPhrase { phrase } => {
                keys::own_phrase(&self.center, &phrase).await?;
                Ok(Outcome::Done)
            }
            CustodyAct::NewPhrase { phrase, former, password_b } => {
                let new = keys::read_phrase(&phrase)?;
                let by = self.recovery_key(former).await?;
                self.change(Change::Recovery(new), password_b, by).await
            }
            CustodyAct::CancelChange { phrase } => {
                let phrase = keys::own_phrase(&self.center, &phrase).await?;
                keys::cancel(&self.center, phrase).await?;
                self.after_change().await
            }
            CustodyAct::FinishRestoring { phrase, password_b } => {
                let phrase = keys::own_phrase(&self.center, &phrase).await?;
                recover::finish(&self.center, phrase, password_b).await?;
                self.after_change().await
            }
            CustodyAct::Acknowledge { alarm } => {
                self.keep.with(move |kept| kept.append(Record::AlarmRead(alarm))).await?;
                // What the session refused to sign while the alarm stood is judged anew.
                self.center.forget().await;
                Ok(Outcome::Done)
            }
            CustodyAct::OpenSigning { password_b, minutes } => {
                if !(1..=MINUTES_MAX).contains(&minutes) {
                    return Err(Failure::not_possible(format!(
                        "from 1 to {MINUTES_MAX} minutes are possible"
                    )));
                }
                let lasting = Duration::from_secs(u64::from(minutes) * 60);
                self.keep.with(move |kept| kept.open_signing(&password_b, lasting)).await?;
                self.close_signing_after(lasting);
                Ok(Outcome::Done)
            }
            CustodyAct::CloseSigning => {
                self.keep.with(|kept| kept.close_signing()).await;
                Ok(Outcome::Done)
            }
            CustodyAct::Deposit => {
                let session = self.line().await?;
                recover::deposit(&self.keep, &session, true).await?;
                self.keys().await
            }
            CustodyAct::Drill { phrase } => {
                let phrase = keys::own_phrase(&self.center, &phrase).await?;
                // What is newer than the copy can't be compared: the copy is brought up first.
                let session = self.line().await?;
                recover::deposit(&self.keep, &session, true).await?;
                let scratch = self.profile.state().join("drill");
                recover::drill(&self.center, phrase, scratch).await.map(Outcome::Drill)
            }
            CustodyAct::Kit => {
                let fetched = join::fetch_kit(&self.keep, self.center.patience).await;
                let kit = match fetched {
                    Err(failure) if failure.kind == crate::act::FailureKind::Offline => {
                        let kept = self.keep.with(|kept| kept.book.custody.kit.as_deref().cloned());
                        kept.await.ok_or(failure)?
                    }
                    fetched => fetched?,
                };
                Ok(Outcome::Kit(Box::new(kit_view(&kit))))
            }
            CustodyAct::Download => {
                let folder = self.profile.data().join("builds");
                join::download(&self.keep, folder, self.center.patience).await.map(Outcome::Build)
            }
            CustodyAct::Standing => {
                Ok(Outcome::Standing(Box::new(self.keep.with(|kept| join::standing(kept)).await)))
            }
        }
    }

    async fn rotate(
        &self,
        role: KeyRole,
        password_b: Password,
        phrase: Option<Password>,
        autograph: Option<Autograph>,
    ) -> Result<Outcome, Failure> {
        let change = match role {
            KeyRole::Signature => Change::Signature(autograph),
            KeyRole::Terminal => Change::Terminal,
            KeyRole::Recovery => {
                return Err(Failure::not_possible(
                    "a new recovery key comes with a new phrase: “keys new-phrase”",
                ));
            }
        };
        let by = self.recovery_key(phrase).await?;
        self.change(change, password_b, by).await
    }

    async fn change(
        &self,
        change: Change,
        password_b: Password,
        by: Option<SigningKey>,
    ) -> Result<Outcome, Failure> {
        let first = matches!(change, Change::Recovery(_));
        keys::change(&self.center, change, password_b, by).await?;
        if first {
            self.keep
                .with(|kept| match kept.vault.recovery() {
                    Some(known) if known.confirmed_at.is_none() => kept.vault.confirm_recovery(),
                    _ => Ok(()),
                })
                .await?;
        }
        self.after_change().await
    }

    /// The recovery key of a phrase that was given.
    async fn recovery_key(&self, phrase: Option<Password>) -> Result<Option<SigningKey>, Failure> {
        match phrase {
            Some(phrase) => Ok(Some(keys::own_phrase(&self.center, &phrase).await?.recovery_key())),
            None => Ok(None),
        }
    }

    /// Logs in with the keys that are in force now and deposits a copy that holds them.
    async fn after_change(&self) -> Result<Outcome, Failure> {
        match self.line().await {
            Ok(session) => {
                if let Err(failure) = recover::deposit(&self.keep, &session, true).await {
                    tracing::warn!("depositing a copy of the vault: {failure}");
                }
            }
            Err(failure) => tracing::info!("no line after a change of keys: {failure}"),
        }
        self.keys().await
    }

    async fn keys(&self) -> Result<Outcome, Failure> {
        Ok(Outcome::Keys(Box::new(self.keep.with(|kept| kept.keys_view()).await)))
    }

    /// The key is wiped when its time is over, whether anybody asks for it or not.
    fn close_signing_after(&self, lasting: Duration) {
        let (keep, stop) = (self.keep.clone(), self.stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(lasting) => keep.with(|kept| kept.close_signing_if_over()).await,
                // The vault is closed, and the key with it.
                () = stop.cancelled() => {}
            }
        });
    }
}

fn kit_view(kit: &Kit) -> KitView {
    let build = |build: &wire::admission::Build| BuildRow {
        program: build.program.clone(),
        platform: build.platform.clone(),
        version: build.version.clone(),
        length: build.length,
        digest: build.digest,
    };
    KitView {
        number: kit.number,
        issued: kit.issued.into(),
        terms_version: kit.terms.version,
        terms: kit.terms.text.clone(),
        terms_hash: kit.terms.hash(),
        memory_kib: kit.vault.memory_kib,
        passes: kit.vault.passes,
        newer: join::newer_build(kit).map(|build| build.version.clone()),
        builds: kit.builds.iter().map(build).collect(),
    }
}
