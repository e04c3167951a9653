//! Damaged files: what is lost is named, the rest opens, nothing panics.

use proptest::prelude::*;
use vault::{Error, Finding, Opening, Record};

use crate::bench::{Bench, HISTORY, OVERHEAD, RECORDS, a, b, telegram};

/// A closed vault with three records of the program's own behind the two keys, and where those three begin.
fn three_records() -> (Bench, Vec<u8>, [usize; 3]) {
    let bench = Bench::new();
    let mut vault = bench.create();
    let starts = ["first", "second", "third"].map(|text| {
        let start = bench.bytes().len();
        vault.append(HISTORY, text).unwrap();
        start
    });
    drop(vault);
    let bytes = bench.bytes();
    (bench, bytes, starts)
}

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| record.decode("entry").unwrap()).collect()
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_and_the_rest_opens() {
    let (bench, bytes, [_, second, third]) = three_records();
    for cut in second..bytes.len() {
        bench.set_bytes(&bytes[..cut]);
        let Opening { mut vault, records, findings } = bench.open();
        let (whole, torn) = if cut < third { (1, cut - second) } else { (2, cut - third) };
        assert_eq!(records.len(), whole, "cut at {cut}");
        if torn == 0 {
            assert!(findings.is_empty());
        } else {
            let (offset, length) = ((cut - torn) as u64, torn as u64);
            assert_eq!(findings, [Finding::TornTail { offset, length }]);
        }
        vault.append(HISTORY, "after").unwrap();
        drop(vault);
        let again = bench.open();
        assert!(again.findings.is_empty());
        assert_eq!(texts(&again.records).last().unwrap(), "after");
    }
}

#[test]
fn blank_space_at_the_end_is_a_torn_write() {
    let (bench, mut bytes, _) = three_records();
    let end = bytes.len() as u64;
    bytes.resize(bytes.len() + 100_000, 0);
    bench.set_bytes(&bytes);
    let opening = bench.open();
    assert_eq!(opening.findings, [Finding::TornTail { offset: end, length: 100_000 }]);
    assert_eq!(opening.records.len(), 3);
}

#[test]
fn a_damaged_record_is_named_and_the_others_open() {
    let (bench, mut bytes, [_, second, third]) = three_records();
    bytes[second + 50] ^= 0x10;
    bench.set_bytes(&bytes);
    let Opening { mut vault, records, findings } = bench.open();
    assert_eq!(texts(&records), ["first", "third"]);
    let damaged = Finding::Damaged {
        offset: second as u64,
        length: (third - second) as u64,
        sequence: Some(4),
        kind: Some(HISTORY),
    };
    assert_eq!(findings, [damaged]);
    assert!(findings[0].to_string().starts_with("record 4 (kind 100) is damaged"), "{}", findings[0]);
    assert!(matches!(vault.read(4), Err(Error::NoRecord(4))));
    assert_eq!(vault.append(HISTORY, "fourth").unwrap(), 6);
    vault.change_password_b(&b(), &"another inner one".into()).unwrap();
    drop(vault);
    let opening = bench.open();
    assert_eq!(texts(&opening.records), ["first", "third", "fourth"]);
    assert_eq!(opening.findings.len(), 1, "what cannot be read is kept, for someone may still repair it");
}

#[test]
fn after_a_damaged_head_the_next_record_is_found() {
    let (bench, mut bytes, [_, second, third]) = three_records();
    bytes[second..second + 40].fill(0xaa);
    bench.set_bytes(&bytes);
    let opening = bench.open();
    assert_eq!(texts(&opening.records), ["first", "third"]);
    let (offset, length) = (second as u64, (third - second) as u64);
    assert_eq!(opening.findings, [Finding::Damaged { offset, length, sequence: Some(4), kind: None }]);
}

#[test]
fn damage_over_more_than_one_reading_window_is_skipped() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let start = bench.bytes().len();
    vault.append(HISTORY, &"x".repeat(200_000)).unwrap();
    let next = bench.bytes().len();
    vault.append(HISTORY, "behind it").unwrap();
    drop(vault);
    let mut bytes = bench.bytes();
    bytes[start..start + 4].fill(0);
    bench.set_bytes(&bytes);
    let opening = bench.open();
    assert_eq!(texts(&opening.records), ["behind it"]);
    let (offset, length) = (start as u64, (next - start) as u64);
    assert_eq!(opening.findings, [Finding::Damaged { offset, length, sequence: Some(3), kind: None }]);
}

#[test]
fn a_record_cut_out_or_repeated_is_noticed() {
    let (bench, bytes, [first, second, third]) = three_records();
    bench.set_bytes(&[&bytes[..second], &bytes[third..]].concat());
    assert_eq!(bench.open().findings, [Finding::Missing { first: 4, last: 4 }]);
    bench.set_bytes(&[&bytes[..third], &bytes[first..second], &bytes[third..]].concat());
    let opening = bench.open();
    assert_eq!(texts(&opening.records), ["first", "second", "third"]);
    assert!(
        matches!(opening.findings[..], [Finding::Damaged { sequence: Some(3), .. }]),
        "{:?}",
        opening.findings
    );
}

#[test]
fn records_of_another_vault_do_not_open_here() {
    let (bench, bytes, [first, ..]) = three_records();
    let (_, foreign, [foreign_first, ..]) = three_records();
    bench.set_bytes(&[&bytes[..first], &foreign[foreign_first..]].concat());
    let opening = bench.open();
    assert!(opening.records.is_empty());
    assert_eq!(opening.findings.len(), 3);
}

#[test]
fn a_lost_signature_key_is_said_and_the_history_still_opens() {
    let (bench, mut bytes, _) = three_records();
    bytes[RECORDS + 60] ^= 1;
    bench.set_bytes(&bytes);
    let mut opening = bench.open();
    assert_eq!(opening.records.len(), 3);
    assert!(opening.findings[0].to_string().contains("record 1 (signature key) is damaged"));
    assert!(matches!(opening.vault.unlock_signing(&b()), Err(Error::KeyLost("signature key"))));
    opening.vault.terminal_key().unwrap();
}

#[test]
fn files_that_are_no_vault_are_refused_in_words() {
    let bench = Bench::with_vault();
    let bytes = bench.bytes();
    for (content, words) in [
        (&b""[..], "is not a vault"),
        (&bytes[..RECORDS - 1], "is not a vault"),
        (&[7; 9000][..], "both copies of the header"),
    ] {
        bench.set_bytes(content);
        let error = bench.try_open(&a()).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    std::fs::remove_file(bench.path()).unwrap();
    assert!(matches!(bench.try_open(&a()), Err(Error::NoVault(_))));
}

#[test]
fn every_flipped_byte_is_named_or_harmless() {
    let bench = Bench::new();
    let mut vault = bench.create();
    vault.append(HISTORY, "first").unwrap();
    let parcel = vault.post(telegram(1), vec![1], vec![2]).unwrap();
    vault.close(parcel.id(), vec![3], vec![]).unwrap();
    vault.append(HISTORY, "last").unwrap();
    drop(vault);
    let bytes = bench.bytes();
    let blank = |at: &usize| (200..4090).contains(&(at % 4096)) && *at < RECORDS && !at.is_multiple_of(512);
    for at in (0..bytes.len()).filter(|at| !blank(at)) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x41;
        bench.set_bytes(&flipped);
        let opening = bench.open();
        assert!(!opening.findings.is_empty(), "byte {at} was changed and nobody noticed");
        let lost = usize::from(at >= RECORDS);
        let vault = opening.vault;
        let intact = (1..=7).filter(|sequence| vault.read(*sequence).is_ok()).count();
        assert_eq!(intact, 7 - lost, "byte {at}: {:?}", opening.findings);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_damage_panics_or_invents_records(
        wounds in prop::collection::vec((0usize..9_000, any::<u8>(), 1usize..400), 1..6),
        cut in prop::option::of(0usize..9_000),
    ) {
        let (bench, mut bytes, _) = three_records();
        let length = bytes.len();
        for (at, byte, run) in wounds {
            let at = (RECORDS / 2 + at) % length;
            bytes[at..(at + run).min(length)].fill(byte);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut);
        }
        bench.set_bytes(&bytes);
        if let Ok(mut opening) = bench.try_open(&a()) {
            for text in texts(&opening.records) {
                prop_assert!(["first", "second", "third"].contains(&text.as_str()));
            }
            opening.vault.append(HISTORY, "after").unwrap();
            drop(opening);
            let again = bench.open();
            prop_assert_eq!(texts(&again.records).pop().unwrap(), "after");
        }
    }
}

#[test]
fn the_overhead_of_a_record_is_as_documented() {
    let (_, bytes, [first, second, third]) = three_records();
    let content = |text: &str| 8 + text.len();
    assert_eq!(second - first, OVERHEAD + content("first"));
    assert_eq!(bytes.len() - third, OVERHEAD + content("third"));
}

#[test]
fn headers_out_of_their_place_or_beyond_counting_are_damaged() {
    const SLOT: usize = 4096;
    let bench = Bench::with_vault();
    let intact = bench.bytes();
    let mut twice = intact.clone();
    twice.copy_within(..SLOT, SLOT);
    bench.set_bytes(&twice);
    assert_eq!(bench.open().findings, [Finding::HeaderSlot { number: 1 }]);
    let mut endless = intact;
    for slot in [0, SLOT] {
        let generation = u64::MAX - 1 + (slot / SLOT) as u64;
        endless[slot + 16..slot + 24].copy_from_slice(&generation.to_le_bytes());
        let checksum = crc32fast::hash(&endless[slot..slot + SLOT - 4]);
        endless[slot + SLOT - 4..slot + SLOT].copy_from_slice(&checksum.to_le_bytes());
    }
    bench.set_bytes(&endless);
    assert!(matches!(bench.try_open(&a()), Err(Error::HeaderDamaged(_))));
}

#[test]
fn asking_for_a_vault_that_is_not_there_makes_nothing() {
    let bench = Bench::new();
    assert!(matches!(bench.try_open(&a()), Err(Error::NoVault(_))));
    assert!(!bench.profile.exists());
}

#[test]
fn a_record_put_back_after_it_was_left_out_stays_out() {
    let (bench, bytes, [_, second, third]) = three_records();
    let mut vault = bench.open().vault;
    vault.leave_out(|record| record.sequence == 4).unwrap();
    drop(vault);
    bench.set_bytes(&[&bench.bytes(), &bytes[second..third]].concat());
    let mut opening = bench.open();
    assert!(
        matches!(opening.findings[..], [Finding::Damaged { sequence: Some(4), .. }]),
        "{:?}",
        opening.findings
    );
    opening.vault.change_password_b(&b(), &"another inner one".into()).unwrap();
    assert!(opening.vault.read(4).unwrap().bytes.is_empty());
}
