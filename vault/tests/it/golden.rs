//! A file of format 1 as it was first written, byte for byte.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sha2::{Digest as _, Sha256};
use vault::{Cost, PinnedCenter, State, Surroundings, Vault};
use wire::{key::SigningKey, time::Timestamp};

use crate::bench::{Bench, HISTORY, a, b, telegram, two};

const GOLDEN: &[u8] = include_bytes!("golden/format-1.inkan");

/// Randomness that is the same every time: SHA-256 of a counter.
fn fixed() -> Surroundings {
    let counter = AtomicU64::new(0);
    Surroundings {
        random: Arc::new(move |bytes| {
            for part in bytes.chunks_mut(32) {
                let block = Sha256::digest(counter.fetch_add(1, Ordering::SeqCst).to_le_bytes());
                part.copy_from_slice(&block[..part.len()]);
            }
        }),
        now: Arc::new(|| Timestamp(1_700_000_000_000)),
        cost: Cost::Floor,
    }
}

fn center() -> PinnedCenter {
    let root = SigningKey::from_seed(&[1; 32]).verification_key();
    PinnedCenter { root, addresses: vec!["[::1]:7000".into()], sheet: None, checkpoint: None, account: None }
}

/// When this fails, files that people have would be written otherwise from now on: raise the version and keep reading
/// the old one. `INKAN_BLESS=1` writes the file of a new version.
#[test]
fn the_same_acts_give_the_same_bytes() {
    let bench = Bench::new();
    let mut vault = Vault::create(&bench.profile, &two(), Some(b"strokes"), fixed()).unwrap();
    vault.pin_center(&center()).unwrap();
    vault.keep_settings(&7u32).unwrap();
    let parcel = vault.post(telegram(1), b"beside".to_vec(), b"note".to_vec()).unwrap();
    vault.close(parcel.id(), b"paid".to_vec(), vec![]).unwrap();
    let ready = vault.put(telegram(2), vec![], vec![]).unwrap();
    vault.withdraw(ready.id()).unwrap();
    vault.append(HISTORY, "bought a lantern").unwrap();
    if std::env::var_os("INKAN_BLESS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/golden/format-1.inkan");
        std::fs::write(path, bench.bytes()).unwrap();
    }
    assert!(bench.bytes() == GOLDEN, "the format has changed");
}

#[test]
fn the_golden_file_opens() {
    let bench = Bench::with_vault();
    bench.set_bytes(GOLDEN);
    let mut opening = Vault::open(&bench.profile, &a(), fixed()).unwrap();
    assert!(opening.findings.is_empty());
    assert_eq!(opening.records[0].decode::<String>("entry").unwrap(), "bought a lantern");
    let vault = &mut opening.vault;
    assert_eq!(vault.center(), Some(&center()));
    assert_eq!(vault.settings().unwrap(), Some(7u32));
    assert_eq!(vault.drawn_seal(), Some(&b"strokes"[..]));
    let states: Vec<&State> = vault.outbox().items().map(|item| &item.state).collect();
    assert!(matches!(states[..], [State::Closed { .. }, State::Withdrawn { .. }]));
    let key = vault.unlock_signing(&b()).unwrap().verification_key();
    assert_eq!(key, vault.verification_key().unwrap());
    assert!(vault.terminal_key().is_ok());
}
