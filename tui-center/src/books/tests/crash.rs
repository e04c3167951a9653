//! Torn and rotten journals.

use std::{
    fs,
    path::{Path, PathBuf},
};

use wire::id::EntryNumber;

use super::super::{Books, BooksError, Journal, Record, Shelf, batch, disk::RealDisk, mark, sample, segment};

/// Short segments, so that a few entries need several.
const SEGMENT: u64 = 4096;

fn create(dir: &Path, entries: u64) -> Books {
    let mut books =
        Books::create(Shelf::from(dir).with_segments(SEGMENT), sample::key(), &sample::run(0..2)).unwrap();
    for number in 2..entries {
        books.append(&[sample::numbered(number)]).unwrap();
    }
    books
}

fn open(dir: &Path) -> Result<(Books, Vec<Record>), BooksError> {
    let mut seen = Vec::new();
    let books = Books::open(Shelf::from(dir).with_segments(SEGMENT), sample::key(), |record| {
        seen.push(record.clone())
    })?;
    Ok((books, seen))
}

/// Where the last batch lies: its file, where it begins, where it ends.
fn last_batch(dir: &Path) -> (PathBuf, usize, usize) {
    let mut last = None;
    let beginning = segment::beginning(&sample::key().origin);
    super::super::chain::follow(&RealDisk, &dir.join("journal"), beginning, &|_| true, &mut |link| {
        let file = segment::path(&dir.join("journal"), link.segment);
        let begin = link.offset as usize;
        let length = batch::delimit(&fs::read(&file).unwrap()[begin..]).unwrap().len();
        last = Some((file, begin, begin + length));
        Ok(())
    })
    .unwrap();
    last.unwrap()
}

#[test]
fn what_was_appended_is_read_again_after_every_kind_of_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut books = create(dir.path(), 30);
    assert!(segment::numbers(&RealDisk, &dir.path().join("journal")).unwrap().len() > 2, "several segments");
    let checkpoint = books.append(&sample::run(30..33)).unwrap();
    assert_eq!(checkpoint.claimed().size, 33);
    drop(books);
    let (books, seen) = open(dir.path()).unwrap();
    assert_eq!(seen, sample::run(0..33));
    assert_eq!(books.reader().checkpoint(), checkpoint, "one size, one root, one note");
    assert!(books.notices().is_empty(), "{:?}", books.notices());
    books.close().unwrap();
    let length = last_batch(dir.path()).2;
    let (books, _) = open(dir.path()).unwrap();
    books.close().unwrap();
    assert_eq!(last_batch(dir.path()).2, length, "a closing batch is not followed by another");
    let (mut books, _) = open(dir.path()).unwrap();
    books.append(&sample::run(33..35)).unwrap();
    assert_eq!(books.reader().range(EntryNumber(32), 10).unwrap(), sample::run(32..35));
    assert_eq!(books.reader().read(EntryNumber(4)).unwrap(), sample::numbered(4));
    let words = books.reader().read(EntryNumber(35)).unwrap_err().to_string();
    assert_eq!(words, "there is no entry T-000035-6; the journal holds 35 entries");
}

#[test]
fn entries_follow_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let mut books = create(dir.path(), 3);
    let words = books.append(&[sample::numbered(4)]).unwrap_err().to_string();
    assert!(words.contains("the next entry is"), "{words}");
    books.append(&[sample::numbered(3)]).unwrap();
}

#[test]
fn only_one_process_holds_the_books() {
    let dir = tempfile::tempdir().unwrap();
    let books = create(dir.path(), 3);
    let words = open(dir.path()).err().unwrap().to_string();
    assert!(words.contains(&format!("open in process {}", std::process::id())), "{words}");
    assert!(matches!(Books::create(dir.path(), sample::key(), &[]), Err(BooksError::Locked { .. })));
    drop(books);
    assert!(matches!(Books::create(dir.path(), sample::key(), &[]), Err(BooksError::Exists(_))));
    assert!(open(dir.path()).is_ok());
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(open(empty.path()), Err(BooksError::Missing(_))));
}

#[test]
fn another_log_s_name_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path(), 3));
    let mut key = sample::key();
    key.origin = wire::text::Line::new("other.test/books").unwrap();
    assert!(matches!(Books::open(dir.path(), key, |_| ()), Err(BooksError::Damaged { .. })));
}

/// The last batch is cut short at every byte, as a crash in the middle of its write does: it was never answered, and
/// goes; all before it stays, and the journal goes on.
#[test]
fn a_batch_torn_at_any_byte_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let books = create(dir.path(), 5);
    let before = fs::read(dir.path().join("signed")).unwrap();
    drop(books);
    let (mut books, _) = open(dir.path()).unwrap();
    books.append(&sample::run(5..8)).unwrap();
    drop(books);
    let (file, begin, end) = last_batch(dir.path());
    let whole = fs::read(&file).unwrap();
    let end = begin + whole[begin..end].iter().rposition(|byte| *byte != 0).unwrap();
    for cut in begin..=end {
        let mut torn = whole.clone();
        torn[cut..].fill(0);
        if cut % 3 == 0 {
            torn.truncate(cut);
        }
        fs::write(&file, &torn).unwrap();
        fs::write(dir.path().join("signed"), &before).unwrap();
        let (mut books, seen) = open(dir.path()).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        assert_eq!(seen.len(), 5, "cut at {cut}");
        assert_eq!(
            books.notices().len(),
            usize::from(torn[begin.min(torn.len())..].iter().any(|byte| *byte != 0))
        );
        books.append(&[sample::numbered(5)]).unwrap();
        drop(books);
        assert_eq!(open(dir.path()).unwrap().1, sample::run(0..6), "cut at {cut}");
    }
}

/// The same, but its checkpoint was signed: then it is no torn write, and nothing is cut.
#[test]
fn a_signed_batch_is_never_cut() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path(), 5));
    let (file, begin, end) = last_batch(dir.path());
    let whole = fs::read(&file).unwrap();
    for bit in (begin * 8..end * 8).step_by(5) {
        let mut rotten = whole.clone();
        rotten[bit / 8] ^= 1 << (bit % 8);
        fs::write(&file, &rotten).unwrap();
        let words = open(dir.path()).err().unwrap_or_else(|| panic!("bit {bit} went unnoticed")).to_string();
        assert!(words.contains("over 5 entries was signed last, and the journal ends with 4"), "{words}");
        assert_eq!(fs::read(&file).unwrap(), rotten, "nothing was changed");
    }
    fs::write(&file, &whole).unwrap();
    assert_eq!(open(dir.path()).unwrap().1.len(), 5);
}

#[test]
fn damage_in_the_middle_is_told_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path(), 30));
    let (last, begin, end) = last_batch(dir.path());
    for number in segment::numbers(&RealDisk, &dir.path().join("journal")).unwrap() {
        let file = segment::path(&dir.path().join("journal"), number);
        let whole = fs::read(&file).unwrap();
        let used = if file == last { begin } else { whole.iter().rposition(|byte| *byte != 0).unwrap() };
        for bit in (0..used * 8).step_by(41) {
            let mut rotten = whole.clone();
            rotten[bit / 8] ^= 1 << (bit % 8);
            fs::write(&file, &rotten).unwrap();
            // Without a mark, so that the chain alone must notice.
            let mark = fs::read(dir.path().join("signed")).unwrap();
            fs::remove_file(dir.path().join("signed")).unwrap();
            let error =
                open(dir.path()).err().unwrap_or_else(|| panic!("{number}: bit {bit} went unnoticed"));
            assert!(matches!(error, BooksError::Damaged { .. }), "{number}: bit {bit}: {error}");
            assert_eq!(fs::read(&file).unwrap(), rotten, "nothing was changed");
            fs::write(dir.path().join("signed"), mark).unwrap();
        }
        fs::write(&file, &whole).unwrap();
    }
    // Behind the chain's end a wrong bit harms nobody.
    let mut bytes = fs::read(&last).unwrap();
    bytes[end + 3] ^= 0x10;
    fs::write(&last, &bytes).unwrap();
    let (books, seen) = open(dir.path()).unwrap();
    assert_eq!((seen.len(), books.notices().len()), (30, 1));
}

#[test]
fn a_segment_that_is_lost_is_named() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path(), 30));
    let journal = dir.path().join("journal");
    let last = *segment::numbers(&RealDisk, &journal).unwrap().last().unwrap();
    fs::rename(segment::path(&journal, last), dir.path().join("away")).unwrap();
    assert!(matches!(open(dir.path()), Err(BooksError::Forked(_))));
    fs::rename(dir.path().join("away"), segment::path(&journal, last)).unwrap();
    fs::remove_file(segment::path(&journal, 1)).unwrap();
    let words = open(dir.path()).err().unwrap().to_string();
    assert!(words.contains("000001.seg") && words.contains("missing"), "{words}");
}

#[test]
fn an_older_copy_of_the_journal_signs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path(), 5));
    let (file, ..) = last_batch(dir.path());
    let older = fs::read(&file).unwrap();
    let (mut books, _) = open(dir.path()).unwrap();
    books.append(&[sample::numbered(5)]).unwrap();
    drop(books);
    fs::write(&file, &older).unwrap();
    assert!(matches!(open(dir.path()), Err(BooksError::Forked(_))));
    assert_eq!(mark::read(&RealDisk, dir.path()).unwrap().size, 6, "the mark stays");
}

/// A telegram may hold whatever its sender likes, also what looks like a batch, a checkpoint included. When the batch
/// that holds it tears, this must not pass as a later batch.
#[test]
fn bytes_that_only_look_like_a_batch_do_not_keep_the_books_closed() {
    let dir = tempfile::tempdir().unwrap();
    let books = create(dir.path(), 5);
    let note = books.reader().checkpoint();
    let before = fs::read(dir.path().join("signed")).unwrap();
    drop(books);
    let mut forged = super::super::batch::Draft::new(5, &wire::id::Digest([0; 32]), note.note());
    forged.push(&sample::numbered(5).keep().unwrap());
    let forged = forged.finish().0;
    let (mut books, _) = open(dir.path()).unwrap();
    let mut evidence = Vec::new();
    for shift in 0..8 {
        evidence.resize(evidence.len().next_multiple_of(8) + shift, 0);
        evidence.extend_from_slice(&forged);
    }
    books.append(&[Record { evidence, ..sample::numbered(5) }]).unwrap();
    drop(books);
    let (file, begin, _) = last_batch(dir.path());
    let mut torn = fs::read(&file).unwrap();
    torn[begin + 20] ^= 1;
    fs::write(&file, &torn).unwrap();
    fs::write(dir.path().join("signed"), &before).unwrap();
    assert_eq!(open(dir.path()).unwrap().1.len(), 5);
}

#[test]
fn after_a_failed_write_nothing_is_taken_until_the_books_are_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut books = create(dir.path(), 5);
    books.writer.break_disk();
    let words = books.append(&[sample::numbered(5)]).unwrap_err().to_string();
    assert!(words.starts_with("writing the journal's segment"), "{words}");
    assert_eq!(books.reader().size(), 5, "nobody sees what is not durable");
    let words = books.append(&[sample::numbered(5)]).unwrap_err().to_string();
    assert!(words.starts_with("the journal takes no more entries since a write failed"), "{words}");
    Box::new(books).close().unwrap();
    let (mut books, seen) = open(dir.path()).unwrap();
    assert_eq!(seen.len(), 5);
    books.append(&[sample::numbered(5)]).unwrap();
}

#[test]
fn a_segment_that_can_not_be_made_stops_the_journal_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut books = create(dir.path(), 5);
    let (journal, away) = (dir.path().join("journal"), dir.path().join("away"));
    fs::rename(&journal, &away).unwrap();
    let large = Record { evidence: vec![7; 5_000], ..sample::numbered(5) };
    let words = books.append(std::slice::from_ref(&large)).unwrap_err().to_string();
    assert!(words.contains("making the journal's segment"), "{words}");
    fs::rename(&away, &journal).unwrap();
    drop(books);
    let (mut books, _) = open(dir.path()).unwrap();
    books.append(std::slice::from_ref(&large)).unwrap();
    assert_eq!(
        books.reader().read(EntryNumber(5)).unwrap(),
        large,
        "longer than a segment, and read in one piece"
    );
}

#[test]
fn an_interrupted_founding_is_begun_again() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("journal")).unwrap();
    fs::write(dir.path().join("journal/000001.new"), b"half").unwrap();
    assert!(matches!(open(dir.path()), Err(BooksError::Missing(_))));
    let books = create(dir.path(), 3);
    assert_eq!(books.reader().size(), 3);
}

#[test]
fn what_is_too_large_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut books = create(dir.path(), 3);
    let large = Record { evidence: vec![0; wire::limits::FRAME + 1], ..sample::numbered(3) };
    assert!(matches!(books.append(&[large]), Err(BooksError::TooLarge { .. })));
    books.append(&[sample::numbered(3)]).unwrap();
}

#[test]
fn a_batch_beyond_its_limit_becomes_several() {
    let dir = tempfile::tempdir().unwrap();
    let mut books = create(dir.path(), 2);
    let mega = |number| Record { evidence: vec![1; wire::limits::FRAME], ..sample::numbered(number) };
    let records: Vec<Record> = (2..70).map(mega).collect();
    assert_eq!(books.append(&records).unwrap().claimed().size, 70);
    drop(books);
    let (books, seen) = open(dir.path()).unwrap();
    assert_eq!(seen[69], records[67]);
    assert_eq!(books.reader().size(), 70);
}
