//! What a member does, and what is on disk afterwards.

use std::fs;

use crate::{
    store::{CODE, NUMBER, Trick},
    world::{A, B, World, open, open_with, pay},
};
use tui_member::{
    act::{Act, FailureKind, Outcome},
    engine::Handle,
    receipt,
    view::{LineView, PurchaseState},
};
use wire::till::PickUpCode;

async fn fetch(
    member: &Handle,
    order: &str,
) -> Result<tui_member::view::FetchedGoods, tui_member::act::Failure> {
    match member.act(Act::Fetch { order: order.into() }).await? {
        Outcome::Fetched(goods) => Ok(goods),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_whole_way_from_joining_to_goods() {
    let world = World::with_card().await;
    assert_eq!(world.balance(), 1_000);
    let offered = world.order(2).await.unwrap();
    assert_eq!(offered.total.text, "600 JPY");
    assert_eq!(offered.balance_after.unwrap().minor, 400);
    assert_eq!(world.row(&offered.order).state, PurchaseState::Offered);
    let paid = world.pay(&offered.order).await.unwrap();
    assert_eq!(paid.state, PurchaseState::Settled);
    assert_eq!(world.balance(), 400);
    let goods = fetch(&world.member, &paid.number.unwrap().to_string()).await.unwrap();
    assert!(goods.acknowledged && world.store.is_delivered(&offered.order));
    assert_eq!(fs::read(&goods.files[0]).unwrap(), b"Blossoms fall.\n");
    assert!(goods.files[0].starts_with(world.folder.path().join("goods")), "{:?}", goods.files);
    assert_eq!(world.row(&offered.order).state, PurchaseState::Delivered);
    let again = world.pay(&offered.order).await.unwrap_err();
    assert!(again.message.contains("already paid"), "{again}");
    assert_eq!(world.center.submissions(), 2, "one card request and one payment");
    assert!(world.alarms().is_empty());
}

#[tokio::test]
async fn what_a_cashier_sold_is_taken_up_paid_and_fetched() {
    let world = World::with_card().await;
    let take_up = |code| Act::TakeUp { store: NUMBER, code };
    let wrong = world.member.act(take_up(PickUpCode::of_bytes([0; 5]))).await.unwrap_err();
    assert_eq!(wrong.kind, FailureKind::Refused, "{wrong}");
    assert!(wrong.message.contains("compare the code"), "{wrong}");
    let Outcome::Offered(offered) = world.member.act(take_up(CODE)).await.unwrap() else {
        panic!("an offer")
    };
    assert_eq!((offered.total.minor, offered.balance_after.as_ref().unwrap().minor), (300, 700));
    // A terminal that was stopped in between asks again with the key that it kept, and gets the same sale.
    let world = world.reopened().await;
    let Outcome::Offered(again) = world.member.act(take_up(CODE)).await.unwrap() else { panic!("an offer") };
    assert_eq!(again.order, offered.order);
    let paid = world.pay(&offered.order).await.unwrap();
    assert_eq!(paid.state, PurchaseState::Settled);
    let goods = fetch(&world.member, &offered.order.to_string()).await.unwrap();
    assert!(goods.acknowledged && world.store.is_delivered(&offered.order));
    assert!(world.alarms().is_empty());
}

#[tokio::test]
async fn a_sale_that_makes_no_sense_is_not_kept() {
    for trick in [Trick::OtherStore, Trick::DearerOffer] {
        let world = World::with_card().await;
        world.store.play(trick);
        let failure = world.member.act(Act::TakeUp { store: NUMBER, code: CODE }).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Contradiction, "{failure}");
        assert!(world.snapshot().purchases.is_empty());
        assert_eq!(world.alarms().len(), 1);
    }
}

#[tokio::test]
async fn history_cards_and_receipts_need_no_network() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    let number = world.pay(&order).await.unwrap().number.unwrap();
    world.center.die();
    let root = world.center.invitation().root;
    let world = world.reopened().await;
    let Outcome::History(rows) = world.member.act(Act::History).await.unwrap() else { panic!("a history") };
    assert_eq!((rows.len(), rows[0].state, rows[0].goods.as_str()), (1, PurchaseState::Settled, "A book"));
    let Outcome::Cards(cards) = world.member.act(Act::Cards).await.unwrap() else { panic!("cards") };
    assert_eq!(cards[0].balance.minor, 700);
    let export = Act::ExportReceipt { number, with_order: true };
    let Outcome::Receipt(file) = world.member.act(export).await.unwrap() else { panic!("a receipt") };
    let verified = receipt::verify(&file.content, &root).unwrap();
    assert!(verified.valid, "{verified:?}");
    let names: Vec<&str> = verified.checks.iter().map(|check| check.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "key sheet",
            "leaf",
            "opened part",
            "checkpoint",
            "proof",
            "entry",
            "telegram",
            "signature",
            "center",
            "offer",
            "order"
        ]
    );
    let other_root = wire::key::SigningKey::generate().verification_key();
    let failed = receipt::verify(&file.content, &other_root).unwrap();
    assert!(!failed.valid && !failed.checks[0].pass);
}

#[tokio::test]
async fn every_flipped_digit_of_a_receipt_file_is_noticed() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    let number = world.pay(&order).await.unwrap().number.unwrap();
    let export = Act::ExportReceipt { number, with_order: true };
    let Outcome::Receipt(file) = world.member.act(export).await.unwrap() else { panic!("a receipt") };
    let root = world.center.invitation().root;
    let digits: Vec<usize> =
        file.content.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).collect();
    // A tenth of them, spread over the whole file: each costs several signatures in a debug build.
    for at in digits.iter().step_by(digits.len() / 150 + 1) {
        let mut forged = file.content.clone().into_bytes();
        forged[*at] = if forged[*at] == b'9' { b'0' } else { forged[*at] + 1 };
        let forged = String::from_utf8(forged).unwrap();
        let noticed = receipt::verify(&forged, &root).map_or(true, |verified| !verified.valid);
        assert!(noticed, "{}", &file.content[at.saturating_sub(60)..*at + 1]);
    }
}

#[tokio::test]
async fn refusals_are_words_and_move_nothing() {
    let world = World::with_card().await;
    let dear = world.order(4).await.unwrap();
    assert!(dear.card.is_none() && dear.warnings[0].contains("no card holds 1,200 JPY"));
    let refused = world.pay(&dear.order).await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Refused);
    let named = Act::Pay {
        order: dear.order.to_string(),
        card: Some(world.snapshot().cards[0].card),
        password_b: Some(B.into()),
        prepare: false,
    };
    let refused = world.member.act(named).await.unwrap_err();
    assert_eq!(refused.message, "nothing was paid: the card holds too little");
    assert_eq!(world.row(&dear.order).state, PurchaseState::Refused);
    assert_eq!(world.balance(), 1_000);
    for amount in ["0", "-5", "ten", "99999999999999999999"] {
        assert_eq!(world.request_card(amount).await.unwrap_err().kind, FailureKind::NotPossible, "{amount}");
    }
    assert!(world.order(0).await.unwrap_err().message.contains("between 1 and"));
    let unknown = world.member.act(Act::Purchase { order: "abcdef".into() }).await.unwrap_err();
    assert_eq!(unknown.kind, FailureKind::NotFound);
}

#[tokio::test]
async fn without_the_right_passwords_nothing_opens_and_nothing_is_signed() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    let act = Act::Pay {
        order: order.to_string(),
        card: None,
        password_b: Some("a wrong password".into()),
        prepare: false,
    };
    let before = world.center.submissions();
    assert_eq!(world.member.act(act).await.unwrap_err().kind, FailureKind::WrongPassword);
    let too_soon = world.pay(&order).await.unwrap_err();
    assert!(too_soon.message.starts_with("wait "), "the delay holds for the right one too: {too_soon}");
    assert_eq!(world.center.submissions(), before);
    assert_eq!(world.row(&order).state, PurchaseState::Offered);
    let World { member, folder, .. } = world;
    let held = open_with(folder.path(), A).await.err().expect("another program has it");
    assert!(
        held.kind == FailureKind::Held && held.message.contains(&std::process::id().to_string()),
        "{held}"
    );
    drop(member);
    drop(open(folder.path()).await.unwrap());
    let with_b = loop {
        match open_with(folder.path(), B).await {
            Err(failure) if failure.kind == FailureKind::Held => tokio::task::yield_now().await,
            other => break other.err().expect("B alone opens nothing"),
        }
    };
    assert_eq!(with_b.kind, FailureKind::WrongPassword);
}

#[tokio::test]
async fn an_interrupted_delivery_goes_on_where_it_was() {
    let goods: Vec<u8> = (0..3_000_000u32).map(|n| (n % 251) as u8).collect();
    let world = World::with_goods(goods.clone()).await;
    let order = world.order(1).await.unwrap().order;
    world.pay(&order).await.unwrap();
    world.store.play(Trick::HangUpAfter(20));
    let broken = fetch(&world.member, &order.to_string()).await.unwrap_err();
    assert_eq!(broken.kind, FailureKind::Offline);
    assert_eq!(world.row(&order).state, PurchaseState::Settled);
    world.store.play(Trick::None);
    let world = world.reopened().await;
    let before = world.store.pieces.load(std::sync::atomic::Ordering::Relaxed);
    let fetched = fetch(&world.member, &order.to_string()).await.unwrap();
    let pieces = world.store.pieces.load(std::sync::atomic::Ordering::Relaxed) - before;
    assert_eq!(fs::read(&fetched.files[0]).unwrap(), goods);
    assert!(pieces < goods.len() / wire::limits::CHUNK, "{pieces} pieces: it began anew");
}

#[tokio::test]
async fn a_refund_is_seen_and_ends_the_purchase() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    world.pay(&order).await.unwrap();
    world.center.refund(crate::store::NUMBER, order, world.snapshot().member.unwrap());
    world.member.act(Act::Sync).await.unwrap();
    let row = world.row(&order);
    assert_eq!(row.state, PurchaseState::Refunded);
    assert!(row.words.contains("cannot deliver"), "{}", row.words);
    assert_eq!(world.balance(), 1_000);
    assert_eq!(fetch(&world.member, &order.to_string()).await.unwrap_err().kind, FailureKind::Refused);
    assert!(world.center.acknowledged().is_some());
    let messages = world.snapshot().messages.len();
    world.member.act(Act::Sync).await.unwrap();
    assert_eq!(world.snapshot().messages.len(), messages, "mail counts once");
}

#[tokio::test]
async fn two_copies_of_a_vault_pay_an_order_once_and_both_know() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    let World { center, store, member, folder } = world;
    drop(member);
    drop(open(folder.path()).await.unwrap());
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join(vault::FILE), copy.path().join(vault::FILE)).unwrap();
    let (one, other) = (open(folder.path()).await.unwrap(), open(copy.path()).await.unwrap());
    let paid = pay(&one, &order).await.unwrap();
    let refused = pay(&other, &order).await.unwrap_err();
    assert!(refused.message.contains(&paid.number.unwrap().to_string()), "{refused}");
    let adopted = other.snapshot().purchases[0].clone();
    assert_eq!((adopted.state, adopted.number), (PurchaseState::Settled, paid.number));
    assert!(adopted.words.contains("another copy"), "{}", adopted.words);
    assert!(fetch(&other, &order.to_string()).await.unwrap().acknowledged);
    drop((center, store));
}

#[tokio::test]
async fn the_control_socket_does_what_the_handle_does() {
    let world = World::with_card().await;
    let serving = world.member.serve_control().await.unwrap();
    let socket = world.member.profile().control_socket();
    let mut client = tui_kit::control::connect(&socket).await.unwrap();
    let answer = client.call(Act::History).await.unwrap();
    let outcome: Result<Outcome, tui_member::act::Failure> = serde_json::from_value(answer).unwrap();
    assert!(matches!(outcome, Ok(Outcome::History(rows)) if rows.is_empty()));
    let answer = client.call(Act::Fetch { order: "abcdef".into() }).await.unwrap();
    let outcome: Result<Outcome, tui_member::act::Failure> = serde_json::from_value(answer).unwrap();
    assert_eq!(outcome.unwrap_err().kind, FailureKind::NotFound);
    assert!(client.call(serde_json::json!({"act": "dance"})).await.is_err());
    world.member.stop();
    serving.await.unwrap();
    assert!(!socket.exists());
}

#[tokio::test]
async fn who_stays_connected_gets_the_card_by_itself() {
    let world = World::joined(Vec::new()).await;
    let staying = world.member.stay_connected();
    let mut snapshots = world.member.snapshots();
    snapshots.wait_for(|snapshot| matches!(snapshot.line, LineView::Connected { .. })).await.unwrap();
    let funding = world.request_card("2,500").await.unwrap();
    assert_eq!(world.snapshot().funding.len(), 1);
    world.center.fund(
        world.snapshot().member.unwrap(),
        funding.request,
        wire::amount::Amount::new(2_500).unwrap(),
    );
    // The list of cards may tell of it before the mail does.
    let here = |snapshot: &std::sync::Arc<_>| -> bool {
        let snapshot: &tui_member::view::Snapshot = snapshot;
        !snapshot.cards.is_empty() && snapshot.funding.is_empty()
    };
    snapshots.wait_for(here).await.unwrap();
    assert_eq!(world.balance(), 2_500);
    world.center.die();
    snapshots.wait_for(|snapshot| matches!(snapshot.line, LineView::Down { .. })).await.unwrap();
    world.center.come_back().await;
    world.member.reconnect();
    snapshots.wait_for(|snapshot| matches!(snapshot.line, LineView::Connected { .. })).await.unwrap();
    world.member.stop();
    staying.await.unwrap();
}
