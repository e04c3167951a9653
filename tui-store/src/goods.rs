//! The shelf: goods by the digest of their content, copied when they are published.
//!
//! An open offer names goods by digest, so edits in the catalogue's folder change nothing for those who have ordered.
//! A file is written under another name, synced and renamed: what stands under a digest is complete.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use sha2::{Digest as _, Sha256};
use wire::{id::Digest, limits};

/// What a copy that was not finished ends with.
const PART: &str = ".part";

/// Goods on the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goods {
    /// SHA-256 of the content.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
}

/// Why goods could not be put on the shelf.
#[derive(Debug, thiserror::Error)]
#[error("{doing} {} failed: {source}", path.display())]
pub struct GoodsError {
    doing: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// The folder of goods.
#[derive(Debug)]
pub struct Shelf {
    folder: PathBuf,
    /// What was copied before, by path; a file that has not changed since is not read again.
    known: Mutex<HashMap<PathBuf, (Stamp, Goods)>>,
}

/// What changes when a file is written to or replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(found: &fs::Metadata) -> Self {
        Self {
            device: found.dev(),
            inode: found.ino(),
            size: found.size(),
            changed: (found.ctime(), found.ctime_nsec()),
        }
    }
}

impl Shelf {
    /// Opens the folder, which is made where it is missing; unfinished copies are removed.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(folder: &Path) -> Result<Self, GoodsError> {
        let failed = |source| GoodsError { doing: "opening", path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.to_string_lossy().ends_with(PART) {
                fs::remove_file(&path).map_err(failed)?;
            }
        }
        Ok(Self { folder: folder.to_owned(), known: Mutex::default() })
    }

    /// Copies a file onto the shelf, unless it is there. Blocks.
    ///
    /// # Errors
    /// What the file system says; the shelf is as before.
    pub fn publish(&self, source: &Path) -> Result<Goods, GoodsError> {
        let reading = |error| GoodsError { doing: "reading", path: source.to_owned(), source: error };
        let mut file = File::open(source).map_err(reading)?;
        let stamp = Stamp::of(&file.metadata().map_err(reading)?);
        if let Some(goods) = self.known(source, stamp) {
            return Ok(goods);
        }
        let part = self
            .folder
            .join(format!("{}{PART}", wire::id::Nonce::random().0.map(|b| format!("{b:02x}")).concat()));
        let copied = self.copy(&mut file, &part);
        if copied.is_err() {
            // The copy may not even exist; what matters is the first error.
            let _ = fs::remove_file(&part);
        }
        let goods = copied?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(source.to_owned(), (stamp, goods));
        Ok(goods)
    }

    /// Whether goods are here, whole by their length.
    pub fn holds(&self, digest: &Digest, size: u64) -> bool {
        fs::metadata(self.path(digest)).is_ok_and(|found| found.is_file() && found.len() == size)
    }

    /// A piece of goods from `offset` on: [`limits::CHUNK`] bytes, fewer only at the end. Blocks.
    ///
    /// # Errors
    /// When the goods are not here or shorter than they were.
    pub fn piece(&self, digest: &Digest, size: u64, offset: u64) -> io::Result<Vec<u8>> {
        let left = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut piece = vec![0; left.min(limits::CHUNK)];
        File::open(self.path(digest))?.read_exact_at(&mut piece, offset)?;
        Ok(piece)
    }

    /// Takes everything off the shelf that nobody can ask for any more. Returns how many files went.
    ///
    /// # Errors
    /// What the file system says.
    pub fn clear_except(&self, keep: &HashSet<Digest>) -> Result<usize, GoodsError> {
        let failed = |source| GoodsError { doing: "clearing", path: self.folder.clone(), source };
        let mut cleared = 0;
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let digest = entry.file_name().to_str().and_then(|name| name.parse::<Digest>().ok());
            if digest.is_some_and(|digest| !keep.contains(&digest)) {
                fs::remove_file(entry.path()).map_err(failed)?;
                cleared += 1;
            }
        }
        Ok(cleared)
    }

    fn known(&self, source: &Path, stamp: Stamp) -> Option<Goods> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, goods) = known.get(source).filter(|(seen, _)| *seen == stamp)?;
        self.holds(&goods.digest, goods.size).then_some(*goods)
    }

    fn copy(&self, source: &mut File, part: &Path) -> Result<Goods, GoodsError> {
        let writing = |error| GoodsError { doing: "copying to", path: part.to_owned(), source: error };
        let mut copy =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(part).map_err(writing)?;
        let (mut hasher, mut size) = (Sha256::new(), 0);
        let mut buffer = vec![0; limits::CHUNK];
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(writing(error)),
            };
            hasher.update(&buffer[..count]);
            copy.write_all(&buffer[..count]).map_err(writing)?;
            size += count as u64;
        }
        let goods = Goods { digest: Digest(hasher.finalize().into()), size };
        if self.holds(&goods.digest, size) {
            fs::remove_file(part).map_err(writing)?;
            return Ok(goods);
        }
        copy.sync_all().map_err(writing)?;
        fs::rename(part, self.path(&goods.digest)).map_err(writing)?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(writing)?;
        Ok(goods)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goods_stay_what_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("book");
        let shelf = Shelf::open(&folder.path().join("goods")).unwrap();
        let content: Vec<u8> = (0..limits::CHUNK + 7).map(|at| at as u8).collect();
        fs::write(&source, &content).unwrap();
        let first = shelf.publish(&source).unwrap();
        assert_eq!(first, Goods { digest: Digest::of(&[&content]), size: content.len() as u64 });
        assert_eq!(shelf.publish(&source).unwrap(), first, "a second time nothing is copied");
        fs::write(&source, "new edition").unwrap();
        let second = shelf.publish(&source).unwrap();
        assert_ne!(first, second);
        let head = shelf.piece(&first.digest, first.size, 0).unwrap();
        let tail = shelf.piece(&first.digest, first.size, head.len() as u64).unwrap();
        assert_eq!([head, tail].concat(), content);
        assert!(shelf.piece(&first.digest, first.size, first.size).unwrap().is_empty());
        assert!(shelf.piece(&Digest([0; 32]), 5, 0).is_err());

        assert_eq!(shelf.clear_except(&HashSet::from([second.digest])).unwrap(), 1);
        assert!(!shelf.holds(&first.digest, first.size) && shelf.holds(&second.digest, second.size));
    }

    #[test]
    fn an_unfinished_copy_is_not_goods() {
        let folder = tempfile::tempdir().unwrap();
        let goods = folder.path().join("goods");
        fs::create_dir(&goods).unwrap();
        fs::write(goods.join("abcd.part"), "half").unwrap();
        let shelf = Shelf::open(&goods).unwrap();
        assert_eq!(fs::read_dir(&goods).unwrap().count(), 0);
        assert!(shelf.publish(&folder.path().join("missing")).unwrap_err().to_string().contains("missing"));
        assert_eq!(fs::read_dir(&goods).unwrap().count(), 0);
    }
}
