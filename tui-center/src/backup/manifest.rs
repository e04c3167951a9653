//! What a backup's folder says of itself.
//!
//! ```text
//! <dir>/manifest            the last proved backup: JSON on one line, then its SHA-256 in hex
//! <dir>/objects/ab/ab01…    the files, each under the SHA-256 of its bytes
//! ```
//!
//! The manifest gets its name last, when everything that it names was read back. So whatever dies, the folder holds the
//! last proved backup whole, and files that several backups share lie there once.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use wire::{id::Digest, key::VerificationKey, time::Timestamp};

/// The form of the manifest.
const FORMAT: &str = "inkan-center-backup/1";
/// The longest manifest that is read: some million files.
const MANIFEST: u64 = 512 << 20;

/// A proved backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    /// The center's root key.
    pub root_key: VerificationKey,
    /// The center's name.
    pub name: String,
    /// When the cut through the journal was made.
    pub at: Timestamp,
    /// How many entries it holds.
    pub entries: u64,
    /// The root of the tree over them, in hex.
    pub root: String,
    /// The checkpoint that was signed for them, as a note.
    pub note: String,
    /// The last segment, and how many of its bytes are the journal's.
    pub position: (u32, u64),
    /// Whether the sealed root key is among the files.
    pub root_key_file: bool,
    /// The files, ascending by path.
    pub files: Vec<Kept>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Below the profile's data folder; `config.toml` is the settings, wherever they lie.
    pub path: String,
    /// In bytes.
    pub length: u64,
    /// SHA-256 in hex.
    pub sha256: String,
}

impl Manifest {
    /// A manifest without files.
    pub(super) fn new(root_key: VerificationKey, name: &str, cut: &crate::books::cut::Cut) -> Self {
        Self {
            format: FORMAT.into(),
            root_key,
            name: name.to_owned(),
            at: Timestamp::now(),
            entries: cut.size,
            root: cut.root.to_string(),
            note: cut.note.note().to_owned(),
            position: (cut.segment, cut.end),
            root_key_file: false,
            files: Vec::new(),
        }
    }

    /// The manifest of the last proved backup in a folder; `None` where there is none.
    ///
    /// # Errors
    /// In words, when it can't be read, was changed, or is of a newer program.
    pub fn read(dir: &Path) -> Result<Option<Self>, String> {
        let path = dir.join("manifest");
        let wrong = |why: &str| format!("the backup's manifest {} cannot be used: {why}", path.display());
        match fs::metadata(&path) {
            Ok(data) if data.len() > MANIFEST => return Err(wrong("it is too long")),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(&error.to_string())),
        }
        let text = fs::read_to_string(&path).map_err(|error| wrong(&error.to_string()))?;
        let (body, digest) = text.trim_end().rsplit_once('\n').ok_or_else(|| wrong("it is not whole"))?;
        if Digest::of(&[body.as_bytes()]).to_string() != digest {
            return Err(wrong("it was changed, or is not whole"));
        }
        let manifest: Self = serde_json::from_str(body).map_err(|error| wrong(&error.to_string()))?;
        let plain = |kept: &Kept| {
            let path = Path::new(&kept.path);
            path.components().all(|part| matches!(part, std::path::Component::Normal(_)))
                && kept.sha256.len() == 64
                && kept.sha256.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        if manifest.format != FORMAT {
            return Err(wrong("it is of a form that this program does not know"));
        }
        if !manifest.files.iter().all(plain) {
            return Err(wrong("it names a file that no backup has"));
        }
        Ok(Some(manifest))
    }

    /// Writes it over the former one, in one step.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        let body = serde_json::to_string(self)?;
        let digest = Digest::of(&[body.as_bytes()]);
        write_whole(&dir.join("manifest"), format!("{body}\n{digest}\n").as_bytes())
    }

    /// Where the bytes of a file lie.
    pub fn object(dir: &Path, kept: &Kept) -> PathBuf {
        object(dir, &kept.sha256)
    }
}

/// Where the bytes of a digest lie.
pub(super) fn object(dir: &Path, sha256: &str) -> PathBuf {
    dir.join("objects").join(&sha256[..2]).join(sha256)
}

/// Writes a file that is whole on the disk before it has its name.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("new");
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
