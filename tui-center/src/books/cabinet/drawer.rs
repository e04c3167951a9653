//! A folder of sealed files.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

use super::super::{BooksError, make_dir};
use crate::seal::{self, Key};

/// What each file begins with; the sealed bytes follow: nonce (24), ciphertext, tag (16).
const MAGIC: [u8; 4] = *b"IkC1";
const OVERHEAD: usize = 4 + 24 + 16;
/// What the name of a file begins with until it is whole.
pub(super) const UNFINISHED: &str = ".new-";
/// The longest name: that of a certificate names two keys.
const NAME: usize = 160;

/// A folder whose files are sealed under one key, each bound to its name.
pub(super) struct Drawer {
    dir: PathBuf,
    name: &'static str,
    key: Key,
    limit: usize,
}

impl Drawer {
    /// Opens a drawer in the cabinet's folder, and makes it where there is none. `limit` is the most bytes of one thing.
    pub(super) fn open(
        cabinet: &Path,
        name: &'static str,
        key: Key,
        limit: usize,
    ) -> Result<Self, BooksError> {
        let dir = cabinet.join(name);
        make_dir(&dir)?;
        clear_unfinished(&dir)?;
        Ok(Self::at(dir, name, key, limit))
    }

    /// A drawer whose folder is there.
    pub(super) fn at(dir: PathBuf, name: &'static str, key: Key, limit: usize) -> Self {
        Self { dir, name, key, limit }
    }

    /// Keeps something under a name; what lay there is replaced in one step. `durable`: it is on the disk on return.
    pub(super) fn put(&self, name: &str, content: &[u8], durable: bool) -> Result<(), BooksError> {
        let path = self.path(name)?;
        if content.len() > self.limit {
            let what = format!("what is to be kept as {}/{name}", self.name);
            return Err(BooksError::TooLarge { what, found: content.len(), allowed: self.limit });
        }
        let sealed = seal::seal(&self.key, &self.context(name), content);
        let unfinished = self.dir.join(format!("{UNFINISHED}{}", HEXLOWER.encode(&seal::random::<8>())));
        let put = write(&unfinished, &sealed, durable).and_then(|()| {
            tui_kit::failpoint::at("cabinet.name");
            fs::rename(&unfinished, &path)?;
            tui_kit::failpoint::at("cabinet.named");
            if durable { File::open(&self.dir)?.sync_all() } else { Ok(()) }
        });
        put.map_err(|error| {
            // What is left of it is in nobody's way, and is removed at the next start if it can't be now.
            let _ = fs::remove_file(&unfinished);
            BooksError::io(format!("keeping {}", path.display()))(error)
        })
    }

    /// What lies under a name.
    pub(super) fn take(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, BooksError> {
        let path = self.path(name)?;
        let mut bytes = Vec::new();
        let most = (self.limit + OVERHEAD) as u64 + 1;
        match File::open(&path).and_then(|file| file.take(most).read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(BooksError::io(format!("reading {}", path.display()))(error)),
        }
        // Destroying it got as far as the zeros.
        if !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let opened =
            bytes.strip_prefix(&MAGIC).and_then(|sealed| seal::open(&self.key, &self.context(name), sealed));
        opened.map(Some).ok_or_else(|| {
            let words = "can't be opened: it was changed, or belongs to another center";
            BooksError::Cabinet(format!("{}/{name} {words}", self.name))
        })
    }

    /// Destroys what lies under a name.
    pub(super) fn destroy(&self, name: &str) -> Result<(), BooksError> {
        self.path(name)?;
        destroy(&self.dir, name)
    }

    /// The names of all that lies here, ascending.
    pub(super) fn names(&self) -> Result<Vec<String>, BooksError> {
        let doing = || BooksError::io(format!("reading the folder {}", self.dir.display()));
        let mut names = Vec::new();
        for item in fs::read_dir(&self.dir).map_err(doing())? {
            let name = item.map_err(doing())?.file_name();
            names.extend(name.to_str().filter(|name| allowed(name)).map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    fn path(&self, name: &str) -> Result<PathBuf, BooksError> {
        if allowed(name) {
            return Ok(self.dir.join(name));
        }
        Err(BooksError::Cabinet(
            "a name has letters, digits, “.”, “-” and “_” only, and does not begin with “.”".into(),
        ))
    }

    fn context(&self, name: &str) -> Vec<u8> {
        format!("inkan/v1/cabinet/{}/{name}", self.name).into_bytes()
    }
}

/// Writes zeros over a file and removes it. A file system that copies on write, or a flash disk, may keep the old
/// bytes for a while; they are sealed.
pub(super) fn destroy(dir: &Path, name: &str) -> Result<(), BooksError> {
    let path = dir.join(name);
    let destroyed = OpenOptions::new().write(true).open(&path).and_then(|mut file| {
        let length =
            usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(super::OUTWARD + OVERHEAD);
        file.write_all(&vec![0; length])?;
        file.sync_all()?;
        fs::remove_file(&path)?;
        File::open(dir)?.sync_all()
    });
    match destroyed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        destroyed => destroyed.map_err(BooksError::io(format!("destroying {}", path.display()))),
    }
}

/// Removes what a crash left of files that were being written.
pub(super) fn clear_unfinished(dir: &Path) -> Result<(), BooksError> {
    let doing = || BooksError::io(format!("clearing up the folder {}", dir.display()));
    for item in fs::read_dir(dir).map_err(doing())? {
        let item = item.map_err(doing())?;
        if item.file_name().to_str().is_some_and(|name| name.starts_with(UNFINISHED)) {
            fs::remove_file(item.path()).map_err(doing())?;
        }
    }
    Ok(())
}

fn write(path: &Path, sealed: &[u8], durable: bool) -> io::Result<()> {
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    file.write_all(&[&MAGIC[..], sealed].concat())?;
    if durable { file.sync_all() } else { Ok(()) }
}

fn allowed(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !name.is_empty() && name.len() <= NAME && !name.starts_with('.') && name.bytes().all(plain)
}
