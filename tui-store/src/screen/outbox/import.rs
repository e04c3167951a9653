//! Taking an exported telegram in.

use std::path::PathBuf;

use tui_kit::{
    KeyCode, KeyEvent,
    form::{Field, Form, Pressed},
    keys::Action,
    ratatui::layout::Rect,
    stack::Screen,
    theme::Tone,
    ui::Ui,
};

use crate::{
    act::Outcome,
    screen::{News, Step, Steps, asked::Asked, join::form_view, shared::Shared},
};

const FILE: &str = "file";

/// Which file.
pub(super) struct Import {
    form: Form,
    asked: Asked<()>,
}

impl Import {
    pub(super) fn new() -> Self {
        let field =
            Field::text(FILE, "File").required().max(1_000).hint("a file that this vault has exported");
        Self { form: Form::new("Take in", [field]), asked: Asked::Not }
    }

    fn submit(&mut self, shared: &mut Shared) -> Steps {
        if self.form.submit() != Pressed::Submit {
            return Steps::new();
        }
        vec![self.asked.ask_to_import(PathBuf::from(self.form.text(FILE)), shared)]
    }
}

impl Screen<Shared> for Import {
    type Do = ();
    const NAME: &'static str = "import";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        "Outbox › Import".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        vec![Action::new((), "import", "ctrl-s", "Take in", "Takes the telegram into the outbox.")]
    }

    fn run(&mut self, _todo: (), shared: &mut Shared) -> Steps {
        self.submit(shared)
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if self.asked.is_waiting() {
            return None;
        }
        if key.code == KeyCode::Enter {
            return Some(self.submit(shared));
        }
        match self.form.press(key) {
            Pressed::Taken => Some(Steps::new()),
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
        let taken = |outcome: &Outcome| matches!(outcome, Outcome::Outbox(_)).then_some(());
        if !self.asked.told(news, shared, taken) {
            return Steps::new();
        }
        match std::mem::take(&mut self.asked) {
            Asked::Failed(failure) => {
                self.form.refuse(FILE, failure.message);
                Steps::new()
            }
            _ => vec![Step::Say(Tone::Good, "the telegram waits in the outbox".into()), Step::Back],
        }
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        if self.asked.is_waiting() {
            self.asked.view(ui, area, "");
            return;
        }
        let words =
            "An exported telegram waits again as it did; only the vault that exported it takes it in.";
        form_view(ui, area, words, &self.form);
    }
}
