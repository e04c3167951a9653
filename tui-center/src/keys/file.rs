//! The key files' forms, and how they are changed so that a crash leaves the old one or the new one.
//!
//! Both are written in [`wire::codec`]'s form and begin with a version (2 bytes). The first version had slots without
//! names, one for the root key, and nothing of rotations; it is read for ever, and becomes the second when the file is
//! changed.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use wire::{codec, key::VerificationKey, sheet::SheetRole, time::Timestamp};

use super::{
    KeyFile, KeyFileError,
    slot::{SlotView, Slots},
};
use crate::seal::Sealed;

/// The largest key file that is read.
const FILE_MAX: usize = 64 << 10;
const VERSION: u16 = 2;

/// A role key, sealed under the service key.
pub(super) type SealedRole = (SheetRole, Vec<u8>);

/// The root key's file.
#[derive(Serialize, Deserialize)]
pub(super) struct RootFile {
    version: u16,
    pub(super) public: VerificationKey,
    pub(super) slots: Slots,
}

/// The service key's file.
#[derive(Serialize, Deserialize)]
pub(super) struct ServiceFile {
    version: u16,
    pub(super) slots: Slots,
    pub(super) roles: Vec<SealedRole>,
    /// The keys of a rotation that the books may or may not have taken; usually none.
    pub(super) next: Vec<SealedRole>,
    pub(super) retired: Option<Retired>,
}

/// The checkpoint key before the present one.
#[derive(Serialize, Deserialize)]
pub(super) struct Retired {
    /// The last size that it signs.
    pub(super) until_size: u64,
    pub(super) sealed: Vec<u8>,
}

impl RootFile {
    pub(super) fn new(public: VerificationKey, slots: Slots) -> Self {
        Self { version: VERSION, public, slots }
    }
}

impl ServiceFile {
    pub(super) fn new(slots: Slots, roles: Vec<SealedRole>) -> Self {
        Self { version: VERSION, slots, roles, next: Vec::new(), retired: None }
    }
}

/// The passphrases of a key file, by name. It takes none of them to see that they are there.
pub fn passphrases(path: &Path, which: KeyFile) -> Result<Vec<SlotView>, KeyFileError> {
    match which {
        KeyFile::Root => Ok(read::<RootFile>(path)?.slots.views()),
        KeyFile::Service => Ok(read::<ServiceFile>(path)?.slots.views()),
    }
}

/// Adds a passphrase to a key file; `known` is one that it has.
pub fn add_passphrase(
    path: &Path,
    which: KeyFile,
    known: &SecretString,
    name: &str,
    new: &SecretString,
    printed: bool,
) -> Result<(), KeyFileError> {
    edit_slots(path, which, |slots| {
        let (secret, _) = slots.open(which, known)?;
        slots.add(which, &secret, name, new, printed, Timestamp::now())
    })
}

/// Puts a new passphrase in the place of an old one, whose name is given back.
pub fn change_passphrase(
    path: &Path,
    which: KeyFile,
    old: &SecretString,
    new: &SecretString,
) -> Result<String, KeyFileError> {
    edit_slots(path, which, |slots| slots.change(which, old, new, Timestamp::now()))
}

/// Takes a passphrase away; `staying` is another one. The last one stays.
pub fn remove_passphrase(
    path: &Path,
    which: KeyFile,
    name: &str,
    staying: &SecretString,
) -> Result<(), KeyFileError> {
    edit_slots(path, which, |slots| slots.remove(which, name, staying))
}

/// A key file of any version.
pub(super) trait Versioned: Serialize + DeserializeOwned {
    /// Reads the first version.
    fn of_former(bytes: &[u8]) -> Result<Self, codec::Malformed>;
}

impl Versioned for RootFile {
    fn of_former(bytes: &[u8]) -> Result<Self, codec::Malformed> {
        #[derive(Deserialize)]
        struct Former {
            _version: u16,
            public: VerificationKey,
            sealed: Sealed,
        }
        let former: Former = codec::decode("key file", bytes, FILE_MAX)?;
        Ok(Self::new(former.public, Slots::of_former(vec![former.sealed])))
    }
}

impl Versioned for ServiceFile {
    fn of_former(bytes: &[u8]) -> Result<Self, codec::Malformed> {
        #[derive(Deserialize)]
        struct Former {
            _version: u16,
            slots: Vec<Sealed>,
            roles: Vec<SealedRole>,
        }
        let former: Former = codec::decode("key file", bytes, FILE_MAX)?;
        Ok(Self::new(Slots::of_former(former.slots), former.roles))
    }
}

/// Reads a key file.
pub(super) fn read<T: Versioned>(path: &Path) -> Result<T, KeyFileError> {
    let bytes = fs::read(path).map_err(|error| bad(path, &error.to_string()))?;
    let version = bytes.first_chunk().map(|bytes| u16::from_le_bytes(*bytes));
    let read = match version {
        Some(1) => T::of_former(&bytes),
        Some(VERSION) => codec::decode("key file", &bytes, FILE_MAX),
        Some(version) => {
            return Err(bad(path, &format!("it has version {version}, which this program does not know")));
        }
        None => return Err(bad(path, "it is empty")),
    };
    read.map_err(|error| bad(path, &error.to_string()))
}

/// Writes a key file that must not exist yet.
pub(super) fn create<T: Serialize>(path: &Path, content: &T) -> Result<(), KeyFileError> {
    let save = || {
        write_new(path, &codec::encode(content))?;
        sync_folder(path)
    };
    save().map_err(|error| bad(path, &error.to_string()))
}

/// Changes a key file in one step: the new one is whole on the disk before it takes the old one's name. Whoever else
/// wants to change it meanwhile waits.
pub(super) fn edit<T: Versioned, R>(
    path: &Path,
    change: impl FnOnce(&mut T) -> Result<R, KeyFileError>,
) -> Result<R, KeyFileError> {
    let failed = |error: io::Error| bad(path, &error.to_string());
    let folder = File::open(folder_of(path)).map_err(failed)?;
    folder.lock().map_err(failed)?;
    let mut content: T = read(path)?;
    let changed = change(&mut content)?;
    let draft = path.with_extension("key.new");
    let save = || {
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        write_new(&draft, &codec::encode(&content))?;
        fs::rename(&draft, path)?;
        folder.sync_all()
    };
    save().map_err(failed)?;
    Ok(changed)
}

pub(super) fn bad(path: &Path, why: &str) -> KeyFileError {
    KeyFileError::File { path: path.display().to_string(), why: why.to_owned() }
}

fn edit_slots<R>(
    path: &Path,
    which: KeyFile,
    change: impl FnOnce(&mut Slots) -> Result<R, KeyFileError>,
) -> Result<R, KeyFileError> {
    match which {
        KeyFile::Root => edit(path, |file: &mut RootFile| change(&mut file.slots)),
        KeyFile::Service => edit(path, |file: &mut ServiceFile| change(&mut file.slots)),
    }
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
