//! Selling at the till, taking up, pausing, putting out.

use std::collections::HashSet;

use wire::{
    bounded::Bytes,
    codec,
    payload::Offer,
    shop::ShopRefusal,
    till::{PickUpCode, TillAnswer, TillRequest},
};

use super::*;
use crate::{
    record::{Sold, Undeliverable},
    snapshot,
};

#[tokio::test]
async fn goods_are_put_out_again_and_items_are_paused() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let payment = world.paid().await;
    let order = world.shop.keep.book().payments[&payment].order;
    let lost = Undeliverable { at: Timestamp::now(), order, why: Line::new("it was gone").unwrap() };
    world.shop.keep.record(vec![Record::Undeliverable(lost)]).await.unwrap();
    let act = || Act::Deliver { order: payment.to_string() };
    world.shelf.clear_except(&HashSet::new()).unwrap();
    let gone = staff.refuses(act()).await;
    assert!(gone.message.contains("not on the shelf"), "{gone}");
    world.shelf.publish(&world.shop.folder.path().join("book.txt")).unwrap();
    let Outcome::Order(detail) = staff.terminal.act(act()).await.unwrap() else { panic!() };
    assert_eq!((detail.row.state, detail.undeliverable), (OrderStanding::Paid, None));

    let made = staff.sell(2).await;
    assert_eq!(made.total.minor, 1_000);
    assert!(world.shop.keep.book().sales.contains_key(&made.order));
    staff.terminal.act(pause()).await.unwrap();
    let paused = staff.refuses(sell(2)).await;
    assert!(paused.message.contains("not sold at the moment"), "{paused}");
    let (_copy, found) = world.shop.after_a_crash();
    assert_eq!(found.book().staff.paused.len(), 1, "it stays paused over a crash");
    staff.terminal.act(Act::Pause { item: "book".into(), paused: false }).await.unwrap();
    assert!(staff.terminal.act(sell(2)).await.is_ok());
    let day = staff.day().await;
    assert_eq!((day.cashiers[0].offers, day.cashiers[0].delivered), (2, 1));
}

#[tokio::test]
async fn a_sale_is_taken_up_by_the_first_key_alone_and_shown_paid() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let sale = staff.sell(2).await;
    let code: PickUpCode = sale.code.parse().unwrap();
    assert_eq!(staff.standing(&sale).await, OrderStanding::AwaitingBuyer);
    let shown = staff.order(&sale).await.sold.unwrap();
    assert_eq!((shown.cashier.as_str(), shown.code.as_ref()), ("Mori", Some(&sale.code)));

    let (buyer, other) = (key(), key());
    let (order, salt, offer) = world.take_up(code, buyer).await.unwrap();
    assert_eq!(order_hash(&salt, &order), sale.order);
    let said = offer.verify_self::<Offer>().unwrap().into_payload();
    assert_eq!((said.order, said.buyer_key, said.total), (sale.order, buyer, yen(1_000)));
    assert_eq!(said.expires.0, sale.expires.unix_ms);
    assert_eq!(world.take_up(code, buyer).await, Ok((order, salt, offer.clone())), "the same key asks again");
    assert_eq!(world.take_up(code, other).await, Err(ShopRefusal::TakenUp));
    assert_eq!(staff.standing(&sale).await, OrderStanding::AwaitingPayment);
    assert_eq!(staff.order(&sale).await.sold.unwrap().code, None, "who comes now comes too late");

    world.shop.center.pay(sale.order, offer.digest(), yen(1_000));
    let line = world.center.line().await.unwrap();
    world.center.take_mail(&line).await.unwrap();
    let since = OrderStanding::AwaitingPayment;
    let awaited = staff.terminal.act(Act::Await { order: sale.order.to_string(), since }).await.unwrap();
    let Outcome::Order(paid) = awaited else { panic!("{awaited:?}") };
    assert_eq!(paid.row.state, OrderStanding::Paid);
    let owner = snapshot::order_detail(&world.shop.keep.book(), &sale.order.to_string(), Timestamp::now());
    assert_eq!(owner.unwrap().sold.unwrap().cashier.as_str(), "Mori");
    assert_eq!(staff.day().await.cashiers[0].offers, 1);
}

#[tokio::test]
async fn a_crash_keeps_sales_with_their_codes_and_buyers() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let (waiting, taken) = (staff.sell(1).await, staff.sell(2).await);
    let buyer = key();
    let before = world.take_up(taken.code.parse().unwrap(), buyer).await.unwrap();
    let World { shop, stop, .. } = world;
    stop.cancel();
    let (_copy, keep) = shop.after_a_crash();
    let Shop { folder, center, keep: dead } = shop;
    let world = World::over(Shop { folder, center, keep }).await;
    drop(dead);
    let taken: PickUpCode = taken.code.parse().unwrap();
    assert_eq!(world.take_up(taken, buyer).await, Ok(before));
    assert_eq!(world.take_up(taken, key()).await, Err(ShopRefusal::TakenUp));
    assert!(world.take_up(waiting.code.parse().unwrap(), key()).await.is_ok());
}

#[tokio::test]
async fn a_code_that_is_none_is_refused_and_soon_no_more_are_heard() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let sale = staff.sell(1).await;
    let mut refusal = ShopRefusal::UnknownCode;
    for _ in 0..20 {
        refusal = world.take_up(PickUpCode::generate(), key()).await.unwrap_err();
        if refusal != ShopRefusal::UnknownCode {
            break;
        }
    }
    assert_eq!(refusal, ShopRefusal::TooManyTries);
    let right = world.take_up(sale.code.parse().unwrap(), key()).await;
    assert_eq!(right, Err(ShopRefusal::TooManyTries), "not even the right one: a guesser learns nothing");
}

#[tokio::test]
async fn a_sale_ends_with_its_cashier_s_right_and_with_its_time() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let sale = staff.sell(1).await;
    world.certify(&staff, None).await;
    let code: PickUpCode = sale.code.parse().unwrap();
    assert_eq!(world.take_up(code, key()).await, Err(ShopRefusal::UnknownCode));

    let staff = world.staff(rights()).await;
    let now = Timestamp::now();
    let made = world.shop.keep.book().sales[&sale.order].clone();
    let late = Sold {
        at: now,
        by: staff_key(&staff),
        order: codec::encode(&made.order),
        salt: Salt::random(),
        code: PickUpCode::of_bytes([1; 5]),
        expires: Timestamp(now.0 - 1),
    };
    world.shop.keep.record(vec![Record::Sold(Box::new(late))]).await.unwrap();
    let expired = world.take_up(PickUpCode::of_bytes([1; 5]), key()).await;
    assert_eq!(expired, Err(ShopRefusal::UnknownCode));
    assert_eq!(world.shop.keep.book().open_offers(now), 1, "what has expired is not open");
}

#[tokio::test]
async fn the_same_order_is_sold_once_and_only_as_this_program_encodes_it() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let other = world.staff(CashierRights { name: Line::new("Sato").unwrap(), ..rights() }).await;
    let sale = staff.sell(1).await;
    let made = world.shop.keep.book().sales[&sale.order].clone();
    let sell = |order: Vec<u8>| TillRequest::Sell { order: Bytes::new(order).unwrap(), salt: made.salt };
    let order = codec::encode(&made.order);
    let TillAnswer::Sale(again) = staff.terminal.ask(sell(order.clone())).await.unwrap() else { panic!() };
    assert_eq!((again.code.print(), again.order), (sale.code.clone(), sale.order), "a connection broke");
    let foreign = other.terminal.ask(sell(order)).await.unwrap_err();
    assert!(foreign.message.contains("somebody else"), "{foreign}");
    for (order, words) in [(vec![7; 100], "well-formed"), (Vec::new(), "well-formed")] {
        let refused = staff.terminal.ask(sell(order)).await.unwrap_err();
        assert!(refused.message.contains(words), "{refused}");
    }
    let dear = wire::order::Order { note: Prose::new("x").unwrap(), ..made.order.clone() };
    let fits = staff.terminal.ask(sell(codec::encode(&dear))).await;
    assert!(matches!(fits, Ok(TillAnswer::Sale(_))), "{fits:?}");
    let none = staff.terminal.ask(TillRequest::Sale(OrderHash([1; 32]))).await.unwrap_err();
    assert!(none.message.contains("not sold at a till"), "{none}");
}

#[tokio::test]
async fn a_buyer_that_shows_its_key_gets_its_offer_at_the_till() {
    let world = World::open().await;
    let staff = world.staff(rights()).await;
    let sale = staff.sell(1).await;
    let order = codec::encode(&world.shop.keep.book().sales[&sale.order].order);
    let (salt, buyer_key) = (Salt::random(), key());
    let request = TillRequest::Offer { order: Bytes::new(order.clone()).unwrap(), salt, buyer_key };
    let TillAnswer::Offer(offer) = staff.terminal.ask(request).await.unwrap() else { panic!() };
    let said = offer.verify_self::<Offer>().unwrap().into_payload();
    assert_eq!((said.order, said.buyer_key), (order_hash(&salt, &order), buyer_key));
}
