//! Which key signs the checkpoint over how many entries.

use std::sync::{Arc, PoisonError, RwLock};

use wire::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    id::Digest,
    key::{Signature, SigningKey, VerificationKey},
    merkle::Tree,
    sheet::{KeySheet, SheetRole},
    text::Line,
};

use super::BooksError;

/// What checkpoints are signed with: for each size of the journal the key that its key sheet names. Clones share it, so
/// that a rotation reaches the books while they are open.
#[derive(Debug, Clone)]
pub struct CheckpointKey {
    /// The log's first name, from the key sheet: the journal's first segment begins with it.
    pub origin: Line,
    generations: Arc<RwLock<Vec<Generation>>>,
    /// The names under which the log went on, each with the size that it goes on from; the newest is the last.
    names: Arc<RwLock<Vec<(u64, Line)>>>,
}

/// A key of the sheet, from a size on. The newest is the last.
#[derive(Debug)]
struct Generation {
    from: u64,
    public: VerificationKey,
    /// Held only where checkpoints of its time may have to be signed again.
    signing: Option<SigningKey>,
}

/// Signs one checkpoint.
pub(super) struct Signer {
    origin: Line,
    key: SigningKey,
}

impl CheckpointKey {
    /// One key from the journal's beginning.
    pub fn new(origin: Line, key: SigningKey) -> Self {
        let first = Generation { from: 0, public: key.verification_key(), signing: Some(key) };
        Self { origin, generations: Arc::new(RwLock::new(vec![first])), names: Arc::default() }
    }

    /// The keys of a sheet, of which some are held.
    pub fn of_sheet(sheet: &KeySheet, held: &[&SigningKey]) -> Self {
        let origin = sheet.origin_at(0).clone();
        let key = Self { origin, generations: Arc::default(), names: Arc::default() };
        key.follow(sheet, held);
        key
    }

    /// From now on goes by another sheet. What was held stays held.
    pub fn follow(&self, sheet: &KeySheet, held: &[&SigningKey]) {
        let names = sheet.breaks.iter().map(|it| (it.size, sheet.origin_at(it.size + 1).clone()));
        *self.names.write().unwrap_or_else(PoisonError::into_inner) = names.collect();
        let mut generations = self.generations.write().unwrap_or_else(PoisonError::into_inner);
        let mut known: Vec<SigningKey> = generations.drain(..).filter_map(|former| former.signing).collect();
        known.extend(held.iter().map(|key| (*key).clone()));
        let named = sheet.keys.iter().filter(|entry| entry.role == SheetRole::Checkpoint);
        generations.extend(named.map(|entry| Generation {
            from: entry.from_size,
            public: entry.key,
            signing: known.iter().find(|key| key.verification_key() == entry.key).cloned(),
        }));
        generations.sort_by_key(|generation| generation.from);
    }

    /// The log's name when the journal had so many entries.
    pub fn origin_at(&self, size: u64) -> Line {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        let at = names.iter().rev().find(|(from, _)| *from < size);
        at.map_or_else(|| self.origin.clone(), |(_, name)| name.clone())
    }

    /// Where the log of this name was broken off, if it is a former one.
    pub(super) fn broken_off(&self, origin: &Line) -> Option<u64> {
        let names = self.names.read().unwrap_or_else(PoisonError::into_inner);
        let mut former = &self.origin;
        for (from, name) in &*names {
            if former == origin {
                return Some(*from);
            }
            former = name;
        }
        None
    }

    /// The signer for a size of the journal.
    ///
    /// # Errors
    /// When the key for it is not held: then nothing can be entered.
    pub(super) fn signer(&self, size: u64) -> Result<Signer, BooksError> {
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        let at = generations.iter().rev().find(|generation| generation.from <= size);
        let key = at.and_then(|generation| generation.signing.clone()).ok_or_else(|| {
            let words = "the key that signs a journal of this size is not among the center's keys";
            BooksError::Stopped(format!("{words}: {size} entries"))
        })?;
        Ok(Signer { origin: self.origin_at(size), key })
    }

    /// The checkpoint over a tree.
    ///
    /// # Errors
    /// As [`CheckpointKey::signer`].
    pub(super) fn sign(&self, tree: &Tree) -> Result<SignedCheckpoint, BooksError> {
        Ok(self.signer(tree.size())?.sign(tree))
    }

    /// Whether a checkpoint bears the signature of the key for its size.
    pub(super) fn made(&self, note: &SignedCheckpoint) -> bool {
        let size = note.claimed().size;
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        let at = generations.iter().rev().find(|generation| generation.from <= size);
        at.is_some_and(|generation| note.verify(&generation.public).is_ok())
    }

    /// Whether a snapshot over so many entries bears the signature of the key for its size.
    pub(super) fn signed(&self, size: u64, message: &[u8], signature: &Signature) -> bool {
        let generations = self.generations.read().unwrap_or_else(PoisonError::into_inner);
        let at = generations.iter().rev().find(|generation| generation.from <= size);
        at.is_some_and(|generation| generation.public.verify(message, signature).is_ok())
    }
}

impl Signer {
    /// Signs what says of itself that it is no checkpoint.
    pub(super) fn sign_bytes(&self, message: &[u8]) -> Signature {
        self.key.sign(message)
    }

    pub(super) fn sign(&self, tree: &Tree) -> SignedCheckpoint {
        self.sign_root(tree.size(), tree.root())
    }

    pub(super) fn sign_root(&self, size: u64, root: Digest) -> SignedCheckpoint {
        SignedCheckpoint::sign(&Checkpoint { origin: self.origin.clone(), size, root }, &self.key)
    }
}

#[cfg(test)]
mod tests {
    use wire::{bounded::List, sheet::SheetKey};

    use super::*;

    #[test]
    fn each_size_is_signed_by_the_key_that_the_sheet_names_for_it() {
        let (old, new) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let origin = Line::new("test/log").unwrap();
        let keys = CheckpointKey::new(origin.clone(), old.clone());
        let named = |key: &SigningKey, from_size, until_size| SheetKey {
            role: SheetRole::Checkpoint,
            key: key.verification_key(),
            from_size,
            until_size,
        };
        let sheet = KeySheet {
            number: 2,
            center: old.verification_key().center(),
            log_origin: origin,
            breaks: wire::bounded::List::default(),
            keys: List::first([named(&old, 0, Some(1)), named(&new, 2, None)]),
        };
        let shared = keys.clone();
        keys.follow(&sheet, &[&new]);
        let mut tree = Tree::new();
        for (size, key) in [(0, &old), (1, &old), (2, &new), (3, &new)] {
            assert_eq!(tree.size(), size);
            let note = shared.sign(&tree).unwrap();
            assert!(note.verify(&key.verification_key()).is_ok(), "{size} entries");
            assert!(shared.made(&note));
            tree.push(wire::id::Digest::of(&[b"leaf"]));
        }
        let without = CheckpointKey::of_sheet(&sheet, &[&new]);
        assert!(without.sign(&Tree::new()).unwrap_err().to_string().contains("0 entries"));
    }
}
