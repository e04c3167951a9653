//! What the key records say: which keys are in force, which wait, and which records are no longer needed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use wire::{
    key::{SigningKey, VerificationKey},
    payload::KeyRole,
    time::Timestamp,
};
use zeroize::Zeroizing;

use crate::{
    custody::SealedKey,
    error::Error,
    kind,
    page::InPage,
    record::Record,
    recovery::{KeyCopy, Recovery, RecoveryKeys},
};

/// A value and the record that holds it.
pub(crate) struct Kept<T> {
    pub(crate) at: u64,
    pub(crate) value: T,
}

/// What is in force and what waits to be.
pub(crate) struct Slot<T> {
    pub(crate) now: Option<Kept<T>>,
    pub(crate) next: Option<Kept<T>>,
}

/// The content of [`kind::RECOVERY`] and [`kind::NEXT_RECOVERY`].
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct KeptRecovery {
    pub(crate) keys: RecoveryKeys,
    pub(crate) at: Timestamp,
}

/// The content of [`kind::IN_FORCE`] and [`kind::DROPPED`].
#[derive(Serialize, Deserialize)]
pub(crate) struct KeyTurn {
    pub(crate) role: KeyRole,
    pub(crate) key: VerificationKey,
    pub(crate) at: Timestamp,
}

/// The content of [`kind::AUTOGRAPH`].
#[derive(Serialize, Deserialize)]
pub(crate) struct DrawnFor {
    pub(crate) key: VerificationKey,
    pub(crate) autograph: Vec<u8>,
}

/// The content of [`kind::CONFIRMED`] and [`kind::PROVED`]: what was shown of the phrase with this recovery key.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) recovery_key: VerificationKey,
    pub(crate) at: Timestamp,
}

/// Every key of the vault.
#[derive(Default)]
pub(crate) struct Keys {
    pub(crate) signature: Slot<SealedKey>,
    pub(crate) terminal: Slot<InPage<SigningKey>>,
    pub(crate) recovery: Slot<KeptRecovery>,
    pub(crate) drawn: Slot<Zeroizing<Vec<u8>>>,
    /// The signature keys, sealed to the phrases.
    pub(crate) copies: Vec<Kept<KeyCopy>>,
    /// The recovery key until it is registered.
    pub(crate) held: Option<Kept<SealedKey>>,
    confirmed: Option<Shown>,
    proved: Option<Shown>,
    /// Records that hold what is no longer in force and are left out when the file is next copied.
    pub(crate) obsolete: BTreeSet<u64>,
}

impl Keys {
    /// Takes in a record, if it is about keys; whether it was.
    pub(crate) fn absorb(&mut self, record: &Record) -> Result<bool, Error> {
        let at = record.sequence;
        match record.kind {
            kind::SIGNATURE_KEY => {
                let former = self.signature.put(at, record.decode("signature key")?);
                self.retire(former);
            }
            kind::NEXT_SIGNATURE_KEY => {
                let former = self.signature.wait(at, record.decode("new signature key")?);
                self.retire(former);
            }
            kind::TERMINAL_KEY => {
                let former = self.terminal.put(at, terminal_key(record)?);
                self.retire(former);
            }
            kind::NEXT_TERMINAL_KEY => {
                let former = self.terminal.wait(at, terminal_key(record)?);
                self.retire(former);
            }
            kind::RECOVERY => {
                let kept: KeptRecovery = record.decode("recovery keys")?;
                let recovery_key = kept.keys.recovery_key;
                let former = self.recovery.put(at, kept);
                self.retire(former);
                // The key of a phrase that another one replaced before it was registered proves nothing any more.
                let held = self.held.take_if(|held| held.value.verification_key != recovery_key);
                self.retire(held.map(|held| held.at));
            }
            kind::NEXT_RECOVERY => {
                let former = self.recovery.wait(at, record.decode("new recovery keys")?);
                self.retire(former);
            }
            kind::HELD_RECOVERY_KEY => {
                let value = record.decode("recovery key")?;
                let former = self.held.replace(Kept { at, value });
                self.retire(former.map(|former| former.at));
            }
            kind::KEY_COPY => {
                self.copies.push(Kept { at, value: record.decode("copy of the signature key")? })
            }
            kind::DRAWN_SEAL => {
                let former = self.drawn.put(at, Zeroizing::new(record.decode("drawn seal")?));
                self.retire(former);
            }
            kind::AUTOGRAPH => {
                let DrawnFor { key, autograph } = record.decode("drawn seal")?;
                let waits = self.next(KeyRole::Signature) == Some(key);
                let autograph = Zeroizing::new(autograph);
                let former =
                    if waits { self.drawn.wait(at, autograph) } else { self.drawn.put(at, autograph) };
                self.retire(former);
            }
            kind::IN_FORCE => self.turn(&record.decode("key in force")?, true),
            kind::DROPPED => self.turn(&record.decode("key dropped")?, false),
            kind::CONFIRMED => self.confirmed = Some(record.decode("confirmation of the phrase")?),
            kind::PROVED => self.proved = Some(record.decode("restore drill")?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The public half of the key in force.
    pub(crate) fn now(&self, role: KeyRole) -> Option<VerificationKey> {
        match role {
            KeyRole::Signature => self.signature.now.as_ref().map(|key| key.value.verification_key),
            KeyRole::Terminal => self.terminal.now.as_ref().map(|key| key.value.verification_key()),
            KeyRole::Recovery => self.recovery.now.as_ref().map(|key| key.value.keys.recovery_key),
        }
    }

    /// The public half of the key that waits.
    pub(crate) fn next(&self, role: KeyRole) -> Option<VerificationKey> {
        match role {
            KeyRole::Signature => self.signature.next.as_ref().map(|key| key.value.verification_key),
            KeyRole::Terminal => self.terminal.next.as_ref().map(|key| key.value.verification_key()),
            KeyRole::Recovery => self.recovery.next.as_ref().map(|key| key.value.keys.recovery_key),
        }
    }

    /// The phrase in force.
    pub(crate) fn recovery(&self) -> Option<Recovery> {
        let KeptRecovery { keys, at } = self.recovery.now.as_ref()?.value;
        let shown = |shown: Option<Shown>| {
            shown.filter(|shown| shown.recovery_key == keys.recovery_key).map(|shown| shown.at)
        };
        let (confirmed_at, proved_at) = (shown(self.confirmed), shown(self.proved));
        Some(Recovery { keys, made_at: at, confirmed_at, proved_at })
    }

    /// The X25519 keys of the phrase in force and of the one that waits.
    pub(crate) fn copy_keys(&self) -> impl Iterator<Item = [u8; 32]> {
        let Slot { now, next } = &self.recovery;
        now.iter().chain(next).map(|kept| kept.value.keys.copy_key)
    }

    /// The X25519 keys of those phrases that a signature key is not sealed to.
    pub(crate) fn not_sealed_to(&self, key: VerificationKey) -> Vec<[u8; 32]> {
        let is_sealed_to = |to: &[u8; 32]| {
            self.copies.iter().any(|copy| copy.value.verification_key == key && copy.value.sealed.to == *to)
        };
        self.copy_keys().filter(|to| !is_sealed_to(to)).collect()
    }

    /// Whether the system keeps the terminal keys out of the swap.
    pub(crate) fn locked(&self) -> bool {
        let Slot { now, next } = &self.terminal;
        now.iter().chain(next).all(|key| key.value.locked())
    }

    fn turn(&mut self, turn: &KeyTurn, in_force: bool) {
        if self.held.as_ref().is_some_and(|held| held.value.verification_key == turn.key) {
            let former = self.held.take();
            self.retire(former.map(|former| former.at));
            if !in_force {
                return;
            }
        }
        // A turn that was noted before a crash and again after it finds nothing waiting any more.
        if self.next(turn.role) != Some(turn.key) {
            return;
        }
        let former = match turn.role {
            KeyRole::Signature => {
                let drawn = self.drawn.turn(in_force);
                self.retire(drawn);
                self.signature.turn(in_force)
            }
            KeyRole::Terminal => self.terminal.turn(in_force),
            KeyRole::Recovery => self.recovery.turn(in_force),
        };
        self.retire(former);
    }

    /// Notes a record as obsolete, and with it the copies that no key or phrase needs any more.
    fn retire(&mut self, former: Option<u64>) {
        let Some(former) = former else { return };
        self.obsolete.insert(former);
        let Some(signature) = self.now(KeyRole::Signature) else {
            // The copies may be all that is left of a damaged key.
            return;
        };
        let keys = [Some(signature), self.next(KeyRole::Signature)];
        let to: Vec<[u8; 32]> = self.copy_keys().collect();
        let needed = |copy: &Kept<KeyCopy>| {
            keys.contains(&Some(copy.value.verification_key)) && to.contains(&copy.value.sealed.to)
        };
        let (needed, obsolete): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.copies).into_iter().partition(needed);
        self.copies = needed;
        self.obsolete.extend(obsolete.iter().map(|copy| copy.at));
    }
}

impl<T> Slot<T> {
    /// What stands in a record is in force; gives the record that it replaces.
    fn put(&mut self, at: u64, value: T) -> Option<u64> {
        self.now.replace(Kept { at, value }).map(|former| former.at)
    }

    /// What stands in a record waits; gives the record that it replaces.
    fn wait(&mut self, at: u64, value: T) -> Option<u64> {
        self.next.replace(Kept { at, value }).map(|former| former.at)
    }

    /// Puts what waits in force, or drops it; gives the record that is no longer needed.
    fn turn(&mut self, in_force: bool) -> Option<u64> {
        let next = self.next.take()?;
        if !in_force {
            return Some(next.at);
        }
        self.now.replace(next).map(|former| former.at)
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { now: None, next: None }
    }
}

fn terminal_key(record: &Record) -> Result<InPage<SigningKey>, Error> {
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(record.decode("terminal key")?);
    Ok(InPage::new(SigningKey::from_seed(&seed)))
}
