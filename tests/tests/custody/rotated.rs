//! The center gets new keys while members and stores are connected.

use std::{fs, path::Path};

use color_eyre::eyre::{Result, ensure};
use inkan_tests::{
    network::{Network, secrets},
    screen::Screen,
};
use pty_process::blocking::Command;

use crate::{PRICE, balance, number, open_shop};

#[test]
fn members_and_stores_follow_a_new_key_sheet_and_refuse_the_old_one() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut network = Network::found(folder.path())?;
    network.start_center()?;
    let store = open_shop(&mut network)?;
    network.join_member("mina")?;
    network.fund("mina", 2_000)?;
    network.member("mina", &["buy", &store, "note"])?.done()?;
    // A backup of everything that the center has, as it is before.
    ensure!(network.stop_center()? == 0, "the center did not end in order");
    let (profile, backup) = (network.center_profile(), folder.path().join("center-before"));
    copy_tree(&profile, &backup)?;
    network.start_center()?;

    // The member sits at the screens, the store serves: both have a line while the sheet changes.
    let mut screen = at_the_screens(&network, "mina")?;
    let sheets = |network: &Network| -> Result<(u64, u64)> {
        let member = network.member("mina", &["status"])?.done()?;
        let store = network.store("shop", &["status"])?.done()?;
        Ok((number(&member, "/center/sheet")?, number(&store, "/center/sheet")?))
    };
    network.member("mina", &["sync"])?.done()?;
    network.store("shop", &["sync"])?.done()?;
    let before = sheets(&network)?;
    network.center(&["keys", "rotate"])?.done()?;
    network.wait_for("both to follow the new sheet", |network| {
        network.member("mina", &["sync"])?;
        network.store("shop", &["sync"])?;
        let after = sheets(network)?;
        Ok(after == (before.0 + 1, before.1 + 1))
    })?;
    network.wait_for("the store to be reached", |network| {
        Ok(network.member("mina", &["items", &store])?.code == 0)
    })?;
    network.member("mina", &["buy", &store, "note"])?.done()?;
    ensure!(balance(&network, "mina")? == 2_000 - 2 * PRICE, "the payment after it is not there");
    screen.keys("q")?;
    ensure!(screen.ended()? == 0, "the screens did not end in order");

    // Somebody puts the backup in the center's place: its sheet is older than what the terminals have seen.
    ensure!(network.stop_center()? == 0, "the center did not end in order");
    let newest = folder.path().join("center-newest");
    fs::rename(&profile, &newest)?;
    fs::rename(&backup, &profile)?;
    network.start_center()?;
    let words = network.member("mina", &["sync"])?.refused()?;
    ensure!(words.contains("key sheet") && words.contains("seen before"), "{words}");
    network.member("mina", &["card", "request", "500"])?.refused()?;
    network.stop_center()?;
    fs::rename(&profile, &backup)?;
    fs::rename(&newest, &profile)?;
    network.start_center()?;
    network.wait_for("the right center to be heard again", |network| {
        Ok(network.member("mina", &["sync"])?.code == 0)
    })?;
    ensure!(balance(&network, "mina")? == 2_000 - 2 * PRICE, "the wrong center moved money");
    network.stop_center()?;
    network.center(&["books", "verify"])?.done()?;
    Ok(())
}

/// A member's program at its home screen.
fn at_the_screens(network: &Network, name: &str) -> Result<Screen> {
    let command = Command::new(network.programs().path("tui-member"))
        .env("INKAN_TEST_KDF", "weak")
        .arg("--profile")
        .arg(network.member_profile(name));
    let screen = Screen::start(command, 100, 30)?;
    screen.wait("Password A")?;
    screen.type_text(secrets::A)?;
    screen.keys("<enter>")?;
    screen.wait("Home")?;
    Ok(screen)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, to) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_tree(&entry.path(), &to)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}
