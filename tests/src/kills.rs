//! Programs that die, and what must be true when they are back.
//!
//! | part | does |
//! |---|---|
//! | [`World`] | a center, a store and members who buy there |
//! | `points` | each program dies at a named point of a payment's path |
//! | `random` | all of them die at moments drawn from a seed, while everybody buys |
//! | `windows` | their terminals are closed in the middle of an act |
//! | `reconcile` | vaults, books and the bank must tell the same, to the yen |

mod points;
mod random;
mod reconcile;
mod windows;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use color_eyre::eyre::{Result, eyre};
use serde_json::Value;

pub use self::points::{CENTER, MEMBER, POST, STORE};
use crate::{network::Network, programs::Programs};

/// What everything in this shop costs.
const PRICE: i64 = 7;
/// What a member's card is loaded with.
const LOADED: i64 = 1_000_000;
/// The store.
const SHOP: &str = "shop";
/// In the environment of a center in a debug build: segments and snapshots so small that a few payments come to their ends.
pub const SMALL_BOOKS: (&str, &str) = ("INKAN_TEST_BOOKS", "8192,5");

/// A center, a store that serves, and members with money.
pub struct World {
    network: Network,
    catalogue: PathBuf,
    /// The store's number.
    store: String,
    members: Vec<String>,
    /// Applicants so far.
    applied: u32,
}

impl World {
    /// Founds everything, with its files in `root`, and so many members.
    ///
    /// # Errors
    /// When a program does not do as it is told.
    pub fn found(root: &Path, members: u32) -> Result<Self> {
        let (name, small) = SMALL_BOOKS;
        let mut network = Network::found_by(Programs::find()?.with(name, small), root)?;
        network.start_center()?;
        let catalogue = root.join("catalogues").join(SHOP);
        fs::create_dir_all(&catalogue)?;
        fs::write(catalogue.join("note.txt"), "a note worth seven yen\n")?;
        let toml =
            format!("[[item]]\nid = \"note\"\ntitle = \"A note\"\nprice = {PRICE}\nfile = \"note.txt\"\n");
        fs::write(catalogue.join("catalogue.toml"), toml)?;
        network.join_store(SHOP, "The Shop")?;
        network.serve_store(SHOP, &catalogue)?;
        let members: Vec<String> = (1..=members).map(|number| format!("member-{number}")).collect();
        for member in &members {
            network.join_member(member)?;
            network.fund(member, LOADED.unsigned_abs())?;
        }
        let status = network.store(SHOP, &["status"])?.done()?;
        let store = text(&status["store"])?.to_owned();
        Ok(Self { network, catalogue, store, members, applied: 0 })
    }

    /// The network under it.
    pub fn network(&mut self) -> &mut Network {
        &mut self.network
    }

    /// A member buys one thing: order, payment, goods, acknowledgement.
    fn purchase(&self, member: &str) -> Command {
        let mut command = self.network.terminal("tui-member", &self.network.member_profile(member));
        command.args(["buy", &self.store, "note"]);
        command
    }
}

fn text(value: &Value) -> Result<&str> {
    value.as_str().ok_or_else(|| eyre!("{value} is no text"))
}

fn rows<'v>(value: &'v Value, name: &str) -> Result<&'v Vec<Value>> {
    value[name].as_array().ok_or_else(|| eyre!("no {name} in {value}"))
}

fn minor(amount: &Value) -> Result<i64> {
    amount["minor"].as_i64().ok_or_else(|| eyre!("no amount: {amount}"))
}
