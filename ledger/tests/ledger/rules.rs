//! One case per rule: what is refused and why, and what moves when it is not.

use crate::world::{DAY_MS, START, World, failed_at_bank, paid_by_bank, settings, yen};
use ledger::{
    Account, Decision, Entry, Outcome, Refusal, Request,
    decide::admissible,
    entry::{Mismatch, Purpose},
    request::{OperatorRole, Payment, Refund, Standing},
    state::{ClaimState, PaymentState, ReceiptState, RequestState},
};
use wire::{
    amount::{Amount, Currency},
    id::{AccountNumber, CardNumber, Digest, EntryNumber, OrderHash, Role, StoreNumber, TelegramId},
    limits,
    payload::KeyRole,
    time::Timestamp,
};

fn refusal(entry: &Entry) -> &Refusal {
    assert!(entry.postings.is_empty(), "a refusal moves no money");
    entry.refusal().expect("it was to be refused")
}

fn check(world: &mut World, request: Request, expect: Refusal) {
    let digest = world.state.balances().collect::<Vec<_>>();
    assert_eq!(refusal(&world.ask(request)), &expect);
    assert_eq!(world.state.balances().collect::<Vec<_>>(), digest);
}

fn not_possible(entry: &Entry) -> &str {
    match refusal(entry) {
        Refusal::NotPossible(words) => words,
        other => panic!("{other:?}"),
    }
}

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
            Refusal::AlreadyPaid { by: EntryNumber(10) },
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
fn credits_match_by_reference_and_exact_amount() {
    let mut world = World::founded();
    let member = world.member();
    let (request, reference) = world.requested(member, 500);
    let cases = [
        (None, 500, Mismatch::UnknownReference),
        (Some("rent for May"), 500, Mismatch::UnknownReference),
        (Some("RF18539007547034"), 500, Mismatch::UnknownReference),
        (Some(reference.as_str()), 499, Mismatch::TooLittle { request, expected: yen(500) }),
        (Some(reference.as_str()), 501, Mismatch::TooMuch { request, expected: yen(500) }),
    ];
    let mut unmatched = 0;
    for (text, amount, expect) in cases {
        let credit = world.credit(text, amount);
        assert_eq!(world.done(Request::Credit(credit)), Outcome::Unmatched(expect));
        unmatched += i128::from(amount);
        assert_eq!(world.state.balance(Account::Unmatched), -unmatched);
    }
    let credit = world.credit(Some(&reference.to_lowercase().replace(' ', "")), 500);
    let number = world.state.next();
    let outcome = world.done(Request::Credit(credit.clone()));
    assert_eq!(outcome, Outcome::CardIssued { card: CardNumber(1), request, amount: yen(500) });
    assert_eq!(world.state.credit_entered(&credit), Some(number));
    assert_eq!(world.state.requested(request).unwrap().state, RequestState::Issued(CardNumber(1)));
    let twice = world.credit(Some(&reference), 500);
    assert_eq!(world.done(Request::Credit(twice)), Outcome::Unmatched(Mismatch::AlreadyPaid { request }));
    // The same movement in another notice brought no money a second time.
    let mut told_again = credit.clone();
    told_again.notice = Digest([0xee; 32]);
    assert_eq!(world.state.credit_entered(&told_again), None);
    let entry = world.ask(Request::Credit(told_again.clone()));
    assert_eq!(refusal(&entry), &Refusal::Duplicate { of: number });
    assert!(entry.is_for_the_journal());
    assert_eq!(world.state.credit_entered(&told_again), Some(entry.number));
    let mut foreign = world.credit(None, 5);
    foreign.currency = Currency::of_code("EUR").unwrap();
    check(&mut world, Request::Credit(foreign), Refusal::WrongCurrency);
    let nothing = world.credit(None, 0);
    check(&mut world, Request::Credit(nothing), Refusal::AmountZero);
}

#[test]
fn card_requests_keep_within_the_settings() {
    let mut world = World::founded();
    let member = world.member();
    let out_of_range = Refusal::AmountOutOfRange { least: yen(100), most: yen(1_000_000) };
    for (amount, expect) in [
        (99, Some(out_of_range.clone())),
        (100, None),
        (1_000_000, None),
        (1_000_001, Some(out_of_range)),
        (0, Some(Refusal::AmountZero)),
    ] {
        let request = world.card_request(member, amount);
        assert_eq!(world.ask(Request::RequestCard(request)).refusal(), expect.as_ref(), "{amount}");
    }
    for _ in 2..20 {
        world.requested(member, 200);
    }
    let request = world.card_request(member, 200);
    assert!(not_possible(&world.ask(Request::RequestCard(request))).contains("20 card requests"));
}

#[test]
fn a_request_lapses_after_its_time_and_not_before() {
    let mut world = World::founded();
    let member = world.member();
    let (request, reference) = world.requested(member, 500);
    let expires = world.state.requested(request).unwrap().expires;
    world.now = expires;
    assert!(not_possible(&world.ask(Request::Lapse { request })).contains("still has time"));
    assert_eq!(world.state.lapsing(expires).count(), 0);
    world.now = expires.plus_ms(1);
    assert_eq!(world.state.lapsing(world.now).collect::<Vec<_>>(), [request]);
    world.done(Request::Lapse { request });
    assert!(not_possible(&world.ask(Request::Lapse { request })).contains("no card request that waits"));
    assert_eq!(world.state.waiting_of(member).count(), 0);
    let credit = world.credit(Some(&reference), 500);
    assert_eq!(world.done(Request::Credit(credit)), Outcome::Unmatched(Mismatch::Lapsed { request }));
}

#[test]
fn operators_settle_unmatched_receipts() {
    let mut world = World::founded();
    let member = world.member();
    let (request, reference) = world.requested(member, 500);
    let receipt = world.state.next();
    let credit = world.credit(Some(&reference), 60);
    world.done(Request::Credit(credit));
    let assign = |by: &str| Request::AssignReceipt { by: by.into(), receipt, request };
    check(&mut world, assign("vic"), Refusal::NotAllowed);
    check(&mut world, assign("nobody"), Refusal::NotAllowed);
    let outcome = world.done(assign("clara"));
    assert_eq!(outcome, Outcome::CardIssued { card: CardNumber(1), request, amount: yen(60) });
    assert_eq!(world.balance(CardNumber(1)), 60);
    assert!(not_possible(&world.ask(assign("clara"))).contains("no bank receipt that waits"));

    let receipt = world.state.next();
    let credit = world.credit(None, 70);
    world.done(Request::Credit(credit));
    let back = |by: &str| Request::ReturnReceipt { by: by.into(), receipt };
    check(&mut world, back("clara"), Refusal::NotAllowed);
    let payout = world.state.next();
    let purpose = Purpose::Return(receipt);
    assert_eq!(world.done(back("sue")), Outcome::PayoutIntended { purpose, amount: yen(70) });
    let failed = world.done(Request::PayoutResult { payout, result: failed_at_bank() });
    assert_eq!(failed, Outcome::PayoutSettled { purpose, amount: yen(70), paid: false });
    assert_eq!(world.state.receipt(receipt).unwrap().state, ReceiptState::Waiting);
    let payout = world.state.next();
    world.done(back("sue"));
    world.done(Request::PayoutResult { payout, result: paid_by_bank("B1") });
    assert_eq!(world.state.receipt(receipt).unwrap().state, ReceiptState::Returned);
    assert_eq!(world.state.balance(Account::Bank), 60);
    let (request, _) = world.requested(member, 500);
    let receipt = world.state.next();
    let credit = world.credit(None, 1_000_001);
    world.done(Request::Credit(credit));
    let entry = world.ask(Request::AssignReceipt { by: "clara".into(), receipt, request });
    assert!(matches!(refusal(&entry), Refusal::AmountOutOfRange { .. }));
}

#[test]
fn refunds_are_whole_once_and_before_the_claim() {
    type Case = (&'static str, fn(&mut World, &mut Refund), Refusal);
    let payment = EntryNumber(10);
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
        Decision::Done(Outcome::Refunded { card, amount: yen(300), balance: yen(1_000) })
    );
    assert_eq!(entry.concerns.member, Some(member));
    assert_eq!(world.state.payable(store), Amount::ZERO);
}

#[test]
fn claims_name_every_payment_without_proof() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    let payments: Vec<EntryNumber> = (1..=4).map(|total| world.paid(card, store, total)).collect();
    let mut claim = world.claim(store, &payments);
    claim.proofs[0].order = OrderHash([0xaa; 32]);
    claim.proofs[1].total = yen(77);
    claim.proofs[2].offer = Digest([0xaa; 32]);
    let expect = Refusal::NotDelivered { payments: payments[..3].to_vec() };
    check(&mut world, Request::Claim(claim), expect);
    let mut claim = world.claim(store, &payments);
    claim.proofs.clear();
    check(&mut world, Request::Claim(claim), Refusal::NotDelivered { payments: payments.clone() });
    let mut claim = world.claim(store, &payments);
    claim.total = yen(9);
    check(&mut world, Request::Claim(claim), Refusal::WrongAmount { expected: yen(10) });
    for wrong in [vec![], vec![payments[1], payments[0]], vec![payments[0], payments[0]]] {
        let mut claim = world.claim(store, &payments);
        claim.payments = wrong;
        check(&mut world, Request::Claim(claim), Refusal::ClaimOutOfOrder);
    }
    let other = world.store();
    let mut claim = world.claim(store, &payments);
    claim.store = other;
    claim.event = world.event(AccountNumber::Store(other));
    check(&mut world, Request::Claim(claim), Refusal::UnknownPayment { payment: payments[0] });
}

#[test]
fn a_failed_transfer_makes_its_payments_claimable_again() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    let payments = [world.paid(card, store, 100), world.paid(card, store, 200)];
    let (claim, payout) = world.claimed(store, &payments);
    assert_eq!(world.state.payable(store), Amount::ZERO);
    assert_eq!(world.state.balance(Account::PayoutsInTransit), -300);
    assert_eq!(world.state.payment(payments[0]).unwrap().state, PaymentState::Claimed(claim));
    let again = world.claim(store, &payments);
    check(&mut world, Request::Claim(again), Refusal::AlreadyClaimed { payment: payments[0] });
    let result = Request::PayoutResult { payout, result: failed_at_bank() };
    let failed_by = world.state.next();
    world.done(result.clone());
    assert_eq!(world.state.answered(&result), Some(failed_by), "told again, it is not entered again");
    let late = Request::PayoutResult { payout, result: paid_by_bank("B2") };
    assert_eq!(world.state.answered(&late), None);
    assert_eq!(world.state.claim(claim).unwrap().state, ClaimState::Failed);
    assert_eq!(world.state.payable(store), yen(300));
    // One of them alone, and the other given back.
    let (claim, payout) = world.claimed(store, &payments[..1]);
    let refund = world.refund(store, payments[1], 200);
    world.done(Request::Refund(refund));
    world.done(Request::PayoutResult { payout, result: paid_by_bank("B3") });
    assert_eq!(world.state.claim(claim).unwrap().state, ClaimState::Paid);
    assert_eq!(world.state.balance(Account::Bank), 900);
    assert_eq!(world.balance(card), 900);
    assert!(not_possible(&world.ask(Request::PayClaim { claim })).contains("no claim that waits"));
}

#[test]
fn a_transfer_executed_after_it_failed_is_booked_as_the_bank_moved_it() {
    // Of two payments of 100 and 200: what the store does with them before the bank contradicts itself, then what is
    // owed by the store, whether each payment is open, and how the claim stands.
    type Between = fn(&mut World, StoreNumber, [EntryNumber; 2]);
    let cases: [(&str, Between, i128, ClaimState); 4] = [
        ("nothing", |_, _, _| {}, 0, ClaimState::Paid),
        (
            "claims both again",
            |world, store, payments| {
                world.claimed(store, &payments);
            },
            300,
            ClaimState::Failed,
        ),
        (
            "claims one again",
            |world, store, payments| {
                world.claimed(store, &payments[..1]);
            },
            100,
            ClaimState::Failed,
        ),
        (
            "gives one back",
            |world, store, payments| {
                let refund = world.refund(store, payments[1], 200);
                world.done(Request::Refund(refund));
            },
            200,
            ClaimState::Failed,
        ),
    ];
    for (what, between, receivable, expect) in cases {
        let mut world = World::founded();
        let member = world.member();
        let store = world.store();
        let card = world.card(member, 1_000);
        let payments = [world.paid(card, store, 100), world.paid(card, store, 200)];
        let (claim, payout) = world.claimed(store, &payments);
        world.done(Request::PayoutResult { payout, result: failed_at_bank() });
        between(&mut world, store, payments);
        let late = Request::PayoutResult { payout, result: paid_by_bank("B2") };
        let by = world.state.next();
        let outcome = world.done(late.clone());
        let purpose = Purpose::Claim(claim);
        assert_eq!(outcome, Outcome::PayoutSettled { purpose, amount: yen(300), paid: true }, "{what}");
        assert_eq!(world.state.answered(&late), Some(by), "{what}");
        assert_eq!(world.state.balance(Account::Bank), 700, "{what}");
        let debtor = Account::Receivable(AccountNumber::Store(store));
        assert_eq!(world.state.balance(debtor), receivable, "{what}");
        assert_eq!(world.state.payable(store), Amount::ZERO, "{what}");
        assert_eq!(world.state.claim(claim).unwrap().state, expect, "{what}");
        for payment in payments {
            let request = world.claim(store, &[payment]);
            let again = world.ask(Request::Claim(request));
            assert!(again.refusal().is_some(), "{what}: {payment} can be claimed once more");
        }
        let failed = Request::PayoutResult { payout, result: failed_at_bank() };
        assert!(not_possible(&world.ask(failed)).contains("was executed"), "{what}");
    }
}

#[test]
fn a_return_executed_after_it_failed_takes_the_receipt_off_the_desk() {
    for assigned in [false, true] {
        let mut world = World::founded();
        let member = world.member();
        let (request, _) = world.requested(member, 500);
        let receipt = world.state.next();
        let credit = world.credit(None, 400);
        world.done(Request::Credit(credit));
        let payout = world.state.next();
        world.done(Request::ReturnReceipt { by: "sue".into(), receipt });
        world.done(Request::PayoutResult { payout, result: failed_at_bank() });
        if assigned {
            world.done(Request::AssignReceipt { by: "clara".into(), receipt, request });
        }
        world.done(Request::PayoutResult { payout, result: paid_by_bank("B1") });
        let debtor = Account::Receivable(AccountNumber::Member(member));
        assert_eq!(world.state.balance(debtor), if assigned { 400 } else { 0 });
        assert_eq!(world.state.balance(Account::Bank), 0);
        assert_eq!(world.state.balance(Account::Unmatched), 0);
        assert_eq!(world.state.receipt(receipt).unwrap().state == ReceiptState::Returned, !assigned);
    }
    // Sent back a second time already: nobody here could owe it, so it is refused and an operator looks.
    let mut world = World::founded();
    let receipt = world.state.next();
    let credit = world.credit(None, 400);
    world.done(Request::Credit(credit));
    let payout = world.state.next();
    world.done(Request::ReturnReceipt { by: "sue".into(), receipt });
    world.done(Request::PayoutResult { payout, result: failed_at_bank() });
    world.done(Request::ReturnReceipt { by: "sue".into(), receipt });
    let late = Request::PayoutResult { payout, result: paid_by_bank("B1") };
    assert!(not_possible(&world.ask(late)).contains("a second time"));
}

#[test]
fn a_frozen_stores_transfer_waits() {
    let mut world = World::founded();
    let member = world.member();
    let store = world.store();
    let card = world.card(member, 1_000);
    let payment = world.paid(card, store, 100);
    let request = world.claim(store, &[payment]);
    let claim = world.state.next();
    world.done(Request::Claim(request));
    let standing = |frozen| Request::Standing {
        by: "sue".into(),
        of: Standing::Account(AccountNumber::Store(store)),
        frozen,
        reason: "law".into(),
    };
    world.done(standing(true));
    assert_eq!(world.state.claims_due().count(), 0);
    check(&mut world, Request::PayClaim { claim }, Refusal::StoreFrozen);
    assert!(not_possible(&world.ask(standing(true))).contains("frozen already"));
    world.done(standing(false));
    assert_eq!(world.state.claims_due().collect::<Vec<_>>(), [claim]);
    assert!(not_possible(&world.ask(standing(false))).contains("not frozen"));
    world.done(Request::PayClaim { claim });
}

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
    let change = world.key_change(account, KeyRole::Signature, KeyRole::Recovery);
    assert!(not_possible(&world.ask(Request::ChangeKey(change))).contains("recovery phrase"));
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
fn registrations_take_fresh_keys_only() {
    let mut world = World::founded();
    let first = world.registration(Role::Store);
    world.done(Request::Register(first.clone()));
    for change in 0..4 {
        let mut second = world.registration(Role::Member);
        match change {
            0 => second.signature_key = first.terminal_key,
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
fn one_operator_stays_admin() {
    let mut world = World::founded();
    let operator = |name: &str, role, by: Option<&str>| Request::Operator {
        name: name.into(),
        role,
        by: by.map(str::to_owned),
    };
    check(&mut world, operator("eve", Some(OperatorRole::Admin), None), Refusal::NotAllowed);
    check(&mut world, operator("eve", Some(OperatorRole::Clerk), Some("sue")), Refusal::NotAllowed);
    assert!(not_possible(&world.ask(operator("anna", None, Some("anna")))).contains("must stay admin"));
    assert!(not_possible(&world.ask(operator("ghost", None, Some("anna")))).contains("no such operator"));
    assert!(
        not_possible(&world.ask(operator("", Some(OperatorRole::Clerk), Some("anna")))).contains("bytes")
    );
    world.done(operator("sue", Some(OperatorRole::Admin), Some("anna")));
    world.done(operator("anna", None, Some("sue")));
    assert_eq!(world.state.operator("anna"), None);
}

#[test]
fn nothing_happens_before_the_founding_and_it_happens_once() {
    let mut world = World::founded();
    let found = Request::Found(settings());
    assert!(not_possible(&world.ask(found)).contains("founded already"));
    assert!(
        not_possible(&world.ask(Request::Sheet { number: 1, digest: Digest([2; 32]) })).contains("in force")
    );
    let state = ledger::State::new();
    let entry = ledger::decide(&state, &Request::Lapse { request: EntryNumber(0) }, Timestamp(5));
    assert!(not_possible(&entry).contains("not founded yet"));
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
    assert_eq!(walked, [11, 10, 9, 8, 6], "back to the registration");
}
