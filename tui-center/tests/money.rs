//! The way of the money: in at the bank, onto a card, to a store. Every file and socket is real.

mod common;

use std::fs;

use common::{
    LIMIT, Place, Sale, Terminal, act, check_books, credit,
    money::{balance, desk, paid, refused},
    status, until,
};
use ledger::Account;
use tui_center::{
    acts::{Act, Outcome},
    inquiry::view::DeskKind,
    lines::bank::order,
};
use wire::{
    amount::{Amount, Currency},
    id::{CardNumber, CenterId, EntryNumber, Nonce, Role},
    message::{Beside, Mail, ProblemKind, Refusal, Verdict},
    payload,
    telegram::Telegram,
    terminal::LineError,
    time::Timestamp,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_is_issued_for_the_exact_amount_under_its_reference() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let terms = member.ask_for_card(5_000).await;
    assert_eq!(terms.account.number.as_str(), "0005/101/1234567");
    assert_eq!(member.line.funding(LIMIT).await.unwrap().to_vec(), [terms]);
    let card = member.card(&place, 3_000).await;
    let cards = member.line.cards(LIMIT).await.unwrap();
    assert_eq!((cards[0].card, cards[0].balance.minor()), (card, 3_000));
    let certificate = cards[0].certificate.verify_self::<payload::CardCertificate>().unwrap();
    assert_eq!(certificate.key(), server.center().speaking().roles().card.verification_key());
    assert_eq!(certificate.payload().member, member.member());
    assert_eq!(member.line.funding(LIMIT).await.unwrap().len(), 1, "the other request still waits");
    assert_eq!(balance(&server, Account::Bank), 3_000);
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_fits_nothing_waits_on_the_desk_and_none_is_lost() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let terms = member.ask_for_card(5_000).await;
    place.bank_says("1.xml", &credit("CR1", 4_999, &terms.reference));
    place.bank_says("2.xml", &credit("CR2", 5_001, &terms.reference));
    place.bank_says("3.xml", &credit("CR3", 700, "happy birthday"));
    until(&server, "three receipts", || server.center().desk().state().receipts().count() == 3).await;
    until(&server, "the files to be put away", || place.inbox("done").len() == 3).await;
    assert_eq!(balance(&server, Account::Bank), 10_700);

    // The same notice once more, under its own name and under another.
    place.bank_says("1.xml", &credit("CR1", 4_999, &terms.reference));
    place.bank_says("1-again.xml", &credit("CR1", 4_999, &terms.reference));
    until(&server, "five files to be put away", || place.inbox("done").len() == 5).await;
    let rows = desk(&server).await;
    let shown: Vec<_> = rows.iter().map(|row| (row.kind, row.amount.minor, row.waiting)).collect();
    let expected = [
        (DeskKind::Unmatched, 700, true),
        (DeskKind::Unmatched, 5_001, true),
        (DeskKind::Unmatched, 4_999, true),
        (DeskKind::Duplicate, 4_999, false),
        (DeskKind::Duplicate, 4_999, false),
    ];
    assert_eq!(shown, expected);
    assert!(rows[2].words.contains("too little") && rows[2].payer.contains("Hanako's bank"), "{:?}", rows[2]);
    assert!(rows[0].words.contains("no card request") && rows[0].reference == "happy birthday");
    assert_eq!(balance(&server, Account::Bank), 10_700, "no money came a second time");

    // One is assigned, one goes back.
    let Ok(Outcome::Entered(_)) =
        act(&server, Act::AssignReceipt { receipt: rows[2].number, request: terms.request }).await
    else {
        panic!()
    };
    let mail = member.pushed().await;
    assert!(matches!(mail.body, Mail::CardIssued { amount, .. } if amount.minor() == 4_999), "{mail:?}");
    let again = act(&server, Act::AssignReceipt { receipt: rows[2].number, request: terms.request }).await;
    assert_eq!(again.unwrap_err().kind, "refused");
    let Ok(Outcome::Entered(returned)) = act(&server, Act::ReturnReceipt { receipt: rows[1].number }).await
    else {
        panic!()
    };
    until(&server, "an order", || place.outbox().len() == 1).await;
    let order = fs::read_to_string(&place.outbox()[0]).unwrap();
    assert!(order.contains("<Id>0001/001/7654321</Id>") && order.contains(">5001<"), "{order}");
    place.bank_says("answer.xml", &status(&order::id(&place.center(), returned.number), "ACSC"));
    until(&server, "the return to be confirmed", || balance(&server, Account::PayoutsInTransit) == 0).await;
    assert_eq!(balance(&server, Account::Bank), 10_700 - 5_001);
    assert_eq!(desk(&server).await.iter().filter(|row| row.waiting).count(), 1);
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_files_are_put_aside_with_words() {
    let place = Place::found();
    let server = place.serve().await;
    place.bank_says("nonsense.xml", "<Document><this is not xml");
    place.bank_says("foreign.xml", &credit("CR1", 5, "x").replace("0005/101/1234567", "1/2/3"));
    place.bank_says("unknown.xml", &status("deadbeef-T-000001-3", "ACSC"));
    until(&server, "bad files to be put aside", || place.inbox("bad").len() == 2).await;
    assert_eq!(place.inbox("bad"), ["foreign.xml", "nonsense.xml"]);
    assert!(server.center().errors().newest("not the center's", 9).len() == 1);
    until(&server, "the unknown answer", || {
        server.center().errors().newest("no transfer of this center", 9).len() == 1
    })
    .await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_settled_noticed_and_never_doubled() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let mut store = Terminal::join(&place, Role::Store).await;
    let card = member.card(&place, 3_000).await;
    let sale = Sale::offered(&store, 1_200);
    let telegram = sale.payment(&member, &store, card);
    let verdict = member.submit(&telegram, Beside::Nothing).await.unwrap();
    let (payment, left) = paid(&verdict);
    assert_eq!(left, 1_800);
    let notice = store.pushed().await;
    assert!(matches!(notice.body, Mail::Paid { order, offer, total }
        if order == sale.order && offer == sale.offer.digest() && total.minor() == 1_200));
    assert_eq!(notice.receipt.leaf.entry, payment);

    // The exact bytes again: the stored answer. Asking: the same.
    let again = member.submit(&telegram, Beside::Nothing).await.unwrap();
    assert_eq!(paid(&again), (payment, 1_800));
    assert_eq!(paid(&member.inquire(&telegram).await), (payment, 1_800));
    // Another telegram for the same order: refused by an entry, and final.
    let other = sale.payment(&member, &store, card);
    let verdict = member.submit(&other, Beside::Nothing).await.unwrap();
    assert_eq!(refused(&verdict), &Refusal::AlreadyPaid { by: payment });
    // Short by one, and nothing at all.
    let dear = Sale::offered(&store, 1_801).payment(&member, &store, card);
    let verdict = member.submit(&dear, Beside::Nothing).await.unwrap();
    assert_eq!(refused(&verdict), &Refusal::BalanceShort { by: Amount::new(1).unwrap() });
    let free = Sale::offered(&store, 0).payment(&member, &store, card);
    assert_eq!(refused(&member.submit(&free, Beside::Nothing).await.unwrap()), &Refusal::AmountZero);
    // Never sent, then asked about: void, and void for ever.
    let unsent = Sale::offered(&store, 10).payment(&member, &store, card);
    assert!(matches!(member.inquire(&unsent).await, Verdict::Void { .. }));
    assert!(matches!(member.submit(&unsent, Beside::Nothing).await.unwrap(), Verdict::Void { .. }));
    assert_eq!(balance(&server, Account::Card(card)), -1_800);
    assert_eq!(balance(&server, Account::Payable(store.store())), -1_200);

    // The store was away for a payment: it waits in its mailbox until it is acknowledged.
    let sale = Sale::offered(&store, 300);
    let account = store.account;
    store.line = place.line().await.0;
    let verdict = member.submit(&sale.payment(&member, &store, card), Beside::Nothing).await.unwrap();
    let (second, _) = paid(&verdict);
    let welcome = store.again(&place).await;
    assert_eq!((welcome.account, welcome.mail), (account, 2));
    let page = store.line.mail(None, LIMIT).await.unwrap();
    let waiting: Vec<EntryNumber> = page.items.iter().map(|item| item.receipt.leaf.entry).collect();
    assert_eq!(waiting, [payment, second]);
    page.items.iter().for_each(|item| store.line.check_mail(item).unwrap());
    store.line.acknowledge(payment, LIMIT).await.unwrap();
    assert_eq!(store.line.mail(None, LIMIT).await.unwrap().items.len(), 1);
    let evidence = store.line.evidence(second, LIMIT).await.unwrap();
    assert_eq!(evidence.leaf.entry, second);
    let Err(LineError::Problem(problem)) = member.line.evidence(EntryNumber(2), LIMIT).await else {
        panic!()
    };
    assert_eq!(problem.kind, ProblemKind::NotFound, "nobody sees another's entries");
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn telegrams_that_are_not_to_be_believed_enter_nothing() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let thief = Terminal::join(&place, Role::Member).await;
    let store = Terminal::join(&place, Role::Store).await;
    let card = member.card(&place, 3_000).await;
    let size = server.center().desk().reader().size();
    let sale = Sale::offered(&store, 100);
    let good = sale.payment(&member, &store, card);
    let kind = |outcome: Result<Verdict, LineError>| match outcome {
        Err(LineError::Problem(problem)) => problem.kind,
        other => panic!("{other:?}"),
    };

    let mut tampered = good.clone();
    tampered.signature.0[9] ^= 1;
    assert_eq!(kind(member.submit(&tampered, Beside::Nothing).await), ProblemKind::NotAuthentic);
    let mut bytes = good.bytes.to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let changed = Telegram { bytes: wire::bounded::Bytes::new(bytes).unwrap(), ..good.clone() };
    assert_ne!(kind(member.submit(&changed, Beside::Nothing).await), ProblemKind::Busy);
    assert_eq!(
        kind(thief.submit(&good, Beside::Nothing).await),
        ProblemKind::NotAllowed,
        "another's telegram"
    );
    let mut payment: payload::Payment = good.peek().unwrap();
    payment.center = CenterId([8; 32]);
    assert_eq!(kind(member.submit(&member.sign(&payment), Beside::Nothing).await), ProblemKind::WrongCenter);
    let mut payment: payload::Payment = good.peek().unwrap();
    payment.valid_until = Timestamp::now().plus_ms(8 * 24 * 3_600_000);
    assert_eq!(kind(member.submit(&member.sign(&payment), Beside::Nothing).await), ProblemKind::Malformed);
    let mut payment: payload::Payment = good.peek().unwrap();
    payment.key_event = EntryNumber(0);
    assert_eq!(kind(member.submit(&member.sign(&payment), Beside::Nothing).await), ProblemKind::NotAuthentic);
    assert_eq!(
        kind(member.submit(&sale.offer, Beside::Nothing).await),
        ProblemKind::Malformed,
        "not for the center"
    );
    assert_eq!(server.center().desk().reader().size(), size, "none of it was entered");

    // Past its time and never entered: expired, without an entry.
    let mut payment: payload::Payment = good.peek().unwrap();
    payment.valid_until = Timestamp(Timestamp::now().0 - 1);
    assert_eq!(member.submit(&member.sign(&payment), Beside::Nothing).await.unwrap(), Verdict::Expired);
    assert_eq!(server.center().desk().reader().size(), size);

    // What is refused by the rules is entered.
    for (change, reason) in [
        (
            (|p: &mut payload::Payment| p.card = CardNumber(99)) as fn(&mut payload::Payment),
            Refusal::UnknownCard,
        ),
        (|p| p.store = wire::id::StoreNumber(99), Refusal::UnknownStore),
        (|p| p.currency = Currency::of_code("EUR").unwrap(), Refusal::WrongCurrency),
        (|p| p.offer_expires = Timestamp(1), Refusal::OfferExpired),
    ] {
        let mut payment: payload::Payment = good.peek().unwrap();
        payment.nonce = Nonce::random();
        change(&mut payment);
        let verdict = member.submit(&member.sign(&payment), Beside::Nothing).await.unwrap();
        assert_eq!(refused(&verdict), &reason);
    }
    assert_eq!(server.center().desk().reader().size(), size + 4);
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_frozen_pays_nothing_until_it_is_released() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let store = Terminal::join(&place, Role::Store).await;
    let card = member.card(&place, 3_000).await;
    let standing =
        |frozen| Act::Standing { of: ledger::request::Standing::Card(card), frozen, reason: "lost".into() };
    act(&server, standing(true)).await.unwrap();
    assert!(member.line.cards(LIMIT).await.unwrap()[0].frozen);
    let sale = Sale::offered(&store, 100);
    let verdict = member.submit(&sale.payment(&member, &store, card), Beside::Nothing).await.unwrap();
    assert_eq!(refused(&verdict), &Refusal::CardFrozen);
    act(&server, standing(false)).await.unwrap();
    let verdict = member.submit(&sale.payment(&member, &store, card), Beside::Nothing).await.unwrap();
    assert_eq!(paid(&verdict).1, 2_900);
    let Ok(Outcome::Transactions { transactions, .. }) = act(
        &server,
        Act::Transactions { list: tui_center::acts::List::of("freezes lost"), kind: None, before: None },
    )
    .await
    else {
        panic!()
    };
    assert_eq!(transactions.len(), 1);
    assert!(transactions[0].words.contains("ada freezes"));
    server.stop().await.unwrap();
}
