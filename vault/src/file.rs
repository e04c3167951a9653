//! The file on disk: claimed by one process, appended to with one synced write, replaced by rename.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use crate::{
    error::Error,
    header::{Header, RECORDS, SLOT, Slot},
    record::Walk,
    report::Finding,
};

/// The vault's name in its profile.
pub const FILE: &str = "vault.inkan";
pub(crate) const LOCK: &str = "vault.inkan.lock";
pub(crate) const NEW: &str = "vault.inkan.new";

/// The right to a profile's vault, held by one process at a time and given up when dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    dir: PathBuf,
    _lock: File,
}

impl Claim {
    /// Takes the profile in `dir`, which is made if it is missing.
    pub(crate) fn take(dir: &Path) -> Result<Self, Error> {
        make_folder(dir).map_err(failed("making the folder", dir))?;
        let path = dir.join(LOCK);
        let mut lock =
            private().create(true).truncate(false).open(&path).map_err(failed("opening", &path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The id is for the message only; a lock without one is held all the same.
                let pid =
                    (&lock).take(20).read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(Error::Held { path: dir.join(FILE), pid });
            }
            Err(TryLockError::Error(source)) => return Err(failed("locking", &path)(source)),
        }
        lock.set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .map_err(failed("writing", &path))?;
        Ok(Self { dir: dir.to_owned(), _lock: lock })
    }

    fn vault(&self) -> PathBuf {
        self.dir.join(FILE)
    }
}

/// An open vault file with its header. It knows nothing of what the records say.
#[derive(Debug)]
pub(crate) struct VaultFile {
    claim: Claim,
    path: PathBuf,
    file: File,
    pub(crate) header: Header,
    /// Behind the last record.
    end: u64,
    /// A write failed and could not be undone.
    unsure: bool,
}

impl VaultFile {
    /// Makes a vault of a header and sealed records, whole or not at all.
    pub(crate) fn create(claim: Claim, header: Header, records: &[u8]) -> Result<Self, Error> {
        let path = claim.vault();
        if path.try_exists().map_err(failed("looking for", &path))? {
            return Err(Error::Exists(path));
        }
        let (file, header, end) = replace(&claim, header, &mut false, |file| file.write_all(records))?;
        Ok(Self { claim, path, file, header, end, unsure: false })
    }

    /// Opens the file and finds the newest intact header.
    pub(crate) fn open(claim: Claim) -> Result<(Self, Vec<Finding>), Error> {
        let path = claim.vault();
        let mut file = private().open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::NoVault(path.clone()),
            _ => failed("opening", &path)(source),
        })?;
        let end = file.seek(io::SeekFrom::End(0)).map_err(failed("reading", &path))?;
        if end < RECORDS {
            return Err(Error::NotAVault(path));
        }
        let mut slots = Vec::new();
        for number in [0, 1] {
            let mut slot = [0; SLOT];
            file.read_exact_at(&mut slot, (number * SLOT) as u64).map_err(failed("reading", &path))?;
            slots.push(Header::decode(number, &slot));
        }
        let mut findings = Vec::new();
        let mut newest: Option<Header> = None;
        for (number, slot) in slots.into_iter().enumerate() {
            match slot {
                // A program that knows a newer format may have changed everything else, too.
                Slot::Newer(version) => return Err(Error::Newer(version)),
                Slot::Damaged => findings.push(Finding::HeaderSlot { number }),
                Slot::Intact(header)
                    if newest.as_ref().is_none_or(|best| best.generation < header.generation) =>
                {
                    if newest.as_ref().is_some_and(|best| !best.opens_like(&header)) {
                        findings.push(Finding::StaleSlot);
                    }
                    newest = Some(header);
                }
                Slot::Intact(header) => {
                    if newest.as_ref().is_some_and(|best| !best.opens_like(&header)) {
                        findings.push(Finding::StaleSlot);
                    }
                }
            }
        }
        let header = newest.ok_or_else(|| Error::HeaderDamaged(path.clone()))?;
        Ok((Self { claim, path, file, header, end, unsure: false }, findings))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Over everything behind the header.
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk::new(&self.file, RECORDS, self.end)
    }

    /// From `offset` on.
    pub(crate) fn walk_from(&self, offset: u64) -> Walk<'_> {
        Walk::new(&self.file, offset, self.end)
    }

    pub(crate) fn reading(&self) -> impl FnOnce(io::Error) -> Error + use<> {
        failed("reading", &self.path)
    }

    /// Cuts a torn tail off.
    pub(crate) fn cut(&mut self, end: u64) -> Result<(), Error> {
        let cut = self.file.set_len(end).and_then(|()| self.file.sync_data());
        cut.map_err(failed("cutting the torn end of", &self.path))?;
        self.end = end;
        Ok(())
    }

    /// Appends sealed records with one write and one sync. When it fails, the file is as before.
    pub(crate) fn append(&mut self, records: &[u8]) -> Result<u64, Error> {
        self.sure()?;
        let offset = self.end;
        if let Err(source) = self.file.write_all_at(records, offset) {
            self.unsure = self.file.set_len(offset).is_err();
            return Err(failed("writing to", &self.path)(source));
        }
        if let Err(source) = self.file.sync_data() {
            // After a failed sync the system may drop what it could not write and report success the next time, so
            // that nothing later could be believed.
            self.unsure = true;
            let _ = self.file.set_len(offset);
            return Err(failed("syncing", &self.path)(source));
        }
        self.end += records.len() as u64;
        Ok(offset)
    }

    /// Writes `header` with the next generation into the other slot.
    pub(crate) fn write_header(&mut self, header: Header) -> Result<(), Error> {
        self.sure()?;
        let header = Header { generation: self.header.generation + 1, ..header };
        let written =
            self.file.write_all_at(&header.encode(), header.offset()).and_then(|()| self.file.sync_data());
        written.map_err(failed("writing the header of", &self.path))?;
        self.header = header;
        Ok(())
    }

    /// Writes `header` into both slots, one after the other, so that the replaced one is nowhere in the file.
    pub(crate) fn write_both_headers(&mut self, header: Header) -> Result<(), Error> {
        self.write_header(header)?;
        self.write_header(self.header.clone())
    }

    /// Replaces the file by one with this header and what `fill` writes behind it, who is given the old file and a
    /// walk over its records.
    pub(crate) fn rewrite(
        &mut self,
        header: Header,
        fill: impl FnOnce(&File, Walk<'_>, &mut File) -> io::Result<()>,
    ) -> Result<(), Error> {
        self.sure()?;
        let header = Header { generation: self.header.generation, ..header };
        let mut renamed = false;
        let replaced =
            replace(&self.claim, header, &mut renamed, |target| fill(&self.file, self.walk(), target));
        // Once the new file bears the name, what would be appended to the old one would be lost.
        self.unsure = renamed && replaced.is_err();
        (self.file, self.header, self.end) = replaced?;
        Ok(())
    }

    fn sure(&self) -> Result<(), Error> {
        if self.unsure { Err(Error::Unsure(self.path.clone())) } else { Ok(()) }
    }
}

/// Writes a whole vault beside the old one, syncs it and renames it into place. Both slots get the header.
/// `renamed` tells, also after an error, whether the new file bears the name.
fn replace(
    claim: &Claim,
    header: Header,
    renamed: &mut bool,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(File, Header, u64), Error> {
    let (path, new) = (claim.vault(), claim.dir.join(NEW));
    if let Err(source) = fs::remove_file(&new)
        && source.kind() != io::ErrorKind::NotFound
    {
        return Err(failed("removing the unfinished", &new)(source));
    }
    let mut file = private().create_new(true).open(&new).map_err(failed("making", &new))?;
    let first = Header { generation: header.generation + 1, ..header };
    let second = Header { generation: first.generation + 1, ..first.clone() };
    let written = [&first, &second]
        .into_iter()
        .try_for_each(|header| file.write_all_at(&header.encode(), header.offset()))
        .and_then(|()| file.seek(io::SeekFrom::Start(RECORDS)))
        .and_then(|_| fill(&mut file))
        .and_then(|()| file.sync_all())
        .and_then(|()| file.stream_position())
        .and_then(|end| fs::rename(&new, &path).map(|()| end))
        .inspect(|_| *renamed = true)
        .and_then(|end| File::open(&claim.dir)?.sync_all().map(|()| end));
    match written {
        Ok(end) => Ok((file, second, end)),
        Err(source) => {
            // What is left of it holds nothing that the vault does not, and the next attempt removes it.
            let _ = fs::remove_file(&new);
            Err(failed("writing", &new)(source))
        }
    }
}

/// Makes a folder and those above it, each of them synced into the one that holds it, so that a vault reported as made
/// can't vanish with its folder.
fn make_folder(dir: &Path) -> io::Result<()> {
    if dir.as_os_str().is_empty() || dir.is_dir() {
        return Ok(());
    }
    let above = dir.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if above != dir {
        make_folder(above)?;
    }
    match DirBuilder::new().mode(0o700).create(dir) {
        // Made by another process meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => File::open(above)?.sync_all(),
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}

pub(crate) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { doing, path, source }
}
