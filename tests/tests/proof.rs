//! What outsiders can prove of a real center's books: verified, audited with public keys alone, published as tiles.

use std::{
    fs,
    path::{Path, PathBuf},
};

use color_eyre::eyre::{Result, ensure, eyre};
use inkan_tests::{
    network::Network,
    programs::{Reply, call},
};
use serde_json::Value;

#[test]
fn books_that_hold_are_proved_with_public_keys_alone_and_damage_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = open(folder.path())?;
    for _ in 0..3 {
        buy(&network)?;
    }

    // The running center looks at its own books; nobody is named for it.
    let running = network.center(&["books", "verify"])?.done()?;
    ensure!(running["data"]["holds"] == true || running["holds"] == true, "{running}");

    // Tiles and checkpoint beside the running center.
    let tiles = folder.path().join("public");
    let shown = tiles.display().to_string();
    let exported = network.center(&["tiles", "export", &shown])?.done()?;
    ensure!(exported["before"] == 0 && exported["size"].as_u64() > Some(10), "{exported}");
    let checkpoint = network.center(&["checkpoint"])?.done()?;
    let shown_first = fs::read_to_string(tiles.join("checkpoint"))?;
    ensure!(shown_first.starts_with(text(&checkpoint, "/origin")?), "{shown_first}");
    ensure!(checkpoint["size"].as_u64() >= exported["size"].as_u64(), "{checkpoint}");
    let before = exported["size"].clone();
    buy(&network)?;
    let again = network.center(&["tiles", "export", &shown])?.done()?;
    ensure!(again["before"] == before && again["size"].as_u64() > before.as_u64(), "{again}");

    // An auditor has a copy of the journal and the keys that everybody may have.
    ensure!(network.stop_center()? == 0, "the center did not end in order");
    let rebuilt = network.center(&["books", "rebuild"])?.done()?;
    ensure!(rebuilt["entries"].as_u64() >= again["size"].as_u64(), "{rebuilt}");
    let resting = network.center(&["books", "verify"])?;
    ensure!(resting.code == 0, "{} {}", resting.body, resting.talk);
    let copy = folder.path().join("audit/journal");
    fs::create_dir_all(&copy)?;
    for item in fs::read_dir(network.center_profile().join("books/journal"))? {
        let item = item?;
        fs::copy(item.path(), copy.join(item.file_name()))?;
    }
    let invitation = folder.path().join("audit/invitation");
    fs::write(&invitation, &network.invitation)?;
    for keys in [&invitation, &tiles.join("keys")] {
        let found = audit(&network, &copy, keys)?;
        ensure!(found.code == 0 && found.body["holds"] == true, "{} {}", found.body, found.talk);
        ensure!(found.body["covered"] == found.body["entries"], "{}", found.body);
        ensure!(found.body["center"] == "Garden Club" && found.body["zone"] == "Asia/Tokyo");
        let sum = |side: &str| -> i64 {
            let rows = found.body["balances"].as_array().into_iter().flatten();
            rows.filter_map(|row| row[side].as_i64()).sum()
        };
        ensure!(sum("debit") == sum("credit") && sum("debit") == 5_000, "{}", found.body["balances"]);
        let days = found.body["days"].as_array().into_iter().flatten();
        let paid: u64 =
            days.filter(|day| day["kind"] == "payment").filter_map(|day| day["done"].as_u64()).sum();
        ensure!(paid == 4, "{}", found.body["days"]);
    }

    // Of the copy a byte turns.
    let segment = copy.join("000001.seg");
    let mut bytes = fs::read(&segment)?;
    bytes[2_000] ^= 1;
    fs::write(&segment, bytes)?;
    let found = audit(&network, &copy, &invitation)?;
    ensure!(found.code == 1 && found.body["holds"] == false, "{}", found.body);
    ensure!(text(&found.body, "/first/words")?.contains("000001.seg at byte"), "{}", found.body);

    // Without a journal, or with keys that are none, nothing is said of it.
    let words = audit(&network, &tiles, &invitation)?.refused()?;
    ensure!(words.contains("there is no journal in"), "{words}");
    fs::write(&invitation, "inkan:nobody")?;
    let words = audit(&network, &copy, &invitation)?.refused()?;
    ensure!(words.contains("line 1"), "{words}");
    Ok(())
}

/// An audit by a user who has no center: another profile, in which nothing lies.
fn audit(network: &Network, journal: &Path, keys: &Path) -> Result<Reply> {
    let nowhere: PathBuf = network.root().join("nowhere");
    let mut command = network.programs().command("tui-center");
    command.arg("--profile").arg(&nowhere).args(["--json", "audit", "--journal"]);
    command.arg(journal).arg("--key").arg(keys);
    let reply = call(command)?;
    ensure!(!nowhere.exists(), "an audit leaves nothing behind");
    Ok(reply)
}

/// A store that sells a book, and a member with 5,000 yen on a card.
fn open(root: &Path) -> Result<Network> {
    let mut network = Network::found(root)?;
    network.start_center()?;
    network.join_store("sakura", "Sakura Books")?;
    network.join_member("hanako")?;
    let catalogue = network.root().join("catalogues/sakura");
    fs::create_dir_all(&catalogue)?;
    fs::write(catalogue.join("book.txt"), "of blossoms")?;
    let list = "[[item]]\nid = \"book\"\ntitle = \"A book\"\nprice = 600\nfile = \"book.txt\"\n";
    fs::write(catalogue.join("catalogue.toml"), list)?;
    network.serve_store("sakura", &catalogue)?;
    network.fund("hanako", 5_000)?;
    Ok(network)
}

fn buy(network: &Network) -> Result<()> {
    let status = network.store("sakura", &["status"])?.done()?;
    let order = network.member("hanako", &["order", text(&status, "/store")?, "book"])?.done()?;
    network.member("hanako", &["pay", text(&order, "/order")?])?.done()?;
    Ok(())
}

fn text<'a>(value: &'a Value, at: &str) -> Result<&'a str> {
    value.pointer(at).and_then(Value::as_str).ok_or_else(|| eyre!("no text at {at} in {value}"))
}
