//! What a vault takes from outside: randomness, the clock, and how costly a password shall be.

use std::{fmt, sync::Arc};

use wire::{key, time::Timestamp};

/// How the Argon2id parameters of a new password are chosen, before a center's policy raises them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// Half a second on this machine, never below the floor of 64 MiB and 3 passes.
    Calibrated,
    /// The floor itself.
    Floor,
    /// 8 KiB and one pass: for tests. A build without debug assertions takes it for [`Cost::Floor`].
    Weak,
}

/// Fills a slice with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Randomness, clock and password cost. Programs use [`Surroundings::system`]; tests and simulations bring their own.
#[derive(Clone)]
pub struct Surroundings {
    /// Gives bytes fit for keys.
    pub random: Random,
    /// Reads the clock.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// How costly new passwords are made.
    pub cost: Cost,
}

impl Surroundings {
    /// The operating system's randomness and clock, calibrated passwords.
    ///
    /// In a build with debug assertions the environment variable `INKAN_TEST_KDF=weak` makes passwords cheap.
    pub fn system() -> Self {
        let weak =
            cfg!(debug_assertions) && std::env::var_os("INKAN_TEST_KDF").is_some_and(|value| value == "weak");
        let cost = if weak { Cost::Weak } else { Cost::Calibrated };
        Self { random: Arc::new(key::random), now: Arc::new(Timestamp::now), cost }
    }

    pub(crate) fn array<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.random)(&mut bytes);
        bytes
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Whether parameters below the floor are chosen and accepted.
    pub(crate) fn weak(&self) -> bool {
        cfg!(debug_assertions) && self.cost == Cost::Weak
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("cost", &self.cost).finish_non_exhaustive()
    }
}
