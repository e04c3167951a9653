//! The tree for everybody: files in the layout of [C2SP tlog-tiles](https://c2sp.org/tlog-tiles), to be served by any web
//! server, so that tools of others can read and watch the journal.
//!
//! ```text
//! DIR/checkpoint                     the newest checkpoint that was exported, a signed note
//! DIR/keys                           the root key and the key sheets, as an audit takes them
//! DIR/tile/<L>/<N>[.p/<W>]           256 hashes of level 8·L, or the first W of them
//! DIR/tile/entries/<N>[.p/<W>]       the leaves themselves, each behind its length (16 bits, big endian)
//! ```
//!
//! What is published of an entry is its [leaf](wire::receipt::Leaf) and nothing else: number, time, kind, and three salted
//! hashes. The salts derive from sixteen random bytes that stay in the journal, so that nobody can try out what a hash
//! stands for, not even whether two entries concern the same account. How many entries of which kind there were, and
//! when, everybody can see.
//!
//! An export goes on where the one before ended. Each file appears whole, the checkpoint last: a reader never meets a
//! checkpoint whose tiles are not there. Partial tiles stay until the full one is published.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use serde::Serialize;
use wire::{
    checkpoint::SignedCheckpoint,
    codec,
    id::{Digest, EntryNumber},
    key::VerificationKey,
    merkle::Tree,
};

use super::{
    BooksError, Record,
    batch::{self, Batch},
    chain,
    disk::Disk,
    keyring::Keyring,
    mark, parts, segment,
    shelf::Shelf,
    snapshot::Boundary,
    verify::{
        Where,
        sheets::{self, Sheets},
    },
};

/// Hashes of a full tile, and leaves of a full bundle.
const TILE: u64 = 256;
/// The bytes of a hash.
const HASH: usize = 32;

/// What an export did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// How many entries the folder showed before.
    pub before: u64,
    /// How many it shows now.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// Tiles and bundles that were written.
    pub written: u64,
}

/// Why there is no export: a sentence.
#[derive(Debug, thiserror::Error)]
pub enum TilesError {
    /// The journal can't be read, or is not what was signed.
    #[error(transparent)]
    Books(#[from] BooksError),
    /// What lies in the folder can't be gone on with.
    #[error("{} {why}. Its checkpoint was left as it is; export into an empty folder", dir.display())]
    Foreign {
        /// The folder.
        dir: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file system refused something.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Brings a folder up with the checkpoint that the books signed last. It only reads the books, needs no passphrase and
/// may run beside the center.
///
/// # Errors
/// When the journal does not lead to that checkpoint, the folder shows another journal, or the file system refuses.
pub fn export_books(
    books: impl Into<Shelf>,
    root: &VerificationKey,
    to: &Path,
) -> Result<Exported, TilesError> {
    export(&Where::books(&books.into()), root, to)
}

/// The newest checkpoint of the books in a folder, as it was signed; `None` where there is none.
pub fn newest_of(books: impl Into<Shelf>) -> Option<SignedCheckpoint> {
    let place = Where::books(&books.into());
    Some(mark::read(&*place.disk, &place.books.as_ref()?.dir)?.note)
}

fn export(place: &Where, root: &VerificationKey, to: &Path) -> Result<Exported, TilesError> {
    let forked = |words: &str| TilesError::Books(BooksError::Forked(words.to_owned()));
    let books = place.books.as_ref().ok_or_else(|| forked("the file `signed` is not beside it"))?;
    let mark = mark::read(&*place.disk, &books.dir)
        .ok_or_else(|| forked("the file `signed`, with the newest checkpoint, is missing or damaged"))?;
    let shown = Shown::read(to, root)?;
    let before = shown.tree.size();
    if before > mark.size {
        let why = format!("shows {before} entries, and the books signed {} last", mark.size);
        return Err(shown.foreign(why));
    }
    let mut desk = Desk { to, written: 0 };
    let (tree, sheets) = desk.entries(place, root, shown, mark.size)?;
    let key = sheets.at(mark.size);
    let signed = key.is_some_and(|(origin, key)| {
        mark.note.verify(&key).is_ok_and(|signed| signed.origin == origin && signed.size == mark.size)
    });
    if !signed || mark.note.claimed().root != tree.root() {
        return Err(forked("the checkpoint that was signed last is not that of the entries"));
    }
    desk.levels(&tree, before)?;
    let ring = Keyring::new(*root, sheets.all().map(|(_, sheet)| sheet.clone()).collect());
    desk.publish(&ring, &mark.note)?;
    desk.tidy(before, mark.size)?;
    Ok(Exported { before, size: mark.size, root: tree.root(), written: desk.written })
}

/// Where a tile lies; `width` is that of a partial one.
fn path(kind: &str, index: u64, width: Option<u64>) -> String {
    let mut groups = vec![format!("{:03}", index % 1000)];
    let mut rest = index / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    let path = format!("tile/{kind}/{}", groups.join("/"));
    width.map_or(path.clone(), |width| format!("{path}.p/{width}"))
}

/// What a folder shows already.
struct Shown {
    dir: PathBuf,
    tree: Tree,
    /// The keys that lie there; none where nothing does.
    ring: Option<Keyring>,
}

impl Shown {
    /// Reads it, and proves it by its own checkpoint.
    fn read(dir: &Path, root: &VerificationKey) -> Result<Self, TilesError> {
        let mut shown = Self { dir: dir.to_owned(), tree: Tree::new(), ring: None };
        let Some(note) = shown.text("checkpoint")? else {
            let empty = fs::read_dir(dir).map_or(true, |mut items| items.next().is_none());
            let ours = empty || dir.join("tile").is_dir();
            // Tiles without a checkpoint are an export that was interrupted; it is begun again.
            return if ours { Ok(shown) } else { Err(shown.foreign("holds other files".into())) };
        };
        let note = SignedCheckpoint::parse(&note).map_err(|error| shown.foreign(format!("shows {error}")))?;
        let ring = shown.text("keys")?.ok_or_else(|| shown.foreign("has no file `keys`".into()))?;
        let ring = Keyring::parse(&ring).map_err(|why| shown.foreign(format!("has other keys: {why}")))?;
        if ring.root() != root {
            return Err(shown.foreign("shows another center's journal".into()));
        }
        let size = note.claimed().size;
        let key = ring.newest().and_then(|sheet| sheet.key_at(wire::sheet::SheetRole::Checkpoint, size));
        if key.is_none_or(|key| note.verify(&key).is_err()) {
            return Err(shown.foreign("shows a checkpoint that this center did not sign".into()));
        }
        for index in 0..size.div_ceil(TILE) {
            let width = (size - index * TILE).min(TILE);
            let file = path("0", index, (width < TILE).then_some(width));
            let bytes =
                fs::read(dir.join(&file)).map_err(|error| shown.foreign(format!("lacks {file}: {error}")))?;
            let (hashes, []) = bytes.as_chunks::<HASH>() else {
                return Err(shown.foreign(format!("holds a damaged {file}")));
            };
            hashes.iter().for_each(|hash| shown.tree.push(Digest(*hash)));
        }
        if (shown.tree.size(), shown.tree.root()) != (size, note.claimed().root) {
            return Err(shown.foreign("holds tiles that do not lead to its checkpoint".into()));
        }
        shown.ring = Some(ring);
        Ok(shown)
    }

    fn text(&self, name: &str) -> Result<Option<String>, TilesError> {
        match fs::read_to_string(self.dir.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => {
                Err(TilesError::Io { doing: format!("reading {name} in {}", self.dir.display()), source })
            }
        }
    }

    fn foreign(&self, why: String) -> TilesError {
        TilesError::Foreign { dir: self.dir.clone(), why }
    }
}

/// The first batch of the last segment that begins with or before an entry, and where it stands: what lies before it was
/// exported already. Whether it is what was exported, the tree's root says in the end.
fn begin(disk: &dyn Disk, journal: &Path, first: u64) -> Result<Option<(Boundary, Batch)>, BooksError> {
    for number in segment::numbers(disk, journal)?.into_iter().rev() {
        let (head, bytes) = segment::read(disk, journal, number)?;
        if head.first > first {
            continue;
        }
        let Some(found) = bytes.get(segment::HEAD..).and_then(batch::delimit) else { return Ok(None) };
        let begun = batch::decode(found)?;
        let known = Boundary {
            size: begun.first + begun.records.len() as u64,
            segment: number,
            offset: segment::HEAD as u64,
            batch: batch::hash(found),
        };
        return Ok(Some((known, begun)));
    }
    Ok(None)
}

/// Writes files.
struct Desk<'a> {
    to: &'a Path,
    written: u64,
}

impl Desk<'_> {
    /// Grows the tree that is shown up to a size, and writes the bundles of its new leaves on the way. They count for
    /// nobody until a checkpoint covers them.
    fn entries(
        &mut self,
        place: &Where,
        root: &VerificationKey,
        shown: Shown,
        size: u64,
    ) -> Result<(Tree, Sheets), TilesError> {
        let (disk, journal) = (&*place.disk, &place.journal);
        let Shown { dir, mut tree, ring } = shown;
        // The last bundle is written anew where it was not full.
        let first = tree.size() - tree.size() % TILE;
        let begun = ring.zip(begin(disk, journal, first)?);
        let mut sheets = begun.as_ref().map_or_else(|| Sheets::new(*root), |(ring, _)| Sheets::known(ring));
        let (mut bundle, mut width) = (Vec::new(), 0);
        let mut refused = None;
        let mut take = |records: &[(u32, Record)]| {
            for (_, record) in records {
                let number = record.entry.number.0;
                if number < first || number >= size {
                    continue;
                }
                let forked = |words| BooksError::Forked(format!("{}: {words}", EntryNumber(number)));
                if number >= tree.size() || begun.is_none() {
                    sheets.take(record).map_err(forked)?;
                }
                let leaf = codec::encode(&parts::leaf(record));
                let hash = wire::merkle::leaf_hash(&leaf);
                match tree.leaf(number) {
                    Some(known) if known != hash => {
                        let why = "shows other entries than the journal holds".into();
                        refused = Some(TilesError::Foreign { dir: dir.clone(), why });
                        return Err(BooksError::Stopped("the export was refused".into()));
                    }
                    Some(_) => {}
                    None => tree.push(hash),
                }
                let length = u16::try_from(leaf.len()).expect("a leaf has some hundred bytes");
                bundle.extend_from_slice(&length.to_be_bytes());
                bundle.extend_from_slice(&leaf);
                width += 1;
                if width == TILE || number + 1 == size {
                    if let Err(error) = self.tile("entries", number / TILE, width, &bundle) {
                        refused = Some(error);
                        return Err(BooksError::Stopped("the export was refused".into()));
                    }
                    bundle.clear();
                    width = 0;
                }
            }
            Ok(())
        };
        let followed = match &begun {
            Some((_, (known, batch))) => take(&batch.records).and_then(|()| {
                chain::follow_from(disk, journal, known, &|_| false, &mut |link| take(&link.batch.records))
            }),
            None => {
                let beginning = segment::beginning(&sheets::origin(disk, journal, root)?);
                chain::follow(disk, journal, beginning, &|_| false, &mut |link| take(&link.batch.records))
            }
        };
        refused.map_or(Ok(()), Err)?;
        followed?;
        if tree.size() < size {
            let words = format!("a checkpoint over {size} entries was signed, and there are {}", tree.size());
            return Err(BooksError::Forked(words).into());
        }
        Ok((tree, sheets))
    }

    /// The tiles of every level that a tree of `before` leaves did not have.
    fn levels(&mut self, tree: &Tree, before: u64) -> Result<(), TilesError> {
        let mut hashes: Vec<Digest> = (0..tree.size()).filter_map(|index| tree.leaf(index)).collect();
        let mut known = before;
        for level in 0u32.. {
            if hashes.is_empty() {
                break;
            }
            let from = (known - known % TILE) as usize;
            for (index, tile) in (known / TILE..).zip(hashes[from.min(hashes.len())..].chunks(TILE as usize))
            {
                let bytes: Vec<u8> = tile.iter().flat_map(|hash| hash.0).collect();
                self.tile(&level.to_string(), index, tile.len() as u64, &bytes)?;
            }
            // A partial tile is not part of the level above.
            let full = hashes.chunks_exact(TILE as usize);
            hashes = full.map(|tile| tile.iter().copied().collect::<Tree>().root()).collect();
            known /= TILE;
        }
        Ok(())
    }

    fn tile(&mut self, kind: &str, index: u64, width: u64, bytes: &[u8]) -> Result<(), TilesError> {
        let path = self.to.join(path(kind, index, (width < TILE).then_some(width)));
        if fs::read(&path).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        self.written += 1;
        write(&path, bytes, false)
    }

    /// The keys and the checkpoint, once all that they stand on is on the disk.
    fn publish(&self, ring: &Keyring, note: &SignedCheckpoint) -> Result<(), TilesError> {
        make(self.to)?;
        let synced = File::open(self.to).and_then(|dir| Ok(rustix::fs::syncfs(&dir)?));
        synced.map_err(|source| TilesError::Io {
            doing: format!("bringing {} to the disk", self.to.display()),
            source,
        })?;
        write(&self.to.join("keys"), ring.to_string().as_bytes(), true)?;
        write(&self.to.join("checkpoint"), note.note().as_bytes(), true)
    }

    /// Removes the partial tiles whose full ones are published.
    fn tidy(&self, before: u64, size: u64) -> Result<(), TilesError> {
        let (mut before, mut size) = (before, size);
        let mut level = 0u32;
        while before > 0 {
            let index = before / TILE;
            if before % TILE > 0 && size / TILE > index {
                let names = [Some(level.to_string()), (level == 0).then(|| "entries".to_owned())];
                for kind in names.into_iter().flatten() {
                    let partial = self.to.join(format!("{}.p", path(&kind, index, None)));
                    match fs::remove_dir_all(&partial) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => {
                            let doing = format!("removing {}", partial.display());
                            return Err(TilesError::Io { doing, source: error });
                        }
                        _ => {}
                    }
                }
            }
            (before, size, level) = (before / TILE, size / TILE, level + 1);
        }
        Ok(())
    }
}

/// Writes a file that everybody may read, in one step.
fn write(path: &Path, bytes: &[u8], durable: bool) -> Result<(), TilesError> {
    let folder = path.parent().unwrap_or(path);
    make(folder)?;
    let unfinished = path.with_extension("new");
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        if durable {
            file.sync_all()?;
        }
        fs::rename(&unfinished, path)?;
        if durable { File::open(folder)?.sync_all() } else { Ok(()) }
    });
    written.map_err(|source| TilesError::Io { doing: format!("writing {}", path.display()), source })
}

fn make(dir: &Path) -> Result<(), TilesError> {
    let made = DirBuilder::new().recursive(true).mode(0o755).create(dir);
    made.map_err(|source| TilesError::Io { doing: format!("making the folder {}", dir.display()), source })
}

#[cfg(test)]
mod tests;
