//! Receipts, checkpoints and search.

use wire::{
    bounded::List,
    checkpoint::{Checkpoint, SignedCheckpoint},
    id::{Digest, EntryNumber},
    key::SigningKey,
    merkle,
    receipt::{EntryKind, MemberPart, Side},
    sheet::{KeySheet, SheetKey, SheetRole},
    time::Timestamp,
};

use super::super::{Books, Presented, Search, Shelf, parts, sample};

fn root() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

fn sheet() -> wire::telegram::Telegram {
    let key = SheetKey {
        role: SheetRole::Checkpoint,
        key: sample::verification_key(),
        from_size: 0,
        until_size: None,
    };
    let keys = List::new(vec![key]).unwrap();
    let center = root().verification_key().center();
    KeySheet {
        number: 1,
        center,
        breaks: wire::bounded::List::default(),
        log_origin: sample::key().origin,
        keys,
    }
    .sign(&root())
}

#[test]
fn receipts_verify_offline_for_every_side_and_entry() {
    let dir = tempfile::tempdir().unwrap();
    let mut books = Books::create(dir.path(), sample::key(), &sample::run(0..1)).unwrap();
    let reader = books.reader();
    for size in 1..20 {
        books.append(&[sample::numbered(size)]).unwrap();
        for entry in 0..=size {
            for side in [Side::Member, Side::Store, Side::Center] {
                let receipt = reader.receipt(EntryNumber(entry), side).unwrap();
                receipt.verify(&sheet(), &root().verification_key()).unwrap();
                assert_eq!(receipt.checkpoint.claimed().size, size + 1, "the newest checkpoint");
            }
        }
    }
    let receipt = reader.receipt(EntryNumber(8), Side::Member).unwrap();
    assert_eq!(receipt.member_part().unwrap(), MemberPart::CardLapsed { request: EntryNumber(4) });
    let mut other = receipt.clone();
    other.leaf.at = Timestamp(1);
    assert!(other.verify(&sheet(), &root().verification_key()).is_err());
    let mut other = receipt.clone();
    other.side = Side::Store;
    assert!(other.verify(&sheet(), &root().verification_key()).is_err());
}

#[test]
fn every_entry_of_a_busy_center_has_receipts_that_verify_and_decode() {
    let dir = tempfile::tempdir().unwrap();
    let center = sample::Center::busy(12);
    let mut books = Books::create(dir.path(), sample::key(), &center.records[..3]).unwrap();
    for records in center.records[3..].chunks(5) {
        books.append(records).unwrap();
    }
    for record in &center.records {
        let receipt = |side| books.reader().receipt(record.entry.number, side).unwrap();
        for side in [Side::Member, Side::Store, Side::Center] {
            receipt(side).verify(&sheet(), &root().verification_key()).unwrap();
        }
        assert_eq!(receipt(Side::Member).member_part().unwrap(), parts::member_part(record));
        assert_eq!(receipt(Side::Store).store_part().unwrap(), parts::store_part(record));
    }
}

/// A hundred thousand entries, appended as a busy desk does, opened again, each still there.
#[test]
fn many_entries_stay_quick_and_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut books =
        Books::create(Shelf::from(dir.path()).with_segments(4 << 20), sample::key(), &sample::run(0..256))
            .unwrap();
    for batch in 1..400 {
        books.append(&sample::run(batch * 256..(batch + 1) * 256)).unwrap();
    }
    let checkpoint = books.reader().checkpoint();
    books.close().unwrap();
    let mut next = 0;
    let each = |record: &super::super::Record| {
        assert_eq!(record.entry.number, EntryNumber(next));
        next += 1;
    };
    let books = Books::open(Shelf::from(dir.path()).with_segments(4 << 20), sample::key(), each).unwrap();
    let reader = books.reader();
    assert_eq!(reader.size(), 400 * 256);
    assert_eq!(reader.checkpoint(), checkpoint);
    for number in (0..reader.size()).step_by(4_999) {
        assert_eq!(reader.read(EntryNumber(number)).unwrap(), sample::numbered(number));
    }
}

#[test]
fn a_presented_checkpoint_is_contained_foreign_or_an_alarm() {
    let dir = tempfile::tempdir().unwrap();
    let mut books = Books::create(dir.path(), sample::key(), &sample::run(0..3)).unwrap();
    let old = books.reader().checkpoint();
    books.append(&sample::run(3..9)).unwrap();
    let reader = books.reader();
    let key = SigningKey::from_seed(&[11; 32]);
    let judged = |note: &SignedCheckpoint| reader.presented(note, &sample::verification_key());
    assert_eq!(judged(&old), Presented::Contained);
    assert_eq!(judged(&reader.checkpoint()), Presented::Contained);

    let made = |size, root, key: &SigningKey| {
        SignedCheckpoint::sign(&Checkpoint { origin: sample::key().origin, size, root }, key)
    };
    assert_eq!(judged(&made(3, Digest([1; 32]), &key)), Presented::Contradicts);
    assert_eq!(judged(&made(10, reader.root_at(9).unwrap(), &key)), Presented::Contradicts);
    assert_eq!(judged(&made(3, Digest([1; 32]), &SigningKey::from_seed(&[9; 32]))), Presented::NotOurs);

    let proof = reader.consistency(3, 9).unwrap();
    let (old_root, new_root) = (old.claimed().root, reader.root_at(9).unwrap());
    assert_eq!(merkle::verify_consistency(3, 9, &proof, &old_root, &new_root), Ok(()));
    assert_eq!(reader.consistency(3, 10), None);
}

#[test]
fn a_search_walks_backwards_and_can_be_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let mut books =
        Books::create(Shelf::from(dir.path()).with_segments(4096), sample::key(), &sample::run(0..1))
            .unwrap();
    for size in 1..60 {
        books.append(&[sample::numbered(size)]).unwrap();
    }
    let reader = books.reader();
    let fifth = |record: &super::super::Record| record.entry.number.0.is_multiple_of(5);
    let numbers = |search: &Search| {
        let found = reader.search(search, fifth).unwrap();
        (found.records.iter().map(|it| it.entry.number.0).collect::<Vec<_>>(), found.next)
    };
    let mut search = Search { found_max: 4, examined_max: 1_000, ..Search::default() };
    assert_eq!(numbers(&search), (vec![55, 50, 45, 40], Some(EntryNumber(40))));
    search.before = Some(EntryNumber(40));
    search.found_max = 100;
    assert_eq!(numbers(&search), (vec![35, 30, 25, 20, 15, 10, 5, 0], None));
    search.examined_max = 12;
    assert_eq!(numbers(&search), (vec![35, 30], Some(EntryNumber(28))));

    let all = Search { found_max: 100, examined_max: 1_000, ..Search::default() };
    let at = |number| Some(sample::numbered(number).entry.at);
    assert_eq!(numbers(&Search { since: at(20), until: at(30), ..all.clone() }), (vec![30, 25, 20], None));
    assert_eq!(numbers(&Search { kinds: vec![EntryKind::Payment], ..all.clone() }), (vec![], None));
    assert_eq!(numbers(&Search { kinds: vec![EntryKind::Lapse], ..all }).0.len(), 12);
}
