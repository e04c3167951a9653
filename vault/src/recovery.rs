//! Recovery: what brings an account back when terminal, vault and passwords are lost.
//!
//! A [`RecoveryPhrase`] of 24 words is 32 random bytes in a form that people can write down. They are the root of two
//! keys, each HKDF-SHA256 (RFC 5869) over the 32 bytes without salt:
//!
//! | info | key |
//! |---|---|
//! | `inkan/v1/recovery-key` | the seed of the Ed25519 recovery key, which overrules the account's other keys |
//! | `inkan/v1/recovery-copy` | the X25519 secret (RFC 7748), to which copies are sealed |
//!
//! The vault keeps their public halves. Whenever the signature key or the phrase is made or changed, the signature key
//! is also sealed to the X25519 key, so that password A alone is enough to make a copy that brings it back.
//!
//! # The deposited copy
//!
//! [`Vault::copy_for_deposit`] makes it, the center keeps it, [`open_copy`] and [`Vault::restore`] bring it back. All
//! integers little endian:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `INKANCPY` |
//! | 2 | version, 1 |
//! | 32 | the terminal key that signs below |
//! | 1 | number of receivers, 1 or 2 |
//! | 136 each | receiver's X25519 key 32, ephemeral key 32, nonce 24, the 32-byte content key sealed to it 48 |
//! | 24 | nonce |
//! | .. | content, sealed under the content key with all bytes before the nonce as associated data |
//! | 64 | the terminal key's signature over `inkan/v1/vault-copy ‖ 0 ‖` all bytes before |
//!
//! The content key is sealed with the purpose `inkan/v1/vault-copy` and the terminal key as context: the key is
//! HKDF-SHA256 without salt over `X25519 shared secret ‖ ephemeral key ‖ receiver's key` with the purpose as info, the
//! associated data `purpose ‖ 0 ‖ context`. A shared secret of zeros, which a key of small order gives, is refused. There are two receivers while a new phrase waits to be in force, so that the
//! copy opens with whichever the center believes when it is needed.
//!
//! Content: time of making `u64`, then each intact record of the vault: sequence number `u64`, kind `u16`, length `u32`,
//! and the bytes. In the place of a key sealed under password B stands its public half; signature keys come back from the
//! records that are sealed to the phrase. Records that hold keys no longer in force are left out.
//!
//! # Two copies of one vault at once
//!
//! A vault restored while the old terminal still works, or a file that was copied, is the same account twice. Nothing in
//! the vault can notice it, and nothing needs to: both hold the same telegrams with the same ids, so what one has sent
//! the other can send again without paying twice; what one has not, it learns from the center, whose answers decide. A
//! telegram that waited in the outbox waits in the copy exactly as it was: what may have left may have left.
//!
//! [`Vault::copy_for_deposit`]: crate::Vault::copy_for_deposit
//! [`Vault::restore`]: crate::Vault::restore

mod copy;
mod drill;
mod phrase;
mod restore;

use serde::{Deserialize, Serialize};
use wire::{
    key::{SigningKey, VerificationKey},
    time::Timestamp,
};
use zeroize::Zeroizing;

pub use copy::{CopyError, RestoredContents, open_copy};
pub use drill::Drill;
pub use phrase::{ASKED, Language, PhraseError, RecoveryPhrase, WORDS};

use crate::{error::Error, sealed_to::SealedTo, surroundings::Surroundings};

/// The public halves of a phrase's two keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryKeys {
    /// The Ed25519 recovery key, as it is registered.
    pub recovery_key: VerificationKey,
    /// The X25519 key, to which copies are sealed.
    pub copy_key: [u8; 32],
}

/// What a vault knows of its recovery phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// The public halves.
    pub keys: RecoveryKeys,
    /// When the phrase came into this vault.
    pub made_at: Timestamp,
    /// When the person showed that it is written down.
    pub confirmed_at: Option<Timestamp>,
    /// When a restore was last tried with it and gave back everything.
    pub proved_at: Option<Timestamp>,
}

/// A signature key sealed to a phrase: the content of its record.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct KeyCopy {
    pub(crate) verification_key: VerificationKey,
    pub(crate) sealed: SealedTo,
}

/// What signature keys are sealed to a phrase for.
const KEY_COPY: &str = "inkan/v1/recovery-signature-key";

impl KeyCopy {
    pub(crate) fn new(surroundings: &Surroundings, to: &[u8; 32], key: &SigningKey) -> Result<Self, Error> {
        let verification_key = key.verification_key();
        let sealed = SealedTo::new(surroundings, to, (KEY_COPY, &verification_key.0), &*key.seed())?;
        Ok(Self { verification_key, sealed })
    }

    /// The key; `None` when it is sealed to another phrase or damaged.
    pub(crate) fn open(&self, phrase: &RecoveryPhrase) -> Option<SigningKey> {
        let seed = self.sealed.open(&phrase.copy_secret(), (KEY_COPY, &self.verification_key.0))?;
        let seed: Zeroizing<[u8; 32]> = Zeroizing::new(seed.as_slice().try_into().ok()?);
        Some(SigningKey::from_seed(&seed)).filter(|key| key.verification_key() == self.verification_key)
    }
}
