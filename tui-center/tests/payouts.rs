//! The way of the money out again: claims, refunds, orders to the bank, and what the bank says of them. Every file and
//! socket is real.

mod common;

use std::fs;

use common::{
    LIMIT, Place, Sale, Terminal, act, check_books, claim, credit,
    money::{balance, desk, paid, refused},
    payment_state, status, until,
};
use ledger::{Account, state::PaymentState};
use tui_center::{
    acts::{Act, Outcome},
    inquiry::view::{DeskKind, DeskRow},
    lines::bank::order,
};
use wire::{
    amount::{Amount, Currency},
    bounded::List,
    id::{EntryNumber, Nonce, Role},
    message::{Beside, Effect, Mail, Refusal, Verdict},
    payload::{self, RefundReason},
    receipt::PayoutState,
    telegram::Telegram,
    time::Timestamp,
};

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
    // The card is known as soon as its money is entered; the file is put away after that.
    let mut files = 1;
    until(&server, "the card's file to be put away", || place.inbox("done").len() == files).await;
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
