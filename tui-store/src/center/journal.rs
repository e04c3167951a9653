//! Holding the center to its journal: what it signed is joined by its own proofs, compared by the hour with what visitors
//! show, and kept as evidence where it contradicts itself.

use std::{
    fs,
    io::Write as _,
    path::Path,
    sync::{Arc, MutexGuard, PoisonError},
};

use wire::{
    bounded::List,
    checkpoint::SignedCheckpoint,
    evidence::{Answered, Evidence},
    limits,
    sheet::KeySheet,
    terminal::{self, Line, LineError, Trail},
    time::Timestamp,
};

use super::{ANSWER_LIMIT, Center, prose};
use crate::{
    act::Failure,
    keep::Keep,
    record::{Notice, Record},
};

/// The folder of evidence beside the vault.
const FOLDER: &str = "evidence";

/// The hourly checkpoints that a visitor and the counter show each other.
pub(crate) type Hours = List<SignedCheckpoint, { limits::HOURS }>;

impl Center {
    /// Begins with the checkpoint that the vault keeps.
    pub(super) fn begin_trail(&self, kept: Option<SignedCheckpoint>) -> Option<SignedCheckpoint> {
        let mut trail = self.trail();
        if let (None, Some(kept)) = (trail.joined(), kept) {
            trail.keep(kept);
        }
        trail.newest().cloned()
    }

    /// A verified receipt came.
    pub(crate) fn saw(&self, checkpoint: &SignedCheckpoint) {
        self.trail().saw(checkpoint);
    }

    /// Has the center prove that everything this store has seen of its journal is one, this checkpoint included, and only
    /// then keeps the newest. A contradiction is kept as evidence and raises the alarm.
    ///
    /// # Errors
    /// In words; nothing newer is kept then.
    pub(super) async fn join_with(
        &self,
        line: &Line,
        shown: Option<&SignedCheckpoint>,
    ) -> Result<(), Failure> {
        let chain = {
            let mut trail = self.trail();
            if let Some(shown) = shown {
                trail.saw(shown);
            }
            trail.chain(Timestamp::now())
        };
        if let Err(error) = line.join(&chain, ANSWER_LIMIT).await {
            return Err(self.not_joined(error).await?);
        }
        let newest = self.trail().was_joined(&chain, &line.sheet.log_origin);
        let Some(newest) = newest else { return Ok(()) };
        let pin = move |vault: &mut vault::Vault| match vault.center().cloned() {
            Some(mut pinned) => {
                pinned.checkpoint = Some(newest.note().to_owned());
                vault.pin_center(&pinned)
            }
            None => Ok(()),
        };
        Ok(self.keep.vault(pin).await??)
    }

    /// The same for what came in receipts and from visitors since, where enough of it waits or has waited long enough; and
    /// takes the hours that the center has published since.
    ///
    /// # Errors
    /// When the center contradicts itself; whatever else goes wrong waits for the next time.
    pub(crate) async fn keep_up(&self, line: &Line) -> Result<(), Failure> {
        let (due, hour) = {
            let (trail, now) = (self.trail(), Timestamp::now());
            (trail.is_due(now), trail.lacks_hour(now))
        };
        if hour {
            self.take_hours(line).await?;
        }
        if due { self.join_with(line, None).await } else { Ok(()) }
    }

    async fn take_hours(&self, line: &Line) -> Result<(), Failure> {
        let hours = match line.hours(ANSWER_LIMIT).await {
            Ok(hours) => hours,
            Err(error) => return Err(self.not_joined(error).await?),
        };
        let sheet = (line.hello.sheet.clone(), line.sheet.clone());
        self.compare(&sheet, &hours).await.map(drop)
    }

    /// Compares the hourly checkpoints that a visitor shows with those of this store, which come back. What is new waits to
    /// be joined by the center; what no key of the center has signed is a stranger's noise.
    ///
    /// # Errors
    /// When the disk fails.
    pub(crate) async fn exchange(&self, shown: &Hours) -> Result<Hours, Failure> {
        let own = self.trail().hours();
        let sheet = self.sheet.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(sheet) = sheet {
            match self.compare(&sheet, shown).await {
                Ok(false) => {}
                // Whoever looks after the line joins it.
                Ok(true) => self.mail.notify_one(),
                Err(failure) => {
                    tracing::error!("a visitor's hourly checkpoints: {failure}");
                    self.renewed.notify_waiters();
                }
            }
        }
        Ok(own)
    }

    /// Takes in hourly checkpoints that somebody shows; whether any was new.
    async fn compare(
        &self,
        (signed, sheet): &(wire::telegram::Telegram, KeySheet),
        shown: &Hours,
    ) -> Result<bool, Failure> {
        let (fresh, wrong) = terminal::compare(&mut self.trail(), sheet, shown);
        let any = !fresh.is_empty();
        if any {
            self.keep.record(fresh.into_iter().map(Record::Hour).collect()).await?;
        }
        let Some((known, other)) = wrong else { return Ok(any) };
        let evidence = Evidence::new(signed.clone(), known, other, Answered::NotAsked, Timestamp::now());
        let words = format!("the center is not believed: {evidence}");
        if convict(&self.keep, evidence).await? { Err(Failure::contradiction(words)) } else { Ok(any) }
    }

    /// What an error means that came instead of a proof. Evidence is kept before anything else is said.
    ///
    /// # Errors
    /// When the evidence can't be kept.
    pub(super) async fn not_joined(&self, error: LineError) -> Result<Failure, Failure> {
        if let LineError::Evidence(evidence) = &error {
            convict(&self.keep, (**evidence).clone()).await?;
        } else if error.is_alarm() {
            self.alarm(&error.to_string(), Vec::new()).await?;
        }
        Ok(error.into())
    }

    fn trail(&self) -> MutexGuard<'_, Trail> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps evidence as a file beside the vault and in it, and raises the alarm, once; whether it was new.
async fn convict(keep: &Arc<Keep>, evidence: Evidence) -> Result<bool, Failure> {
    let content = serde_json::to_vec_pretty(&evidence).map_err(Failure::machine)?;
    let name = evidence.file_name();
    let path = keep.vault(move |vault| vault.path().with_file_name(FOLDER).join(name)).await?;
    let shown = path.display().to_string();
    let written = tokio::task::spawn_blocking(move || write(&path, &content)).await;
    // The evidence lies in the vault as well: a full disk costs the file, never the alarm.
    let place = match written.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        Ok(()) => format!("The evidence is in {shown}: show it to others, and call the center"),
        Err(error) => format!("The evidence could not be written to {shown} ({error})"),
    };
    let words = format!("{evidence}. {place}");
    tracing::error!("{words}");
    let notice =
        Notice { at: Timestamp::now(), words: prose(&words), evidence: wire::codec::encode(&evidence) };
    let digest = evidence.digest();
    keep.record_if(move |book| {
        let known = book.custody.was_convicted(&digest);
        Ok::<_, Failure>((if known { Vec::new() } else { vec![Record::Contradiction(notice)] }, !known))
    })
    .await
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

#[cfg(test)]
mod tests;
