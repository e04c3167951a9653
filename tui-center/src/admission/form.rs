//! Forms: made from documents of TOML that operators edit, and whether one is filled in well.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tui_kit::profile::settings_fault;
use wire::{
    bounded::List,
    codec,
    id::Role,
    limits,
    message::{Field, FieldKind, Form, Particulars, field},
    text::Line,
};

use crate::lines::bank::account;

/// The longest key of a field.
const KEY: usize = 40;

/// What a form's document holds: `[[field]]` with `key`, `label`, `help`, `kind`, `required`, `max_chars`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    field: Vec<Row>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    key: String,
    label: String,
    #[serde(default)]
    help: String,
    kind: FieldKind,
    #[serde(default)]
    required: bool,
    max_chars: u16,
}

/// Reads the fields of a form.
///
/// # Errors
/// In words: what is wrong in the document, with the line where there is one, or which field the center itself needs.
pub fn read(role: Role, text: &str) -> Result<List<Field, { limits::FORM_FIELDS }>, String> {
    let document: Document = toml::from_str(text).map_err(|error| settings_fault(text, &error))?;
    let mut fields: Vec<Field> = Vec::new();
    for row in document.field {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if row.key.is_empty() || row.key.len() > KEY || !row.key.chars().all(plain) {
            return Err(format!(
                "the key “{}” has other characters than a to z, 0 to 9 and _, or more than {KEY}",
                row.key.chars().take(KEY).collect::<String>()
            ));
        }
        let key = row.key;
        let line = |what: &str, text: &str| {
            Line::new(text).map_err(|error| format!("the field “{key}”: its {what}: {error}"))
        };
        let label = line("label", row.label.trim())?;
        if label.is_empty() {
            return Err(format!("the field “{key}” needs a label"));
        }
        if row.max_chars == 0 || usize::from(row.max_chars) > limits::PROSE / 4 {
            return Err(format!("the field “{key}” takes from 1 to {} characters", limits::PROSE / 4));
        }
        if fields.iter().any(|field| field.key.as_str() == key) {
            return Err(format!("there are two fields with the key “{key}”"));
        }
        let (help, kind) = (line("help", row.help.trim())?, row.kind);
        let key = line("key", &key)?;
        fields.push(Field { key, label, help, kind, required: row.required, max_chars: row.max_chars });
    }
    for (key, kinds, required) in read_by_the_center(role) {
        let found = fields.iter().find(|field| field.key.as_str() == *key);
        match found {
            Some(field) if !kinds.contains(&field.kind) => {
                return Err(format!("the center reads the field “{key}”: its kind is {}", named(kinds)));
            }
            Some(field) if *required && !field.required => {
                return Err(format!("the center reads the field “{key}”: it must be required"));
            }
            None if *required => {
                return Err(format!("the center reads the field “{key}”: the form must have it"));
            }
            _ => {}
        }
    }
    List::new(fields).map_err(|_| format!("a form has at most {} fields", limits::FORM_FIELDS))
}

/// Reads the particulars that came beside an application and checks them against the form.
///
/// # Errors
/// In words, naming the field.
pub fn check(form: &Form, bytes: &[u8]) -> Result<Particulars, String> {
    let particulars: Particulars =
        codec::decode("form", bytes, limits::PARTICULARS).map_err(|error| error.to_string())?;
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
        if field.required && value.trim().is_empty() {
            return Err(format!("{} is missing", field.label));
        }
        field.check(value)?;
        if field.kind == FieldKind::Date && !value.is_empty() {
            plausible(value).map_err(|why| format!("{}: {why}", field.label))?;
        }
    }
    if form.role == Role::Store {
        let field = |key| particulars.field(key);
        account::parse(field(field::ACCOUNT_HOLDER), field(field::BANK_ACCOUNT), field(field::BIC))
            .map_err(|why| format!("Bank account: {why}"))?;
    }
    Ok(particulars)
}

/// What was filled in, with the labels of the form in force; what that form has no field for stands last, under its key.
pub fn labelled(form: Option<&Form>, particulars: &Particulars) -> Vec<(String, String)> {
    let fields: &[Field] = form.map_or(&[], |form| &form.fields);
    let known =
        fields.iter().map(|field| (field.label.to_string(), particulars.field(&field.key).to_owned()));
    let others = particulars.fields.iter().filter(|(key, _)| !fields.iter().any(|field| field.key == *key));
    known.chain(others.map(|(key, value)| (key.to_string(), value.to_string()))).collect()
}

/// Whom mail and letters speak to: the member's name, or the store's contact and trade name.
pub fn addressee(role: Role, particulars: &Particulars) -> String {
    let field = |key| particulars.field(key).trim();
    match role {
        Role::Member => field(field::NAME).to_owned(),
        Role::Store if field(field::CONTACT).is_empty() => field(field::TRADE_NAME).to_owned(),
        Role::Store => format!("{}, {}", field(field::CONTACT), field(field::TRADE_NAME)),
    }
}

type Needed = (&'static str, &'static [FieldKind], bool);

fn read_by_the_center(role: Role) -> &'static [Needed] {
    const LINE: &[FieldKind] = &[FieldKind::Line];
    const ADDRESS: &[FieldKind] = &[FieldKind::Prose, FieldKind::Line];
    match role {
        Role::Member => &[
            (field::NAME, LINE, true),
            (field::KANA, &[FieldKind::Kana], false),
            (field::ADDRESS, ADDRESS, true),
            (field::BORN, &[FieldKind::Date], true),
            (field::EMAIL, &[FieldKind::Email], true),
            (field::PHONE, &[FieldKind::Phone], false),
        ],
        Role::Store => &[
            (field::TRADE_NAME, LINE, true),
            (field::CONTACT, LINE, true),
            (field::ADDRESS, ADDRESS, true),
            (field::EMAIL, &[FieldKind::Email], true),
            (field::PHONE, &[FieldKind::Phone], false),
            (field::ACCOUNT_HOLDER, LINE, true),
            (field::BANK_ACCOUNT, &[FieldKind::BankAccount], true),
            (field::BIC, LINE, false),
        ],
    }
}

fn named(kinds: &[FieldKind]) -> String {
    let name = |kind| serde_json::to_string(kind).unwrap_or_default();
    kinds.iter().map(name).collect::<Vec<_>>().join(" or ")
}

/// A date of a living person's life, near enough.
fn plausible(value: &str) -> Result<(), String> {
    let date: Date =
        value.trim().parse().map_err(|_| "a date is written year-month-day, like 1990-04-01".to_owned())?;
    if date.year() >= 1850 { Ok(()) } else { Err("this year cannot be right".into()) }
}

#[cfg(test)]
mod tests {
    use wire::text::Prose;

    use super::*;
    use crate::admission::document;

    fn form(role: Role, text: &str, version: u32) -> Form {
        Form { role, version, fields: read(role, text).unwrap(), terms: Prose::default() }
    }

    fn filled(form: u32, fields: &[(&str, &str)]) -> Vec<u8> {
        let fields = fields
            .iter()
            .map(|(key, value)| (Line::new(key).unwrap(), Prose::new(value).unwrap()))
            .collect::<Vec<_>>();
        codec::encode(&Particulars { form, fields: List::first(fields) })
    }

    const MEMBER: &[(&str, &str)] = &[
        ("name", "山田 花子"),
        ("kana", "やまだ はなこ"),
        ("address", "1-2-3\nTokyo"),
        ("born", "1990-04-01"),
        ("email", "hanako@example.jp"),
        ("phone", "+81 3 1234 5678"),
    ];

    const STORE: &[(&str, &str)] = &[
        ("trade_name", "Sakura Press"),
        ("contact", "Ken"),
        ("address", "Tokyo"),
        ("email", "ken@sakura.example"),
        ("phone", "0312345678"),
        ("account_holder", "Sakura Press"),
        ("bank_account", "0001/123/1234567"),
    ];

    #[test]
    fn the_first_forms_can_be_filled_in() {
        let member = form(Role::Member, document::FORM_MEMBER, 1);
        let particulars = check(&member, &filled(1, MEMBER)).unwrap();
        assert_eq!(addressee(Role::Member, &particulars), "山田 花子");
        let store = form(Role::Store, document::FORM_STORE, 1);
        let particulars = check(&store, &filled(1, STORE)).unwrap();
        assert_eq!(addressee(Role::Store, &particulars), "Ken, Sakura Press");
    }

    #[test]
    fn what_is_wrong_is_said_with_the_fields_label() {
        let cases: [(Role, &str, &str, &str); 9] = [
            (Role::Member, "name", " ", "Name is missing"),
            (Role::Member, "kana", "山田", "kana"),
            (Role::Member, "born", "1790-04-01", "year"),
            (Role::Member, "born", "1990-02-30", "Date of birth"),
            (Role::Member, "email", "hanako", "E-mail"),
            (Role::Member, "phone", "call me", "Phone"),
            (Role::Member, "surname", "x", "no field"),
            (Role::Store, "bank_account", "0001/123/x", "Bank account"),
            (Role::Store, "bic", "x", "Bank account"),
        ];
        for (role, key, value, words) in cases {
            let (base, text) = match role {
                Role::Member => (MEMBER, document::FORM_MEMBER),
                Role::Store => (STORE, document::FORM_STORE),
            };
            let mut fields: Vec<_> = base.iter().filter(|(name, _)| *name != key).copied().collect();
            fields.push((key, value));
            let error = check(&form(role, text, 1), &filled(1, &fields)).unwrap_err();
            assert!(error.contains(words), "{key} = {value}: {error}");
        }
        let member = form(Role::Member, document::FORM_MEMBER, 2);
        assert!(check(&member, &filled(1, MEMBER)).unwrap_err().contains("fetch version 2"));
        let twice: Vec<_> = MEMBER.iter().chain(&[("name", "y")]).copied().collect();
        assert!(check(&member, &filled(2, &twice)).unwrap_err().contains("twice"));
        assert!(check(&member, &[1, 2, 3]).is_err());
    }

    #[test]
    fn a_form_has_what_the_center_reads_and_may_have_more() {
        let more = "[[field]]\nkey = \"club\"\nlabel = \"Club\"\nkind = \"number\"\nmax_chars = 5\n";
        let text = format!("{}\n{more}", document::FORM_MEMBER);
        assert_eq!(form(Role::Member, &text, 2).fields.last().unwrap().label.as_str(), "Club");
        for (from, to, words) in [
            ("key = \"email\"", "key = \"mail\"", "must have it"),
            ("kind = \"email\"", "kind = \"line\"", "its kind is \"email\""),
            ("required = true", "required = false", "must be required"),
            ("max_chars = 100", "max_chars = 0", "from 1 to"),
            ("label = \"Name\"", "label = \"\"", "needs a label"),
            ("key = \"kana\"", "key = \"name\"", "two fields"),
            ("key = \"kana\"", "key = \"Kana!\"", "other characters"),
            ("kind = \"kana\"", "kind = \"drawing\"", "drawing"),
            ("help = ", "hlep = ", "hlep"),
        ] {
            let error = read(Role::Member, &document::FORM_MEMBER.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(words), "{from} → {to}: {error}");
        }
    }
}
