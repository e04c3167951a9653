//! The autograph: drawn on a pad with the mouse or with a pen that keys move, or typed with its rhythm.
//!
//! What comes out is data: strokes of timed points in a unit box ([`Drawing`]), or a text with the times between its
//! keys ([`Typed`]). Both are mixed into a seed elsewhere; the drawing is also the drawn seal that is shown at every
//! signing. Update reads no clock: the moment comes with each key and each report of the mouse.
//!
//! The mouse is captured only while a pad is on top ([`crate::stack::Screen::wants_mouse`]): buttons and drags, never
//! any motion.

mod drawing;
mod typed;

pub use drawing::{Drawing, Full, Ink, POINTS_MAX, Point, STROKES_MAX, Stroke};
pub use typed::{INTERVALS_MAX, TYPED_CHARS_MAX, Typed, TypedPad};

use std::cell::Cell;
use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::text::Line;

use crate::app::Now;
use crate::keys::OwnKeys;
use crate::text;
use crate::theme::Tone;
use crate::ui::Ui;

/// The least points of an autograph: fewer are a dot or a slip of the hand.
const POINTS_MIN: usize = 8;

/// The form of the canvas in cells: 8 wide for 3 high, the same everywhere, so that no screen distorts a drawing.
const FORM: (u16, u16) = (8, 3);

/// How far an arrow key moves the pen, in the unit box: a sixty-fourth of its width, and as much down on the screen.
const STEP: (u16, u16) = (1024, 1365);

/// How many steps an arrow key with Shift moves.
const STRIDE: u16 = 4;

/// What a key has done to a pad.
#[derive(Debug)]
pub enum Pressed<T> {
    /// Used up.
    Taken,
    /// Not for the pad.
    Free,
    /// Esc: leaves without it.
    Leave,
    /// This is the autograph.
    Take(T),
}

/// A pad to draw on.
#[derive(Debug)]
pub struct Pad {
    drawing: Drawing,
    pen: (u16, u16),
    state: Pen,
    /// When the first point was drawn.
    began: Option<Duration>,
    said: Option<String>,
    /// Where the canvas was drawn last: what the mouse points at.
    canvas: Cell<Rect>,
}

/// What the pen does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pen {
    Up,
    /// On the paper, moved by keys.
    Keys,
    /// On the paper, moved by the mouse.
    Mouse,
}

impl Default for Pad {
    fn default() -> Self {
        Self::new()
    }
}

impl Pad {
    /// The keys that it takes by itself.
    pub const KEYS: &'static [OwnKeys] = &[
        OwnKeys { keys: "Left Right Up Down", label: "Move the pen", help: "With Shift four times as far." },
        OwnKeys { keys: "Space", label: "Pen down or up", help: "Begins a stroke or ends it." },
        OwnKeys { keys: "u", label: "Undo", help: "Takes back the last stroke." },
        OwnKeys { keys: "c", label: "Clear", help: "Takes back everything." },
        OwnKeys { keys: "Enter", label: "Take it", help: "This is the autograph." },
    ];

    /// An empty pad, the pen in its middle.
    pub fn new() -> Self {
        Self {
            drawing: Drawing::default(),
            pen: (u16::MAX / 2, u16::MAX / 2),
            state: Pen::Up,
            began: None,
            said: None,
            canvas: Cell::new(Rect::ZERO),
        }
    }

    /// What is drawn so far.
    pub fn drawing(&self) -> &Drawing {
        &self.drawing
    }

    /// Takes a key.
    pub fn press(&mut self, now: Now, key: KeyEvent) -> Pressed<Drawing> {
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return Pressed::Free;
        }
        let stride = if key.modifiers.contains(KeyModifiers::SHIFT) { STRIDE } else { 1 };
        self.said = None;
        match key.code {
            KeyCode::Esc => return Pressed::Leave,
            KeyCode::Enter => return self.take(),
            KeyCode::Left => self.move_pen(now, -1, 0, stride),
            KeyCode::Right => self.move_pen(now, 1, 0, stride),
            KeyCode::Up => self.move_pen(now, 0, -1, stride),
            KeyCode::Down => self.move_pen(now, 0, 1, stride),
            KeyCode::Char(' ') if self.state == Pen::Up => self.put_down(now, Pen::Keys),
            KeyCode::Char(' ') => self.state = Pen::Up,
            KeyCode::Char('u') => {
                self.state = Pen::Up;
                self.drawing.undo();
            }
            KeyCode::Char('c') => {
                self.state = Pen::Up;
                self.drawing.clear();
                self.began = None;
            }
            _ => return Pressed::Free,
        }
        Pressed::Taken
    }

    /// Takes a report of the mouse; false for what is not drawn with.
    pub fn mouse(&mut self, now: Now, mouse: MouseEvent) -> bool {
        let canvas = self.canvas.get();
        let at = Position { x: mouse.column, y: mouse.row };
        match mouse.kind {
            MouseEventKind::Down(MouseButton::Left) if canvas.contains(at) => {
                self.said = None;
                self.pen = in_box(canvas, at);
                self.put_down(now, Pen::Mouse);
            }
            MouseEventKind::Drag(MouseButton::Left) if self.state == Pen::Mouse => {
                // Who draws over the edge draws along it.
                self.pen = in_box(canvas, at);
                self.mark(now);
            }
            MouseEventKind::Up(MouseButton::Left) if self.state == Pen::Mouse => self.state = Pen::Up,
            _ => return false,
        }
        true
    }

    /// Draws the canvas in a frame and what can be done below it. Where a canvas has no room, words stand instead.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        ui.takes(Self::KEYS);
        let theme = ui.theme();
        let [paper, foot] = Layout::vertical([Constraint::Min(0), Constraint::Length(1)]).areas(area);
        let fit = canvas_in(Rect {
            x: paper.x + 1,
            y: paper.y + 1,
            width: paper.width.saturating_sub(2),
            height: paper.height.saturating_sub(2),
        });
        let Some(canvas) = fit else {
            self.canvas.set(Rect::ZERO);
            let words =
                "There is no room for a pad here: enlarge the window, or go back and type your autograph.";
            ui.paragraph(area, words, theme.warn);
            return;
        };
        let frame =
            Rect { x: canvas.x - 1, y: canvas.y - 1, width: canvas.width + 2, height: canvas.height + 2 };
        ui.panel(frame, "Your autograph");
        self.canvas.set(canvas);
        self.drawing.view(ui, canvas);
        let cell = |at: u16, cells: u16| {
            u16::try_from(u32::from(at) * u32::from(cells) / (u32::from(u16::MAX) + 1)).unwrap_or(0)
        };
        ui.cursor(canvas.x + cell(self.pen.0, canvas.width), canvas.y + cell(self.pen.1, canvas.height));
        match &self.said {
            Some(words) => {
                let span = ui.toned(Tone::Warn, words);
                ui.line(foot, span);
            }
            None => {
                let pen = if self.state == Pen::Up { "up" } else { "down" };
                let long = format!(
                    "draw with the mouse, or arrows and Space (pen {pen})  u undo  c clear  Enter take"
                );
                let short = format!("pen {pen}: Space  u undo  c clear  Enter");
                let fits = text::width(&long) <= usize::from(foot.width);
                ui.line(foot, Line::styled(if fits { long } else { short }, theme.dim));
            }
        }
    }

    fn take(&mut self) -> Pressed<Drawing> {
        self.state = Pen::Up;
        if self.drawing.points() < POINTS_MIN {
            self.said = Some("that is too little to be told apart; draw some more".to_owned());
            return Pressed::Taken;
        }
        self.began = None;
        Pressed::Take(std::mem::take(&mut self.drawing))
    }

    fn move_pen(&mut self, now: Now, right: i8, down: i8, stride: u16) {
        let step = |at: u16, by: u16, way: i8| match way {
            1 => at.saturating_add(by),
            -1 => at.saturating_sub(by),
            _ => at,
        };
        self.pen.0 = step(self.pen.0, STEP.0 * stride, right);
        self.pen.1 = step(self.pen.1, STEP.1 * stride, down);
        if self.state != Pen::Up {
            self.mark(now);
        }
    }

    fn put_down(&mut self, now: Now, state: Pen) {
        if self.drawing.begin().is_ok() {
            self.state = state;
            self.mark(now);
        } else {
            self.refuse();
        }
    }

    fn mark(&mut self, now: Now) {
        let began = *self.began.get_or_insert(now.running);
        let ms = u32::try_from(now.running.saturating_sub(began).as_millis()).unwrap_or(u32::MAX);
        if self.drawing.push(Point { x: self.pen.0, y: self.pen.1, ms }).is_err() {
            self.refuse();
        }
    }

    fn refuse(&mut self) {
        self.state = Pen::Up;
        self.said = Some("the pad is full; Enter takes it, u takes back a stroke".to_owned());
    }
}

/// The largest canvas of the right form in the middle of an area; none where a drawing could not be told from another.
fn canvas_in(area: Rect) -> Option<Rect> {
    let height = area.height.min(area.width * FORM.1 / FORM.0);
    let width = (height * FORM.0 / FORM.1).min(area.width);
    (height >= FORM.1).then(|| Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    })
}

/// Where the middle of a cell lies in the unit box.
fn in_box(canvas: Rect, at: Position) -> (u16, u16) {
    let scale = |at: u16, start: u16, cells: u16| {
        let inside = u32::from(at.saturating_sub(start).min(cells.saturating_sub(1)));
        u16::try_from((inside * 2 + 1) * u32::from(u16::MAX) / (u32::from(cells.max(1)) * 2))
            .unwrap_or(u16::MAX)
    };
    (scale(at.x, canvas.x, canvas.width), scale(at.y, canvas.y, canvas.height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn at(ms: u64) -> Now {
        Now { unix_ms: 0, running: Duration::from_millis(ms) }
    }

    fn mouse(kind: MouseEventKind, column: u16, row: u16) -> MouseEvent {
        MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
    }

    /// A tick drawn with the mouse on a pad of this size, from fractions of its width and height.
    fn drawn(width: u16, height: u16) -> Pad {
        let mut pad = Pad::new();
        testing::draw(width, height, |ui| pad.view(ui, ui.area()));
        let canvas = pad.canvas.get();
        let points: Vec<(u16, u16)> = (0..12)
            .map(|i| (canvas.x + canvas.width * i / 12, canvas.y + canvas.height * i.abs_diff(6) / 7))
            .collect();
        for (i, (x, y)) in points.iter().enumerate() {
            let kind = if i == 0 {
                MouseEventKind::Down(MouseButton::Left)
            } else {
                MouseEventKind::Drag(MouseButton::Left)
            };
            assert!(pad.mouse(at(500 + 20 * i as u64), mouse(kind, *x, *y)));
        }
        assert!(pad.mouse(at(900), mouse(MouseEventKind::Up(MouseButton::Left), 0, 0)));
        pad
    }

    #[test]
    fn it_is_drawn_on_every_screen_with_the_mouse() {
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let pad = drawn(width, height);
            let shown = testing::draw(width, height, |ui| pad.view(ui, ui.area()));
            insta::assert_snapshot!(format!("pad-{width}x{height}"), shown);
        }
    }

    #[test]
    fn points_lie_in_the_unit_box_whatever_the_size_and_carry_their_times() {
        for (width, height) in [(120, 40), (40, 12)] {
            let mut pad = drawn(width, height);
            let Pressed::Take(drawing) = pad.press(at(2_000), KeyEvent::from(KeyCode::Enter)) else {
                panic!("not taken")
            };
            let points = &drawing.strokes()[0].points;
            assert_eq!((points[0].ms, points[1].ms), (0, 20), "counted from the first point");
            let (lowest, highest) = (points.iter().map(|p| p.y).max(), points.iter().map(|p| p.y).min());
            assert!(points[0].x < 4_000 && points[11].x > 55_000, "{points:?}");
            assert!(lowest > Some(50_000) && highest < Some(12_000), "{points:?}");
        }
    }

    #[test]
    fn keys_draw_undo_clear_and_leave() {
        let mut pad = Pad::new();
        let mut ms = 0;
        let mut press = |pad: &mut Pad, script: &str| {
            let mut last = Pressed::Free;
            for key in testing::keys(script) {
                ms += 10;
                last = pad.press(at(ms), key);
            }
            last
        };
        press(&mut pad, "<right><down>");
        assert_eq!(pad.drawing().points(), 0, "the pen is up");
        press(&mut pad, "<space><right><right><down><space><left><space><up><up>");
        assert_eq!((pad.drawing().strokes().len(), pad.drawing().points()), (2, 7));
        assert!(matches!(press(&mut pad, "<enter>"), Pressed::Taken), "too little");
        assert!(testing::draw(80, 24, |ui| pad.view(ui, ui.area())).contains("too little"));
        press(&mut pad, "u");
        assert_eq!(pad.drawing().strokes().len(), 1);
        press(&mut pad, "<up>");
        assert_eq!(pad.drawing().strokes().len(), 1, "undoing lifts the pen");
        press(&mut pad, "c");
        assert!(pad.drawing().is_empty());
        assert!(matches!(press(&mut pad, "x"), Pressed::Free));
        assert!(matches!(press(&mut pad, "<esc>"), Pressed::Leave));
    }

    #[test]
    fn a_full_pad_says_so_and_keeps_what_it_has() {
        let mut pad = Pad::new();
        for ms in 0..STROKES_MAX as u64 + 3 {
            pad.press(at(ms), KeyEvent::from(KeyCode::Char(' ')));
            pad.press(at(ms), KeyEvent::from(KeyCode::Right));
            pad.press(at(ms), KeyEvent::from(KeyCode::Char(' ')));
        }
        assert_eq!(pad.drawing().strokes().len(), STROKES_MAX);
        pad.press(at(0), KeyEvent::from(KeyCode::Char('u')));
        pad.press(at(0), KeyEvent::from(KeyCode::Char(' ')));
        for step in 0..POINTS_MAX as u64 + 10 {
            let code = if step % 2 == 0 { KeyCode::Left } else { KeyCode::Right };
            pad.press(at(step), KeyEvent::from(code));
        }
        assert_eq!(pad.drawing().points(), POINTS_MAX);
        pad.press(at(0), KeyEvent::from(KeyCode::Char(' ')));
        assert!(testing::draw(80, 24, |ui| pad.view(ui, ui.area())).contains("the pad is full"));
    }

    #[test]
    fn the_mouse_draws_only_on_the_canvas() {
        let mut pad = Pad::new();
        testing::draw(80, 24, |ui| pad.view(ui, ui.area()));
        assert!(!pad.mouse(at(0), mouse(MouseEventKind::Down(MouseButton::Left), 0, 23)));
        assert!(!pad.mouse(at(0), mouse(MouseEventKind::Drag(MouseButton::Left), 40, 10)));
        assert!(!pad.mouse(at(0), mouse(MouseEventKind::Down(MouseButton::Right), 40, 10)));
        assert!(pad.drawing().is_empty());
    }

    #[test]
    fn pads_survive_any_size() {
        for (width, height) in testing::SIZES {
            let mut pad = Pad::new();
            testing::draw(width, height, |ui| pad.view(ui, ui.area()));
            pad.mouse(at(0), mouse(MouseEventKind::Down(MouseButton::Left), width / 2, height / 2));
            testing::draw(width, height, |ui| pad.view(ui, ui.area()));
        }
    }
}
