//! Dead lines, lying centers, tricky stores: what stays unknown, what is kept as evidence, what is never signed.

use tui_member::{
    act::{Act, FailureKind, Outcome},
    view::PurchaseState,
};

use crate::{center::Lie, store::Trick, world::World};

async fn resolve(world: &World) -> Vec<tui_member::view::Resolved> {
    match world.member.act(Act::Resolve).await.unwrap() {
        Outcome::Resolved(rows) => rows,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_line_that_breaks_after_the_entry_is_asked_anew_and_the_payment_is_settled() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    world.center.lie(Lie::SilentAfterEntry);
    let paid = world.pay(&order).await.unwrap();
    assert_eq!(paid.state, PurchaseState::Settled);
    assert_eq!(world.balance(), 700);
    assert_eq!(world.center.submissions(), 2, "asked about, not sent again");
}

#[tokio::test]
async fn a_line_that_breaks_before_the_entry_makes_the_payment_void() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    world.center.lie(Lie::HangUpBeforeEntry);
    let failed = world.pay(&order).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Refused);
    assert!(failed.message.contains("void"), "{failed}");
    assert_eq!(world.row(&order).state, PurchaseState::Void);
    world.center.lie(Lie::None);
    assert_eq!(world.pay(&order).await.unwrap().state, PurchaseState::Settled, "a void order can be paid");
    assert_eq!(world.balance(), 700);
}

#[tokio::test]
async fn a_center_that_dies_in_the_middle_leaves_it_unknown_until_it_is_back() {
    for (lie, end) in [(Lie::SilentAfterEntry, "settled"), (Lie::HangUpBeforeEntry, "void")] {
        let world = World::with_card().await;
        let order = world.order(1).await.unwrap().order;
        world.center.lie(lie);
        let dying = world.center.clone();
        let submitted = world.center.submissions();
        let death = tokio::spawn(async move {
            while dying.submissions() == submitted {
                tokio::task::yield_now().await;
            }
            dying.die();
        });
        let failed = world.pay(&order).await.unwrap_err();
        death.await.unwrap();
        assert_eq!(failed.kind, FailureKind::Unknown, "{failed}");
        assert_eq!(world.row(&order).state, PurchaseState::Unknown);
        let again = world.pay(&order).await.unwrap_err();
        assert_eq!(again.kind, FailureKind::Offline, "no second payment while one is unknown: {again}");
        world.center.lie(Lie::None);
        world.center.come_back().await;
        let world = world.reopened().await;
        assert_eq!(world.row(&order).state, PurchaseState::Unknown, "the vault remembers");
        let resolved = resolve(&world).await;
        assert_eq!(resolved.len(), 1);
        assert_eq!(resolved[0].outcome, end);
        assert!(world.snapshot().outbox.is_empty());
    }
}

#[tokio::test]
async fn a_receipt_that_does_not_verify_ends_nothing_and_is_kept() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    world.center.lie(Lie::TamperedReceipt);
    let failed = world.pay(&order).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Unknown);
    assert!(failed.message.contains("not believed"), "{failed}");
    assert_eq!(world.row(&order).state, PurchaseState::Unknown);
    assert_eq!(world.alarms().len(), 1);
    assert_eq!(resolve(&world).await[0].outcome, "unknown");
    world.center.lie(Lie::None);
    let world = world.reopened().await;
    assert_eq!(world.alarms().len(), 1, "the alarm is on disk, once");
    assert_eq!(resolve(&world).await[0].outcome, "settled");
    assert_eq!(world.balance(), 700);
}

#[tokio::test]
async fn expired_is_not_believed_before_its_time() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    world.center.lie(Lie::TamperedReceipt);
    world.pay(&order).await.unwrap_err();
    world.center.lie(Lie::ExpiredEarly);
    let resolved = resolve(&world).await;
    assert_eq!(resolved[0].outcome, "unknown");
    assert!(resolved[0].words.contains("still valid"), "{}", resolved[0].words);
    assert_eq!(world.row(&order).state, PurchaseState::Unknown);
}

#[tokio::test]
async fn a_center_that_is_not_the_pinned_one_is_told_nothing() {
    let world = World::with_card().await;
    let world = world.reopened().await;
    for (lie, words) in [(Lie::OtherRoot, "another center"), (Lie::ShorterJournal, "had signed")] {
        world.center.lie(lie);
        let failed = world.member.act(Act::Sync).await.unwrap_err();
        assert_eq!(failed.kind, FailureKind::Contradiction);
        assert!(failed.message.contains(words), "{failed}");
    }
    assert_eq!(world.alarms().len(), 2);
}

#[tokio::test]
async fn with_a_foreign_key_in_the_register_nothing_is_signed() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    let world = world.reopened().await;
    world.center.lie(Lie::ForeignKey);
    let before = world.center.submissions();
    let failed = world.pay(&order).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Contradiction);
    assert_eq!(world.center.submissions(), before);
    assert!(world.alarms()[0].contains("signature key"), "{:?}", world.alarms());
}

#[tokio::test]
async fn mail_that_contradicts_its_evidence_is_kept_as_evidence_and_not_acknowledged() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    world.pay(&order).await.unwrap();
    let acknowledged = world.center.acknowledged();
    world.center.lie(Lie::TamperedMail);
    world.center.refund(crate::store::NUMBER, order, world.snapshot().member.unwrap());
    world.member.act(Act::Sync).await.unwrap();
    assert_eq!(world.row(&order).state, PurchaseState::Settled);
    assert_eq!(world.center.acknowledged(), acknowledged);
    assert!(world.alarms()[0].contains("not believed"));
    world.center.lie(Lie::None);
    world.member.act(Act::Sync).await.unwrap();
    assert_eq!(world.row(&order).state, PurchaseState::Refunded, "the honest copy counts");
}

#[tokio::test]
async fn a_busy_center_leaves_nothing_half_done() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    world.center.lie(Lie::Busy);
    let failed = world.pay(&order).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Unknown, "it could not even be asked: {failed}");
    world.center.lie(Lie::None);
    assert_eq!(resolve(&world).await[0].outcome, "void");
    assert_eq!(world.balance(), 1_000);
}

#[tokio::test]
async fn an_offer_that_is_not_what_was_ordered_is_never_shown_for_paying() {
    let world = World::with_card().await;
    world.store.play(Trick::DearerOffer);
    let failed = world.order(1).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Contradiction);
    assert!(failed.message.contains("total"), "{failed}");
    assert!(world.snapshot().purchases.is_empty());
}

#[tokio::test]
async fn goods_with_another_digest_are_thrown_away_and_not_signed_for() {
    let world = World::with_card().await;
    let order = world.order(1).await.unwrap().order;
    world.pay(&order).await.unwrap();
    world.store.play(Trick::OtherGoods);
    let failed = world.member.act(Act::Fetch { order: order.to_string() }).await.unwrap_err();
    assert_eq!(failed.kind, FailureKind::Contradiction);
    assert!(!world.store.is_delivered(&order));
    assert_eq!(world.row(&order).state, PurchaseState::Settled);
    world.store.play(Trick::None);
    world.member.act(Act::Fetch { order: order.to_string() }).await.unwrap();
    assert!(world.store.is_delivered(&order));
}
