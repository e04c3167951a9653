//! Where a profile lives: its data, state and settings, private to its owner, and the lock of the program that has it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::text::{clean, truncate};

/// The name taken where a person gives none.
pub const DEFAULT: &str = "default";
/// How much of a name that can't be one is shown.
const NAME_SHOWN: usize = 64;
/// How much is said about a fault in the settings.
const FAULT_SHOWN: usize = 300;

/// The directories of one profile.
///
/// A name lives in the XDG base directories under `inkan/PROGRAM/NAME`; a directory holds everything itself, with its
/// logs and reports in `state/`. What contains a `/`, or is `.`, is a directory; everything else is a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    program: &'static str,
    name: String,
    data: PathBuf,
    state: PathBuf,
    config: PathBuf,
}

/// Why a profile can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Neither a name nor a directory.
    #[error(
        "\"{0}\" is no profile name; use letters, digits, '-', '_' and '.', or a directory with a '/' in it"
    )]
    Name(String),
    /// The environment has no home directory.
    #[error("there is no home directory to keep profiles in; give a directory: --profile DIR")]
    NoHome,
    /// Somebody else could read it.
    #[error("{} belongs to another user; choose another directory with --profile", .0.display())]
    Foreign(PathBuf),
    /// Another program has it.
    #[error(
        "profile {profile} is in use by {holder}; end it first, or let it do the work through its control socket"
    )]
    InUse {
        /// The profile's name or directory.
        profile: String,
        /// The holder, as the lock file names it.
        holder: String,
    },
    /// The operating system refused something.
    #[error("{}: {}", .path.display(), crate::text::trouble(error))]
    Io {
        /// What was to be used.
        path: PathBuf,
        /// What was answered.
        error: io::Error,
    },
}

/// Holds a profile for one program; another that tries is told this one's pid.
#[derive(Debug)]
#[must_use = "the profile is free again when this is dropped"]
pub struct ProfileLock {
    _file: File,
}

impl Profile {
    /// Finds a profile's directories. Nothing is made yet.
    ///
    /// # Errors
    /// When the name can't be one, or there is no home directory for names.
    pub fn locate(program: &'static str, wanted: Option<&str>) -> Result<Self, ProfileError> {
        let wanted = wanted.unwrap_or(DEFAULT);
        if wanted == "." || wanted == ".." || wanted.contains('/') {
            let data = std::path::absolute(wanted)
                .map_err(|error| ProfileError::Io { path: PathBuf::from(wanted), error })?;
            return Ok(Self {
                program,
                name: wanted.to_owned(),
                state: data.join("state"),
                config: data.clone(),
                data,
            });
        }
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        if wanted.is_empty() || wanted.len() > 64 || wanted.starts_with('.') || !wanted.chars().all(fits) {
            return Err(ProfileError::Name(truncate(&clean(wanted), NAME_SHOWN).into_owned()));
        }
        let base = etcetera::choose_base_strategy().map_err(|_| ProfileError::NoHome)?;
        let below = |root: PathBuf| root.join("inkan").join(program).join(wanted);
        let data = below(base.data_dir());
        Ok(Self {
            program,
            name: wanted.to_owned(),
            state: base.state_dir().map_or_else(|| data.join("state"), below),
            config: below(base.config_dir()),
            data,
        })
    }

    /// The name or directory as it was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where vault or books live.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where logs and reports live.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The settings that a person may edit.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The socket on which a running program is reached.
    pub fn control_socket(&self) -> PathBuf {
        self.data.join("control.sock")
    }

    /// Whether something was ever kept here.
    pub fn exists(&self) -> bool {
        fs::read_dir(&self.data).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Makes the directories, each `0700`; those that are there are made so.
    ///
    /// # Errors
    /// When a directory belongs to somebody else or can't be made.
    pub fn create(&self) -> Result<(), ProfileError> {
        for path in [&self.data, &self.state, &self.config] {
            private_dir(path)?;
        }
        Ok(())
    }

    /// Takes the profile for this process, until the lock is dropped. The directories must exist.
    ///
    /// # Errors
    /// [`ProfileError::InUse`] when another process has it.
    pub fn lock(&self) -> Result<ProfileLock, ProfileError> {
        let path = self.data.join("lock");
        let failed = |error| ProfileError::Io { path: path.clone(), error };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // A holder that has not written its pid yet is still a holder.
                let _ = (&mut file).take(200).read_to_string(&mut holder);
                let holder = clean(holder.trim()).into_owned();
                let holder = if holder.is_empty() { "another process".to_owned() } else { holder };
                return Err(ProfileError::InUse { profile: self.name.clone(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        writeln!(file, "{} (pid {})", self.program, std::process::id()).map_err(failed)?;
        Ok(ProfileLock { _file: file })
    }
}

/// What is wrong with the text of a settings file, in one sentence with line and column.
pub fn settings_fault(text: &str, error: &toml::de::Error) -> String {
    let said = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    let words = truncate(&clean(&said), FAULT_SHOWN).into_owned();
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return words };
    let (line, column) =
        (before.split('\n').count(), before.rsplit('\n').next().unwrap_or("").chars().count() + 1);
    format!("line {line}, column {column}: {words}")
}

/// Makes a directory and its parents, `0700`.
///
/// # Errors
/// When it belongs to somebody else or can't be made.
pub fn private_dir(path: &Path) -> Result<(), ProfileError> {
    let failed = |error| ProfileError::Io { path: path.to_owned(), error };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    let found = fs::metadata(path).map_err(failed)?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(ProfileError::Foreign(path.to_owned()));
    }
    if found.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_holds_everything_and_is_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("alice");
        let profile = Profile::locate("tui-test", path.to_str()).expect("a directory");
        assert!(!profile.exists());
        profile.create().expect("made");
        assert_eq!(profile.data(), path);
        assert_eq!(fs::metadata(&path).expect("made").permissions().mode() & 0o777, 0o700);
        assert!(profile.state().starts_with(&path) && profile.config_file().starts_with(&path));
    }

    #[test]
    fn a_second_holder_is_told_the_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let profile = Profile::locate("tui-test", folder.path().to_str()).expect("a directory");
        let lock = profile.lock().expect("free");
        let refusal = profile.lock().expect_err("held").to_string();
        assert!(refusal.contains(&format!("tui-test (pid {})", std::process::id())), "{refusal}");
        drop(lock);
        let _again = profile.lock().expect("free again");
    }

    #[test]
    fn names_cannot_climb() {
        for wrong in ["", ".hidden", "a b", "x\u{1b}[2J", &"n".repeat(65)] {
            assert!(
                matches!(Profile::locate("tui-test", Some(wrong)), Err(ProfileError::Name(_))),
                "{wrong:?}"
            );
        }
        let up = Profile::locate("tui-test", Some("..")).expect("a directory, plainly");
        assert!(up.data().is_absolute());
    }
}
