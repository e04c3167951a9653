//! What does not hold, and which of it stands first in the journal.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Serialize;
use wire::id::EntryNumber;

/// In what respect something is looked at, in the order in which it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Respect {
    /// Segments, checksums, each batch's hash in the next.
    Chain,
    /// The root key's signature under each key sheet.
    KeySheets,
    /// The checkpoints that the journal keeps: their signatures, and that they are the tree's.
    Checkpoints,
    /// The file `signed`.
    LastSignature,
    /// What an entry asks is what its evidence says.
    Evidence,
    /// Every signature in the evidence.
    Signatures,
    /// The rules decide again what was decided.
    Decisions,
    /// Every posting, and the books that replay gives.
    Replay,
    /// The snapshots from which a start begins.
    Snapshots,
    /// The registers' rows.
    Registers,
    /// The particulars that registrations bind.
    People,
    /// Everything else that lies in the cabinet.
    Cabinet,
}

impl Respect {
    /// A name for lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chain => "chain",
            Self::KeySheets => "key sheets",
            Self::Checkpoints => "checkpoints",
            Self::LastSignature => "last signature",
            Self::Evidence => "evidence",
            Self::Signatures => "signatures",
            Self::Decisions => "decisions",
            Self::Replay => "replay",
            Self::Snapshots => "snapshots",
            Self::Registers => "registers",
            Self::People => "people",
            Self::Cabinet => "cabinet",
        }
    }
}

/// Where in the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Spot {
    /// The entry; of a batch's head the first one behind it.
    pub entry: EntryNumber,
    /// The segment file.
    pub file: PathBuf,
    /// The byte in it at which the record or batch begins.
    pub offset: u64,
}

/// Something that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// In what respect.
    pub respect: Respect,
    /// Where; nothing for what is no place in the journal.
    pub spot: Option<Spot>,
    /// What, in words.
    pub words: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.spot {
            Some(Spot { entry, file, offset }) => {
                let file = file.file_name().unwrap_or(file.as_os_str()).display();
                write!(f, "{entry} ({file} at byte {offset}): {}", self.words)
            }
            None => f.write_str(&self.words),
        }
    }
}

/// The first trouble in each respect. The order in which they are found is of no account.
#[derive(Debug, Default)]
pub(super) struct Troubles(BTreeMap<Respect, ((u64, u8), Trouble)>);

impl Troubles {
    /// Takes note of a trouble with an entry.
    pub(super) fn entry(&mut self, respect: Respect, spot: Spot, words: impl Into<String>) {
        // A batch's head stands before the entries that follow it.
        let place = (spot.entry.0, 1);
        self.note(place, Trouble { respect, spot: Some(spot), words: words.into() });
    }

    /// Takes note of a trouble with the head of a batch.
    pub(super) fn batch(&mut self, respect: Respect, spot: Spot, words: impl Into<String>) {
        let place = (spot.entry.0, 0);
        self.note(place, Trouble { respect, spot: Some(spot), words: words.into() });
    }

    /// Takes note of a trouble behind so many whole entries.
    pub(super) fn behind(&mut self, respect: Respect, entries: u64, words: impl Into<String>) {
        self.note((entries, 0), Trouble { respect, spot: None, words: words.into() });
    }

    /// Takes note of a trouble beside the journal.
    pub(super) fn beside(&mut self, respect: Respect, words: impl Into<String>) {
        self.note((u64::MAX, u8::MAX), Trouble { respect, spot: None, words: words.into() });
    }

    pub(super) fn join(&mut self, other: Self) {
        for (place, trouble) in other.0.into_values() {
            self.note(place, trouble);
        }
    }

    pub(super) fn of(&self, respect: Respect) -> Option<&Trouble> {
        self.0.get(&respect).map(|(_, trouble)| trouble)
    }

    /// The one that stands first in the journal; what lies beside it comes last.
    pub(super) fn first(&self) -> Option<&Trouble> {
        self.0.values().min_by_key(|(place, trouble)| (*place, trouble.respect)).map(|(_, trouble)| trouble)
    }

    fn note(&mut self, place: (u64, u8), trouble: Trouble) {
        let former = self.0.get(&trouble.respect);
        if former.is_none_or(|(at, _)| place < *at) {
            self.0.insert(trouble.respect, (place, trouble));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(entry: u64) -> Spot {
        Spot { entry: EntryNumber(entry), file: "journal/000001.seg".into(), offset: 72 }
    }

    #[test]
    fn the_first_in_the_journal_counts_whenever_it_is_found() {
        let mut troubles = Troubles::default();
        troubles.beside(Respect::Cabinet, "torn");
        troubles.entry(Respect::Replay, spot(9), "late");
        troubles.entry(Respect::Replay, spot(5), "early");
        troubles.entry(Respect::Replay, spot(7), "between");
        assert_eq!(troubles.of(Respect::Replay).unwrap().words, "early");
        let mut others = Troubles::default();
        others.batch(Respect::Checkpoints, spot(5), "false");
        others.behind(Respect::Chain, 6, "cut");
        troubles.join(others);
        let first = troubles.first().unwrap();
        assert_eq!(first.to_string(), "T-000005-9 (000001.seg at byte 72): false");
        assert_eq!(troubles.of(Respect::Chain).unwrap().to_string(), "cut");
    }
}
