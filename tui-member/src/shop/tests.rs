use wire::{amount::Amount, payload::Rights};

use super::*;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

fn offer() -> (Offer, Expected) {
    let (terminal, buyer) = (key(1).verification_key(), key(2).verification_key());
    let (center, store) = (key(9).verification_key().center(), StoreNumber(4));
    let (order, total) = (OrderHash([5; 32]), Amount::new(1_500).unwrap());
    let offer = Offer {
        center,
        store,
        terminal_key: terminal,
        buyer_key: buyer,
        order,
        total,
        currency: Currency::YEN,
        issued: Timestamp(1_000),
        expires: Timestamp(901_000),
    };
    let expected = Expected {
        center,
        store,
        terminal_key: terminal,
        buyer_key: buyer,
        order,
        total,
        currency: Currency::YEN,
    };
    (offer, expected)
}

#[test]
fn an_offer_must_say_exactly_what_was_ordered() {
    let (good, expected) = offer();
    let now = Timestamp(2_000);
    assert_eq!(check_offer(&Telegram::sign_as_key(&good, &key(1)), &expected, now), Ok(()));
    type Change = fn(&mut Offer);
    let changes: [(&str, Change); 8] = [
        ("another center", |offer| offer.center = key(8).verification_key().center()),
        ("another store", |offer| offer.store = StoreNumber(5)),
        ("another terminal key", |offer| offer.terminal_key = key(7).verification_key()),
        ("another buyer key", |offer| offer.buyer_key = key(7).verification_key()),
        ("another order", |offer| offer.order = OrderHash([6; 32])),
        ("its total", |offer| offer.total = Amount::new(1_501).unwrap()),
        ("expired", |offer| offer.expires = Timestamp(2_000)),
        ("7 days", |offer| offer.expires = Timestamp(2_001 + limits::VALIDITY_MS)),
    ];
    for (words, change) in changes {
        let mut bad = good.clone();
        change(&mut bad);
        let error = check_offer(&Telegram::sign_as_key(&bad, &key(1)), &expected, now).unwrap_err();
        assert!(error.contains(words), "{words}: {error}");
    }
    let foreign = check_offer(&Telegram::sign_as_key(&good, &key(3)), &expected, now).unwrap_err();
    assert!(foreign.contains("another key"), "{foreign}");
    let mut tampered = Telegram::sign_as_key(&good, &key(1));
    tampered.signature.0[5] ^= 1;
    assert!(check_offer(&tampered, &expected, now).is_err());
}

#[test]
fn a_terminal_key_counts_only_with_the_store_s_own_certificate() {
    let center = key(9).verification_key().center();
    let certify = |center, signer: &SigningKey| {
        let said = TerminalCertificate {
            center,
            terminal_key: key(1).verification_key(),
            rights: Rights::Owner,
            issued: Timestamp(1),
        };
        Telegram::sign_as_key(&said, signer)
    };
    let entry = |certificate| DirectoryEntry {
        store: StoreNumber(4),
        name: Line::new("Tea").unwrap(),
        verification_key: key(3).verification_key(),
        certificate,
        addresses: List::default(),
    };
    assert_eq!(certified_key(&center, &entry(certify(center, &key(3)))), Ok(key(1).verification_key()));
    assert!(certified_key(&center, &entry(certify(center, &key(4)))).unwrap_err().contains("registered key"));
    let elsewhere = key(8).verification_key().center();
    assert!(
        certified_key(&center, &entry(certify(elsewhere, &key(3)))).unwrap_err().contains("another center")
    );
}
