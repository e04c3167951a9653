//! The outbox: what makes a telegram unlosable.
//!
//! ```text
//!            put                    depart                     close
//!   signed ───────▶ Prepared ─────────────────▶ MayHaveLeft ───────────▶ Closed
//!                      │ withdraw                    │ parcel (asks again with the same bytes)
//!                      ▼                             ▼
//!                  Withdrawn                    MayHaveLeft
//! ```
//!
//! Each arrow is a record that is synced before the call returns. A [`Parcel`] is the only thing to hand to a line, and
//! there is none for a telegram that is not on disk as having left; so a crash can repeat a telegram, which its id makes
//! harmless, and never lose one. What ends *may have left* is the center's word alone, not the terminal's clock.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use serde::{Deserialize, Serialize};
use wire::{id::TelegramId, telegram::Telegram, time::Timestamp};

use crate::error::Error;

/// The most telegrams that may wait at once.
pub const OPEN_MAX: usize = 1000;

/// A telegram in the outbox.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// Exactly what was signed.
    pub telegram: Telegram,
    /// What travels beside it, whose hash it signs.
    pub beside: Vec<u8>,
    /// What the program wants to know about it later.
    pub note: Vec<u8>,
    /// When it was put here.
    pub prepared_at: Timestamp,
    /// What became of it.
    pub state: State,
}

/// What became of a telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// On disk, never sent.
    Prepared,
    /// Handed to a line at least once: unknown until the center says.
    MayHaveLeft {
        /// When it was first handed out.
        since: Timestamp,
    },
    /// The center's answer is here.
    Closed {
        /// When the answer was kept.
        at: Timestamp,
        /// The answer, in the program's own encoding.
        outcome: Vec<u8>,
    },
    /// Taken back before it left.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
}

impl State {
    /// Whether it still waits for something.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Prepared | Self::MayHaveLeft { .. })
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What travels beside a telegram is secret by definition.
        f.debug_struct("Item")
            .field("id", &self.telegram.id())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// Proof that a telegram is on disk and may leave. Only the vault makes one.
#[derive(Debug)]
#[must_use = "it waits in the outbox until it departs or is withdrawn"]
pub struct Ready(pub(crate) TelegramId);

impl Ready {
    /// The telegram.
    pub fn id(&self) -> TelegramId {
        self.0
    }
}

/// A telegram that is on disk as having left: what is handed to a line.
#[must_use = "it counts as having left; send it, or ask the center about it later"]
pub struct Parcel {
    telegram: Telegram,
    beside: Vec<u8>,
}

impl Parcel {
    /// The telegram's id.
    pub fn id(&self) -> TelegramId {
        self.telegram.id()
    }

    /// The telegram.
    pub fn telegram(&self) -> &Telegram {
        &self.telegram
    }

    /// What travels beside it.
    pub fn beside(&self) -> &[u8] {
        &self.beside
    }

    /// Both, owned.
    pub fn into_parts(self) -> (Telegram, Vec<u8>) {
        (self.telegram, self.beside)
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parcel({})", self.id().short())
    }
}

/// Every telegram that was ever put here, in the order of putting.
#[derive(Debug, Default)]
pub struct Outbox {
    items: BTreeMap<u64, Item>,
    places: HashMap<TelegramId, u64>,
    open: usize,
}

impl Outbox {
    /// All items, oldest first.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.items.values()
    }

    /// What still waits, oldest first.
    pub fn open(&self) -> impl DoubleEndedIterator<Item = &Item> {
        self.items().filter(|item| item.state.is_open())
    }

    /// How many still wait.
    pub fn open_count(&self) -> usize {
        self.open
    }

    /// One item.
    pub fn item(&self, id: &TelegramId) -> Option<&Item> {
        self.items.get(self.places.get(id)?)
    }

    /// The permission to send what was put here and has not left: after a restart, or when a line comes back.
    pub fn ready(&self, id: &TelegramId) -> Option<Ready> {
        matches!(self.item(id)?.state, State::Prepared).then_some(Ready(*id))
    }

    /// What may have left, to be sent again or asked about with exactly the same bytes.
    pub fn parcel(&self, id: &TelegramId) -> Option<Parcel> {
        let item = self.item(id)?;
        matches!(item.state, State::MayHaveLeft { .. }).then(|| item.parcel())
    }

    /// Whether a new telegram fits.
    pub(crate) fn check_put(&self, id: TelegramId) -> Result<(), Error> {
        if self.places.contains_key(&id) {
            return Err(Error::AlreadyThere(id));
        }
        if self.open >= OPEN_MAX { Err(Error::OutboxFull) } else { Ok(()) }
    }

    /// The item, if it still waits.
    pub(crate) fn waiting(&self, id: TelegramId) -> Result<&Item, Error> {
        let item = self.item(&id).ok_or(Error::UnknownTelegram(id))?;
        if item.state.is_open() { Ok(item) } else { Err(Error::Ended(id)) }
    }

    /// Takes in what a synced record says.
    pub(crate) fn put(&mut self, sequence: u64, prepared: Prepared) {
        let Prepared { telegram, beside, note, at } = prepared;
        let id = telegram.id();
        if self.places.insert(id, sequence).is_none() {
            self.open += 1;
            self.items
                .insert(sequence, Item { telegram, beside, note, prepared_at: at, state: State::Prepared });
        }
    }

    /// Takes in what a synced record says. What follows an end is ignored: a telegram ends once.
    pub(crate) fn set(&mut self, id: &TelegramId, state: State) {
        let Some(item) = self.places.get(id).and_then(|place| self.items.get_mut(place)) else { return };
        let first_departure =
            matches!(item.state, State::Prepared) || !matches!(state, State::MayHaveLeft { .. });
        if item.state.is_open() && first_departure {
            self.open -= usize::from(!state.is_open());
            item.state = state;
        }
    }
}

impl Item {
    pub(crate) fn parcel(&self) -> Parcel {
        Parcel { telegram: self.telegram.clone(), beside: self.beside.clone() }
    }
}

/// The record of [`State::Prepared`].
#[derive(Serialize, Deserialize)]
pub(crate) struct Prepared {
    pub(crate) telegram: Telegram,
    pub(crate) beside: Vec<u8>,
    pub(crate) note: Vec<u8>,
    pub(crate) at: Timestamp,
}

/// The record of [`State::MayHaveLeft`] and of [`State::Withdrawn`].
#[derive(Serialize, Deserialize)]
pub(crate) struct Turn {
    pub(crate) id: TelegramId,
    pub(crate) at: Timestamp,
}

/// The record of [`State::Closed`].
#[derive(Serialize, Deserialize)]
pub(crate) struct Closed {
    pub(crate) id: TelegramId,
    pub(crate) at: Timestamp,
    pub(crate) outcome: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use wire::{
        bounded::Bytes,
        key::SigningKey,
        telegram::{Kind, Signer},
    };

    use super::*;

    #[test]
    fn only_so_many_may_wait() {
        let key = SigningKey::from_seed(&[9; 32]);
        let telegram = |number: u64| {
            let bytes = number.to_le_bytes().to_vec();
            let (signer, signature) = (Signer::Key(key.verification_key()), key.sign(&bytes));
            Telegram { kind: Kind::Payment, signer, bytes: Bytes::new(bytes).unwrap(), signature }
        };
        let mut outbox = Outbox::default();
        for number in 0..OPEN_MAX as u64 {
            outbox.check_put(telegram(number).id()).unwrap();
            let prepared =
                Prepared { telegram: telegram(number), beside: vec![], note: vec![], at: Timestamp(0) };
            outbox.put(number, prepared);
        }
        let one_more = telegram(OPEN_MAX as u64).id();
        assert!(matches!(outbox.check_put(one_more), Err(Error::OutboxFull)));
        outbox.set(&telegram(5).id(), State::Withdrawn { at: Timestamp(1) });
        outbox.check_put(one_more).unwrap();
        outbox.set(&telegram(5).id(), State::Prepared);
        assert_eq!(outbox.open_count(), OPEN_MAX - 1, "what has ended stays ended");
    }
}
