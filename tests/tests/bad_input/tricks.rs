//! Stores in the directory that cheat: the real member's program signs nothing for them, keeps nothing outside its
//! folder, and shows nothing that harms.

use std::fs;

use wire::id::Role;

use crate::{
    house::{House, text},
    peer::Peer,
    stand_in::{Crook, Trick},
    words::refused_with,
};

/// A center, a funded member, and a crook in the directory.
async fn scene() -> (House, Crook) {
    let house = House::open();
    house.member("mina", 1_000);
    let peer =
        Peer::join(&house.network, Role::Store, &[("trade_name", "Crook & Sons")]).await.expect("a store");
    let crook = Crook::open(peer, Trick::Honest).await;
    (house, crook)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_is_not_what_was_ordered_is_never_kept() {
    let (house, crook) = scene().await;
    let store = crook.number();
    for (trick, words) in [
        (Trick::Expired, "expired"),
        (Trick::Endless, "7 days"),
        (Trick::AnotherStore, "another store"),
        (Trick::AnotherCenter, "another center"),
        (Trick::Dearer, "total"),
        (Trick::Tampered, "signature"),
        (Trick::Beside, "something else"),
    ] {
        crook.play(trick);
        let reply = house.says("mina", &["order", &store, "book"]);
        refused_with(&reply, 1, "contradiction", words);
    }
    let history = house.does("mina", &["history"]);
    assert_eq!(history["purchases"].as_array().map(Vec::len), Some(0), "{history}");
    assert_eq!(house.balance("mina"), 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_that_expires_before_it_is_paid_is_not_paid() {
    let (house, crook) = scene().await;
    crook.play(Trick::Hasty);
    let order = text(&house.does("mina", &["order", &crook.number(), "book"]), "/order");
    let root = house.root();
    house
        .network
        .wait_for("the offer to expire", |network| {
            let shown = network.member("mina", &["show", &order])?.done()?;
            Ok(shown["state"] == "offer-expired")
        })
        .expect("it expires");
    refused_with(&house.says("mina", &["pay", &order]), 1, "refused", "expired");
    assert_eq!(house.balance("mina"), 1_000);
    assert_eq!(house.root(), root, "nothing was even sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_stay_in_their_folder_whatever_the_store_calls_them() {
    let (house, crook) = scene().await;
    crook.play(Trick::Climbs);
    let order = text(&house.does("mina", &["order", &crook.number(), "book"]), "/order");
    house.does("mina", &["pay", &order]);
    let aside = house.file("copies");
    let fetched = house.does("mina", &["fetch", &order, "--to", aside.to_str().expect("a path")]);
    let goods = house.network.member_profile("mina").canonicalize().expect("the profile");
    for file in fetched["files"].as_array().expect("files") {
        let file = fs::canonicalize(file.as_str().expect("a path")).expect("the file");
        let inside = file.starts_with(&goods) || file.starts_with(aside.canonicalize().expect("the copies"));
        assert!(inside, "{} is outside", file.display());
    }
    for place in [house.file("climbed.txt"), house.file("members/climbed.txt"), goods.join("climbed.txt")] {
        assert!(!place.exists(), "{} was written", place.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_that_are_not_what_was_sold_are_not_signed_for() {
    let (house, crook) = scene().await;
    let order = text(&house.does("mina", &["order", &crook.number(), "book"]), "/order");
    house.does("mina", &["pay", &order]);
    crook.play(Trick::OtherGoods);
    refused_with(&house.says("mina", &["fetch", &order]), 1, "contradiction", "digest");
    let shown = house.does("mina", &["show", &order]);
    assert_eq!(shown["state"], "settled", "{shown}");
    crook.play(Trick::Beside);
    refused_with(&house.says("mina", &["fetch", &order]), 1, "contradiction", "something else");
    crook.play(Trick::Honest);
    house.does("mina", &["fetch", &order]);
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_of_a_size_beyond_every_disk_are_refused_in_words() {
    let (house, crook) = scene().await;
    crook.play(Trick::Vast);
    let order = text(&house.does("mina", &["order", &crook.number(), "book"]), "/order");
    house.does("mina", &["pay", &order]);
    refused_with(&house.says("mina", &["fetch", &order]), 1, "contradiction", "wrong length");
}
