//! Codes that people copy from a letter: Crockford's base 32 in groups of four.
//!
//! The alphabet leaves out I, L, O and U (<https://www.crockford.com/base32.html>); O is read as 0, I and L as 1, lower
//! case as upper case, and spaces and hyphens don't count. Five bits to a character: 80 bits are 16 characters.

use unicode_normalization::UnicodeNormalization;

/// The characters of a group.
pub const GROUP: usize = 4;

/// A character that no code has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is never part of a code")]
pub struct NotInCodes(pub char);

/// A typed code as it is meant: upper case, without spaces and hyphens, whatever was typed for 0 and 1.
///
/// # Errors
/// The first character that no code has.
pub fn normal(typed: &str) -> Result<String, NotInCodes> {
    typed.nfkc().filter(|c| !is_separator(*c)).map(|c| symbol(c).ok_or(NotInCodes(c))).collect()
}

/// The character of the alphabet that is meant by a typed one.
pub fn symbol(typed: char) -> Option<char> {
    match typed.to_ascii_uppercase() {
        'O' => Some('0'),
        'I' | 'L' => Some('1'),
        'U' => None,
        c if c.is_ascii_alphanumeric() => Some(c),
        _ => None,
    }
}

/// In groups of four: `7K3M-Q2ZX`.
pub fn grouped(code: &str) -> String {
    let chars: Vec<char> = code.chars().collect();
    chars.chunks(GROUP).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Whether a character stands between groups only.
pub fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_people_copy_them() {
        for (typed, meant) in [
            ("7K3M-Q2ZX", Ok("7K3MQ2ZX")),
            ("7k3m q2zx", Ok("7K3MQ2ZX")),
            ("oO iI lL", Ok("001111")),
            ("７Ｋ３Ｍ－Ｑ２ＺＸ", Ok("7K3MQ2ZX")),
            ("7K3U", Err(NotInCodes('U'))),
            ("7K3!", Err(NotInCodes('!'))),
        ] {
            assert_eq!(normal(typed), meant.map(str::to_owned), "{typed}");
        }
    }

    #[test]
    fn codes_are_shown_in_groups() {
        assert_eq!(grouped("7K3MQ2ZXAB"), "7K3M-Q2ZX-AB");
        assert_eq!(grouped(""), "");
    }
}
