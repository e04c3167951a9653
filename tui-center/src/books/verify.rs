//! `books verify`, and an auditor's look at a journal: at everything that must hold, each thing named.
//!
//! It only reads, so it may run beside the center that writes; a batch that is being written at that moment is not
//! yet part of the books.
//!
//! | part | does |
//! |---|---|
//! | [`run`](mod@run) | the threads: reading, replaying, workers, collecting |
//! | `replay` | decides and applies every entry again |
//! | [`evidence`] | every signature, and that each request is what its evidence says |
//! | `sheets` | from the root key to the key of each checkpoint |
//! | [`trouble`] | what does not hold, and which of it stands first |
//! | [`watch`] | how far it is, and that nobody waits for it any more |
//!
//! Who can write to the disk can make every checksum and every hash of the chain anew. What such a hand can't make anew
//! are signatures: those of members and stores in the evidence, those of the center under the checkpoints. So what it
//! changes is found by the first of these behind the change.

mod evidence;
mod replay;
mod run;
pub(crate) mod sheets;
#[cfg(test)]
mod tests;
pub mod trouble;
pub mod watch;

use std::collections::BTreeMap;

use ledger::State;
use serde::Serialize;
use wire::{id::Digest, key::VerificationKey, merkle::Tree, receipt::Check, sheet::KeySheet, text::Line};

pub(crate) use self::run::Where;
use self::{run::Run, sheets::Sheets, trouble::Troubles};
pub use self::{
    run::{Against, Own},
    trouble::{Respect, Spot, Trouble},
    watch::{Progress, Watch},
};
use super::{
    cabinet::{Cabinet, Standing},
    keyring::Keyring,
    mark::{self, Mark},
    registers::DayTotal,
    shelf::Shelf,
    signing::CheckpointKey,
    snapshot::{self, Head},
};

/// The key by which everything else is believed.
#[derive(Clone, Copy)]
pub enum Trust<'a> {
    /// The center's root key. The key sheets in the journal, proved by it, name the checkpoint keys. Sheets that lie on the
    /// ring beside it help to tell a damaged middle from an end that was never finished.
    Ring(&'a Keyring),
    /// The log's name, and its checkpoint key for each size of the journal. Key sheets are then not looked at.
    Keys {
        /// The log's name.
        origin: &'a Line,
        /// The key for a size.
        key: &'a (dyn Fn(u64) -> Option<VerificationKey> + Sync),
    },
}

/// What came of it.
pub struct Report {
    /// One for each thing that was looked at.
    pub checks: Vec<Check>,
    /// Of all that does not hold, what stands first in the journal.
    pub first: Option<Trouble>,
    /// Whether it was cancelled: then nothing is said of what lies behind.
    pub cancelled: bool,
    /// Whole entries.
    pub entries: u64,
    /// Signatures in their evidence.
    pub signatures: u64,
    /// How many of the entries a checkpoint covers whose signature holds.
    pub covered: u64,
    /// The root of the tree over all of them.
    pub root: Digest,
    /// The books as replayed, up to where they hold.
    pub state: State,
    /// What was booked on each business day, by day and kind.
    pub days: Vec<DayTotal>,
    pub(crate) sheets: Option<Sheets>,
}

/// Counts of what was looked at, for whoever only wants these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Whole entries.
    pub entries: u64,
    /// Signatures in their evidence.
    pub signatures: u64,
    /// How many of the entries a checkpoint covers whose signature holds.
    pub covered: u64,
}

impl Report {
    /// Whether everything that was looked at holds.
    pub fn holds(&self) -> bool {
        !self.cancelled && self.checks.iter().all(|check| check.outcome.is_ok())
    }

    /// The counts.
    pub fn counts(&self) -> Counts {
        Counts { entries: self.entries, signatures: self.signatures, covered: self.covered }
    }
}

/// Looks at books in a folder. It takes as long as their signatures take: two processors verify some fifty thousand in
/// a second.
pub fn verify(at: impl Into<Shelf>, against: &Against<'_>, watch: &Watch) -> Report {
    look(&Where::books(&at.into()), against, watch)
}

/// Looks at a journal, with the books around it where they are there.
pub(crate) fn look(place: &Where, against: &Against<'_>, watch: &Watch) -> Report {
    let mark = place.books.as_ref().map(|books| mark::read(&*place.disk, &books.dir));
    let marked = mark.iter().flatten().next().map(|mark| mark.batch);
    let mut expected: BTreeMap<u64, Vec<(Respect, String, Digest)>> = BTreeMap::new();
    if let Some((size, digest)) = against.own.as_ref().and_then(|own| own.live) {
        let who = "the running center's state".to_owned();
        expected.entry(size).or_default().push((Respect::Replay, who, digest));
    }
    let kept = match (&against.own, &place.books) {
        (Some(own), Some(books)) => Some(Snapshots::of(books, own.sheet)),
        _ => None,
    };
    for head in kept.iter().flat_map(|kept| &kept.heads) {
        let who = "the state in the snapshot".to_owned();
        expected.entry(head.size).or_default().push((Respect::Snapshots, who, head.state()));
    }
    let mut run = run::run(place, against, marked, expected, watch);
    let mut outcomes = Outcomes { run: &mut run, checks: Vec::new() };
    outcomes.journal(against);
    match &mark {
        Some(Some(mark)) => outcomes.mark(against, mark),
        // An auditor's copy need not have it.
        Some(None) if against.own.is_some() => {
            outcomes.tell(Respect::LastSignature, Err("the file `signed` is missing or damaged".into()));
        }
        _ => {}
    }
    if let (Some(kept), false) = (kept, watch.is_cancelled()) {
        let outcome = kept.outcome(&outcomes.run.tree);
        outcomes.tell(Respect::Snapshots, outcome);
    }
    if let Some(own) = &against.own {
        outcomes.registers(own);
        outcomes.people(own.cabinet);
        outcomes.tell(Respect::Cabinet, cabinet_outcome(own.cabinet));
    }
    let Outcomes { checks, .. } = outcomes;
    let cancelled = watch.is_cancelled();
    Report {
        checks,
        first: run.troubles.first().filter(|_| !cancelled).cloned(),
        cancelled,
        entries: run.tree.size(),
        signatures: run.signatures,
        covered: run.covered,
        root: run.tree.root(),
        days: run.projection.days(),
        state: run.state,
        sheets: run.sheets,
    }
}

/// What is said of each respect.
struct Outcomes<'a> {
    run: &'a mut Run,
    checks: Vec<Check>,
}

impl Outcomes<'_> {
    /// Everything that the run itself has looked at.
    fn journal(&mut self, against: &Against<'_>) {
        let run = &*self.run;
        let entries = run.tree.size();
        let (segments, torn) = run.tail.as_ref().map_or((0, 0), |tail| (tail.head.number, tail.torn));
        let mut chain = format!(
            "{entries} entries in {} batches and {segments} segments follow one another, every checksum holds",
            run.batches
        );
        if torn > 0 {
            chain.push_str(&format!("; {torn} bytes behind them are of a batch that is not whole"));
        }
        let sheets = run.sheets.as_ref().map(|sheets| match sheets.newest() {
            Some(newest) if newest.breaks.iter().any(|it| run.tree.root_at(it.size) != Some(it.root)) => {
                Err("the log goes on under another name from entries that this journal does not have".into())
            }
            Some(newest) => {
                Ok(format!("key sheet {} and those before it are signed by the root key", newest.number))
            }
            None => Err("the journal holds no key sheet".to_owned()),
        });
        let notes = format!("{} kept checkpoints bear the center's signature and fit the tree", run.notes);
        let evidence = format!("what {entries} entries ask is what their evidence says");
        let signatures = format!("{} signatures in the evidence hold", run.signatures);
        let decisions = format!("the rules decide {} entries again as they were decided", run.state.next().0);
        let replay = run.state.audit().map_err(|imbalance| imbalance.to_string()).map(|()| {
            match run.met.iter().find(|(respect, ..)| *respect == Respect::Replay) {
                Some((_, who, size)) => format!(
                    "every posting fits, the books balance; {who} at {size} entries is what replay gives"
                ),
                None => {
                    format!("every posting fits, the books balance; state {}", run.state.digest().short())
                }
            }
        });
        self.tell(Respect::Chain, Ok(chain));
        if let (Trust::Ring(_), Some(sheets)) = (&against.trust, sheets) {
            self.tell(Respect::KeySheets, sheets);
        }
        self.tell(Respect::Checkpoints, Ok(notes));
        self.tell(Respect::Evidence, Ok(evidence));
        self.tell(Respect::Signatures, Ok(signatures));
        self.tell(Respect::Decisions, Ok(decisions));
        self.tell(Respect::Replay, replay);
    }

    fn mark(&mut self, against: &Against<'_>, mark: &Mark) {
        let run = &mut *self.run;
        let claimed = mark.note.claimed();
        let key = match (&against.trust, &run.sheets) {
            (Trust::Keys { origin, key }, _) => key(claimed.size).map(|key| ((*origin).clone(), key)),
            (Trust::Ring(_), Some(sheets)) => sheets.at(claimed.size),
            (Trust::Ring(_), None) => None,
        };
        let agrees = (claimed.size, claimed.root) == (mark.size, mark.root)
            && run.tree.root_at(mark.size) == Some(mark.root)
            && run.marked;
        let outcome = run::bears(&mark.note, key).and_then(|()| {
            let size = mark.size;
            if agrees {
                return Ok(format!("the checkpoint signed last covers {size} entries and fits the tree"));
            }
            Err(format!("a checkpoint over {size} entries was signed that this journal does not have"))
        });
        if outcome.is_ok() {
            run.covered = run.covered.max(mark.size);
        }
        self.tell(Respect::LastSignature, outcome);
    }

    fn registers(&mut self, own: &Own<'_>) {
        let outcome = match (&own.registers, self.run.registers.take()) {
            (None, _) => Ok("there are none; the next start makes them anew".to_owned()),
            (Some(picture), _)
                if self.run.tree.root_at(picture.size()).is_some_and(|root| root != picture.root()) =>
            {
                Err("they are those of another journal".to_owned())
            }
            (Some(_), Some(compared)) => compared,
            (Some(_), None) => Err("they could not be compared".to_owned()),
        };
        let helps = |words| format!("{words}; `tui-center books rebuild` makes them anew from the journal");
        self.tell(Respect::Registers, outcome.map_err(helps));
    }

    fn people(&mut self, cabinet: &Cabinet) {
        let (mut kept, mut erased) = (0, 0);
        let mut wrong = None;
        for (entry, digest) in &self.run.people {
            match cabinet.standing(*digest) {
                Ok(Standing::Kept) => kept += 1,
                Ok(Standing::Erased) => erased += 1,
                Ok(Standing::Missing) => {
                    wrong.get_or_insert(format!("the particulars registered by {entry} are missing"));
                }
                Err(error) => {
                    wrong.get_or_insert(format!("registered by {entry}: {error}"));
                }
            }
        }
        let fine =
            format!("the particulars of {kept} registrations are what these bind, {erased} were erased");
        self.tell(Respect::People, wrong.map_or(Ok(fine), Err));
    }

    /// What was found on the way counts before what is said at the end.
    fn tell(&mut self, respect: Respect, outcome: Result<String, String>) {
        let troubles: &mut Troubles = &mut self.run.troubles;
        if let (Err(words), None) = (&outcome, troubles.of(respect)) {
            troubles.beside(respect, words.clone());
        }
        let outcome = match troubles.of(respect) {
            Some(trouble) => Err(trouble.to_string()),
            None => outcome,
        };
        self.checks.push(Check { name: respect.name(), outcome });
    }
}

/// The snapshots of the books, as far as their heads tell.
struct Snapshots {
    shelf: Shelf,
    key: CheckpointKey,
    heads: Vec<Head>,
    unreadable: Option<String>,
}

impl Snapshots {
    fn of(shelf: &Shelf, sheet: &KeySheet) -> Self {
        let key = CheckpointKey::of_sheet(sheet, &[]);
        let mut kept = Self { shelf: shelf.clone(), key, heads: Vec::new(), unreadable: None };
        match snapshot::heads(shelf, &kept.key) {
            Err(error) => kept.unreadable = Some(error.to_string()),
            Ok(heads) => {
                for (size, head) in heads {
                    match head {
                        Ok(head) => kept.heads.push(head),
                        Err(why) => {
                            let words = format!("the one at {size} entries: {why}");
                            kept.unreadable.get_or_insert(words);
                        }
                    }
                }
            }
        }
        kept
    }

    fn is_there(&self, size: u64) -> bool {
        let heads = snapshot::heads(&self.shelf, &self.key).unwrap_or_default();
        heads.iter().any(|(there, _)| *there == size)
    }

    /// Whether each is whole, and of this journal. Its state was held against replay on the way.
    fn outcome(self, tree: &Tree) -> Result<String, String> {
        self.unreadable.clone().map_or(Ok(()), Err)?;
        for head in &self.heads {
            let wrong = |why: String| format!("the one at {} entries: {why}", head.size);
            if tree.root_at(head.size).is_some_and(|root| root != head.root) {
                return Err(wrong("its root is not that of the entries".into()));
            }
            match snapshot::load(&self.shelf, head) {
                Ok(_) => {}
                // A running center removes the oldest when it has written another.
                Err(_) if !self.is_there(head.size) => {}
                Err(why) => return Err(wrong(why)),
            }
        }
        Ok(match self.heads.len() {
            0 => "there are none; a start replays the whole journal".into(),
            count => format!("{count} are whole, signed, and what replay gives at their sizes"),
        })
    }
}

fn cabinet_outcome(cabinet: &Cabinet) -> Result<String, String> {
    match cabinet.spoilt() {
        Ok(spoilt) if spoilt.is_empty() => Ok("everything in it can be opened".into()),
        Ok(spoilt) => Err(spoilt.join("; ")),
        Err(error) => Err(error.to_string()),
    }
}
