//! The checkpoints that a terminal has seen, and how they are held together.
//!
//! A terminal keeps the newest checkpoint that is *joined*: every other that it has ever taken as true is joined to it by a
//! consistency proof. What it sees meanwhile, in receipts, at a login, or from another terminal, is *loose* until the
//! center has proved that it belongs to the same journal. It asks for these proofs in groups: at every login, and later
//! only when [`Trail::is_due`]; never once per payment.
//!
//! Beside them it remembers what the center published for each of the last hours, and compares it with what other
//! terminals show.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{Line, LineError};
use crate::{
    bounded::List,
    checkpoint::{Hour, SignedCheckpoint},
    evidence::{self, Answered, Evidence, contradiction},
    id::{AccountNumber, EntryNumber},
    limits, merkle,
    message::{Answer, Problem, ProblemKind, Request},
    sheet::{KeySheet, SheetRole},
    statement::{Parties, TextReceipt},
    text,
    time::Timestamp,
};

/// How long loose checkpoints may wait for their proof while a line is there.
const JOIN_EVERY_MS: u64 = 10 * 60 * 1000;
/// How many may wait.
const LOOSE_DUE: usize = 512;
/// How many are remembered, should no line come for long: the oldest are forgotten first.
const LOOSE_MAX: usize = 4 * LOOSE_DUE;

/// What a terminal has seen of its center's journal. Everything handed in was verified under the key sheet.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    joined: Option<SignedCheckpoint>,
    loose: VecDeque<SignedCheckpoint>,
    hours: BTreeMap<Hour, SignedCheckpoint>,
    asked: Timestamp,
}

/// What became of an hourly checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// It was known, or says nothing that could be compared.
    Known,
    /// It is remembered now, and waits to be joined.
    New,
    /// It contradicts one that was known: that one.
    Contradicts(SignedCheckpoint),
}

impl Trail {
    /// Begins with what is kept. What is loose and no larger was joined before it was kept.
    pub fn keep(&mut self, joined: SignedCheckpoint) {
        self.loose.retain(|note| note.claimed().size > joined.claimed().size);
        self.joined = Some(joined);
    }

    /// The newest checkpoint that everything else was joined to.
    pub fn joined(&self) -> Option<&SignedCheckpoint> {
        self.joined.as_ref()
    }

    /// The newest that was seen, joined or not: what is presented at a login.
    pub fn newest(&self) -> Option<&SignedCheckpoint> {
        self.joined.iter().chain(&self.loose).max_by_key(|note| note.claimed().size)
    }

    /// A checkpoint was seen.
    pub fn saw(&mut self, note: &SignedCheckpoint) {
        let same = |known: &SignedCheckpoint| known.claimed() == note.claimed();
        if self.joined.iter().chain(self.loose.iter().rev()).any(same) {
            return;
        }
        if self.loose.len() >= LOOSE_MAX {
            self.loose.pop_front();
        }
        self.loose.push_back(note.clone());
    }

    /// An hourly checkpoint was seen. Of those older than all that are remembered nothing is kept.
    pub fn saw_hour(&mut self, note: &SignedCheckpoint) -> Told {
        let Some(hour) = note.hour() else { return Told::Known };
        if let Some(known) = self.hours.values().find(|known| contradiction(known, note).is_some()) {
            return Told::Contradicts(known.clone());
        }
        let oldest = self.hours.first_key_value().map(|(oldest, _)| *oldest);
        let full = self.hours.len() >= limits::HOURS;
        if self.hours.contains_key(&hour) || full && oldest.is_some_and(|oldest| hour < oldest) {
            return Told::Known;
        }
        if full {
            self.hours.pop_first();
        }
        self.hours.insert(hour, note.clone());
        self.saw(note);
        Told::New
    }

    /// The hourly checkpoints that are remembered, oldest first: what other terminals are shown.
    pub fn hours(&self) -> List<SignedCheckpoint, { limits::HOURS }> {
        List::first(self.hours.values().cloned())
    }

    /// Whether the newest remembered hour is over: the center has published another since.
    pub fn lacks_hour(&self, now: Timestamp) -> bool {
        self.hours.last_key_value().is_none_or(|(newest, _)| *newest < Hour::of(now))
    }

    /// Whether what is loose should be joined now, by the terminal's clock.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let waited = now.since_ms(self.asked) >= JOIN_EVERY_MS || now < self.asked;
        !self.loose.is_empty() && (waited || self.loose.len() >= LOOSE_DUE)
    }

    /// Whether anything is loose.
    pub fn is_loose(&self) -> bool {
        !self.loose.is_empty()
    }

    /// Everything that is to hold together, for [`Line::join`]; begins a new wait.
    pub fn chain(&mut self, now: Timestamp) -> Vec<SignedCheckpoint> {
        self.asked = now;
        self.joined.iter().chain(&self.loose).cloned().collect()
    }

    /// A chain was joined on a line whose log has this name. What comes back is the newest of it, which is to be kept
    /// durably; `None` where it is kept. What is of a log that was broken off is let go.
    pub fn was_joined(&mut self, chain: &[SignedCheckpoint], log: &text::Line) -> Option<SignedCheckpoint> {
        let held = |note: &SignedCheckpoint| chain.iter().any(|held| held.claimed() == note.claimed());
        self.loose.retain(|note| note.claimed().origin == *log && !held(note));
        let ours = chain.iter().filter(|note| note.claimed().origin == *log);
        let newest = ours.max_by_key(|note| note.claimed().size)?;
        let newer = |kept: &SignedCheckpoint| {
            kept.claimed().origin != *log || newest.claimed().size > kept.claimed().size
        };
        if self.joined.as_ref().is_none_or(newer) {
            self.joined = Some(newest.clone());
            return self.joined.clone();
        }
        None
    }
}

impl Line {
    /// Has the center prove that checkpoints are of one journal, each going on from the one before; their order does not
    /// matter. Those of a log that was broken off must be the beginning of the one in force, up to where it goes on; what
    /// was signed beyond is lost, and nothing can be proved of it.
    ///
    /// # Errors
    /// [`LineError::Evidence`] when two contradict each other, or the center does not join them; [`LineError::Problem`]
    /// when it is too busy to answer now.
    pub async fn join(&self, checkpoints: &[SignedCheckpoint], limit: Duration) -> Result<(), LineError> {
        let stands = |note: &&SignedCheckpoint| {
            let claimed = note.claimed();
            claimed.origin == self.sheet.log_origin
                || self.broken_off(claimed).is_some_and(|it| claimed.size <= it.size)
        };
        let mut chain: Vec<&SignedCheckpoint> = checkpoints.iter().filter(stands).collect();
        chain.sort_by_key(|note| note.claimed().size);
        let contradict = |pair: &&[&SignedCheckpoint]| contradiction(pair[0], pair[1]).is_some();
        if let Some(pair) = chain.windows(2).find(contradict) {
            return Err(self.convicts(pair[0], pair[1], Answered::NotAsked));
        }
        let same = |a: &SignedCheckpoint, b: &SignedCheckpoint| {
            (a.claimed().size, a.claimed().root) == (b.claimed().size, b.claimed().root)
        };
        let apart = |pair: &&[&SignedCheckpoint]| !same(pair[0], pair[1]);
        let pairs: Vec<&[&SignedCheckpoint]> = chain.windows(2).filter(apart).collect();
        for group in pairs.chunks(limits::PROOFS) {
            self.join_group(group, limit).await?;
        }
        Ok(())
    }

    async fn join_group(&self, pairs: &[&[&SignedCheckpoint]], limit: Duration) -> Result<(), LineError> {
        let sizes = pairs.iter().map(|pair| (pair[0].claimed().size, pair[1].claimed().size));
        let request = Request::Consistency(List::first(sizes));
        let absent = |words: Problem| self.convicts(pairs[0][0], pairs[0][1], Answered::Refused(words.words));
        let proofs = match self.call(request, limit).await {
            Ok(Answer::Consistency(proofs)) if proofs.len() == pairs.len() => proofs,
            Ok(_) => {
                return Err(absent(Problem::new(ProblemKind::Malformed, "something else than was asked")));
            }
            Err(LineError::Problem(problem)) if is_no_answer(problem.kind) => return Err(absent(problem)),
            Err(error) => return Err(error),
        };
        for (pair, proof) in pairs.iter().zip(proofs) {
            let Some(proof) = proof else {
                let words = Problem::new(ProblemKind::NotFound, "the journal never had such sizes");
                return Err(self.convicts(pair[0], pair[1], Answered::Refused(words.words)));
            };
            let (old, new) = (pair[0].claimed(), pair[1].claimed());
            if merkle::verify_consistency(old.size, new.size, &proof, &old.root, &new.root).is_err() {
                return Err(self.convicts(pair[0], pair[1], Answered::Wrong(proof)));
            }
        }
        Ok(())
    }

    /// The newest hourly checkpoints, verified.
    ///
    /// # Errors
    /// [`LineError::Contradiction`] where one is not what the center signs, or is no hour's.
    pub async fn hours(
        &self,
        limit: Duration,
    ) -> Result<List<SignedCheckpoint, { limits::HOURS }>, LineError> {
        let hours = expect!(self, Request::Hours, limit, Answer::Hours(hours) => hours)?;
        for note in &hours {
            self.check_checkpoint(note).map_err(LineError::Contradiction)?;
            if note.hour().is_none() {
                return Err(LineError::Contradiction("it published a checkpoint for no hour".into()));
            }
        }
        Ok(hours)
    }

    /// The receipt of an entry as text under the center's signature, verified.
    ///
    /// # Errors
    /// [`LineError::Contradiction`] when receipt, text and signature do not agree.
    pub async fn text_receipt(
        &self,
        account: AccountNumber,
        entry: EntryNumber,
        limit: Duration,
    ) -> Result<TextReceipt, LineError> {
        let (receipt, signature) = expect!(
            self, Request::TextReceipt { entry }, limit,
            Answer::TextReceipt { receipt, signature } => (receipt, signature)
        )?;
        let doubt = |error: &dyn std::fmt::Display| LineError::Contradiction(error.to_string());
        self.check_receipt(&receipt).map_err(|error| doubt(&error))?;
        if receipt.leaf.entry != entry {
            return Err(doubt(&format!("it sent the text of another entry than {entry}")));
        }
        let statement = self.sheet.current(SheetRole::Statement);
        let statement = statement.ok_or_else(|| doubt(&"the key sheet names no statement key"))?;
        let parties =
            Parties { center: &self.hello.name, root: self.root(), currency: self.hello.currency, account };
        parties.take(&receipt, &statement, signature).map_err(|error| doubt(&error))
    }

    /// What convicts the center: two of its checkpoints, with what it answered when it was asked to join them.
    pub fn convicts(
        &self,
        first: &SignedCheckpoint,
        second: &SignedCheckpoint,
        answered: Answered,
    ) -> LineError {
        let sheet = self.hello.sheet.clone();
        let (first, second) = (first.clone(), second.clone());
        LineError::Evidence(Box::new(Evidence::new(sheet, first, second, answered, Timestamp::now())))
    }
}

/// Whether a problem is the center's last word: one that has too much to do now may be asked again.
fn is_no_answer(kind: ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::Malformed | ProblemKind::NotFound | ProblemKind::NotAllowed | ProblemKind::WrongCenter
    )
}

/// Takes in hourly checkpoints that another terminal shows: whatever does not verify under the sheet is a stranger's
/// noise and passed over. What comes back are those that are new, and the first contradiction.
pub fn compare(
    trail: &mut Trail,
    sheet: &KeySheet,
    shown: &[SignedCheckpoint],
) -> (Vec<SignedCheckpoint>, Option<(SignedCheckpoint, SignedCheckpoint)>) {
    let mut fresh = Vec::new();
    for note in shown.iter().take(limits::HOURS).filter(|note| evidence::verify(note, sheet).is_ok()) {
        match trail.saw_hour(note) {
            Told::Known => {}
            Told::New => fresh.push(note.clone()),
            Told::Contradicts(known) => return (fresh, Some((known, note.clone()))),
        }
    }
    (fresh, None)
}
