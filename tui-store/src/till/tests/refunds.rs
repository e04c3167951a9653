//! Payments given back at the till: limits, outcomes, and what is not known.

use super::*;

#[tokio::test]
async fn the_limit_is_the_day_s_and_holds_here_and_at_the_center() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    for left in [700, 200] {
        assert_eq!(staff.refund(world.paid().await).await.state, TelegramState::Done);
        assert_eq!(rules::left(&world.shop.keep.book(), &staff_key(&staff), Timestamp::now()), yen(left));
    }
    let payment = world.paid().await;
    let over = staff.refund(payment).await;
    assert_eq!(over.state, TelegramState::Refused);
    assert!(over.words.contains("more than this cashier may give back today; 200 JPY is left"), "{over:?}");

    // A store that believes in a higher limit than was entered: the center refuses, and its word is believed.
    let other = world.stranger().await;
    let key = staff_key(&other);
    raised_only_here(&world, key, CashierRights { refund_limit: yen(100), ..rights() }).await;
    let refused = other.refund(payment).await;
    assert_eq!(refused.state, TelegramState::Refused);
    assert!(refused.words.contains("more than this cashier may refund today"), "{refused:?}");
    assert!(refused.number.is_some(), "the center entered it: {refused:?}");
}

#[tokio::test]
async fn two_cashiers_do_not_spend_each_other_s_limit() {
    let world = World::open().await;
    let first = world.staff(rights()).await;
    let second = world.staff(CashierRights { name: Line::new("Sato").unwrap(), ..rights() }).await;
    let (one, other) = (world.paid().await, world.paid().await);
    let third = world.paid().await;
    let (a, b) = tokio::join!(first.refund(one), second.refund(other));
    assert_eq!((a.state, b.state), (TelegramState::Done, TelegramState::Done));
    let (a, b) = tokio::join!(first.refund(third), second.refund(third));
    let mut states = [a.state, b.state].map(|state| state == TelegramState::Done);
    states.sort_unstable();
    assert_eq!(states, [false, true], "{a:?} {b:?}");
    let day = second.day().await;
    assert_eq!((day.refunds, day.refunded_total.minor), (3, 1_500));
    assert_eq!(day.cashiers.len(), 2);
    // Somebody else's telegram is not asked about, nor sent.
    let telegram = forged_refund(&world, &first, third).await;
    let key = staff_key(&second);
    let foreign = rules::own_refund(&telegram, (world.line.center.root.center(), STORE), &key);
    assert!(foreign.unwrap_err().to_string().contains("not accepted"));
}

#[tokio::test]
async fn an_unknown_refund_is_asked_about_after_the_store_was_started_again() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let payment = world.paid().await;
    world.shop.center.manner(Manner::EntersAndDies);
    let sent = staff.refund(payment).await;
    assert_eq!(sent.state, TelegramState::Unknown, "{sent:?}");
    assert_eq!(staff.status().await.unknown, 1);
    let again = staff.refund(payment).await;
    assert_eq!(again.state, TelegramState::Refused, "one that waits is not sent twice: {again:?}");

    // The store dies and comes back elsewhere; its owner hands out the new line.
    let World { shop, stop, .. } = world;
    stop.cancel();
    let (_copy, keep) = shop.after_a_crash();
    shop.center.manner(Manner::Honest);
    let Shop { folder, center, keep: dead } = shop;
    let world = World::over(Shop { folder, center, keep }).await;
    drop(dead);
    let profile = profile(&staff.folder);
    drop(staff.terminal);
    let name = Line::new("Mori").unwrap();
    terminal::join(&profile, world.line.clone(), name, secret(PASSWORD)).await.unwrap();
    let terminal = Terminal::open(&profile, &secret(PASSWORD)).await.unwrap();
    let staff = Staff { terminal, folder: staff.folder };
    let resolved = staff.resolve().await;
    assert_eq!(resolved.state, TelegramState::Done, "{resolved:?}");
    assert_eq!(staff.status().await.unknown, 0);
}

#[tokio::test]
async fn a_refund_that_never_reached_the_store_is_entered_as_void() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let payment = world.paid().await;
    let telegram = forged_refund(&world, &staff, payment).await;
    let said = world.settle.asked_by_cashier(telegram).await.unwrap();
    assert!(
        matches!(&said, wire::till::TillOutcome::Said(verdict) if matches!(**verdict, wire::message::Verdict::Void { .. })),
        "{said:?}"
    );
}

#[tokio::test]
async fn a_lying_center_and_a_wrong_password_end_nothing() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let payment = world.paid().await;
    world.shop.center.manner(Manner::Lies);
    let sent = staff.refund(payment).await;
    assert_eq!(sent.state, TelegramState::Unknown, "{sent:?}");
    let payment = world.paid().await;
    let wrong = Act::Refund {
        order: payment.to_string(),
        reason: RefundReason::Agreed,
        password: "not the password".into(),
    };
    let failure = staff.refuses(wrong).await;
    assert_eq!(failure.kind, FailureKind::WrongPassword);
    assert!(!failure.message.contains("password B"), "{failure}");
    assert_eq!(staff.status().await.unknown, 1, "nothing more was signed");
}
