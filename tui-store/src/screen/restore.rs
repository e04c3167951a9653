//! Bringing a store back: invitation, phrase, new passwords.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    form::{Field, Form, Pressed},
    keys::Action,
    phrase::{Asking, Pressed as Asked},
    progress::Waiting,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::{self, Screen},
    theme::Tone,
    ui::Ui,
};
use vault::{Language, RecoveryPhrase, aside, recovery::WORDS};
use wire::sheet::Invitation;

use super::join::{INVITATION, Passwords, form_view, invitation_form};
use crate::{
    act::Password,
    app::{Door, Effect, Restoring},
    restore::Recovered,
    screen::{News, Step, Steps, home::Home, shared::Shared},
};

/// The field that confirms that a vault is set aside.
const CONFIRMATION: &str = "confirmation";

/// Bringing a store back.
pub(crate) struct Restore {
    /// For a vault that is here and makes room: what confirms that.
    aside: Option<Form>,
    invitation: Form,
    language: Language,
    words: Asking,
    passwords: Passwords,
    /// The phrase as it was typed and found right.
    phrase: Option<Password>,
    step: At,
}

enum At {
    Aside,
    Invitation,
    Words,
    Passwords,
    Waiting(Waiting),
    Done(Detail),
}

/// What can be done.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    GoOn,
    Language,
}

impl Restore {
    /// With the invitation as far as it was entered.
    pub(crate) fn new(invitation: &str) -> Self {
        let mut form = invitation_form("Go on");
        form.set(INVITATION, invitation);
        Self {
            aside: None,
            invitation: form,
            language: Language::English,
            words: asking(Language::English),
            passwords: Passwords::new(),
            phrase: None,
            step: At::Invitation,
        }
    }

    /// For a profile whose vault nobody can open.
    pub(crate) fn over_a_vault() -> Self {
        Self { aside: Some(confirmation()), step: At::Aside, ..Self::new("") }
    }

    fn go_on(&mut self, shared: &Shared) -> Steps {
        match &self.step {
            At::Aside => {
                if self.aside.as_mut().is_some_and(|form| form.submit() == Pressed::Submit) {
                    self.step = At::Invitation;
                }
            }
            At::Invitation => {
                if self.invitation.submit() == Pressed::Submit {
                    self.step = At::Words;
                }
            }
            At::Passwords => {
                if self.passwords.given(&[]) {
                    return self.send(shared);
                }
            }
            At::Done(_) => return vec![Step::Enter(stack::layer(Home))],
            At::Words | At::Waiting(_) => {}
        }
        Steps::new()
    }

    /// Takes the words as they were typed; the one that is wrong is said.
    fn typed(&mut self, words: &[String]) {
        let typed = words.join(" ").into();
        match RecoveryPhrase::parse(&typed) {
            Ok(_) => {
                self.phrase = Some(Password(typed));
                self.step = At::Passwords;
            }
            Err(error) => {
                let number = match &error {
                    vault::recovery::PhraseError::Unknown { positions, .. } => positions.first().copied(),
                    _ => None,
                };
                self.words.refuse(number, error.to_string());
            }
        }
    }

    fn send(&mut self, shared: &Shared) -> Steps {
        let invitation = self.invitation.text(INVITATION).parse::<Invitation>();
        let (Ok(invitation), Some(phrase), Some((a, b))) =
            (invitation, self.phrase.clone(), self.passwords.secrets())
        else {
            return Steps::new();
        };
        let password_b = Password(b.unwrap_or_else(|| a.clone()));
        let restoring = Restoring {
            invitation,
            phrase,
            password_a: Password(a),
            password_b,
            set_aside: self.aside.is_some(),
        };
        let awaited = "the center to find the store and hand out the copy of its vault";
        self.step = At::Waiting(Waiting::new(shared.now, awaited, ""));
        vec![Step::Own(Effect::Restore(Box::new(restoring)))]
    }
}

/// What confirms that the vault here makes room.
fn confirmation() -> Form {
    let field =
        Field::text(CONFIRMATION, "Confirmation").required().check(aside::confirms).hint(aside::CONFIRMATION);
    Form::new("Go on", [field])
}

fn asking(language: Language) -> Asking {
    Asking::all(WORDS, language.word_list())
}

impl Screen<Shared> for Restore {
    type Do = Do;
    const NAME: &'static str = "restore";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match &self.step {
            At::Aside | At::Invitation => "Bring a store back",
            At::Words => "Bring a store back: the recovery phrase",
            At::Passwords => "Bring a store back: new passwords",
            At::Waiting(_) => "Bring a store back",
            At::Done(_) => "Brought back",
        }
        .into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let go_on = |key: &'static str| Action::new(Do::GoOn, "go-on", key, "Go on", "The next step.");
        match &self.step {
            At::Aside | At::Invitation | At::Passwords => vec![go_on("ctrl-s")],
            At::Words => vec![Action::new(
                Do::Language,
                "language",
                "ctrl-g",
                "Language",
                "English or Japanese words.",
            )],
            At::Done(_) => vec![go_on("enter")],
            At::Waiting(_) => Vec::new(),
        }
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::GoOn => self.go_on(shared),
            Do::Language => {
                self.language = match self.language {
                    Language::English => Language::Japanese,
                    Language::Japanese => Language::English,
                };
                self.words = asking(self.language);
                Steps::new()
            }
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        let form = match &mut self.step {
            At::Aside => self.aside.as_mut()?,
            At::Invitation => &mut self.invitation,
            At::Passwords => self.passwords.form(),
            At::Words => {
                return match self.words.press(key) {
                    Asked::Taken => Some(Steps::new()),
                    Asked::Free | Asked::Back => None,
                    Asked::Given(words) => {
                        self.typed(&words);
                        Some(Steps::new())
                    }
                };
            }
            At::Done(detail) => return detail.press(key).then(Steps::new),
            At::Waiting(_) => return None,
        };
        // A form with one field has no need of its button: Enter is enough.
        let last = matches!(form.focused(), Some(INVITATION | CONFIRMATION));
        match form.press(key) {
            Pressed::Taken => {
                if last && key.code == tui_kit::KeyCode::Enter {
                    return Some(self.go_on(shared));
                }
                if matches!(self.step, At::Passwords) {
                    self.passwords.measure();
                }
                Some(Steps::new())
            }
            Pressed::Submit => Some(self.go_on(shared)),
            Pressed::Free | Pressed::Back => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match &self.step {
            At::Aside => {
                if let Some(form) = &mut self.aside {
                    form.paste(pasted);
                }
            }
            At::Invitation => self.invitation.paste(pasted),
            At::Passwords => self.passwords.form().paste(pasted),
            At::Words => self.words.paste(pasted),
            At::Waiting(_) | At::Done(_) => {}
        }
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        match news {
            News::Restored(Ok(recovered)) => {
                self.passwords.wipe();
                (self.phrase, self.words) = (None, asking(self.language));
                self.step = At::Done(Detail::new(rows(recovered)));
            }
            News::Restored(Err((failure, door))) => {
                // What was begun is a vault, too: the next try sets it aside.
                if matches!(door, Door::Locked) && self.aside.is_none() {
                    self.aside = Some(confirmation());
                    self.step = At::Aside;
                    return vec![Step::Say(Tone::Bad, failure.message.clone())];
                }
                self.step = At::Words;
                self.words.refuse(None, failure.message.clone());
            }
            _ => {}
        }
        Steps::new()
    }

    fn step_back(&mut self, _shared: &mut Shared) -> bool {
        self.step = match &self.step {
            At::Invitation if self.aside.is_some() => At::Aside,
            // The answer comes, and is to be seen.
            At::Waiting(_) => return true,
            At::Words => At::Invitation,
            At::Passwords => At::Words,
            At::Aside | At::Invitation | At::Done(_) => return false,
        };
        true
    }

    fn guards(&self) -> bool {
        !matches!(self.step, At::Done(_))
    }

    fn lively(&self, _shared: &Shared) -> bool {
        matches!(self.step, At::Waiting(_))
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.step {
            At::Aside => {
                // What is about to happen is said at every size.
                let words = if area.height < 14 { aside::SHORT_WORDS } else { aside::WORDS };
                if let Some(form) = &self.aside {
                    form_view(ui, area, words, form);
                }
            }
            At::Invitation => {
                let words = format!(
                    "A store that you had comes back into profile {}: its keys, orders and receipts. You need the \
                     center's invitation and the 24 words, no password.",
                    shared.place.profile
                );
                form_view(ui, area, &words, &self.invitation);
            }
            At::Words => {
                let rows = if area.height < 12 { 0 } else { 2 };
                let [head, body] =
                    Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
                let style = ui.theme().text;
                ui.paragraph(
                    head,
                    "The 24 words, in their order. Tab completes a word. Ctrl-G: the other language.",
                    style,
                );
                self.words.view(ui, body);
            }
            At::Passwords => self.passwords.view(ui, area),
            At::Waiting(waiting) => waiting.view(ui, area),
            At::Done(detail) => detail.view(ui, area),
        }
    }
}

fn rows(recovered: &Recovered) -> Vec<Row> {
    let copied = recovered.copied.as_ref();
    let mut rows = vec![
        Row::Heading(format!("{} is back", recovered.store)),
        Row::Gap,
        Row::pair("Center", recovered.center.to_string()),
        Row::pair("Copy of", copied.map_or("no copy lay with the center", |at| at.text.as_str())),
        Row::pair("Came back", format!("{} records", recovered.records)),
    ];
    rows.extend(recovered.renewed.iter().map(|key| Row::pair("New", key.as_str())));
    let aside = |name: &String| Row::pair("Former vault", format!("set aside as {name}"));
    rows.extend(recovered.set_aside.iter().map(aside));
    rows.extend([
        Row::Gap,
        Row::Words(
            "If the old machine may be in other hands, rotate the keys (8). Enter opens your counter.".into(),
        ),
    ]);
    rows
}
