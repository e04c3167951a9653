//! The forms that newcomers fill in, and whether one is filled in well.

use jiff::civil::Date;
use wire::{
    bounded::List,
    codec,
    id::Role,
    limits,
    message::{Field, FieldKind, Form, Particulars, field},
    text::{Line, Prose},
};

use crate::lines::bank::account;

/// The terms that signing a registration accepts.
const TERMS: &str = "The center keeps the books of cards and payments and holds the money that is on cards or owed to \
stores. A payment is final when the center has entered it; the store may give it back whole. The center pays a store \
what was delivered and claimed. Personal data is used for nothing but this and is kept sealed. Whoever holds the \
signature key and its password acts for the account: keep both to yourself and tell the center at once when one is lost.";

/// The form for a role.
pub fn form(role: Role) -> Form {
    let fields = match role {
        Role::Member => vec![
            one(field::NAME, "Name", "As on an official document.", FieldKind::Line, 100),
            one(field::ADDRESS, "Address", "Street, town, postal code.", FieldKind::Prose, 300),
            one(field::BORN, "Date of birth", "Year-month-day, like 1990-04-01.", FieldKind::Date, 10),
            one(field::EMAIL, "E-mail", "Where the center writes to.", FieldKind::Email, 200),
            one(field::PHONE, "Phone", "With the country code, like +81 3 1234 5678.", FieldKind::Phone, 30),
        ],
        Role::Store => vec![
            one(
                field::TRADE_NAME,
                "Trade name",
                "The name customers see; it is public.",
                FieldKind::Line,
                80,
            ),
            one(field::CONTACT, "Contact", "Whom the center talks to.", FieldKind::Line, 100),
            one(field::ADDRESS, "Address", "Street, town, postal code.", FieldKind::Prose, 300),
            one(field::EMAIL, "E-mail", "Where the center writes to.", FieldKind::Email, 200),
            one(field::PHONE, "Phone", "With the country code, like +81 3 1234 5678.", FieldKind::Phone, 30),
            one(field::ACCOUNT_HOLDER, "Account holder", "As the bank writes it.", FieldKind::Line, 100),
            one(
                field::BANK_ACCOUNT,
                "Bank account",
                "An IBAN, or bank/branch/number. Claims are paid to it.",
                FieldKind::BankAccount,
                40,
            ),
            Field {
                required: false,
                ..one(field::BIC, "BIC", "Only where the bank wants it.", FieldKind::Line, 11)
            },
        ],
    };
    let terms = Prose::new(TERMS).expect("the terms are shorter than a prose may be");
    Form { role, version: 1, fields: List::first(fields), terms }
}

/// Reads the particulars that came beside a registration and checks them against the form. That they are those which
/// the registration binds is checked with its signature.
///
/// # Errors
/// In words, naming the field.
pub fn check(role: Role, bytes: &[u8]) -> Result<Particulars, String> {
    let particulars: Particulars =
        codec::decode("form", bytes, limits::PARTICULARS).map_err(|error| error.to_string())?;
    let form = form(role);
    if particulars.form != form.version {
        return Err(format!("the form has changed; fetch version {} and fill it in again", form.version));
    }
    for (key, _) in &particulars.fields {
        if !form.fields.iter().any(|field| field.key == *key) {
            return Err(format!("the form has no field “{key}”"));
        }
        if particulars.fields.iter().filter(|(other, _)| other == key).count() > 1 {
            return Err(format!("the field “{key}” is filled in twice"));
        }
    }
    for field in &form.fields {
        let value = particulars.field(&field.key);
        check_field(field, value).map_err(|why| format!("{}: {why}", field.label))?;
    }
    if role == Role::Store {
        let field = |key| particulars.field(key);
        account::parse(field(field::ACCOUNT_HOLDER), field(field::BANK_ACCOUNT), field(field::BIC))
            .map_err(|why| format!("Bank account: {why}"))?;
    }
    Ok(particulars)
}

fn one(key: &str, label: &str, help: &str, kind: FieldKind, max_chars: u16) -> Field {
    let line = |text: &str| Line::new(text).expect("the form's own words are short");
    Field { key: line(key), label: line(label), help: line(help), kind, required: true, max_chars }
}

fn check_field(field: &Field, value: &str) -> Result<(), String> {
    if value.trim().is_empty() {
        return if field.required { Err("this is needed".into()) } else { Ok(()) };
    }
    let length = value.chars().count();
    if length > usize::from(field.max_chars) {
        return Err(format!("{length} characters are too many; at most {}", field.max_chars));
    }
    match field.kind {
        FieldKind::Line if value.contains('\n') => Err("this takes one line".into()),
        FieldKind::Line | FieldKind::Prose => Ok(()),
        FieldKind::Date => check_date(value),
        FieldKind::Email => check_email(value),
        FieldKind::Phone => check_phone(value),
        FieldKind::BankAccount => account::parse("holder", value, "").map(|_| ()),
        FieldKind::Kana => check_kana(value),
        FieldKind::Number => {
            value.trim().parse::<i64>().map(|_| ()).map_err(|_| "this takes a whole number".into())
        }
        FieldKind::Consent if matches!(value, "yes" | "no") => Ok(()),
        FieldKind::Consent => Err("this takes yes or no".into()),
    }
}

fn check_date(value: &str) -> Result<(), String> {
    let date: Date =
        value.parse().map_err(|_| "a date is written year-month-day, like 1990-04-01".to_owned())?;
    if value.len() == 10 && date.year() >= 1850 { Ok(()) } else { Err("this year cannot be right".into()) }
}

/// Hiragana, katakana (also of half width), the long vowel mark, blanks and the middle dot.
fn check_kana(value: &str) -> Result<(), String> {
    let kana = |c: char| matches!(c, 'ぁ'..='ゖ' | '゙'..='ゞ' | 'ァ'..='ヿ' | '･'..='ﾟ' | ' ' | '\u{3000}');
    if value.chars().all(kana) { Ok(()) } else { Err("this takes hiragana or katakana".into()) }
}

/// Whether mail could be sent there; whether anyone reads it only a mail can tell.
fn check_email(value: &str) -> Result<(), String> {
    let well_formed = value.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && !value.contains(char::is_whitespace)
            && domain.split('.').count() >= 2
            && domain
                .split('.')
                .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'))
    });
    if well_formed { Ok(()) } else { Err("an e-mail address is written name@example.org".into()) }
}

fn check_phone(value: &str) -> Result<(), String> {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let plain =
        value.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')' | '.' | '/'));
    if plain && (5..=16).contains(&digits) {
        Ok(())
    } else {
        Err("a telephone number has 5 to 16 digits".into())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Particulars that the form of a role accepts, with one field replaced.
    pub(crate) fn filled(role: Role, replaced: (&str, &str)) -> Particulars {
        let value = |key: &str| match key {
            field::BORN => "1990-04-01",
            field::EMAIL => "aiko@garden.example",
            field::PHONE => "+81 3 1234 5678",
            field::BANK_ACCOUNT => "0009/202/7654321",
            field::BIC => "",
            _ => "Sakura",
        };
        let fields = form(role).fields.into_vec().into_iter().map(|field| {
            let value = if field.key.as_str() == replaced.0 { replaced.1 } else { value(&field.key) };
            (field.key, Prose::new(value).unwrap())
        });
        Particulars { form: 1, fields: List::first(fields) }
    }

    fn outcome(role: Role, replaced: (&str, &str)) -> Result<Particulars, String> {
        check(role, &codec::encode(&filled(role, replaced)))
    }

    #[test]
    fn forms_are_checked_field_by_field() {
        for role in [Role::Member, Role::Store] {
            assert!(outcome(role, ("", "")).is_ok());
        }
        for (role, key, value, words) in [
            (Role::Member, field::NAME, "", "Name: this is needed"),
            (Role::Member, field::NAME, &"x".repeat(101), "at most 100"),
            (Role::Member, field::BORN, "1.4.1990", "year-month-day"),
            (Role::Member, field::BORN, "1990-02-30", "year-month-day"),
            (Role::Member, field::EMAIL, "nobody", "name@example.org"),
            (Role::Member, field::EMAIL, "a b@c.d", "name@example.org"),
            (Role::Member, field::PHONE, "call me", "5 to 16 digits"),
            (Role::Store, field::TRADE_NAME, "a\nb", "one line"),
            (Role::Store, field::BANK_ACCOUNT, "DE88370400440532013000", "IBAN"),
            (Role::Store, field::BIC, "x", "BIC"),
        ] {
            let error = outcome(role, (key, value)).unwrap_err();
            assert!(error.contains(words), "{key}: {error}");
        }
    }

    #[test]
    fn foreign_fields_and_nonsense_are_refused() {
        let mut foreign = filled(Role::Member, ("", ""));
        foreign.fields = List::first([(Line::new("x").unwrap(), Prose::default())]);
        assert!(check(Role::Member, &codec::encode(&foreign)).unwrap_err().contains("no field"));
        let mut twice = filled(Role::Member, ("", ""));
        twice.fields = List::first([twice.fields[0].clone(), twice.fields[0].clone()]);
        assert!(check(Role::Member, &codec::encode(&twice)).unwrap_err().contains("twice"));
        let older = Particulars { form: 0, ..filled(Role::Member, ("", "")) };
        assert!(check(Role::Member, &codec::encode(&older)).unwrap_err().contains("has changed"));
        assert!(check(Role::Member, b"nonsense").is_err());
    }
}
