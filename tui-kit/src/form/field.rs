//! One field of a form: what it takes, what it makes of it, what it says when that is wrong.

use std::borrow::Cow;
use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use secrecy::SecretString;

use crate::edit::Editor;
use crate::text;
use crate::time::{Date, read_date};

/// The characters that fields take where nothing else is said.
const TEXT_CHARS_MAX: usize = 200;
const PASSWORD_CHARS_MAX: usize = 256;
const EMAIL_CHARS_MAX: usize = 254;
const NUMBER_CHARS_MAX: usize = 24;

/// A check of the program's own: a sentence when the text is wrong.
type Check = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Words on one line.
    Text,
    /// An e-mail address.
    Email,
    /// A password, masked, wiped when it goes.
    Password,
    /// A whole number.
    Number,
    /// An amount of money.
    Amount {
        /// The currency's code, shown behind the field.
        currency: String,
        /// How many minor digits it has (ISO 4217).
        decimals: u8,
    },
    /// A day.
    Date,
    /// One of several: their names and what is shown.
    Choice(Vec<(String, String)>),
    /// On or off.
    Switch,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Trimmed, cleaned, NFC.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Minor units.
    Amount(u64),
    /// A day.
    Date(Date),
    /// The name of what was chosen.
    Choice(String),
    /// On or off.
    Switch(bool),
    /// There is a password; [`super::Form::secret`] has it.
    Secret,
}

/// One field.
pub struct Field {
    pub(super) name: Cow<'static, str>,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) kind: Kind,
    pub(super) editor: Editor,
    /// Which of a choice's options, or 1 for a switch that is on.
    pub(super) picked: usize,
    pub(super) error: Option<String>,
    pub(super) repeats: Option<&'static str>,
    pub(super) touched: bool,
    required: bool,
    range: Option<(i128, i128)>,
    check: Option<Check>,
}

impl Field {
    /// Words on one line.
    pub fn text(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Text, Editor::new(TEXT_CHARS_MAX))
    }

    /// An e-mail address.
    pub fn email(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Email, Editor::new(EMAIL_CHARS_MAX))
    }

    /// A password.
    pub fn password(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Password, Editor::secret(PASSWORD_CHARS_MAX))
    }

    /// A whole number.
    pub fn number(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Number, Editor::new(NUMBER_CHARS_MAX))
    }

    /// An amount of a currency with so many minor digits.
    pub fn amount(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<String>,
        currency: impl Into<String>,
        decimals: u8,
    ) -> Self {
        let kind = Kind::Amount { currency: currency.into(), decimals };
        Self::new(name, label, kind, Editor::new(NUMBER_CHARS_MAX))
    }

    /// A day.
    pub fn date(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Date, Editor::new(NUMBER_CHARS_MAX)).hint("year-month-day")
    }

    /// One of several, each with a name and what is shown; the first is chosen.
    pub fn choice<N: Into<String>, S: Into<String>>(
        name: impl Into<Cow<'static, str>>,
        label: impl Into<String>,
        options: impl IntoIterator<Item = (N, S)>,
    ) -> Self {
        let options = options.into_iter().map(|(name, shown)| (name.into(), shown.into())).collect();
        Self::new(name, label, Kind::Choice(options), Editor::new(0))
    }

    /// On or off; off at first.
    pub fn switch(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Switch, Editor::new(0))
    }

    /// Must not be left empty.
    pub fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// What stands below the field while it is edited.
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    /// Takes at most so many characters.
    pub fn max(mut self, chars: usize) -> Self {
        self.editor = if self.editor.is_secret() { Editor::secret(chars) } else { Editor::new(chars) };
        self
    }

    /// From and to which number, or minor units of an amount.
    pub fn range(self, from: impl Into<i128>, to: impl Into<i128>) -> Self {
        Self { range: Some((from.into(), to.into())), ..self }
    }

    /// A check of the program's own, on the cleaned and trimmed text. Not asked about empty fields and passwords.
    pub fn check(self, check: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self { check: Some(Box::new(check)), ..self }
    }

    /// Has to repeat the password in another field.
    pub fn repeats(self, name: &'static str) -> Self {
        Self { repeats: Some(name), ..self }
    }

    /// With a text in it from the start.
    pub fn with(mut self, text: &str) -> Self {
        self.set(text);
        self.touched = false;
        self
    }

    fn new(name: impl Into<Cow<'static, str>>, label: impl Into<String>, kind: Kind, editor: Editor) -> Self {
        Self {
            name: name.into(),
            label: label.into(),
            hint: String::new(),
            kind,
            editor,
            picked: 0,
            error: None,
            repeats: None,
            touched: false,
            required: false,
            range: None,
            check: None,
        }
    }

    /// Takes a key if it edits; an error goes as soon as something is changed.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        let taken = match &self.kind {
            Kind::Choice(options) => match turn(key, options.len(), self.picked, |c| {
                options.iter().position(|(_, shown)| shown.to_lowercase().starts_with(c))
            }) {
                Some(picked) => {
                    self.picked = picked;
                    true
                }
                None => false,
            },
            Kind::Switch => match turn(key, 2, self.picked, |c| match c {
                'y' => Some(1),
                'n' => Some(0),
                _ => None,
            }) {
                Some(picked) => {
                    self.picked = picked;
                    true
                }
                None => false,
            },
            _ => self.editor.press(key),
        };
        if taken {
            self.error = None;
            self.touched = true;
        }
        taken
    }

    pub(super) fn paste(&mut self, pasted: &str) {
        self.editor.paste(pasted);
        self.error = None;
        self.touched = true;
    }

    pub(super) fn set(&mut self, entered: &str) {
        match &self.kind {
            Kind::Choice(options) => {
                self.picked = options.iter().position(|(name, _)| name == entered).unwrap_or(self.picked);
            }
            Kind::Switch => self.picked = usize::from(entered == "on"),
            _ => self.editor.set(entered),
        }
        self.error = None;
        self.touched = true;
    }

    pub(super) fn clear(&mut self) {
        self.editor.clear();
        self.error = None;
    }

    pub(super) fn secret(&self) -> Option<SecretString> {
        (self.kind == Kind::Password && !self.editor.is_empty()).then(|| self.editor.expose())
    }

    pub(super) fn draft(&self) -> String {
        match &self.kind {
            Kind::Choice(options) => {
                options.get(self.picked).map_or_else(String::new, |(name, _)| name.clone())
            }
            Kind::Switch => if self.picked == 1 { "on" } else { "" }.to_owned(),
            _ => self.editor.text().to_owned(),
        }
    }

    /// The value; none when the field is empty and may be; a sentence's end when it is wrong.
    pub(super) fn parse(&self) -> Result<Option<Value>, String> {
        let entered = text::clean(self.editor.text().trim()).into_owned();
        let value = match &self.kind {
            Kind::Choice(options) => {
                return Ok(options.get(self.picked).map(|(name, _)| Value::Choice(name.clone())));
            }
            Kind::Switch => return Ok(Some(Value::Switch(self.picked == 1))),
            Kind::Password if self.editor.is_empty() => None,
            Kind::Password => return Ok(Some(Value::Secret)),
            _ if entered.is_empty() => None,
            Kind::Text => Some(Value::Text(entered.clone())),
            Kind::Email => Some(Value::Text(read_email(&entered)?)),
            Kind::Date => {
                Some(Value::Date(read_date(&entered).ok_or("is no date; one looks like 1990-02-03")?))
            }
            Kind::Number => {
                let number: i64 =
                    text::plain_number(&entered).parse().map_err(|_| "is no whole number".to_owned())?;
                self.in_range(number.into(), text::thousands)?;
                Some(Value::Number(number))
            }
            Kind::Amount { decimals, .. } => {
                let minor = read_amount(&entered, *decimals)?;
                self.in_range(minor.into(), |bound| text::amount(bound, *decimals))?;
                Some(Value::Amount(minor))
            }
        };
        match value {
            None if self.required => Err("is needed".to_owned()),
            None => Ok(None),
            Some(value) => {
                self.check.as_ref().map_or(Ok(()), |check| check(&entered))?;
                Ok(Some(value))
            }
        }
    }

    fn in_range(&self, number: i128, show: impl Fn(i128) -> String) -> Result<(), String> {
        match self.range {
            Some((from, _)) if number < from => Err(format!("is too little; at least {}", show(from))),
            Some((_, to)) if number > to => Err(format!("is too much; at most {}", show(to))),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field").field("name", &self.name).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Left, right and Space turn through options, a letter jumps; none for other keys.
fn turn(key: KeyEvent, count: usize, picked: usize, jump: impl Fn(char) -> Option<usize>) -> Option<usize> {
    if count == 0 || key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
        return None;
    }
    match key.code {
        KeyCode::Right | KeyCode::Char(' ') => Some((picked + 1) % count),
        KeyCode::Left => Some((picked + count - 1) % count),
        KeyCode::Char(c) => c.to_lowercase().next().and_then(jump),
        _ => None,
    }
}

/// An address that could be one (RFC 5321's shape, not its corners): whether it is, only a mail can tell.
fn read_email(entered: &str) -> Result<String, String> {
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
fn read_amount(entered: &str, decimals: u8) -> Result<u64, String> {
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
    fn ranges_and_checks_speak() {
        let parse = |field: Field, entered: &str| field.with(entered).parse().map_err(|why| why.to_string());
        let limit = || Field::amount("n", "N", "EUR", 2).range(100, 50_000);
        assert_eq!(parse(limit(), "0.99"), Err("is too little; at least 1.00".into()));
        assert_eq!(parse(limit(), "500.01"), Err("is too much; at most 500.00".into()));
        assert_eq!(parse(limit(), "500"), Ok(Some(Value::Amount(50_000))));
        let even = Field::number("n", "N")
            .check(|typed| if typed.ends_with('2') { Ok(()) } else { Err("is odd".into()) });
        assert_eq!(parse(even, "3"), Err("is odd".into()));
        assert_eq!(parse(Field::number("n", "N"), "-1,024"), Ok(Some(Value::Number(-1_024))));
        assert_eq!(parse(Field::text("n", "N"), "  \u{1b}[31mx "), Ok(Some(Value::Text("x".into()))));
        assert_eq!(parse(Field::text("n", "N"), "   "), Ok(None));
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
}
