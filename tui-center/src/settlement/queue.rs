//! Who may hold how much of the desk's queue, and when to come again where it is full.
//!
//! The queue is bounded by number and bytes. One connection holds at most a sixty-fourth of the one, which is what it
//! may have unanswered at all, and a sixteenth of the other: whoever floods the desk is told that it is busy long before
//! others are.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use wire::limits;

/// Requests that may wait for the desk.
pub(super) const QUEUE: usize = 4096;
/// The bytes that they may hold together.
pub(super) const QUEUE_BYTES: usize = 64 << 20;
/// Of these, what one connection may hold: four of the longest requests.
const SHARE_BYTES: usize = QUEUE_BYTES / 16;
const _: () = assert!(limits::PIPELINE * 64 <= QUEUE && SHARE_BYTES >= limits::FRAME);

/// The shortest and the longest wait that are asked for, in milliseconds.
const RETRY_MS: (u64, u64) = (20, 10_000);
/// What one request takes, as long as none was measured.
const FIRST_NS: u64 = 50_000;

/// A bound on bytes that wait: the whole queue's, or one connection's share of it. Clones are the same.
#[derive(Debug, Clone)]
pub struct Share {
    held: Arc<AtomicUsize>,
    most: usize,
}

/// Some bytes of a bound; given back when dropped.
#[derive(Debug)]
pub(super) struct Room {
    held: Arc<AtomicUsize>,
    bytes: usize,
}

impl Share {
    /// What one connection may hold of the queue.
    pub fn of_connection() -> Self {
        Self { held: Arc::default(), most: SHARE_BYTES }
    }

    pub(super) fn whole() -> Self {
        Self { held: Arc::default(), most: QUEUE_BYTES }
    }

    /// Takes room, if there is so much.
    pub(super) fn take(&self, bytes: usize) -> Option<Room> {
        let fits = |held: usize| held.checked_add(bytes).filter(|held| *held <= self.most);
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()?;
        Some(Room { held: self.held.clone(), bytes })
    }
}

impl Room {
    /// The same for all that one connection holds, and for nobody else.
    pub(super) fn whose(&self) -> usize {
        Arc::as_ptr(&self.held) as usize
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What waits, and how fast it is done.
#[derive(Debug)]
pub(super) struct Load {
    waiting: AtomicUsize,
    /// Nanoseconds for one request, smoothed over the last batches.
    each: AtomicU64,
}

impl Load {
    pub(super) fn none() -> Self {
        Self { waiting: AtomicUsize::new(0), each: AtomicU64::new(FIRST_NS) }
    }

    pub(super) fn comes(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn goes(&self, requests: usize) {
        self.waiting.fetch_sub(requests, Ordering::Relaxed);
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// So many requests took so long together.
    pub(super) fn took(&self, requests: usize, nanoseconds: u64) {
        let Some(each) = nanoseconds.checked_div(requests as u64) else { return };
        let before = self.each.load(Ordering::Relaxed);
        self.each.store((before * 7 + each) / 8, Ordering::Relaxed);
    }

    /// In how many milliseconds what waits now will be done.
    pub(super) fn retry_ms(&self) -> u32 {
        let (least, most) = RETRY_MS;
        let ahead = self.each.load(Ordering::Relaxed).saturating_mul(self.waiting() as u64) / 1_000_000;
        u32::try_from(ahead.clamp(least, most)).expect("ten seconds fit 32 bits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_given_back_and_never_exceeded() {
        let share = Share::of_connection();
        let first = share.take(SHARE_BYTES - 1).unwrap();
        assert!(share.take(2).is_none());
        assert!(share.clone().take(1).is_some(), "a clone is the same");
        drop(first);
        assert!(share.take(SHARE_BYTES).is_some());
        assert!(share.take(usize::MAX).is_none());
    }

    #[test]
    fn the_wait_follows_the_queue_and_the_pace() {
        let load = Load::none();
        assert_eq!(load.retry_ms(), 20);
        (0..4000).for_each(|_| load.comes());
        assert_eq!(load.retry_ms(), 200);
        (0..100).for_each(|_| load.took(10, 10_000_000));
        assert!((3900..=4000).contains(&load.retry_ms()), "a millisecond each: {}", load.retry_ms());
        load.took(0, 5);
        load.goes(3990);
        assert_eq!(load.retry_ms(), 20);
    }
}
