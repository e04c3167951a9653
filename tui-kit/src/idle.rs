//! How long a person has done nothing: what locks a vault that was left open.
//!
//! The runner keeps one for every screen whose [`crate::App::idle`] asks for it. Both clocks of [`Now`] are read: the
//! one that never jumps stands still while a laptop sleeps, so the machine's own counts too, and a lid that is opened
//! the next morning finds the screen locked. A machine's clock that is set forward locks too early, which does no harm.

use std::time::Duration;

use crate::app::Now;

/// Since when nothing was typed, pasted or clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idle {
    last: Now,
    /// Whether it was said already; it is said once until the next input.
    said: bool,
}

impl Idle {
    /// A person who was there just now.
    pub fn new(now: Now) -> Self {
        Self { last: now, said: false }
    }

    /// Something was done.
    pub fn touch(&mut self, now: Now) {
        *self = Self::new(now);
    }

    /// Whether `limit` is over, which is said once.
    pub fn is_over(&mut self, now: Now, limit: Duration) -> bool {
        let over = !self.said && self.spent(now) >= limit;
        self.said |= over;
        over
    }

    /// After what time `limit` is over; none when that was said.
    pub fn rest(&self, now: Now, limit: Duration) -> Option<Duration> {
        (!self.said).then(|| limit.saturating_sub(self.spent(now)))
    }

    fn spent(&self, now: Now) -> Duration {
        let machine = u64::try_from(now.unix_ms.saturating_sub(self.last.unix_ms)).unwrap_or(0);
        now.running.saturating_sub(self.last.running).max(Duration::from_millis(machine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(60);

    fn at(seconds: u64, machine_seconds: i64) -> Now {
        Now { unix_ms: machine_seconds * 1_000, running: Duration::from_secs(seconds) }
    }

    #[test]
    fn it_is_over_once_until_something_is_done() {
        let mut idle = Idle::new(at(0, 0));
        assert_eq!(idle.rest(at(20, 20), LIMIT), Some(Duration::from_secs(40)));
        assert!(!idle.is_over(at(59, 59), LIMIT));
        assert!(idle.is_over(at(60, 60), LIMIT) && !idle.is_over(at(61, 61), LIMIT));
        assert_eq!(idle.rest(at(61, 61), LIMIT), None);
        idle.touch(at(70, 70));
        assert!(!idle.is_over(at(129, 129), LIMIT) && idle.is_over(at(130, 130), LIMIT));
    }

    #[test]
    fn the_sleep_of_a_laptop_counts_and_a_clock_set_back_does_not() {
        assert!(Idle::new(at(0, 0)).is_over(at(1, 3_600), LIMIT));
        assert!(!Idle::new(at(0, 3_600)).is_over(at(1, 0), LIMIT));
    }
}
