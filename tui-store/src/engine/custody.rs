//! The acts about keys, recovery, the outbox's files and the admission kit.

use std::time::Duration;

use data_encoding::BASE64;
use secrecy::SecretString;
use vault::RecoveryPhrase;
use wire::payload::{KeyEvent, KeyRole};

use super::Inner;
use crate::{
    act::{Act, Failure, Outcome, Password},
    book::role_words,
    join, kit,
    record::Record,
    settle::outbox_rows,
    sign::By,
    view::{ExportedTelegram, KeyEventRow, KeyRow, KeysView, KitRow, Moment},
};

/// The most minutes that password B may be open.
const SIGNING_MINUTES_MAX: u32 = 60;

impl Inner {
    /// Does an act about keys, recovery, the outbox's files or the kit.
    pub(super) async fn custody_act(&self, act: Act) -> Result<Outcome, Failure> {
        match act {
            Act::Send { telegram } => self.settle.send_prepared(telegram).await.map(Outcome::Resolved),
            Act::ExportTelegram { telegram } => {
                let file = self.keep.vault(move |vault| vault.export(telegram)).await??;
                Ok(Outcome::Telegram(ExportedTelegram { telegram, content: BASE64.encode(&file) }))
            }
            Act::ImportTelegram { content } => {
                let file = BASE64.decode(content.trim().as_bytes());
                let file = file.map_err(|_| Failure::not_possible("this is not an exported telegram"))?;
                let id = self.keep.import(file).await?;
                let items = self.keep.items().await?;
                let rows = outbox_rows(&items, self.keep.book().currency());
                Ok(Outcome::Outbox(rows.into_iter().filter(|row| row.telegram == id).collect()))
            }
            Act::Keys => self.keys().await,
            Act::Rotate { role, password_b } => {
                self.settle.rotate(role, password_b.0).await.map(Outcome::Resolved)
            }
            Act::Revoke { role, password_b, phrase } => {
                let by = match (password_b, phrase) {
                    (_, Some(phrase)) => By::Phrase(read_phrase(&phrase.0)?),
                    (Some(password), None) => By::PasswordB(password.0),
                    (None, None) => {
                        return Err(Failure::not_possible("give password B or the recovery phrase"));
                    }
                };
                self.settle.revoke(role, by).await.map(Outcome::Resolved)
            }
            Act::NewPhrase { phrase, confirmed, old, password_b } => {
                let phrase = read_phrase(&phrase.0)?;
                let old = old.map(|old| read_phrase(&old.0)).transpose()?;
                self.settle.new_phrase((phrase, confirmed), old, password_b.0).await.map(Outcome::Resolved)
            }
            Act::CancelChange { phrase } => {
                self.settle.cancel_change(read_phrase(&phrase.0)?).await.map(Outcome::Resolved)
            }
            Act::Drill { phrase } => {
                let scratch = self.profile.data().join("drill");
                self.settle.drill(read_phrase(&phrase.0)?, scratch).await.map(Outcome::Drill)
            }
            Act::Deposit => {
                let line = self.center.line().await?;
                self.settle.deposit(&line).await?;
                self.keys().await
            }
            Act::AcknowledgeKeys => {
                let acknowledge =
                    |book: &crate::book::Book| match (&book.custody.strange, book.custody.contradiction()) {
                        (Some(strange), _) => Ok((vec![Record::Chain(strange.chain.clone())], ())),
                        (None, Some((digest, _))) => Ok((vec![Record::ContradictionRead(digest)], ())),
                        (None, None) => Err(Failure::not_possible("there is no alarm to acknowledge")),
                    };
                self.keep.record_if(acknowledge).await?;
                Ok(Outcome::Done)
            }
            Act::Kit => {
                let line = self.center.line().await?;
                Ok(Outcome::Kit(Box::new(KitRow::from(&join::take_kit(&self.keep, &line).await?))))
            }
            Act::DownloadBuild => self.download().await,
            Act::OpenSigning { password_b, minutes } => self.open_signing(password_b, minutes).await,
            Act::CloseSigning => {
                self.keep.close_signing();
                Ok(Outcome::Done)
            }
            Act::ChangePasswordA { old, new } => {
                self.keep.vault(move |vault| vault.change_password_a(&old.0, &new.0)).await??;
                Ok(Outcome::Done)
            }
            Act::ChangePasswordB { old, new } => {
                self.keep.vault(move |vault| vault.change_password_b(&old.0, &new.0)).await??;
                Ok(Outcome::Done)
            }
            _ => Err(Failure::machine("this act is not one about keys")),
        }
    }

    async fn open_signing(&self, password_b: Password, minutes: u32) -> Result<Outcome, Failure> {
        if !(1..=SIGNING_MINUTES_MAX).contains(&minutes) {
            let words = format!("password B can be open for 1 to {SIGNING_MINUTES_MAX} minutes");
            return Err(Failure::not_possible(words));
        }
        let lasts = Duration::from_secs(u64::from(minutes) * 60);
        self.keep.open_signing(password_b.0, lasts).await?;
        Ok(Outcome::Done)
    }

    async fn download(&self) -> Result<Outcome, Failure> {
        let line = self.center.line().await?;
        let offered = join::take_kit(&self.keep, &line).await?;
        let build = offered.builds.iter().find(|build| kit::is_newer(build));
        let build = build.ok_or_else(|| {
            let words = format!("the center offers no newer {} for {}", crate::cmd::PROGRAM, kit::platform());
            Failure::not_found(words)
        })?;
        let path = kit::download(&line, build, &self.profile.data().join("builds"), |have| {
            self.downloads.send_replace((have, build.length));
        })
        .await?;
        Ok(Outcome::Build(path))
    }

    async fn keys(&self) -> Result<Outcome, Failure> {
        if self.keep.book().identity.is_some()
            && let Err(failure) = self.center.line().await
        {
            tracing::info!("the keys are shown without asking the center: {failure}");
        }
        let (roles, recovery, deposited, copy_due, locked) = self
            .keep
            .vault(|vault| {
                let roles = [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery]
                    .map(|role| (role, vault.in_use(role), vault.waiting(role)));
                let (deposited, due) = (vault.deposited_at(), vault.copy_is_due());
                (roles, vault.recovery(), deposited, due, vault.keys_locked())
            })
            .await?;
        let stated = self.center.stated();
        let book = self.keep.book();
        let keys = roles.into_iter().map(|(role, own, waits)| {
            let event = book.custody.event(role);
            let words = match (own, event) {
                (None, None) => "there is none".to_owned(),
                (Some(_), None) => "the center has not stated it yet".into(),
                (own, Some(event)) if own.is_some() && event.key == own => {
                    format!("in force since {}", event.entry)
                }
                (_, Some(KeyEvent { entry, key: None, .. })) => format!("revoked by {entry}"),
                (_, Some(event)) => format!("the center has another in force since {}", event.entry),
            };
            KeyRow {
                role: role_name(role).to_owned(),
                key: own.map(|key| key.fingerprint()),
                waits: waits.map(|key| key.fingerprint()),
                words,
            }
        });
        let chain = book
            .custody
            .chain
            .iter()
            .enumerate()
            .map(|(at, event)| event_row(&book.custody.chain[..at], event));
        Ok(Outcome::Keys(Box::new(KeysView {
            keys: keys.collect(),
            chain: chain.collect(),
            recovery: recovery.map(Into::into),
            waiting: stated.waiting.map(|waiting| (waiting.key.fingerprint(), waiting.from.into())),
            held: stated.held.map(Moment::from),
            deposited: deposited.map(Moment::from),
            copy_due,
            locked,
        })))
    }
}

/// The stable name of a role in JSON and on the command line.
fn role_name(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Signature => "signature",
        KeyRole::Terminal => "terminal",
        KeyRole::Recovery => "recovery",
    }
}

/// What an event was, seen after those before it.
fn event_row(before: &[KeyEvent], event: &KeyEvent) -> KeyEventRow {
    let first = !before.iter().any(|other| other.role == event.role);
    let words = match (&event.key, first) {
        (None, _) => format!("{} revoked", role_words(event.role)),
        (Some(_), true) => format!("first {}", role_words(event.role)),
        (Some(_), false) => format!("new {}", role_words(event.role)),
    };
    KeyEventRow {
        entry: event.entry,
        role: role_name(event.role).to_owned(),
        key: event.key.map(|key| key.fingerprint()),
        words,
    }
}

/// A recovery phrase as typed.
fn read_phrase(typed: &SecretString) -> Result<RecoveryPhrase, Failure> {
    RecoveryPhrase::parse(typed).map_err(Failure::not_possible)
}
