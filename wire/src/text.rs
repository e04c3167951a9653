//! Text that another party typed, cleaned once, when it is decoded.
//!
//! Cleaning takes out what can harm a terminal or deceive a reader: control characters and with them every escape
//! sequence's introducer, bidirectional overrides and isolates, zero-width characters, and piles of combining
//! marks. What remains is NFC. A text longer than its limit is refused, never cut.

use std::{fmt, ops::Deref};

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::limits;

/// A cleaned text of at most `MAX` bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
pub struct Text<const MAX: usize>(String);

/// One line: a name, a title, an e-mail address.
pub type Line = Text<{ limits::LINE }>;
/// Several lines: a description, an operator's words.
pub type Prose = Text<{ limits::PROSE }>;

/// A text that is longer than its place allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is {found} bytes long; at most {allowed} fit")]
pub struct TooLong {
    /// Its length in bytes, after cleaning.
    pub found: usize,
    /// The most that fits.
    pub allowed: usize,
}

impl<const MAX: usize> Text<MAX> {
    /// Cleans a text.
    ///
    /// # Errors
    /// When it is longer than `MAX` bytes.
    pub fn new(text: &str) -> Result<Self, TooLong> {
        // Four bytes typed never clean to more than twelve: NFC expands by at most 3.
        if text.len() > MAX.saturating_mul(8) {
            return Err(TooLong { found: text.len(), allowed: MAX });
        }
        let text = clean(text, MAX > limits::LINE);
        if text.len() > MAX {
            return Err(TooLong { found: text.len(), allowed: MAX });
        }
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> Deref for Text<MAX> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> TryFrom<&str> for Text<MAX> {
    type Error = TooLong;

    fn try_from(text: &str) -> Result<Self, TooLong> {
        Self::new(text)
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// How many combining marks may stand on one letter; Vietnamese and Hebrew need three, the rest is a width bomb.
const MARKS: usize = 4;

fn clean(text: &str, lines: bool) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut marks = 0;
    for c in strip_escapes(text).nfc() {
        if c == '\n' && lines {
            cleaned.push('\n');
            continue;
        }
        if c.is_whitespace() {
            cleaned.push(if c == '\u{3000}' { c } else { ' ' });
            continue;
        }
        if c.is_control() || is_invisible(c) {
            continue;
        }
        marks = if is_combining_mark(c) { marks + 1 } else { 0 };
        if marks <= MARKS {
            cleaned.push(c);
        }
    }
    cleaned.trim().to_owned()
}

/// Takes out whole escape sequences (ECMA-48 CSI and the string kinds OSC, DCS, SOS, PM, APC), so that their
/// parameters don't stay behind as litter.
fn strip_escapes(text: &str) -> String {
    let mut rest = text.chars().peekable();
    let mut kept = String::with_capacity(text.len());
    while let Some(c) = rest.next() {
        let introducer = match c {
            '\u{1b}' => rest.next(),
            '\u{9b}' => Some('['),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => Some(']'),
            _ => {
                kept.push(c);
                continue;
            }
        };
        match introducer {
            Some('[') => {
                while rest.next_if(|c| matches!(c, '\u{20}'..='\u{3f}')).is_some() {}
                rest.next_if(|c| matches!(c, '\u{40}'..='\u{7e}'));
            }
            Some(']' | 'P' | 'X' | '^' | '_') => {
                while let Some(c) = rest.next_if(|c| !matches!(c, '\n' | '\r')) {
                    let st = c == '\u{1b}' && rest.next_if_eq(&'\\').is_some();
                    if st || c == '\u{7}' || c == '\u{9c}' {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
    kept
}

/// Format characters that change how their neighbours read, or hide: bidi controls, zero-width, tags, private use
/// beyond the plane, variation selectors' kin. U+200D stays out too: joined emoji show as their parts.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_out_what_harms_a_terminal() {
        for (typed, kept) in [
            ("Ada\u{1b}[2J\u{1b}[31m Lovelace", "Ada Lovelace"),
            ("a\u{1b}]0;title\u{7}b", "ab"),
            ("a\u{1b}]52;c;ZXZpbA==\u{1b}\\b", "ab"),
            ("x\u{9b}1my", "xy"),
            ("abc\u{202e}def\u{2066}ghi", "abcdefghi"),
            ("zero\u{200b}width\u{feff}", "zerowidth"),
            ("two\nlines\ttab", "two lines tab"),
            ("  山田　太郎 ", "山田　太郎"),
            ("e\u{301}", "é"),
            ("lone esc\u{1b}", "lone esc"),
        ] {
            assert_eq!(Line::new(typed).unwrap().as_str(), kept, "{typed:?}");
        }
        let bomb = format!("a{}", "\u{301}".repeat(100));
        assert!(Line::new(&bomb).unwrap().chars().count() <= 1 + MARKS);
        assert_eq!(Prose::new("two\nlines\u{1b}[1m").unwrap().as_str(), "two\nlines");
    }

    #[test]
    fn refuses_what_is_too_long_in_words() {
        let error = Line::new(&"あ".repeat(10_000)).unwrap_err();
        assert_eq!(error.to_string(), "the text is 30000 bytes long; at most 400 fit");
        let bytes = crate::codec::encode(&"x".repeat(401));
        assert!(
            crate::codec::decode::<Line>("name", &bytes, 1_000)
                .unwrap_err()
                .to_string()
                .contains("401 bytes")
        );
    }

    proptest::proptest! {
        #[test]
        fn cleaning_is_idempotent_and_leaves_no_control(text in "\\PC{0,30}[\\x00-\\x1f\u{202e}\u{9b}]{0,5}\\PC{0,20}") {
            let once = Prose::new(&text).unwrap();
            proptest::prop_assert!(!once.chars().any(|c| c.is_control() && c != '\n'));
            proptest::prop_assert_eq!(Prose::new(&once).unwrap(), once);
        }
    }
}
