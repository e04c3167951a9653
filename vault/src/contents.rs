//! What the records say, rebuilt at opening and kept up with every append.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wire::{
    codec,
    id::AccountNumber,
    key::{SigningKey, VerificationKey},
    telegram::Telegram,
};
use zeroize::Zeroizing;

use crate::{
    custody::SealedKey,
    error::Error,
    kind,
    outbox::{Closed, Outbox, Prepared, State, Turn},
    record::{MAX_CONTENT, Record},
};

/// The center that this vault serves and what is kept of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedCenter {
    /// Its root key, from the invitation. It never changes in a vault.
    pub root: VerificationKey,
    /// Where it is reached, as typed in the invitation or told by the center.
    pub addresses: Vec<String>,
    /// The newest key sheet that was verified under the root key.
    pub sheet: Option<Telegram>,
    /// The newest checkpoint that was believed, as a signed note.
    pub checkpoint: Option<String>,
    /// The number that the center gave, once it did.
    pub account: Option<AccountNumber>,
}

/// A record about to be appended.
pub struct Draft {
    pub(crate) kind: u16,
    pub(crate) content: Zeroizing<Vec<u8>>,
}

impl Draft {
    /// A record of the program's own.
    ///
    /// # Errors
    /// When `kind` is below [`kind::PROGRAM`] or the value is longer than [`MAX_CONTENT`].
    pub fn new<T: Serialize + ?Sized>(kind: u16, value: &T) -> Result<Self, Error> {
        if kind < kind::PROGRAM {
            return Err(Error::Reserved(kind));
        }
        Self::own(kind, &value)
    }

    /// A record of any kind.
    pub(crate) fn own<T: Serialize>(kind: u16, value: &T) -> Result<Self, Error> {
        let content = Zeroizing::new(codec::encode(value));
        if content.len() > MAX_CONTENT {
            return Err(Error::TooLong(content.len()));
        }
        Ok(Self { kind, content })
    }
}

/// The vault's own state.
#[derive(Default)]
pub(crate) struct Contents {
    /// Sequence number to offset, of every intact record.
    pub(crate) index: BTreeMap<u64, u64>,
    /// The next record's sequence number.
    pub(crate) next: u64,
    pub(crate) signature_key: Option<SealedKey>,
    pub(crate) terminal_key: Option<SigningKey>,
    pub(crate) drawn_seal: Option<Zeroizing<Vec<u8>>>,
    pub(crate) center: Option<PinnedCenter>,
    pub(crate) settings: Option<Record>,
    pub(crate) outbox: Outbox,
}

impl Contents {
    /// Takes in one of the vault's own records; the program's are none of its business.
    pub(crate) fn absorb(&mut self, record: &Record) -> Result<(), Error> {
        let sequence = record.sequence;
        match record.kind {
            kind::SIGNATURE_KEY => self.signature_key = Some(record.decode("signature key")?),
            kind::TERMINAL_KEY => {
                let seed: Zeroizing<[u8; 32]> = Zeroizing::new(record.decode("terminal key")?);
                self.terminal_key = Some(SigningKey::from_seed(&seed));
            }
            kind::DRAWN_SEAL => self.drawn_seal = Some(Zeroizing::new(record.decode("drawn seal")?)),
            kind::PINNED_CENTER => self.center = Some(record.decode("pinned center")?),
            kind::SETTINGS => self.settings = Some(record.clone()),
            kind::PREPARED => self.outbox.put(sequence, record.decode::<Prepared>("outbox telegram")?),
            kind::LEFT => {
                let Turn { id, at } = record.decode("outbox departure")?;
                self.outbox.set(&id, State::MayHaveLeft { since: at });
            }
            kind::CLOSED => {
                let Closed { id, at, outcome } = record.decode("outbox answer")?;
                self.outbox.set(&id, State::Closed { at, outcome });
            }
            kind::WITHDRAWN => {
                let Turn { id, at } = record.decode("outbox withdrawal")?;
                self.outbox.set(&id, State::Withdrawn { at });
            }
            _ => {}
        }
        Ok(())
    }
}
