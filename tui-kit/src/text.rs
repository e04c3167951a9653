//! Text as a terminal sees it: cleaned, measured in columns, cut, padded, wrapped, grouped.
//!
//! Widths are display columns (a wide character takes two), summed over grapheme clusters, which is how
//! ratatui's buffer lays text out. Whatever another party typed is cleaned when it is decoded; [`clean`] is the
//! second defence, at the screen.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use unicode_normalization::{UnicodeNormalization, is_nfc};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The most characters that one grapheme cluster keeps: enough for a family emoji, too few for a pile of marks.
const CLUSTER_CHARS_MAX: usize = 16;

/// On which side of its column a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// Flush left: words.
    #[default]
    Left,
    /// Flush right: numbers.
    Right,
}

/// Makes a text safe to show on one line: NFC, no control characters, no escape sequences, no bidi overrides, no
/// invisible characters, line breaks and tabs as a space, at most 16 characters to a cluster.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(scrub(text, false))
}

/// Like [`clean`], but keeps line feeds, for texts of several lines.
pub fn clean_lines(text: &str) -> String {
    scrub(text, true)
}

/// Display columns of a text.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// Cuts a text to at most `columns`, the last of which is an ellipsis when something was cut.
pub fn truncate(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    Cow::Owned(format!("{}…", head(text, columns - 1)))
}

/// Cuts a text to at most `columns` by taking out its middle: for ids and fingerprints, where both ends tell.
pub fn truncate_middle(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    if columns < 3 {
        return truncate(text, columns);
    }
    let tail_columns = (columns - 1) / 2;
    let start = head(text, columns - 1 - tail_columns);
    let mut tail = Vec::new();
    let mut used = 0;
    for cluster in text.graphemes(true).rev() {
        used += cluster.width();
        if used > tail_columns {
            break;
        }
        tail.push(cluster);
    }
    tail.reverse();
    Cow::Owned(format!("{start}…{}", tail.concat()))
}

/// The longest start of a text that fits into `columns`.
pub fn head(text: &str, columns: usize) -> &str {
    let mut used = 0;
    for (at, cluster) in text.grapheme_indices(true) {
        used += cluster.width();
        if used > columns {
            return &text[..at];
        }
    }
    text
}

/// A text in exactly `columns`: cut with an ellipsis, or padded on the side that `align` leaves free.
pub fn fit(text: &str, columns: usize, align: Align) -> String {
    let cut = truncate(text, columns);
    let pad = " ".repeat(columns.saturating_sub(width(&cut)));
    match align {
        Align::Left => format!("{cut}{pad}"),
        Align::Right => format!("{pad}{cut}"),
    }
}

/// Breaks a text into lines of at most `columns`: at line feeds, between words, around wide characters, and inside
/// a word only when it is longer than a line. Never returns an empty list; zero columns give the text's lines uncut.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        wrap_paragraph(paragraph, columns, &mut lines);
    }
    lines
}

/// An integer with thousands separators: `-1,234,567`.
pub fn thousands(number: impl Into<i128>) -> String {
    let number = number.into();
    let grouped = group(&number.unsigned_abs().to_string());
    if number < 0 { format!("-{grouped}") } else { grouped }
}

/// Minor units as a decimal number with thousands separators: `amount(123_456, 2)` is `1,234.56`, `amount(5_000, 0)`
/// is `5,000`. `decimals` is the currency's number of minor digits (ISO 4217).
pub fn amount(minor: impl Into<i128>, decimals: u8) -> String {
    let minor = minor.into();
    let sign = if minor < 0 { "-" } else { "" };
    let digits = format!("{:0>1$}", minor.unsigned_abs(), usize::from(decimals) + 1);
    let (whole, part) = digits.split_at(digits.len() - usize::from(decimals));
    let point = if part.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{part}", group(whole))
}

/// Bytes in decimal units with three figures: `999 B`, `1.20 kB`, `34.5 MB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let places = if value < 9.995 {
        2
    } else if value < 99.95 {
        1
    } else {
        0
    };
    format!("{value:.places$} {}", UNITS[unit])
}

/// What the system said of a file, without its number: a disk that is full or can only be read as people say it.
pub fn trouble(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull => "the disk is full".into(),
        io::ErrorKind::QuotaExceeded => "the disk quota is used up".into(),
        io::ErrorKind::ReadOnlyFilesystem => "the disk can only be read".into(),
        io::ErrorKind::PermissionDenied => "this user may not do that".into(),
        _ => {
            let words = error.to_string();
            words.split(" (os error").next().unwrap_or_default().to_lowercase()
        }
    }
}

/// A span of time in at most two units: `4 s`, `3 min 20 s`, `2 h 05 min`, `6 d 3 h`.
pub fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// A typed number reduced to what counts: full-width digits made plain, separators, spaces and currency signs gone.
pub fn plain_number(text: &str) -> String {
    text.nfkc()
        .filter(|c| !c.is_whitespace() && !matches!(c, ',' | '_' | '\'' | '¥' | '$' | '€' | '£' | '円'))
        .map(|c| if c == '\u{2212}' { '-' } else { c })
        .collect()
}

/// NFC of a text, without a copy where it is already so.
pub fn nfc(text: &str) -> Cow<'_, str> {
    if is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

fn scrub(text: &str, keep_lines: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.nfc().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' if keep_lines => plain.push('\n'),
            '\r' if keep_lines => {}
            '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => plain.push(' '),
            '\u{1b}' => skip_escape(&mut chars),
            '\u{9b}' => skip_csi(&mut chars),
            c if c.is_control() || is_unseen(c) => {}
            c => plain.push(c),
        }
    }
    if plain.graphemes(true).all(|cluster| cluster.chars().nth(CLUSTER_CHARS_MAX).is_none()) {
        return plain;
    }
    plain.graphemes(true).flat_map(|cluster| cluster.chars().take(CLUSTER_CHARS_MAX)).collect()
}

/// Swallows the rest of an escape sequence (ECMA-48): a control sequence up to its final byte, a string (OSC, DCS,
/// SOS, PM, APC) up to its terminator, or the single character that follows.
fn skip_escape(chars: &mut std::iter::Peekable<impl Iterator<Item = char>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            skip_csi(chars);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(c) = chars.next() {
                if matches!(c, '\u{7}' | '\u{9c}') {
                    break;
                }
                if c == '\u{1b}' {
                    chars.next_if_eq(&'\\');
                    break;
                }
            }
        }
        Some(c) if c.is_ascii_graphic() => {
            chars.next();
        }
        _ => {}
    }
}

fn skip_csi(chars: &mut std::iter::Peekable<impl Iterator<Item = char>>) {
    while chars.next_if(|c| ('\u{20}'..'\u{40}').contains(c)).is_some() {}
    chars.next_if(|c| ('\u{40}'..'\u{7f}').contains(c));
}

/// Characters that change how their neighbours look without being seen: bidi marks, embeddings, overrides and
/// isolates, zero-width spaces, tags, interlinear annotation. The zero-width joiner stays: emoji need it.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

fn wrap_paragraph(paragraph: &str, columns: usize, lines: &mut Vec<String>) {
    if columns == 0 || width(paragraph) <= columns {
        lines.push(paragraph.trim_end().to_owned());
        return;
    }
    let mut line = String::new();
    let mut used = 0;
    for piece in pieces(paragraph) {
        let wide = width(piece.trim_end());
        if used > 0 && used + wide > columns {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
            used = 0;
        }
        if used == 0 && wide > columns {
            let mut rest = piece;
            while width(rest.trim_end()) > columns {
                // A wide character in a one-column line can't be shown; taking it whole keeps the loop moving.
                let start = match head(rest, columns) {
                    "" => rest.graphemes(true).next().unwrap_or(rest),
                    start => start,
                };
                lines.push(start.to_owned());
                rest = &rest[start.len()..];
            }
            line.push_str(rest);
            used = width(rest);
            continue;
        }
        line.push_str(piece);
        used += width(piece);
    }
    if !line.trim_end().is_empty() || lines.is_empty() {
        lines.push(line.trim_end().to_owned());
    }
}

/// Words with the spaces behind them; wide characters stand alone, because a line may break at any of them.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut after_space = false;
    for (at, cluster) in text.grapheme_indices(true) {
        let space = cluster.chars().all(char::is_whitespace);
        let wide = cluster.width() > 1;
        if at > start && !space && (after_space || wide) {
            pieces.push(&text[start..at]);
            start = at;
        }
        after_space = space || wide;
    }
    pieces.push(&text[start..]);
    pieces
}

fn group(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_system_is_quoted_without_its_numbers() {
        let said = |error: rustix::io::Errno| trouble(&io::Error::from(error));
        assert_eq!(said(rustix::io::Errno::NOSPC), "the disk is full");
        assert_eq!(said(rustix::io::Errno::ROFS), "the disk can only be read");
        assert_eq!(said(rustix::io::Errno::NOENT), "no such file or directory");
    }

    #[test]
    fn nothing_that_steers_a_terminal_survives() {
        for (dirty, expected) in [
            ("plain", "plain"),
            ("\x1b[31mred\x1b[0m", "red"),
            ("\x1b]52;c;ZXZpbA==\x07after", "after"),
            ("\x1b]0;title\x1b\\after", "after"),
            ("\u{9b}2Jwiped", "wiped"),
            ("pay\u{202e}001", "pay001"),
            ("a\tb\nc", "a b c"),
            ("zero\u{200b}width", "zerowidth"),
            ("e\u{301}", "é"),
            ("\x1bc\x07bell", "bell"),
        ] {
            assert_eq!(clean(dirty), expected, "{dirty:?}");
        }
        let bomb = format!("z{}", "\u{301}".repeat(500));
        assert!(clean(&bomb).chars().count() <= CLUSTER_CHARS_MAX);
        assert_eq!(clean_lines("a\r\nb\x07"), "a\nb");
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(thousands(0u32), "0");
        assert_eq!(thousands(-1_234_567i64), "-1,234,567");
        assert_eq!(amount(123_456u64, 2), "1,234.56");
        assert_eq!(amount(7u64, 2), "0.07");
        assert_eq!(amount(5_000u64, 0), "5,000");
        assert_eq!(amount(-50i64, 3), "-0.050");
        assert_eq!(plain_number("¥１２,３００"), "12300");
    }

    #[test]
    fn quantities_read_like_words() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1_200), "1.20 kB");
        assert_eq!(bytes(34_500_000), "34.5 MB");
        assert_eq!(bytes(999_999), "1.00 MB");
        assert_eq!(span(Duration::from_secs(4)), "4 s");
        assert_eq!(span(Duration::from_secs(200)), "3 min 20 s");
        assert_eq!(span(Duration::from_secs(7_500)), "2 h 05 min");
        assert_eq!(span(Duration::from_secs(530_000)), "6 d 3 h");
    }

    #[test]
    fn cutting_counts_columns() {
        assert_eq!(truncate("日本語", 6), "日本語");
        assert_eq!(truncate("日本語", 5), "日本…");
        assert_eq!(truncate("日本語", 4), "日…");
        assert_eq!(truncate_middle("0123456789", 5), "01…89");
        assert_eq!(fit("42", 5, Align::Right), "   42");
        assert_eq!(fit("日本", 5, Align::Left), "日本 ");
    }

    #[test]
    fn lines_break_where_readers_expect() {
        assert_eq!(wrap("the quick brown fox", 10), ["the quick", "brown fox"]);
        assert_eq!(wrap("日本語のテキスト", 6), ["日本語", "のテキ", "スト"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
    }

    proptest! {
        #[test]
        fn a_cut_text_fits(text in "\\PC{0,40}", columns in 0usize..30) {
            prop_assert!(width(&truncate(&text, columns)) <= columns);
            prop_assert!(width(&truncate_middle(&text, columns)) <= columns);
            prop_assert_eq!(width(&fit(&text, columns, Align::Right)), columns);
        }

        #[test]
        fn cleaning_twice_changes_nothing(text in any::<String>()) {
            let once = clean(&text).into_owned();
            prop_assert!(once.chars().all(|c| !c.is_control() && !is_unseen(c)));
            prop_assert_eq!(clean(&once).into_owned(), once);
        }

        #[test]
        fn wrapped_lines_fit(text in "[a-z日本 ]{0,60}", columns in 2usize..20) {
            for line in wrap(&text, columns) {
                prop_assert!(width(&line) <= columns, "{line:?} in {columns}");
            }
        }
    }
}
