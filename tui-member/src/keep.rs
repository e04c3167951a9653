//! The vault and the book over it, kept in step: what is written to the one is applied to the other, and every change
//! is published as a snapshot.

mod rows;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::watch;
use vault::{Draft, Finding, Opening, PinnedCenter, SigningSession, Vault, outbox::Parcel};
use wire::{
    checkpoint::SignedCheckpoint,
    id::TelegramId,
    key::SigningKey,
    message::{Effect, Verdict},
    payload::KeyRole,
    sheet::Invitation,
    telegram::Telegram,
    text::{Line, Prose},
    time::Timestamp,
};

use crate::{
    act::{Failure, FailureKind, Password},
    book::Book,
    record::{Ending, Notice, Purpose, Record},
    view::{Download, LineView, Snapshot},
};

pub(crate) use rows::{drawing, ending_words, funding_row, role_name};

/// The open vault with its book.
pub(crate) struct Kept {
    pub(crate) vault: Vault,
    pub(crate) book: Book,
    /// Password B for a while, and until when by the machine's clock.
    signing: Option<(SigningSession, Timestamp)>,
    findings: Vec<String>,
    changed: bool,
}

/// Shared access to it. The disk is only touched on blocking threads.
#[derive(Clone)]
pub(crate) struct Keep {
    kept: Arc<Mutex<Kept>>,
    snapshots: watch::Sender<Arc<Snapshot>>,
}

impl Keep {
    /// Takes an opened vault and reads everything in it.
    pub(crate) fn new(opening: Opening) -> Self {
        let kept = Kept::new(opening);
        let snapshot = kept.snapshot(0, LineView::Idle);
        Self { kept: Arc::new(Mutex::new(kept)), snapshots: watch::Sender::new(Arc::new(snapshot)) }
    }

    /// Does something with vault and book on a blocking thread, and publishes what it changed. It is done to its end
    /// even when the caller is dropped.
    ///
    /// # Panics
    /// When `work` does.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Kept) -> T + Send + 'static,
    ) -> T {
        let keep = self.clone();
        match tokio::task::spawn_blocking(move || keep.with_now(work)).await {
            Ok(done) => done,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Blocking tasks are only cancelled before they begin, by a runtime that is shutting down, and then
                // nothing polls this.
                Err(_) => std::future::pending().await,
            },
        }
    }

    /// The same on this thread, for callers that may block.
    pub(crate) fn with_now<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> T {
        // A panic in `work` can't leave the vault half written: its records are appended whole.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let done = work(&mut kept);
        if std::mem::take(&mut kept.changed) {
            self.snapshots.send_modify(|snapshot| {
                let now = kept.snapshot(snapshot.generation + 1, snapshot.line.clone());
                *snapshot = Arc::new(Snapshot { download: snapshot.download.clone(), ..now });
            });
        }
        done
    }

    /// Publishes how the line stands.
    pub(crate) fn set_line(&self, line: LineView) {
        self.snapshots.send_if_modified(|snapshot| {
            if snapshot.line == line {
                return false;
            }
            *snapshot =
                Arc::new(Snapshot { generation: snapshot.generation + 1, line, ..(**snapshot).clone() });
            true
        });
    }

    /// Publishes how far a download has come; `None` when none is under way.
    pub(crate) fn set_download(&self, download: Option<Download>) {
        self.snapshots.send_modify(|snapshot| {
            *snapshot =
                Arc::new(Snapshot { generation: snapshot.generation + 1, download, ..(**snapshot).clone() });
        });
    }

    /// The newest snapshot, and those that follow.
    pub(crate) fn snapshots(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.snapshots.subscribe()
    }

    /// The newest snapshot.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshots.borrow().clone()
    }
}

impl Kept {
    fn new(opening: Opening) -> Self {
        let Opening { vault, records, findings } = opening;
        let now = Timestamp::now();
        let mut book = Book::default();
        let mut findings: Vec<String> = findings.iter().map(Finding::to_string).collect();
        // Registration and card requests stand before the records that build on them; payments after their orders.
        let pays = |note: &[u8]| matches!(Purpose::decode(note), Ok(Purpose::Payment { .. }));
        for item in vault.outbox().items().filter(|item| !pays(&item.note)) {
            book.telegram(item, now);
        }
        for record in &records {
            match Record::decode(record.kind, &record.bytes) {
                Ok(Some(record)) => book.apply(record, now),
                Ok(None) => findings.push(format!(
                    "record {} is of kind {}, which this program does not know; a newer one wrote it",
                    record.sequence, record.kind
                )),
                Err(error) => findings.push(format!("record {} is unreadable: {error}", record.sequence)),
            }
        }
        for item in vault.outbox().items().filter(|item| pays(&item.note)) {
            book.telegram(item, now);
        }
        if let Some(note) = vault.center().and_then(|center| center.checkpoint.as_deref())
            && let Ok(checkpoint) = note.parse::<SignedCheckpoint>()
        {
            book.trail.keep(checkpoint);
        }
        Self { vault, book, signing: None, findings, changed: false }
    }

    /// Opens the signature key for one act: with password B, or without it while [`Kept::open_signing`] lasts.
    ///
    /// # Errors
    /// When the password is wrong, or none was given and none is in force.
    pub(crate) fn sign<T>(
        &mut self,
        password_b: Option<&Password>,
        act: impl FnOnce(&SigningKey) -> T,
    ) -> Result<T, Failure> {
        if let Some(password) = password_b {
            let done = self.vault.unlock_signing(&password.0)?.act(act);
            return Ok(done);
        }
        let needed = || Failure::new(FailureKind::WrongPassword, "password B is needed for this");
        let (session, _) = self.signing.as_mut().ok_or_else(needed)?;
        let done = session.act(Instant::now(), act);
        if done.is_err() {
            self.close_signing();
        }
        done.map_err(|_| needed())
    }

    /// Opens the signature key for a while.
    ///
    /// # Errors
    /// When the password is wrong.
    pub(crate) fn open_signing(
        &mut self,
        password_b: &Password,
        lasting: std::time::Duration,
    ) -> Result<(), Failure> {
        let session = self.vault.unlock_session(&password_b.0, Instant::now() + lasting)?;
        let ms = u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX);
        self.signing = Some((session, Timestamp::now().plus_ms(ms)));
        self.changed = true;
        Ok(())
    }

    /// Closes it again; nothing happens when it is closed.
    pub(crate) fn close_signing(&mut self) {
        self.changed |= self.signing.take().is_some();
    }

    /// Closes it when its time is over.
    pub(crate) fn close_signing_if_over(&mut self) {
        if self.signing.as_ref().is_some_and(|(session, _)| session.is_over(Instant::now())) {
            self.close_signing();
        }
    }

    /// Takes an exported telegram into the outbox.
    pub(crate) fn import(&mut self, bytes: &[u8]) -> Result<TelegramId, Failure> {
        let id = self.vault.import(bytes)?;
        self.retell(&id);
        Ok(id)
    }

    /// Something that a snapshot shows has changed outside the records.
    pub(crate) fn touch(&mut self) {
        self.changed = true;
    }

    /// Appends a record, synced, and applies it.
    pub(crate) fn append(&mut self, record: Record) -> Result<(), Failure> {
        self.vault.append_all(vec![record.draft()?])?;
        self.book.apply(record, Timestamp::now());
        self.changed = true;
        Ok(())
    }

    /// Applies a record that says nothing new but its time, without the disk.
    pub(crate) fn refreshed(&mut self, record: Record) {
        self.book.apply(record, Timestamp::now());
        self.changed = true;
    }

    /// Puts a telegram on disk as one that may have left, with one synced write, and hands it out.
    pub(crate) fn post(
        &mut self,
        telegram: Telegram,
        beside: Vec<u8>,
        purpose: Purpose,
    ) -> Result<Parcel, Failure> {
        let parcel = self.vault.post(telegram, beside, purpose.encode())?;
        self.retell(&parcel.id());
        Ok(parcel)
    }

    /// Puts a telegram on disk as one that has not left, and leaves it there until it is sent.
    pub(crate) fn prepare(
        &mut self,
        telegram: Telegram,
        beside: Vec<u8>,
        purpose: Purpose,
    ) -> Result<TelegramId, Failure> {
        let id = self.vault.put(telegram, beside, purpose.encode())?.id();
        self.retell(&id);
        Ok(id)
    }

    /// What waits under this id, to be asked about with exactly its bytes. One that was signed and never left departs
    /// now.
    pub(crate) fn parcel(&mut self, id: &TelegramId) -> Result<Option<Parcel>, Failure> {
        if let Some(ready) = self.vault.outbox().ready(id) {
            let parcel = self.vault.depart(ready)?;
            self.retell(id);
            return Ok(Some(parcel));
        }
        Ok(self.vault.outbox().parcel(id))
    }

    /// Ends a telegram with what was verified, and keeps records that belong to it, in one synced write.
    pub(crate) fn close(
        &mut self,
        id: TelegramId,
        ending: &Ending,
        records: Vec<Record>,
    ) -> Result<(), Failure> {
        // Two tasks may have asked about it; the first answer that was verified has ended it.
        if self.vault.outbox().item(&id).is_some_and(|item| !item.state.is_open()) {
            return Ok(());
        }
        let mut drafts = records.iter().map(Record::draft).collect::<Result<Vec<Draft>, vault::Error>>()?;
        drafts.extend(self.key_turn(&id, ending));
        self.vault.close(id, ending.encode(), drafts)?;
        if self.signing.as_ref().is_some_and(|(session, _)| {
            self.vault.verification_key().is_ok_and(|key| key != session.verification_key())
        }) {
            self.close_signing();
        }
        for record in records {
            self.book.apply(record, Timestamp::now());
        }
        self.retell(&id);
        Ok(())
    }

    /// Keeps a notice once.
    pub(crate) fn note(&mut self, notice: Notice) -> Result<(), Failure> {
        if self.book.has_notice(&notice) { Ok(()) } else { self.append(Record::Notice(notice)) }
    }

    /// Keeps an alarm with its evidence, once.
    pub(crate) fn alarm(&mut self, words: &str, evidence: Vec<u8>) -> Result<(), Failure> {
        let words: String = words.chars().take(wire::limits::PROSE / 12).collect();
        let words = Prose::new(&words).unwrap_or_default();
        self.note(Notice { at: Timestamp::now(), number: None, words, alarm: true, evidence })
    }

    /// Keeps what is newly known of the center, when it is new.
    pub(crate) fn pin(&mut self, change: impl FnOnce(&mut PinnedCenter)) -> Result<(), Failure> {
        let Some(mut center) = self.vault.center().cloned() else {
            return Err(Failure::not_possible("this vault has no center yet; join one first"));
        };
        change(&mut center);
        self.vault.pin_center(&center)?;
        self.changed = true;
        Ok(())
    }

    /// Takes back a telegram that never left.
    pub(crate) fn withdraw(&mut self, id: TelegramId) -> Result<(), Failure> {
        let asked = self
            .vault
            .outbox()
            .item(&id)
            .and_then(|item| item.telegram.peek::<wire::payload::KeyChange>().ok());
        self.vault.withdraw(id)?;
        if let Some(asked) =
            asked.filter(|asked| asked.key.is_some() && self.vault.waiting(asked.role) == asked.key)
        {
            self.vault.drop_waiting(asked.role)?;
        }
        self.retell(&id);
        Ok(())
    }

    /// Whom to connect to.
    pub(crate) fn invitation(&self) -> Result<Invitation, Failure> {
        let center = self.pinned()?;
        let addresses = center.addresses.iter().filter_map(|address| Line::new(address).ok());
        Ok(Invitation { root: center.root, addresses: wire::bounded::List::first(addresses) })
    }

    /// The pinned center.
    pub(crate) fn pinned(&self) -> Result<&PinnedCenter, Failure> {
        self.vault
            .center()
            .ok_or_else(|| Failure::not_possible("this vault has no center yet; join one first"))
    }

    /// The number of the newest key sheet seen; 0 before the first.
    pub(crate) fn sheet_number(&self) -> u64 {
        let sheet = self.vault.center().and_then(|center| center.sheet.as_ref());
        sheet.and_then(|sheet| wire::sheet::KeySheet::peek(sheet).ok()).map_or(0, |sheet| sheet.number)
    }

    /// The record that puts a waiting key in force, or drops it, with the center's word about its telegram.
    fn key_turn(&self, id: &TelegramId, ending: &Ending) -> Option<Draft> {
        let item = self.vault.outbox().item(id)?;
        let asked = item.telegram.peek::<wire::payload::KeyChange>().ok();
        let waits = |role| {
            asked.as_ref().is_some_and(|asked| {
                asked.role == role && asked.key.is_some() && asked.key == self.vault.waiting(role)
            })
        };
        match (Purpose::decode(&item.note).ok()?, ending) {
            (Purpose::Registration, Ending::Registered { .. }) => self.vault.recovery_registered(),
            (Purpose::KeyChange { role }, Ending::Verdict(Verdict::Done { effect, .. })) if waits(role) => {
                // One that waits 72 hours is put in force when the center's chain shows it.
                matches!(effect, Effect::KeyChanged).then(|| self.vault.in_force(role))?
            }
            (Purpose::KeyChange { role }, _) if waits(role) => self.vault.dropped(role),
            (Purpose::KeyCancel, Ending::Verdict(Verdict::Done { .. })) => {
                self.vault.dropped(KeyRole::Recovery)
            }
            _ => None,
        }
    }

    /// Tells the book how a telegram stands now.
    fn retell(&mut self, id: &TelegramId) {
        if let Some(item) = self.vault.outbox().item(id) {
            self.book.telegram(item, Timestamp::now());
        }
        self.changed = true;
    }
}
