//! The hourly checkpoints: once an hour the center signs size and root of its journal together with the hour, for
//! everybody to compare.
//!
//! There is one per hour for good: the note lies in the cabinet before anyone is shown it, and no hour is ever signed that
//! is not later than the newest that lies there, whatever dies and however the clock jumps. While the desk says that the
//! clock jumped, or is stopped, none is signed. An hour in which the center did not run has none.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use wire::{
    bounded::List,
    checkpoint::{Hour, SignedCheckpoint},
    limits,
    time::Timestamp,
};

use crate::{
    books::{BooksError, cabinet::Cabinet},
    center::Center,
    errors::{Room, Weight},
    settlement::Standing,
};

/// How often the clock is looked at.
const TICK: Duration = Duration::from_secs(5);

/// What was published for the newest hours.
pub struct Hours {
    cabinet: Cabinet,
    published: RwLock<Published>,
}

struct Published {
    /// The newest hour that was ever signed, also where its note can't be read any more.
    newest: Option<Hour>,
    notes: Vec<SignedCheckpoint>,
}

impl Hours {
    /// Takes what lies in the cabinet.
    ///
    /// # Errors
    /// When the cabinet can't be read: then none could be signed safely.
    pub(crate) fn open(cabinet: &Cabinet) -> Result<Self, BooksError> {
        let hours = cabinet.hours()?;
        let newest = hours.last().map(|(hour, _)| *hour);
        let notes = hours.into_iter().filter_map(|(_, note)| note).collect();
        Ok(Self { cabinet: cabinet.clone(), published: RwLock::new(Published { newest, notes }) })
    }

    /// The newest, oldest first.
    pub fn newest(&self) -> List<SignedCheckpoint, { limits::HOURS }> {
        let published = self.published.read().unwrap_or_else(PoisonError::into_inner);
        let surplus = published.notes.len().saturating_sub(limits::HOURS);
        List::first(published.notes[surplus..].iter().cloned())
    }

    /// Publishes the checkpoint of an hour, unless it, or one of a later hour, was signed before. Blocks on the disk.
    ///
    /// # Errors
    /// When it can't be kept: then nobody has seen it.
    fn publish(
        &self,
        hour: Hour,
        sign: impl FnOnce(Hour) -> Option<SignedCheckpoint>,
    ) -> Result<(), BooksError> {
        let mut published = self.published.write().unwrap_or_else(PoisonError::into_inner);
        if published.newest.is_some_and(|newest| newest >= hour) {
            return Ok(());
        }
        let Some(note) = sign(hour) else { return Ok(()) };
        self.cabinet.put_hour(hour, &note)?;
        published.newest = Some(hour);
        published.notes.push(note);
        let surplus = published.notes.len().saturating_sub(limits::HOURS);
        for former in published.notes.drain(..surplus).filter_map(|note| note.hour()) {
            self.cabinet.drop_hour(former)?;
        }
        Ok(())
    }

    /// How far the newest hour lies ahead of an instant, in milliseconds.
    fn ahead_ms(&self, now: Timestamp) -> u64 {
        let newest = self.published.read().unwrap_or_else(PoisonError::into_inner).newest;
        newest.map_or(0, |newest| newest.begins().since_ms(now))
    }
}

/// Publishes one checkpoint per hour until the center ends.
pub(crate) async fn follow(center: Center) {
    let mut told = false;
    loop {
        let now = Timestamp::now();
        if matches!(*center.desk().standing().borrow(), Standing::Open) {
            let publishing = center.clone();
            let done = tokio::task::spawn_blocking(move || {
                let sign = |hour| {
                    let newest = publishing.desk().reader().checkpoint();
                    publishing.voice().sign_hour(newest.claimed(), hour)
                };
                publishing.hours().publish(Hour::of(now), sign)
            });
            let words = match done.await {
                Ok(Ok(())) if center.hours().ahead_ms(now) > 0 => Some(
                    "The newest hourly checkpoint is of an hour that this computer's clock has not reached: the clock \
                     was ahead. None is published until then."
                        .to_owned(),
                ),
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("The hour's checkpoint could not be kept: {error}.")),
                Err(_) => Some("The hour's checkpoint failed: an error in the program.".to_owned()),
            };
            if let Some(words) = words.as_ref().filter(|_| !told) {
                center.errors().tell(Room::Books, Weight::Warning, words);
            }
            told = words.is_some();
        }
        tokio::select! {
            () = center.stopping().cancelled() => return,
            () = tokio::time::sleep(TICK) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::{checkpoint::Checkpoint, id::Digest, key::SigningKey, text::Line};

    use super::*;

    fn note(hour: Hour, size: u64) -> SignedCheckpoint {
        let checkpoint = Checkpoint { origin: Line::new("test/log").unwrap(), size, root: Digest([1; 32]) };
        SignedCheckpoint::sign_hour(&checkpoint, hour, &SigningKey::from_seed(&[2; 32]))
    }

    fn open(dir: &std::path::Path) -> Hours {
        Hours::open(&Cabinet::open(dir, &[7; 32]).unwrap()).unwrap()
    }

    #[test]
    fn an_hour_is_signed_once_whatever_dies_and_however_the_clock_jumps() {
        let dir = tempfile::tempdir().unwrap();
        let hours = open(dir.path());
        let at = |hour: u64, size| hours.publish(Hour(hour), move |hour| Some(note(hour, size))).unwrap();
        at(100, 1);
        at(100, 2);
        at(99, 2);
        at(102, 3);
        let kept = vec![note(Hour(100), 1), note(Hour(102), 3)];
        assert_eq!(hours.newest().to_vec(), kept);
        hours.publish(Hour(103), |_| None).unwrap();

        let again = open(dir.path());
        assert_eq!(again.newest().to_vec(), kept, "after a restart");
        again.publish(Hour(102), |_| panic!("never signed again")).unwrap();
        again.publish(Hour(101), |_| panic!("nor one before it")).unwrap();
        assert_eq!(again.ahead_ms(Hour(101).begins()), 60 * 60 * 1000);
        assert_eq!(again.ahead_ms(Hour(103).begins()), 0);
    }

    #[test]
    fn a_note_that_rotted_is_not_signed_anew_and_only_the_newest_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let hours = open(dir.path());
        for hour in 1..=60 {
            hours.publish(Hour(hour), |hour| Some(note(hour, hour.0))).unwrap();
        }
        assert_eq!(hours.newest().len(), limits::HOURS);
        let files = || std::fs::read_dir(dir.path().join("hours")).unwrap().map(|file| file.unwrap().path());
        assert_eq!(files().count(), limits::HOURS);
        std::fs::write(files().max().unwrap(), b"rotten").unwrap();
        let again = open(dir.path());
        assert_eq!(again.newest().len(), limits::HOURS - 1);
        again.publish(Hour(60), |_| panic!("it was signed, whatever it said")).unwrap();
    }
}
