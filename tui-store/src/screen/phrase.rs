//! A recovery phrase that is made, shown once, and asked back.

use std::sync::Arc;

use tui_kit::{
    KeyEvent,
    phrase::{Asking, Pressed, Shown},
    ratatui::layout::{Constraint, Layout, Rect},
    text,
    ui::Ui,
};
use vault::{Language, RecoveryPhrase, recovery::ASKED};
use zeroize::Zeroizing;

use crate::{app::Effect, screen::Step};

/// Whether the phrase was shown and asked back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    NotYet,
    Yes,
}

/// The making of a phrase.
pub(super) struct Making {
    language: Language,
    phrase: Option<Arc<RecoveryPhrase>>,
    asked: [usize; ASKED],
    step: At,
}

enum At {
    /// It is being made.
    Nothing,
    Shown(Shown),
    Asked(Asking),
    /// Words were asked back and right.
    Confirmed,
}

impl Default for Making {
    fn default() -> Self {
        Self { language: Language::English, phrase: None, asked: [0; ASKED], step: At::Nothing }
    }
}

impl Making {
    /// Asks for a phrase where there is none, and shows the one that there is.
    pub(super) fn begin(&mut self) -> Option<Step> {
        match &self.phrase {
            Some(phrase) => {
                self.step = At::Shown(shown(phrase));
                None
            }
            None => Some(Step::Own(Effect::MakePhrase(self.language))),
        }
    }

    /// Takes the phrase that was made.
    pub(super) fn made(&mut self, phrase: &Arc<RecoveryPhrase>, asked: [usize; ASKED]) {
        self.step = At::Shown(shown(phrase));
        (self.phrase, self.asked) = (Some(phrase.clone()), asked);
    }

    /// A new phrase with words of the other language.
    pub(super) fn turn_language(&mut self) -> Option<Step> {
        let language = match self.language {
            Language::English => Language::Japanese,
            Language::Japanese => Language::English,
        };
        *self = Self { language, ..Self::default() };
        self.begin()
    }

    /// Forgets the phrase.
    pub(super) fn clear(&mut self) {
        *self = Self { language: self.language, ..Self::default() };
    }

    /// The phrase, once words of it were asked back and right.
    pub(super) fn phrase(&self) -> Option<Arc<RecoveryPhrase>> {
        self.phrase.clone().filter(|_| matches!(self.step, At::Confirmed))
    }

    /// Whether all the words were in sight, so that some can be asked back.
    pub(super) fn may_go_on(&self) -> bool {
        match &self.step {
            At::Nothing => false,
            At::Shown(shown) => shown.was_seen(),
            At::Asked(_) | At::Confirmed => true,
        }
    }

    /// From the words shown to those asked back.
    pub(super) fn go_on(&mut self) -> Made {
        match &self.step {
            At::Shown(shown) if shown.was_seen() => {
                self.step = At::Asked(Asking::some(self.asked, self.language.word_list()));
                Made::NotYet
            }
            At::Confirmed => Made::Yes,
            At::Nothing | At::Shown(_) | At::Asked(_) => Made::NotYet,
        }
    }

    pub(super) fn press(&mut self, key: KeyEvent) -> Option<Made> {
        match &mut self.step {
            At::Nothing | At::Confirmed => None,
            At::Shown(shown) => shown.press(key).then_some(Made::NotYet),
            At::Asked(asking) => match asking.press(key) {
                Pressed::Taken => Some(Made::NotYet),
                Pressed::Free | Pressed::Back => None,
                Pressed::Given(words) => Some(self.answered(&words)),
            },
        }
    }

    fn answered(&mut self, words: &[String]) -> Made {
        let At::Asked(asking) = &mut self.step else { return Made::NotYet };
        let Some(phrase) = &self.phrase else { return Made::NotYet };
        for (position, word) in self.asked.iter().zip(words) {
            let word = word.as_str().into();
            if let Err(error) = phrase.check_answers([(*position, &word)]) {
                asking.refuse(Some(*position), error.to_string());
                return Made::NotYet;
            }
        }
        self.step = At::Confirmed;
        Made::Yes
    }

    pub(super) fn paste(&mut self, pasted: &str) {
        if let At::Asked(asking) = &mut self.step {
            asking.paste(pasted);
        }
    }

    /// One step back; false when there is none here.
    pub(super) fn step_back(&mut self) -> bool {
        let asked = matches!(self.step, At::Asked(_));
        if asked {
            self.begin();
        }
        asked
    }

    pub(super) fn view(&self, ui: &mut Ui<'_, '_>, area: Rect) {
        let said = match &self.step {
            At::Nothing => "A recovery phrase is being made.",
            At::Shown(_) => {
                "Write these 24 words down. They are shown once, and bring your store back when the machine or the \
                 passwords are lost; whoever has them has your store. Ctrl-S: written down. Ctrl-G: other language."
            }
            At::Asked(_) => "Some of the words, as you wrote them down.",
            At::Confirmed => "The words were right. Ctrl-S goes on.",
        };
        let rows = text::wrap(said, usize::from(area.width)).len();
        let rows = u16::try_from(rows + 1).unwrap_or(u16::MAX);
        // The words come first where rows are scarce.
        let rows = if area.height < rows.saturating_add(8) { 1 } else { rows };
        let [head, body] = Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
        let style = ui.theme().text;
        ui.paragraph(head, said, style);
        match &self.step {
            At::Shown(shown) => shown.view(ui, body),
            At::Asked(asking) => asking.view(ui, body),
            At::Nothing | At::Confirmed => {}
        }
    }
}

fn shown(phrase: &RecoveryPhrase) -> Shown {
    Shown::new(Zeroizing::new(phrase.words().into_iter().map(str::to_owned).collect()))
}
