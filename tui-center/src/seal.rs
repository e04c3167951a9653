//! Passphrases and sealing: Argon2id (RFC 9106) and XChaCha20-Poly1305 with random nonces.
//!
//! A passphrase is normalised to NFKC before anything else, so that the same keys pressed on another system give the
//! same passphrase. Its cost stands beside what it seals and is bound into it.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305,
    aead::{Aead, Payload},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The fewest characters of a passphrase, after normalisation.
pub(crate) const CHARACTERS_MIN: usize = 8;
/// The most bytes of a passphrase as typed.
const BYTES_MAX: usize = 1024;

/// A 32-byte key that is wiped when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// What deriving a key from a passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    const FLOOR: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 1 };
    const CEILING: Self = Self { memory_kib: 4 << 20, passes: 100, lanes: 16 };
    const WEAK: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    /// The cost of a new passphrase.
    pub(crate) fn new() -> Self {
        if weak() { Self::WEAK } else { Self::FLOOR }
    }

    /// The key of a passphrase.
    ///
    /// # Errors
    /// In words, when the cost is outside its bounds or the memory can't be had.
    pub(crate) fn key(&self, passphrase: &SecretString, salt: &[u8; 16]) -> Result<Key, String> {
        self.check()?;
        let failed =
            |error: argon2::Error| format!("Argon2id with {} KiB of memory: {error}", self.memory_kib);
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(failed)?;
        let mut key = Key::default();
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(normalised(passphrase).as_bytes(), salt, &mut *key)
            .map_err(failed)?;
        Ok(key)
    }

    /// What is found in a file must be strong enough to protect and cheap enough to end.
    fn check(&self) -> Result<(), String> {
        let floor = if weak() { Self::WEAK } else { Self::FLOOR };
        let within = |value, low, high| (low..=high).contains(&value);
        let fits = within(self.memory_kib, floor.memory_kib, Self::CEILING.memory_kib)
            && within(self.passes, floor.passes, Self::CEILING.passes)
            && within(self.lanes, floor.lanes, Self::CEILING.lanes);
        if fits {
            Ok(())
        } else {
            Err("the cost of the passphrase is outside its bounds; the file may be tampered with".into())
        }
    }

    fn bytes(&self) -> [u8; 12] {
        let mut bytes = [0; 12];
        for (part, value) in bytes.chunks_exact_mut(4).zip([self.memory_kib, self.passes, self.lanes]) {
            part.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }
}

/// Something sealed under a passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    cost: Cost,
    salt: [u8; 16],
    content: Vec<u8>,
}

impl Sealed {
    /// Seals `content` under a passphrase, for one purpose.
    pub(crate) fn new(passphrase: &SecretString, purpose: &str, content: &[u8]) -> Result<Self, String> {
        let (cost, salt) = (Cost::new(), random());
        let key = cost.key(passphrase, &salt)?;
        let content = seal(&key, &context(purpose, &cost, &salt), content);
        Ok(Self { cost, salt, content })
    }

    /// Opens it; `None` when the passphrase is wrong or the bytes were changed.
    pub(crate) fn open(
        &self,
        passphrase: &SecretString,
        purpose: &str,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let key = self.cost.key(passphrase, &self.salt)?;
        Ok(open(&key, &context(purpose, &self.cost, &self.salt), &self.content))
    }
}

/// Seals `content` under `key`, bound to `context`: a random nonce, then the ciphertext with its tag.
pub(crate) fn seal(key: &Key, context: &[u8], content: &[u8]) -> Vec<u8> {
    let nonce: [u8; 24] = random();
    let sealed = XChaCha20Poly1305::new((&**key).into())
        .encrypt((&nonce).into(), Payload { msg: content, aad: context })
        .expect("the cipher takes anything shorter than 2^38 bytes");
    [&nonce[..], &sealed].concat()
}

/// Opens what [`seal`] made; `None` when key, context or bytes differ.
pub(crate) fn open(key: &Key, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<24>()?;
    XChaCha20Poly1305::new((&**key).into())
        .decrypt(nonce.into(), Payload { msg: sealed, aad: context })
        .ok()
        .map(Zeroizing::new)
}

/// Whether a passphrase may be chosen.
///
/// # Errors
/// In words.
pub(crate) fn check(what: &str, passphrase: &SecretString) -> Result<(), String> {
    if passphrase.expose_secret().len() > BYTES_MAX {
        return Err(format!("{what} is longer than {BYTES_MAX} bytes"));
    }
    if normalised(passphrase).chars().count() < CHARACTERS_MIN {
        return Err(format!("{what} needs at least {CHARACTERS_MIN} characters"));
    }
    Ok(())
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    wire::key::random(&mut bytes);
    bytes
}

fn context(purpose: &str, cost: &Cost, salt: &[u8; 16]) -> Vec<u8> {
    [purpose.as_bytes(), &[0], &cost.bytes(), salt].concat()
}

fn normalised(passphrase: &SecretString) -> Zeroizing<String> {
    // NFKC lengthens UTF-8 at most elevenfold; with so much room the text never moves and leaves no copy behind.
    let typed = passphrase.expose_secret();
    let mut normalised = Zeroizing::new(String::with_capacity(typed.len() * 11));
    normalised.extend(typed.nfkc());
    normalised
}

/// Debug builds under test may derive cheaply; release builds never do.
fn weak() -> bool {
    cfg!(debug_assertions) && std::env::var_os("INKAN_TEST_KDF").is_some_and(|value| value == "weak")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_for_the_same_passphrase_and_purpose_only() {
        let passphrase = SecretString::from("korrekt ｐｆｅｒｄ");
        let sealed = Sealed::new(&passphrase, "test", b"secret").unwrap();
        let opened = sealed.open(&SecretString::from("korrekt pferd"), "test").unwrap();
        assert_eq!(
            opened.as_deref().map(Vec::as_slice),
            Some(&b"secret"[..]),
            "width of letters does not matter"
        );
        assert_eq!(sealed.open(&SecretString::from("korrekt pferE"), "test").unwrap(), None);
        assert_eq!(sealed.open(&passphrase, "other").unwrap(), None);
        let mut damaged = sealed.clone();
        *damaged.content.last_mut().unwrap() ^= 1;
        assert_eq!(damaged.open(&passphrase, "test").unwrap(), None);
        let cheap = Sealed { cost: Cost { memory_kib: 8 << 20, ..sealed.cost }, ..sealed };
        assert!(cheap.open(&passphrase, "test").unwrap_err().contains("bounds"));
    }

    #[test]
    fn short_passphrases_are_refused() {
        assert!(
            check("the passphrase", &SecretString::from("1234567")).unwrap_err().contains("8 characters")
        );
        assert!(check("the passphrase", &SecretString::from("12345678")).is_ok());
        assert!(check("the passphrase", &SecretString::from("1".repeat(2000))).is_err());
    }
}
