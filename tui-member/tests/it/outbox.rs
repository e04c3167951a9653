//! What waits in the outbox: prepared without a line, sent later, withdrawn, carried in a file.

use std::fs;

use tui_member::{
    act::{Act, FailureKind, Outcome},
    engine::Handle,
    view::{OutboxRow, PurchaseState, Resolved},
};

use crate::world::{B, World, open};

async fn prepared(member: &Handle, act: Act) -> OutboxRow {
    match member.act(act).await.unwrap() {
        Outcome::Prepared(row) => *row,
        other => panic!("{other:?}"),
    }
}

async fn send(member: &Handle) -> Vec<Resolved> {
    match member.act(Act::Send { telegram: None }).await.unwrap() {
        Outcome::Resolved(rows) => rows,
        other => panic!("{other:?}"),
    }
}

fn request(amount: &str) -> Act {
    Act::RequestCard { amount: amount.into(), password_b: Some(B.into()), prepare: true }
}

#[tokio::test]
async fn what_is_prepared_without_a_line_leaves_only_when_it_is_sent() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    world.center.die();
    let world = world.reopened().await;
    let pay = Act::Pay { order: order.to_string(), card: None, password_b: Some(B.into()), prepare: true };
    let payment = prepared(&world.member, pay.clone()).await;
    let card = prepared(&world.member, request("2,000")).await;
    assert!(!payment.sent && payment.valid_until.is_some());
    assert_eq!((card.kind.as_str(), card.amount.unwrap().minor), ("card request", 2_000));
    assert_eq!(world.row(&order).state, PurchaseState::Signed);
    let twice = world.member.act(pay).await.unwrap_err();
    assert!(twice.message.contains("waits in the outbox already"), "{twice}");
    let before = world.center.submissions();
    world.center.come_back().await;
    world.member.act(Act::Sync).await.unwrap();
    assert_eq!(world.center.submissions(), before, "a line alone sends nothing that was prepared");
    let sent = send(&world.member).await;
    let outcomes: Vec<&str> = sent.iter().map(|one| one.outcome.as_str()).collect();
    assert_eq!(outcomes, ["settled", "done"]);
    assert_eq!(world.row(&order).state, PurchaseState::Settled);
    assert_eq!(world.balance(), 700);
}

#[tokio::test]
async fn what_never_left_is_withdrawn_at_once_and_what_may_have_is_voided() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    let row = prepared(&world.member, request("500")).await;
    world.center.die();
    let withdraw = |telegram| Act::Withdraw { telegram };
    let Outcome::Resolved(gone) = world.member.act(withdraw(row.telegram)).await.unwrap() else {
        panic!("gone")
    };
    assert_eq!(gone[0].outcome, "withdrawn", "no line is needed");
    assert!(send(&world.member).await.is_empty());
    world.center.come_back().await;
    world.center.lie(crate::center::Lie::Busy);
    world.pay(&order).await.unwrap_err();
    world.center.lie(crate::center::Lie::None);
    let waiting = world.snapshot().outbox[0].telegram;
    let Outcome::Resolved(void) = world.member.act(withdraw(waiting)).await.unwrap() else { panic!("void") };
    assert_eq!(void[0].outcome, "void");
}

#[tokio::test]
async fn a_telegram_is_carried_in_a_file_that_only_its_vault_takes_in() {
    let world = World::with_card().await;
    let row = prepared(&world.member, request("500")).await;
    let export = Act::ExportTelegram { telegram: row.telegram };
    let Outcome::Telegram(file) = world.member.act(export).await.unwrap() else { panic!("a file") };
    assert!(!format!("{file:?}").contains(&file.content), "it prints its name alone");
    let import = |content: &str| Act::ImportTelegram { content: content.into() };
    let there = world.member.act(import(&file.content)).await.unwrap_err();
    assert!(there.message.contains("already"), "{there}");
    let stranger = World::with_card().await;
    let foreign = stranger.member.act(import(&file.content)).await.unwrap_err();
    assert!(foreign.message.contains("another vault"), "{foreign}");
    for wrong in ["", "no base 64", "bm90IG9uZQ=="] {
        assert!(world.member.act(import(wrong)).await.is_err(), "{wrong}");
    }

    // On a copy of the profile from before it was prepared, it waits as it did here.
    let World { center, store, member, folder } = World::with_card().await;
    drop(member);
    drop(open(folder.path()).await.unwrap());
    let copy = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join(vault::FILE), copy.path().join(vault::FILE)).unwrap();
    let (one, other) = (open(folder.path()).await.unwrap(), open(copy.path()).await.unwrap());
    let row = prepared(&one, request("500")).await;
    let export = Act::ExportTelegram { telegram: row.telegram };
    let Outcome::Telegram(file) = one.act(export).await.unwrap() else { panic!("a file") };
    let taken = prepared(&other, import(&file.content)).await;
    assert_eq!((taken.telegram, taken.sent), (row.telegram, false));
    assert_eq!(send(&other).await[0].outcome, "done");
    assert_eq!(send(&one).await[0].outcome, "done", "sent twice, entered once");
    let ended = one.act(import(&file.content)).await.unwrap_err();
    assert_ne!(ended.kind, FailureKind::Unknown, "{ended}");
    drop((center, store));
}
