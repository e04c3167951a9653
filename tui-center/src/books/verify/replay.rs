//! The part of a verification that goes in order: the rules decide each entry again, and it is applied.
//!
//! Deciding looks at nothing but the books before the entry, the request and the entry's time, all of which the journal
//! has; so every decision there is can be made again. What depended on more (a rate that turned a request away, a clock
//! that was in doubt) never came into the journal.

use std::collections::BTreeMap;

use ledger::{Request, State, decide, decide::admissible};
use wire::id::{CenterId, Digest, EntryNumber};

use super::{
    Trust,
    evidence::{self, Needed},
    run::{Against, Job, Piece},
    sheets::Sheets,
    trouble::{Respect, Troubles},
};
use crate::books::{
    Record,
    registers::{Picture, Projection},
};

/// The books as they grow, and what was found.
pub(super) struct Replay<'a> {
    against: &'a Against<'a>,
    pub(super) state: State,
    pub(super) projection: Projection,
    pub(super) sheets: Option<Sheets>,
    pub(super) troubles: Troubles,
    /// What registrations bind, by their entries.
    pub(super) people: Vec<(EntryNumber, Digest)>,
    /// The states that somebody claims at a size, by that size: who, and its digest.
    expected: BTreeMap<u64, Vec<(Respect, String, Digest)>>,
    /// Those that replay gave.
    pub(super) met: Vec<(Respect, String, u64)>,
    /// How the registers' rows compare, once replay was where they are.
    pub(super) registers: Option<Result<String, String>>,
    center: Option<CenterId>,
    broken: bool,
}

impl<'a> Replay<'a> {
    pub(super) fn new(
        against: &'a Against<'a>,
        expected: BTreeMap<u64, Vec<(Respect, String, Digest)>>,
    ) -> Self {
        let sheets = match &against.trust {
            Trust::Ring(ring) => Some(Sheets::new(*ring.root())),
            Trust::Keys { .. } => None,
        };
        let mut replay = Self {
            against,
            state: State::new(),
            projection: Projection::new(),
            sheets,
            troubles: Troubles::default(),
            people: Vec::new(),
            expected,
            met: Vec::new(),
            registers: None,
            center: None,
            broken: false,
        };
        replay.reached(0);
        replay
    }

    /// Replays a piece, and says what it takes to look at the rest of it.
    pub(super) fn take(&mut self, piece: Piece) -> Job {
        let note = piece.head.as_ref().and_then(|head| {
            let note = head.note.clone()?;
            let size = note.claimed().size;
            let key = match (&self.against.trust, &self.sheets) {
                (Trust::Keys { origin, key }, _) => key(size).map(|key| ((*origin).clone(), key)),
                (Trust::Ring(_), Some(sheets)) => sheets.at(size),
                (Trust::Ring(_), None) => None,
            };
            Some((note, key))
        });
        let mut needed = Vec::with_capacity(piece.records.len());
        for (place, record) in &piece.records {
            needed.push(self.enter(&piece, *place, record));
        }
        Job { center: self.center, note, needed, piece }
    }

    fn enter(&mut self, piece: &Piece, place: u32, record: &Record) -> Needed {
        let entry = &record.entry;
        let spot = || piece.spot(entry.number, place);
        if let Some(Err(words)) = self.sheets.as_mut().map(|sheets| sheets.take(record)) {
            self.troubles.entry(Respect::KeySheets, spot(), words);
        }
        if self.broken {
            return Needed::Unknown;
        }
        let needed = evidence::needed(&self.state, record);
        if let Err(words) = self.decided(record) {
            self.troubles.entry(Respect::Decisions, spot(), words);
        }
        if let Err(imbalance) = self.state.apply(entry) {
            self.troubles.entry(Respect::Replay, spot(), imbalance.to_string());
            // What it was applied to in part is good for nothing more.
            self.broken = true;
            return needed;
        }
        if let (Request::Found(settings), None) = (&entry.request, entry.refusal()) {
            self.center = Some(settings.center);
            if let Trust::Ring(ring) = &self.against.trust
                && ring.root().center() != settings.center
            {
                self.troubles.entry(Respect::KeySheets, spot(), "the founding names another center");
            }
        }
        if let (Request::Register(it), None) = (&entry.request, entry.refusal()) {
            self.people.push((entry.number, it.particulars));
        }
        if let Err(words) = self.projection.take(entry) {
            self.troubles.entry(Respect::Registers, spot(), words);
        }
        self.reached(entry.number.0 + 1);
        needed
    }

    /// Whether the rules say again what was decided.
    fn decided(&self, record: &Record) -> Result<(), String> {
        let entry = &record.entry;
        let again = decide(&self.state, &entry.request, entry.at);
        if again != *entry {
            return Err(if again.decision != entry.decision {
                "the rules decide it otherwise".into()
            } else if again.postings != entry.postings {
                "the rules post it otherwise".into()
            } else {
                "the rules write it otherwise: its number, its time, whom it concerns, or what it follows"
                    .into()
            });
        }
        // The desk may have been behind the entry's time, never ahead of it.
        admissible(&entry.request, entry.at)
    }

    /// Compares what is claimed of this size.
    fn reached(&mut self, size: u64) {
        for (respect, who, digest) in self.expected.remove(&size).unwrap_or_default() {
            if self.state.digest() == digest {
                self.met.push((respect, who, size));
            } else {
                let words = format!("{who} at {size} entries is not the state that replay gives");
                self.troubles.behind(respect, size, words);
            }
        }
        if let Some(picture) = self.picture().filter(|picture| picture.size() == size) {
            self.registers = Some(self.projection.compare(picture));
        }
    }

    /// Those that claim sizes which the journal never reached.
    pub(super) fn end(&mut self) {
        let size = self.state.next().0;
        for (claimed, who) in std::mem::take(&mut self.expected) {
            for (respect, who, _) in who {
                let words =
                    format!("{who} knows {claimed} entries, the journal has {size} that can be replayed");
                self.troubles.beside(respect, words);
            }
        }
        if let Some(picture) = self.picture().filter(|picture| picture.size() > size) {
            let words =
                format!("they know {} entries, the journal has {size} that can be replayed", picture.size());
            self.registers = Some(Err(words));
        }
    }

    fn picture(&self) -> Option<&'a Picture> {
        self.against.own.as_ref()?.registers.as_ref()
    }
}
