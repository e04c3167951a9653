//! Opening password B for some minutes.

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
    act::{Act, FailureKind, Password},
    screen::{News, Step, Steps, asked::Asked, join::form_view, shared::Shared},
};

const MINUTES: &str = "minutes";
const B: &str = "password-b";

/// For how long, and password B.
pub(super) struct Hold {
    form: Form,
    asked: Asked<()>,
}

impl Hold {
    pub(super) fn new() -> Self {
        let fields = [
            Field::number(MINUTES, "Minutes").required().range(1, 60).with("5"),
            Field::password(B, "Password B").required(),
        ];
        Self { form: Form::new("Open", fields), asked: Asked::Not }
    }

    fn submit(&mut self, shared: &mut Shared) -> Steps {
        if self.form.submit() != Pressed::Submit {
            return Steps::new();
        }
        let minutes = self.form.number(MINUTES).and_then(|minutes| u32::try_from(minutes).ok());
        let (Some(minutes), Some(b)) = (minutes, self.form.secret(B)) else { return Steps::new() };
        let act = Act::OpenSigning { password_b: Password(b), minutes };
        vec![self.asked.ask(act, "the vault, which takes its time on purpose", shared)]
    }
}

impl Screen<Shared> for Hold {
    type Do = ();
    const NAME: &'static str = "hold";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        "Settings › Open password B".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        vec![Action::new((), "open", "ctrl-s", "Open", "Opens password B for so long.")]
    }

    fn run(&mut self, _todo: (), shared: &mut Shared) -> Steps {
        self.submit(shared)
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if self.asked.is_waiting() {
            return None;
        }
        if key.code == KeyCode::Enter && self.form.focused() == Some(B) {
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
        if !self.asked.told(news, shared, |_| Some(())) {
            return Steps::new();
        }
        self.form.wipe();
        match std::mem::take(&mut self.asked) {
            Asked::Failed(failure) => {
                let field = if failure.kind == FailureKind::WrongPassword { B } else { MINUTES };
                self.form.refuse(field, failure.message);
                Steps::new()
            }
            _ => vec![Step::Say(Tone::Warn, "password B is open; Enter signs until then".into()), Step::Back],
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
        let words = "For so long claims and refunds are signed with Enter alone, by whoever sits here. The head of the \
                     screen shows what is left of it.";
        form_view(ui, area, words, &self.form);
    }
}
