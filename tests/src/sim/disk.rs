//! A disk that forgets, tears, fails, fills up and lies.
//!
//! What is written lies in a cache until it is synced. A power failure keeps of the rest whatever chance keeps, sector
//! by sector and in any order, a sector now and then only up to some byte; a killed process loses nothing, since the
//! cache is the system's. After a failed sync nobody knows what is on the disk: some sectors are, some are lost at
//! once, some only look written until the power fails; and where one write or sync failed, more will. New names outlive
//! a power failure only once their folder was synced. Folders themselves are there as soon as they are made.
//!
//! What is synced stays: sectors do not rot, and a write never harms the sectors beside it.

mod body;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fastrand::Rng;
use tui_center::books::disk::{Disk, DiskFile, How, Lock};

use self::body::{Body, NameChange, SECTOR};

/// How often a disk that has failed fails again, in parts of ten thousand.
const SICK: u16 = 5_000;

/// What goes wrong by chance, each in parts of ten thousand operations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// The machine dies at a write, a sync or a change of names: before, in the middle or after it.
    pub death: u16,
    /// A write fails, with a part of it done.
    pub write: u16,
    /// A sync fails.
    pub sync: u16,
    /// A read fails.
    pub read: u16,
    /// Nothing more fits on the disk: only what has its place already can be written.
    pub full: bool,
    /// Syncs say that all is well, and keep nothing.
    pub lying: bool,
}

/// How a machine ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The process only: what it wrote is still in the system's cache.
    Killed,
    /// Everything: only what was synced is there for certain.
    PowerFailed,
}

/// A mistake in whatever stands between books and disk, for proving that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slip {
    /// A sync is done only when the next one is asked for.
    SyncsLate,
    /// Every so many syncs, the last write before it is left out.
    ForgetsWrites(u32),
}

/// The disk. Clones are the same disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Mutex<Platter>>);

#[derive(Clone)]
struct Platter {
    files: Vec<Body>,
    names: BTreeMap<PathBuf, usize>,
    dirs: BTreeSet<PathBuf>,
    kept_names: BTreeMap<PathBuf, usize>,
    unsynced_names: Vec<NameChange>,
    locks: BTreeSet<PathBuf>,
    /// Counted up at each end, so that handles of before are void.
    life: u64,
    dead: bool,
    faults: Faults,
    slip: Option<Slip>,
    rng: Rng,
    changes: u64,
    syncs: u32,
    /// Dies at this change, before or after it.
    dies_at: Option<(u64, bool)>,
    injected: bool,
    /// A write or sync failed in this life, and the next may well fail too.
    sick: bool,
}

struct SimFile {
    disk: SimDisk,
    at: usize,
    life: u64,
    writable: bool,
}

struct SimLock {
    disk: SimDisk,
    path: PathBuf,
    life: u64,
}

impl SimDisk {
    /// An empty disk without faults.
    pub fn new(rng: Rng) -> Self {
        Self(Arc::new(Mutex::new(Platter {
            files: Vec::new(),
            names: BTreeMap::new(),
            dirs: BTreeSet::new(),
            kept_names: BTreeMap::new(),
            unsynced_names: Vec::new(),
            locks: BTreeSet::new(),
            life: 0,
            dead: false,
            faults: Faults::default(),
            slip: None,
            rng,
            changes: 0,
            syncs: 0,
            dies_at: None,
            injected: false,
            sick: false,
        })))
    }

    /// Another disk that holds the same.
    pub fn copy(&self, rng: Rng) -> Self {
        let mut platter = self.platter().clone();
        platter.rng = rng;
        platter.changes = 0;
        Self(Arc::new(Mutex::new(platter)))
    }

    /// From now on, this goes wrong.
    pub fn set_faults(&self, faults: Faults) {
        self.platter().faults = faults;
    }

    /// From now on, this mistake is made.
    pub fn set_slip(&self, slip: Option<Slip>) {
        self.platter().slip = slip;
    }

    /// Dies at the change of this number, counted from 0: before it, or after it.
    pub fn die_at(&self, change: u64, after: bool) {
        self.platter().dies_at = Some((change, after));
    }

    /// How many writes, syncs and changes of names there were.
    pub fn changes(&self) -> u64 {
        self.platter().changes
    }

    /// Whether the machine has died, so that nothing can be done until it is started again.
    pub fn is_dead(&self) -> bool {
        self.platter().dead
    }

    /// Whether something was made to fail since this was last asked.
    pub fn take_injected(&self) -> bool {
        std::mem::take(&mut self.platter().injected)
    }

    /// The machine ends, if it has not already, and starts again: every handle and lock is void.
    pub fn restart(&self, end: End) {
        let platter = &mut *self.platter();
        platter.life += 1;
        platter.dead = false;
        platter.sick = false;
        platter.locks.clear();
        if end == End::PowerFailed {
            platter.lose();
        }
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Platter {
    /// The power fails.
    fn lose(&mut self) {
        let Self { files, rng, .. } = self;
        for body in files.iter_mut() {
            for (sector, versions) in std::mem::take(&mut body.dirty) {
                if rng.bool() {
                    continue;
                }
                let version = versions[rng.usize(..versions.len())];
                let at = sector * SECTOR;
                if body.kept.len() < at + SECTOR {
                    body.kept.resize((at + SECTOR).min(body.cache.len()).max(body.kept.len()), 0);
                }
                let torn = if rng.u8(..8) == 0 { rng.usize(..SECTOR / 8) * 8 } else { SECTOR };
                let length = body.kept.len().saturating_sub(at).min(torn);
                body.kept[at..at + length].copy_from_slice(&version[..length]);
            }
            body.cache = body.kept.clone();
            body.last.clear();
            body.due.clear();
        }
        let all = rng.u8(..3);
        for change in std::mem::take(&mut self.unsynced_names) {
            if all == 0 || (all == 1 && self.rng.bool()) {
                change.make(&mut self.kept_names);
            }
        }
        self.names = self.kept_names.clone();
    }

    fn alive(&self, life: u64) -> io::Result<()> {
        if self.dead || self.life != life {
            return Err(io::Error::other("the machine is off"));
        }
        Ok(())
    }

    /// Whether the machine dies at the change that comes now; counts it.
    fn death(&mut self) -> Death {
        let change = self.changes;
        self.changes += 1;
        if let Some((_, after)) = self.dies_at.filter(|(at, _)| *at == change) {
            self.dead = true;
            return if after { Death::After } else { Death::Before };
        }
        if !self.chance(self.faults.death) {
            return Death::No;
        }
        self.dead = true;
        match self.rng.u8(..3) {
            0 => Death::Before,
            1 => Death::Amid,
            _ => Death::After,
        }
    }

    fn chance(&mut self, of_ten_thousand: u16) -> bool {
        of_ten_thousand > 0 && self.rng.u16(..10_000) < of_ten_thousand
    }

    /// Whether a write or a sync fails.
    fn fails(&mut self, of_ten_thousand: u16) -> bool {
        let often = if self.sick { SICK } else { of_ten_thousand };
        let fails = of_ten_thousand > 0 && self.chance(often);
        self.sick |= fails;
        fails
    }

    fn fail(&mut self, kind: io::ErrorKind) -> io::Error {
        self.injected = true;
        kind.into()
    }

    fn change_name(&mut self, change: NameChange) -> io::Result<()> {
        let death = self.death();
        if death != Death::Before {
            change.make(&mut self.names);
            self.unsynced_names.push(change);
        }
        self.outcome(death)
    }

    fn outcome(&self, death: Death) -> io::Result<()> {
        match death {
            Death::No => Ok(()),
            _ => Err(io::Error::other("the machine died")),
        }
    }

    fn write(&mut self, at: usize, bytes: &[u8], offset: usize) -> io::Result<()> {
        let death = self.death();
        let room = self.files[at].cache.len().saturating_sub(offset);
        let mut take = bytes.len();
        let mut result = self.outcome(death);
        match death {
            Death::Before => take = 0,
            Death::Amid => take = self.rng.usize(..=bytes.len()),
            Death::After | Death::No => {}
        }
        if death == Death::No && self.faults.full && room < bytes.len() {
            take = room;
            result = Err(self.fail(io::ErrorKind::StorageFull));
        } else if death == Death::No && self.fails(self.faults.write) {
            take = self.rng.usize(..=bytes.len());
            result = Err(self.fail(io::ErrorKind::Other));
        }
        self.files[at].put(&bytes[..take], offset);
        result
    }

    fn sync(&mut self, at: usize) -> io::Result<()> {
        let death = self.death();
        if death == Death::Before {
            return self.outcome(death);
        }
        if death == Death::Amid || (death == Death::No && self.fails(self.faults.sync)) {
            let Self { files, rng, .. } = self;
            files[at].half_sync(rng);
            return match death {
                Death::No => Err(self.fail(io::ErrorKind::Other)),
                _ => self.outcome(death),
            };
        }
        self.syncs += 1;
        let body = &mut self.files[at];
        match self.slip {
            _ if self.faults.lying => {}
            Some(Slip::SyncsLate) => body.sync_late(),
            Some(Slip::ForgetsWrites(every)) if self.syncs.is_multiple_of(every) => {
                let last = std::mem::take(&mut body.last);
                let forgotten: Vec<_> = last.iter().map(|sector| body.sector_kept(*sector)).collect();
                body.sync();
                for (sector, kept) in last.into_iter().zip(forgotten) {
                    let from = sector * SECTOR;
                    let length = body.kept.len().saturating_sub(from).min(SECTOR);
                    body.kept[from..from + length].copy_from_slice(&kept[..length]);
                }
            }
            _ => body.sync(),
        }
        self.outcome(death)
    }
}

/// Whether and when the machine dies at an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    No,
    Before,
    Amid,
    After,
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, how: How) -> io::Result<Arc<dyn DiskFile>> {
        let platter = &mut *self.platter();
        platter.alive(platter.life)?;
        let at = match (platter.names.get(path).copied(), how) {
            (Some(at), How::Read | How::Write | How::Create) => at,
            (None, How::Read | How::Write) => return Err(io::ErrorKind::NotFound.into()),
            (found, How::Create | How::Fresh) => {
                if !path.parent().is_some_and(|dir| platter.dirs.contains(dir)) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                if platter.faults.full {
                    return Err(platter.fail(io::ErrorKind::StorageFull));
                }
                if found.is_some() {
                    platter.change_name(NameChange::Removed(path.to_owned()))?;
                }
                let at = platter.files.len();
                platter.files.push(Body::default());
                platter.change_name(NameChange::Linked(path.to_owned(), at))?;
                at
            }
        };
        let life = platter.life;
        Ok(Arc::new(SimFile { disk: self.clone(), at, life, writable: how != How::Read }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let platter = &mut *self.platter();
        platter.alive(platter.life)?;
        let at = *platter.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        if platter.chance(platter.faults.read) {
            return Err(platter.fail(io::ErrorKind::Other));
        }
        Ok(platter.files[at].cache.clone())
    }

    fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        let platter = self.platter();
        platter.alive(platter.life)?;
        if !platter.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let within = platter.names.keys().chain(&platter.dirs).filter(|path| path.parent() == Some(dir));
        let names = within.filter_map(|path| path.file_name()?.to_str().map(str::to_owned));
        Ok(names.collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let platter = &mut *self.platter();
        platter.alive(platter.life)?;
        let at = *platter.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        platter.change_name(NameChange::Renamed(from.to_owned(), to.to_owned(), at))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let platter = &mut *self.platter();
        platter.alive(platter.life)?;
        if !platter.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        platter.change_name(NameChange::Removed(path.to_owned()))
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        let platter = &mut *self.platter();
        platter.alive(platter.life)?;
        platter.dirs.extend(dir.ancestors().map(Path::to_owned));
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let platter = &mut *self.platter();
        platter.alive(platter.life)?;
        let death = platter.death();
        let failed = death == Death::No && platter.chance(platter.faults.sync);
        if matches!(death, Death::Before | Death::Amid) || failed || platter.faults.lying {
            return if failed { Err(platter.fail(io::ErrorKind::Other)) } else { platter.outcome(death) };
        }
        let changes = std::mem::take(&mut platter.unsynced_names);
        let (synced, other) = changes.into_iter().partition::<Vec<_>, _>(|change| change.is_in(dir));
        for change in synced {
            change.make(&mut platter.kept_names);
        }
        platter.unsynced_names = other;
        platter.outcome(death)
    }

    fn lock(&self, path: &Path) -> io::Result<Lock> {
        let platter = &mut *self.platter();
        platter.alive(platter.life)?;
        if !platter.locks.insert(path.to_owned()) {
            return Ok(Lock::Taken(None));
        }
        let (disk, path, life) = (self.clone(), path.to_owned(), platter.life);
        Ok(Lock::Held(Box::new(SimLock { disk, path, life })))
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        let mut platter = self.disk.platter();
        if platter.life == self.life {
            platter.locks.remove(&self.path);
        }
    }
}

impl SimFile {
    fn with<T>(&self, act: impl FnOnce(&mut Platter) -> io::Result<T>) -> io::Result<T> {
        let platter = &mut *self.disk.platter();
        platter.alive(self.life)?;
        act(platter)
    }

    fn changing<T>(&self, act: impl FnOnce(&mut Platter) -> io::Result<T>) -> io::Result<T> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.with(act)
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(|platter| {
            if platter.chance(platter.faults.read) {
                return Err(platter.fail(io::ErrorKind::Other));
            }
            let there = platter.files[self.at].cache.get(place(offset)..).unwrap_or_default();
            let length = there.len().min(bytes.len());
            bytes[..length].copy_from_slice(&there[..length]);
            Ok(length)
        })
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.changing(|platter| platter.write(self.at, bytes, place(offset)))
    }

    fn length(&self) -> io::Result<u64> {
        self.with(|platter| Ok(platter.files[self.at].cache.len() as u64))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.changing(|platter| {
            let death = platter.death();
            if death != Death::Before {
                let (body, length) = (&mut platter.files[self.at], place(length));
                body.cache.resize(length, 0);
                body.dirty.retain(|sector, _| sector * SECTOR < length);
            }
            platter.outcome(death)
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.changing(|platter| platter.sync(self.at))
    }

    fn sync_all(&self) -> io::Result<()> {
        self.sync_data()
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
