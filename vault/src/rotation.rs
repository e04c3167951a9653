//! Changing keys: a new key is made and kept before it is asked for, put in force when the center says so.
//!
//! ```text
//!   prepare_…_key ──▶ waits ──▶ telegram in the outbox ──▶ the center's answer ──▶ in force, the former one left out
//!                       │                                        │
//!                       └──────────── drop_waiting ◀─────────────┘ refused
//! ```
//!
//! Each arrow is synced before the call returns, so that a crash anywhere leaves a key that signs. The turn itself is a
//! [`Draft`] ([`Vault::in_force`], [`Vault::dropped`]), to be kept with the answer by [`Vault::close`]; after it the file
//! is copied without the former key.

use secrecy::SecretString;
use wire::{
    key::{SigningKey, VerificationKey},
    payload::KeyRole,
};
use zeroize::Zeroizing;

use crate::{
    autograph::Autograph,
    contents::Draft,
    custody::{SealedKey, SigningHand, fresh_signature_key},
    error::{Error, Which},
    keys::{DrawnFor, KeptRecovery, KeyTurn, Shown},
    kind,
    open::attempt,
    password::Key,
    recovery::{KeyCopy, Recovery, RecoveryPhrase},
    vault::Vault,
};

/// Keys that wait to be in force.
impl Vault {
    /// The public half of the key that waits to be in force.
    pub fn waiting(&self, role: KeyRole) -> Option<VerificationKey> {
        self.contents.keys.next(role)
    }

    /// The public half of the key in force.
    pub fn in_use(&self, role: KeyRole) -> Option<VerificationKey> {
        self.contents.keys.now(role)
    }

    /// Makes a new signature key that waits, sealed under password B and to the recovery phrase.
    ///
    /// # Errors
    /// [`Error::Waiting`] when one waits already; those of [`Vault::unlock_signing`]; the disk's failure.
    pub fn prepare_signature_key(
        &mut self,
        password: &SecretString,
        autograph: Option<&Autograph>,
    ) -> Result<VerificationKey, Error> {
        self.check_none_waits(KeyRole::Signature)?;
        drop(self.unlock_signing(password)?);
        let key = fresh_signature_key(&self.surroundings, autograph);
        let (mode, id, policy) = (self.mode(), self.file.header.vault, self.contents.policy);
        let sealed = SealedKey::new(&self.surroundings, mode, &id, password, &key, policy)?;
        let mut drafts = vec![Draft::own(kind::NEXT_SIGNATURE_KEY, &sealed)?];
        for to in self.contents.keys.copy_keys() {
            drafts.push(Draft::own(kind::KEY_COPY, &KeyCopy::new(&self.surroundings, &to, &key)?)?);
        }
        if let Some(autograph) = autograph {
            let drawn = DrawnFor { key: key.verification_key(), autograph: autograph.encode() };
            drafts.push(Draft::own(kind::AUTOGRAPH, &drawn)?);
        }
        self.append_all(drafts)?;
        Ok(key.verification_key())
    }

    /// Makes a new terminal key that waits.
    ///
    /// # Errors
    /// [`Error::Waiting`] when one waits already; the disk's failure.
    pub fn prepare_terminal_key(&mut self) -> Result<VerificationKey, Error> {
        self.check_none_waits(KeyRole::Terminal)?;
        let seed: Key = Zeroizing::new(self.surroundings.array());
        self.append_all(vec![Draft::own(kind::NEXT_TERMINAL_KEY, &*seed)?])?;
        Ok(SigningKey::from_seed(&seed).verification_key())
    }

    /// Takes a new recovery phrase that waits; the signature keys are sealed to it, too.
    ///
    /// # Errors
    /// [`Error::Waiting`] when one waits already; those of [`Vault::unlock_signing`]; the disk's failure.
    pub fn prepare_recovery(
        &mut self,
        phrase: &RecoveryPhrase,
        password: &SecretString,
    ) -> Result<VerificationKey, Error> {
        self.check_none_waits(KeyRole::Recovery)?;
        self.take_phrase(kind::NEXT_RECOVERY, phrase, password)
    }

    /// Opens the signature key that waits with password B: it signs that it is held, and the terminal certificate that
    /// will count.
    ///
    /// # Errors
    /// [`Error::NothingWaits`]; otherwise as [`Vault::unlock_signing`].
    pub fn unlock_waiting_signing(&mut self, password: &SecretString) -> Result<SigningHand, Error> {
        let sealed = self.contents.keys.signature.next.as_ref();
        let sealed = sealed.ok_or(Error::NothingWaits(KeyRole::Signature))?;
        let hand = attempt(&mut self.file, &self.surroundings, Which::B, |file| {
            sealed.value.open(&self.surroundings, file.header.mode, &file.header.vault, password)
        })?;
        self.seal_to_phrases(&hand)?;
        Ok(hand)
    }

    /// The terminal key that waits.
    ///
    /// # Errors
    /// [`Error::NothingWaits`].
    pub fn waiting_terminal_key(&self) -> Result<&SigningKey, Error> {
        let kept = self.contents.keys.terminal.next.as_ref();
        Ok(&kept.ok_or(Error::NothingWaits(KeyRole::Terminal))?.value)
    }

    /// The record that puts the waiting key of a role in force, for [`Vault::close`] to keep with the center's answer.
    /// `None` when none waits, as after a crash behind that write.
    pub fn in_force(&self, role: KeyRole) -> Option<Draft> {
        self.turn(kind::IN_FORCE, role)
    }

    /// The record that drops the waiting key of a role, for [`Vault::close`] to keep with the center's refusal.
    pub fn dropped(&self, role: KeyRole) -> Option<Draft> {
        self.turn(kind::DROPPED, role)
    }

    /// Puts the waiting key in force where no telegram of the outbox is to be closed with it: when the center's chain of
    /// keys shows that it is.
    ///
    /// # Errors
    /// [`Error::NothingWaits`]; the disk's failure.
    pub fn promote(&mut self, role: KeyRole) -> Result<(), Error> {
        let turn = self.in_force(role).ok_or(Error::NothingWaits(role))?;
        self.append_all(vec![turn]).map(drop)
    }

    /// Drops the waiting key, whose telegram was withdrawn or never made.
    ///
    /// # Errors
    /// [`Error::NothingWaits`]; the disk's failure.
    pub fn drop_waiting(&mut self, role: KeyRole) -> Result<(), Error> {
        let turn = self.dropped(role).ok_or(Error::NothingWaits(role))?;
        self.append_all(vec![turn]).map(drop)
    }

    fn check_none_waits(&self, role: KeyRole) -> Result<(), Error> {
        if self.waiting(role).is_some() { Err(Error::Waiting(role)) } else { Ok(()) }
    }

    fn turn(&self, kind: u16, role: KeyRole) -> Option<Draft> {
        let turn = KeyTurn { role, key: self.waiting(role)?, at: self.surroundings.now() };
        Draft::own(kind, &turn).ok()
    }
}

/// The recovery phrase; see [`crate::recovery`].
impl Vault {
    /// What is known of the phrase in force; `None` where none was made.
    pub fn recovery(&self) -> Option<Recovery> {
        self.contents.keys.recovery()
    }

    /// Takes the phrase of an account that has none registered yet: its public halves are kept, and the signature key is
    /// sealed to it. Where one is registered, a new one has to wait: [`Vault::prepare_recovery`].
    ///
    /// # Errors
    /// Those of [`Vault::unlock_signing`]; the disk's failure.
    pub fn keep_recovery(
        &mut self,
        phrase: &RecoveryPhrase,
        password: &SecretString,
    ) -> Result<VerificationKey, Error> {
        self.take_phrase(kind::RECOVERY, phrase, password)
    }

    /// Notes that the person has shown that the phrase is written down ([`RecoveryPhrase::check_answers`]).
    ///
    /// # Errors
    /// [`Error::NoRecovery`]; the disk's failure.
    pub fn confirm_recovery(&mut self) -> Result<(), Error> {
        let recovery_key = self.recovery().ok_or(Error::NoRecovery)?.keys.recovery_key;
        let shown = Shown { recovery_key, at: self.surroundings.now() };
        self.append_all(vec![Draft::own(kind::CONFIRMED, &shown)?]).map(drop)
    }

    fn take_phrase(
        &mut self,
        kind: u16,
        phrase: &RecoveryPhrase,
        password: &SecretString,
    ) -> Result<VerificationKey, Error> {
        let mut hands = vec![self.unlock_signing(password)?];
        if self.waiting(KeyRole::Signature).is_some() {
            hands.push(self.unlock_waiting_signing(password)?);
        }
        let keys = phrase.public();
        let mut drafts = vec![Draft::own(kind, &KeptRecovery { keys, at: self.surroundings.now() })?];
        for SigningHand(key) in &hands {
            drafts.push(Draft::own(kind::KEY_COPY, &KeyCopy::new(&self.surroundings, &keys.copy_key, key)?)?);
        }
        self.append_all(drafts)?;
        Ok(keys.recovery_key)
    }
}
