use std::fs;

use wire::{key::SigningKey, receipt::EntryKind};

use super::*;
use crate::books::sample::signed::Signed;

/// A journal that lies alone in a folder, as an auditor gets it.
fn copied(center: &Signed) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    center.keep(&dir.path().join("books"), 5);
    let journal = dir.path().join("copy");
    fs::rename(dir.path().join("books/journal"), &journal).unwrap();
    (dir, journal)
}

fn keys(center: &Signed) -> Keyring {
    Keyring::new(center.root.verification_key(), vec![center.sheet.sign(&center.root)])
}

#[test]
fn a_journal_and_public_keys_are_enough() {
    let center = Signed::busy(12);
    let (_dir, journal) = copied(&center);
    let found = audit(&journal, &keys(&center), &Watch::default()).unwrap();
    assert!(found.holds(), "{:?}", found.checks);
    assert_eq!(found.counts.entries, center.records.len() as u64);
    assert_eq!(found.counts.covered, found.counts.entries, "the closing batch keeps the last checkpoint");
    let names: Vec<_> = found.checks.iter().map(|check| check.name).collect();
    assert_eq!(
        names,
        ["chain", "key sheets", "checkpoints", "evidence", "signatures", "decisions", "replay"],
        "nothing that only the center has"
    );
    let (debit, credit) =
        found.balances.iter().fold((0, 0), |sum, row| (sum.0 + row.debit, sum.1 + row.credit));
    assert_eq!(debit, credit);
    let bank = found.balances.iter().find(|row| row.account == "bank").unwrap();
    // What came in for the card, less the claim that was paid out: the payments 100, 101, … but each fifth.
    let claimed: i128 = (0..12).filter(|at| at % 5 != 4).map(|at| 100 + at).sum();
    assert_eq!(bank.debit, 900_000 - claimed);
    let paid = found.days.iter().filter(|day| day.kind == EntryKind::Payment);
    let paid = paid.fold((0, 0, 0), |sum, day| (sum.0 + day.done, sum.1 + day.refused, sum.2 + day.amount));
    assert_eq!(paid, (13, 1, (0..12).map(|at| 100 + at).sum::<u128>() + 70));
    assert!(found.days.windows(2).all(|pair| pair[0].day <= pair[1].day));
    assert_eq!(found.settings.unwrap().zone, "Asia/Tokyo");
}

#[test]
fn books_with_their_journal_inside_are_audited_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let center = Signed::trading();
    center.keep(dir.path(), 5);
    let found = audit(dir.path(), &keys(&center), &Watch::default()).unwrap();
    assert!(found.holds(), "{:?}", found.checks);
    assert!(found.checks.iter().any(|check| check.name == "last signature"));
    let empty = tempfile::tempdir().unwrap();
    let words = audit(empty.path(), &keys(&center), &Watch::default()).unwrap_err().to_string();
    assert!(words.starts_with("there is no journal in"), "{words}");
}

#[test]
fn the_first_thing_that_is_wrong_is_named_with_its_place() {
    let center = Signed::busy(12);
    let (_dir, journal) = copied(&center);
    let segment = journal.join("000002.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes[900] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let found = audit(&journal, &keys(&center), &Watch::default()).unwrap();
    assert!(!found.holds());
    let first = found.first.unwrap();
    assert_eq!(first.respect, Respect::Chain);
    assert!(first.words.contains("000002.seg at byte") && first.words.contains("whole so far"), "{first}");
    let (debit, credit) =
        found.balances.iter().fold((0, 0), |sum, row| (sum.0 + row.debit, sum.1 + row.credit));
    assert!(debit == credit && debit > 0, "what holds is still told");
}

#[test]
fn the_sheets_that_were_given_must_be_those_of_the_journal() {
    let center = Signed::busy(3);
    let (_dir, journal) = copied(&center);
    let root = center.root.verification_key();
    let mut other = center.sheet.clone();
    other.number = 3;
    let ring = Keyring::new(root, vec![other.sign(&center.root)]);
    let found = audit(&journal, &ring, &Watch::default()).unwrap();
    let first = found.first.as_ref().unwrap();
    assert!(!found.holds() && first.respect == Respect::KeySheets);
    assert!(first.words.contains("no key sheet 3, which was given"), "{first}");
    let mut other = center.sheet.clone();
    other.log_origin = wire::text::Line::new("inkan.test/other").unwrap();
    let ring = Keyring::new(root, vec![other.sign(&center.root)]);
    let found = audit(&journal, &ring, &Watch::default()).unwrap();
    assert!(found.first.unwrap().words.contains("is another than the one given"));
    let stranger = Keyring::new(SigningKey::from_seed(&[99; 32]).verification_key(), Vec::new());
    assert!(!audit(&journal, &stranger, &Watch::default()).unwrap().holds());
}
