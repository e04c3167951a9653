//! Making a backup: copied while payments run, read back, and only then named.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wire::{key::VerificationKey, time::Timestamp};

use super::{
    BackupError, Progress,
    kept::KeptDisk,
    manifest::{Kept, Manifest, object},
};
use crate::books::{
    Reader,
    cut::{self, Cut, Proved},
};

/// How often the cut is made again because the keys' file changed meanwhile.
const TRIES: usize = 5;
/// What is read at once.
const PIECE: usize = 1 << 20;

/// What is copied.
pub(super) struct Source<'a> {
    /// The profile's data folder.
    pub(super) data: &'a Path,
    /// The settings.
    pub(super) config: &'a Path,
    /// Logs and reports, which no backup needs.
    pub(super) state: &'a Path,
    /// The journal.
    pub(super) reader: &'a Reader,
    /// The center's root key.
    pub(super) root: VerificationKey,
    /// The center's name.
    pub(super) name: &'a str,
}

/// What a backup did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backed {
    /// Where it lies.
    pub folder: PathBuf,
    /// When the cut was made.
    pub at: Timestamp,
    /// How many entries it holds.
    pub entries: u64,
    /// The root of the tree over them, in hex.
    pub root: String,
    /// How many files it has.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many of them were copied this time.
    pub copied_files: u64,
    /// Their bytes.
    pub copied_bytes: u64,
    /// Whether the sealed root key is among them.
    pub root_key_file: bool,
}

/// Makes a backup in a folder, which it makes where there is none. Blocks for as long as copying and reading back take.
///
/// # Errors
/// In a sentence. The last proved backup in the folder stays what it was.
pub(super) fn make(source: &Source<'_>, dir: &Path, progress: &Progress) -> Result<Backed, BackupError> {
    let data = fs::canonicalize(source.data).unwrap_or_else(|_| source.data.to_owned());
    let failed = |error: &io::Error| BackupError::io(dir, error);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir.join("objects"))
        .map_err(|error| failed(&error))?;
    if fs::canonicalize(dir).is_ok_and(|dir| dir.starts_with(&data)) {
        return Err(BackupError::new(
            "a backup inside the center's own folder would be lost with it; name another folder",
        ));
    }
    let _lock = lock(dir)?;
    let former = Manifest::read(dir).map_err(BackupError)?;
    if let Some(former) = &former {
        goes_on_from(source, dir, former)?;
    }
    let mut copier = Copier { dir, copied_files: 0, copied_bytes: 0, progress };
    let mut again = false;
    loop {
        let manifest = copier.all(source)?;
        match prove(dir, &manifest, &source.root, progress) {
            Ok(_) => return copier.name(dir, manifest),
            // A file that lay here from before has rotted: it was taken out, and is copied anew.
            Err(Unproved::Rotten(_)) if !again => again = true,
            Err(Unproved::Rotten(words) | Unproved::Wrong(words)) => return Err(BackupError(words)),
        }
    }
}

/// Why a backup is not proved.
pub(super) enum Unproved {
    /// A file is not what was copied.
    Rotten(String),
    /// It does not lead to its checkpoint.
    Wrong(String),
}

/// Reads every file of a backup back, and follows the journal from the root key to the checkpoint. What is not what was
/// copied is taken out, so that the next backup copies it anew.
pub(super) fn prove(
    dir: &Path,
    manifest: &Manifest,
    root: &VerificationKey,
    progress: &Progress,
) -> Result<Proved, Unproved> {
    progress.begin("reading back", manifest.files.iter().map(|kept| kept.length).sum());
    for kept in &manifest.files {
        let path = Manifest::object(dir, kept);
        let read = File::open(&path).and_then(|file| digest(file, None, progress));
        if read.as_ref().is_ok_and(|(sha256, length)| (sha256, length) == (&kept.sha256, &kept.length)) {
            continue;
        }
        let why =
            read.err().map_or_else(|| "it is not what was copied".to_owned(), |error| error.to_string());
        let _ = fs::remove_file(&path);
        let words =
            format!("the backup in {} is damaged: {} cannot be used: {why}", dir.display(), kept.path);
        return Err(Unproved::Rotten(words));
    }
    progress.begin("following the journal", manifest.entries);
    let disk = KeptDisk::of(dir, manifest);
    let proved = cut::prove(&disk, Path::new("books"), root, &|entries| progress.at(entries));
    let wrong = |why: &str| format!("the backup in {} does not hold: {why}", dir.display());
    let proved = proved.map_err(|error| Unproved::Wrong(wrong(&error.to_string())))?;
    if (proved.size, proved.root.to_string()) != (manifest.entries, manifest.root.clone()) {
        return Err(Unproved::Wrong(wrong("its manifest names another journal")));
    }
    Ok(proved)
}

/// Whether the books hold all that the last backup in a folder holds: one that is ahead of them may be what brings the
/// center back, and is not written over.
fn goes_on_from(source: &Source<'_>, dir: &Path, former: &Manifest) -> Result<(), BackupError> {
    let dir = dir.display();
    if former.root_key != source.root {
        return Err(BackupError(format!("the backup in {dir} is of another center; name another folder")));
    }
    if source.reader.root_at(former.entries).map(|root| root.to_string()) == Some(former.root.clone()) {
        return Ok(());
    }
    Err(BackupError(format!(
        "the backup in {dir} holds {} entries that these books do not go on from; it is kept as it is, name another folder",
        former.entries
    )))
}

struct Copier<'a> {
    dir: &'a Path,
    copied_files: u64,
    copied_bytes: u64,
    progress: &'a Progress,
}

impl Copier<'_> {
    /// Copies all that is needed, at one moment of the journal.
    fn all(&mut self, source: &Source<'_>) -> Result<Manifest, BackupError> {
        for _ in 0..TRIES {
            let keys = fs::read(source.data.join("service.key")).ok();
            let cut = source.reader.cut().map_err(|error| BackupError(error.to_string()))?;
            let manifest = self.at(source, &cut)?;
            // New keys came into force meanwhile: the copied ones would not fit the journal's end.
            if keys == fs::read(source.data.join("service.key")).ok() {
                return Ok(manifest);
            }
        }
        Err(BackupError::new("the center's keys changed again and again while they were copied; try again"))
    }

    fn at(&mut self, source: &Source<'_>, cut: &Cut) -> Result<Manifest, BackupError> {
        let mut manifest = Manifest::new(source.root, source.name, cut);
        let mut files = BTreeMap::new();
        walk(source, source.data, &mut files).map_err(|error| BackupError::io(source.data, &error))?;
        files.retain(|path, _| is_of(path, cut));
        files.insert("config.toml".into(), source.config.to_owned());
        manifest.root_key_file = files.contains_key("root.key");
        let lengths = files.values().filter_map(|path| Some(fs::metadata(path).ok()?.len()));
        self.progress.begin("copying", lengths.sum());
        let last = format!("books/journal/{:06}.seg", cut.segment);
        for (path, place) in files {
            let most = (path == last).then_some(cut.end);
            // What was erased or replaced meanwhile is not needed any more.
            if let Some((sha256, length)) = self.file(&place, most)? {
                manifest.files.push(Kept { path, length, sha256 });
            }
        }
        let mark = cut.mark();
        let sha256 = self.bytes(&mark)?;
        manifest.files.push(Kept { path: "books/signed".into(), length: mark.len() as u64, sha256 });
        manifest.files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(manifest)
    }

    /// Copies a file, unless its bytes lie here already; `None` where it is gone.
    fn file(&mut self, path: &Path, most: Option<u64>) -> Result<Option<(String, u64)>, BackupError> {
        let opened = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| BackupError::io(path, &error))?,
        };
        let most = most.unwrap_or(u64::MAX);
        let seen = digest((&opened).take(most), None, self.progress);
        let (sha256, length) = seen.map_err(|error| BackupError::io(path, &error))?;
        if fs::metadata(object(self.dir, &sha256)).is_ok_and(|data| data.len() == length) {
            return Ok(Some((sha256, length)));
        }
        let again = File::open(path).map(|file| file.take(most));
        match again {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            again => self.put(again.map_err(|error| BackupError::io(path, &error))?).map(Some),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> Result<String, BackupError> {
        Ok(self.put(bytes)?.0)
    }

    /// Writes an object: whole on the disk before it has its name.
    fn put(&mut self, from: impl Read) -> Result<(String, u64), BackupError> {
        let draft = self.dir.join("objects/unfinished");
        let written = || {
            let mut file =
                OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            let (sha256, length) = digest(from, Some(&mut file), &Progress::default())?;
            file.sync_all()?;
            tui_kit::failpoint::at("backup.object");
            let path = object(self.dir, &sha256);
            if let Some(folder) = path.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
                fs::rename(&draft, &path)?;
                File::open(folder)?.sync_all()?;
            }
            Ok((sha256, length))
        };
        let (sha256, length) = written().map_err(|error: io::Error| {
            let _ = fs::remove_file(&draft);
            BackupError::io(self.dir, &error)
        })?;
        self.copied_files += 1;
        self.copied_bytes += length;
        Ok((sha256, length))
    }

    /// Gives the proved backup its name, and takes out what it does not need.
    fn name(&self, dir: &Path, manifest: Manifest) -> Result<Backed, BackupError> {
        let named = || {
            File::open(dir.join("objects"))?.sync_all()?;
            tui_kit::failpoint::at("backup.name");
            manifest.write(dir)?;
            tui_kit::failpoint::at("backup.named");
            tidy(dir, &manifest)
        };
        named().map_err(|error: io::Error| BackupError::io(dir, &error))?;
        Ok(Backed {
            folder: dir.to_owned(),
            at: manifest.at,
            entries: manifest.entries,
            root: manifest.root.clone(),
            files: manifest.files.len() as u64,
            bytes: manifest.files.iter().map(|kept| kept.length).sum(),
            copied_files: self.copied_files,
            copied_bytes: self.copied_bytes,
            root_key_file: manifest.root_key_file,
        })
    }
}

/// Every file below a folder of the profile, by its path there, that is none of those which are made anew.
fn walk(source: &Source<'_>, folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for item in fs::read_dir(folder)? {
        let item = item?;
        let (path, kind) = (item.path(), item.file_type()?);
        let Ok(below) = path.strip_prefix(source.data) else { continue };
        if kind.is_dir() && path != source.state && !below.starts_with("registers") {
            match walk(source, &path, files) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                walked => walked?,
            }
        }
        let parts: Option<Vec<&str>> = below
            .components()
            .map(|part| match part {
                Component::Normal(part) => part.to_str(),
                _ => None,
            })
            .collect();
        if let Some(parts) = parts.filter(|_| kind.is_file()) {
            files.insert(parts.join("/"), path);
        }
    }
    Ok(())
}

/// Whether a file belongs into a backup of this cut.
fn is_of(path: &str, cut: &Cut) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.starts_with(".new-") || name.ends_with(".new") || name == "lock" {
        return false;
    }
    if let Some(segment) = path.strip_prefix("books/journal/") {
        return segment
            .strip_suffix(".seg")
            .and_then(|it| it.parse::<u32>().ok())
            .is_some_and(|it| it <= cut.segment);
    }
    if let Some(snapshot) = path.strip_prefix("books/snapshots/") {
        return snapshot
            .strip_suffix(".snap")
            .and_then(|it| it.parse::<u64>().ok())
            .is_some_and(|it| it <= cut.size);
    }
    !matches!(path, "books/signed" | "books/stopped" | "config.toml" | "restoring")
}

/// Removes the objects that a manifest does not name, and what was never finished.
fn tidy(dir: &Path, manifest: &Manifest) -> io::Result<()> {
    let named: BTreeSet<&str> = manifest.files.iter().map(|kept| kept.sha256.as_str()).collect();
    for folder in fs::read_dir(dir.join("objects"))? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            fs::remove_file(folder.path())?;
            continue;
        }
        for item in fs::read_dir(folder.path())? {
            let item = item?;
            if item.file_name().to_str().is_none_or(|name| !named.contains(name)) {
                fs::remove_file(item.path())?;
            }
        }
    }
    Ok(())
}

/// SHA-256 and length of what is read, which is written on where that is asked for.
pub(super) fn digest(
    mut from: impl Read,
    mut to: Option<&mut File>,
    progress: &Progress,
) -> io::Result<(String, u64)> {
    let (mut hasher, mut length, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let got = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&piece[..got]);
        if let Some(to) = &mut to {
            to.write_all(&piece[..got])?;
        }
        length += got as u64;
        progress.moved(got as u64);
    }
    Ok((data_encoding::HEXLOWER.encode(&hasher.finalize()), length))
}

fn lock(dir: &Path) -> Result<File, BackupError> {
    let path = dir.join("lock");
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
    let file = file.map_err(|error| BackupError::io(dir, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(BackupError(format!("another backup is being made in {}; wait for it", dir.display())))
        }
        Err(TryLockError::Error(error)) => Err(BackupError::io(dir, &error)),
    }
}
