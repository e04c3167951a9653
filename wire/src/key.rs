//! Ed25519 keys and signatures (RFC 8032), verified strictly and one by one.
//!
//! A batch can accept what a single verification refuses, and a receipt must not pass at the center and fail before
//! a judge; so there is no batch verification here. A key is accepted at registration or pinning only when it is
//! canonical, not of small order and torsion-free: what [`VerificationKey::verify`] accepts under such a key, every
//! published rule set for Ed25519 accepts.

use std::{fmt, sync::LazyLock};

use curve25519_dalek::{constants::EIGHT_TORSION, edwards::CompressedEdwardsY};
use ed25519_dalek::{Signer as _, Verifier as _, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use zeroize::Zeroizing;

use crate::id::{CenterId, Digest, IdError, digest, joined, quarters};
use data_encoding::HEXLOWER_PERMISSIVE;
use std::str::FromStr;

digest!(
    /// A public key as it travels. Whether it is acceptable is asked once, with [`VerificationKey::check`].
    VerificationKey, "verification key of 64 hex digits"
);

/// Why a key is not accepted, or a signature does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not the canonical encoding of a point of the curve.
    #[error("the key is not a point of the curve")]
    NotAPoint,
    /// Of small order, or with a torsion part: signatures under it would mean different things to different verifiers.
    #[error("the key is weak")]
    Weak,
    /// The signature does not fit key and bytes.
    #[error("the signature does not fit")]
    BadSignature,
}

impl VerificationKey {
    /// Whether the key may be registered or pinned.
    pub fn check(&self) -> Result<(), KeyError> {
        let point = CompressedEdwardsY(self.0).decompress().ok_or(KeyError::NotAPoint)?;
        if point.compress().0 != self.0 {
            return Err(KeyError::NotAPoint);
        }
        if point.is_small_order() || !point.is_torsion_free() {
            return Err(KeyError::Weak);
        }
        Ok(())
    }

    /// Verifies a signature over exactly `message`, by the strict rules.
    ///
    /// # Errors
    /// As [`VerificationKey::prepare`], and when the signature does not fit.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), KeyError> {
        self.prepare()?.verify(message, signature)
    }

    /// Decompresses the key's point, which costs a tenth of a verification, for whoever verifies under it again and
    /// again.
    ///
    /// # Errors
    /// When the key is no point, or weak: nothing holds under it.
    pub fn prepare(&self) -> Result<PreparedKey, KeyError> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| KeyError::NotAPoint)?;
        if key.is_weak() { Err(KeyError::Weak) } else { Ok(PreparedKey(key)) }
    }

    /// What people compare: the first 16 bytes of the key's SHA-256 in groups of four hex digits.
    pub fn fingerprint(&self) -> String {
        let hex = Digest::of(&[b"inkan/v1/fingerprint", &self.0]).to_string();
        let groups: Vec<&str> = (0..8).map(|at| &hex[at * 4..at * 4 + 4]).collect();
        groups.join(" ")
    }

    /// The center whose root key this is.
    pub fn center(&self) -> CenterId {
        CenterId(Digest::of(&[b"inkan/v1/center", &self.0]).0)
    }
}

/// A verification key whose point is decompressed and of large order. Only [`VerificationKey::prepare`] makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct PreparedKey(VerifyingKey);

impl PreparedKey {
    /// The key as it travels.
    pub fn key(&self) -> VerificationKey {
        VerificationKey(self.0.to_bytes())
    }

    /// Verifies a signature over exactly `message`, by the strict rules: it accepts what `verify_strict` of
    /// `ed25519-dalek` accepts and nothing else.
    ///
    /// `verify_strict` decompresses `R` to see whether it is of small order, and then does what `verify` does: works
    /// out the `R` that belongs to the signature and compares its canonical encoding with the bytes. Where `verify`
    /// accepts, the bytes are therefore the canonical encoding of a point, and that point is of small order exactly
    /// when the bytes are one of eight. Looking there saves the second decompression.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), KeyError> {
        let (point, _) = signature.0.split_first_chunk::<32>().ok_or(KeyError::BadSignature)?;
        if SMALL_ORDER.contains(point) {
            return Err(KeyError::BadSignature);
        }
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify(message, &signature).map_err(|_| KeyError::BadSignature)
    }
}

impl fmt::Debug for PreparedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreparedKey({})", self.key().short())
    }
}

/// The canonical encodings of the points of small order.
static SMALL_ORDER: LazyLock<[[u8; 32]; 8]> = LazyLock::new(|| EIGHT_TORSION.map(|point| point.compress().0));

/// An Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({})", HEXLOWER_PERMISSIVE.encode(&self.0[..4]))
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.serialize_str(&HEXLOWER_PERMISSIVE.encode(&self.0));
        }
        let (halves, _) = self.0.as_chunks::<32>();
        (quarters(&halves[0]), quarters(&halves[1])).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            let bytes =
                HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
            return bytes.map(Self).ok_or_else(|| D::Error::custom("a signature is 128 hex digits"));
        }
        let (low, high) = <([u64; 4], [u64; 4])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&joined(low));
        bytes[32..].copy_from_slice(&joined(high));
        Ok(Self(bytes))
    }
}

/// A private key. It is wiped when dropped, and its `Debug` shows the public half only.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A fresh key from the operating system's randomness.
    pub fn generate() -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        random(&mut *seed);
        Self::from_seed(&seed)
    }

    /// The key of a 32-byte seed.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// The seed, for sealing.
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn verification_key(&self) -> VerificationKey {
        VerificationKey(self.0.verifying_key().to_bytes())
    }

    /// Signs exactly `message`. What is signed begins with a domain tag; see [`crate::telegram`].
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.verification_key().short())
    }
}

/// Fills `bytes` from the operating system.
///
/// # Panics
/// When the operating system has no randomness to give: nothing safe can be done then.
pub fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives randomness");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_verifies_the_first_vector_of_rfc_8032() {
        let hex = |text: &str| HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap();
        let seed: [u8; 32] =
            hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").try_into().unwrap();
        let key = SigningKey::from_seed(&seed);
        let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        assert_eq!(key.verification_key().to_string(), public);
        let signature = key.sign(b"");
        assert!(HEXLOWER_PERMISSIVE.encode(&signature.0).starts_with("e5564300c360ac729086e2cc806e828a"));
        assert_eq!(key.verification_key().verify(b"", &signature), Ok(()));
        assert_eq!(key.verification_key().verify(b"x", &signature), Err(KeyError::BadSignature));
        assert_eq!(key.verification_key().check(), Ok(()));
    }

    #[test]
    fn weak_and_foreign_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert_eq!(VerificationKey(identity).check(), Err(KeyError::Weak));
        assert_eq!(VerificationKey([0; 32]).check(), Err(KeyError::Weak), "a point of order 4");
        assert!(VerificationKey([0xff; 32]).check().is_err(), "not canonical");
        let torsion = CompressedEdwardsY([
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ]);
        let honest = CompressedEdwardsY(SigningKey::generate().verification_key().0).decompress().unwrap();
        let mixed = honest + torsion.decompress().unwrap();
        assert_eq!(VerificationKey(mixed.compress().0).check(), Err(KeyError::Weak), "a torsion part");
    }

    /// Signatures that rule sets for Ed25519 disagree on, and changed ones: the verdict is `verify_strict`'s.
    #[test]
    fn accepts_exactly_what_verify_strict_accepts() {
        let honest = SigningKey::from_seed(&[3; 32]);
        let torsion = EIGHT_TORSION.map(|point| point.compress().0);
        let mut not_canonical = [0xff; 32];
        not_canonical[0] = 0xee;
        let mut negative_zero = torsion[0];
        negative_zero[31] |= 0x80;
        let points = torsion.into_iter().chain([not_canonical, negative_zero, [0xff; 32], [2; 32]]);
        let mut points: Vec<[u8; 32]> = points.collect();
        points.push(honest.verification_key().0);
        for point in EIGHT_TORSION {
            let own = CompressedEdwardsY(honest.verification_key().0).decompress().unwrap();
            points.push((own + point).compress().0);
        }
        let order = hex_bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut scalars = vec![[0; 32], order, [0xff; 32]];
        let (mut accepted, mut refused) = (0, 0);
        let mut compare = |key: &[u8; 32], message: &[u8], signature: [u8; 64]| {
            let strict = VerifyingKey::from_bytes(key).is_ok_and(|key| {
                key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature)).is_ok()
            });
            let ours = VerificationKey(*key).verify(message, &Signature(signature)).is_ok();
            assert_eq!(ours, strict, "{key:?} {signature:?}");
            *(if ours { &mut accepted } else { &mut refused }) += 1;
        };
        for number in 0..3_u8 {
            let message = [number; 7];
            let signature = honest.sign(&message).0;
            scalars.truncate(3);
            scalars.push(*signature.last_chunk().unwrap());
            let halves = points.iter().copied().chain([*signature.first_chunk().unwrap()]);
            for point in halves.collect::<Vec<_>>() {
                for scalar in &scalars {
                    let signature = [point, *scalar].concat().try_into().unwrap();
                    for key in &points {
                        compare(key, &message, signature);
                    }
                }
            }
            for byte in 0..64 {
                let mut changed = signature;
                changed[byte] ^= 1;
                compare(&honest.verification_key().0, &message, changed);
            }
        }
        assert!(accepted >= 3, "honest ones are among them");
        assert!(refused > 1_000);
    }

    fn hex_bytes(text: &str) -> [u8; 32] {
        HEXLOWER_PERMISSIVE.decode(text.as_bytes()).unwrap().try_into().unwrap()
    }

    #[test]
    fn a_private_key_never_prints() {
        let key = SigningKey::from_seed(&[7; 32]);
        assert!(!format!("{key:?}").contains("0707"));
    }
}
