//! Clocks that run only when they are told to, and jump.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tui_center::settlement::Clock;
use wire::time::Timestamp;

/// The machine's clocks, and the true time, which nobody in the simulation sees. Clones are the same.
#[derive(Debug, Clone)]
pub struct SimClock(Arc<Mutex<Times>>);

#[derive(Debug)]
struct Times {
    wall: u64,
    passed: u64,
    begun: u64,
}

impl SimClock {
    /// Begins at an instant, in milliseconds of the epoch.
    pub fn at(instant: u64) -> Self {
        Self(Arc::new(Mutex::new(Times { wall: instant, passed: 0, begun: instant })))
    }

    /// Time passes.
    pub fn pass(&self, ms: u64) {
        let mut times = self.times();
        times.wall += ms;
        times.passed += ms;
    }

    /// The wall clock is set wrong by so much, or right again by nothing.
    pub fn jump(&self, ms: i64) {
        let mut times = self.times();
        times.wall = (times.begun + times.passed).saturating_add_signed(ms);
    }

    /// The true time.
    pub fn true_now(&self) -> Timestamp {
        let times = self.times();
        Timestamp(times.begun + times.passed)
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.times().wall)
    }

    fn steady(&self) -> Duration {
        Duration::from_millis(self.times().passed)
    }
}
