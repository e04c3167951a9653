//! The recovery key between the showing of its phrase and the registration.
//!
//! A phrase is shown once, when an application is made; the registration, which has to prove that the recovery key is
//! held, follows when number and code have come by mail or letter. Until then, and no longer, the key itself is kept,
//! sealed under password B like the signature key. Before the registration it overrules nothing. With another phrase
//! ([`Vault::keep_recovery`]) the key of the former one goes.

use secrecy::SecretString;
use wire::payload::KeyRole;

use crate::{
    contents::Draft,
    custody::{SealedKey, SigningHand},
    error::{Error, Which},
    keys::KeyTurn,
    kind,
    open::attempt,
    recovery::RecoveryPhrase,
    vault::Vault,
};

impl Vault {
    /// Keeps the recovery key of a phrase until it is registered, sealed under password B.
    ///
    /// # Errors
    /// Those of [`Vault::unlock_signing`]; the disk's failure.
    pub fn hold_recovery_key(
        &mut self,
        phrase: &RecoveryPhrase,
        password: &SecretString,
    ) -> Result<(), Error> {
        drop(self.unlock_signing(password)?);
        let (mode, id, policy) = (self.mode(), self.file.header.vault, self.contents.policy);
        let key = phrase.recovery_key();
        let sealed = SealedKey::new(&self.surroundings, mode, &id, password, &key, policy)?;
        self.append_all(vec![Draft::own(kind::HELD_RECOVERY_KEY, &sealed)?]).map(drop)
    }

    /// Whether the key of a phrase waits here for its registration.
    pub fn holds_recovery_key(&self) -> bool {
        self.contents.keys.held.is_some()
    }

    /// Opens the held recovery key with password B; `None` when none is held.
    ///
    /// # Errors
    /// As [`Vault::unlock_signing`].
    pub fn unlock_held_recovery_key(
        &mut self,
        password: &SecretString,
    ) -> Result<Option<SigningHand>, Error> {
        let Some(sealed) = &self.contents.keys.held else { return Ok(None) };
        attempt(&mut self.file, &self.surroundings, Which::B, |file| {
            sealed.value.open(&self.surroundings, file.header.mode, &file.header.vault, password)
        })
        .map(Some)
    }

    /// The record that lets go of the held recovery key, for [`Vault::close`] to keep with the center's answer to the
    /// registration; the file is then copied without the key. `None` when none is held.
    pub fn recovery_registered(&self) -> Option<Draft> {
        let key = self.contents.keys.held.as_ref()?.value.verification_key;
        Draft::own(kind::DROPPED, &KeyTurn { role: KeyRole::Recovery, key, at: self.surroundings.now() }).ok()
    }
}
