//! Keys of accounts and of cashiers.

use crate::world::{World, check, not_possible, yen};
use ledger::{
    Outcome, Refusal, Request,
    request::{KeyChange, Standing},
};
use wire::{
    id::{AccountNumber, EntryNumber},
    limits,
    payload::KeyRole,
    time::Timestamp,
};

#[test]
fn keys_change_by_the_key_that_may() {
    let mut world = World::founded();
    let member = world.member();
    let account = AccountNumber::Member(member);
    let store = world.store();
    let card = world.card(member, 1_000);
    let before = world.payment(card, store, 10);
    // Another key of the chain leaves the signature key's event as it is.
    let change = world.key_change(account, KeyRole::Signature, KeyRole::Terminal);
    world.done(Request::ChangeKey(change));
    world.done(Request::Pay(before));
    let old = world.payment(card, store, 10);
    let change = world.key_change(account, KeyRole::Recovery, KeyRole::Signature);
    world.done(Request::ChangeKey(change.clone()));
    check(&mut world, Request::Pay(old), Refusal::KeyNotInForce);
    assert_eq!(world.state.key(account, KeyRole::Signature).map(|(key, _)| Some(key)), Some(change.key));
    let mut taken = world.key_change(account, KeyRole::Signature, KeyRole::Terminal);
    taken.key = change.key;
    check(&mut world, Request::ChangeKey(taken), Refusal::KeyTaken);
    let change = world.key_change(account, KeyRole::Terminal, KeyRole::Signature);
    assert!(not_possible(&world.ask(Request::ChangeKey(change))).contains("terminal key"));
    // A frozen account is open to its recovery key only.
    let of = Standing::Account(account);
    world.done(Request::Standing { by: "sue".into(), of, frozen: true, reason: "stolen".into() });
    let change = world.key_change(account, KeyRole::Signature, KeyRole::Terminal);
    check(&mut world, Request::ChangeKey(change), Refusal::AccountFrozen);
    let mut revoke = world.key_change(account, KeyRole::Recovery, KeyRole::Signature);
    revoke.key = None;
    world.done(Request::ChangeKey(revoke.clone()));
    assert_eq!(world.state.key(account, KeyRole::Signature), None);
    revoke.telegram = world.telegram();
    assert!(not_possible(&world.ask(Request::ChangeKey(revoke))).contains("no such key"));
}

#[test]
fn a_chain_of_keys_ends_with_room_for_the_recovery_key() {
    let mut world = World::founded();
    let account = AccountNumber::Member(world.member());
    loop {
        let change = world.key_change(account, KeyRole::Signature, KeyRole::Terminal);
        let entry = world.ask(Request::ChangeKey(change));
        if entry.refusal().is_some() {
            assert!(not_possible(&entry).contains("too often"));
            break;
        }
    }
    let change = world.key_change(account, KeyRole::Recovery, KeyRole::Signature);
    world.done(Request::ChangeKey(change));
    assert!(world.state.holder(account).unwrap().chain.len() < limits::PAGE);
}

#[test]
fn a_recovery_key_that_the_signature_key_asks_for_waits_three_days() {
    let mut world = World::founded();
    let account = AccountNumber::Member(world.member());
    let old = world.state.key(account, KeyRole::Recovery);
    let revoke = world.key_change(account, KeyRole::Signature, KeyRole::Recovery);
    let revoke = KeyChange { key: None, ..revoke };
    assert!(not_possible(&world.ask(Request::ChangeKey(revoke))).contains("recovery phrase alone"));
    let request = world.key_change(account, KeyRole::Signature, KeyRole::Recovery);
    let (change, from) = (world.state.next(), world.now.plus_ms(limits::CAUTION_MS));
    assert_eq!(world.done(Request::ChangeKey(request.clone())), Outcome::KeyWaits { from });
    assert_eq!(world.state.key(account, KeyRole::Recovery), old, "the old one counts on");
    assert_eq!(world.state.unposted().last().map(|(entry, _)| entry), Some(change), "the contact is told");
    let second = world.key_change(account, KeyRole::Signature, KeyRole::Recovery);
    assert!(not_possible(&world.ask(Request::ChangeKey(second))).contains("waits already"));
    let mut taken = world.key_change(account, KeyRole::Signature, KeyRole::Terminal);
    taken.key = request.key;
    check(&mut world, Request::ChangeKey(taken), Refusal::KeyTaken);
    world.now = Timestamp(from.0 - 1);
    assert_eq!(world.state.ripening(world.now).count(), 0);
    assert!(not_possible(&world.ask(Request::KeyInForce { account, change })).contains("still waits"));
    world.now = from;
    assert_eq!(world.state.ripening(world.now).collect::<Vec<_>>(), [(account, change)]);
    // A freeze stops it: the signature key asked for it.
    let standing = |frozen| Request::Standing {
        by: "sue".into(),
        of: Standing::Account(account),
        frozen,
        reason: "stolen".into(),
    };
    world.done(standing(true));
    assert_eq!(world.state.ripening(world.now).count(), 0);
    check(&mut world, Request::KeyInForce { account, change }, Refusal::AccountFrozen);
    world.done(standing(false));
    let entry = world.state.next();
    let outcome = world.done(Request::KeyInForce { account, change });
    assert_eq!(outcome, Outcome::KeyInForce(request.key.unwrap()));
    assert_eq!(world.state.key(account, KeyRole::Recovery), request.key.map(|key| (key, entry)));
    assert_eq!(world.state.ripening(world.now).count(), 0);
    assert!(not_possible(&world.ask(Request::KeyInForce { account, change })).contains("no recovery key"));
}

#[test]
fn a_clock_that_jumps_back_does_not_shorten_the_wait() {
    let mut world = World::founded();
    let account = AccountNumber::Member(world.member());
    world.now = world.now.plus_ms(limits::CAUTION_MS);
    world.member();
    // Set back by the whole wait: the entry is dated as the last one, and waits from there.
    let from = world.now.plus_ms(limits::CAUTION_MS);
    let request = world.key_change(account, KeyRole::Signature, KeyRole::Recovery);
    world.now = Timestamp(world.now.0 - limits::CAUTION_MS);
    let change = world.state.next();
    assert_eq!(world.done(Request::ChangeKey(request)), Outcome::KeyWaits { from });
    world.now = Timestamp(from.0 - 1);
    assert!(not_possible(&world.ask(Request::KeyInForce { account, change })).contains("still waits"));
}

#[test]
fn the_recovery_key_in_force_cancels_one_that_waits() {
    let mut world = World::founded();
    let account = AccountNumber::Store(world.store());
    let old = world.state.key(account, KeyRole::Recovery);
    let request = world.key_change(account, KeyRole::Signature, KeyRole::Recovery);
    let change = world.state.next();
    world.done(Request::ChangeKey(request.clone()));
    let wrong = world.key_cancel(account, EntryNumber(1));
    assert!(not_possible(&world.ask(Request::CancelKeyChange(wrong))).contains("no recovery key that waits"));
    let mut old_event = world.key_cancel(account, change);
    old_event.event = EntryNumber(0);
    check(&mut world, Request::CancelKeyChange(old_event), Refusal::KeyNotInForce);
    let cancel = world.key_cancel(account, change);
    let entry = world.ask(Request::CancelKeyChange(cancel));
    assert_eq!(entry.refusal(), None);
    assert_eq!(entry.request.signed().unwrap().account, Some(account));
    world.now = world.now.plus_ms(limits::CAUTION_MS);
    assert_eq!(world.state.ripening(world.now).count(), 0);
    assert!(not_possible(&world.ask(Request::KeyInForce { account, change })).contains("no recovery key"));
    assert_eq!(world.state.key(account, KeyRole::Recovery), old);
    // It stays known as used.
    let mut again = world.key_change(account, KeyRole::Signature, KeyRole::Recovery);
    again.key = request.key;
    check(&mut world, Request::ChangeKey(again), Refusal::KeyTaken);
}

#[test]
fn what_a_stolen_signature_key_began_ends_with_it() {
    type Ends = fn(&mut World, AccountNumber) -> Request;
    let by_recovery: Ends =
        |world, account| Request::ChangeKey(world.key_change(account, KeyRole::Recovery, KeyRole::Signature));
    let new_phrase: Ends =
        |world, account| Request::ChangeKey(world.key_change(account, KeyRole::Recovery, KeyRole::Recovery));
    let by_operator: Ends = |_, account| Request::Revoke {
        by: "sue".into(),
        account,
        role: KeyRole::Signature,
        reason: "stolen".into(),
    };
    for ends in [by_recovery, new_phrase, by_operator] {
        let mut world = World::founded();
        let account = AccountNumber::Member(world.member());
        let request = world.key_change(account, KeyRole::Signature, KeyRole::Recovery);
        let change = world.state.next();
        world.done(Request::ChangeKey(request));
        let request = ends(&mut world, account);
        world.done(request);
        assert_eq!(world.state.holder(account).unwrap().waiting_key, None);
        world.now = world.now.plus_ms(limits::CAUTION_MS);
        assert!(world.ask(Request::KeyInForce { account, change }).refusal().is_some());
    }
}

#[test]
fn the_first_recovery_key_is_in_force_at_once() {
    let mut world = World::founded();
    let mut registration = world.registration(wire::id::Role::Member);
    registration.recovery_key = None;
    let account = registration.account;
    world.done(Request::Register(registration));
    let change = world.key_change(account, KeyRole::Signature, KeyRole::Recovery);
    assert_eq!(world.done(Request::ChangeKey(change.clone())), Outcome::Entered);
    assert_eq!(world.state.key(account, KeyRole::Recovery).map(|(key, _)| key), change.key);
}

#[test]
fn a_revoked_key_signs_nothing_from_that_entry_on() {
    let mut world = World::founded();
    let member = world.member();
    let account = AccountNumber::Member(member);
    let store = world.store();
    let card = world.card(member, 1_000);
    let settled = world.paid(card, store, 10);
    let after = world.payment(card, store, 10);
    let revoke = |by: &str, role, reason: &str| Request::Revoke {
        by: by.into(),
        account,
        role,
        reason: reason.into(),
    };
    check(&mut world, revoke("clara", KeyRole::Signature, "stolen"), Refusal::NotAllowed);
    assert!(not_possible(&world.ask(revoke("sue", KeyRole::Signature, ""))).contains("say why"));
    let (key, event) = world.state.key(account, KeyRole::Signature).unwrap();
    world.done(revoke("sue", KeyRole::Signature, "stolen"));
    check(&mut world, Request::Pay(after), Refusal::KeyNotInForce);
    assert!(not_possible(&world.ask(revoke("sue", KeyRole::Signature, "stolen"))).contains("no such key"));
    // What it signed before stays evidence: the payment stands, and the key can still be looked up.
    assert!(world.state.payment(settled).is_some());
    assert_eq!(world.state.holder(account).unwrap().key_at(KeyRole::Signature, event), Some(key));
    // The phrase brings another.
    let change = world.key_change(account, KeyRole::Recovery, KeyRole::Signature);
    world.done(Request::ChangeKey(change));
    world.paid(card, store, 10);
    for role in [KeyRole::Terminal, KeyRole::Recovery] {
        world.done(revoke("anna", role, "stolen"));
        assert_eq!(world.state.key(account, role), None);
    }
}

#[test]
fn the_last_places_of_a_chain_are_the_recovery_keys_and_then_the_centers() {
    let mut world = World::founded();
    let account = AccountNumber::Member(world.member());
    let fill = |world: &mut World, by| loop {
        let change = world.key_change(account, by, KeyRole::Terminal);
        let entry = world.ask(Request::ChangeKey(change));
        if entry.refusal().is_some() {
            assert!(not_possible(&entry).contains("too often"));
            return world.state.holder(account).unwrap().chain.len();
        }
    };
    let left = fill(&mut world, KeyRole::Signature);
    assert_eq!(fill(&mut world, KeyRole::Recovery), left + 20);
    let revoke =
        Request::Revoke { by: "sue".into(), account, role: KeyRole::Signature, reason: "stolen".into() };
    world.done(revoke);
    assert!(world.state.holder(account).unwrap().chain.len() <= limits::PAGE);
}

#[test]
fn cashiers_are_certified_changed_and_dismissed() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let key = world.cashier(store, 100);
    let account = AccountNumber::Store(store);
    assert_eq!(world.state.key_holder(&key), Some(account));
    let first = world.state.holder(account).unwrap().cashiers[&key].entry;
    let change = world.cashier_change(store, key, Some(200));
    world.done(Request::Cashier(change));
    let cashier = world.state.holder(account).unwrap().cashiers[&key].clone();
    assert!(cashier.entry > first && cashier.rights.refund_limit == yen(200));
    // No other account's key, no other store's cashier, not even one's own former key.
    let other = world.store();
    let mut taken = vec![world.cashier_change(other, key, Some(1))];
    for role in [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery] {
        let (own, _) = world.state.key(account, role).unwrap();
        taken.push(world.cashier_change(store, own, Some(1)));
        let (foreign, _) = world.state.key(AccountNumber::Member(member), role).unwrap();
        taken.push(world.cashier_change(store, foreign, Some(1)));
    }
    let dismiss = world.cashier_change(store, key, None);
    world.done(Request::Cashier(dismiss));
    assert!(world.state.holder(account).unwrap().cashiers.is_empty());
    taken.push(world.cashier_change(store, key, Some(1)));
    for change in taken {
        check(&mut world, Request::Cashier(change), Refusal::KeyTaken);
    }
    let again = world.cashier_change(store, key, None);
    assert!(not_possible(&world.ask(Request::Cashier(again))).contains("no such cashier"));
    let mut old = world.cashier_change(store, key, Some(1));
    old.event = EntryNumber(0);
    check(&mut world, Request::Cashier(old), Refusal::KeyNotInForce);
}

#[test]
fn a_store_has_a_hundred_cashiers_at_most() {
    let mut world = World::founded();
    let store = world.store();
    for _ in 0..limits::CASHIERS {
        world.cashier(store, 0);
    }
    let key = world.key();
    let one_more = world.cashier_change(store, key, Some(0));
    assert!(not_possible(&world.ask(Request::Cashier(one_more))).contains("at most 100 cashiers"));
}
