//! A cashier's own terminal: a profile of its own kind, with a vault and a terminal key, and no account.
//!
//! It joins with the line that the store's owner prints, asks to be certified, and from then on reaches the store's
//! serving program alone; the center's word on a refund comes through the store with evidence that is verified here
//! under the center's key sheet.
//!
//! | module | does |
//! |---|---|
//! | [`act`], [`view`] | what can be asked, and what is seen: plain data |
//! | [`terminal`] | the open vault, the line to the store, the acts |
//! | `line`, `evidence`, `record` | the connection, what is believed of an answer, what is kept |
//! | [`app`], `screen` | the screens |
//!
//! Invariants: a refund is on disk before it is sent and stays unknown until evidence ends it, or the store says that it
//! sent nothing; the password is asked for each.

pub mod act;
pub mod app;
mod evidence;
mod line;
mod record;
pub mod screen;
pub mod terminal;
pub mod view;

use std::path::{Path, PathBuf};

use tui_kit::profile::Profile;

/// The file that marks a profile as a cashier's; the vault holds what counts.
const MARK: &str = "till";

/// Whether a profile is a cashier's terminal.
pub fn is_till(profile: &Profile) -> bool {
    mark(profile.data()).exists()
}

fn mark(folder: &Path) -> PathBuf {
    folder.join(MARK)
}
