//! Named points at which a program dies outright, so that tests can kill a real process between any two of its steps.
//!
//! In a build with debug assertions `INKAN_FAILPOINT=NAME` ends the process with SIGKILL when it first comes to the point
//! of that name, `INKAN_FAILPOINT=NAME:3` when it comes there for the third time. Nothing is unwound, flushed or said, as
//! when the machine's memory killer takes it.
//!
//! `INKAN_FAILPOINT=NAME~250` kills nobody: each pass takes 250 ms longer, as on a slow disk.
//!
//! A build without debug assertions holds neither the points' names nor anything that could die at them.

/// Dies here, if this build and the environment say so.
#[cfg(debug_assertions)]
pub fn at(point: &str) {
    armed::pass(point);
}

/// Nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn at(_: &str) {}

#[cfg(debug_assertions)]
mod armed {
    use std::{
        sync::{
            LazyLock,
            atomic::{AtomicU64, Ordering},
        },
        time::Duration,
    };

    static ARMED: LazyLock<Option<Armed>> =
        LazyLock::new(|| Armed::parse(&std::env::var("INKAN_FAILPOINT").ok()?));

    struct Armed {
        point: String,
        does: Does,
    }

    enum Does {
        /// Dies when the point has been passed alive so often.
        Die(AtomicU64),
        /// Waits at each pass.
        Wait(Duration),
    }

    impl Armed {
        /// `NAME`, `NAME:COUNT` or `NAME~MS`.
        fn parse(said: &str) -> Option<Self> {
            if let Some((point, ms)) = said.split_once('~') {
                let does = Does::Wait(Duration::from_millis(ms.parse().ok()?));
                return Some(Self { point: point.to_owned(), does });
            }
            let (point, count) = said.split_once(':').unwrap_or((said, "1"));
            let spares = count.parse::<u64>().ok()?.checked_sub(1)?;
            Some(Self { point: point.to_owned(), does: Does::Die(AtomicU64::new(spares)) })
        }

        /// Whether this is where it dies.
        fn is_over(&self, point: &str) -> bool {
            match &self.does {
                _ if self.point != point => false,
                Does::Wait(wait) => {
                    std::thread::sleep(*wait);
                    false
                }
                Does::Die(spares) => spares
                    .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                    .is_err(),
            }
        }
    }

    pub(super) fn pass(point: &str) {
        if ARMED.as_ref().is_some_and(|armed| armed.is_over(point)) {
            // Another thread may take the signal: this one must not go a step further.
            while rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)
                .is_ok()
            {
                std::thread::park();
            }
            std::process::abort();
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_point_is_passed_as_often_as_it_says() {
            let armed = Armed::parse("desk.answer:3").unwrap();
            assert!(!armed.is_over("desk.other"));
            assert_eq!([(); 4].map(|()| armed.is_over("desk.answer")), [false, false, true, true]);
            assert!(Armed::parse("desk.answer").unwrap().is_over("desk.answer"));
            assert!(!Armed::parse("desk.answer~1").unwrap().is_over("desk.answer"));
            assert!(Armed::parse("desk.answer:0").is_none() && Armed::parse("desk.answer:x").is_none());
        }
    }
}
