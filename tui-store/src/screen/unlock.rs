//! The door: password A opens the vault.

use tui_kit::{
    KeyCode, KeyEvent,
    form::{Field, Form, Pressed},
    keys::Action,
    progress::Waiting,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::{Screen, layer},
    text,
    ui::Ui,
};

use crate::{
    app::Effect,
    screen::{News, Step, Steps, restore::Restore, shared::Shared},
};

const FIELD: &str = "password-a";

const FORGOTTEN: &str = "Both passwords forgotten? Ctrl-R brings the store back under new ones, with invitation and recovery \
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
    /// Why joining stopped, where it goes on behind the door.
    stopped: Option<String>,
    /// Whether the vault is open behind the door.
    behind: bool,
}

impl Unlock {
    /// The door of a vault.
    pub(crate) fn new() -> Self {
        let form = Form::new("Open", [Field::password(FIELD, "Password A").required()]);
        Self { form, trying: None, stopped: None, behind: false }
    }

    /// The door of a vault that was just made, and whose joining has not ended.
    pub(crate) fn to_go_on(why: String) -> Self {
        Self { stopped: Some(why), ..Self::new() }
    }

    /// The door of a store that stands open behind it: nobody did anything for a while.
    pub(crate) fn locked() -> Self {
        let words = "The screens are locked, because nobody did anything for a while. The counter is open.";
        Self { stopped: Some(words.into()), behind: true, ..Self::new() }
    }

    fn attempt(&mut self, shared: &Shared) -> Steps {
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
                "Brings the store back under new passwords, with invitation and recovery phrase.",
            )
            .when(self.trying.is_none(), "a password is being tried")
            .when(!self.behind, "the counter is open; end the program first"),
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
        // There is one field: Enter need not go to the button first.
        if key.code == KeyCode::Enter {
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

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        if let News::LockedOut(locked) = news {
            self.trying = None;
            self.form.refuse(FIELD, locked.message.clone());
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.trying.is_some()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let said = match &self.stopped {
            Some(why) if self.behind => format!("{why} Enter password A."),
            Some(why) => format!(
                "{why}\nThe vault is made and holds your keys; joining goes on behind this door. Enter password A."
            ),
            None => format!(
                "Password A opens the vault of profile {} and the counter. It can't claim or give money back.",
                shared.place.profile
            ),
        };
        let rows = text::wrap(&said, usize::from(area.width)).len();
        // The field stays in sight, however much there is to say.
        let rows = u16::try_from(rows + 1).unwrap_or(u16::MAX).min(area.height.saturating_sub(3));
        let foot = if area.height >= 14 && !self.behind { 2 } else { 0 };
        let [words, fields, lost] =
            Layout::vertical([Constraint::Length(rows), Constraint::Min(0), Constraint::Length(foot)])
                .areas(area);
        let (style, dim) = (ui.theme().text, ui.theme().dim);
        ui.paragraph(lost, FORGOTTEN, dim);
        ui.paragraph(words, &said, style);
        match &self.trying {
            Some(waiting) => waiting.view(ui, fields),
            None => self.form.view(ui, fields),
        }
    }
}
