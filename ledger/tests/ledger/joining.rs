//! Applications, activation codes, registrations, replaced terminals.

use crate::world::{START, World, check, not_possible, refusal, yen};
use ledger::{
    Outcome, Refusal, Request,
    request::{Admission, PostResult, Proposed, Registration, Standing},
    state::{AdmissionState, Decided},
};
use wire::{
    admission::Way,
    id::{AccountNumber, ApplicationNumber, Digest, EntryNumber, MemberNumber, Role, StoreNumber},
    limits,
    payload::KeyRole,
    time::Timestamp,
};

#[test]
fn registrations_take_fresh_keys_only() {
    let mut world = World::founded();
    let first = world.registration(Role::Store);
    world.done(Request::Register(first.clone()));
    for change in 0..4 {
        let mut second = world.registration(Role::Member);
        match change {
            0 => second.terminal_key = first.terminal_key,
            1 => second.terminal_key = first.recovery_key.unwrap(),
            2 => second.recovery_key = Some(second.signature_key),
            _ => second.terminal_key = second.signature_key,
        }
        check(&mut world, Request::Register(second), Refusal::KeyTaken);
    }
    let mut nameless = world.registration(Role::Store);
    nameless.trade_name = Some("  ".into());
    assert!(not_possible(&world.ask(Request::Register(nameless))).contains("name to trade under"));
    let mut late = world.registration(Role::Member);
    late.valid_until = Timestamp(START - 1);
    check(&mut world, Request::Register(late), Refusal::Expired);
    assert_eq!(world.state.key_holder(&first.terminal_key), Some(AccountNumber::Store(StoreNumber(1))));
    assert_eq!(world.state.stores_after(None).count(), 1);
    assert_eq!(world.state.stores_after(Some(StoreNumber(u64::MAX))).count(), 0);
}

#[test]
fn an_admission_reserves_a_number_and_sends_the_code() {
    let mut world = World::founded();
    let ways = vec![Way::Mail, Way::Letter];
    let admission = Admission { ways: ways.clone(), ..world.admission(Role::Store) };
    let entry = world.state.next();
    let account = AccountNumber::Store(StoreNumber(1));
    assert_eq!(world.done(Request::Admit(admission.clone())), Outcome::Admitted(account));
    assert_eq!(world.state.admission_of(admission.application), Some(entry));
    assert_eq!(world.state.unposted().collect::<Vec<_>>(), [(entry, &ways[..])]);
    assert!(world.state.holder(account).is_none(), "nobody is registered yet");
    // The number stays reserved, whether or not anybody registers under it.
    let next = world.admission(Role::Store);
    assert_eq!(world.done(Request::Admit(next)), Outcome::Admitted(AccountNumber::Store(StoreNumber(2))));
    assert_eq!(world.admitted(Role::Member), EntryNumber(entry.0 + 2));

    let posted = |way, result| Request::Posted { intent: entry, way, result };
    world.done(posted(Way::Mail, PostResult::Done));
    let again = world.ask(posted(Way::Mail, PostResult::Done));
    assert!(not_possible(&again).contains("nothing that waits to go out by e-mail"));
    let give_up = |by: &str| posted(Way::Letter, PostResult::GivenUp { by: by.into() });
    check(&mut world, give_up("vic"), Refusal::NotAllowed);
    world.done(give_up("clara"));
    assert!(world.state.unposted().all(|(intent, _)| intent != entry));
}

#[test]
fn admissions_are_refused_for_one_reason_each() {
    type Case = (&'static str, fn(&mut World, &mut Admission), Result<Refusal, &'static str>);
    let cases: &[Case] = &[
        ("a viewer", |_, it| it.by = Some("vic".into()), Ok(Refusal::NotAllowed)),
        ("nobody", |_, it| it.by = Some("ghost".into()), Ok(Refusal::NotAllowed)),
        (
            "a key in use",
            |world, it| {
                let registration = world.registration(Role::Member);
                it.key = registration.terminal_key;
                world.done(Request::Register(registration));
            },
            Ok(Refusal::KeyTaken),
        ),
        ("no way", |_, it| it.ways.clear(), Err("by e-mail, by letter, or by both")),
        ("one way twice", |_, it| it.ways = vec![Way::Mail; 2], Err("by e-mail, by letter, or by both")),
        ("no time", |world, it| it.until = world.now, Err("run out already")),
        (
            "twice",
            |world, it| {
                world.done(Request::Admit(it.clone()));
            },
            Err("was admitted by"),
        ),
        (
            "refused before",
            |world, it| {
                world.done(decline(it.application, false));
            },
            Err("was refused by"),
        ),
        (
            "replaces nobody",
            |_, it| {
                it.by = Some("sue".into());
                it.replaces = Some(AccountNumber::Member(MemberNumber(9)));
            },
            Err("there is no account"),
        ),
        (
            "replaces a store as a member",
            |world, it| {
                it.by = Some("sue".into());
                it.replaces = Some(AccountNumber::Store(world.store()));
            },
            Err("is no member account"),
        ),
        (
            "replaces by a clerk",
            |world, it| it.replaces = Some(AccountNumber::Member(world.member())),
            Ok(Refusal::NotAllowed),
        ),
        (
            "replaces by rule",
            |world, it| {
                it.by = None;
                it.replaces = Some(AccountNumber::Member(world.member()));
            },
            Ok(Refusal::NotAllowed),
        ),
    ];
    for (name, change, expect) in cases {
        let mut world = World::founded();
        let mut admission = world.admission(Role::Member);
        change(&mut world, &mut admission);
        let entry = world.ask(Request::Admit(admission));
        match expect {
            Ok(expect) => assert_eq!(refusal(&entry), expect, "{name}"),
            Err(words) => assert!(not_possible(&entry).contains(words), "{name}: {entry:?}"),
        }
    }
}

fn decline(application: ApplicationNumber, ask_back: bool) -> Request {
    let (particulars, reason) = (Digest([2; 32]), Digest([8; 32]));
    Request::Decline { by: Some("clara".into()), application, ask_back, particulars, reason }
}

#[test]
fn an_application_is_asked_back_and_admitted_or_refused_for_ever() {
    let mut world = World::founded();
    let admission = world.admission(Role::Member);
    let application = admission.application;
    let asked = world.state.next();
    world.done(decline(application, true));
    assert_eq!(world.state.decided(application), Some(Decided::AskedBack(asked)));
    assert_eq!(world.state.admission_of(application), None);
    let entry = world.state.next();
    world.done(Request::Admit(Admission { by: None, ..admission }));
    assert!(not_possible(&world.ask(decline(application, true))).contains("was admitted by"));
    // Refused after all, before anybody registered: the code opens nothing.
    world.done(decline(application, false));
    assert_eq!(world.state.admission(entry).unwrap().state, AdmissionState::Spent);
    assert_eq!(world.state.unposted().count(), 0);
    let late = world.registration_of(entry);
    assert!(not_possible(&world.ask(Request::Register(late))).contains("apply again"));
    assert!(not_possible(&world.ask(decline(application, false))).contains("was refused by"));
    let registration = world.registration(Role::Member);
    world.done(Request::Register(registration.clone()));
    let entry = world.ask(decline(registration.application, false));
    assert!(not_possible(&entry).contains("was registered by"));
}

#[test]
fn registrations_are_refused_for_one_reason_each() {
    type Case = (&'static str, fn(&mut World, &mut Registration), &'static str);
    let cases: &[Case] = &[
        ("never admitted", |_, it| it.admission = EntryNumber(3), "admitted nobody"),
        (
            "another's number",
            |_, it| it.account = AccountNumber::Member(MemberNumber(1)),
            "not the one that came with the activation code",
        ),
        (
            "another's application",
            |_, it| it.application = ApplicationNumber(77),
            "not the one that came with the activation code",
        ),
        ("another key", |world, it| it.signature_key = world.key(), "only the key that applied"),
        ("other particulars", |_, it| it.particulars = Digest([9; 32]), "not those that were admitted"),
        (
            "too late",
            |world, it| {
                world.now = world.state.admission(it.admission).unwrap().until.plus_ms(1);
                it.valid_until = world.soon();
            },
            "has run out",
        ),
    ];
    for (name, change, words) in cases {
        let mut world = World::founded();
        world.member();
        let mut registration = world.registration(Role::Member);
        let whole = registration.clone();
        change(&mut world, &mut registration);
        let entry = world.ask(Request::Register(registration));
        assert!(not_possible(&entry).contains(words), "{name}: {entry:?}");
        if *name != "too late" {
            // What was refused stood in nobody's way.
            let whole = Registration { telegram: world.telegram(), ..whole };
            world.done(Request::Register(whole));
        }
    }
}

#[test]
fn a_code_is_good_to_its_last_millisecond() {
    let mut world = World::founded();
    let mut registration = world.registration(Role::Member);
    world.now = world.state.admission(registration.admission).unwrap().until;
    registration.valid_until = world.now;
    world.done(Request::Register(registration));
}

#[test]
fn of_two_terminals_with_one_code_the_first_registers() {
    let mut world = World::founded();
    let first = world.registration(Role::Member);
    let second = world.registration_of(first.admission);
    let entry = world.state.next();
    world.done(Request::Register(first.clone()));
    assert_eq!(world.state.admission(first.admission).unwrap().state, AdmissionState::Registered(entry));
    assert!(not_possible(&world.ask(Request::Register(second))).contains("was registered by"));
    assert_eq!(world.state.key(first.account, KeyRole::Terminal), Some((first.terminal_key, entry)));
    check(&mut world, Request::Register(first), Refusal::Duplicate { of: entry });
}

#[test]
fn a_new_code_takes_the_place_of_the_former() {
    let mut world = World::founded();
    let admission = world.admitted(Role::Member);
    let until = world.state.at().plus_ms(5);
    let recode = |by: &str, key, reason: &str| Request::Recode {
        by: by.into(),
        admission,
        until,
        key,
        ways: vec![Way::Letter],
        reason: reason.into(),
    };
    check(&mut world, recode("clara", None, "lost"), Refusal::NotAllowed);
    assert!(not_possible(&world.ask(recode("sue", None, " "))).contains("say why"));
    let entry = world.state.next();
    world.done(recode("sue", None, "the mail was lost"));
    let admitted = world.state.admission(admission).unwrap();
    assert_eq!((admitted.code, admitted.until), (entry, until));
    // Of what was intended before, nothing goes out any more.
    assert_eq!(world.state.unposted().collect::<Vec<_>>(), [(entry, &[Way::Letter][..])]);
    // Another key may register only when two operators say so.
    let key = world.key();
    let other = recode("sue", Some(key), "the terminal broke");
    check(&mut world, other.clone(), Refusal::NeedsSecond);
    let act = Proposed::of(&other).unwrap();
    let entry = world.together("sue", "anna", act);
    assert_eq!(entry.decision, ledger::Decision::Done(Outcome::Entered));
    let admitted = world.state.admission(admission).unwrap();
    assert_eq!((admitted.code, admitted.key), (entry.number, key), "the confirming entry bears the code");
    let registration = world.registration_of(admission);
    world.done(Request::Register(registration));
    assert!(not_possible(&world.ask(recode("sue", None, "again"))).contains("was registered by"));
    assert_eq!(world.state.unposted().count(), 0);
}

#[test]
fn a_replaced_terminal_gets_new_keys_and_holds_the_money_for_three_days() {
    let mut world = World::founded();
    let member = world.member();
    let account = AccountNumber::Member(member);
    let store = world.store();
    let card = world.card(member, 1_000);
    let old = world.payment(card, store, 10);
    let change = world.key_change(account, KeyRole::Signature, KeyRole::Recovery);
    world.done(Request::ChangeKey(change));
    let admission = world.replacement(account);
    check(&mut world, Request::Admit(admission.clone()), Refusal::NeedsSecond);
    let act = Proposed::of(&Request::Admit(admission)).unwrap();
    let other = world.replacement(account);
    let other = world.together("anna", "sue", Proposed::of(&Request::Admit(other)).unwrap()).number;
    let admitted = world.together("sue", "anna", act);
    assert_eq!(admitted.decision, ledger::Decision::Done(Outcome::Admitted(account)));
    assert_eq!(admitted.concerns.member, Some(member));
    let registration = world.registration_of(admitted.number);
    let entry = world.state.next();
    world.done(Request::Register(registration.clone()));
    let holder = world.state.holder(account).unwrap();
    for (role, key) in [
        (KeyRole::Signature, Some(registration.signature_key)),
        (KeyRole::Terminal, Some(registration.terminal_key)),
        (KeyRole::Recovery, registration.recovery_key),
    ] {
        assert_eq!(holder.key(role), key.map(|key| (key, entry)), "{role:?}");
    }
    assert_eq!(holder.waiting_key, None, "what the lost terminal asked for is forgotten");
    assert_eq!(world.state.admission(other).unwrap().state, AdmissionState::Spent);
    assert_eq!(world.state.unposted().last(), Some((entry, &[Way::Mail][..])), "the former contact is told");
    check(&mut world, Request::Pay(old), Refusal::KeyNotInForce);
    let until = world.state.at().plus_ms(limits::CAUTION_MS);
    let payment = world.payment(card, store, 10);
    check(&mut world, Request::Pay(payment), Refusal::Held { until });
    world.now = Timestamp(until.0 - 1);
    let payment = world.payment(card, store, 10);
    check(&mut world, Request::Pay(payment), Refusal::Held { until });
    world.now = until;
    let payment = world.payment(card, store, 10);
    world.done(Request::Pay(payment));
}

#[test]
fn no_money_leaves_a_held_store_and_money_still_comes_in() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let account = AccountNumber::Store(store);
    let card = world.card(member, 1_000);
    let cashier = world.cashier(store, 500);
    let payments = [world.paid(card, store, 10), world.paid(card, store, 20)];
    let request = world.claim(store, &payments[..1]);
    let claim = world.state.next();
    world.done(Request::Claim(request));
    let act = Proposed::of(&Request::Admit(world.replacement(account))).unwrap();
    let admission = world.together("sue", "anna", act).number;
    let registration = world.registration_of(admission);
    world.done(Request::Register(registration));
    let until = world.state.holder(account).unwrap().held_until.unwrap();
    assert_eq!(world.state.claims_due(world.now).count(), 0);
    check(&mut world, Request::PayClaim { claim }, Refusal::Held { until });
    let refund = world.refund(store, payments[1], 20);
    check(&mut world, Request::Refund(refund), Refusal::Held { until });
    let (by, reason) = ("clara".to_owned(), "asked for".to_owned());
    let center = Request::CenterRefund { by, payment: payments[1], reason };
    check(&mut world, center.clone(), Refusal::Held { until });
    let refund = world.cashier_refund(store, cashier, payments[1], 20);
    check(&mut world, Request::Refund(refund), Refusal::KeyNotInForce);
    world.paid(card, store, 30);
    world.now = until;
    assert_eq!(world.state.claims_due(world.now).collect::<Vec<_>>(), [claim]);
    world.done(Request::PayClaim { claim });
    world.done(center);
    assert_eq!(world.state.payable(store), yen(30));
}

#[test]
fn a_replaced_terminal_leaves_a_freeze_and_an_account_without_phrase_as_they_are() {
    let mut world = World::founded();
    let account = AccountNumber::Member(world.member());
    let of = Standing::Account(account);
    world.done(Request::Standing { by: "sue".into(), of, frozen: true, reason: "lost".into() });
    let act = Proposed::of(&Request::Admit(world.replacement(account))).unwrap();
    let admission = world.together("sue", "anna", act).number;
    let registration = Registration { recovery_key: None, ..world.registration_of(admission) };
    world.done(Request::Register(registration));
    let holder = world.state.holder(account).unwrap();
    assert!(holder.frozen);
    assert_eq!(holder.key(KeyRole::Recovery), None, "the lost phrase counts no more");
}
