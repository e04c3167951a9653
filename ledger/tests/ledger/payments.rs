//! Payments, voids, and what holds for every telegram.

use crate::world::{DAY_MS, START, World, check, refusal, settings, yen};
use ledger::{
    Account, Decision, Outcome, Refusal, Request,
    decide::admissible,
    request::{Payment, Standing},
};
use wire::{
    amount::{Amount, Currency},
    id::{AccountNumber, CardNumber, EntryNumber, Role, StoreNumber, TelegramId},
    limits,
    time::Timestamp,
};

#[test]
fn payments_are_refused_for_one_reason_each() {
    type Case = (&'static str, fn(&mut World, &mut Payment), Refusal);
    let cases: &[Case] = &[
        ("short by one", |_, it| it.total = yen(1_001), Refusal::BalanceShort { by: yen(1) }),
        ("nothing", |_, it| it.total = Amount::ZERO, Refusal::AmountZero),
        (
            "the largest",
            |_, it| it.total = Amount::MAX,
            Refusal::BalanceShort { by: yen(limits::AMOUNT - 1_000) },
        ),
        ("another currency", |_, it| it.currency = Currency::of_code("EUR").unwrap(), Refusal::WrongCurrency),
        ("expired by one", |world, it| it.valid_until = Timestamp(world.now.0 - 1), Refusal::Expired),
        (
            "offer expired by one",
            |world, it| it.offer_expires = Timestamp(world.now.0 - 1),
            Refusal::OfferExpired,
        ),
        ("no such card", |_, it| it.card = CardNumber(77), Refusal::UnknownCard),
        ("no such store", |_, it| it.store = StoreNumber(77), Refusal::UnknownStore),
        ("another key event", |_, it| it.event = EntryNumber(0), Refusal::KeyNotInForce),
        (
            "another's card",
            |world, it| {
                it.member = world.member();
                it.event = world.event(AccountNumber::Member(it.member));
            },
            Refusal::UnknownCard,
        ),
        (
            "frozen card",
            |world, it| {
                let of = Standing::Card(it.card);
                world.done(Request::Standing { by: "sue".into(), of, frozen: true, reason: "lost".into() });
            },
            Refusal::CardFrozen,
        ),
        (
            "frozen member",
            |world, it| {
                let of = Standing::Account(AccountNumber::Member(it.member));
                world.done(Request::Standing { by: "sue".into(), of, frozen: true, reason: "lost".into() });
            },
            Refusal::AccountFrozen,
        ),
        (
            "frozen store",
            |world, it| {
                let of = Standing::Account(AccountNumber::Store(it.store));
                world.done(Request::Standing { by: "anna".into(), of, frozen: true, reason: "law".into() });
            },
            Refusal::StoreFrozen,
        ),
        (
            "paid before",
            |world, it| {
                let mut first = world.payment(it.card, it.store, 1);
                first.order = it.order;
                world.done(Request::Pay(first));
            },
            Refusal::AlreadyPaid { by: EntryNumber(13) },
        ),
    ];
    for (name, change, expect) in cases {
        let mut world = World::founded();
        let member = world.member();
        let store = world.store();
        let card = world.card(member, 1_000);
        let mut payment = world.payment(card, store, 1_000);
        change(&mut world, &mut payment);
        let before = world.balance(card);
        let entry = world.ask(Request::Pay(payment));
        assert_eq!(refusal(&entry), expect, "{name}");
        assert_eq!(world.balance(card), before, "{name}");
    }
}

#[test]
fn a_payment_moves_exactly_its_total() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    let mut payment = world.payment(card, store, 1_000);
    // Both limits are inclusive.
    payment.valid_until = world.now;
    payment.offer_expires = world.now;
    let entry = world.ask(Request::Pay(payment.clone()));
    assert_eq!(entry.decision, Decision::Done(Outcome::Paid { balance: Amount::ZERO }));
    assert_eq!((world.balance(card), world.state.payable(store)), (0, yen(1_000)));
    assert_eq!(world.state.balance(Account::Bank), 1_000);
    assert_eq!(world.state.seen(payment.telegram), Some(entry.number));
    assert_eq!(world.state.answered(&Request::Pay(payment.clone())), Some(entry.number));
    assert_eq!(
        (entry.concerns.card, entry.concerns.member, entry.concerns.store),
        (Some(card), Some(member), Some(store))
    );
    let again = world.ask(Request::Pay(payment));
    assert_eq!(refusal(&again), &Refusal::Duplicate { of: entry.number });
    assert!(!again.is_for_the_journal());
}

#[test]
fn entries_are_dated_no_earlier_than_those_before() {
    let mut world = World::founded();
    world.member();
    world.now = Timestamp(START - DAY_MS);
    let mut registration = world.registration(Role::Member);
    registration.valid_until = Timestamp(START);
    let entry = world.ask(Request::Register(registration));
    assert_eq!(entry.at, Timestamp(START));
    assert_eq!(entry.refusal(), None);
}

#[test]
fn a_void_ends_a_telegram_before_it_is_entered() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    let payment = world.payment(card, store, 10);
    let account = AccountNumber::Member(member);
    let void = world.void(payment.telegram, account);
    let entry = world.ask(Request::Void(void));
    assert_eq!(entry.decision, Decision::Done(Outcome::Entered));
    check(&mut world, Request::Pay(payment), Refusal::Duplicate { of: entry.number });
    // One that was entered keeps its answer.
    let settled = world.payment(card, store, 10);
    let number = world.state.next();
    world.done(Request::Pay(settled.clone()));
    let void = world.void(settled.telegram, account);
    check(&mut world, Request::Void(void), Refusal::Duplicate { of: number });
    let mut late = world.void(TelegramId([0x77; 32]), account);
    late.valid_until = Timestamp(world.now.0 - 1);
    check(&mut world, Request::Void(late), Refusal::Expired);
}

#[test]
fn ids_and_orders_are_kept_for_their_time_and_dropped_after_it() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    let payment = world.payment(card, store, 10);
    let number = world.state.next();
    world.done(Request::Pay(payment.clone()));
    world.now = payment.valid_until;
    world.member();
    assert_eq!(world.state.seen(payment.telegram), Some(number), "kept to the last millisecond");
    assert_eq!(world.state.paid_by(store, payment.order), Some(number));
    world.now = Timestamp(payment.valid_until.0 + 1);
    world.member();
    assert_eq!(world.state.seen(payment.telegram), None);
    assert_eq!(world.state.paid_by(store, payment.order), None);
    let late = world.ask(Request::Pay(payment.clone()));
    assert_eq!(refusal(&late), &Refusal::Expired);
    assert!(!late.is_for_the_journal(), "repeating it fills nothing");
    let anew = Payment { valid_until: world.soon(), telegram: world.telegram(), ..payment };
    check(&mut world, Request::Pay(anew), Refusal::OfferExpired);
    assert!(world.state.payment(number).is_some(), "the payment itself stays");
}

#[test]
fn refusals_above_the_rate_are_not_entered() {
    let mut settings = settings();
    settings.refusals_per_minute = 2;
    let mut world = World::with(settings);
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    // The start of a minute, so that the window does not turn in the middle.
    world.now = Timestamp(world.now.0.next_multiple_of(60_000));
    let too_much = |world: &mut World| Request::Pay(world.payment(card, store, 5_000));
    for _ in 0..2 {
        let request = too_much(&mut world);
        assert!(world.ask(request).is_for_the_journal());
    }
    let request = too_much(&mut world);
    let entry = world.ask(request.clone());
    assert_eq!(refusal(&entry), &Refusal::TooManyRefusals);
    assert!(!entry.is_for_the_journal());
    let good = world.payment(card, store, 5);
    assert_eq!(world.ask(Request::Pay(good)).refusal(), None, "what is in order always passes");
    world.now = world.now.plus_ms(60_000);
    assert_eq!(refusal(&world.ask(request)), &Refusal::BalanceShort { by: yen(4_005) });
}

#[test]
fn a_request_too_far_ahead_is_not_admissible() {
    let mut world = World::founded();
    let now = world.now;
    let far = now.plus_ms(limits::VALIDITY_MS);
    let payment = world.payment(CardNumber(1), StoreNumber(1), 10);
    let with = |until: Timestamp, offer: Timestamp| {
        Request::Pay(Payment { valid_until: until, offer_expires: offer, ..payment.clone() })
    };
    assert_eq!(admissible(&with(far, far), now), Ok(()));
    let over = far.plus_ms(1);
    assert!(admissible(&with(over, far), now).unwrap_err().contains("7 days"));
    assert!(admissible(&with(far, over), now).unwrap_err().contains("the offer"));
    let void = Request::Void(ledger::request::Void {
        telegram: payment.telegram,
        account: AccountNumber::Member(payment.member),
        valid_until: Timestamp(u64::MAX),
    });
    assert_eq!(admissible(&void, now), Ok(()), "a void is kept however far its telegram reaches");
}

#[test]
fn histories_are_walked_backwards() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    let first = world.paid(card, store, 1);
    let second = world.paid(card, store, 2);
    let entry = &world.entries[usize::try_from(second.0).unwrap()];
    assert_eq!(
        (entry.previous.card, entry.previous.member, entry.previous.store),
        (Some(first), Some(first), Some(first))
    );
    let mut at = world.state.holder(AccountNumber::Member(member)).map(|holder| holder.last);
    let mut walked = Vec::new();
    while let Some(number) = at {
        walked.push(number.0);
        at = world.entries[usize::try_from(number.0).unwrap()].previous.member;
    }
    assert_eq!(walked, [14, 13, 12, 11, 8], "back to the registration");
}
