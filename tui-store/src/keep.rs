//! Vault and book behind one door: what is in the book is on disk.
//!
//! Writers hold the vault while they append, sync and bring the book up; readers see the book only, for an instant.
//! Writing happens on blocking threads and goes to its end even when whoever asked for it has gone.

use std::{
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, Instant},
};

use secrecy::SecretString;
use tokio::sync::Notify;
use vault::{Draft, Item, Parcel, SigningSession, Vault};
use wire::{
    id::TelegramId,
    key::{SigningKey, VerificationKey},
    message::{CashierView, Effect, Verdict},
    payload::KeyChange,
    telegram::{Kind, Telegram},
    time::Timestamp,
};

use crate::{
    act::Failure,
    book::Book,
    record::{self, Ending, Purpose, Record},
};

/// The open vault of a store and what it means.
#[derive(Debug)]
pub(crate) struct Keep {
    vault: Mutex<Vault>,
    book: RwLock<Book>,
    changed: Notify,
    terminal_key: RwLock<SigningKey>,
    /// The signature key while password B is open for some minutes, and until when by the clock on the wall.
    session: Mutex<Option<(SigningSession, Timestamp)>>,
    pub(crate) findings: Vec<String>,
}

impl Keep {
    /// Reads what was opened.
    pub(crate) fn new(opening: vault::Opening) -> Result<Arc<Self>, Failure> {
        let vault::Opening { vault, records, findings } = opening;
        let (book, left_out) = Book::read(&vault, &records);
        let findings = findings.iter().map(ToString::to_string).chain(left_out).collect();
        let terminal_key = vault.terminal_key()?.clone();
        Ok(Arc::new(Self {
            vault: Mutex::new(vault),
            book: RwLock::new(book),
            changed: Notify::new(),
            terminal_key: RwLock::new(terminal_key),
            session: Mutex::default(),
            findings,
        }))
    }

    /// The book, for an instant: the guard must not be held across a wait.
    pub(crate) fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in whom the center has entered as cashiers.
    pub(crate) fn compare_cashiers(&self, entered: Vec<CashierView>) {
        self.book.write().unwrap_or_else(PoisonError::into_inner).staff.compare(entered);
        self.touch();
    }

    /// The terminal key in force: line identity, login, offers. It changes when it is rotated.
    pub(crate) fn terminal_key(&self) -> SigningKey {
        self.terminal_key.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The public halves of the signature key and the terminal key. Blocks.
    pub(crate) fn own_keys(&self) -> Result<(VerificationKey, VerificationKey), vault::Error> {
        let signature = self.vault.lock().unwrap_or_else(PoisonError::into_inner).verification_key()?;
        Ok((signature, self.terminal_key().verification_key()))
    }

    /// Signs with the signature key: opened by password B for this act, or by the session while password B is open.
    ///
    /// # Errors
    /// A wrong password; without one, that password B is not open.
    pub(crate) async fn sign<T: Send + 'static>(
        self: &Arc<Self>,
        password_b: Option<SecretString>,
        act: impl FnOnce(&SigningKey) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        match password_b {
            Some(password) => self.vault(move |vault| Ok(vault.unlock_signing(&password)?.act(act))).await?,
            None => {
                let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
                let closed =
                    || Failure::not_possible("password B is not open any more; it is asked for again");
                let (open, _) = session.as_mut().ok_or_else(closed)?;
                open.act(Instant::now(), act).map_err(|_| closed())
            }
        }
    }

    /// Opens password B for a while.
    ///
    /// # Errors
    /// A wrong password.
    pub(crate) async fn open_signing(
        self: &Arc<Self>,
        password_b: SecretString,
        lasts: Duration,
    ) -> Result<(), Failure> {
        let until = Instant::now() + lasts;
        let opened = self.vault(move |vault| vault.unlock_session(&password_b, until)).await??;
        let ms = u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX);
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((opened, Timestamp::now().plus_ms(ms)));
        self.touch();
        Ok(())
    }

    /// Closes password B, and wipes the key.
    pub(crate) fn close_signing(&self) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.touch();
    }

    /// Until when password B is open; a session that is over is wiped here.
    pub(crate) fn signing_until(&self) -> Option<Timestamp> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        if session.as_ref().is_some_and(|(open, _)| open.is_over(Instant::now())) {
            *session = None;
        }
        session.as_ref().map(|(_, until)| *until)
    }

    /// Waits until something was written since the last wait.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Makes whoever waits for a change look again.
    pub(crate) fn touch(&self) {
        self.changed.notify_one();
    }

    /// Runs `work` with the vault on a blocking thread; the book is not brought up.
    pub(crate) async fn vault<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Vault) -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let keep = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            work(&mut keep.vault.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await.map_err(|_| Failure::machine("the vault's writer failed; the log says more"))
    }

    /// Decides under the writer's lock what is to be recorded, and records it: nobody else's record comes between.
    ///
    /// # Errors
    /// What `decide` says; else the disk's failure, after which nothing was recorded.
    pub(crate) async fn record_if<T, E>(
        self: &Arc<Self>,
        decide: impl FnOnce(&Book) -> Result<(Vec<Record>, T), E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Failure> + Send + 'static,
    {
        let keep = self.clone();
        self.vault(move |vault| {
            let (records, decided) = decide(&keep.book())?;
            if records.is_empty() {
                return Ok(decided);
            }
            let drafts: Result<Vec<_>, _> = records.iter().map(Record::draft).collect();
            let first = drafts.and_then(|drafts| vault.append_all(drafts)).map_err(Failure::from)?;
            let mut book = keep.book.write().unwrap_or_else(PoisonError::into_inner);
            for (sequence, record) in (first..).zip(&records) {
                if let Err(words) = book.apply(sequence, record) {
                    // It is on disk and will be named again at the next opening.
                    tracing::error!("record {sequence} is left out: {words}");
                }
            }
            drop(book);
            keep.touch();
            Ok(decided)
        })
        .await
        .unwrap_or_else(|failure| Err(failure.into()))
    }

    /// Records what is already decided.
    pub(crate) async fn record(self: &Arc<Self>, records: Vec<Record>) -> Result<(), Failure> {
        self.record_if(move |_| Ok::<_, Failure>((records, ()))).await
    }

    /// Puts a telegram into the outbox as one that leaves now.
    pub(crate) async fn post(
        self: &Arc<Self>,
        telegram: Telegram,
        beside: Vec<u8>,
        purpose: Purpose,
    ) -> Result<Parcel, Failure> {
        self.outbox(telegram.id(), move |vault| vault.post(telegram, beside, record::encode(&purpose))).await
    }

    /// What waits in the outbox, as it is to be sent or asked about; one that was never sent counts as sent from now.
    pub(crate) async fn parcel(self: &Arc<Self>, id: TelegramId) -> Result<Parcel, Failure> {
        self.outbox(id, move |vault| match vault.outbox().ready(&id) {
            Some(ready) => vault.depart(ready),
            None => vault.outbox().parcel(&id).ok_or(vault::Error::Ended(id)),
        })
        .await
    }

    /// Puts a telegram into the outbox that is sent later.
    pub(crate) async fn put(
        self: &Arc<Self>,
        telegram: Telegram,
        beside: Vec<u8>,
        purpose: Purpose,
    ) -> Result<TelegramId, Failure> {
        let put = move |vault: &mut Vault| vault.put(telegram, beside, record::encode(&purpose));
        // It leaves when a person sends it: `parcel` asks the outbox for the permission again.
        let id = self.vault(put).await??.id();
        self.outbox(id, |_| Ok(())).await?;
        Ok(id)
    }

    /// Ends a telegram with the center's verified answer; a key that waited for it turns in the same write.
    pub(crate) async fn close(self: &Arc<Self>, id: TelegramId, ending: Ending) -> Result<(), Failure> {
        self.outbox(id, move |vault| {
            let turn = turn(vault, &id, &ending);
            match vault.close(id, record::encode(&ending), turn.into_iter().collect()) {
                // Two asked at the same time, and the center says the same to both.
                Err(vault::Error::Ended(_)) => Ok(()),
                closed => closed,
            }
        })
        .await?;
        self.refresh_terminal_key().await
    }

    /// Takes an exported telegram in.
    pub(crate) async fn import(self: &Arc<Self>, file: Vec<u8>) -> Result<TelegramId, Failure> {
        let id = self.vault(move |vault| vault.import(&file)).await??;
        self.outbox(id, |_| Ok(())).await?;
        Ok(id)
    }

    /// After keys have turned in the vault: the line and the counter show the terminal key that is in force.
    pub(crate) async fn refresh_terminal_key(self: &Arc<Self>) -> Result<(), Failure> {
        let key = self.vault(|vault| vault.terminal_key().cloned()).await??;
        *self.terminal_key.write().unwrap_or_else(PoisonError::into_inner) = key;
        self.touch();
        Ok(())
    }

    /// Takes back a telegram that never left, and with it the key that waited for it.
    pub(crate) async fn withdraw(self: &Arc<Self>, id: TelegramId) -> Result<(), Failure> {
        self.outbox(id, move |vault| {
            let asked = vault.outbox().item(&id).and_then(|item| asked_key(&item.telegram));
            vault.withdraw(id)?;
            match asked {
                Some(asked) if asked.key.is_some() && vault.waiting(asked.role) == asked.key => {
                    vault.drop_waiting(asked.role)
                }
                _ => Ok(()),
            }
        })
        .await
    }

    /// All items of the outbox, oldest first.
    pub(crate) async fn items(self: &Arc<Self>) -> Result<Vec<Item>, Failure> {
        self.vault(|vault| vault.outbox().items().cloned().collect()).await
    }

    /// What waits in the outbox, oldest first.
    pub(crate) async fn waiting(self: &Arc<Self>) -> Result<Vec<Item>, Failure> {
        self.vault(|vault| vault.outbox().open().cloned().collect()).await
    }

    /// Changes an item of the outbox and brings the book up to it.
    async fn outbox<T: Send + 'static>(
        self: &Arc<Self>,
        id: TelegramId,
        work: impl FnOnce(&mut Vault) -> Result<T, vault::Error> + Send + 'static,
    ) -> Result<T, Failure> {
        let keep = self.clone();
        self.vault(move |vault| {
            let done = work(vault)?;
            if let Some(item) = vault.outbox().item(&id) {
                let mut book = keep.book.write().unwrap_or_else(PoisonError::into_inner);
                book.absorb(item).map_err(Failure::machine)?;
            }
            keep.touch();
            Ok(done)
        })
        .await?
    }
}

/// What an answer does to the keys: a key that waited for it is in force or dropped; a recovery key that was held for a
/// registration is let go.
fn turn(vault: &Vault, id: &TelegramId, ending: &Ending) -> Option<Draft> {
    let telegram = &vault.outbox().item(id)?.telegram;
    match (telegram.kind, ending) {
        (Kind::Registration, Ending::Registered { .. }) => vault.recovery_registered(),
        (Kind::KeyChange, Ending::Verdict(verdict)) => {
            let asked = asked_key(telegram)?;
            if asked.key.is_none() || vault.waiting(asked.role) != asked.key {
                return None;
            }
            match verdict {
                Verdict::Done { effect: Effect::KeyChangeWaits { .. }, .. } => None,
                Verdict::Done { .. } => vault.in_force(asked.role),
                _ => vault.dropped(asked.role),
            }
        }
        _ => None,
    }
}

/// The change of a key that a telegram asks for.
fn asked_key(telegram: &Telegram) -> Option<KeyChange> {
    (telegram.kind == Kind::KeyChange).then(|| telegram.peek().ok())?
}
