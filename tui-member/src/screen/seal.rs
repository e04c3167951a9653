//! The autograph: drawn, typed, or left out.

use tui_kit::{
    KeyCode, KeyEvent,
    pad::{Drawing, Pad, Pressed, Typed as TypedText, TypedPad},
    ratatui::{crossterm::event::MouseEvent, layout::Rect},
    ui::Ui,
};
use vault::{
    Autograph,
    autograph::{Point, Stroke, Typed},
};

use crate::screen::shared::Shared;

const CHOICE_WORDS: &str = "An autograph may be mixed into your key, beside the machine's own randomness. One that is drawn \
                            is your drawn seal: it is shown whenever you sign, so that a false prompt is seen.\n\nEnter: draw \
                            it, with the mouse or with keys.   t: type a line instead.   s: skip.";

/// An autograph on its way into a key.
pub(super) enum Signing {
    Choice,
    Drawing(Box<Pad>),
    Typing(Box<TypedPad>),
}

/// What a key has done.
pub(super) enum Given {
    /// Used up.
    Taken,
    /// Not for it.
    Free,
    /// One step back, out of it.
    Back,
    /// The autograph; none when it was skipped.
    Autograph(Option<Autograph>),
}

impl Signing {
    /// Takes a key.
    pub(super) fn press(&mut self, key: KeyEvent, shared: &Shared) -> Given {
        match self {
            Self::Choice => match key.code {
                KeyCode::Enter => *self = Self::Drawing(Box::default()),
                KeyCode::Char('t') => *self = Self::Typing(Box::default()),
                KeyCode::Char('s') => return Given::Autograph(None),
                KeyCode::Esc => return Given::Back,
                _ => return Given::Free,
            },
            Self::Drawing(pad) => match pad.press(shared.now, key) {
                Pressed::Taken => {}
                Pressed::Free => return Given::Free,
                Pressed::Leave => *self = Self::Choice,
                Pressed::Take(drawing) => return Given::Autograph(drawn(&drawing)),
            },
            Self::Typing(pad) => match pad.press(shared.now, key) {
                Pressed::Taken => {}
                Pressed::Free => return Given::Free,
                Pressed::Leave => *self = Self::Choice,
                Pressed::Take(text) => return Given::Autograph(typed(&text)),
            },
        }
        Given::Taken
    }

    /// Whether it takes the mouse.
    pub(super) fn wants_mouse(&self) -> bool {
        matches!(self, Self::Drawing(_))
    }

    /// Takes the mouse.
    pub(super) fn mouse(&mut self, mouse: MouseEvent, shared: &Shared) {
        if let Self::Drawing(pad) = self {
            pad.mouse(shared.now, mouse);
        }
    }

    /// Draws it.
    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        match self {
            Self::Choice => {
                let style = ui.theme().text;
                ui.paragraph(area, CHOICE_WORDS, style);
            }
            Self::Drawing(pad) => pad.view(ui, area),
            Self::Typing(pad) => pad.view(ui, area),
        }
    }
}

/// A drawing as the vault keeps it.
fn drawn(drawing: &Drawing) -> Option<Autograph> {
    let stroke = |stroke: &tui_kit::pad::Stroke| Stroke {
        points: stroke.points.iter().map(|at| Point { x: at.x, y: at.y, ms: at.ms }).collect(),
    };
    Autograph::new(drawing.strokes().iter().map(stroke).collect(), None).ok()
}

/// A typed text as the vault keeps it, with as many times as that takes.
fn typed(text: &TypedText) -> Option<Autograph> {
    let intervals = text.intervals_ms.iter().copied().take(vault::autograph::TYPED_MAX).collect();
    Autograph::new(Vec::new(), Some(Typed { text: text.text.clone(), intervals })).ok()
}

/// The drawing of an autograph, for the review before there is a vault to take it from.
pub(super) fn seal(autograph: &Autograph) -> Option<Drawing> {
    crate::keep::drawing(autograph)
}
