//! Keys that wait, turn and go.

use vault::{Draft, Error, RecoveryPhrase, Vault};
use wire::payload::KeyRole;

use crate::bench::{Bench, HISTORY, RECORDS, a, autograph, b, phrase, telegram};

/// A vault with a phrase.
fn with_phrase(bench: &Bench) -> (Vault, RecoveryPhrase) {
    let mut vault = bench.create();
    let phrase = phrase();
    vault.keep_recovery(&phrase, &b()).unwrap();
    (vault, phrase)
}

fn record(bench: &Bench, at: usize) -> Vec<u8> {
    let bytes = bench.bytes();
    let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
    bytes[at + 24..at + 24 + length].to_vec()
}

fn holds(bench: &Bench, needle: &[u8]) -> bool {
    bench.bytes().windows(32).any(|window| window == &needle[..32])
}

#[test]
fn a_signature_key_waits_over_a_restart_and_is_in_force_with_the_answer() {
    let bench = Bench::new();
    let (mut vault, _) = with_phrase(&bench);
    let old = vault.verification_key().unwrap();
    let old_record = record(&bench, RECORDS);
    let new = vault.prepare_signature_key(&b(), Some(&autograph("Hanako"))).unwrap();
    assert!(matches!(vault.prepare_signature_key(&b(), None), Err(Error::Waiting(KeyRole::Signature))));
    let parcel = vault.post(telegram(1), vec![], vec![]).unwrap();
    drop(vault);

    let mut vault = bench.open().vault;
    assert_eq!((vault.verification_key().unwrap(), vault.waiting(KeyRole::Signature)), (old, Some(new)));
    assert_eq!(vault.autograph(), None, "its seal waits with it");
    assert_eq!(vault.unlock_signing(&b()).unwrap().verification_key(), old);
    let proof = vault.unlock_waiting_signing(&b()).unwrap().act(|key| key.sign(b"I hold it"));
    new.verify(b"I hold it", &proof).unwrap();

    let turn = vault.in_force(KeyRole::Signature).unwrap();
    vault.close(parcel.id(), b"entered".to_vec(), vec![turn]).unwrap();
    assert!(vault.in_force(KeyRole::Signature).is_none(), "nothing waits any more");
    assert!(!holds(&bench, &old_record), "the old key is gone from the file");
    for _ in 0..2 {
        assert_eq!((vault.verification_key().unwrap(), vault.waiting(KeyRole::Signature)), (new, None));
        assert_eq!(vault.autograph(), Some(autograph("Hanako")));
        assert_eq!(vault.unlock_signing(&b()).unwrap().verification_key(), new);
        drop(vault);
        let opening = bench.open();
        assert!(opening.findings.is_empty(), "{:?}", opening.findings);
        vault = opening.vault;
    }
}

#[test]
fn wherever_the_write_of_the_answer_is_cut_a_key_signs() {
    let bench = Bench::new();
    let (mut vault, _) = with_phrase(&bench);
    let old = vault.verification_key().unwrap();
    let new = vault.prepare_signature_key(&b(), None).unwrap();
    let parcel = vault.post(telegram(1), vec![], vec![]).unwrap();
    drop(vault);
    let before = bench.bytes();
    // Without the copying that follows it: the answer written by a program that was ended right after the write.
    let mut vault = bench.open().vault;
    let marker = vault.append(HISTORY, "in the answer").unwrap();
    let length = bench.bytes().len() - before.len();
    drop(vault);
    bench.set_bytes(&before);
    let mut vault = bench.open().vault;
    let turn = vault.in_force(KeyRole::Signature).unwrap();
    let records = vec![turn, Draft::new(HISTORY, "in the answer").unwrap()];
    vault.close(parcel.id(), vec![], records).unwrap();
    drop(vault);
    let after = bench.bytes();
    let opening = bench.open();
    assert_eq!(opening.vault.verification_key().unwrap(), new);
    assert_eq!(opening.records[0].sequence, marker + 1);
    assert!(after.len() > before.len() - 200 + length);
    drop(opening);
    // The copied file cut anywhere behind the records of before: the turn stands or does not, and a key signs.
    let turn_at = after.len() - 3 * length;
    for cut in (turn_at..=after.len()).step_by(7) {
        bench.set_bytes(&after[..cut]);
        let mut vault = bench.open().vault;
        let key = match vault.waiting(KeyRole::Signature) {
            Some(waits) => waits,
            None => vault.verification_key().unwrap(),
        };
        assert_eq!(key, new, "cut at {cut}");
        assert_ne!(key, old);
        let hand = match vault.waiting(KeyRole::Signature) {
            Some(_) => vault.unlock_waiting_signing(&b()),
            None => vault.unlock_signing(&b()),
        };
        assert_eq!(hand.unwrap().verification_key(), new, "cut at {cut}");
    }
}

#[test]
fn a_refused_key_goes_and_the_old_one_stays() {
    let bench = Bench::new();
    let (mut vault, _) = with_phrase(&bench);
    let old = vault.verification_key().unwrap();
    let at = bench.bytes().len();
    vault.prepare_signature_key(&b(), Some(&autograph("Hanako"))).unwrap();
    let refused = record(&bench, at);
    let parcel = vault.post(telegram(1), vec![], vec![]).unwrap();
    let turn = vault.dropped(KeyRole::Signature).unwrap();
    vault.close(parcel.id(), b"refused".to_vec(), vec![turn]).unwrap();
    assert!(!holds(&bench, &refused));
    drop(vault);
    let mut vault = bench.open().vault;
    assert_eq!((vault.waiting(KeyRole::Signature), vault.autograph()), (None, None));
    assert_eq!(vault.unlock_signing(&b()).unwrap().verification_key(), old);
    assert!(matches!(vault.unlock_waiting_signing(&b()), Err(Error::NothingWaits(KeyRole::Signature))));
    assert!(matches!(vault.promote(KeyRole::Signature), Err(Error::NothingWaits(_))));
    vault.prepare_signature_key(&b(), None).unwrap();
}

#[test]
fn a_terminal_key_turns_too() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let old = vault.terminal_key().unwrap().verification_key();
    let new = vault.prepare_terminal_key().unwrap();
    assert_eq!(vault.waiting_terminal_key().unwrap().verification_key(), new);
    assert_eq!(vault.terminal_key().unwrap().verification_key(), old);
    drop(vault);
    let mut vault = bench.open().vault;
    vault.promote(KeyRole::Terminal).unwrap();
    drop(vault);
    let opening = bench.open();
    assert!(opening.findings.is_empty());
    assert_eq!(opening.vault.terminal_key().unwrap().verification_key(), new);
    assert!(matches!(opening.vault.waiting_terminal_key(), Err(Error::NothingWaits(_))));
}

#[test]
fn a_change_of_b_takes_the_waiting_key_along() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let old = vault.verification_key().unwrap();
    let waits = vault.prepare_signature_key(&b(), None).unwrap();
    let new_b = "a new inner one".into();
    vault.change_password_b(&b(), &new_b).unwrap();
    drop(vault);
    let mut vault = bench.open().vault;
    assert_eq!(vault.unlock_signing(&new_b).unwrap().verification_key(), old);
    assert_eq!(vault.unlock_waiting_signing(&new_b).unwrap().verification_key(), waits);
    assert!(vault.unlock_waiting_signing(&b()).is_err());
    bench.pass_seconds(1);
    vault.promote(KeyRole::Signature).unwrap();
    let newest_b = "the newest inner one".into();
    vault.change_password_b(&new_b, &newest_b).unwrap();
    drop(vault);
    let mut opening = bench.open();
    assert!(opening.findings.is_empty(), "{:?}", opening.findings);
    assert_eq!(opening.vault.unlock_signing(&newest_b).unwrap().verification_key(), waits);
    assert_eq!(opening.vault.verification_key().unwrap(), waits);
}

#[test]
fn a_new_phrase_waits_and_then_opens_what_the_old_one_opened() {
    let bench = Bench::new();
    let (mut vault, old) = with_phrase(&bench);
    vault.confirm_recovery().unwrap();
    let new = phrase();
    vault.prepare_recovery(&new, &b()).unwrap();
    assert_eq!(vault.recovery().unwrap().keys, old.public());
    let open = |bytes: &[u8], phrase| vault::recovery::open_copy(bytes, phrase, None);
    let copy = vault.copy_for_deposit().unwrap();
    assert!(
        open(&copy, &old).is_ok() && open(&copy, &new).is_ok(),
        "either may be in force when it is needed"
    );
    drop(vault);
    let mut vault = bench.open().vault;
    vault.promote(KeyRole::Recovery).unwrap();
    let recovery = vault.recovery().unwrap();
    assert_eq!(
        (recovery.keys, recovery.confirmed_at),
        (new.public(), None),
        "the new one is not yet confirmed"
    );
    let copy = vault.copy_for_deposit().unwrap();
    assert!(open(&copy, &old).is_err());
    let key = vault.verification_key().unwrap();
    assert_eq!(open(&copy, &new).unwrap().signature_keys().collect::<Vec<_>>(), [key]);
}

#[test]
fn only_b_makes_new_keys() {
    let bench = Bench::new();
    let (mut vault, _) = with_phrase(&bench);
    let before = bench.bytes()[RECORDS..].to_vec();
    assert!(matches!(vault.prepare_signature_key(&a(), None), Err(Error::WrongPassword { .. })));
    bench.pass_seconds(1);
    assert!(matches!(vault.prepare_recovery(&phrase(), &a()), Err(Error::WrongPassword { .. })));
    bench.pass_seconds(2);
    assert!(matches!(vault.keep_recovery(&phrase(), &a()), Err(Error::WrongPassword { .. })));
    assert_eq!(bench.bytes()[RECORDS..], before);
}
