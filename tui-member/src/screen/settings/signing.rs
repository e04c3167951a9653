//! Password B for a stated number of minutes.

use tui_kit::{
    KeyEvent,
    form::{Field, Form, Pressed},
    keys::Action,
    ratatui::layout::Rect,
    stack::Screen,
    theme::Tone,
    ui::Ui,
};

use crate::{
    act::{Act, CustodyAct, Outcome},
    screen::{News, Step, Steps, asked::Asked, phrase::below, shared::Shared},
};

const MINUTES: &str = "minutes";
const PASSWORD: &str = "password-b";
const WORDS: &str = "Until the time is over, payments and card requests are signed without password B; the head of every page \
                     says so. Keys are changed with it all the same.";

/// For how long.
pub(super) struct Open {
    form: Form,
    asked: Asked<()>,
}

impl Open {
    pub(super) fn new() -> Self {
        let fields = [
            Field::number(MINUTES, "Minutes").required().range(1, 60).hint("from 1 to 60"),
            Field::password(PASSWORD, "Password B").required(),
        ];
        Self { form: Form::new("Open", fields), asked: Asked::Not }
    }

    fn ask(&mut self, shared: &mut Shared) -> Steps {
        let minutes = self.form.number(MINUTES).and_then(|minutes| u16::try_from(minutes).ok());
        let (Some(minutes), Some(password)) = (minutes, self.form.secret(PASSWORD)) else {
            return Steps::new();
        };
        self.form.wipe();
        let act = CustodyAct::OpenSigning { password_b: password.into(), minutes };
        vec![self.asked.ask(Act::Custody(act), "the signature key to open", shared)]
    }
}

impl Screen<Shared> for Open {
    type Do = ();
    const NAME: &'static str = "settings";

    fn title(&self, _shared: &Shared) -> String {
        "Settings › Signature key".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if self.asked.is_waiting() {
            return None;
        }
        match self.form.press(key) {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Free | Pressed::Back => None,
            Pressed::Submit => Some(self.ask(shared)),
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        self.form.paste(pasted);
    }

    fn guards(&self) -> bool {
        true
    }

    fn told(&mut self, news: &News, _shared: &mut Shared) -> Steps {
        if !self.asked.told(news, |outcome| matches!(outcome, Outcome::Done).then_some(())) {
            return Steps::new();
        }
        match &self.asked {
            Asked::Here(()) => {
                vec![Step::Say(Tone::Good, "the signature key is open; settings close it".into()), Step::Back]
            }
            Asked::Failed(failure) => {
                self.form.refuse(PASSWORD, failure.message.clone());
                Steps::new()
            }
            Asked::Not | Asked::Waiting { .. } => Steps::new(),
        }
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.asked.is_waiting()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        match &self.asked {
            Asked::Waiting { waiting, .. } => waiting.view(ui, area),
            _ => below(ui, area, WORDS, |ui, rest| self.form.view(ui, rest)),
        }
    }
}
