//! Backups of a real center while real terminals pay, and the way back from one to payments.

mod back;
mod copies;
mod fork;

use std::{fs, path::PathBuf};

use color_eyre::eyre::{Result, eyre};
use inkan_tests::network::Network;
use serde_json::Value;

/// What everything in the shop costs.
const PRICE: i64 = 300;
/// What the member's card is loaded with.
const LOADED: u64 = 100_000;

/// A center, a store that serves, and a member with money.
struct World {
    network: Network,
    catalogue: PathBuf,
    store: String,
}

impl World {
    fn found(root: &std::path::Path) -> Result<Self> {
        let mut network = Network::found(root)?;
        network.start_center()?;
        let catalogue = root.join("catalogues/shop");
        fs::create_dir_all(&catalogue)?;
        fs::write(catalogue.join("note.txt"), "a note\n")?;
        let item =
            format!("[[item]]\nid = \"note\"\ntitle = \"A note\"\nprice = {PRICE}\nfile = \"note.txt\"\n");
        fs::write(catalogue.join("catalogue.toml"), item)?;
        network.join_store("shop", "The Shop")?;
        network.serve_store("shop", &catalogue)?;
        network.join_member("mina")?;
        network.fund("mina", LOADED)?;
        let status = network.store("shop", &["status"])?.done()?;
        let store = text(&status["store"])?.to_owned();
        Ok(Self { network, catalogue, store })
    }

    /// The member buys a note, once the store is there; the number of the payment.
    fn buy(&self) -> Result<String> {
        self.network.wait_for("the store", |network| {
            Ok(number(&network.center(&["status"])?.done()?["stores_here"])? > 0)
        })?;
        let bought = self.network.member("mina", &["buy", &self.store, "note"])?.done()?;
        let number = bought.pointer("/number").or_else(|| bought.pointer("/purchase/number"));
        Ok(text(number.ok_or_else(|| eyre!("no number in {bought}"))?)?.to_owned())
    }

    /// Where backups go.
    fn folder(&self) -> String {
        self.network.root().join("backup").display().to_string()
    }

    fn entries(&self) -> Result<u64> {
        number(&self.network.center(&["status"])?.done()?["entries"])
    }
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| eyre!("{value} is no text"))
}

fn number(value: &Value) -> Result<u64> {
    value.as_u64().ok_or_else(|| eyre!("{value} is no number"))
}
