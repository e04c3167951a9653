//! The autograph: drawn, or typed.

use tui_kit::{
    KeyEvent, Now,
    pad::{Drawing, Pad, Pressed, Typed, TypedPad},
    ratatui::{crossterm::event::MouseEvent, layout::Rect},
    ui::Ui,
};
use vault::{
    Autograph,
    autograph::{Point, Stroke},
};

/// Whether an autograph was given.
pub(super) enum Given {
    NotYet,
    Yes,
}

/// A pad to draw on, and one to type on.
#[derive(Default)]
pub(super) struct Pads {
    pad: Pad,
    typed_pad: TypedPad,
    types: bool,
    drawn: Option<Drawing>,
    typed: Option<Typed>,
}

impl Pads {
    /// Whether it is drawn and not typed.
    pub(super) fn draws(&self) -> bool {
        !self.types
    }

    /// From drawing to typing, or back.
    pub(super) fn turn(&mut self) {
        self.types = !self.types;
    }

    /// Forgets what was given.
    pub(super) fn clear(&mut self) {
        *self = Self { types: self.types, ..Self::default() };
    }

    pub(super) fn press(&mut self, now: Now, key: KeyEvent) -> Option<Given> {
        if self.types {
            return match self.typed_pad.press(now, key) {
                Pressed::Taken => Some(Given::NotYet),
                Pressed::Free | Pressed::Leave => None,
                Pressed::Take(typed) => {
                    (self.typed, self.drawn) = (Some(typed), None);
                    Some(Given::Yes)
                }
            };
        }
        match self.pad.press(now, key) {
            Pressed::Taken => Some(Given::NotYet),
            Pressed::Free | Pressed::Leave => None,
            Pressed::Take(drawing) => {
                (self.drawn, self.typed) = (Some(drawing), None);
                Some(Given::Yes)
            }
        }
    }

    pub(super) fn mouse(&mut self, now: Now, mouse: MouseEvent) {
        if self.draws() {
            self.pad.mouse(now, mouse);
        }
    }

    /// What was drawn.
    pub(super) fn drawing(&self) -> Option<Drawing> {
        self.drawn.clone()
    }

    /// The autograph for the vault; none where none was given.
    ///
    /// # Errors
    /// When it is longer than a vault keeps.
    pub(super) fn autograph(&self) -> Result<Option<Autograph>, vault::Error> {
        let point = |point: &tui_kit::pad::Point| Point { x: point.x, y: point.y, ms: point.ms };
        let strokes = self.drawn.iter().flat_map(|drawing| drawing.strokes());
        let strokes: Vec<Stroke> =
            strokes.map(|stroke| Stroke { points: stroke.points.iter().map(point).collect() }).collect();
        let typed = self.typed.as_ref().map(|typed| vault::autograph::Typed {
            text: typed.text.clone(),
            intervals: typed.intervals_ms.iter().copied().take(vault::autograph::TYPED_MAX).collect(),
        });
        if strokes.is_empty() && typed.is_none() {
            return Ok(None);
        }
        Autograph::new(strokes, typed).map(Some)
    }

    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.types { self.typed_pad.view(ui, area) } else { self.pad.view(ui, area) }
    }
}
