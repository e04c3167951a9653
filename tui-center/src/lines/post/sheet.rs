//! Pages: what stands where, and the PDF of it.
//!
//! Measures are in millimetres from the upper left corner of an A4 page (210 × 297); sizes of type are in points.

use krilla::{
    Document,
    geom::{PathBuilder, Point},
    metadata::{DateTime, Metadata},
    page::PageSettings,
    paint::{LineCap, Stroke},
};
use unicode_width::UnicodeWidthChar as _;

use super::{
    LetterError,
    fonts::{Chosen, Face},
};

/// Points in a millimetre.
pub(super) const MM: f32 = 72.0 / 25.4;
/// The page's width.
pub(super) const WIDTH: f32 = 210.0;
/// The page's height.
pub(super) const HEIGHT: f32 = 297.0;

/// What may not begin a line of Japanese (the small set of JIS X 4051 that everybody notices).
const NOT_FIRST: &str = "、。，．・：；？！）」』】〕〉》’”ゝゞーぁぃぅぇぉっゃゅょァィゥェォッャュョ％";

/// One mark on a page.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark {
    /// A line of text whose baseline begins there.
    Text { x: f32, y: f32, size: f32, face: Face, text: String },
    /// A thin stroke.
    Stroke { from: (f32, f32), to: (f32, f32) },
}

/// The marks of each page.
pub(super) type Pages = Vec<Vec<Mark>>;

/// Breaks a text into lines of at most `width` millimetres; line breaks in it stay. Breaks at spaces, and between
/// characters of East Asian width; a word that is longer than a line is cut.
pub(super) fn wrap(fonts: &Chosen, face: Face, size: f32, width: f32, text: &str) -> Vec<String> {
    let fits = |line: &str| fonts.width(face, line) * size / MM <= width;
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for piece in pieces(paragraph.trim_end()) {
            let both = format!("{line}{piece}");
            if fits(both.trim_end()) {
                line = both;
                continue;
            }
            if !line.trim_end().is_empty() {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
            }
            for c in piece.trim_start().chars() {
                line.push(c);
                if !fits(line.trim_end()) && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, c.to_string()));
                }
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// The PDF of some pages: the same bytes for the same pages. `date` is year, month and day of its making.
pub(super) fn pdf(
    pages: &Pages,
    fonts: &Chosen,
    id: &str,
    creator: &str,
    date: (u16, u8, u8),
) -> Result<Vec<u8>, LetterError> {
    let wrong = |what: &str| LetterError::Pdf(what.to_owned());
    let mut document = Document::new();
    for marks in pages {
        let settings =
            PageSettings::from_wh(WIDTH * MM, HEIGHT * MM).ok_or_else(|| wrong("the page's size"))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for mark in marks {
            match mark {
                Mark::Text { x, y, size, face, text } => {
                    let mut x = x * MM;
                    for run in fonts.runs(*face, text) {
                        let start = Point::from_xy(x, y * MM);
                        surface.draw_glyphs(start, &run.glyphs, run.font, &run.text, *size, false);
                        x += run.width * size;
                    }
                }
                Mark::Stroke { from, to } => {
                    let mut path = PathBuilder::new();
                    path.move_to(from.0 * MM, from.1 * MM);
                    path.line_to(to.0 * MM, to.1 * MM);
                    let path = path.finish().ok_or_else(|| wrong("a stroke"))?;
                    surface.set_stroke(Some(Stroke {
                        width: 0.4,
                        line_cap: LineCap::Butt,
                        ..Stroke::default()
                    }));
                    surface.draw_path(&path);
                    surface.set_stroke(None);
                }
            }
        }
        surface.finish();
        page.finish();
    }
    let (year, month, day) = date;
    // No name and no number here: what a PDF says of itself is read by more programs than the one that prints it.
    let metadata = Metadata::new()
        .title("Letter".into())
        .creator(creator.into())
        .document_id(id.into())
        .creation_date(DateTime::new(year).month(month).day(day));
    document.set_metadata(metadata);
    document.finish().map_err(|_| wrong("the document"))
}

/// Words with the spaces behind them; each wide character by itself, unless it may not begin a line.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut open = false;
    for c in text.chars() {
        let wide = c.width().unwrap_or(0) == 2;
        let joined = if wide { NOT_FIRST.contains(c) && !pieces.is_empty() } else { open };
        match pieces.last_mut() {
            Some(piece) if joined => piece.push(c),
            _ => pieces.push(c.to_string()),
        }
        open = !wide && !c.is_whitespace();
        // A space belongs to the word before it.
        if c == ' ' && pieces.len() > 1 && pieces.last().is_some_and(|piece| piece == " ") {
            pieces.pop();
            if let Some(piece) = pieces.last_mut() {
                piece.push(' ');
            }
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{super::Fonts, *};

    #[test]
    fn lines_break_at_spaces_and_fit() {
        let text = "The quick brown fox jumps over the lazy dog.\n\nAnd a Donaudampfschifffahrtsgesellschaftskapitän.";
        let fonts = Fonts::open(None).unwrap().choose([text].into_iter()).ok().unwrap();
        let lines = wrap(&fonts, Face::Regular, 10.0, 30.0, text);
        for line in &lines {
            assert!(fonts.width(Face::Regular, line) * 10.0 / MM <= 30.0, "{line}");
            assert!(!line.starts_with(' ') && !line.ends_with(' '), "{line}");
        }
        let words = |text: &str| text.split_whitespace().collect::<String>();
        assert_eq!(words(&lines.concat().replace(' ', "")), words(text), "nothing is lost");
        assert!(lines[0].starts_with("The quick") && lines.iter().any(String::is_empty), "{lines:?}");
    }

    #[test]
    fn japanese_breaks_anywhere_but_before_a_full_stop() {
        assert_eq!(pieces("会員、番号 M-1 です。"), ["会", "員、", "番", "号 ", "M-1 ", "で", "す。"]);
    }
}
