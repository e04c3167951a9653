//! What the records say, rebuilt at opening and kept up with every append.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wire::{
    admission::VaultPolicy, codec, id::AccountNumber, key::VerificationKey, telegram::Telegram,
    time::Timestamp,
};
use zeroize::Zeroizing;

use crate::{
    error::Error,
    keys::Keys,
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

/// The record of a copy deposited with the center.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Deposited {
    /// The newest record that the copy holds.
    pub(crate) up_to: u64,
    pub(crate) at: Timestamp,
}

/// The vault's own state.
#[derive(Default)]
pub(crate) struct Contents {
    /// Sequence number to offset, of every intact record.
    pub(crate) index: BTreeMap<u64, u64>,
    /// The next record's sequence number.
    pub(crate) next: u64,
    pub(crate) keys: Keys,
    pub(crate) center: Option<PinnedCenter>,
    pub(crate) settings: Option<Record>,
    pub(crate) policy: Option<VaultPolicy>,
    pub(crate) deposited: Option<Deposited>,
    /// The newest record that a deposited copy has to hold.
    pub(crate) changed: u64,
    pub(crate) outbox: Outbox,
}

impl Contents {
    /// Takes in one of the vault's own records; the program's are none of its business.
    pub(crate) fn absorb(&mut self, record: &Record) -> Result<(), Error> {
        let sequence = record.sequence;
        if !matches!(record.kind, kind::LEFT_OUT | kind::DEPOSITED | kind::PROVED) {
            self.changed = sequence;
        }
        if self.keys.absorb(record)? {
            return Ok(());
        }
        match record.kind {
            kind::PINNED_CENTER => self.center = Some(record.decode("pinned center")?),
            kind::SETTINGS => self.settings = Some(record.clone()),
            kind::POLICY => self.policy = Some(record.decode("vault policy")?),
            kind::DEPOSITED => self.deposited = Some(record.decode("deposited copy")?),
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
