//! The forms and texts of the steps of joining.

use std::str::FromStr;

use tui_kit::{
    detail::Row,
    form::{Asked, Described, Field, Form, Strength},
    keys::Action,
    ratatui::{layout::Rect, text::Line as Shown},
    theme::Tone,
    ui::Ui,
};
use vault::{Autograph, Error, Passwords, Which};
use wire::{
    admission::ActivationCode,
    id::AccountNumber,
    message::{self, FieldKind},
    sheet::Invitation,
};

use crate::{join::Welcome, view::Standing};

/// The names of the fields that are not the center's.
pub(in crate::screen) const INVITATION: &str = "invitation";
pub(in crate::screen) const A: &str = "password-a";
pub(in crate::screen) const B: &str = "password-b";
pub(in crate::screen) const ONE: &str = "single";
pub(in crate::screen) const NUMBER: &str = "number";
pub(in crate::screen) const CODE: &str = "code";
pub(in crate::screen) const PREPARE: &str = "prepare";

pub(super) const INVITATION_WORDS: &str = "A center gives you an invitation, one line that begins with inkan: and holds its \
                                           addresses and the fingerprint of its key. Paste it here.";
pub(super) const LOST_WORDS: &str = "For an account whose terminal is lost, without its recovery phrase. The center has to admit \
                                     it and tells your former address. Then come a new code by mail or letter, new keys here, \
                                     and 72 hours in which no money leaves the account.";
pub(in crate::screen) const PASSWORDS_WORDS: &str = "Password A opens the vault: history, cards, messages. Password B lies inside it and opens the signature key: it is \
     asked for at every payment. Nobody can reset them.";
pub(in crate::screen) const PARTICULARS_WORDS: &str = "The center asks this of its members. It travels beside the signed \
                                                       application and stays at the center.";

/// The seven steps, in a word each.
const STEPS: [&str; 7] = ["guide", "center", "form", "application", "kit", "number", "register"];

/// Draws which of the seven steps is shown, and gives the room below it.
pub(in crate::screen) fn strip(ui: &mut Ui<'_, '_>, area: Rect, step: usize) -> Rect {
    if area.height < 6 {
        return area;
    }
    let theme = ui.theme();
    let words = match area.width {
        0..66 => format!("Step {step} of 7: {}", STEPS.get(step - 1).copied().unwrap_or_default()),
        _ => {
            let named = STEPS.iter().enumerate().map(|(at, name)| match at + 1 {
                here if here == step => format!("[{here} {name}]"),
                other => format!("{other} {name}"),
            });
            named.collect::<Vec<_>>().join("  ")
        }
    };
    ui.line(Rect { height: 1, ..area }, Shown::styled(words, theme.dim));
    Rect { y: area.y + 2, height: area.height - 2, ..area }
}

pub(in crate::screen) fn invitation() -> Form {
    let field = Field::text(INVITATION, "Invitation")
        .max(2_000)
        .required()
        .check(invited)
        .hint("inkan:KEY@host:port");
    Form::new("Ask the center", [field])
}

/// The invitation, and the account whose terminal is lost.
pub(super) fn lost_terminal() -> Form {
    let invitation = Field::text(INVITATION, "Invitation")
        .max(2_000)
        .required()
        .check(invited)
        .hint("inkan:KEY@host:port");
    let account = Field::text(NUMBER, "Member's number").required().check(member).hint("M-000123-4");
    Form::new("Ask the center", [invitation, account])
}

/// What Enter does in a form: label and help.
pub(in crate::screen) fn enter(form: &Form) -> (&'static str, &'static str) {
    match form.focused() {
        Some(_) => ("Next", "Goes on to the next field; in a text of several lines it begins a line."),
        None => ("Go on", "Hands in what was filled in."),
    }
}

/// The next field of a form.
pub(in crate::screen) fn tab<D>(todo: D) -> Action<D> {
    Action::new(todo, "field", "tab", "Field", "Goes on to the next field.")
}

fn invited(text: &str) -> Result<(), String> {
    text.parse::<Invitation>().map(|_| ()).map_err(|error| error.to_string())
}

fn member(text: &str) -> Result<(), String> {
    match AccountNumber::from_str(text) {
        Ok(AccountNumber::Member(_)) => Ok(()),
        Ok(AccountNumber::Store(_)) => Err("is a store's number; a member's begins with M-".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

pub(in crate::screen) fn passwords() -> Form {
    let least = format!("at least {} characters", vault::CHARACTERS_MIN);
    let fields = [
        Field::password(A, "Password A").required().hint(least.as_str()),
        Field::password("password-a-again", "Password A again").required().repeats(A),
        Field::password(B, "Password B").hint(format!("{least}, and another than A")),
        Field::password("password-b-again", "Password B again").repeats(B),
        Field::switch(ONE, "One password").hint("A alone, asked again at every signing; B stays empty"),
    ];
    Form::new("Go on", fields)
}

/// The passwords of [`passwords`], if they may be chosen by someone of whom these words are known.
pub(in crate::screen) fn chosen(form: &mut Form, words: &[&str]) -> Option<Passwords> {
    let a = form.secret(A)?;
    let passwords = match (form.is_on(ONE), form.secret(B)) {
        (true, None) => Passwords::One(a),
        (true, Some(_)) => {
            form.refuse(B, "stays empty where there is one password");
            return None;
        }
        (false, Some(b)) => Passwords::Two { a, b },
        (false, None) => {
            form.refuse(B, "is needed, or one password is chosen below");
            return None;
        }
    };
    match passwords.check_for(words) {
        Ok(()) => Some(passwords),
        Err(Error::Unfit { which, why }) => {
            form.refuse(if which == Which::A { A } else { B }, why);
            None
        }
        Err(error) => {
            form.refuse(A, error.to_string());
            None
        }
    }
}

/// Shows how strong what is typed as a password is.
pub(in crate::screen) fn show_strength(form: &mut Form) {
    for name in [A, B] {
        let strength = form.secret(name).map(|secret| strength(&secret));
        form.set_strength(name, strength);
    }
}

/// How strong a password is, as a form shows it.
pub(in crate::screen) fn strength(secret: &secrecy::SecretString) -> Strength {
    let found = vault::strength(secret, &[]);
    Strength { score: found.score, word: found.word().to_owned(), sentence: found.advice() }
}

/// The center's form, each field checked as the center will check it.
pub(in crate::screen) fn particulars(form: &message::Form) -> Form {
    let fields = form.fields.iter().map(|field| {
        let checked = || {
            let field = field.clone();
            let check = move |text: &str| field.check(text).map(|_| ()).map_err(|why| short(&field, &why));
            Asked::Checked(Box::new(check))
        };
        Described {
            key: field.key.to_string(),
            label: field.label.to_string(),
            help: field.help.to_string(),
            asked: match field.kind {
                FieldKind::Prose => Asked::Prose,
                FieldKind::Date => Asked::Date,
                FieldKind::Email => Asked::Email,
                FieldKind::Phone => Asked::Phone,
                FieldKind::Kana => Asked::Kana,
                FieldKind::Number => Asked::Number(None),
                FieldKind::Consent => {
                    Asked::Choice(vec![("no".into(), "no".into()), ("yes".into(), "yes".into())])
                }
                FieldKind::Line | FieldKind::BankAccount => checked(),
            },
            required: field.required,
            chars_max: Some(usize::from(field.max_chars)),
        }
    });
    Form::described("Go on", fields.collect::<Vec<_>>())
}

/// What is wrong, without the label that stands beside it on the screen.
fn short(field: &message::Field, why: &str) -> String {
    let rest = why.strip_prefix(field.label.as_str()).unwrap_or(why);
    rest.trim_start_matches([':', ' ']).to_owned()
}

/// What was filled in, by the form's keys.
pub(in crate::screen) fn values(asked: &message::Form, filled: &Form) -> Vec<(String, String)> {
    asked.fields.iter().map(|field| (field.key.to_string(), filled.plain(&field.key))).collect()
}

/// Number and code, as they came by mail or letter.
pub(in crate::screen) fn number_and_code() -> Form {
    let code = |text: &str| ActivationCode::from_str(text).map(|_| ()).map_err(|error| error.to_string());
    let fields = [
        Field::text(NUMBER, "Member's number").required().check(member).hint("M-000123-4"),
        Field::code(CODE, "Activation code", 16).required().check(code).hint("16 letters and digits"),
        Field::switch(PREPARE, "Only prepare").hint("sign now without a line, send later from the outbox"),
    ];
    Form::new("Go on", fields)
}

pub(super) fn center_rows(invitation: &Invitation, welcome: &Welcome) -> Vec<Row> {
    let addresses: Vec<&str> = invitation.addresses.iter().map(|address| address.as_str()).collect();
    vec![
        Row::toned("Center", Tone::Strong, welcome.center.as_str()),
        Row::pair("Addresses", addresses.join(" ")),
        Row::toned("Fingerprint", Tone::Strong, welcome.fingerprint.as_str()),
        Row::Gap,
        Row::Words(
            "Compare this fingerprint with the one that the center publishes, on paper or on the phone. From now on this \
             vault believes this key alone."
                .into(),
        ),
        Row::Gap,
        Row::Words("Enter: it is this one. Esc: another invitation.".into()),
    ]
}

/// What was filled in, as rows.
pub(in crate::screen) fn filled_rows(form: &message::Form, filled: &Form) -> Vec<Row> {
    let rows = form.fields.iter().map(|field| {
        let value = filled.plain(&field.key);
        match value.is_empty() {
            true => Row::toned(field.label.as_str(), Tone::Dim, "left empty"),
            false => Row::pair(field.label.as_str(), value),
        }
    });
    rows.collect()
}

pub(super) fn review_rows(
    welcome: &Welcome,
    filled: &Form,
    autograph: Option<&Autograph>,
    phrase: bool,
    replaces: Option<AccountNumber>,
) -> Vec<Row> {
    let lost =
        replaces.map(|account| Row::toned("Lost terminal", Tone::Strong, format!("that of {account}")));
    let mut rows: Vec<Row> = lost.into_iter().collect();
    rows.extend([
        Row::pair("Center", welcome.center.as_str()),
        Row::pair("Fingerprint", welcome.fingerprint.as_str()),
        Row::Gap,
    ]);
    rows.extend(filled_rows(&welcome.form, filled));
    rows.push(Row::Gap);
    rows.push(Row::pair("Form", format!("version {}", welcome.form.version)));
    rows.push(match autograph {
        Some(_) => Row::pair("Autograph", "mixed into the key"),
        None => Row::toned("Autograph", Tone::Dim, "none"),
    });
    rows.push(match phrase {
        true => Row::pair("Recovery", "a phrase, written down and asked back"),
        false => Row::toned("Recovery", Tone::Warn, "no phrase: what is lost stays lost"),
    });
    rows.push(Row::Words(
        "The keys are made on this machine, and the application is signed with them.".into(),
    ));
    rows
}

/// How an application stands, as rows.
pub(in crate::screen) fn standing_rows(standing: &Standing) -> Vec<Row> {
    let tone = match standing.state.as_str() {
        "admitted" | "registered" | "joined" => Tone::Good,
        "refused" => Tone::Bad,
        _ => Tone::Warn,
    };
    let mut rows = Vec::new();
    rows.extend(standing.center.iter().map(|center| Row::pair("Center", center.as_str())));
    rows.extend(standing.fingerprint.iter().map(|key| Row::pair("Fingerprint", key.as_str())));
    rows.extend(
        standing.application.map(|number| Row::toned("Application", Tone::Strong, number.to_string())),
    );
    rows.push(Row::toned("State", tone, standing.words.as_str()));
    rows
}
