//! The way of the money: in at the bank, onto a card, to a store, and out again. Every file and socket is real.

mod common;

use std::fs;

use common::{LIMIT, Place, Sale, Terminal, act, check_books, claim, credit, payment_state, status, until};
use ledger::{Account, state::PaymentState};
use tui_center::{
    acts::{Act, Outcome},
    inquiry::view::{DeskKind, DeskRow},
    lines::bank::order,
    serve::Server,
};
use wire::{
    amount::{Amount, Currency},
    bounded::List,
    id::{CardNumber, CenterId, EntryNumber, Nonce, Role},
    message::{Beside, Effect, Mail, ProblemKind, Refusal, Verdict},
    payload::{self, RefundReason},
    receipt::PayoutState,
    telegram::Telegram,
    terminal::LineError,
    time::Timestamp,
};

async fn desk(server: &Server) -> Vec<DeskRow> {
    match act(server, Act::Desk).await.unwrap() {
        Outcome::Desk { desk } => desk,
        other => panic!("{other:?}"),
    }
}

fn paid(verdict: &Verdict) -> (EntryNumber, u64) {
    match verdict {
        Verdict::Done { effect: Effect::Paid { balance }, receipt } => (receipt.leaf.entry, balance.minor()),
        other => panic!("{other:?}"),
    }
}

fn refused(verdict: &Verdict) -> &Refusal {
    match verdict {
        Verdict::Refused { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

fn balance(server: &Server, account: Account) -> i128 {
    server.center().desk().state().balance(account)
}

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

fn refund(store: &Terminal, payment: EntryNumber, amount: u64) -> Telegram {
    store.sign(&payload::Refund {
        center: store.center,
        store: store.store(),
        cashier: None,
        key_event: store.key_event,
        payment,
        amount: Amount::new(amount).unwrap(),
        currency: Currency::YEN,
        reason: RefundReason::CannotDeliver,
        nonce: Nonce::random(),
        valid_until: Timestamp::now().plus_ms(60_000),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn delivered_goods_are_claimed_and_paid_out_and_undelivered_ones_refunded() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let mut store = Terminal::join(&place, Role::Store).await;
    let card = member.card(&place, 3_000).await;
    let sales = [Sale::offered(&store, 1_000), Sale::offered(&store, 500)];
    let mut payments = Vec::new();
    for sale in &sales {
        let verdict = member.submit(&sale.payment(&member, &store, card), Beside::Nothing).await.unwrap();
        payments.push(paid(&verdict).0);
        store.pushed().await;
    }

    // Claimed with evidence for the first alone: the second is named.
    let evidence = List::first([sales[0].evidence(payments[0])]);
    let verdict =
        store.submit(&claim(&store, &payments, 1_500), Beside::Claim(evidence.clone())).await.unwrap();
    assert_eq!(refused(&verdict), &Refusal::NotDelivered { payments: List::first([payments[1]]) });
    // Signed by another buyer key.
    let mut forged = sales[1].evidence(payments[1]);
    forged.delivery = Telegram::sign_as_key(
        &payload::Delivery { order: sales[1].order, goods: wire::id::Digest([7; 32]) },
        &wire::key::SigningKey::generate(),
    );
    let verdict = store
        .submit(&claim(&store, &payments[1..], 500), Beside::Claim(List::first([forged])))
        .await
        .unwrap();
    assert_eq!(refused(&verdict), &Refusal::NotDelivered { payments: List::first([payments[1]]) });
    // The delivered one.
    let verdict = store.submit(&claim(&store, &payments[..1], 1_000), Beside::Claim(evidence)).await.unwrap();
    assert!(matches!(verdict, Verdict::Done { effect: Effect::Claimed, .. }), "{verdict:?}");
    let Mail::Payout { amount, state: PayoutState::InTransit, .. } = store.pushed().await.body else {
        panic!()
    };
    assert_eq!(amount.minor(), 1_000);

    // The undelivered one comes back whole, once.
    let verdict = store.submit(&refund(&store, payments[1], 499), Beside::Nothing).await.unwrap();
    assert_eq!(refused(&verdict), &Refusal::WrongAmount { expected: Amount::new(500).unwrap() });
    let verdict = store.submit(&refund(&store, payments[1], 500), Beside::Nothing).await.unwrap();
    assert!(matches!(verdict, Verdict::Done { effect: Effect::Refunded, .. }), "{verdict:?}");
    let Mail::Refunded { payment, amount, .. } = member.pushed().await.body else { panic!() };
    assert_eq!((payment, amount.minor()), (payments[1], 500));
    let verdict = store.submit(&refund(&store, payments[1], 500), Beside::Nothing).await.unwrap();
    assert_eq!(refused(&verdict), &Refusal::AlreadyRefunded { payment: payments[1] });
    let verdict = store.submit(&refund(&store, payments[0], 1_000), Beside::Nothing).await.unwrap();
    assert_eq!(refused(&verdict), &Refusal::AlreadyClaimed { payment: payments[0] });

    // The order to the bank, its rejection, and the second try that is executed.
    until(&server, "the order", || place.outbox().len() == 1).await;
    let first = fs::read_to_string(&place.outbox()[0]).unwrap();
    assert!(first.contains("<Id>0009/202/7654321</Id>") && first.contains("Sakura Press"), "{first}");
    let (payout, _) =
        server.center().desk().state().payouts().next().map(|(number, it)| (number, it.amount)).unwrap();
    let id = order::id(&place.center(), payout);
    assert!(first.contains(&format!("<MsgId>{id}</MsgId>")));
    place.bank_says("rejected.xml", &status(&id, "RJCT"));
    let Mail::Payout { state: PayoutState::Failed, .. } = store.pushed().await.body else { panic!() };
    assert_eq!(payment_state(&server, payments[0]), PaymentState::Open, "claimable again");
    let rows = desk(&server).await;
    assert!(rows.iter().any(|row| row.kind == DeskKind::FailedPayout), "{rows:?}");
    let evidence = List::first([sales[0].evidence(payments[0])]);
    store.submit(&claim(&store, &payments[..1], 1_000), Beside::Claim(evidence)).await.unwrap();
    let Mail::Payout { state: PayoutState::InTransit, .. } = store.pushed().await.body else { panic!() };
    until(&server, "the second order", || place.outbox().len() == 2).await;
    let (payout, _) =
        server.center().desk().state().payouts().last().map(|(number, it)| (number, it.amount)).unwrap();
    let id = order::id(&place.center(), payout);
    let debit = credit("DR1", 1_000, "")
        .replace("CRDT", "DBIT")
        .replace("<RltdPties>", &format!("<Refs><EndToEndId>{id}</EndToEndId></Refs><RltdPties>"));
    place.bank_says("pending.xml", &status(&id, "ACSP"));
    place.bank_says("debit.xml", &debit);
    place.bank_says("zz-settled.xml", &status(&id, "ACSC"));
    let Mail::Payout { state: PayoutState::Paid, .. } = store.pushed().await.body else { panic!() };
    assert_eq!(balance(&server, Account::Bank), 2_000);
    assert_eq!(balance(&server, Account::PayoutsInTransit), 0);
    assert_eq!(balance(&server, Account::Card(card)), -2_000);
    until(&server, "all files to be put away", || place.inbox("done").len() == 5).await;
    let Ok(Outcome::Report(report)) = act(&server, Act::Report { day: None }).await else { panic!() };
    assert!(report.complete);
    assert_eq!((report.stores[0].paid.minor, report.stores[0].refunded.minor), (1_500, 500));
    check_books(&server).await;
    server.stop().await.unwrap();
}

/// A movement under the id of a transfer, returned for a reason or not.
fn movement(xml: &str, id: &str, reason: Option<&str>) -> String {
    let xml = xml.replace("<RltdPties>", &format!("<Refs><EndToEndId>{id}</EndToEndId></Refs><RltdPties>"));
    let why = |code| format!("<RtrInf><Rsn><Cd>{code}</Cd></Rsn></RtrInf></TxDtls>");
    reason.map_or(xml.clone(), |code| xml.replace("</TxDtls>", &why(code)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_bank_says_of_a_transfer_in_whatever_order_agrees_with_its_account() {
    type Case = (&'static [&'static str], i128, i128, i128, Option<&'static str>);
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let store = Terminal::join(&place, Role::Store).await;
    let card = member.card(&place, 10_000).await;
    let says = |id: &str, what: &str, at: usize| match what {
        "rejected" => status(id, "RJCT"),
        "settled" => status(id, "ACSC"),
        "debit" => movement(&credit(&format!("D{at}"), 1_000, "").replace("CRDT", "DBIT"), id, None),
        "return" => movement(&credit(&format!("R{at}"), 1_000, "x"), id, Some("AC04")),
        "credit" => movement(&credit(&format!("R{at}"), 1_000, "x"), id, None),
        "part" => movement(&credit(&format!("R{at}"), 400, "x"), id, Some("AC04")),
        "euro" => movement(&credit(&format!("R{at}"), 7, "x").replace("JPY", "EUR"), id, Some("AC04")),
        other => panic!("{other}"),
    };
    // What the bank says one after another; how its account moves in the books, what is unmatched, what is in transit,
    // and words of the row that waits.
    let cases: [Case; 10] = [
        (&["settled"], -1_000, 0, 0, None),
        (&["return"], 0, 0, 0, None),
        (&["return", "return"], 0, 0, 0, None),
        (&["return", "debit"], 0, 0, 0, None),
        (&["settled", "return"], 0, 1_000, 0, Some("returned transfer of payout T-")),
        (&["debit", "credit"], 0, 1_000, 0, Some("returned transfer of payout T-")),
        (&["part"], 400, 400, 1_000, Some("returned transfer of payout T-")),
        (&["settled", "euro"], -1_000, 0, 0, Some("is not in the books")),
        (&["rejected", "debit"], -1_000, 0, 0, Some("The bank contradicts itself")),
        (&["settled", "rejected"], -1_000, 0, 0, Some("which were not changed")),
    ];
    let mut files = place.inbox("done").len();
    for (at, (told, moved, unmatched, transit, waits)) in cases.into_iter().enumerate() {
        let sale = Sale::offered(&store, 1_000);
        let verdict = member.submit(&sale.payment(&member, &store, card), Beside::Nothing).await.unwrap();
        let payment = paid(&verdict).0;
        let evidence = List::first([sale.evidence(payment)]);
        store.submit(&claim(&store, &[payment], 1_000), Beside::Claim(evidence)).await.unwrap();
        until(&server, "the order", || place.outbox().len() == at + 1).await;
        let payout = server.center().desk().state().payouts().last().map(|(number, _)| number).unwrap();
        let id = order::id(&place.center(), payout);
        let accounts = [Account::Bank, Account::Unmatched, Account::PayoutsInTransit];
        let before = accounts.map(|account| balance(&server, account));
        let waited: Vec<EntryNumber> = desk(&server).await.iter().map(|row| row.number).collect();
        for (nth, what) in told.iter().enumerate() {
            place.bank_says(&format!("{at}-{nth}.xml"), &says(&id, what, at));
            files += 1;
            until(&server, "the file to be put away", || place.inbox("done").len() == files).await;
        }
        let after = accounts.map(|account| balance(&server, account));
        // The transfer was in transit before the bank said anything.
        let expect = [before[0] + moved, before[1] - unmatched, before[2] + 1_000 - transit];
        assert_eq!(after, expect, "{told:?}");
        let rows = desk(&server).await;
        let fresh: Vec<&DeskRow> =
            rows.iter().filter(|row| row.waiting && !waited.contains(&row.number)).collect();
        match waits {
            None => assert!(fresh.is_empty(), "{told:?}: {fresh:?}"),
            Some(words) => {
                assert!(fresh.len() == 1 && fresh[0].words.contains(words), "{told:?}: {fresh:?}");
            }
        }
    }
    assert_eq!(server.center().errors().newest("had said before that it was not executed", 9).len(), 1);
    let typed = credit("T1", 5, "returned transfer of payout T-000001-3");
    place.bank_says("typed.xml", &typed);
    until(&server, "the typed words", || place.inbox("done").len() == files + 1).await;
    let rows = desk(&server).await;
    assert!(rows[0].words.contains("no card request") && rows[0].reference.starts_with('“'), "{:?}", rows[0]);
    check_books(&server).await;
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_loses_nothing_and_gives_the_bank_the_same_bytes() {
    let place = Place::found();
    let server = place.serve().await;
    let mut member = Terminal::join(&place, Role::Member).await;
    let mut store = Terminal::join(&place, Role::Store).await;
    let card = member.card(&place, 3_000).await;
    let sale = Sale::offered(&store, 1_000);
    let telegram = sale.payment(&member, &store, card);
    let (payment, _) = paid(&member.submit(&telegram, Beside::Nothing).await.unwrap());
    let evidence = List::first([sale.evidence(payment)]);
    store.submit(&claim(&store, &[payment], 1_000), Beside::Claim(evidence)).await.unwrap();
    until(&server, "the order", || place.outbox().len() == 1).await;
    let kept = server.center().desk().reader().checkpoint();
    let digest = server.center().desk().state().digest();
    let path = place.outbox().remove(0);
    let first = fs::read(&path).unwrap();
    // The bank takes the file and says nothing.
    fs::remove_file(&path).unwrap();
    server.stop().await.unwrap();

    let server = place.serve().await;
    assert_eq!(server.center().desk().state().digest(), digest);
    until(&server, "the order again", || path.exists()).await;
    assert_eq!(fs::read(&path).unwrap(), first, "byte for byte");
    (member.line, member.pushes) = place.line().await;
    member.line.login(member.account, &member.terminal, Some(&kept), LIMIT).await.unwrap();
    assert_eq!(paid(&member.inquire(&telegram).await), (payment, 2_000), "the stored answer");
    let welcome = store.again(&place).await;
    assert_eq!(welcome.mail, 2, "the notice and the payout wait");
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
