//! `books verify`: looks at everything that must hold, and names each thing it looked at.
//!
//! It only reads, so it may run beside the center that writes; a batch that is being written at that moment is not
//! yet part of the books.

use std::path::Path;

use ledger::{Request, State};
use wire::{
    checkpoint::SignedCheckpoint,
    id::{Digest, EntryNumber},
    key::VerificationKey,
    merkle::Tree,
    receipt::Check,
    text::Line,
};

use super::{
    BooksError, Record,
    cabinet::{Cabinet, Standing},
    chain::{self, Link},
    disk::RealDisk,
    mark, parts, segment,
    shelf::Shelf,
};

/// What the books are held against.
pub struct Against<'a> {
    /// The log's name.
    pub origin: &'a Line,
    /// The sheet's checkpoint key for a size of the journal.
    pub key: &'a dyn Fn(u64) -> Option<VerificationKey>,
    /// The open cabinet; without it, it is not looked at.
    pub cabinet: Option<&'a Cabinet>,
    /// The [`State::digest`] of a running center, and how many entries it had applied.
    pub live: Option<(u64, Digest)>,
}

/// Looks at the books in a folder. They hold if every outcome is `Ok`.
pub fn verify(dir: &Path, against: &Against<'_>) -> Vec<Check> {
    let journal = Shelf::from(dir).journal();
    let mark = mark::read(&RealDisk, dir);
    let mut look = Look::new(against, mark.as_ref().map(|mark| mark.batch));
    let ours = |note: &SignedCheckpoint| look_at_note(against, note).is_ok();
    let followed =
        chain::follow(&RealDisk, &journal, segment::beginning(against.origin), &ours, &mut |link| {
            look.at(&link);
            Ok(())
        });
    let mut checks = vec![look.chain(followed)];
    checks.push(Check { name: "checkpoints", outcome: look.notes_outcome() });
    checks.push(Check { name: "last signature", outcome: look.mark_outcome(mark.as_ref()) });
    checks.push(Check { name: "entries", outcome: look.entries_outcome() });
    checks.push(Check { name: "replay", outcome: look.replay_outcome() });
    if let Some(cabinet) = against.cabinet {
        checks.push(Check { name: "people", outcome: look.people_outcome(cabinet) });
        checks.push(Check { name: "cabinet", outcome: cabinet_outcome(cabinet) });
    }
    checks
}

/// What was seen so far, and the first thing wrong in each respect.
struct Look<'a> {
    against: &'a Against<'a>,
    tree: Tree,
    state: State,
    batches: u64,
    notes: u64,
    note_trouble: Option<String>,
    /// The batch of the mark, until it is seen.
    marked: Option<Digest>,
    entry_trouble: Option<String>,
    replay_trouble: Option<String>,
    live: Option<Digest>,
    people: Vec<(EntryNumber, Digest)>,
}

impl<'a> Look<'a> {
    fn new(against: &'a Against<'a>, marked: Option<Digest>) -> Self {
        Self {
            against,
            tree: Tree::new(),
            state: State::new(),
            batches: 0,
            notes: 0,
            note_trouble: None,
            marked,
            entry_trouble: None,
            replay_trouble: None,
            live: None,
            people: Vec::new(),
        }
    }

    fn at(&mut self, link: &Link) {
        self.batches += 1;
        self.marked = self.marked.filter(|batch| *batch != link.hash);
        match &link.batch.checkpoint {
            Some(note) => {
                self.notes += 1;
                let trouble = self.kept_note(note, link.batch.first).err();
                self.note_trouble = self.note_trouble.take().or(trouble);
            }
            None if link.batch.first > 0 => {
                let words = format!("none is kept before {}", EntryNumber(link.batch.first));
                self.note_trouble.get_or_insert(words);
            }
            None => {}
        }
        for (_, record) in &link.batch.records {
            self.entry(record);
        }
    }

    fn kept_note(&self, note: &SignedCheckpoint, first: u64) -> Result<(), String> {
        look_at_note(self.against, note)?;
        let kept = note.claimed();
        if kept.size == first && kept.root == self.tree.root() && kept.origin == *self.against.origin {
            return Ok(());
        }
        Err(format!("the one kept before {} is not that of the entries", EntryNumber(first)))
    }

    fn entry(&mut self, record: &Record) {
        let entry = &record.entry;
        self.tree.push(parts::leaf(record).hash());
        if let (Request::Register(it), None) = (&entry.request, entry.refusal()) {
            self.people.push((entry.number, it.particulars));
        }
        let sum = ledger::account::sum(&entry.postings);
        if sum != 0 {
            self.entry_trouble.get_or_insert(format!("the postings of {} sum to {sum}", entry.number));
        }
        if self.replay_trouble.is_some() {
            return;
        }
        if let Err(imbalance) = self.state.apply(entry) {
            self.replay_trouble = Some(format!("at {}: {imbalance}", entry.number));
        }
        if self.against.live.is_some_and(|(size, _)| size == entry.number.0 + 1) {
            self.live = Some(self.state.digest());
        }
    }

    fn chain(&self, followed: Result<chain::Tail, BooksError>) -> Check {
        let outcome = match followed {
            Ok(tail) => {
                let segments = tail.head.number;
                Ok(format!(
                    "{} entries in {} batches and {segments} segments follow one another, every checksum holds",
                    tail.next, self.batches
                ))
            }
            Err(error) => Err(format!("{error} (whole so far: {} entries)", self.tree.size())),
        };
        Check { name: "chain", outcome }
    }

    fn notes_outcome(&self) -> Result<String, String> {
        match &self.note_trouble {
            None => {
                Ok(format!("{} kept checkpoints bear the center's signature and fit the tree", self.notes))
            }
            Some(words) => Err(words.clone()),
        }
    }

    fn mark_outcome(&self, mark: Option<&mark::Mark>) -> Result<String, String> {
        let Some(mark) = mark else { return Err("the file `signed` is missing or damaged".into()) };
        look_at_note(self.against, &mark.note)?;
        let claimed = mark.note.claimed();
        let agrees = (claimed.size, claimed.root) == (mark.size, mark.root)
            && self.tree.root_at(mark.size) == Some(mark.root)
            && self.marked.is_none();
        if agrees {
            return Ok(format!("the checkpoint signed last covers {} entries and fits the tree", mark.size));
        }
        Err(format!("a checkpoint over {} entries was signed that this journal does not have", mark.size))
    }

    fn entries_outcome(&self) -> Result<String, String> {
        match &self.entry_trouble {
            None => Ok("the postings of every entry sum to zero".into()),
            Some(words) => Err(words.clone()),
        }
    }

    fn replay_outcome(&self) -> Result<String, String> {
        if let Some(words) = &self.replay_trouble {
            return Err(words.clone());
        }
        self.state.audit().map_err(|imbalance| imbalance.to_string())?;
        match (self.against.live, self.live) {
            (None, _) => Ok(format!("the books balance; state {}", self.state.digest().short())),
            (Some((size, digest)), Some(replayed)) if replayed == digest => {
                Ok(format!("the books balance; replay gives the running center's state at {size} entries"))
            }
            (Some((size, _)), Some(_)) => {
                Err(format!("the running center's state at {size} entries is not the one that replay gives"))
            }
            (Some((size, _)), None) => {
                Err(format!("the running center knows {size} entries, the journal does not"))
            }
        }
    }

    fn people_outcome(&self, cabinet: &Cabinet) -> Result<String, String> {
        let (mut kept, mut erased) = (0, 0);
        for (entry, digest) in &self.people {
            match cabinet.standing(*digest).map_err(|error| format!("registered by {entry}: {error}"))? {
                Standing::Kept => kept += 1,
                Standing::Erased => erased += 1,
                Standing::Missing => {
                    return Err(format!("the particulars registered by {entry} are missing"));
                }
            }
        }
        Ok(format!("the particulars of {kept} registrations are what these bind, {erased} were erased"))
    }
}

fn look_at_note(against: &Against<'_>, note: &SignedCheckpoint) -> Result<(), String> {
    let size = note.claimed().size;
    let key =
        (against.key)(size).ok_or(format!("the key sheet names no checkpoint key for {size} entries"))?;
    note.verify(&key).map(|_| ()).map_err(|error| format!("over {size} entries: {error}"))
}

fn cabinet_outcome(cabinet: &Cabinet) -> Result<String, String> {
    match cabinet.spoilt() {
        Ok(spoilt) if spoilt.is_empty() => Ok("everything in it can be opened".into()),
        Ok(spoilt) => Err(spoilt.join("; ")),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{
        super::{Books, sample},
        *,
    };

    fn names(checks: &[Check]) -> Vec<&str> {
        checks.iter().filter(|check| check.outcome.is_err()).map(|check| check.name).collect()
    }

    #[test]
    fn names_what_does_not_hold() {
        let dir = tempfile::tempdir().unwrap();
        let center = sample::Center::busy(20);
        let cabinet = Cabinet::open(&dir.path().join("cabinet"), &[1; 32]).unwrap();
        for (digest, salt, bytes) in &center.people {
            cabinet.put_person(*digest, salt, bytes).unwrap();
        }
        let books_dir = dir.path().join("books");
        let mut books = Books::create(&books_dir, sample::key(), &center.records[..3]).unwrap();
        for records in center.records[3..].chunks(4) {
            books.append(records).unwrap();
        }
        books.close().unwrap();
        let key = sample::key();
        let own = sample::verification_key();
        let live = Some((center.records.len() as u64, center.state.digest()));
        let against = Against { origin: &key.origin, key: &|_| Some(own), cabinet: Some(&cabinet), live };
        let checks = verify(&books_dir, &against);
        assert_eq!(names(&checks), Vec::<&str>::new(), "{checks:?}");
        assert_eq!(checks.len(), 7);

        let other = Against { key: &|_| None, live: Some((5, Digest([0; 32]))), ..against };
        assert_eq!(names(&verify(&books_dir, &other)), ["checkpoints", "last signature", "replay"]);

        cabinet.erase_person(center.people[0].0).unwrap();
        let checks = verify(&books_dir, &against);
        assert_eq!(names(&checks), Vec::<&str>::new());
        assert!(checks[5].outcome.as_ref().unwrap().ends_with("1 were erased"), "{checks:?}");
        let person = dir.path().join("cabinet/people").join(center.people[1].0.to_string());
        fs::remove_file(person).unwrap();
        assert_eq!(names(&verify(&books_dir, &against)), ["people"]);

        let segment = books_dir.join("journal/000001.seg");
        let mut bytes = fs::read(&segment).unwrap();
        bytes[3_000] ^= 1;
        fs::write(&segment, bytes).unwrap();
        let broken = verify(&books_dir, &against);
        assert_eq!(names(&broken)[..2], ["chain", "last signature"]);
        let words = broken[0].outcome.as_ref().unwrap_err();
        assert!(words.contains("000001.seg at byte") && words.contains("whole so far"), "{words}");
    }
}
