//! The keys in the vault: the signature key under password B, the terminal key beside it.

use std::fmt;

use hkdf::Hkdf;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wire::key::{SigningKey, VerificationKey};
use zeroize::Zeroizing;

use crate::{
    error::Error,
    header::Mode,
    password::{Derivation, Key},
    seal::{self, NONCE},
    surroundings::Surroundings,
};

/// The signature key in the open, for one act. It is wiped when dropped.
///
/// [`SigningHand::act`] takes the hand, so that a second act needs the password again.
pub struct SigningHand(SigningKey);

impl SigningHand {
    /// Does the one act, for example signing a telegram, and wipes the key.
    pub fn act<T>(self, act: impl FnOnce(&SigningKey) -> T) -> T {
        act(&self.0)
    }

    /// The public half.
    pub fn verification_key(&self) -> VerificationKey {
        self.0.verification_key()
    }
}

impl fmt::Debug for SigningHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningHand(of {})", self.verification_key().short())
    }
}

/// The signature key as it lies in its record: sealed under password B before the record is sealed under the data key.
///
/// Salt and parameters stand here and not in the header: so nothing about B can be tried without A, and a change of A
/// cannot touch what belongs to B.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SealedKey {
    pub(crate) verification_key: VerificationKey,
    derivation: Derivation,
    salt: [u8; 32],
    nonce: [u8; NONCE],
    sealed: Vec<u8>,
}

impl SealedKey {
    pub(crate) fn new(
        surroundings: &Surroundings,
        mode: Mode,
        vault: &[u8; 16],
        password: &SecretString,
        key: &SigningKey,
    ) -> Result<Self, Error> {
        let verification_key = key.verification_key();
        let derivation = Derivation::choose(surroundings)?;
        let salt = surroundings.array();
        let nonce = surroundings.array();
        let mut sealed = Self { verification_key, derivation, salt, nonce, sealed: Vec::new() };
        let under = derivation.key(password, &salt)?;
        sealed.sealed = seal::seal(&under, &nonce, &sealed.context(mode, vault), &*key.seed());
        Ok(sealed)
    }

    /// The key, or `None` when the password is another.
    pub(crate) fn open(
        &self,
        surroundings: &Surroundings,
        mode: Mode,
        vault: &[u8; 16],
        password: &SecretString,
    ) -> Result<Option<SigningHand>, Error> {
        self.derivation.check(surroundings)?;
        let under = self.derivation.key(password, &self.salt)?;
        let Some(seed) = seal::open(&under, &self.nonce, &self.context(mode, vault), &self.sealed) else {
            return Ok(None);
        };
        let seed: &[u8; 32] = seed.as_slice().try_into().map_err(|_| Error::KeyLost("signature key"))?;
        Ok(Some(SigningHand(SigningKey::from_seed(seed))))
    }

    fn context(&self, mode: Mode, vault: &[u8; 16]) -> Vec<u8> {
        let mut context = b"inkan/v1/vault-hand".to_vec();
        context.push(mode.byte());
        context.extend_from_slice(vault);
        context.extend_from_slice(&self.verification_key.0);
        context.extend_from_slice(&self.derivation.bytes());
        context.extend_from_slice(&self.salt);
        context
    }
}

/// A fresh signature key: 32 random bytes, and the autograph mixed in where there is one.
///
/// With an autograph the seed is HKDF-SHA256 (RFC 5869) with the random bytes as input, SHA-256 of the autograph as
/// salt and `inkan/v1/signature-key` as info, so that it is never easier to guess than the random bytes alone.
pub(crate) fn fresh_signature_key(surroundings: &Surroundings, autograph: Option<&[u8]>) -> SigningKey {
    let random: Key = Zeroizing::new(surroundings.array());
    let Some(autograph) = autograph else { return SigningKey::from_seed(&random) };
    let mut seed = Key::default();
    Hkdf::<Sha256>::new(Some(&Sha256::digest(autograph)), &*random)
        .expand(b"inkan/v1/signature-key", &mut *seed)
        .expect("32 bytes are less than HKDF's 255 blocks");
    SigningKey::from_seed(&seed)
}
