//! The door: password A opens the vault.

use tui_kit::{
    KeyEvent,
    form::{Field, Form, Pressed},
    keys::Action,
    progress::Waiting,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::{Screen, layer},
    ui::Ui,
};

use crate::{
    app::Effect,
    screen::{News, Step, Steps, restore::Restore, shared::Shared},
};

const FIELD: &str = "password-a";

const FORGOTTEN: &str = "Both passwords forgotten? Ctrl-R brings your account back under new ones, with invitation and recovery \
                         phrase.";

/// What can be done at the door.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Open,
    Forgotten,
}

/// The door.
pub(crate) struct Unlock {
    form: Form,
    /// While a password is being tried, which is slow on purpose.
    trying: Option<Waiting>,
}

impl Unlock {
    pub(crate) fn new() -> Self {
        let form = Form::new("Open", [Field::password(FIELD, "Password A").required()]);
        Self { form, trying: None }
    }

    fn attempt(&mut self, shared: &Shared) -> Steps {
        // A password shorter than an entry is no reason to make people press Enter twice.
        let Some(password) = self.form.secret(FIELD) else {
            self.form.submit();
            return Steps::new();
        };
        self.form.wipe();
        self.form.focus(FIELD);
        self.trying = Some(Waiting::new(shared.now, "the vault to open", ""));
        vec![Step::Own(Effect::Unlock(password.into()))]
    }
}

impl Screen<Shared> for Unlock {
    type Do = Do;
    const NAME: &'static str = "unlock";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        "Unlock".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        vec![
            Action::new(Do::Open, "open", "enter", "Open", "Opens the vault with password A."),
            Action::new(
                Do::Forgotten,
                "forgotten",
                "ctrl-r",
                "Forgot",
                "Brings the account back under new passwords, with invitation and recovery phrase.",
            )
            .when(self.trying.is_none(), "a password is being tried"),
        ]
    }

    fn run(&mut self, todo: Do, shared: &mut Shared) -> Steps {
        match todo {
            Do::Open => self.attempt(shared),
            Do::Forgotten => {
                self.form.wipe();
                vec![Step::Push(layer(Restore::over_a_vault()))]
            }
        }
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if self.trying.is_some() {
            return None;
        }
        if key.code == tui_kit::KeyCode::Enter {
            return Some(self.attempt(shared));
        }
        match self.form.press(key) {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Submit => Some(self.attempt(shared)),
            Pressed::Free | Pressed::Back => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        if self.trying.is_none() {
            self.form.paste(pasted);
        }
    }

    fn guards(&self) -> bool {
        true
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        match news {
            News::Opening => self.trying = Some(Waiting::new(shared.now, "the vault to open", "")),
            News::LockedOut(locked) => {
                self.trying = None;
                self.form.refuse(FIELD, locked.message.clone());
            }
            _ => {}
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.trying.is_some()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let foot = if area.height >= 14 { 2 } else { 0 };
        let [words, fields, lost] =
            Layout::vertical([Constraint::Length(3), Constraint::Min(0), Constraint::Length(foot)])
                .areas(area);
        let dim = ui.theme().dim;
        ui.paragraph(lost, FORGOTTEN, dim);
        let style = ui.theme().text;
        let said = format!(
            "Password A opens the vault of profile {}: cards, history, messages. It can't spend.",
            shared.place.profile
        );
        ui.paragraph(words, &said, style);
        match &self.trying {
            Some(waiting) => waiting.view(ui, fields),
            None => self.form.view(ui, fields),
        }
    }
}
