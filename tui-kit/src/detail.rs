//! One thing in full: labels and values, wrapped, scrolled.

use std::cell::Cell;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::keys::OwnKeys;
use crate::text::{self, Align};
use crate::theme::Tone;
use crate::ui::Ui;

/// The widest column of labels.
const LABEL_COLUMNS_MAX: usize = 24;

/// Where less than this is left for the values, labels stand above them.
const VALUE_COLUMNS_MIN: usize = 20;

/// One row of a detail view or a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A title above the rows that follow.
    Heading(String),
    /// A label and its value.
    Pair {
        /// What it is.
        label: String,
        /// What it says; line feeds break lines.
        value: String,
        /// What it says besides.
        tone: Tone,
    },
    /// A text over the whole width.
    Words(String),
    /// An empty row.
    Gap,
}

impl Row {
    /// A label and its value.
    pub fn pair(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self::toned(label, Tone::Plain, value)
    }

    /// A label and its value in a tone.
    pub fn toned(label: impl Into<String>, tone: Tone, value: impl Into<String>) -> Self {
        Self::Pair { label: label.into(), value: value.into(), tone }
    }
}

/// Rows with a place to which they are scrolled.
#[derive(Debug, Clone, Default)]
pub struct Detail {
    rows: Vec<Row>,
    top: Cell<usize>,
    /// Lines that fitted and lines there were at the last drawing: how far a key may scroll.
    page: Cell<usize>,
    lines: Cell<usize>,
}

impl Detail {
    /// The keys that it takes by itself.
    pub const KEYS: &'static [OwnKeys] = &[
        OwnKeys { keys: "Up Down k j", label: "Scroll", help: "One line up or down." },
        OwnKeys { keys: "PgUp PgDn", label: "Page", help: "One page up or down." },
        OwnKeys { keys: "Home End g G", label: "Ends", help: "The beginning or the end." },
    ];

    /// A view of these rows, from the top.
    pub fn new(rows: impl IntoIterator<Item = Row>) -> Self {
        Self { rows: rows.into_iter().collect(), ..Self::default() }
    }

    /// Other rows in the same place: the thing has changed while it is being read.
    pub fn set(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.rows = rows.into_iter().collect();
    }

    /// The rows.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// All of it as plain text, for the clipboard.
    pub fn text(&self) -> String {
        let lines = self.rows.iter().map(|row| match row {
            Row::Heading(words) | Row::Words(words) => text::clean_lines(words),
            Row::Pair { label, value, .. } => format!("{}: {}", text::clean(label), text::clean_lines(value)),
            Row::Gap => String::new(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Takes a scrolling key; false for others.
    pub fn press(&mut self, key: KeyEvent) -> bool {
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return false;
        }
        let page = self.page.get().max(1);
        let end = self.lines.get().saturating_sub(page);
        let top = match key.code {
            KeyCode::Up | KeyCode::Char('k') => self.top.get().saturating_sub(1),
            KeyCode::Down | KeyCode::Char('j') => self.top.get() + 1,
            KeyCode::PageUp => self.top.get().saturating_sub(page),
            KeyCode::PageDown | KeyCode::Char(' ') => self.top.get() + page,
            KeyCode::Home | KeyCode::Char('g') => 0,
            KeyCode::End | KeyCode::Char('G') => end,
            _ => return false,
        };
        self.top.set(top.min(end));
        true
    }

    /// Draws as many lines as fit, with a mark where there is more.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        if area.is_empty() {
            return;
        }
        // One column is kept for the marks.
        let lines = lay_out(ui, &self.rows, area.width.saturating_sub(1));
        let page = usize::from(area.height);
        self.page.set(page);
        self.lines.set(lines.len());
        let top = self.top.get().min(lines.len().saturating_sub(page));
        let more_below = lines.len() > top + page;
        if top > 0 || more_below {
            ui.takes(Self::KEYS);
        }
        ui.lines(area, lines.into_iter().skip(top));
        let theme = ui.theme();
        let edge = |y| Rect { x: area.right() - 1, y, width: 1, height: 1 };
        if top > 0 {
            ui.line(edge(area.y), Line::styled(theme.marks.up, theme.dim));
        }
        if more_below {
            ui.line(edge(area.bottom() - 1), Line::styled(theme.marks.down, theme.dim));
        }
    }
}

/// Rows as lines of at most so many columns.
fn lay_out(ui: &Ui<'_, '_>, rows: &[Row], columns: u16) -> Vec<Line<'static>> {
    let theme = ui.theme();
    let columns = usize::from(columns);
    let label_columns = rows
        .iter()
        .filter_map(|row| match row {
            Row::Pair { label, .. } => Some(text::width(label)),
            _ => None,
        })
        .max()
        .unwrap_or(0)
        .min(LABEL_COLUMNS_MAX);
    let narrow = columns < label_columns + 2 + VALUE_COLUMNS_MIN;
    let mut lines = Vec::new();
    for row in rows {
        match row {
            Row::Gap => lines.push(Line::default()),
            Row::Heading(words) => lines.push(Line::styled(text::clean(words).into_owned(), theme.title)),
            Row::Words(words) => {
                let wrapped = text::wrap(&text::clean_lines(words), columns);
                lines.extend(wrapped.into_iter().map(|line| Line::styled(line, theme.text)));
            }
            Row::Pair { label, value, tone } => {
                let mark = theme.mark(*tone);
                let value = text::clean_lines(value);
                let value = if mark.is_empty() { value } else { format!("{mark} {value}") };
                let indent = if narrow { 2 } else { label_columns + 2 };
                let wrapped = text::wrap(&value, columns.saturating_sub(indent));
                let label = text::clean(label);
                if narrow {
                    lines.push(Line::styled(text::truncate(&label, columns).into_owned(), theme.dim));
                }
                for (at, line) in wrapped.into_iter().enumerate() {
                    let head = match at {
                        0 if !narrow => format!("{}  ", text::fit(&label, label_columns, Align::Left)),
                        _ => " ".repeat(indent),
                    };
                    lines.push(Line::from(vec![
                        Span::styled(head, theme.dim),
                        Span::styled(line, theme.tone(*tone)),
                    ]));
                }
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn detail() -> Detail {
        Detail::new([
            Row::Heading("Payment 1234-5".into()),
            Row::pair("Store", "Sato Books"),
            Row::toned("State", Tone::Good, "settled"),
            Row::pair("Goods", "A long title that needs more than one line\nand a second"),
            Row::Gap,
            Row::Words("Refund this payment with r.".into()),
        ])
    }

    #[test]
    fn values_wrap_beside_their_labels() {
        insta::assert_snapshot!(testing::draw(46, 9, |ui| detail().view(ui, ui.area())), @r"
        Payment 1234-5
        Store  Sato Books
        State  ✓ settled
        Goods  A long title that needs more than one
               line
               and a second

        Refund this payment with r.
        ");
        insta::assert_snapshot!(testing::draw(20, 6, |ui| detail().view(ui, ui.area())), @r"
        Payment 1234-5
        Store
          Sato Books
        State
          ✓ settled
        Goods              ↓
        ");
    }

    #[test]
    fn scrolling_stops_at_the_ends() {
        let mut detail = detail();
        let shown = |detail: &Detail| testing::draw(46, 3, |ui| detail.view(ui, ui.area()));
        shown(&detail);
        for key in testing::keys("<end><down><down>") {
            assert!(detail.press(key));
        }
        insta::assert_snapshot!(shown(&detail), @r"
               and a second                          ↑

        Refund this payment with r.
        ");
        for key in testing::keys("<home><up>") {
            detail.press(key);
        }
        assert!(shown(&detail).starts_with("Payment"));
        assert!(!detail.press(KeyEvent::from(KeyCode::Enter)));
        assert!(detail.text().contains("Store: Sato Books"));
    }

    #[test]
    fn details_survive_any_size() {
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| detail().view(ui, ui.area()));
        }
    }
}
