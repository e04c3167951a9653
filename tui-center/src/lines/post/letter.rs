//! A letter for a window envelope.
//!
//! The positions are those of DIN 5008:2020, form B, for A4, which fit a DL envelope with a window 90 mm wide and 45 mm
//! high, 20 mm from the left and 15 mm from below:
//!
//! | what | millimetres from the left | from above |
//! |---|---|---|
//! | address field, 85 × 45 | 20, its text 25 | 45 |
//! | sender line, small | 25 | 45 to 50 |
//! | additions, up to 3 lines | 25 | 50 to 62.7 |
//! | address, up to 6 lines | 25 | 62.7 to 90 |
//! | information block: the date | 125 | 50 |
//! | subject | 25 | 98.5 |
//! | text | 25 to 190 | below the subject, to 272 |
//! | fold marks, hole mark | 4 to 8, 4 to 10 | 105 and 210, 148.5 |
//!
//! A line of the address field is 4.23 mm (12 points) high. An address of up to 6 lines begins in the address zone; a
//! longer one, of 9 lines at most, grows upwards into the additions. A line that is too wide is set smaller, down to 7
//! points, then broken.

use unicode_normalization::UnicodeNormalization as _;
use wire::{
    id::{CenterId, EntryNumber},
    time::Timestamp,
};
use zeroize::Zeroizing;

use super::{
    fonts::{Chosen, Face, Fonts},
    sheet::{self, HEIGHT, MM, Mark, Pages, WIDTH},
};
use crate::lines::postman::{Kind, Outgoing, id};

/// How many lines the address field has.
pub const ADDRESS_LINES: usize = 9;
/// How many pages a letter has at most, terms included.
pub const PAGES: usize = 40;

const LEFT: f32 = 25.0;
const RIGHT: f32 = 190.0;
const BOTTOM: f32 = 272.0;
/// The address field's text is 5 mm from the window's left edge, and as far from its right one.
const ADDRESS_WIDTH: f32 = 75.0;
const ADDRESS_LINE: f32 = 4.233;
const ADDRESS_TOP: f32 = 62.7;
const ADDRESS_ZONE: usize = 6;
const ADDRESS_SIZE: f32 = 10.0;
const ADDRESS_SMALLEST: f32 = 7.0;
const SENDER_SIZE: f32 = 7.0;
const SENDER_SMALLEST: f32 = 5.0;
const TEXT_SIZE: f32 = 10.5;
const TEXT_LINE: f32 = 5.2;
const LARGE_SIZE: f32 = 22.0;
const TERMS_SIZE: f32 = 8.5;
const TERMS_LINE: f32 = 4.2;
/// Between a line's upper edge and its baseline, as a part of its height.
const BASELINE: f32 = 0.76;

/// What a letter says.
#[derive(Clone)]
pub struct Letter<'a> {
    /// The center that writes it.
    pub center: CenterId,
    /// The entry that intends it.
    pub entry: EntryNumber,
    /// The entry's time.
    pub at: Timestamp,
    /// The sender in one line, above the address: name, street, town.
    pub sender: &'a str,
    /// The address, its lines from the name down; empty lines are passed over.
    pub address: &'a [&'a str],
    /// The day, as it is to be read.
    pub date: &'a str,
    /// The subject.
    pub subject: &'a str,
    /// The text before the large lines: paragraphs, with an empty line between two. A line break in it stays one.
    pub body: &'a str,
    /// Lines in large monospaced type, each with what it is: membership number, activation code, in groups as they are
    /// to be read.
    pub large: &'a [(&'a str, &'a str)],
    /// The text below the large lines.
    pub closing: &'a str,
    /// What follows on pages of its own.
    pub terms: Option<Terms<'a>>,
}

/// Terms of use.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// Their title, with the version.
    pub title: &'a str,
    /// Their text.
    pub text: &'a str,
}

/// Why a letter can't be made: for the operator, without what the letter says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// There is no address.
    #[error("the postal address is empty, so there is nobody to write to")]
    NoAddress,
    /// It does not fit the window.
    #[error(
        "the postal address needs {found} lines, and a window envelope shows {ADDRESS_LINES}; shorten it"
    )]
    Address {
        /// How many it needs, long ones broken.
        found: usize,
    },
    /// A character that no font has.
    #[error(
        "no font has “{0}” (U+{code:04X}); name one that does as `post.font`, or install one, such as fonts-noto-cjk",
        code = u32::from(*.0)
    )]
    NoFont(char),
    /// A script that letters can't be set in.
    #[error("the script of “{0}” (U+{code:04X}) cannot be set in letters; write it in Latin or Japanese", code = u32::from(*.0))]
    Script(char),
    /// It has too many pages.
    #[error("the letter would have more than {PAGES} pages")]
    TooLong,
    /// The built-in fonts are damaged.
    #[error("the program's own fonts cannot be read")]
    BuiltIn,
    /// The PDF could not be made.
    #[error("the PDF could not be made: {0}")]
    Pdf(String),
}

/// Makes a letter. It may read a font from the disk and takes some milliseconds.
///
/// # Errors
/// When the address does not fit the window, no font has a character, or there are too many pages.
pub fn letter(letter: &Letter<'_>, fonts: &Fonts) -> Result<Outgoing, LetterError> {
    let address: Vec<String> =
        letter.address.iter().map(|line| clean(line)).filter(|line| !line.is_empty()).collect();
    let to = address.first().ok_or(LetterError::NoAddress)?.clone();
    let written = Written::of(letter, address);
    let chosen = fonts.choose(written.texts())?;
    let pages = lay_out(&written, &chosen)?;
    let id = id(&letter.center, letter.entry);
    let bytes = sheet::pdf(&pages, &chosen, &id, &written.sender, day(letter.at))?;
    Ok(Outgoing { kind: Kind::Letter, entry: letter.entry, at: letter.at, to, bytes: Zeroizing::new(bytes) })
}

/// A letter's text, composed (NFC), for a font has “é” rather than “e” and an accent.
struct Written {
    sender: String,
    address: Vec<String>,
    date: String,
    subject: String,
    body: String,
    large: Vec<(String, String)>,
    closing: String,
    terms: Option<(String, String)>,
}

impl Written {
    fn of(letter: &Letter<'_>, address: Vec<String>) -> Self {
        let composed = |text: &str| text.nfc().collect::<String>();
        Self {
            sender: clean(letter.sender),
            address,
            date: clean(letter.date),
            subject: clean(letter.subject),
            body: composed(letter.body),
            large: letter.large.iter().map(|(what, value)| (clean(what), clean(value))).collect(),
            closing: composed(letter.closing),
            terms: letter.terms.map(|terms| (clean(terms.title), composed(terms.text))),
        }
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let single = [&self.sender, &self.date, &self.subject, &self.body, &self.closing];
        let large = self.large.iter().flat_map(|(what, value)| [what, value]);
        let terms = self.terms.iter().flat_map(|(title, text)| [title, text]);
        single.into_iter().chain(&self.address).chain(large).chain(terms).map(String::as_str)
    }
}

fn lay_out(letter: &Written, fonts: &Chosen) -> Result<Pages, LetterError> {
    let mut pen = Pen { fonts, pages: vec![Vec::new()], y: 0.0 };
    marks(&mut pen);
    sender(&mut pen, letter);
    address(&mut pen, letter)?;
    pen.text(125.0, 50.0, TEXT_SIZE, TEXT_LINE, Face::Regular, &letter.date);
    pen.y = 98.46;
    pen.flow(Face::Bold, TEXT_SIZE + 0.5, TEXT_LINE, &letter.subject)?;
    pen.y += 2.0 * TEXT_LINE;
    pen.flow(Face::Regular, TEXT_SIZE, TEXT_LINE, &letter.body)?;
    pen.y += TEXT_LINE;
    for (what, value) in &letter.large {
        pen.large(what, value)?;
    }
    pen.flow(Face::Regular, TEXT_SIZE, TEXT_LINE, &letter.closing)?;
    if let Some((title, text)) = &letter.terms {
        pen.turn()?;
        pen.flow(Face::Bold, TEXT_SIZE, TEXT_LINE, title)?;
        pen.y += TERMS_LINE;
        pen.flow(Face::Regular, TERMS_SIZE, TERMS_LINE, text)?;
    }
    Ok(pen.finish())
}

/// Fold marks and hole mark.
fn marks(pen: &mut Pen<'_>) {
    for (y, end) in [(105.0, 8.0), (148.5, 10.0), (210.0, 8.0)] {
        pen.stroke((4.0, y), (end, y));
    }
}

fn sender(pen: &mut Pen<'_>, letter: &Written) {
    let mut size = pen.fitting(Face::Regular, SENDER_SIZE, SENDER_SMALLEST, ADDRESS_WIDTH, &letter.sender);
    // One line, whatever it says: it is for the post, if it must send the letter back.
    let width = pen.fonts.width(Face::Regular, &letter.sender) * size / MM;
    if width > ADDRESS_WIDTH {
        size *= ADDRESS_WIDTH / width;
    }
    pen.text(LEFT, 45.6, size, ADDRESS_LINE, Face::Regular, &letter.sender);
    pen.stroke((LEFT, 49.8), (LEFT + ADDRESS_WIDTH, 49.8));
}

fn address(pen: &mut Pen<'_>, letter: &Written) -> Result<(), LetterError> {
    let mut lines = Vec::new();
    for line in &letter.address {
        let size = pen.fitting(Face::Regular, ADDRESS_SIZE, ADDRESS_SMALLEST, ADDRESS_WIDTH, line);
        let broken = sheet::wrap(pen.fonts, Face::Regular, size, ADDRESS_WIDTH, line);
        lines.extend(broken.into_iter().map(|line| (size, line)));
    }
    if lines.len() > ADDRESS_LINES {
        return Err(LetterError::Address { found: lines.len() });
    }
    let above = lines.len().saturating_sub(ADDRESS_ZONE);
    for (row, (size, line)) in lines.iter().enumerate() {
        let top = ADDRESS_TOP + (row as f32 - above as f32) * ADDRESS_LINE;
        pen.text(LEFT, top, *size, ADDRESS_LINE, Face::Regular, line);
    }
    Ok(())
}

/// Writes on the newest page, from above to below.
struct Pen<'a> {
    fonts: &'a Chosen,
    pages: Pages,
    y: f32,
}

impl Pen<'_> {
    /// A line whose upper edge is at `top`.
    fn text(&mut self, x: f32, top: f32, size: f32, height: f32, face: Face, text: &str) {
        let mark = Mark::Text { x, y: top + height * BASELINE, size, face, text: text.to_owned() };
        self.mark(mark);
    }

    fn stroke(&mut self, from: (f32, f32), to: (f32, f32)) {
        self.mark(Mark::Stroke { from, to });
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// Text over the whole width, on as many pages as it takes.
    fn flow(&mut self, face: Face, size: f32, height: f32, text: &str) -> Result<(), LetterError> {
        for line in sheet::wrap(self.fonts, face, size, RIGHT - LEFT, text) {
            if self.y + height > BOTTOM {
                self.turn()?;
            }
            self.text(LEFT, self.y, size, height, face, &line);
            self.y += height;
        }
        Ok(())
    }

    /// What it is, small, and the value, large, as wide as it may be; never on two pages.
    fn large(&mut self, what: &str, value: &str) -> Result<(), LetterError> {
        let size = self.fitting(Face::Mono, LARGE_SIZE, 1.0, RIGHT - LEFT - 8.0, value);
        if self.y + 18.0 > BOTTOM {
            self.turn()?;
        }
        let top = self.y;
        self.stroke((LEFT, top), (LEFT, top + 14.5));
        self.text(LEFT + 4.0, top, TEXT_SIZE - 1.0, TEXT_LINE, Face::Regular, what);
        self.text(LEFT + 4.0, top + 5.0, size, 9.5, Face::Mono, value);
        self.y += 19.0;
        Ok(())
    }

    fn turn(&mut self) -> Result<(), LetterError> {
        if self.pages.len() == PAGES {
            return Err(LetterError::TooLong);
        }
        self.pages.push(Vec::new());
        self.y = 25.0;
        Ok(())
    }

    /// The size at which a text fits a width, between `size` and `smallest`.
    fn fitting(&self, face: Face, size: f32, smallest: f32, width: f32, text: &str) -> f32 {
        let unit = self.fonts.width(face, text) / MM;
        // A hair less, so that rounding does not make it too wide again.
        if unit * size <= width { size } else { (width / unit * 0.999).max(smallest) }
    }

    /// The pages, numbered where there is more than one.
    fn finish(mut self) -> Pages {
        let count = self.pages.len();
        if count > 1 {
            for (index, page) in self.pages.iter_mut().enumerate() {
                let text = format!("{} / {count}", index + 1);
                let x = WIDTH / 2.0 - 5.0;
                page.push(Mark::Text { x, y: HEIGHT - 12.0, size: TERMS_SIZE, face: Face::Regular, text });
            }
        }
        self.pages
    }
}

/// One composed line.
fn clean(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect()
}

/// The day of an instant in UTC, for the PDF's own date.
fn day(at: Timestamp) -> (u16, u8, u8) {
    let ms = i64::try_from(at.0).unwrap_or(0);
    let date =
        jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_zoned(jiff::tz::TimeZone::UTC).date();
    let part = |value: i8| u8::try_from(value).unwrap_or(1);
    (u16::try_from(date.year()).unwrap_or(1970), part(date.month()), part(date.day()))
}

#[cfg(test)]
mod tests;
