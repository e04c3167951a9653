//! A text that is written: guide pages, forms as TOML, terms. Saved with Ctrl-S; Esc asks when something would be lost.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};

use crate::area::Area;
use crate::keys::OwnKeys;
use crate::text;
use crate::theme::Tone;
use crate::ui::Ui;

/// Columns of the line numbers, with the mark of a wrong line.
const GUTTER: u16 = 5;

/// Where less than this is left for the text, line numbers are left out.
const TEXT_COLUMNS_MIN: u16 = 24;

/// What a key has done to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pressed {
    /// Used up.
    Taken,
    /// Not for the text.
    Free,
    /// Ctrl-S: this is to be kept. [`Writing::saved`] or [`Writing::refuse`] answers.
    Save(String),
    /// Esc, and nothing is lost or the person wants it so.
    Leave,
}

/// A text that is written.
#[derive(Debug, Clone)]
pub struct Writing {
    title: String,
    area: Area,
    /// The text as it was kept last.
    kept: String,
    error: Option<(Option<usize>, String)>,
    /// Whether it was asked whether changes may be lost.
    asked: bool,
}

impl Writing {
    /// The keys that it takes by itself.
    pub const KEYS: &'static [OwnKeys] = &[
        OwnKeys { keys: "Ctrl-S", label: "Save", help: "Keeps the text." },
        OwnKeys {
            keys: "Alt-U Alt-R",
            label: "Undo, redo",
            help: "Takes back the last change, or does it again.",
        },
        OwnKeys {
            keys: "Ctrl-K Ctrl-Y",
            label: "Cut, put",
            help: "Cuts the rest of the line; puts it elsewhere.",
        },
        OwnKeys { keys: "Ctrl-Home Ctrl-End", label: "Ends", help: "The beginning or the end of the text." },
    ];

    /// A text to go on with, of at most so many characters.
    pub fn new(title: impl Into<String>, text: &str, chars_max: usize) -> Self {
        let area = Area::with_text(chars_max, text);
        Self { title: title.into(), kept: area.text().to_owned(), area, error: None, asked: false }
    }

    /// The text as it stands.
    pub fn text(&self) -> &str {
        self.area.text()
    }

    /// Whether something would be lost by leaving.
    pub fn is_changed(&self) -> bool {
        self.area.text() != self.kept
    }

    /// The text was kept as it stands.
    pub fn saved(&mut self) {
        self.kept = self.area.text().to_owned();
        self.error = None;
    }

    /// The text can't be kept: the words say why, and the line, counted from 1, is marked and gone to.
    pub fn refuse(&mut self, line: Option<usize>, why: impl Into<String>) {
        if let Some(line) = line {
            self.area.go_to_line(line);
        }
        self.error = Some((line, why.into()));
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Pressed {
        if self.asked {
            self.asked = false;
            return match key.code {
                KeyCode::Char('y' | 'Y') => Pressed::Leave,
                _ => Pressed::Taken,
            };
        }
        match key.code {
            KeyCode::Char('s') if key.modifiers == KeyModifiers::CONTROL => {
                return Pressed::Save(self.area.text().to_owned());
            }
            KeyCode::Esc if self.is_changed() => self.asked = true,
            KeyCode::Esc => return Pressed::Leave,
            KeyCode::Up | KeyCode::Down => {
                self.area.press(key);
            }
            // A field of its own would go on; in a text a tab is the two spaces that TOML and lists are indented by.
            KeyCode::Tab if key.modifiers.is_empty() => self.area.paste("  "),
            _ => return if self.area.press(key) { Pressed::Taken } else { Pressed::Free },
        }
        Pressed::Taken
    }

    /// Pastes where the cursor stands.
    pub fn paste(&mut self, pasted: &str) {
        if !self.asked {
            self.area.paste(pasted);
        }
    }

    /// Draws the text with its line numbers, and below it where the cursor stands and what is wrong.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        ui.takes(Self::KEYS);
        let theme = ui.theme();
        let inner = ui.panel(area, &self.title);
        let words = self.error.as_ref().map(|(_, words)| format!("{} {words}", theme.mark(Tone::Bad)));
        let error_rows = words.as_ref().map_or(0, |words| text::wrap(words, usize::from(inner.width)).len());
        let error_rows = u16::try_from(error_rows).unwrap_or(u16::MAX).min(inner.height / 3);
        let [page, wrong, foot] =
            Layout::vertical([Constraint::Min(0), Constraint::Length(error_rows), Constraint::Length(1)])
                .areas(inner);
        self.view_page(ui, page);
        if let Some(words) = words {
            ui.paragraph(wrong, &words, theme.bad);
        }
        if self.asked {
            let span =
                ui.toned(Tone::Warn, "not saved: y leaves and loses the changes, any other key goes on");
            ui.line(foot, span);
            return;
        }
        let (line, column) = self.area.place();
        let state = if self.is_changed() { "changed" } else { "saved" };
        let full = if self.area.chars() >= self.area.chars_max() { "  full" } else { "" };
        let words = format!("line {line}, column {column}  {state}{full}  Ctrl-S save  Esc leave");
        ui.line(foot, Line::styled(words, theme.dim));
    }

    fn view_page(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let theme = ui.theme();
        let gutter = if area.width >= GUTTER + TEXT_COLUMNS_MIN { GUTTER } else { 0 };
        let wrong = self.error.as_ref().and_then(|(line, _)| *line);
        let columns = area.width.saturating_sub(gutter);
        let window = self.area.window(usize::from(columns), usize::from(area.height));
        let mut in_wrong = false;
        for ((row, line), number) in area.rows().zip(window.lines).zip(window.numbers) {
            in_wrong = number.map_or(in_wrong, |number| Some(number) == wrong);
            let mark = if in_wrong && number.is_some() { theme.mark(Tone::Bad) } else { " " };
            let number = number.map_or_else(String::new, |number| number.to_string());
            let head = if gutter > 0 { format!("{mark}{number:>3} ") } else { String::new() };
            let (head_style, style) = if in_wrong { (theme.bad, theme.bad) } else { (theme.dim, theme.text) };
            ui.line(row, Line::from(vec![Span::styled(head, head_style), Span::styled(line, style)]));
        }
        if !area.is_empty() {
            let (x, y) = window.cursor;
            ui.cursor(area.x.saturating_add(gutter).saturating_add(x), area.y.saturating_add(y));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    const TEXT: &str = "[[field]]\nkey = \"name\"\nlabel = \"Your name, as it stands on your bank account and on your card\"\n\n[[field]]\nkey = 3\n";

    fn type_into(writing: &mut Writing, script: &str) -> Pressed {
        let mut last = Pressed::Free;
        for key in testing::keys(script) {
            last = writing.press(key);
        }
        last
    }

    #[test]
    fn it_saves_and_asks_before_it_loses_anything() {
        let mut writing = Writing::new("Form", TEXT, 4_000);
        assert_eq!(type_into(&mut writing, "<esc>"), Pressed::Leave);
        assert_eq!(type_into(&mut writing, "q<esc>"), Pressed::Taken);
        assert!(testing::draw(80, 24, |ui| writing.view(ui, ui.area())).contains("not saved"));
        assert_eq!(type_into(&mut writing, "n"), Pressed::Taken);
        assert_eq!(writing.text(), format!("q{TEXT}"), "the answer is not typed into the text");
        assert_eq!(type_into(&mut writing, "<ctrl-s>"), Pressed::Save(format!("q{TEXT}")));
        writing.saved();
        assert_eq!(type_into(&mut writing, "<esc>"), Pressed::Leave);
        assert_eq!(type_into(&mut writing, "x<esc>y"), Pressed::Leave);
    }

    #[test]
    fn a_wrong_line_is_marked_and_gone_to() {
        let mut writing = Writing::new("Form", TEXT, 4_000);
        writing.refuse(Some(6), "line 6: \"key\" is a text in quotes, not a number");
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let shown = testing::draw(width, height, |ui| writing.view(ui, ui.area()));
            insta::assert_snapshot!(format!("writing-{width}x{height}"), shown);
        }
        type_into(&mut writing, "x");
        assert!(writing.text().contains("\nxkey = 3"));
        writing.saved();
        assert!(!testing::draw(80, 24, |ui| writing.view(ui, ui.area())).contains("quotes"));
    }

    #[test]
    fn the_cursor_stands_behind_the_line_numbers() {
        let mut writing = Writing::new("Form", "日本", 4_000);
        type_into(&mut writing, "<end>");
        let abilities = crate::session::Abilities::default();
        let (_, cursor) = testing::draw_with(80, 24, &abilities, crate::app::Now::default(), |ui| {
            writing.view(ui, ui.area())
        });
        assert_eq!(cursor.map(|at| (at.x, at.y)), Some((10, 1)));
    }

    #[test]
    fn texts_survive_any_size() {
        for (width, height) in testing::SIZES {
            let mut writing = Writing::new("Form", TEXT, 4_000);
            writing.refuse(Some(60), "wrong");
            type_into(&mut writing, "<pgdn>x<up><pgup>");
            testing::draw(width, height, |ui| writing.view(ui, ui.area()));
        }
    }
}
