//! An alarm that can't be overlooked: it takes the whole screen and every key until a word is typed.
//!
//! For what a person has to know before anything else is done: a key that this terminal did not make, a center that
//! contradicts itself. Esc doesn't put it away, a paste doesn't acknowledge it, and a stray Enter does nothing.

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout};
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;
use unicode_normalization::UnicodeNormalization;

use crate::detail::{Detail, Row};
use crate::edit::Editor;
use crate::keys::OwnKeys;
use crate::text;
use crate::theme::Tone;
use crate::ui::Ui;

/// The most characters that can be typed.
const ENTRY_CHARS_MAX: usize = 64;

/// What a key has done to an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    /// Used up; the alarm stays.
    Taken,
    /// The word was typed: the alarm may go.
    Acknowledged,
}

/// An alarm.
#[derive(Debug, Clone)]
pub struct Alarm {
    title: String,
    words: String,
    todo: Vec<String>,
    word: String,
    detail: Detail,
    entry: Editor,
    error: Option<String>,
}

impl Alarm {
    /// The keys that it takes by itself.
    pub const KEYS: &'static [OwnKeys] = &[OwnKeys {
        keys: "Enter",
        label: "Acknowledge",
        help: "Puts the alarm away, once its word is typed.",
    }];

    /// An alarm that `word` acknowledges. `words` say what has happened.
    pub fn new(title: impl Into<String>, words: impl Into<String>, word: impl Into<String>) -> Self {
        let (title, words, word) = (title.into(), words.into(), word.into());
        let mut alarm = Self {
            title,
            words,
            todo: Vec::new(),
            word,
            detail: Detail::default(),
            entry: Editor::new(ENTRY_CHARS_MAX),
            error: None,
        };
        alarm.write();
        alarm
    }

    /// With one more thing that the person should do, in order.
    pub fn todo(mut self, step: impl Into<String>) -> Self {
        self.todo.push(step.into());
        self.write();
        self
    }

    /// The title: what the alarm is known by.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether another says the same.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.title, &self.words, &self.todo) == (&other.title, &other.words, &other.todo)
    }

    /// Takes a key, whatever it is.
    pub fn press(&mut self, key: KeyEvent) -> Pressed {
        match key.code {
            KeyCode::Enter if same(self.entry.text(), &self.word) => return Pressed::Acknowledged,
            KeyCode::Enter => {
                self.error = Some(format!("this is not “{}”", self.word));
            }
            KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown => {
                self.detail.press(key);
            }
            _ => {
                if self.entry.press(key) {
                    self.error = None;
                }
            }
        }
        Pressed::Taken
    }

    /// Draws it over the whole screen.
    pub fn view(&self, ui: &mut Ui<'_, '_>) {
        let area = ui.area();
        ui.widget(area, Clear);
        let theme = ui.theme();
        let [head, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
        let mark = theme.mark(Tone::Bad);
        let title = format!(" {mark} ALARM: {} {mark}", text::clean(&self.title));
        let title = text::fit(&title, usize::from(head.width), text::Align::Left);
        ui.line(head, Line::styled(title, theme.bad.add_modifier(ratatui::style::Modifier::REVERSED)));

        let inner = ui.panel(body, "");
        let columns = usize::from(inner.width);
        let asked = text::wrap(&format!("Type “{}” and Enter when you have read this.", self.word), columns);
        let asked_rows = u16::try_from(asked.len()).unwrap_or(1).min(inner.height / 3).max(1);
        let [read, asked_area, entry, notice] = Layout::vertical([
            Constraint::Min(0),
            Constraint::Length(asked_rows),
            Constraint::Length(1),
            Constraint::Length(1),
        ])
        .areas(inner);
        self.detail.view(ui, read);
        ui.lines(asked_area, asked.into_iter().map(|line| Line::styled(line, theme.strong)));
        let room = usize::from(entry.width).min(40);
        let window = self.entry.window(room, theme.marks.mask);
        let rest = room.saturating_sub(text::width(&window.text));
        ui.line(
            entry,
            Line::from(vec![
                Span::styled(window.text, theme.field_focused),
                Span::styled("_".repeat(rest), theme.dim),
            ]),
        );
        if room > 0 {
            ui.cursor(entry.x.saturating_add(window.cursor), entry.y);
        }
        if let Some(error) = &self.error {
            let span = ui.toned(Tone::Bad, error);
            ui.line(notice, span);
        }
    }

    fn write(&mut self) {
        let mut rows = vec![Row::Words(self.words.clone())];
        if !self.todo.is_empty() {
            rows.extend([Row::Gap, Row::Heading("What to do".to_owned())]);
            rows.extend(self.todo.iter().zip(1..).map(|(step, at)| Row::Words(format!("{at}. {step}"))));
        }
        self.detail.set(rows);
    }
}

/// Whether what was typed is the word, whatever its case and width.
fn same(typed: &str, word: &str) -> bool {
    let plain = |words: &str| words.trim().nfkc().collect::<String>().to_lowercase();
    !typed.trim().is_empty() && plain(typed) == plain(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn alarm() -> Alarm {
        Alarm::new(
            "A key that you did not make",
            "At 16:05 the center showed a signature key for your account that was not made on this terminal.",
            "strange key",
        )
        .todo("Don't pay anything.")
        .todo("Call the center at the number in your letter and have the key revoked.")
    }

    fn type_into(alarm: &mut Alarm, script: &str) -> Pressed {
        let mut last = Pressed::Taken;
        for key in testing::keys(script) {
            last = alarm.press(key);
        }
        last
    }

    #[test]
    fn only_the_word_puts_it_away() {
        let mut alarm = alarm();
        for script in ["<enter>", "<esc>", "q", "<enter>", "<ctrl-c>", "<ctrl-u>strange<enter>"] {
            assert_eq!(type_into(&mut alarm, script), Pressed::Taken, "{script}");
        }
        insta::assert_snapshot!("alarm-refuses", testing::draw(80, 14, |ui| alarm.view(ui)));
        assert_eq!(type_into(&mut alarm, "<ctrl-u>Ｓtrange Key <enter>"), Pressed::Acknowledged);
    }

    #[test]
    fn it_is_read_whole_on_every_screen() {
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let shown = testing::draw(width, height, |ui| alarm().view(ui));
            insta::assert_snapshot!(format!("alarm-{width}x{height}"), shown);
        }
        let mut alarm = alarm();
        testing::draw(40, 12, |ui| alarm.view(ui));
        type_into(&mut alarm, "<pgdn><pgdn>");
        assert!(testing::draw(40, 12, |ui| alarm.view(ui)).contains("revoked"));
    }

    #[test]
    fn alarms_survive_any_size() {
        for (width, height) in testing::SIZES {
            let mut alarm = alarm();
            type_into(&mut alarm, "x<enter>");
            testing::draw(width, height, |ui| alarm.view(ui));
        }
    }
}
