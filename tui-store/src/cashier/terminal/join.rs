//! Making a cashier's terminal of a profile.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use secrecy::SecretString;
use tui_kit::profile::Profile;
use vault::{Passwords, PinnedCenter, Surroundings, Vault};
use wire::{text::Line, till::StoreLine};

use super::{Terminal, one_password};
use crate::{
    act::Failure,
    cashier::{
        mark,
        record::{self, Joined},
        view::TillView,
    },
};

/// Makes a cashier's terminal of a profile, or gives the one that is there another line of the same store; the request
/// that its owner certifies it with.
///
/// # Errors
/// In words: another vault is there, another store's line, a password that may not be chosen or does not open it.
pub async fn join(
    profile: &Profile,
    line: StoreLine,
    name: Line,
    password: SecretString,
) -> Result<TillView, Failure> {
    profile.create().map_err(Failure::machine)?;
    let folder = profile.data().to_owned();
    let joining = tokio::task::spawn_blocking(move || {
        let joined = Joined { line, name };
        if Vault::exists(&folder) {
            rejoin(&folder, joined, &password)
        } else {
            create(&folder, joined, password)
        }
    });
    let terminal = Terminal::of(joining.await.map_err(Failure::machine)??)?;
    terminal.view().await
}

fn create(folder: &Path, joined: Joined, password: SecretString) -> Result<vault::Opening, Failure> {
    // The mark first: a vault without it would pass for a store's that has not joined.
    write_mark(folder, &joined.line).map_err(Failure::machine)?;
    let made = Vault::create(folder, &Passwords::One(password.clone()), None, Surroundings::system());
    let mut vault = match made {
        Ok(vault) => vault,
        Err(error) => {
            // Nothing was made: the profile is as it was.
            let _ = std::fs::remove_file(mark(folder));
            return Err(one_password(error));
        }
    };
    keep_line(&mut vault, &joined)?;
    drop(vault);
    Ok(Vault::open(folder, &password, Surroundings::system())?)
}

/// Another line of the same store: it listens elsewhere, or shows another key.
fn rejoin(folder: &Path, joined: Joined, password: &SecretString) -> Result<vault::Opening, Failure> {
    if !mark(folder).exists() {
        return Err(Failure::not_possible(
            "this profile has a vault of another kind; give --profile a new name for the cashier's terminal",
        ));
    }
    let mut opening = Vault::open(folder, password, Surroundings::system()).map_err(one_password)?;
    let (before, _) = record::read(&opening.records).map_err(Failure::machine)?;
    if let Some(before) = before
        && (before.line.store, before.line.center.root) != (joined.line.store, joined.line.center.root)
    {
        return Err(Failure::not_possible(format!(
            "this terminal is a cashier's of {}; another store needs a profile of its own",
            before.line.store
        )));
    }
    keep_line(&mut opening.vault, &joined)?;
    drop(opening);
    Ok(Vault::open(folder, password, Surroundings::system())?)
}

/// Keeps the store's line, and pins the center that it names.
fn keep_line(vault: &mut Vault, joined: &Joined) -> Result<(), Failure> {
    let center = &joined.line.center;
    let pinned = PinnedCenter {
        root: center.root,
        addresses: center.addresses.iter().map(ToString::to_string).collect(),
        sheet: vault.center().and_then(|center| center.sheet.clone()),
        checkpoint: None,
        account: None,
    };
    vault.pin_center(&pinned)?;
    vault.append_all(vec![joined.draft()?])?;
    Ok(())
}

/// Marks a folder as a cashier's, for its owner's eyes alone.
fn write_mark(folder: &Path, line: &StoreLine) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(mark(folder))?;
    writeln!(file, "{line}")?;
    file.sync_all()
}
