//! Coming back: invitation, recovery phrase, new passwords; then keys, cards, receipts and history are here again.

use tui_kit::{
    KeyCode, KeyEvent,
    detail::{Detail, Row},
    form::{Field, Form, Pressed},
    keys::Action,
    progress::Waiting,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::{Screen, layer},
    theme::Tone,
    ui::Ui,
};
use vault::{aside, recovery::RecoveryPhrase};
use wire::sheet::Invitation;

use crate::{
    act::Failure,
    app::{Effect, Left},
    recover::{Restored, Returning},
    screen::{
        News, Step, Steps,
        home::Home,
        join::steps::{self, INVITATION},
        phrase::{self, Typed, Typing, below},
        shared::Shared,
        unlock::Unlock,
    },
};

/// The field that confirms that a vault is set aside.
const CONFIRMATION: &str = "confirmation";

const INVITATION_WORDS: &str = "Any invitation of your center will do: it holds the center's addresses and the fingerprint \
                                of its key.";
const PHRASE_WORDS: &str = "Type the 24 words that you wrote down, English or Japanese. The center finds your account by them, \
                            and hands out the copy that your terminal deposited.";
const PASSWORDS_WORDS: &str = "Choose passwords for this machine; they need not be the former ones.";

/// Coming back, as far as it has come.
pub(crate) struct Restore {
    at: At,
    /// For a vault that is here and makes room: what confirms that.
    aside: Option<Form>,
    invitation: Form,
    passwords: Form,
    phrase: Option<RecoveryPhrase>,
}

/// What can be done, beside filling in.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Go,
    Tab,
}

enum At {
    Aside,
    Invitation,
    Phrase(Box<Typing>),
    Passwords,
    Waiting(Waiting),
    Back(Box<Restored>),
}

impl Restore {
    /// For a profile without a vault.
    pub(crate) fn new() -> Self {
        Self {
            at: At::Invitation,
            aside: None,
            invitation: steps::invitation(),
            passwords: steps::passwords(),
            phrase: None,
        }
    }

    /// For a profile whose vault nobody can open.
    pub(crate) fn over_a_vault() -> Self {
        let field = Field::text(CONFIRMATION, "Confirmation")
            .required()
            .check(aside::confirms)
            .hint(aside::CONFIRMATION);
        Self { at: At::Aside, aside: Some(Form::new("Go on", [field])), ..Self::new() }
    }

    fn submitted(&mut self, shared: &Shared) -> Steps {
        match &self.at {
            At::Aside => {
                self.at = At::Invitation;
                Steps::new()
            }
            At::Invitation => {
                self.at = At::Phrase(Box::new(Typing::new()));
                Steps::new()
            }
            At::Passwords => self.commit(shared),
            _ => Steps::new(),
        }
    }

    fn commit(&mut self, shared: &Shared) -> Steps {
        let invitation = self.invitation.text(INVITATION).parse::<Invitation>();
        let passwords = steps::chosen(&mut self.passwords, &[]);
        let phrase = self.phrase.as_ref().and_then(phrase::copy);
        let (Ok(invitation), Some(passwords), Some(phrase)) = (invitation, passwords, phrase) else {
            return Steps::new();
        };
        self.at = At::Waiting(Waiting::new(
            shared.now,
            "the center to hand out the copy, and the vault to be made",
            "",
        ));
        let set_aside = self.aside.is_some();
        vec![Step::Own(Effect::Restore(Box::new(Returning { invitation, phrase, passwords, set_aside })))]
    }

    fn restored(&mut self, restored: &Result<Box<Restored>, (Failure, Left)>) -> Steps {
        match restored {
            Ok(restored) => {
                self.passwords.wipe();
                self.phrase = None;
                self.at = At::Back(restored.clone());
                Steps::new()
            }
            Err((failure, Left::Nothing)) => {
                let mut typing = Typing::new();
                typing.refuse(failure.message.clone());
                self.at = At::Phrase(Box::new(typing));
                vec![Step::Say(Tone::Bad, failure.message.clone())]
            }
            Err((failure, _)) => vec![
                Step::Say(Tone::Bad, format!("{failure}. The vault is made: open it, and finish under Keys")),
                Step::Enter(layer(Unlock::new())),
            ],
        }
    }

    fn form(&mut self) -> Option<&mut Form> {
        match self.at {
            At::Aside => self.aside.as_mut(),
            At::Invitation => Some(&mut self.invitation),
            At::Passwords => Some(&mut self.passwords),
            _ => None,
        }
    }
}

impl Screen<Shared> for Restore {
    type Do = Do;
    const NAME: &'static str = "restore";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        "Bring your account back".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        let (label, help) = match &self.at {
            At::Aside | At::Invitation => ("Go on", "Goes on to the next step."),
            At::Phrase(_) => phrase::NEXT_WORD,
            At::Passwords => steps::enter(&self.passwords),
            At::Waiting(_) => return Vec::new(),
            At::Back(_) => ("Go home", "Opens the home screen."),
        };
        let fields = matches!(self.at, At::Passwords);
        vec![
            Action::new(Do::Go, "go", "enter", label, help),
            steps::tab(Do::Tab).when(fields, "there is one field"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match (todo, &self.at) {
            (Do::Go, At::Back(_)) => vec![Step::Enter(layer(Home::default()))],
            (Do::Go, _) => self.key(KeyCode::Enter.into(), shared).unwrap_or_default(),
            (Do::Tab, _) => self.key(KeyCode::Tab.into(), shared).unwrap_or_default(),
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if let At::Aside | At::Invitation = self.at
            && key.code == KeyCode::Enter
            && let Some(form) = self.form()
        {
            // One field has no need of a button: Enter is enough.
            let pressed = form.submit();
            return Some(if pressed == Pressed::Submit { self.submitted(shared) } else { Steps::new() });
        }
        if let Some(form) = self.form() {
            let pressed = form.press(key);
            if let At::Passwords = self.at {
                steps::show_strength(&mut self.passwords);
            }
            return match pressed {
                Pressed::Taken => Some(Steps::new()),
                Pressed::Free | Pressed::Back => None,
                Pressed::Submit => Some(self.submitted(shared)),
            };
        }
        let At::Phrase(typing) = &mut self.at else { return None };
        match typing.press(key) {
            Typed::Taken => Some(Steps::new()),
            Typed::Free | Typed::Back => None,
            Typed::Phrase(phrase) => {
                self.phrase = Some(phrase);
                self.at = At::Passwords;
                Some(Steps::new())
            }
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        match &mut self.at {
            At::Phrase(typing) => typing.paste(pasted),
            _ => {
                if let Some(form) = self.form() {
                    form.paste(pasted);
                }
            }
        }
    }

    fn guards(&self) -> bool {
        !matches!(self.at, At::Back(_))
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        match news {
            News::Restored(restored) => self.restored(restored),
            _ => Steps::new(),
        }
    }

    fn step_back(&mut self, _shared: &mut Shared) -> bool {
        self.at = match &self.at {
            At::Waiting(_) => return true,
            At::Invitation if self.aside.is_some() => At::Aside,
            At::Aside | At::Invitation | At::Back(_) => return false,
            At::Phrase(_) => At::Invitation,
            At::Passwords => At::Phrase(Box::new(Typing::new())),
        };
        true
    }

    fn lively(&self, _shared: &Shared) -> bool {
        matches!(self.at, At::Waiting(_))
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.at {
            At::Aside => {
                // What is about to happen is said at every size.
                let words = if area.height < 14 { aside::SHORT_WORDS } else { aside::WORDS };
                let rows = tui_kit::text::wrap(words, usize::from(area.width)).len() + 1;
                let rows = u16::try_from(rows).unwrap_or(u16::MAX);
                let [above, rest] =
                    Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
                let style = ui.theme().text;
                ui.paragraph(above, words, style);
                if let Some(form) = &self.aside {
                    form.view(ui, rest);
                }
            }
            At::Invitation => below(ui, area, INVITATION_WORDS, |ui, rest| self.invitation.view(ui, rest)),
            At::Phrase(typing) => typing.view(ui, area, PHRASE_WORDS),
            At::Passwords => below(ui, area, PASSWORDS_WORDS, |ui, rest| self.passwords.view(ui, rest)),
            At::Waiting(waiting) => waiting.view(ui, area),
            At::Back(restored) => Detail::new(rows(restored)).view(ui, area),
        }
    }
}

fn rows(restored: &Restored) -> Vec<Row> {
    let mut rows = vec![
        Row::Heading(format!("Welcome back, {}", restored.member)),
        Row::Gap,
        Row::pair("Center", restored.center.as_str()),
    ];
    rows.push(match &restored.copied_at {
        Some(at) => Row::toned("Brought back", Tone::Good, format!("from the copy of {}", at.text)),
        None => Row::toned("Brought back", Tone::Warn, "the account alone: there was no copy of the vault"),
    });
    if !restored.new_keys.is_empty() {
        rows.push(Row::pair("New keys", restored.new_keys.join(", ")));
    }
    rows.extend(
        restored.set_aside.iter().map(|name| Row::pair("Former vault", format!("set aside as {name}"))),
    );
    rows.push(Row::Gap);
    rows.push(Row::Words("Enter opens the home screen.".into()));
    rows
}
