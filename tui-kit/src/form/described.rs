//! Forms that are made at run time, out of descriptions that somebody else sends.

use std::fmt;

use super::field::{Check, Field};
use super::{Form, Value};

/// The description of one field.
#[derive(Debug)]
pub struct Described {
    /// Its name, by which its value is asked for.
    pub key: String,
    /// What stands beside it.
    pub label: String,
    /// What stands below it while it is edited; empty for nothing.
    pub help: String,
    /// What is asked.
    pub asked: Asked,
    /// Whether it must not be left empty.
    pub required: bool,
    /// The most characters; none for what the kind takes by itself.
    pub chars_max: Option<usize>,
}

/// What a described field asks for.
pub enum Asked {
    /// Words on one line.
    Line,
    /// Words on several lines.
    Prose,
    /// A day.
    Date,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A name in hiragana or katakana.
    Kana,
    /// A whole number, from and to.
    Number(Option<(i64, i64)>),
    /// One of several: their names and what is shown. One that need not be answered begins with no choice.
    Choice(Vec<(String, String)>),
    /// Words on one line that the program checks, such as a bank account: a sentence's end when they are wrong.
    Checked(Check),
}

impl Form {
    /// A form of described fields; `button` is the verb: `Apply`.
    pub fn described(button: impl Into<String>, fields: impl IntoIterator<Item = Described>) -> Self {
        Self::new(button, fields.into_iter().map(Field::from))
    }

    /// What was entered into a field as plain text, in the one way that each kind has: words as they are, numbers
    /// without separators, days as `1990-02-03`, a choice by its name. Empty where nothing, or nothing right, is.
    pub fn plain(&self, key: &str) -> String {
        match self.value(key) {
            Some(Value::Text(text) | Value::Choice(text)) => text,
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Amount(minor)) => minor.to_string(),
            Some(Value::Date(date)) => date.to_string(),
            Some(Value::Switch(on)) => if on { "on" } else { "" }.to_owned(),
            Some(Value::Secret) | None => String::new(),
        }
    }
}

impl From<Described> for Field {
    fn from(described: Described) -> Self {
        let Described { key, label, help, asked, required, chars_max } = described;
        let mut field = match asked {
            Asked::Line => Self::text(key, label),
            Asked::Prose => Self::prose(key, label),
            Asked::Date => Self::date(key, label),
            Asked::Email => Self::email(key, label),
            Asked::Phone => Self::phone(key, label),
            Asked::Kana => Self::kana(key, label),
            Asked::Number(None) => Self::number(key, label),
            Asked::Number(Some((from, to))) => Self::number(key, label).range(from, to),
            Asked::Choice(mut options) => {
                options.insert(0, (String::new(), "—".to_owned()));
                Self::choice(key, label, options)
            }
            Asked::Checked(check) => Self::text(key, label).check(check),
        };
        if let Some(chars) = chars_max {
            field = field.max(chars);
        }
        let mut hint = match (field.hint.is_empty(), help.is_empty()) {
            (_, true) => field.hint.clone(),
            (true, false) => help,
            (false, false) => format!("{help} ({})", field.hint),
        };
        if !required {
            let may = "may be left empty";
            hint = match hint.chars().next_back() {
                None => may.to_owned(),
                // A sentence is followed by another.
                Some('.' | '。') => format!("{hint} It {may}."),
                Some(_) => format!("{hint}; {may}"),
            };
        }
        field = field.hint(hint);
        if required { field.required() } else { field }
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Line => "Line",
            Self::Prose => "Prose",
            Self::Date => "Date",
            Self::Email => "Email",
            Self::Phone => "Phone",
            Self::Kana => "Kana",
            Self::Number(_) => "Number",
            Self::Choice(_) => "Choice",
            Self::Checked(_) => "Checked",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Pressed, Strength};
    use super::*;
    use crate::testing;

    fn one(key: &str, label: &str, asked: Asked, required: bool) -> Described {
        let help = if key == "account" { "Bank, branch and number." } else { "" };
        Described {
            key: key.into(),
            label: label.into(),
            help: help.into(),
            asked,
            required,
            chars_max: None,
        }
    }

    fn form() -> Form {
        let account = |typed: &str| match typed.split(' ').next_back().map(str::len) {
            Some(7) => Ok(()),
            _ => Err("has no account number of 7 digits".to_owned()),
        };
        let kinds = vec![("ord".into(), "Ordinary".into()), ("cur".into(), "Current".into())];
        Form::described(
            "Apply",
            [
                one("name", "Name", Asked::Line, true),
                one("kana", "Name in kana", Asked::Kana, true),
                one("address", "Postal address", Asked::Prose, true),
                one("born", "Date of birth", Asked::Date, true),
                one("email", "E-mail", Asked::Email, true),
                one("phone", "Telephone", Asked::Phone, false),
                one("staff", "Employees", Asked::Number(Some((0, 10_000))), false),
                one("kind", "Kind of account", Asked::Choice(kinds), true),
                one("account", "Bank account", Asked::Checked(Box::new(account)), true),
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
    fn what_is_described_is_asked_checked_and_given_out_as_text() {
        let mut form = form();
        let last = type_into(
            &mut form,
            "佐藤花子<tab>ｻﾄｳ ﾊﾅｺ<tab>東京都港区<enter>芝公園1-2-3<tab>1990.2.3<tab>h@s.example<tab>０３ー１２３４ー５６７８<tab>1,200\
             <tab><right><right><tab>Mizuho 123 1234567<ctrl-s>",
        );
        assert_eq!(last, Pressed::Submit, "{:?}", form.focused());
        let plain =
            ["kana", "address", "born", "phone", "staff", "kind", "account"].map(|key| form.plain(key));
        assert_eq!(
            plain,
            [
                "サトウ ハナコ",
                "東京都港区\n芝公園1-2-3",
                "1990-02-03",
                "03-1234-5678",
                "1200",
                "cur",
                "Mizuho 123 1234567"
            ]
        );
    }

    #[test]
    fn the_first_wrong_field_is_focused_and_each_error_stands_beside_its_field() {
        let mut form = form();
        type_into(&mut form, "Hanako<tab>Sato<tab>x<tab>1990-13-01<ctrl-s>");
        assert_eq!(form.focused(), Some("kana"));
        let shown = testing::draw(80, 40, |ui| form.view(ui, ui.area()));
        for error in ["“S” is neither", "is no date", "✗ is needed"] {
            assert!(shown.contains(error), "{error}:\n{shown}");
        }
        form.set("kana", "さとう");
        form.set("born", "1990-1-1");
        form.set("email", "h@s.example");
        form.set("account", "12");
        assert_eq!(form.submit(), Pressed::Taken);
        assert_eq!(form.focused(), Some("kind"), "nothing is chosen yet");
        form.set("kind", "ord");
        assert_eq!(form.submit(), Pressed::Taken);
        assert_eq!(form.focused(), Some("account"));
        assert!(testing::draw(80, 40, |ui| form.view(ui, ui.area())).contains("7 digits"));
    }

    #[test]
    fn thirty_fields_are_all_reached_and_the_draft_survives_every_size() {
        let fields = (0..30).map(|at| {
            let asked = if at % 5 == 4 { Asked::Prose } else { Asked::Line };
            one(&format!("f{at}"), &format!("Question number {at}"), asked, false)
        });
        let mut form = Form::described("Apply", fields);
        for at in 0..30 {
            assert_eq!(form.focused(), Some(format!("f{at}").as_str()));
            type_into(&mut form, &format!("answer {at}"));
            for (width, height) in [(80, 24), (40, 12)] {
                let shown = testing::draw(width, height, |ui| form.view(ui, ui.area()));
                assert!(shown.contains(&format!("answer {at}")), "{at} at {width}x{height}:\n{shown}");
            }
            type_into(&mut form, "<tab>");
        }
        for (width, height) in testing::SIZES {
            testing::draw(width, height, |ui| form.view(ui, ui.area()));
        }
        let draft = form.draft();
        assert_eq!(draft.fields.len(), 30);
        assert_eq!(draft.fields["f29"], "answer 29");
    }

    #[test]
    fn described_forms_look_right_on_every_screen() {
        let mut form = form();
        type_into(&mut form, "佐藤花子<tab>Sato<tab>東京都港区<enter>芝公園1-2-3");
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let shown = testing::draw(width, height, |ui| form.view(ui, ui.area()));
            insta::assert_snapshot!(format!("described-{width}x{height}"), shown);
        }
    }

    #[test]
    fn up_and_down_leave_a_text_at_its_ends() {
        let mut form =
            Form::new("Go", [Field::text("a", "A"), Field::prose("b", "B"), Field::text("c", "C")]);
        testing::draw(80, 24, |ui| form.view(ui, ui.area()));
        type_into(&mut form, "<down>one<enter>two<up>");
        assert_eq!(form.focused(), Some("b"));
        type_into(&mut form, "<up>");
        assert_eq!(form.focused(), Some("a"));
        type_into(&mut form, "<down><down><down>");
        assert_eq!(form.focused(), Some("c"));
        assert_eq!(form.plain("b"), "one\ntwo");
    }

    #[test]
    fn a_code_is_typed_as_it_stands_in_the_letter() {
        let mut form = Form::new("Activate", [Field::code("code", "Code", 16).required()]);
        type_into(&mut form, "7k3m-o2il u");
        insta::assert_snapshot!(testing::draw(60, 4, |ui| form.view(ui, ui.area())), @r"
        Code  7K3M-0211-____-____
              ✗ has letters and digits only: “u” is never part of a
              code
        ");
        assert_eq!(type_into(&mut form, "abcd<ctrl-s>"), Pressed::Taken);
        assert!(
            testing::draw(60, 4, |ui| form.view(ui, ui.area())).contains("has 16 characters; here are 12")
        );
        form.paste("efgh\n");
        assert_eq!(form.submit(), Pressed::Submit);
        assert_eq!(form.text("code"), "7K3M0211ABCDEFGH");
        assert!(form.draft().fields.is_empty(), "a code is as secret as a password");
        let abilities = crate::session::Abilities::default();
        let cursor = |form: &Form| {
            testing::draw_with(60, 4, &abilities, crate::app::Now::default(), |ui| form.view(ui, ui.area())).1
        };
        type_into(&mut form, "<home><right><right><right><right>");
        assert_eq!(cursor(&form).map(|at| at.x), Some(11), "behind the first separator");
        type_into(&mut form, "<backspace>x");
        assert_eq!(form.text("code"), "7K3X0211ABCDEFGH");
    }

    #[test]
    fn the_strength_of_a_password_is_seen_until_it_changes() {
        let mut form = Form::new("Join", [Field::password("a", "Password A").hint("at least 8 characters")]);
        type_into(&mut form, "tr0ub4dor");
        let strength = Strength {
            score: 2,
            word: "fair".into(),
            sentence: "Guessed in 3 hours; add another word or two.".into(),
        };
        form.set_strength("a", Some(strength));
        for (width, height) in [(120, 40), (80, 24), (40, 12)] {
            let shown = testing::draw(width, height, |ui| form.view(ui, ui.area()));
            insta::assert_snapshot!(format!("strength-{width}x{height}"), shown);
        }
        type_into(&mut form, "x");
        assert!(!testing::draw(80, 24, |ui| form.view(ui, ui.area())).contains("fair"));
    }

    #[test]
    fn what_may_be_left_empty_is_said_as_a_sentence_goes_on() {
        for (help, said) in [
            ("", "may be left empty"),
            ("as on your papers", "as on your papers; may be left empty"),
            ("In katakana.", "In katakana. It may be left empty."),
        ] {
            let described = Described { help: help.into(), ..one("name", "Name", Asked::Line, false) };
            assert_eq!(Field::from(described).hint, said);
        }
    }
}
