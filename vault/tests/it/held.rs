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
