//! Forms: fields that are parsed when they are left, with the error beside the field.
//!
//! A form gets keys before anything else on its screen, so `q` types a `q`. Enter goes on to the next field (in a text
//! of several lines it begins a line, and Tab goes on) and, on the button, submits; Ctrl-S submits from anywhere. On submitting, the first wrong field gets the focus. A draft of
//! what was entered, never of passwords and codes, can be taken out and put back.

mod described;
mod field;
mod read;
mod view;

pub use described::{Asked, Described};
pub use field::{Field, Kind, Strength, Value};

use std::cell::Cell;
use std::collections::BTreeMap;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::keys::OwnKeys;
use crate::time::Date;

/// What was entered into a form, by field, without passwords and codes: to be kept across a disconnect or a crash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The text of each field that is not empty.
    pub fields: BTreeMap<String, String>,
}

/// What a key has done to a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    /// Used up.
    Taken,
    /// Not for the form.
    Free,
    /// Esc: one step back.
    Back,
    /// Every field is right: take the values.
    Submit,
}

/// Fields and a button.
#[derive(Debug)]
pub struct Form {
    fields: Vec<Field>,
    /// A field's place, or one behind the last for the button.
    focus: usize,
    button: String,
    /// The first line in sight at the last drawing; nothing but scrolling reads it.
    top: Cell<u16>,
}

impl Form {
    /// The keys that it takes by itself.
    pub const KEYS: &'static [OwnKeys] = &[
        OwnKeys {
            keys: "Tab Shift-Tab",
            label: "Next field",
            help: "The next field, or the one before; Up and Down too.",
        },
        OwnKeys { keys: "PgUp PgDn", label: "Ends", help: "The first field, or the button." },
        OwnKeys { keys: "Ctrl-S", label: "Submit", help: "Submits from any field." },
    ];

    /// A form of these fields; the first has the focus. `button` is the verb: `Join`.
    pub fn new(button: impl Into<String>, fields: impl IntoIterator<Item = Field>) -> Self {
        Self { fields: fields.into_iter().collect(), focus: 0, button: button.into(), top: Cell::new(0) }
    }

    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent) -> Pressed {
        let plain = !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
        // In a text of several lines these belong to it; Up and Down until they reach its ends.
        if plain
            && matches!(key.code, KeyCode::Enter | KeyCode::Up | KeyCode::Down)
            && let Some(field) = self.fields.get_mut(self.focus).filter(|field| field.kind == Kind::Prose)
            && field.press(key)
        {
            return Pressed::Taken;
        }
        match key.code {
            KeyCode::Esc => return Pressed::Back,
            KeyCode::Char('s') if key.modifiers == KeyModifiers::CONTROL => return self.submit(),
            KeyCode::Enter if self.focus == self.fields.len() => return self.submit(),
            KeyCode::Enter | KeyCode::Tab | KeyCode::Down if plain => self.move_by(1),
            KeyCode::BackTab | KeyCode::Up if plain => self.move_by(-1),
            KeyCode::PageUp => self.move_to(0),
            KeyCode::PageDown => self.move_to(self.fields.len()),
            _ => {
                let taken = self.fields.get_mut(self.focus).is_some_and(|field| field.press(key));
                return if taken { Pressed::Taken } else { Pressed::Free };
            }
        }
        Pressed::Taken
    }

    /// Pastes into the field that has the focus.
    pub fn paste(&mut self, pasted: &str) {
        if let Some(field) = self.fields.get_mut(self.focus) {
            field.paste(pasted);
        }
    }

    /// Checks every field; the first wrong one gets the focus.
    pub fn submit(&mut self) -> Pressed {
        for at in 0..self.fields.len() {
            self.check(at);
        }
        match self.fields.iter().position(|field| field.error.is_some()) {
            Some(wrong) => {
                self.focus = wrong;
                Pressed::Taken
            }
            None => Pressed::Submit,
        }
    }

    /// Sets an error that only the outside world knows, and moves the focus there.
    pub fn refuse(&mut self, name: &str, why: impl Into<String>) {
        if let Some(at) = self.place(name) {
            self.fields[at].error = Some(why.into());
            self.focus = at;
        }
    }

    /// Moves the focus to a field.
    pub fn focus(&mut self, name: &str) {
        if let Some(at) = self.place(name) {
            self.focus = at;
        }
    }

    /// The name of the field that has the focus; none on the button.
    pub fn focused(&self) -> Option<&str> {
        self.fields.get(self.focus).map(|field| field.name.as_ref())
    }

    /// Puts a text into a field, as if it were typed.
    pub fn set(&mut self, name: &str, text: &str) {
        if let Some(at) = self.place(name) {
            self.fields[at].set(text);
        }
    }

    /// A field's value; none where it is empty or wrong, or there is no such field.
    pub fn value(&self, name: &str) -> Option<Value> {
        self.place(name).and_then(|at| self.fields[at].parse().ok().flatten())
    }

    /// The text of any field of words (also a telephone number, kana, a code) or of a choice; empty without one.
    pub fn text(&self, name: &str) -> String {
        match self.value(name) {
            Some(Value::Text(text) | Value::Choice(text)) => text,
            _ => String::new(),
        }
    }

    /// The minor units of an amount field.
    pub fn amount(&self, name: &str) -> Option<u64> {
        match self.value(name) {
            Some(Value::Amount(minor)) => Some(minor),
            _ => None,
        }
    }

    /// The number of a number field.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.value(name) {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        }
    }

    /// The day of a date field.
    pub fn date(&self, name: &str) -> Option<Date> {
        match self.value(name) {
            Some(Value::Date(date)) => Some(date),
            _ => None,
        }
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &str) -> bool {
        matches!(self.value(name), Some(Value::Switch(true)))
    }

    /// The secret of a password field, in NFC.
    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.place(name).and_then(|at| self.fields[at].secret())
    }

    /// Shows how strong the password in a field is, until it changes; to be said after each key that reaches the form.
    pub fn set_strength(&mut self, name: &str, strength: Option<Strength>) {
        if let Some(at) = self.place(name) {
            self.fields[at].strength = strength;
        }
    }

    /// Wipes every password and code.
    pub fn wipe(&mut self) {
        for field in self.fields.iter_mut().filter(|field| field.is_secret()) {
            field.clear();
        }
    }

    /// Whether anything was entered that a person would miss.
    pub fn is_touched(&self) -> bool {
        self.fields.iter().any(|field| field.touched)
    }

    /// What was entered, without passwords and codes.
    pub fn draft(&self) -> Draft {
        let kept = self.fields.iter().filter(|field| !field.is_secret());
        let texts = kept
            .map(|field| (field.name.clone().into_owned(), field.draft()))
            .filter(|(_, text)| !text.is_empty());
        Draft { fields: texts.collect() }
    }

    /// Puts a draft back; fields that it doesn't name stay as they are.
    pub fn restore(&mut self, draft: &Draft) {
        for (name, text) in &draft.fields {
            if let Some(at) = self.place(name).filter(|at| !self.fields[*at].is_secret()) {
                self.fields[at].set(text);
            }
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    fn move_by(&mut self, step: isize) {
        let stops = self.fields.len() + 1;
        self.move_to((self.focus + stops).saturating_add_signed(step) % stops);
    }

    fn move_to(&mut self, target: usize) {
        if self.focus < self.fields.len() {
            self.check(self.focus);
        }
        self.focus = target;
    }

    /// Checks a field by itself, then against the field that it has to repeat.
    fn check(&mut self, at: usize) {
        let mut error = self.fields[at].parse().err();
        if error.is_none()
            && let Some(original) = self.fields[at].repeats
        {
            let exposed =
                |secret: Option<SecretString>| secret.map(|secret| secret.expose_secret().to_owned());
            let first = exposed(self.secret(original)).map(zeroize::Zeroizing::new);
            let second = exposed(self.fields[at].secret()).map(zeroize::Zeroizing::new);
            if first.as_deref() != second.as_deref() {
                error = Some("the two entries differ".to_owned());
            }
        }
        self.fields[at].error = error;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn form() -> Form {
        Form::new(
            "Join",
            [
                Field::text("name", "Name").required().hint("as on your bank account"),
                Field::email("email", "E-mail"),
                Field::date("born", "Date of birth"),
                Field::amount("limit", "Daily limit", "JPY", 0).range(1, 1_000_000),
                Field::choice("kind", "Kind of account", [("ordinary", "Ordinary"), ("current", "Current")]),
                Field::switch("news", "Send news"),
                Field::password("a", "Password A").required(),
                Field::password("a2", "Again").repeats("a"),
            ],
        )
    }

    fn type_into(form: &mut Form, script: &str) -> Pressed {
        let mut last = Pressed::Free;
        for key in testing::keys(script) {
            last = form.press(key);
        }
        last
    }

    #[test]
    fn a_form_is_filled_in_by_keys_alone() {
        let mut form = form();
        let last = type_into(
            &mut form,
            "佐藤 q?<enter>a@b.example<tab>1990/2/3<tab>１０,000<tab><right><tab><space><tab>pw<tab>pw<enter><enter>",
        );
        assert_eq!(last, Pressed::Submit);
        assert_eq!(form.text("name"), "佐藤 q?");
        assert_eq!(form.text("email"), "a@b.example");
        assert_eq!(form.date("born").map(|date| date.to_string()).as_deref(), Some("1990-02-03"));
        assert_eq!(form.amount("limit"), Some(10_000));
        assert_eq!(form.text("kind"), "current");
        assert!(form.is_on("news"));
        assert_eq!(form.secret("a").map(|secret| secret.expose_secret().to_owned()).as_deref(), Some("pw"));
    }

    #[test]
    fn fields_are_checked_when_left_and_the_first_wrong_one_gets_the_focus() {
        let mut form = form();
        type_into(&mut form, "<tab>nonsense<tab>");
        insta::assert_snapshot!(testing::draw(60, 12, |ui| form.view(ui, ui.area())), @r"
        Name             ________________________________________
                         ✗ is needed
        E-mail           nonsense________________________________
                         ✗ is no e-mail address; one looks like
                         name@host.example
        Date of birth    ____________
                         year-month-day
        Daily limit      ________________ JPY
        Kind of account  ‹ Ordinary ›  1/2
        Send news        ‹ no ›
        Password A       ________________________________________
        Again            ________________________________________
        ");
        type_into(&mut form, "x");
        assert_eq!(type_into(&mut form, "<ctrl-s>"), Pressed::Taken);
        assert_eq!(form.focused(), Some("name"));
        form.set("name", "N");
        form.set("email", "");
        form.set("born", "");
        form.set("a", "one");
        form.set("a2", "two");
        assert_eq!(form.submit(), Pressed::Taken);
        assert_eq!(form.focused(), Some("a2"));
        assert!(testing::draw(60, 24, |ui| form.view(ui, ui.area())).contains("the two entries differ"));
    }

    #[test]
    fn drafts_survive_and_never_hold_passwords() {
        let mut first = form();
        type_into(&mut first, "Aiko<tab>a@b.example<tab><tab>5,000<tab><right><tab><tab>secret<tab>secret");
        let json = serde_json::to_string(&first.draft()).expect("JSON");
        assert!(json.contains("Aiko") && !json.contains("secret"), "{json}");
        let mut second = form();
        second.restore(&serde_json::from_str(&json).expect("a draft"));
        assert_eq!(
            (second.text("name"), second.amount("limit"), second.text("kind")),
            ("Aiko".into(), Some(5_000), "current".into())
        );
        assert!(second.secret("a").is_none());
        first.wipe();
        assert!(first.secret("a").is_none());
    }

    #[test]
    fn the_cursor_stands_in_the_field() {
        let mut form = form();
        type_into(&mut form, "日本");
        let (_, cursor) = testing::draw_with(
            80,
            24,
            &crate::session::Abilities::default(),
            crate::app::Now::default(),
            |ui| form.view(ui, ui.area()),
        );
        assert_eq!(cursor.map(|at| (at.x, at.y)), Some((21, 0)));
        type_into(&mut form, "<pgdn>");
        let narrow = testing::draw(40, 12, |ui| form.view(ui, ui.area()));
        assert!(narrow.contains("[ Join ]"), "the button is scrolled into sight:\n{narrow}");
        assert_eq!(form.press(KeyEvent::from(KeyCode::Char('x'))), Pressed::Free);
        assert_eq!(form.press(KeyEvent::from(KeyCode::Esc)), Pressed::Back);
    }

    #[test]
    fn errors_from_outside_stand_beside_the_field() {
        let mut form = form();
        form.refuse("email", "is registered already");
        assert_eq!(form.focused(), Some("email"));
        assert!(testing::draw(60, 12, |ui| form.view(ui, ui.area())).contains("✗ is registered already"));
        type_into(&mut form, "x");
        assert!(!testing::draw(60, 12, |ui| form.view(ui, ui.area())).contains("registered"));
    }

    #[test]
    fn forms_survive_any_size() {
        for (width, height) in testing::SIZES {
            let mut form = form();
            for _ in 0..9 {
                type_into(&mut form, "<tab>");
                testing::draw(width, height, |ui| form.view(ui, ui.area()));
            }
        }
    }
}
