//! A drawing as data: strokes of timed points in a unit box, and how it is shown in cells.

use std::fmt;

use ratatui::layout::Rect;
use ratatui::text::Line;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::ui::Ui;

/// The most strokes of a drawing.
pub const STROKES_MAX: usize = 64;

/// The most points of a drawing, over all of its strokes.
pub const POINTS_MAX: usize = 4096;

/// Where dots of a braille character lie, by column and row (Unicode 16, section 21.1).
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// The empty braille character; the dots are added to it.
const BRAILLE: u32 = 0x2800;

/// A point of a stroke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Zeroize)]
pub struct Point {
    /// From the left edge of the box, 0, to its right edge, 65535.
    pub x: u16,
    /// From the top edge of the box, 0, to its bottom edge, 65535. The box is 4 wide for 3 high.
    pub y: u16,
    /// Milliseconds since the drawing's first point.
    pub ms: u32,
}

/// What the pen drew without being lifted.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize)]
pub struct Stroke {
    /// The points, in the order in which they were drawn.
    pub points: Vec<Point>,
}

/// A drawing of at most [`STROKES_MAX`] strokes and [`POINTS_MAX`] points. It is part of a seed: wiped when it goes, and
/// never printed.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(try_from = "Vec<Stroke>", into = "Vec<Stroke>")]
pub struct Drawing {
    strokes: Vec<Stroke>,
}

/// A drawing takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a drawing has at most {STROKES_MAX} strokes and {POINTS_MAX} points")]
pub struct Full;

/// With which characters a drawing is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ink {
    /// Braille: two by four dots to a cell.
    Braille,
    /// One sign to a cell, for terminals without Unicode.
    Ascii,
}

impl Drawing {
    /// A drawing of these strokes.
    ///
    /// # Errors
    /// When they are too many, or have too many points.
    pub fn new(strokes: Vec<Stroke>) -> Result<Self, Full> {
        let drawing = Self { strokes };
        let fits = drawing.strokes.len() <= STROKES_MAX && drawing.points() <= POINTS_MAX;
        if fits { Ok(drawing) } else { Err(Full) }
    }

    /// The strokes, in order.
    pub fn strokes(&self) -> &[Stroke] {
        &self.strokes
    }

    /// How many points there are in all.
    pub fn points(&self) -> usize {
        self.strokes.iter().map(|stroke| stroke.points.len()).sum()
    }

    /// Whether nothing is drawn.
    pub fn is_empty(&self) -> bool {
        self.strokes.is_empty()
    }

    /// As lines of braille, all of the same width; empty for an area without cells.
    pub fn render(&self, width: u16, height: u16) -> Vec<String> {
        self.render_in(Ink::Braille, width, height)
    }

    /// As lines of so many cells, in either kind of character.
    pub fn render_in(&self, ink: Ink, width: u16, height: u16) -> Vec<String> {
        if width == 0 || height == 0 {
            return Vec::new();
        }
        let (across, down) = (usize::from(width), usize::from(height));
        let mut cells = vec![0_u8; across * down];
        let mut dot = |x: usize, y: usize| {
            if let Some(cell) = cells.get_mut(y / 4 * across + x / 2) {
                *cell |= DOTS[x % 2][y % 4];
            }
        };
        let scale = |at: u16, dots: usize| usize::from(at) * dots / (usize::from(u16::MAX) + 1);
        for stroke in &self.strokes {
            let spots: Vec<_> =
                stroke.points.iter().map(|p| (scale(p.x, across * 2), scale(p.y, down * 4))).collect();
            if let [(x, y)] = spots[..] {
                dot(x, y);
            }
            for pair in spots.windows(2) {
                line(pair[0], pair[1], &mut dot);
            }
        }
        let sign = |cell: &u8| match ink {
            Ink::Braille => char::from_u32(BRAILLE + u32::from(*cell)).unwrap_or(' '),
            Ink::Ascii if *cell == 0 => ' ',
            Ink::Ascii => '#',
        };
        cells.chunks(across).map(|row| row.iter().map(sign).collect()).collect()
    }

    /// Draws it over an area with the characters that the session can show.
    pub fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let ink = if ui.abilities().unicode { Ink::Braille } else { Ink::Ascii };
        let style = ui.theme().strong;
        let lines = self.render_in(ink, area.width, area.height);
        ui.lines(area, lines.into_iter().map(|line| Line::styled(line, style)));
    }

    /// Begins a stroke.
    pub(super) fn begin(&mut self) -> Result<(), Full> {
        if self.strokes.len() >= STROKES_MAX || self.points() >= POINTS_MAX {
            return Err(Full);
        }
        self.strokes.push(Stroke::default());
        Ok(())
    }

    /// Adds a point to the last stroke; one in the place of the last point adds nothing.
    pub(super) fn push(&mut self, point: Point) -> Result<(), Full> {
        let full = self.points() >= POINTS_MAX;
        let Some(stroke) = self.strokes.last_mut() else { return Ok(()) };
        let stands = stroke.points.last().is_some_and(|last| (last.x, last.y) == (point.x, point.y));
        if stands {
            return Ok(());
        }
        if full {
            return Err(Full);
        }
        stroke.points.push(point);
        Ok(())
    }

    pub(super) fn undo(&mut self) {
        if let Some(mut stroke) = self.strokes.pop() {
            stroke.zeroize();
        }
    }

    pub(super) fn clear(&mut self) {
        self.strokes.zeroize();
    }
}

impl TryFrom<Vec<Stroke>> for Drawing {
    type Error = Full;

    fn try_from(strokes: Vec<Stroke>) -> Result<Self, Full> {
        Self::new(strokes)
    }
}

impl From<Drawing> for Vec<Stroke> {
    fn from(mut drawing: Drawing) -> Self {
        std::mem::take(&mut drawing.strokes)
    }
}

impl fmt::Debug for Stroke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stroke({} points)", self.points.len())
    }
}

impl fmt::Debug for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Drawing({} strokes, {} points)", self.strokes.len(), self.points())
    }
}

/// The dots between two, both included: evenly spaced along the longer side, each at the nearest dot of the other.
fn line(from: (usize, usize), to: (usize, usize), dot: &mut impl FnMut(usize, usize)) {
    let steps = from.0.abs_diff(to.0).max(from.1.abs_diff(to.1));
    let between = |from: usize, to: usize, step: usize| {
        let way = (from.abs_diff(to) * step * 2 + steps) / (steps * 2).max(1);
        if to > from { from + way } else { from - way }
    };
    for step in 0..=steps {
        dot(between(from.0, to.0, step), between(from.1, to.1, step));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawing(points: &[(u16, u16)]) -> Drawing {
        let points = points.iter().map(|(x, y)| Point { x: *x, y: *y, ms: 0 }).collect();
        Drawing::new(vec![Stroke { points }]).expect("few")
    }

    #[test]
    fn a_cross_is_a_cross_in_any_size() {
        const END: u16 = u16::MAX;
        let mut strokes: Vec<Stroke> = drawing(&[(0, 0), (END, END)]).into();
        strokes.extend(Vec::from(drawing(&[(END, 0), (0, END)])));
        let cross = Drawing::new(strokes).expect("few");
        insta::assert_snapshot!(cross.render(8, 3).join("\n"), @r"
        ⠑⠢⡀⠀⠀⢀⠔⠊
        ⠀⠀⢈⡱⢎⡁⠀⠀
        ⡠⠔⠁⠀⠀⠈⠢⢄
        ");
        assert_eq!(cross.render_in(Ink::Ascii, 8, 3), ["###  ###", "  ####  ", "###  ###"]);
        assert_eq!(cross.render(1, 1).concat().chars().count(), 1);
        assert!(cross.render(0, 5).is_empty());
    }

    #[test]
    fn a_single_point_is_seen() {
        assert_eq!(drawing(&[(0, 0)]).render(2, 1), ["⠁⠀"]);
    }

    #[test]
    fn what_is_too_large_is_refused_also_from_a_file() {
        let stroke = |points: usize| Stroke { points: vec![Point { x: 0, y: 0, ms: 0 }; points] };
        assert!(Drawing::new(vec![stroke(POINTS_MAX)]).is_ok());
        assert_eq!(Drawing::new(vec![stroke(POINTS_MAX), stroke(1)]), Err(Full));
        let many = serde_json::to_string(&vec![stroke(1); STROKES_MAX + 1]).expect("JSON");
        assert!(serde_json::from_str::<Drawing>(&many).is_err());
        let kept = serde_json::to_string(&drawing(&[(1, 2), (3, 4)])).expect("JSON");
        assert_eq!(serde_json::from_str::<Drawing>(&kept).expect("a drawing"), drawing(&[(1, 2), (3, 4)]));
    }

    #[test]
    fn it_is_never_printed() {
        assert_eq!(format!("{:?}", drawing(&[(1, 2), (30_000, 4)])), "Drawing(1 strokes, 2 points)");
    }

    proptest! {
        #[test]
        fn every_drawing_fits_its_cells(
            points in proptest::collection::vec((any::<u16>(), any::<u16>()), 0..20),
            width in 1u16..40,
            height in 1u16..20,
        ) {
            let lines = drawing(&points).render(width, height);
            prop_assert_eq!(lines.len(), usize::from(height));
            for line in lines {
                prop_assert_eq!(line.chars().count(), usize::from(width));
            }
        }

        #[test]
        fn lines_end_where_they_should(from in (0usize..60, 0usize..60), to in (0usize..60, 0usize..60)) {
            let mut dots = Vec::new();
            line(from, to, &mut |x, y| dots.push((x, y)));
            prop_assert_eq!(dots.first(), Some(&from));
            prop_assert_eq!(dots.last(), Some(&to));
            for pair in dots.windows(2) {
                prop_assert!(pair[0].0.abs_diff(pair[1].0) <= 1 && pair[0].1.abs_diff(pair[1].1) <= 1);
            }
        }
    }
}
