//! The door: the password opens the vault, and the terminal logs in at the store.

use tui_kit::{
    KeyCode, KeyEvent,
    form::{Field, Form, Pressed},
    keys::Action,
    progress::Waiting,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::Screen,
    text,
    ui::Ui,
};

use super::{News, Shared, Step, Steps};
use crate::cashier::app::Effect;

const FIELD: &str = "password";

/// The door.
pub(crate) struct Unlock {
    form: Form,
    /// While a password is being tried, which is slow on purpose.
    trying: Option<Waiting>,
}

impl Unlock {
    pub(crate) fn new() -> Self {
        Self { form: Form::new("Open", [Field::password(FIELD, "Password").required()]), trying: None }
    }

    fn attempt(&mut self, shared: &Shared) -> Steps {
        let Some(password) = self.form.secret(FIELD) else {
            self.form.submit();
            return Steps::new();
        };
        self.form.wipe();
        self.form.focus(FIELD);
        self.trying = Some(Waiting::new(shared.now, "the vault to open and the store to answer", ""));
        vec![Step::Own(Effect::Unlock(password.into()))]
    }
}

impl Screen<Shared> for Unlock {
    type Do = ();
    const NAME: &'static str = "unlock";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        "Cashier › Unlock".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        vec![Action::new((), "open", "enter", "Open", "Opens the vault and logs in at the store.")]
    }

    fn run(&mut self, _todo: (), shared: &mut Shared) -> Steps {
        self.attempt(shared)
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
        if let News::LockedOut(why) = news {
            self.trying = None;
            self.form.refuse(FIELD, why.clone());
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.trying.is_some()
    }

    fn view(&self, shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let said = format!(
            "The password opens the cashier's terminal of profile {}. It is asked for again at every refund.",
            shared.profile
        );
        let rows = text::wrap(&said, usize::from(area.width)).len();
        // The field stays in sight, however much there is to say.
        let rows = u16::try_from(rows + 1).unwrap_or(u16::MAX).min(area.height.saturating_sub(3));
        let [words, fields] = Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
        let style = ui.theme().text;
        ui.paragraph(words, &said, style);
        match &self.trying {
            Some(waiting) => waiting.view(ui, fields),
            None => self.form.view(ui, fields),
        }
    }
}
