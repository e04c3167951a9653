//! The newest entries and their evidence: made once, when they become durable, for the payer and the store alike, and
//! for whoever follows the journal.
//!
//! What is not among them is read from the journal; a receipt of it is made from the record and the tree, at several
//! times the cost.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
};

use wire::{
    bounded::{Bytes, List},
    checkpoint::SignedCheckpoint,
    id::{Digest, EntryNumber},
    merkle::Tree,
    receipt::{Receipt, Side},
};

use super::{parts::Opened, record::Record};

/// How many entries are at hand.
const NEWEST: usize = 8192;

/// What is at hand.
#[derive(Default)]
pub(super) struct Newest(RwLock<VecDeque<Arc<Ready>>>);

/// One entry.
pub(super) struct Ready {
    record: Arc<Record>,
    opened: Opened,
    proof: List<Digest, 64>,
    /// The one that was signed when the entry became durable.
    checkpoint: SignedCheckpoint,
}

impl Ready {
    /// The last entries of a tree, under its checkpoint.
    pub(super) fn all(
        entries: Vec<(Arc<Record>, Opened)>,
        tree: &Tree,
        checkpoint: &SignedCheckpoint,
    ) -> Vec<Arc<Self>> {
        let first = tree.size() - entries.len() as u64;
        let ready = entries.into_iter().zip(tree.inclusions(first)).map(|((record, opened), proof)| {
            let proof =
                List::new(proof).expect("a tree of less than 2^64 leaves has proofs of at most 64 digests");
            Arc::new(Self { record, opened, proof, checkpoint: checkpoint.clone() })
        });
        ready.collect()
    }
}

impl Newest {
    /// Adds the entries of a batch, which follow those before.
    pub(super) fn add(&self, batch: Vec<Arc<Ready>>) {
        let mut newest = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let surplus = (newest.len() + batch.len()).saturating_sub(NEWEST).min(newest.len());
        newest.drain(..surplus);
        newest.extend(batch);
    }

    /// An entry, if it is at hand.
    pub(super) fn record(&self, number: EntryNumber) -> Option<Arc<Record>> {
        self.find(number).map(|ready| ready.record.clone())
    }

    fn find(&self, number: EntryNumber) -> Option<Arc<Ready>> {
        let newest = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let at = number.0.checked_sub(newest.front()?.record.entry.number.0)?;
        newest.get(usize::try_from(at).ok()?).cloned()
    }

    /// A receipt that opens the member's or the store's part of this very record, if its evidence is at hand.
    pub(super) fn receipt(&self, record: &Record, side: Side) -> Option<Receipt> {
        let ready = self.find(record.entry.number)?;
        let (salt, part) = ready.opened.part(record, side)?;
        Some(Receipt {
            leaf: ready.opened.leaf,
            side,
            salt,
            part: Bytes::new(part.to_vec()).ok()?,
            proof: ready.proof.clone(),
            checkpoint: ready.checkpoint.clone(),
        })
    }
}
