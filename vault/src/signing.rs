//! What is signed with more than one key at once: a registration, and the change of a key.
//!
//! Nothing here is sent: what comes back goes into the outbox ([`Vault::put`], [`Vault::post`]) with what travels beside
//! it. Telegrams that one key signs alone need no help: [`crate::SigningHand::act`] and [`Telegram::sign`].

use secrecy::SecretString;
use wire::{
    bounded::List,
    id::{AccountNumber, CenterId, EntryNumber, Nonce},
    key::{Signature, SigningKey, VerificationKey},
    message::KeyEvidence,
    payload::{KeyChange, KeyRole, Registration, Rights, TerminalCertificate, possession_message},
    telegram::{Signer, Telegram},
    time::Timestamp,
};

use crate::{custody::SigningHand, error::Error, recovery::RecoveryPhrase, vault::Vault};

/// A registration, signed by every key that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedRegistration {
    /// The [`Registration`].
    pub telegram: Telegram,
    /// The [`TerminalCertificate`] of the terminal key.
    pub certificate: Telegram,
    /// The terminal key's and, where there is a phrase, the recovery key's proof that it is held.
    pub possessions: List<(KeyRole, Signature), 2>,
}

/// The account that asks for a change of a key, and until when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyAsk {
    /// The center.
    pub center: CenterId,
    /// Whose keys.
    pub account: AccountNumber,
    /// The key event that put the key which signs in force: the signature key's, or the recovery key's where a phrase
    /// signs.
    pub key_event: EntryNumber,
    /// The terminal key that the center has in force.
    pub terminal_key: VerificationKey,
    /// Now.
    pub issued: Timestamp,
    /// Not to be entered after this.
    pub valid_until: Timestamp,
}

/// What signs the change of a key.
#[derive(Debug, Clone, Copy)]
pub enum Authority<'a> {
    /// The signature key in force, by password B.
    SignatureKey(&'a SecretString),
    /// The recovery key.
    Phrase(&'a RecoveryPhrase),
}

impl Vault {
    /// Signs a registration with the signature key; its keys are set to this vault's, and to the phrase's where one is
    /// given.
    ///
    /// # Errors
    /// [`Error::KeyLost`]; those of [`Vault::unlock_signing`].
    pub fn sign_registration(
        &mut self,
        registration: Registration,
        phrase: Option<&RecoveryPhrase>,
        issued: Timestamp,
        password: &SecretString,
    ) -> Result<SignedRegistration, Error> {
        let SigningHand(key) = self.unlock_signing(password)?;
        let recovery = phrase.map(RecoveryPhrase::recovery_key);
        let terminal = self.terminal_key()?;
        let registration = Registration {
            verification_key: key.verification_key(),
            terminal_key: terminal.verification_key(),
            recovery_key: recovery.as_ref().map(SigningKey::verification_key),
            ..registration
        };
        let center = registration.center;
        let telegram = Telegram::sign_as_key(&registration, &key);
        let certificate = certify(center, registration.terminal_key, issued, &key);
        let holds = |role, key: &SigningKey| (role, possession(&center, role, &telegram, key));
        let recovery = recovery.as_ref().map(|key| holds(KeyRole::Recovery, key));
        let possessions = List::first([holds(KeyRole::Terminal, terminal)].into_iter().chain(recovery));
        Ok(SignedRegistration { telegram, certificate, possessions })
    }

    /// Signs the change to the signature or terminal key that waits. Where none waits and a phrase signs, the key in this
    /// vault is the new one: it was made when the vault was restored without a copy.
    ///
    /// Password B opens the new signature key, or the one that certifies the new terminal key.
    ///
    /// # Errors
    /// [`Error::NothingWaits`], also for the recovery key, which [`Vault::sign_recovery_change`] is for; those of
    /// [`Vault::unlock_signing`].
    pub fn sign_key_change(
        &mut self,
        ask: &KeyAsk,
        role: KeyRole,
        authority: Authority<'_>,
        password: &SecretString,
    ) -> Result<(Telegram, KeyEvidence), Error> {
        let waits = self.waiting(role).is_some();
        if !waits && matches!(authority, Authority::SignatureKey(_)) {
            return Err(Error::NothingWaits(role));
        }
        let certified = match role {
            KeyRole::Signature => {
                let SigningHand(new) = if waits {
                    self.unlock_waiting_signing(password)?
                } else {
                    self.unlock_signing(password)?
                };
                let change = self.sign_change(ask, role, Some(new.verification_key()), authority)?;
                (
                    possession(&ask.center, role, &change, &new),
                    certify(ask.center, ask.terminal_key, ask.issued, &new),
                    change,
                )
            }
            KeyRole::Terminal => {
                let SigningHand(key) = self.unlock_signing(password)?;
                let own = if waits { self.waiting(role) } else { self.in_use(role) };
                let new = own.ok_or(Error::KeyLost("terminal key"))?;
                let change = self.sign_change(ask, role, Some(new), authority)?;
                let new = if waits { self.waiting_terminal_key()? } else { self.terminal_key()? };
                let certificate = certify(ask.center, new.verification_key(), ask.issued, &key);
                (possession(&ask.center, role, &change, new), certificate, change)
            }
            KeyRole::Recovery => return Err(Error::NothingWaits(role)),
        };
        let (possession, certificate, change) = certified;
        Ok((change, KeyEvidence { possession: Some(possession), certificate: Some(certificate) }))
    }

    /// Signs the change to a new recovery phrase, which [`Vault::prepare_recovery`] has taken before. Signed with the old
    /// phrase it is in force at once, with the signature key after the center's time of caution.
    ///
    /// # Errors
    /// [`Error::NothingWaits`] when this phrase is not the one that waits; those of [`Vault::unlock_signing`].
    pub fn sign_recovery_change(
        &mut self,
        ask: &KeyAsk,
        new: &RecoveryPhrase,
        authority: Authority<'_>,
    ) -> Result<(Telegram, KeyEvidence), Error> {
        let role = KeyRole::Recovery;
        let key = new.recovery_key();
        if self.waiting(role) != Some(key.verification_key()) {
            return Err(Error::NothingWaits(role));
        }
        let change = self.sign_change(ask, role, Some(key.verification_key()), authority)?;
        let possession = Some(possession(&ask.center, role, &change, &key));
        Ok((change, KeyEvidence { possession, certificate: None }))
    }

    /// Signs that a key is revoked.
    ///
    /// # Errors
    /// Those of [`Vault::unlock_signing`].
    pub fn sign_revocation(
        &mut self,
        ask: &KeyAsk,
        role: KeyRole,
        authority: Authority<'_>,
    ) -> Result<(Telegram, KeyEvidence), Error> {
        let change = self.sign_change(ask, role, None, authority)?;
        Ok((change, KeyEvidence { possession: None, certificate: None }))
    }

    fn sign_change(
        &mut self,
        ask: &KeyAsk,
        role: KeyRole,
        key: Option<VerificationKey>,
        authority: Authority<'_>,
    ) -> Result<Telegram, Error> {
        let KeyAsk { center, account, key_event, valid_until, .. } = *ask;
        let nonce = Nonce(self.surroundings.array());
        let change = KeyChange { center, account, key_event, role, key, nonce, valid_until };
        let signer = Signer::Account(account);
        Ok(match authority {
            Authority::SignatureKey(password) => {
                self.unlock_signing(password)?.act(|by| Telegram::sign(&change, signer, by))
            }
            Authority::Phrase(phrase) => Telegram::sign(&change, signer, &phrase.recovery_key()),
        })
    }
}

/// The certificate of the account's own terminal key.
pub fn certify(
    center: CenterId,
    terminal_key: VerificationKey,
    issued: Timestamp,
    key: &SigningKey,
) -> Telegram {
    let certificate = TerminalCertificate { center, terminal_key, rights: Rights::Owner, issued };
    Telegram::sign_as_key(&certificate, key)
}

/// A key's proof that it is held by whoever hands in the telegram that names it.
pub fn possession(center: &CenterId, role: KeyRole, telegram: &Telegram, key: &SigningKey) -> Signature {
    key.sign(&possession_message(center, role, &telegram.id()))
}
