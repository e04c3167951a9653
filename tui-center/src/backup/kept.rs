//! A backup's files as a disk that can only be read, so that the books' own code follows their chain where they lie.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::manifest::{Kept, Manifest};
use crate::books::disk::{Disk, DiskFile, How, Lock};

/// The files of a backup, by the paths that they had in the profile.
pub(super) struct KeptDisk {
    files: BTreeMap<PathBuf, PathBuf>,
}

impl KeptDisk {
    pub(super) fn of(dir: &Path, manifest: &Manifest) -> Self {
        let place = |kept: &Kept| (PathBuf::from(&kept.path), Manifest::object(dir, kept));
        Self { files: manifest.files.iter().map(place).collect() }
    }

    fn place(&self, path: &Path) -> io::Result<&Path> {
        let place = self.files.get(path).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(place)
    }
}

fn only_read<T>() -> io::Result<T> {
    Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem))
}

impl Disk for KeptDisk {
    fn open(&self, path: &Path, how: How) -> io::Result<Arc<dyn DiskFile>> {
        if how != How::Read {
            return only_read();
        }
        Ok(Arc::new(File::open(self.place(path)?)?))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(self.place(path)?)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let below = self.files.keys().filter(|path| path.parent() == Some(dir));
        let names = below.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        Ok(names.collect())
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        only_read()
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        only_read()
    }

    fn make_dir(&self, _: &Path) -> io::Result<()> {
        only_read()
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        only_read()
    }

    fn lock(&self, _: &Path) -> io::Result<Lock> {
        only_read()
    }
}
