//! The restore drill: a copy is restored for real, compared and thrown away.

use std::{fs, path::Path};

use secrecy::SecretString;
use wire::{payload::KeyRole, time::Timestamp};
use zeroize::Zeroizing;

use crate::{
    contents::Draft,
    error::Error,
    file::{FILE, LOCK, NEW},
    keys::Shown,
    kind,
    open::Opening,
    recovery::{RecoveryPhrase, RestoredContents, open_copy},
    surroundings::{Cost, Surroundings},
    vault::{Passwords, Vault},
};

/// The folder, inside the one that a drill is given, which is its own.
const INNER: &str = "restored";

/// A drill that gave back everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drill {
    /// When.
    pub at: Timestamp,
    /// When the copy was made.
    pub copied_at: Timestamp,
    /// How many records were compared.
    pub compared: u64,
    /// How many of this vault's records are newer than the copy.
    pub newer: u64,
}

impl Vault {
    /// Restores a copy with the phrase into the folder `scratch`, opens it from the disk with fresh passwords, compares it
    /// with this vault record for record, removes it, and notes the date.
    ///
    /// # Errors
    /// [`Error::Drill`] says what differs, [`Error::Copy`] why the copy did not open, [`Error::Exists`] when there is a
    /// vault in `scratch`; failures of the disk. Then no date is noted.
    pub fn drill(&mut self, copy: &[u8], phrase: &RecoveryPhrase, scratch: &Path) -> Result<Drill, Error> {
        let contents = open_copy(copy, phrase, None)?;
        let made = !scratch.exists();
        if Self::exists(scratch) {
            return Err(Error::Exists(scratch.join(FILE)));
        }
        let inner = scratch.join(INNER);
        // What a drill left that was interrupted would otherwise stand in the way of every later one.
        remove_vault(&inner);
        let compared = self.restored_elsewhere(&contents, &inner);
        remove_vault(&inner);
        if made {
            let _ = fs::remove_dir(scratch);
        }
        let compared = compared?;
        let recovery_key = contents.phrase.recovery_key;
        let at = self.surroundings.now();
        let last = contents.records.last().map_or(0, |record| record.sequence);
        let newer = self.contents.index.range(last + 1..).count() as u64;
        self.append_all(vec![Draft::own(kind::PROVED, &Shown { recovery_key, at })?])?;
        Ok(Drill { at, copied_at: contents.made_at, compared, newer })
    }

    /// Compares a vault restored from `contents` with this one, record for record; gives how many were compared. Every
    /// intact record of this vault up to the copy's last has to be there. Records that this vault has left out since count
    /// as equal, and newer ones are not looked at.
    ///
    /// # Errors
    /// [`Error::Drill`] names the first difference; failures of the disk.
    pub fn compare_restored(&self, restored: &Self, contents: &RestoredContents) -> Result<u64, Error> {
        let differs = |what: String| Err(Error::Drill(what));
        for role in [KeyRole::Signature, KeyRole::Terminal, KeyRole::Recovery] {
            let known = [self.in_use(role), self.waiting(role)];
            if restored.in_use(role).is_none_or(|key| !known.contains(&Some(key))) {
                return differs(format!("its {} is another", crate::error::role(role)));
            }
        }
        let mut compared = 0;
        let last = contents.records.last().map_or(0, |record| record.sequence);
        for sequence in self.contents.index.range(..=last).map(|(sequence, _)| *sequence) {
            let own = self.read(sequence)?;
            let left_out = own.kind == kind::LEFT_OUT || self.contents.keys.obsolete.contains(&sequence);
            if left_out || kind::is_under_b(own.kind) {
                continue;
            }
            let other = match restored.read(sequence) {
                Err(Error::NoRecord(_)) => {
                    return differs(format!("record {sequence} ({}) is missing", kind::noun(own.kind)));
                }
                other => other?,
            };
            if (own.kind, &own.bytes) != (other.kind, &other.bytes) {
                return differs(format!("record {sequence} ({}) is another", kind::noun(own.kind)));
            }
            compared += 1;
        }
        Ok(compared)
    }

    fn restored_elsewhere(&self, contents: &RestoredContents, scratch: &Path) -> Result<u64, Error> {
        let passwords = [(); 2].map(|()| {
            let bytes: Zeroizing<[u8; 32]> = Zeroizing::new(self.surroundings.array());
            SecretString::from(data_encoding::BASE32_NOPAD.encode(&*bytes))
        });
        let [a, b] = passwords.clone();
        // What random passwords protect needs no costly derivation.
        let cost = if self.surroundings.weak() { Cost::Weak } else { Cost::Floor };
        let surroundings = Surroundings { cost, ..self.surroundings.clone() };
        drop(Self::restore(scratch, &Passwords::Two { a, b }, contents, surroundings.clone())?);
        let [a, b] = passwords;
        let Opening { mut vault, findings, .. } = Self::open(scratch, &a, surroundings)?;
        let damage = findings.iter().find(|finding| !matches!(finding, crate::Finding::NotLocked));
        if let Some(finding) = damage {
            return Err(Error::Drill(finding.to_string()));
        }
        let compared = self.compare_restored(&vault, contents)?;
        vault
            .unlock_signing(&b)?
            .act(|key| {
                let probe = key.sign(b"inkan/v1/drill");
                key.verification_key().verify(b"inkan/v1/drill", &probe)
            })
            .map_err(|why| Error::Drill(why.to_string()))?;
        Ok(compared)
    }
}

/// Removes what a drill has made in a folder of its own, and the folder. Under random passwords that nobody knows, what
/// can't be removed opens for nobody.
fn remove_vault(dir: &Path) {
    for name in [FILE, LOCK, NEW] {
        let _ = fs::remove_file(dir.join(name));
    }
    let _ = fs::remove_dir(dir);
}
