//! Sealing to an X25519 key (RFC 7748), so that only the recovery phrase opens it.

use hkdf::Hkdf;
use sha2::Sha256;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use crate::{
    error::Error,
    password::Key,
    seal::{self, NONCE},
    surroundings::Surroundings,
};

/// Something sealed to one X25519 key.
///
/// The key is HKDF-SHA256 without salt over `shared secret ‖ ephemeral public key ‖ receiver's public key` with the
/// purpose as info; what is sealed is bound to `purpose ‖ 0 ‖ context`.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct SealedTo {
    /// The receiver's public key.
    pub(crate) to: [u8; 32],
    pub(crate) ephemeral: [u8; 32],
    pub(crate) nonce: [u8; NONCE],
    pub(crate) sealed: Vec<u8>,
}

impl SealedTo {
    /// Seals `content` to the holder of `to`.
    ///
    /// # Errors
    /// [`Error::KeyLost`] when `to` is of small order, which no honest key is.
    pub(crate) fn new(
        surroundings: &Surroundings,
        to: &[u8; 32],
        (purpose, context): (&'static str, &[u8]),
        content: &[u8],
    ) -> Result<Self, Error> {
        let secret: Key = Zeroizing::new(surroundings.array());
        let secret = StaticSecret::from(*secret);
        let ephemeral = PublicKey::from(&secret).to_bytes();
        let key = agreed(&secret, to, &ephemeral, to, purpose).ok_or(Error::KeyLost("recovery key"))?;
        let nonce = surroundings.array();
        let sealed = seal::seal(&key, &nonce, &bound(purpose, context), content);
        Ok(Self { to: *to, ephemeral, nonce, sealed })
    }

    /// Opens it; `None` when secret, purpose, context or bytes differ.
    pub(crate) fn open(
        &self,
        secret: &StaticSecret,
        (purpose, context): (&'static str, &[u8]),
    ) -> Option<Zeroizing<Vec<u8>>> {
        let key = agreed(secret, &self.ephemeral, &self.ephemeral, &self.to, purpose)?;
        seal::open(&key, &self.nonce, &bound(purpose, context), &self.sealed)
    }
}

/// The key that both sides come to; `None` when the other side's key adds nothing to it.
fn agreed(
    secret: &StaticSecret,
    other: &[u8; 32],
    ephemeral: &[u8; 32],
    to: &[u8; 32],
    purpose: &str,
) -> Option<Key> {
    let shared = secret.diffie_hellman(&PublicKey::from(*other));
    if !shared.was_contributory() {
        return None;
    }
    let mut material = Zeroizing::new([0; 96]);
    material[..32].copy_from_slice(shared.as_bytes());
    material[32..64].copy_from_slice(ephemeral);
    material[64..].copy_from_slice(to);
    let mut key = Key::default();
    Hkdf::<Sha256>::new(None, &*material)
        .expand(purpose.as_bytes(), &mut *key)
        .expect("32 bytes are less than HKDF's 255 blocks");
    Some(key)
}

fn bound(purpose: &str, context: &[u8]) -> Vec<u8> {
    [purpose.as_bytes(), &[0], context].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSE: (&str, &[u8]) = ("inkan/v1/test", b"context");

    fn pair(byte: u8) -> (StaticSecret, [u8; 32]) {
        let secret = StaticSecret::from([byte; 32]);
        let public = PublicKey::from(&secret).to_bytes();
        (secret, public)
    }

    #[test]
    fn only_the_receiver_opens_it_and_only_for_its_purpose() {
        let (secret, public) = pair(7);
        let sealed = SealedTo::new(&Surroundings::system(), &public, PURPOSE, b"content").unwrap();
        assert_eq!(**sealed.open(&secret, PURPOSE).unwrap(), *b"content");
        assert!(sealed.open(&pair(8).0, PURPOSE).is_none());
        assert!(sealed.open(&secret, ("inkan/v1/other", b"context")).is_none());
        assert!(sealed.open(&secret, (PURPOSE.0, b"other")).is_none());
        for part in [0, 1, 2, 3] {
            let mut wounded = sealed.clone();
            match part {
                0 => wounded.to[3] ^= 1,
                1 => wounded.ephemeral[3] ^= 1,
                2 => wounded.nonce[3] ^= 1,
                _ => wounded.sealed[3] ^= 1,
            }
            assert!(wounded.open(&secret, PURPOSE).is_none(), "part {part}");
        }
    }

    #[test]
    fn a_key_of_small_order_is_refused_on_both_sides() {
        assert!(SealedTo::new(&Surroundings::system(), &[0; 32], PURPOSE, b"content").is_err());
        // Well sealed under the key that anyone can compute from it, since the shared secret is zero.
        let (secret, public) = pair(7);
        let mut key = Key::default();
        Hkdf::<Sha256>::new(None, &[[0; 32], [0; 32], public].concat())
            .expand(PURPOSE.0.as_bytes(), &mut *key)
            .unwrap();
        let nonce = [3; NONCE];
        let sealed = seal::seal(&key, &nonce, &bound(PURPOSE.0, PURPOSE.1), b"content");
        let sealed = SealedTo { to: public, ephemeral: [0; 32], nonce, sealed };
        assert!(sealed.open(&secret, PURPOSE).is_none());
    }
}
