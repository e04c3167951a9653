//! Programs are killed at random while payments stream; nothing is lost, nothing doubled, to the yen.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use inkan_tests::network::Network;
use serde_json::Value;

/// How many kills of each kind of program.
const KILLS: u32 = 6;
/// What everything in this shop costs.
const PRICE: i64 = 7;
/// What a member's card is loaded with.
const LOADED: i64 = 1_000_000;
/// Who buys.
const MEMBERS: [&str; 2] = ["mina", "kenji"];

#[test]
fn random_kills_lose_and_double_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut network = Network::found(directory.path()).expect("founded");
    network.start_center().expect("the center starts");
    let catalogue = directory.path().join("catalogues/shop");
    fs::create_dir_all(&catalogue).expect("a folder");
    fs::write(catalogue.join("note.txt"), "a note worth seven yen\n").expect("goods");
    let toml = format!("[[item]]\nid = \"note\"\ntitle = \"A note\"\nprice = {PRICE}\nfile = \"note.txt\"\n");
    fs::write(catalogue.join("catalogue.toml"), toml).expect("a catalogue");
    network.join_store("shop", "The Shop").expect("the store joins");
    network.serve_store("shop", &catalogue).expect("the store serves");
    for member in MEMBERS {
        network.join_member(member).expect("the member joins");
        network.fund(member, LOADED.unsigned_abs()).expect("the card is funded");
    }
    let status =
        network.store("shop", &["status"]).and_then(|reply| reply.done()).expect("the store's status");
    let store = status["store"].as_str().expect("its number").to_owned();
    let purchases = MEMBERS.map(|member| -> Vec<Command> {
        let purchase = || {
            let mut command = network.terminal("tui-member", &network.member_profile(member));
            command.args(["buy", &store, "note"]).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        (0..1_000).map(|_| purchase()).collect()
    });

    let buyers = Buyers::default();
    thread::scope(|scope| {
        for purchases in purchases {
            scope.spawn(|| buyers.buy(purchases));
        }
        let (mut center, mut shop) = (0, 0);
        let since = Instant::now();
        while center < KILLS || shop < KILLS || buyers.killed.load(Ordering::Relaxed) < KILLS {
            assert!(
                since.elapsed() < Duration::from_secs(240),
                "too slow: {center} and {shop} kills, {buyers:?}"
            );
            thread::sleep(Duration::from_millis(300 + random(1_500)));
            if center <= shop {
                network.kill_center().expect("the center dies");
                network.start_center().expect("the center comes back");
                center += 1;
            } else {
                network.kill_store("shop").expect("the store dies");
                network.serve_store("shop", &catalogue).expect("the store comes back");
                shop += 1;
            }
        }
        buyers.over.store(true, Ordering::Relaxed);
    });
    assert!(buyers.bought.load(Ordering::Relaxed) > 0, "nothing was bought at all");
    reconcile(&mut network);
}

/// Those who buy while everything dies around them.
#[derive(Debug, Default)]
struct Buyers {
    over: AtomicBool,
    bought: AtomicU32,
    killed: AtomicU32,
}

impl Buyers {
    fn buy(&self, purchases: Vec<Command>) {
        for (round, mut purchase) in purchases.into_iter().enumerate() {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            let mut child = purchase.spawn().expect("the member's program starts");
            // Every third purchase dies at a moment of its own, anywhere from its first instruction to after its end.
            if round % 3 == 2 {
                thread::sleep(Duration::from_millis(random(600)));
                if child.try_wait().expect("its state").is_none() {
                    self.killed.fetch_add(1, Ordering::Relaxed);
                }
                let _ = child.kill();
            }
            if child.wait().expect("its end").success() {
                self.bought.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Every program resolves what it does not know; then vaults, books and the bank must tell the same.
fn reconcile(network: &mut Network) {
    let done = |reply: color_eyre::Result<inkan_tests::programs::Reply>, what: &str| -> Value {
        reply.and_then(inkan_tests::programs::Reply::done).unwrap_or_else(|error| panic!("{what}: {error:#}"))
    };
    let mut of_members = BTreeMap::new();
    for member in MEMBERS {
        done(network.member(member, &["resolve"]), "resolve");
        done(network.member(member, &["sync"]), "sync");
        let cards = done(network.member(member, &["cards"]), "cards");
        let held: i64 = rows(&cards, "cards").iter().map(|card| minor(&card["balance"])).sum();
        let history = done(network.member(member, &["history"]), "history");
        let mut paid = 0;
        for purchase in rows(&history, "purchases") {
            let state = purchase["state"].as_str().expect("a state");
            assert_ne!(state, "unknown", "{member}: {purchase}");
            if ["settled", "fetched", "delivered"].contains(&state) {
                let number = purchase["number"].as_str().expect("a transaction number").to_owned();
                let before = of_members.insert(number, minor(&purchase["total"]));
                assert_eq!(before, None, "one payment in two purchases");
                paid += minor(&purchase["total"]);
            }
        }
        assert_eq!(held + paid, LOADED, "{member}: what the card holds and what the history paid");
    }
    let books = done(network.center(&["transactions", "--kind", "payment", "--all"]), "transactions");
    let of_center: BTreeMap<String, i64> = rows(&books, "transactions")
        .iter()
        .filter(|row| row["refused"] == false)
        .map(|row| (row["number"].as_str().expect("a number").to_owned(), minor(&row["amount"])))
        .collect();
    assert_eq!(of_center, of_members, "the center's payments and the members' purchases");
    println!("{} payments stood when everything was over", of_center.len());
    network
        .wait_for("the store's notices", |network| {
            let orders = network.store("shop", &["orders"])?.done()?;
            let of_store: BTreeMap<String, i64> = rows(&orders, "orders")
                .iter()
                .filter_map(|order| Some((order["payment"].as_str()?.to_owned(), minor(&order["total"]))))
                .collect();
            Ok(of_store == of_center)
        })
        .expect("the store has each payment once");
    let overview = done(network.center(&["status"]), "status");
    assert_eq!(overview["light"]["balanced"], true, "{overview}");
    let at_bank: i64 =
        network.bank().movements().expect("the bank's books").iter().map(|movement| movement.minor).sum();
    assert_eq!(minor(&overview["at_bank"]), at_bank, "the books' bank account and the bank's own books");
    assert_eq!(network.stop_center().expect("an orderly end"), 0);
    done(network.center(&["books", "verify"]), "books verify");
}

fn rows<'v>(value: &'v Value, name: &str) -> &'v Vec<Value> {
    value[name].as_array().unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn minor(amount: &Value) -> i64 {
    amount["minor"].as_i64().unwrap_or_else(|| panic!("no amount: {amount}"))
}

/// A random number below `bound`.
fn random(bound: u64) -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    u64::from_le_bytes(bytes) % bound
}
