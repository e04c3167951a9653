//! The runner's clocks: what `update` is told instead of reading one.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::app::Now;

/// The only reader of clocks on this side.
pub(super) struct Clock {
    began: Instant,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self { began: Instant::now() }
    }

    pub(super) fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now { unix_ms: i64::try_from(unix.as_millis()).unwrap_or(i64::MAX), running: self.began.elapsed() }
    }
}

/// Waits until a moment; for ever without one.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
