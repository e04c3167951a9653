//! One field of a form: what it takes, what it makes of it, what it says when that is wrong.

use std::borrow::Cow;
use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use secrecy::SecretString;

use super::read::{read_amount, read_email, read_kana, read_phone};
use crate::area::Area;
use crate::code;
use crate::edit::Editor;
use crate::text;
use crate::theme::Tone;
use crate::time::{Date, read_date};

/// The characters that fields take where nothing else is said.
const TEXT_CHARS_MAX: usize = 200;
const PASSWORD_CHARS_MAX: usize = 256;
const EMAIL_CHARS_MAX: usize = 254;
const NUMBER_CHARS_MAX: usize = 24;
const PHONE_CHARS_MAX: usize = 40;
const PROSE_CHARS_MAX: usize = 2_000;

/// A check of the program's own: a sentence when the text is wrong.
pub(super) type Check = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// What a field takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Words on one line.
    Text,
    /// Words on several lines.
    Prose,
    /// A telephone number.
    Phone,
    /// A name in hiragana or katakana.
    Kana,
    /// A code of so many characters of Crockford's base 32; see [`crate::code`].
    Code {
        /// How many, without separators.
        chars: usize,
    },
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

/// How strong a password is, as the program has found: shown below the field until the password changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strength {
    /// From 0, guessed at once, to 4.
    pub score: u8,
    /// One or two words: `weak`.
    pub word: String,
    /// What it means, and what would be better.
    pub sentence: String,
}

impl Strength {
    /// The highest score.
    pub const SCORE_MAX: u8 = 4;

    /// What the score says besides its word.
    pub fn tone(&self) -> Tone {
        match self.score {
            0 | 1 => Tone::Bad,
            2 => Tone::Warn,
            _ => Tone::Good,
        }
    }
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
    /// The text of several lines, where the kind is prose; the editor is not used then.
    pub(super) area: Area,
    pub(super) strength: Option<Strength>,
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

    /// Words on several lines.
    pub fn prose(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Prose, Editor::new(0))
    }

    /// A telephone number.
    pub fn phone(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Phone, Editor::new(PHONE_CHARS_MAX))
    }

    /// A name in hiragana or katakana.
    pub fn kana(name: impl Into<Cow<'static, str>>, label: impl Into<String>) -> Self {
        Self::new(name, label, Kind::Kana, Editor::new(TEXT_CHARS_MAX))
    }

    /// A code of so many characters, shown in groups of four and read whatever its case and separators; its value is a
    /// [`Value::Text`] without separators.
    pub fn code(name: impl Into<Cow<'static, str>>, label: impl Into<String>, chars: usize) -> Self {
        Self::new(name, label, Kind::Code { chars }, Editor::new(chars))
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

    /// One of several, each with a name and what is shown; the first is chosen. One with an empty name stands for no
    /// choice.
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
        self.area = Area::new(chars);
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
            area: Area::new(PROSE_CHARS_MAX),
            strength: None,
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
            Kind::Prose => self.area.press(key),
            Kind::Code { .. } => return self.press_code(key),
            _ => self.editor.press(key),
        };
        if taken {
            self.error = None;
            self.strength = None;
            self.touched = true;
        }
        taken
    }

    /// What a code can't have is not taken up, and the error says so.
    fn press_code(&mut self, key: KeyEvent) -> bool {
        let typed = match key.code {
            KeyCode::Char(c) if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                Some(c)
            }
            _ => None,
        };
        let meant = typed.map(|c| code::normal(c.encode_utf8(&mut [0; 4])));
        let taken = match meant {
            None => self.editor.press(key),
            Some(Ok(meant)) => {
                self.editor.paste(&meant);
                true
            }
            Some(Err(wrong)) => {
                self.error = Some(format!("has letters and digits only: {wrong}"));
                return true;
            }
        };
        if taken {
            self.error = None;
            self.touched = true;
        }
        taken
    }

    pub(super) fn paste(&mut self, pasted: &str) {
        self.error = None;
        self.strength = None;
        self.touched = true;
        match &self.kind {
            Kind::Prose => self.area.paste(pasted),
            Kind::Code { .. } => match code::normal(text::clean(pasted).trim()) {
                Ok(meant) => self.editor.paste(&meant),
                Err(wrong) => self.error = Some(format!("has letters and digits only: {wrong}")),
            },
            _ => self.editor.paste(pasted),
        }
    }

    pub(super) fn set(&mut self, entered: &str) {
        match &self.kind {
            Kind::Choice(options) => {
                self.picked = options.iter().position(|(name, _)| name == entered).unwrap_or(self.picked);
            }
            Kind::Switch => self.picked = usize::from(entered == "on"),
            Kind::Prose => self.area.set(entered),
            Kind::Code { .. } => self.editor.set(&code::normal(entered).unwrap_or_default()),
            _ => self.editor.set(entered),
        }
        self.error = None;
        self.touched = true;
    }

    pub(super) fn clear(&mut self) {
        self.editor.clear();
        self.area.set("");
        self.strength = None;
        self.error = None;
    }

    /// Whether what is entered is never kept: a password, or a code that works once.
    pub(super) fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Password | Kind::Code { .. })
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
            Kind::Prose => self.area.text().to_owned(),
            _ => self.editor.text().to_owned(),
        }
    }

    /// The value; none when the field is empty and may be; a sentence's end when it is wrong.
    pub(super) fn parse(&self) -> Result<Option<Value>, String> {
        let entered = match self.kind {
            Kind::Prose => text::clean_lines(self.area.text().trim()),
            _ => text::clean(self.editor.text().trim()).into_owned(),
        };
        let value = match &self.kind {
            Kind::Choice(options) => match options.get(self.picked) {
                Some((name, _)) if name.is_empty() => None,
                picked => return Ok(picked.map(|(name, _)| Value::Choice(name.clone()))),
            },
            Kind::Switch => return Ok(Some(Value::Switch(self.picked == 1))),
            Kind::Password if self.editor.is_empty() => None,
            Kind::Password => return Ok(Some(Value::Secret)),
            _ if entered.is_empty() => None,
            Kind::Text | Kind::Prose => Some(Value::Text(entered.clone())),
            Kind::Phone => Some(Value::Text(read_phone(&entered)?)),
            Kind::Kana => Some(Value::Text(read_kana(&entered)?)),
            Kind::Code { chars } => match entered.chars().count() {
                count if count == *chars => Some(Value::Text(entered.clone())),
                count => return Err(format!("has {chars} characters; here are {count}")),
            },
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
