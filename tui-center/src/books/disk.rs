//! The disk under the books: the few things that journal, marks and snapshots ask of a file system.
//!
//! [`RealDisk`] is the operating system's. What the books promise when machines die rests on what happens between
//! these calls, so whoever doubts it puts another disk under them, one that forgets, tears and fails.
//!
//! What a disk must keep, and no more:
//!
//! | call | afterwards |
//! |---|---|
//! | [`DiskFile::write_all_at`], [`DiskFile::set_len`] | readers of this run see it; a crash may keep any part of it |
//! | [`DiskFile::sync_data`] | the file's bytes and length outlive a crash; after a failure any part of them may |
//! | [`DiskFile::sync_all`] | the same, and all else that the file system knows of the file |
//! | [`Disk::open`] of a new file, [`Disk::rename`], [`Disk::remove`] | a crash may keep it or not |
//! | [`Disk::sync_dir`] | the names in a folder outlive a crash |

use std::{
    fmt,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, FileExt, OpenOptionsExt as _},
    path::Path,
    sync::Arc,
};

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// To be read; it must be there.
    Read,
    /// To be read and written; it must be there.
    Write,
    /// To be read and written; made where there is none, readable by this user only.
    Create,
    /// As [`How::Create`], and emptied.
    Fresh,
}

/// What came of asking for a lock.
pub enum Lock {
    /// It is ours until this is dropped.
    Held(Box<dyn Send>),
    /// Another process has it, of this number if it left one.
    Taken(Option<u32>),
}

/// A file system, as far as the books use it.
pub trait Disk: Send + Sync {
    /// Opens a file.
    fn open(&self, path: &Path, how: How) -> io::Result<Arc<dyn DiskFile>>;

    /// Reads a whole file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The names of what lies in a folder, in no order; what is not text is left out.
    fn names(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Gives a file another name in the same folder, over whatever had that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder that only this user may enter, with those above it; one that is there is left as it is.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;

    /// Brings the names in a folder to the disk.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes a lock that ends with the process at the latest, and leaves the process's number in the file.
    fn lock(&self, path: &Path) -> io::Result<Lock>;
}

/// An open file. Any number of threads may use it at once.
pub trait DiskFile: Send + Sync {
    /// Reads from a place on, as much as there is or fits; fewer bytes only where the file ends.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of it to a place; the file grows where it must.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// The file's length.
    fn length(&self) -> io::Result<u64>;

    /// Cuts the file, or fills it up with zeros.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// Brings bytes and length to the disk (`fdatasync`).
    fn sync_data(&self) -> io::Result<()>;

    /// Brings everything of the file to the disk (`fsync`).
    fn sync_all(&self) -> io::Result<()>;
}

/// The operating system's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl RealDisk {
    /// As the books take it.
    pub fn shared() -> Arc<dyn Disk> {
        Arc::new(Self)
    }
}

impl Disk for RealDisk {
    fn open(&self, path: &Path, how: How) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(open(path, how)?))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for item in fs::read_dir(dir)? {
            names.extend(item?.file_name().into_string());
        }
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        let mut file = open(path, How::Create)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                // What stands in the file only helps the words; the lock itself is the kernel's.
                let _ = (&file).take(20).read_to_string(&mut pid);
                return Ok(Lock::Taken(pid.trim().parse().ok()));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        file.set_len(0)?;
        write!(file, "{}", std::process::id())?;
        Ok(Lock::Held(Box::new(file)))
    }
}

impl DiskFile for File {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut got = 0;
        while got < bytes.len() {
            match FileExt::read_at(self, &mut bytes[got..], offset + got as u64) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(got)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        File::set_len(self, length)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn sync_all(&self) -> io::Result<()> {
        File::sync_all(self)
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(_) => f.write_str("Held"),
            Self::Taken(pid) => f.debug_tuple("Taken").field(pid).finish(),
        }
    }
}

fn open(path: &Path, how: How) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(how != How::Read);
    if matches!(how, How::Create | How::Fresh) {
        options.create(true).truncate(how == How::Fresh).mode(0o600);
    }
    options.open(path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_keeps_what_is_written_to_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert_eq!(RealDisk.open(&path, How::Write).err().unwrap().kind(), io::ErrorKind::NotFound);
        let file = RealDisk.open(&path, How::Create).unwrap();
        file.write_all_at(b"abc", 2).unwrap();
        file.sync_data().unwrap();
        let mut bytes = [9; 8];
        assert_eq!(file.read_at(&mut bytes, 1).unwrap(), 4);
        assert_eq!(bytes[..4], *b"\0abc");
        file.set_len(3).unwrap();
        file.sync_all().unwrap();
        assert_eq!(RealDisk.open(&path, How::Create).unwrap().length().unwrap(), 3);
        assert_eq!(RealDisk.read(&path).unwrap(), b"\0\0a");
        assert!(RealDisk.open(&path, How::Read).unwrap().write_all_at(b"x", 0).is_err());
        assert_eq!(RealDisk.open(&path, How::Fresh).unwrap().length().unwrap(), 0);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_folder_is_this_user_s_own_and_its_names_can_be_changed() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("a/b");
        RealDisk.make_dir(&inner).unwrap();
        RealDisk.make_dir(&inner).unwrap();
        assert_eq!(fs::metadata(&inner).unwrap().permissions().mode() & 0o777, 0o700);
        for name in ["one", "two"] {
            RealDisk.open(&inner.join(name), How::Create).unwrap();
        }
        RealDisk.rename(&inner.join("one"), &inner.join("two")).unwrap();
        RealDisk.sync_dir(&inner).unwrap();
        assert_eq!(RealDisk.names(&inner).unwrap(), ["two"]);
        RealDisk.remove(&inner.join("two")).unwrap();
        assert!(RealDisk.names(&inner).unwrap().is_empty());
    }

    #[test]
    fn a_lock_is_one_s_own_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let held = RealDisk.lock(&path).unwrap();
        assert!(matches!(held, Lock::Held(_)));
        let pid = std::process::id();
        assert!(matches!(RealDisk.lock(&path).unwrap(), Lock::Taken(Some(found)) if found == pid));
        drop(held);
        assert!(matches!(RealDisk.lock(&path).unwrap(), Lock::Held(_)));
    }
}
