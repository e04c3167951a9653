//! What the tests share: a profile in a temporary folder, a clock that is set by hand, telegrams.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use secrecy::SecretString;
use tempfile::TempDir;
use vault::{
    Autograph, Cost, Error, FILE, Language, Opening, Passwords, RecoveryPhrase, Surroundings, Vault,
    autograph::Typed,
};
use wire::{
    bounded::Bytes,
    key::SigningKey,
    telegram::{Kind, Signer, Telegram},
    time::Timestamp,
};

/// A kind of the program's own.
pub(crate) const HISTORY: u16 = 100;
/// Where records begin in the file.
pub(crate) const RECORDS: usize = 8192;
/// What a record takes besides its content.
pub(crate) const OVERHEAD: usize = 64;

/// A profile with its own clock; passwords are weak to derive.
pub(crate) struct Bench {
    _dir: TempDir,
    pub(crate) profile: PathBuf,
    pub(crate) clock: Arc<AtomicU64>,
    pub(crate) surroundings: Surroundings,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let profile = dir.path().join("profile");
        let clock = Arc::new(AtomicU64::new(1_000_000));
        let read = Arc::clone(&clock);
        let surroundings = Surroundings {
            now: Arc::new(move || Timestamp(read.load(Ordering::SeqCst))),
            cost: Cost::Weak,
            ..Surroundings::system()
        };
        Self { _dir: dir, profile, clock, surroundings }
    }

    /// With a vault of two passwords in it, closed again.
    pub(crate) fn with_vault() -> Self {
        let bench = Self::new();
        drop(bench.create());
        bench
    }

    pub(crate) fn create(&self) -> Vault {
        Vault::create(&self.profile, &two(), None, self.surroundings.clone()).unwrap()
    }

    pub(crate) fn open(&self) -> Opening {
        self.try_open(&a()).unwrap()
    }

    pub(crate) fn try_open(&self, password: &SecretString) -> Result<Opening, Error> {
        Vault::open(&self.profile, password, self.surroundings.clone())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.profile.join(FILE)
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(self.path()).unwrap()
    }

    /// Puts other bytes in the vault's place.
    pub(crate) fn set_bytes(&self, bytes: &[u8]) {
        fs::write(self.path(), bytes).unwrap();
    }

    pub(crate) fn pass_seconds(&self, seconds: u64) {
        self.clock.fetch_add(seconds * 1000, Ordering::SeqCst);
    }
}

pub(crate) fn a() -> SecretString {
    "outer drawer".into()
}

pub(crate) fn b() -> SecretString {
    "inner drawer".into()
}

pub(crate) fn two() -> Passwords {
    Passwords::Two { a: a(), b: b() }
}

/// An autograph of typed letters.
pub(crate) fn autograph(text: &str) -> Autograph {
    Autograph::new(vec![], Some(Typed { text: text.into(), intervals: vec![120, 80] })).unwrap()
}

/// A fresh phrase.
pub(crate) fn phrase() -> RecoveryPhrase {
    RecoveryPhrase::generate(Language::English, &Surroundings::system())
}

/// A telegram unlike those of other numbers.
pub(crate) fn telegram(number: u64) -> Telegram {
    let key = SigningKey::from_seed(&[9; 32]);
    let bytes = number.to_le_bytes().to_vec();
    let signature = key.sign(&bytes);
    let signer = Signer::Key(key.verification_key());
    Telegram { kind: Kind::Payment, signer, bytes: Bytes::new(bytes).unwrap(), signature }
}

/// Copies a profile's vault into another folder.
pub(crate) fn copy_vault(from: &Bench, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::copy(from.path(), to.join(FILE)).unwrap();
}
