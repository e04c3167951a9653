//! Vault and book behind one door: what is in the book is on disk.
//!
//! Writers hold the vault while they append, sync and bring the book up; readers see the book only, for an instant.
//! Writing happens on blocking threads and goes to its end even when whoever asked for it has gone.

use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::Notify;
use vault::{Item, Parcel, Vault};
use wire::{
    id::TelegramId,
    key::{SigningKey, VerificationKey},
    telegram::Telegram,
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
    terminal_key: SigningKey,
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
            terminal_key,
            findings,
        }))
    }

    /// The book, for an instant: the guard must not be held across a wait.
    pub(crate) fn book(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The terminal key: line identity, login, offers.
    pub(crate) fn terminal_key(&self) -> &SigningKey {
        &self.terminal_key
    }

    /// The public halves of the signature key and the terminal key. Blocks.
    pub(crate) fn own_keys(&self) -> Result<(VerificationKey, VerificationKey), vault::Error> {
        let signature = self.vault.lock().unwrap_or_else(PoisonError::into_inner).verification_key()?;
        Ok((signature, self.terminal_key.verification_key()))
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

    /// Ends a telegram with the center's verified answer.
    pub(crate) async fn close(self: &Arc<Self>, id: TelegramId, ending: Ending) -> Result<(), Failure> {
        self.outbox(id, move |vault| match vault.close(id, record::encode(&ending), Vec::new()) {
            // Two asked at the same time, and the center says the same to both.
            Err(vault::Error::Ended(_)) => Ok(()),
            closed => closed,
        })
        .await
    }

    /// Takes back a telegram that never left.
    pub(crate) async fn withdraw(self: &Arc<Self>, id: TelegramId) -> Result<(), Failure> {
        self.outbox(id, move |vault| vault.withdraw(id)).await
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
