//! Payments while something is in the way: a second copy of the vault, a dying center, a store that is away.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

use crate::{
    house::{House, PRICE, text},
    words::{clear, refused_with},
};

const LOADED: u64 = 10_000;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the profile").filter_map(Result::ok) {
        let (path, kind) = (entry.path(), entry.file_type().expect("its kind"));
        if kind.is_dir() {
            copy(&path, &to.join(entry.file_name()));
        } else if kind.is_file() {
            fs::copy(&path, to.join(entry.file_name())).expect("copied");
        }
    }
}

fn scene() -> (House, String) {
    let mut house = House::open();
    let shop = house.shop();
    house.member("mina", LOADED);
    (house, shop)
}

fn pay(house: &House, member: &str, order: &str) -> Command {
    let mut command = house.network.terminal("tui-member", &house.network.member_profile(member));
    command.args(["pay", order]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn one_order_in_two_copies_of_a_vault_is_paid_once_and_the_other_is_told() {
    let (house, shop) = scene();
    let order = house.order("mina", &shop);
    copy(&house.network.member_profile("mina"), &house.network.member_profile("twin"));
    let paid = text(&house.does("mina", &["pay", &order]), "/number");
    let words = refused_with(&house.says("twin", &["pay", &order]), 1, "refused", &paid);
    assert!(words.contains("another copy of this vault"), "{words}");
    for member in ["mina", "twin"] {
        assert_eq!(house.balance(member), (LOADED - PRICE) as i64);
        refused_with(&house.says(member, &["pay", &order]), 1, "not-possible", &paid);
    }
    house.overview();
}

#[test]
fn a_card_that_holds_one_yen_too_little_pays_nothing() {
    let mut house = House::open();
    let shop = house.shop();
    house.member("mina", PRICE - 1);
    let order = house.order("mina", &shop);
    refused_with(&house.says("mina", &["pay", &order]), 1, "refused", "no card holds 700 JPY");
    let cards = house.does("mina", &["cards"]);
    let card = text(&cards, "/cards/0/card");
    // Named, it goes to the center, which knows best, and whose refusal is final for this telegram only.
    refused_with(&house.says("mina", &["pay", &order, "--card", &card]), 1, "refused", "holds too little");
    assert_eq!(house.balance("mina"), (PRICE - 1) as i64);
    house.network.fund("mina", PRICE).expect("another card");
    house.does("mina", &["pay", &order]);
    assert_eq!(house.balance("mina"), (PRICE - 1) as i64);
    house.overview();
}

#[test]
fn two_copies_that_pay_at_one_moment_pay_once() {
    let (house, shop) = scene();
    for _ in 0..3 {
        let before = house.balance("mina");
        let order = house.order("mina", &shop);
        let twin = house.network.member_profile("twin");
        let _ = fs::remove_dir_all(&twin);
        copy(&house.network.member_profile("mina"), &twin);
        let both = ["mina", "twin"].map(|member| pay(&house, member, &order).spawn().expect("started"));
        let codes = both.map(|child| child.wait_with_output().expect("it ends").status.code());
        let settled = codes.iter().filter(|code| **code == Some(0)).count();
        assert_eq!(settled, 1, "{codes:?}");
        assert!(codes.contains(&Some(1)), "{codes:?}");
        assert_eq!(house.balance("mina"), before - PRICE as i64);
    }
    house.overview();
}

/// What is on the disk at one place: its length and the time of its last change.
fn stamp(path: &Path) -> (u64, SystemTime) {
    let found = fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (found.len(), found.modified().expect("a time"))
}

/// Pays, kills the center as soon as `watched` has changed so many times, and gives the exit code.
fn pay_and_kill(house: &mut House, order: &str, watched: &Path, changes: u32) -> i32 {
    let mut known = stamp(watched);
    let mut child = pay(house, "mina", order).spawn().expect("started");
    let (since, mut seen) = (Instant::now(), 0);
    while seen < changes && child.try_wait().expect("its state").is_none() {
        assert!(since.elapsed() < Duration::from_secs(60), "the payment neither goes on nor ends");
        let now = stamp(watched);
        if now != known {
            (known, seen) = (now, seen + 1);
        }
        std::thread::yield_now();
    }
    house.network.kill_center().expect("killed");
    let output = child.wait_with_output().expect("it ends");
    let code = output.status.code().unwrap_or(-1);
    if code != 0 {
        let envelope: serde_json::Value = serde_json::from_slice(&output.stdout).expect("an envelope");
        clear(envelope["error"]["message"].as_str().expect("a message"));
        let kind = envelope["error"]["kind"].as_str().expect("a kind");
        assert_eq!(kind == "unknown", code == 4, "{envelope}");
    }
    code
}

#[test]
fn a_center_that_dies_at_any_write_of_a_payment_leaves_one_payment_or_none() {
    let (mut house, shop) = scene();
    // A payment is written to the vault before it leaves, to the journal before it counts, to the mark of what was
    // signed before it is answered, and to the vault again when the answer is there.
    let vault = house.network.member_profile("mina").join("vault.inkan");
    let books = house.network.center_profile().join("books");
    let (journal, signed) = (books.join("journal/000001.seg"), books.join("signed"));
    let mut codes = Vec::new();
    for (watched, changes) in [(&vault, 1), (&journal, 1), (&signed, 1), (&vault, 2), (&vault, 3)] {
        let order = house.order("mina", &shop);
        let before = house.balance("mina");
        let code = pay_and_kill(&mut house, &order, watched, changes);
        let at = format!("change {changes} of {}, exit {code}", watched.display());
        assert!([0, 1, 4].contains(&code), "{at}");
        codes.push(code);
        if code == 4 {
            // While nobody knows, a second payment of the same order is not signed.
            refused_with(&house.says("mina", &["pay", &order]), 1, "offline", "no line to the center");
            assert_eq!(text(&house.does("mina", &["show", &order]), "/state"), "unknown");
        }
        house.network.start_center().expect("it comes back");
        house.does("mina", &["resolve"]);
        let state = text(&house.does("mina", &["show", &order]), "/state");
        let spent = before - house.balance("mina");
        let paid = ["settled", "fetched", "delivered"].contains(&state.as_str());
        assert_eq!(spent, if paid { PRICE as i64 } else { 0 }, "{at}: {state}");
        assert!(code != 0 || paid, "{at}: it said settled, and it is {state}");
        assert_ne!(state, "unknown", "{at}");
        house.overview();
    }
    assert!(codes.contains(&4), "no kill came in time: {codes:?}");
    // Orders are still brought to their end.
    let order = house.order("mina", &shop);
    house.does("mina", &["pay", &order]);
    house.does("mina", &["fetch", &order]);
}

#[test]
fn a_store_that_is_away_at_the_payment_has_its_notice_when_it_is_back() {
    let (mut house, shop) = scene();
    let order = house.order("mina", &shop);
    house.network.kill_store("shop").expect("killed");
    let paid = text(&house.does("mina", &["pay", &order]), "/number");
    let away = house.says("mina", &["fetch", &order]);
    refused_with(&away, 1, "offline", "away");
    refused_with(&house.says("mina", &["order", &shop, "note"]), 1, "offline", "away");
    let catalogue = house.catalogue();
    house.network.serve_store("shop", &catalogue).expect("it is back");
    house
        .network
        .wait_for("the notice", |network| {
            let orders = network.store("shop", &["orders"])?.done()?;
            let orders = orders["orders"].as_array().expect("orders");
            Ok(orders.iter().any(|row| row["payment"] == paid.as_str()))
        })
        .expect("it has it");
    house.does("mina", &["fetch", &order]);
}
