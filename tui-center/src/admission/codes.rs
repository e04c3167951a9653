//! Activation codes: what the center keeps of them, and how one is tried.
//!
//! Of a code only a keyed hash is kept: `HMAC-SHA-256(key, "inkan/v1/activation-code" ‖ 0 ‖ admission ‖ entry ‖
//! verification key ‖ code)`, the key being derived from the service key, `admission` and `entry` 8 bytes each, little
//! endian. So a code counts for one admission and one key, and a copied cabinet gives nothing to try codes against.
//!
//! A try is counted durably before the code is compared: whoever cuts the power to try again has tried.

use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use wire::{
    admission::ActivationCode,
    codec,
    id::{Digest, EntryNumber},
    key::VerificationKey,
    time::Timestamp,
};

use crate::{
    books::{BooksError, cabinet::Cabinet},
    seal::Key,
};

const VERSION: u16 = 1;
const DOMAIN: &[u8] = b"inkan/v1/activation-code\0";

/// What can be said of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// The entry that intends it: the admission's, or the newer one of a code sent again.
    pub entry: EntryNumber,
    /// The key with which it works.
    pub key: VerificationKey,
    /// It counts until then.
    pub until: Timestamp,
    /// The terms that were in force when it was issued.
    pub terms: Digest,
    /// How many wrong tries it still bears.
    pub left: u16,
}

/// What became of a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tried {
    /// It is the code.
    Right,
    /// It is not.
    Wrong {
        /// How many tries are left.
        left: u16,
    },
    /// It was mistyped too often, or there is none.
    Spent,
    /// Its time is past.
    Expired,
    /// A newer code was promised, and only that one will count. Not counted.
    Replaced,
    /// It works with another key. Not counted: a stranger must not use up the tries.
    OtherKey,
}

/// The codes of a center. Every method blocks on the disk.
pub struct Codes {
    cabinet: Cabinet,
    key: Key,
    /// Tries are counted one after the other.
    trying: Mutex<()>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    version: u16,
    entry: EntryNumber,
    key: VerificationKey,
    until: Timestamp,
    terms: Digest,
    hash: [u8; 32],
    wrong: u16,
    most: u16,
}

impl Codes {
    /// The codes whose hashes lie in this cabinet under this key.
    pub(crate) fn new(cabinet: Cabinet, key: Key) -> Self {
        Self { cabinet, key, trying: Mutex::new(()) }
    }

    /// Keeps what a code can be recognized by; a former code of the admission counts no more. `issued.left` is how
    /// often it may be mistyped.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn issue(
        &self,
        admission: EntryNumber,
        issued: &Issued,
        code: &ActivationCode,
    ) -> Result<(), BooksError> {
        let hash = self.mac(admission, issued, code).finalize().into_bytes().into();
        let kept = Kept {
            version: VERSION,
            entry: issued.entry,
            key: issued.key,
            until: issued.until,
            terms: issued.terms,
            hash,
            wrong: 0,
            most: issued.left,
        };
        let _one = self.trying.lock().unwrap_or_else(PoisonError::into_inner);
        self.put(admission, &kept)
    }

    /// What can be said of an admission's code; `None` when none was issued, or it was used.
    ///
    /// # Errors
    /// When it can't be opened.
    pub fn issued(&self, admission: EntryNumber) -> Result<Option<Issued>, BooksError> {
        Ok(self.take(admission)?.map(|kept| kept.issued()))
    }

    /// Tries the code that `entry` intends. A wrong one has been counted, on the disk, when this returns.
    ///
    /// # Errors
    /// When it can't be counted: then nothing is compared.
    pub fn attempt(
        &self,
        (admission, entry): (EntryNumber, EntryNumber),
        key: &VerificationKey,
        code: &ActivationCode,
        now: Timestamp,
    ) -> Result<Tried, BooksError> {
        let _one = self.trying.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(mut kept) = self.take(admission)? else { return Ok(Tried::Spent) };
        if kept.entry != entry {
            return Ok(Tried::Replaced);
        }
        if kept.key != *key {
            return Ok(Tried::OtherKey);
        }
        if kept.wrong >= kept.most {
            return Ok(Tried::Spent);
        }
        if now > kept.until {
            return Ok(Tried::Expired);
        }
        kept.wrong += 1;
        self.put(admission, &kept)?;
        // Compares in constant time.
        if self.mac(admission, &kept.issued(), code).verify_slice(&kept.hash).is_err() {
            return Ok(if kept.wrong < kept.most {
                Tried::Wrong { left: kept.most - kept.wrong }
            } else {
                Tried::Spent
            });
        }
        kept.wrong -= 1;
        self.put(admission, &kept)?;
        Ok(Tried::Right)
    }

    /// Destroys what is kept of a code: it has been used.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn used(&self, admission: EntryNumber) -> Result<(), BooksError> {
        let _one = self.trying.lock().unwrap_or_else(PoisonError::into_inner);
        self.cabinet.destroy_code(admission)
    }

    fn mac(&self, admission: EntryNumber, issued: &Issued, code: &ActivationCode) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.key).expect("HMAC takes a key of any length");
        for part in
            [DOMAIN, &admission.0.to_le_bytes(), &issued.entry.0.to_le_bytes(), &issued.key.0, code.bytes()]
        {
            mac.update(part);
        }
        mac
    }

    fn put(&self, admission: EntryNumber, kept: &Kept) -> Result<(), BooksError> {
        self.cabinet.put_code(admission, &codec::encode(kept))
    }

    fn take(&self, admission: EntryNumber) -> Result<Option<Kept>, BooksError> {
        let Some(bytes) = self.cabinet.code(admission)? else { return Ok(None) };
        let kept: Kept = codec::decode("activation code", &bytes, bytes.len())?;
        if kept.version == VERSION {
            return Ok(Some(kept));
        }
        let why = format!("it has version {}, which this program does not know", kept.version);
        Err(codec::Malformed { what: "activation code", why }.into())
    }
}

impl Kept {
    fn issued(&self) -> Issued {
        Issued {
            entry: self.entry,
            key: self.key,
            until: self.until,
            terms: self.terms,
            left: self.most.saturating_sub(self.wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::key::SigningKey;
    use zeroize::Zeroizing;

    use super::*;

    const ADMISSION: EntryNumber = EntryNumber(12);
    const FIRST: (EntryNumber, EntryNumber) = (ADMISSION, ADMISSION);
    const AGAIN: (EntryNumber, EntryNumber) = (ADMISSION, EntryNumber(15));
    const NOW: Timestamp = Timestamp(1_000);

    fn codes(dir: &std::path::Path) -> Codes {
        Codes::new(Cabinet::open(dir, &[3; 32]).unwrap(), Zeroizing::new([9; 32]))
    }

    fn issued(seed: u8, entry: u64) -> Issued {
        Issued {
            entry: EntryNumber(entry),
            key: SigningKey::from_seed(&[seed; 32]).verification_key(),
            until: Timestamp(2_000),
            terms: Digest([5; 32]),
            left: 3,
        }
    }

    #[test]
    fn a_code_works_for_its_admission_and_key_and_until_its_time() {
        let dir = tempfile::tempdir().unwrap();
        let codes = codes(dir.path());
        let (mine, code) = (issued(1, 12), ActivationCode::generate());
        codes.issue(ADMISSION, &mine, &code).unwrap();
        assert_eq!(codes.attempt(FIRST, &mine.key, &code, NOW).unwrap(), Tried::Right);
        assert_eq!(codes.attempt(FIRST, &mine.key, &code, NOW).unwrap(), Tried::Right, "not used yet");
        assert_eq!(codes.attempt((EntryNumber(13), ADMISSION), &mine.key, &code, NOW).unwrap(), Tried::Spent);
        assert_eq!(codes.attempt(FIRST, &mine.key, &code, Timestamp(2_001)).unwrap(), Tried::Expired);
        for _ in 0..9 {
            let other = codes.attempt(FIRST, &issued(2, 12).key, &code, NOW).unwrap();
            assert_eq!(other, Tried::OtherKey);
        }
        assert_eq!(codes.issued(ADMISSION).unwrap(), Some(mine), "strangers use up nothing");
        for _ in 0..9 {
            let former = codes.attempt(AGAIN, &mine.key, &code, NOW).unwrap();
            assert_eq!(former, Tried::Replaced, "the entry of another code stands already");
        }
        assert_eq!(codes.issued(ADMISSION).unwrap(), Some(mine));
        codes.used(ADMISSION).unwrap();
        assert_eq!(codes.attempt(FIRST, &mine.key, &code, NOW).unwrap(), Tried::Spent);
    }

    #[test]
    fn wrong_tries_count_over_a_restart_and_a_new_code_begins_anew() {
        let dir = tempfile::tempdir().unwrap();
        let (mine, code, wrong) = (issued(1, 12), ActivationCode::generate(), ActivationCode::generate());
        codes(dir.path()).issue(ADMISSION, &mine, &code).unwrap();
        let try_one = |which, code| codes(dir.path()).attempt(which, &mine.key, code, NOW).unwrap();
        let attempt = |code| try_one(FIRST, code);
        assert_eq!(attempt(&wrong), Tried::Wrong { left: 2 });
        assert_eq!(attempt(&code), Tried::Right);
        assert_eq!(attempt(&wrong), Tried::Wrong { left: 1 });
        assert_eq!(attempt(&wrong), Tried::Spent);
        assert_eq!(attempt(&code), Tried::Spent, "the right one comes too late");
        codes(dir.path()).issue(ADMISSION, &issued(1, 15), &wrong).unwrap();
        let attempt = |code| try_one(AGAIN, code);
        assert_eq!(attempt(&code), Tried::Wrong { left: 2 }, "the former code counts no more");
        assert_eq!(attempt(&wrong), Tried::Right);
        let kept = std::fs::read(dir.path().join("codes").join(ADMISSION.to_string())).unwrap();
        assert!(!kept.windows(10).any(|window| window == wrong.bytes()));
    }
}
