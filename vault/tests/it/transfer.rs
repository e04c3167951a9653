//! Telegrams of the outbox in files of their own.

use vault::{Error, MAX_CONTENT, State};

use crate::bench::{Bench, copy_vault, telegram};

#[test]
fn an_exported_telegram_waits_again_in_the_same_vault() {
    let bench = Bench::new();
    drop(bench.create());
    let older = Bench::new();
    copy_vault(&bench, &older.profile);
    let mut vault = bench.open().vault;
    let stays = vault.put(telegram(1), b"beside".to_vec(), b"note".to_vec()).unwrap();
    let left = vault.post(telegram(2), vec![], vec![]).unwrap();
    let exports = [stays.id(), left.id()].map(|id| vault.export(id).unwrap());
    assert!(!exports[0].windows(6).any(|window| window == b"beside"));
    for export in &exports {
        assert!(matches!(vault.import(export), Err(Error::AlreadyThere(_))));
    }
    // The same vault, as it was before.
    let mut again = older.open().vault;
    older.pass_seconds(60);
    for export in &exports {
        again.import(export).unwrap();
    }
    drop(again);
    for _ in 0..2 {
        let vault = older.open().vault;
        let outbox = vault.outbox();
        let item = outbox.item(&stays.id()).unwrap();
        assert_eq!(
            (&item.beside[..], &item.note[..], &item.state),
            (&b"beside"[..], &b"note"[..], &State::Prepared)
        );
        assert_eq!(item.prepared_at.0, 1_000_000, "waiting since it was first put there");
        assert!(
            matches!(outbox.item(&left.id()).unwrap().state, State::MayHaveLeft { since } if since.0 == 1_000_000)
        );
    }
}

#[test]
fn what_has_ended_is_not_taken_in_again() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let ready = vault.put(telegram(1), vec![], vec![]).unwrap();
    let export = vault.export(ready.id()).unwrap();
    vault.withdraw(ready.id()).unwrap();
    assert!(matches!(vault.import(&export), Err(Error::Ended(_))));
    assert!(matches!(vault.export(ready.id()), Err(Error::Ended(_))));
    assert!(matches!(vault.export(telegram(9).id()), Err(Error::UnknownTelegram(_))));
}

#[test]
fn foreign_and_changed_files_are_refused_in_words() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let ready = vault.put(telegram(1), vec![], vec![]).unwrap();
    let export = vault.export(ready.id()).unwrap();
    let other = Bench::new();
    let words = other.create().import(&export).unwrap_err().to_string();
    assert!(words.starts_with("the exported telegram belongs to another vault"), "{words}");
    let before = bench.bytes();
    for at in 0..export.len() {
        let mut changed = export.clone();
        changed[at] ^= 0x20;
        assert!(matches!(vault.import(&changed), Err(Error::Export(_))), "byte {at}");
        assert!(matches!(vault.import(&export[..at]), Err(Error::Export(_))), "cut at {at}");
    }
    assert_eq!(bench.bytes(), before);
}

#[test]
fn the_largest_telegram_is_carried_too() {
    let bench = Bench::new();
    drop(bench.create());
    let older = Bench::new();
    copy_vault(&bench, &older.profile);
    let mut vault = bench.open().vault;
    let ready = vault.put(telegram(1), vec![], vec![]).unwrap();
    let without = vault.read(vault.newest()).unwrap().bytes.len();
    vault.withdraw(ready.id()).unwrap();
    let left = vault.post(telegram(2), vec![5; MAX_CONTENT - without], vec![]).unwrap();
    let export = vault.export(left.id()).unwrap();
    older.open().vault.import(&export).unwrap();
    assert_eq!(older.open().vault.outbox().parcel(&left.id()).unwrap().beside(), left.beside());
}
