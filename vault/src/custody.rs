//! The keys in the vault: the signature key under password B, the terminal key beside it.

use std::fmt;

use hkdf::Hkdf;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use wire::{
    admission::VaultPolicy,
    key::{SigningKey, VerificationKey},
};
use zeroize::Zeroizing;

use crate::{
    autograph::Autograph,
    error::Error,
    header::Mode,
    page::InPage,
    password::{Derivation, Key},
    seal::{self, NONCE},
    surroundings::Surroundings,
};

/// The signature key in the open, for one act. It is wiped when dropped.
///
/// [`SigningHand::act`] takes the hand, so that a second act needs the password again.
pub struct SigningHand(pub(crate) InPage<SigningKey>);

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
        policy: Option<VaultPolicy>,
    ) -> Result<Self, Error> {
        let verification_key = key.verification_key();
        let derivation = Derivation::choose(surroundings, policy)?;
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
        Ok(Some(SigningHand(InPage::new(SigningKey::from_seed(seed)))))
    }

    /// Whether it costs less to open than the center asks for.
    pub(crate) fn is_outdated(&self, policy: Option<VaultPolicy>) -> bool {
        self.derivation.below(policy)
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
/// With an autograph the seed is HKDF-SHA256 (RFC 5869) with the random bytes as input, SHA-256 of the encoded autograph
/// as salt and `inkan/v1/signature-key` as info, so that it is never easier to guess than the random bytes alone.
pub(crate) fn fresh_signature_key(surroundings: &Surroundings, autograph: Option<&Autograph>) -> SigningKey {
    let random: Key = Zeroizing::new(surroundings.array());
    let Some(autograph) = autograph else { return SigningKey::from_seed(&random) };
    let mut seed = Key::default();
    Hkdf::<Sha256>::new(Some(&Sha256::digest(autograph.encode())), &*random)
        .expand(b"inkan/v1/signature-key", &mut *seed)
        .expect("32 bytes are less than HKDF's 255 blocks");
    SigningKey::from_seed(&seed)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::autograph::Typed;

    fn autograph(text: &str) -> Autograph {
        Autograph::new(Vec::new(), Some(Typed { text: text.into(), intervals: vec![80] })).unwrap()
    }

    fn random(byte: u8) -> Surroundings {
        Surroundings { random: Arc::new(move |bytes| bytes.fill(byte)), ..Surroundings::system() }
    }

    #[test]
    fn a_known_autograph_does_not_make_the_key_predictable() {
        let known = autograph("Hanako");
        let keys: std::collections::BTreeSet<VerificationKey> = (0..200)
            .map(|byte| fresh_signature_key(&random(byte), Some(&known)).verification_key())
            .collect();
        assert_eq!(keys.len(), 200, "every 32 bytes of the system give another key under one autograph");
        // The seed comes out of HKDF with the 32 unknown bytes as its input; the autograph is no more than the salt.
        let mut seed = [0; 32];
        Hkdf::<Sha256>::new(Some(&Sha256::digest(known.encode())), &[7; 32])
            .expand(b"inkan/v1/signature-key", &mut seed)
            .unwrap();
        assert_eq!(*fresh_signature_key(&random(7), Some(&known)).seed(), seed);
    }

    #[test]
    fn the_autograph_is_mixed_in() {
        let keys = [None, Some(autograph("Hanako")), Some(autograph("Hanaka"))]
            .map(|autograph| fresh_signature_key(&random(5), autograph.as_ref()).verification_key());
        assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    }
}
