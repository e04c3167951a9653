//! Making room for a vault that is brought back: the one that nobody can open is moved aside, never deleted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    error::Error,
    file::{Claim, FILE, failed},
    vault::Vault,
};

/// What a person types before a vault is set aside.
pub const CONFIRMATION: &str = "set aside";

/// What is said before that, on a screen.
pub const WORDS: &str = "Nobody can reset the passwords of the vault that is here. Invitation and recovery phrase make a new \
                         vault from the copy at the center. The one that is here is set aside under another name, never \
                         deleted: what was not in the copy stays in it alone. It moves only once the center has taken the \
                         phrase. Type “set aside” to go on.";
/// The same where rows are scarce.
pub const SHORT_WORDS: &str =
    "The vault here is set aside, never deleted; the phrase makes a new one. Type “set aside”.";

/// Whether what was typed confirms it.
///
/// # Errors
/// What to say beside the field.
pub fn confirms(typed: &str) -> Result<(), String> {
    match typed.trim().eq_ignore_ascii_case(CONFIRMATION) {
        true => Ok(()),
        false => Err(format!("is not “{CONFIRMATION}”")),
    }
}

/// A vault that was moved aside in its own profile.
#[derive(Debug)]
#[must_use = "where nothing takes the vault's place it is to be put back"]
pub struct Aside {
    profile: PathBuf,
    /// The name that it has now.
    name: String,
}

impl Aside {
    /// Moves a profile's vault away under a name that none has yet, also one that is damaged; `None` where there is none.
    ///
    /// # Errors
    /// [`Error::Held`] when a program has it open, and failures of the disk.
    pub fn put(profile: &Path) -> Result<Option<Self>, Error> {
        if !Vault::exists(profile) {
            return Ok(None);
        }
        let _nobody_writes = Claim::take(profile)?;
        let name = (1..)
            .map(|number| format!("{FILE}.aside-{number}"))
            .find(|name| !profile.join(name).exists())
            .unwrap_or_else(|| format!("{FILE}.aside"));
        let path = profile.join(FILE);
        fs::rename(&path, profile.join(&name)).map_err(failed("moving aside", &path))?;
        Ok(Some(Self { profile: profile.to_owned(), name }))
    }

    /// The name that the vault has now, in its profile.
    pub fn into_name(self) -> String {
        self.name
    }

    /// Nothing came in its place: it is where it was.
    ///
    /// # Errors
    /// Failures of the disk; it stays aside then, where it can be found.
    pub fn back(self) -> Result<(), Error> {
        if Vault::exists(&self.profile) {
            return Ok(());
        }
        let aside = self.profile.join(&self.name);
        fs::rename(&aside, self.profile.join(FILE)).map_err(failed("putting back", &aside))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_goes_aside_beside_former_ones_and_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Aside::put(folder.path()).unwrap().is_none(), "there is none");
        fs::write(folder.path().join(FILE), "damaged").unwrap();
        let first = Aside::put(folder.path()).unwrap().unwrap();
        assert!(!Vault::exists(folder.path()));
        fs::write(folder.path().join(FILE), "another").unwrap();
        let held = Claim::take(folder.path()).unwrap();
        assert!(matches!(Aside::put(folder.path()), Err(Error::Held { .. })));
        drop(held);
        let second = Aside::put(folder.path()).unwrap().unwrap();
        second.back().unwrap();
        assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), b"another");
        first.back().unwrap();
        assert_eq!(
            fs::read(folder.path().join(FILE)).unwrap(),
            b"another",
            "what is there is not written over"
        );
        assert_eq!(fs::read(folder.path().join(format!("{FILE}.aside-1"))).unwrap(), b"damaged");
    }

    #[test]
    fn only_the_words_confirm() {
        assert_eq!(confirms(" Set Aside "), Ok(()));
        assert_eq!(confirms("yes"), Err("is not “set aside”".into()));
    }
}
