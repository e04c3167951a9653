//! A hand with access to the disk: it changes something and makes every checksum, every hash of the chain and the file
//! `signed` anew. It has no key.

use ledger::{Decision, Outcome, Request};
use wire::{
    amount::Amount,
    checkpoint::{Checkpoint, SignedCheckpoint},
    codec,
    id::Digest,
    key::{Signature, SigningKey},
    message::Beside,
    sheet::KeySheet,
    telegram::Telegram,
};

use super::*;

fn payment(record: &Record) -> bool {
    matches!(record.entry.request, Request::Pay(_)) && record.entry.refusal().is_none()
}

#[track_caller]
fn found(house: &House, respect: Respect, number: EntryNumber, words: &str) {
    let (first, said) = house.first();
    assert_eq!(first, respect, "{said}");
    assert!(said.starts_with(&number.to_string()) && said.contains("000001.seg at byte"), "{said}");
    assert!(said.contains(words), "{said}");
}

#[test]
fn a_journal_written_again_as_it_was_holds() {
    let house = House::busy();
    Forger::of(&house).write(&house);
    let report = house.look();
    assert!(report.holds(), "{:?}", report.first);
}

#[test]
fn another_signature_is_found_at_its_entry() {
    let house = House::busy();
    let number = house.entry(payment);
    let mut forger = Forger::of(&house);
    let record = forger.record(number);
    let (telegram, beside): (Telegram, Beside) =
        codec::decode("telegram", &record.evidence, 1 << 20).unwrap();
    let mut signature = telegram.signature.0;
    signature[3] ^= 4;
    let telegram = Telegram { signature: Signature(signature), ..telegram };
    record.evidence = codec::encode(&(&telegram, &beside));
    forger.write(&house);
    found(&house, Respect::Signatures, number, "the signature does not fit");
}

#[test]
fn a_payment_that_nobody_signed_is_found_at_its_entry() {
    let house = House::busy();
    let number = house.entry(payment);
    let mut forger = Forger::of(&house);
    let record = forger.record(number);
    let Request::Pay(it) = &mut record.entry.request else { panic!("a payment") };
    let more = Amount::new(it.total.minor() + 1).unwrap();
    it.total = more;
    record.entry.postings.iter_mut().for_each(|posting| posting.amount = more);
    let Decision::Done(Outcome::Paid { balance }) = &mut record.entry.decision else { panic!("settled") };
    *balance = balance.minus(Amount::new(1).unwrap()).unwrap();
    forger.write(&house);
    let (first, said) = house.first();
    assert!(said.starts_with(&number.to_string()), "{said}");
    assert!(matches!(first, Respect::Evidence | Respect::Decisions | Respect::Chain), "{first:?}: {said}");
}

#[test]
fn another_posting_and_another_decision_are_found_at_their_entry() {
    let house = House::busy();
    let number = house.entry(payment);
    let mut forger = Forger::of(&house);
    forger.record(number).entry.postings.clear();
    forger.write(&house);
    found(&house, Respect::Decisions, number, "the rules post it otherwise");

    let house = House::busy();
    let refused = house.entry(|record| record.entry.refusal().is_some());
    let mut forger = Forger::of(&house);
    forger.record(refused).entry.decision = Decision::Refused(ledger::Refusal::UnknownCard);
    forger.write(&house);
    found(&house, Respect::Decisions, refused, "the rules decide it otherwise");
}

#[test]
fn another_time_or_seed_contradicts_the_next_checkpoint() {
    for later in [false, true] {
        let house = House::busy();
        let number = house.entry(payment);
        let mut forger = Forger::of(&house);
        let behind = forger.batches.iter().map(|(_, records)| records.last().map(Record::number));
        let next = behind.flatten().find(|last| *last >= number).unwrap().next();
        let record = forger.record(number);
        if later {
            record.entry.at = record.entry.at.plus_ms(1);
        } else {
            record.seed = [9; 16];
        }
        forger.write(&house);
        found(&house, Respect::Checkpoints, next, "is not that of the entries");
    }
}

#[test]
fn a_checkpoint_that_another_key_signed_is_found() {
    for own in [false, true] {
        let house = House::busy();
        let mut forger = Forger::of(&house);
        let (note, records) = &mut forger.batches[3];
        let first = records[0].number();
        let claimed = SignedCheckpoint::parse(note).unwrap().claimed().clone();
        // Even the center's own key counts only for the tree that there is.
        let (root, key) = match own {
            true => (Digest([1; 32]), house.center.key_of_first_sheet()),
            false => (claimed.root, SigningKey::from_seed(&[99; 32])),
        };
        *note = SignedCheckpoint::sign(&Checkpoint { root, ..claimed }, &key).note().to_owned();
        forger.write(&house);
        let words = if own { "is not that of the entries" } else { "does not bear the signature" };
        found(&house, Respect::Checkpoints, first, words);
    }
}

#[test]
fn swapped_and_dropped_batches_are_found() {
    let house = House::busy();
    let mut forger = Forger::of(&house);
    let moved = forger.batches[4].1[0].number();
    forger.batches.swap(3, 4);
    forger.write(&house);
    let (first, said) = house.first();
    assert_eq!(first, Respect::Chain);
    assert!(said.contains(&format!("{moved} stands here out of its order")), "{said}");

    let house = House::busy();
    let mut forger = Forger::of(&house);
    // The closing batch and the last one with entries.
    forger.batches.truncate(forger.batches.len() - 2);
    forger.write(&house);
    let (first, said) = house.first();
    assert!(matches!(first, Respect::LastSignature | Respect::Replay | Respect::Registers), "{said}");
    let report = house.look();
    let signed = report.checks.iter().find(|check| check.name == "last signature").unwrap();
    let words = signed.outcome.as_ref().unwrap_err();
    assert!(words.contains("was signed that this journal does not have"), "{words}");
}

#[test]
fn a_key_sheet_of_another_root_key_is_found() {
    let house = House::busy();
    let newest = |record: &Record| matches!(record.entry.request, Request::Sheet { number: 2, .. });
    let number = house.entry(newest);
    let mut forger = Forger::of(&house);
    let record = forger.record(number);
    let signed: Telegram = codec::decode("key sheet", &record.evidence, 1 << 20).unwrap();
    let sheet: KeySheet = signed.peek().unwrap();
    let other = sheet.sign(&SigningKey::from_seed(&[99; 32]));
    record.evidence = codec::encode(&other);
    let Request::Sheet { digest, .. } = &mut record.entry.request else { panic!("a sheet") };
    *digest = other.digest();
    forger.write(&house);
    found(&house, Respect::KeySheets, number, "this is another center");
}

#[test]
fn a_document_whose_content_was_changed_is_found() {
    let house = House::busy();
    let number = house.entry(|record| matches!(record.entry.request, Request::Document { .. }));
    let mut forger = Forger::of(&house);
    forger.record(number).evidence = b"Be greedy.".to_vec();
    forger.write(&house);
    found(&house, Respect::Evidence, number, "content is not what the entry binds");
}
