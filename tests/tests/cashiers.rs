//! Staff of a store at their own terminals: certified by the owner, heard at the counter, entered by the center.

use std::{fs, path::Path};

use color_eyre::eyre::{Result, ensure, eyre};
use inkan_tests::{
    network::Network,
    programs::{Reply, call},
};
use serde_json::Value;

/// What the book costs, in yen.
const PRICE: u64 = 600;

#[test]
fn a_cashier_gives_back_within_its_limit_until_its_rights_are_gone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let network = open(folder.path())?;
    let line = network.store("sakura", &["cashier", "invite"])?.done()?;
    let request = till(&network, &["join", text(&line, "/line")?, "--name", "Mori"])?.done()?;
    let stranger = till(&network, &["orders"])?.refused()?;
    ensure!(stranger.contains("no cashier with this key"), "{stranger}");

    let file = folder.path().join("request");
    fs::write(&file, text(&request, "/request")?)?;
    let file = file.display().to_string();
    let add = ["cashier", "add", "Mori", "--request-file", &file, "--deliver", "--see-day"];
    network.store("sakura", &[&add[..], &["--refund-limit", "1000"]].concat())?.done()?;
    let status = till(&network, &["status"])?.done()?;
    ensure!(status["rights"]["left"]["minor"] == 1_000, "{status}");

    let payments = [buy(&network)?, buy(&network)?];
    network.wait_for("both payments at the till", |network| {
        let orders = till(network, &["orders"])?.done()?;
        let orders = orders["orders"].as_array().cloned().unwrap_or_default();
        Ok(orders.iter().filter(|order| order["payment"].is_string()).count() == 2)
    })?;
    let before = balance(&network)?;
    let given = till(&network, &["refund", &payments[0]])?.done()?;
    ensure!(given["telegrams"][0]["state"] == "done", "{given}");
    network.wait_for("the money on the card", |network| Ok(balance(network)? == before + PRICE))?;
    let over = till(&network, &["refund", &payments[1]])?.refused()?;
    ensure!(over.contains("400 JPY is left"), "{over}");
    let sell = till(&network, &["pause", "book"])?.refused()?;
    ensure!(sell.contains("may not sell"), "{sell}");
    let day = till(&network, &["day"])?.done()?;
    ensure!(day["paid"] == 2 && day["refunded_total"]["minor"] == PRICE, "{day}");
    ensure!(day["cashiers"][0]["name"] == "Mori", "{day}");

    network.store("sakura", &["cashier", "revoke", "Mori"])?.done()?;
    let gone = till(&network, &["refund", &payments[1]])?.refused()?;
    ensure!(gone.contains("rights away"), "{gone}");
    let listed = network.store("sakura", &["cashier", "list"])?.done()?;
    ensure!(listed["cashiers"][0]["state"] == "revoked", "{listed}");
    let again = network.store("sakura", &[&add[..], &["--refund-limit", "1000"]].concat())?.refused()?;
    ensure!(again.contains("registered already"), "a key that is gone is not certified again: {again}");
    Ok(())
}

#[test]
fn rights_outlive_a_restart_and_a_till_is_no_store() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = open(folder.path())?;
    let line = network.store("sakura", &["cashier", "invite"])?.done()?;
    let request = till(&network, &["join", text(&line, "/line")?])?.done()?;
    let file = folder.path().join("request");
    fs::write(&file, text(&request, "/request")?)?;
    let file = file.display().to_string();
    network.store("sakura", &["cashier", "add", "Mori", "--request-file", &file, "--sell"])?.done()?;
    till(&network, &["pause", "book"])?.done()?;

    ensure!(network.stop_store("sakura")? == 0, "the store did not end in order");
    let away = till(&network, &["status"])?.done()?;
    ensure!(away["connected"] == false && away["rights"]["sell"] == true, "{away}");
    network.serve_store("sakura", &catalogue(&network))?;
    // The counter listens elsewhere now: the terminal takes the new line, under the key it has.
    let line = network.store("sakura", &["cashier", "invite"])?.done()?;
    till(&network, &["join", text(&line, "/line")?])?.done()?;
    till(&network, &["orders"])?.done()?;
    let store = store_number(&network)?;
    let paused = network.member("hanako", &["order", &store, "book"])?.refused()?;
    ensure!(paused.contains("not sold at the moment"), "{paused}");
    till(&network, &["resume", "book"])?.done()?;
    network.member("hanako", &["order", &store, "book"])?.done()?;

    let mut command = network.terminal("tui-store", &till_profile(&network));
    command.arg("orders");
    let words = call(command)?.refused()?;
    ensure!(words.contains("a cashier's terminal, not a store"), "{words}");
    Ok(())
}

#[test]
fn what_a_cashier_sells_is_taken_up_paid_delivered_and_given_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = open(folder.path())?;
    let line = network.store("sakura", &["cashier", "invite"])?.done()?;
    let request = till(&network, &["join", text(&line, "/line")?, "--name", "Mori"])?.done()?;
    let file = folder.path().join("request");
    fs::write(&file, text(&request, "/request")?)?;
    let file = file.display().to_string();
    let add =
        ["cashier", "add", "Mori", "--request-file", &file, "--sell", "--deliver", "--refund-limit", "1000"];
    network.store("sakura", &add)?.done()?;
    let store = store_number(&network)?;

    let sold = till(&network, &["sell", "book"])?.done()?;
    ensure!(sold["total"]["minor"] == PRICE && sold["store"] == store, "{sold}");
    let (order, code) = (text(&sold, "/order")?, text(&sold, "/code")?);
    let stands = |network: &Network| -> Result<String> {
        Ok(text(&till(network, &["order", order])?.done()?, "/state")?.to_owned())
    };
    ensure!(stands(&network)? == "awaiting-buyer");
    // What is sold outlives the store's program; its counter listens elsewhere afterwards.
    ensure!(network.stop_store("sakura")? == 0, "the store did not end in order");
    network.serve_store("sakura", &catalogue(&network))?;
    let line = network.store("sakura", &["cashier", "invite"])?.done()?;
    till(&network, &["join", text(&line, "/line")?])?.done()?;
    let mistyped = code.chars().rev().collect::<String>();
    let wrong = network.member("hanako", &["take-up", &store, &mistyped])?.refused()?;
    ensure!(wrong.contains("compare the code"), "{wrong}");

    let typed = code.to_lowercase().replace('-', " ");
    let offered = network.member("hanako", &["take-up", &store, &typed])?.done()?;
    ensure!(offered["order"] == order && offered["total"]["minor"] == PRICE, "{offered}");
    ensure!(offered["balance_after"]["minor"] == 5_000 - PRICE, "{offered}");
    let again = network.member("hanako", &["take-up", &store, code])?.done()?;
    ensure!(again["order"] == order, "{again}");
    network.join_member("taro")?;
    let late = network.member("taro", &["take-up", &store, code])?.refused()?;
    ensure!(late.contains("taken up already"), "{late}");
    ensure!(stands(&network)? == "awaiting-payment");

    let paid = network.member("hanako", &["pay", order])?.done()?;
    let number = text(&paid, "/number")?;
    let awaited = till(&network, &["await", order])?.done()?;
    ensure!(awaited["state"] == "paid" && awaited["payment"] == number, "{awaited}");
    ensure!(awaited["sold"]["cashier"] == "Mori", "{awaited}");
    till(&network, &["deliver", order])?.done()?;
    let goods = network.member("hanako", &["fetch", order])?.done()?;
    ensure!(goods["acknowledged"] == true, "{goods}");
    ensure!(stands(&network)? == "delivered");
    let shown = network.store("sakura", &["order", order])?.done()?;
    ensure!(shown["sold"]["cashier"] == "Mori", "{shown}");

    let given = till(&network, &["refund", number])?.done()?;
    ensure!(given["telegrams"][0]["state"] == "done", "{given}");
    network.wait_for("the money on the card", |network| Ok(balance(network)? == 5_000))?;
    let second = till(&network, &["sell", "book"])?.done()?;
    let (order, code) = (text(&second, "/order")?, text(&second, "/code")?);
    network.member("hanako", &["take-up", &store, code])?.done()?;
    network.member("hanako", &["pay", order])?.done()?;
    till(&network, &["await", order])?.done()?;
    let over = till(&network, &["refund", order])?.refused()?;
    ensure!(over.contains("400 JPY is left"), "{over}");
    Ok(())
}

#[test]
fn a_till_without_the_right_sells_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let network = open(folder.path())?;
    let line = network.store("sakura", &["cashier", "invite"])?.done()?;
    let request = till(&network, &["join", text(&line, "/line")?])?.done()?;
    let file = folder.path().join("request");
    fs::write(&file, text(&request, "/request")?)?;
    let file = file.display().to_string();
    network.store("sakura", &["cashier", "add", "Mori", "--request-file", &file, "--deliver"])?.done()?;
    let refused = till(&network, &["sell", "book"])?.refused()?;
    ensure!(refused.contains("may not sell"), "{refused}");
    let orders = till(&network, &["orders"])?.done()?;
    ensure!(orders["orders"].as_array().is_some_and(Vec::is_empty), "{orders}");
    Ok(())
}

/// A center, a store that sells a book, and a member with a card.
fn open(root: &Path) -> Result<Network> {
    let mut network = Network::found(root)?;
    network.start_center()?;
    network.join_store("sakura", "Sakura Books")?;
    network.join_member("hanako")?;
    let catalogue = catalogue(&network);
    fs::create_dir_all(&catalogue)?;
    fs::write(catalogue.join("book.txt"), "of blossoms")?;
    let list = format!("[[item]]\nid = \"book\"\ntitle = \"A book\"\nprice = {PRICE}\nfile = \"book.txt\"\n");
    fs::write(catalogue.join("catalogue.toml"), list)?;
    network.serve_store("sakura", &catalogue)?;
    network.fund("hanako", 5_000)?;
    Ok(network)
}

/// Orders and pays the book; the payment's number.
fn buy(network: &Network) -> Result<String> {
    let order = network.member("hanako", &["order", &store_number(network)?, "book"])?.done()?;
    let paid = network.member("hanako", &["pay", text(&order, "/order")?])?.done()?;
    Ok(text(&paid, "/number")?.to_owned())
}

fn store_number(network: &Network) -> Result<String> {
    let status = network.store("sakura", &["status"])?.done()?;
    Ok(text(&status, "/store")?.to_owned())
}

fn balance(network: &Network) -> Result<u64> {
    network.member("hanako", &["sync"])?.done()?;
    let cards = network.member("hanako", &["cards"])?.done()?;
    cards["cards"][0]["balance"]["minor"].as_u64().ok_or_else(|| eyre!("{cards}"))
}

/// A subcommand of the cashier's terminal.
fn till(network: &Network, arguments: &[&str]) -> Result<Reply> {
    let mut command = network.terminal("tui-store", &till_profile(network));
    command.arg("till").args(arguments);
    call(command)
}

fn till_profile(network: &Network) -> std::path::PathBuf {
    network.root().join("tills/mori")
}

fn catalogue(network: &Network) -> std::path::PathBuf {
    network.root().join("catalogues/sakura")
}

fn text<'a>(value: &'a Value, at: &str) -> Result<&'a str> {
    value.pointer(at).and_then(Value::as_str).ok_or_else(|| eyre!("no text at {at} in {value}"))
}
