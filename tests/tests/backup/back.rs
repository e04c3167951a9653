//! From a backup back to payments, with terminals that hold receipts which the backup lacks.

use std::fs;

use color_eyre::eyre::{Result, ensure, eyre};

use crate::{World, number, text};

#[test]
fn a_restored_center_is_stopped_until_the_root_key_resumes_it_and_terminals_bring_back_what_was_lost()
-> Result<()> {
    let root = tempfile::tempdir()?;
    let mut world = World::found(root.path())?;
    let kept = world.buy()?;
    let made = world.network.center(&["backup", &world.folder()])?.done()?;
    let size = number(&made["entries"])?;
    let lost = world.buy()?;
    let holds = world.entries()?;
    ensure!(holds > size, "nothing was entered after the backup");

    // What is there is not written over.
    let words = world.network.center(&["restore", &world.folder()])?.refused()?;
    ensure!(words.contains("not written over"), "{words}");
    let words = world.network.center(&["resume"])?.refused()?;
    ensure!(words.contains("open") || words.contains("use"), "a running center is not resumed: {words}");
    world.network.stop_store("shop")?;
    world.network.kill_center()?;
    fs::rename(world.network.center_profile(), root.path().join("burnt"))?;
    let restored = world.network.center(&["restore", &world.folder()])?.done()?;
    ensure!(number(&restored["entries"])? == size, "{restored}");

    // Stopped, and so after every restart; it says why, and signs nothing.
    let signed = fs::read(world.network.center_profile().join("books/signed"))?;
    for _ in 0..2 {
        world.network.start_center()?;
        let status = world.network.center(&["status"])?.done()?;
        ensure!(status["open"] == false, "{status}");
        ensure!(text(&status["standing"])?.contains("restored from a backup"), "{}", status["standing"]);
        let words = world.network.member("mina", &["buy", &world.store, "note"])?;
        ensure!(words.code != 0, "a stopped center took a payment");
        let words = world.network.member("mina", &["sync"])?;
        ensure!(format!("{} {}", words.body, words.talk).contains("restored from a backup"), "{words:?}");
        ensure!(world.entries()? == size, "a stopped center entered something");
        world.network.stop_center()?;
    }
    ensure!(fs::read(world.network.center_profile().join("books/signed"))? == signed, "it signed something");

    let resumed = world.network.center(&["resume"])?.done()?;
    ensure!(number(&resumed["size"])? == size, "{resumed}");
    ensure!(text(&resumed["log"])?.ends_with("/2"), "{resumed}");
    let words = world.network.center(&["resume"])?.refused()?;
    ensure!(words.contains("not stopped"), "{words}");
    world.network.start_center()?;
    let catalogue = world.catalogue.clone();
    world.network.serve_store("shop", &catalogue)?;
    world.network.member("mina", &["sync"])?.done()?;

    // The lost payment is handed in and stands again; a new one works, and old receipts verify.
    world.network.wait_for("the lost payment", |network| {
        let listed = network.center(&["lost"])?.done()?;
        let rows = listed["lost"].as_array().ok_or_else(|| eyre!("no list in {listed}"))?;
        let again = |row: &&serde_json::Value| row["kind"] == "payment" && !row["again"].is_null();
        rows.iter().find(again).map(|_| true).ok_or_else(|| eyre!("{listed} without {lost}"))
    })?;
    world.buy()?;
    let file = root.path().join("receipt").display().to_string();
    world.network.member("mina", &["receipt", "export", &kept, "--out", &file])?.done()?;
    let verified = world.network.member("mina", &["receipt", "verify", &file])?.done()?;
    ensure!(verified["valid"] == true, "a receipt of before: {verified}");
    let cards = world.network.member("mina", &["cards"])?.done()?;
    let balance = cards["cards"][0]["balance"]["minor"].as_i64().ok_or_else(|| eyre!("{cards}"))?;
    ensure!(balance == i64::try_from(crate::LOADED)? - 3 * crate::PRICE, "three notes were bought: {cards}");
    world.network.stop_store("shop")?;
    world.network.stop_center()?;
    world.network.center(&["books", "verify"])?.done()?;

    // The backup that was left behind is not written over by books that do not hold it, and goes on from books that do.
    world.network.start_center()?;
    world.network.center(&["backup", &world.folder()])?.done()?;
    Ok(())
}
