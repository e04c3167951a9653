//! Members and stores whose disk is full, or can only be read.

use color_eyre::eyre::{Result, ensure};
use serde_json::Value;

use crate::{Town, sentence, small::apart};

#[test]
fn a_member_whose_disk_is_full_pays_nothing_and_goes_on_when_there_is_room() {
    apart("terminals::a_member_whose_disk_is_full_pays_nothing_and_goes_on_when_there_is_room", || {
        let mut town = Town::found(&["members/mina"])?;
        let disk = town.disk("members/mina").clone();
        town.buy()?.done()?;
        let mut bought = 1;
        disk.fill()?;
        let words = town.buy_until_refused(&mut bought)?;
        ensure!(words.contains("the disk is full"), "{words}");
        // Whatever could not be kept of the last purchase, no money went unseen.
        disk.make_room()?;
        town.settled(&mut bought)?;
        ensure!(entered(&town)? == bought, "a payment was entered that is not in the vault");
        town.buy()?.done()?;
        bought += 1;
        town.settled(&mut bought)?;
        println!("{words}");

        disk.read_only(true)?;
        let words = town.buy()?.refused()?;
        sentence(&words)?;
        ensure!(words.contains("read"), "{words}");
        disk.read_only(false)?;
        town.buy()?.done()?;
        println!("{words}");
        ensure!(town.network.stop_center()? == 0, "the center ends in order");
        Ok(())
    });
}

#[test]
fn a_store_whose_disk_is_full_takes_no_order_and_goes_on_when_there_is_room() {
    apart("terminals::a_store_whose_disk_is_full_takes_no_order_and_goes_on_when_there_is_room", || {
        let mut town = Town::found(&["stores/shop"])?;
        let disk = town.disk("stores/shop").clone();
        town.buy()?.done()?;
        // Ordered while there was room, paid when there is none: the notice waits at the center.
        let order = town.network.member("mina", &["order", &town.store, "note"])?.done()?;
        let order = order["order"].as_str().unwrap_or_default().to_owned();
        disk.fill()?;
        let mut bought = 1;
        let words = town.buy_until_refused(&mut bought)?;
        let before = paid(&town.network.store("shop", &["orders"])?.done()?);
        town.network.member("mina", &["pay", &order])?.done()?;
        bought += 1;
        disk.make_room()?;
        town.network.wait_for("the notice", |network| {
            let orders = network.store("shop", &["orders"])?.done()?;
            Ok(paid(&orders) > before)
        })?;
        town.network.member("mina", &["fetch", &order])?.done()?;
        town.store_is_there()?;
        town.buy()?.done()?;
        bought += 1;
        town.settled(&mut bought)?;
        println!("{words}");

        town.network.stop_store("shop")?;
        disk.read_only(true)?;
        let words = town.network.store("shop", &["sync"])?.refused()?;
        sentence(&words)?;
        ensure!(words.contains("read"), "{words}");
        disk.read_only(false)?;
        town.network.store("shop", &["sync"])?.done()?;
        println!("{words}");
        ensure!(town.network.stop_center()? == 0, "the center ends in order");
        Ok(())
    });
}

/// How many of the store's orders are paid, as it knows.
fn paid(orders: &Value) -> usize {
    let orders = orders["orders"].as_array();
    orders.map_or(0, |orders| orders.iter().filter(|order| order["payment"].is_string()).count())
}

/// How many payments the center has entered.
fn entered(town: &Town) -> Result<usize> {
    let books = town.network.center(&["transactions", "--kind", "payment", "--all"])?.done()?;
    Ok(books["transactions"].as_array().map_or(0, Vec::len))
}
