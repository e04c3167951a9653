//! Changing a password.

use tui_kit::{
    KeyCode, KeyEvent,
    form::{Field, Form, Pressed, Strength},
    keys::Action,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::Screen,
    theme::Tone,
    ui::Ui,
};

use crate::{
    act::{Act, FailureKind, Password},
    screen::{News, Step, Steps, asked::Asked, shared::Shared},
};

const OLD: &str = "old";
const NEW: &str = "new";
const AGAIN: &str = "again";

/// Which password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    A,
    B,
}

/// Changing a password.
pub(super) struct Change {
    which: Which,
    form: Form,
    asked: Asked<()>,
}

impl Change {
    pub(super) fn new(which: Which) -> Self {
        let name = which.name();
        let fields = [
            Field::password(OLD, format!("{name} now")).required(),
            Field::password(NEW, format!("New {name}")).required(),
            Field::password(AGAIN, "Again").repeats(NEW),
        ];
        Self { which, form: Form::new("Change", fields), asked: Asked::Not }
    }

    /// Says how strong the new password is.
    fn measure(&mut self) {
        let found = self.form.secret(NEW).map(|secret| {
            let found = vault::strength(&secret, &[]);
            let advice = found.advice();
            let sentence = if advice.is_empty() { "hard to guess".to_owned() } else { advice };
            Strength { score: found.score, word: found.word().to_owned(), sentence }
        });
        self.form.set_strength(NEW, found);
    }

    fn submit(&mut self, shared: &mut Shared) -> Steps {
        if self.form.submit() != Pressed::Submit {
            return Steps::new();
        }
        let (Some(old), Some(new)) = (self.form.secret(OLD), self.form.secret(NEW)) else {
            return Steps::new();
        };
        let (old, new) = (Password(old), Password(new));
        let act = match self.which {
            Which::A => Act::ChangePasswordA { old, new },
            Which::B => Act::ChangePasswordB { old, new },
        };
        vec![self.asked.ask(act, "the vault, which takes its time on purpose", shared)]
    }
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Self::A => "password A",
            Self::B => "password B",
        }
    }
}

impl Screen<Shared> for Change {
    type Do = ();
    const NAME: &'static str = "password";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        format!("Settings › Change {}", self.which.name())
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        vec![Action::new((), "change", "ctrl-s", "Change", "Changes the password.")]
    }

    fn run(&mut self, _todo: (), shared: &mut Shared) -> Steps {
        self.submit(shared)
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if self.asked.is_waiting() {
            return None;
        }
        if key.code == KeyCode::Enter && self.form.focused() == Some(AGAIN) {
            return Some(self.submit(shared));
        }
        match self.form.press(key) {
            Pressed::Taken => {
                self.measure();
                Some(Steps::new())
            }
            Pressed::Submit => Some(self.submit(shared)),
            Pressed::Free | Pressed::Back => None,
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        if !self.asked.is_waiting() {
            self.form.paste(pasted);
        }
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if !self.asked.told(news, shared, |_| Some(())) {
            return Steps::new();
        }
        match std::mem::replace(&mut self.asked, Asked::Not) {
            Asked::Failed(failure) => {
                let field = if failure.kind == FailureKind::WrongPassword { OLD } else { NEW };
                self.form.wipe();
                self.form.refuse(field, failure.message);
                Steps::new()
            }
            _ => {
                self.form.wipe();
                vec![Step::Say(Tone::Good, format!("{} is changed", self.which.name())), Step::Back]
            }
        }
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        let [words, fields] = Layout::vertical([Constraint::Length(2), Constraint::Min(0)]).areas(area);
        if self.asked.is_waiting() {
            self.asked.view(ui, area, "");
            return;
        }
        let said = match self.which {
            Which::A => "Password A opens the vault and the counter.",
            Which::B => "Password B opens the signature key: claims and refunds.",
        };
        let style = ui.theme().text;
        ui.paragraph(words, said, style);
        self.form.view(ui, fields);
    }
}
