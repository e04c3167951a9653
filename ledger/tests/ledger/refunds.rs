//! Refunds: by the store, by its cashiers, by the center.

use crate::world::{DAY_MS, World, check, not_possible, refusal, yen};
use ledger::{
    Decision, Outcome, Refusal, Request,
    request::{Refund, Standing},
};
use wire::{
    amount::Amount,
    id::{AccountNumber, EntryNumber},
    time::Timestamp,
};

#[test]
fn refunds_are_whole_once_and_before_the_claim() {
    type Case = (&'static str, fn(&mut World, &mut Refund), Refusal);
    let payment = EntryNumber(13);
    let cases: &[Case] = &[
        ("a part", |_, it| it.amount = yen(299), Refusal::WrongAmount { expected: yen(300) }),
        ("more", |_, it| it.amount = yen(301), Refusal::WrongAmount { expected: yen(300) }),
        ("nothing", |_, it| it.amount = Amount::ZERO, Refusal::AmountZero),
        (
            "no such",
            |_, it| it.payment = EntryNumber(999),
            Refusal::UnknownPayment { payment: EntryNumber(999) },
        ),
        (
            "no payment",
            |_, it| it.payment = EntryNumber(1),
            Refusal::UnknownPayment { payment: EntryNumber(1) },
        ),
        (
            "another store's",
            |world, it| {
                it.store = world.store();
                it.event = world.event(AccountNumber::Store(it.store));
            },
            Refusal::UnknownPayment { payment },
        ),
        (
            "given back before",
            |world, it| {
                let first = world.refund(it.store, it.payment, 300);
                world.done(Request::Refund(first));
            },
            Refusal::AlreadyRefunded { payment },
        ),
        (
            "claimed before",
            |world, it| {
                world.claimed(it.store, &[it.payment]);
            },
            Refusal::AlreadyClaimed { payment },
        ),
    ];
    for (name, change, expect) in cases {
        let mut world = World::founded();
        let member = world.member();
        let store = world.store();
        let card = world.card(member, 1_000);
        assert_eq!(world.paid(card, store, 300), payment);
        let mut refund = world.refund(store, payment, 300);
        change(&mut world, &mut refund);
        assert_eq!(refusal(&world.ask(Request::Refund(refund))), expect, "{name}");
    }
}

#[test]
fn a_refund_reaches_a_frozen_card() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    let payment = world.paid(card, store, 300);
    let of = Standing::Card(card);
    world.done(Request::Standing { by: "sue".into(), of, frozen: true, reason: "lost".into() });
    let refund = world.refund(store, payment, 300);
    let entry = world.ask(Request::Refund(refund));
    assert_eq!(
        entry.decision,
        Decision::Done(Outcome::Refunded { card, amount: yen(300), balance: yen(1_000), day: None })
    );
    assert_eq!(entry.concerns.member, Some(member));
    assert_eq!(world.state.payable(store), Amount::ZERO);
}

#[test]
fn a_cashier_refunds_up_to_its_limit_on_each_business_day() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 10_000);
    let (cashier, none) = (world.cashier(store, 300), world.cashier(store, 0));
    // The 15th of November 2023 in Tokyo, to its last millisecond.
    let midnight = 1_699_974_000_000;
    assert!(midnight > world.now.0 - DAY_MS && midnight < world.now.0);
    let last = Timestamp(midnight + DAY_MS - 1);
    world.now = last;
    let refund = |world: &mut World, key, total| {
        let payment = world.paid(card, store, total);
        let refund = world.cashier_refund(store, key, payment, total);
        world.ask(Request::Refund(refund))
    };
    let limit = |left| Refusal::CashierLimit { left: yen(left) };
    assert_eq!(refusal(&refund(&mut world, none, 1)), &limit(0));
    assert_eq!(refusal(&refund(&mut world, cashier, 301)), &limit(300));
    assert_eq!(refund(&mut world, cashier, 200).refusal(), None);
    assert_eq!(refusal(&refund(&mut world, cashier, 101)), &limit(100));
    assert_eq!(refund(&mut world, cashier, 100).refusal(), None);
    assert_eq!(refusal(&refund(&mut world, cashier, 1)), &limit(0));
    // Certified anew on the same day: what was given back counts on.
    let change = world.cashier_change(store, cashier, Some(350));
    world.done(Request::Cashier(change));
    assert_eq!(refusal(&refund(&mut world, cashier, 51)), &limit(50));
    world.now = last.plus_ms(1);
    let entry = refund(&mut world, cashier, 350);
    let Decision::Done(Outcome::Refunded { day: Some(day), .. }) = entry.decision else {
        panic!("{entry:?}")
    };
    assert_eq!(day.to_string(), "2023-11-16");
    assert_eq!(refusal(&refund(&mut world, cashier, 1)), &limit(0));
}

#[test]
fn a_cashiers_rights_end_with_the_change_that_gave_them() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    let payment = world.paid(card, store, 10);
    let key = world.cashier(store, 300);
    let early = world.cashier_refund(store, key, payment, 10);
    let change = world.cashier_change(store, key, Some(400));
    world.done(Request::Cashier(change));
    check(&mut world, Request::Refund(early), Refusal::KeyNotInForce);
    let mut foreign = world.cashier_refund(store, key, payment, 10);
    foreign.store = world.store();
    check(&mut world, Request::Refund(foreign), Refusal::KeyNotInForce);
    let late = world.cashier_refund(store, key, payment, 10);
    let dismiss = world.cashier_change(store, key, None);
    world.done(Request::Cashier(dismiss));
    check(&mut world, Request::Refund(late), Refusal::KeyNotInForce);
    let other = world.cashier(store, 300);
    let frozen = world.cashier_refund(store, other, payment, 10);
    let of = Standing::Account(AccountNumber::Store(store));
    world.done(Request::Standing { by: "sue".into(), of, frozen: true, reason: "law".into() });
    check(&mut world, Request::Refund(frozen), Refusal::AccountFrozen);
}

#[test]
fn the_center_gives_a_payment_back_alone_up_to_its_limit() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 2_000);
    let (small, large) = (world.paid(card, store, 500), world.paid(card, store, 501));
    let refund = |by: &str, payment, reason: &str| Request::CenterRefund {
        by: by.into(),
        payment,
        reason: reason.into(),
    };
    check(&mut world, refund("vic", small, "asked for"), Refusal::NotAllowed);
    assert!(not_possible(&world.ask(refund("clara", small, ""))).contains("say why"));
    let unknown = Refusal::UnknownPayment { payment: EntryNumber(1) };
    check(&mut world, refund("clara", EntryNumber(1), "asked for"), unknown);
    let entry = world.ask(refund("clara", small, "asked for"));
    assert_eq!(
        entry.decision,
        Decision::Done(Outcome::Refunded { card, amount: yen(500), balance: yen(1_499), day: None })
    );
    assert_eq!((entry.concerns.member, entry.concerns.store), (Some(member), Some(store)));
    let again = Refusal::AlreadyRefunded { payment: small };
    check(&mut world, refund("clara", small, "asked for"), again);
    check(&mut world, refund("clara", large, "asked for"), Refusal::NeedsSecond);
    check(&mut world, refund("anna", large, "asked for"), Refusal::NeedsSecond);
    let act = ledger::request::Proposed::of(&refund("clara", large, "asked for")).unwrap();
    assert_eq!(world.together("clara", "sue", act).refusal(), None);
    assert_eq!(world.state.payable(store), Amount::ZERO);
}
