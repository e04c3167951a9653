//! Filling in a center's form: what may stand in a field. A terminal checks before it sends; the center checks again.

use super::{Field, FieldKind, Form, Particulars};
use crate::{
    bounded::List,
    text::{Line, Prose},
};

impl Field {
    /// Whether a value may stand in the field: the value as it is kept, cleaned.
    ///
    /// # Errors
    /// What is wrong with it, a sentence that names the field.
    pub fn check(&self, value: &str) -> Result<Prose, String> {
        let label = &self.label;
        let too_long = |error: crate::text::TooLong| format!("{label}: {error}");
        let cleaned = match self.kind {
            FieldKind::Prose => Prose::new(value).map_err(too_long)?,
            _ => Prose::new(&Line::new(value).map_err(too_long)?).map_err(too_long)?,
        };
        let text = cleaned.as_str();
        if text.is_empty() {
            return if self.required { Err(format!("{label} is missing")) } else { Ok(cleaned) };
        }
        if text.chars().count() > usize::from(self.max_chars) {
            return Err(format!("{label} takes at most {} characters", self.max_chars));
        }
        let (fits, takes) = match self.kind {
            FieldKind::Line | FieldKind::Prose => (true, ""),
            FieldKind::Date => (is_date(text), "is a date like 1990-12-31"),
            FieldKind::Email => (looks_like_email(text), "is an e-mail address like ada@example.org"),
            FieldKind::Phone => (looks_like_phone(text), "is a telephone number like +81 3 1234 5678"),
            FieldKind::BankAccount => {
                (looks_like_account(text), "is an IBAN, or bank/branch/number in digits")
            }
            FieldKind::Kana => (text.chars().all(is_kana), "takes hiragana or katakana"),
            FieldKind::Number => (text.parse::<i64>().is_ok(), "takes a whole number"),
            FieldKind::Consent => (matches!(text, "yes" | "no"), "takes yes or no"),
        };
        if fits { Ok(cleaned) } else { Err(format!("{label} {takes}")) }
    }
}

impl Form {
    /// Fills in the form from keys and values; of two values for one key the last counts.
    ///
    /// # Errors
    /// Every field that is wrong, and every value that no field takes, each with its key.
    pub fn fill(&self, values: &[(String, String)]) -> Result<Particulars, Vec<(String, String)>> {
        let mut wrong = Vec::new();
        let mut filled = Vec::new();
        for field in &self.fields {
            let given = values.iter().rev().find(|(key, _)| key == field.key.as_str());
            match field.check(given.map_or("", |(_, value)| value)) {
                Ok(value) => filled.push((field.key.clone(), value)),
                Err(why) => wrong.push((field.key.to_string(), why)),
            }
        }
        for (key, _) in values {
            if !self.fields.iter().any(|field| field.key.as_str() == key) {
                let known: Vec<&str> = self.fields.iter().map(|field| field.key.as_str()).collect();
                let shown: String = key.chars().take(40).collect();
                let why = format!("the form has no field “{shown}”; it has {}", known.join(", "));
                wrong.push((shown, why));
            }
        }
        if wrong.is_empty() {
            Ok(Particulars { form: self.version, fields: List::first(filled) })
        } else {
            Err(wrong)
        }
    }
}

/// A day of the Gregorian calendar, `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let [year, month, day] = text.split('-').collect::<Vec<_>>()[..] else { return false };
    let digits = |part: &str, count: usize| {
        (part.len() == count && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u16>().ok())?
    };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2)) else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u16::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// One `@` with something before it and a dotted name behind it: what else is an address only its post office knows.
fn looks_like_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let dotted = domain.split('.').count() >= 2 && domain.split('.').all(|part| !part.is_empty());
    !local.is_empty() && dotted && !text.contains(char::is_whitespace)
}

fn looks_like_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let plain = text.chars().all(|c| c.is_ascii_digit() || " +-()./".contains(c));
    plain && (5..=20).contains(&digits)
}

fn looks_like_account(text: &str) -> bool {
    let parts: Vec<&str> = text.split('/').collect();
    if parts.len() == 3 {
        return parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    }
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    (15..=34).contains(&compact.len())
        && compact.bytes().all(|b| b.is_ascii_alphanumeric())
        && compact.as_bytes()[..2].iter().all(u8::is_ascii_alphabetic)
}

/// Hiragana, katakana (also of half width), the long vowel mark, blanks and the middle dot.
fn is_kana(c: char) -> bool {
    matches!(c, 'ぁ'..='ゖ' | '゙'..='ゞ' | 'ァ'..='ヿ' | '･'..='ﾟ' | ' ' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Role;

    fn field(kind: FieldKind, required: bool) -> Field {
        Field {
            key: Line::new("f").unwrap(),
            label: Line::new("Field").unwrap(),
            help: Line::default(),
            kind,
            required,
            max_chars: 30,
        }
    }

    #[test]
    fn each_kind_of_field_says_what_it_takes() {
        for (kind, value, good) in [
            (FieldKind::Line, "Ada Lovelace", true),
            (FieldKind::Line, &"x".repeat(31), false),
            (FieldKind::Date, "1815-12-10", true),
            (FieldKind::Date, "2024-02-29", true),
            (FieldKind::Date, "1900-02-29", false),
            (FieldKind::Date, "1815-13-10", false),
            (FieldKind::Date, "10.12.1815", false),
            (FieldKind::Email, "ada@example.org", true),
            (FieldKind::Email, "ada@org", false),
            (FieldKind::Email, "a b@example.org", false),
            (FieldKind::Phone, "+81 (3) 1234-5678", true),
            (FieldKind::Phone, "call me", false),
            (FieldKind::BankAccount, "0001/123/1234567", true),
            (FieldKind::BankAccount, "DE89 3704 0044 0532 0130 00", true),
            (FieldKind::BankAccount, "piggy bank", false),
            (FieldKind::Kana, "つるまき　ハナコー", true),
            (FieldKind::Kana, "鶴巻", false),
            (FieldKind::Number, "-12", true),
            (FieldKind::Number, "twelve", false),
            (FieldKind::Consent, "yes", true),
            (FieldKind::Consent, "maybe", false),
        ] {
            assert_eq!(field(kind, true).check(value).is_ok(), good, "{kind:?} {value}");
        }
        assert_eq!(field(FieldKind::Date, true).check(""), Err("Field is missing".into()));
        assert!(field(FieldKind::Date, false).check("").is_ok());
        assert_eq!(field(FieldKind::Line, true).check("A\u{1b}[2Jda").unwrap().as_str(), "Ada");
        assert!(field(FieldKind::Line, true).check(&"x".repeat(10_000)).is_err());
    }

    #[test]
    fn a_form_names_every_wrong_field_at_once() {
        let fields = List::first([field(FieldKind::Date, true)]);
        let form = Form { role: Role::Store, version: 3, fields, terms: Prose::default() };
        let wrong = form.fill(&[("g".into(), "x".into())]).unwrap_err();
        assert_eq!(wrong.len(), 2);
        assert!(wrong[1].1.contains("it has f"));
        assert_eq!(form.fill(&[("f".into(), "2000-01-01".into())]).unwrap().field("f"), "2000-01-01");
    }
}
