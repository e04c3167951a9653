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
    key::{SigningKey, VerificationKey},
    payload::KeyRole,
};

use crate::{
    autograph::Autograph,
    blank::{Blank, seal_all, take_in},
    contents::{Contents, Draft, PinnedCenter},
    custody::{SigningHand, fresh_signature_key},
    error::{Error, Which},
    file::{FILE, VaultFile},
    header::Mode,
    keys::DrawnFor,
    kind,
    open::{Locked, Opening, attempt},
    page::InPage,
    password::{self, Derivation, Key},
    record::{self, Record, Span},
    recovery::KeyCopy,
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
    /// With the password at hand, what is sealed with less effort than the center asks for is sealed anew, and where the
    /// key is not sealed to a recovery phrase (a crash, a damaged record), it is.
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
            match self.reseal(header, &hand, password, password) {
                // The center asks for more memory than this machine has: no reason not to sign. Opening says it.
                Ok(()) | Err(Error::Derivation(_)) => {}
                Err(error) => return Err(error),
            }
        }
        self.seal_to_phrases(&hand)?;
        Ok(hand)
    }

    /// Seals a signature key to every phrase that it is not sealed to.
    pub(crate) fn seal_to_phrases(&mut self, hand: &SigningHand) -> Result<(), Error> {
        let missing = self.contents.keys.not_sealed_to(hand.verification_key());
        let drafts: Result<Vec<Draft>, Error> = missing
            .iter()
            .map(|to| Draft::own(kind::KEY_COPY, &KeyCopy::new(&self.surroundings, to, &hand.0)?))
            .collect();
        let drafts = drafts?;
        if drafts.is_empty() { Ok(()) } else { self.append_all(drafts).map(drop) }
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
