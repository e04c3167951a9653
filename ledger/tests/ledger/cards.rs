//! Card requests, bank credits, unmatched receipts.

use crate::world::{World, check, failed_at_bank, not_possible, paid_by_bank, refusal, yen};
use ledger::{
    Account, Outcome, Refusal, Request,
    entry::{Mismatch, Purpose},
    state::{ReceiptState, RequestState},
};
use wire::{
    amount::Currency,
    id::{CardNumber, Digest},
};

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
