//! The header: what must be known before a password can be tried, in two checksummed slots.
//!
//! The layout of a slot is in the crate's documentation. A slot is written whole; the next write goes to the other
//! slot with a generation one higher, so that a write cut short leaves the older slot standing.

use std::{fmt, time::Duration};

use secrecy::SecretString;
use wire::{admission::VaultPolicy, time::Timestamp};

use crate::{
    error::{Error, Which},
    password::{Derivation, Key},
    seal::{self, NONCE},
    surroundings::Surroundings,
};

/// Bytes of one slot.
pub(crate) const SLOT: usize = 4096;
/// Where the records begin.
pub(crate) const RECORDS: u64 = 2 * SLOT as u64;
/// The format that this crate writes. It reads 1, too, which had no kinds between 4 and 9 nor between 12 and 18.
const VERSION: u16 = 2;
const OLDEST: u16 = 1;
const MAGIC: &[u8; 8] = b"INKANVLT";
const CHECKSUM_AT: usize = SLOT - 4;
/// No vault gets so far; it keeps the generation after any that is read countable.
const GENERATION_MAX: u64 = u64::MAX / 2;
/// The longest wait after wrong passwords.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// How many passwords the vault has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// One password: it opens the vault and is asked again at every signing.
    Single,
    /// Two passwords: A opens the vault, B the signature key inside it.
    Double,
}

/// What a slot holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) generation: u64,
    pub(crate) mode: Mode,
    pub(crate) vault: [u8; 16],
    pub(crate) wrap: Wrap,
    pub(crate) failures: [Failures; 2],
}

/// The data key, sealed under password A.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wrap {
    /// The format of the vault when this was sealed.
    version: u16,
    derivation: Derivation,
    salt: [u8; 32],
    nonce: [u8; NONCE],
    sealed: [u8; 48],
}

/// Wrong attempts at one password since the last right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Failures {
    pub(crate) count: u32,
    pub(crate) last: Timestamp,
}

/// What a slot turned out to be.
pub(crate) enum Slot {
    Intact(Header),
    /// Intact, but of a format this program does not know.
    Newer(u16),
    Damaged,
}

impl fmt::Debug for Wrap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What passwords can be tried against belongs into no log.
        write!(f, "Wrap(of format {})", self.version)
    }
}

impl Wrap {
    /// Seals `data_key` under a new password A, with a salt of its own.
    pub(crate) fn new(
        surroundings: &Surroundings,
        mode: Mode,
        vault: &[u8; 16],
        password: &SecretString,
        data_key: &Key,
        policy: Option<VaultPolicy>,
    ) -> Result<Self, Error> {
        let (version, derivation) = (VERSION, Derivation::choose(surroundings, policy)?);
        let salt = surroundings.array();
        let nonce = surroundings.array();
        let key = derivation.key(password, &salt)?;
        let context = context(version, mode, vault, &derivation, &salt);
        let sealed = seal::seal(&key, &nonce, &context, &**data_key);
        let sealed = sealed.try_into().expect("a sealed 32-byte key is 48 bytes");
        Ok(Self { version, derivation, salt, nonce, sealed })
    }

    /// The data key, or `None` when the password is another.
    pub(crate) fn open(
        &self,
        surroundings: &Surroundings,
        mode: Mode,
        vault: &[u8; 16],
        password: &SecretString,
    ) -> Result<Option<Key>, Error> {
        self.derivation.check(surroundings)?;
        let key = self.derivation.key(password, &self.salt)?;
        let context = context(self.version, mode, vault, &self.derivation, &self.salt);
        let opened = seal::open(&key, &self.nonce, &context, &self.sealed);
        Ok(opened.map(|opened| {
            let mut key = Key::default();
            key.copy_from_slice(&opened);
            key
        }))
    }

    /// Whether it should be sealed anew: it is of an older format, or costs less than the center asks for.
    pub(crate) fn is_outdated(&self, policy: Option<VaultPolicy>) -> bool {
        self.version != VERSION || self.derivation.below(policy)
    }
}

/// What the wrap is bound to: everything in the header that decides how it is opened.
fn context(version: u16, mode: Mode, vault: &[u8; 16], derivation: &Derivation, salt: &[u8; 32]) -> Vec<u8> {
    let mut context = b"inkan/v1/vault-wrap".to_vec();
    context.extend_from_slice(&version.to_le_bytes());
    context.push(mode.byte());
    context.extend_from_slice(vault);
    context.extend_from_slice(&derivation.bytes());
    context.extend_from_slice(salt);
    context
}

impl Mode {
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Single => 1,
            Self::Double => 2,
        }
    }
}

impl Failures {
    /// How long the next attempt must still wait at `now`: 1 s after the first failure, doubling up to 15 minutes.
    pub(crate) fn wait(&self, now: Timestamp) -> Duration {
        let Some(doublings) = self.count.checked_sub(1) else { return Duration::ZERO };
        let delay = Duration::from_secs(1u64.checked_shl(doublings).unwrap_or(u64::MAX)).min(WAIT_MAX);
        delay.saturating_sub(Duration::from_millis(now.since_ms(self.last)))
    }

    /// One failure more.
    pub(crate) fn one_more(&self, now: Timestamp) -> Self {
        Self { count: self.count.saturating_add(1), last: now }
    }
}

impl Header {
    /// The slot that this generation lives in.
    pub(crate) fn offset(&self) -> u64 {
        (self.generation % 2) * SLOT as u64
    }

    pub(crate) fn failures(&self, which: Which) -> Failures {
        self.failures[which as usize]
    }

    pub(crate) fn set_failures(&mut self, which: Which, failures: Failures) {
        self.failures[which as usize] = failures;
    }

    /// Whether `other` differs in nothing but generation and failures, which may lag behind in the older slot.
    pub(crate) fn opens_like(&self, other: &Self) -> bool {
        (self.mode, &self.vault, &self.wrap) == (other.mode, &other.vault, &other.wrap)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut slot = Vec::with_capacity(SLOT);
        slot.extend_from_slice(MAGIC);
        slot.extend_from_slice(&self.wrap.version.to_le_bytes());
        slot.extend_from_slice(&[self.mode.byte(), 0, 0, 0, 0, 0]);
        slot.extend_from_slice(&self.generation.to_le_bytes());
        slot.extend_from_slice(&self.vault);
        slot.extend_from_slice(&self.wrap.salt);
        slot.extend_from_slice(&self.wrap.derivation.bytes());
        slot.extend_from_slice(&self.wrap.nonce);
        slot.extend_from_slice(&self.wrap.sealed);
        for failures in self.failures {
            slot.extend_from_slice(&failures.count.to_le_bytes());
            slot.extend_from_slice(&failures.last.0.to_le_bytes());
        }
        slot.resize(CHECKSUM_AT, 0);
        slot.extend_from_slice(&crc32fast::hash(&slot).to_le_bytes());
        slot
    }

    /// What stands in slot `number`.
    pub(crate) fn decode(number: usize, slot: &[u8; SLOT]) -> Slot {
        let (body, checksum) = slot.split_at(CHECKSUM_AT);
        let mut reader = Reader(body);
        if crc32fast::hash(body).to_le_bytes() != checksum || reader.take() != *MAGIC {
            return Slot::Damaged;
        }
        let version = u16::from_le_bytes(reader.take());
        if !(OLDEST..=VERSION).contains(&version) {
            return Slot::Newer(version);
        }
        let mode = match reader.take() {
            [1] => Mode::Single,
            [2] => Mode::Double,
            _ => return Slot::Damaged,
        };
        let _reserved: [u8; 5] = reader.take();
        let generation = u64::from_le_bytes(reader.take());
        let vault = reader.take();
        let salt = reader.take();
        let [memory_kib, passes, lanes] = [(); 3].map(|()| u32::from_le_bytes(reader.take()));
        let derivation = Derivation { memory_kib, passes, lanes };
        let wrap = Wrap { version, derivation, salt, nonce: reader.take(), sealed: reader.take() };
        let failures = [(); 2].map(|()| Failures {
            count: u32::from_le_bytes(reader.take()),
            last: Timestamp(u64::from_le_bytes(reader.take())),
        });
        let header = Self { generation, mode, vault, wrap, failures };
        // Out of its place it would be overwritten while it is the newest.
        if generation > GENERATION_MAX || header.offset() != (number * SLOT) as u64 {
            return Slot::Damaged;
        }
        Slot::Intact(header)
    }
}

/// Takes fixed-width fields off the front of a slot.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_at(N);
        self.0 = rest;
        field.try_into().expect("split_at(N) gives N bytes")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour() {
        let wait = |count| Failures { count, last: Timestamp(0) }.wait(Timestamp(0)).as_secs();
        assert_eq!([0, 1, 2, 3, 10, 11, 64, 65, u32::MAX].map(wait), [0, 1, 2, 4, 512, 900, 900, 900, 900]);
    }

    #[test]
    fn a_wait_ends_and_a_clock_set_back_restarts_it_at_most() {
        let failures = Failures { count: 3, last: Timestamp(10_000) };
        assert_eq!(failures.wait(Timestamp(12_500)), Duration::from_millis(1_500));
        assert_eq!(failures.wait(Timestamp(14_000)), Duration::ZERO);
        assert_eq!(failures.wait(Timestamp(1)), Duration::from_secs(4));
    }
}
