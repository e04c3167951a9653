//! Claims, transfers, and what the bank says of them.

use crate::world::{World, check, failed_at_bank, not_possible, paid_by_bank, yen};
use ledger::{
    Account, Outcome, Refusal, Request,
    entry::Purpose,
    request::Standing,
    state::{ClaimState, PaymentState, ReceiptState},
};
use wire::{
    amount::Amount,
    id::{AccountNumber, Digest, EntryNumber, OrderHash, StoreNumber},
};

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
    assert_eq!(world.state.claims_due(world.now).count(), 0);
    check(&mut world, Request::PayClaim { claim }, Refusal::StoreFrozen);
    assert!(not_possible(&world.ask(standing(true))).contains("frozen already"));
    world.done(standing(false));
    assert_eq!(world.state.claims_due(world.now).collect::<Vec<_>>(), [claim]);
    assert!(not_possible(&world.ask(standing(false))).contains("not frozen"));
    world.done(Request::PayClaim { claim });
}
