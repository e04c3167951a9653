//! An instant for decisions.
//!
//! Entry times never go back, so a clock that jumps ahead once would date all that follows, let every open request
//! lapse and every telegram expire. A jump of more than an hour against the monotonic clock is therefore not
//! followed: time goes on at its steady pace, expiries wait, and an operator says which clock is right.

use std::time::{Duration, Instant};

use wire::time::Timestamp;

/// How far the wall clock may move against the monotonic one between two looks.
const JUMP_MS: u64 = 60 * 60 * 1000;

/// The machine's clocks.
pub trait Clock: Send {
    /// The wall clock.
    fn now(&self) -> Timestamp;
    /// The monotonic clock, from an arbitrary beginning.
    fn steady(&self) -> Duration;
}

/// The system's clocks.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// Starts the monotonic clock.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn steady(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The desk's time: the wall clock's, while that can be believed.
pub(super) struct DeskClock {
    clock: Box<dyn Clock>,
    at: Timestamp,
    steady: Duration,
    jumped: Option<Jump>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Jump {
    Ahead,
    Back,
}

impl DeskClock {
    /// Begins with the wall clock's time, unless that lies far before the last entry's.
    pub(super) fn begin(clock: Box<dyn Clock>, last: Timestamp) -> Self {
        let (now, steady) = (clock.now(), clock.steady());
        if last.since_ms(now) > JUMP_MS {
            return Self { clock, at: last, steady, jumped: Some(Jump::Back) };
        }
        Self { clock, at: now, steady, jumped: None }
    }

    /// The time to decide by. A clock that comes back to the steady pace by itself is believed again.
    pub(super) fn now(&mut self) -> Timestamp {
        let (wall, steady) = (self.clock.now(), self.clock.steady());
        let passed = u64::try_from(steady.saturating_sub(self.steady).as_millis()).unwrap_or(u64::MAX);
        let expected = self.at.plus_ms(passed);
        self.jumped = if wall.since_ms(expected) > JUMP_MS {
            Some(Jump::Ahead)
        } else if expected.since_ms(wall) > JUMP_MS {
            Some(Jump::Back)
        } else {
            None
        };
        self.at = if self.jumped.is_some() { expected } else { wall };
        self.steady = steady;
        self.at
    }

    /// The wall clock is right.
    pub(super) fn accept(&mut self) {
        self.at = self.clock.now();
        self.steady = self.clock.steady();
        self.jumped = None;
    }

    /// What an operator must know, while the wall clock is not followed.
    pub(super) fn words(&self) -> Option<String> {
        let direction = match self.jumped? {
            Jump::Ahead => "ahead",
            Jump::Back => "back",
        };
        Some(format!(
            "this computer's clock jumped {direction} by more than an hour. Payments go on by the old time, and \
             nothing lapses until an operator sets the clock right or accepts it"
        ))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Clocks that a test sets: wall and monotonic, in milliseconds.
    #[derive(Debug, Clone, Default)]
    pub(crate) struct SetClock(pub(crate) Arc<Mutex<(u64, u64)>>);

    impl SetClock {
        pub(crate) fn at(wall: u64) -> Self {
            Self(Arc::new(Mutex::new((wall, 0))))
        }

        pub(crate) fn pass(&self, ms: u64) {
            let mut both = self.0.lock().unwrap();
            both.0 += ms;
            both.1 += ms;
        }

        pub(crate) fn jump_to(&self, wall: u64) {
            self.0.lock().unwrap().0 = wall;
        }
    }

    impl Clock for SetClock {
        fn now(&self) -> Timestamp {
            Timestamp(self.0.lock().unwrap().0)
        }

        fn steady(&self) -> Duration {
            Duration::from_millis(self.0.lock().unwrap().1)
        }
    }

    #[test]
    fn a_jump_is_followed_only_when_it_is_accepted() {
        let start = 1_000 * JUMP_MS;
        let set = SetClock::at(start);
        let mut clock = DeskClock::begin(Box::new(set.clone()), Timestamp(0));
        set.pass(100 * JUMP_MS);
        assert_eq!((clock.now().0, clock.words()), (start + 100 * JUMP_MS, None), "long, but steady");
        let before = clock.now().0;
        set.jump_to(before + JUMP_MS + 1);
        assert_eq!(clock.now().0, before);
        assert!(clock.words().unwrap().contains("jumped ahead"));
        set.pass(7);
        assert_eq!(clock.now().0, before + 7, "time goes on");
        clock.accept();
        assert_eq!((clock.now().0, clock.words()), (before + JUMP_MS + 8, None));
        set.jump_to(5);
        assert_eq!(clock.now().0, before + JUMP_MS + 8);
        assert!(clock.words().unwrap().contains("jumped back"));
        set.jump_to(before + JUMP_MS);
        assert_eq!((clock.now().0, clock.words()), (before + JUMP_MS, None), "set right again");
    }

    #[test]
    fn a_clock_far_behind_the_books_is_not_believed() {
        let set = SetClock::at(5);
        let mut clock = DeskClock::begin(Box::new(set), Timestamp(10 * JUMP_MS));
        assert_eq!(clock.now().0, 10 * JUMP_MS);
        assert!(clock.words().is_some());
    }
}
