//! How long to wait before something is tried again.

use std::time::Duration;

use crate::seal;

/// Waits that double from the first to the longest, each moved a little by chance, so that many who failed together
/// do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub most: Duration,
    /// By how many hundredths a wait may be shorter or longer; at most 100.
    pub jitter: u32,
}

impl Default for Backoff {
    /// From one minute to one hour, give or take a fifth.
    fn default() -> Self {
        Self { first: Duration::from_secs(60), most: Duration::from_secs(60 * 60), jitter: 20 }
    }
}

impl Backoff {
    /// The wait after so many failures in a row.
    pub fn wait(&self, failures: u32) -> Duration {
        let chance = u32::from_le_bytes(seal::random());
        self.wait_with(failures, chance)
    }

    fn wait_with(&self, failures: u32, chance: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let wait = self.first.saturating_mul(doubled).min(self.most);
        let jitter = self.jitter.min(100);
        let hundredths = 100 - jitter + chance % (2 * jitter + 1);
        wait * hundredths / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_spread() {
        let even = Backoff { jitter: 0, ..Backoff::default() };
        let waits: Vec<u64> = (0..9).map(|failures| even.wait(failures).as_secs() / 60).collect();
        assert_eq!(waits, [1, 1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(even.wait(u32::MAX), even.most);
        let spread = Backoff::default();
        let seconds = |chance| spread.wait_with(1, chance).as_secs();
        assert_eq!((seconds(0), seconds(20), seconds(40), seconds(41)), (48, 60, 72, 48));
    }
}
