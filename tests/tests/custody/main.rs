//! Joining and custody in their rarer ways: Japanese phrases, letters, the page for browsers, rotated center keys, carried
//! telegrams, a store on a new machine, an application amended on the screen.

mod amended;
mod carried;
mod letters;
mod page;
mod phrases;
mod rotated;

use std::{fs, io::Write as _, path::Path};

use color_eyre::eyre::{Result, eyre};
use inkan_tests::{network::Network, programs::secret_file};
use serde_json::Value;

/// What the goods here cost, in yen.
const PRICE: u64 = 300;

/// A text inside an answer.
fn text<'v>(value: &'v Value, path: &str) -> Result<&'v str> {
    value.pointer(path).and_then(Value::as_str).ok_or_else(|| eyre!("no text at {path} in {value}"))
}

/// A list inside an answer.
fn list<'v>(value: &'v Value, path: &str) -> Result<&'v Vec<Value>> {
    value.pointer(path).and_then(Value::as_array).ok_or_else(|| eyre!("no list at {path} in {value}"))
}

/// A number inside an answer.
fn number(value: &Value, path: &str) -> Result<u64> {
    value.pointer(path).and_then(Value::as_u64).ok_or_else(|| eyre!("no number at {path} in {value}"))
}

/// Adds a section to the center's settings, which it reads when it starts.
fn configure(network: &Network, section: &str) -> Result<()> {
    let file = network.center_profile().join("config.toml");
    let mut file = fs::OpenOptions::new().append(true).open(file)?;
    Ok(writeln!(file, "\n{section}")?)
}

/// The store “shop”, which serves a note from its catalogue; its number.
fn open_shop(network: &mut Network) -> Result<String> {
    let shop = network.join_store("shop", "The Shop")?;
    serve_shop(network, "shop")?;
    Ok(text(&shop, "/store")?.to_owned())
}

/// Opens the shop from a profile.
fn serve_shop(network: &mut Network, profile: &str) -> Result<()> {
    let catalogue = network.root().join("catalogues/shop");
    fs::create_dir_all(&catalogue)?;
    fs::write(catalogue.join("note.txt"), "a note\n")?;
    let item = format!("[[item]]\nid = \"note\"\ntitle = \"A note\"\nprice = {PRICE}\nfile = \"note.txt\"\n");
    fs::write(catalogue.join("catalogue.toml"), item)?;
    network.serve_store(profile, &catalogue)
}

/// What a member's card holds.
fn balance(network: &Network, member: &str) -> Result<u64> {
    network.member(member, &["sync"])?.done()?;
    number(&network.member(member, &["cards"])?.done()?, "/cards/0/balance/minor")
}

/// A phrase in a file, with one word changed for another.
fn misspelt(folder: &Path, phrase: &str, at: usize, other: &str) -> Result<String> {
    let mut words: Vec<&str> = phrase.split_whitespace().collect();
    *words.get_mut(at).ok_or_else(|| eyre!("no word {at}"))? = other;
    Ok(secret_file(folder, "phrase-wrong", &words.join(" "))?.display().to_string())
}
