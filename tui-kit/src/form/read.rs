//! What is typed into a field, read as people type it. Errors end a sentence that begins with the field's label.

use unicode_normalization::UnicodeNormalization;

use crate::text;

/// The digits of a telephone number: E.164 has at most fifteen; fewer than six are no subscriber's.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 6..=15;

/// An address that could be one (RFC 5321's shape, not its corners): whether it is, only a mail can tell.
pub(super) fn read_email(entered: &str) -> Result<String, String> {
    let wrong = || "is no e-mail address; one looks like name@host.example".to_owned();
    let (local, host) = entered.rsplit_once('@').ok_or_else(wrong)?;
    let host_fits = host.contains('.')
        && host.split('.').all(|label| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        });
    let local_fits = !local.is_empty()
        && local.len() <= 64
        && !local.chars().any(|c| c.is_whitespace() || matches!(c, '@' | '<' | '>' | '"' | ',' | ';' | ':'));
    if host_fits && local_fits { Ok(entered.to_owned()) } else { Err(wrong()) }
}

/// A typed amount in minor units.
pub(super) fn read_amount(entered: &str, decimals: u8) -> Result<u64, String> {
    let plain = text::plain_number(entered);
    if plain.starts_with('-') {
        return Err("can't be negative".to_owned());
    }
    let (whole, part) = plain.split_once('.').unwrap_or((&plain, ""));
    let digits = |words: &str| words.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(part) || (plain.contains('.') && part.is_empty()) {
        return Err("is no amount".to_owned());
    }
    if part.len() > usize::from(decimals) {
        return Err(match decimals {
            0 => "has no digits behind the point in this currency".to_owned(),
            places => format!("has at most {places} digits behind the point"),
        });
    }
    let padded = format!("{whole}{part:0<width$}", width = usize::from(decimals));
    padded.parse().map_err(|_| "is too much".to_owned())
}

/// A telephone number: digits, spaces, hyphens, brackets and a plus at its head, also in full width.
pub(super) fn read_phone(entered: &str) -> Result<String, String> {
    let wrong = || "is no telephone number; one looks like +81 3 1234 5678 or 03-1234-5678".to_owned();
    let hyphen = |c: char| matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}');
    let plain: String = entered.nfkc().map(|c| if hyphen(c) { '-' } else { c }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let rest = plain.strip_prefix('+').unwrap_or(&plain);
    let fits = rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')' | '.' | '/'));
    let digits = rest.chars().filter(char::is_ascii_digit).count();
    if fits && PHONE_DIGITS.contains(&digits) { Ok(plain) } else { Err(wrong()) }
}

/// A name in kana: hiragana, katakana (half-width made full) and spaces.
pub(super) fn read_kana(entered: &str) -> Result<String, String> {
    let plain: String = entered.nfkc().collect();
    let kana = |c: char| matches!(c, '\u{3041}'..='\u{3096}' | '\u{309d}' | '\u{309e}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30fe}');
    match plain.chars().find(|c| !kana(*c) && *c != ' ') {
        None => Ok(plain.split_whitespace().collect::<Vec<_>>().join(" ")),
        Some(other) => Err(format!("is written in hiragana or katakana only; “{other}” is neither")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_type_them() {
        for (typed, decimals, minor) in [
            ("12,000", 0, Ok(12_000)),
            ("¥ 12 000", 0, Ok(12_000)),
            ("１２０００円", 0, Ok(12_000)),
            ("12.5", 2, Ok(1_250)),
            ("0.05", 2, Ok(5)),
            ("7", 2, Ok(700)),
            ("12.5", 0, Err("has no digits behind the point in this currency")),
            ("12.505", 2, Err("has at most 2 digits behind the point")),
            ("-5", 0, Err("can't be negative")),
            ("12x", 0, Err("is no amount")),
            ("1.", 2, Err("is no amount")),
            (".5", 2, Err("is no amount")),
            ("99999999999999999999", 0, Err("is too much")),
        ] {
            assert_eq!(read_amount(typed, decimals), minor.map_err(str::to_owned), "{typed}");
        }
    }

    #[test]
    fn addresses_have_the_shape_of_one() {
        for good in ["a@b.example", "first.last+tag@sub.host.example", "日本@例え.テスト"] {
            assert!(read_email(good).is_ok(), "{good}");
        }
        for wrong in
            ["a", "a@b", "@b.example", "a b@c.example", "a@-b.example", "a@b..example", "<a@b.example>"]
        {
            assert!(read_email(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn telephone_numbers_are_read_as_people_write_them() {
        for (typed, read) in [
            ("03-1234-5678", "03-1234-5678"),
            ("＋８１　３　１２３４　５６７８", "+81 3 1234 5678"),
            ("０３ー１２３４ー５６７８", "03-1234-5678"),
            ("(030) 1234/56", "(030) 1234/56"),
        ] {
            assert_eq!(read_phone(typed), Ok(read.to_owned()), "{typed}");
        }
        for wrong in ["12345", "1234567890123456", "03-1234-567x", "+", "03+1234567"] {
            assert!(read_phone(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn kana_are_kana() {
        assert_eq!(read_kana("さとう　はなこ"), Ok("さとう はなこ".to_owned()));
        assert_eq!(read_kana("ｻﾄｳ ﾊﾅｺ"), Ok("サトウ ハナコ".to_owned()));
        assert_eq!(
            read_kana("ヴォー・"),
            Err("is written in hiragana or katakana only; “・” is neither".to_owned())
        );
        assert!(read_kana("佐藤").is_err() && read_kana("Sato").is_err());
    }
}
