//! The outbox: on disk before it leaves, ended once, the same after every restart.

use vault::{Draft, Error, State};

use crate::bench::{Bench, HISTORY, a, copy_vault, telegram};

#[test]
fn a_telegram_goes_its_way_over_restarts() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let id = telegram(1).id();
    let ready = vault.put(telegram(1), b"beside".to_vec(), b"note".to_vec()).unwrap();
    assert_eq!(ready.id(), id);
    drop(vault);

    let mut vault = bench.open().vault;
    let item = vault.outbox().item(&id).unwrap();
    assert_eq!(
        (&item.state, &item.note[..], &item.beside[..]),
        (&State::Prepared, &b"note"[..], &b"beside"[..])
    );
    assert!(vault.outbox().parcel(&id).is_none(), "nothing to send before it is noted as leaving");
    let ready = vault.outbox().ready(&id).unwrap();
    bench.pass_seconds(5);
    let parcel = vault.depart(ready).unwrap();
    assert_eq!(parcel.into_parts(), (telegram(1), b"beside".to_vec()));
    drop(vault);

    let mut vault = bench.open().vault;
    assert!(
        matches!(vault.outbox().item(&id).unwrap().state, State::MayHaveLeft { since } if since.0 == 1_005_000)
    );
    assert!(vault.outbox().ready(&id).is_none());
    assert_eq!(vault.outbox().parcel(&id).unwrap().telegram(), &telegram(1), "the exact bytes, to ask with");
    vault.close(id, b"paid".to_vec(), vec![Draft::new(HISTORY, "bought").unwrap()]).unwrap();
    drop(vault);

    let opening = bench.open();
    let outbox = opening.vault.outbox();
    assert!(matches!(&outbox.item(&id).unwrap().state, State::Closed { outcome, .. } if outcome == b"paid"));
    assert_eq!((outbox.open_count(), outbox.open().count(), outbox.items().count()), (0, 0, 1));
    assert_eq!(opening.records[0].decode::<String>("entry").unwrap(), "bought");
}

#[test]
fn only_what_never_left_can_be_withdrawn() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let stays = vault.put(telegram(1), vec![], vec![]).unwrap();
    let left = vault.post(telegram(2), vec![], vec![]).unwrap();
    vault.withdraw(stays.id()).unwrap();
    assert!(matches!(vault.withdraw(left.id()), Err(Error::MayHaveLeft(_))));
    assert!(matches!(vault.withdraw(telegram(3).id()), Err(Error::UnknownTelegram(_))));
    let id = stays.id();
    assert!(matches!(vault.depart(stays), Err(Error::Ended(_))), "a permission kept beyond the withdrawal");
    drop(vault);
    let vault = bench.open().vault;
    assert!(matches!(vault.outbox().item(&id).unwrap().state, State::Withdrawn { .. }));
    assert_eq!(vault.outbox().open_count(), 1);
}

#[test]
fn a_telegram_is_put_once_and_ended_once() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let parcel = vault.post(telegram(1), vec![], vec![]).unwrap();
    assert!(matches!(vault.put(telegram(1), vec![], vec![]), Err(Error::AlreadyThere(_))));
    vault.close(parcel.id(), b"refused".to_vec(), vec![]).unwrap();
    assert!(matches!(vault.close(parcel.id(), b"paid".to_vec(), vec![]), Err(Error::Ended(_))));
    assert!(matches!(vault.put(telegram(1), vec![], vec![]), Err(Error::AlreadyThere(_))));
    let before = bench.bytes();
    drop(vault);
    let vault = bench.open().vault;
    assert_eq!(bench.bytes()[8192..], before[8192..], "refusals write nothing");
    assert!(
        matches!(&vault.outbox().items().next().unwrap().state, State::Closed { outcome, .. } if outcome == b"refused")
    );
}

#[test]
fn a_copy_of_the_vault_asks_for_the_same_telegram() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let ready = vault.put(telegram(1), b"beside".to_vec(), vec![]).unwrap();
    let copy = Bench::new();
    copy_vault(&bench, &copy.profile);
    let here = vault.depart(ready).unwrap();
    let mut other = copy.try_open(&a()).unwrap().vault;
    let ready = other.outbox().ready(&here.id()).unwrap();
    let there = other.depart(ready).unwrap();
    assert_eq!(here.into_parts(), there.into_parts(), "one id: the center pays it once");
}

#[test]
fn the_answer_is_kept_after_what_follows_from_it() {
    let bench = Bench::new();
    let mut vault = bench.create();
    let parcel = vault.post(telegram(1), vec![], vec![]).unwrap();
    let before = bench.bytes().len();
    vault.close(parcel.id(), vec![], vec![Draft::new(HISTORY, "bought").unwrap()]).unwrap();
    drop(vault);
    let bytes = bench.bytes();
    // Wherever the file is cut, either the telegram still waits or everything is there.
    for cut in before..=bytes.len() {
        bench.set_bytes(&bytes[..cut]);
        let opening = bench.open();
        let waits = opening.vault.outbox().open_count() == 1;
        assert_eq!(waits, cut < bytes.len(), "cut at {cut}");
        assert!(waits || opening.records.len() == 1);
    }
}
