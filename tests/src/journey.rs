//! The whole main job, one line a step: join, load a card, buy, receive, be paid, change and bring back keys, act with
//! four eyes, look at it all.
//!
//! Joining, buying and the consoles are driven through screens in pseudo-terminals, the rest through subcommands.
//! Every step looks at what it brought about from a second side: the other party's books, the bank's, a file's digest.

use std::{fs, path::Path};

use color_eyre::eyre::{Context as _, Result, bail, ensure, eyre};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{network::Network, screen::Screen};

mod buying;
mod console;
mod custody;
mod joining;
mod money;
mod staff;

/// What the steps came to.
#[derive(Debug, Default)]
pub struct Report {
    /// Steps that held.
    pub passed: u32,
    /// Steps that did not.
    pub failed: u32,
}

/// A journey under way.
struct Journey<'a> {
    network: Network,
    goods: &'a Path,
    report: Report,
}

impl Journey<'_> {
    /// Does one step and prints what it saw.
    fn step(&mut self, name: &str, act: impl FnOnce(&mut Network) -> Result<String>) {
        match act(&mut self.network) {
            Ok(saw) => {
                self.report.passed += 1;
                println!("ok    {name}: {saw}");
            }
            Err(error) => {
                self.report.failed += 1;
                println!("FAILED {name}: {error:#}");
            }
        }
    }
}

/// Does the whole main job with its files in `root`; `goods` holds one catalogue a store.
pub fn whole(root: &Path, goods: &Path) -> Report {
    let network = match Network::found_with_mail_server(root) {
        Ok(network) => network,
        Err(error) => {
            println!("FAILED a center is founded: {error:#}");
            return Report { passed: 0, failed: 1 };
        }
    };
    let mut journey = Journey { network, goods, report: Report::default() };
    joining::center(&mut journey);
    joining::visitors(&mut journey);
    joining::terminals(&mut journey);
    money::cards(&mut journey);
    buying::shop(&mut journey);
    buying::settle(&mut journey);
    buying::deliver(&mut journey);
    money::claims(&mut journey);
    buying::history(&mut journey);
    custody::keys(&mut journey);
    staff::four_eyes(&mut journey);
    console::screens(&mut journey);
    custody::nothing_in_the_clear(&mut journey);
    journey.report
}

/// Copies a flat folder of files.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).wrap_err_with(|| format!("reading {}", from.display()))? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// A text inside an answer.
fn text<'v>(value: &'v Value, path: &str) -> Result<&'v str> {
    value.pointer(path).and_then(Value::as_str).ok_or_else(|| eyre!("no text at {path} in {value}"))
}

/// A number inside an answer.
fn number(value: &Value, path: &str) -> Result<i64> {
    value.pointer(path).and_then(Value::as_i64).ok_or_else(|| eyre!("no number at {path} in {value}"))
}

/// A list inside an answer.
fn list<'v>(value: &'v Value, path: &str) -> Result<&'v Vec<Value>> {
    value.pointer(path).and_then(Value::as_array).ok_or_else(|| eyre!("no list at {path} in {value}"))
}

/// A file's SHA-256.
fn sha256(path: &Path) -> Result<Vec<u8>> {
    Ok(Sha256::digest(fs::read(path).wrap_err_with(|| path.display().to_string())?).to_vec())
}

/// A program of this network on a screen of its own, with password A at hand.
fn on_screen(
    network: &Network,
    program: &str,
    profile: &Path,
    more: &[&str],
    size: (u16, u16),
) -> Result<Screen> {
    let command = pty_process::blocking::Command::new(network.programs().path(program))
        .env("INKAN_TEST_KDF", "weak")
        .arg("--profile")
        .arg(profile)
        .args(more);
    Screen::start(command, size.0, size.1)
}

/// The amount of yen a member's first card holds, as the center answers.
fn balance(network: &Network, member: &str) -> Result<i64> {
    let cards = network.member(member, &["cards"])?.done()?;
    list(&cards, "/cards")?.iter().map(|card| number(card, "/balance/minor")).sum()
}

/// Refuses what should not be.
fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { bail!(what()) }
}

/// The center's overview.
fn overview(network: &Network) -> Result<Value> {
    let overview = network.center(&["status"])?.done()?;
    ensure!(overview["light"]["balanced"] == true, "the books do not balance: {overview}");
    Ok(overview)
}
