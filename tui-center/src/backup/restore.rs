//! Making a profile of a backup. Its center is stopped until an administrator resumes it.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tui_kit::profile::Profile;
use wire::time::Timestamp;

use super::{
    BackupError, Progress,
    make::{Unproved, digest, prove},
    manifest::{Kept, Manifest, write_whole},
    stopped::{Stopped, Why},
};
use crate::{config::Config, places::Places};

/// The file that stands in a profile while it is being made of a backup.
const BEGUN: &str = "restoring";

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// The center's name.
    pub name: String,
    /// The root key's fingerprint, to compare with the one on paper.
    pub fingerprint: String,
    /// When the backup was made.
    pub at: Timestamp,
    /// How many entries it holds.
    pub entries: u64,
    /// The root of the tree over them, in hex.
    pub root: String,
    /// The profile's data folder.
    pub profile: PathBuf,
}

/// Makes a profile of the last proved backup in a folder. The backup is proved again before anything is written. Blocks
/// for as long as that takes.
///
/// # Errors
/// In a sentence; also where there is a center in the profile already, which is never written over. A restore that was
/// interrupted is begun anew.
pub fn restore(dir: &Path, profile: &Profile, progress: &Progress) -> Result<Restored, BackupError> {
    let manifest = Manifest::read(dir).map_err(BackupError)?.ok_or_else(|| {
        BackupError(format!("there is no proved backup in {}; a backup has a file `manifest`", dir.display()))
    })?;
    let places = Places::of(profile);
    let occupied = || {
        BackupError(format!(
            "there is a center in {} already, and it is not written over; name another profile with --into",
            places.data.display()
        ))
    };
    let begun = places.data.join(BEGUN);
    let again = begun.exists();
    if places.config.exists() || (!again && (places.books.exists() || places.service_key.exists())) {
        return Err(occupied());
    }
    prove(dir, &manifest, &manifest.root_key, progress).map_err(|error| match error {
        Unproved::Rotten(words) | Unproved::Wrong(words) => BackupError(words),
    })?;
    let settings = manifest.files.iter().find(|kept| kept.path == "config.toml");
    let settings = settings.ok_or_else(|| BackupError::new("the backup holds no settings"))?;
    let settings = Manifest::object(dir, settings);
    let config = Config::read(&settings).map_err(|error| BackupError(error.to_string()))?;
    if config.root_key != manifest.root_key {
        return Err(BackupError::new("the backup's settings are of another center than its journal"));
    }
    profile.create().map_err(|error| BackupError(error.to_string()))?;
    let _lock = profile.lock().map_err(|error| BackupError(error.to_string()))?;
    let failed = |error: io::Error| BackupError::io(&places.data, &error);
    write_whole(&begun, dir.display().to_string().as_bytes()).map_err(failed)?;
    for folder in [&places.books, &places.cabinet, &places.registers].into_iter().filter(|_| again) {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    progress.begin("copying", manifest.files.iter().map(|kept| kept.length).sum());
    let mut folders = BTreeSet::from([places.data.clone()]);
    for kept in manifest.files.iter().filter(|kept| kept.path != "config.toml") {
        bring(dir, kept, &places.data, &mut folders, progress)?;
    }
    tui_kit::failpoint::at("restore.copied");
    let stopped = Stopped {
        why: Why::Restored,
        words: format!(
            "The books were restored from a backup of {} entries. Entries made after it are lost here; terminals hold \
             receipts of them. Nothing is taken and nothing is signed until an administrator resumes the center with the \
             root key: tui-center resume",
            manifest.entries
        ),
        at: Timestamp::now(),
        size: manifest.entries,
        note: Some(manifest.note.clone()),
    };
    stopped.write(&places.books).map_err(failed)?;
    for folder in &folders {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)?;
    }
    // The settings come last: where they are missing there is no center.
    let text = fs::read(&settings).map_err(|error| BackupError::io(dir, &error))?;
    write_whole(&places.config, &text).map_err(failed)?;
    fs::remove_file(&begun).map_err(failed)?;
    Ok(Restored {
        fingerprint: manifest.root_key.fingerprint(),
        at: manifest.at,
        entries: manifest.entries,
        root: manifest.root,
        name: manifest.name,
        profile: places.data,
    })
}

/// Brings one file to its place.
fn bring(
    dir: &Path,
    kept: &Kept,
    data: &Path,
    folders: &mut BTreeSet<PathBuf>,
    progress: &Progress,
) -> Result<(), BackupError> {
    let to = data.join(&kept.path);
    let mut copied = || {
        if let Some(folder) = to.parent()
            && folders.insert(folder.to_owned())
        {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            // Those between hold names as well.
            folders.extend(folder.ancestors().take_while(|it| *it != data).map(Path::to_owned));
        }
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&to)?;
        let copied = digest(File::open(Manifest::object(dir, kept))?, Some(&mut file), progress)?;
        file.sync_all()?;
        Ok(copied)
    };
    let (sha256, length) = copied().map_err(|error: io::Error| BackupError::io(&to, &error))?;
    if (sha256, length) == (kept.sha256.clone(), kept.length) {
        return Ok(());
    }
    Err(BackupError(format!("{} changed while it was copied; restore again", kept.path)))
}
