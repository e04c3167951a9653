//! The vault itself: what the programs call. Everything here is synchronous and may take a disk's time or, with a
//! password, half a second; callers with an event loop use a blocking task.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};
use wire::{
    id::TelegramId,
    key::{SigningKey, VerificationKey},
    telegram::Telegram,
};
use zeroize::Zeroizing;

use crate::{
    contents::{Contents, Draft, PinnedCenter},
    custody::{SealedKey, SigningHand, fresh_signature_key},
    error::{Error, Which},
    file::{Claim, FILE, VaultFile},
    header::{Failures, Header, Mode, Wrap},
    kind,
    open::{Locked, Opening, attempt},
    outbox::{Closed, Outbox, Parcel, Prepared, Ready, State, Turn},
    password::{self, Key},
    record::{self, Record, Span},
    surroundings::Surroundings,
};

/// The passwords of a new vault.
#[derive(Debug, Clone)]
pub enum Passwords {
    /// Two, which must differ.
    Two {
        /// Opens the vault.
        a: SecretString,
        /// Opens the signature key inside it.
        b: SecretString,
    },
    /// One, which opens the vault and is asked again at every signing.
    One(SecretString),
}

impl Passwords {
    fn mode(&self) -> Mode {
        match self {
            Self::Two { .. } => Mode::Double,
            Self::One(_) => Mode::Single,
        }
    }

    fn a(&self) -> &SecretString {
        match self {
            Self::Two { a, .. } | Self::One(a) => a,
        }
    }

    fn b(&self) -> &SecretString {
        match self {
            Self::Two { b, .. } | Self::One(b) => b,
        }
    }

    /// Whether these passwords may be chosen, for a form to ask before it goes on.
    ///
    /// # Errors
    /// [`Error::Unfit`] names the first password that may not, and why.
    pub fn check(&self) -> Result<(), Error> {
        password::check(Which::A, self.a())?;
        if let Self::Two { a, b } = self {
            password::check(Which::B, b)?;
            if password::same(a, b) {
                return Err(Error::Unfit { which: Which::B, why: "must differ from password A" });
            }
        }
        Ok(())
    }
}

/// An open vault: password A was given, the data key is in memory until [`Vault::lock`] or drop.
pub struct Vault {
    pub(crate) file: VaultFile,
    pub(crate) surroundings: Surroundings,
    pub(crate) data_key: Key,
    pub(crate) contents: Contents,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.path().display())
    }
}

/// Making, opening, locking.
impl Vault {
    /// Whether a profile has a vault.
    pub fn exists(profile: &Path) -> bool {
        profile.join(FILE).exists()
    }

    /// Makes a vault with a fresh signature key and a fresh terminal key, and opens it. An autograph (for example the
    /// strokes of a drawn seal) is mixed into the signature key and kept.
    ///
    /// # Errors
    /// [`Error::Unfit`] for passwords that may not be chosen, [`Error::Exists`], [`Error::Held`], failures of the disk.
    pub fn create(
        profile: &Path,
        passwords: &Passwords,
        autograph: Option<&[u8]>,
        surroundings: Surroundings,
    ) -> Result<Self, Error> {
        passwords.check()?;
        let claim = Claim::take(profile)?;
        if Self::exists(profile) {
            return Err(Error::Exists(profile.join(FILE)));
        }
        let (mode, id) = (passwords.mode(), surroundings.array());
        let data_key: Key = Zeroizing::new(surroundings.array());
        let wrap = Wrap::new(&surroundings, mode, &id, passwords.a(), &data_key)?;
        let signature_key = fresh_signature_key(&surroundings, autograph);
        let sealed = SealedKey::new(&surroundings, mode, &id, passwords.b(), &signature_key)?;
        let terminal_seed: Key = Zeroizing::new(surroundings.array());
        let mut drafts =
            vec![Draft::own(kind::SIGNATURE_KEY, &sealed)?, Draft::own(kind::TERMINAL_KEY, &*terminal_seed)?];
        if let Some(autograph) = autograph {
            drafts.push(Draft::own(kind::DRAWN_SEAL, &autograph)?);
        }
        let header = Header { generation: 0, mode, vault: id, wrap, failures: [Failures::default(); 2] };
        let mut contents = Contents { next: 1, ..Contents::default() };
        let bytes = seal_all(&surroundings, &data_key, &id, contents.next, &drafts);
        let file = VaultFile::create(claim, header, &bytes)?;
        take_in(&mut contents, crate::header::RECORDS, drafts)?;
        Ok(Self { file, surroundings, data_key, contents })
    }

    /// Claims the profile's vault and opens it with password A.
    ///
    /// # Errors
    /// As [`Locked::claim`] and [`Locked::unlock`]. A program that asks again after a wrong password uses those two, and
    /// so keeps the vault meanwhile.
    pub fn open(
        profile: &Path,
        password: &SecretString,
        surroundings: Surroundings,
    ) -> Result<Opening, Error> {
        Locked::claim(profile, surroundings)?.unlock(password).map_err(|refused| refused.error)
    }

    /// Forgets every secret and everything read; the file stays held by this process.
    pub fn lock(self) -> Locked {
        Locked { file: self.file, surroundings: self.surroundings, findings: Vec::new() }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.file.path().to_owned()
    }

    /// Whether there are two passwords.
    pub fn mode(&self) -> Mode {
        self.file.header.mode
    }
}

/// Keys.
impl Vault {
    /// Opens the signature key with password B (with a single password: that one) for one act.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::TooSoon`], [`Error::KeyLost`], failures of the disk.
    pub fn unlock_signing(&mut self, password: &SecretString) -> Result<SigningHand, Error> {
        let sealed = self.contents.signature_key.as_ref().ok_or(Error::KeyLost("signature key"))?;
        attempt(&mut self.file, &self.surroundings, Which::B, |file| {
            sealed.open(&self.surroundings, file.header.mode, &file.header.vault, password)
        })
    }

    /// The public half of the signature key; no password is needed for it.
    ///
    /// # Errors
    /// [`Error::KeyLost`] when its record is damaged.
    pub fn verification_key(&self) -> Result<VerificationKey, Error> {
        let sealed = self.contents.signature_key.as_ref().ok_or(Error::KeyLost("signature key"))?;
        Ok(sealed.verification_key)
    }

    /// The terminal key: line identity and login. It moves no money.
    ///
    /// # Errors
    /// [`Error::KeyLost`] when its record is damaged.
    pub fn terminal_key(&self) -> Result<&SigningKey, Error> {
        self.contents.terminal_key.as_ref().ok_or(Error::KeyLost("terminal key"))
    }

    /// The autograph that was mixed into the signature key, if one was given.
    pub fn drawn_seal(&self) -> Option<&[u8]> {
        self.contents.drawn_seal.as_ref().map(|seal| seal.as_slice())
    }
}

/// Records.
impl Vault {
    /// Appends one of the program's records with one synced write; returns its sequence number.
    ///
    /// # Errors
    /// [`Error::Reserved`], [`Error::TooLong`], or the disk's failure, after which the vault is as before.
    pub fn append<T: Serialize + ?Sized>(&mut self, kind: u16, value: &T) -> Result<u64, Error> {
        self.append_all(vec![Draft::new(kind, value)?])
    }

    /// Appends several records with one synced write; returns the first one's sequence number. A crash during it may
    /// keep the first few and drop the others.
    ///
    /// # Errors
    /// The disk's failure, after which the vault is as before.
    pub fn append_all(&mut self, drafts: Vec<Draft>) -> Result<u64, Error> {
        let first = self.contents.next;
        let bytes = seal_all(&self.surroundings, &self.data_key, &self.file.header.vault, first, &drafts);
        let offset = self.file.append(&bytes)?;
        take_in(&mut self.contents, offset, drafts)?;
        Ok(first)
    }

    /// Reads one record again from the disk.
    ///
    /// # Errors
    /// [`Error::NoRecord`] when there is none of this number or it is damaged; failures of the disk.
    pub fn read(&self, sequence: u64) -> Result<Record, Error> {
        let offset = *self.contents.index.get(&sequence).ok_or(Error::NoRecord(sequence))?;
        let span = self.file.walk_from(offset).next().map_err(self.file.reading())?;
        let Some(Span::Record { head, body, .. }) = span else { return Err(Error::NoRecord(sequence)) };
        let opened = record::open(&self.data_key, &self.file.header.vault, head, &body);
        let bytes = opened.filter(|_| head.sequence == sequence).ok_or(Error::NoRecord(sequence))?;
        Ok(Record { sequence, kind: head.kind, bytes })
    }

    /// The center, once it is pinned.
    pub fn center(&self) -> Option<&PinnedCenter> {
        self.contents.center.as_ref()
    }

    /// Pins the center, or keeps what is newly known of it. Whether a sheet or checkpoint is newer and verifies is for
    /// the caller to have checked.
    ///
    /// # Errors
    /// [`Error::OtherCenter`] when the root key is not the pinned one; the disk's failure.
    pub fn pin_center(&mut self, center: &PinnedCenter) -> Result<(), Error> {
        match self.center() {
            Some(pinned) if pinned.root != center.root => return Err(Error::OtherCenter),
            Some(pinned) if pinned == center => return Ok(()),
            _ => {}
        }
        self.append_all(vec![Draft::own(kind::PINNED_CENTER, center)?]).map(drop)
    }

    /// The program's settings, in its own type; `None` before they were first kept.
    ///
    /// # Errors
    /// [`Error::Content`] when they are of another form.
    pub fn settings<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        self.contents.settings.as_ref().map(|record| record.decode("settings")).transpose()
    }

    /// Keeps the program's settings in place of the former ones.
    ///
    /// # Errors
    /// [`Error::TooLong`]; the disk's failure.
    pub fn keep_settings<T: Serialize>(&mut self, settings: &T) -> Result<(), Error> {
        self.append_all(vec![Draft::own(kind::SETTINGS, settings)?]).map(drop)
    }
}

/// The outbox; see [`crate::outbox`].
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

    /// Ends a telegram with the center's answer. The program's records that follow from the answer (history, receipt)
    /// are written before the end in the same synced write: after a crash in the middle of it the telegram still waits,
    /// and asking again brings the same answer; so a program tells by the id what it has already noted.
    ///
    /// # Errors
    /// [`Error::UnknownTelegram`], [`Error::Ended`]; the disk's failure, after which it still waits.
    pub fn close(&mut self, id: TelegramId, outcome: Vec<u8>, mut records: Vec<Draft>) -> Result<(), Error> {
        self.outbox().waiting(id)?;
        let closed = Closed { id, at: self.surroundings.now(), outcome };
        records.push(Draft::own(kind::CLOSED, &closed)?);
        self.append_all(records).map(drop)
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
        Draft::own(kind::PREPARED, &Prepared { telegram, beside, note, at: self.surroundings.now() })
    }
}

/// Seals drafts one after the other, as they are written.
fn seal_all(
    surroundings: &Surroundings,
    key: &Key,
    vault: &[u8; 16],
    first: u64,
    drafts: &[Draft],
) -> Vec<u8> {
    (first..)
        .zip(drafts)
        .flat_map(|(sequence, draft)| {
            record::seal(key, vault, surroundings.array(), sequence, draft.kind, &draft.content)
        })
        .collect()
}

/// Brings the state up to records that now lie in the file from `offset` on.
fn take_in(contents: &mut Contents, mut offset: u64, drafts: Vec<Draft>) -> Result<(), Error> {
    for Draft { kind, content } in drafts {
        let sequence = contents.next;
        contents.index.insert(sequence, offset);
        contents.next += 1;
        offset += record::span(content.len());
        contents.absorb(&Record { sequence, kind, bytes: content })?;
    }
    Ok(())
}
