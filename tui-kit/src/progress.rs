//! Waiting in words: what is awaited, since when, which key cancels; and for transfers how much, how fast, how long.

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::app::Now;
use crate::text;
use crate::ui::Ui;

/// How often a view of something awaited has to be drawn anew, for [`crate::App::tick`].
pub const TICK: Duration = Duration::from_secs(1);

/// The span over which a rate is measured.
const RATE_SPAN: Duration = Duration::from_secs(5);

/// How close together samples are kept.
const SAMPLE_GAP: Duration = Duration::from_millis(200);

/// Something that is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What: `the center's answer`.
    pub what: String,
    /// Since when, in the session's time.
    pub since: Duration,
    /// How to stop waiting, and what that means: `Esc asks again later`.
    pub cancel: String,
}

impl Waiting {
    /// Waiting begins now.
    pub fn new(now: Now, what: impl Into<String>, cancel: impl Into<String>) -> Self {
        Self { what: what.into(), since: now.running, cancel: cancel.into() }
    }

    /// `waiting for the center's answer for 12 s (Esc asks again later)`
    pub fn words(&self, now: Now) -> String {
        let what = text::clean(&self.what);
        let span = text::span(now.running.saturating_sub(self.since));
        if self.cancel.is_empty() {
            return format!("waiting for {what} for {span}");
        }
        format!("waiting for {what} for {span} ({})", text::clean(&self.cancel))
    }

    /// Draws the words.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let words = self.words(ui.now());
        let style = ui.theme().warn;
        ui.paragraph(area, &words, style);
    }
}

/// Bytes on their way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    done: u64,
    total: u64,
    /// Moments and bytes done, oldest first, over [`RATE_SPAN`].
    samples: VecDeque<(Duration, u64)>,
}

impl Transfer {
    /// A transfer that begins now with `done` bytes there already (it is resumed) of `total`.
    pub fn new(now: Now, done: u64, total: u64) -> Self {
        Self { done, total, samples: VecDeque::from([(now.running, done)]) }
    }

    /// Takes note of how many bytes are there now.
    pub fn advance(&mut self, now: Now, done: u64) {
        self.done = done;
        let newest = self.samples.back().map(|(at, _)| *at);
        if newest.is_none_or(|at| now.running.saturating_sub(at) >= SAMPLE_GAP) {
            self.samples.push_back((now.running, done));
        }
        while self.samples.len() > 2
            && self.samples.front().is_some_and(|(at, _)| now.running.saturating_sub(*at) > RATE_SPAN)
        {
            self.samples.pop_front();
        }
    }

    /// Bytes that are there.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Whether all bytes are there.
    pub fn is_whole(&self) -> bool {
        self.done >= self.total
    }

    /// Bytes per second over the last seconds; none before that can be said.
    pub fn rate(&self, now: Now) -> Option<u64> {
        let (at, bytes) = *self.samples.front()?;
        let millis = u64::try_from(now.running.saturating_sub(at).as_millis()).ok()?;
        (millis >= 500).then(|| self.done.saturating_sub(bytes).saturating_mul(1000) / millis)
    }

    /// How long it will take at this rate.
    pub fn left(&self, now: Now) -> Option<Duration> {
        let rate = self.rate(now).filter(|rate| *rate > 0)?;
        Some(Duration::from_secs(self.total.saturating_sub(self.done).div_ceil(rate)))
    }

    /// `1.20 MB of 4.00 MB, 300 kB/s, 10 s left`
    pub fn words(&self, now: Now) -> String {
        let mut words = format!("{} of {}", text::bytes(self.done), text::bytes(self.total));
        if self.is_whole() {
            return words;
        }
        match self.rate(now) {
            Some(0) => words.push_str(", nothing is coming"),
            Some(rate) => {
                words.push_str(&format!(", {}/s", text::bytes(rate)));
                if let Some(left) = self.left(now) {
                    words.push_str(&format!(", {} left", text::span(left)));
                }
            }
            None => {}
        }
        words
    }

    /// Draws a bar and, on the line below it, the words; on one line only the words.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let (theme, now) = (ui.theme(), ui.now());
        let words = self.words(now);
        if area.height > 1 {
            let line = bar(ui, self.done, self.total, area.width);
            ui.line(area, line);
        }
        let below = if area.height > 1 { Rect { y: area.y + 1, height: 1, ..area } } else { area };
        ui.line(below, Line::styled(words, theme.text));
    }
}

/// A bar that is filled as far as `part` of `whole`, with the percentage as a figure at its end.
pub fn bar(ui: &Ui<'_, '_>, part: u64, whole: u64, columns: u16) -> Line<'static> {
    let theme = ui.theme();
    let percent = if whole == 0 { 100 } else { u128::from(part.min(whole)) * 100 / u128::from(whole) };
    let room = usize::from(columns).saturating_sub(5);
    let filled = usize::try_from(percent).unwrap_or(0) * room / 100;
    Line::from(vec![
        Span::styled(theme.marks.full.repeat(filled), theme.good),
        Span::styled(theme.marks.empty.repeat(room - filled), theme.dim),
        Span::styled(format!(" {percent:>3}%"), theme.text),
    ])
}

/// A line of bars for a run of figures, the newest at the right: as many as there are columns. The figures stay
/// reachable as a table; this is for looking.
pub fn spark(ui: &Ui<'_, '_>, figures: &[u64], columns: u16) -> Line<'static> {
    let steps: &[&str] = if ui.abilities().unicode {
        &[" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    } else {
        &[" ", ".", ":", "-", "=", "+", "*", "#", "@"]
    };
    let seen = &figures[figures.len().saturating_sub(usize::from(columns))..];
    let highest = seen.iter().copied().max().unwrap_or(0).max(1);
    let line: String = seen
        .iter()
        .map(|figure| {
            // Something that is not nothing is seen.
            let step = (u128::from(*figure) * 8).div_ceil(u128::from(highest));
            steps[usize::try_from(step).unwrap_or(8).min(8)]
        })
        .collect();
    Line::styled(line, ui.theme().key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Abilities;
    use crate::testing;

    fn at(millis: u64) -> Now {
        Now { unix_ms: 0, running: Duration::from_millis(millis) }
    }

    #[test]
    fn waiting_says_what_since_when_and_how_to_stop() {
        let waiting = Waiting::new(at(1_000), "the center's answer", "Esc asks again later");
        assert_eq!(
            waiting.words(at(13_400)),
            "waiting for the center's answer for 12 s (Esc asks again later)"
        );
    }

    #[test]
    fn a_transfer_says_how_much_how_fast_how_long() {
        let mut transfer = Transfer::new(at(0), 1_000_000, 4_000_000);
        assert_eq!(transfer.words(at(0)), "1.00 MB of 4.00 MB");
        for second in 1..=4 {
            transfer.advance(at(second * 1_000), 1_000_000 + second * 300_000);
        }
        assert_eq!(transfer.words(at(4_000)), "2.20 MB of 4.00 MB, 300 kB/s, 6 s left");
        insta::assert_snapshot!(
            testing::draw_with(40, 2, &Abilities::default(), at(4_000), |ui| transfer.view(ui, ui.area())).0,
            @r"
        ███████████████████░░░░░░░░░░░░░░░░  55%
        2.20 MB of 4.00 MB, 300 kB/s, 6 s left
        "
        );
        transfer.advance(at(5_000), 4_000_000);
        assert_eq!(transfer.words(at(5_000)), "4.00 MB of 4.00 MB");
    }

    #[test]
    fn figures_become_bars() {
        let shown = testing::draw(6, 1, |ui| {
            let line = spark(ui, &[9, 9, 0, 1, 4, 8, 2, 8], 6);
            ui.line(ui.area(), line);
        });
        assert_eq!(shown, " ▁▄█▂█");
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| {
                Transfer::new(at(0), 1, 0).view(ui, ui.area());
                Waiting::new(at(0), "x", "").view(ui, ui.area());
                let line = spark(ui, &[], width);
                ui.line(ui.area(), line);
            });
        }
    }
}
