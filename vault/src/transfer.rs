//! One telegram of the outbox in a file of its own, to be carried and taken in again on the same profile.
//!
//! The format is in the crate's documentation.

use serde::{Deserialize, Serialize};
use wire::{codec, id::TelegramId, telegram::Telegram, time::Timestamp};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    contents::Draft,
    error::Error,
    kind,
    outbox::{Prepared, State, Turn},
    record::MAX_CONTENT,
    seal::{self, NONCE, TAG},
    vault::Vault,
};

const MAGIC: &[u8; 8] = b"INKANOUT";
const VERSION: u16 = 1;
const HEAD: usize = 26;
/// The content of a record and, optionally, when it may have left.
const CONTENT_MAX: usize = MAX_CONTENT + 9;

/// What an exported item says.
#[derive(Serialize, Deserialize)]
struct Exported {
    telegram: Telegram,
    beside: Vec<u8>,
    note: Vec<u8>,
    prepared_at: Timestamp,
    left_at: Option<Timestamp>,
}

impl Vault {
    /// A telegram that waits, for a file of its own. It stays in the outbox; only this vault, or a copy of its file, can
    /// take the exported one in.
    ///
    /// # Errors
    /// [`Error::UnknownTelegram`], [`Error::Ended`].
    pub fn export(&self, id: TelegramId) -> Result<Vec<u8>, Error> {
        let item = self.outbox().waiting(id)?;
        let left_at = match item.state {
            State::MayHaveLeft { since } => Some(since),
            _ => None,
        };
        let mut exported = Exported {
            telegram: item.telegram.clone(),
            beside: item.beside.clone(),
            note: item.note.clone(),
            prepared_at: item.prepared_at,
            left_at,
        };
        let mut bytes = [MAGIC.as_slice(), &VERSION.to_le_bytes(), &self.file.header.vault].concat();
        let nonce = self.surroundings.array();
        let content = Zeroizing::new(codec::encode(&exported));
        exported.beside.zeroize();
        exported.note.zeroize();
        let sealed = seal::seal(&self.data_key, &nonce, &context(&bytes), &content);
        bytes.extend_from_slice(&nonce);
        bytes.extend(sealed);
        Ok(bytes)
    }

    /// Takes an exported telegram into the outbox, where it waits as it did: what may have left may have left.
    ///
    /// # Errors
    /// [`Error::Export`] says why a file is none of this vault's, [`Error::AlreadyThere`] that it waits here,
    /// [`Error::Ended`] that it has ended here; [`Error::OutboxFull`]; the disk's failure.
    pub fn import(&mut self, bytes: &[u8]) -> Result<TelegramId, Error> {
        let Exported { telegram, beside, note, prepared_at, left_at } = self.read_export(bytes)?;
        let id = telegram.id();
        if self.outbox().item(&id).is_some_and(|item| !item.state.is_open()) {
            return Err(Error::Ended(id));
        }
        self.outbox().check_put(id)?;
        let mut drafts = vec![Prepared { telegram, beside, note, at: prepared_at }.draft()?];
        if let Some(at) = left_at {
            drafts.push(Draft::own(kind::LEFT, &Turn { id, at })?);
        }
        self.append_all(drafts)?;
        Ok(id)
    }

    fn read_export(&self, bytes: &[u8]) -> Result<Exported, Error> {
        let (head, rest) =
            bytes.split_first_chunk::<HEAD>().ok_or(Error::Export("is not in this file; it is too short"))?;
        if !head.starts_with(MAGIC) {
            return Err(Error::Export("is not in this file"));
        }
        if head[8..10] != VERSION.to_le_bytes() {
            return Err(Error::Export("was written by a newer program; use that one"));
        }
        if head[10..] != self.file.header.vault {
            return Err(Error::Export(
                "belongs to another vault; take it in on the profile that it came from",
            ));
        }
        let damaged = || Error::Export("is damaged or was changed; export it again");
        if rest.len() > NONCE + TAG + CONTENT_MAX {
            return Err(damaged());
        }
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or_else(damaged)?;
        let content = seal::open(&self.data_key, nonce, &context(head), sealed).ok_or_else(damaged)?;
        codec::decode("exported telegram", &content, CONTENT_MAX).map_err(|_| damaged())
    }
}

fn context(head: &[u8]) -> Vec<u8> {
    [head, b"inkan/v1/outbox-item"].concat()
}
