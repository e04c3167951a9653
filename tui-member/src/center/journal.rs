//! Holding the center to its journal: what it signed is joined by its own proofs, compared by the hour with what stores
//! show, and kept as evidence where it contradicts itself.

use std::{fs, io::Write as _, path::Path};

use tui_kit::failpoint;
use wire::{
    checkpoint::SignedCheckpoint,
    evidence::{Answered, Evidence},
    sheet::KeySheet,
    terminal::{self, Line, LineError},
    text::Prose,
    time::Timestamp,
};

use super::{Center, Session, failure};
use crate::{
    act::Failure,
    keep::Kept,
    record::{KeyAlarm, Record},
    shop::Counter,
};

/// The folder of evidence beside the vault.
const FOLDER: &str = "evidence";

impl Center {
    /// Has the center prove that everything this vault has seen of its journal is one, this checkpoint included, and only
    /// then keeps the newest. A contradiction is kept as evidence and raises the alarm.
    ///
    /// # Errors
    /// In words; nothing newer is kept then.
    pub(super) async fn join_with(
        &self,
        line: &Line,
        shown: Option<&SignedCheckpoint>,
    ) -> Result<(), Failure> {
        let shown = shown.cloned();
        let chain = self.keep.with(move |kept| {
            if let Some(shown) = &shown {
                kept.book.trail.saw(shown);
            }
            kept.book.trail.chain(Timestamp::now())
        });
        let chain = chain.await;
        if let Err(error) = line.join(&chain, self.patience.answer).await {
            return Err(self.not_joined(error).await?);
        }
        let log = line.sheet.log_origin.clone();
        self.keep
            .with(move |kept| match kept.book.trail.was_joined(&chain, &log) {
                Some(newest) => kept.pin(|center| center.checkpoint = Some(newest.note().to_owned())),
                None => Ok(()),
            })
            .await
    }

    /// The same for what came in receipts since, where enough of it waits or has waited long enough; and takes the hours
    /// that the center has published since. What goes wrong is said by the alarm that it leaves.
    pub(crate) async fn keep_up(&self, session: &Session) {
        let (due, hour) = self
            .keep
            .with(|kept| {
                let now = Timestamp::now();
                (kept.book.trail.is_due(now), kept.book.trail.lacks_hour(now))
            })
            .await;
        if hour && let Err(failure) = self.take_hours(&session.line).await {
            tracing::warn!("taking the hourly checkpoints: {failure}");
        }
        if due && let Err(failure) = self.join_with(&session.line, None).await {
            tracing::warn!("joining checkpoints: {failure}");
        }
    }

    /// Takes the hourly checkpoints that the center has published; they are joined with the rest.
    pub(super) async fn take_hours(&self, line: &Line) -> Result<(), Failure> {
        let hours = line.hours(self.patience.answer).await;
        let hours = match hours {
            Ok(hours) => hours,
            Err(error) => return Err(self.not_joined(error).await?),
        };
        self.compare(line, hours.to_vec()).await.map(drop)
    }

    /// Shows a store the hourly checkpoints, and compares what it shows. A store that has none to show is left alone.
    ///
    /// # Errors
    /// When what the store has from the center contradicts what this vault has from it.
    pub(crate) async fn exchange(&self, session: &Session, store: &Counter) -> Result<(), Failure> {
        let own = self.keep.with(|kept| kept.book.trail.hours()).await;
        let Ok(shown) = store.hours(own).await else { return Ok(()) };
        if self.compare(&session.line, shown.into_vec()).await? {
            self.join_with(&session.line, None).await?;
        }
        Ok(())
    }

    /// Takes in hourly checkpoints that somebody shows; whether any was new.
    async fn compare(&self, line: &Line, shown: Vec<SignedCheckpoint>) -> Result<bool, Failure> {
        let sheet: KeySheet = line.sheet.clone();
        let compared = self.keep.with(move |kept| {
            let (fresh, wrong) = terminal::compare(&mut kept.book.trail, &sheet, &shown);
            let any = !fresh.is_empty();
            fresh.into_iter().try_for_each(|note| kept.append(Record::Hour(note)))?;
            Ok::<_, Failure>((any, wrong))
        });
        let (any, wrong) = compared.await?;
        let Some((known, other)) = wrong else { return Ok(any) };
        let error = line.convicts(&known, &other, Answered::NotAsked);
        let LineError::Evidence(evidence) = &error else { return Err(failure(&error)) };
        let evidence = (**evidence).clone();
        if self.keep.with(move |kept| convict(kept, &evidence)).await? {
            // What is signed next waits until the alarm is acknowledged.
            self.forget().await;
            return Err(failure(&error));
        }
        Ok(any)
    }

    /// What an error means that came instead of a proof. Evidence is kept before anything else is said.
    ///
    /// # Errors
    /// When the evidence can't be kept.
    pub(super) async fn not_joined(&self, error: LineError) -> Result<Failure, Failure> {
        if let LineError::Evidence(evidence) = &error {
            let evidence = (**evidence).clone();
            self.keep.with(move |kept| convict(kept, &evidence)).await?;
        } else if error.is_alarm() {
            self.alarm(error.to_string(), Vec::new()).await?;
        }
        Ok(failure(&error))
    }
}

/// Keeps evidence as a file beside the vault and in it, and raises the alarm, once; whether it was new.
fn convict(kept: &mut Kept, evidence: &Evidence) -> Result<bool, Failure> {
    let name = evidence.file_name();
    let path = kept.vault.path().with_file_name(FOLDER).join(name);
    let content = serde_json::to_vec_pretty(evidence).map_err(Failure::machine)?;
    // The evidence lies in the vault as well: a full disk costs the file, never the alarm.
    let place = match write(&path, &content) {
        Ok(()) => format!("The evidence is in {}: show it to others, and call the center", path.display()),
        Err(error) => format!("The evidence could not be written to {} ({error})", path.display()),
    };
    let said = evidence.to_string();
    if kept.book.custody.was_convicted(&evidence.digest()) {
        return Ok(false);
    }
    failpoint::at("evidence.written");
    let words: String = format!("{said}. {place}").chars().take(wire::limits::PROSE / 12).collect();
    let words = Prose::new(&words).unwrap_or_default();
    let alarm = KeyAlarm { at: Timestamp::now(), words, evidence: wire::codec::encode(evidence) };
    kept.append(Record::Contradiction(alarm))?;
    Ok(true)
}

/// Writes a file whole, in a folder that only the owner reads.
fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let unfinished = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    fs::File::open(folder)?.sync_all()
}
