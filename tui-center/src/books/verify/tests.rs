//! What holds, and every kind of damage: by rot, and by a hand that makes all checksums and hashes anew.

mod forged;
mod rotten;

use std::{fs, path::Path};

use wire::id::EntryNumber;

use super::{Against, Own, Report, Respect, Trust, Watch, verify};
use crate::books::{
    Books, Record, batch,
    cabinet::Cabinet,
    chain,
    disk::RealDisk,
    keyring::Keyring,
    mark::{Mark, MarkFile},
    registers::{Picture, Registers},
    sample::signed::Signed,
    segment,
};

/// Books on a disk, with all that belongs to them.
struct House {
    dir: tempfile::TempDir,
    center: Signed,
    cabinet: Cabinet,
}

impl House {
    fn busy() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let center = Signed::busy(12);
        center.keep(&dir.path().join("books"), 3);
        let cabinet = center.cabinet(&dir.path().join("cabinet"));
        let books = Books::open(&dir.path().join("books"), center.key(), |_| {}).unwrap();
        Registers::rebuild(&dir.path().join("registers"), books.reader()).unwrap().close();
        books.close().unwrap();
        Self { dir, center, cabinet }
    }

    fn books(&self) -> std::path::PathBuf {
        self.dir.path().join("books")
    }

    fn ring(&self) -> Keyring {
        Keyring::new(self.center.root.verification_key(), Vec::new())
    }

    fn look(&self) -> Report {
        let own = Own {
            cabinet: &self.cabinet,
            sheet: &self.center.sheet,
            registers: Picture::resting(&self.dir.path().join("registers")).unwrap(),
            live: Some((self.center.state.next().0, self.center.state.digest())),
        };
        let ring = self.ring();
        let trust = Trust::Ring(&ring);
        verify(&self.books(), &Against { trust, own: Some(own) }, &Watch::default())
    }

    /// The respect and words of what stands first.
    fn first(&self) -> (Respect, String) {
        let report = self.look();
        assert!(!report.holds());
        let first = report.first.expect("something that does not hold");
        (first.respect, first.to_string())
    }

    /// The first entry whose request is of this kind.
    fn entry(&self, is: impl Fn(&Record) -> bool) -> EntryNumber {
        self.center.records.iter().find(|record| is(record)).unwrap().number()
    }
}

/// A journal as a hand with access to the disk makes it: batches with their checkpoints, each checksum and hash right.
struct Forger {
    batches: Vec<(String, Vec<Record>)>,
}

impl Forger {
    fn of(house: &House) -> Self {
        let mut batches = Vec::new();
        let beginning = segment::beginning(&house.center.sheet.log_origin);
        let journal = house.books().join("journal");
        chain::follow(&RealDisk, &journal, beginning, &|_| true, &mut |link| {
            let note = link.batch.checkpoint.map_or_else(String::new, |note| note.note().to_owned());
            batches.push((note, link.batch.records.into_iter().map(|(_, record)| record).collect()));
            Ok(())
        })
        .unwrap();
        Self { batches }
    }

    fn record(&mut self, number: EntryNumber) -> &mut Record {
        let mut records = self.batches.iter_mut().flat_map(|(_, records)| records);
        records.find(|record| record.number() == number).unwrap()
    }

    /// Puts it in the place of the journal, and makes the file `signed` name its last batch.
    fn write(self, house: &House) {
        let journal = house.books().join("journal");
        fs::remove_dir_all(&journal).unwrap();
        fs::create_dir(&journal).unwrap();
        let beginning = segment::beginning(&house.center.sheet.log_origin);
        let (mut first, mut hash, mut bytes) = (0, beginning, Vec::new());
        for (note, records) in self.batches {
            let mut draft = batch::Draft::new(first, &hash, &note);
            for record in &records {
                draft.push(&record.keep().unwrap());
            }
            first += records.len() as u64;
            let finished = draft.finish().0;
            hash = batch::hash(&finished);
            bytes.extend(finished);
        }
        let length = (segment::HEAD + bytes.len()) as u64;
        let head = segment::Head { number: 1, first: 0, bytes: length, previous: beginning };
        let file = segment::create(&RealDisk, &journal, &head).unwrap();
        file.write_all_at(&bytes, segment::HEAD as u64).unwrap();
        let (mut marks, mark) = MarkFile::open(&RealDisk, &house.books()).unwrap();
        marks.write(&Mark { batch: hash, ..mark.unwrap() }).unwrap();
    }
}

fn flip(file: &Path, at: usize) {
    let mut bytes = fs::read(file).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn whole_books_hold_in_every_respect() {
    let house = House::busy();
    let report = house.look();
    let wrong: Vec<_> = report.checks.iter().filter(|check| check.outcome.is_err()).collect();
    assert!(wrong.is_empty() && report.holds(), "{wrong:?}");
    let names: Vec<_> = report.checks.iter().map(|check| check.name).collect();
    for name in [
        "chain",
        "key sheets",
        "checkpoints",
        "evidence",
        "signatures",
        "decisions",
        "replay",
        "last signature",
        "registers",
        "people",
        "cabinet",
    ] {
        assert!(names.contains(&name), "{names:?} without {name}");
    }
    assert_eq!(report.entries, house.center.records.len() as u64);
    assert_eq!(report.covered, report.entries, "the file `signed` covers the last batch");
    // Two registrations of two signatures, a card request, 14 payments, 3 refunds, a void, three changes of keys (two
    // of them with certificate), a cashier, a claim of ten payments.
    assert_eq!(report.signatures, 4 + 1 + 14 + 3 + 1 + (3 + 3 + 2) + 1 + (1 + 2 * 10));
    assert_eq!(report.state.digest(), house.center.state.digest());
}

#[test]
fn who_does_not_wait_any_more_ends_it() {
    let house = House::busy();
    let watch = Watch::default();
    watch.cancel();
    let ring = house.ring();
    let report = verify(&house.books(), &Against { trust: Trust::Ring(&ring), own: None }, &watch);
    assert!(report.cancelled && !report.holds() && report.first.is_none());
}

#[test]
fn another_root_key_proves_nothing() {
    let house = House::busy();
    let stranger = wire::key::SigningKey::from_seed(&[99; 32]).verification_key();
    let ring = Keyring::new(stranger, Vec::new());
    let against = Against { trust: Trust::Ring(&ring), own: None };
    let report = verify(&house.books(), &against, &Watch::default());
    let first = report.first.unwrap();
    assert_eq!(first.respect, Respect::Chain);
    assert!(first.words.contains("this is another center"), "{first}");
}
