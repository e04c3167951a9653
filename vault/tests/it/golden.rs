//! Files of every format as they were first written, byte for byte.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sha2::{Digest as _, Sha256};
use vault::{Cost, PinnedCenter, RecoveryPhrase, State, Surroundings, Vault, recovery};
use wire::{admission::VaultPolicy, key::SigningKey, payload::KeyRole, time::Timestamp};

use crate::bench::{Bench, HISTORY, a, autograph, b, telegram, two};

const FORMAT_1: &[u8] = include_bytes!("golden/format-1.inkan");
const FORMAT_2: &[u8] = include_bytes!("golden/format-2.inkan");
const COPY: &[u8] = include_bytes!("golden/copy-1.inkan");
const EXPORT: &[u8] = include_bytes!("golden/export-1.inkan");
const PHRASE: &str = "letter advice cage absurd amount doctor acoustic avoid letter advice cage absurd amount doctor \
                      acoustic avoid letter advice cage absurd amount doctor acoustic bless";

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

fn phrase() -> RecoveryPhrase {
    RecoveryPhrase::parse(&PHRASE.into()).unwrap()
}

/// When this fails, files that people have would be written otherwise from now on: raise the version and keep reading
/// the old one. `INKAN_BLESS=1` writes the files of a new version.
#[test]
fn the_same_acts_give_the_same_bytes() {
    let bench = Bench::new();
    let mut vault = Vault::create(&bench.profile, &two(), Some(&autograph("Hanako")), fixed()).unwrap();
    vault.keep_policy(VaultPolicy { memory_kib: 64 << 10, passes: 3 }).unwrap();
    vault.keep_recovery(&phrase(), &b()).unwrap();
    vault.confirm_recovery().unwrap();
    vault.pin_center(&center()).unwrap();
    vault.keep_settings(&7u32).unwrap();
    let parcel = vault.post(telegram(1), b"beside".to_vec(), b"note".to_vec()).unwrap();
    vault.close(parcel.id(), b"paid".to_vec(), vec![]).unwrap();
    let ready = vault.put(telegram(2), vec![], vec![]).unwrap();
    vault.withdraw(ready.id()).unwrap();
    vault.append(HISTORY, "bought a lantern").unwrap();
    vault.prepare_signature_key(&b(), Some(&autograph("Hanako, again"))).unwrap();
    vault.promote(KeyRole::Signature).unwrap();
    vault.prepare_terminal_key().unwrap();
    let waits = vault.post(telegram(3), vec![], vec![]).unwrap();
    let (copy, export) = (vault.copy_for_deposit().unwrap(), vault.export(waits.id()).unwrap());
    vault.note_deposit(vault.newest()).unwrap();
    if std::env::var_os("INKAN_BLESS").is_some() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/golden");
        for (name, bytes) in [("format-2", &bench.bytes()), ("copy-1", &copy), ("export-1", &export)] {
            std::fs::write(format!("{folder}/{name}.inkan"), bytes).unwrap();
        }
    }
    assert!(bench.bytes() == FORMAT_2, "the format of the vault has changed");
    assert!(copy == COPY, "the format of the copy has changed");
    assert!(export == EXPORT, "the format of an exported telegram has changed");
}

#[test]
fn the_golden_file_of_format_1_opens_and_is_of_format_2_from_then_on() {
    let bench = Bench::with_vault();
    bench.set_bytes(FORMAT_1);
    let mut opening = Vault::open(&bench.profile, &a(), fixed()).unwrap();
    assert!(opening.findings.is_empty());
    assert_eq!(opening.records[0].decode::<String>("entry").unwrap(), "bought a lantern");
    let vault = &mut opening.vault;
    assert_eq!(vault.center(), Some(&center()));
    assert_eq!(vault.settings().unwrap(), Some(7u32));
    assert_eq!((vault.drawn_seal(), vault.autograph()), (Some(&b"strokes"[..]), None));
    let states: Vec<&State> = vault.outbox().items().map(|item| &item.state).collect();
    assert!(matches!(states[..], [State::Closed { .. }, State::Withdrawn { .. }]));
    let key = vault.unlock_signing(&b()).unwrap().verification_key();
    assert_eq!(key, vault.verification_key().unwrap());
    assert!(vault.terminal_key().is_ok());
    assert!(vault.recovery().is_none());
    drop(opening);
    let bytes = bench.bytes();
    assert_eq!([bytes[8], bytes[4096 + 8]], [2, 2]);
    assert_eq!(bytes[8192..], FORMAT_1[8192..], "records are as they were");
    assert!(Vault::open(&bench.profile, &a(), fixed()).unwrap().findings.is_empty());
}

#[test]
fn the_golden_file_of_format_2_opens() {
    let bench = Bench::with_vault();
    bench.set_bytes(FORMAT_2);
    let mut opening = Vault::open(&bench.profile, &a(), fixed()).unwrap();
    assert!(opening.findings.is_empty(), "{:?}", opening.findings);
    let vault = &mut opening.vault;
    let recovery = vault.recovery().unwrap();
    assert_eq!(recovery.keys, phrase().public());
    assert!(recovery.confirmed_at.is_some() && recovery.proved_at.is_none());
    assert_eq!(vault.autograph(), Some(autograph("Hanako, again")));
    let key = vault.unlock_signing(&b()).unwrap().verification_key();
    assert_eq!(Some(key), vault.in_use(KeyRole::Signature));
    assert!(vault.waiting(KeyRole::Terminal).is_some());
    assert!(!vault.copy_is_due());
    assert!(matches!(vault.import(EXPORT), Err(vault::Error::AlreadyThere(id)) if id == telegram(3).id()));
}

#[test]
fn the_golden_copy_is_restored() {
    let contents = recovery::open_copy(COPY, &phrase(), None).unwrap();
    let bench = Bench::new();
    let mut vault = Vault::restore(&bench.profile, &two(), &contents, bench.surroundings.clone()).unwrap();
    assert_eq!(vault.center(), Some(&center()));
    let key = vault.unlock_signing(&b()).unwrap().verification_key();
    assert_eq!(contents.signature_keys().last(), Some(key));
    assert!(matches!(
        vault.outbox().open().next().unwrap().state,
        State::MayHaveLeft { since: Timestamp(1_700_000_000_000) }
    ));
}
