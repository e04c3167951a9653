//! Who is a cashier, and what each may do.

use super::*;

#[tokio::test]
async fn a_cashier_works_within_its_rights() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let view = staff.status().await;
    assert!(view.connected, "{view:?}");
    assert_eq!(view.rights.as_ref().unwrap().left.as_ref().unwrap().minor, 1_200);
    assert_eq!(view.store_name.as_str(), "Books & Maps");

    let payment = world.paid().await;
    let Outcome::Orders(orders) = staff.terminal.act(Act::Orders).await.unwrap() else { panic!() };
    assert_eq!((orders.len(), orders[0].payment), (1, Some(payment)));
    let done = staff.refund(payment).await;
    assert_eq!(done.state, TelegramState::Done, "{done:?}");
    let Outcome::Order(order) = staff.terminal.act(Act::Order { order: payment.to_string() }).await.unwrap()
    else {
        panic!()
    };
    assert_eq!((order.row.state, order.refund), (OrderStanding::Refunded, done.number));
    let twice = staff.refuses(refund(payment)).await;
    assert!(twice.message.contains("given back already"), "{twice}");

    let day = staff.day().await;
    assert_eq!((day.orders, day.paid, day.refunds, day.refunded_total.minor), (1, 1, 1, 500));
    assert_eq!((day.cashiers[0].name.as_str(), day.cashiers[0].refunded.minor), ("Mori", 500));
    world.stop.cancel();
}

#[tokio::test]
async fn each_right_that_is_missing_is_refused_in_words() {
    let world = World::open().await;
    let none =
        CashierRights { sell: false, deliver: false, refund_limit: Amount::ZERO, see_day: false, ..rights() };
    let staff = world.staff(none).await;
    let payment = world.paid().await;
    let order = payment.to_string();
    assert!(matches!(staff.terminal.act(Act::Order { order: order.clone() }).await, Ok(Outcome::Order(_))));
    for (act, words) in [
        (Act::Deliver { order }, "may not deliver"),
        (refund(payment), "may not give payments back"),
        (Act::Day, "may not see the day's figures"),
        (pause(), "may not sell"),
        (sell(1), "may not sell"),
    ] {
        let failure = staff.refuses(act).await;
        assert_eq!(failure.kind, FailureKind::Refused, "{failure}");
        assert!(failure.message.contains(words), "{failure}");
    }
    // A terminal that lies to itself about its rights gets no further.
    let telegram = forged_refund(&world, &staff, payment).await;
    let before = world.shop.keep.items().await.unwrap().len();
    let key = staff_key(&staff);
    let refused = world.settle.pass_on(telegram.clone(), &telegram.peek().unwrap(), &key).await;
    assert!(matches!(refused, Err(crate::settle::NotPassed::Refused(_))), "{refused:?}");
    assert_eq!(world.shop.keep.items().await.unwrap().len(), before, "nothing was kept or sent");
}

#[tokio::test]
async fn a_stranger_and_one_who_is_revoked_are_nobody() {
    let world = World::open().await;
    let stranger = world.stranger().await;
    let failure = stranger.refuses(Act::Orders).await;
    assert!(failure.message.contains("no cashier with this key"), "{failure}");
    assert!(!stranger.status().await.connected);

    let staff = world.staff(rights()).await;
    assert!(staff.status().await.connected);
    let payment = world.paid().await;
    // Revoked while it is connected: the next request is refused, and so is the next login.
    world.certify(&staff, None).await;
    for act in [Act::Orders, Act::Day, refund(payment), pause()] {
        let failure = staff.refuses(act).await;
        assert!(failure.message.contains("taken this cashier's rights away"), "{failure}");
    }
    let profile = profile(&staff.folder);
    drop(staff.terminal);
    let again = Terminal::open(&profile, &secret(PASSWORD)).await.unwrap();
    let failure = again.act(Act::Orders).await.unwrap_err();
    assert!(failure.message.contains("rights away"), "{failure}");
}

#[tokio::test]
async fn a_revocation_counts_at_the_counter_before_the_center_has_spoken() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    assert!(staff.status().await.connected);
    world.shop.center.manner(Manner::Dies);
    let key = staff_key(&staff);
    let sent = world.settle.certify(key, None, Some(secret(PASSWORD_B))).await.unwrap();
    assert_eq!(sent[0].state, TelegramState::Unknown);
    let failure = staff.refuses(Act::Orders).await;
    assert!(failure.message.contains("rights away"), "{failure}");
}

#[tokio::test]
async fn rights_are_taken_away_without_a_line_and_the_center_hears_of_it_later() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    assert!(staff.status().await.connected);
    let pin = |address: String| {
        world.shop.keep.vault(move |vault| {
            let pinned = vault::PinnedCenter { addresses: vec![address], ..vault.center().unwrap().clone() };
            vault.pin_center(&pinned).unwrap();
        })
    };
    // Nobody listens at the port of a listener that is gone.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    pin(nobody.to_string()).await.unwrap();
    let line = world.center.line().await.unwrap();
    world.shop.center.hang_up();
    line.closed().await;
    let key = staff_key(&staff);
    let kept = world.settle.certify(key, None, Some(secret(PASSWORD_B))).await.unwrap();
    assert_eq!(kept[0].state, TelegramState::Prepared, "{kept:?}");
    let failure = staff.refuses(Act::Orders).await;
    assert!(failure.message.contains("rights away"), "{failure}");
    pin(world.shop.center.address.clone()).await.unwrap();
    let sent = world.settle.send_prepared(None).await.unwrap();
    assert_eq!(sent[0].state, TelegramState::Done, "{sent:?}");
}

#[tokio::test]
async fn what_another_copy_of_the_vault_signed_is_seen_at_the_login() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    assert!(staff.status().await.connected);
    let line = world.center.line().await.unwrap();
    world.settle.compare_cashiers(&line).await;
    assert!(staff.terminal.act(Act::Orders).await.is_ok(), "the center names it as it stands here");

    let key = staff_key(&staff);
    world.shop.center.change_cashier(key, None);
    let stranger = SigningKey::generate().verification_key();
    world.shop.center.change_cashier(stranger, Some(rights()));
    world.settle.compare_cashiers(&line).await;
    let failure = staff.refuses(Act::Orders).await;
    assert!(failure.message.contains("rights away"), "{failure}");
    assert!(world.shop.keep.book().staff.is_elsewhere(&stranger));
    let revoked = world.settle.certify(stranger, None, Some(secret(PASSWORD_B))).await.unwrap();
    assert_eq!(revoked[0].state, TelegramState::Done, "{revoked:?}");
    assert!(!world.shop.keep.book().staff.is_elsewhere(&stranger));
    // Given rights again here, it counts at once.
    world.certify(&staff, Some(rights())).await;
    assert!(staff.terminal.act(Act::Orders).await.is_ok());
}

#[tokio::test]
async fn the_password_is_changed() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let change = Act::ChangePassword { old: PASSWORD.into(), new: "another word for the till".into() };
    assert!(matches!(staff.terminal.act(change).await, Ok(Outcome::Done)));
    let failure = staff.refuses(refund(world.paid().await)).await;
    assert_eq!(failure.kind, FailureKind::WrongPassword, "the old one opens nothing more");
    let profile = profile(&staff.folder);
    drop(staff.terminal);
    assert!(Terminal::open(&profile, &secret("another word for the till")).await.is_ok());
}

#[tokio::test]
async fn a_terminal_believes_the_store_of_its_line_alone() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let folder = tempfile::tempdir().unwrap();
    let stranger = SigningKey::generate().verification_key();
    let line = StoreLine { key: stranger, ..world.line.clone() };
    let profile = profile(&folder);
    terminal::join(&profile, line.clone(), Line::default(), secret(PASSWORD)).await.unwrap();
    let terminal = Terminal::open(&profile, &secret(PASSWORD)).await.unwrap();
    let failure = terminal.act(Act::Orders).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Contradiction, "{failure}");
    assert!(failure.message.contains("ask for a new line"), "{failure}");
    drop(terminal);
    let elsewhere = StoreLine { store: wire::id::StoreNumber(9), ..line };
    let refused = terminal::join(&profile, elsewhere, Line::default(), secret(PASSWORD)).await.unwrap_err();
    assert!(refused.message.contains("a profile of its own"), "{refused}");
    drop(staff);
    let store = Profile::locate("tui-store", world.shop.folder.path().to_str()).unwrap();
    let refused = terminal::join(&store, world.line.clone(), Line::default(), secret(PASSWORD));
    assert!(refused.await.unwrap_err().message.contains("another kind"), "a store's own profile stays one");
}
