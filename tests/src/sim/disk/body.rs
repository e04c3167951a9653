//! What lies on the disk, and what only its cache holds.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use fastrand::Rng;

/// What a disk writes at once.
pub(super) const SECTOR: usize = 512;
/// How many versions of an unsynced sector are told apart.
const VERSIONS: usize = 4;

/// A file: what the cache holds of it, and what the disk does.
#[derive(Clone, Default)]
pub(super) struct Body {
    pub(super) cache: Vec<u8>,
    pub(super) kept: Vec<u8>,
    /// Unsynced sectors, each with what it held after the newest writes, oldest first.
    pub(super) dirty: BTreeMap<usize, Vec<[u8; SECTOR]>>,
    /// The sectors of the last write.
    pub(super) last: Vec<usize>,
    /// What the next sync brings to the disk, where syncs are late.
    pub(super) due: BTreeMap<usize, [u8; SECTOR]>,
}

/// A change of names that no sync has kept yet.
#[derive(Clone)]
pub(super) enum NameChange {
    Linked(PathBuf, usize),
    Removed(PathBuf),
    Renamed(PathBuf, PathBuf, usize),
}

impl NameChange {
    pub(super) fn make(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Linked(path, at) => {
                names.insert(path.clone(), *at);
            }
            Self::Removed(path) => {
                names.remove(path);
            }
            Self::Renamed(from, to, at) => {
                names.remove(from);
                names.insert(to.clone(), *at);
            }
        }
    }

    pub(super) fn is_in(&self, dir: &Path) -> bool {
        match self {
            Self::Linked(path, _) | Self::Removed(path) | Self::Renamed(path, ..) => {
                path.parent() == Some(dir)
            }
        }
    }
}

impl Body {
    pub(super) fn put(&mut self, bytes: &[u8], offset: usize) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if self.cache.len() < end {
            self.cache.resize(end, 0);
        }
        self.cache[offset..end].copy_from_slice(bytes);
        self.last = (offset / SECTOR..=(end - 1) / SECTOR).collect();
        for sector in self.last.clone() {
            let now = self.sector_now(sector);
            let versions = self.dirty.entry(sector).or_default();
            if versions.len() == VERSIONS {
                versions.remove(0);
            }
            versions.push(now);
        }
    }

    pub(super) fn sector_now(&self, sector: usize) -> [u8; SECTOR] {
        piece(&self.cache, sector)
    }

    pub(super) fn sector_kept(&self, sector: usize) -> [u8; SECTOR] {
        piece(&self.kept, sector)
    }

    pub(super) fn keep(&mut self, sector: usize) {
        let (from, now) = (sector * SECTOR, self.sector_now(sector));
        let end = (from + SECTOR).min(self.cache.len());
        if self.kept.len() < end {
            self.kept.resize(end, 0);
        }
        let length = end.saturating_sub(from);
        self.kept[from..from + length].copy_from_slice(&now[..length]);
    }

    pub(super) fn sync(&mut self) {
        for sector in std::mem::take(&mut self.dirty).into_keys() {
            self.keep(sector);
        }
        self.kept.resize(self.cache.len(), 0);
    }

    /// Brings to the disk what the sync before should have brought there.
    pub(super) fn sync_late(&mut self) {
        for (sector, bytes) in std::mem::take(&mut self.due) {
            let end = (sector * SECTOR + SECTOR).min(self.cache.len());
            self.kept.resize(self.kept.len().max(end), 0);
            self.kept[sector * SECTOR..end].copy_from_slice(&bytes[..end - sector * SECTOR]);
            if self.sector_now(sector) == bytes {
                self.dirty.remove(&sector);
            }
        }
        self.due = self.dirty.keys().map(|sector| (*sector, self.sector_now(*sector))).collect();
    }

    /// A sync that failed, or that the machine died in.
    pub(super) fn half_sync(&mut self, rng: &mut Rng) {
        // Each sector for itself, or all alike.
        let alike = rng.bool().then(|| rng.u8(..3));
        for sector in std::mem::take(&mut self.dirty).into_keys() {
            match alike.unwrap_or_else(|| rng.u8(..3)) {
                0 => self.keep(sector),
                1 => {
                    let (from, kept) = (sector * SECTOR, self.sector_kept(sector));
                    let end = (from + SECTOR).min(self.cache.len());
                    self.cache[from..end].copy_from_slice(&kept[..end - from]);
                }
                _ => {}
            }
        }
    }
}

fn piece(bytes: &[u8], sector: usize) -> [u8; SECTOR] {
    let mut piece = [0; SECTOR];
    let there = bytes.get(sector * SECTOR..).unwrap_or_default();
    let length = there.len().min(SECTOR);
    piece[..length].copy_from_slice(&there[..length]);
    piece
}
