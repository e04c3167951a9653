//! Evidence of the newest entries: made once, when they become durable, for the payer and the store alike.
//!
//! A receipt of an entry that is not among them is made from the record and the tree, at several times the cost.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
};

use wire::{
    bounded::{Bytes, List},
    checkpoint::SignedCheckpoint,
    id::Digest,
    merkle::Tree,
    receipt::{Receipt, Side},
};

use super::{parts::Opened, record::Record};

/// For how many entries evidence is at hand.
const NEWEST: usize = 4096;

/// What is at hand.
#[derive(Default)]
pub(super) struct Newest(RwLock<VecDeque<Arc<Ready>>>);

/// The evidence of one entry.
pub(super) struct Ready {
    opened: Opened,
    proof: List<Digest, 64>,
    /// The one that was signed when the entry became durable.
    checkpoint: SignedCheckpoint,
}

impl Ready {
    /// The evidence of the last entries of a tree, under its checkpoint.
    pub(super) fn all(opened: Vec<Opened>, tree: &Tree, checkpoint: &SignedCheckpoint) -> Vec<Arc<Self>> {
        let first = tree.size() - opened.len() as u64;
        let ready = opened.into_iter().zip(tree.inclusions(first)).map(|(opened, proof)| {
            let proof =
                List::new(proof).expect("a tree of less than 2^64 leaves has proofs of at most 64 digests");
            Arc::new(Self { opened, proof, checkpoint: checkpoint.clone() })
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

    /// A receipt that opens the member's or the store's part of this very record, if its evidence is at hand.
    pub(super) fn receipt(&self, record: &Record, side: Side) -> Option<Receipt> {
        let ready = {
            let newest = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let at = record.entry.number.0.checked_sub(newest.front()?.opened.leaf.entry.0)?;
            newest.get(usize::try_from(at).ok()?)?.clone()
        };
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
