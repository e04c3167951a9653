//! The recovery key until it is registered.

use wire::payload::KeyRole;

use crate::bench::{Bench, b, phrase, telegram};

#[test]
fn it_proves_itself_until_the_registration_is_answered_and_is_gone_then() {
    let bench = Bench::new();
    let mut vault = bench.create();
    assert!(vault.unlock_held_recovery_key(&b()).unwrap().is_none());
    let phrase = phrase();
    vault.keep_recovery(&phrase, &b()).unwrap();
    vault.hold_recovery_key(&phrase, &b()).unwrap();
    drop(vault);

    let mut vault = bench.open().vault;
    let new = "another quiet lantern".into();
    vault.change_password_b(&b(), &new).unwrap();
    let hand = vault.unlock_held_recovery_key(&new).unwrap().unwrap();
    assert_eq!(Some(hand.verification_key()), vault.in_use(KeyRole::Recovery));
    hand.act(|key| assert_eq!(key.verification_key(), phrase.public().recovery_key));

    let parcel = vault.post(telegram(1), vec![], vec![]).unwrap();
    let gone = vault.recovery_registered().unwrap();
    vault.close(parcel.id(), b"entered".to_vec(), vec![gone]).unwrap();
    for _ in 0..2 {
        assert!(vault.unlock_held_recovery_key(&new).unwrap().is_none());
        assert!(vault.recovery_registered().is_none());
        assert_eq!(
            vault.in_use(KeyRole::Recovery),
            Some(phrase.public().recovery_key),
            "its public half stays"
        );
        drop(vault);
        let opening = bench.open();
        assert!(opening.findings.is_empty(), "{:?}", opening.findings);
        vault = opening.vault;
    }
}

#[test]
fn it_is_let_go_with_its_phrase() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let [first, second] = [phrase(), phrase()];
    vault.keep_recovery(&first, &b()).unwrap();
    vault.hold_recovery_key(&first, &b()).unwrap();
    vault.keep_recovery(&second, &b()).unwrap();
    for _ in 0..2 {
        assert!(
            vault.unlock_held_recovery_key(&b()).unwrap().is_none(),
            "it is no longer the one that is registered"
        );
        drop(vault);
        vault = bench.open().vault;
    }
    vault.hold_recovery_key(&second, &b()).unwrap();
    vault.keep_recovery(&second, &b()).unwrap();
    assert!(vault.unlock_held_recovery_key(&b()).unwrap().is_some(), "the same phrase kept again");
}

#[test]
fn a_held_key_that_waits_is_put_in_force() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let [first, second] = [phrase(), phrase()];
    vault.keep_recovery(&first, &b()).unwrap();
    vault.prepare_recovery(&second, &b()).unwrap();
    vault.hold_recovery_key(&second, &b()).unwrap();
    vault.promote(KeyRole::Recovery).unwrap();
    for _ in 0..2 {
        assert_eq!(vault.in_use(KeyRole::Recovery), Some(second.public().recovery_key));
        assert_eq!(vault.waiting(KeyRole::Recovery), None);
        assert!(vault.unlock_held_recovery_key(&b()).unwrap().is_none());
        drop(vault);
        vault = bench.open().vault;
    }
}
