//! A cut through the journal: all that is durable at one moment, so that it can be copied while payments run, and the proof
//! that a copy leads to the checkpoint that was signed for it.

use std::{path::Path, sync::Mutex, sync::PoisonError};

use wire::{checkpoint::SignedCheckpoint, id::Digest, key::VerificationKey, merkle::Tree, sheet::KeySheet};

use super::{
    BooksError, batch, chain,
    disk::{Disk, How},
    mark::{self, Mark},
    reader::{Indexed, Reader},
    segment,
    verify::sheets::{self, Sheets},
};

/// All that is durable at one moment.
#[derive(Debug, Clone)]
pub struct Cut {
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
    /// The checkpoint that was signed for them.
    pub note: SignedCheckpoint,
    /// The hash of the last batch.
    pub batch: Digest,
    /// The number of the last segment.
    pub segment: u32,
    /// How many bytes of it are the journal's.
    pub end: u64,
}

/// What the proof of a copy gives.
#[derive(Debug, Clone)]
pub struct Proved {
    /// How many entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Digest,
    /// The key sheet that is in force behind them.
    pub sheet: KeySheet,
}

impl Reader {
    /// A cut through the journal as it is now.
    ///
    /// # Errors
    /// When the last batch can't be read, or a crash left it without a checkpoint: then a center that is stopped has no
    /// whole cut.
    pub fn cut(&self) -> Result<Cut, BooksError> {
        let (note, end) = self.newest_end();
        let size = note.claimed().size;
        let end = end.filter(|end| end.size == size).ok_or_else(|| {
            BooksError::Stopped(format!("the last entries have no checkpoint yet; it covers {size}"))
        })?;
        let path = segment::path(self.journal(), end.segment);
        let doing = || BooksError::io(format!("reading the journal's segment {}", path.display()));
        let file = self.disk().open(&path, How::Read).map_err(doing())?;
        let mut head = [0; 8];
        file.read_at(&mut head, end.offset).map_err(doing())?;
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        let mut bytes = vec![0; length as usize];
        file.read_at(&mut bytes, end.offset).map_err(doing())?;
        if batch::hash(&bytes) != end.batch {
            let why = "the last batch is not the one that was written".into();
            return Err(BooksError::Damaged { file: path, offset: end.offset, why });
        }
        let root = note.claimed().root;
        let end_of_it = end.offset + u64::from(length);
        Ok(Cut { size, root, note, batch: end.batch, segment: end.segment, end: end_of_it })
    }
}

impl Cut {
    /// The file `signed` of books that end with the cut.
    pub fn mark(&self) -> Vec<u8> {
        mark::file(&Mark { size: self.size, root: self.root, batch: self.batch, note: self.note.clone() })
    }
}

/// Follows copied books from the root key to the last checkpoint: every checksum, the chain of batches, every kept
/// checkpoint under the key sheets that the journal itself holds, and the tree. Telegrams' signatures and postings are
/// for `books verify`.
///
/// # Errors
/// The first thing that does not hold.
pub fn prove(
    disk: &dyn Disk,
    books: &Path,
    root: &VerificationKey,
    passed: &dyn Fn(u64),
) -> Result<Proved, BooksError> {
    let journal = books.join("journal");
    let beginning = segment::beginning(&sheets::origin(disk, &journal, root)?);
    let taken = Mutex::new(Sheets::new(*root));
    let sheets = || taken.lock().unwrap_or_else(PoisonError::into_inner);
    let bears = |note: &SignedCheckpoint, tree: &Tree| {
        let claimed = note.claimed();
        let key = sheets().at(claimed.size);
        key.is_some_and(|(origin, key)| {
            note.verify(&key).is_ok()
                && claimed.origin == origin
                && tree.root_at(claimed.size) == Some(claimed.root)
        })
    };
    let mut tree = Tree::new();
    let tail = chain::follow(disk, &journal, beginning, &|_| false, &mut |link| {
        if let Some(note) = &link.batch.checkpoint
            && !bears(note, &tree)
        {
            let size = note.claimed().size;
            return Err(BooksError::Forked(format!("the checkpoint kept over {size} entries does not hold")));
        }
        for (_, record) in &link.batch.records {
            sheets().take(record).map_err(BooksError::Forked)?;
            tree.push(Indexed::of(record).leaf);
        }
        passed(tree.size());
        Ok(())
    })?;
    let mark = mark::read(disk, books)
        .ok_or_else(|| BooksError::Forked("the file `signed` is missing or damaged".into()))?;
    let size = tree.size();
    let whole = mark.size == size && mark.batch == tail.hash && tail.torn == 0;
    if !whole || mark.root != tree.root() || mark.note.claimed().size != size || !bears(&mark.note, &tree) {
        return Err(BooksError::Forked(format!(
            "a checkpoint over {} entries was signed last, and the copy ends with {size} whole entries",
            mark.size
        )));
    }
    let newest = sheets().newest().cloned();
    let sheet = newest.ok_or_else(|| BooksError::Forked("no key sheet is in the journal".into()))?;
    Ok(Proved { size, root: tree.root(), sheet })
}
