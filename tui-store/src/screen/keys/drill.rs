//! Acts that the recovery phrase does: the restore drill, cancelling a change, revoking the signature key.

use tui_kit::{
    KeyEvent,
    detail::{Detail, Row},
    keys::Action,
    phrase::{Asking, Pressed},
    progress::Waiting,
    ratatui::layout::{Constraint, Layout, Rect},
    stack::Screen,
    theme::Tone,
    ui::Ui,
};
use vault::{
    Language, RecoveryPhrase,
    recovery::{PhraseError, WORDS},
};
use wire::payload::KeyRole;

use crate::{
    act::{Act, Outcome, Password},
    screen::{News, Steps, asked::Asked, shared::Shared, words},
};

/// What the phrase is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    Drill,
    Cancel,
    Revoke,
}

/// The phrase is typed, and something is done with it.
pub(super) struct Drill {
    purpose: For,
    language: Language,
    words: Asking,
    asked: Asked<Vec<Row>>,
    waiting: Option<Waiting>,
    done: Option<Detail>,
}

/// What can be done.
#[derive(Debug, Clone)]
pub(crate) enum Do {
    Language,
}

impl Drill {
    /// The restore drill.
    pub(super) fn new() -> Self {
        Self::of(For::Drill)
    }

    /// Cancelling a recovery key that waits.
    pub(super) fn to_cancel() -> Self {
        Self::of(For::Cancel)
    }

    /// Revoking the signature key.
    pub(super) fn to_revoke() -> Self {
        Self::of(For::Revoke)
    }

    fn of(purpose: For) -> Self {
        let language = Language::English;
        let words = Asking::all(WORDS, language.word_list());
        Self { purpose, language, words, asked: Asked::Not, waiting: None, done: None }
    }

    fn given(&mut self, typed: &[String], shared: &mut Shared) -> Steps {
        let typed = typed.join(" ").into();
        if let Err(error) = RecoveryPhrase::parse(&typed) {
            let number = match &error {
                PhraseError::Unknown { positions, .. } => positions.first().copied(),
                _ => None,
            };
            self.words.refuse(number, error.to_string());
            return Steps::new();
        }
        let phrase = Password(typed);
        let act = match self.purpose {
            For::Drill => Act::Drill { phrase },
            For::Cancel => Act::CancelChange { phrase },
            For::Revoke => Act::Revoke { role: KeyRole::Signature, password_b: None, phrase: Some(phrase) },
        };
        self.words = Asking::all(WORDS, self.language.word_list());
        self.waiting = Some(Waiting::new(shared.now, "the center's word", "Esc goes back"));
        vec![self.asked.ask(act, "the center's word", shared)]
    }
}

impl Screen<Shared> for Drill {
    type Do = Do;
    const NAME: &'static str = "phrase";
    const INSIDE: bool = false;

    fn title(&self, _shared: &Shared) -> String {
        match self.purpose {
            For::Drill => "Keys › Restore drill",
            For::Cancel => "Keys › Cancel a change",
            For::Revoke => "Keys › Revoke the signature key",
        }
        .into()
    }

    fn actions(&self, _shared: &Shared) -> Vec<Action<Do>> {
        vec![Action::new(Do::Language, "language", "ctrl-g", "Language", "English or Japanese words.")]
    }

    fn run(&mut self, todo: Do, _shared: &mut Shared) -> Steps {
        let Do::Language = todo;
        self.language = match self.language {
            Language::English => Language::Japanese,
            Language::Japanese => Language::English,
        };
        self.words = Asking::all(WORDS, self.language.word_list());
        Steps::new()
    }

    fn key(&mut self, key: KeyEvent, shared: &mut Shared) -> Option<Steps> {
        if let Some(done) = &mut self.done {
            return done.press(key).then(Steps::new);
        }
        if self.waiting.is_some() {
            return None;
        }
        match self.words.press(key) {
            Pressed::Taken => Some(Steps::new()),
            Pressed::Free | Pressed::Back => None,
            Pressed::Given(words) => Some(self.given(&words, shared)),
        }
    }

    fn paste(&mut self, pasted: &str, _shared: &Shared) {
        if self.waiting.is_none() && self.done.is_none() {
            self.words.paste(pasted);
        }
    }

    fn told(&mut self, news: &News, shared: &mut Shared) -> Steps {
        if !self.asked.told(news, shared, told_rows) {
            return Steps::new();
        }
        self.waiting = None;
        match std::mem::take(&mut self.asked) {
            Asked::Here(rows) => self.done = Some(Detail::new(rows)),
            Asked::Failed(failure) => self.words.refuse(None, failure.message),
            Asked::Not | Asked::Waiting { .. } => {}
        }
        Steps::new()
    }

    fn lively(&self, _shared: &Shared) -> bool {
        self.waiting.is_some()
    }

    fn view(&self, _shared: &Shared, ui: &mut Ui<'_, '_>, area: Rect) {
        if let Some(done) = &self.done {
            done.view(ui, area);
            return;
        }
        if let Some(waiting) = &self.waiting {
            waiting.view(ui, area);
            return;
        }
        let said = match self.purpose {
            For::Drill => {
                "Type the 24 words from your paper. The copy at the center is restored in a folder of its own, compared \
                 with this vault, and thrown away."
            }
            For::Cancel => {
                "Type the 24 words of the phrase in force: the new recovery key never comes into force."
            }
            For::Revoke => {
                "Type the 24 words. Nothing that the signature key signs counts from then on; a new one comes with \
                 “recovery restore” in a new profile."
            }
        };
        let rows = if area.height < 12 { 0 } else { 3 };
        let [head, body] = Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
        let style = ui.theme().text;
        ui.paragraph(head, said, style);
        self.words.view(ui, body);
    }
}

fn told_rows(outcome: &Outcome) -> Option<Vec<Row>> {
    match outcome {
        Outcome::Drill(drill) => Some(vec![
            Row::toned("Restore", Tone::Good, "everything came back, and is the same"),
            Row::pair("Proved", drill.at.text.as_str()),
            Row::pair("Copy of", drill.copied.text.as_str()),
            Row::pair("Compared", format!("{} records", drill.compared)),
            Row::pair("Newer", format!("{} records since the copy", drill.newer)),
        ]),
        Outcome::Resolved(resolved) => Some(
            resolved
                .iter()
                .map(|one| Row::toned(one.what.clone(), words::telegram_tone(one.state), one.words.as_str()))
                .collect(),
        ),
        _ => None,
    }
}
