//! A vault brought back: from a copy, or from the phrase alone.

use std::path::Path;

use wire::payload::KeyRole;
use zeroize::Zeroizing;

use crate::{
    blank::Blank,
    contents::Draft,
    custody::fresh_signature_key,
    error::Error,
    keys::{KeptRecovery, Keys, Shown},
    kind,
    record::Record,
    recovery::{CopyError, KeyCopy, RecoveryPhrase, RestoredContents},
    surroundings::Surroundings,
    vault::{Passwords, Vault},
};

impl Vault {
    /// Makes a vault of a copy's contents: another vault id, other salts and passwords, the same keys, and every record
    /// at its number. What waited in the outbox waits as it did. The phrase counts as confirmed, since it was just typed.
    ///
    /// # Errors
    /// [`CopyError::NoSignatureKey`]; otherwise as [`Vault::create`].
    pub fn restore(
        profile: &Path,
        passwords: &Passwords,
        contents: &RestoredContents,
        surroundings: Surroundings,
    ) -> Result<Self, Error> {
        let policy = contents.records.iter().rev().find(|record| record.kind == kind::POLICY);
        let policy = policy.map(|record| record.decode("vault policy")).transpose()?;
        let blank = Blank::new(profile, passwords, surroundings, policy)?;
        let mut drafts = Vec::with_capacity(contents.records.len() + 2);
        for record in &contents.records {
            // The place of what was damaged is filled, so that a gap in the numbers still tells of new damage.
            while (drafts.len() as u64) < record.sequence - 1 {
                drafts.push(left_out());
            }
            drafts.push(match record.kind {
                kind if kind::is_under_b(kind) => {
                    let key = contents.signature_keys.iter();
                    let mut key = key.filter(|key| key.verification_key().0[..] == record.bytes[..]);
                    match key.next() {
                        Some(key) => blank.signature_key(kind, key)?,
                        None => left_out(),
                    }
                }
                kind => Draft { kind, content: record.bytes.clone() },
            });
        }
        if !signs(&drafts)? {
            // Its own record was damaged in the copied vault; the one sealed to the phrase brings it back.
            let key = contents.signature_keys.last().ok_or(CopyError::NoSignatureKey)?;
            drafts.push(blank.signature_key(kind::SIGNATURE_KEY, key)?);
        }
        let recovery_key = contents.phrase.recovery_key;
        drafts.push(Draft::own(kind::CONFIRMED, &Shown { recovery_key, at: blank.surroundings.now() })?);
        blank.fill(drafts)
    }

    /// Makes a vault with fresh keys and the phrase of an account of which no copy is left. The recovery key, which the
    /// phrase gives, puts the fresh keys in force at the center; history and receipts are gone.
    ///
    /// # Errors
    /// As [`Vault::create`].
    pub fn restore_without_copy(
        profile: &Path,
        passwords: &Passwords,
        phrase: &RecoveryPhrase,
        surroundings: Surroundings,
    ) -> Result<Self, Error> {
        let blank = Blank::new(profile, passwords, surroundings, None)?;
        let key = fresh_signature_key(&blank.surroundings, None);
        let (keys, at) = (phrase.public(), blank.surroundings.now());
        let drafts = vec![
            blank.signature_key(kind::SIGNATURE_KEY, &key)?,
            blank.fresh_terminal_key()?,
            Draft::own(kind::RECOVERY, &KeptRecovery { keys, at })?,
            Draft::own(kind::KEY_COPY, &KeyCopy::new(&blank.surroundings, &keys.copy_key, &key)?)?,
            Draft::own(kind::CONFIRMED, &Shown { recovery_key: keys.recovery_key, at })?,
        ];
        blank.fill(drafts)
    }

    /// The program's own records, in the order they were appended, as at an opening: for a vault just restored.
    ///
    /// # Errors
    /// Failures of the disk.
    pub fn program_records(&self) -> Result<Vec<Record>, Error> {
        let all = self.contents.index.keys().map(|sequence| self.read(*sequence));
        all.filter(|record| record.as_ref().map_or(true, |record| record.kind >= kind::PROGRAM)).collect()
    }
}

/// Whether these records put a signature key in force.
fn signs(drafts: &[Draft]) -> Result<bool, Error> {
    let mut keys = Keys::default();
    for (sequence, draft) in (1..).zip(drafts).filter(|(_, draft)| draft.kind < kind::PROGRAM) {
        keys.absorb(&Record { sequence, kind: draft.kind, bytes: draft.content.clone() })?;
    }
    Ok(keys.now(KeyRole::Signature).is_some())
}

fn left_out() -> Draft {
    Draft { kind: kind::LEFT_OUT, content: Zeroizing::default() }
}
