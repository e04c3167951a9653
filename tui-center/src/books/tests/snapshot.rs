//! Starting from snapshots: as from the whole journal, whatever became of them.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ledger::State;
use wire::id::{AccountNumber, EntryNumber, StoreNumber};

use super::super::{
    Books, BooksError, CheckpointKey, Memory, Record, Shelf,
    disk::{Disk, DiskFile, How, Lock, RealDisk},
    sample,
    snapshot::{self, Mail, Pace},
};

/// Short segments, so that a few entries need several.
const SEGMENT: u64 = 8192;

/// What a desk would keep: the state, and some mail.
#[derive(Default)]
struct Kept {
    state: State,
    mail: Vec<EntryNumber>,
    followed: u64,
    broken: Option<String>,
}

impl Kept {
    fn mail(&self) -> Mail {
        Mail {
            waiting: vec![(account(), self.mail.clone())],
            acknowledged: vec![(account(), EntryNumber(1))],
        }
    }
}

impl Memory for Kept {
    fn begin(&mut self) {
        *self = Self::default();
    }

    fn resume(&mut self, state: State, mail: Mail) {
        let mail = mail.waiting.into_iter().flat_map(|(_, entries)| entries).collect();
        *self = Self { state, mail, ..Self::default() };
    }

    fn follow(&mut self, record: &Record) {
        self.followed += 1;
        if let Err(imbalance) = self.state.apply(&record.entry) {
            self.broken.get_or_insert(imbalance.to_string());
        }
        if record.entry.concerns.store.is_some() {
            self.mail.push(record.entry.number);
        }
    }

    fn broken(&self) -> Option<String> {
        self.broken.clone()
    }
}

fn account() -> AccountNumber {
    AccountNumber::Store(StoreNumber(1))
}

fn shelf(dir: &Path) -> Shelf {
    Shelf::from(dir).with_segments(SEGMENT).with_snapshots(Pace::Each(1))
}

/// Opens as a desk does.
fn resume(shelf: &Shelf) -> Result<(Books, Kept), BooksError> {
    let mut kept = Kept::default();
    let books = Books::resume(shelf.clone(), sample::key(), &mut kept)?;
    Ok((books, kept))
}

/// What a whole replay gives.
fn replayed(shelf: &Shelf) -> Kept {
    let mut kept = Kept::default();
    drop(Books::open(shelf.clone(), sample::key(), |record| kept.follow(record)).unwrap());
    kept
}

/// Appends records in batches of `batch`, with a snapshot after the batches that `taken` names.
fn append(books: &mut Books, kept: &mut Kept, records: &[Record], batch: usize, taken: &BTreeSet<usize>) {
    for (at, records) in records.chunks(batch).enumerate() {
        books.append(records).unwrap();
        records.iter().for_each(|record| kept.follow(record));
        if taken.contains(&at) {
            let mail = kept.mail();
            books.keeper().keep(kept.state.clone(), || mail, None);
        }
    }
}

/// A center's books with snapshots after 20, 40 and 60 entries, and some entries behind.
fn with_snapshots(dir: &Path) -> Vec<Record> {
    let center = sample::Center::busy(40);
    let mut kept = Kept::default();
    let mut books = Books::create(shelf(dir), sample::key(), &center.records[..4]).unwrap();
    center.records[..4].iter().for_each(|record| kept.follow(record));
    append(&mut books, &mut kept, &center.records[4..], 4, &[3, 8, 13].into());
    assert_eq!(books.keeper().trouble(), None);
    center.records
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let items = fs::read_dir(dir.join("snapshots")).unwrap();
    let mut files: Vec<PathBuf> = items.map(|item| item.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_start_from_a_snapshot_is_as_one_from_the_whole_journal() {
    let dir = tempfile::tempdir().unwrap();
    let records = with_snapshots(dir.path());
    let names: Vec<_> = files(dir.path()).iter().map(|file| file.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["0000000040.snap", "0000000060.snap"], "two are kept");
    let (books, kept) = resume(&shelf(dir.path())).unwrap();
    assert_eq!(books.notices(), [""; 0]);
    assert_eq!((books.opened().snapshot, books.opened().followed), (Some(60), records.len() as u64 - 60));
    assert_eq!(kept.followed, records.len() as u64 - 60);
    let whole = {
        let copy = tempfile::tempdir().unwrap();
        fs::create_dir(copy.path().join("journal")).unwrap();
        for item in fs::read_dir(dir.path().join("journal")).unwrap() {
            let item = item.unwrap();
            fs::copy(item.path(), copy.path().join("journal").join(item.file_name())).unwrap();
        }
        let mut whole = Kept::default();
        let others = Books::open(shelf(copy.path()), sample::key(), |record| whole.follow(record)).unwrap();
        let (one, other) = (books.reader(), others.reader());
        assert_eq!(one.checkpoint(), other.checkpoint());
        for entry in (0..one.size()).map(EntryNumber) {
            assert_eq!(one.read(entry).unwrap(), other.read(entry).unwrap());
            let side = wire::receipt::Side::Center;
            assert_eq!(one.receipt(entry, side).unwrap(), other.receipt(entry, side).unwrap());
        }
        whole
    };
    assert_eq!((kept.state.digest(), &kept.mail), (whole.state.digest(), &whole.mail));
    let found = books
        .reader()
        .search(&super::super::Search { found_max: 1000, examined_max: 1000, ..Default::default() }, |_| {
            true
        });
    assert_eq!(found.unwrap().records.len(), records.len());
    books.close().unwrap();
    let (books, kept) = resume(&shelf(dir.path())).unwrap();
    assert_eq!(
        (books.opened().snapshot, kept.state.digest()),
        (Some(60), whole.state.digest()),
        "after an end"
    );
}

#[test]
fn a_snapshot_tells_the_state_that_replay_gives_at_its_size() {
    let dir = tempfile::tempdir().unwrap();
    let records = with_snapshots(dir.path());
    let heads = snapshot::heads(&shelf(dir.path()), &sample::key()).unwrap();
    assert_eq!(heads.len(), 2);
    for (size, head) in heads {
        let mut state = State::new();
        records[..size as usize].iter().for_each(|record| state.apply(&record.entry).unwrap());
        assert_eq!(head.unwrap().state(), state.digest(), "after {size} entries");
    }
}

/// Wherever a snapshot rots, it is passed over for the older one, and where both have, for the journal.
#[test]
fn a_rotten_snapshot_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let records = with_snapshots(dir.path());
    let expected = replayed(&shelf(dir.path())).state.digest();
    let newest = files(dir.path()).pop().unwrap();
    let whole = fs::read(&newest).unwrap();
    let used: Vec<usize> = (0..1288).step_by(97).chain((4096..whole.len()).step_by(331)).collect();
    for at in used {
        let mut rotten = whole.clone();
        rotten[at] ^= 4;
        fs::write(&newest, &rotten).unwrap();
        let (books, kept) = resume(&shelf(dir.path())).unwrap();
        assert_eq!(books.opened().snapshot, Some(40), "byte {at}");
        assert!(books.notices()[0].starts_with("the snapshot of 60 entries was passed over: "), "byte {at}");
        assert_eq!(kept.state.digest(), expected, "byte {at}");
    }
    for length in [0, 100, 1288, 4096, whole.len() - 1] {
        fs::write(&newest, &whole[..length]).unwrap();
        let (books, kept) = resume(&shelf(dir.path())).unwrap();
        assert_eq!((books.opened().snapshot, kept.state.digest()), (Some(40), expected), "{length} bytes");
    }
    fs::write(files(dir.path()).remove(0), b"nothing").unwrap();
    let (books, kept) = resume(&shelf(dir.path())).unwrap();
    assert_eq!((books.opened().snapshot, books.notices().len()), (None, 2));
    assert_eq!((kept.followed, kept.state.digest()), (records.len() as u64, expected));
}

/// Whoever may write to the disk but has no key makes no snapshot that is believed, and nobody else's is.
#[test]
fn only_the_center_makes_snapshots() {
    let dir = tempfile::tempdir().unwrap();
    with_snapshots(dir.path());
    let other = CheckpointKey::new(sample::key().origin, wire::key::SigningKey::from_seed(&[77; 32]));
    for (size, head) in snapshot::heads(&shelf(dir.path()), &other).unwrap() {
        assert_eq!(head.unwrap_err(), "it does not bear the center's signature", "{size}");
    }
}

/// The journal lost what the center had signed a snapshot over: nothing is opened, from whichever snapshot.
#[test]
fn a_snapshot_ahead_of_the_journal_is_a_fork() {
    let dir = tempfile::tempdir().unwrap();
    let records = with_snapshots(dir.path());
    let older = tempfile::tempdir().unwrap();
    drop(Books::create(shelf(older.path()), sample::key(), &records[..50]).unwrap());
    fs::create_dir(older.path().join("snapshots")).unwrap();
    let newest = files(dir.path()).pop().unwrap();
    fs::copy(&newest, older.path().join("snapshots").join(newest.file_name().unwrap())).unwrap();
    for opened in
        [resume(&shelf(older.path())).err(), Books::open(shelf(older.path()), sample::key(), |_| ()).err()]
    {
        let words = opened.unwrap().to_string();
        assert!(words.contains("a snapshot over 60 entries was signed"), "{words}");
    }
}

/// A snapshot whose state is not that of the journal, signed all the same, as by a program with an error in it.
#[test]
fn a_snapshot_after_which_the_journal_breaks_the_rules_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let center = sample::Center::busy(12);
    let other = sample::Center::busy(13);
    let mut books = Books::create(shelf(dir.path()), sample::key(), &center.records[..20]).unwrap();
    let mut state = State::new();
    other.records[..19].iter().for_each(|record| state.apply(&record.entry).unwrap());
    let mut odd = other.records[19].entry.clone();
    odd.request = center.records[19].entry.request.clone();
    odd.decision = ledger::Decision::Refused(ledger::Refusal::UnknownCard);
    odd.postings.clear();
    state.apply(&odd).unwrap();
    books.keeper().keep(state, Mail::default, None);
    books.append(&center.records[20..]).unwrap();
    drop(books);
    let (books, kept) = resume(&shelf(dir.path())).unwrap();
    assert_eq!(books.opened().snapshot, None, "{:?}", books.notices());
    assert!(books.notices()[0].contains("passed over"), "{:?}", books.notices());
    assert_eq!(kept.state.digest(), center.state.digest());
}

/// A disk that dies after so many calls that change it: the files are as they were then.
struct Dying {
    left: Arc<AtomicU64>,
}

struct DyingFile {
    file: Arc<dyn DiskFile>,
    left: Arc<AtomicU64>,
}

fn lives(left: &AtomicU64) -> io::Result<()> {
    let lived = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
    lived.map(|_| ()).map_err(|_| io::Error::other("the machine is dead"))
}

impl Disk for Dying {
    fn open(&self, path: &Path, how: How) -> io::Result<Arc<dyn DiskFile>> {
        if matches!(how, How::Create | How::Fresh) {
            lives(&self.left)?;
        }
        Ok(Arc::new(DyingFile { file: RealDisk.open(path, how)?, left: self.left.clone() }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        RealDisk.read(path)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        RealDisk.names(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        lives(&self.left)?;
        RealDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        lives(&self.left)?;
        RealDisk.remove(path)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        lives(&self.left)?;
        RealDisk.make_dir(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        lives(&self.left)?;
        RealDisk.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        RealDisk.lock(path)
    }
}

impl DiskFile for DyingFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(bytes, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        // Half of it is still written.
        lives(&self.left).inspect_err(|_| {
            let _ = self.file.write_all_at(&bytes[..bytes.len() / 2], offset);
        })?;
        self.file.write_all_at(bytes, offset)
    }

    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        lives(&self.left)?;
        self.file.sync_data()
    }

    fn sync_all(&self) -> io::Result<()> {
        lives(&self.left)?;
        self.file.sync_all()
    }
}

/// The machine dies at every moment of the writing of a snapshot, and of the removal of the one that it makes too many.
#[test]
fn death_at_any_moment_of_writing_one_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let records = with_snapshots(dir.path());
    let expected = replayed(&shelf(dir.path())).state.digest();
    let (mut newest, mut moments) = (BTreeSet::new(), 0);
    for moment in 0.. {
        let left = Arc::new(AtomicU64::new(u64::MAX));
        let on = Shelf::on(Arc::new(Dying { left: left.clone() }), dir.path())
            .with_segments(SEGMENT)
            .with_snapshots(Pace::Each(1));
        let (books, kept) = resume(&on).unwrap();
        assert!(books.opened().snapshot.is_some(), "{:?}", books.notices());
        assert_eq!(kept.state.digest(), expected, "after death at {moment}");
        assert_eq!(books.notices(), [""; 0]);
        left.store(moment, Ordering::SeqCst);
        let mail = kept.mail();
        books.keeper().keep(kept.state.clone(), || mail, None);
        let died = books.keeper().trouble().is_some();
        left.store(u64::MAX, Ordering::SeqCst);
        drop(books);
        newest.insert(resume(&shelf(dir.path())).unwrap().0.opened().snapshot);
        if !died {
            break;
        }
        moments = moment;
    }
    assert!(moments > 20, "only {moments} moments were tried");
    assert_eq!(newest, [Some(60), Some(records.len() as u64)].into());
    assert!(files(dir.path()).iter().all(|file| file.extension().is_some_and(|it| it == "snap")));
}

/// Whoever changes the form of a snapshot gives it another version.
#[test]
fn the_first_version_s_form_stays() {
    let center = sample::Center::peopled();
    assert_eq!(center.state.digest().to_string(), GOLDEN);
}

const GOLDEN: &str = "bcc2b3417e4ca3b1f504e73fbb7f7ddc2588a5f9478ab27717e69bf0e533068f";
