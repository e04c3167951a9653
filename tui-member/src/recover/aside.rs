//! Making room for a vault that is brought back: the one that nobody can open is moved aside, never deleted.

use std::{fs, path::Path};

use vault::{Error, FILE, Locked, Surroundings, Vault};

use crate::act::Failure;

/// A vault that was moved aside in its own folder.
#[derive(Debug)]
pub(super) struct Aside<'a> {
    folder: &'a Path,
    /// The name that it has now.
    name: String,
}

impl<'a> Aside<'a> {
    /// Moves a profile's vault away under a name that none has yet; `None` where there is no vault.
    ///
    /// # Errors
    /// When another program has it open, and failures of the disk.
    pub(super) fn put(folder: &'a Path, surroundings: Surroundings) -> Result<Option<Self>, Failure> {
        if !Vault::exists(folder) {
            return Ok(None);
        }
        // One that is damaged may go aside too; what counts is that nobody is writing into it.
        if let Err(error @ Error::Held { .. }) = Locked::claim(folder, surroundings) {
            return Err(error.into());
        }
        let name = (1..)
            .map(|number| format!("{FILE}.aside-{number}"))
            .find(|name| !folder.join(name).exists())
            .unwrap_or_else(|| format!("{FILE}.aside"));
        fs::rename(folder.join(FILE), folder.join(&name)).map_err(Failure::machine)?;
        Ok(Some(Self { folder, name }))
    }

    /// The name that the vault has now, in its folder.
    pub(super) fn into_name(self) -> String {
        self.name
    }

    /// Nothing came in its place: it is where it was. A failure leaves it aside, where it can be found.
    pub(super) fn back(self) {
        if Vault::exists(self.folder) {
            return;
        }
        if let Err(error) = fs::rename(self.folder.join(&self.name), self.folder.join(FILE)) {
            tracing::warn!("putting the vault back from {}: {error}", self.name);
        }
    }
}
