//! `books verify`: each thing that must hold, looked at and named; how far that is, and what came of it last.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use wire::time::Timestamp;

use super::view::Moment;
use crate::{
    books::{
        BooksError,
        keyring::Keyring,
        registers::Picture,
        verify::{Against, Own, Progress, Report, Trust, Watch, verify},
    },
    center::{Center, Custody},
    errors::{Room, Weight},
    places::Places,
};

/// What was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Whether every check holds.
    pub holds: bool,
    /// Whether it was cancelled: then nothing is said of what lies behind.
    pub cancelled: bool,
    /// One for each thing.
    pub checks: Vec<Checked>,
    /// Of all that does not hold, what stands first in the journal, with its place.
    pub first: Option<String>,
    /// Whole entries.
    pub entries: u64,
    /// Signatures in their evidence.
    pub signatures: u64,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// What.
    pub name: String,
    /// Whether it holds.
    pub holds: bool,
    /// What was found, or what is wrong.
    pub words: String,
}

/// How verifying stands, for the overview.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Verifying {
    /// How far it is, while it runs.
    pub running: Option<Running>,
    /// When it ended last.
    pub at: Option<Moment>,
    /// Whether everything held then.
    pub holds: Option<bool>,
    /// What came of it, in words.
    pub words: String,
}

/// How far a verification is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Entries that were looked at.
    pub entries: u64,
    /// Hundredths of the journal that are behind it.
    pub percent: u64,
}

impl From<Progress> for Running {
    fn from(progress: Progress) -> Self {
        Self { entries: progress.entries, percent: progress.percent() }
    }
}

/// The verifications of a running center, one at a time.
#[derive(Debug, Default)]
pub struct Verifier(Mutex<Stand>);

#[derive(Debug, Default)]
struct Stand {
    running: Option<Arc<Watch>>,
    last: Option<(Timestamp, Verified)>,
}

impl Verifier {
    /// How far the one is that runs.
    pub fn progress(&self) -> Option<Progress> {
        self.stand().running.as_ref().map(|watch| watch.progress())
    }

    /// Ends the one that runs; whether there was one.
    pub fn cancel(&self) -> bool {
        let stand = self.stand();
        stand.running.iter().for_each(|watch| watch.cancel());
        stand.running.is_some()
    }

    /// How it stands.
    pub fn verifying(&self, center: &Center) -> Verifying {
        let stand = self.stand();
        let running = stand.running.as_ref().map(|watch| Running::from(watch.progress()));
        let Some((at, last)) = &stand.last else {
            return Verifying {
                running,
                words: "not verified since the start".into(),
                ..Verifying::default()
            };
        };
        Verifying {
            running,
            at: Some(center.local().moment(*at)),
            holds: (!last.cancelled).then_some(last.holds),
            words: last.words(),
        }
    }

    fn begin(&self) -> Option<Arc<Watch>> {
        let mut stand = self.stand();
        if stand.running.is_some() {
            return None;
        }
        let watch = Arc::new(Watch::default());
        stand.running = Some(watch.clone());
        Some(watch)
    }

    fn end(&self, verified: Option<&Verified>) {
        let mut stand = self.stand();
        stand.running = None;
        if let Some(verified) = verified {
            stand.last = Some((Timestamp::now(), verified.clone()));
        }
    }

    fn stand(&self) -> MutexGuard<'_, Stand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Verified {
    /// In a sentence.
    pub fn words(&self) -> String {
        let wrong = || self.checks.iter().find(|check| !check.holds).map(|check| check.words.clone());
        match (self.cancelled, self.holds) {
            (true, _) => "verifying was cancelled".into(),
            (false, true) => {
                format!("{} entries and {} signatures hold", self.entries, self.signatures)
            }
            (false, false) => {
                self.first.clone().or_else(wrong).unwrap_or_else(|| "the books do not hold".into())
            }
        }
    }
}

/// Verifies the books of an open center beside its writer. It takes the time of all signatures in them; call it on a
/// thread that may be kept busy.
///
/// # Errors
/// In words, when they are being verified already.
pub fn running(center: &Center) -> Result<Verified, String> {
    let Some(watch) = center.verifier().begin() else {
        return Err("the books are being verified already".into());
    };
    let ended = Ended(center);
    let speaking = center.speaking();
    let own = Own {
        cabinet: center.cabinet(),
        sheet: speaking.key_sheet(),
        registers: None,
        live: Some({
            // A copy shares what it holds with the original; the desk does not wait while it is looked at.
            let state = center.desk().state().clone();
            (state.next().0, state.digest())
        }),
    };
    let ring = Keyring::new(center.config().root_key, vec![speaking.sheet().clone()]);
    let verified = look(center.places(), &ring, own, center.registers().picture(), &watch);
    drop(ended);
    center.verifier().end(Some(&verified));
    if !verified.holds && !verified.cancelled {
        let words = format!("The books do not hold: {}.", verified.words());
        center.errors().tell(Room::Books, Weight::Alarm, words);
    }
    Ok(verified)
}

/// Verifies books that nobody has open, also when they are too damaged to be opened.
pub fn resting(places: &Places, custody: &Custody, watch: &Watch) -> Verified {
    let own = Own { cabinet: &custody.cabinet, sheet: &custody.key_sheet, registers: None, live: None };
    let ring = Keyring::new(custody.config.root_key, Vec::new());
    look(places, &ring, own, Picture::resting(&places.registers), watch)
}

/// Says that a verification is over, however it ended.
struct Ended<'a>(&'a Center);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.verifier().end(None);
    }
}

fn look(
    places: &Places,
    ring: &Keyring,
    own: Own<'_>,
    registers: Result<Option<Picture>, BooksError>,
    watch: &Watch,
) -> Verified {
    let (registers, unreadable) = match registers {
        Ok(registers) => (registers, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let against = Against { trust: Trust::Ring(ring), own: Some(Own { registers, ..own }) };
    let mut report = verify(&places.books, &against, watch);
    if let Some(words) = unreadable {
        let registers = report.checks.iter_mut().find(|check| check.name == "registers");
        registers.into_iter().for_each(|check| check.outcome = Err(words.clone()));
    }
    verified(&report)
}

fn verified(report: &Report) -> Verified {
    let checks = report.checks.iter().map(|check| {
        let holds = check.outcome.is_ok();
        let (Ok(words) | Err(words)) = &check.outcome;
        Checked { name: check.name.to_owned(), holds, words: words.clone() }
    });
    Verified {
        holds: report.holds(),
        cancelled: report.cancelled,
        checks: checks.collect(),
        first: report.first.as_ref().map(|first| format!("{}: {first}", first.respect.name())),
        entries: report.entries,
        signatures: report.signatures,
    }
}
