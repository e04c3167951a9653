//! Disks that are full or can only be read, tried for real: each program says so in one sentence, answers nothing that is
//! not on the disk, and goes on when there is room again.
//!
//! The small disks are mounted in a mount namespace of the test's own, which ends with it: by the system's administrator,
//! or by anybody where the system lets people have namespaces.

mod small;
mod terminals;

use color_eyre::eyre::{Result, bail, ensure};
use inkan_tests::{kills::SMALL_BOOKS, network::Network, programs::Programs};
use serde_json::Value;
use small::{Disk, apart};

/// What everything in this shop costs.
const PRICE: i64 = 7;
/// What a member's card is loaded with.
const LOADED: i64 = 1_000;
/// Purchases after which something has certainly been needed that a full disk does not have: what is left in the last
/// block of a file is no longer enough, or a journal of small segments needs a new one.
const MANY: usize = 40;

#[test]
fn a_center_whose_disk_is_full_stops_payments_and_loses_none() {
    apart("a_center_whose_disk_is_full_stops_payments_and_loses_none", || {
        let mut town = Town::found(&["center"])?;
        town.buy()?.done()?;
        let disk = town.disk("center").clone();
        disk.fill()?;
        let mut bought = 1;
        let words = town.buy_until_refused(&mut bought)?;
        // Everybody is told why; nothing is taken from now on.
        let overview = town.network.center(&["status"])?.done()?;
        let standing = overview.to_string();
        ensure!(standing.contains("the disk is full"), "the overview does not say why: {overview}");
        let after = town.buy()?.refused()?;
        sentence(&after)?;
        disk.make_room()?;
        // Only opening the books again says what a failed write has left.
        town.network.stop_center()?;
        town.network.start_center()?;
        town.settled(&mut bought)?;
        town.store_is_there()?;
        town.buy()?.done()?;
        bought += 1;
        town.settled(&mut bought)?;
        ensure!(town.network.stop_center()? == 0, "the center ends in order");
        town.network.center(&["books", "verify"])?.done()?;
        println!("{words} | {after}");
        Ok(())
    });
}

#[test]
fn a_center_on_a_disk_that_can_only_be_read_does_not_start_and_says_why() {
    apart("a_center_on_a_disk_that_can_only_be_read_does_not_start_and_says_why", || {
        let mut town = Town::found(&["center"])?;
        town.buy()?.done()?;
        town.network.stop_center()?;
        let disk = town.disk("center").clone();
        disk.read_only(true)?;
        let mut serve = town.network.programs().command("tui-center");
        serve.arg("--profile").arg(town.network.center_profile()).args(["--json", "serve", "--headless"]);
        serve.arg("--service-passphrase-file").arg(town.network.secret("service"));
        let words = inkan_tests::programs::call(serve)?.refused()?;
        sentence(&words)?;
        ensure!(words.contains("can only be read") || words.contains("read-only"), "{words}");
        disk.read_only(false)?;
        town.network.start_center()?;
        town.store_is_there()?;
        town.buy()?.done()?;
        println!("{words}");
        Ok(())
    });
}

/// A center, a store that serves, and a member with money, some of them on small disks.
struct Town {
    network: Network,
    store: String,
    disks: Vec<(String, Disk)>,
    _root: tempfile::TempDir,
}

impl Town {
    /// Founds it; `small` names the folders that lie on small disks: `center`, `members/mina`, `stores/shop`.
    fn found(small: &[&str]) -> Result<Self> {
        let root = tempfile::tempdir()?;
        let mut disks = Vec::new();
        for name in small {
            disks.push(((*name).to_owned(), Disk::mount(&root.path().join(name))?));
        }
        let (name, value) = SMALL_BOOKS;
        let mut network = Network::found_by(Programs::find()?.with(name, value), root.path())?;
        network.start_center()?;
        let catalogue = root.path().join("catalogues/shop");
        std::fs::create_dir_all(&catalogue)?;
        std::fs::write(catalogue.join("note.txt"), "a note worth seven yen\n")?;
        let toml =
            format!("[[item]]\nid = \"note\"\ntitle = \"A note\"\nprice = {PRICE}\nfile = \"note.txt\"\n");
        std::fs::write(catalogue.join("catalogue.toml"), toml)?;
        network.join_store("shop", "The Shop")?;
        network.serve_store("shop", &catalogue)?;
        network.join_member("mina")?;
        network.fund("mina", LOADED.unsigned_abs())?;
        let status = network.store("shop", &["status"])?.done()?;
        let store = status["store"].as_str().unwrap_or_default().to_owned();
        Ok(Self { network, store, disks, _root: root })
    }

    fn disk(&self, name: &str) -> &Disk {
        let found = self.disks.iter().find(|(named, _)| named == name);
        &found.expect("it was mounted at the founding").1
    }

    /// Orders, pays, fetches and acknowledges one thing.
    fn buy(&self) -> Result<inkan_tests::programs::Reply> {
        self.network.member("mina", &["buy", &self.store, "note"])
    }

    /// Buys until that is refused, and counts what was bought. The words of the refusal.
    fn buy_until_refused(&self, bought: &mut usize) -> Result<String> {
        for _ in 0..MANY {
            let reply = self.buy()?;
            if reply.code != 0 {
                let words = reply.refused()?;
                sentence(&words)?;
                return Ok(words);
            }
            *bought += 1;
        }
        bail!("{MANY} purchases fit on a full disk")
    }

    /// Waits for the store's line.
    fn store_is_there(&self) -> Result<()> {
        self.network.wait_for("the store's line", |network| {
            let stores = network.center(&["stores"])?.done()?;
            Ok(stores["stores"].as_array().is_some_and(|stores| stores.iter().all(|it| it["here"] == true)))
        })
    }

    /// Everything unknown is answered, no yen is missing, and what was bought is there: `bought` purchases, or one more
    /// that was entered and whose answer did not come.
    fn settled(&self, bought: &mut usize) -> Result<()> {
        self.network.member("mina", &["resolve"])?.done()?;
        let history = self.network.member("mina", &["history"])?.done()?;
        let purchases = history["purchases"].as_array().cloned().unwrap_or_default();
        let paid = purchases
            .iter()
            .filter(|purchase| ["settled", "fetched", "delivered"].contains(&state(purchase)))
            .count();
        ensure!(purchases.iter().all(|purchase| state(purchase) != "unknown"), "{history}");
        ensure!((*bought..=*bought + 1).contains(&paid), "{bought} were bought, {paid} are paid: {history}");
        let cards = self.network.member("mina", &["cards"])?.done()?;
        let held: i64 = cards["cards"]
            .as_array()
            .map(|cards| cards.iter().filter_map(|card| card["balance"]["minor"].as_i64()).sum())
            .unwrap_or_default();
        ensure!(held + PRICE * i64::try_from(paid)? == LOADED, "{held} are held after {paid} purchases");
        *bought = paid;
        Ok(())
    }
}

/// The state of a purchase.
fn state(purchase: &Value) -> &str {
    purchase["state"].as_str().unwrap_or_default()
}

/// Words for people: a sentence, no number of the system's, no name of the program's own types.
fn sentence(words: &str) -> Result<()> {
    for raw in ["os error", "Os {", "kind:", "Error(", "panicked", "unwrap"] {
        ensure!(!words.contains(raw), "“{words}” is not said for people");
    }
    ensure!(words.contains(' ') && words.len() < 600, "“{words}” is no sentence");
    Ok(())
}
