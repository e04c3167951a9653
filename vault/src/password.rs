//! Passwords: how they are read, what they must be, and how a key comes from them.
//!
//! A password is normalised to NFKC before anything else, so that the same keys pressed on another system, or with an
//! input method switched between full and half width, give the same password. Argon2id (RFC 9106, version 0x13) over
//! the UTF-8 bytes gives 32 bytes of key.

use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use wire::admission::VaultPolicy;
use zeroize::Zeroizing;

use crate::{
    error::{Error, Which},
    strength::{SCORE_MIN, strength},
    surroundings::{Cost, Surroundings},
};

/// The fewest characters of a new password, after normalisation.
pub const CHARACTERS_MIN: usize = 8;
/// The most bytes of a password as typed.
pub const BYTES_MAX: usize = 1024;

/// How long a new password should take to become a key.
const TARGET: Duration = Duration::from_millis(500);
/// Calibration stops here, so that a vault made on a large machine opens on a small one.
const CALIBRATED_MEMORY_MAX_KIB: u32 = 1 << 20;
/// A center may ask for no more passes, so that an opening does not take minutes.
const POLICY_PASSES_MAX: u32 = 20;
/// NFKC and NFKD lengthen UTF-8 at most elevenfold (U+FDFA); with so much room the text never moves and leaves no copy.
pub(crate) const NORMALISED_GROWTH: usize = 11;

/// A 32-byte key that is wiped when dropped.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// Argon2id parameters as they stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Derivation {
    /// Memory in KiB.
    pub(crate) memory_kib: u32,
    /// Passes over it.
    pub(crate) passes: u32,
    /// Lanes.
    pub(crate) lanes: u32,
}

impl Derivation {
    pub(crate) const FLOOR: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 1 };
    const CEILING: Self = Self { memory_kib: 4 << 20, passes: 100, lanes: 16 };
    const WEAK: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    /// The parameters for a new password: not below what the center asks for.
    pub(crate) fn choose(surroundings: &Surroundings, policy: Option<VaultPolicy>) -> Result<Self, Error> {
        let chosen = match surroundings.cost {
            Cost::Weak if surroundings.weak() => Self::WEAK,
            Cost::Floor | Cost::Weak => Self::FLOOR,
            Cost::Calibrated => Self::calibrate()?,
        };
        Ok(chosen.raised(policy))
    }

    /// Whether these parameters are below what the center asks for.
    pub(crate) fn below(&self, policy: Option<VaultPolicy>) -> bool {
        self.raised(policy) != *self
    }

    /// These parameters, raised to what the center asks for. What every vault has by the floor it need not ask for.
    fn raised(self, policy: Option<VaultPolicy>) -> Self {
        let above_floor = |policy: &VaultPolicy| {
            policy.memory_kib > Self::FLOOR.memory_kib || policy.passes > Self::FLOOR.passes
        };
        let Some(policy) = policy.filter(above_floor) else { return self };
        let (memory_kib, passes) = (self.memory_kib.max(policy.memory_kib), self.passes.max(policy.passes));
        Self { memory_kib, passes, ..self }
    }

    /// Whether a center may ask for so much.
    pub(crate) fn check_policy(policy: VaultPolicy) -> Result<(), Error> {
        let VaultPolicy { memory_kib, passes } = policy;
        if memory_kib > CALIBRATED_MEMORY_MAX_KIB || passes > POLICY_PASSES_MAX {
            return Err(Error::Policy { memory_kib, passes });
        }
        Ok(())
    }

    /// Scales memory until one derivation takes about [`TARGET`] on this machine.
    fn calibrate() -> Result<Self, Error> {
        let start = Instant::now();
        Self::FLOOR.key(&SecretString::from("calibration"), &[0; 32])?;
        let took = start.elapsed().as_millis().max(1);
        let scaled = u128::from(Self::FLOOR.memory_kib) * TARGET.as_millis() / took;
        let memory_kib = u32::try_from(scaled).unwrap_or(u32::MAX);
        let memory_kib = memory_kib.clamp(Self::FLOOR.memory_kib, CALIBRATED_MEMORY_MAX_KIB) & !1023;
        Ok(Self { memory_kib, ..Self::FLOOR })
    }

    /// Whether parameters found in a file may be used: strong enough to protect, cheap enough to end.
    pub(crate) fn check(&self, surroundings: &Surroundings) -> Result<(), Error> {
        let floor = if surroundings.weak() { Self::WEAK } else { Self::FLOOR };
        let within = |value: u32, low: u32, high: u32, what: &str| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            Err(Error::Derivation(format!(
                "{what} {value} is outside {low} to {high}; the header may be tampered with"
            )))
        };
        within(self.memory_kib, floor.memory_kib, Self::CEILING.memory_kib, "memory in KiB")?;
        within(self.passes, floor.passes, Self::CEILING.passes, "the number of passes")?;
        within(self.lanes, floor.lanes, Self::CEILING.lanes, "the number of lanes")
    }

    /// The key of a password.
    pub(crate) fn key(&self, password: &SecretString, salt: &[u8]) -> Result<Key, Error> {
        let failed =
            |error: argon2::Error| Error::Derivation(format!("{} KiB of memory: {error}", self.memory_kib));
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(failed)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut key = Key::default();
        argon.hash_password_into(normalised(password).as_bytes(), salt, &mut *key).map_err(failed)?;
        Ok(key)
    }

    /// As bound into what is sealed: three little-endian `u32`.
    pub(crate) fn bytes(&self) -> [u8; 12] {
        let mut bytes = [0; 12];
        for (part, value) in bytes.chunks_exact_mut(4).zip([self.memory_kib, self.passes, self.lanes]) {
            part.copy_from_slice(&value.to_le_bytes());
        }
        bytes
    }
}

/// Whether a password may be chosen by someone of whom `user_words` are known.
pub(crate) fn check(which: Which, password: &SecretString, user_words: &[&str]) -> Result<(), Error> {
    if password.expose_secret().len() > BYTES_MAX {
        return Err(Error::Unfit { which, why: "is longer than 1024 bytes".into() });
    }
    if normalised(password).chars().count() < CHARACTERS_MIN {
        return Err(Error::Unfit { which, why: "needs at least 8 characters".into() });
    }
    let strength = strength(password, user_words);
    if strength.score < SCORE_MIN {
        let why = format!("is too easy to guess. {}", strength.advice());
        return Err(Error::Unfit { which, why: why.into() });
    }
    Ok(())
}

/// Whether two passwords are the same to the vault.
pub(crate) fn same(one: &SecretString, other: &SecretString) -> bool {
    *normalised(one) == *normalised(other)
}

fn normalised(password: &SecretString) -> Zeroizing<String> {
    let typed = password.expose_secret();
    // One byte past the limit still differs from every password that could have been chosen.
    let typed = typed.get(..typed.len().min(BYTES_MAX + 1)).unwrap_or_default();
    let mut text = Zeroizing::new(String::with_capacity(typed.len() * NORMALISED_GROWTH));
    text.extend(typed.nfkc());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[test]
    fn the_same_keys_in_another_form_are_the_same_password() {
        assert!(same(&secret("pässwörd"), &secret("pa\u{308}sswo\u{308}rd")));
        assert!(same(&secret("ｉｎｋａｎ１２３"), &secret("inkan123")));
        assert!(!same(&secret("inkan123"), &secret("Inkan123")));
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert!(check(Which::A, &secret("1234567"), &[]).unwrap_err().to_string().contains("at least 8"));
        assert!(
            check(Which::A, &secret("七つの橋と灯籠だ"), &[]).is_ok(),
            "characters, not bytes, are counted"
        );
        assert!(
            check(Which::B, &secret(&"x".repeat(1025)), &[])
                .unwrap_err()
                .to_string()
                .starts_with("password B is longer")
        );
    }

    #[test]
    fn passwords_that_are_guessed_at_once_are_refused_with_words() {
        let refused = check(Which::A, &secret("password1"), &[]).unwrap_err().to_string();
        assert!(refused.starts_with("password A is too easy to guess. "), "{refused}");
        let own = check(Which::B, &secret("hanakosakura"), &["hanakosakura", "hanako", "sakura"]);
        assert!(own.unwrap_err().to_string().starts_with("password B is too easy to guess"));
    }

    #[test]
    fn a_center_raises_the_cost_and_never_lowers_it() {
        let policy = |memory_kib, passes| Some(VaultPolicy { memory_kib, passes });
        let floor = Derivation::FLOOR;
        assert!(!floor.below(None) && !floor.below(policy(1024, 1)) && !floor.below(policy(65_536, 3)));
        assert!(floor.below(policy(65_537, 1)) && floor.below(policy(8, 4)));
        let raised = floor.raised(policy(128 << 10, 1));
        assert_eq!((raised.memory_kib, raised.passes), (128 << 10, 3));
        assert!(Derivation::check_policy(VaultPolicy { memory_kib: u32::MAX, passes: 3 }).is_err());
        assert!(Derivation::check_policy(VaultPolicy { memory_kib: 8, passes: 1000 }).is_err());
        assert!(Derivation::check_policy(VaultPolicy { memory_kib: 256 << 10, passes: 4 }).is_ok());
    }

    #[test]
    fn argon2id_gives_what_the_reference_implementation_gives() {
        // From phc-winner-argon2, src/test.c: version 0x13, m = 65536, t = 2, p = 1.
        let derivation = Derivation { memory_kib: 65_536, passes: 2, lanes: 1 };
        let key = derivation.key(&secret("password"), b"somesalt").unwrap();
        assert_eq!(key[..8], [0x09, 0x31, 0x61, 0x15, 0xd5, 0xcf, 0x24, 0xed]);
        assert_eq!(key[24..], [0x02, 0xb6, 0x56, 0x6f, 0x61, 0x91, 0x3c, 0xf7]);
    }

    #[test]
    fn parameters_from_a_file_are_bounded() {
        let strict = Surroundings { cost: Cost::Floor, ..Surroundings::system() };
        assert!(Derivation::FLOOR.check(&strict).is_ok());
        assert!(Derivation::WEAK.check(&strict).is_err());
        for (memory_kib, passes, lanes) in
            [(u32::MAX, 3, 1), (65_536, 101, 1), (65_536, 2, 1), (65_536, 3, 17)]
        {
            assert!(Derivation { memory_kib, passes, lanes }.check(&strict).is_err());
        }
    }
}
