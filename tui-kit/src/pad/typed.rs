//! The autograph that is typed: a text, and the time from each key to the next.

use std::fmt;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::Pressed;
use crate::app::Now;
use crate::edit::Editor;
use crate::keys::OwnKeys;
use crate::text;
use crate::theme::Tone;
use crate::ui::Ui;

/// The most characters of a typed autograph.
pub const TYPED_CHARS_MAX: usize = 200;

/// The most times that are kept; keys beyond are typed without.
pub const INTERVALS_MAX: usize = 512;

/// The least characters of an autograph.
const CHARS_MIN: usize = 8;

/// A typed autograph. It is part of a seed: wiped when it goes, and never printed.
#[derive(Clone, Default, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Typed {
    /// The text, in NFC.
    pub text: String,
    /// Milliseconds from each key that edited it to the next, mistakes and their correction included.
    pub intervals_ms: Vec<u32>,
}

/// A field for an autograph that is typed.
#[derive(Debug)]
pub struct TypedPad {
    editor: Editor,
    /// What is kept of the rhythm; the text is the editor's.
    rhythm: Typed,
    last: Option<Duration>,
    said: Option<String>,
}

impl Default for TypedPad {
    fn default() -> Self {
        Self::new()
    }
}

impl TypedPad {
    /// The keys that it takes by itself.
    pub const KEYS: &'static [OwnKeys] =
        &[OwnKeys { keys: "Enter", label: "Take it", help: "This is the autograph." }];

    /// An empty field.
    pub fn new() -> Self {
        // Reserved whole: growing would leave copies behind.
        let rhythm = Typed { text: String::new(), intervals_ms: Vec::with_capacity(INTERVALS_MAX) };
        Self { editor: Editor::new(TYPED_CHARS_MAX), rhythm, last: None, said: None }
    }

    /// Takes a key. What is pasted has no rhythm, and no place here.
    pub fn press(&mut self, now: Now, key: KeyEvent) -> Pressed<Typed> {
        self.said = None;
        match key.code {
            KeyCode::Esc => Pressed::Leave,
            KeyCode::Enter => self.take(),
            _ if self.editor.press(key) => {
                if let Some(last) = self.last.replace(now.running)
                    && self.rhythm.intervals_ms.len() < INTERVALS_MAX
                {
                    let ms = now.running.saturating_sub(last).as_millis();
                    self.rhythm.intervals_ms.push(u32::try_from(ms).unwrap_or(u32::MAX));
                }
                Pressed::Taken
            }
            _ => Pressed::Free,
        }
    }

    /// Draws the field and what it is for.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        ui.takes(Self::KEYS);
        let theme = ui.theme();
        let words = "Type a line that nobody else would type, as you like: words, a tune, nonsense. The text and the \
                     time between your keys both count.";
        let rows = text::wrap(words, usize::from(area.width)).len();
        let rows = u16::try_from(rows).unwrap_or(u16::MAX).min(area.height.saturating_sub(2));
        let [about, entry, foot] =
            Layout::vertical([Constraint::Length(rows), Constraint::Length(1), Constraint::Min(0)])
                .areas(area);
        ui.paragraph(about, words, theme.text);
        let room = usize::from(entry.width);
        let window = self.editor.window(room, theme.marks.mask);
        let rest = room.saturating_sub(text::width(&window.text));
        ui.line(
            entry,
            Line::from(vec![
                Span::styled(window.text, theme.field_focused),
                Span::styled("_".repeat(rest), theme.dim),
            ]),
        );
        ui.cursor(entry.x.saturating_add(window.cursor), entry.y);
        match &self.said {
            Some(words) => {
                let span = ui.toned(Tone::Warn, words);
                ui.line(foot, span);
            }
            None => {
                let counted = format!(
                    "{} characters, {} times  Enter take",
                    self.editor.chars(),
                    self.rhythm.intervals_ms.len()
                );
                ui.line(foot, Line::styled(counted, theme.dim));
            }
        }
    }

    fn take(&mut self) -> Pressed<Typed> {
        if self.editor.chars() < CHARS_MIN {
            self.said = Some(format!("that is too little; at least {CHARS_MIN} characters"));
            return Pressed::Taken;
        }
        let mut typed = std::mem::take(&mut self.rhythm);
        typed.text = self.editor.text().to_owned();
        *self = Self::new();
        Pressed::Take(typed)
    }
}

impl fmt::Debug for Typed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Typed({} characters)", self.text.chars().count())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn type_into(pad: &mut TypedPad, script: &str) -> Pressed<Typed> {
        let mut last = Pressed::Free;
        for (key, at) in testing::keys(script).into_iter().zip(1_u64..) {
            // A rhythm of its own: 10, 20, 30 ms and so on.
            let running = Duration::from_millis(5 * at * (at + 1));
            last = pad.press(Now { unix_ms: 0, running }, key);
        }
        last
    }

    #[test]
    fn the_text_and_its_rhythm_come_out() {
        let mut pad = TypedPad::new();
        assert!(matches!(type_into(&mut pad, "short<enter>"), Pressed::Taken));
        assert!(testing::draw(80, 24, |ui| pad.view(ui, ui.area())).contains("too little"));
        let mut pad = TypedPad::new();
        let Pressed::Take(typed) = type_into(&mut pad, "qx日本 tralx<backspace>a<enter>") else {
            panic!("not taken")
        };
        assert_eq!(typed.text, "qx日本 trala");
        assert_eq!(typed.intervals_ms, [20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]);
        assert_eq!(format!("{typed:?}"), "Typed(10 characters)");
        assert!(matches!(pad.press(Now::default(), KeyEvent::from(KeyCode::Esc)), Pressed::Leave));
    }

    #[test]
    fn the_rhythm_has_a_bound() {
        let mut pad = TypedPad::new();
        for ms in 0..2 * INTERVALS_MAX as u64 {
            let code = if ms % 2 == 0 { KeyCode::Char('x') } else { KeyCode::Backspace };
            pad.press(Now { unix_ms: 0, running: Duration::from_millis(ms) }, KeyEvent::from(code));
        }
        assert_eq!(pad.rhythm.intervals_ms.len(), INTERVALS_MAX);
    }

    #[test]
    fn it_is_typed_on_every_screen() {
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let mut pad = TypedPad::new();
            type_into(&mut pad, "tralala");
            let shown = testing::draw(width, height, |ui| pad.view(ui, ui.area()));
            insta::assert_snapshot!(format!("typed-{width}x{height}"), shown);
        }
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| TypedPad::new().view(ui, ui.area()));
        }
    }
}
