//! How far a verification is, for whoever waits for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared between a verification and whoever watches it.
#[derive(Debug, Default)]
pub struct Watch {
    entries: AtomicU64,
    bytes: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Entries that were looked at.
    pub entries: u64,
    /// Bytes of the journal that are behind it.
    pub bytes: u64,
    /// Bytes of the journal; 0 before that is known.
    pub total: u64,
}

impl Watch {
    /// How far it is.
    pub fn progress(&self) -> Progress {
        Progress {
            entries: self.entries.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            total: self.total.load(Ordering::Relaxed),
        }
    }

    /// Nobody wants it any more: it ends within moments.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(super) fn begin(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
    }

    pub(super) fn passed(&self, entries: u64, bytes: u64) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.bytes.fetch_max(bytes, Ordering::Relaxed);
    }
}

impl Progress {
    /// Hundredths that are behind it; at most 99 before the end.
    pub fn percent(&self) -> u64 {
        (self.bytes * 100).checked_div(self.total).map_or(0, |hundredths| hundredths.min(99))
    }
}
