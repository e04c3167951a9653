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
    collections::{BTreeMap, HashMap, hash_map::Entry},
    fmt,
};

use serde::{Deserialize, Serialize};
use wire::{id::TelegramId, telegram::Telegram, time::Timestamp};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{contents::Draft, error::Error, kind, vault::Vault};

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
#[derive(Clone, PartialEq, Eq)]
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

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An answer is for the eyes of whom it answers.
        match self {
            Self::Prepared => f.write_str("Prepared"),
            Self::MayHaveLeft { since } => write!(f, "MayHaveLeft(since {since:?})"),
            Self::Closed { at, outcome } => write!(f, "Closed(at {at:?}, {} bytes)", outcome.len()),
            Self::Withdrawn { at } => write!(f, "Withdrawn(at {at:?})"),
        }
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
    beside: Zeroizing<Vec<u8>>,
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

    /// Both, owned. To wipe what travels beside the telegram is the caller's from here on.
    pub fn into_parts(self) -> (Telegram, Vec<u8>) {
        let Self { telegram, mut beside } = self;
        (telegram, std::mem::take(&mut *beside))
    }
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parcel({})", self.id().short())
    }
}

/// Every telegram that was ever put here, in the order of putting. What travels beside them is wiped when it is dropped.
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
        // A telegram that stands in the file twice is where it first stood.
        let Entry::Vacant(place) = self.places.entry(telegram.id()) else { return };
        place.insert(sequence);
        self.open += 1;
        self.items.insert(sequence, Item { telegram, beside, note, prepared_at: at, state: State::Prepared });
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

impl Drop for Outbox {
    fn drop(&mut self) {
        for item in self.items.values_mut() {
            item.beside.zeroize();
            item.note.zeroize();
        }
    }
}

/// Telegrams on their way.
impl Vault {
    /// What was put here and what became of it.
    pub fn outbox(&self) -> &Outbox {
        &self.contents.outbox
    }

    /// Puts a signed telegram on disk. Only when it is there is there a [`Ready`].
    ///
    /// # Errors
    /// [`Error::AlreadyThere`], [`Error::OutboxFull`], [`Error::TooLong`]; the disk's failure, after which it is not here.
    pub fn put(&mut self, telegram: Telegram, beside: Vec<u8>, note: Vec<u8>) -> Result<Ready, Error> {
        let id = telegram.id();
        let prepared = self.prepared(telegram, beside, note)?;
        self.append_all(vec![prepared])?;
        Ok(Ready(id))
    }

    /// Notes that a telegram may have left, and hands it out to be sent.
    ///
    /// # Errors
    /// [`Error::Ended`] when it was withdrawn meanwhile; the disk's failure, after which it has not left.
    pub fn depart(&mut self, ready: Ready) -> Result<Parcel, Error> {
        let parcel = self.outbox().waiting(ready.0)?.parcel();
        let left = Turn { id: ready.0, at: self.surroundings.now() };
        self.append_all(vec![Draft::own(kind::LEFT, &left)?])?;
        Ok(parcel)
    }

    /// [`Vault::put`] and [`Vault::depart`] with one synced write, for what is signed and sent at once.
    ///
    /// # Errors
    /// As those two.
    pub fn post(&mut self, telegram: Telegram, beside: Vec<u8>, note: Vec<u8>) -> Result<Parcel, Error> {
        let id = telegram.id();
        let prepared = self.prepared(telegram, beside, note)?;
        let left = Draft::own(kind::LEFT, &Turn { id, at: self.surroundings.now() })?;
        self.append_all(vec![prepared, left])?;
        self.outbox().parcel(&id).ok_or(Error::UnknownTelegram(id))
    }

    /// Ends a telegram with the center's answer. The records that follow from the answer (history, receipt, a key's turn)
    /// are synced before the end is written, since of one write the system may keep the end and lose the beginning: after
    /// a crash in the middle of it the telegram still waits, and asking again brings the same answer; so a program tells
    /// by the id what it has already noted.
    ///
    /// # Errors
    /// [`Error::UnknownTelegram`], [`Error::Ended`]; the disk's failure, after which it still waits.
    pub fn close(&mut self, id: TelegramId, outcome: Vec<u8>, records: Vec<Draft>) -> Result<(), Error> {
        self.outbox().waiting(id)?;
        let closed = Draft::own(kind::CLOSED, &Closed { id, at: self.surroundings.now(), outcome })?;
        if !records.is_empty() {
            self.append_all(records)?;
        }
        self.append_all(vec![closed]).map(drop)
    }

    /// Takes back a telegram that never left.
    ///
    /// # Errors
    /// [`Error::MayHaveLeft`]: then only the center can end it. [`Error::UnknownTelegram`], [`Error::Ended`]; the disk's
    /// failure, after which it still waits.
    pub fn withdraw(&mut self, id: TelegramId) -> Result<(), Error> {
        if matches!(self.outbox().waiting(id)?.state, State::MayHaveLeft { .. }) {
            return Err(Error::MayHaveLeft(id));
        }
        let withdrawn = Turn { id, at: self.surroundings.now() };
        self.append_all(vec![Draft::own(kind::WITHDRAWN, &withdrawn)?]).map(drop)
    }

    fn prepared(&self, telegram: Telegram, beside: Vec<u8>, note: Vec<u8>) -> Result<Draft, Error> {
        self.outbox().check_put(telegram.id())?;
        Prepared { telegram, beside, note, at: self.surroundings.now() }.draft()
    }
}

impl Item {
    pub(crate) fn parcel(&self) -> Parcel {
        Parcel { telegram: self.telegram.clone(), beside: Zeroizing::new(self.beside.clone()) }
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

impl Prepared {
    /// The record, for which the value itself is wiped.
    pub(crate) fn draft(mut self) -> Result<Draft, Error> {
        let draft = Draft::own(kind::PREPARED, &self);
        self.beside.zeroize();
        self.note.zeroize();
        draft
    }
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

    fn telegram(number: u64) -> Telegram {
        let key = SigningKey::from_seed(&[9; 32]);
        let bytes = number.to_le_bytes().to_vec();
        let (signer, signature) = (Signer::Key(key.verification_key()), key.sign(&bytes));
        Telegram { kind: Kind::Payment, signer, bytes: Bytes::new(bytes).unwrap(), signature }
    }

    #[test]
    fn only_so_many_may_wait() {
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

    #[test]
    fn a_telegram_that_stands_in_the_file_twice_is_one() {
        let (mut outbox, id) = (Outbox::default(), telegram(1).id());
        for (sequence, note) in [(7, b"first"), (9, b"again")] {
            let (beside, note, at) = (vec![], note.to_vec(), Timestamp(0));
            outbox.put(sequence, Prepared { telegram: telegram(1), beside, note, at });
        }
        assert_eq!((outbox.item(&id).unwrap().note.as_slice(), outbox.open_count()), (&b"first"[..], 1));
        outbox.set(&id, State::Withdrawn { at: Timestamp(1) });
        assert_eq!(outbox.open_count(), 0);
    }

    #[test]
    fn an_answer_does_not_print() {
        let closed = State::Closed { at: Timestamp(1), outcome: vec![0xc0, 0xde] };
        let printed = format!("{closed:?}");
        assert!(printed.contains("2 bytes") && !printed.contains("192"), "{printed}");
    }
}
