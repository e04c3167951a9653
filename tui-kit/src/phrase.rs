//! A recovery phrase on the screen: shown once in numbered columns, then asked back.
//!
//! The words come from the program, which also has the list that they are taken from; this module knows neither what
//! they open nor how they are checked. They are wiped when they go, and never printed.

mod asking;

pub use asking::{Asking, Pressed};

use std::cell::Cell;
use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use zeroize::Zeroizing;

use crate::keys::OwnKeys;
use crate::text::{self, Align};
use crate::ui::Ui;

/// Columns of a word's number, with the point and the space behind it.
const NUMBER_COLUMNS: usize = 4;

/// Columns between two columns of words.
const GAP: usize = 2;

/// A phrase that is shown.
pub struct Shown {
    words: Zeroizing<Vec<String>>,
    top: Cell<usize>,
    /// Rows that fitted and rows there were at the last drawing.
    page: Cell<usize>,
    rows: Cell<usize>,
    /// Whether the last row was in sight at any drawing.
    seen: Cell<bool>,
}

impl Shown {
    /// The keys that it takes by itself.
    pub const KEYS: &'static [OwnKeys] =
        &[OwnKeys { keys: "Up Down PgUp PgDn", label: "Scroll", help: "Shows the words that had no room." }];

    /// A phrase of these words, in their order.
    pub fn new(words: Zeroizing<Vec<String>>) -> Self {
        Self { words, top: Cell::new(0), page: Cell::new(1), rows: Cell::new(0), seen: Cell::new(false) }
    }

    /// Whether the last words have been in sight: nothing should be asked back before.
    pub fn was_seen(&self) -> bool {
        self.seen.get()
    }

    /// Takes a scrolling key; false for others.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return false;
        }
        let page = self.page.get().max(1);
        let end = self.rows.get().saturating_sub(page);
        let top = match key.code {
            KeyCode::Up | KeyCode::Char('k') => self.top.get().saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.top.get() + 1,
            KeyCode::PageUp => self.top.get().saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => self.top.get() + page,
            _ => return false,
        };
        self.top.set(top.min(end));
        true
    }

    /// Draws the words, numbered from 1, down the columns, in as many columns as have room.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        ui.takes(Self::KEYS);
        let theme = ui.theme();
        let inner = ui.panel(area, "Your recovery phrase: write it down");
        let widest = self.words.iter().map(|word| text::width(word)).max().unwrap_or(0);
        let grid = Grid::new(self.words.len(), widest, inner);
        let more = grid.rows > usize::from(inner.height);
        let [body, foot] =
            Layout::vertical([Constraint::Min(0), Constraint::Length(u16::from(more))]).areas(inner);
        let page = usize::from(body.height);
        let top = self.top.get().min(grid.rows.saturating_sub(page));
        self.page.set(page);
        self.rows.set(grid.rows);
        self.top.set(top);
        if top + page >= grid.rows && !body.is_empty() {
            self.seen.set(true);
        }
        for (area, row) in body.rows().zip(top..grid.rows) {
            let mut spans = Vec::new();
            for at in grid.across(row) {
                spans.push(Span::styled(format!("{:>2}. ", at + 1), theme.dim));
                let word =
                    Zeroizing::new(text::fit(&text::clean(&self.words[at]), widest + GAP, Align::Left));
                spans.push(Span::styled(word.to_string(), theme.strong));
            }
            ui.line(area, Line::from(spans));
        }
        if more {
            let (from, to) = (top + 1, (top + page).min(grid.rows));
            let rest = if to < grid.rows { "Space shows more" } else { "these are the last" };
            let words = match grid.columns {
                1 => format!("words {from} to {to} of {}; {rest}", self.words.len()),
                _ => format!("rows {from} to {to} of {}; {rest}", grid.rows),
            };
            ui.line(foot, Line::styled(words, theme.warn));
        }
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shown({} words)", self.words.len())
    }
}

/// How words lie in columns: down the first, then down the next.
#[derive(Debug, Clone, Copy)]
struct Grid {
    count: usize,
    columns: usize,
    rows: usize,
}

impl Grid {
    fn new(count: usize, widest: usize, area: Rect) -> Self {
        let cell = NUMBER_COLUMNS + widest + GAP;
        // Behind the last column there needs to be no gap. More columns than a list of four rows needs tell nothing.
        let columns = ((usize::from(area.width) + GAP) / cell).clamp(1, count.div_ceil(4).max(1));
        let rows = count.div_ceil(columns);
        Self { count, columns: count.div_ceil(rows.max(1)).max(1), rows }
    }

    /// The words on a row.
    fn across(self, row: usize) -> impl Iterator<Item = usize> {
        (0..self.columns).map(move |column| column * self.rows + row).filter(move |at| *at < self.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn phrase(words: &[&str]) -> Shown {
        Shown::new(Zeroizing::new(words.iter().cycle().take(24).map(|word| (*word).to_owned()).collect()))
    }

    #[test]
    fn all_words_are_read_on_every_screen_in_both_languages() {
        for (language, words) in [
            ("english", &["abandon", "zoo", "absolute", "because", "umbrella"][..]),
            ("japanese", &["あいこくしん", "ろんぶん", "わらう", "おうせつま", "けつえき"][..]),
        ] {
            for (width, height) in [(120, 40), (80, 24), (40, 12)] {
                let mut phrase = phrase(words);
                let first = testing::draw(width, height, |ui| phrase.view(ui, ui.area()));
                insta::assert_snapshot!(format!("{language}-{width}x{height}"), first);
                let mut seen = first;
                for _ in 0..24 {
                    phrase.press(testing::keys("<down>")[0]);
                    seen += &testing::draw(width, height, |ui| phrase.view(ui, ui.area()));
                }
                for number in 1..=24 {
                    assert!(seen.contains(&format!("{number:>2}. ")), "{number} at {width}x{height}");
                }
                assert!(phrase.was_seen());
            }
        }
    }

    #[test]
    fn what_was_not_shown_was_not_seen() {
        let mut phrase = phrase(&["abandon"]);
        assert!(testing::draw(20, 8, |ui| phrase.view(ui, ui.area())).contains("words 1 to 5"));
        assert!(!phrase.was_seen());
        for key in testing::keys("<pgdn><pgdn><pgdn><pgdn>") {
            phrase.press(key);
            testing::draw(20, 8, |ui| phrase.view(ui, ui.area()));
        }
        assert!(phrase.was_seen());
        assert_eq!(format!("{phrase:?}"), "Shown(24 words)");
    }

    #[test]
    fn phrases_survive_any_size() {
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| phrase(&["abandon"]).view(ui, ui.area()));
            testing::draw(width, height, |ui| phrase(&[]).view(ui, ui.area()));
        }
    }
}
