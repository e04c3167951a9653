//! Who paid, in the bank's words: they lie in the cabinet under a salted hash that the entry names.

use serde::{Deserialize, Serialize};
use wire::{
    id::{Digest, Salt},
    text::Line,
};

use super::notice::Party;
use crate::books::{BooksError, cabinet::Cabinet};

/// What is kept: the salt beside the words, so that the hash can be checked.
#[derive(Serialize, Deserialize)]
struct Kept {
    salt: Salt,
    name: Line,
    account: Line,
    bic: Line,
    words: Line,
}

/// Keeps a payer's words and gives the hash for the entry.
///
/// # Errors
/// What the cabinet says.
pub fn keep(cabinet: &Cabinet, party: &Party) -> Result<Digest, BooksError> {
    let Party { name, account, bic, words } = party.clone();
    let kept = Kept { salt: Salt::random(), name, account, bic, words };
    let digest = digest(&kept);
    let text = serde_json::to_string(&kept).unwrap_or_default();
    cabinet.put_note(digest, &text)?;
    Ok(digest)
}

/// A payer's words; `None` when they were erased or are not what the hash binds.
pub fn open(cabinet: &Cabinet, payer: Digest) -> Option<Party> {
    let text = cabinet.note(payer).ok()??;
    let kept: Kept = serde_json::from_str(&text).ok()?;
    if digest(&kept) != payer {
        return None;
    }
    let Kept { name, account, bic, words, .. } = kept;
    Some(Party { name, account, bic, words })
}

fn digest(kept: &Kept) -> Digest {
    let words = wire::codec::encode(&(&kept.name, &kept.account, &kept.bic, &kept.words));
    Digest::of(&[b"inkan/v1/payer", &kept.salt.0, &words])
}
