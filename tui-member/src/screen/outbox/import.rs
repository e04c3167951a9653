//! Taking in a telegram that was exported from this profile.

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
    act::{Act, Outcome},
    app::Effect,
    screen::{News, Step, Steps, asked::Asked, phrase::below, shared::Shared},
    view::OutboxRow,
};

const PATH: &str = "file";
const WORDS: &str = "A telegram that was exported from this vault waits in its file as it did in the outbox. Other vaults can't \
                     take it in.";

/// Which file.
pub(super) struct Import {
    form: Form,
    asked: Asked<Box<OutboxRow>>,
    /// The file is being read.
    reading: bool,
}

impl Import {
    pub(super) fn new() -> Self {
        let field = Field::text(PATH, "File").max(1_000).required().hint("its path");
        Self { form: Form::new("Take it in", [field]), asked: Asked::Not, reading: false }
    }
}

impl Screen<Shared> for Import {
    type Do = ();
    const NAME: &'static str = "outbox";

    fn title(&self, _shared: &Shared) -> String {
        "Outbox › Import".into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<()>> {
        Vec::new()
    }

    fn run(&mut self, _todo: (), _shared: &mut Shared) -> Steps {
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, _shared: &mut Shared) -> Option<Steps> {
        match self.form.press(key) {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Free | Pressed::Back => None,
            Pressed::Submit => {
                self.reading = true;
                Some(vec![Step::Own(Effect::Load(self.form.text(PATH).into()))])
            }
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        self.form.paste(pasted);
    }

    fn guards(&self) -> bool {
        true
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if let News::Loaded(loaded) = news
            && std::mem::take(&mut self.reading)
        {
            return match loaded {
                Ok(content) => {
                    let act = Act::ImportTelegram { content: content.clone() };
                    vec![self.asked.ask(act, "the vault to take it in", shared)]
                }
                Err(why) => {
                    self.form.refuse(PATH, why.as_str());
                    Steps::new()
                }
            };
        }
        let pick = |outcome: &Outcome| match outcome {
            Outcome::Prepared(row) => Some(row.clone()),
            _ => None,
        };
        if !self.asked.told(news, pick) {
            return Steps::new();
        }
        match &self.asked {
            Asked::Here(row) => {
                vec![Step::Say(Tone::Good, format!("{}: {}", row.kind, row.words)), Step::Back]
            }
            Asked::Failed(failure) => {
                self.form.refuse(PATH, failure.message.clone());
                Steps::new()
            }
            Asked::Not | Asked::Waiting { .. } => Steps::new(),
        }
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        below(ui, area, WORDS, |ui, rest| self.form.view(ui, rest));
    }
}
