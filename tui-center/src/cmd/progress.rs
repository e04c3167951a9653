//! How far something long is, on standard error.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

use tui_kit::{cli::Out, text};

use crate::books::verify::Progress;

/// How often it is told on a terminal.
pub(super) const BEAT: Duration = Duration::from_millis(500);
/// Columns of the bar.
const BAR: u64 = 24;

/// A line that is written over, on a terminal; nothing elsewhere, so that files and pipes get the outcome alone.
pub(super) struct Bar {
    shown: bool,
    begun: Instant,
    drawn: bool,
}

impl Bar {
    pub(super) fn new(out: Out) -> Self {
        let shown = !out.is_json() && !out.is_plain() && io::stderr().is_terminal();
        Self { shown, begun: Instant::now(), drawn: false }
    }

    /// Shows how far it is.
    pub(super) fn show(&mut self, progress: Progress) {
        if !self.shown || progress.total == 0 {
            return;
        }
        // A terminal that takes nothing changes nothing.
        let _ = write!(io::stderr(), "\r\x1b[2K{}", words(progress, self.begun.elapsed()));
        let _ = io::stderr().flush();
        self.drawn = true;
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn {
            let _ = write!(io::stderr(), "\r\x1b[2K");
            let _ = io::stderr().flush();
        }
    }
}

/// `[#####...................]  21 %  1,050,000 entries  52,500/s  1 min 20 s left`
fn words(progress: Progress, passed: Duration) -> String {
    let percent = progress.percent();
    let full = usize::try_from(percent * BAR / 100).unwrap_or_default();
    let bar = format!("{}{}", "#".repeat(full), ".".repeat(BAR as usize - full));
    let seconds = passed.as_secs_f64().max(0.001);
    let rate = (progress.entries as f64 / seconds) as u64;
    let mut words = format!(
        "[{bar}] {percent:>3} %  {} entries  {}/s",
        text::thousands(progress.entries),
        text::thousands(rate)
    );
    if progress.bytes > 0 && passed > Duration::from_secs(1) {
        let left = seconds * (progress.total.saturating_sub(progress.bytes)) as f64 / progress.bytes as f64;
        words.push_str(&format!("  {} left", text::span(Duration::from_secs(left as u64))));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_far_how_fast_and_how_long() {
        let progress = Progress { entries: 1_050_000, bytes: 500, total: 2_000 };
        let said = words(progress, Duration::from_secs(20));
        assert_eq!(said, "[######..................]  25 %  1,050,000 entries  52,500/s  1 min 00 s left");
        let begun = Progress { entries: 0, bytes: 0, total: 2_000 };
        assert!(!words(begun, Duration::ZERO).contains("left"));
    }
}
