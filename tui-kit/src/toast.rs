//! Short notices: seen for four seconds and kept in a list; errors stay until they are read.

use std::collections::VecDeque;
use std::time::Duration;

use ratatui::layout::Rect;

use crate::app::Now;
use crate::detail::Row;
use crate::text;
use crate::theme::Tone;
use crate::time::Zone;
use crate::ui::Ui;

/// How long a notice is seen.
pub const SEEN: Duration = Duration::from_secs(4);

/// How many are kept.
const KEPT_MAX: usize = 200;

/// How many are seen at once.
const SEEN_MAX: usize = 3;

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// What it says besides its words.
    pub tone: Tone,
    /// The words.
    pub words: String,
    /// When it came, in milliseconds since 1970.
    pub unix_ms: i64,
    came: Duration,
    read: bool,
}

/// The notices of a session, newest last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Toasts {
    kept: VecDeque<Toast>,
}

impl Toasts {
    /// Adds a notice. One of tone [`Tone::Bad`] stays until [`Toasts::read`].
    pub fn say(&mut self, now: Now, tone: Tone, words: impl Into<String>) {
        if self.kept.len() == KEPT_MAX {
            self.kept.pop_front();
        }
        let words = text::clean(&words.into()).into_owned();
        self.kept.push_back(Toast { tone, words, unix_ms: now.unix_ms, came: now.running, read: false });
    }

    /// Marks what is seen as read; false when nothing was seen. Esc does it, before anything else it does.
    pub fn read(&mut self, now: Now) -> bool {
        let mut any = false;
        for toast in self.kept.iter_mut().filter(|toast| toast.is_seen(now)) {
            toast.read = true;
            any = true;
        }
        any
    }

    /// Whether an error waits to be read.
    pub fn has_unread_error(&self) -> bool {
        self.kept.iter().any(|toast| toast.tone == Tone::Bad && !toast.read)
    }

    /// After what time the next notice goes, for [`crate::App::tick`].
    pub fn tick(&self, now: Now) -> Option<Duration> {
        self.kept
            .iter()
            .filter(|toast| toast.is_seen(now) && toast.tone != Tone::Bad)
            .map(|toast| (toast.came + SEEN).saturating_sub(now.running))
            .min()
    }

    /// All that are kept, newest first.
    pub fn kept(&self) -> impl Iterator<Item = &Toast> {
        self.kept.iter().rev()
    }

    /// All that are kept as rows for a [`crate::detail::Detail`], newest first.
    pub fn rows(&self, zone: &Zone) -> Vec<Row> {
        self.kept()
            .map(|toast| Row::toned(zone.stamp(toast.unix_ms), toast.tone, toast.words.clone()))
            .collect()
    }

    /// Draws the newest that are seen, from the bottom of an area upwards.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let now = ui.now();
        let seen = self.kept.iter().rev().filter(|toast| toast.is_seen(now)).take(SEEN_MAX);
        for (toast, row) in seen.zip(area.rows().rev()) {
            let ending = if toast.tone == Tone::Bad { "  Esc" } else { "" };
            let mark = text::width(ui.theme().mark(toast.tone)) + 1;
            let room = usize::from(row.width).saturating_sub(text::width(ending) + mark);
            let words = format!("{}{ending}", text::truncate(&toast.words, room));
            let span = ui.toned(toast.tone, &words);
            let columns = u16::try_from(text::width(&span.content)).unwrap_or(u16::MAX).min(row.width);
            let spot = Rect { x: row.right() - columns, width: columns, ..row };
            ui.widget(spot, ratatui::widgets::Clear);
            ui.line(spot, span);
        }
    }
}

impl Toast {
    fn is_seen(&self, now: Now) -> bool {
        !self.read && (self.tone == Tone::Bad || now.running < self.came + SEEN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Abilities;
    use crate::testing;

    fn at(seconds: u64) -> Now {
        Now { unix_ms: testing::START_UNIX_MS, running: Duration::from_secs(seconds) }
    }

    fn shown(toasts: &Toasts, now: Now) -> String {
        testing::draw_with(30, 3, &Abilities::default(), now, |ui| toasts.view(ui, ui.area())).0
    }

    #[test]
    fn notices_go_and_errors_stay() {
        let mut toasts = Toasts::default();
        toasts.say(at(0), Tone::Good, "card loaded");
        toasts.say(at(1), Tone::Bad, "no line to the center, for a reason that is long");
        assert_eq!(toasts.tick(at(1)), Some(Duration::from_secs(3)));
        insta::assert_snapshot!(shown(&toasts, at(1)), @r"

                         ✓ card loaded
        ✗ no line to the center,…  Esc
        ");
        assert!(!shown(&toasts, at(4)).contains("card"));
        assert_eq!(toasts.tick(at(4)), None);
        assert!(shown(&toasts, at(999)).contains("no line"));
        assert!(toasts.read(at(999)) && !toasts.read(at(999)) && !toasts.has_unread_error());
        assert_eq!(shown(&toasts, at(999)).trim(), "");
        assert_eq!(toasts.kept().count(), 2);
    }

    #[test]
    fn the_list_is_bounded() {
        let mut toasts = Toasts::default();
        for n in 0..500 {
            toasts.say(at(0), Tone::Plain, format!("notice {n}"));
        }
        assert_eq!(toasts.kept().count(), KEPT_MAX);
        assert_eq!(toasts.kept().next().map(|toast| toast.words.as_str()), Some("notice 499"));
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| toasts.view(ui, ui.area()));
        }
    }
}
