//! The center's form: what may stand in a field.

use tui_kit::time::Date;
use wire::{
    bounded::List,
    message::{Field, FieldKind, Form, Particulars},
    text::{Line, Prose},
};

/// Whether a value may stand in a field; the cleaned value, or what is wrong with it in words.
pub fn check(field: &Field, value: &str) -> Result<Prose, String> {
    let label = &field.label;
    let cleaned = match field.kind {
        FieldKind::Prose => Prose::new(value).map_err(|error| format!("{label}: {error}"))?,
        _ => {
            let line = Line::new(value).map_err(|error| format!("{label}: {error}"))?;
            Prose::new(&line).map_err(|error| format!("{label}: {error}"))?
        }
    };
    let text = cleaned.as_str();
    if text.is_empty() {
        return if field.required { Err(format!("{label} is missing")) } else { Ok(cleaned) };
    }
    if text.chars().count() > usize::from(field.max_chars) {
        return Err(format!("{label} takes at most {} characters", field.max_chars));
    }
    let fits = match field.kind {
        FieldKind::Line | FieldKind::Prose => None,
        FieldKind::Date => text.parse::<Date>().err().map(|_| "is a date like 1990-12-31"),
        FieldKind::Email => (!looks_like_email(text)).then_some("is an e-mail address like ada@example.org"),
        FieldKind::Phone => (!looks_like_phone(text)).then_some("is a telephone number like +81 3 1234 5678"),
        FieldKind::BankAccount => {
            (!looks_like_account(text)).then_some("is an IBAN, or bank/branch/number in digits")
        }
    };
    fits.map_or(Ok(cleaned), |why| Err(format!("{label} {why}")))
}

/// Fills in a form.
///
/// # Errors
/// Every field that is wrong, and every value that no field takes, each with its key.
pub fn fill(form: &Form, values: &[(String, String)]) -> Result<Particulars, Vec<(String, String)>> {
    let mut wrong = Vec::new();
    let mut filled = Vec::new();
    for field in &form.fields {
        let given = values.iter().rev().find(|(key, _)| key == field.key.as_str());
        match check(field, given.map_or("", |(_, value)| value)) {
            Ok(value) => filled.push((field.key.clone(), value)),
            Err(why) => wrong.push((field.key.to_string(), why)),
        }
    }
    for (key, _) in values {
        if !form.fields.iter().any(|field| field.key.as_str() == key) {
            let known: Vec<&str> = form.fields.iter().map(|field| field.key.as_str()).collect();
            let shown: String = key.chars().take(40).collect();
            wrong.push((
                shown.clone(),
                format!("the form has no field “{shown}”; it has {}", known.join(", ")),
            ));
        }
    }
    if wrong.is_empty() {
        Ok(Particulars { form: form.version, fields: List::first(filled) })
    } else {
        Err(wrong)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            assert_eq!(check(&field(kind, true), value).is_ok(), good, "{kind:?} {value}");
        }
        assert_eq!(check(&field(FieldKind::Date, true), ""), Err("Field is missing".into()));
        assert!(check(&field(FieldKind::Date, false), "").is_ok());
        assert_eq!(check(&field(FieldKind::Line, true), "A\u{1b}[2Jda").unwrap().as_str(), "Ada");
        assert!(check(&field(FieldKind::Line, true), &"x".repeat(10_000)).is_err());
    }

    #[test]
    fn a_form_names_every_wrong_field_at_once() {
        let fields = List::first([field(FieldKind::Date, true)]);
        let form = Form { role: wire::id::Role::Member, version: 3, fields, terms: Prose::default() };
        let wrong = fill(&form, &[("g".into(), "x".into())]).unwrap_err();
        assert_eq!(wrong.len(), 2);
        assert!(wrong[1].1.contains("it has f"));
        assert_eq!(fill(&form, &[("f".into(), "2000-01-01".into())]).unwrap().field("f"), "2000-01-01");
    }
}
