//! Changes of keys, signed with what the vault holds.

use secrecy::SecretString;
use vault::{RecoveryPhrase, Vault};
use wire::{
    key::{SigningKey, VerificationKey},
    message::Beside,
    payload::KeyRole,
    telegram::Telegram,
    terminal::Changer,
};

/// What gives the right to change a key.
#[derive(Debug)]
pub(crate) enum By {
    /// The signature key, opened by password B.
    PasswordB(SecretString),
    /// The recovery key, which the phrase gives.
    Phrase(RecoveryPhrase),
}

impl By {
    /// The role of the key that signs.
    pub(crate) fn role(&self) -> KeyRole {
        match self {
            Self::PasswordB(_) => KeyRole::Signature,
            Self::Phrase(_) => KeyRole::Recovery,
        }
    }

    /// Signs with the key.
    fn act<T>(&self, vault: &mut Vault, act: impl FnOnce(&SigningKey) -> T) -> Result<T, vault::Error> {
        match self {
            Self::PasswordB(password) => Ok(vault.unlock_signing(password)?.act(act)),
            Self::Phrase(phrase) => Ok(act(&phrase.recovery_key())),
        }
    }
}

/// A change to the signature key that waits in the vault, else to the vault's own, where it was made anew. `terminal` is
/// the terminal key that the center has in force.
pub(crate) fn new_signature_key(
    vault: &mut Vault,
    changer: &Changer,
    terminal: VerificationKey,
    by: &By,
    password_b: &SecretString,
) -> Result<(Telegram, Beside), vault::Error> {
    let new = if vault.waiting(KeyRole::Signature).is_some() {
        vault.unlock_waiting_signing(password_b)?
    } else {
        vault.unlock_signing(password_b)?
    };
    new.act(|new| by.act(vault, |by| changer.signature(new, terminal, by)))
}

/// The same for the terminal key, which the signature key in force certifies.
pub(crate) fn new_terminal_key(
    vault: &mut Vault,
    changer: &Changer,
    by: &By,
    password_b: &SecretString,
) -> Result<(Telegram, Beside), vault::Error> {
    let new = match vault.waiting(KeyRole::Terminal) {
        Some(_) => vault.waiting_terminal_key()?.clone(),
        None => vault.terminal_key()?.clone(),
    };
    let certifier = vault.unlock_signing(password_b)?;
    certifier.act(|signature| by.act(vault, |by| changer.terminal(&new, signature, by)))
}

/// A change to a new phrase.
pub(crate) fn new_recovery_key(
    vault: &mut Vault,
    changer: &Changer,
    phrase: &RecoveryPhrase,
    by: &By,
) -> Result<(Telegram, Beside), vault::Error> {
    by.act(vault, |by| changer.recovery(&phrase.recovery_key(), by))
}

/// A revocation.
pub(crate) fn revocation(
    vault: &mut Vault,
    changer: &Changer,
    role: KeyRole,
    by: &By,
) -> Result<(Telegram, Beside), vault::Error> {
    by.act(vault, |by| changer.revoke(role, by))
}
