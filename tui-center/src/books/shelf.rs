//! Where books lie: a folder on a disk.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    BooksError,
    disk::{Disk, Lock, RealDisk},
    segment,
    snapshot::Pace,
};

/// Where books lie. A path is one too: the folder of that name in the system's file system.
#[derive(Clone)]
pub struct Shelf {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) dir: PathBuf,
    pub(super) segment_bytes: u64,
    pub(super) pace: Pace,
}

impl Shelf {
    /// A folder on another disk than the system's.
    pub fn on(disk: Arc<dyn Disk>, dir: impl Into<PathBuf>) -> Self {
        Self { disk, dir: dir.into(), segment_bytes: segment::SEGMENT, pace: Pace::Beside }
    }

    /// A folder in the system's file system. In a build with debug assertions `INKAN_TEST_BOOKS=8192,5` makes segments of
    /// 8192 bytes and a snapshot after each five entries, so that a test comes to their ends within a few payments.
    fn here(dir: &Path) -> Self {
        let shelf = Self::on(RealDisk::shared(), dir);
        if cfg!(debug_assertions)
            && let Some(said) = std::env::var("INKAN_TEST_BOOKS").ok()
            && let Some((segment, entries)) = said.split_once(',')
            && let (Ok(segment), Ok(entries)) = (segment.parse(), entries.parse())
        {
            return shelf.with_segments(segment).with_snapshots(Pace::Each(entries));
        }
        shelf
    }

    /// With segments of so many bytes from now on, instead of 16 MiB; those that are there keep their length.
    #[must_use]
    pub fn with_segments(self, segment_bytes: u64) -> Self {
        Self { segment_bytes, ..self }
    }

    /// With snapshots at another pace than [`Pace::Beside`].
    #[must_use]
    pub fn with_snapshots(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// The journal's folder.
    pub(super) fn journal(&self) -> PathBuf {
        self.dir.join("journal")
    }

    /// Makes a folder that only this user may enter, with those above it; one that is there already is left as it is.
    pub(super) fn make_dir(&self, dir: &Path) -> Result<(), BooksError> {
        self.disk.make_dir(dir).map_err(BooksError::io(format!("making the folder {}", dir.display())))
    }

    /// Brings a folder's names to the disk.
    pub(super) fn sync_dir(&self, dir: &Path) -> Result<(), BooksError> {
        let doing = format!("bringing the folder {} to the disk", dir.display());
        self.disk.sync_dir(dir).map_err(BooksError::io(doing))
    }

    /// What lies in a folder; `None` if there is no such folder.
    pub(super) fn names_in(&self, dir: &Path) -> Result<Option<Vec<String>>, BooksError> {
        match self.disk.names(dir) {
            Ok(names) => Ok(Some(names)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(BooksError::io(format!("reading the folder {}", dir.display()))(error)),
        }
    }

    /// Takes the lock of the books, which lasts until what this returns is dropped.
    pub(super) fn lock(&self) -> Result<Box<dyn Send>, BooksError> {
        let path = self.dir.join("lock");
        match self.disk.lock(&path).map_err(BooksError::io(format!("locking {}", path.display())))? {
            Lock::Held(lock) => Ok(lock),
            Lock::Taken(pid) => Err(BooksError::Locked { dir: self.dir.clone(), pid }),
        }
    }
}

impl<P: AsRef<Path> + ?Sized> From<&P> for Shelf {
    fn from(dir: &P) -> Self {
        Self::here(dir.as_ref())
    }
}

impl fmt::Debug for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shelf").field("dir", &self.dir).finish_non_exhaustive()
    }
}
