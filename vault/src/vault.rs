//! The vault itself: what the programs call. Everything here is synchronous and may take a disk's time or, with a
//! password, half a second; callers with an event loop use a blocking task.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};
use wire::{
    admission::VaultPolicy,
    id::TelegramId,
    key::{SigningKey, VerificationKey},
    payload::KeyRole,
    telegram::Telegram,
};
use zeroize::Zeroizing;

use crate::{
    autograph::Autograph,
    contents::{Contents, Draft, PinnedCenter},
    custody::{SealedKey, SigningHand, fresh_signature_key},
    error::{Error, Which},
    file::{Claim, FILE, VaultFile},
    header::{Failures, Header, Mode, Wrap},
    keys::DrawnFor,
    kind,
    open::{Locked, Opening, attempt},
    outbox::{Closed, Outbox, Parcel, Prepared, Ready, State, Turn},
    page::InPage,
    password::{self, Derivation, Key},
    record::{self, Record, Span},
    session::SigningSession,
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
    pub(crate) fn mode(&self) -> Mode {
        match self {
            Self::Two { .. } => Mode::Double,
            Self::One(_) => Mode::Single,
        }
    }

    pub(crate) fn a(&self) -> &SecretString {
        match self {
            Self::Two { a, .. } | Self::One(a) => a,
        }
    }

    pub(crate) fn b(&self) -> &SecretString {
        match self {
            Self::Two { b, .. } | Self::One(b) => b,
        }
    }

    /// Whether these passwords may be chosen, for a form to ask before it goes on.
    ///
    /// # Errors
    /// [`Error::Unfit`] names the first password that may not, and why.
    pub fn check(&self) -> Result<(), Error> {
        self.check_for(&[])
    }

    /// As [`Passwords::check`], by someone of whom `user_words` are known: name, e-mail, birth date. They are the first
    /// that a guesser tries.
    ///
    /// # Errors
    /// As [`Passwords::check`].
    pub fn check_for(&self, user_words: &[&str]) -> Result<(), Error> {
        if let Self::Two { a, b } = self
            && password::same(a, b)
        {
            return Err(Error::Unfit { which: Which::B, why: "must differ from password A".into() });
        }
        password::check(Which::A, self.a(), user_words)?;
        if let Self::Two { b, .. } = self {
            password::check(Which::B, b, user_words)?;
        }
        Ok(())
    }
}

/// An open vault: password A was given, the data key is in memory until [`Vault::lock`] or drop.
pub struct Vault {
    pub(crate) file: VaultFile,
    pub(crate) surroundings: Surroundings,
    pub(crate) data_key: InPage<Key>,
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

    /// Makes a vault with a fresh signature key and a fresh terminal key, and opens it. An autograph is mixed into the
    /// signature key and kept as the drawn seal.
    ///
    /// # Errors
    /// [`Error::Unfit`] for passwords that may not be chosen, [`Error::Exists`], [`Error::Held`], failures of the disk.
    pub fn create(
        profile: &Path,
        passwords: &Passwords,
        autograph: Option<&Autograph>,
        surroundings: Surroundings,
    ) -> Result<Self, Error> {
        let blank = Blank::new(profile, passwords, surroundings, None)?;
        let key = fresh_signature_key(&blank.surroundings, autograph);
        let mut drafts = vec![blank.signature_key(kind::SIGNATURE_KEY, &key)?, blank.fresh_terminal_key()?];
        if let Some(autograph) = autograph {
            let drawn = DrawnFor { key: key.verification_key(), autograph: autograph.encode() };
            drafts.push(Draft::own(kind::AUTOGRAPH, &drawn)?);
        }
        blank.fill(drafts)
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
        let sealed = self.contents.keys.signature.now.as_ref().ok_or(Error::KeyLost("signature key"))?;
        let hand = attempt(&mut self.file, &self.surroundings, Which::B, |file| {
            sealed.value.open(&self.surroundings, file.header.mode, &file.header.vault, password)
        })?;
        if sealed.value.is_outdated(self.contents.policy) {
            let header = self.file.header.clone();
            self.reseal(header, &hand, password, password)?;
        }
        Ok(hand)
    }

    /// Opens the signature key with password B for several acts, until the instant that the caller states.
    ///
    /// # Errors
    /// As [`Vault::unlock_signing`].
    pub fn unlock_session(
        &mut self,
        password: &SecretString,
        until: std::time::Instant,
    ) -> Result<SigningSession, Error> {
        let SigningHand(key) = self.unlock_signing(password)?;
        Ok(SigningSession::new(key, until))
    }

    /// The public half of the signature key; no password is needed for it.
    ///
    /// # Errors
    /// [`Error::KeyLost`] when its record is damaged.
    pub fn verification_key(&self) -> Result<VerificationKey, Error> {
        self.contents.keys.now(KeyRole::Signature).ok_or(Error::KeyLost("signature key"))
    }

    /// The terminal key: line identity and login. It moves no money.
    ///
    /// # Errors
    /// [`Error::KeyLost`] when its record is damaged.
    pub fn terminal_key(&self) -> Result<&SigningKey, Error> {
        let kept = self.contents.keys.terminal.now.as_ref().ok_or(Error::KeyLost("terminal key"))?;
        Ok(&kept.value)
    }

    /// The drawn seal as it is kept: the newest autograph that was mixed into a signature key in force.
    pub fn drawn_seal(&self) -> Option<&[u8]> {
        self.contents.keys.drawn.now.as_ref().map(|seal| seal.value.as_slice())
    }

    /// The drawn seal, to be shown at every signing. `None` where none was given, or in a form of before [`Autograph`].
    pub fn autograph(&self) -> Option<Autograph> {
        Autograph::decode(self.drawn_seal()?)
    }

    /// Whether the system keeps this vault's keys out of the swap.
    pub fn keys_locked(&self) -> bool {
        self.data_key.locked() && self.contents.keys.locked()
    }

    /// What the center asks for, once it is known.
    pub fn policy(&self) -> Option<VaultPolicy> {
        self.contents.policy
    }

    /// Keeps what the center asks for. Passwords chosen from now on follow it; those there are follow when they are next
    /// at hand: A at the next opening, B at the next signing.
    ///
    /// # Errors
    /// [`Error::Policy`] when it asks for more than a vault takes; the disk's failure.
    pub fn keep_policy(&mut self, policy: VaultPolicy) -> Result<(), Error> {
        Derivation::check_policy(policy)?;
        if self.contents.policy == Some(policy) {
            return Ok(());
        }
        self.append_all(vec![Draft::own(kind::POLICY, &policy)?]).map(drop)
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
        // The records are kept, and that is what is reported. A key no longer in force whose removal fails is removed at
        // the next change or opening.
        let _ = self.sweep();
        Ok(first)
    }

    /// The newest record's sequence number; 0 when there is none.
    pub fn newest(&self) -> u64 {
        self.contents.next - 1
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

/// A vault about to be made: the profile claimed, the passwords fit, nothing written.
pub(crate) struct Blank {
    claim: Claim,
    pub(crate) surroundings: Surroundings,
    header: Header,
    data_key: Key,
    password_b: SecretString,
    policy: Option<VaultPolicy>,
}

impl Blank {
    pub(crate) fn new(
        profile: &Path,
        passwords: &Passwords,
        surroundings: Surroundings,
        policy: Option<VaultPolicy>,
    ) -> Result<Self, Error> {
        passwords.check()?;
        let claim = Claim::take(profile)?;
        if Vault::exists(profile) {
            return Err(Error::Exists(profile.join(FILE)));
        }
        let (mode, vault) = (passwords.mode(), surroundings.array());
        let data_key: Key = Zeroizing::new(surroundings.array());
        let wrap = Wrap::new(&surroundings, mode, &vault, passwords.a(), &data_key, policy)?;
        let header = Header { generation: 0, mode, vault, wrap, failures: [Failures::default(); 2] };
        Ok(Self { claim, surroundings, header, data_key, password_b: passwords.b().clone(), policy })
    }

    /// The record of a signature key, sealed under password B.
    pub(crate) fn signature_key(&self, kind: u16, key: &SigningKey) -> Result<Draft, Error> {
        let Header { mode, vault, .. } = &self.header;
        let sealed = SealedKey::new(&self.surroundings, *mode, vault, &self.password_b, key, self.policy)?;
        Draft::own(kind, &sealed)
    }

    /// The record of a fresh terminal key.
    pub(crate) fn fresh_terminal_key(&self) -> Result<Draft, Error> {
        let seed: Key = Zeroizing::new(self.surroundings.array());
        Draft::own(kind::TERMINAL_KEY, &*seed)
    }

    /// Writes the vault with these records, whole or not at all.
    pub(crate) fn fill(self, drafts: Vec<Draft>) -> Result<Vault, Error> {
        let Self { claim, surroundings, header, data_key, .. } = self;
        let mut contents = Contents { next: 1, ..Contents::default() };
        let bytes = seal_all(&surroundings, &data_key, &header.vault, contents.next, &drafts);
        let file = VaultFile::create(claim, header, &bytes)?;
        take_in(&mut contents, crate::header::RECORDS, drafts)?;
        Ok(Vault { file, surroundings, data_key: InPage::new(data_key), contents })
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
