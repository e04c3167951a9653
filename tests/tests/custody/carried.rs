//! A telegram carried in a file: out of one outbox, and into the same one again.

use std::fs;

use color_eyre::eyre::{Result, ensure};
use inkan_tests::network::Network;

use crate::{list, text};

#[test]
fn an_exported_telegram_comes_in_on_its_own_profile_only_and_is_sent() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.start_center()?;
    network.join_member("mina")?;
    network.join_member("taro")?;
    network.member("mina", &["sync"])?.done()?;
    let waiting = |network: &Network| -> Result<usize> {
        let outbox = network.member("mina", &["outbox"])?.done()?;
        let rows = list(&outbox, "/telegrams")?.iter().filter(|row| row["open"] == true);
        Ok(rows.count())
    };
    // What the vault is before: the outbox without the telegram.
    let vault = network.member_profile("mina").join("vault.inkan");
    let before = fs::read(&vault)?;
    let prepared = network.member("mina", &["card", "request", "700", "--prepare"])?.done()?;
    let telegram = text(&prepared, "/prepared/telegram")?.to_owned();
    ensure!(waiting(&network)? == 1, "it does not wait: {prepared}");
    let file = folder.path().join("telegram.inkan").display().to_string();
    network.member("mina", &["outbox", "export", &telegram, "--out", &file])?.done()?;
    let over = network.member("mina", &["outbox", "export", &telegram, "--out", &file])?.refused()?;
    ensure!(over.contains("telegram.inkan"), "an exported file is not written over: {over}");
    let twice = network.member("mina", &["outbox", "import", &file])?.refused()?;
    ensure!(twice.contains("outbox"), "it waits here already: {twice}");

    fs::write(&vault, before)?;
    ensure!(waiting(&network)? == 0, "the telegram is still there");
    let foreign = network.member("taro", &["outbox", "import", &file])?.refused()?;
    ensure!(foreign.contains("another vault"), "{foreign}");
    network.member("mina", &["outbox", "import", &file])?.done()?;
    ensure!(waiting(&network)? == 1, "it did not come in");
    network.member("mina", &["outbox", "send"])?.done()?;
    ensure!(waiting(&network)? == 0, "it still waits");
    let ended = network.member("mina", &["outbox", "import", &file])?.refused()?;
    ensure!(
        ended.contains("ended") || ended.contains("has left"),
        "what has ended comes in no more: {ended}"
    );
    Ok(())
}
